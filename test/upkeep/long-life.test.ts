// A lake that is merged into and kept for a long time, at random faults, stays right and stays small: a short life here, long
// ones in test/faults. The simulated table is the truth.

import { expect, it } from 'vitest';
import { type LifeOptions, live } from './long-life.js';

const short: LifeOptions = {
  seed: 'short',
  windows: 60,
  grain: 1,
  keys: 60,
  buckets: 2,
  faults: 0.3,
  compareEach: 20,
  keepDays: 1,
  keepSnapshots: 5,
};

it('keeps every window right, and its files few, over sixty hours with faults, and the same seed is the same life', async () => {
  const life = await live(short);
  expect(life.windows).toBe(60);
  expect(life.faultsMet).toBeGreaterThan(5);
  expect(life.compactions).toBeGreaterThan(1);
  expect(life.expiries).toBeGreaterThan(0);
  // A day of hourly snapshots, a day more until expiry is due, and the replace snapshots between.
  expect(life.snapshotsMax).toBeLessThan(80);
  expect(life.manifestsMax).toBeLessThan(20);
  expect(life.dataFilesMax).toBeLessThan(20);
  expect((await live(short)).trace).toBe(life.trace);
});
