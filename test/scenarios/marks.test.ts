// Merges that mark changed rows as deleted: which files they leave, and how a partition comes into order again.
// Promises: every reader has the simulated table after every window; a data file has one delete file at most.
// Source: DESIGN.md, "The table" (two ways to change a bucket); pipeline/merge/choose-way.ts.

import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { log, query, status, verify } from '../../pipeline/index.js';
import { deletesByDataFile, targetOf } from '../../pipeline/lake/iceberg/live-files.js';
import { currentSnapshot } from '../../pipeline/lake/iceberg/metadata.js';
import { setColumnType } from '../../pipeline/merge/set-column-type.js';
import { ForeignWriter } from './foreign-writer.js';
import { DiskStory, differences, expectedItems } from './story-world.js';
import { hour, Tale } from './tale.js';

const same = { missing: [], extra: [] };
let lake: DiskStory;
let tale: Tale;
let foreign: ForeignWriter;

beforeEach(() => {
  lake = DiskStory.open('marks');
  tale = new Tale(lake);
  foreign = new ForeignWriter(lake);
});
afterEach(() => lake.close());

const key = (n: number): object => ({ pk: { S: `k${String(n).padStart(6, '0')}` } });

/** The table is as the simulated one at hour `h`, to unload, SQL and verify, and no data file has two delete files. */
async function isAt(h: number): Promise<void> {
  const expected = expectedItems(tale.table, hour(h));
  const found = await lake.items();
  expect(differences(found, expected)).toEqual(same);
  expect(found).toHaveLength(expected.length);
  const sql = 'SELECT count(*), count(DISTINCT pk) FROM tale';
  for await (const row of (await query(lake.world, { ...lake.target, sql })).rows) {
    expect(row.map(Number)).toEqual([expected.length, expected.length]);
  }
  const [report] = await verify(lake.world, lake.target);
  expect(report!.checks.filter(({ ok }) => !ok)).toEqual([]);
  const { data, positionDeletes } = await foreign.live();
  expect(positionDeletes.every((one) => targetOf(one) !== null)).toBe(true);
  const byData = deletesByDataFile(data, positionDeletes);
  expect([...byData.values()].every((deletes) => deletes.length === 1)).toBe(true);
  // None has outlived its data file.
  expect(byData.size).toBe(positionDeletes.length);
  // What the summary says is what there is.
  const { summary } = currentSnapshot((await lake.open()).md)!;
  const deleted = positionDeletes.reduce((sum, { file }) => sum + Number(file.recordCount), 0);
  const records = data.reduce((sum, { file }) => sum + Number(file.recordCount), 0);
  expect(summary).toMatchObject({
    'total-delete-files': String(positionDeletes.length),
    'total-position-deletes': String(deleted),
    'total-records': String(records),
    'total-data-files': String(data.length),
  });
  expect(records - deleted).toBe(expected.length);
}

it('a partition gathers few small files, and is written anew when a tenth of it has changed', async () => {
  // Values that do not compress, so that the file is larger than what is always written anew.
  const noise = (n: number, h: number): string =>
    [0, 1, 2, 3]
      .map((i) => createHash('sha512').update(`${n} ${h} ${i}`).digest('base64'))
      .join('');
  const count = 6000;
  for (let n = 0; n < count; n++) tale.put(-1, { ...key(n), v: { S: noise(n, -1) } });
  const windows = 9;
  for (let h = 0; h < windows; h++) {
    for (let n = 0; n < 80; n++) {
      const at = (n * 74 + h * 9) % count;
      if (n % 20 === 7) tale.delete(h, key(at));
      else tale.put(h, { ...key(at), v: { S: noise(n, h) } });
    }
    // Some of the rows that only small files have change again.
    if (h > 0) tale.put(h, { ...key((h - 1) * 9), v: { S: 'again' } }, 2);
    tale.put(h, { ...key(count + h), v: { S: 'new' } });
  }
  await tale.load();
  const bases = new Set((await foreign.files()).map(({ file }) => file.path));
  expect(bases.size).toBe(1);
  const seen: (readonly [number, number])[] = [];
  for (let h = 0; h < windows; h++) {
    expect(await tale.merge(h)).toMatchObject({ action: 'applied' });
    const [row] = await status(lake.world, lake.target);
    seen.push([row!.dataFiles!, row!.deleteFiles!]);
    await isAt(h + 1);
  }
  // Four windows with a file each; with the fifth, the small ones become one. About 82 of 6,000 rows change with each window,
  // so that the ninth would be the first to have a tenth of all rows deleted.
  expect(seen.map(([data]) => data)).toEqual([2, 3, 4, 5, 2, 3, 4, 5, 1]);
  expect(seen.at(-1)).toEqual([1, 0]);
  const after = (await foreign.files()).map(({ file }) => file.path);
  expect(after.some((path) => bases.has(path))).toBe(false);
});

it('a file of which no row is left goes, with its delete file', async () => {
  lake.way = 'mark';
  for (let n = 0; n < 20; n++) tale.put(-1, { ...key(n), v: { N: `${n}` } });
  for (let n = 0; n < 10; n++) tale.delete(0, key(n));
  for (let n = 10; n < 20; n++) tale.put(1, { ...key(n), v: { N: '0' } });
  for (let n = 10; n < 20; n++) tale.delete(2, key(n));
  await tale.load();
  expect(await tale.merge(0)).toMatchObject({ deleted: 10, updated: 0, inserted: 0 });
  expect([(await foreign.files()).length, (await foreign.live()).positionDeletes.length]).toEqual([
    1, 1,
  ]);
  await isAt(1);
  expect(await tale.merge(1)).toMatchObject({ deleted: 0, updated: 10, inserted: 0 });
  expect([(await foreign.files()).length, (await foreign.live()).positionDeletes.length]).toEqual([
    1, 0,
  ]);
  await isAt(2);
  expect(await tale.merge(2)).toMatchObject({ deleted: 10, updated: 0, inserted: 0 });
  expect((await foreign.live()).data).toEqual([]);
  await isAt(3);
});

it('a window that changes nothing leaves no file', async () => {
  lake.way = 'mark';
  for (let n = 0; n < 9; n++) tale.put(-1, { ...key(n), v: { N: `${n}` } });
  tale.put(0, { ...key(50), v: { N: '1' } });
  tale.delete(0, key(50), 2);
  await tale.load();
  const before = await foreign.live();
  expect(await tale.merge(0)).toMatchObject({ inserted: 0, updated: 0, deleted: 0 });
  const after = await foreign.live();
  expect(after.data.map(({ file }) => file.path)).toEqual(before.data.map(({ file }) => file.path));
  expect(after.positionDeletes).toEqual([]);
});

it('misfits are counted as they come and go, in whatever files they are', async () => {
  lake.way = 'mark';
  for (let n = 0; n < 40; n++) tale.put(-1, { ...key(n), v: { N: `${n}` } });
  for (const n of [3, 4, 5]) tale.put(-1, { ...key(n), v: { S: 'odd' } }, 2);
  tale.put(0, { ...key(3), v: { N: '3' } }); // one less
  tale.delete(0, key(4)); // one less
  tale.put(0, { ...key(6), v: { S: 'odd' } }); // one more
  tale.put(0, { ...key(7), v: { S: 'odd' } }); // one more
  tale.put(1, { ...key(7), v: { S: 'odd too' } }); // as before, from another file
  tale.put(1, { ...key(5), v: { N: '5' } }); // one less
  tale.delete(2, key(6)); // one less
  await tale.load();
  const misfits: unknown[] = [];
  for (let h = 0; h < 3; h++) {
    const report = await tale.merge(h);
    const [row] = await status(lake.world, lake.target);
    misfits.push([report.misfits, row!.misfits]);
    await isAt(h + 1);
  }
  expect(misfits).toEqual([
    [3, 3],
    [2, 2],
    [1, 1],
  ]);
  lake.way = 'rewrite';
  tale.put(3, { ...key(8), v: { S: 'odd' } });
  expect((await tale.merge(3)).misfits).toBe(2);
  await isAt(4);
  expect((await foreign.live()).positionDeletes).toEqual([]);
});

it('rows of several row groups and of small files come into one order, and untouched row groups stay', async () => {
  const count = 18_000;
  for (let n = 0; n < count; n++) tale.put(-1, { ...key(n), v: { N: `${n}.5` } });
  for (let h = 0; h < 3; h++) {
    tale.put(h, { ...key(h * 5), v: { N: '1' } });
    tale.delete(h, key(count - 1 - h));
    tale.put(h, { pk: { S: `k000100-${h}` }, v: { N: '2' } });
  }
  tale.put(3, { ...key(2), v: { N: '3' } });
  await tale.load();
  lake.way = 'mark';
  for (const h of [0, 1, 2]) expect((await tale.merge(h)).action).toBe('applied');
  expect(await foreign.files()).toHaveLength(4);
  await isAt(3);
  lake.way = 'rewrite';
  expect(await tale.merge(3)).toMatchObject({ updated: 1, inserted: 0 });
  expect(await foreign.files()).toHaveLength(1);
  await isAt(4);
});

it('a retyped column takes rows and deletes of all files along', async () => {
  lake.way = 'mark';
  for (let n = 0; n < 30; n++) tale.put(-1, { ...key(n), v: { N: `${n}` } });
  tale.put(0, { ...key(3), v: { N: '33' } });
  tale.delete(0, key(4));
  tale.put(1, { ...key(5), v: { N: '0.25' } });
  tale.put(2, { ...key(3), v: { N: '0.5' } });
  await lake.load(await tale.full(0), { key: ['pk'], buckets: 2 });
  expect((await tale.merge(0)).action).toBe('applied');
  expect((await foreign.live()).positionDeletes.length).toBeGreaterThan(0);
  expect(await tale.merge(1)).toMatchObject({ action: 'applied', retypedColumns: ['v'] });
  expect((await foreign.live()).positionDeletes).toEqual([]);
  await isAt(2);
  expect(await tale.merge(2)).toMatchObject({ action: 'applied', updated: 1 });
  await isAt(3);
  const options = { ...lake.target, table: 'tale', column: 'v', type: 'string' };
  expect((await setColumnType(lake.world, options)).action).toBe('retyped');
  expect((await foreign.live()).positionDeletes).toEqual([]);
  expect(await lake.items()).toEqual(expectedItems(tale.table, hour(3)));
});

it('deletes of another program for one file are taken over into ours', async () => {
  for (let n = 10; n < 30; n++) tale.put(-1, { pk: { S: `k${n}` }, n: { N: `${n}` } });
  tale.put(0, { pk: { S: 'k15' }, n: { N: '1500' } });
  await tale.load();
  const [file] = await foreign.files();
  const { path } = file!.file;
  // Two rows move to a file of the other program.
  const back = await foreign.file(foreign.select(file!, "pk IN ('k11', 'k20')"), 2);
  const deletes = await foreign.deletes(new Map([[path, [1, 10]]]), { referencedDataFile: path });
  await foreign.commit('replace', { added: [back, deletes] });
  lake.way = 'mark';
  expect(await tale.merge(0)).toMatchObject({ updated: 1, inserted: 0 });
  const { positionDeletes } = await foreign.live();
  expect(positionDeletes.map((one) => [targetOf(one), one.file.recordCount])).toEqual([[path, 3n]]);
  await isAt(1);
});

it('a new epoch says how many rows were there before it, marked ones left out', async () => {
  lake.way = 'mark';
  for (let n = 0; n < 40; n++) tale.put(-1, key(n));
  for (let n = 0; n < 5; n++) tale.delete(0, key(n));
  await lake.load(await tale.full(0), { key: ['pk'] });
  await tale.merge(0);
  expect(await foreign.live()).toMatchObject({ positionDeletes: [{}] });
  const loaded = await lake.load(await tale.full(2), { key: ['pk'] });
  expect(loaded).toMatchObject({ action: 'loaded', rows: 35 });
  const rows = await log(lake.world, lake.target);
  expect(rows.map((one) => [one.kind, one.rows, one.deleted])).toEqual([
    ['load', 40, 0],
    ['merge', 35, 5],
    ['load', 35, 35],
  ]);
});
