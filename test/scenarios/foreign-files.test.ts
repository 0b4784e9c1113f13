// Files that other programs put into a table: position deletes, and data files of their own after a compaction.
// Promises: readers honour them; a merge goes on after row-preserving work only, and rewrites what it touches.
// Source: apache/iceberg format/spec.md, "Position Delete Files", "Scan Planning"; DESIGN.md, "The table".

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mergeExports, query, schema, status, verify } from '../../pipeline/index.js';
import { currentSnapshot } from '../../pipeline/lake/iceberg/metadata.js';
import { ForeignWriter } from './foreign-writer.js';
import { DiskStory, expectedItems, isMarking } from './story-world.js';
import { hour, Tale } from './tale.js';

let lake: DiskStory;
let tale: Tale;
let foreign: ForeignWriter;

beforeEach(async () => {
  lake = DiskStory.open('foreign');
  tale = new Tale(lake);
  foreign = new ForeignWriter(lake);
  for (let n = 10; n < 30; n++)
    tale.put(-1, { pk: { S: `k${n}` }, n: { N: `${n}` }, t: { SS: ['a'] } });
  tale.put(-1, { pk: { S: 'k30' }, n: { S: 'odd' }, nil: { NULL: true } });
  tale.put(0, { pk: { S: 'k15' }, n: { N: '1500' } });
  tale.put(0, { pk: { S: 'k99' }, n: { N: '9900' } });
  tale.delete(0, { pk: { S: 'k20' } });
  tale.put(1, { pk: { S: 'k12' }, n: { N: '0.5' } });
  await tale.load();
});
afterEach(() => lake.close());

const keyOf = (text: string): string => /"pk":\{"S":"([^"]*)"/.exec(text)![1]!;
const keysAt = (h: number): readonly string[] =>
  expectedItems(tale.table, hour(h)).map(keyOf).sort();

async function keysBySql(): Promise<readonly unknown[]> {
  const result = await query(lake.world, {
    ...lake.target,
    sql: 'SELECT pk FROM tale ORDER BY pk',
  });
  const keys: unknown[] = [];
  for await (const [key] of result.rows) keys.push(key);
  return keys;
}

async function failedChecks(): Promise<readonly string[]> {
  const [report] = await verify(lake.world, lake.target);
  return report!.checks.filter(({ ok }) => !ok).map(({ name }) => name);
}

/** Every reader has the table as it was at hour `h`. */
async function readsAs(h: number): Promise<void> {
  expect(await lake.items()).toEqual(expectedItems(tale.table, hour(h)));
  expect(await keysBySql()).toEqual(keysAt(h));
  const [row] = await status(lake.world, lake.target);
  expect(row).toMatchObject({ rows: keysAt(h).length, health: 'ok', problem: null });
  const key = (await schema(lake.world, lake.target)).find(({ attribute }) => attribute === 'pk');
  expect(key!.present).toBe(keysAt(h).length);
  expect(await failedChecks()).toEqual([]);
}

describe.each([true, false])(
  'position deletes of another program (for one data file: %s)',
  (scoped) => {
    const bound = (path: string): { readonly referencedDataFile: string | null } => ({
      referencedDataFile: scoped ? path : null,
    });

    it('are honoured by unload, query, status and verify, and stop merges', async () => {
      const [file] = await foreign.files();
      const { path } = file!.file;
      // Rows lie in the order of keys: 0 is k10, 5 is k15, 20 is k30.
      const targets = new Map([[path, [0, 5, 20]]]);
      await foreign.commit('delete', { added: [await foreign.deletes(targets, bound(path))] });
      const left = expectedItems(tale.table, hour(0)).filter(
        (item) => !['k10', 'k15', 'k30'].includes(keyOf(item)),
      );
      expect(left).toHaveLength(18);
      expect(await lake.items()).toEqual(left);
      expect(await keysBySql()).toEqual(left.map(keyOf).sort());
      const [row] = await status(lake.world, lake.target);
      expect(row).toMatchObject({ rows: 18, health: 'refused' });
      // Nothing is wrong with the files; only the watermark speaks of rows that are no longer there.
      expect(await failedChecks()).toEqual([
        'the metadata is consistent',
        'the windows form one chain',
      ]);
      const [report] = await lake
        .merge(await tale.window(0))
        .catch((error: { code: string }) => [{ action: 'refused', error }]);
      expect(report!.error).toMatchObject({ code: 'REFUSED_FOREIGN_WRITER' });
      // The state before is still there to travel to.
      const start = new Date(hour(0)).toISOString();
      expect(await lake.items(start)).toEqual(expectedItems(tale.table, hour(0)));
    });

    it('stay deleted when a merge rewrites their file, and when a column is retyped', async () => {
      // Deletes that came as row-preserving work: some other file brings the same rows back.
      const [file] = await foreign.files();
      const { path } = file!.file;
      const back = await foreign.file(foreign.select(file!, "pk IN ('k10', 'k15', 'k30')"), 3);
      const deletes = await foreign.deletes(new Map([[path, [0, 5, 20]]]), bound(path));
      await foreign.commit('replace', { added: [back, deletes] });
      await readsAs(0);
      expect(await tale.merge(0)).toMatchObject({
        action: 'applied',
        inserted: 1,
        updated: 1,
        deleted: 1,
      });
      await readsAs(1);
      expect(await tale.merge(1)).toMatchObject({ action: 'applied', retypedColumns: ['n'] });
      await readsAs(2);
    });

    it('count once however often they are written, and not for files that are gone', async () => {
      // A file of the same rows in the same order, then deletes, some twice, some beyond it, of rows a third file has.
      const [file] = await foreign.files();
      const twin = await foreign.file(foreign.select(file!), 21);
      const before = file!.file.path;
      await foreign.commit('replace', { added: [twin], removed: [before] });
      const back = await foreign.file(foreign.select(file!, "pk IN ('k10', 'k11')"), 2);
      const twice = await foreign.deletes(
        new Map([
          [twin.path, [0, 0, 1, 21, 999]],
          ...(scoped ? [] : ([[before, [3, 4]]] as const)),
        ]),
        bound(twin.path),
      );
      await foreign.commit('replace', { added: [back, twice] });
      await readsAs(0);
      expect((await tale.merge(0)).action).toBe('applied');
      await readsAs(1);
      if (isMarking()) return;
      // All were of files that the merge has rewritten.
      expect((await foreign.live()).positionDeletes).toEqual([]);
      const { summary } = currentSnapshot((await lake.open()).md)!;
      expect(summary).toMatchObject({
        'total-delete-files': '0',
        'total-position-deletes': '0',
        'removed-delete-files': '1',
      });
    });
  },
);

it.skipIf(isMarking())(
  'leaves delete files alone as long as they delete rows of a file that stays',
  async () => {
    tale.put(2, { pk: { S: 'k12' }, n: { N: '7' } });
    await lake.load(await tale.full(2), { buckets: 4 });
    const files = await foreign.files();
    expect(files.length).toBeGreaterThan(1);
    // The first row of each file moves to a file of another program.
    const added = [];
    for (const one of files) {
      const place = { partition: one.file.partition, specId: one.specId };
      const first = foreign
        .select(one, 'file_row_number = 0')
        .replace('*', '* EXCLUDE file_row_number');
      added.push(
        await foreign.file(first.replace('hive_', 'file_row_number = true, hive_'), 1, {
          facts: place,
        }),
        await foreign.deletes(new Map([[one.file.path, [0]]]), {
          ...place,
          referencedDataFile: one.file.path,
        }),
      );
    }
    await foreign.commit('replace', { added });
    await readsAs(2);
    // One key changes: one partition is written anew, and only its delete file goes.
    expect(await tale.merge(2)).toMatchObject({
      action: 'applied',
      updated: 1,
      retypedColumns: [],
    });
    expect((await foreign.live()).positionDeletes).toHaveLength(files.length - 1);
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(3)));
    await readsAs(3);
  },
);

it('goes on after a compaction by another program, into files without our index and order', async () => {
  const [file] = await foreign.files();
  await foreign.commit('replace', {
    added: [
      await foreign.file(`${foreign.select(file!, 'n % 2 = 0')} ORDER BY pk DESC`, 10, {
        options: ", CODEC 'snappy'",
      }),
      await foreign.file(
        `${foreign.select(file!, 'n % 2 = 1 OR n IS NULL')} ORDER BY n % 7, pk`,
        11,
        {
          options: ", CODEC 'zstd'",
        },
      ),
    ],
    removed: [file!.file.path],
  });
  await readsAs(0);
  expect(await tale.merge(0)).toMatchObject({
    action: 'applied',
    inserted: 1,
    updated: 1,
    deleted: 1,
  });
  await readsAs(1);
  expect((await tale.merge(1)).action).toBe('applied');
  await readsAs(2);
});

it.each(['uncompressed', 'gzip', 'lz4_raw'])(
  'merges into files that another program compressed with %s',
  async (codec) => {
    const [file] = await foreign.files();
    const added = [
      await foreign.file(foreign.select(file!), 21, { options: `, CODEC '${codec}'` }),
    ];
    await foreign.commit('replace', { added, removed: [file!.file.path] });
    expect((await tale.merge(0)).action).toBe('applied');
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(1)));
  },
);

it('refuses a file whose columns have no field ids', async () => {
  const [file] = await foreign.files();
  const added = [await foreign.file(foreign.select(file!), 21, { ids: '' })];
  await foreign.commit('replace', { added, removed: [file!.file.path] });
  expect(await tale.merge(0)).toMatchObject({
    action: 'refused',
    error: { code: 'REFUSED_FORMAT' },
  });
});

describe('files of ours in one partition', () => {
  /** Two files of ours with disjoint keys: that of a first epoch, put beside that of the second, and adopted. */
  async function twoFiles(): Promise<readonly [string, string]> {
    const [low] = await foreign.files();
    for (let n = 10; n < 31; n++) tale.delete(3, { pk: { S: `k${n}` } });
    tale.delete(3, { pk: { S: 'k99' } });
    for (let n = 50; n < 60; n++) tale.put(3, { pk: { S: `k${n}` }, n: { N: `${n}` } });
    await lake.load(await tale.full(4));
    const [high] = await foreign.files();
    await adopt(await foreign.commit('append', { added: [{ ...low!.file, specId: low!.specId }] }));
    return [low!.file.path, high!.file.path];
  }

  async function adopt(id: bigint): Promise<void> {
    // No window is needed for it: one that the lake knows will do.
    const exportUris = [await tale.window(4)];
    const options = { ...lake.target, exportUris, acceptGap: false, acceptSeam: false };
    for await (const { action } of mergeExports(lake.world, { ...options, adoptSnapshot: id })) {
      expect(action).toBe('applied');
    }
  }

  it('stay as they are while no change touches them, and delete files go with the rows they deleted', async () => {
    const [low, high] = await twoFiles();
    // One delete file for any file of the partition, with a position in the high one only: k55 moves to the low keys.
    const deletes = await foreign.deletes(new Map([[high, [5]]]));
    await foreign.commit('delete', { added: [deletes] });
    tale.put(5, { pk: { S: 'k57' }, n: { N: '1' } });
    const id = (await lake.open()).md['current-snapshot-id']!;
    const options = { ...lake.target, acceptGap: false, acceptSeam: false, adoptSnapshot: id };
    for await (const report of mergeExports(lake.world, {
      ...options,
      exportUris: [await tale.window(5)],
    })) {
      expect(report).toMatchObject({ action: 'applied', updated: 1, inserted: 0 });
    }
    const paths = (await foreign.files()).map(({ file }) => file.path);
    expect(paths).toHaveLength(2);
    expect(paths).toContain(low);
    expect(paths).not.toContain(high);
    expect((await foreign.live()).positionDeletes).toEqual([]);
    const keys = [
      ...Array.from({ length: 21 }, (_, i) => `k${10 + i}`),
      ...Array.from({ length: 10 }, (_, i) => `k${50 + i}`),
    ];
    expect(await keysBySql()).toEqual(keys.filter((key) => key !== 'k55'));
    expect(await failedChecks()).toEqual([]);
  });
});

it('takes deleted rows out of row groups that no change touches', async () => {
  // Enough rows for two row groups in the file.
  for (let n = 0; n < 17_000; n++) tale.put(3, { pk: { S: `m${10_000 + n}` } });
  await lake.load(await tale.full(4));
  const [file] = await foreign.files();
  // Rows 0 to 19 are k10 to k30 without k20, row 20 is k99, row 21 m10000, and so on.
  const deletes = await foreign.deletes(new Map([[file!.file.path, [21, 16_021]]]));
  const id = await foreign.commit('delete', { added: [deletes] });
  tale.put(4, { pk: { S: 'k12' }, n: { N: '4' } });
  tale.put(5, { pk: { S: 'm26999' }, n: { N: '5' } });
  // 21 rows of before and the 17,000, less the two.
  const left = [17_021 - 2, 0];
  const options = { ...lake.target, acceptGap: false, acceptSeam: false, adoptSnapshot: id };
  for await (const report of mergeExports(lake.world, {
    ...options,
    exportUris: [await tale.window(4)],
  })) {
    expect(report).toMatchObject({ action: 'applied', inserted: 0, updated: 1 });
  }
  expect(await counts()).toEqual(left);
  expect((await tale.merge(5)).action).toBe('applied');
  expect(await counts()).toEqual(left);
  if (!isMarking()) expect((await foreign.live()).positionDeletes).toEqual([]);

  async function counts(): Promise<readonly unknown[]> {
    const deleted = "count(*) FILTER (pk IN ('m10000', 'm26000'))";
    const sql = `SELECT count(*), ${deleted} FROM tale`;
    for await (const row of (await query(lake.world, { ...lake.target, sql })).rows) return row;
    return [];
  }
});
