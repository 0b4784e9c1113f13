// Two runs of the same command at once: a rival that commits at the very moment this one wants to.
// Promises: one window is one snapshot, whoever wins; the loser looks again and finds its work done.
// Source: DESIGN.md, "The table: Apache Iceberg v2" (after a lost race).

import { expect, it } from 'vitest';
import type { ObjectStore } from '../../pipeline/index.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import { expectedItems, isMarking, StoryLake, worldOver } from './story-world.js';
import { hour, Tale } from './tale.js';

/** A store that lets a rival run, once, right before the first metadata file is published. */
function withRival(store: ObjectStore, rival: () => Promise<unknown>): ObjectStore {
  let isDone = false;
  return new Proxy(store, {
    get(target, name) {
      if (name === 'putIfAbsent') {
        return async (uri: string, bytes: Uint8Array): Promise<'created' | 'exists'> => {
          if (!isDone && /\/v\d+\.metadata\.json$/.test(uri)) {
            isDone = true;
            await rival();
          }
          return target.putIfAbsent(uri, bytes);
        };
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

async function start(): Promise<{ store: MemoryStore; lake: StoryLake; tale: Tale }> {
  const store = new MemoryStore();
  const lake = new StoryLake(worldOver(store, { seed: 'rival' }));
  const tale = new Tale(lake);
  for (let n = 0; n < 9; n++) tale.put(-1, { pk: { S: `k${n}` }, n: { N: `${n}` } });
  for (let h = 0; h < 3; h++) {
    tale.put(h, { pk: { S: `k${h}` }, n: { N: '100' } });
    tale.delete(h, { pk: { S: `k${h + 5}` } });
  }
  return { store, lake, tale };
}

/** Files of one merge: the new rows, and the delete file of the old ones. */
const filesOfMerge = isMarking() ? 2 : 1;

/** Paths of data files below the lake. */
async function dataFiles(store: ObjectStore, lake: StoryLake): Promise<number> {
  let count = 0;
  for await (const { uri } of store.list(lake.lake)) if (uri.endsWith('.parquet')) count++;
  return count;
}

it('makes one snapshot of one window that two runs merge at once', async () => {
  const { store, lake, tale } = await start();
  await tale.load(0);
  const window = await tale.window(0);
  const racing = withRival(store, async () => {
    expect((await lake.merge(window))[0]!.action).toBe('applied');
  });
  const mine = lake.in(worldOver(racing, { seed: 'mine' }));
  expect((await mine.merge(window))[0]).toMatchObject({ action: 'known', error: null });
  expect(await lake.snapshots()).toBe(2);
  expect(await lake.items()).toEqual(expectedItems(tale.table, hour(1)));
  expect(await dataFiles(store, lake)).toBe(1 + filesOfMerge);
});

it('applies the windows that the rival left', async () => {
  const { store, lake, tale } = await start();
  await tale.load(0);
  const windows = [await tale.window(0), await tale.window(1), await tale.window(2)];
  const racing = withRival(store, () => lake.merge(windows.slice(0, 2)));
  const mine = lake.in(worldOver(racing, { seed: 'mine' }));
  const actions = (await mine.merge(windows)).map(({ action }) => action);
  expect(actions).toEqual(['known', 'known', 'applied']);
  expect(await lake.snapshots()).toBe(4);
  expect(await lake.items()).toEqual(expectedItems(tale.table, hour(3)));
});

it('makes one epoch of one full export that two runs load at once', async () => {
  const { store, lake, tale } = await start();
  const full = await tale.full(0);
  const racing = withRival(store, () => lake.load(full, { key: ['pk'] }));
  const mine = lake.in(worldOver(racing, { seed: 'mine' }));
  expect(await mine.load(full, { key: ['pk'] })).toMatchObject({ action: 'nothing', epoch: 1 });
  expect((await mine.load(full, { key: ['pk'] })).action).toBe('nothing');
  expect(await lake.snapshots()).toBe(1);
  expect(await lake.items()).toEqual(expectedItems(tale.table, hour(0)));
  expect(await dataFiles(store, lake)).toBe(1);
});

it('puts a new epoch over a window that came in meanwhile, having looked again', async () => {
  const { store, lake, tale } = await start();
  await tale.load(0);
  const full = await tale.full(1);
  const window = await tale.window(0);
  const racing = withRival(store, () => lake.merge(window));
  const mine = lake.in(worldOver(racing, { seed: 'mine' }));
  // The columns were chosen for the table as it was, so everything is done anew.
  expect((await mine.load(full)).action).toBe('loaded');
  expect((await lake.open()).state).toMatchObject({ epoch: 2, watermarkMs: hour(1) });
  expect(await lake.snapshots()).toBe(3);
  expect(await lake.items()).toEqual(expectedItems(tale.table, hour(1)));
});

it('goes on after a lost race without the right to remove what it wrote', async () => {
  const { store, lake, tale } = await start();
  await tale.load(0);
  const windows = [await tale.window(0), await tale.window(1)];
  const racing = withRival(store, () => lake.merge(windows[0]!));
  const keeping = new Proxy(racing, {
    get(target, name) {
      if (name === 'remove') return () => Promise.reject(new Error('403'));
      return Reflect.get(target, name);
    },
  });
  const mine = lake.in(worldOver(keeping, { seed: 'mine' }));
  const actions = (await mine.merge(windows)).map(({ action }) => action);
  expect(actions).toEqual(['known', 'applied']);
  expect(await lake.snapshots()).toBe(3);
  expect(await lake.items()).toEqual(expectedItems(tale.table, hour(2)));
  // One of the load, two of the windows, and the one that lost.
  expect(await dataFiles(store, lake)).toBe(1 + 3 * filesOfMerge);
});
