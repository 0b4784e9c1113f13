// One export that a person asks for: of a window, of an instant, or of now.
// Promises: what is there, or under way, is given back and not paid for again; a new one is asked for only where those before
// failed, are stuck, or lost their files; it is put where the scheduled job looks for it.
// Source: Amazon DynamoDB API Reference, ExportTableToPointInTime; the design, "The hourly job is a pure decision".

import { type ErrorFacts, refuse, TidelakeError } from '../../schemas/errors.js';
import type { ExportView, Window } from '../../schemas/export-manifest.js';
import { exportPollMs, windowMsMax, windowMsMin } from '../../schemas/limits.js';
import type {
  ExportRequest,
  ExportSubject,
  KnownExport,
  PitrFacts,
  TableFacts,
} from '../../schemas/table-exports.js';
import { findExportFolders } from '../export/find-export-folders.js';
import { formatInstant } from '../lake/lake-state.js';
import type { TableExports, World } from '../ports.js';
import type { ExportReport } from '../reports.js';
import { prefixUri } from './export-place.js';
import { exportRequest } from './export-request.js';
import { recoveryCommand } from './recovery-command.js';
import { RunLimit } from './run-limit.js';
import { requestedExport } from './run-round.js';
import type { TableJob } from './table-job.js';

/** What is asked for. `newest`: the table at the newest whole second that can be exported. */
export type AskedExport =
  | { readonly of: 'newest' }
  | { readonly of: 'instant'; readonly atMs: number }
  | { readonly of: 'window'; readonly window: Window; readonly view: ExportView };

export interface AskOptions {
  readonly asked: AskedExport;
  /** Whether to stay until the export is over. */
  readonly isWaiting: boolean;
  readonly limit?: RunLimit;
}

/** Tries of one export by hand, those before counted: more say that something else is wrong. */
const attemptsMax = 20;
/** An export that was asked for so long before the newest instant that can be exported was not asked for by this command. */
const earlierMs = 60_000;

const unchanged = 'nothing was asked for; the lake is as it was';

/**
 * Asks for an export. Throws USAGE for a window that cannot be, REFUSED_NO_TABLE, REFUSED_PITR_OFF, REFUSED_OUTSIDE_PITR
 * (too old), REFUSED_TOO_FRESH, THROTTLED (too many at once). That an export failed is in the report.
 */
export async function askExport(
  world: World,
  exports: TableExports,
  job: TableJob,
  options: AskOptions,
): Promise<ExportReport> {
  const startMs = world.clock.nowMs();
  const limit = options.limit ?? new RunLimit(world.clock);
  const table = await exports.describeTable(job.source);
  if (table === null) {
    throw refuse(
      'REFUSED_NO_TABLE',
      `there is no DynamoDB table ${job.source}`,
      unchanged,
      'check the name, the Region and the account: aws dynamodb list-tables',
    );
  }
  const pitr = await exports.describePitr(table.tableArn);
  const subject = subjectOf(options.asked, table, pitr);
  const requestOf = (attempt: number): ExportRequest =>
    exportRequest(table, job.schedule, subject, attempt);
  const report = (
    known: KnownExport,
    request: ExportRequest,
    action: ExportReport['action'],
  ): ExportReport => {
    const { summaryUri, state, failureCode, billedBytes, exportArn } = known;
    return {
      action,
      table: job.target.table,
      source: job.source,
      tableId: known.tableId,
      ...requestedExport(exportArn, { request }),
      view: subject.type === 'INCREMENTAL_EXPORT' ? subject.view : null,
      state,
      failureCode,
      summary: summaryUri,
      billedBytes,
      error: state === 'FAILED' ? failedFacts(known, job) : null,
      seconds: (world.clock.nowMs() - startMs) / 1000,
    };
  };

  // The service's own clock: one of a runner that is wrong by a day must not have an export paid for again.
  const ageMs = (one: KnownExport): number => (pitr.latestMs ?? startMs) - one.requestedAtMs;
  const found = await exportsAt(world, exports, table, requestOf(1));
  const isOfUse = (one: KnownExport): boolean => {
    if (one.state === 'COMPLETED') return one.summaryUri !== null;
    const isStuck = ageMs(one) > job.schedule.stuckMinutesMax * 60_000;
    return one.state !== 'FAILED' && !isStuck;
  };
  const useful = found.filter((one) => isSame(one, subject) && isOfUse(one));
  const known = useful.find(({ state }) => state === 'COMPLETED') ?? useful[0];
  if (known !== undefined) {
    const done = await atEnd(exports, known, options, limit, world);
    return report(done, requestOf(1), 'known');
  }
  checkReach(subject, table, pitr);
  const useless = new Set(found.map(({ clientToken }) => clientToken));
  const gone = new Set(found.map(({ exportArn }) => exportArn));
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const request = requestOf(attempt);
    if (useless.has(request.clientToken)) continue;
    const exportArn = await exports.requestExport(request);
    if (gone.has(exportArn)) continue;
    // DescribeExport may not know yet what was begun just now; another token would be another export to pay for.
    const one = (await exports.describeExport(exportArn)) ?? begunNow(exportArn, request, startMs);
    const isEarlier = ageMs(one) > earlierMs;
    if (isEarlier && !(isOfUse(one) && (await isThere(world, one)))) continue;
    const done = await atEnd(exports, one, options, limit, world);
    return report(done, request, isEarlier ? 'known' : 'requested');
  }
  throw refuse(
    'REFUSED_EXPORT_FAILED',
    `${job.target.table}: ${attemptsMax} exports of the same were asked for, and none can be used`,
    unchanged,
    'remove the cause, then run the same command again in 8 hours',
  );
}

function subjectOf(asked: AskedExport, table: TableFacts, pitr: PitrFacts): ExportSubject {
  switch (asked.of) {
    case 'window': {
      const { fromMs, toMs } = asked.window;
      const isWhole = fromMs % 1000 === 0 && toMs % 1000 === 0;
      const lengthMs = toMs - fromMs;
      if (!isWhole || lengthMs < windowMsMin || lengthMs > windowMsMax) {
        throw new TidelakeError({
          code: 'USAGE',
          what: `a window from ${formatInstant(fromMs)} to ${formatInstant(toMs)}`,
          meaning: 'DynamoDB exports windows of whole seconds, 15 minutes to 24 hours long',
          next: 'name another --from or --to',
        });
      }
      return { type: 'INCREMENTAL_EXPORT', window: asked.window, view: asked.view };
    }
    case 'instant':
      return { type: 'FULL_EXPORT', exportTimeMs: asked.atMs };
    case 'newest': {
      if (!pitr.isEnabled) throw pitrOff(table);
      // Recovery that was switched on just now: its first whole second is still to come.
      const latestMs = Math.floor((pitr.latestMs ?? 0) / 1000) * 1000;
      const earliestMs = Math.ceil((pitr.earliestMs ?? 0) / 1000) * 1000;
      return { type: 'FULL_EXPORT', exportTimeMs: Math.max(latestMs, earliestMs) };
    }
  }
}

/** Too old, too fresh, or not at all: each by its name. */
function checkReach(subject: ExportSubject, table: TableFacts, pitr: PitrFacts): void {
  const { isEnabled, earliestMs, latestMs } = pitr;
  if (!isEnabled) throw pitrOff(table);
  const isFull = subject.type === 'FULL_EXPORT';
  const [firstMs, lastMs] = isFull
    ? [subject.exportTimeMs, subject.exportTimeMs]
    : [subject.window.fromMs, subject.window.toMs];
  if (earliestMs !== null && firstMs < Math.floor(earliestMs / 1000) * 1000) {
    throw refuse(
      'REFUSED_OUTSIDE_PITR',
      `${table.tableName}: ${formatInstant(firstMs)} was asked for, exports begin at ${formatInstant(earliestMs)}`,
      unchanged,
      `ask for ${formatInstant(Math.ceil(earliestMs / 1000) * 1000)} or later`,
    );
  }
  if (latestMs === null || lastMs > latestMs) {
    const until = latestMs === null ? 'nothing yet' : formatInstant(latestMs);
    throw refuse(
      'REFUSED_TOO_FRESH',
      `${table.tableName}: ${formatInstant(lastMs)} was asked for, exports reach ${until}`,
      unchanged,
      'run the same command again a few minutes later',
    );
  }
}

function pitrOff(table: TableFacts): TidelakeError {
  return refuse(
    'REFUSED_PITR_OFF',
    `point-in-time recovery of ${table.tableName} is off`,
    'nothing can be exported, and nothing was asked for',
    recoveryCommand(table.tableName),
  );
}

/** What was put below the request's prefix already. Who may not list the bucket, another account's perhaps, goes without. */
async function exportsAt(
  world: World,
  exports: TableExports,
  table: TableFacts,
  { destination, s3Prefix }: ExportRequest,
): Promise<readonly KnownExport[]> {
  const found: KnownExport[] = [];
  const folders = await findExportFolders(world.store, prefixUri(destination, s3Prefix)).catch(
    (error) => {
      if (!(error instanceof TidelakeError) || error.code !== 'DENIED') throw error;
      world.reporter.warn(
        `s3://${destination.s3Bucket} may not be listed: an export that was asked for over 8 hours ago is not seen, and is paid for again`,
      );
      return [];
    },
  );
  for (const { exportId, summaryUri } of folders) {
    const one = await exports.describeExport(`${table.tableArn}/export/${exportId}`);
    if (one !== null) found.push({ ...one, summaryUri });
  }
  return found;
}

/** An export as its request describes it, before DynamoDB does. */
function begunNow(exportArn: string, request: ExportRequest, nowMs: number): KnownExport {
  const { tableId, subject, destination, s3Prefix, clientToken } = request;
  const base = {
    exportArn,
    tableId,
    state: 'IN_PROGRESS',
    failureCode: null,
    clientToken,
    s3Bucket: destination.s3Bucket,
    s3Prefix,
    summaryUri: null,
    requestedAtMs: nowMs,
    billedBytes: null,
    isReadable: true,
  } as const;
  return subject.type === 'FULL_EXPORT'
    ? { ...base, type: subject.type, exportTimeMs: subject.exportTimeMs }
    : { ...base, type: subject.type, window: subject.window };
}

/** Whether a completed export still has its files. Who may not list the bucket takes DynamoDB's word. */
async function isThere({ store }: World, { state, summaryUri }: KnownExport): Promise<boolean> {
  if (state !== 'COMPLETED' || summaryUri === null) return true;
  const at = summaryUri.lastIndexOf('/');
  try {
    return (await store.children(summaryUri.slice(0, at))).includes(summaryUri.slice(at + 1));
  } catch (error) {
    if (error instanceof TidelakeError && error.code === 'DENIED') return true;
    throw error;
  }
}

function isSame(one: KnownExport, subject: ExportSubject): boolean {
  if (!one.isReadable) return false;
  if (one.type === 'FULL_EXPORT') {
    return subject.type === 'FULL_EXPORT' && subject.exportTimeMs === one.exportTimeMs;
  }
  return (
    subject.type === 'INCREMENTAL_EXPORT' &&
    subject.window.fromMs === one.window.fromMs &&
    subject.window.toMs === one.window.toMs
  );
}

/** The export when it is over, where that is waited for. */
async function atEnd(
  exports: TableExports,
  known: KnownExport,
  { isWaiting }: AskOptions,
  limit: RunLimit,
  world: World,
): Promise<KnownExport> {
  let one = known;
  if (!isWaiting) return one;
  const step = world.reporter.step(`waiting for ${one.exportArn}`, null, 'looks');
  while (one.state === 'IN_PROGRESS' && limit.mayBegin) {
    await limit.sleep(exportPollMs);
    one = (await exports.describeExport(one.exportArn)) ?? one;
    step.advance(1);
  }
  step.done();
  return one;
}

function failedFacts(one: KnownExport, { target }: TableJob): ErrorFacts {
  return refuse(
    'REFUSED_EXPORT_FAILED',
    `${target.table}: the export failed with ${one.failureCode ?? 'no code'} (${one.exportArn})`,
    'what it left in the bucket is no export; the lake is as it was',
    'remove the cause, then run the same command again',
  ).facts();
}
