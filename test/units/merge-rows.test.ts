// Changes applied to sorted rows, against a plain map from keys to items.
// Promises: an item replaces its row whole, a deletion removes it, nothing else moves; counts say what happened.
// Source: the design, "The table" ("An update replaces the row whole; a delete of an unknown key is a no-op").

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Scratch } from '../../pipeline/ports.js';
import { canonicalItem, canonicalKey } from '../../pipeline/simulator/canonical.js';
import { attributeJson, type Item, keysOf } from '../../pipeline/simulator/item.js';
import { sortedSegments } from '../../pipeline/units/encode-unit.js';
import { applyChanges } from '../../pipeline/units/merge-unit.js';
import type { Segment } from '../../pipeline/units/segments.js';
import type { AttributeValue } from '../../schemas/attribute.js';
import type { TableColumns } from '../../schemas/columns.js';
import { adaptRows } from '../../transforms/adapt-rows.js';
import type { StructColumn } from '../../transforms/columns.js';
import { kernelRowsMin } from '../../transforms/kernel/idle-kernel.js';
import type { Rows, TypedAttribute } from '../../transforms/make-columns.js';
import { packRows } from '../../transforms/pack-rows.js';
import { evolveTypes } from '../../transforms/plan-types.js';
import { assignColumns } from '../../transforms/table-columns.js';
import {
  anyItem,
  canonical,
  emptyPlan,
  key,
  scanned,
  scannerOf,
  statsOf,
  typesOf,
  writtenBack,
} from '../transforms/any-items.js';

const noScratch = {} as Scratch;

function segmentOf(rows: Rows): Segment {
  return {
    partition: [],
    range: 0,
    rowCount: rows.n,
    types: rows.types,
    bytes: packRows(rows),
    ref: null,
  };
}

function json(item: Item): string {
  return `{${[...item].map(([name, value]) => `${JSON.stringify(name)}:${attributeJson(value)}`).join(',')}}`;
}

interface Change {
  readonly item: Item;
  readonly lives: boolean;
}

function recordOf({ item, lives }: Change): string {
  const keys = new Map(keysOf(item, key));
  const image = lives ? `,"NewImage":${json(item)}` : '';
  return `{"Metadata":{"WriteTimestampMicros":{"N":"7"}},"Keys":${json(keys)}${image}}\n`;
}

function changesOf(changes: readonly Change[], plan: readonly TypedAttribute[]): Rows {
  const scanner = scannerOf(plan);
  scanner.scanChanges(Buffer.from(changes.map(recordOf).join('')));
  return scanner.finish().rows;
}

/** Items with few different keys, so that changes meet them. */
const meeting = fc
  .tuple(
    anyItem,
    fc.constantFrom('a', 'b', '\u0000', 'é'),
    fc.constantFrom('1', '2.50', '-3', '1E125'),
  )
  .map(([item, pk, sk]): Item => new Map(item).set('pk', { S: pk }).set('sk', { N: sk }));

function distinct<T>(items: T[], itemOf: (one: T) => Item): T[] {
  return [...new Map(items.map((one) => [canonicalKey(itemOf(one), key), one])).values()];
}

const manyItems = fc
  .array(meeting, { minLength: 1, maxLength: 12 })
  .map((items) => distinct(items, (item) => item));
const manyChanges = fc
  .array(fc.record({ item: meeting, lives: fc.boolean() }), { maxLength: 10 })
  .map((changes) => distinct(changes, ({ item }) => item));

type Merged = ReturnType<typeof applyChanges>;

function tableOf(items: readonly Item[]): TableColumns {
  return assignColumns(typesOf(items), key, () => undefined, null);
}

describe('changes', () => {
  it('applied to rows give what a map from keys to items gives', async () => {
    await fc.assert(
      fc.asyncProperty(manyItems, manyChanges, fc.nat(10), async (items, changes, cut) => {
        const before = tableOf(items);
        const living = changes.filter(({ lives }) => lives).map(({ item }) => item);
        const { types } = evolveTypes(before, statsOf(living), true);
        const table = assignColumns(types, key, () => undefined, before);
        // The table's rows come in two segments, the changes in two batches of other columns.
        const old = await sortedSegments(
          [items.slice(0, cut), items.slice(cut)].map((part) =>
            segmentOf(scanned(part, typesOf(items)).rows),
          ),
          before,
          noScratch,
        );
        const batches = [
          changesOf(changes.slice(0, cut), before.columns),
          changesOf(changes.slice(cut), emptyPlan),
        ];
        const fresh = await sortedSegments(batches.map(segmentOf), table, noScratch);
        const merged = applyChanges(adaptRows(old, table.columns, key), fresh);

        const expected = new Map(items.map((item) => [canonicalKey(item, key), item]));
        const counts = { inserted: 0, updated: 0, deleted: 0 };
        for (const { item, lives } of changes) {
          const text = canonicalKey(item, key);
          if (lives && expected.has(text)) counts.updated++;
          else if (lives) counts.inserted++;
          else if (expected.has(text)) counts.deleted++;
          if (lives) expected.set(text, item);
          else expected.delete(text);
        }
        const { rows, ...counted } = merged;
        expect(counted).toEqual(counts);
        expect(writtenBack(rows).sort()).toEqual([...expected.values()].map(canonicalItem).sort());
        const keysOfRows = Array.from({ length: rows.n }, (_, i) =>
          rows.keys.data.slice(rows.keys.offsets[i]!, rows.keys.offsets[i + 1]!),
        );
        expect(keysOfRows).toEqual([...keysOfRows].sort(Buffer.compare));
      }),
      { numRuns: 40 },
    );
  });

  it('applied to rows in two places, one of them only taken from, give the same rows and counts', async () => {
    await fc.assert(
      fc.asyncProperty(manyItems, manyChanges, fc.nat(10), async (items, changes, cut) => {
        const before = tableOf(items);
        const rowsOf = (part: readonly Item[]): Promise<Rows> =>
          sortedSegments([segmentOf(scanned(part, typesOf(items)).rows)], before, noScratch);
        const living = changes.filter(({ lives }) => lives).map(({ item }) => item);
        const { types } = evolveTypes(before, statsOf(living), true);
        const table = assignColumns(types, key, () => undefined, before);
        const merged = async (part: readonly Item[], removeOnly: boolean): Promise<Merged> => {
          const fresh = segmentOf(changesOf(changes, before.columns));
          const old = adaptRows(await rowsOf(part), table.columns, key);
          return applyChanges(old, await sortedSegments([fresh], table, noScratch), removeOnly);
        };
        const once = await merged(items, false);
        const [home, elsewhere] = [
          await merged(items.slice(0, cut), false),
          await merged(items.slice(cut), true),
        ];
        expect([...writtenBack(home.rows), ...writtenBack(elsewhere.rows)].sort()).toEqual(
          writtenBack(once.rows).sort(),
        );
        for (const count of ['inserted', 'updated', 'deleted'] as const) {
          expect(home[count] + elsewhere[count]).toBe(once[count]);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('of several batches keep the time they were written, row by row', () => {
    const item = (sk: string): Item =>
      new Map<string, AttributeValue>([
        ['pk', { S: 'p' }],
        ['sk', { N: sk }],
      ]);
    const changes = changesOf(
      [
        { item: item('1'), lives: true },
        { item: item('2'), lives: false },
      ],
      emptyPlan,
    );
    expect(changes.writtenAt.bigintAt(0)).toBe(7n);
    expect([...changes.lives.flags.subarray(0, 2)]).toEqual([1, 0]);
    const types = typesOf([item('1')]);
    const { rows } = applyChanges(
      adaptRows(scanned([item('1'), item('3')], types).rows, types, key),
      adaptRows(changes, types, key),
    );
    expect([...rows.writtenAt.ok.subarray(0, 2)]).toEqual([1, 0]);
  });

  it('that delete a key which the key columns cannot hold delete nothing', async () => {
    const item = (sk: string): Item =>
      new Map<string, AttributeValue>([
        ['pk', { S: 'p' }],
        ['sk', { N: sk }],
      ]);
    const items = [item('1'), item('2')];
    const table = tableOf(items);
    expect(table.columns[1]!.type).toMatchObject({ number: { type: 'long' } });
    const dead = ['1.5', '9223372036854775808', '1E125', '-1E-130'].map((sk) => ({
      item: item(sk),
      lives: false,
    }));
    const fresh = await sortedSegments(
      [segmentOf(changesOf(dead, table.columns))],
      table,
      noScratch,
    );
    const old = adaptRows(scanned(items, table.columns).rows, table.columns, key);
    const { rows, ...counts } = applyChanges(old, fresh);
    expect(counts).toEqual({ inserted: 0, updated: 0, deleted: 0 });
    expect(writtenBack(rows)).toEqual(canonical(items));
  });
});

describe('segments of one export', () => {
  it('with the same key twice are refused, in whatever writing', async () => {
    const item = (sk: string): Item =>
      new Map<string, AttributeValue>([
        ['pk', { S: 'p' }],
        ['sk', { N: sk }],
      ]);
    const table = tableOf([item('1')]);
    const segments = [[item('1')], [item('2'), item('1.0')]].map((items) =>
      segmentOf(scanned(items, table.columns).rows),
    );
    await expect(sortedSegments(segments, table, noScratch)).rejects.toThrow('REFUSED_KEY');
  });

  it('keep maps that came late, behind many rows that have none', async () => {
    const map: AttributeValue = {
      M: new Map<string, AttributeValue>([
        ['a', { S: 'text' }],
        ['b', { N: '7' }],
      ]),
    };
    const itemOf = (i: number): [string, AttributeValue][] => [
      ['pk', { S: 'p' }],
      ['sk', { N: String(i) }],
    ];
    const early = Array.from({ length: 3000 }, (_, i): Item => new Map(itemOf(i)));
    const late: Item[] = [new Map([...itemOf(3000), ['map', map]])];
    const table = tableOf([...early, ...late]);
    const segments = [early, late].map((items) => segmentOf(scanned(items, typesOf(items)).rows));
    const rows = await sortedSegments(segments, table, noScratch);
    const at = table.columns.findIndex(({ attribute }) => attribute === 'map');
    expect((rows.columns[at] as StructColumn).children.map(({ n, nulls }) => [n, nulls])).toEqual([
      [3001, 3000],
      [3001, 3000],
    ]);
    expect(writtenBack(rows)).toEqual(canonical([...early, ...late]));
  });

  it('of many rows come out sorted and stay so, and with the same key twice are refused', async () => {
    const n = kernelRowsMin + 100;
    const items = Array.from({ length: n }, (_, i): Item => {
      const sk = String((i * 7919) % n);
      return new Map<string, AttributeValue>([
        ['pk', { S: `p${i % 3}` }],
        ['sk', { N: sk }],
        ['note', { S: `${sk}/${i % 3}` }],
      ]);
    });
    const table = tableOf(items);
    const segments = [items.slice(0, 100), items.slice(100)].map((part) =>
      segmentOf(scanned(part, table.columns).rows),
    );
    const rows = await sortedSegments(segments, table, noScratch);
    const twice = [...segments, segmentOf(scanned([items[70]!], table.columns).rows)];
    await expect(sortedSegments(twice, table, noScratch)).rejects.toThrow('REFUSED_KEY');
    await sortedSegments([segments[1]!, segments[0]!], table, noScratch);
    const inOrder = [...items].sort((a, b) => {
      const [x, y] = [a, b].map((item) => item.get('pk') as { S: string });
      const [v, w] = [a, b].map((item) => Number((item.get('sk') as { N: string }).N));
      return x!.S < y!.S ? -1 : x!.S > y!.S ? 1 : v! - w!;
    });
    expect(writtenBack(rows)).toEqual(canonical(inOrder));
  });

  it('of any columns come out sorted, whole, in the columns of the table', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(manyItems, { minLength: 1, maxLength: 3 }), async (parts) => {
        const all = distinct(parts.flat(), (item) => item);
        const cut = Math.ceil(all.length / 2);
        const table = tableOf(all);
        const halves = [all.slice(0, cut), all.slice(cut)];
        const segments = halves.map((items, i) =>
          segmentOf(scanned(items, i === 0 ? typesOf(halves[1]!) : emptyPlan).rows),
        );
        const rows = await sortedSegments(segments, table, noScratch);
        expect(rows.types).toEqual(table.columns);
        expect(writtenBack(rows).sort()).toEqual(canonical(all).sort());
      }),
      { numRuns: 20 },
    );
  });
});
