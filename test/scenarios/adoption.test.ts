// A person says that another program's snapshot stands for the watermark, and merges go on upon it.
// Promises: only the current snapshot, only when merges can be exact, and the word is kept and shown until the next load.
// Source: DESIGN.md, "The table" (another writer changed rows); pipeline/merge/adopt-snapshot.ts.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  log,
  type MergeReport,
  mergeExports,
  query,
  setColumnType,
  status,
  verify,
} from '../../pipeline/index.js';
import { currentSchema } from '../../pipeline/lake/iceberg/metadata.js';
import { canonicalItem, itemFromParsed } from '../../pipeline/simulator/index.js';
import { ForeignWriter } from './foreign-writer.js';
import { DiskStory, expectedItems } from './story-world.js';
import { hour, Tale } from './tale.js';

let lake: DiskStory;
let tale: Tale;
let foreign: ForeignWriter;

beforeEach(async () => {
  lake = DiskStory.open('adoption');
  tale = new Tale(lake);
  foreign = new ForeignWriter(lake);
  for (let n = 10; n < 30; n++) tale.put(-1, { pk: { S: `k${n}` }, n: { N: `${n}` } });
  for (let h = 0; h < 3; h++) {
    tale.put(h, { pk: { S: `k1${h}` }, n: { N: `${h}000` } });
    tale.delete(h, { pk: { S: `k2${h}` } });
    tale.put(h, { pk: { S: `new${h}` }, n: { N: '1' } });
  }
  await tale.load();
});
afterEach(() => lake.close());

async function adopt(id: bigint, ...uris: string[]): Promise<readonly MergeReport[]> {
  const reports: MergeReport[] = [];
  const options = { ...lake.target, exportUris: uris, acceptGap: false, acceptSeam: false };
  for await (const report of mergeExports(lake.world, { ...options, adoptSnapshot: id })) {
    reports.push(report);
  }
  return reports;
}

async function failedChecks(): Promise<readonly string[]> {
  const [report] = await verify(lake.world, lake.target);
  return report!.checks.filter(({ ok }) => !ok).map(({ name }) => name);
}

async function current(): Promise<bigint> {
  return (await lake.open()).md['current-snapshot-id']!;
}

const iso = (h: number): string => new Date(hour(h)).toISOString();
const item = (value: object): string => canonicalItem(itemFromParsed(value));
const without = (items: readonly string[], ...keys: string[]): string[] =>
  items.filter((one) => !keys.some((key) => one.includes(`{"S":"${key}"}`)));

/** A DELETE of the rows k10 and k15, which window 0 updates and leaves alone. */
async function deleteRows(): Promise<bigint> {
  const [file] = await foreign.files();
  const deletes = await foreign.deletes(new Map([[file!.file.path, [0, 5]]]), {
    referencedDataFile: file!.file.path,
  });
  return foreign.commit('delete', { added: [deletes] });
}

describe('a snapshot that changed rows', () => {
  it('is adopted by its id, and windows go on upon its rows', async () => {
    const id = await deleteRows();
    const window = await tale.window(0);
    await expect(lake.merge(window)).rejects.toMatchObject({
      code: 'REFUSED_FOREIGN_WRITER',
      next: expect.stringContaining(`--adopt-snapshot ${id} `),
    });
    const [report] = await adopt(id, window);
    // k10 had been deleted, so the window brings it in.
    expect(report).toMatchObject({ action: 'applied', inserted: 2, updated: 0, deleted: 1 });
    const expected = without(expectedItems(tale.table, hour(1)), 'k15');
    expect(await lake.items()).toEqual(expected);
    expect(await failedChecks()).toEqual([]);
    expect((await foreign.live()).positionDeletes).toEqual([]);
  });

  it('is shown by status and log, as the time it was declared to stand for, until the next load', async () => {
    const id = await deleteRows();
    await adopt(id, await tale.window(0));
    const shown = { snapshotId: String(id), watermark: iso(0), at: expect.any(String) };
    expect(await status(lake.world, lake.target)).toMatchObject([
      { health: 'ok', watermark: iso(1), adopted: [shown] },
    ]);
    const rows = await log(lake.world, lake.target);
    expect(rows.map(({ kind, operation, adopted }) => [kind, operation, adopted])).toEqual([
      ['load', 'append', null],
      [null, 'delete', iso(0)],
      ['merge', 'overwrite', null],
    ]);
    // Travelling to the time finds the adopted rows.
    const left = without(expectedItems(tale.table, hour(0)), 'k10', 'k15');
    expect(await lake.items(iso(0))).toEqual(left);
    await lake.load(await tale.full(2));
    expect(await status(lake.world, lake.target)).toMatchObject([{ health: 'ok', adopted: [] }]);
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(2)));
  });

  it('may be adopted again by the same command, and need not be when nothing is in doubt', async () => {
    const id = await deleteRows();
    const window = await tale.window(0);
    await adopt(id, window);
    expect((await adopt(id, window))[0]!.action).toBe('known');
    expect((await adopt(id, await tale.window(1)))[0]!.action).toBe('applied');
    expect((await adopt(await current(), await tale.window(2)))[0]!.action).toBe('applied');
    expect((await lake.open()).state.adopted).toHaveLength(1);
  });

  it('is adopted with the compaction that came upon it, and only as the current one', async () => {
    const changed = await deleteRows();
    const [file] = await foreign.files();
    const added = [await foreign.file(foreign.select(file!, "pk NOT IN ('k10', 'k15')"), 18)];
    const { positionDeletes } = await foreign.live();
    const spent = positionDeletes.map((one) => one.file.path);
    const id = await foreign.commit('replace', { added, removed: [file!.file.path, ...spent] });
    const window = await tale.window(0);
    await expect(adopt(changed, window)).rejects.toMatchObject({
      code: 'REFUSED_FOREIGN_WRITER',
      what: expect.stringContaining(`${id}, not ${changed}`),
    });
    await expect(lake.merge(window)).rejects.toMatchObject({
      what: expect.stringContaining(`${changed} (delete)`),
      next: expect.stringContaining(`--adopt-snapshot ${id} `),
    });
    expect((await adopt(id, window))[0]!.action).toBe('applied');
    expect(await lake.items()).toEqual(without(expectedItems(tale.table, hour(1)), 'k15'));
    expect(await failedChecks()).toEqual([]);
  });

  it('does not excuse the next one', async () => {
    await adopt(await deleteRows(), await tale.window(0));
    const [file] = await foreign.files();
    const id = await foreign.commit('append', {
      added: [
        await foreign.file(
          foreign.select(file!, "pk = 'k11'").replace('*', "* REPLACE ('x' AS pk)"),
          1,
        ),
      ],
    });
    await expect(lake.merge(await tale.window(1))).rejects.toMatchObject({
      what: expect.stringContaining(`${id} (append)`),
    });
    expect(await failedChecks()).toEqual([
      'the metadata is consistent',
      'the windows form one chain',
    ]);
  });

  it('may have rows that another program put in', async () => {
    const [file] = await foreign.files();
    const select = foreign
      .select(file!, "pk = 'k11'")
      .replace('*', "* REPLACE ('x' AS pk, 77 AS n)");
    const id = await foreign.commit('append', { added: [await foreign.file(select, 1)] });
    expect((await adopt(id, await tale.window(0)))[0]).toMatchObject({ inserted: 1, updated: 1 });
    const extra = item({ pk: { S: 'x' }, n: { N: '77' } });
    expect(await lake.items()).toEqual([...expectedItems(tale.table, hour(1)), extra].sort());
    expect(await failedChecks()).toEqual([]);
  });
});

describe('a snapshot is not adopted', () => {
  async function refusal(id: bigint): Promise<string> {
    const before = (await lake.open()).md;
    const error = await adopt(id, await tale.window(0)).then(
      () => null,
      (thrown: { readonly code: string; readonly what: string }) => thrown,
    );
    expect(error?.code).toBe('REFUSED_FOREIGN_WRITER');
    expect((await lake.open()).md).toEqual(before);
    return error!.what;
  }

  it('when a key stands in it twice', async () => {
    const [file] = await foreign.files();
    const id = await foreign.commit('append', {
      added: [await foreign.file(foreign.select(file!, "pk IN ('k11', 'k12')"), 2)],
    });
    expect(await refusal(id)).toContain('2 rows repeat the key of another');
  });

  it('when a row lacks the key', async () => {
    const [file] = await foreign.files();
    const select = foreign
      .select(file!, "pk = 'k11'")
      .replace('*', '* REPLACE (NULL::VARCHAR AS pk)');
    const id = await foreign.commit('append', { added: [await foreign.file(select, 1)] });
    expect(await refusal(id)).toContain('1 rows lack a key');
  });

  it('when a column that another program added holds values, but is when it holds none', async () => {
    await foreign.addColumn('region', 'string');
    const [file] = await foreign.files();
    const update = (value: string): string =>
      foreign.select(file!).replace('*', `*, ${value}::VARCHAR AS region`);
    const filled = await foreign.file(update("'north'"), 20);
    const id = await foreign.commit('overwrite', { added: [filled], removed: [file!.file.path] });
    expect(await refusal(id)).toContain('the column region');
    const empty = await foreign.file(update('NULL'), 20);
    const next = await foreign.commit('overwrite', { added: [empty], removed: [filled.path] });
    expect((await adopt(next, await tale.window(0)))[0]!.action).toBe('applied');
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(1)));
  });

  it('when a column of ours was dropped', async () => {
    await foreign.alter((fields) => fields.filter(({ name }) => name !== 'n'));
    expect(await refusal(await current())).toContain('columns n ');
  });
});

describe('a table that was rolled back', () => {
  it('goes on from the window of the snapshot it was rolled back to', async () => {
    await tale.merge(0);
    const id = await current();
    await tale.merge(1);
    await foreign.rollBack(id);
    const windows = [await tale.window(1), await tale.window(2)];
    await expect(lake.merge(windows)).rejects.toMatchObject({
      next: expect.stringContaining(`--adopt-snapshot ${id} EXPORT…, to go on from ${iso(1)}`),
    });
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(1)));
    const actions = (await adopt(id, ...windows)).map(({ action }) => action);
    expect(actions).toEqual(['applied', 'applied']);
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(3)));
    expect(await failedChecks()).toEqual([]);
    expect(await status(lake.world, lake.target)).toMatchObject([
      { watermark: iso(3), adopted: [{ snapshotId: String(id), watermark: iso(1) }] },
    ]);
  });

  it('may be rolled back to the same snapshot again', async () => {
    await tale.merge(0);
    const id = await current();
    const window = await tale.window(1);
    for (let time = 1; time <= 2; time++) {
      await lake.merge(window);
      await foreign.rollBack(id);
      expect((await adopt(id, window))[0]!.action).toBe('applied');
      expect(await lake.items()).toEqual(expectedItems(tale.table, hour(2)));
    }
  });

  it('forgets a gap that was accepted later', async () => {
    const id = await current();
    await lake.merge(await tale.window(1), { gap: true });
    await foreign.rollBack(id);
    const windows = [await tale.window(0), await tale.window(1)];
    expect((await adopt(id, ...windows)).map(({ action }) => action)).toEqual([
      'applied',
      'applied',
    ]);
    expect((await lake.open()).state.gaps).toEqual([]);
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(2)));
    expect(await failedChecks()).toEqual([]);
  });

  it('over a change of a column type needs a new load', async () => {
    const id = await current();
    await setColumnType(lake.world, { ...lake.target, column: 'n', type: 'decimal(38,2)' });
    await tale.merge(0);
    await foreign.rollBack(id);
    await expect(adopt(id, await tale.window(0))).rejects.toMatchObject({
      what: expect.stringContaining('columns n '),
      next: expect.stringContaining('tidelake load'),
    });
  });

  it('to another epoch needs a new load', async () => {
    const id = await current();
    await lake.load(await tale.full(1));
    await foreign.rollBack(id);
    await expect(adopt(id, await tale.window(0))).rejects.toMatchObject({
      what: expect.stringContaining('of another epoch'),
    });
    await lake.load(await tale.full(1));
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(1)));
    expect(await failedChecks()).toEqual([]);
  });
});

describe('columns that another program added', () => {
  it('stay through merges, retypes and loads, with NULL in every row', async () => {
    await foreign.addColumn('region', 'date');
    await tale.merge(0);
    await setColumnType(lake.world, { ...lake.target, column: 'n', type: 'decimal(38,2)' });
    await lake.load(await tale.full(2));
    await tale.merge(2);
    const result = await query(lake.world, {
      ...lake.target,
      sql: 'SELECT count(*), count(region) FROM tale',
    });
    const rows: unknown[] = [];
    for await (const row of result.rows) rows.push(row);
    expect(rows).toEqual([[expectedItems(tale.table, hour(3)).length, 0]]);
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(3)));
    expect(await failedChecks()).toEqual([]);
  });

  it('inside our structs stay too', async () => {
    tale.put(0, {
      pk: { S: 'm' },
      m: { M: { a: { S: 'x' }, l: { L: [{ M: { b: { S: 'y' } } }] } } },
    });
    await tale.merge(0);
    const column = async (): Promise<string> => {
      const { fields } = currentSchema((await lake.open()).md);
      return JSON.stringify(fields.find(({ name }) => name === 'm'));
    };
    await foreign.alter((fields, id) =>
      fields.map((field) =>
        field.name !== 'm' || typeof field.type === 'string' || field.type.type !== 'struct'
          ? field
          : {
              ...field,
              type: {
                ...field.type,
                fields: [...field.type.fields, { id, name: 'added', required: false, type: 'int' }],
              },
            },
      ),
    );
    expect(await column()).toContain('"added"');
    tale.put(1, { pk: { S: 'm' }, m: { M: { a: { S: 'z' }, c: { S: 'new' } } } });
    await tale.merge(1);
    expect(await column()).toContain('"added"');
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(2)));
    expect(await failedChecks()).toEqual([]);
  });
});

it('adopts for one table at a time', async () => {
  const other = new Tale(lake, { name: 'other', tableId: 'another' });
  other.put(-1, { pk: { S: 'a' } });
  await lake.load(await other.full(0), { key: ['pk'], table: 'other' });
  const uris = [await tale.window(0), await other.window(0)];
  await expect(adopt(1n, ...uris)).rejects.toMatchObject({ code: 'USAGE' });
});
