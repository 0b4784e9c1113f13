// Columns while they are scanned into: one slot for each place of the schema, with the buffers of its column.
// The layout is that of ../../columns.ts: a validity byte for each row, offsets and bytes, words, flags.

import { alloc } from './memory';

// How a slot's values are written; the same numbers as in ../../scan-slots.ts.
export const S: i32 = 0;
export const B: i32 = 1;
export const BOOL: i32 = 2;
export const N: i32 = 3;
export const SS: i32 = 4;
export const BS: i32 = 5;
export const NS: i32 = 6;
export const L: i32 = 7;
export const M: i32 = 8;
export const MAP: i32 = 9;

// How a column is laid out; the same numbers as in ../scan-lane.ts.
export const BYTES: i32 = 0;
export const LONG: i32 = 1;
export const WIDE: i32 = 2;
export const FLAG: i32 = 3;
export const LIST: i32 = 4;
export const STRUCT: i32 = 5;

/** Bytes behind the end of a column's bytes that may be written to: text is copied sixteen at a time. */
const slack: i32 = 16;

@unmanaged
export class Slot {
  code: i32;
  layout: i32;
  /** Rows, and how many of them are absent. */
  n: i32;
  nulls: i32;
  /** Rows there is room for. */
  capacity: i32;
  ok: usize;
  offsets: usize;
  /** Bytes, words or flags. */
  data: usize;
  /** Of bytes: how many there are, and room for how many. */
  length: i32;
  dataCapacity: i32;
  /** Of lists: the elements. Of dictionaries: a struct of name and value. */
  child: Slot;
  /** Of structs: the slots of the fields, and their names. */
  fields: usize;
  fieldCount: i32;
  names: usize;
  /** Of numbers: which classes the column holds, where its histogram starts, the column's scale; text or not. */
  fits: usize;
  histogram: i32;
  scale: i32;
  isText: i32;
  /** Of attributes: the path of the attribute, for a NULL in its place. */
  path: usize;
  pathLength: i32;
}

// Blocks that were given back, by the power of two that is their size: columns grow by doubling, and what one leaves
// another takes.
const freeBlocks: usize = memory.data(32 * sizeof<usize>());

/** Forgets all blocks that were given back. */
export function forgetBlocks(): void {
  memory.fill(freeBlocks, 0, 32 * sizeof<usize>());
}

function block(bytes: i32): usize {
  const power = 32 - clz(max(bytes, 64) - 1);
  const list = freeBlocks + (power << alignof<usize>());
  const found = load<usize>(list);
  if (found !== 0) {
    store<usize>(list, load<usize>(found));
    return found;
  }
  return alloc((<usize>1) << power);
}

function giveBack(place: usize, bytes: i32): void {
  const power = 32 - clz(max(bytes, 64) - 1);
  const list = freeBlocks + (power << alignof<usize>());
  store<usize>(place, load<usize>(list));
  store<usize>(list, place);
}

function moved(from: usize, size: i32, used: i32, needed: i32): usize {
  const to = block(needed);
  if (from !== 0) {
    memory.copy(to, from, used);
    giveBack(from, size);
  }
  return to;
}

/** Bytes that a row has in a column's words or flags. */
function width(layout: i32): i32 {
  if (layout === LONG) return 8;
  if (layout === WIDE) return 16;
  return layout === FLAG ? 1 : 0;
}

/** Makes room for `rows` rows. */
export function reserve(slot: Slot, rows: i32): void {
  if (rows <= slot.capacity) return;
  let next = max(slot.capacity * 2, 128);
  while (next > 0 && next < rows) next *= 2;
  if (next <= 0) unreachable();
  const before = slot.capacity;
  const n = slot.n;
  slot.ok = moved(slot.ok, before, n, next);
  const layout = slot.layout;
  if (layout === BYTES || layout === LIST) {
    const isNew = slot.offsets === 0;
    slot.offsets = moved(slot.offsets, (before + 1) << 2, (n + 1) << 2, (next + 1) << 2);
    if (isNew) store<i32>(slot.offsets, 0);
  } else if (layout !== STRUCT) {
    const bytes = width(layout);
    slot.data = moved(slot.data, before * bytes, n * bytes, next * bytes);
  }
  slot.capacity = next;
}

/** Makes room for `more` bytes behind those of a byte column. */
export function reserveBytes(slot: Slot, more: i32): void {
  const needed = slot.length + more + slack;
  if (needed <= slot.dataCapacity) return;
  if (needed < 0) unreachable();
  let next = max(slot.dataCapacity, 512);
  while (next > 0 && next < needed) next *= 2;
  if (next <= 0) unreachable();
  slot.data = moved(slot.data, slot.dataCapacity, slot.length, next);
  slot.dataCapacity = next;
}

/** Appends absent rows. */
export function appendNulls(slot: Slot, count: i32): void {
  const n = slot.n;
  const end = n + count;
  reserve(slot, end);
  memory.fill(slot.ok + n, 0, count);
  const layout = slot.layout;
  if (layout === BYTES || layout === LIST) {
    const value = layout === BYTES ? slot.length : slot.child.n;
    const offsets = slot.offsets;
    for (let i = n + 1; i <= end; i++) store<i32>(offsets + (i << 2), value);
  } else if (layout !== STRUCT) {
    const bytes = width(layout);
    memory.fill(slot.data + n * bytes, 0, count * bytes);
  }
  slot.nulls += count;
  slot.n = end;
}

/** Ends a present row, whose offset (of bytes and lists) is `offset`. */
export function endRow(slot: Slot, offset: i32): void {
  const n = slot.n;
  if (n === slot.capacity) reserve(slot, n + 1);
  store<u8>(slot.ok + n, 1);
  store<i32>(slot.offsets + ((n + 1) << 2), offset);
  slot.n = n + 1;
}

/** Ends a present row of a struct. */
export function endStruct(slot: Slot): void {
  const n = slot.n;
  if (n === slot.capacity) reserve(slot, n + 1);
  store<u8>(slot.ok + n, 1);
  slot.n = n + 1;
}

/** Appends an integer to longs or wides. */
export function pushLong(slot: Slot, value: i64): void {
  const n = slot.n;
  if (n === slot.capacity) reserve(slot, n + 1);
  store<u8>(slot.ok + n, 1);
  if (slot.layout === LONG) store<i64>(slot.data + (n << 3), value);
  else {
    store<i64>(slot.data + (n << 4), value);
    store<i64>(slot.data + (n << 4), value >> 63, 8);
  }
  slot.n = n + 1;
}

/** Appends bytes as one present row. */
export function pushBytes(slot: Slot, from: usize, length: i32): void {
  reserveBytes(slot, length);
  memory.copy(slot.data + slot.length, from, length);
  slot.length += length;
  endRow(slot, slot.length);
}

/** Takes rows back until `rows` are left, and what was pushed for a row that was not ended. */
export function truncate(slot: Slot, rows: i32): void {
  const n = slot.n;
  const left = min(rows, n);
  const layout = slot.layout;
  if (layout === LIST) {
    truncate(slot.child, slot.offsets === 0 ? 0 : load<i32>(slot.offsets + (left << 2)));
  } else if (layout === STRUCT) {
    for (let i = 0; i < slot.fieldCount; i++) truncate(fieldOf(slot, i), rows);
  } else if (layout === BYTES) {
    slot.length = slot.offsets === 0 ? 0 : load<i32>(slot.offsets + (left << 2));
  }
  for (let i = left; i < n; i++) if (load<u8>(slot.ok + i) === 0) slot.nulls--;
  slot.n = left;
}

/** A field of a struct. */
export function fieldOf(slot: Slot, index: i32): Slot {
  return changetype<Slot>(load<usize>(slot.fields + (index << alignof<usize>())));
}

/** Brings a column, and all below it, up to `rows` rows. */
export function settle(slot: Slot, rows: i32): void {
  if (slot.n < rows) appendNulls(slot, rows - slot.n);
  reserve(slot, 1);
  const layout = slot.layout;
  if (layout === LIST) settle(slot.child, slot.child.n);
  else if (layout === STRUCT) {
    for (let i = 0; i < slot.fieldCount; i++) settle(fieldOf(slot, i), slot.n);
  }
}

/** Takes all rows back; the room stays. */
export function clear(slot: Slot): void {
  slot.n = 0;
  slot.nulls = 0;
  slot.length = 0;
  if (slot.layout === LIST) clear(slot.child);
  else if (slot.layout === STRUCT) {
    for (let i = 0; i < slot.fieldCount; i++) clear(fieldOf(slot, i));
  }
}

/** Bytes held by a column's rows, about; as ../../columns.ts counts them. */
export function byteSize(slot: Slot): i32 {
  const n = slot.n;
  switch (slot.layout) {
    case BYTES:
      return slot.length + n * 5;
    case LONG:
      return n * 9;
    case WIDE:
      return n * 17;
    case FLAG:
      return n * 2;
    case LIST:
      return n * 5 + byteSize(slot.child);
    default: {
      let total = n;
      for (let i = 0; i < slot.fieldCount; i++) total += byteSize(fieldOf(slot, i));
      return total;
    }
  }
}
