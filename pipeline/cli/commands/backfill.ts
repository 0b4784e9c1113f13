// `tidelake backfill`: the past of tables, out of exports that lie somewhere, or out of point-in-time recovery.
// Promises: one report per table; one table's trouble never stops another; running it again goes on where the lake stands, and
// is nothing to do at the end. Exit 3 when a table is refused, or when exports are left aside that newer ones hang on.
// Spec: DESIGN "The command"; pipeline/backfill.

import { z } from 'zod';
import { type ErrorFacts, exitCodeOf } from '../../../schemas/errors.js';
import { backfillOfNone } from '../../backfill/report-parts.js';
import type { TableExports } from '../../ports.js';
import { errorFacts } from '../../reporting/error-facts.js';
import {
  formatBytes,
  formatCount,
  formatInstant,
  formatNumberOf,
  formatSeconds,
} from '../../reporting/human-numbers.js';
import { plainText } from '../../reporting/plain-text.js';
import type { BackfillFinding, BackfillReport } from '../../reports.js';
import { RunLimit } from '../../schedule/run-limit.js';
import { checkInput, wholeNumber } from '../check-input.js';
import type { CliContext } from '../context.js';
import { endingInTime } from '../ending-in-time.js';
import { errorText, usageError } from '../error-text.js';
import type { GlobalFlags } from '../flags.js';
import { inSession, type Session } from '../session.js';
import { exportsByPlace, jobsOf, type TableJobFlags } from '../table-jobs.js';
import { wholeSecondSchema } from './export.js';
import { settingsOf } from './load.js';

export interface BackfillFlags extends GlobalFlags, TableJobFlags {
  readonly exports?: readonly string[] | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly key?: readonly string[] | undefined;
  readonly tableId?: string | undefined;
  readonly acceptTableId?: string | undefined;
  readonly acceptSeam?: boolean | undefined;
  readonly rewind?: boolean | undefined;
  readonly buckets?: number | undefined;
  readonly partition?: string | undefined;
  readonly atOnce?: number | undefined;
  readonly dryRun?: boolean | undefined;
  readonly maxSeconds?: number | undefined;
  readonly graceSeconds?: number | undefined;
}

/** Exports of a table in progress at once: DynamoDB allows 300 in an account, and others want some too. */
const atOnceDefault = 30;
/** Time from SIGTERM to SIGKILL where nobody says (Amazon ECS Developer Guide, stopTimeout). */
const graceSecondsDefault = 30;

const keySchema = z.string().transform((text, issues) => {
  // A name of a table has no '=': an attribute that has one needs its table before it.
  const [, table = '', names = text] = /^([\w.-]{1,255})=(.*)$/s.exec(text) ?? [];
  const key = names.split(',').map((name) => name.trim());
  if (key.length <= 2 && key.every((name) => name !== '') && key[0] !== key[1]) {
    return { table, key };
  }
  issues.addIssue({
    code: 'custom',
    message: 'TABLE=PARTITION_KEY or TABLE=PARTITION_KEY,SORT_KEY is expected',
  });
  return z.NEVER;
});

const backfillSchema = z.object({
  exports: z.array(z.string().min(1)).optional(),
  from: wholeSecondSchema.optional(),
  to: wholeSecondSchema.optional(),
  key: z.array(keySchema).optional(),
  tableId: z.string().min(1).optional(),
  acceptTableId: z.string().min(1).optional(),
  buckets: wholeNumber(1, 100_000).optional(),
  partition: z.string().min(1).optional(),
  atOnce: wholeNumber(1, 300).optional(),
  maxSeconds: wholeNumber(30, 40 * 86_400).optional(),
  graceSeconds: wholeNumber(1, 3600).optional(),
});
type BackfillInput = z.infer<typeof backfillSchema>;

export async function backfill(this: CliContext, flags: BackfillFlags): Promise<void> {
  const input = checkInput(backfillSchema, flags, 'backfill');
  const isOfExports = input.exports !== undefined && input.exports.length > 0;
  if (!isOfExports && input.from === undefined) {
    throw usageError('--exports URI, or --table NAME with --from TIME is needed', 'backfill');
  }
  checkWay(flags, isOfExports);
  const { maxSeconds, graceSeconds = graceSecondsDefault } = input;
  const startMs = this.clock.nowMs();
  await inSession(this, flags, { command: 'backfill' }, async (session) => {
    const limit = new RunLimit(
      this.clock,
      maxSeconds === undefined ? null : startMs + maxSeconds * 1000,
    );
    const reports: BackfillReport[] = [];
    const tell = async (report: BackfillReport): Promise<void> => {
      reports.push(report);
      await session.print(report, backfillLines(report));
      if (report.error !== null) session.tell(errorText(report.error));
      for (const finding of report.findings) tellFinding(session, report, finding);
    };
    await endingInTime(this, session, { limit, graceSeconds }, async (isOver) => {
      const past = isOfExports
        ? exportsPast(this, session, flags, input, limit)
        : recoveryPast(this, session, flags, input, limit);
      for await (const report of past) {
        if (isOver()) return;
        await tell(report);
      }
    });
    return exitCodeOfAll(reports);
  });
}

/** Flags of the one way make no sense with the other. */
function checkWay(flags: BackfillFlags, isOfExports: boolean): void {
  const ofRecovery = [
    'source',
    'bucket',
    'prefix',
    'bucketOwner',
    'sse',
    'kmsKey',
    'grain',
    'view',
    'atOnce',
  ] as const;
  const ofExports = ['key', 'tableId', 'acceptTableId', 'acceptSeam'] as const;
  const odd = (isOfExports ? ofRecovery : ofExports).find((name) => flags[name] !== undefined);
  if (odd === undefined) return;
  const name = odd.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw usageError(
    isOfExports
      ? `--${name} is about asking for exports: it does not go with --exports`
      : `--${name} goes with --exports only`,
    'backfill',
  );
}

async function* exportsPast(
  context: CliContext,
  session: Session,
  flags: BackfillFlags,
  input: BackfillInput,
  limit: RunLimit,
): AsyncGenerator<BackfillReport> {
  const exportUris = input.exports!.map(session.place);
  const isOnAws = exportUris.some((uri) => uri.startsWith('s3:'));
  const api = await session.api();
  yield* api.backfillExports(
    { ...session.world, clock: context.clock },
    {
      ...session.target,
      ...settingsOf(session.config),
      exportUris,
      keys: new Map((input.key ?? []).map(({ table, key }) => [table, key])),
      // Who works on files of this machine may have no account at all.
      keyOf: isOnAws ? keyInDynamoDb(context, session) : null,
      tableId: input.tableId ?? null,
      acceptTableId: input.acceptTableId ?? null,
      acceptSeam: flags.acceptSeam === true,
      rewind: flags.rewind === true,
      fromMs: input.from ?? null,
      toMs: input.to ?? null,
      isDryRun: flags.dryRun === true,
      limit,
      ...(input.buckets === undefined ? {} : { buckets: input.buckets }),
      ...(input.partition === undefined ? {} : { partition: input.partition }),
    },
  );
}

/** Asks DynamoDB for a table's key: of that table, not of one that came after it. */
function keyInDynamoDb(
  context: CliContext,
  session: Session,
): (full: {
  readonly tableArn: string;
  readonly tableId: string;
}) => Promise<readonly string[] | null> {
  return async ({ tableArn, tableId }) => {
    const region = tableArn.split(':')[3];
    try {
      const exports = await context.openTableExports({
        ...session.aws,
        ...(region === undefined || region === '' ? {} : { region }),
      });
      const table = await exports.describeTable(tableArn);
      return table !== null && table.tableId === tableId ? table.key : null;
    } catch {
      // Without DynamoDB the key has to be named, which the refusal says.
      session.world.reporter.note(`${plainText(tableArn)}: DynamoDB cannot be asked for the key`);
      return null;
    }
  };
}

async function* recoveryPast(
  context: CliContext,
  session: Session,
  flags: BackfillFlags,
  input: BackfillInput,
  limit: RunLimit,
): AsyncGenerator<BackfillReport> {
  const { jobs, refused } = await jobsOf(context, session, flags, 'backfill');
  const { database } = session.target;
  for (const one of refused) yield backfillOfNone(database, one);
  const api = await session.api();
  const exportsOf = exportsByPlace(context.openTableExports, session.aws);
  for (const configured of jobs) {
    const job = {
      ...configured,
      schedule: { ...configured.schedule, exportsAtOnceMax: input.atOnce ?? atOnceDefault },
      buckets: input.buckets ?? configured.buckets,
      partition: input.partition ?? configured.partition,
    };
    let exports: TableExports;
    try {
      exports = await exportsOf(job);
    } catch (error) {
      const { source } = job;
      yield backfillOfNone(database, { table: job.target.table, source, error: errorFacts(error) });
      continue;
    }
    yield await api.backfillRecovery({ ...session.world, clock: context.clock }, exports, job, {
      fromMs: input.from!,
      toMs: input.to ?? null,
      rewind: flags.rewind === true,
      isDryRun: flags.dryRun === true,
      limit,
    });
  }
}

/** 3 when a person has to act for a table; else that of the first failure. */
function exitCodeOfAll(reports: readonly BackfillReport[]): number {
  const codes = reports.flatMap(({ error }) => (error === null ? [] : [exitCodeOf(error.code)]));
  const isBlocked = reports.some(({ findings }) => findings.some(({ blocking }) => blocking));
  if (isBlocked || codes.includes(3)) return 3;
  return codes[0] ?? 0;
}

/** What is left aside: a blocking one as the refusal it is, any other as a note. */
function tellFinding(session: Session, { table }: BackfillReport, finding: BackfillFinding): void {
  const { kind, what, next, blocking } = finding;
  // Who runs it again and again need not read of each export that is in.
  if (kind === 'known') return;
  if (!blocking) {
    const remedy = next === null ? '' : `; to heal it: ${next}`;
    session.world.reporter.note(`${table}: ${what}${remedy}`);
    return;
  }
  session.tell(
    errorText({
      code: blockingCodes[kind] ?? 'REFUSED_GAP',
      what: `${table}: ${what}`,
      meaning: `${formatNumberOf(finding.exports, 'export')} left aside; what connects is in the lake`,
      next: next ?? '',
    }),
  );
}

const blockingCodes: Readonly<Record<string, ErrorFacts['code']>> = {
  gap: 'REFUSED_GAP',
  overlap: 'REFUSED_OVERLAP',
  seam: 'REFUSED_SEAM',
  'no-full': 'REFUSED_NO_TABLE',
  'other-table': 'REFUSED_TABLE_ID',
};

/** A table's backfill in words: what became of it, its epochs, and before it is done what it takes. */
export function backfillLines(report: BackfillReport): string[] {
  const name = plainText(report.table);
  const lines = [`${name}  ${outcomeText(report)}`];
  if (report.action === 'planned') {
    lines.push(...report.epochs.map((one) => `  ${epochText(one, report.source)}`));
    lines.push(...estimateLines(report));
  }
  return lines;
}

function outcomeText(report: BackfillReport): string {
  const { action, from, to, watermark, loads, windows, loaded, merged, requested } = report;
  const range =
    from === null || to === null ? 'no history' : `${formatInstant(from)} to ${formatInstant(to)}`;
  const reached =
    watermark === null ? 'not in the lake yet' : `fresh to ${formatInstant(watermark)}`;
  const asked = requested === 0 ? '' : `, asked for ${formatNumberOf(requested, 'export')}`;
  const did = `loaded ${formatNumberOf(loaded, 'full export')}, merged ${formatCount(merged)} of ${formatNumberOf(windows, 'window')}${asked}, in ${formatSeconds(report.seconds)}`;
  switch (action) {
    case 'planned':
      return `${range}: ${formatNumberOf(loads, 'full export')} to load, ${formatNumberOf(windows, 'window')} to merge; ${reached}`;
    case 'done':
      return `${reached}; ${did}`;
    case 'nothing':
      return `${reached}; nothing to do`;
    case 'stopped':
      return `stopped, ${reached}; ${did}`;
    case 'refused':
    case 'failed':
      // Of a table that could not be read nobody knows whether it is in the lake.
      return `${action}${watermark === null ? '' : `, ${reached}`}; ${did}`;
  }
}

function epochText(
  { full, from, to, windows }: BackfillReport['epochs'][number],
  source: BackfillReport['source'],
): string {
  const start =
    full !== null || source === 'recovery'
      ? `full export at ${formatInstant(from)}`
      : `from ${formatInstant(from)} on`;
  return windows === 0
    ? start
    : `${start}, ${formatNumberOf(windows, 'window')} to ${formatInstant(to)}`;
}

function estimateLines({ estimate, loads, windows }: BackfillReport): string[] {
  if (loads + windows === 0) return [];
  const { items, bytes, files, seconds, usd, assumptions } = estimate;
  return [
    `  about ${formatNumberOf(items, 'item')} (${formatBytes(bytes)}) to read, ${formatNumberOf(files, 'file')} to write, ${formatSeconds(seconds)}, $${usd.toFixed(2)}`,
    ...assumptions.map((one) => `    assumed: ${one}`),
  ];
}
