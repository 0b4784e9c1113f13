// Services and networks that misbehave while the command loads, merges and asks: what of it is hidden, what is told, and how.
// Promises of each: the lake is as it was or as it will be, and the same command goes through once the fault is gone.
// Source: the design, "Faults and races"; Amazon S3 User Guide, "Optimizing performance"; aws-sdk-js-v3 retries end where a
// body begins.

import { expect } from 'vitest';
import type { FaultPlanInput } from '../../../pipeline/simulator/aws/fault-plan.js';
import { socketIdleMsMax } from '../../../schemas/limits.js';
import type { SimulatedGlue } from '../../aws/simulated-glue.js';
import { hour } from '../../scenarios/tale.js';
import { type AwsCatalogKind, FaultLake, type FaultLakeOptions, type Ran } from './fault-lake.js';

const hoursOfLake = 24;

/** Lakes one after the other, each with hours to merge: an act takes one hour. */
export class Acts {
  readonly sim: SimulatedGlue;
  readonly kind: AwsCatalogKind;
  readonly #options: FaultLakeOptions;
  #lake: FaultLake | null = null;
  #at = hoursOfLake;

  constructor(sim: SimulatedGlue, kind: AwsCatalogKind, options: FaultLakeOptions = {}) {
    this.sim = sim;
    this.kind = kind;
    this.#options = options;
  }

  /** A lake with an hour to come, and that hour. */
  async hour(): Promise<{ readonly lake: FaultLake; readonly at: number }> {
    if (this.#lake === null || this.#at >= hoursOfLake) {
      this.#lake = await this.fresh();
      await this.#lake.loadAt(0);
      this.#at = 0;
    }
    return { lake: this.#lake, at: this.#at++ };
  }

  /** A lake without a table. */
  async fresh(): Promise<FaultLake> {
    const lake = await FaultLake.open(this.sim, this.kind, this.#options);
    lake.tell(hoursOfLake);
    return lake;
  }

  /** Merges one hour under a plan, which must go unnoticed. */
  async mergeUnder(plan: FaultPlanInput): Promise<void> {
    const { lake, at } = await this.hour();
    const window = await lake.tale.window(at, at + 1, { files: 1 });
    const actions = await under(this.sim, plan, () => lake.done('merge', window));
    expect(actions).toEqual(['applied']);
    expect(await lake.check({ verify: false })).toMatchObject({ hour: at + 1, orphans: [] });
  }

  /** Merges one hour under a plan that it does not survive, proves that nothing happened, and merges it without. */
  async mergeAgainst(
    plan: FaultPlanInput,
    expected: Failure,
    healed: () => void = () => {},
  ): Promise<Ran> {
    const { lake, at } = await this.hour();
    const window = await lake.tale.window(at, at + 1, { files: 1 });
    const before = await lake.check({ verify: false });
    const ran = await under(this.sim, plan, () => lake.run('merge', window));
    healed();
    expectFailure(ran, expected);
    const after = await lake.check({ verify: false });
    expect(after.hour).toBe(at);
    if (expected.leaves !== true) expect(after).toEqual(before);
    expect(await lake.done('merge', window)).toEqual(['applied']);
    expect((await lake.check()).hour).toBe(at + 1);
    return ran;
  }
}

/** How a run ends that does not survive its plan. */
export interface Failure {
  readonly exitCode: number;
  readonly code: string;
  /** What the error names. */
  readonly names?: RegExp;
  /** Files may be left that nothing refers to. */
  readonly leaves?: boolean;
}

export function expectFailure(ran: Ran, { exitCode, code, names }: Failure): void {
  expect(ran.exitCode, ran.err).toBe(exitCode);
  expect(ran.err).toContain(`error ${code}  `);
  if (names !== undefined) expect(ran.err).toMatch(names);
}

/** Does something while a plan is in force. */
export async function under<T>(
  sim: SimulatedGlue,
  plan: FaultPlanInput,
  work: () => Promise<T>,
): Promise<T> {
  sim.s3.simulator.setFaults(plan);
  try {
    return await work();
  } finally {
    sim.s3.simulator.setFaults([]);
  }
}

/** Loads, merges twice, asks and verifies under one plan, which must go unnoticed. */
export async function wholeWay(lake: FaultLake, plan: FaultPlanInput): Promise<void> {
  const full = await lake.tale.full(0);
  const windows = [await lake.tale.window(0), await lake.tale.window(1)];
  await under(lake.sim, plan, async () => {
    expect(await lake.done('load', full, '--key', 'pk')).toEqual(['loaded']);
    expect(await lake.done('merge', ...windows)).toEqual(['applied', 'applied']);
    await expectCount(lake, 2);
    await lake.done('verify');
  });
  expect(await lake.check()).toMatchObject({ hour: 2, snapshots: 3, orphans: [] });
}

/** Asks for the number of rows, which the simulated table knows. */
export async function expectCount(lake: FaultLake, h: number): Promise<void> {
  const asked = await lake.run('query', 'SELECT count(*) AS n FROM tale');
  expect(asked.exitCode, asked.err).toBe(0);
  expect(Number(asked.rows[0]!.n)).toBe(lake.tale.table.countAt(hour(h) * 1000));
}

/** A right that a merge needs, and how it is to be named when it is lacking. */
export interface Denial {
  readonly action: string;
  readonly place: string;
  /** Of the resource as it is named, a pattern. */
  readonly resource: string;
  readonly plan: readonly FaultRuleInput[];
}

type FaultRuleInput = Extract<FaultPlanInput, readonly unknown[]>[number];

/** The rights of a merge, one by one. */
export function denials(kind: AwsCatalogKind): readonly Denial[] {
  const s3 = (operation: string | readonly string[], key: string): readonly FaultRuleInput[] => [
    { service: 's3', operation, key, do: { fault: 'error', code: 'AccessDenied' } },
  ];
  const glue = (operation: string): readonly FaultRuleInput[] => [
    { service: 'glue', operation, do: { fault: 'error', code: 'AccessDeniedException' } },
  ];
  const reads = ['GetObject', 'HeadObject'];
  const get = 's3:GetObject';
  const put = 's3:PutObject';
  return [
    { action: get, place: 'manifests', resource: 's3://\\S+json', plan: s3(reads, '*/manifest-*') },
    { action: get, place: 'data', resource: 's3://\\S+gz', plan: s3(reads, '*.json.gz') },
    { action: get, place: 'lists', resource: 's3://\\S+avro', plan: s3(reads, '*/snap-*.avro') },
    { action: get, place: 'rows', resource: 's3://\\S+parquet', plan: s3(reads, '*.parquet') },
    {
      action: put,
      place: 'rows',
      resource: 's3://\\S+parquet',
      plan: s3('PutObject', '*.parquet'),
    },
    { action: put, place: 'lists', resource: 's3://\\S+avro', plan: s3('PutObject', '*.avro') },
    ...(kind === 'files'
      ? [
          {
            action: put,
            place: 'the commit',
            resource: 's3://\\S+/v\\d+\\.metadata\\.json',
            plan: s3('PutObject', '*/v*.metadata.json'),
          },
        ]
      : [
          {
            action: put,
            place: 'metadata',
            resource: 's3://\\S+\\.metadata\\.json',
            plan: s3('PutObject', '*.metadata.json'),
          },
          {
            action: 'glue:GetTable',
            place: 'the table',
            resource: '\\w+\\.tale',
            plan: glue('GetTable'),
          },
          {
            action: 'glue:UpdateTable',
            place: 'the commit',
            resource: '\\w+\\.tale',
            plan: glue('UpdateTable'),
          },
        ]),
  ];
}

/** Works with clients that give up a silent connection after a second instead of a minute. */
export async function withShortSilence(
  sim: SimulatedGlue,
  work: () => Promise<void>,
): Promise<void> {
  const { clients } = sim.s3;
  const all = [await clients.s3(), await clients.glue(), await clients.glueOnce()];
  const set = (ms: number): void => {
    for (const { config } of all) {
      (config.requestHandler as NodeHandler).updateHttpClientConfig('socketTimeout', ms);
    }
  };
  set(1000);
  try {
    await work();
  } finally {
    set(socketIdleMsMax);
  }
}

interface NodeHandler {
  updateHttpClientConfig(key: 'socketTimeout', value: number): void;
}

/** Works with a switch for ETags that are made wrong on their way in. */
export async function withWrongTags(
  sim: SimulatedGlue,
  work: (turn: (isOn: boolean) => void) => Promise<void>,
): Promise<void> {
  let isOn = false;
  const client = await sim.s3.clients.s3();
  client.middlewareStack.add(
    (next) => async (args) => {
      const answer = await next(args);
      if (isOn) (answer.output as { ETag?: string }).ETag &&= '"00000000000000000000000000000000"';
      return answer;
    },
    { step: 'initialize', name: 'tidelakeWrongTags' },
  );
  try {
    await work((turned) => {
      isOn = turned;
    });
  } finally {
    client.middlewareStack.remove('tidelakeWrongTags');
  }
}

/** What a run that meets a fault for good from some request on may end with. */
const endings: Readonly<Record<string, readonly string[]>> = {
  'the connection': ['SERVICE_FAILED', 'COMMIT_UNKNOWN'],
  'the credentials': ['CREDENTIALS', 'COMMIT_UNKNOWN'],
  'every right': ['DENIED', 'COMMIT_UNKNOWN'],
};

const gone: Readonly<Record<string, FaultPlanInput>> = {
  'the connection': [{ do: 'refuse' }],
  'the credentials': [
    { service: 's3', do: { fault: 'error', code: 'ExpiredToken' } },
    { service: 'glue', do: { fault: 'error', code: 'ExpiredTokenException' } },
  ],
  'every right': [
    { service: 's3', do: { fault: 'error', code: 'AccessDenied' } },
    { service: 'glue', do: { fault: 'error', code: 'AccessDeniedException' } },
  ],
};

export const lost: readonly string[] = Object.keys(endings);

/** Takes something away for good at the k-th request of a merge, for every `step`-th k, from `first` on, until a merge goes
 *  through. Gives the number of runs. */
export async function loseAtEachRequest(
  acts: Acts,
  what: string,
  first: number,
  step: number,
): Promise<number> {
  const { sim } = acts;
  const { simulator } = sim.s3;
  for (let k = first, runs = 1; ; k += step, runs++) {
    const { lake, at } = await acts.hour();
    const window = await lake.tale.window(at, at + 1, { files: 1 });
    // Rules count the requests of one service; this counts all.
    const off = atRequest(sim, k, () => simulator.setFaults(gone[what]!));
    const ran = await lake.run('merge', window);
    off();
    simulator.setFaults([]);
    const between = await lake.check({ verify: false });
    if (ran.exitCode !== 0) {
      const code = /error ([A-Z_]+) {2}/.exec(ran.err)?.[1];
      expect(endings[what], `${what} at request ${k}`).toContain(code);
      expect(ran.exitCode).toBe(code === 'COMMIT_UNKNOWN' ? 5 : 1);
      if (code !== 'COMMIT_UNKNOWN') expect(between.hour, `request ${k}`).toBe(at);
    } else expect(between.hour).toBe(at + 1);
    const actions = await lake.done('merge', window);
    expect(actions).toEqual([between.hour === at ? 'applied' : 'known']);
    expect(await lake.check({ verify: k % 8 === 0 })).toMatchObject({ hour: at + 1 });
    if (ran.exitCode === 0) return runs;
  }
}

/** Calls `then` before the k-th attempt of a request by the clients; gives what undoes it. */
function atRequest(sim: SimulatedGlue, k: number, then: () => void): () => void {
  let count = 0;
  requestHeard.set(sim, () => {
    count += 1;
    if (count === k) then();
  });
  return () => requestHeard.delete(sim);
}

const requestHeard = new Map<SimulatedGlue, () => void>();

/** Has every attempt of every request heard. */
export async function hearRequests(sim: SimulatedGlue): Promise<void> {
  const { clients } = sim.s3;
  for (const client of [await clients.s3(), await clients.glue(), await clients.glueOnce()]) {
    (client as unknown as Stacked).middlewareStack.add(
      (next) => async (args) => {
        requestHeard.get(sim)?.();
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low', name: 'tidelakeRequestsHeard' },
    );
  }
}

interface Stacked {
  readonly middlewareStack: {
    add(
      middleware: (
        next: (args: unknown) => Promise<unknown>,
      ) => (args: unknown) => Promise<unknown>,
      place: object,
    ): void;
  };
}
