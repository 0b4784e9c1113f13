// Long lives of real lakes, with faults and upkeep: a hundred days of hourly windows, and two years of windows of eight hours.
// Promises: every committed window equals the simulated table at its end; metadata, manifests and files stay few.
// Source: test/upkeep/long-life.ts.

import { expect, it } from 'vitest';
import { type Life, live } from '../upkeep/long-life.js';

function expectSmall(life: Life): void {
  // Some fifty snapshots are kept, two dozen more until expiry is due, about 1.5 kB each, and the replace snapshots between.
  expect(life.snapshotsMax).toBeLessThan(120);
  expect(life.metadataBytesMax).toBeLessThan(250_000);
  expect(life.manifestsMax).toBeLessThan(60);
  expect(life.dataFilesMax).toBeLessThan(40);
  expect(life.deleteFilesMax).toBeLessThan(20);
  // For each snapshot a manifest list and a few manifests, data files and delete files; two hundred metadata files.
  expect(life.filesMax).toBeLessThan(1_500);
}

const common = { keys: 80, buckets: 2, faults: 0.1, compareEach: 50, keepSnapshots: 20 };

it('a hundred days of hourly windows', { timeout: 900_000 }, async () => {
  const life = await live({ ...common, seed: 'hourly', windows: 2_400, grain: 1, keepDays: 2 });
  expect(life.windows).toBe(2_400);
  expect(life.faultsMet).toBeGreaterThan(100);
  expect(life.expiries).toBeGreaterThan(60);
  expectSmall(life);
});

it('two years of windows of eight hours', { timeout: 900_000 }, async () => {
  const life = await live({ ...common, seed: 'years', windows: 2_190, grain: 8, keepDays: 14 });
  expect(life.windows).toBe(2_190);
  expect(life.faultsMet).toBeGreaterThan(100);
  expectSmall(life);
});

// Some ten minutes of a processor: to be asked for, with TIDELAKE_LONG_RUNS=years.
const asked = process.env.TIDELAKE_LONG_RUNS === 'years';
it.skipIf(!asked)('two years of hourly windows', { timeout: 3_600_000 }, async () => {
  const life = await live({ ...common, seed: 'whole', windows: 17_520, grain: 1, keepDays: 2 });
  expect(life.windows).toBe(17_520);
  expect(life.faultsMet).toBeGreaterThan(1_000);
  expectSmall(life);
});
