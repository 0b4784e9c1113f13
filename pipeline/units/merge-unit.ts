// Merge unit: some row groups of a data file and the changes to their keys become new row groups. Both are sorted, so
// one walk over both is enough: rows that no change names are copied in long runs.

import type { TableColumns } from '../../schemas/columns.js';
import { adaptRows } from '../../transforms/adapt-rows.js';
import { Rows } from '../../transforms/make-columns.js';
import { compareKeys, sortedOrder } from '../../transforms/sort-keys.js';
import { decodeRows } from '../lake/parquet/decode-rows.js';
import { readFooter } from '../lake/parquet/footer.js';
import { openZstd } from '../lake/parquet/zstd.js';
import { sortedSegments } from './encode-unit.js';
import { encodeRows, groupBuffers, type RowGroup } from './row-groups.js';
import type { Segment } from './segments.js';
import type { UnitContext, UnitResult } from './unit.js';

/** Row groups of one data file. */
export interface GroupSource {
  readonly uri: string;
  readonly size: number;
  /** Which row groups, ascending; null: all. */
  readonly groups: readonly number[] | null;
  /** Positions in the file that are deleted, ascending; or null. */
  readonly deleted: Int32Array | null;
}

export interface MergeInput {
  readonly sources: readonly GroupSource[];
  /** Columns as the files have them. */
  readonly before: TableColumns;
  /** Columns to write. */
  readonly table: TableColumns;
  /** Old rows that were cut anew, beside those of the sources. */
  readonly oldSegments: readonly Segment[];
  readonly segments: readonly Segment[];
  readonly groupRowsMax: number;
  /** Rows that changes name are taken out, and nothing is put in (see PartitionWork). */
  readonly removeOnly: boolean;
}

export interface MergeOutput {
  readonly groups: readonly RowGroup[];
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  /** Rows with a misfit among those of the sources, before anything was done to them. */
  readonly misfitRowsBefore: number;
}

/** Rows of row groups, deleted positions left out. */
export async function readGroups(
  source: GroupSource,
  table: TableColumns,
  context: UnitContext,
): Promise<Rows> {
  const readRange = (start: number, end: number): Promise<Uint8Array> =>
    context.store.read(source.uri, { start, end });
  const footer = await readFooter(readRange, source.size, source.uri);
  const indexes = source.groups ?? footer.rowGroups.map((_, i) => i);
  if (indexes.length === 0) return new Rows(table.columns);
  const rows = await decodeRows({ readRange, footer, indexes }, table);
  if (source.deleted === null) return rows;
  const gone = new Set(source.deleted);
  const kept: number[] = [];
  let row = 0;
  let position = 0;
  footer.rowGroups.forEach((group, i) => {
    if (indexes.includes(i)) {
      for (let j = 0; j < group.rowCount; j++, row++) if (!gone.has(position + j)) kept.push(row);
    }
    position += group.rowCount;
  });
  const live = new Rows(table.columns);
  live.take(rows, Int32Array.from(kept));
  return live;
}

/** Old row groups and changes -> new row groups. */
export async function mergeUnit(
  input: MergeInput,
  context: UnitContext,
): Promise<UnitResult<MergeOutput>> {
  const parts: Rows[] = [];
  let misfitRowsBefore = 0;
  for (const source of input.sources) {
    const rows = await readGroups(source, input.before, context);
    misfitRowsBefore += misfitRowsIn(rows);
    parts.push(adaptRows(rows, input.table.columns, input.table.key));
  }
  if (input.oldSegments.length > 0) {
    parts.push(await sortedSegments(input.oldSegments, input.table, context.scratch));
  }
  let old = parts[0] ?? new Rows(input.table.columns);
  if (parts.length > 1) {
    old = new Rows(input.table.columns);
    for (const part of parts) old.appendRange(part, 0, part.n);
  }
  old = inOrder(old);
  const changes = await sortedSegments(input.segments, input.table, context.scratch);
  const merged = applyChanges(old, changes, input.removeOnly);
  const groups = encodeRows(await openZstd(), merged.rows, input.table, input.groupRowsMax);
  const { inserted, updated, deleted } = merged;
  return {
    output: { groups, inserted, updated, deleted, misfitRowsBefore },
    transfer: groupBuffers(groups),
  };
}

/** How many rows have a misfit. */
export function misfitRowsIn({ misfits }: Rows): number {
  return misfits.n - misfits.nulls;
}

/** Rows in the order of their keys. */
export function inOrder(rows: Rows): Rows {
  let sorted = true;
  for (let row = 1; row < rows.n && sorted; row++) {
    sorted = compareKeys(rows.keys, row - 1, rows.keys, row) < 0;
  }
  if (sorted) return rows;
  const out = new Rows(rows.types);
  out.take(rows, sortedOrder(rows.keys));
  return out;
}

/** Sorted rows with sorted changes applied: an item replaces its row whole, a deletion removes it. With `removeOnly`
 *  items are not put in: they are counted as inserted where they are, so what they replace here turns that to updated. */
export function applyChanges(
  old: Rows,
  changes: Rows,
  removeOnly = false,
): { rows: Rows; inserted: number; updated: number; deleted: number } {
  const rows = new Rows(old.types);
  let inserted = 0;
  let updated = 0;
  let deleted = 0;
  let at = 0;
  for (let change = 0; change < changes.n; change++) {
    const next = firstNotBefore(old, at, changes, change);
    if (next > at) rows.appendRange(old, at, next);
    at = next;
    const exists = at < old.n && compareKeys(old.keys, at, changes.keys, change) === 0;
    const lives = changes.lives.flags[change] === 1;
    if (exists) at++;
    if (lives && !removeOnly) rows.appendRange(changes, change, change + 1);
    if (lives && exists) updated++;
    else if (exists) deleted++;
    if (lives && exists === removeOnly) inserted += removeOnly ? -1 : 1;
  }
  if (old.n > at) rows.appendRange(old, at, old.n);
  return { rows, inserted, updated, deleted };
}

/** First row from `from` on whose key is not before a change's: steps that double, then halving. */
function firstNotBefore(old: Rows, from: number, changes: Rows, change: number): number {
  let low = from;
  let step = 1;
  let high = from;
  while (high < old.n && compareKeys(old.keys, high, changes.keys, change) < 0) {
    low = high + 1;
    high += step;
    step *= 2;
  }
  high = Math.min(high, old.n);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(old.keys, middle, changes.keys, change) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
