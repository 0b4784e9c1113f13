// The commit matrix, whole: every kind of commit, in both catalogs, with every way the request can go wrong.

import { afterAll, beforeAll, describe, it } from 'vitest';
import { SimulatedGlue } from '../aws/simulated-glue.js';
import { CommitAttemptsWatch } from './harness/attempts.js';
import { acts, matrix, playCase } from './harness/commit-matrix.js';
import { catalogKinds } from './harness/fault-lake.js';

let sim: SimulatedGlue;
let watch: CommitAttemptsWatch;
beforeAll(async () => {
  sim = await SimulatedGlue.start();
  watch = await CommitAttemptsWatch.over(sim);
});
afterAll(() => sim.close());

describe.each(catalogKinds)('in the catalog of kind %s', (kind) => {
  describe.each(acts)('the request that commits $name', (act) => {
    it.each(matrix)('$what', (one) => playCase(sim, watch, kind, act, one));
  });
});
