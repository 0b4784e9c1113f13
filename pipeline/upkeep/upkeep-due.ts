// What upkeep a table needs now: a pure function of what its metadata and manifests say.
// Promises: nothing is due again right after it was done; what is due is bounded work. It reads no data file, so what only
// footers tell (files of other programs, overlapping keys) is left to `compact` by a person.
// Source: DESIGN.md, "The table" (compaction and expiry are ours); apache/iceberg, "Maintenance".

import type { ManifestEntry } from '../../schemas/iceberg.js';
import {
  deleteFilesDueMin,
  expiryDueSnapshots,
  metadataFilesDueMin,
  readersGraceMs,
  smallFilesDueMin,
} from '../../schemas/limits.js';
import type { UpkeepRules } from '../../schemas/table-settings.js';
import { deletesByDataFile, type LiveFiles, partitionKey } from '../lake/iceberg/live-files.js';
import type { OpenTable } from '../lake/open-table.js';
import { type CompactWhen, smallFileBytes } from './compact.js';
import { expiredSnapshots, type Retention } from './retention.js';

/** From when on upkeep is worth a commit of its own. */
export interface UpkeepWhen extends CompactWhen {
  readonly retention: Retention;
  /** Snapshots that may leave. */
  readonly expiredMin: number;
  /** Metadata files of versions that have left the log since it was full, about. */
  readonly versionsMin: number;
}

/** The usual bounds with a retention. */
export function usualUpkeep(retention: Retention): UpkeepWhen {
  return {
    retention,
    expiredMin: expiryDueSnapshots,
    versionsMin: metadataFilesDueMin,
    smallFilesMin: smallFilesDueMin,
    deleteFilesMin: deleteFilesDueMin,
  };
}

/** The usual bounds of what a configuration asks for; null: it asks for nothing. */
export function configuredUpkeep({
  keepDays,
  keepSnapshots,
  compact,
}: UpkeepRules): UpkeepWhen | null {
  if (keepDays === null && !compact) return null;
  const never = Number.POSITIVE_INFINITY;
  const keepMs = keepDays === null ? never : keepDays * 86_400_000;
  return {
    ...usualUpkeep({ keepMs, keepSnapshots, graceMs: readersGraceMs }),
    ...(keepDays === null ? { expiredMin: never, versionsMin: never } : {}),
    ...(compact ? {} : { smallFilesMin: never, deleteFilesMin: never }),
  };
}

/** What is known of a table without reading a data file. */
export interface UpkeepState {
  readonly open: OpenTable;
  readonly live: Pick<LiveFiles, 'data' | 'positionDeletes'>;
  /** Files in the table's metadata folder that are named like metadata files. */
  readonly metadataFiles: number;
  readonly nowMs: number;
}

export type UpkeepAction =
  | { readonly kind: 'expire'; readonly snapshots: number; readonly metadataFiles: number }
  | { readonly kind: 'compact'; readonly partitions: number };

/** What is due, compaction first: what it replaces may leave with the expiry after it. */
export function upkeepDue(state: UpkeepState, when: UpkeepWhen): readonly UpkeepAction[] {
  const { open, live, nowMs } = state;
  const actions: UpkeepAction[] = [];
  const partitions = duePartitions(live, when);
  if (partitions > 0) actions.push({ kind: 'compact', partitions });
  const snapshots = expiredSnapshots(open, when.retention, nowMs).length;
  // The log keeps its files whatever is done, and the current one.
  const metadataFiles = state.metadataFiles - open.md['metadata-log'].length - 1;
  if (snapshots >= when.expiredMin || metadataFiles >= when.versionsMin) {
    actions.push({ kind: 'expire', snapshots, metadataFiles: Math.max(0, metadataFiles) });
  }
  return actions;
}

function duePartitions(live: UpkeepState['live'], when: CompactWhen): number {
  const small = new Map<string, number>();
  const deletes = new Map<string, number>();
  const add = (counts: Map<string, number>, entry: ManifestEntry): void => {
    const key = partitionKey(entry);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  };
  for (const entry of live.data) {
    if (Number(entry.file.fileSizeBytes) < smallFileBytes) add(small, entry);
  }
  // Those that apply to a file: others leave with the next commit of their partition, and are no reason for one.
  const applied = new Set([...deletesByDataFile(live.data, live.positionDeletes).values()].flat());
  for (const entry of applied) add(deletes, entry);
  const keys = new Set([...small.keys(), ...deletes.keys()]);
  return [...keys].filter(
    (key) =>
      (small.get(key) ?? 0) >= when.smallFilesMin || (deletes.get(key) ?? 0) >= when.deleteFilesMin,
  ).length;
}
