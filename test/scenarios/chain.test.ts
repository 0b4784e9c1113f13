// The chain: a full export, then window after window, for every key shape and both views, against the simulator's states.
// Promises: after each act the lake unloads to exactly the simulated state; what was merged once is never merged again.
// Source: DESIGN.md, "The table: Apache Iceberg v2" (window rule).

import { describe, expect, it } from 'vitest';
import { log } from '../../pipeline/index.js';
import { type KeyShape, keyShapes, simulate } from '../../pipeline/simulator/index.js';
import { differences, expectedItems, expectedKeys, memoryWorld, StoryLake } from './story-world.js';

const keyOf = (shape: KeyShape): string[] => (shape.length === 1 ? ['pk'] : ['pk', 'sk']);
const same = { missing: [], extra: [] };

describe.each(keyShapes)('the wild table with key shape %s', (keyShape) => {
  it.each(['NEW_AND_OLD_IMAGES', 'NEW_IMAGE'] as const)(
    'comes back exactly after the load and after each window (%s)',
    async (view) => {
      const world = memoryWorld(`${keyShape} ${view}`);
      const lake = new StoryLake(world);
      const story = await simulate({
        store: world.store,
        outUri: lake.exportsUri,
        dataset: 'wild',
        items: 60,
        windows: 3,
        seed: `chain ${keyShape}`,
        view,
        keyShape,
        changesPerWindow: 40,
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
        'known',
        'known',
        'known',
        'skipped',
      ]);
      expect(await lake.snapshots()).toBe(before);

      const rows = await log(world, lake.target);
      expect(rows.map(({ kind }) => kind)).toEqual(['load', 'merge', 'merge', 'merge']);
      expect(rows.map(({ rows: count }) => count)).toEqual([
        story.table.countAt(startMs * 1000),
        ...story.windows.map(({ toMs }) => story.table.countAt(toMs * 1000)),
      ]);
      expect(rows.slice(1).map(({ inserted, deleted }) => ({ inserted, deleted }))).toEqual(
        story.windows.map(({ fromMs, toMs }) => expectedKeys(story.table, fromMs, toMs)),
      );

      // Data time travels through schemas that changed meanwhile.
      for (const { toMs } of story.windows) {
        const asOf = new Date(toMs).toISOString();
        expect(differences(await lake.items(asOf), expectedItems(story.table, toMs))).toEqual(same);
      }
      const start = new Date(startMs).toISOString();
      expect(differences(await lake.items(start), expectedItems(story.table, startMs))).toEqual(
        same,
      );
    },
  );
});
