// The oracle's own canonical text of an item, to compare what came back with what went in.
// Promises: two items give the same text exactly when DynamoDB calls them equal: numbers by value, sets without order, maps without order.
// Source: Amazon DynamoDB Developer Guide, "Supported data types and naming rules". Shares no code with the scanner it judges.

import type { AttributeValue, KeyAttribute } from '../../schemas/attribute.js';
import { refuse } from '../../schemas/errors.js';
import { type Item, keysOf } from './item.js';

const numberPattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;

function malformed(what: string): Error {
  return refuse(
    'REFUSED_RECORD',
    what,
    'this is not DynamoDB JSON',
    'look at the line with a JSON viewer',
  );
}

/**
 * A number's value as plain decimal text: no exponent, no needless zero, no sign on zero.
 * @throws TidelakeError REFUSED_RECORD when the text is no number.
 */
export function canonicalNumber(text: string): string {
  const match = numberPattern.exec(text);
  if (match === null) throw malformed(`a number of ${text.length} characters is malformed`);
  const whole = match[2] ?? '';
  const fraction = match[3] ?? '';
  if (whole.length + fraction.length === 0) throw malformed('a number has no digits');
  let digits = whole + fraction;
  // Where the decimal point stands, counted in digits from the left.
  let point = whole.length + Number(match[4] ?? '0');
  const leading = /^0*/.exec(digits)![0].length;
  digits = digits.slice(leading).replace(/0+$/, '');
  point -= leading;
  if (digits === '') return '0';
  const sign = match[1] === '-' ? '-' : '';
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (point >= digits.length) return sign + digits + '0'.repeat(point - digits.length);
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

function canonicalBinary(base64: string): string {
  return Buffer.from(base64, 'base64').toString('base64');
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function canonicalSet(values: readonly string[]): string {
  return JSON.stringify([...values].sort(compareText));
}

/** One canonical text of an attribute value, its tag included. */
export function canonicalValue(value: AttributeValue): string {
  if ('S' in value) return `{"S":${JSON.stringify(value.S)}}`;
  if ('N' in value) return `{"N":"${canonicalNumber(value.N)}"}`;
  if ('B' in value) return `{"B":"${canonicalBinary(value.B)}"}`;
  if ('BOOL' in value) return `{"BOOL":${value.BOOL}}`;
  if ('NULL' in value) return '{"NULL":true}';
  if ('SS' in value) return `{"SS":${canonicalSet(value.SS)}}`;
  if ('NS' in value) return `{"NS":${canonicalSet(value.NS.map(canonicalNumber))}}`;
  if ('BS' in value) return `{"BS":${canonicalSet(value.BS.map(canonicalBinary))}}`;
  if ('L' in value) return `{"L":[${value.L.map(canonicalValue).join(',')}]}`;
  return `{"M":${canonicalItem(value.M)}}`;
}

/** One canonical text of an item: names sorted by UTF-16 code units, values canonical. */
export function canonicalItem(item: Item): string {
  const names = [...item.keys()].sort(compareText);
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonicalValue(item.get(name)!)}`).join(',')}}`;
}

/** Canonical text of an item's key, in key order: equal texts mean the same item. Key of the map `stateAt` gives. */
export function canonicalKey(item: Item, key: readonly KeyAttribute[]): string {
  return canonicalItem(keysOf(item, key));
}

function texts(value: unknown): string[] {
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'string')) {
    throw malformed('a set holds something else than texts');
  }
  return value;
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw malformed(`a ${typeof value} stands where a text belongs`);
  return value;
}

/**
 * An attribute value from what JSON.parse gave.
 * @throws TidelakeError REFUSED_RECORD when it is no DynamoDB JSON.
 */
export function attributeFromParsed(parsed: unknown): AttributeValue {
  const entries = Object.entries(record(parsed));
  if (entries.length !== 1) throw malformed(`an attribute value has ${entries.length} type tags`);
  const [tag, value] = entries[0]!;
  switch (tag) {
    case 'S':
      return { S: text(value) };
    case 'N':
      return { N: text(value) };
    case 'B':
      return { B: text(value) };
    case 'BOOL':
      if (typeof value !== 'boolean') throw malformed('a BOOL is neither true nor false');
      return { BOOL: value };
    case 'NULL':
      if (value !== true) throw malformed('a NULL is not true');
      return { NULL: true };
    case 'SS':
      return { SS: texts(value) };
    case 'NS':
      return { NS: texts(value) };
    case 'BS':
      return { BS: texts(value) };
    case 'L':
      if (!Array.isArray(value)) throw malformed('an L is no array');
      return { L: value.map(attributeFromParsed) };
    case 'M':
      return { M: itemFromParsed(value) };
    default:
      throw malformed('an attribute value has an unknown type tag');
  }
}

function record(parsed: unknown): object {
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw malformed('an object is missing');
  return parsed;
}

/** An item from what JSON.parse gave. JSON.parse keeps `__proto__` as an own property, and so do the entries. */
export function itemFromParsed(parsed: unknown): Item {
  const item = new Map<string, AttributeValue>();
  for (const [name, value] of Object.entries(record(parsed)))
    item.set(name, attributeFromParsed(value));
  return item;
}

/**
 * The item of one line `{"Item":{…}}`, as full exports and unloads have it.
 * @throws TidelakeError REFUSED_RECORD for any other line; SyntaxError when it is no JSON.
 */
export function itemFromLine(jsonLine: Uint8Array | string): Item {
  const line =
    typeof jsonLine === 'string'
      ? jsonLine
      : new TextDecoder('utf-8', { fatal: true }).decode(jsonLine);
  const entries = Object.entries(record(JSON.parse(line)));
  if (entries.length !== 1 || entries[0]![0] !== 'Item')
    throw malformed('a line has no Item, or more than that');
  return itemFromParsed(entries[0]![1]);
}

/** Canonical text of the item in one line `{"Item":{…}}`. Throws as `itemFromLine` does. */
export function canonicalLine(jsonLine: Uint8Array | string): string {
  return canonicalItem(itemFromLine(jsonLine));
}
