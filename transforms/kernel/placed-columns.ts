// Columns in a kernel's memory: where their buffers are, as plain numbers, so that they stay true when the memory grows.
// They are copied there, the rows of several parts one behind the other, or are there already.

import {
  BytesColumn,
  type Column,
  FlagColumn,
  ListColumn,
  LongColumn,
  type StructColumn,
  WideColumn,
} from '../columns.js';
import type { KernelExports } from './kernel.js';

/** Bytes behind every block: kernels read and write up to 16 bytes at a time. */
export const slackBytes = 16;

interface PlacedHead {
  readonly n: number;
  readonly nulls: number;
  /** Of the validity bytes. */
  readonly ok: number;
}

/** A column whose buffers are at these places. */
export type PlacedColumn = PlacedHead &
  (
    | { readonly kind: 'bytes'; readonly offsets: number; readonly data: number }
    | { readonly kind: 'longs' | 'wides' | 'flags'; readonly values: number }
    | { readonly kind: 'list'; readonly offsets: number; readonly child: PlacedColumn }
    | { readonly kind: 'struct'; readonly children: readonly PlacedColumn[] }
  );

/** A view of a kernel's memory as it is now: void when that grows. */
export function bytesAt(kernel: KernelExports, place: number, length: number): Uint8Array {
  return new Uint8Array(kernel.memory.buffer, place, length);
}

/** Where a column is that lies in the kernel's memory already, all of it. */
export function placeColumn(kernel: KernelExports, column: Column): PlacedColumn {
  const at = ({ buffer, byteOffset }: Uint8Array | Int32Array): number => {
    // Of no rows nothing is read.
    if (column.n > 0 && buffer !== kernel.memory.buffer) {
      throw new RangeError('a column lies in the kernel only in part');
    }
    return byteOffset;
  };
  const head = { n: column.n, nulls: column.nulls, ok: at(column.ok) };
  if (column instanceof BytesColumn) {
    return { ...head, kind: 'bytes', offsets: at(column.offsets), data: at(column.data) };
  }
  if (column instanceof LongColumn) return { ...head, kind: 'longs', values: at(column.words) };
  if (column instanceof WideColumn) return { ...head, kind: 'wides', values: at(column.words) };
  if (column instanceof FlagColumn) return { ...head, kind: 'flags', values: at(column.flags) };
  if (column instanceof ListColumn) {
    const child = placeColumn(kernel, column.child);
    return { ...head, kind: 'list', offsets: at(column.offsets), child };
  }
  const children = (column as StructColumn).children.map((child) => placeColumn(kernel, child));
  return { ...head, kind: 'struct', children };
}

/** Copies settled columns of the same shape into blocks of the kernel's memory, as one column. */
export function copyColumns(kernel: KernelExports, parts: readonly Column[]): PlacedColumn {
  const first = parts[0]!;
  let n = 0;
  let nulls = 0;
  for (const part of parts) {
    n += part.n;
    nulls += part.nulls;
  }
  const head = { n, nulls, ok: copyAll(kernel, parts, (part) => part.ok.subarray(0, part.n)) };
  if (first instanceof BytesColumn) {
    const columns = parts as readonly BytesColumn[];
    const data = copyAll(kernel, columns, (part) => part.data.subarray(0, part.length));
    const offsets = copyOffsets(kernel, columns, (part) => part.length);
    return { ...head, kind: 'bytes', offsets, data };
  }
  if (first instanceof LongColumn) {
    const columns = parts as readonly LongColumn[];
    return { ...head, kind: 'longs', values: copyAll(kernel, columns, (c) => words(c, 2)) };
  }
  if (first instanceof WideColumn) {
    const columns = parts as readonly WideColumn[];
    return { ...head, kind: 'wides', values: copyAll(kernel, columns, (c) => words(c, 4)) };
  }
  if (first instanceof FlagColumn) {
    const columns = parts as readonly FlagColumn[];
    const values = copyAll(kernel, columns, (part) => part.flags.subarray(0, part.n));
    return { ...head, kind: 'flags', values };
  }
  if (first instanceof ListColumn) {
    const columns = parts as readonly ListColumn[];
    const offsets = copyOffsets(kernel, columns, (part) => part.child.n);
    const children = columns.map((part) => part.child);
    return { ...head, kind: 'list', offsets, child: copyColumns(kernel, children) };
  }
  const columns = parts as readonly StructColumn[];
  const children = (first as StructColumn).children.map((_, i) => {
    const own = columns.map((part) => part.children[i]!);
    if (own.some((child, part) => child.n !== columns[part]!.n)) {
      throw new RangeError('a struct is not settled');
    }
    return copyColumns(kernel, own);
  });
  return { ...head, kind: 'struct', children };
}

function words({ words: all, n }: LongColumn | WideColumn, perRow: number): Uint8Array {
  return new Uint8Array(all.buffer, all.byteOffset, n * perRow * 4);
}

/** Copies a buffer of each part, one behind the other. */
function copyAll<C>(
  kernel: KernelExports,
  parts: readonly C[],
  bytesOf: (part: C) => Uint8Array,
): number {
  const buffers = parts.map(bytesOf);
  let size = 0;
  for (const { length } of buffers) size += length;
  const place = kernel.alloc(size + slackBytes);
  const to = bytesAt(kernel, place, size);
  let at = 0;
  for (const buffer of buffers) {
    to.set(buffer, at);
    at += buffer.length;
  }
  return place;
}

/** Copies offsets of each part, each continuing where the one before ended. */
function copyOffsets<C extends BytesColumn | ListColumn>(
  kernel: KernelExports,
  parts: readonly C[],
  lengthOf: (part: C) => number,
): number {
  let n = 0;
  for (const part of parts) n += part.n;
  const place = kernel.alloc((n + 1) * 4 + slackBytes);
  const memory = new Int32Array(kernel.memory.buffer, place, n + 1);
  memory[0] = 0;
  let row = 0;
  let shift = 0;
  for (const part of parts) {
    memory.set(part.offsets.subarray(1, part.n + 1), row + 1);
    if (shift > 0) kernel.shiftOffsets(place + (row + 1) * 4, part.n, shift);
    row += part.n;
    shift += lengthOf(part);
  }
  if (shift > 0x7fffffff) throw new RangeError('a column of one range holds over 2 GiB');
  return place;
}
