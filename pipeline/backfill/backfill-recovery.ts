// The past of a table out of point-in-time recovery: a full export of an instant, and the chain of windows after it, asked for
// several at once and merged in order as they complete. Rounds of the scheduled job with a given start and end, and nothing else.
// Promises: no read capacity; nothing is paid for twice, since prefix and token of each export follow from its window; where it
// goes on is read from the lake and the bucket, so it may be killed anywhere and run again.
// Source: Amazon DynamoDB Developer Guide, "Point-in-time recovery" (1 to 35 days); DESIGN "The hourly job is a pure decision".

import { type ErrorFacts, outcomeOf, refuse } from '../../schemas/errors.js';
import type { Window } from '../../schemas/export-manifest.js';
import type { PitrFacts } from '../../schemas/table-exports.js';
import { formatInstant } from '../lake/lake-state.js';
import { openCatalog } from '../lake/open-catalog.js';
import { type OpenTable, openTable } from '../lake/open-table.js';
import type { TableDescription, TableExports, World } from '../ports.js';
import { errorFacts } from '../reporting/error-facts.js';
import type { BackfillReport, RoundReport } from '../reports.js';
import { planRound } from '../schedule/plan-round.js';
import * as refusals from '../schedule/refusals.js';
import type { RunLimit } from '../schedule/run-limit.js';
import { runTables } from '../schedule/run-tables.js';
import type { ScheduleConfig, Situation } from '../schedule/situation.js';
import type { TableJob } from '../schedule/table-job.js';
import { windowAfter } from '../schedule/windows.js';
import { type BackfillEstimate, estimateRecovery } from './estimate.js';

export interface BackfillRecoveryOptions {
  /** Instant of the full export: a whole second. */
  readonly fromMs: number;
  /** Windows end here at the latest; null: at the newest instant that could be exported when the run began. */
  readonly toMs: number | null;
  /** Takes a lake table back that begins later. */
  readonly rewind: boolean;
  readonly isDryRun: boolean;
  readonly limit: RunLimit;
  /** Told of each round. */
  readonly onRound?: (report: RoundReport) => void;
}

/** What a backfill sets out to do. */
interface RecoveryPlan {
  readonly table: TableDescription;
  readonly schedule: ScheduleConfig;
  /** Whether a full export is loaded first. */
  readonly isNew: boolean;
  /** Where the windows begin: the full export's instant, or the lake's watermark. */
  readonly startMs: number;
  readonly windows: readonly Window[];
  readonly goalMs: number;
  readonly estimate: BackfillEstimate;
}

/** Does it, for one table. What is in the way is in the report; nothing of the table's own trouble is thrown. */
export async function backfillRecovery(
  world: World,
  exports: TableExports,
  job: TableJob,
  options: BackfillRecoveryOptions,
): Promise<BackfillReport> {
  const startMs = world.clock.nowMs();
  const done = { loaded: 0, merged: 0, requested: 0 };
  let plan: RecoveryPlan | null = null;
  const report = async (
    action: BackfillReport['action'],
    error: ErrorFacts | null,
    watermark?: string | null,
  ): Promise<BackfillReport> => ({
    ...planned(job, plan),
    ...done,
    action,
    // What a round or the plan read is not read again: it might fail then.
    watermark: watermark === undefined ? await watermarkOf(world, job) : watermark,
    error,
    seconds: (world.clock.nowMs() - startMs) / 1000,
  });
  try {
    plan = await planRecovery(world, exports, job, options);
    const { isNew, windows, goalMs, schedule } = plan;
    const jobs = [{ ...job, schedule }];
    if (options.isDryRun) {
      const { error } = await planRound(world, exports, jobs[0]!);
      return await report(error === null ? 'planned' : outcomeOf(error), error);
    }
    if (!isNew && windows.length === 0) {
      return await report('nothing', null, formatInstant(plan.startMs));
    }
    const step = world.reporter.step(`${job.target.table}: windows`, windows.length, 'windows');
    const onRound = (round: RoundReport): void => {
      step.advance(round.merges.filter(({ action }) => action === 'applied').length);
      options.onRound?.(round);
    };
    const { limit } = options;
    const rounds = runTables(world, jobs, async () => exports, {
      tablesAtOnceMax: 1,
      isWaiting: true,
      goalMs,
      limit,
      onRound,
    });
    let last: RoundReport | null = null;
    for await (const round of rounds) last = round;
    step.done();
    done.loaded = last!.loads.filter(({ action }) => action === 'loaded').length;
    done.merged = last!.merges.filter(({ action }) => action === 'applied').length;
    done.requested = last!.requested.length;
    if (last!.error !== null) {
      return await report(outcomeOf(last!.error), last!.error, last!.watermark ?? undefined);
    }
    const isThere = last!.watermark !== null && Date.parse(last!.watermark) >= goalMs;
    return await report(isThere ? 'done' : 'stopped', null, last!.watermark);
  } catch (error) {
    const facts = errorFacts(error);
    return await report(outcomeOf(facts), facts);
  }
}

/** Throws REFUSED_NO_TABLE, REFUSED_PITR_OFF, REFUSED_OUTSIDE_PITR, REFUSED_TOO_FRESH, REFUSED_OLDER. */
async function planRecovery(
  world: World,
  exports: TableExports,
  job: TableJob,
  options: BackfillRecoveryOptions,
): Promise<RecoveryPlan> {
  const table = await exports.describeTable(job.source);
  const pitr: PitrFacts =
    table === null
      ? { isEnabled: false, earliestMs: null, latestMs: null, periodDays: null }
      : await exports.describePitr(table.tableArn);
  const open = await openOf(world, job);
  const situation: Situation = {
    lake: null,
    table,
    pitr,
    exports: [],
    looked: [],
    nowMs: world.clock.nowMs(),
    config: job.schedule,
  };
  if (table === null) throw thrown(refusals.tableGone(situation));
  if (!pitr.isEnabled) throw thrown(refusals.pitrOff(situation, table));
  const { fromMs } = options;
  const latestMs = pitr.latestMs ?? situation.nowMs;
  if (fromMs > latestMs) throw tooFresh(job, fromMs, latestMs);

  const isRewinding = mustRewind(open, job, options);
  const isNew = open === null || isRewinding;
  const startMs = isNew ? fromMs : open.state.watermarkMs;
  const untilMs = Math.min(options.toMs ?? latestMs, latestMs);
  const windows = windowsOf(startMs, untilMs, job.schedule.grainMinutes);
  const schedule: ScheduleConfig = {
    ...job.schedule,
    ...(isNew ? { baselineMs: fromMs, mayRewind: isRewinding } : {}),
    untilMs,
    // Another epoch would be another past than the one that was asked for.
    mayReseed: false,
  };
  const estimate = estimateRecovery(
    isNew ? table.sizeBytes : null,
    table.itemCount,
    windows.length,
    job.schedule.exportsAtOnceMax,
  );
  const goalMs = windows.at(-1)?.toMs ?? startMs;
  return { table, schedule, isNew, startMs, windows, goalMs, estimate };
}

/** Whether the lake is to be taken back. Throws REFUSED_OLDER when that was not asked for. */
function mustRewind(
  open: OpenTable | null,
  job: TableJob,
  { fromMs, rewind }: BackfillRecoveryOptions,
): boolean {
  // A lake that begins no later goes on from where it is: its past is there, or its own affair.
  if (open === null || open.state.baseline.exportTimeMs <= fromMs) return false;
  if (rewind) return true;
  const { table } = job.target;
  throw refuse(
    'REFUSED_OLDER',
    `${table}: the lake begins at ${formatInstant(open.state.baseline.exportTimeMs)} and is at ${formatInstant(open.state.watermarkMs)}; its past from ${formatInstant(fromMs)} on was asked for`,
    'older snapshots cannot be put before the newer ones: the table would be taken back and go through that time again; nothing was asked for',
    `tidelake backfill with --table and another name and --source ${job.source}; or --rewind, if taking the lake back is meant`,
  );
}

function windowsOf(startMs: number, untilMs: number, grainMinutes: number): readonly Window[] {
  const windows: Window[] = [];
  if (startMs % 1000 !== 0) return windows;
  // A window is 15 minutes at least, and recovery reaches back 35 days.
  for (let fromMs = startMs; ; ) {
    const window = windowAfter(fromMs, grainMinutes);
    if (window.toMs > untilMs) return windows;
    windows.push(window);
    fromMs = window.toMs;
  }
}

function planned(
  job: TableJob,
  plan: RecoveryPlan | null,
): Omit<
  BackfillReport,
  'action' | 'watermark' | 'error' | 'seconds' | 'loaded' | 'merged' | 'requested'
> {
  const { database, table } = job.target;
  const from = plan === null ? null : formatInstant(plan.startMs);
  const to = plan === null ? null : formatInstant(plan.goalMs);
  const windows = plan?.windows.length ?? 0;
  return {
    database,
    table,
    tableId: plan?.table.tableId ?? null,
    source: 'recovery',
    from,
    to,
    epochs: from === null || to === null ? [] : [{ full: null, from, to, windows }],
    loads: plan?.isNew === true ? 1 : 0,
    windows,
    findings: [],
    estimate: plan?.estimate ?? estimateRecovery(null, 0, 0, 1),
  };
}

async function openOf(world: World, job: TableJob): Promise<OpenTable | null> {
  const { database, table } = job.target;
  const catalog = await openCatalog(world, job.target);
  return openTable({ store: world.store, catalog, database, table });
}

/** Where the lake is now; null when there is no table, or it cannot be read, which the error of the report then says. */
async function watermarkOf(world: World, job: TableJob): Promise<string | null> {
  const open = await openOf(world, job).catch(() => null);
  return open === null ? null : formatInstant(open.state.watermarkMs);
}

function tooFresh(job: TableJob, fromMs: number, latestMs: number): Error {
  return refuse(
    'REFUSED_TOO_FRESH',
    `${job.target.table}: a past from ${formatInstant(fromMs)} on was asked for, exports reach ${formatInstant(latestMs)}`,
    'nothing was asked for; the lake is as it was',
    `--from ${formatInstant(Math.floor(latestMs / 60_000) * 60_000)} or earlier`,
  );
}

function thrown({ code, what, meaning, next }: ErrorFacts): Error {
  return refuse(code as Parameters<typeof refuse>[0], what, meaning, next);
}
