// Two and four processes merge the same and adjacent windows at once, a hundred rounds, each outrun by others 0 to 12 times:
// on disk, on S3 with a catalog of files, on S3 with Glue; and some rounds of the command's own processes.
// Promises: one snapshot per window and rows as in the simulated table after every round, whoever won.
// Source: DESIGN.md, "The table" (after a lost race).

import { afterAll, beforeAll, expect, it } from 'vitest';
import { SimulatedGlue } from '../aws/simulated-glue.js';
import { ProcessRaces } from '../scenarios/process-races.js';
import type { CatalogKind } from './harness/fault-lake.js';
import { LongRaces, racePlans } from './harness/long-races.js';
import { rounds } from './harness/rounds.js';

let sim: SimulatedGlue;
beforeAll(async () => {
  sim = await SimulatedGlue.start();
});
afterAll(() => sim.close());

const each: readonly (readonly [CatalogKind, number])[] = [
  ['disk', rounds(34)],
  ['files', rounds(33)],
  ['glue', rounds(33)],
];

it.each(each)('on %s, %i rounds of racing processes', async (kind, count) => {
  const races = await LongRaces.open(sim, kind, 4, `${kind} 1`);
  try {
    for (let round = 0; round < count; round++) {
      await races.round(racePlans[round % racePlans.length]!);
    }
    const { figures } = races;
    console.log('races', kind, JSON.stringify(figures));
    expect(figures.rounds).toBe(count);
    // Without these the rounds have not met.
    expect(figures.outcomes.known).toBeGreaterThan(0);
    expect(figures.conflicts).toBeGreaterThan(0);
  } finally {
    races.close();
  }
});

it('processes of the command itself leave one snapshot per window', async () => {
  const count = rounds(10);
  const plans = Array.from({ length: count }, (_, i) => racePlans[i % racePlans.length]!);
  const hours = plans.reduce((sum, plan) => sum + Math.max(...plan.flat()) + 1, 0);
  const races = await ProcessRaces.open('rounds of the command', hours);
  try {
    // Every third round against somebody who compacts.
    for (const [i, plan] of plans.entries()) await races.round(plan, i % 3 === 2);
    expect(races.hoursLeft).toBe(0);
    expect(races.outcomes.get('applied')).toBe(hours);
    console.log('races of the command', JSON.stringify(Object.fromEntries(races.outcomes)));
  } finally {
    races.close();
  }
});
