// `tidelake export`: asks DynamoDB for one export, where the scheduled job would put it.
// Promises: an export that is there or under way is shown and not paid for again; too fresh and too old are different
// refusals; with --wait an export that failed is exit 3. Told to stop, it says how to go on waiting without paying twice.
// Spec: DESIGN "The command"; Amazon DynamoDB API Reference, ExportTableToPointInTime.

import { z } from 'zod';
import { TidelakeError } from '../../../schemas/errors.js';
import { formatBytes, formatInstant } from '../../reporting/human-numbers.js';
import { plainText } from '../../reporting/plain-text.js';
import type { ExportReport } from '../../reports.js';
import type { AskedExport } from '../../schedule/ask-export.js';
import { RunLimit } from '../../schedule/run-limit.js';
import type { TableJob } from '../../schedule/table-job.js';
import { checkInput } from '../check-input.js';
import type { CliContext } from '../context.js';
import { errorText, usageError } from '../error-text.js';
import type { GlobalFlags } from '../flags.js';
import { inSession, type Session } from '../session.js';
import { exportsByPlace, jobsOf, type TableJobFlags } from '../table-jobs.js';

export interface ExportFlags extends GlobalFlags, TableJobFlags {
  readonly full?: boolean | undefined;
  readonly at?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly wait?: boolean | undefined;
}

/** An instant of a whole second, in ms. A time without a zone is UTC, as all our times are. */
export const wholeSecondSchema: z.ZodType<number> = z.string().transform((text, issues) => {
  const form = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.0{1,9})?)?(Z|[+-]\d{2}:\d{2})?)?$/.exec(
    text,
  );
  const iso = text.replace(' ', 'T');
  const isZoned = form?.[1] === undefined || form[4] !== undefined;
  const ms = form === null ? Number.NaN : Date.parse(isZoned ? iso : `${iso}Z`);
  if (!Number.isNaN(ms)) return ms;
  issues.addIssue({
    code: 'custom',
    message: 'a time of a whole second such as 2026-11-20T09:00Z is expected',
  });
  return z.NEVER;
});

const exportSchema = z.object({
  full: z.boolean().optional(),
  at: wholeSecondSchema.optional(),
  from: wholeSecondSchema.optional(),
  to: wholeSecondSchema.optional(),
});

export async function exportTable(this: CliContext, flags: ExportFlags): Promise<void> {
  const input = checkInput(exportSchema, flags, 'export');
  await inSession(this, flags, { command: 'export' }, async (session) => {
    const job = await oneJob(this, session, flags);
    const asked = askedOf(input, job.schedule.view);
    const limit = new RunLimit(this.clock);
    // The export itself goes on at DynamoDB.
    const forget = this.onStop(() => limit.stop(0));
    const api = await session.api();
    const exports = await exportsByPlace(this.openTableExports, session.aws)(job);
    const world = { ...session.world, clock: this.clock };
    const isWaiting = flags.wait === true;
    const report = await api.askExport(world, exports, job, { asked, isWaiting, limit });
    forget();
    await session.print(report, [exportLine(report)]);
    if (limit.isStopping && report.state === 'IN_PROGRESS') session.tell(resumeText(report, flags));
    if (report.error === null) return 0;
    session.tell(errorText(report.error));
    return 3;
  });
}

/** The table to export. An export is asked for by a person, so one table, named. */
async function oneJob(
  context: CliContext,
  session: Session,
  flags: ExportFlags,
): Promise<TableJob> {
  const { jobs, refused } = await jobsOf(context, session, flags, 'export');
  const [job] = jobs;
  if (job !== undefined && jobs.length + refused.length === 1) return job;
  if (refused.length === 1) throw new TidelakeError(refused[0]!.error);
  throw usageError('--table NAME is needed: which table to export', 'export');
}

function askedOf(
  { full, at, from, to }: z.infer<typeof exportSchema>,
  view: 'NEW_AND_OLD_IMAGES' | 'NEW_IMAGE',
): AskedExport {
  const isWindow = from !== undefined || to !== undefined;
  const ways = [full === true, at !== undefined, isWindow].filter(Boolean).length;
  if (ways !== 1) {
    throw usageError('one of --full, --at TIME, or --from TIME with --to TIME is needed', 'export');
  }
  if (at !== undefined) return { of: 'instant', atMs: at };
  if (!isWindow) return { of: 'newest' };
  if (from === undefined || to === undefined) {
    throw usageError('--from and --to go together', 'export');
  }
  return { of: 'window', window: { fromMs: from, toMs: to }, view };
}

/** How to go on. Asked for anew, `--full` would be another instant, and another export to pay for. */
function resumeText({ at }: ExportReport, { full }: ExportFlags): string {
  const same = full === true ? `, with --at ${formatInstant(at!)} in place of --full` : '';
  return `\nstopped waiting: the export goes on at DynamoDB\n  next: run the same command again${same}; it finds this export and pays for no other\n`;
}

/** An export in words, one line. */
export function exportLine(report: ExportReport): string {
  const subject =
    report.type === 'full'
      ? `full export at ${formatInstant(report.at!)}`
      : `window ${formatInstant(report.from!)} to ${formatInstant(report.to!)}`;
  const known = report.action === 'known' ? ' (there already, nothing new to pay)' : '';
  return `${plainText(report.table)}  ${subject}${known}: ${stateText(report)}`;
}

function stateText({ state, summary, place, billedBytes, failureCode }: ExportReport): string {
  switch (state) {
    case 'COMPLETED': {
      const billed = billedBytes === null ? '' : `, billed ${formatBytes(billedBytes)}`;
      return `complete at ${plainText(summary ?? place)}${billed}`;
    }
    case 'FAILED':
      return `failed with ${plainText(failureCode ?? 'no code')}`;
    default:
      return `in progress, to ${plainText(place)}`;
  }
}
