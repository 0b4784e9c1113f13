// What a window touches: per partition, the row groups of its files with the last key of each, so that changes can be
// cut along them and row groups without changes be copied as they are.

import type { ManifestEntry, PartitionValue } from '../../schemas/iceberg.js';
import { type GroupIndex, readGroupIndex } from '../lake/data-file-writer.js';
import { deletesByDataFile, liveFiles } from '../lake/iceberg/live-files.js';
import { currentSnapshot } from '../lake/iceberg/metadata.js';
import { locate } from '../lake/iceberg/paths.js';
import type { OpenTable } from '../lake/open-table.js';
import { type ParquetFooter, readFooter } from '../lake/parquet/footer.js';
import { deletedPositions } from '../lake/position-deletes.js';
import type { World } from '../ports.js';
import { partitionText } from '../units/segments.js';

/** A live data file, ready to be merged into. */
export interface LiveFile {
  readonly entry: ManifestEntry;
  readonly uri: string;
  readonly size: number;
  readonly footer: ParquetFooter;
  /** Null: no index, or rows deleted by position: the partition is rewritten whole. */
  readonly index: readonly GroupIndex[] | null;
  readonly deleted: Int32Array | null;
}

/** The files of one partition in the order of their keys. */
export interface LivePartition {
  readonly text: string;
  readonly values: readonly PartitionValue[];
  readonly files: readonly LiveFile[];
  /** Last keys of all row groups in order, when all files have an index and do not overlap; else null. */
  readonly lastKeys: readonly Uint8Array[] | null;
}

/** Every partition of the current snapshot that has files. */
export async function livePartitions(world: World, open: OpenTable): Promise<LivePartition[]> {
  const { store } = world;
  const live = await liveFiles(store, open.md, currentSnapshot(open.md), open.location);
  const deletes = deletesByDataFile(live.data, live.positionDeletes);
  const actual = (entry: ManifestEntry): string =>
    locate(open.md.location, open.location, entry.file.path);
  const byText = new Map<string, { values: readonly PartitionValue[]; files: LiveFile[] }>();
  const files = await Promise.all(
    live.data.map(async (entry): Promise<LiveFile> => {
      const uri = actual(entry);
      const size = Number(entry.file.fileSizeBytes);
      const footer = await readFooter((start, end) => store.read(uri, { start, end }), size, uri);
      const own = deletes.get(entry.file.path) ?? [];
      const deleted = await deletedPositions(store, uri, entry, own, actual);
      const index = deleted === null ? readGroupIndex(footer) : null;
      return { entry, uri, size, footer, index, deleted };
    }),
  );
  for (const file of files) {
    const isDefault = file.entry.specId === open.md['default-spec-id'];
    const text = `${isDefault ? '' : `${file.entry.specId}:`}${partitionText(file.entry.file.partition)}`;
    const partition = byText.get(text);
    if (partition !== undefined) partition.files.push(file);
    else byText.set(text, { values: file.entry.file.partition, files: [file] });
  }
  return [...byText].map(([text, { values, files: own }]) => partitionOf(text, values, own));
}

function partitionOf(
  text: string,
  values: readonly PartitionValue[],
  files: LiveFile[],
): LivePartition {
  const last = (file: LiveFile): Uint8Array => file.index?.at(-1)?.lastKey ?? new Uint8Array();
  files.sort((a, b) => Buffer.compare(last(a), last(b)));
  const lastKeys: Uint8Array[] = [];
  for (const file of files) {
    if (file.index === null) return { text, values, files, lastKeys: null };
    for (const { lastKey } of file.index) {
      const before = lastKeys.at(-1);
      if (before !== undefined && Buffer.compare(before, lastKey) >= 0) {
        return { text, values, files, lastKeys: null };
      }
      lastKeys.push(lastKey);
    }
  }
  return { text, values, files, lastKeys };
}

/** The keys that cut changes for each partition: one range per row group, the last range open. */
export function splittersOf(
  partitions: readonly LivePartition[],
): Map<string, readonly Uint8Array[]> {
  return new Map(
    partitions.map((partition) => [partition.text, (partition.lastKeys ?? []).slice(0, -1)]),
  );
}

/** Bytes of all data files. */
export function liveBytes(partitions: readonly LivePartition[]): number {
  let total = 0;
  for (const { files } of partitions) for (const file of files) total += file.size;
  return total;
}
