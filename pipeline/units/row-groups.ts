// Sorted rows to encoded Parquet row groups.

import type { TableColumns } from '../../schemas/columns.js';
import { absentIn, type Column } from '../../transforms/columns.js';
import { useKernel } from '../../transforms/kernel/idle-kernel.js';
import type { KernelExports } from '../../transforms/kernel/kernel.js';
import { copyColumns, placeColumn } from '../../transforms/kernel/placed-columns.js';
import { Rows } from '../../transforms/make-columns.js';
import {
  type EncodedRowGroup,
  fileSchema,
  RowGroupEncoder,
} from '../lake/parquet/row-group-encoder.js';
import { schemaElements } from '../lake/parquet/schema-elements.js';
import type { Compress } from '../lake/parquet/zstd.js';

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
 * @param own the kernel that the rows lie in, if they lie in one: its memory may grow, so that views of it are void
 *   afterwards
 */
export function encodeRows(
  compress: Compress,
  sorted: Rows,
  table: TableColumns,
  rowsMax: number,
  own: KernelExports | null = null,
): RowGroup[] {
  const perRow = sorted.byteSize / Math.max(1, sorted.n);
  const most = Math.max(1, Math.min(rowsMax, Math.floor((groupBytesMax * 2) / perRow)));
  const count = Math.ceil(sorted.n / most);
  const size = Math.ceil(sorted.n / Math.max(1, count));
  return useKernel((kernel) => {
    const encoder = new RowGroupEncoder(kernel, compress, fileSchema(schemaElements(table)));
    const placed = own === null ? null : columnsOf(sorted).map((c) => placeColumn(own, c));
    // Before anything is encoded: the kernel's memory may grow.
    const parts = Array.from({ length: count }, (_, i) => factsOf(sorted, i * size, size));
    return parts.map(({ start, end, ...facts }) => {
      if (placed !== null) {
        const sources = placed.map((column) => () => column);
        return { ...facts, encoded: encoder.encode(sources, start, end) };
      }
      const part = count === 1 ? sorted : cut(sorted, start, end);
      const sources = columnsOf(part).map((column) => () => copyColumns(kernel, [column]));
      return { ...facts, encoded: encoder.encode(sources, 0, part.n) };
    });
  }, own);
}

function factsOf(
  { n, keys, misfits }: Rows,
  start: number,
  size: number,
): Omit<RowGroup, 'encoded'> & { readonly start: number; readonly end: number } {
  const end = Math.min(n, start + size);
  const lastKey = keys.data.slice(keys.offsets[end - 1]!, keys.offsets[end]!);
  const misfitRows = end - start - absentIn(misfits.ok.subarray(start, end));
  return { start, end, lastKey, misfitRows };
}

/** The columns of a file, in the order of its schema. */
function columnsOf({ columns, writtenAt, nulls, misfits }: Rows): Column[] {
  return [...columns, writtenAt, nulls, misfits];
}

function cut(rows: Rows, start: number, end: number): Rows {
  const part = new Rows(rows.types);
  part.appendRange(rows, start, end);
  return part;
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
