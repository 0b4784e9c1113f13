// Columns follow the data: new attributes, wider numbers, odd values, and things that had no type until now.
// Promises: whatever comes, every item comes back exactly, now and as of every earlier instant; names stay.
// Source: DESIGN.md, "Scan and type (lossless)" (change over time).

import { beforeEach, describe, expect, it } from 'vitest';
import type { IcebergSchema, IcebergType } from '../../schemas/iceberg.js';
import { differences, expectedItems, memoryWorld, StoryLake } from './story-world.js';
import { hour, Tale, type TaleKey } from './tale.js';

let lake: StoryLake;
let tale: Tale;

function begin(key: TaleKey = ['S']): void {
  lake = new StoryLake(memoryWorld('columns'));
  tale = new Tale(lake, { key });
}
beforeEach(() => begin());

function typeText(type: IcebergType): unknown {
  if (typeof type === 'string') return type.replace(/\s/g, '');
  if (type.type === 'list') return [typeText(type.element)];
  if (type.type === 'map') return { map: typeText(type.value) };
  return Object.fromEntries(type.fields.map((field) => [field.name, typeText(field.type)]));
}

async function schemaNow(): Promise<IcebergSchema> {
  const { md } = await lake.open();
  return md.schemas.find((one) => one['schema-id'] === md['current-schema-id'])!;
}

/** Column types by name: a text, [element], {map: value}, or an object of fields. */
async function types(): Promise<Record<string, unknown>> {
  const { fields } = await schemaNow();
  return Object.fromEntries(
    fields.filter(({ name }) => !name.startsWith('_')).map((one) => [one.name, typeText(one.type)]),
  );
}

async function idOf(column: string): Promise<number> {
  return (await schemaNow()).fields.find(({ name }) => name === column)!.id;
}

/** The lake equals the simulated table now and as of every whole hour from the load on. */
async function holds(h: number): Promise<void> {
  for (let at = 0; at <= h; at++) {
    const found = await lake.items(new Date(hour(at)).toISOString());
    const expected = expectedItems(tale.table, hour(at));
    expect({ at, ...differences(found, expected) }).toEqual({ at, missing: [], extra: [] });
    expect(found.length).toBe(expected.length);
  }
}

const k = (n: number): { readonly S: string } => ({ S: `k${n}` });

describe('a window brings', () => {
  it('a new attribute: one more column, null for the rows before', async () => {
    tale.put(-1, { pk: k(1), a: { S: 'x' } });
    tale.put(-1, { pk: k(2), a: { S: 'y' } });
    tale.put(0, { pk: k(2), a: { S: 'y' }, b: { BOOL: false } });
    await tale.load();
    const id = await idOf('a');
    const report = await tale.merge(0);
    expect(report).toMatchObject({ addedColumns: ['b'], retypedColumns: [], misfits: 0 });
    expect(await types()).toEqual({ pk: 'string', a: 'string', b: 'boolean' });
    expect(await idOf('a')).toBe(id);
    await holds(1);
  });

  it('a new nested field, in a map and in maps of a list', async () => {
    const map = (more: object): object => ({ M: { x: { N: '1' }, ...more } });
    tale.put(-1, { pk: k(1), m: map({}), l: { L: [map({})] } });
    tale.put(0, {
      pk: k(2),
      m: map({ y: { S: 'new' } }),
      l: { L: [map({}), map({ z: { N: '0.5' } })] },
    });
    await tale.load();
    expect((await tale.merge(0)).misfits).toBe(0);
    expect(await types()).toEqual({
      pk: 'string',
      m: { x: 'long', y: 'string' },
      l: [{ x: 'long', z: 'decimal(18,2)' }],
    });
    await holds(1);
  });

  it('a fraction where there were whole numbers: the column is retyped, all rows with it', async () => {
    for (let n = 0; n < 5; n++) tale.put(-1, { pk: k(n), n: { N: `${n}` } });
    tale.put(0, { pk: k(9), n: { N: '0.25' } });
    tale.put(1, { pk: k(8), n: { N: '12345678901234567890.123' } });
    await tale.load();
    expect(await types()).toEqual({ pk: 'string', n: 'long' });
    const id = await idOf('n');
    expect(await tale.merge(0)).toMatchObject({ retypedColumns: ['n'], misfits: 0, updated: 0 });
    expect(await types()).toEqual({ pk: 'string', n: 'decimal(18,2)' });
    // Never a promotion in place: readers fail on predicates over it.
    expect(await idOf('n')).not.toBe(id);
    expect((await tale.merge(1)).retypedColumns).toEqual(['n']);
    expect(await types()).toEqual({ pk: 'string', n: 'decimal(38,4)' });
    await holds(2);
  });

  it('a number that no wider type holds with the others: a misfit, exact, and the column stays', async () => {
    for (let n = 0; n < 5; n++) tale.put(-1, { pk: k(n), n: { N: `${n}` } });
    tale.put(0, { pk: k(9), n: { N: '1E125' } });
    tale.put(0, { pk: k(8), n: { N: '1E-130' } });
    await tale.load();
    const id = await idOf('n');
    const report = await tale.merge(0);
    expect(report).toMatchObject({ retypedColumns: [], addedColumns: [] });
    expect(await types()).toEqual({ pk: 'string', n: 'long' });
    expect(await idOf('n')).toBe(id);
    await holds(1);
  });

  it('a value of another kind: a misfit, and the next fitting one is in the column again', async () => {
    for (let n = 0; n < 5; n++) tale.put(-1, { pk: k(n), n: { N: `${n}` }, m: { M: { x: k(n) } } });
    tale.put(0, { pk: k(1), n: { S: 'n/a' }, m: { L: [] } });
    tale.put(0, { pk: k(2), n: { NULL: true }, m: { M: { x: { NULL: true } } } });
    tale.put(1, { pk: k(1), n: { N: '7' }, m: { M: { x: k(7) } } });
    await tale.load();
    await tale.merge(0);
    await tale.merge(1);
    expect(await types()).toEqual({ pk: 'string', n: 'long', m: { x: 'string' } });
    await holds(2);
  });

  it('a type for what was only NULL, or only empty, until now', async () => {
    const empty = { nil: { NULL: true }, l: { L: [] }, m: { M: {} }, in: { M: { l: { L: [] } } } };
    tale.put(-1, { pk: k(1), ...empty });
    tale.put(-1, { pk: k(2), ...empty });
    tale.put(0, {
      pk: k(3),
      nil: { N: '1' },
      l: { L: [{ N: '1' }, { N: '2' }] },
      m: { M: { a: { S: 'x' } } },
      in: { M: { l: { L: [{ BOOL: true }] } } },
    });
    tale.put(1, { pk: k(1), ...empty });
    await tale.load();
    await tale.merge(0);
    await tale.merge(1);
    const now = await types();
    expect(now).toMatchObject({ pk: 'string', nil: 'long' });
    await holds(2);
  });

  it('a number key that needs a fraction, then one that no decimal holds', async () => {
    begin(['N']);
    for (let n = 0; n < 6; n++) tale.put(-1, { pk: { N: `${n}` }, a: { S: `${n}` } });
    tale.put(0, { pk: { N: '2.5' }, a: { S: 'half' } });
    tale.delete(0, { pk: { N: '3' } });
    tale.put(1, { pk: { N: '1E-100' }, a: { S: 'tiny' } });
    tale.put(1, { pk: { N: '-1E100' }, a: { S: 'low' } });
    tale.delete(1, { pk: { N: '2.50' } });
    tale.put(2, { pk: { N: '4' }, a: { S: 'again' } });
    await tale.load();
    expect(await types()).toEqual({ pk: 'long', a: 'string' });
    expect(await tale.merge(0)).toMatchObject({ inserted: 1, deleted: 1, retypedColumns: ['pk'] });
    expect(await types()).toEqual({ pk: 'decimal(18,2)', a: 'string' });
    expect(await tale.merge(1)).toMatchObject({ inserted: 2, deleted: 1, retypedColumns: ['pk'] });
    expect(await types()).toEqual({ pk: 'string', a: 'string' });
    expect(await tale.merge(2)).toMatchObject({ inserted: 0, updated: 1, retypedColumns: [] });
    await holds(3);
  });

  it('a sort key that needs a fraction, under a string partition key', async () => {
    begin(['S', 'N']);
    for (let n = 0; n < 9; n++) tale.put(-1, { pk: k(n % 3), sk: { N: `${n}` }, a: k(n) });
    tale.put(0, { pk: k(1), sk: { N: '-0.5' }, a: k(0) });
    await tale.load();
    expect(await tale.merge(0)).toMatchObject({ inserted: 1, updated: 0, retypedColumns: ['sk'] });
    await holds(1);
  });
});

describe('many attributes', () => {
  it('keeps the rarest beyond 1,000 columns beside them, and gives all back', async () => {
    const names = Array.from({ length: 1100 }, (_, i) => `a${String(i).padStart(4, '0')}`);
    const values = (list: readonly string[], n: number): object =>
      Object.fromEntries(list.map((name) => [name, { N: `${n}` }]));
    tale.put(-1, { pk: k(1), ...values(names.slice(0, 400), 1) });
    tale.put(-1, { pk: k(2), ...values(names.slice(300, 700), 2) });
    tale.put(0, { pk: k(3), ...values(names.slice(600), 3) });
    tale.put(0, { pk: k(1), ...values(names, 4) });
    await tale.load();
    expect(Object.keys(await types())).toHaveLength(701);
    const report = await tale.merge(0);
    expect(report.addedColumns).toHaveLength(296);
    // 1,000 with our own three.
    expect((await schemaNow()).fields).toHaveLength(1000);
    await holds(1);
    // A new epoch counts afresh, and is capped likewise.
    const loaded = await lake.load(await tale.full(2));
    expect(loaded.columns).toBe(997);
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(2)));
  });

  it('tells attributes apart whose names become the same column name', async () => {
    tale.put(-1, { pk: k(1), 'a.b': k(1), 'a-b': k(2), a_b: k(3), A_B: k(4) });
    tale.put(0, {
      pk: k(2),
      'a b': { N: '1' },
      ['__proto__']: { S: 'own' },
      _misfits: k(5),
      _nulls: k(6),
    });
    await tale.load();
    await tale.merge(0);
    const { fields } = await schemaNow();
    expect(new Set(fields.map(({ name }) => name.toLowerCase())).size).toBe(fields.length);
    await holds(1);
  });
});

describe('a new epoch', () => {
  it('keeps names and ids where types agree, and windows go on after it', async () => {
    for (let n = 0; n < 5; n++) tale.put(-1, { pk: k(n), a: k(n), n: { N: `${n}` }, old: k(1) });
    tale.put(0, { pk: k(1), n: { N: '0.5' }, b: { BOOL: true } });
    for (let n = 0; n < 5; n++) tale.put(2, { pk: k(n), a: k(n), n: { N: `${n}.5` }, c: k(2) });
    tale.put(3, { pk: k(9), a: { S: 'after' }, old: k(3) });
    await tale.load();
    await tale.merge(0);
    const ids = { pk: await idOf('pk'), a: await idOf('a'), n: await idOf('n') };
    await tale.load(3);
    expect(await types()).toEqual({ pk: 'string', a: 'string', n: 'decimal(18,2)', c: 'string' });
    expect({ pk: await idOf('pk'), a: await idOf('a'), n: await idOf('n') }).toEqual(ids);
    expect((await tale.merge(3)).action).toBe('applied');
    expect(await types()).toHaveProperty('old', 'string');
    for (const h of [0, 1, 3, 4]) {
      const found = await lake.items(new Date(hour(h)).toISOString());
      expect(differences(found, expectedItems(tale.table, hour(h)))).toEqual({
        missing: [],
        extra: [],
      });
    }
    // Between the last window and the new epoch stands what the last window left.
    const between = await lake.items(new Date(hour(2)).toISOString());
    expect(between).toEqual(expectedItems(tale.table, hour(1)));
  });
});
