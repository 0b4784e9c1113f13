// The chain: a full export, then window after window, for every key shape and both views, against the simulator's states.
// Promises: after each act the lake unloads to exactly the simulated state; what was merged once is never merged again.
// Source: DESIGN.md, "The table: Apache Iceberg v2" (window rule).

import { describe, expect, it } from 'vitest';
import { log } from '../../pipeline/index.js';
import { type KeyShape, keyShapes, simulate } from '../../pipeline/simulator/index.js';
import { differences, expectedItems, expectedKeys, memoryWorld, StoryLake } from './story-world.js';

const keyOf = (shape: KeyShape): string[] => (shape.length === 1 ? ['pk'] : ['pk', 'sk']);
const same = { missing: [], extra: [] };

/** Every key shape with one of the views, and some with both: a wild table has hundreds of columns, which takes its time. */
const cases = keyShapes.flatMap((keyShape, i) => {
  const views = ['NEW_AND_OLD_IMAGES', 'NEW_IMAGE'] as const;
  const both = keyShape === 'sn' || keyShape === 'b';
  return (both ? views : [views[i % 2]!]).map((view) => ({
    keyShape,
    view,
    windows: both ? 2 : 3,
  }));
});

describe.each(cases)('the wild table with key shape $keyShape and $view', (given) => {
  const { keyShape, view, windows } = given;
  it('comes back exactly after the load and after each window', async () => {
    const world = memoryWorld(`${keyShape} ${view}`);
    const lake = new StoryLake(world);
    const story = await simulate({
      store: world.store,
      outUri: lake.exportsUri,
      dataset: 'wild',
      items: 50,
      windows,
      seed: `chain ${keyShape}`,
      view,
      keyShape,
      changesPerWindow: 30,
      files: 2,
    });
    const loaded = await lake.load(story.full, { key: keyOf(keyShape) });
    const startMs = story.windows[0]!.fromMs;
    expect(loaded).toMatchObject({ action: 'loaded', epoch: 1, seam: false });
    expect(loaded.rows).toBe(story.table.countAt(startMs * 1000));
    expect(differences(await lake.items(), expectedItems(story.table, startMs))).toEqual(same);

    for (const window of story.windows) {
      const [report] = await lake.merge(window.folderUri);
      expect(report).toMatchObject({
        action: 'applied',
        ...expectedKeys(story.table, window.fromMs, window.toMs),
        error: null,
      });
      expect(report!.inserted! + report!.updated! + report!.deleted!).toBe(window.itemCount);
      expect(differences(await lake.items(), expectedItems(story.table, window.toMs))).toEqual(
        same,
      );
    }

    // Nothing is done twice: not the load, not any window, not all of them through their parent folder.
    const before = await lake.snapshots();
    expect(before).toBe(1 + story.windows.length);
    expect((await lake.load(story.full)).action).toBe('nothing');
    for (const window of story.windows) {
      expect((await lake.merge(window.folderUri))[0]!.action).toBe('known');
    }
    const all = await lake.merge(lake.exportsUri);
    expect(all.map((report) => report.action).sort()).toEqual([
      ...Array(windows).fill('known'),
      'skipped',
    ]);
    expect(await lake.snapshots()).toBe(before);

    const rows = await log(world, lake.target);
    expect(rows.map(({ kind }) => kind)).toEqual(['load', ...Array(windows).fill('merge')]);
    expect(rows.map(({ rows: count }) => count)).toEqual([
      story.table.countAt(startMs * 1000),
      ...story.windows.map(({ toMs }) => story.table.countAt(toMs * 1000)),
    ]);
    expect(rows.slice(1).map(({ inserted, deleted }) => ({ inserted, deleted }))).toEqual(
      story.windows.map(({ fromMs, toMs }) => expectedKeys(story.table, fromMs, toMs)),
    );

    // A snapshot's time is its data's, so that engines travel in it as we do.
    const { md } = await lake.open();
    expect(md.snapshots.map((snapshot) => snapshot['timestamp-ms'])).toEqual([
      startMs,
      ...story.windows.map(({ toMs }) => toMs),
    ]);

    // Data time travels through schemas that changed meanwhile.
    const { toMs } = story.windows[0]!;
    const then = await lake.items(new Date(toMs).toISOString());
    expect(differences(then, expectedItems(story.table, toMs))).toEqual(same);
  });
});
