// The types of a table: chosen from all records for a new epoch, evolved for a window.
// Promises: exact counts of rows decide, neither order nor the columns of the scan; nothing a column holds is ever lost.
// Source: the design, "Scan and type", its table of types and "Change over time".

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settleTypes } from '../../pipeline/load/settle-types.js';
import type { Scratch } from '../../pipeline/ports.js';
import type { Item } from '../../pipeline/simulator/item.js';
import type { Segment } from '../../pipeline/units/segments.js';
import type { AttributeValue } from '../../schemas/attribute.js';
import type { ColumnType, Field, TableColumns } from '../../schemas/columns.js';
import { adaptRows } from '../../transforms/adapt-rows.js';
import { chooseType, isTroubled, misfitBound } from '../../transforms/choose-types.js';
import type { Rows, TypedAttribute } from '../../transforms/make-columns.js';
import { packRows } from '../../transforms/pack-rows.js';
import { evolveTypes, numberExtents, planTypes } from '../../transforms/plan-types.js';
import { assignColumns } from '../../transforms/table-columns.js';
import { addStats, emptyStats, type TypeStats } from '../../transforms/type-stats.js';
import {
  anyItem,
  anyItems,
  canonical,
  emptyPlan,
  key,
  scanned,
  statsOf,
  typesOf,
  writtenBack,
} from './any-items.js';

const noScratch = {} as Scratch;

/** The items, whose `v` are these, one each; null: without `v`. */
function itemsWith(values: readonly (AttributeValue | null)[]): Item[] {
  return values.map((value, i) => {
    const item = new Map<string, AttributeValue>([
      ['pk', { S: `p${i}` }],
      ['sk', { N: String(i) }],
    ]);
    return value === null ? item : item.set('v', value);
  });
}

function repeat(
  count: number,
  value: AttributeValue | ((i: number) => AttributeValue),
): AttributeValue[] {
  return Array.from({ length: count }, (_, i) => (typeof value === 'function' ? value(i) : value));
}

function map(entries: Record<string, AttributeValue>): AttributeValue {
  return { M: new Map(Object.entries(entries)) };
}

const one: AttributeValue = { N: '1' };
const text: AttributeValue = { S: 'x' };

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

/** Types that a load settles on, after scanning under a plan in batches. */
async function settled(
  items: readonly Item[],
  plan: readonly TypedAttribute[],
  batch: number = items.length,
): Promise<TypedAttribute[]> {
  const segments: Segment[] = [];
  const stats = new Map<string, TypeStats>();
  for (let start = 0; start < items.length; start += batch) {
    const done = scanned(items.slice(start, start + batch), plan);
    segments.push(segmentOf(done.rows));
    for (const [name, more] of done.stats) {
      const sum = stats.get(name) ?? emptyStats();
      addStats(sum, more);
      stats.set(name, sum);
    }
  }
  return settleTypes(key, stats, segments, noScratch);
}

/** A type as text, ids and names left out. */
function shape(type: ColumnType | undefined): string {
  if (type === undefined) return 'no column';
  switch (type.kind) {
    case 'N':
    case 'NS': {
      const { number } = type;
      const text = number.type === 'decimal' ? `${number.precision},${number.scale}` : number.type;
      return `${type.kind}(${text})`;
    }
    case 'L':
      return type.empty === true ? 'L(?)' : `L(${shape(type.element)})`;
    case 'MAP':
      return type.empty === true ? 'MAP(?)' : `MAP(${shape(type.value)})`;
    case 'M':
      return `M{${type.fields.map((field) => `${field.attribute}:${shape(field.type)}`).join(',')}}`;
    default:
      return type.kind;
  }
}

async function shapeOf(values: readonly (AttributeValue | null)[]): Promise<string> {
  const items = itemsWith(values);
  const first = shape(
    (await settled(items, emptyPlan)).find(({ attribute }) => attribute === 'v')?.type,
  );
  // Whatever the scan's columns and batches were, the result is the same.
  const other = itemsWith([values.at(-1)!, values[0]!]);
  for (const plan of [typesOf(items), typesOf(other)]) {
    for (const batch of [items.length, 7]) {
      const types = await settled(items, plan, batch);
      expect(shape(types.find(({ attribute }) => attribute === 'v')?.type)).toBe(first);
    }
  }
  return first;
}

const dictionary = (from: number, count: number, value: AttributeValue): AttributeValue =>
  map(Object.fromEntries(Array.from({ length: count }, (_, i) => [`n${from + i}`, value])));

describe('the column of an attribute', () => {
  it.each<readonly [string, readonly (AttributeValue | null)[], string]>([
    ['a text', [text], 'S'],
    ['only NULL', [{ NULL: true }, { NULL: true }], 'no column'],
    ['mostly NULL', [...repeat(99, { NULL: true }), one], 'N(long)'],
    ['always an empty list', repeat(3, { L: [] }), 'no column'],
    ['always an empty map', repeat(3, { M: new Map() }), 'no column'],
    ['always a list of NULLs', repeat(3, { L: [{ NULL: true }] }), 'no column'],
    ['always a list of empty lists', repeat(3, { L: [{ L: [] }] }), 'L(L(?))'],
    [
      'a map of an empty list and an empty map',
      [map({ a: { L: [] }, b: map({}) })],
      'M{a:L(?),b:MAP(?)}',
    ],
    ['a map of NULLs alone', [map({ a: { NULL: true } })], 'no column'],
    ['whole numbers and one of 125 zeros', [...repeat(20, one), { N: '1E125' }], 'N(long)'],
    ['prices', [...repeat(20, one), { N: '2.50' }, { N: '0.99' }], 'N(18,2)'],
    ['a set of numbers', [{ NS: ['1', '2.5'] }], 'NS(18,2)'],
    [
      'a struct, fields by frequency',
      [map({ b: one, a: text }), map({ b: one })],
      'M{b:N(long),a:S}',
    ],
    [
      '64 names',
      [dictionary(0, 64, one)],
      `M{${Array.from({ length: 64 }, (_, i) => `n${i}`)
        .sort()
        .map((n) => `${n}:N(long)`)
        .join(',')}}`,
    ],
    ['65 names of one kind', [dictionary(0, 65, one)], 'MAP(N(long))'],
    [
      '65 names over several rows',
      [dictionary(0, 33, one), dictionary(32, 33, one)],
      'MAP(N(long))',
    ],
    [
      '65 names and many of another kind',
      [
        map({
          ...Object.fromEntries((dictionary(0, 55, one) as { M: Map<string, AttributeValue> }).M),
          ...Object.fromEntries((dictionary(55, 10, text) as { M: Map<string, AttributeValue> }).M),
        }),
      ],
      'struct of 65',
    ],
    [
      '256 names of mixed kinds',
      [dictionary(0, 128, one), dictionary(128, 128, text)],
      'struct of 256',
    ],
    ['257 names of mixed kinds', [dictionary(0, 128, one), dictionary(128, 129, text)], 'JSON'],
    ['257 names of one kind', [dictionary(0, 257, one)], 'MAP(N(long))'],
    [
      'over 1,000 leaves',
      repeat(10, (i) => map({ [`f${i % 5}`]: dictionary(i * 125, 125, i < 5 ? one : text) })),
      'JSON',
    ],
    [
      '1,000 leaves',
      repeat(8, (i) => map({ [`f${i % 4}`]: dictionary(i * 125, 125, i < 4 ? one : text) })),
      'struct of 1000',
    ],
  ])('of %s', async (_, values, expected) => {
    const found = await shapeOf(values);
    if (expected.startsWith('struct of')) {
      expect(found.startsWith('M{')).toBe(true);
      expect(`struct of ${found.split(',').length}`).toBe(expected);
    } else expect(found).toBe(expected);
  });

  it.each<readonly [string, readonly AttributeValue[], string]>([
    ['9 % texts among numbers', [...repeat(91, one), ...repeat(9, text)], 'N(long)'],
    ['10 % texts among numbers', [...repeat(90, one), ...repeat(10, text)], 'N(long)'],
    ['11 % texts among numbers', [...repeat(89, one), ...repeat(11, text)], 'JSON'],
    [
      'NULLs, which never count as odd',
      [...repeat(10, one), text, ...repeat(90, { NULL: true })],
      'N(long)',
    ],
    [
      '9 % odd elements, each in a row of its own',
      [...repeat(91, { L: [one, one] }), ...repeat(9, { L: [one, text] })],
      'L(N(long))',
    ],
    [
      '11 % rows with odd elements',
      [...repeat(89, { L: [one, one, one] }), ...repeat(11, { L: [one, one, text] })],
      'L(JSON)',
    ],
    [
      'two odd elements in exactly 10 % of rows',
      [...repeat(90, { L: [one] }), ...repeat(10, { L: [text, text] })],
      'L(N(long))',
    ],
    [
      'many odd elements in few rows',
      [...repeat(95, { L: repeat(9, one) }), ...repeat(5, { L: repeat(50, text) })],
      'L(N(long))',
    ],
    [
      'an odd field in 11 % of rows',
      [...repeat(89, map({ a: one, b: text })), ...repeat(11, map({ a: { BOOL: true }, b: text }))],
      'M{a:JSON,b:S}',
    ],
    [
      'an odd field in 9 % of rows',
      [...repeat(91, map({ a: one, b: text })), ...repeat(9, map({ a: { BOOL: true }, b: text }))],
      'M{a:N(long),b:S}',
    ],
    [
      'two odd fields in 6 % each: the worse one goes',
      [
        ...repeat(87, map({ a: one, b: text })),
        ...repeat(7, map({ a: text, b: text })),
        ...repeat(6, map({ a: one, b: one })),
      ],
      'M{a:JSON,b:S}',
    ],
    [
      'two odd fields in the same 9 %',
      [...repeat(91, map({ a: one, b: text })), ...repeat(9, map({ a: text, b: one }))],
      'M{a:N(long),b:S}',
    ],
    [
      'numbers no decimal holds together',
      [...repeat(60, { N: '1E30' }), ...repeat(40, { N: '1E-30' })],
      'JSON',
    ],
    [
      '11 % odd members of sets',
      [...repeat(89, { NS: ['1', '2'] }), ...repeat(11, { NS: ['1', '1E-60'] })],
      'JSON',
    ],
    [
      'odd values 11 % in a list of structs',
      [
        ...repeat(89, { L: [map({ a: one })] }),
        ...repeat(11, { L: [map({ a: one }), map({ a: text })] }),
      ],
      'L(M{a:JSON})',
    ],
    [
      'odd rows in a dictionary',
      [
        ...repeat(89, (i) => dictionary(i * 3, 3, one)),
        ...repeat(11, (i) => dictionary(i, 1, text)),
      ],
      'MAP(JSON)',
    ],
    [
      'names with control characters, odd in 20 %',
      [
        ...repeat(80, map({ 'x\u0002y': one, 'a\u0001b': text })),
        ...repeat(20, map({ 'x\u0002y': text })),
      ],
      'M{x\u0002y:JSON,a\u0001b:S}',
    ],
    [
      'a name like a list step',
      [...repeat(80, map({ '\u0000[]': one })), ...repeat(20, map({ '\u0000[]': text }))],
      'M{\u0000[]:JSON}',
    ],
  ])('keeps its kind up to 10 %% odd rows, with %s', async (_, values, expected) => {
    expect(await shapeOf(values)).toBe(expected);
  });

  it('never has more than a tenth of its rows beside the column', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyItem, { minLength: 1, maxLength: 30 }), async (items) => {
        const types = await settled(items, emptyPlan);
        const { rows } = scanned(items, emptyPlan);
        const adapted = adaptRows(rows, types, key);
        for (let i = key.length; i < types.length; i++) {
          const { attribute } = types[i]!;
          const values = items.flatMap((item) => item.get(attribute) ?? []);
          const present = values.filter((value) => !('NULL' in value)).length;
          const column = adapted.columns[i]!;
          const misfits = present - (column.n - column.nulls);
          expect(misfits).toBeLessThanOrEqual(present / 10);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('has no fewer misfits in the bound than in the rows', () => {
    fc.assert(
      fc.property(fc.array(anyItem, { minLength: 1, maxLength: 20 }), (items) => {
        const stats = statsOf(items);
        const types = planTypes(key, stats);
        const { rows } = scanned(items, types);
        types.slice(key.length).forEach(({ attribute, type }, i) => {
          const seen = stats.get(attribute)!;
          const column = rows.columns[i + key.length]!;
          const values = items.flatMap((item) => item.get(attribute) ?? []);
          const present = values.filter((value) => !('NULL' in value)).length;
          expect(present - (column.n - column.nulls)).toBeLessThanOrEqual(misfitBound(seen, type));
          expect(isTroubled(seen, type)).toBe(misfitBound(seen, type) > present / 10);
        });
      }),
      { numRuns: 30 },
    );
  });
});

describe('a plan for all attributes', () => {
  it('does not depend on the order of items', () => {
    fc.assert(
      fc.property(anyItems, (items) => {
        expect(planTypes(key, statsOf(items.toReversed()))).toEqual(planTypes(key, statsOf(items)));
      }),
      { numRuns: 30 },
    );
  });

  it('puts the key first, then what most items have, then by name', () => {
    const items = itemsWith(repeat(3, one)) as Map<string, AttributeValue>[];
    items[0]!.set('b', one).set('a', one);
    items[1]!.set('b', one).set('a', one).set('sometimes', text);
    expect(typesOf(items).map((column) => column.attribute)).toEqual([
      'pk',
      'sk',
      'v',
      'a',
      'b',
      'sometimes',
    ]);
  });

  it('gives at most 1,000 columns, ours and the key among them, and keeps the rest beside them', () => {
    const wide = new Map<string, AttributeValue>([
      ['pk', text],
      ['sk', one],
    ]);
    for (let i = 0; i < 1200; i++) wide.set(`a${String(i).padStart(4, '0')}`, one);
    const often = new Map<string, AttributeValue>([
      ['pk', text],
      ['sk', one],
      ['a1199', one],
    ]);
    const types = typesOf([wide, often]);
    expect(types).toHaveLength(997);
    expect(types[2]!.attribute).toBe('a1199');
    const { rows } = scanned([wide, often], types);
    expect(writtenBack(rows)).toEqual(canonical([wide, often]));
  });

  it.each([
    [['1', '2'], 'N(long)'],
    [['1', '2.5'], 'N(18,2)'],
    [['1E30', '1E-30'], 'N(text)'],
    [['1E125'], 'N(text)'],
    [[], 'N(long)'],
  ])('makes a number key with %j a column that holds every key', (texts, expected) => {
    const items = texts.map(
      (N) =>
        new Map<string, AttributeValue>([
          ['pk', text],
          ['sk', { N }],
        ]),
    );
    expect(shape(typesOf(items)[1]!.type)).toBe(expected);
  });
});

// ---- evolution

function tableOf(items: readonly Item[], before: TableColumns | null = null): TableColumns {
  return assignColumns(typesOf(items), key, numberExtents(statsOf(items)), before);
}

function evolved(
  old: readonly (AttributeValue | null)[],
  fresh: readonly (AttributeValue | null)[],
  mayRetype = true,
): { shape: string; added: readonly string[]; retyped: readonly string[] } {
  const evolution = evolveTypes(tableOf(itemsWith(old)), statsOf(itemsWith(fresh)), mayRetype);
  const type = evolution.types.find(({ attribute }) => attribute === 'v')?.type;
  return { shape: shape(type), added: evolution.added, retyped: evolution.retyped };
}

describe('a window', () => {
  const same = { added: [], retyped: [] };
  it.each<
    readonly [
      string,
      (AttributeValue | null)[],
      (AttributeValue | null)[],
      ReturnType<typeof evolved>,
    ]
  >([
    ['with nothing new changes nothing', [one], [{ N: '2' }], { shape: 'N(long)', ...same }],
    ['without the attribute changes nothing', [one], [null], { shape: 'N(long)', ...same }],
    [
      'with a new attribute adds a column',
      [null],
      [text],
      { shape: 'S', added: ['v'], retyped: [] },
    ],
    [
      'with a new attribute that is NULL adds none',
      [null],
      [{ NULL: true }],
      { shape: 'no column', ...same },
    ],
    ['with a new empty list adds none', [null], [{ L: [] }], { shape: 'no column', ...same }],
    ['with another kind changes nothing', [one], repeat(50, text), { shape: 'N(long)', ...same }],
    [
      'with a map for a list changes nothing',
      [{ L: [one] }],
      [map({ a: one })],
      { shape: 'L(N(long))', ...same },
    ],
    [
      'with a new nested field adds it',
      [map({ a: one })],
      [map({ b: text })],
      { shape: 'M{a:N(long),b:S}', added: ['v'], retyped: [] },
    ],
    [
      'with a new field in a list of structs adds it',
      [{ L: [map({ a: one })] }],
      [{ L: [map({ b: text })] }],
      { shape: 'L(M{a:N(long),b:S})', added: ['v'], retyped: [] },
    ],
    [
      'with a new field that is NULL adds none',
      [map({ a: one })],
      [map({ b: { NULL: true } })],
      { shape: 'M{a:N(long)}', ...same },
    ],
    [
      'with prices widens a long',
      [{ N: '100' }],
      [{ N: '1.25' }],
      { shape: 'N(18,2)', added: [], retyped: ['v'] },
    ],
    [
      'with prices widens a long of 17 digits to what holds both',
      [{ N: '12345678901234567' }],
      [{ N: '1.25' }],
      { shape: 'N(38,2)', added: [], retyped: ['v'] },
    ],
    [
      'with a huge number widens a long',
      [one],
      [{ N: '9223372036854775808' }],
      { shape: 'N(38,0)', added: [], retyped: ['v'] },
    ],
    ['with 1E125 changes nothing', [one], [{ N: '1E125' }], { shape: 'N(long)', ...same }],
    [
      'never takes digits from what is there',
      [{ N: `0.${'1'.repeat(38)}` }],
      repeat(9, { N: '5' }),
      { shape: 'N(38,38)', ...same },
    ],
    [
      'with members widens a set',
      [{ NS: ['1'] }],
      [{ NS: ['1.5'] }],
      { shape: 'NS(18,2)', added: [], retyped: ['v'] },
    ],
    [
      'with elements widens a list',
      [{ L: [one] }],
      [{ L: [{ N: '0.5' }] }],
      { shape: 'L(N(18,2))', added: [], retyped: ['v'] },
    ],
    [
      'with wider values widens a dictionary',
      [dictionary(0, 70, one)],
      [map({ z: { N: '0.5' } })],
      { shape: 'MAP(N(18,2))', added: [], retyped: ['v'] },
    ],
    [
      'with new names changes no dictionary',
      [dictionary(0, 70, one)],
      [dictionary(100, 300, one)],
      { shape: 'MAP(N(long))', ...same },
    ],
    [
      'types a nested list that was always empty',
      [map({ a: { L: [] } })],
      [map({ a: { L: [one] } })],
      { shape: 'M{a:L(N(long))}', added: [], retyped: ['v'] },
    ],
    [
      'types a nested map that was always empty',
      [map({ a: map({}) })],
      [map({ a: map({ b: one }) })],
      { shape: 'M{a:M{b:N(long)}}', added: [], retyped: ['v'] },
    ],
    [
      'leaves a nested list empty that still is',
      [map({ a: { L: [] } })],
      [map({ a: { L: [{ NULL: true }] } })],
      { shape: 'M{a:L(?)}', ...same },
    ],
    [
      'leaves DynamoDB JSON text as it is',
      [...repeat(5, one), ...repeat(5, text)],
      [{ L: [] }],
      { shape: 'JSON', ...same },
    ],
  ])('%s', (_, old, fresh, expected) => {
    expect(evolved(old, fresh)).toEqual(expected);
  });

  it('widens a column past an odd number that it never held', () => {
    const odd = { N: '123456789012345678901234567890.12345678' };
    const old = [...repeat(50, one), odd];
    expect(evolved(old, [{ N: '2.50' }])).toEqual({ shape: 'N(18,2)', added: [], retyped: ['v'] });
    const set = evolved(
      [{ NS: ['12345678901234567890'] }, ...repeat(20, { NS: ['2'] }), one],
      [{ NS: ['2.5'] }],
    );
    expect(set).toEqual({ shape: 'NS(38,2)', added: [], retyped: ['v'] });
  });

  it('retypes nothing when it may not', () => {
    expect(evolved([one], [{ N: '1.5' }], false)).toEqual({ shape: 'N(long)', ...same });
    expect(evolved([map({ a: { L: [] } })], [map({ a: { L: [one] } })], false)).toEqual({
      shape: 'M{a:L(?)}',
      ...same,
    });
    expect(evolved([map({ a: one })], [map({ b: text })], false).added).toEqual(['v']);
  });

  it('widens a number key to hold every key, to text at last, even when nothing may be retyped', () => {
    const keyed = (...texts: string[]): Item[] =>
      texts.map(
        (N) =>
          new Map<string, AttributeValue>([
            ['pk', text],
            ['sk', { N }],
          ]),
      );
    for (const mayRetype of [true, false]) {
      const wider = evolveTypes(tableOf(keyed('1')), statsOf(keyed('2.5')), mayRetype);
      expect(shape(wider.types[1]!.type)).toBe('N(18,2)');
      expect(wider.retyped).toEqual(['sk']);
      const odd = evolveTypes(tableOf(keyed('1')), statsOf(keyed('2.5', '1E125')), mayRetype);
      expect(shape(odd.types[1]!.type)).toBe('N(text)');
      const spread = evolveTypes(tableOf(keyed('1E30')), statsOf(keyed('1E-30')), mayRetype);
      expect(shape(spread.types[1]!.type)).toBe('N(text)');
      const none = evolveTypes(tableOf(keyed('1E125')), statsOf(keyed('1.5')), mayRetype);
      expect(none.retyped).toEqual([]);
    }
  });

  it('keeps all rows exact, old ones adapted and new ones scanned, window after window', () => {
    const agree = (table: TableColumns): readonly TypedAttribute[] => table.columns;
    fc.assert(
      fc.property(
        fc.array(anyItems, { minLength: 2, maxLength: 4 }),
        fc.boolean(),
        (windows, mayRetype) => {
          let table = tableOf(windows[0]!);
          let items: Item[] = windows[0]!;
          let rows = adaptRows(scanned(items, agree(table)).rows, agree(table), key);
          for (const window of windows.slice(1)) {
            const stats = statsOf(window);
            const before = table;
            const { types, retyped } = evolveTypes(before, stats, mayRetype);
            items = [...items, ...window];
            table = assignColumns(types, key, numberExtents(statsOf(items)), before);
            const old = adaptRows(rows, table.columns, key);
            const fresh = adaptRows(scanned(window, before.columns).rows, table.columns, key);
            old.columns.forEach((column, i) => {
              // What is in a column stays in it, retyped or not.
              const { attribute } = table.columns[i]!;
              const was = before.columns.findIndex((field) => field.attribute === attribute);
              if (was >= 0) expect(column.nulls).toBeLessThanOrEqual(rows.columns[was]!.nulls);
              if (was >= 0 && !retyped.includes(attribute)) {
                expect(idsOf(table.columns[i]!)).toEqual(
                  expect.arrayContaining(idsOf(before.columns[was]!)),
                );
              }
            });
            rows = joined(table, old, fresh);
            expect(writtenBack(rows)).toEqual(canonical(items));
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});

function joined(table: TableColumns, ...parts: readonly Rows[]): Rows {
  const { rows } = scanned([], emptyPlan);
  const all = adaptRows(rows, table.columns, key);
  for (const part of parts) all.appendRange(part, 0, part.n);
  return all;
}

function idsOf(field: Field): number[] {
  const ids: number[] = [field.id];
  const walk = (type: ColumnType): void => {
    if ('elementId' in type) ids.push(type.elementId);
    if (type.kind === 'L') walk(type.element);
    if (type.kind === 'MAP') {
      ids.push(type.keyId, type.valueId);
      walk(type.value);
    }
    if (type.kind === 'M') for (const one of type.fields) ids.push(...idsOf(one));
  };
  walk(field.type);
  return ids;
}

describe('a type chosen from values', () => {
  it('is that of the kind most values have; the order of kinds decides ties', () => {
    const of = (...values: AttributeValue[]): string =>
      shape(chooseType(statsOf(itemsWith(values)).get('v')!) ?? undefined);
    expect(of(one, text, text)).toBe('S');
    expect(of(one, text)).toBe('S');
    expect(of({ BOOL: true }, one)).toBe('N(long)');
    expect(of({ M: new Map([['a', one]]) }, { L: [one] })).toBe('L(N(long))');
  });
});
