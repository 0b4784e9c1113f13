// Every write and removal of `expire` fails once, before or after it took effect, with and without the process dying of it.
// Promises: the table reads as before at every instant that is kept; the same command again ends with exactly the files
// that are left when nothing fails.
// Source: apache/iceberg, "Maintenance"; pipeline/local/faulty-store.ts.

import { describe, expect, it } from 'vitest';
import type { ObjectStore } from '../../pipeline/index.js';
import { type FaultMode, FaultyStore } from '../../pipeline/local/faulty-store.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import { expireTable } from '../../pipeline/upkeep/expire.js';
import { expectedItems, StoryLake, worldOver } from '../scenarios/story-world.js';
import { hour, Tale } from '../scenarios/tale.js';

async function copyOf(store: ObjectStore): Promise<MemoryStore> {
  const copy = new MemoryStore();
  for await (const { uri } of store.list('file:///')) await copy.put(uri, await store.read(uri));
  return copy;
}

/** Names of all files of the lake, but those of metadata versions. */
async function filesOf(store: ObjectStore, lake: StoryLake): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { uri } of store.list(lake.lake)) {
    if (!/\/v\d+\.metadata\.json$/.test(uri)) found.push(uri);
  }
  return found.sort();
}

describe('expire', () => {
  it('survives the failure of any one operation', { timeout: 60_000 }, async () => {
    const base = new MemoryStore();
    const home = new StoryLake(worldOver(base, { seed: 'base' }));
    const tale = new Tale(home);
    for (let n = 0; n < 12; n++) tale.put(-1, { pk: { S: `k${n}` }, n: { N: `${n}` } });
    for (let h = 0; h < 6; h++) {
      tale.put(h, { pk: { S: `k${h}` }, n: { N: `${h * 100}` } });
      tale.put(h, { pk: { S: `new ${h}` }, n: { N: '1' } });
    }
    await home.load(await tale.full(0), { key: ['pk'], buckets: 2 });
    for (let h = 0; h < 6; h++) await home.merge(await tale.window(h));
    const act = (lake: StoryLake) =>
      expireTable(lake.world, { ...lake.target, keepDays: 0, keepSnapshots: 3, graceHours: 0 });

    const counting = new FaultyStore(await copyOf(base));
    const done = home.in(worldOver(counting, { seed: 'dry run' }));
    const report = await act(done);
    expect(report).toMatchObject({ action: 'expired', expiredSnapshots: 4, keptSnapshots: 3 });
    expect(report.dataFiles).toBeGreaterThan(3);
    const left = await filesOf(counting, done);
    const { operations } = counting;
    expect(operations).toBeGreaterThan(12);

    for (let failAt = 1; failAt <= operations; failAt++) {
      for (const [mode, crash] of [
        ['before', false],
        ['after', true],
        ['before', true],
      ] as readonly [FaultMode, boolean][]) {
        const at = `${mode}${crash ? ' and dead' : ''} at ${counting.journal[failAt - 1]}`;
        const store = await copyOf(base);
        const failing = new FaultyStore(store, { failAt, mode, crash });
        await act(home.in(worldOver(failing, { seed: `first ${failAt}` }))).catch(() => undefined);
        const lake = home.in(worldOver(store, { seed: `second ${failAt} ${mode}` }));
        for (const h of [4, 5, 6]) {
          const items = await lake.items(new Date(hour(h)).toISOString());
          expect(items, at).toEqual(expectedItems(tale.table, hour(h)));
        }
        const again = await act(lake);
        expect(again.unremoved, at).toBe(0);
        expect(await lake.snapshots(), at).toBe(3);
        expect(await filesOf(store, lake), at).toEqual(left);
        expect(await act(lake), at).toMatchObject({ action: 'nothing' });
      }
    }
  });
});
