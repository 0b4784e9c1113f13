// Several processes of the command at once, a few rounds; a hundred rounds are in test/faults/races.test.ts.
// Promises: one snapshot per window, rows as in the simulated table, exit codes that say what to do.
// Source: DESIGN.md, "The table" (after a lost race).

import { expect, it } from 'vitest';
import { ProcessRaces } from './process-races.js';

it('processes that merge the same and adjacent windows at once make one snapshot of each', async () => {
  const races = await ProcessRaces.open('processes', 4);
  try {
    const same = await races.round([[0], [0]]);
    expect(same.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect(same.flatMap(({ reports }) => reports.map(({ action }) => action)).sort()).toEqual([
      'applied',
      'known',
    ]);
    const adjacent = await races.round([[0, 1], [0], [0, 1, 2]], true);
    expect(adjacent.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    expect(races.outcomes.get('applied')).toBe(4);
  } finally {
    races.close();
  }
});
