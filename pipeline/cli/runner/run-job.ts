// One invocation of the scheduled job: the command `run` with its configuration from where the environment says, its deadline
// from the invocation, its reports and notes into a log, its metrics beside them.
// Promises: throws only when the job itself could not run: a table that is refused or failed is in log, metrics and result, and
// the others went on. What is thrown and logged has codes and names, never content of items.
// Source: docs/how-to/hourly-job.md; DESIGN "The hourly job is a pure decision".

import { TidelakeError } from '../../../schemas/errors.js';
import { outcomeOf, type RunTotals, totalsOf } from '../../reporting/run-metrics.js';
import type { RoundReport } from '../../reports.js';
import { run } from '../commands/run.js';
import type { CliContext } from '../context.js';
import { errorFacts } from '../error-text.js';
import type { Output } from '../output.js';
import { packageFolder } from '../package-root.js';
import { lakeNameDefault } from '../run-meter.js';
import { type Invocation, type JobLog, LogReporter, openJobLog } from './job-log.js';

/** What the job gets from the process it runs in. */
export interface JobWorld
  extends Pick<
    CliContext,
    'clock' | 'processors' | 'loadApi' | 'createWorld' | 'openTableExports'
  > {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Writes whole lines to the log, beside what `openJobLog` writes. */
  readonly write: (text: string) => void;
}

/** What an invocation answers. */
export type JobResult = RunTotals;

/** Time kept at the end of an invocation for closing and for the answer, in milliseconds. */
const closeMsMax = 5_000;

/**
 * Runs one round for each table of the configuration.
 * @throws TidelakeError when the job itself could not run: the configuration, the world around it
 */
export async function runJob(invocation: Invocation, world: JobWorld): Promise<JobResult> {
  const { env } = world;
  const deadlineMs = world.clock.nowMs() + invocation.getRemainingTimeInMillis() - closeMsMax;
  const log = await openJobLog(env.POWERTOOLS_SERVICE_NAME || lakeNameDefault, invocation);
  try {
    const reports: RoundReport[] = [];
    await run.call(contextOf(world, deadlineMs, log, reports), {
      json: true,
      logFormat: 'text',
      metrics: 'emf',
      ...(env.TIDELAKE_TABLE ? { table: env.TIDELAKE_TABLE } : {}),
    });
    const totals = totalsOf(reports.map(outcomeOf));
    log.info('run', { ...totals });
    return totals;
  } catch (thrown) {
    const facts = errorFacts(thrown);
    log.error('the job could not run', { ...facts });
    // Lambda prints what is thrown, so it is made anew from what may be told.
    throw new TidelakeError(facts);
  }
}

/** The command's surroundings: its results become lines of the log, metrics pass as they are. */
function contextOf(
  world: JobWorld,
  deadlineMs: number,
  log: JobLog,
  reports: RoundReport[],
): CliContext {
  const none = (what: string) => () => Promise.reject(new Error(`the job has no ${what}`));
  const out = output((line) => {
    const value = JSON.parse(line) as RoundReport | { readonly _aws: unknown };
    if ('_aws' in value) {
      world.write(`${line}\n`);
      return;
    }
    reports.push(value);
    logRound(log, value);
  });
  // Errors of tables are in their reports, and that of the job is thrown.
  const err = output(() => {});
  return {
    process: { stdout: out, stderr: err, env: world.env },
    out,
    err,
    // A configuration that was put into the image lies beside the code.
    folder: packageFolder(),
    clock: world.clock,
    deadlineMs,
    reporter: new LogReporter(log),
    processors: world.processors,
    loadApi: world.loadApi,
    createWorld: world.createWorld,
    openTableExports: world.openTableExports,
    loadSimulator: none('simulator'),
    startSimulator: none('simulator'),
    openAthena: none('Athena'),
    // Lambda sends no signal to the function: the deadline is all.
    onStop: () => () => {},
    onInterrupt: () => () => {},
  };
}

/** An output that gives whole lines away. */
function output(give: (line: string) => void): Output {
  let rest = '';
  return {
    write: (text) => {
      const lines = `${rest}${text}`.split('\n');
      rest = lines.pop()!;
      for (const line of lines) if (line !== '') give(line);
    },
    ready: async () => {},
    isClosed: false,
    isTerminal: false,
    columns: null,
  };
}

function isCompacted({ action }: { readonly action: string }): boolean {
  return action === 'compacted';
}

/** Why upkeep was not finished; files that could not be removed are told by a warning of their own. */
function upkeepErrorOf({ upkeep }: RoundReport): string | null {
  return upkeep?.error?.code ?? null;
}

/** One line for each table. */
function logRound(log: JobLog, report: RoundReport): void {
  const { table, source, state, late, watermark, waitingFor, error, seconds } = report;
  const { windowsMerged, exportsLoaded, rowsChanged } = outcomeOf(report);
  const fields = {
    table,
    source,
    outcome: late && state !== 'refused' && state !== 'failed' ? 'late' : state,
    watermark,
    lag_seconds: report.lagSeconds,
    waiting_for: waitingFor,
    requested: report.requested.map(({ exportArn }) => exportArn),
    exports_running: report.running,
    exports_loaded: exportsLoaded,
    windows_merged: windowsMerged,
    rows_changed: rowsChanged,
    reseeded: report.reseeded?.code ?? null,
    near_edge: report.nearEdge,
    partitions_compacted: (report.upkeep?.compacted ?? []).filter(isCompacted).length,
    snapshots_expired: report.upkeep?.expired?.expiredSnapshots ?? 0,
    upkeep_error: upkeepErrorOf(report),
    seconds,
    ...(error === null ? {} : error),
  };
  if (state === 'failed') log.error('table', fields);
  else if (state === 'refused' || late || report.nearEdge) log.warn('table', fields);
  else log.info('table', fields);
}
