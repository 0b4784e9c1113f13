// What a window touches: per partition, the row groups of its files with the last key of each, so that changes can be
// cut along them and row groups without changes be copied as they are. Partitions with files of other programs, which
// have no such index, get keys to cut them by, from a sample, so that no unit has to hold all of one.

import type { TableColumns } from '../../schemas/columns.js';
import { refuse } from '../../schemas/errors.js';
import type { ManifestEntry, PartitionValue } from '../../schemas/iceberg.js';
import { ipcToRows } from '../../transforms/arrow-rows.js';
import { readColumns } from '../../transforms/column-map.js';
import { type GroupIndex, readGroupIndex } from '../lake/data-file-writer.js';
import { liveFiles } from '../lake/iceberg/live-files.js';
import { currentSnapshot } from '../lake/iceberg/metadata.js';
import { locate } from '../lake/iceberg/paths.js';
import type { OpenTable } from '../lake/open-table.js';
import { decodeRowGroups } from '../lake/parquet/decode-row-group.js';
import { type ParquetFooter, readFooter } from '../lake/parquet/footer.js';
import { readDeletedRows } from '../lake/position-deletes.js';
import { splittingKeys } from '../load/sample-export.js';
import type { World } from '../ports.js';
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
  readonly files: readonly LiveFile[];
  /** Last keys of all row groups in order, when all files have an index and do not overlap; else null. */
  readonly lastKeys: readonly Uint8Array[] | null;
  /** Without lastKeys: keys to cut the partition by; none when it is small. */
  readonly cuts: readonly Uint8Array[];
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

/** How many times larger rows are in columns than in files, about. */
const inflation = 5;
/** Row groups of a partition that keys are sampled from, and keys from each. */
const sampledGroupsMax = 32;
const sampledKeysMax = 512;

/** Reads which files the current snapshot has, and how they can be merged into. */
export async function readLiveTable(world: World, open: OpenTable): Promise<LiveTable> {
  const { store } = world;
  const live = await liveFiles(store, open.md, currentSnapshot(open.md), open.location);
  const deleted = await readDeletedRows(store, open, live);
  const columns = readColumns(open.md, open.md['current-schema-id']);
  const byText = new Map<string, { entry: ManifestEntry; files: LiveFile[] }>();
  const files = await Promise.all(
    live.data.map(async (entry): Promise<LiveFile> => {
      const uri = locate(open.md.location, open.location, entry.file.path);
      const size = Number(entry.file.fileSizeBytes);
      const footer = await readFooter((start, end) => store.read(uri, { start, end }), size, uri);
      const index = readGroupIndex(footer);
      if (index === null) checkKeys(footer, columns);
      return {
        entry,
        uri,
        size,
        footer,
        index,
        deleted: deleted.positions.get(entry.file.path) ?? null,
      };
    }),
  );
  let rows = 0;
  for (const file of files) {
    const { entry } = file;
    const place = `${entry.specId}:${partitionText(entry.file.partition)}`;
    const partition = byText.get(place);
    if (partition !== undefined) partition.files.push(file);
    else byText.set(place, { entry, files: [file] });
    rows += Number(entry.file.recordCount) - (file.deleted?.length ?? 0);
  }
  const partitions: LivePartition[] = [];
  for (const { entry, files: own } of byText.values()) {
    const lastKeys = lastKeysOf(own);
    partitions.push({
      specId: entry.specId,
      text: partitionText(entry.file.partition),
      values: entry.file.partition,
      files: own,
      lastKeys,
      cuts: lastKeys === null ? await cutsOf(world, own, columns) : [],
    });
  }
  return { partitions, rows, deleteTargets: deleted.targets };
}

/** A file without the key's field ids would be read as rows without keys. */
function checkKeys(footer: ParquetFooter, columns: TableColumns): void {
  const ids = new Set(footer.columns.map((column) => column.fieldId));
  if (columns.columns.slice(0, columns.key.length).every((column) => ids.has(column.id))) return;
  throw refuse(
    'REFUSED_FORMAT',
    `a data file of another program lacks the key's columns by field id (${footer.name.slice(footer.name.lastIndexOf('/') + 1)})`,
    'its rows cannot be told apart; nothing was written',
    "run Athena's OPTIMIZE … REWRITE DATA USING BIN_PACK on the table, or tidelake load a new full export",
  );
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
  const keyed = { ...columns, columns: columns.columns.slice(0, columns.key.length) };
  const keyIds = new Set(keyed.columns.map((column) => column.id));
  const step = Math.ceil(groups.length / sampledGroupsMax);
  const keys: Uint8Array[] = [];
  for (let i = 0; i < groups.length; i += step) {
    const { file, group } = groups[i]!;
    const readRange = (start: number, end: number): Promise<Uint8Array> =>
      world.store.read(file.uri, { start, end });
    const names = file.footer.columns
      .filter((column) => column.fieldId !== null && keyIds.has(column.fieldId))
      .map((column) => column.name);
    const ipc = await decodeRowGroups({
      readRange,
      footer: file.footer,
      indexes: [group],
      columns: names,
    });
    const { keys: found } = ipcToRows(ipc, keyed);
    const every = Math.max(1, Math.floor(found.n / sampledKeysMax));
    for (let row = 0; row < found.n; row += every) {
      keys.push(found.data.slice(found.offsets[row]!, found.offsets[row + 1]!));
    }
  }
  return splittingKeys(keys.sort(Buffer.compare), ranges);
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
export function liveBytes(partitions: readonly LivePartition[]): number {
  let total = 0;
  for (const { files } of partitions) for (const file of files) total += file.size;
  return total;
}
