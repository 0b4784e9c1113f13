// Mark unit: the changes of one partition without rewriting it. Rows that changes name are found by their keys, and their
// positions become delete files; what the items are now becomes row groups of new rows. Of the data files only the key's
// columns are read, and of these only row groups that changes fall into. Small files may be folded in: read whole, they leave
// the table, and their rows stand among the new ones. Source: Apache Iceberg spec, "Position Delete Files".

import type { TableColumns } from '../../schemas/columns.js';
import { adaptRows } from '../../transforms/adapt-rows.js';
import { orderInKernel } from '../../transforms/kernel/gather-rows.js';
import { isForKernel, useKernel } from '../../transforms/kernel/idle-kernel.js';
import { locateSorted, locateUnsorted } from '../../transforms/locate-keys.js';
import { Rows } from '../../transforms/make-columns.js';
import { unpackRows } from '../../transforms/pack-rows.js';
import { lowerBound } from '../../transforms/sort-keys.js';
import { type GroupIndex, readGroupIndex, readNewRowsIndex } from '../lake/data-file-writer.js';
import { checkKeys, readKeys } from '../lake/key-columns.js';
import { readFooter } from '../lake/parquet/footer.js';
import { openZstd } from '../lake/parquet/zstd.js';
import { type EncodedDeletes, encodeDeletes } from '../lake/position-delete-file.js';
import { sortedSegments } from './encode-unit.js';
import { applyChanges, type GroupSource, inOrder, misfitRowsIn, readGroups } from './merge-unit.js';
import { encodeRows, groupBuffers, type RowGroup } from './row-groups.js';
import type { Segment } from './segments.js';
import type { UnitContext, UnitResult } from './unit.js';

/** A data file that stays. */
export interface MarkedFile {
  /** As manifests name it. */
  readonly path: string;
  readonly uri: string;
  readonly size: number;
  /** Positions that are deleted already, ascending; or null. */
  readonly deleted: Int32Array | null;
}

export interface MarkInput {
  readonly files: readonly MarkedFile[];
  /** Files to fold in. */
  readonly fold: readonly GroupSource[];
  /** Columns as the files have them. */
  readonly before: TableColumns;
  /** Columns to write; the key's are of the same types as before. */
  readonly table: TableColumns;
  readonly segments: readonly Segment[];
  readonly groupRowsMax: number;
  /** Rows that changes name are taken out, and nothing is put in (see PartitionWork). */
  readonly removeOnly: boolean;
}

/** What becomes of one data file. */
export interface FileDeletes {
  readonly path: string;
  /** Its delete file, with all its deleted positions, those of before included; null: no row is left of it. */
  readonly deletes: EncodedDeletes | null;
}

export interface MarkOutput {
  readonly deletes: readonly FileDeletes[];
  /** Sorted; of the changed items and of the folded files' other rows. */
  readonly groups: readonly RowGroup[];
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  /** By how many the table's rows with a misfit become more. */
  readonly misfitRowsGained: number;
}

/** Changes of a partition -> delete files and new row groups. */
export async function markUnit(
  input: MarkInput,
  context: UnitContext,
): Promise<UnitResult<MarkOutput>> {
  const { before, table, removeOnly } = input;
  const changes = await sortedSegments(input.segments, table, context.scratch);
  const folded = new Rows(table.columns);
  let misfitRows = 0;
  for (const source of input.fold) {
    await checkForeign(source, before, context);
    const rows = await readGroups(source, before, context);
    misfitRows -= misfitRowsIn(rows);
    folded.appendRange(adaptRows(rows, table.columns, table.key), 0, rows.n);
  }
  const merged =
    folded.n === 0 && !removeOnly
      ? newItems(changes)
      : applyChanges(inOrder(folded), changes, removeOnly);
  let { inserted, updated, deleted } = merged;
  const compress = await openZstd();
  const deletes: FileDeletes[] = [];
  for (const file of input.files) {
    const found = await locate(file, before, changes, context);
    misfitRows -= found.misfitRows;
    for (const change of found.changes) {
      if (changes.lives.flags[change] === 0) deleted++;
      else {
        updated++;
        inserted--;
      }
    }
    if (found.positions.length === 0) continue;
    const all = Int32Array.from([...(file.deleted ?? []), ...found.positions]).sort();
    const isEmpty = all.length === found.rowCount;
    deletes.push({
      path: file.path,
      deletes: isEmpty ? null : encodeDeletes(compress, file.path, all),
    });
  }
  const groups = encodeRows(compress, merged.rows, table, input.groupRowsMax);
  for (const group of groups) misfitRows += group.misfitRows;
  return {
    output: { deletes, groups, inserted, updated, deleted, misfitRowsGained: misfitRows },
    transfer: [
      ...groupBuffers(groups),
      ...deletes.flatMap((one) => (one.deletes?.bytes.buffer ?? []) as ArrayBuffer),
    ],
  };
}

/** What changes make of no rows at all: their items, each inserted. */
function newItems(changes: Rows): ReturnType<typeof applyChanges> {
  const { flags } = changes.lives;
  let inserted = 0;
  for (let change = 0; change < changes.n; change++) inserted += flags[change]!;
  if (inserted === changes.n) return { rows: changes, inserted, updated: 0, deleted: 0 };
  const living = new Int32Array(inserted);
  for (let change = 0, at = 0; change < changes.n; change++) {
    if (flags[change] === 1) living[at++] = change;
  }
  if (isForKernel([changes])) {
    const packed = useKernel((kernel) => orderInKernel(kernel, changes, living).slice());
    return { rows: unpackRows(changes.types, packed), inserted, updated: 0, deleted: 0 };
  }
  const rows = new Rows(changes.types);
  rows.take(changes, living);
  return { rows, inserted, updated: 0, deleted: 0 };
}

/** The live rows of a file that changes name. */
interface Located {
  /** In the file; in no order. */
  readonly positions: readonly number[];
  /** The changes that name them. */
  readonly changes: readonly number[];
  /** How many of them have a misfit. */
  readonly misfitRows: number;
  /** Rows of the whole file. */
  readonly rowCount: number;
}

/** Throws where rows of another program's file have no key that could be found by field id. */
async function checkForeign(
  { uri, size }: GroupSource,
  table: TableColumns,
  { store }: UnitContext,
): Promise<void> {
  const readRange = (start: number, end: number): Promise<Uint8Array> =>
    store.read(uri, { start, end });
  const footer = await readFooter(readRange, size, uri);
  if (readGroupIndex(footer) === null && readNewRowsIndex(footer) === null) {
    checkKeys(footer, table);
  }
}

async function locate(
  file: MarkedFile,
  table: TableColumns,
  { keys }: Rows,
  { store }: UnitContext,
): Promise<Located> {
  const { uri, size } = file;
  const readRange = (start: number, end: number): Promise<Uint8Array> =>
    store.read(uri, { start, end });
  const footer = await readFooter(readRange, size, uri);
  const index = readGroupIndex(footer) ?? readNewRowsIndex(footer);
  if (index === null) checkKeys(footer, table);
  const gone = new Set(file.deleted);
  const positions: number[] = [];
  const changes: number[] = [];
  let misfitRows = 0;
  let groupStart = 0;
  let from = 0;
  for (const [group, { rowCount }] of footer.rowGroups.entries()) {
    const start = groupStart;
    groupStart += rowCount;
    const first = from;
    // Changes up to and with the group's last key; all of them where nobody knows what lies in it.
    if (index !== null) from = lowerBound(keys, index[group]!.lastKey, true, first);
    const to = index === null ? keys.n : from;
    if (to === first) continue;
    const batches = await readKeys(readRange, footer, group, table, mayHaveMisfits(index, group));
    let batchStart = start;
    for (const batch of batches) {
      const use = (row: number, change: number): void => {
        const position = batchStart + row;
        if (gone.has(position)) return;
        positions.push(position);
        changes.push(change);
        if (batch.misfits?.ok[row] === 1) misfitRows++;
      };
      if (index === null) locateUnsorted(batch, table, keys, use);
      else locateSorted(batch, table, keys, first, to, use);
      batchStart += batch.n;
    }
  }
  return { positions, changes, misfitRows, rowCount: groupStart };
}

function mayHaveMisfits(index: readonly GroupIndex[] | null, group: number): boolean {
  return index === null || index[group]!.misfitRows > 0;
}
