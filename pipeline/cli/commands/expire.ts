// `tidelake expire`: old snapshots leave the table, and their files with them.
// Promises exit 1 when the snapshots are gone and some of their files are not: the same command finishes it.
// Spec: DESIGN "The command"; docs/how-to/upkeep.md.

import { z } from 'zod';
import {
  formatBytes,
  formatInstant,
  formatNumberOf,
  formatSeconds,
} from '../../reporting/human-numbers.js';
import { plainText } from '../../reporting/plain-text.js';
import type { ExpireReport } from '../../reports.js';
import { checkInput, wholeNumber } from '../check-input.js';
import type { CliContext } from '../context.js';
import type { GlobalFlags } from '../flags.js';
import { inSession } from '../session.js';

export interface ExpireFlags extends GlobalFlags {
  readonly keepDays?: number | undefined;
  readonly keepSnapshots?: number | undefined;
  readonly graceHours?: number | undefined;
  readonly removeOrphans?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
}

const rules = z.object({
  keepDays: wholeNumber(0, 100_000).optional(),
  keepSnapshots: wholeNumber(1, 1_000_000).optional(),
  graceHours: wholeNumber(0, 10_000).optional(),
});

export async function expire(this: CliContext, flags: ExpireFlags): Promise<void> {
  await inSession(this, flags, { command: 'expire' }, async (session) => {
    const { keepDays, keepSnapshots, graceHours } = checkInput(rules, flags, 'expire');
    const api = await session.api();
    const report = await api.expireTable(session.world, {
      ...session.target,
      ...(keepDays === undefined ? {} : { keepDays }),
      ...(keepSnapshots === undefined ? {} : { keepSnapshots }),
      ...(graceHours === undefined ? {} : { graceHours }),
      removeOrphans: flags.removeOrphans === true,
      dryRun: flags.dryRun === true,
    });
    await session.print(report, expireLines(report));
    return report.unremoved === 0 ? 0 : 1;
  });
}

/** What expired, in words. */
export function expireLines(report: ExpireReport): string[] {
  const name = plainText(report.table);
  const kept = `${formatNumberOf(report.keptSnapshots, 'snapshot')} stay`;
  if (report.action === 'nothing') return [`${name}  nothing to expire: ${kept}`];
  const files = [
    formatNumberOf(report.dataFiles, 'data file'),
    formatNumberOf(report.manifests, 'manifest'),
    formatNumberOf(report.metadataFiles, 'metadata file'),
    ...(report.orphans > 0 ? [formatNumberOf(report.orphans, 'orphan')] : []),
  ].join(', ');
  const what = `${formatNumberOf(report.expiredSnapshots, 'snapshot')}, with ${files}, ${formatBytes(report.bytes)}`;
  if (report.action === 'planned') return [`${name}  would expire ${what}; ${kept}`];
  const since = report.oldest === null ? '' : `, back to ${formatInstant(report.oldest)}`;
  const lines = [`${name}  expired ${what}; ${kept}${since}, in ${formatSeconds(report.seconds)}`];
  if (report.unremoved > 0) {
    lines.push(`  ${formatNumberOf(report.unremoved, 'file')} could not be removed: run it again`);
  }
  return lines;
}
