// What upkeep is due: nothing in a fresh table, and nothing again right after it was done.
// Source: docs/how-to/upkeep.md.

import { expect, it } from 'vitest';
import { liveFiles } from '../../pipeline/lake/iceberg/live-files.js';
import { currentSnapshot } from '../../pipeline/lake/iceberg/metadata.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import {
  type UpkeepAction,
  type UpkeepWhen,
  upkeepDue,
  usualUpkeep,
} from '../../pipeline/upkeep/upkeep-due.js';
import { upkeepTable } from '../../pipeline/upkeep/upkeep-table.js';
import { expectedItems, StoryLake, worldOver } from '../scenarios/story-world.js';
import { hour, Tale } from '../scenarios/tale.js';
import { scatter } from './scatter.js';

const nowMs = hour(1000);
const usual = usualUpkeep({ keepMs: 0, keepSnapshots: 2, graceMs: 0 });
const soon: UpkeepWhen = { ...usual, expiredMin: 3, smallFilesMin: 4 };

async function lakeOf(windows: number): Promise<{ lake: StoryLake; tale: Tale }> {
  const lake = new StoryLake(worldOver(new MemoryStore(), { seed: 'due', nowMs }));
  const tale = new Tale(lake);
  for (let n = 0; n < 12; n++) tale.put(-1, { pk: { S: `k${n}` } });
  await lake.load(await tale.full(0), { key: ['pk'] });
  for (let h = 0; h < windows; h++) await lake.merge(await tale.window(h));
  return { lake, tale };
}

async function due(
  lake: StoryLake,
  when: UpkeepWhen,
  metadataFiles = 1,
): Promise<readonly UpkeepAction[]> {
  const open = await lake.open();
  const live = await liveFiles(lake.world.store, open.md, currentSnapshot(open.md), open.location);
  return upkeepDue({ open, live, metadataFiles, nowMs }, when);
}

it('is nothing for a table that was just loaded, nor for a few windows after', async () => {
  const { lake } = await lakeOf(4);
  expect(await due(lake, usual)).toEqual([]);
});

it('is an expiry once enough snapshots may leave', async () => {
  const { lake } = await lakeOf(3);
  expect(await due(lake, soon)).toEqual([]);
  await lake.merge(await new Tale(lake).window(3));
  expect(await due(lake, soon)).toEqual([{ kind: 'expire', snapshots: 3, metadataFiles: 0 }]);
});

it('is an expiry once enough metadata files have left the log', async () => {
  const { lake } = await lakeOf(1);
  // The current one and one in the log are no reason.
  expect(await due(lake, usual, 2 + 199)).toEqual([]);
  expect(await due(lake, usual, 2 + 200)).toMatchObject([{ kind: 'expire', metadataFiles: 200 }]);
});

it('is a compaction once a partition has many small files, and first of all', async () => {
  const { lake } = await lakeOf(5);
  await scatter(lake, 3);
  expect((await due(lake, soon)).map(({ kind }) => kind)).toEqual(['expire']);
  await scatter(lake, 2);
  const actions = await due(lake, soon);
  expect(actions.map(({ kind }) => kind)).toEqual(['compact', 'expire']);
  expect(actions[0]).toMatchObject({ partitions: 1 });
});

it('is nothing any more when it was done, and nothing is begun that is forbidden', async () => {
  const { lake, tale } = await lakeOf(5);
  await scatter(lake, 4);
  const target = { ...lake.target, table: 'tale' };
  expect(await upkeepTable(lake.world, target, soon, () => false)).toEqual({
    compacted: [],
    expired: null,
    error: null,
  });
  const report = await upkeepTable(lake.world, target, soon);
  expect(report.compacted.map(({ action }) => action)).toEqual(['compacted']);
  expect(report.expired).toMatchObject({ action: 'expired' });
  expect(await due(lake, soon)).toEqual([]);
  expect(await upkeepTable(lake.world, target, soon)).toEqual({
    compacted: [],
    expired: null,
    error: null,
  });
  expect(await lake.items()).toEqual(expectedItems(tale.table, hour(5)));
});
