// Exports in a bucket become the past of a lake in a bucket, through the real SDK and the simulated S3: what is asked of S3, and
// what comes of it.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { backfillExports, RunLimit } from '../../pipeline/index.js';
import { SimulatedS3 } from '../aws/simulated-s3.js';
import { expectedItems, StoryLake, worldOver } from '../scenarios/story-world.js';
import { hour, Tale } from '../scenarios/tale.js';

let s3: SimulatedS3;
beforeAll(async () => {
  s3 = await SimulatedS3.start();
});
afterAll(() => s3.close());

it('take a few listings and three requests each to be found, and are merged in order until told to stop', async () => {
  const lake = new StoryLake(worldOver(s3.store()), 's3://lake/shop');
  const tale = new Tale(lake);
  for (let n = 0; n < 8; n++) tale.put(-1, { pk: { S: `k${n}` }, n: { N: `${n}` } });
  for (let h = 0; h < 5; h++) {
    tale.put(h, { pk: { S: `k${h}` }, n: { N: `${h}00` } });
    tale.delete(h, { pk: { S: `k${h + 3}` } }, 2);
  }
  await tale.full(0);
  const count = 5;
  for (let h = 0; h < count; h++) await tale.window(h);

  const run = async (isDryRun: boolean, limit: RunLimit): Promise<unknown> => {
    const reports = backfillExports(lake.world, {
      ...lake.target,
      exportUris: [lake.exportsUri],
      keys: new Map([['tale', ['pk']]]),
      keyOf: null,
      tableId: null,
      acceptTableId: null,
      acceptSeam: false,
      rewind: false,
      fromMs: null,
      toMs: null,
      isDryRun,
      limit,
    });
    for await (const report of reports) return report;
    return null;
  };
  const { clock } = lake.world;
  s3.simulator.clearRequests();
  expect(await run(true, new RunLimit(clock))).toMatchObject({ action: 'planned', windows: count });
  const asked = s3.operations();
  const times = (name: string): number => asked.filter((one) => one === name).length;
  // The prefix and AWSDynamoDB/ in it; and twice two looks for the lake table.
  expect(times('ListObjectsV2')).toBe(6);
  // The summary and its checksum; its size goes before.
  const reads = times('GetObject') + times('HeadObject');
  expect(reads).toBeGreaterThanOrEqual(3 * (count + 1));
  expect(reads).toBeLessThanOrEqual(3 * (count + 1) + 6);
  expect(asked.filter((one) => one.startsWith('Put'))).toEqual([]);

  // Told to stop while the third window is merged: that one is finished, and the next run goes on.
  const limit = new RunLimit(clock);
  const { store } = lake.world;
  let versions = 0;
  const stopping = new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (name !== 'putIfAbsent') return value.bind(target);
      return (uri: string, bytes: Uint8Array) => {
        const isCommit = /metadata\/v\d+\.metadata\.json$/.test(uri);
        if (isCommit) versions += 1;
        if (isCommit && versions === 4) limit.stop(60_000);
        return value.call(target, uri, bytes);
      };
    },
  });
  const asIs = lake.world;
  Object.assign(lake, { world: { ...asIs, store: stopping } });
  expect(await run(false, limit)).toMatchObject({
    action: 'stopped',
    loaded: 1,
    merged: 3,
    watermark: new Date(hour(3)).toISOString(),
    error: null,
  });
  Object.assign(lake, { world: asIs });
  expect(await run(false, new RunLimit(clock))).toMatchObject({ action: 'done', merged: 2 });
  expect(await run(false, new RunLimit(clock))).toMatchObject({ action: 'nothing' });
  for (let h = 0; h <= count; h++) {
    const at = new Date(hour(h)).toISOString();
    expect(await lake.items(at)).toEqual(expectedItems(tale.table, hour(h)));
  }
});
