// `tidelake status`: how fresh each lake table is, in one line each.
// Promises exit 0 also for a table with a problem: it says so, and what to do is in the problem's text.
// Spec: DESIGN "The command".

import {
  formatBytes,
  formatCount,
  formatInstant,
  formatNumberOf,
  formatSeconds,
} from '../../reporting/human-numbers.js';
import { plainText } from '../../reporting/plain-text.js';
import type { StatusRow } from '../../reports.js';
import type { CliContext } from '../context.js';
import type { GlobalFlags } from '../flags.js';
import { shownPlace } from '../places.js';
import { inSession } from '../session.js';

export async function status(this: CliContext, flags: GlobalFlags): Promise<void> {
  await inSession(this, flags, { command: 'status' }, async (session) => {
    const api = await session.api();
    const rows = await api.status(session.world, session.target);
    for (const row of rows) await session.print(row, statusLines(row));
    if (rows.length === 0) {
      const where = `database ${session.target.database} of ${shownPlace(session.target.lake, this.folder)}`;
      session.tell(`no tables in ${where}\n  next: tidelake load EXPORT --key A,B\n`);
    }
    return 0;
  });
}

/** Bytes of metadata from which on a person is told: every commit writes them anew, and AWS Glue's REST catalog takes 20 MB. */
const largeMetadataBytes = 4_000_000;

/** A table's status in words: one line, and one more for each thing that is not as it should be. */
export function statusLines(row: StatusRow): string[] {
  const lines = [`${plainText(row.table)}  ${freshness(row)}; ${size(row)}`];
  for (const gap of row.gaps) {
    lines.push(
      `  ${plainText(gap.kind)} accepted: ${formatInstant(gap.from)} to ${formatInstant(gap.to)}, until the next load`,
    );
  }
  for (const one of row.adopted) {
    lines.push(
      `  snapshot ${plainText(one.snapshotId)} of another program adopted as ${formatInstant(one.watermark)}, until the next load`,
    );
  }
  for (const { column, type, values } of row.retypes) {
    lines.push(
      `  ${formatNumberOf(values, 'misfit')} would fit ${plainText(column)} as ${type}: tidelake schema set ${plainText(column)} "${type}" --table ${plainText(row.table)}`,
    );
  }
  if (row.problem !== null) lines.push(`  ${row.health}: ${plainText(row.problem)}`);
  else if (row.health !== 'ok') lines.push(`  ${row.health}`);
  return lines;
}

function freshness(row: StatusRow): string {
  if (row.watermark === null) return 'its freshness is not known';
  const age = row.ageSeconds === null ? '' : `, ${formatSeconds(row.ageSeconds)} ago`;
  return `fresh to ${formatInstant(row.watermark)}${age}`;
}

function size(row: StatusRow): string {
  const parts: string[] = [];
  if (row.rows !== null) parts.push(formatNumberOf(row.rows, 'row'));
  if (row.misfits !== null && row.misfits > 0)
    parts.push(`${formatCount(row.misfits)} with misfits`);
  if (row.dataFiles !== null) parts.push(formatNumberOf(row.dataFiles, 'data file'));
  if (row.deleteFiles !== null && row.deleteFiles > 0)
    parts.push(formatNumberOf(row.deleteFiles, 'delete file'));
  if (row.bytes !== null) parts.push(formatBytes(row.bytes));
  if (row.snapshots !== null) parts.push(formatNumberOf(row.snapshots, 'snapshot'));
  if (row.oldest !== null) parts.push(`back to ${formatInstant(row.oldest)}`);
  if (row.metadataBytes !== null && row.metadataBytes >= largeMetadataBytes)
    parts.push(`${formatBytes(row.metadataBytes)} of metadata (tidelake expire)`);
  if (row.epoch !== null) parts.push(`epoch ${row.epoch}`);
  return parts.length === 0 ? 'nothing else is known' : parts.join(', ');
}
