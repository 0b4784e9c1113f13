// `tidelake merge`: incremental exports become snapshots.
// Promises a report per export as it is decided; windows applied stay applied, and the exit code is that of the error which
// ended the run: 3 for a refusal.
// Spec: DESIGN "The table", "The command".

import { z } from 'zod';
import { exitCodeOf } from '../../../schemas/errors.js';
import { formatCount, formatInstant, formatSeconds } from '../../reporting/human-numbers.js';
import { plainText } from '../../reporting/plain-text.js';
import type { MergeReport } from '../../reports.js';
import { checkInput, wholeNumber } from '../check-input.js';
import type { CliContext } from '../context.js';
import { errorText } from '../error-text.js';
import type { GlobalFlags } from '../flags.js';
import { inSession } from '../session.js';
import { settingsOf } from './load.js';

export interface MergeFlags extends GlobalFlags {
  readonly acceptGap?: boolean | undefined;
  readonly acceptSeam?: boolean | undefined;
  readonly adoptSnapshot?: bigint | undefined;
  readonly retype?: 'auto' | 'ask' | undefined;
  readonly retypeBytesMax?: number | undefined;
  readonly rewrite?: boolean | undefined;
}

const mergeSchema = z.object({
  retypeBytesMax: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional(),
});

export async function merge(
  this: CliContext,
  flags: MergeFlags,
  ...exported: string[]
): Promise<void> {
  const { retypeBytesMax } = checkInput(mergeSchema, flags, 'merge');
  await inSession(this, flags, { command: 'merge' }, async (session) => {
    const exportUris = exported.map(session.place);
    const api = await session.api();
    let exitCode = 0;
    let considered = 0;
    const reports = api.mergeExports(session.world, {
      ...session.target,
      exportUris,
      acceptGap: flags.acceptGap === true,
      acceptSeam: flags.acceptSeam === true,
      ...settingsOf(session.config),
      ...(flags.retype === undefined ? {} : { retype: flags.retype }),
      ...(retypeBytesMax === undefined ? {} : { retypeBytesMax }),
      ...(flags.adoptSnapshot === undefined ? {} : { adoptSnapshot: flags.adoptSnapshot }),
      ...(flags.rewrite === true ? { way: 'rewrite' } : {}),
    });
    for await (const report of reports) {
      considered += 1;
      await session.print(report, mergeLines(report));
      if (report.error !== null) session.tell(errorText(report.error));
      // The code of what ended the run: whether to run again depends on it.
      if (report.action === 'refused') {
        exitCode = report.error === null ? 3 : exitCodeOf(report.error.code);
      }
    }
    if (considered === 0) session.tell('nothing to do: no incremental export was found there\n');
    return exitCode;
  });
}

/** One merged export in words; nothing for a refusal, which is told as an error. */
export function mergeLines(report: MergeReport): string[] {
  const name = `${plainText(report.table)}  ${windowText(report)}`;
  switch (report.action) {
    case 'applied':
      return [`${name}  ${appliedText(report)}, in ${formatSeconds(report.seconds)}`];
    case 'known':
      return [`${name}  already in the lake${reasonText(report)}`];
    case 'skipped':
      return [`${name}  skipped${reasonText(report)}`];
    case 'refused':
      return [];
  }
}

function windowText(report: MergeReport): string {
  if (report.from === null || report.to === null) return plainText(report.exportArn);
  return `${formatInstant(report.from)} to ${formatInstant(report.to)}`;
}

function appliedText(report: MergeReport): string {
  const parts = [
    `${formatCount(report.inserted ?? 0)} inserted`,
    `${formatCount(report.updated ?? 0)} updated`,
    `${formatCount(report.deleted ?? 0)} deleted`,
  ];
  if ((report.misfits ?? 0) > 0) parts.push(`${formatCount(report.misfits!)} with misfits`);
  if (report.addedColumns.length > 0) parts.push(`new columns: ${names(report.addedColumns)}`);
  if (report.retypedColumns.length > 0) parts.push(`retyped: ${names(report.retypedColumns)}`);
  return parts.join(', ');
}

function names(columns: readonly string[]): string {
  return columns.map(plainText).join(' ');
}

function reasonText(report: MergeReport): string {
  return report.reason === null ? '' : `: ${plainText(report.reason)}`;
}
