// Every write of `compact` fails once, with and without the process dying of it.
// Promises: in between, every instant reads as before; the same command again ends with one file in each bucket.
// Source: pipeline/local/faulty-store.ts.

import { expect, it } from 'vitest';
import type { ObjectStore } from '../../pipeline/index.js';
import { type FaultMode, FaultyStore } from '../../pipeline/local/faulty-store.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import { compactTable } from '../../pipeline/upkeep/compact.js';
import { ForeignWriter } from '../scenarios/foreign-writer.js';
import { expectedItems, StoryLake, worldOver } from '../scenarios/story-world.js';
import { hour, Tale } from '../scenarios/tale.js';
import { scatter } from './scatter.js';

async function copyOf(store: ObjectStore): Promise<MemoryStore> {
  const copy = new MemoryStore();
  for await (const { uri } of store.list('file:///')) await copy.put(uri, await store.read(uri));
  return copy;
}

async function compact(lake: StoryLake): Promise<void> {
  for await (const report of compactTable(lake.world, lake.target)) {
    expect(report.action).toBe('compacted');
  }
}

it('survives the failure of any one write', { timeout: 60_000 }, async () => {
  const base = new MemoryStore();
  const home = new StoryLake(worldOver(base, { seed: 'base' }));
  const tale = new Tale(home);
  for (let n = 0; n < 12; n++) tale.put(-1, { pk: { S: `k${n}` }, n: { N: `${n}` } });
  tale.put(0, { pk: { S: 'k3' }, n: { N: '300' } });
  await home.load(await tale.full(0), { key: ['pk'], buckets: 2 });
  await scatter(home, 3);
  const window = await tale.window(0);

  const counting = new FaultyStore(await copyOf(base));
  await compact(home.in(worldOver(counting, { seed: 'dry run' })));
  const { operations } = counting;
  expect(operations).toBeGreaterThan(12);
  for (let failAt = 1; failAt <= operations; failAt++) {
    for (const [mode, crash] of [
      ['before', false],
      ['after', true],
      ['torn', true],
      ['after', false],
    ] as readonly [FaultMode, boolean][]) {
      if (mode === 'torn' && !counting.journal[failAt - 1]!.startsWith('write')) continue;
      const at = `${mode}${crash ? ' and dead' : ''} at ${counting.journal[failAt - 1]}`;
      const store = await copyOf(base);
      const failing = new FaultyStore(store, { failAt, mode, crash });
      await compact(home.in(worldOver(failing, { seed: `first ${failAt}` }))).catch(
        () => undefined,
      );
      const lake = home.in(worldOver(store, { seed: `second ${failAt} ${mode}` }));
      expect(await lake.items(), at).toEqual(expectedItems(tale.table, hour(0)));
      await compact(lake);
      const { data } = await new ForeignWriter(lake).live();
      expect(data, at).toHaveLength(2);
      expect((await lake.merge(window))[0], at).toMatchObject({ action: 'applied' });
      expect(await lake.items(), at).toEqual(expectedItems(tale.table, hour(1)));
    }
  }
});
