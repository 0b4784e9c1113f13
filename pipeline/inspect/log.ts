// `log`: the snapshots of a lake table and the windows they brought in, oldest first.
// Promises: what stands here is what the commits themselves say; another writer's snapshot is listed, with nulls, and says so when a person adopted it.
// Spec: DESIGN.md, "The table" (the watermark is in the commit).

import type { Snapshot } from '../../schemas/iceberg.js';
import { statedRows, statedTotals } from '../lake/iceberg/snapshot-summary.js';
import { formatInstant } from '../lake/lake-state.js';
import { mainLine } from '../lake/open-table.js';
import type { World } from '../ports.js';
import type { LogRow, Target } from '../reports.js';
import { openTarget } from './inspected-table.js';

/** The snapshots on the way to the current one that are still there. Throws REFUSED_NO_TABLE. */
export async function log(world: World, target: Target): Promise<readonly LogRow[]> {
  const table = await openTarget(world, target);
  const adopted = new Map(
    table.state.adopted.map((one) => [one.snapshotId, formatInstant(one.watermarkMs)]),
  );
  return mainLine(table.md).map(({ snapshot }) =>
    logRow(snapshot, adopted.get(snapshot['snapshot-id']) ?? null),
  );
}

function logRow(snapshot: Snapshot, adopted: string | null): LogRow {
  const { summary } = snapshot;
  const fact = (name: string): string | null => summary[`tidelake.${name}`] ?? null;
  const count = (name: string): number | null => wholeNumber(fact(name));
  const totals = statedTotals(summary);
  const isWindow = fact('from') !== null;
  return {
    snapshotId: String(snapshot['snapshot-id']),
    committedAt: fact('committed-at'),
    operation: summary.operation ?? 'unknown',
    kind: fact('kind') ?? kindOf(summary),
    from: isWindow ? fact('from') : null,
    to: isWindow ? fact('to') : null,
    exportArn: fact('export-arn'),
    inserted: count('inserted'),
    updated: count('updated'),
    deleted: count('deleted'),
    rows: statedRows(summary),
    dataFiles: totals === null ? null : Number(totals.dataFiles),
    epoch: count('epoch'),
    adopted,
  };
}

/** What Tidelake did, for a summary that does not say: a window has both ends, a load only the instant it stands for. */
function kindOf(summary: Readonly<Record<string, string>>): string | null {
  if (summary['tidelake.to'] === undefined) return null;
  return summary['tidelake.from'] === undefined ? 'load' : 'merge';
}

function wholeNumber(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
