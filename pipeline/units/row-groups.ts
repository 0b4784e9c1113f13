// Sorted rows to encoded Parquet row groups.

import type { TableColumns } from '../../schemas/columns.js';
import { absentIn, BytesColumn, LongColumn } from '../../transforms/columns.js';
import type { Rows } from '../../transforms/make-columns.js';
import { rowsToIpc } from '../../transforms/rows-to-ipc.js';
import { type EncodedRowGroup, encodeRowGroup } from '../lake/parquet/encode-row-group.js';

/** A row group with what the file's index says of it. */
export interface RowGroup {
  readonly encoded: EncodedRowGroup;
  /** The last key, in comparable form. */
  readonly lastKey: Uint8Array;
  /** Rows with a misfit. */
  readonly misfitRows: number;
}

/** Rows per group when rows are of usual size. */
export const groupRowsMax = 65_536;
/** Bytes of columns per group, about. */
export const groupBytesMax: number = 32 * 1024 * 1024;

/**
 * Encodes rows that are sorted by key, in groups of at most `rowsMax` rows.
 *
 * @param room memory that may be used on the way (see rowsToIpc)
 */
export function encodeRows(
  sorted: Rows,
  table: TableColumns,
  rowsMax: number,
  room: Uint8Array | null = null,
): RowGroup[] {
  const groups: RowGroup[] = [];
  const perRow = sorted.byteSize / Math.max(1, sorted.n);
  const most = Math.max(1, Math.min(rowsMax, Math.floor((groupBytesMax * 2) / perRow)));
  const count = Math.ceil(sorted.n / most);
  const size = Math.ceil(sorted.n / Math.max(1, count));
  for (let start = 0; start < sorted.n; start += size) {
    const end = Math.min(sorted.n, start + size);
    const ipc = rowsToIpc(sorted, table, { start, end, room });
    const encoded = encodeRowGroup(ipc, { plainColumns: plainColumns(sorted, table, start, end) });
    const { keys, misfits } = sorted;
    const lastKey = keys.data.slice(keys.offsets[end - 1]!, keys.offsets[end]!);
    const misfitRows = end - start - absentIn(misfits.ok.subarray(start, end));
    groups.push({ encoded, lastKey, misfitRows });
  }
  return groups;
}

/** Names of columns whose values in rows [start, end) seldom repeat: a dictionary only costs there. */
function plainColumns(rows: Rows, table: TableColumns, start: number, end: number): string[] {
  const names: string[] = [];
  rows.columns.forEach((column, i) => {
    const { name } = table.columns[i]!;
    if (column instanceof BytesColumn && mostlyDistinct(column, start, end)) names.push(name);
    if (column instanceof LongColumn && distinctLongs(column, start, end)) names.push(name);
  });
  if (absentIn(rows.writtenAt.ok.subarray(start, end)) < end - start) names.push('_written_at');
  return names;
}

const sampleRows = 512;

function mostlyDistinct(column: BytesColumn, first: number, end: number): boolean {
  const seen = new Set<string>();
  let count = 0;
  const step = Math.max(1, Math.floor((end - first) / sampleRows));
  const data = Buffer.from(column.data.buffer, column.data.byteOffset, column.length);
  for (let row = first; row < end; row += step) {
    if (column.ok[row] === 0) continue;
    count++;
    const start = column.offsets[row]!;
    seen.add(data.toString('latin1', start, Math.min(start + 64, column.offsets[row + 1]!)));
  }
  return seen.size > count * 0.6;
}

function distinctLongs(column: LongColumn, first: number, end: number): boolean {
  const seen = new Set<number>();
  let count = 0;
  const step = Math.max(1, Math.floor((end - first) / sampleRows));
  for (let row = first; row < end; row += step) {
    if (column.ok[row] === 0) continue;
    count++;
    seen.add(column.words[row * 2]!);
  }
  return seen.size > count * 0.6;
}

/** Buffers that may move with row groups. */
export function groupBuffers(groups: readonly RowGroup[]): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const { encoded } of groups) {
    buffers.add(encoded.bytes.buffer as ArrayBuffer);
    buffers.add(encoded.footer.buffer as ArrayBuffer);
  }
  return [...buffers];
}
