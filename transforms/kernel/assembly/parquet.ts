// Columns to the inside of Parquet pages: which values a leaf of the schema has and on which levels, and their encodings.
// Spec: apache/parquet-format, README.md ("Nested Encoding") and Encodings.md (PLAIN, RLE/bit-packing hybrid,
// RLE_DICTIONARY). How records are taken apart: Melnik et al., "Dremel", 2010.
//
// On the way down to a leaf there is a list of entries, one for each value or for the place where one is missing: a byte for
// its definition level, one for its repetition level, and the row of the column that it stands in (-1: missing above).

import { compareBytes } from './bytes';

/** Begins with the rows of a top-level column from `start` on. */
export function beginEntries(count: i32, start: i32, def: usize, rep: usize, rows: usize): void {
  memory.fill(def, 0, count);
  memory.fill(rep, 0, count);
  for (let i = 0; i < count; i++) store<i32>(rows + (i << 2), start + i);
}

/** An optional column: what is present goes one level down. `ok` is 0 when all are. */
export function enterOptional(count: i32, def: usize, rows: usize, ok: usize): void {
  for (let i = 0; i < count; i++) {
    const row = load<i32>(rows + (i << 2));
    if (row < 0) continue;
    if (ok === 0 || load<u8>(ok + row) !== 0) store<u8>(def + i, load<u8>(def + i) + 1);
    else store<i32>(rows + (i << 2), -1);
  }
}

/** How many entries the elements of lists make. */
export function countElements(count: i32, rows: usize, offsets: usize): i32 {
  let total = 0;
  for (let i = 0; i < count; i++) {
    const row = load<i32>(rows + (i << 2));
    if (row < 0) total++;
    else {
      const length = load<i32>(offsets + (row << 2), 4) - load<i32>(offsets + (row << 2));
      total += max(length, 1);
    }
  }
  return total;
}

/** From lists to their elements, whose repetition level is `level` but for the first of each list. */
export function enterElements(
  count: i32,
  def: usize,
  rep: usize,
  rows: usize,
  offsets: usize,
  level: u8,
  toDef: usize,
  toRep: usize,
  toRows: usize,
): void {
  let at = 0;
  for (let i = 0; i < count; i++) {
    const row = load<i32>(rows + (i << 2));
    const d = load<u8>(def + i);
    const start = row < 0 ? 0 : load<i32>(offsets + (row << 2));
    const end = row < 0 ? 0 : load<i32>(offsets + (row << 2), 4);
    store<u8>(toRep + at, load<u8>(rep + i));
    if (start === end) {
      store<u8>(toDef + at, d);
      store<i32>(toRows + (at << 2), -1);
      at++;
      continue;
    }
    for (let element = start; element < end; element++) {
      if (element > start) store<u8>(toRep + at, level);
      store<u8>(toDef + at, d + 1);
      store<i32>(toRows + (at << 2), element);
      at++;
    }
  }
}

/** Packs the rows of values that are there. Returns how many there are. */
export function presentRows(count: i32, rows: usize, to: usize): i32 {
  let at = 0;
  for (let i = 0; i < count; i++) {
    const row = load<i32>(rows + (i << 2));
    store<i32>(to + (at << 2), row);
    at += row >= 0 ? 1 : 0;
  }
  return at;
}

/** Entries from `start` on that make up at least `wanted`, up to the beginning of a record. Returns their end. */
export function pageEnd(start: i32, wanted: i32, count: i32, rep: usize): i32 {
  let end = min(start + wanted, count);
  while (end < count && load<u8>(rep + end) !== 0) end++;
  return end;
}

/** The same for byte values: a page ends behind the value with which it has `bytesMax`, or `entriesMax` entries. */
export function bytesPageEnd(
  start: i32,
  entriesMax: i32,
  bytesMax: i32,
  count: i32,
  rep: usize,
  rows: usize,
  offsets: usize,
): i32 {
  const last = min(start + entriesMax, count);
  let end = start;
  let bytes: i64 = 0;
  while (end < last && bytes < bytesMax) {
    const row = load<i32>(rows + (end << 2));
    if (row >= 0) {
      bytes += 4 + load<i32>(offsets + (row << 2), 4) - load<i32>(offsets + (row << 2));
    }
    end++;
  }
  while (end < count && load<u8>(rep + end) !== 0) end++;
  return end;
}

/** How many of the entries [start, end) have a value. */
export function valuesIn(start: i32, end: i32, def: usize, level: u8): i32 {
  let total = 0;
  for (let i = start; i < end; i++) total += load<u8>(def + i) === level ? 1 : 0;
  return total;
}

// ---- RLE/bit-packing hybrid

function levelAt(values: usize, index: i32, isWide: bool): u32 {
  return isWide ? load<u32>(values + (index << 2)) : <u32>load<u8>(values + index);
}

function varint(value: u32, to: usize): usize {
  let rest = value;
  let at = to;
  while (rest >= 128) {
    store<u8>(at++, <u8>((rest & 127) | 128));
    rest >>= 7;
  }
  store<u8>(at++, <u8>rest);
  return at;
}

/** Whether the eight values from `index` on are equal. */
function areEqual(values: usize, index: i32, isWide: bool): bool {
  if (!isWide) {
    const eight = load<u64>(values + index);
    return eight === (eight & 0xff) * 0x0101010101010101;
  }
  const first = load<u32>(values + (index << 2));
  for (let i = 1; i < 8; i++) if (load<u32>(values + ((index + i) << 2)) !== first) return false;
  return true;
}

/** Most bytes that values may take: as many as if all were packed, and what runs and the last eight cost beside. */
export function hybridBytesMax(count: i32, width: i32): i32 {
  return (((count + 7) >> 3) + 1) * (width + 6) + 16;
}

/**
 * Encodes values [start, end) of `width` bits: bytes, or 32-bit words when `isWide`. Returns the end of what was written.
 * Eight bytes behind the values must be readable.
 */
export function hybrid(
  values: usize,
  start: i32,
  end: i32,
  width: i32,
  isWide: bool,
  to: usize,
): usize {
  const valueBytes = (width + 7) >> 3;
  let at = to;
  let i = start;
  while (i < end) {
    const first = levelAt(values, i, isWide);
    let stop = i;
    if (i + 8 <= end && areEqual(values, i, isWide)) {
      stop = i + 8;
      if (!isWide) {
        const eight = <u64>first * 0x0101010101010101;
        while (stop + 8 <= end && load<u64>(values + stop) === eight) stop += 8;
      }
      while (stop < end && levelAt(values, stop, isWide) === first) stop++;
    } else if (i + 8 > end) {
      // What is left is less than eight: a run if it is one, else packed and filled up with zeros.
      stop = i + 1;
      while (stop < end && levelAt(values, stop, isWide) === first) stop++;
      if (stop < end) stop = i;
    }
    if (stop > i) {
      at = varint((<u32>(stop - i)) << 1, at);
      for (let b = 0; b < valueBytes; b++) store<u8>(at++, <u8>(first >> (b << 3)));
      i = stop;
      continue;
    }
    // Groups of eight, until eight equal ones come.
    let groups = 1;
    let next = i + 8;
    while (next < end && groups < 4096 && !(next + 8 <= end && areEqual(values, next, isWide))) {
      groups++;
      next += 8;
    }
    at = varint(((<u32>groups) << 1) | 1, at);
    for (let group = 0; group < groups; group++) {
      let bits: u64 = 0;
      let used = 0;
      for (let k = 0; k < 8; k++) {
        const index = i + (group << 3) + k;
        const value: u64 = index < end ? <u64>levelAt(values, index, isWide) : 0;
        bits |= value << used;
        used += width;
        while (used >= 8) {
          store<u8>(at++, <u8>bits);
          bits >>= 8;
          used -= 8;
        }
      }
    }
    i = min(next, end);
  }
  return at;
}

// ---- PLAIN: values of the rows that are named

export function plainBytesSize(count: i32, rows: usize, offsets: usize): i32 {
  let total = count << 2;
  for (let i = 0; i < count; i++) {
    const row = load<i32>(rows + (i << 2));
    total += load<i32>(offsets + (row << 2), 4) - load<i32>(offsets + (row << 2));
  }
  return total;
}

/** Returns the end. Sixteen bytes behind it may be written to, and sixteen behind the data are read. */
export function plainBytes(count: i32, rows: usize, offsets: usize, data: usize, to: usize): usize {
  let at = to;
  for (let i = 0; i < count; i++) {
    const row = load<i32>(rows + (i << 2));
    const start = load<i32>(offsets + (row << 2));
    const length = load<i32>(offsets + (row << 2), 4) - start;
    store<u32>(at, <u32>length);
    at += 4;
    const from = data + start;
    if (length <= 32) {
      v128.store(at, v128.load(from));
      if (length > 16) v128.store(at + 16, v128.load(from + 16));
    } else memory.copy(at, from, length);
    at += length;
  }
  return at;
}

export function plainLongs(count: i32, rows: usize, data: usize, to: usize): usize {
  for (let i = 0; i < count; i++) {
    const row = load<i32>(rows + (i << 2));
    store<u64>(to + (i << 3), load<u64>(data + (row << 3)));
  }
  return to + (count << 3);
}

/** 128-bit integers, big endian, as decimals of fixed length are. */
export function plainWides(count: i32, rows: usize, data: usize, to: usize): usize {
  for (let i = 0; i < count; i++) {
    const row = load<i32>(rows + (i << 2));
    store<u64>(to + (i << 4), bswap<u64>(load<u64>(data + (row << 4), 8)));
    store<u64>(to + (i << 4), bswap<u64>(load<u64>(data + (row << 4))), 8);
  }
  return to + (count << 4);
}

/** A bit each, the lowest first. */
export function plainFlags(count: i32, rows: usize, data: usize, to: usize): usize {
  const bytes = (count + 7) >> 3;
  memory.fill(to, 0, bytes);
  for (let i = 0; i < count; i++) {
    const row = load<i32>(rows + (i << 2));
    const place = to + (i >> 3);
    store<u8>(place, load<u8>(place) | ((<u8>(load<u8>(data + row) !== 0)) << (<u8>(i & 7))));
  }
  return to + bytes;
}

// ---- dictionaries

function hashBytes(at: usize, length: i32): u32 {
  let hash: u64 = 0x9e3779b97f4a7c15 ^ <u64>length;
  let i = 0;
  for (; i + 8 <= length; i += 8) {
    hash = (hash ^ load<u64>(at + i)) * 0xff51afd7ed558ccd;
    hash ^= hash >> 32;
  }
  if (i < length) {
    const rest = load<u64>(at + i) & (((<u64>1) << ((<u64>(length - i)) << 3)) - 1);
    hash = (hash ^ rest) * 0xff51afd7ed558ccd;
    hash ^= hash >> 32;
  }
  return <u32>(hash ^ (hash >> 29));
}

function isEqual(a: usize, b: usize, length: i32): bool {
  let i = 0;
  for (; i + 8 <= length; i += 8) if (load<u64>(a + i) !== load<u64>(b + i)) return false;
  for (; i < length; i++) if (load<u8>(a + i) !== load<u8>(b + i)) return false;
  return true;
}

/**
 * Numbers the distinct values. `indices` gets the number of each value, `entries` the row of each distinct one.
 * `buckets` is a power of two of 32-bit words. Returns how many distinct values there are; -1: their bytes are over
 * `bytesMax`, or they are too many for the buckets.
 */
export function numberBytes(
  count: i32,
  rows: usize,
  offsets: usize,
  data: usize,
  indices: usize,
  entries: usize,
  buckets: usize,
  bucketCount: i32,
  bytesMax: i32,
): i32 {
  memory.fill(buckets, 0, (<usize>bucketCount) << 2);
  const mask = <u32>(bucketCount - 1);
  let distinct = 0;
  let bytes = 0;
  for (let i = 0; i < count; i++) {
    const row = load<i32>(rows + (i << 2));
    const start = load<i32>(offsets + (row << 2));
    const length = load<i32>(offsets + (row << 2), 4) - start;
    let bucket = hashBytes(data + start, length) & mask;
    let number: i32 = -1;
    for (;;) {
      const found = load<i32>(buckets + (bucket << 2)) - 1;
      if (found < 0) break;
      const other = load<i32>(entries + (found << 2));
      const otherStart = load<i32>(offsets + (other << 2));
      const otherLength = load<i32>(offsets + (other << 2), 4) - otherStart;
      if (otherLength === length && isEqual(data + start, data + otherStart, length)) {
        number = found;
        break;
      }
      bucket = (bucket + 1) & mask;
    }
    if (number < 0) {
      bytes += length + 4;
      if (bytes > bytesMax || distinct << 1 >= bucketCount) return -1;
      number = distinct++;
      store<i32>(entries + (number << 2), row);
      store<i32>(buckets + (bucket << 2), number + 1);
    }
    store<i32>(indices + (i << 2), number);
  }
  return distinct;
}

/** The same for 64-bit integers. */
export function numberLongs(
  count: i32,
  rows: usize,
  data: usize,
  indices: usize,
  entries: usize,
  buckets: usize,
  bucketCount: i32,
  bytesMax: i32,
): i32 {
  memory.fill(buckets, 0, (<usize>bucketCount) << 2);
  const mask = <u32>(bucketCount - 1);
  let distinct = 0;
  for (let i = 0; i < count; i++) {
    const row = load<i32>(rows + (i << 2));
    const value = load<u64>(data + (row << 3));
    const mixed = (value ^ (value >> 32)) * 0x9e3779b97f4a7c15;
    let bucket = <u32>(mixed >> 40) & mask;
    let number: i32 = -1;
    for (;;) {
      const found = load<i32>(buckets + (bucket << 2)) - 1;
      if (found < 0) break;
      if (load<u64>(data + (load<i32>(entries + (found << 2)) << 3)) === value) {
        number = found;
        break;
      }
      bucket = (bucket + 1) & mask;
    }
    if (number < 0) {
      if ((distinct + 1) << 3 > bytesMax || distinct << 1 >= bucketCount) return -1;
      number = distinct++;
      store<i32>(entries + (number << 2), row);
      store<i32>(buckets + (bucket << 2), number + 1);
    }
    store<i32>(indices + (i << 2), number);
  }
  return distinct;
}

// ---- bounds: the rows of the least and the greatest value

let greatest: i32 = 0;

/** Row of the greatest value, after one of the functions below. */
export function greatestRow(): i32 {
  return greatest;
}

/** Of at least one value, in the unsigned order of bytes. */
export function leastBytes(count: i32, rows: usize, offsets: usize, data: usize): i32 {
  let low = load<i32>(rows);
  let high = low;
  for (let i = 1; i < count; i++) {
    const row = load<i32>(rows + (i << 2));
    const start = load<i32>(offsets + (row << 2));
    const length = load<i32>(offsets + (row << 2), 4) - start;
    const lowStart = load<i32>(offsets + (low << 2));
    const lowLength = load<i32>(offsets + (low << 2), 4) - lowStart;
    if (compareBytes(data + start, length, data + lowStart, lowLength) < 0) low = row;
    else {
      const highStart = load<i32>(offsets + (high << 2));
      const highLength = load<i32>(offsets + (high << 2), 4) - highStart;
      if (compareBytes(data + start, length, data + highStart, highLength) > 0) high = row;
    }
  }
  greatest = high;
  return low;
}

export function leastLong(count: i32, rows: usize, data: usize): i32 {
  let low = load<i32>(rows);
  let high = low;
  for (let i = 1; i < count; i++) {
    const row = load<i32>(rows + (i << 2));
    const value = load<i64>(data + (row << 3));
    if (value < load<i64>(data + (low << 3))) low = row;
    else if (value > load<i64>(data + (high << 3))) high = row;
  }
  greatest = high;
  return low;
}

function isWideBelow(a: usize, b: usize): bool {
  const x = load<i64>(a, 8);
  const y = load<i64>(b, 8);
  return x < y || (x === y && load<u64>(a) < load<u64>(b));
}

export function leastWide(count: i32, rows: usize, data: usize): i32 {
  let low = load<i32>(rows);
  let high = low;
  for (let i = 1; i < count; i++) {
    const row = load<i32>(rows + (i << 2));
    if (isWideBelow(data + (row << 4), data + (low << 4))) low = row;
    else if (isWideBelow(data + (high << 4), data + (row << 4))) high = row;
  }
  greatest = high;
  return low;
}

export function leastFlag(count: i32, rows: usize, data: usize): i32 {
  let low = load<i32>(rows);
  let high = low;
  for (let i = 1; i < count; i++) {
    const row = load<i32>(rows + (i << 2));
    if (load<u8>(data + row) < load<u8>(data + low)) low = row;
    else if (load<u8>(data + row) > load<u8>(data + high)) high = row;
  }
  greatest = high;
  return low;
}
