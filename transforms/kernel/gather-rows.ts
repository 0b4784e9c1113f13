// Moves rows in a kernel's memory: those that row numbers name, in that order, become packed rows (see pack-rows). Gives
// the same bytes as packOrdered, and as packRows of what Rows.takeFrom makes of several parts.

import type { Rows } from '../make-columns.js';
import { packedSize } from '../pack-rows.js';
import type { KernelExports } from './kernel.js';
import {
  bytesAt,
  copyColumns,
  type PlacedColumn,
  placeColumn,
  slackBytes,
} from './placed-columns.js';

function aligned(place: number): number {
  return (place + 7) & ~7;
}

/**
 * Writes the rows of a column as packed rows.
 *
 * @param to a place aligned to 8 bytes, with room for the rows and 16 bytes more
 * @param rows where their numbers are, as words of 32 bits
 * @returns the place behind them, aligned
 */
export function gatherColumn(
  kernel: KernelExports,
  column: PlacedColumn,
  to: number,
  rows: number,
  n: number,
): number {
  const ok = to + 8;
  let nulls = 0;
  if (column.nulls === 0) kernel.fillFlags(ok, 1, n);
  else nulls = n - kernel.gatherFlags(ok, column.ok, rows, n);
  const head = new Int32Array(kernel.memory.buffer, to, 2);
  head[0] = n;
  head[1] = nulls;
  const at = aligned(ok + n);
  switch (column.kind) {
    case 'bytes': {
      const toData = aligned(at + (n + 1) * 4);
      return kernel.gatherBytes(at, toData, column.offsets, column.data, rows, n) >>> 0;
    }
    case 'longs':
      kernel.gatherLongs(at, column.values, rows, n);
      return at + n * 8;
    case 'wides':
      kernel.gatherWides(at, column.values, rows, n);
      return at + n * 16;
    case 'flags':
      kernel.gatherFlags(at, column.values, rows, n);
      return aligned(at + n);
    case 'list': {
      const total = kernel.gatherOffsets(at, column.offsets, rows, n);
      const place = kernel.mark();
      const elements = kernel.alloc(total * 4 + slackBytes);
      kernel.gatherElements(elements, column.offsets, rows, n);
      const end = gatherColumn(kernel, column.child, aligned(at + (n + 1) * 4), elements, total);
      kernel.release(place);
      return end;
    }
    case 'struct': {
      let end = at;
      for (const child of column.children) end = gatherColumn(kernel, child, end, rows, n);
      return end;
    }
  }
}

/**
 * All rows of several parts in the order of their keys, packed; null when two keys are the same.
 *
 * @param parts at least one; settled, and all with the same columns
 * @returns a view of the kernel's memory: void when that grows, or what was taken of it is given back
 */
export function sortInKernel(kernel: KernelExports, parts: readonly Rows[]): Uint8Array | null {
  const n = parts.reduce((sum, part) => sum + part.n, 0);
  const order = kernel.alloc(n * 4 + slackBytes);
  const own = kernel.mark();
  const keys = copyColumns(
    kernel,
    parts.map((part) => part.keys),
  );
  if (keys.kind !== 'bytes') throw new TypeError('keys are bytes');
  kernel.sortKeys(order, keys.offsets, keys.data, n);
  const twin = kernel.findTwin(order, keys.offsets, keys.data, n);
  kernel.release(own);
  if (twin !== -1) return null;
  const columns = parts.map((part) => part.all);
  const all = columns[0]!.map(
    (_, i) => () =>
      copyColumns(
        kernel,
        columns.map((part) => part[i]!),
      ),
  );
  const size = parts.reduce((sum, part) => sum + packedSize(part), 0);
  return gatherAll(kernel, all, order, n, size);
}

/**
 * Rows in an order, packed. Columns that do not lie in the kernel's memory are copied there.
 *
 * @param rows settled; views of the kernel's memory are void afterwards, since it may have grown
 * @param indices names every row once
 * @returns a view of the kernel's memory: void when that grows, or what was taken of it is given back
 * @throws RangeError when rows are named so often that there is no room
 */
export function orderInKernel(kernel: KernelExports, rows: Rows, indices: Int32Array): Uint8Array {
  const n = indices.length;
  if (n > rows.n) throw namedTwice();
  const size = packedSize(rows);
  // Now: where they are cannot be seen any more when the memory has grown.
  const all = rows.all.map((column) => {
    if (column.ok.buffer !== kernel.memory.buffer) return () => copyColumns(kernel, [column]);
    const placed = placeColumn(kernel, column);
    return () => placed;
  });
  const order = kernel.alloc(n * 4 + slackBytes);
  new Int32Array(kernel.memory.buffer, order, n).set(indices);
  return gatherAll(kernel, all, order, n, size);
}

/** Gathers column by column, so that the kernel's memory holds one copied column at a time beside the result. */
function gatherAll(
  kernel: KernelExports,
  columns: readonly (() => PlacedColumn)[],
  order: number,
  n: number,
  sizeMax: number,
): Uint8Array {
  const start = kernel.alloc(sizeMax + slackBytes);
  let end = start;
  for (const column of columns) {
    const own = kernel.mark();
    end = gatherColumn(kernel, column(), end, order, n);
    kernel.release(own);
  }
  if (end > start + sizeMax) throw namedTwice();
  return bytesAt(kernel, start, end - start);
}

function namedTwice(): RangeError {
  return new RangeError('a row is named twice');
}
