// How exports are named: in any order, twice, by a parent folder, among other tables', and across epochs.
// Promises: windows are taken up in the order of time; what a folder holds besides is passed over, and said.
// Source: DESIGN.md, "The table: Apache Iceberg v2" (merge of a parent folder; load).

import { beforeEach, describe, expect, it } from 'vitest';
import { log } from '../../pipeline/index.js';
import { type Story, simulate } from '../../pipeline/simulator/index.js';
import { differences, expectedItems, memoryWorld, StoryLake } from './story-world.js';
import { hour, Tale } from './tale.js';

const same = { missing: [], extra: [] };
let lake: StoryLake;

beforeEach(() => {
  lake = new StoryLake(memoryWorld('arguments'));
});

async function mystore(name: string, windows: number): Promise<Story> {
  return simulate({
    store: lake.world.store,
    outUri: lake.exportsUri,
    dataset: 'mystore',
    items: 120,
    windows,
    seed: name,
    view: 'NEW_IMAGE',
    tableName: name,
    files: 2,
  });
}

describe('exports named one by one', () => {
  it('are applied in the order of time, whatever the order of arguments, each once', async () => {
    const story = await mystore('mystore', 4);
    await lake.load(story.full, { key: ['clientid', 'created'] });
    const uris = story.windows.map(({ folderUri }) => folderUri);
    const mixed = [uris[2]!, uris[0]!, `${uris[3]!}/manifest-summary.json`, uris[1]!, uris[0]!];
    const reports = await lake.merge(mixed);
    expect(reports.map(({ action }) => action)).toEqual(Array(4).fill('applied'));
    expect(reports.map(({ exportArn }) => exportArn)).toEqual(
      story.windows.map(({ exportArn }) => exportArn),
    );
    expect(await lake.items()).toEqual(expectedItems(story.table, story.windows[3]!.toMs));
  });

  it('stop at the first that does not fit; what was applied stays', async () => {
    const story = await mystore('mystore', 4);
    await lake.load(story.full, { key: ['clientid', 'created'] });
    const [first, , third, fourth] = story.windows.map(({ folderUri }) => folderUri);
    const reports = await lake.merge([fourth!, third!, first!]);
    expect(reports.map(({ action, error }) => [action, error?.code])).toEqual([
      ['applied', undefined],
      ['refused', 'REFUSED_GAP'],
    ]);
    expect(reports[1]!.watermark).toBe(new Date(story.windows[0]!.toMs).toISOString());
    expect(await lake.items()).toEqual(expectedItems(story.table, story.windows[0]!.toMs));
  });
});

describe('a parent folder', () => {
  it('gives the chain that reaches furthest, past other tables and full exports', async () => {
    const tale = new Tale(lake);
    for (let n = 0; n < 6; n++) tale.put(n - 1, { pk: { S: `k${n % 4}` }, v: { N: `${n}` } });
    const other = new Tale(lake, { name: 'other_table' });
    other.put(0, { pk: { S: 'not mine' } });
    await tale.load();
    await other.window(0);
    await tale.full(2);
    // Two ways on: one window of two hours that ends in a dead end, and hours that go on.
    await tale.window(0, 2);
    await tale.window(0, 1);
    await tale.window(1, 3);
    await tale.window(3, 4);
    const reports = await lake.merge(lake.exportsUri);
    const mine = reports.filter(({ table }) => table === 'tale');
    expect(
      mine.filter(({ action }) => action === 'applied').map(({ from, to }) => [from, to]),
    ).toEqual([
      [new Date(hour(0)).toISOString(), new Date(hour(1)).toISOString()],
      [new Date(hour(1)).toISOString(), new Date(hour(3)).toISOString()],
      [new Date(hour(3)).toISOString(), new Date(hour(4)).toISOString()],
    ]);
    expect(reports.some(({ action }) => action === 'refused')).toBe(false);
    expect(reports.filter(({ action }) => action === 'skipped').length).toBeGreaterThanOrEqual(3);
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(4)));
  });

  it('that lacks a window gives what comes before it, and says what is missing', async () => {
    const tale = new Tale(lake);
    for (let n = 0; n < 6; n++) tale.put(n - 1, { pk: { S: `k${n}` } });
    await tale.load();
    await tale.window(0);
    await tale.window(2);
    const reports = await lake.merge(lake.exportsUri);
    const told = reports.filter(({ action }) => action !== 'skipped');
    expect(told.map(({ action, error }) => [action, error?.code])).toEqual([
      ['applied', undefined],
      ['refused', 'REFUSED_GAP'],
    ]);
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(1)));
  });
});

it('two tables of one lake are each their own', async () => {
  const left = await mystore('left_store', 2);
  const right = await mystore('right_store', 2);
  const key = ['clientid', 'created'];
  await lake.load(left.full, { key });
  await lake.load(right.full, { key });
  const reports = await lake.merge(lake.exportsUri);
  expect(reports.filter(({ action }) => action === 'applied')).toHaveLength(4);
  for (const [table, story] of [
    ['left_store', left],
    ['right_store', right],
  ] as const) {
    const one = new StoryLake(lake.world, 'file:///story', table);
    expect(await one.items()).toEqual(expectedItems(story.table, hour(2)));
  }
});

it('a second full export begins a new epoch, windows go on, and time travel sees both', async () => {
  const { store } = lake.world;
  const story = await simulate({
    store,
    outUri: lake.exportsUri,
    dataset: 'wild',
    items: 50,
    windows: 4,
    seed: 'epochs',
    view: 'NEW_AND_OLD_IMAGES',
    keyShape: 'sb',
    changesPerWindow: 30,
    files: 2,
  });
  const { fullExport } = await import('../../pipeline/simulator/index.js');
  const [first, , third, fourth] = story.windows;
  await lake.load(story.full, { key: ['pk', 'sk'] });
  await lake.merge(first!.folderUri);
  const again = await fullExport({
    table: story.table,
    store,
    folderUri: lake.exportsUri,
    files: 3,
    atMicros: third!.fromMs * 1000,
  });
  const before = story.table.countAt(first!.toMs * 1000);
  const report = await lake.load(again.folderUri);
  expect(report).toMatchObject({ action: 'loaded', epoch: 2 });
  expect((await lake.load(again.folderUri)).action).toBe('nothing');
  expect(await lake.items()).toEqual(expectedItems(story.table, third!.fromMs));
  const merged = await lake.merge([fourth!.folderUri, third!.folderUri]);
  expect(merged.map(({ action }) => action)).toEqual(['applied', 'applied']);
  const rows = await log(lake.world, lake.target);
  expect(rows.map(({ kind, epoch }) => [kind, epoch])).toEqual([
    ['load', 1],
    ['merge', 1],
    ['load', 2],
    ['merge', 2],
    ['merge', 2],
  ]);
  expect(rows[2]).toMatchObject({ deleted: before, inserted: report.rows });
  for (const ms of [first!.fromMs, first!.toMs, third!.fromMs, third!.toMs, fourth!.toMs]) {
    const found = await lake.items(new Date(ms).toISOString());
    expect(differences(found, expectedItems(story.table, ms))).toEqual(same);
  }
  // A window before the epoch is no window of the chain any more.
  expect((await lake.merge(first!.folderUri))[0]!.error?.code).toBe('REFUSED_OVERLAP');
});
