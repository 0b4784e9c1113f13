// The scheduled job over many tables: a round for each, or rounds until each has what could be had, some at a time.
// Promises: one table's trouble never stops another; a report for every table, in the order in which they end; tables that never
// get done, or that wait, do not keep the others from their turn for good; what was begun is waited for also when nobody wants the reports any more.
// Source: the design, "The hourly job is a pure decision".

import { createHash } from 'node:crypto';
import { exportPollMs } from '../../schemas/limits.js';
import { formatInstant } from '../lake/lake-state.js';
import type { TableExports, World } from '../ports.js';
import { errorFacts } from '../reporting/error-facts.js';
import type { PlanReport, RoundReport, UpkeepReport } from '../reports.js';
import { configuredUpkeep, type UpkeepWhen } from '../upkeep/upkeep-due.js';
import { planOfNone, roundOfNone } from './no-round.js';
import { type PlanOptions, planRound } from './plan-round.js';
import { RunLimit } from './run-limit.js';
import { type RoundOptions, runRound } from './run-round.js';
import { Slots } from './slots.js';
import type { TableJob } from './table-job.js';
import { ExportMemory } from './table-watch.js';

/** How DynamoDB is reached for a table: accounts and Regions may differ. */
export type ExportsOf = (job: TableJob) => Promise<TableExports>;

export interface TablesOptions {
  /** Tables worked on at once. One that sleeps until its exports are there is not counted. */
  readonly tablesAtOnceMax: number;
  /** Whether to stay until each table has the newest window that could be exported when the run began, or can now. */
  readonly isWaiting?: boolean;
  /** Stays until this instant is in the lake, in place of the newest window. */
  readonly goalMs?: number;
  readonly limit?: RunLimit;
  /** The upkeep of a table after rounds that brought something in; null: none. Default: what its job says. */
  readonly upkeepOf?: (job: TableJob) => UpkeepWhen | null;
  /** Told of each round of a run that waits. */
  readonly onRound?: (report: RoundReport) => void;
}

/** Runs tables. Yields each table's report when it is done. */
export async function* runTables(
  world: World,
  jobs: readonly TableJob[],
  exportsOf: ExportsOf,
  options: TablesOptions,
): AsyncGenerator<RoundReport> {
  const limit = options.limit ?? new RunLimit(world.clock);
  const slots = new Slots(options.tablesAtOnceMax);
  yield* eachTable(drawn(jobs, world.clock.nowMs()), slots, async (job) => {
    try {
      const upkeep = (options.upkeepOf ?? upkeepOfJob)(job);
      const round: RoundOptions = { limit, ...(upkeep === null ? {} : { upkeep }) };
      if (options.isWaiting === true) {
        return await untilFresh(world, exportsOf, job, limit, slots, round, options);
      }
      return await slots.inTurn(async () => runRound(world, await exportsOf(job), job, round));
    } catch (error) {
      return notBegun(job, error);
    }
  });
}

/**
 * The order in which tables get their turns, drawn anew by the instant of each run. In an order that stays, a few tables whose
 * work never fits the time would keep those after them from ever being looked at.
 */
function drawn(jobs: readonly TableJob[], nowMs: number): readonly TableJob[] {
  return jobs
    .map((job) => ({ job, lot: sha256(`${nowMs} ${job.target.table}`) }))
    .sort((a, b) => (a.lot < b.lot ? -1 : 1))
    .map(({ job }) => job);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function upkeepOfJob({ upkeep }: TableJob): UpkeepWhen | null {
  return upkeep == null ? null : configuredUpkeep(upkeep);
}

/** Plans tables. Yields each table's plan when it is made. */
export async function* planTables(
  world: World,
  jobs: readonly TableJob[],
  exportsOf: ExportsOf,
  options: Pick<TablesOptions, 'tablesAtOnceMax'> & PlanOptions,
): AsyncGenerator<PlanReport> {
  const slots = new Slots(options.tablesAtOnceMax);
  yield* eachTable(jobs, slots, (job) =>
    slots.inTurn(async () => {
      let exports: TableExports;
      try {
        exports = await exportsOf(job);
      } catch (error) {
        return planOfNone(notBegun(job, error));
      }
      return planRound(world, exports, job, options);
    }),
  );
}

/** Does `work` for each job in its turn and yields what comes of it as it comes. `work` does not throw; null: it had no turn.
 *  Left early, it begins no further turn and waits for those that were begun. */
async function* eachTable<R>(
  jobs: readonly TableJob[],
  slots: Slots,
  work: (job: TableJob) => Promise<R | null>,
): AsyncGenerator<R> {
  const done: (R | null)[] = [];
  let wake = (): void => {};
  const all = Promise.all(
    jobs.map(async (job) => {
      done.push(await work(job));
      wake();
    }),
  );
  try {
    for (let told = 0; told < jobs.length; told++) {
      while (done.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const result = done.shift()!;
      if (result !== null) yield result;
    }
  } finally {
    slots.close();
    await all;
  }
}

/** Errors after which another round may well succeed. */
const passing: ReadonlySet<string> = new Set([
  'COMMIT_CONFLICT',
  'COMMIT_UNKNOWN',
  // What can be recovered reaches further with every minute.
  'REFUSED_TOO_FRESH',
  'SERVICE_FAILED',
  'THROTTLED',
]);
/** Rounds in a row that may fail. */
const failuresMax = 3;

/** Rounds until the lake has what could be exported at the beginning, or has all there is, or a person has to act. */
async function untilFresh(
  world: World,
  exportsOf: ExportsOf,
  job: TableJob,
  limit: RunLimit,
  slots: Slots,
  round: RoundOptions,
  { goalMs, onRound = () => {} }: TablesOptions,
): Promise<RoundReport | null> {
  const memory = new ExportMemory();
  const startMs = world.clock.nowMs();
  let whole: RoundReport | null = null;
  let goal = goalMs === undefined ? null : formatInstant(goalMs);
  let failures = 0;
  for (;;) {
    // While it sleeps, other tables have their turn.
    const report = await slots.inTurn(async () =>
      runRound(world, await exportsOf(job), job, { ...round, memory }),
    );
    if (report === null) return whole;
    onRound(report);
    whole = together(whole, report, (world.clock.nowMs() - startMs) / 1000);
    goal ??= report.target ?? report.requested.find(({ at }) => at !== null)?.at ?? null;
    const { state, watermark, waitingFor, error } = report;
    if (state === 'fresh') return whole;
    if (waitingFor === 'time-budget' || waitingFor === 'stopped') return whole;
    // Instants of one form compare as texts.
    if (state === 'waiting' && goal !== null && watermark !== null && watermark >= goal)
      return whole;
    failures = error === null ? 0 : failures + 1;
    if (error !== null && (failures >= failuresMax || !passing.has(error.code))) return whole;
    const nextMs = report.nextAt === null ? null : Date.parse(report.nextAt);
    await limit.sleep(
      nextMs === null ? exportPollMs : Math.max(1000, nextMs - world.clock.nowMs()),
    );
    if (!limit.mayBegin) {
      return { ...whole, waitingFor: limit.isStopping ? 'stopped' : 'time-budget' };
    }
  }
}

/** A run's report: as the last round left the table, with all that was done. */
function together(before: RoundReport | null, last: RoundReport, seconds: number): RoundReport {
  if (before === null) return last;
  return {
    ...last,
    requested: [...before.requested, ...last.requested],
    loads: [...before.loads, ...last.loads],
    merges: [...before.merges, ...last.merges],
    reseeded: before.reseeded ?? last.reseeded,
    upkeep: bothUpkeeps(before.upkeep, last.upkeep),
    seconds,
  };
}

function bothUpkeeps(before: UpkeepReport | null, last: UpkeepReport | null): UpkeepReport | null {
  if (before === null || last === null) return last ?? before;
  return {
    compacted: [...before.compacted, ...last.compacted],
    expired: last.expired ?? before.expired,
    error: last.error,
  };
}

function notBegun({ target, source }: TableJob, thrown: unknown): RoundReport {
  return roundOfNone(target.database, { table: target.table, source, error: errorFacts(thrown) });
}
