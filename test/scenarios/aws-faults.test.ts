// A short walk through what test/faults does at length: commits that go wrong, processes killed and racing, services that
// misbehave, on S3 with both catalogs.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SimulatedGlue } from '../aws/simulated-glue.js';
import { CommitAttemptsWatch } from '../faults/harness/attempts.js';
import { acts, matrix, playCase } from '../faults/harness/commit-matrix.js';
import { catalogKinds } from '../faults/harness/fault-lake.js';
import { KillLane } from '../faults/harness/kills.js';
import { LongRaces } from '../faults/harness/long-races.js';
import {
  Acts,
  denials,
  hearRequests,
  loseAtEachRequest,
  lost,
  wholeWay,
} from '../faults/harness/service-faults.js';

let sim: SimulatedGlue;
let watch: CommitAttemptsWatch;
beforeAll(async () => {
  sim = await SimulatedGlue.start();
  watch = await CommitAttemptsWatch.over(sim);
  await hearRequests(sim);
});
afterAll(() => sim.close());

describe('a request that commits', () => {
  // Every third case, with one catalog and one kind of commit; all combinations are in test/faults.
  const walk = matrix
    .filter((_, i) => i % 3 === 1)
    .map((one, i) => ({ ...one, kind: catalogKinds[i % 2]!, act: acts[(i >> 1) % acts.length]! }));
  it.each(walk)('$what: $act.name, $kind', (one) => playCase(sim, watch, one.kind, one.act, one));
});

it('killed processes leave a whole lake, and the next run completes', async () => {
  const lane = await KillLane.open('glue', 'short');
  try {
    await lane.kill(2, { isCalibrated: false });
    expect(lane.figures.kills).toBe(2);
  } finally {
    await lane.close();
  }
});

it('processes that race, each outrun by others, make one snapshot of each window', async () => {
  const races = await LongRaces.open(sim, 'glue', 2, 'short');
  try {
    await races.round([[0], [0]]);
    await races.round([
      [0, 1],
      [0, 1],
    ]);
    expect(races.figures.outcomes.applied).toBeLessThanOrEqual(3);
  } finally {
    races.close();
  }
});

describe.each(catalogKinds)('on S3 with the catalog of kind %s', (kind) => {
  it('a storm and broken bodies pass unnoticed', async () => {
    await wholeWay(await new Acts(sim, kind).fresh(), [
      { operation: 'GetObject', every: 5, do: { fault: 'cut', afterBytes: 9 } },
      { service: 's3', every: 3, to: 90, do: { fault: 'error', code: 'SlowDown' } },
      { service: 'glue', every: 3, do: { fault: 'error', code: 'ThrottlingException' } },
    ]);
  });

  it('what is lost for good in the middle of a merge is told, and the next run goes on', async () => {
    const all = new Acts(sim, kind);
    await loseAtEachRequest(all, lost[kind === 'files' ? 0 : 1]!, 7, 17);
  });

  it('a right that is lacking is named', async () => {
    const all = new Acts(sim, kind);
    for (const { action, resource, plan } of denials(kind).slice(-2)) {
      const names = new RegExp(`AWS denies ${action} on ${resource}`);
      await all.mergeAgainst(plan, { exitCode: 1, code: 'DENIED', names });
    }
  });
});
