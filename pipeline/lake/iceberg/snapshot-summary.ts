// The counts in a snapshot's summary: what it added and removed, and what the table then has in all.
// Promises: every total is there, as Redshift and Athena need it, and equals the files. Source: apache/iceberg
// format/spec.md, "Optional Snapshot Summary Fields"; names as Java's SnapshotSummary writes them.
import type { ManifestEntry } from '../../../schemas/iceberg.js';
import { partitionKey } from './live-files.js';

/** Numbers of a set of files. */
export interface FileTotals {
  readonly dataFiles: bigint;
  readonly records: bigint;
  readonly deleteFiles: bigint;
  readonly positionDeletes: bigint;
  readonly bytes: bigint;
}

/** The numbers of some files. */
export function totalsOf(entries: readonly ManifestEntry[]): FileTotals {
  let [dataFiles, records, deleteFiles, positionDeletes, bytes] = [0n, 0n, 0n, 0n, 0n];
  for (const { file } of entries) {
    bytes += file.fileSizeBytes;
    if (file.content === 0) {
      dataFiles++;
      records += file.recordCount;
    } else {
      deleteFiles++;
      positionDeletes += file.recordCount;
    }
  }
  return { dataFiles, records, deleteFiles, positionDeletes, bytes };
}

/** The totals a summary states; null when one is missing, as some writers leave them. */
export function statedTotals(summary: Readonly<Record<string, string>>): FileTotals | null {
  const stated = (name: string): bigint | null => {
    const text = summary[name];
    return text !== undefined && /^\d+$/.test(text) ? BigInt(text) : null;
  };
  const dataFiles = stated('total-data-files');
  const records = stated('total-records');
  const deleteFiles = stated('total-delete-files');
  const positionDeletes = stated('total-position-deletes');
  const bytes = stated('total-files-size');
  if (
    dataFiles === null ||
    records === null ||
    deleteFiles === null ||
    positionDeletes === null ||
    bytes === null
  ) {
    return null;
  }
  return { dataFiles, records, deleteFiles, positionDeletes, bytes };
}

/** The summary's counts. `before` are the totals of the parent. */
export function summaryCounts(
  before: FileTotals,
  added: readonly ManifestEntry[],
  removed: readonly ManifestEntry[],
): Record<string, string> {
  const plus = totalsOf(added);
  const minus = totalsOf(removed);
  const changed = new Set([...added, ...removed].map(partitionKey));
  const counts: Record<string, bigint | number> = {
    'added-data-files': plus.dataFiles,
    'deleted-data-files': minus.dataFiles,
    'added-records': plus.records,
    'deleted-records': minus.records,
    'added-files-size': plus.bytes,
    'removed-files-size': minus.bytes,
    'changed-partition-count': changed.size,
    'total-records': before.records + plus.records - minus.records,
    'total-data-files': before.dataFiles + plus.dataFiles - minus.dataFiles,
    'total-files-size': before.bytes + plus.bytes - minus.bytes,
    'total-delete-files': before.deleteFiles + plus.deleteFiles - minus.deleteFiles,
    'total-position-deletes': before.positionDeletes + plus.positionDeletes - minus.positionDeletes,
    'total-equality-deletes': 0,
  };
  if (plus.deleteFiles > 0n) {
    counts['added-delete-files'] = plus.deleteFiles;
    counts['added-position-delete-files'] = plus.deleteFiles;
    counts['added-position-deletes'] = plus.positionDeletes;
  }
  if (minus.deleteFiles > 0n) {
    counts['removed-delete-files'] = minus.deleteFiles;
    counts['removed-position-delete-files'] = minus.deleteFiles;
    counts['removed-position-deletes'] = minus.positionDeletes;
  }
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, String(count)]));
}

/** Rows that a snapshot says it has, those marked as deleted left out; null when it does not say. */
export function statedRows(summary: Readonly<Record<string, string>>): number | null {
  const totals = statedTotals(summary);
  return totals === null ? null : Number(totals.records - totals.positionDeletes);
}
