// Compaction: which partitions are written anew, that rows and times stay, and what others may do meanwhile.
// Source: apache/iceberg format/spec.md, "Snapshots" (operation `replace`); DESIGN.md, "The table".

import { describe, expect, it } from 'vitest';
import { mergeExports, type ObjectStore } from '../../pipeline/index.js';
import { verify } from '../../pipeline/inspect/verify.js';
import { liveFiles } from '../../pipeline/lake/iceberg/live-files.js';
import { currentSnapshot, specById } from '../../pipeline/lake/iceberg/metadata.js';
import type { AddedFile } from '../../pipeline/lake/iceberg/snapshot-builder.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import { readLiveTable } from '../../pipeline/merge/merge-plan.js';
import type { CompactReport } from '../../pipeline/reports.js';
import { type CompactOptions, compactTable } from '../../pipeline/upkeep/compact.js';
import { writeCompacted } from '../../pipeline/upkeep/write-compacted.js';
import { readColumns } from '../../transforms/column-map.js';
import { ForeignWriter } from '../scenarios/foreign-writer.js';
import { DiskStory, expectedItems, StoryLake, worldOver } from '../scenarios/story-world.js';
import { hour, Tale } from '../scenarios/tale.js';
import { scatter } from './scatter.js';

async function compact(
  lake: StoryLake,
  more: Partial<CompactOptions> = {},
): Promise<readonly CompactReport[]> {
  const reports: CompactReport[] = [];
  for await (const report of compactTable(lake.world, { ...lake.target, ...more }))
    reports.push(report);
  return reports;
}

/** A loaded table of 24 rows in two buckets, with three windows to come. */
async function start(lake: StoryLake, buckets = 2): Promise<Tale> {
  const tale = new Tale(lake);
  for (let n = 0; n < 24; n++) tale.put(-1, { pk: { S: `k${n}` }, n: { N: `${n}` } });
  for (let h = 0; h < 3; h++) {
    tale.put(h, { pk: { S: `k${h}` }, n: { N: '100' } });
    tale.delete(h, { pk: { S: `k${h + 5}` } });
    tale.put(h, { pk: { S: `new${h}` } });
  }
  await lake.load(await tale.full(0), { key: ['pk'], ...(buckets > 1 ? { buckets } : {}) });
  return tale;
}

function inMemory(): StoryLake {
  return new StoryLake(worldOver(new MemoryStore(), { seed: 'compact' }));
}

async function current(lake: StoryLake): ReturnType<typeof liveFiles> {
  const { md, location } = await lake.open();
  return liveFiles(lake.world.store, md, currentSnapshot(md), location);
}

describe('small files', () => {
  it('become one in each bucket, in one commit a bucket, and rows, instants and the chain go on', async () => {
    const lake = inMemory();
    const tale = await start(lake);
    await tale.merge(0);
    const before = await lake.snapshots();
    await scatter(lake, 5);
    expect((await current(lake)).data).toHaveLength(10);
    const reports = await compact(lake);
    expect(reports.map(({ partition }) => partition).sort()).toEqual([
      'pk_bucket=0',
      'pk_bucket=1',
    ]);
    for (const one of reports) {
      expect(one).toMatchObject({ action: 'compacted', filesBefore: 5, filesAfter: 1 });
      expect(one.reasons).toEqual(['small']);
    }
    expect(reports.reduce((sum, { rows }) => sum + rows, 0)).toBe(24);
    expect((await current(lake)).data).toHaveLength(2);
    expect(await lake.snapshots()).toBe(before + 3);
    const { md } = await lake.open();
    expect(currentSnapshot(md)!.summary).toMatchObject({
      operation: 'replace',
      'tidelake.kind': 'compact',
    });
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(1)));
    // Time travel to the hour before, and the window after, as if nothing had been.
    expect(await lake.items(new Date(hour(0)).toISOString())).toEqual(
      expectedItems(tale.table, hour(0)),
    );
    expect(await tale.merge(1)).toMatchObject({ action: 'applied' });
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(2)));
    expect(await compact(lake)).toEqual([]);
  });

  it('of one bucket only, when it is named; nothing is written in a dry run', async () => {
    const lake = inMemory();
    await start(lake);
    await scatter(lake, 3);
    const planned = await compact(lake, { dryRun: true });
    expect(planned.map(({ action, filesAfter }) => [action, filesAfter])).toEqual([
      ['planned', null],
      ['planned', null],
    ]);
    expect((await current(lake)).data).toHaveLength(6);
    expect(await compact(lake, { partition: 'pk_bucket=1' })).toHaveLength(1);
    expect((await current(lake)).data).toHaveLength(4);
    await expect(compact(lake, { partition: 'pk_bucket=7' })).rejects.toMatchObject({
      code: 'USAGE',
    });
  });

  it('are left while there are fewer than is asked for', async () => {
    const lake = inMemory();
    await start(lake);
    await scatter(lake, 3);
    const when = { smallFilesMin: 4, deleteFilesMin: 1 };
    expect(await compact(lake, { when })).toEqual([]);
  });

  it('a partition that is named after values of a key is not named in the report', async () => {
    const lake = inMemory();
    const tale = new Tale(lake);
    for (let n = 0; n < 8; n++) tale.put(-1, { pk: { S: `day ${n % 2} of ${n}` } });
    await lake.load(await tale.full(0), { key: ['pk'], partition: 'truncate(pk, 5)' });
    await scatter(lake, 2);
    const reports = await compact(lake);
    expect(reports.map(({ partition }) => partition)).toEqual([null, null]);
  });
});

describe('row groups', () => {
  it('of a good size are copied, small ones become one, and those that lose rows are written anew', async () => {
    const lake = inMemory();
    const tale = await start(lake, 1);
    await scatter(lake, 5);
    const { world } = lake;
    const open = await lake.open();
    const table = readColumns(open.md, open.md['current-schema-id']);
    const { partitions } = await readLiveTable(world, open);
    const partition = partitions[0]!;
    const write = (groupRowsMax: number, files = partition.files) =>
      writeCompacted(
        world,
        {
          location: open.md.location,
          before: table,
          table,
          spec: specById(open.md, partition.specId),
          specId: partition.specId,
          groupRowsMax,
          written: [],
        },
        { ...partition, files },
      );
    const groups = (files: readonly AddedFile[]): (number | undefined)[] =>
      files.map(({ splitOffsets }) => splitOffsets?.length);
    // Five groups of four or five rows: as they are where eight are the most, and one where a hundred are.
    const copied = await write(8);
    expect(groups(copied)).toEqual([5]);
    expect(groups(await write(100))).toEqual([1]);
    const removed = partition.files.map(({ entry }) => entry.file.path);
    await new ForeignWriter(lake).commit('replace', { added: copied, removed });
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(0)));
    // Two rows are deleted in the second of them.
    const [first, second, ...others] = partition.files;
    const less = [first!, { ...second!, deleted: Int32Array.of(0, 2) }, ...others];
    const [file] = await write(8, less);
    expect(file!.recordCount).toBe(22n);
    expect(file!.splitOffsets).toHaveLength(5);
  });

  it('of new rows and marked ones become part of their partition again', {
    timeout: 60_000,
  }, async () => {
    const lake = DiskStory.open('marks');
    try {
      const tale = await start(lake, 2);
      for (let h = 0; h < 3; h++) {
        const exportUris = [await tale.window(h)];
        const accept = { acceptGap: false, acceptSeam: false };
        for await (const report of mergeExports(lake.world, {
          ...lake.target,
          ...accept,
          exportUris,
          way: 'mark',
        })) {
          expect(report.action).toBe('applied');
        }
      }
      expect((await current(lake)).positionDeletes.length).toBeGreaterThan(1);
      const reports = await compact(lake);
      expect(reports.map(({ reasons }) => reasons)).toEqual([
        ['small', 'deletes'],
        ['small', 'deletes'],
      ]);
      const live = await current(lake);
      expect(live.positionDeletes).toEqual([]);
      expect(live.data).toHaveLength(2);
      expect(await lake.items()).toEqual(expectedItems(tale.table, hour(3)));
      const [verified] = await verify(lake.world, lake.target);
      expect(verified!.checks.filter(({ ok }) => !ok)).toEqual([]);
    } finally {
      lake.close();
    }
  });
});

describe('files of other programs', () => {
  it('become ours, and position deletes are applied and leave', { timeout: 60_000 }, async () => {
    const lake = DiskStory.open('compact');
    try {
      const tale = await start(lake, 1);
      const foreign = new ForeignWriter(lake);
      const [file] = await foreign.files();
      // The same rows: some are deleted where they are, and stand in a file of their own.
      const moved = await foreign.file(foreign.select(file!, "pk < 'k2'"), 12);
      const keys = Array.from({ length: 24 }, (_, n) => `k${n}`).sort();
      const positions = keys.flatMap((key, i) => (key < 'k2' ? [i] : []));
      expect(positions).toHaveLength(12);
      const deletes = await foreign.deletes(new Map([[file!.file.path, positions]]));
      await foreign.commit('replace', { added: [moved, deletes] });
      const [report] = await compact(lake);
      expect(report).toMatchObject({ action: 'compacted', rows: 24, filesAfter: 1 });
      expect(report!.reasons).toEqual(['small', 'deletes', 'unordered']);
      const live = await current(lake);
      expect(live.positionDeletes).toEqual([]);
      expect(live.data).toHaveLength(1);
      const { partitions } = await readLiveTable(lake.world, await lake.open());
      expect(partitions[0]!.lastKeys).not.toBeNull();
      expect(await lake.items()).toEqual(expectedItems(tale.table, hour(0)));
      expect(await tale.merge(0)).toMatchObject({ action: 'applied' });
      expect(await lake.items()).toEqual(expectedItems(tale.table, hour(1)));
      const [verified] = await verify(lake.world, lake.target);
      expect(verified!.checks.filter(({ ok }) => !ok)).toEqual([]);
    } finally {
      lake.close();
    }
  });
});

describe('others who commit meanwhile', () => {
  /** The lake as a compaction sees it before whose first commit somebody else comes. */
  function outrun(base: ObjectStore, lake: StoryLake, rival: () => Promise<unknown>): StoryLake {
    let isDue = true;
    const store = new Proxy(base, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (name !== 'putIfAbsent') return typeof value === 'function' ? value.bind(target) : value;
        return async (uri: string, bytes: Uint8Array): Promise<'created' | 'exists'> => {
          if (isDue && /\/v\d+\.metadata\.json$/.test(uri)) {
            isDue = false;
            await rival();
          }
          return target.putIfAbsent(uri, bytes);
        };
      },
    });
    return lake.in(worldOver(store, { seed: 'outrun' }));
  }

  it('a window that changes another bucket costs nothing: what was written is committed upon it', async () => {
    const base = new MemoryStore();
    const lake = new StoryLake(worldOver(base, { seed: 'other' }));
    const tale = new Tale(lake);
    for (let n = 0; n < 24; n++) tale.put(-1, { pk: { S: `k${n}` }, n: { N: `${n}` } });
    await lake.load(await tale.full(0), { key: ['pk'], buckets: 2 });
    await scatter(lake, 3);
    // One that lies in bucket 1: found by where its file is.
    const { data } = await current(lake);
    const inOne = data.find(({ file }) => file.partition[0] === 1)!;
    const rows = Number(inOne.file.recordCount);
    expect(rows).toBeGreaterThan(0);
    const lower = [...inOne.file.lowerBounds.values()].map((one) => Buffer.from(one).toString());
    const key = lower.find((text) => /^k\d+$/.test(text))!;
    tale.put(0, { pk: { S: key }, n: { N: '7' } });
    const window = await tale.window(0);
    const mine = outrun(base, lake, () => lake.merge(window));
    const reports = await compact(mine, { partition: 'pk_bucket=0' });
    expect(reports.map(({ action }) => action)).toEqual(['compacted']);
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(1)));
    expect(await lake.snapshots()).toBe(4);
  });

  it('a window that changes the same bucket is looked at again, and kept', async () => {
    const base = new MemoryStore();
    const lake = new StoryLake(worldOver(base, { seed: 'same' }));
    const tale = await start(lake, 1);
    await scatter(lake, 3);
    const window = await tale.window(0);
    const reports = await compact(outrun(base, lake, () => lake.merge(window)));
    expect(reports.map(({ action }) => action)).toEqual(['compacted']);
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(1)));
    expect((await current(lake)).data).toHaveLength(1);
  });

  it('another program that changes rows ends it, and nothing is committed upon that', async () => {
    const base = new MemoryStore();
    const lake = new StoryLake(worldOver(base, { seed: 'foreign' }));
    await start(lake, 1);
    await scatter(lake, 3);
    const foreign = new ForeignWriter(lake);
    const [file] = await foreign.files();
    const rival = () => foreign.commit('delete', { removed: [file!.file.path] });
    await expect(compact(outrun(base, lake, rival))).rejects.toMatchObject({
      code: 'REFUSED_FOREIGN_WRITER',
    });
    expect(await lake.snapshots()).toBe(3);
  });

  /** The lake as a compaction sees it that is cut off right after its first commit: by `then`, and by reads that fail. */
  function cutOff(
    base: ObjectStore,
    lake: StoryLake,
    then: () => Promise<unknown>,
    areReadsLost: boolean,
  ): StoryLake {
    let isOver = false;
    const store = new Proxy(base, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return async (...given: unknown[]) => {
          if (isOver && areReadsLost && name === 'read') throw new Error('the network is gone');
          const done: unknown = await value.apply(target, given);
          if (!isOver && name === 'putIfAbsent' && /\/v\d+\.metadata\.json$/.test(`${given[0]}`)) {
            isOver = true;
            await then();
          }
          return done;
        };
      },
    });
    for (const name of ['stream', 'list'] as const) {
      Object.defineProperty(store, name, { value: base[name].bind(base) });
    }
    return lake.in(worldOver(store, { seed: 'cut off' }));
  }

  it.each([
    ['reads fail', true],
    ['another program changes rows', false],
  ])('what was committed keeps its files when %s right after', async (_, areReadsLost) => {
    const base = new MemoryStore();
    const lake = new StoryLake(worldOver(base, { seed: 'after' }));
    const tale = await start(lake, 1);
    await scatter(lake, 3);
    const foreign = new ForeignWriter(lake);
    const then = areReadsLost
      ? async (): Promise<void> => {}
      : () => foreign.commit('append', { added: [] });
    await expect(compact(cutOff(base, lake, then, areReadsLost))).rejects.toThrow();
    const { data } = await current(lake);
    expect(data).toHaveLength(1);
    for (const { file } of data) expect(await base.size(file.path)).not.toBeNull();
    if (areReadsLost) expect(await lake.items()).toEqual(expectedItems(tale.table, hour(0)));
  });
});
