// Rows as one run of bytes and back, to move them between threads or to scratch space without copying them twice.
// Columns depth first: row count, null count, then validity, offsets and data, each part aligned to 8 bytes.

import {
  absentIn,
  BytesColumn,
  type Column,
  FlagColumn,
  gatherBytes,
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
    this.words(Int32Array.of(n, column.nulls === 0 ? 0 : absentIn(column.ok.subarray(start, end))));
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

/** The elements of the lists of some rows, one list behind the other. */
function elementsOf(column: ListColumn, rows: Int32Array): Int32Array {
  const { offsets } = column;
  let total = 0;
  for (let i = 0; i < rows.length; i++) total += offsets[rows[i]! + 1]! - offsets[rows[i]!]!;
  const elements = new Int32Array(total);
  let at = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    for (let j = offsets[row]!, z = offsets[row + 1]!; j < z; j++) elements[at++] = j;
  }
  return elements;
}

/** Packs rows in a given order, without moving them into columns of their own first. */
class Gatherer {
  private bytes = new Uint8Array(0);
  private at = 0;
  /** Elements of lists, in the order in which `size` and `column` meet them. */
  private readonly elements: Int32Array[] = [];
  private nextElements = 0;

  pack(columns: readonly Column[], rows: Int32Array): Uint8Array {
    let size = 0;
    for (const column of columns) size += this.size(column, rows);
    this.bytes = new Uint8Array(size);
    for (const column of columns) this.column(column, rows);
    return this.bytes;
  }

  private size(column: Column, rows: Int32Array): number {
    const n = rows.length;
    let size = 8 + aligned(n);
    if (column instanceof BytesColumn) {
      const { offsets } = column;
      let length = 0;
      for (let i = 0; i < n; i++) length += offsets[rows[i]! + 1]! - offsets[rows[i]!]!;
      size += aligned((n + 1) * 4) + aligned(length);
    } else if (column instanceof LongColumn) size += n * 8;
    else if (column instanceof WideColumn) size += n * 16;
    else if (column instanceof FlagColumn) size += aligned(n);
    else if (column instanceof ListColumn) {
      const elements = elementsOf(column, rows);
      this.elements.push(elements);
      size += aligned((n + 1) * 4) + this.size(column.child, elements);
    } else if (column instanceof StructColumn) {
      for (const child of column.children) size += this.size(child, rows);
    }
    return size;
  }

  private part(length: number): Uint8Array {
    const part = this.bytes.subarray(this.at, this.at + length);
    this.at = aligned(this.at + length);
    return part;
  }

  private words(count: number): Int32Array {
    const part = this.part(count * 4);
    return new Int32Array(part.buffer, part.byteOffset, count);
  }

  private flags(flags: Uint8Array, rows: Int32Array): number {
    const out = this.part(rows.length);
    let sum = 0;
    for (let i = 0; i < rows.length; i++) {
      const flag = flags[rows[i]!]!;
      out[i] = flag;
      sum += flag;
    }
    return sum;
  }

  /** Writes the offsets of rows laid one behind the other, and returns the last. */
  private offsets(offsets: Int32Array, rows: Int32Array): number {
    const out = this.words(rows.length + 1);
    let at = 0;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      at += offsets[row + 1]! - offsets[row]!;
      out[i + 1] = at;
    }
    return at;
  }

  private column(column: Column, rows: Int32Array): void {
    const n = rows.length;
    const head = this.words(2);
    head[0] = n;
    head[1] = n - this.flags(column.ok, rows);
    if (column instanceof BytesColumn) {
      const length = this.offsets(column.offsets, rows);
      gatherBytes(this.part(length), 0, column, rows, 0, n);
    } else if (column instanceof LongColumn) {
      const out = this.words(n * 2);
      const from = column.words;
      for (let i = 0; i < n; i++) {
        const at = rows[i]! * 2;
        out[i * 2] = from[at]!;
        out[i * 2 + 1] = from[at + 1]!;
      }
    } else if (column instanceof WideColumn) {
      const out = this.words(n * 4);
      const from = column.words;
      for (let i = 0; i < n; i++) {
        const at = rows[i]! * 4;
        for (let j = 0; j < 4; j++) out[i * 4 + j] = from[at + j]!;
      }
    } else if (column instanceof FlagColumn) this.flags(column.flags, rows);
    else if (column instanceof ListColumn) {
      this.offsets(column.offsets, rows);
      this.column(column.child, this.elements[this.nextElements++]!);
    } else if (column instanceof StructColumn) {
      for (const child of column.children) this.column(child, rows);
    }
  }
}

/** The settled rows that `indices` names, in that order, as bytes. */
export function packOrdered(rows: Rows, indices: Int32Array): Uint8Array {
  return new Gatherer().pack(rows.all, indices);
}

/** How many bytes rows [start, end) of settled rows are when they are packed. */
export function packedSize(rows: Rows, start = 0, end: number = rows.n): number {
  let size = 0;
  for (const column of rows.all) size += sizeOf(column, start, end);
  return size;
}

/** Rows [start, end) of settled rows as bytes. */
export function packRows(rows: Rows, start = 0, end: number = rows.n): Uint8Array {
  const packer = new Packer(packedSize(rows, start, end));
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
