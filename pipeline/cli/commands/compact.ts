// `tidelake compact`: small files, delete files and files in no order become sorted files of a good size.
// Promises a report per partition as it is committed, and exit 5 when others kept changing one meanwhile.
// Spec: DESIGN "The command"; docs/how-to/upkeep.md.

import { formatBytes, formatNumberOf, formatSeconds } from '../../reporting/human-numbers.js';
import { plainText } from '../../reporting/plain-text.js';
import type { CompactReason, CompactReport } from '../../reports.js';
import type { CliContext } from '../context.js';
import type { GlobalFlags } from '../flags.js';
import { inSession } from '../session.js';

export interface CompactFlags extends GlobalFlags {
  readonly partition?: string | undefined;
  readonly dryRun?: boolean | undefined;
}

export async function compact(this: CliContext, flags: CompactFlags): Promise<void> {
  await inSession(this, flags, { command: 'compact' }, async (session) => {
    const api = await session.api();
    const reports = api.compactTable(session.world, {
      ...session.target,
      ...(flags.partition === undefined ? {} : { partition: flags.partition }),
      dryRun: flags.dryRun === true,
    });
    let count = 0;
    let exitCode = 0;
    for await (const report of reports) {
      count += 1;
      await session.print(report, compactLines(report));
      if (report.action === 'changed') exitCode = 5;
    }
    if (count === 0) session.tell('nothing to compact\n');
    return exitCode;
  });
}

const reasonTexts: Readonly<Record<CompactReason, string>> = {
  small: 'small files',
  deletes: 'delete files',
  unordered: 'files in no order',
};

/** What became of one partition, in words. */
export function compactLines(report: CompactReport): string[] {
  const named = report.partition === null || report.partition === '' ? '' : ` ${report.partition}`;
  const name = plainText(`${report.table}${named}`);
  const why = report.reasons.map((reason) => reasonTexts[reason]).join(', ');
  const deletes =
    report.deleteFilesBefore === 0
      ? ''
      : ` and ${formatNumberOf(report.deleteFilesBefore, 'delete file')}`;
  const before = `${formatNumberOf(report.filesBefore, 'data file')}${deletes}, ${formatBytes(report.bytesBefore)}`;
  switch (report.action) {
    case 'planned':
      return [`${name}  would be compacted (${why}): ${before}`];
    case 'changed':
      return [`${name}  changed by others meanwhile; nothing was committed, run it again`];
    case 'compacted': {
      const after = `${formatNumberOf(report.filesAfter ?? 0, 'file')}, ${formatBytes(report.bytesAfter ?? 0)}`;
      return [
        `${name}  compacted (${why}): ${before} into ${after}, in ${formatSeconds(report.seconds)}`,
      ];
    }
  }
}
