// What a window touches: per partition, the row groups of its files with the last key of each, so that changes can be
// cut along them and row groups without changes be copied as they are. Partitions with files of other programs, which
// have no such index, get keys to cut them by, from a sample, so that no unit has to hold all of one. Which partitions there
// are is known from manifests alone: only of those that are touched are files read.

import type { TableColumns } from '../../schemas/columns.js';
import type { ManifestEntry, PartitionValue } from '../../schemas/iceberg.js';
import { readColumns } from '../../transforms/column-map.js';
import type { BytesColumn } from '../../transforms/columns.js';
import { keysOfRows } from '../../transforms/keys-of-rows.js';
import { type GroupIndex, readGroupIndex, readNewRowsIndex } from '../lake/data-file-writer.js';
import { liveFiles } from '../lake/iceberg/live-files.js';
import { currentSnapshot } from '../lake/iceberg/metadata.js';
import { locate } from '../lake/iceberg/paths.js';
import { checkKeys, readKeys } from '../lake/key-columns.js';
import type { OpenTable } from '../lake/open-table.js';
import { type ParquetFooter, readFooter } from '../lake/parquet/footer.js';
import { readDeletedRows } from '../lake/position-deletes.js';
import { splittingKeys } from '../load/sample-export.js';
import type { ObjectStore, World } from '../ports.js';
import { groupBytesMax, groupRowsMax } from '../units/row-groups.js';
import { partitionText } from '../units/segments.js';

/** A live data file, ready to be merged into. */
export interface LiveFile {
  readonly entry: ManifestEntry;
  readonly uri: string;
  readonly size: number;
  readonly footer: ParquetFooter;
  /** Null: a file of another program, which is rewritten with its partition. */
  readonly index: readonly GroupIndex[] | null;
  /** Positions deleted in it, ascending; null: none. */
  readonly deleted: Int32Array | null;
}

/** The files of one partition in the order of their keys. */
export interface LivePartition {
  readonly specId: number;
  readonly text: string;
  readonly values: readonly PartitionValue[];
  /** With lastKeys: those that follow each other by key. Without: all. */
  readonly files: readonly LiveFile[];
  /** With lastKeys: files of new rows, sorted in themselves, with keys anywhere among those of `files`. */
  readonly newRows: readonly LiveFile[];
  /** Last keys of all row groups of `files` in order, when these have an index and do not overlap; else null. */
  readonly lastKeys: readonly Uint8Array[] | null;
  /** Without lastKeys: keys to cut the partition by; none when it is small. */
  readonly cuts: readonly Uint8Array[];
  /** By delete file: the data files that it deletes rows of. */
  readonly deleteTargets: ReadonlyMap<string, ReadonlySet<string>>;
}

/** The files of the current snapshot. */
export interface LiveTable {
  /** Every partition that has files. */
  readonly partitions: readonly LivePartition[];
  /** Live rows, deleted positions not counted. */
  readonly rows: number;
  /** By delete file: the data files that it deletes rows of. */
  readonly deleteTargets: ReadonlyMap<string, ReadonlySet<string>>;
}

/** A partition as manifests have it: no file of it has been read. */
export interface PartitionFiles {
  readonly specId: number;
  readonly text: string;
  readonly values: readonly PartitionValue[];
  readonly data: readonly ManifestEntry[];
  /** Position delete files of the partition, whether they still apply to a file or not. */
  readonly deletes: readonly ManifestEntry[];
}

/** How many times larger rows are in columns than in files, about. */
const inflation = 5;
/** Row groups of a partition that keys are sampled from, and keys from each. */
const sampledGroupsMax = 32;
const sampledKeysMax = 512;

/** The current snapshot by partition, as manifests have it. */
export interface TableFiles {
  /** Every partition that has data files. */
  readonly partitions: readonly PartitionFiles[];
  /** Delete files of partitions without any. */
  readonly strayDeletes: readonly string[];
}

/** Reads which files the current snapshot has; none of them is looked into. */
export async function readTableFiles(store: ObjectStore, open: OpenTable): Promise<TableFiles> {
  const live = await liveFiles(store, open.md, currentSnapshot(open.md), open.location);
  const byPlace = new Map<string, { data: ManifestEntry[]; deletes: ManifestEntry[] }>();
  const placeOf = ({ specId, file }: ManifestEntry): string =>
    `${specId}:${partitionText(file.partition)}`;
  for (const entry of live.data) {
    const found = byPlace.get(placeOf(entry));
    if (found === undefined) byPlace.set(placeOf(entry), { data: [entry], deletes: [] });
    else found.data.push(entry);
  }
  const strayDeletes: string[] = [];
  for (const entry of live.positionDeletes) {
    const place = byPlace.get(placeOf(entry));
    if (place === undefined) strayDeletes.push(entry.file.path);
    else place.deletes.push(entry);
  }
  const partitions = [...byPlace.values()].map(({ data, deletes }) => {
    const { specId, file } = data[0]!;
    const text = partitionText(file.partition);
    return { specId, text, values: file.partition, data, deletes };
  });
  return { partitions, strayDeletes };
}

/** Reads which files the current snapshot has, and how they can be merged into. */
export async function readLiveTable(world: World, open: OpenTable): Promise<LiveTable> {
  const found = await readTableFiles(world.store, open);
  const partitions = await readPartitions(world, open, found.partitions);
  let rows = 0;
  for (const { files, newRows } of partitions) {
    for (const { entry, deleted } of [...files, ...newRows]) {
      rows += Number(entry.file.recordCount) - (deleted?.length ?? 0);
    }
  }
  const deleteTargets = new Map(partitions.flatMap((one) => [...one.deleteTargets]));
  for (const path of found.strayDeletes) deleteTargets.set(path, new Set());
  return { partitions, rows, deleteTargets };
}

/** Reads how the files of some partitions can be merged into. */
export function readPartitions(
  world: World,
  open: OpenTable,
  partitions: readonly PartitionFiles[],
): Promise<LivePartition[]> {
  return Promise.all(partitions.map((one) => readPartition(world, open, one)));
}

async function readPartition(
  world: World,
  open: OpenTable,
  { specId, text, values, data, deletes }: PartitionFiles,
): Promise<LivePartition> {
  const { store } = world;
  const deleted = await readDeletedRows(store, open, { data, positionDeletes: deletes });
  const columns = readColumns(open.md, open.md['current-schema-id']);
  const ordered: LiveFile[] = [];
  const newRows: LiveFile[] = [];
  const read = data.map(async (entry) => {
    const uri = locate(open.md.location, open.location, entry.file.path);
    const size = Number(entry.file.fileSizeBytes);
    const footer = await readFooter((start, end) => store.read(uri, { start, end }), size, uri);
    const index = readGroupIndex(footer);
    const isNewRows = index === null && readNewRowsIndex(footer) !== null;
    if (index === null) checkKeys(footer, columns);
    const positions = deleted.positions.get(entry.file.path) ?? null;
    return { isNewRows, file: { entry, uri, size, footer, index, deleted: positions } };
  });
  for (const { file, isNewRows } of await Promise.all(read)) {
    if (isNewRows) newRows.push(file);
    else ordered.push(file);
  }
  const lastKeys = ordered.length === 0 ? null : lastKeysOf(ordered);
  const place = { specId, text, values, deleteTargets: deleted.targets };
  if (lastKeys !== null) return { ...place, files: ordered, newRows, lastKeys, cuts: [] };
  const files = [...ordered, ...newRows];
  return { ...place, files, newRows: [], lastKeys, cuts: await cutsOf(world, files, columns) };
}

/** Sorts files by their keys; the last keys of all their row groups, or null when they are not in one order. */
function lastKeysOf(files: LiveFile[]): Uint8Array[] | null {
  const last = (file: LiveFile): Uint8Array => file.index?.at(-1)?.lastKey ?? new Uint8Array();
  files.sort((a, b) => Buffer.compare(last(a), last(b)));
  const lastKeys: Uint8Array[] = [];
  for (const file of files) {
    if (file.index === null) return null;
    for (const { lastKey } of file.index) {
      const before = lastKeys.at(-1);
      if (before !== undefined && Buffer.compare(before, lastKey) >= 0) return null;
      lastKeys.push(lastKey);
    }
  }
  return lastKeys;
}

/** Keys that cut the rows of files into ranges that a unit can hold: quantiles of a sample. */
async function cutsOf(
  world: World,
  files: readonly LiveFile[],
  columns: TableColumns,
): Promise<Uint8Array[]> {
  const rows = files.reduce((sum, { footer }) => sum + Number(footer.rowCount), 0);
  const bytes = files.reduce((sum, { size }) => sum + size, 0) * inflation;
  const ranges = Math.ceil(Math.max(rows / groupRowsMax, bytes / groupBytesMax));
  if (ranges <= 1) return [];
  const groups = files.flatMap((file) =>
    file.footer.rowGroups.map((_, group) => ({ file, group })),
  );
  const step = Math.ceil(groups.length / sampledGroupsMax);
  const keys: Uint8Array[] = [];
  for (let i = 0; i < groups.length; i += step) {
    const { file, group } = groups[i]!;
    const readRange = (start: number, end: number): Promise<Uint8Array> =>
      world.store.read(file.uri, { start, end });
    const batches = await readKeys(readRange, file.footer, group, columns, false);
    const parts = batches.map((batch) => keysOfRows(batch.columns, columns, batch.n));
    for (const found of parts) sampleKeys(found, keys);
  }
  return splittingKeys(keys.sort(Buffer.compare), ranges);
}

function sampleKeys(found: BytesColumn, keys: Uint8Array[]): void {
  const every = Math.max(1, Math.floor(found.n / sampledKeysMax));
  for (let row = 0; row < found.n; row += every) {
    keys.push(found.data.slice(found.offsets[row]!, found.offsets[row + 1]!));
  }
}

/** The keys that cut changes for each partition of one spec: one range per row group, the last range open. */
export function splittersOf(
  partitions: readonly LivePartition[],
): Map<string, readonly Uint8Array[]> {
  return new Map(
    partitions.map(({ text, lastKeys, cuts }) => [text, lastKeys?.slice(0, -1) ?? cuts]),
  );
}

/** Bytes of all data files. */
export function liveBytes(partitions: readonly PartitionFiles[]): number {
  let total = 0n;
  for (const { data } of partitions) for (const { file } of data) total += file.fileSizeBytes;
  return Number(total);
}
