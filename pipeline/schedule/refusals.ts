// Why the job cannot go on by itself: each case by name, with what it means for the data and the one command that heals it.

import { type ErrorFacts, refuse } from '../../schemas/errors.js';
import type { Window } from '../../schemas/export-manifest.js';
import { dayMinutes, windowMsMin } from '../../schemas/limits.js';
import type { KnownExport, PitrFacts, TableFacts } from '../../schemas/table-exports.js';
import { formatInstant } from '../lake/lake-state.js';
import { recoveryCommand } from './recovery-command.js';
import type { Situation } from './situation.js';

const kept = 'the lake stays at its watermark';

export function tableGone({ config }: Situation): ErrorFacts {
  return refuse(
    'REFUSED_NO_TABLE',
    `${config.table}: there is no such table in DynamoDB`,
    `it was deleted, or the name, Region or account is another; ${kept}`,
    'aws dynamodb list-tables, then correct tidelake.config.json or take the table out of it',
  ).facts();
}

export function tableChanged({ config }: Situation, was: string, table: TableFacts): ErrorFacts {
  return refuse(
    'REFUSED_TABLE_ID',
    `${config.table} holds DynamoDB table ${was}; ${table.tableName} is now ${table.tableId}, made at ${formatInstant(table.createdMs)}`,
    `the table was deleted and made again, or restored: its changes do not continue the lake; ${kept}`,
    reseedCommand(config.table),
  ).facts();
}

export function pitrOff({ config }: Situation, table: TableFacts): ErrorFacts {
  return refuse(
    'REFUSED_PITR_OFF',
    `${config.table}: point-in-time recovery of ${table.tableName} is off`,
    `nothing can be exported, and changes from now on are lost to the lake until a new full export; ${kept}`,
    recoveryCommand(table.tableName),
  ).facts();
}

/** Whether recovery keeps no longer than a window lasts: at its end its start is forgotten, so it can never be exported. */
export function isPeriodTooShort({ config, pitr }: Situation): boolean {
  return pitr.periodDays !== null && pitr.periodDays * dayMinutes <= config.grainMinutes;
}

export function periodTooShort({ config, pitr }: Situation, table: TableFacts): ErrorFacts {
  return refuse(
    'REFUSED_PITR_PERIOD',
    `${config.table}: windows are of ${config.grainMinutes} minutes, and point-in-time recovery of ${table.tableName} keeps ${pitr.periodDays} days`,
    `when such a window ends, its start can no longer be exported; the period has no influence on the price of recovery; ${kept}`,
    recoveryCommand(table.tableName, 35),
  ).facts();
}

/** The lake goes on at `cursorMs`, before the earliest instant that can be exported. */
export function outsidePitr(
  { config, pitr }: Situation,
  cursorMs: number,
  earliestMs: number,
): ErrorFacts {
  const kind = edgeKind(pitr, earliestMs);
  const why = {
    reset: 'recovery was switched off and on again then, which forgets all before',
    period: `recovery keeps ${pitr.periodDays} days: the period was made shorter, or no window was asked for so long`,
    unknown: 'recovery does not reach back so far',
  }[kind];
  return refuse(
    'REFUSED_OUTSIDE_PITR',
    `${config.table}: the next window starts at ${formatInstant(cursorMs)}, exports begin at ${formatInstant(earliestMs)}; ${why}`,
    `changes between the two cannot be exported any more: only a new epoch goes on; ${kept}`,
    reseedCommand(config.table),
  ).facts();
}

/** The table as of `baselineMs` is wanted, which is before the earliest instant that can be exported. */
export function baselineTooOld(
  { config }: Situation,
  baselineMs: number,
  earliestMs: number,
): ErrorFacts {
  // The edge moves on while one reads this: a window's length is time enough.
  const firstMs = Math.ceil((earliestMs + windowMsMin) / 60_000) * 60_000;
  return refuse(
    'REFUSED_OUTSIDE_PITR',
    `${config.table}: a past from ${formatInstant(baselineMs)} on was asked for, exports begin at ${formatInstant(earliestMs)}`,
    'recovery does not reach back so far, and keeps 35 days at most; nothing was asked for',
    `tidelake backfill --table ${config.table} --from ${formatInstant(firstMs)}; exports of earlier times that lie somewhere: tidelake backfill --exports URI`,
  ).facts();
}

/** Whether the earliest instant slides along with time, or stands where recovery was switched on. */
function edgeKind(pitr: PitrFacts, earliestMs: number): 'reset' | 'period' | 'unknown' {
  if (pitr.periodDays === null || pitr.latestMs === null) return 'unknown';
  const edgeMs = pitr.latestMs - pitr.periodDays * dayMinutes * 60_000;
  // A sliding edge is the period behind now, which is a little after the latest instant.
  return earliestMs > edgeMs + 3_600_000 ? 'reset' : 'period';
}

export function seam({ config }: Situation, watermarkMs: number): ErrorFacts {
  return refuse(
    'REFUSED_SEAM',
    `${config.table}: the full export is of ${formatInstant(watermarkMs)}, windows are of whole seconds`,
    `an item inserted before that instant in the same second and deleted in the first window would stay for ever; ${kept}`,
    reseedCommand(config.table),
  ).facts();
}

/** An export of `subject` failed as often as it may. */
export function exportFailed(
  situation: Situation,
  subject: Window | number,
  failed: readonly KnownExport[],
): ErrorFacts {
  const last = failed.reduce((a, b) => (b.requestedAtMs > a.requestedAtMs ? b : a));
  return refuse(
    'REFUSED_EXPORT_FAILED',
    `${situation.config.table}: the export of ${subjectText(subject)} failed ${failed.length} times, last with ${last.failureCode ?? 'no code'} (${last.exportArn})`,
    `it is not tried again, as later windows cannot be applied without it; ${kept}`,
    `remove the cause, then ${exportCommand(situation, subject)}`,
  ).facts();
}

export function exportStuck(
  situation: Situation,
  subject: Window | number,
  one: KnownExport,
): ErrorFacts {
  return refuse(
    'REFUSED_EXPORT_FAILED',
    `${situation.config.table}: the export of ${subjectText(subject)}, asked for at ${formatInstant(one.requestedAtMs)}, is still in progress (${one.exportArn})`,
    `a second one is paid for again, so it is not asked for by itself; ${kept}, and goes on when this one completes`,
    exportCommand(situation, subject),
  ).facts();
}

export function exportGone(
  situation: Situation,
  subject: Window | number,
  one: KnownExport,
): ErrorFacts {
  return refuse(
    'REFUSED_INPUT_GONE',
    `${situation.config.table}: the export of ${subjectText(subject)} completed, but its manifest is not there (${one.exportArn})`,
    `something removed it before it was merged, a lifecycle rule perhaps; ${kept}`,
    exportCommand(situation, subject),
  ).facts();
}

function subjectText(subject: Window | number): string {
  if (typeof subject === 'number') return `the table at ${formatInstant(subject)}`;
  return `[${formatInstant(subject.fromMs)}, ${formatInstant(subject.toMs)})`;
}

function exportCommand({ config }: Situation, subject: Window | number): string {
  if (typeof subject === 'number') {
    return `tidelake export --table ${config.table} --at ${formatInstant(subject)}`;
  }
  return `tidelake export --table ${config.table} --from ${formatInstant(subject.fromMs)} --to ${formatInstant(subject.toMs)}`;
}

function reseedCommand(table: string): string {
  return `tidelake run --table ${table} --reseed`;
}
