// What comes in can be given back, exactly, whatever the columns are.
// Promises: shared plans, wrong plans and no plan lose nothing, and neither does any way of moving rows.
// Source: the design, "Scan and type"; the oracle is the simulator's canonical text, which shares no code.

import { unmarshall } from '@aws-sdk/util-dynamodb';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Item } from '../../pipeline/simulator/item.js';
import type { AttributeValue } from '../../schemas/attribute.js';
import type { TableColumns } from '../../schemas/columns.js';
import { adaptRows } from '../../transforms/adapt-rows.js';
import { Rows, type TypedAttribute } from '../../transforms/make-columns.js';
import { packRows, unpackRows } from '../../transforms/pack-rows.js';
import { numberExtents } from '../../transforms/plan-types.js';
import { ItemWriter } from '../../transforms/render-json.js';
import { assignColumns } from '../../transforms/table-columns.js';
import { throughFile } from '../parquet/through-file.js';
import {
  anyItems,
  canonical,
  emptyPlan,
  key,
  linesOf,
  scanned,
  scannerOf,
  statsOf,
  typesOf,
  writtenBack,
} from './any-items.js';

function tableOf(items: readonly Item[]): TableColumns {
  return assignColumns(typesOf(items), key, numberExtents(statsOf(items)), null);
}

const runs = { numRuns: 20 };

describe('round trip', () => {
  it('gives items back that met no column at all', () => {
    fc.assert(
      fc.property(anyItems, (items) => {
        expect(writtenBack(scanned(items, emptyPlan).rows)).toEqual(canonical(items));
      }),
      runs,
    );
  });

  it('gives items back from the columns chosen for them', () => {
    fc.assert(
      fc.property(anyItems, (items) => {
        expect(writtenBack(scanned(items, typesOf(items)).rows)).toEqual(canonical(items));
      }),
      { numRuns: 45 },
    );
  });

  it('gives items back from columns chosen for other items', () => {
    fc.assert(
      fc.property(anyItems, anyItems, (items, others) => {
        expect(writtenBack(scanned(items, typesOf(others)).rows)).toEqual(canonical(items));
      }),
      { numRuns: 45 },
    );
  });

  it('gives items back after rows move to the columns of all items', () => {
    fc.assert(
      fc.property(anyItems, anyItems, (items, others) => {
        const types = typesOf([...items, ...others]);
        for (const plan of [emptyPlan, typesOf(items), typesOf(others)]) {
          const { rows } = scanned(items, plan);
          const packed = unpackRows(rows.types, packRows(rows));
          expect(writtenBack(adaptRows(packed, types, key))).toEqual(canonical(items));
        }
      }),
      runs,
    );
  });

  it('gives items back after rows move to narrower columns', () => {
    fc.assert(
      fc.property(anyItems, anyItems, (items, others) => {
        // The key's columns must hold every key, as they do in a table.
        const types = [...typesOf([...items, ...others]).slice(0, 2), ...typesOf(others).slice(2)];
        const { rows } = scanned(items, typesOf(items));
        expect(writtenBack(adaptRows(rows, types, key))).toEqual(canonical(items));
      }),
      runs,
    );
  });

  it('holds the same in columns however the rows came there', () => {
    fc.assert(
      fc.property(anyItems, anyItems, (items, others) => {
        const types = typesOf([...items, ...others]);
        const direct = adaptRows(scanned(items, types).rows, types, key);
        const adapted = adaptRows(scanned(items, typesOf(others)).rows, types, key);
        expect(presence(adapted)).toEqual(presence(direct));
      }),
      runs,
    );
  });

  it('gives rows back through a file, with their keys', async () => {
    await fc.assert(
      fc.asyncProperty(anyItems, async (items) => {
        const table = tableOf(items);
        const { rows } = scanned(items, typesOf(items));
        const adapted = adaptRows(rows, table.columns, key);
        const back = await throughFile(adapted, table);
        expect(writtenBack(back)).toEqual(canonical(items));
        expect(keysIn(back)).toEqual(keysIn(rows));
      }),
      runs,
    );
  });

  it('reads a file of older columns by field id after the table has grown', async () => {
    await fc.assert(
      fc.asyncProperty(anyItems, anyItems, async (items, others) => {
        const keys = typesOf([...items, ...others]).slice(0, 2);
        const before = assignColumns(
          [...keys, ...typesOf(items).slice(2)],
          key,
          () => undefined,
          null,
        );
        const grown = [
          ...before.columns,
          ...typesOf(others)
            .slice(2)
            .filter(
              ({ attribute }) => !before.columns.some((column) => column.attribute === attribute),
            ),
        ];
        const after = assignColumns(grown, key, () => undefined, before);
        const rows = adaptRows(scanned(items, typesOf(items)).rows, before.columns, key);
        const read = await throughFile(rows, before, after);
        expect(writtenBack(adaptRows(read, after.columns, key))).toEqual(canonical(items));
      }),
      { numRuns: 15 },
    );
  });

  it('keeps rows whole under any permutation, cut and rejoined', () => {
    const cuts = anyItems.chain((items) =>
      fc.tuple(
        fc.constant(items),
        fc.shuffledSubarray(
          items.map((_, i) => i),
          { minLength: items.length },
        ),
        fc.nat({ max: items.length }),
      ),
    );
    fc.assert(
      fc.property(cuts, ([items, order, cut]) => {
        const { rows } = scanned(items, typesOf(items));
        const expected = canonical(order.map((i) => items[i]!));
        const taken = new Rows(rows.types);
        taken.take(rows, Int32Array.from(order), 0, cut);
        taken.take(rows, Int32Array.from(order), cut, order.length);
        expect(writtenBack(taken)).toEqual(expected);
        const first = unpackRows(rows.types, packRows(taken, 0, cut));
        const second = unpackRows(rows.types, packRows(taken, cut, taken.n));
        const joined = new Rows(rows.types);
        joined.appendRange(first, 0, first.n);
        joined.appendRange(second, 0, second.n);
        expect(writtenBack(joined)).toEqual(expected);
        const split = new Rows(rows.types);
        for (let i = 0; i < taken.n; i++) split.appendRange(taken, i, i + 1);
        expect(writtenBack(split)).toEqual(expected);
      }),
      runs,
    );
  });

  it('gives the second batch back from a scanner that was reset', () => {
    fc.assert(
      fc.property(anyItems, anyItems, (first, second) => {
        const types = typesOf(second);
        const scanner = scannerOf(types);
        scanner.scanItems(linesOf(first));
        scanner.finish();
        scanner.reset();
        scanner.scanItems(linesOf(second));
        const { rows, stats } = scanner.finish();
        expect(writtenBack(rows)).toEqual(canonical(second));
        const fresh = scanned(second, types);
        expect(stats).toEqual(fresh.stats);
        expect(Buffer.compare(packRows(rows), packRows(fresh.rows))).toBe(0);
      }),
      runs,
    );
  });
});

/** Which columns of each row hold a value, which are beside them. */
function presence(rows: Rows): unknown {
  return Array.from({ length: rows.n }, (_, row) => ({
    columns: rows.columns.map((column) => column.ok[row]),
    misfit: rows.misfits.ok[row],
    nulls: rows.nulls.ok[row],
  }));
}

function keysIn(rows: Rows): string[] {
  const { keys } = rows;
  return Array.from({ length: rows.n }, (_, i) =>
    Buffer.from(keys.data.slice(keys.offsets[i]!, keys.offsets[i + 1]!)).toString('hex'),
  );
}

describe('sets', () => {
  const shuffled = (count: number): number[] =>
    // Steps of 7919, a prime, visit all of them out of order.
    Array.from({ length: count }, (_, i) => (i * 7919 + 13) % count);

  it.each([1, 2, 16, 17, 63, 64, 65, 200, 2000])(
    'of %i members come back whole, in the order of their bytes and numbers',
    (count) => {
      const order = shuffled(count);
      const item = new Map<string, AttributeValue>([
        ['pk', { S: 'p' }],
        ['sk', { N: '1' }],
        ['texts', { SS: order.map((n) => `${'x'.repeat(n % 90)}\u{10000}${n}`) }],
        ['numbers', { NS: order.map((n) => `${n - 30}.5`) }],
        ['binaries', { BS: order.map((n) => Buffer.from([n % 256, n >> 8]).toString('base64')) }],
      ]);
      for (const plan of [emptyPlan, typesOf([item])]) {
        const { rows } = scanned([item, item], plan);
        expect(writtenBack(rows)).toEqual(canonical([item, item]));
        const writer = new ItemWriter(rows);
        writer.write(1);
        const written = JSON.parse(Buffer.from(writer.take()).toString('utf8')) as {
          Item: { texts: { SS: string[] }; numbers: { NS: string[] }; binaries: { BS: string[] } };
        };
        const { texts, numbers, binaries } = written.Item;
        expect(texts.SS).toEqual(
          texts.SS.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
        );
        expect(numbers.NS.map(Number)).toEqual(numbers.NS.map(Number).sort((a, b) => a - b));
        const bytes = binaries.BS.map((text) => Buffer.from(text, 'base64'));
        expect(bytes).toEqual(bytes.toSorted(Buffer.compare));
      }
    },
  );
});

describe('rollback of what does not fit', () => {
  const lines = (z: AttributeValue): Item =>
    new Map<string, AttributeValue>([
      ['pk', { S: 'p' }],
      ['sk', { N: '1' }],
      [
        'lines',
        {
          L: [
            {
              M: new Map<string, AttributeValue>([
                ['x', { N: '1.25' }],
                ['tags', { SS: ['b', 'a'] }],
                ['in', { M: new Map([['deep', { L: [{ N: '7' }, { NULL: true as const }] }]]) }],
              ]),
            },
            {
              M: new Map<string, AttributeValue>([
                ['x', { N: '2.50' }],
                ['in', { M: new Map<string, AttributeValue>([['deep', { L: [{ N: '8' }, z] }]]) }],
              ]),
            },
          ],
        },
      ],
    ]);
  const odd = [
    lines({ S: 'odd' }),
    lines({ L: [] }),
    lines({ N: '1E-30' }),
    lines({ M: new Map() }),
  ];

  it('takes back a misfit deep inside a list of structs, and keeps its neighbours typed', () => {
    const plain = [lines({ N: '1' }), lines({ N: '2' }), lines({ NULL: true })];
    const items = [plain[0]!, ...odd, plain[1]!, odd[0]!, plain[2]!];
    const { rows } = scanned(items, typesOf(plain));
    expect(writtenBack(rows)).toEqual(canonical(items));
    const at = rows.types.findIndex((column) => column.attribute === 'lines');
    expect([...rows.columns[at]!.ok.subarray(0, rows.n)]).toEqual([1, 0, 0, 0, 0, 1, 0, 1]);
  });

  it('takes the row of a scanner that failed in every batch size alike', () => {
    const items = Array.from({ length: 60 }, (_, i) =>
      i % 3 === 0 ? odd[i % odd.length]! : lines({ N: String(i) }),
    );
    const { rows } = scanned(items, typesOf([lines({ N: '1' })]));
    expect(writtenBack(rows)).toEqual(canonical(items));
  });

  it('takes an item with hundreds of misfits inside structs, which are not nested deep', () => {
    const struct = (value: AttributeValue): AttributeValue => ({ M: new Map([['x', value]]) });
    const wide = (value: AttributeValue): Item =>
      new Map<string, AttributeValue>([
        ['pk', { S: 'p' }],
        ['sk', { N: '1' }],
        ...Array.from({ length: 300 }, (_, i) => [`a${i}`, struct(value)] as const),
      ]);
    const items = [wide({ N: '1' }), wide({ S: 'odd' }), wide({ N: '2' })];
    const { rows } = scanned(items, typesOf([items[0]!]));
    expect(writtenBack(rows)).toEqual(canonical(items));
  });

  it('takes back the numbers counted for a misfit, however many', () => {
    const long = (last: AttributeValue): Item =>
      new Map<string, AttributeValue>([
        ['pk', { S: 'p' }],
        ['sk', { N: '1' }],
        ['numbers', { L: [...Array.from({ length: 70_000 }, (_, i) => ({ N: String(i) })), last] }],
      ]);
    const items = [long({ S: 'odd' }), long({ N: '5' })];
    const done = scanned(items, typesOf([items[1]!]));
    const counted = [...done.stats.get('numbers')!.element!.numbers.values()];
    expect(counted.reduce((sum, count) => sum + count, 0)).toBe(140_001);
  });
});

describe('beside the SDK', () => {
  it('writes what unmarshall reads alike, for values within the range it keeps exact', () => {
    const cents = fc.integer({ min: -1e12, max: 1e12 }).map((n) => ({ N: (n / 100).toString() }));
    const value: fc.Arbitrary<AttributeValue> = fc.letrec<{ value: AttributeValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3, depthSize: 'small' },
        cents,
        fc.string({ unit: 'binary' }).map((S) => ({ S })),
        fc.boolean().map((BOOL) => ({ BOOL })),
        fc.constant({ NULL: true as const }),
        fc.array(tie('value'), { maxLength: 3 }).map((L) => ({ L })),
        fc
          .dictionary(fc.constantFrom('x', 'y', 'z', '10', '2'), tie('value'))
          .map((record) => ({ M: new Map(Object.entries(record)) })),
      ),
    })).value;
    const items = fc.array(fc.dictionary(fc.constantFrom('a', 'b', 'c', '7'), value), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(items, (records) => {
        const all = records.map(
          (record, i) =>
            new Map<string, AttributeValue>([
              ...Object.entries(record),
              ['pk', { S: 'p' }],
              ['sk', { N: String(i) }],
            ]),
        );
        const types: readonly TypedAttribute[] = typesOf(all);
        const { rows } = scanned(all, types);
        const writer = new ItemWriter(rows);
        for (let row = 0; row < rows.n; row++) writer.write(row);
        const parse = (bytes: Uint8Array): unknown[] =>
          Buffer.from(bytes)
            .toString('utf8')
            .trimEnd()
            .split('\n')
            .map((line) => unmarshall((JSON.parse(line) as { Item: never }).Item));
        expect(parse(writer.take())).toEqual(parse(linesOf(all)));
      }),
      { numRuns: 60 },
    );
  });
});
