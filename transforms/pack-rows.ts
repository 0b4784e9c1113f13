// Rows as one run of bytes and back, to move them between threads or to scratch space without copying them twice.
// Columns depth first: row count, null count, then validity, offsets and data, each part aligned to 8 bytes.

import {
  BytesColumn,
  type Column,
  FlagColumn,
  ListColumn,
  LongColumn,
  StructColumn,
  WideColumn,
} from './columns.js';
import { Rows, type TypedAttribute } from './make-columns.js';

function aligned(bytes: number): number {
  return (bytes + 7) & ~7;
}

function sizeOf(column: Column, start: number, end: number): number {
  const n = end - start;
  let size = 8 + aligned(n);
  if (column instanceof BytesColumn) {
    size += aligned((n + 1) * 4) + aligned(column.offsets[end]! - column.offsets[start]!);
  } else if (column instanceof LongColumn) size += n * 8;
  else if (column instanceof WideColumn) size += n * 16;
  else if (column instanceof FlagColumn) size += aligned(n);
  else if (column instanceof ListColumn) {
    size += aligned((n + 1) * 4);
    size += sizeOf(column.child, column.offsets[start]!, column.offsets[end]!);
  } else if (column instanceof StructColumn) {
    for (const child of column.children) size += sizeOf(child, start, end);
  }
  return size;
}

class Packer {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  get buffer(): Uint8Array {
    return this.bytes;
  }

  private raw(part: Uint8Array): void {
    this.bytes.set(part, this.at);
    this.at = aligned(this.at + part.length);
  }

  private words(part: Int32Array): void {
    this.raw(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  }

  private offsets(offsets: Int32Array, start: number, end: number): void {
    const first = offsets[start]!;
    const out = new Int32Array(this.bytes.buffer, this.at, end - start + 1);
    for (let i = start; i <= end; i++) out[i - start] = offsets[i]! - first;
    this.at = aligned(this.at + out.byteLength);
  }

  column(column: Column, start: number, end: number): void {
    const n = end - start;
    let nulls = 0;
    for (let i = start; i < end; i++) nulls += 1 - column.ok[i]!;
    this.words(Int32Array.of(n, nulls));
    this.raw(column.ok.subarray(start, end));
    if (column instanceof BytesColumn) {
      this.offsets(column.offsets, start, end);
      this.raw(column.data.subarray(column.offsets[start]!, column.offsets[end]!));
    } else if (column instanceof LongColumn) this.words(column.words.subarray(start * 2, end * 2));
    else if (column instanceof WideColumn) this.words(column.words.subarray(start * 4, end * 4));
    else if (column instanceof FlagColumn) this.raw(column.flags.subarray(start, end));
    else if (column instanceof ListColumn) {
      this.offsets(column.offsets, start, end);
      this.column(column.child, column.offsets[start]!, column.offsets[end]!);
    } else if (column instanceof StructColumn) {
      for (const child of column.children) this.column(child, start, end);
    }
  }
}

/** Rows [start, end) of settled rows as bytes. */
export function packRows(rows: Rows, start = 0, end: number = rows.n): Uint8Array {
  let size = 0;
  for (const column of rows.all) size += sizeOf(column, start, end);
  const packer = new Packer(size);
  for (const column of rows.all) packer.column(column, start, end);
  return packer.buffer;
}

class Unpacker {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    // Typed views need aligned memory.
    this.bytes = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
  }

  private raw(length: number): Uint8Array {
    const part = this.bytes.subarray(this.at, this.at + length);
    this.at = aligned(this.at + length);
    return part;
  }

  private words(count: number): Int32Array {
    const part = new Int32Array(this.bytes.buffer, this.bytes.byteOffset + this.at, count);
    this.at = aligned(this.at + count * 4);
    return part;
  }

  fill(column: Column): void {
    const [n, nulls] = this.words(2) as unknown as [number, number];
    column.n = n;
    column.nulls = nulls;
    column.ok = this.raw(n);
    if (column instanceof BytesColumn) {
      column.offsets = this.words(n + 1);
      column.length = column.offsets[n]!;
      column.data = this.raw(column.length);
    } else if (column instanceof LongColumn) column.words = this.words(n * 2);
    else if (column instanceof WideColumn) column.words = this.words(n * 4);
    else if (column instanceof FlagColumn) column.flags = this.raw(n);
    else if (column instanceof ListColumn) {
      column.offsets = this.words(n + 1);
      this.fill(column.child);
    } else if (column instanceof StructColumn) {
      for (const child of column.children) this.fill(child);
    }
  }
}

/** The rows that were packed. Their columns are views of `bytes`: read them, do not push to them. */
export function unpackRows(types: readonly TypedAttribute[], bytes: Uint8Array): Rows {
  const rows = new Rows(types);
  const unpacker = new Unpacker(bytes);
  for (const column of rows.all) unpacker.fill(column);
  return rows;
}
