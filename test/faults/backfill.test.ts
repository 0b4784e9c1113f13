// Backfills out of recovery that are killed at random operations, over and over: the long version of test/backfill's.
// Promises: the seeds are fixed, so that a failure can be run again.
// Source: test/backfill/aged-table.ts.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { killedOften } from '../backfill/aged-table.js';
import { ScheduledWorld } from '../schedule/scheduled-table.js';

let here: ScheduledWorld;
beforeAll(async () => {
  here = await ScheduledWorld.start();
});
afterAll(() => here.close());

it.each(Array.from({ length: 12 }, (_, n) => `seed ${n}`))(
  'a backfill that is killed over and over ends with the past of the table: %s',
  { timeout: 300_000 },
  async (seed) => {
    await killedOften(here, 5, seed);
    expect(here.aws.simulator.dynamodb.consumed().total.readUnits).toBe(0);
  },
);
