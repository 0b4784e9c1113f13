// Attribute values from the far corners of what DynamoDB allows.
// Promises: every value is one DynamoDB accepts and stores; among them those that break careless readers.
// Source: Amazon DynamoDB Developer Guide, "Supported data types and naming rules" and "Quotas" (38 digits, 32 levels, 400 KB).

import type { AttributeValue } from '../../schemas/attribute.js';
import type { Random } from './random.js';

/** Numbers at the edges: 38 digits, largest and smallest magnitudes, beyond 2^53, beyond 2^63, many decimals. */
export const wildNumbers: readonly string[] = [
  '0',
  '-1',
  '0.1',
  '-0.5',
  '9007199254740993',
  '9223372036854775807',
  '9223372036854775808',
  '-9223372036854775808',
  '99999999999999999999999999999999999999',
  '-12345678901234567890123456789012345678',
  '3.1415926535897932384626433832795028841',
  '0.00000000000000000000000000000000000001',
  '1234567890123456789.1234567890123456789',
  '1E125',
  '-1E+125',
  '9.9999999999999999999999999999999999999E+125',
  '1E-130',
  '-9.9999999999999999999999999999999999999E-93',
  '1.5e3',
  '100000000000000000000',
];

/** Texts at the edges: empty, quotes, controls, line separators, composed and decomposed letters, beyond the BMP. */
export const wildTexts: readonly string[] = [
  '',
  ' ',
  'plain',
  '"quoted" and back\\slash',
  'line\nfeed\r\ttab',
  'nul \u0000 and \u0001 and \u001f and \u007f',
  'line sep \u2028 and para sep \u2029',
  '\u00e9 composed',
  'e\u0301 decomposed',
  '😀👩‍👩‍👧 family',
  '\ufeffbyte order mark',
  '{"S":"looks like JSON"}',
  'null',
  '1E5',
  '𝒳 beyond the BMP',
  '日本語 العربية',
];

/** Names at the edges: JavaScript's own, ours, SQL's, colliding after cleaning, unprintable. */
export const wildNames: readonly string[] = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '_misfits',
  '_nulls',
  '_written_at',
  'a.b',
  'a-b',
  'a b',
  'a_b',
  'Id',
  'ID',
  'id',
  'select',
  '1st',
  '😀',
  '\u00e9',
  'e\u0301',
  'with "quotes" and \\',
  'line\nfeed',
  'nul\u0000name',
  'sep\u2028name',
  'aws:rep:updateregion',
  'S',
  'Item',
  '~/1',
];

function distinct(count: number, draw: () => string): string[] {
  const values = new Set<string>();
  for (let i = 0; i < count; i++) values.add(draw());
  return [...values];
}

function binary(random: Random): string {
  return Buffer.from(random.bytes(random.below(20))).toString('base64');
}

/** A number of up to 38 digits, written as DynamoDB returns it: no needless zero. */
export function wildNumber(random: Random): string {
  if (random.chance(0.2)) return random.pick(wildNumbers);
  const sign = random.chance(0.3) ? '-' : '';
  const whole = `${1 + random.below(9)}${random.text('0123456789', random.below(random.chance(0.1) ? 28 : 6))}`;
  if (random.chance(0.5)) return sign + whole;
  return `${sign}${whole}.${random.text('0123456789', random.below(8))}${1 + random.below(9)}`;
}

/** A value of one tag; lists and maps hold further values, at most `depth` levels down. */
export function wildValue(random: Random, tag: string, depth: number): AttributeValue {
  switch (tag) {
    case 'S':
      return {
        S: random.chance(0.7)
          ? random.pick(wildTexts)
          : random.text('abcdefghij €\n', random.below(60)),
      };
    case 'N':
      return { N: wildNumber(random) };
    case 'B':
      return { B: binary(random) };
    case 'BOOL':
      return { BOOL: random.chance(0.5) };
    case 'SS':
      return { SS: distinct(1 + random.below(4), () => random.pick(wildTexts)) };
    case 'NS':
      // Of two equal numbers in different writing DynamoDB keeps one, so these are plain integers.
      return { NS: distinct(1 + random.below(4), () => String(random.below(2 ** 53) - 2 ** 52)) };
    case 'BS':
      return { BS: distinct(1 + random.below(4), () => binary(random)) };
    case 'L':
      return { L: Array.from({ length: random.below(4) }, () => anyWildValue(random, depth - 1)) };
    case 'M': {
      const entries = new Map<string, AttributeValue>();
      for (let i = random.below(4); i > 0; i--)
        entries.set(random.pick(wildNames), anyWildValue(random, depth - 1));
      return { M: entries };
    }
    default:
      return { NULL: true };
  }
}

const leafTags = ['S', 'N', 'B', 'BOOL', 'NULL', 'SS', 'NS', 'BS'];
const allTags = [...leafTags, 'L', 'M'];

/** A value of any tag. */
export function anyWildValue(random: Random, depth: number): AttributeValue {
  return wildValue(random, random.pick(depth > 0 ? allTags : leafTags), depth);
}

/** A value nested `levels` deep, lists and maps in turn, with a text at the bottom. */
export function nestedValue(levels: number): AttributeValue {
  let value: AttributeValue = { S: 'bottom' };
  for (let i = 0; i < levels; i++)
    value = i % 2 === 0 ? { L: [value] } : { M: new Map([['in', value]]) };
  return value;
}
