// Two and four processes merge the same and adjacent windows at once, a hundred rounds, some against a compactor.
// Promises: one snapshot per window and rows as in the simulated table after every round, whoever won.
// Source: DESIGN.md, "The table" (after a lost race).

import { expect, it } from 'vitest';
import { ProcessRaces } from '../scenarios/process-races.js';

/** What each process of a round merges: hours from where the lake is. Every list may come last; the longest decides. */
const plans: readonly (readonly (readonly number[])[])[] = [
  [[0], [0]],
  [
    [0, 1],
    [0, 1],
  ],
  [[0], [0], [0], [0]],
  [[0, 1, 2], [0], [0, 1], [0, 1, 2]],
  [[0], [0, 1]],
];
const rounds = 100;

it('a hundred rounds of racing processes leave one snapshot per window', async () => {
  const hours =
    (rounds / plans.length) * plans.reduce((sum, plan) => sum + Math.max(...plan.flat()) + 1, 0);
  const races = await ProcessRaces.open('hundred rounds', hours);
  try {
    for (let round = 0; round < rounds; round++) {
      // Every third round against somebody who compacts.
      await races.round(plans[round % plans.length]!, round % 3 === 2);
    }
    expect(races.hoursLeft).toBe(0);
    expect(races.outcomes.get('applied')).toBe(hours);
    // Without these the rounds have not met.
    expect(races.outcomes.get('known')).toBeGreaterThan(0);
    expect(races.compactions).toBeGreaterThan(0);
  } finally {
    races.close();
  }
});
