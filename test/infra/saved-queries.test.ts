// The saved queries of the stack against those that a push brings.
// Promises: a push after a deployment finds them as it wants them, and leaves them.
// Source: pipeline/query/push-queries.ts.

import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadSavedQueries } from '../../infra/saved-queries.js';
import { DiskStore } from '../../pipeline/local/disk-store.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import type { ShelvedQuery } from '../../pipeline/ports.js';
import { pushQueries } from '../../pipeline/query/push-queries.js';
import { StoryLake, worldOver } from '../scenarios/story-world.js';
import { Tale } from '../scenarios/tale.js';
import { withFolder } from './two-stores.js';

const folder = path.resolve(import.meta.dirname, '../../queries/saved');

describe('saved queries of the stack', () => {
  it('are kept by a push to the table they are about', async () => {
    const world = worldOver(withFolder(new MemoryStore(), `file://${folder}`, new DiskStore()));
    const tale = new Tale(new StoryLake(world), { name: 'Orders.v2' });
    tale.put(-1, { pk: { S: 'a' } });
    await tale.load(0);
    const options = { folder, database: 'lake', table: 'orders_v2' };
    const present = loadSavedQueries(options).map(
      ({ name, description, sql }, i): ShelvedQuery => ({
        kind: 'query',
        id: `id-${i}`,
        name,
        description,
        database: 'lake',
        sql,
      }),
    );
    expect(present.length).toBeGreaterThan(5);
    const never = (): Promise<never> => Promise.reject(new Error('a dry run'));
    const rows = await pushQueries(
      world,
      { list: async () => present, create: never, update: never, remove: never },
      {
        ...tale.lake.target,
        folders: [{ uri: `file://${folder}`, kind: 'saved' }],
        dryRun: true,
        prune: false,
      },
    );
    const kept = rows.filter(({ action }) => action === 'keep').map(({ name }) => name);
    expect(kept.sort()).toEqual(present.map(({ name }) => name).sort());
    expect(rows.filter(({ action }) => action === 'update' || action === 'stale')).toEqual([]);
  });

  it('are none of other tables', () => {
    const names = (table: string) =>
      loadSavedQueries({ folder, database: 'lake', table }).map(({ name }) => name);
    expect(names('orders')).not.toContain('orders/revenue-by-day');
    expect(names('mystore')).toContain('mystore/revenue-by-day');
  });
});
