// The commit matrix: how the one request that commits goes wrong, for each kind of commit in each catalog.
// Promises of each case: no window lost or doubled, no live file removed; a commit of which nobody can tell ends in
// COMMIT_UNKNOWN (exit 5) with every file left, and the same command again finds out by itself.
// Source: the design, "The table" (commit); apache/iceberg issues 7151, 9411, 9618.

import { expect } from 'vitest';
import type { FaultPlanInput } from '../../../pipeline/simulator/aws/fault-plan.js';
import type { SimulatedGlue } from '../../aws/simulated-glue.js';
import type { CommitAttemptsWatch } from './attempts.js';
import { type AwsCatalogKind, FaultLake, type Ran } from './fault-lake.js';

/** A command that commits. */
export interface Act {
  readonly name: string;
  /** Hours the table has before and after; null: there is none. */
  readonly from: number | null;
  readonly to: number;
  /** Makes the table as it is before. */
  readonly before: (lake: FaultLake) => Promise<void>;
  readonly args: (lake: FaultLake) => Promise<readonly [string, ...string[]]>;
  /** What is reported when it did its work, and when it had nothing to do. */
  readonly actions: readonly [string, string];
}

export const acts: readonly Act[] = [
  {
    name: 'a first load',
    from: null,
    to: 0,
    before: async () => {},
    args: async ({ tale }) => ['load', await tale.full(0), '--key', 'pk'],
    actions: ['loaded', 'nothing'],
  },
  {
    name: 'a merge',
    from: 0,
    to: 1,
    before: (lake) => lake.loadAt(0),
    args: async ({ tale }) => ['merge', await tale.window(0)],
    actions: ['applied', 'known'],
  },
  {
    name: 'a new epoch',
    from: 0,
    to: 2,
    before: (lake) => lake.loadAt(0),
    args: async ({ tale }) => ['load', await tale.full(2)],
    actions: ['loaded', 'nothing'],
  },
  {
    name: 'schema set',
    from: 0,
    to: 0,
    before: (lake) => lake.loadAt(0),
    args: async () => ['schema set', 'n', 'decimal(38,2)'],
    actions: ['retyped', 'nothing'],
  },
];

/** Requests of a lake: the one that commits, and those with which its fate is looked up. */
interface Requests {
  readonly commit: { readonly service: string; readonly operation: string; readonly key?: string };
  readonly check: { readonly service: string; readonly operation: string; readonly key?: string };
}

function requestsOf(kind: AwsCatalogKind, act: Act): Requests {
  if (kind === 'files') {
    const version = act.from === null ? 1 : 2;
    const metadata = { service: 's3', key: `*/metadata/v${version}.metadata.json` };
    return {
      commit: { ...metadata, operation: 'PutObject' },
      check: { ...metadata, operation: 'GetObject' },
    };
  }
  const operation = act.from === null ? 'CreateTable' : 'UpdateTable';
  return {
    commit: { service: 'glue', operation },
    check: { service: 'glue', operation: 'GetTable' },
  };
}

type Outcome = 'done' | 'unknown' | 'denied' | 'throttled';

export interface MatrixCase {
  readonly what: string;
  /** Faults from the beginning of the run. */
  readonly plan: (requests: Requests) => FaultPlanInput;
  /** Faults in their place once the first attempt has ended. */
  readonly later?: (requests: Requests) => FaultPlanInput;
  /** Somebody who does the same before the first attempt, or merges the next window after it. */
  readonly rival?: 'first' | 'on top';
  readonly outcome: Outcome | Readonly<Record<AwsCatalogKind, Outcome>>;
  /** Whether the commit went through. */
  readonly isIn: boolean;
}

const denied = { fault: 'error', code: 'AccessDeniedException', status: 400 } as const;
const deniedS3 = { fault: 'error', code: 'AccessDenied' } as const;
const refusal = (service: string): typeof denied | typeof deniedS3 =>
  service === 's3' ? deniedS3 : denied;
const slowDown = (service: string): { readonly fault: 'error'; readonly code: string } => ({
  fault: 'error',
  code: service === 's3' ? 'SlowDown' : 'ThrottlingException',
});
const broken = (service: string): { readonly fault: 'error'; readonly code: string } => ({
  fault: 'error',
  code: service === 's3' ? 'InternalError' : 'InternalServiceException',
});

export const matrix: readonly MatrixCase[] = [
  {
    what: 'fails before it is applied, once',
    plan: ({ commit }) => [{ ...commit, nth: 1, do: 'refuse' }],
    outcome: 'done',
    isIn: true,
  },
  {
    what: 'fails before it is applied, always',
    plan: ({ commit }) => [{ ...commit, do: 'refuse' }],
    outcome: 'unknown',
    isIn: false,
  },
  {
    what: 'meets an error of the service, always',
    plan: ({ commit }) => [{ ...commit, do: broken(commit.service) }],
    outcome: 'unknown',
    isIn: false,
  },
  {
    what: 'is applied, and its answer lost, once',
    plan: ({ commit }) => [{ ...commit, nth: 1, do: 'loseAnswer' }],
    outcome: 'done',
    isIn: true,
  },
  {
    what: 'is applied, and every answer lost',
    plan: ({ commit }) => [{ ...commit, do: 'loseAnswer' }],
    outcome: 'done',
    isIn: true,
  },
  {
    what: 'is applied, and the second answer of a repeated request given',
    plan: ({ commit }) => [{ ...commit, do: { fault: 'duplicate', answer: 'second' } }],
    outcome: 'done',
    isIn: true,
  },
  {
    what: 'is applied, its answer lost, and another commit comes on top',
    plan: ({ commit }) => [{ ...commit, nth: 1, do: 'loseAnswer' }],
    later: () => [],
    rival: 'on top',
    outcome: 'done',
    isIn: true,
  },
  {
    what: 'is applied, and from then on nothing of the table can be read',
    plan: () => [],
    later: () => [
      { service: 's3', operation: ['GetObject', 'HeadObject', 'ListObjectsV2'], do: deniedS3 },
      { service: 'glue', operation: ['GetTable', 'GetTables'], do: denied },
    ],
    outcome: 'done',
    isIn: true,
  },
  {
    what: 'comes after the same commit by another',
    plan: () => [],
    rival: 'first',
    outcome: 'done',
    isIn: true,
  },
  {
    what: 'is applied, its answer lost, and the check fails itself',
    plan: ({ commit }) => [{ ...commit, do: 'loseAnswer' }],
    later: ({ commit, check }) => [
      { ...commit, do: 'loseAnswer' },
      { ...check, do: broken(check.service) },
    ],
    outcome: 'unknown',
    isIn: true,
  },
  {
    what: 'is applied, its answer lost, another on top, and the check is denied',
    plan: ({ commit }) => [{ ...commit, nth: 1, do: 'loseAnswer' }],
    later: ({ check }) => [{ ...check, do: refusal(check.service) }],
    rival: 'on top',
    outcome: 'unknown',
    isIn: true,
  },
  {
    what: 'is not applied, and the check fails itself',
    plan: ({ commit }) => [{ ...commit, do: 'refuse' }],
    later: ({ commit, check }) => [
      { ...commit, do: 'refuse' },
      { ...check, do: broken(check.service) },
    ],
    outcome: 'unknown',
    isIn: false,
  },
  {
    what: 'is denied',
    plan: ({ commit }) => [{ ...commit, do: refusal(commit.service) }],
    outcome: 'denied',
    isIn: false,
  },
  {
    what: 'has no answer once, and is denied then',
    plan: ({ commit }) => [
      { ...commit, nth: 1, do: 'refuse' },
      { ...commit, from: 2, do: refusal(commit.service) },
    ],
    outcome: 'unknown',
    isIn: false,
  },
  {
    what: 'is throttled for ever',
    plan: ({ commit }) => [{ ...commit, do: slowDown(commit.service) }],
    // Of S3 it cannot be told whether an earlier one of so many tries was applied.
    outcome: { files: 'unknown', glue: 'throttled' },
    isIn: false,
  },
];

const exitCodes: Readonly<Record<Outcome, number>> = {
  done: 0,
  unknown: 5,
  denied: 1,
  throttled: 1,
};
const codes: Readonly<Record<Outcome, string>> = {
  done: '',
  unknown: 'COMMIT_UNKNOWN',
  denied: 'DENIED',
  throttled: 'THROTTLED',
};

/** Plays one case and proves its end. */
export async function playCase(
  sim: SimulatedGlue,
  watch: CommitAttemptsWatch,
  kind: AwsCatalogKind,
  act: Act,
  one: MatrixCase,
): Promise<void> {
  const lake = await FaultLake.open(sim, kind);
  lake.tell(4);
  await act.before(lake);
  const args = await act.args(lake);
  const next = await lake.tale.window(act.to);
  const requests = requestsOf(kind, act);
  const { simulator } = sim.s3;
  watch.arm({
    before: async () => {
      if (one.rival === 'first') await lake.done(...args);
    },
    after: async () => {
      if (one.rival === 'on top') {
        simulator.setFaults([]);
        expect(await lake.done('merge', next)).toEqual(['applied']);
      }
      if (one.later !== undefined) simulator.setFaults(one.later(requests));
    },
  });
  simulator.setFaults(one.plan(requests));
  const first = await lake.run(...args);
  simulator.setFaults([]);
  watch.arm(null);

  const outcome = typeof one.outcome === 'string' ? one.outcome : one.outcome[kind];
  expect(first.exitCode, first.err).toBe(exitCodes[outcome]);
  const at = one.rival === 'on top' ? act.to + 1 : one.isIn ? act.to : act.from;
  const between = await lake.check({ verify: false });
  expect(between.hour).toBe(at);
  if (outcome === 'done') {
    const isDoneByOther = one.rival === 'first';
    expect(first.rows.map(({ action }) => action)).toEqual([act.actions[isDoneByOther ? 1 : 0]]);
  } else expectError(first, codes[outcome], requests, outcome === 'denied');
  // What is not certain stays; what certainly came to nothing is gone.
  if (outcome !== 'unknown') expect(between.orphans).toEqual([]);
  if (outcome === 'unknown' && one.isIn) expect(between.orphans).toEqual([]);

  const again = await lake.run(...args);
  expect(again.exitCode, again.err).toBe(0);
  expect(again.rows.map(({ action }) => action)).toEqual([act.actions[one.isIn ? 1 : 0]]);
  const end = await lake.check();
  expect(end.hour).toBe(at === null || at < act.to ? act.to : at);
  expect(end.snapshots).toBe(between.snapshots + (one.isIn ? 0 : 1));
  if (end.hour === act.to) expect(await lake.done('merge', next)).toEqual(['applied']);
}

function expectError(ran: Ran, code: string, requests: Requests, isNamed: boolean): void {
  expect(ran.err).toContain(`error ${code}  `);
  const { service, operation } = requests.commit;
  if (isNamed) expect(ran.err).toMatch(new RegExp(`${service}:${operation} on \\S+`));
}
