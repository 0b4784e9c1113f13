// Moves rows in a kernel's memory: those that row numbers name, in that order, become packed rows (see pack-rows). Gives
// the same bytes as packOrdered, and as packRows of what Rows.takeFrom makes of several parts.

import type { Rows } from '../make-columns.js';
import { packedSize } from '../pack-rows.js';
import type { KernelExports } from './kernel.js';
import {
  copyColumns,
  memoryOf,
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
 * All rows of several parts in the order of their keys, packed; null when two keys are the same. Column by column they are
 * copied into the kernel's memory and moved there, so that beside the result it holds one column at a time.
 *
 * @param parts at least one; settled, and all with the same columns
 * @returns a view of the kernel's memory: void when that grows, or what was taken of it is given back
 */
export function sortInKernel(kernel: KernelExports, parts: readonly Rows[]): Uint8Array | null {
  let n = 0;
  let size = slackBytes;
  for (const part of parts) {
    n += part.n;
    size += packedSize(part);
  }
  const order = kernel.alloc(n * 4 + slackBytes);
  const start = kernel.alloc(size);
  const own = kernel.mark();
  const keys = copyColumns(
    kernel,
    parts.map((part) => part.keys),
  );
  if (keys.kind !== 'bytes') throw new TypeError('keys are bytes');
  kernel.sortKeys(order, keys.offsets, keys.data, n);
  if (kernel.findTwin(order, keys.offsets, keys.data, n) !== -1) return null;
  kernel.release(own);
  const columns = parts.map((part) => part.all);
  let end = start;
  for (let i = 0; i < columns[0]!.length; i++) {
    const column = copyColumns(
      kernel,
      columns.map((all) => all[i]!),
    );
    end = gatherColumn(kernel, column, end, order, n);
    kernel.release(own);
  }
  return memoryOf(kernel).subarray(start, end);
}

/**
 * Packs rows that lie in a kernel's memory, in parts and in any order. Reads where they are when it is made; the memory may
 * grow from then on, which makes views of it void, those of the rows included.
 */
export class KernelPacker {
  private readonly kernel: KernelExports;
  private readonly columns: readonly PlacedColumn[];
  private readonly size: number;
  private readonly n: number;

  constructor(kernel: KernelExports, rows: Rows) {
    this.kernel = kernel;
    this.columns = rows.all.map(placeColumn);
    this.size = packedSize(rows);
    this.n = rows.n;
  }

  /** The rows that `indices` names, each at most once, in that order, as packOrdered gives them. */
  pack(indices: Int32Array): Uint8Array {
    const { kernel } = this;
    const n = indices.length;
    if (n > this.n) throw new RangeError('a row is named twice');
    const place = kernel.mark();
    const order = kernel.alloc(n * 4 + slackBytes);
    const start = kernel.alloc(this.size + slackBytes);
    new Int32Array(kernel.memory.buffer, order, n).set(indices);
    let end = start;
    for (const column of this.columns) end = gatherColumn(kernel, column, end, order, n);
    if (end > start + this.size) throw new RangeError('a row is named twice');
    const bytes = memoryOf(kernel).slice(start, end);
    kernel.release(place);
    return bytes;
  }
}
