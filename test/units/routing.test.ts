// Where rows go: the partition by Iceberg's transforms of the key, the range by splitting keys.
// Promises: every row goes to exactly one place, the one that the specification and a plain comparison give.
// Source: Apache Iceberg spec, "Partition Transforms" and "Appendix B: 32-bit Hash Requirements".

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { transformValue } from '../../pipeline/lake/iceberg/transforms.js';
import { attributeJson } from '../../pipeline/simulator/item.js';
import { type Routing, routeRows } from '../../pipeline/units/routing.js';
import { scanTypes } from '../../pipeline/units/scan-unit.js';
import { partitionText } from '../../pipeline/units/segments.js';
import type { AttributeValue, KeyAttribute, KeyTag } from '../../schemas/attribute.js';
import type { ColumnType } from '../../schemas/columns.js';
import type { PartitionValue } from '../../schemas/iceberg.js';
import type { Rows } from '../../transforms/make-columns.js';
import { ItemScanner } from '../../transforms/scan-items.js';

function rowsOf(
  key: readonly KeyAttribute[],
  values: readonly (readonly AttributeValue[])[],
): Rows {
  const types = key.map(({ name, tag }): { attribute: string; type: ColumnType } => ({
    attribute: name,
    type: tag === 'N' ? { kind: 'N', number: { type: 'long' } } : { kind: tag },
  }));
  const scanner = new ItemScanner({ types: scanTypes(types, key), key });
  const lines = values.map((parts) => {
    const names = parts.map(
      (value, i) => `${JSON.stringify(key[i]!.name)}:${attributeJson(value)}`,
    );
    return `{"Item":{${names.join(',')}}}\n`;
  });
  scanner.scanItems(Buffer.from(lines.join('')));
  return scanner.finish().rows;
}

/** Partition and range of each row, as text. */
function placesOf(rows: Rows, key: readonly KeyAttribute[], routing: Routing): string[] {
  const { order, parts } = routeRows(rows, key, routing);
  expect([...order].sort((a, b) => a - b)).toEqual([...order.keys()]);
  const places: string[] = Array.from({ length: rows.n }, () => 'nowhere');
  let next = 0;
  for (const part of parts) {
    expect(part.start).toBe(next);
    expect(part.end).toBeGreaterThan(part.start);
    next = part.end;
    for (let i = part.start; i < part.end; i++) {
      places[order[i]!] = `${partitionText(part.partition)}/${part.range}`;
    }
  }
  expect(next).toBe(rows.n);
  return places;
}

const none: ReadonlyMap<string, readonly Uint8Array[]> = new Map();

describe('buckets', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }),
    fc.constantFrom('iceberg', 'é', '😀'),
  );
  const cases: readonly {
    readonly tag: KeyTag;
    readonly name: string;
    readonly type: ColumnType;
    readonly value: fc.Arbitrary<{
      readonly json: AttributeValue;
      readonly iceberg: PartitionValue;
    }>;
  }[] = [
    {
      tag: 'S',
      name: 'string',
      type: { kind: 'S' },
      value: text.map((S) => ({ json: { S }, iceberg: S })),
    },
    {
      tag: 'B',
      name: 'binary',
      type: { kind: 'B' },
      value: fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => ({
        json: { B: Buffer.from(bytes).toString('base64') },
        iceberg: bytes,
      })),
    },
    {
      tag: 'N',
      name: 'long',
      type: { kind: 'N', number: { type: 'long' } },
      value: fc
        .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
        .map((n) => ({ json: { N: `${n}.0`.slice(0, 30) }, iceberg: n })),
    },
    {
      tag: 'N',
      name: 'decimal(38, 2)',
      type: { kind: 'N', number: { type: 'decimal', precision: 38, scale: 2 } },
      value: fc
        .bigInt({ min: -(10n ** 30n), max: 10n ** 30n })
        .map((n) => ({ json: { N: `${n}E-2` }, iceberg: n })),
    },
    {
      tag: 'N',
      name: 'string',
      type: { kind: 'N', number: { type: 'text' } },
      value: fc.integer().map((n) => ({ json: { N: `${n}.50` }, iceberg: `${n}.5` })),
    },
  ];

  it.each(cases.map((one) => [`${one.tag} as ${one.name}`, one] as const))(
    'of %s are those of the transform',
    (_, { tag, name, type, value }) => {
      const key: KeyAttribute[] = [{ name: 'k', tag }];
      fc.assert(
        fc.property(
          fc.array(value, { minLength: 1, maxLength: 30 }),
          fc.integer({ min: 2, max: 64 }),
          (values, width) => {
            const transform = `bucket[${width}]`;
            const routing = {
              fields: [{ transform, keyIndex: 0, type }],
              splitters: none,
              defaultSplitters: [],
            };
            const rows = rowsOf(
              key,
              values.map(({ json }) => [json]),
            );
            expect(placesOf(rows, key, routing)).toEqual(
              values.map(
                ({ iceberg }) => `${partitionText([transformValue(transform, name, iceberg)])}/0`,
              ),
            );
          },
        ),
        { numRuns: 60 },
      );
    },
  );

  it('agree with the examples of the specification', () => {
    // Appendix B: hash of 34L is 2017239379, of 'iceberg' 1210000089, of the bytes 00 01 02 03 -188683207, of 14.20 -500754589.
    const bucket = (hash: number): string => `${partitionText([(hash & 0x7fffffff) % 1000])}/0`;
    const place = (tag: KeyTag, type: ColumnType, value: AttributeValue): string[] => {
      const key: KeyAttribute[] = [{ name: 'k', tag }];
      const fields = [{ transform: 'bucket[1000]', keyIndex: 0, type }];
      return placesOf(rowsOf(key, [[value]]), key, {
        fields,
        splitters: none,
        defaultSplitters: [],
      });
    };
    expect(place('N', { kind: 'N', number: { type: 'long' } }, { N: '34' })).toEqual([
      bucket(2017239379),
    ]);
    expect(place('S', { kind: 'S' }, { S: 'iceberg' })).toEqual([bucket(1210000089)]);
    expect(place('B', { kind: 'B' }, { B: 'AAECAw==' })).toEqual([bucket(-188683207)]);
    const decimal: ColumnType = { kind: 'N', number: { type: 'decimal', precision: 18, scale: 2 } };
    expect(place('N', decimal, { N: '14.2' })).toEqual([bucket(-500754589)]);
  });

  it('and other transforms over both key attributes go together', () => {
    const key: KeyAttribute[] = [
      { name: 'a', tag: 'S' },
      { name: 'b', tag: 'S' },
    ];
    const fields = [
      { transform: 'bucket[7]', keyIndex: 0, type: { kind: 'S' } as const },
      { transform: 'truncate[10]', keyIndex: 1, type: { kind: 'S' } as const },
    ];
    const values = [
      ['x', '2026-11-20T09:00'],
      ['y', '2026-11-20T10:00'],
      ['x', '2026-11-21T00:00'],
      ['x', '2026-11-20T23:59'],
      ['x', 'short'],
    ];
    const rows = rowsOf(
      key,
      values.map((pair) => pair.map((S) => ({ S }))),
    );
    const places = placesOf(rows, key, { fields, splitters: none, defaultSplitters: [] });
    const expected = values.map(
      ([a, b]) =>
        `${partitionText([transformValue('bucket[7]', 'string', a!), b!.slice(0, 10)])}/0`,
    );
    expect(places).toEqual(expected);
    expect(places[0]).toBe(places[3]);
  });
});

describe('ranges', () => {
  const key: KeyAttribute[] = [{ name: 'k', tag: 'S' }];
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 3 });

  it('hold keys up to and with their splitting key, the last one the rest', () => {
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 40 }),
        fc.uniqueArray(word, { maxLength: 5 }),
        (words, cuts) => {
          const splitters = cuts.sort().map((cut) => Buffer.from(cut));
          const rows = rowsOf(
            key,
            words.map((S) => [{ S }]),
          );
          const places = placesOf(rows, key, {
            fields: [],
            splitters: none,
            defaultSplitters: splitters,
          });
          expect(places).toEqual(
            words.map((one) => `[]/${cuts.filter((cut) => cut < one).length}`),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it('are those of the partition where it has splitting keys of its own', () => {
    const fields = [{ transform: 'truncate[1]', keyIndex: 0, type: { kind: 'S' } as const }];
    const splitters = new Map([[partitionText(['b']), [Buffer.from('bb')]]]);
    const words = ['aa', 'ab', 'ba', 'bb', 'bc', 'ca'];
    const rows = rowsOf(
      key,
      words.map((S) => [{ S }]),
    );
    const defaults = [Buffer.from('aa'), Buffer.from('c')];
    expect(placesOf(rows, key, { fields, splitters, defaultSplitters: defaults })).toEqual([
      '["a"]/0',
      '["a"]/1',
      '["b"]/0',
      '["b"]/0',
      '["b"]/1',
      '["c"]/2',
    ]);
  });

  it('of no rows are none', () => {
    const rows = rowsOf(key, []);
    for (const fields of [
      [],
      [{ transform: 'bucket[4]', keyIndex: 0, type: { kind: 'S' } as const }],
    ]) {
      expect(routeRows(rows, key, { fields, splitters: none, defaultSplitters: [] }).parts).toEqual(
        [],
      );
    }
  });
});

describe('deletions', () => {
  it('go where their item would', () => {
    const key: KeyAttribute[] = [
      { name: 'a', tag: 'S' },
      { name: 'b', tag: 'N' },
    ];
    const fields = [{ transform: 'bucket[16]', keyIndex: 0, type: { kind: 'S' } as const }];
    const routing = { fields, splitters: none, defaultSplitters: [] };
    const names = Array.from({ length: 40 }, (_, i) => `é${i}`);
    const types = scanTypes(
      [
        { attribute: 'a', type: { kind: 'S' } },
        { attribute: 'b', type: { kind: 'N', number: { type: 'long' } } },
      ],
      key,
    );
    const scanner = new ItemScanner({ types, key });
    const records = names.map(
      (a) =>
        `{"Metadata":{"WriteTimestampMicros":{"N":"1"}},"Keys":{"a":{"S":"${a}"},"b":{"N":"1"}}}\n`,
    );
    scanner.scanChanges(Buffer.from(records.join('')));
    const items = rowsOf(
      key,
      names.map((S) => [{ S }, { N: '1' }]),
    );
    expect(placesOf(scanner.finish().rows, key, routing)).toEqual(placesOf(items, key, routing));
  });
});
