// Position delete files, ours and those of other writers: which rows of which data file are gone.
// Promises: a position counts once, for a live file that its delete file applies to, and only inside that file: what is
// left over from rewritten files counts for nothing, so the live rows are counted exactly.
// Source: Apache Iceberg spec, "Position Delete Files": file_path is field 2147483546, pos is 2147483545.

import { filePathFieldId, type ManifestEntry, posFieldId } from '../../schemas/iceberg.js';
import type { ObjectStore } from '../ports.js';
import { deletesByDataFile, type LiveFiles, liveFiles } from './iceberg/live-files.js';
import { currentSnapshot } from './iceberg/metadata.js';
import { locate } from './iceberg/paths.js';
import type { OpenTable } from './open-table.js';
import { decodeArrow } from './parquet/decode-rows.js';
import { damaged, readFooter } from './parquet/footer.js';

/** The rows that delete files take out of a snapshot's data files. Paths are as manifests have them. */
export interface DeletedRows {
  /** By data file: positions, ascending, each once. Files without deleted rows are not in the map. */
  readonly positions: ReadonlyMap<string, Int32Array>;
  /** By delete file: the live data files that it deletes rows of; empty when it has outlived them all. */
  readonly targets: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Reads the delete files of a snapshot, each once. Throws CHECK_FAILED for a damaged one. */
export async function readDeletedRows(
  store: ObjectStore,
  open: Pick<OpenTable, 'md' | 'location'>,
  live: Pick<LiveFiles, 'data' | 'positionDeletes'>,
): Promise<DeletedRows> {
  const applied = new Map<ManifestEntry, Map<string, ManifestEntry>>();
  const place = (entry: ManifestEntry): string =>
    locate(open.md.location, open.location, entry.file.path);
  const byPath = new Map(live.data.map((entry) => [entry.file.path, entry]));
  for (const [path, deletes] of deletesByDataFile(live.data, live.positionDeletes)) {
    const data = byPath.get(path)!;
    for (const one of deletes) {
      const names = applied.get(one) ?? new Map<string, ManifestEntry>();
      names.set(path, data).set(place(data), data);
      applied.set(one, names);
    }
  }
  const found = new Map<string, number[]>();
  const targets = new Map<string, Set<string>>();
  for (const one of live.positionDeletes) {
    const own = new Set<string>();
    targets.set(one.file.path, own);
    const names = applied.get(one);
    if (names === undefined) continue;
    await readPositions(store, place(one), one, (path, position) => {
      const data = names.get(path)?.file;
      if (data === undefined || position < 0n || position >= data.recordCount) return;
      own.add(data.path);
      const positions = found.get(data.path);
      if (positions === undefined) found.set(data.path, [Number(position)]);
      else positions.push(Number(position));
    });
  }
  const positions = new Map<string, Int32Array>();
  for (const [path, list] of found) positions.set(path, distinct(Int32Array.from(list).sort()));
  return { positions, targets };
}

async function readPositions(
  store: ObjectStore,
  uri: string,
  entry: ManifestEntry,
  use: (path: string, position: bigint) => void,
): Promise<void> {
  const readRange = (start: number, end: number): Promise<Uint8Array> =>
    store.read(uri, { start, end });
  const name = uri.slice(uri.lastIndexOf('/') + 1);
  const footer = await readFooter(readRange, Number(entry.file.fileSizeBytes), name);
  const column = (id: number, plain: string): string | undefined =>
    footer.columns.find((one) => one.fieldId === id || one.name === plain)?.name;
  const [path, pos] = [column(filePathFieldId, 'file_path'), column(posFieldId, 'pos')];
  // Read as one that deletes nothing, it would bring rows back.
  if (path === undefined || pos === undefined) throw damaged(name, 'it has no file_path and pos');
  const columns = [path, pos];
  for (let group = 0; group < footer.rowGroups.length; group++) {
    // Some writers keep the deleted rows beside, which are not of interest.
    const table = await decodeArrow({ readRange, footer, indexes: [group], columns });
    const paths = table.getChild(path)!;
    const rows = table.getChild(pos)!;
    for (let i = 0; i < table.numRows; i++) {
      use(paths.get(i) as string, BigInt(rows.get(i) as bigint));
    }
  }
}

function distinct(sorted: Int32Array): Int32Array {
  return sorted.filter((position, i) => i === 0 || position !== sorted[i - 1]);
}

/** The positions of a list that lie in [start, end); null when there are none. */
export function positionsIn(
  sorted: Int32Array | null,
  start: number,
  end: number,
): Int32Array | null {
  if (sorted === null) return null;
  const from = firstAtLeast(sorted, start);
  const to = firstAtLeast(sorted, end);
  return to > from ? sorted.slice(from, to) : null;
}

function firstAtLeast(sorted: Int32Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Live rows of files, counted exactly: delete files are read, if there are any. */
export async function countRows(
  store: ObjectStore,
  open: Pick<OpenTable, 'md' | 'location'>,
  live: Pick<LiveFiles, 'data' | 'positionDeletes'>,
): Promise<number> {
  let rows = live.data.reduce((sum, { file }) => sum + Number(file.recordCount), 0);
  if (live.positionDeletes.length === 0) return rows;
  const { positions } = await readDeletedRows(store, open, live);
  for (const deleted of positions.values()) rows -= deleted.length;
  return rows;
}

/** Live rows of a table's current snapshot, counted exactly. */
export async function currentRows(
  store: ObjectStore,
  open: Pick<OpenTable, 'md' | 'location'>,
): Promise<number> {
  const live = await liveFiles(store, open.md, currentSnapshot(open.md), open.location);
  return countRows(store, open, live);
}
