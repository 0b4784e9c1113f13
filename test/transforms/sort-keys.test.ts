// Comparable keys: their bytes compare as the keys do.
// Promises: strings and binaries by unsigned bytes, numbers by value, the partition key before the sort key; equal keys, equal bytes.
// Source: DynamoDB Developer Guide, "Query: sort order": numbers by number, strings by UTF-8 bytes, binaries unsigned.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalNumber } from '../../pipeline/simulator/canonical.js';
import type { KeyTag } from '../../schemas/attribute.js';
import { BytesColumn } from '../../transforms/columns.js';
import {
  compareKey,
  compareKeys,
  keyBytes,
  lowerBound,
  sortedOrder,
} from '../../transforms/sort-keys.js';
import { numberText } from './any-items.js';

interface Part {
  readonly tag: KeyTag;
  readonly bytes: Uint8Array;
}

const bytes = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 6 }),
  fc
    .array(fc.constantFrom(0, 1, 254, 255), { minLength: 1, maxLength: 6 })
    .map((list) => Uint8Array.from(list)),
);
const partOf: Record<KeyTag, fc.Arbitrary<Part>> = {
  B: bytes.map((one) => ({ tag: 'B' as const, bytes: one })),
  S: fc
    .oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 5 }),
      fc.constantFrom('a', 'a\u0000', 'a\u0000\u0000', 'a\u0001', 'aa', '\u0000'),
    )
    .map((text) => ({ tag: 'S' as const, bytes: Buffer.from(text, 'utf8') })),
  N: fc
    .oneof(
      numberText,
      fc
        .tuple(
          fc.constantFrom('', '-'),
          fc.integer({ min: 1, max: 120 }),
          fc.integer({ min: -130, max: 120 }),
        )
        .map(([sign, n, e]) => `${sign}${n}E${e}`),
    )
    .filter((text) => inRange(text))
    .map((text) => ({ tag: 'N' as const, bytes: Buffer.from(text, 'latin1') })),
};

function inRange(text: string): boolean {
  const plain = canonicalNumber(text).replace('-', '');
  const [whole = '', fraction = ''] = plain.split('.');
  return (
    whole.length <= 126 &&
    fraction.length <= 130 &&
    (whole + fraction).replace(/^0+|0+$/g, '').length <= 38
  );
}

function scaledOf(text: string): bigint {
  const plain = canonicalNumber(text);
  const [whole = '', fraction = ''] = plain.replace('-', '').split('.');
  const magnitude = BigInt(whole + fraction.padEnd(200, '0'));
  return plain.startsWith('-') ? -magnitude : magnitude;
}

function compareParts(a: Part, b: Part): number {
  if (a.tag !== 'N') return Buffer.compare(a.bytes, b.bytes);
  const d = scaledOf(Buffer.from(a.bytes).toString()) - scaledOf(Buffer.from(b.bytes).toString());
  return d < 0n ? -1 : d > 0n ? 1 : 0;
}

function compareByParts(a: readonly Part[], b: readonly Part[]): number {
  for (let i = 0; i < a.length; i++) {
    const d = compareParts(a[i]!, b[i]!);
    if (d !== 0) return d;
  }
  return 0;
}

const shapes: readonly (readonly KeyTag[])[] = [
  ['S'],
  ['N'],
  ['B'],
  ['S', 'S'],
  ['S', 'N'],
  ['S', 'B'],
  ['N', 'S'],
  ['N', 'N'],
  ['N', 'B'],
  ['B', 'S'],
  ['B', 'N'],
  ['B', 'B'],
];

function keyOf(shape: readonly KeyTag[]): fc.Arbitrary<Part[]> {
  return fc.tuple(...shape.map((tag) => partOf[tag]));
}

function columnOf(keys: readonly Uint8Array[]): BytesColumn {
  const column = new BytesColumn();
  for (const key of keys) column.pushBytes(key, 0, key.length);
  return column;
}

describe('comparable keys', () => {
  it.each(shapes.map((shape) => [shape.join(', '), shape] as const))(
    'of %s compare as the keys do',
    (_, shape) => {
      fc.assert(
        fc.property(keyOf(shape), keyOf(shape), fc.nat(3), (a, other, alike) => {
          // Now and then the partition key is the same.
          const b = alike === 0 ? [a[0]!, ...other.slice(1)] : other;
          const x = keyBytes(a);
          const y = keyBytes(b);
          const expected = Math.sign(compareByParts(a, b));
          expect(Math.sign(Buffer.compare(x, y))).toBe(expected);
          const column = columnOf([x, y]);
          expect(Math.sign(compareKeys(column, 0, column, 1))).toBe(expected);
          expect(Math.sign(compareKey(column, 0, y))).toBe(expected);
        }),
        { numRuns: 250 },
      );
    },
  );

  it('of one number are the same in every writing', () => {
    const same = ['100', '100.0', '1E2', '1e+02', '0100', '10000E-2', '.1E3'];
    const keys = same.map((text) =>
      Buffer.from(keyBytes([{ tag: 'N', bytes: Buffer.from(text) }])).toString('hex'),
    );
    expect(new Set(keys).size).toBe(1);
  });

  it('put the numbers of all magnitudes in order', () => {
    const texts = [
      '-9E125',
      '-1E125',
      '-11',
      '-10.5',
      '-10',
      '-9',
      '-1',
      '-0.99',
      '-1E-130',
      '0',
      '1E-130',
      '1E-129',
      '0.1',
      '0.11',
      '0.2',
      '1',
      '1.01',
      '9',
      '10',
      '1E125',
      '9E125',
    ];
    const keys = texts.map((text) => keyBytes([{ tag: 'N', bytes: Buffer.from(text) }]));
    const sorted = [...keys].sort(Buffer.compare);
    expect(sorted).toEqual(keys);
  });
});

describe('the sorted order of rows', () => {
  const manyKeys = fc.oneof(
    fc.array(fc.uint8Array({ maxLength: 14 }), { maxLength: 60 }),
    // Long common prefixes, prefixes of each other, zeros at the end, many equal ones.
    fc
      .tuple(
        fc.uint8Array({ maxLength: 12 }),
        fc.array(fc.array(fc.constantFrom(0, 0, 1, 255), { maxLength: 12 }), { maxLength: 60 }),
      )
      .map(([prefix, keys]) => keys.map((rest) => Uint8Array.from([...prefix, ...rest]))),
  );

  it('is that of a plain stable sort', () => {
    fc.assert(
      fc.property(manyKeys, (keys) => {
        const expected = keys
          .map((_, i) => i)
          .sort((a, b) => Buffer.compare(keys[a]!, keys[b]!) || a - b);
        expect([...sortedOrder(columnOf(keys))]).toEqual(expected);
      }),
      { numRuns: 400 },
    );
  });

  it('ends for empty keys among many that begin alike', () => {
    const keys = new BytesColumn();
    for (let i = 0; i < 40; i++) keys.pushBytes(new Uint8Array(i % 13), 0, i % 13);
    const order = sortedOrder(keys);
    const lengths = [...order].map((row) => keys.offsets[row + 1]! - keys.offsets[row]!);
    expect(lengths).toEqual([...lengths].sort((a, b) => a - b));
  });

  it('is found again by halving', () => {
    fc.assert(
      fc.property(
        manyKeys,
        fc.uint8Array({ maxLength: 4 }),
        fc.boolean(),
        (keys, sought, after) => {
          const sorted = [...keys].sort(Buffer.compare);
          const column = columnOf(sorted);
          for (const key of [sought, ...sorted.slice(0, 5)]) {
            const expected = sorted.findIndex((one) => {
              const c = Buffer.compare(one, key);
              return after ? c > 0 : c >= 0;
            });
            expect(lowerBound(column, key, after)).toBe(expected < 0 ? sorted.length : expected);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
