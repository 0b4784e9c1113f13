import { afterAll, beforeAll, expect, it } from 'vitest';
import { canonicalItem } from '../../pipeline/simulator/index.js';
import { startMoto, type RunningEndpoint } from './harness/endpoint.js';
import { describeEngine } from './harness/engines.js';
import { Trino } from './harness/trino.js';
import { single } from './harness/values.js';
import { differences, expectedItems } from '../scenarios/story-world.js';
import { prepareEndpoint, storyLake } from './harness/lakes.js';

for (const name of ['trino-406', 'trino-483'] as const) {
  describeEngine(name, () => {
    let endpoint: RunningEndpoint;
    let trino: Trino;
    beforeAll(async () => {
      endpoint = await startMoto();
      trino = await Trino.start(name, endpoint);
    });
    afterAll(async () => {
      await trino?.close();
      await endpoint?.close();
    });
    it('answers', async () => {
      expect(single(await trino.query('select 9007199254740993'))).toBe('9007199254740993');
    });
    it('reads', async () => {
      await prepareEndpoint(endpoint);
      for (const [table, opt, lay] of [
        ['mystore', { dataset: 'mystore', items: 500, windows: 4 }, { partition: 'truncate(created, 10)' }],
        ['wild_ss', { dataset: 'wild', items: 120, windows: 2 }, { buckets: 4 }],
      ] as const) {
        console.time('make');
        const lake = await storyLake(endpoint, table, opt, lay);
        await lake.publish();
        console.timeEnd('make');
        for (const state of lake.states) {
          console.time('read');
          const answer = await trino.query(`select * from ${table} for version as of ${state.snapshotId}`, 'lake');
          console.timeEnd('read');
          const reader = await lake.reader(state.snapshotId);
          const found = answer.rows.map((row) => canonicalItem(reader.item(row))).sort();
          expect(differences(found, expectedItems(lake.past!, state.ms))).toEqual({ missing: [], extra: [] });
          expect(found).toHaveLength(lake.past!.countAt(state.ms*1000));
        }
      }
    });
  });
}
