// Sorts comparable keys (../../sort-keys.ts): the stable order of their bytes, unsigned, a key before all it is the
// beginning of. Radix sort on eight bytes after the common prefix, then the same for keys that agree in those. Work is
// bounded by the bytes of all keys. 8 bytes behind the keys must be memory.

import { alloc, mark, release } from './memory';

/** Up to so many keys are sorted by insertion. */
const fewKeys = 24;
/** A record: eight bytes of a key as a number, its row, and how many bytes are left there (9: more than eight). */
const recordBytes: usize = 16;

let offsets: usize = 0;
let data: usize = 0;
let order: usize = 0;
let records: usize = 0;
let others: usize = 0;
/** A byte for each place of `order`: 1 when its key agrees with the one before as far as it was looked at. */
let ties: usize = 0;
/** How often each digit has each value: 9 digits, 256 values. */
let counts: usize = 0;

function startOf(row: u32): usize {
  return data + <usize>load<u32>(offsets + ((<usize>row) << 2));
}

function endOf(row: u32): usize {
  return data + <usize>load<u32>(offsets + ((<usize>row) << 2), 4);
}

function rowAt(place: i32): u32 {
  return load<u32>(order + ((<usize>place) << 2));
}

/** How many bytes two runs of at most n bytes have in common. */
function agreeing(a: usize, b: usize, n: usize): usize {
  for (let i: usize = 0; i < n; i += 8) {
    const differing = load<u64>(a + i) ^ load<u64>(b + i);
    if (differing !== 0) return min(n, i + <usize>(ctz(differing) >> 3));
  }
  return n;
}

/** Below, at or above 0, as one key is before, equal to or after another. They agree in `depth` bytes. */
function compare(x: u32, y: u32, depth: usize): i32 {
  const a = startOf(x) + depth;
  const b = startOf(y) + depth;
  const sizeA = endOf(x) - a;
  const sizeB = endOf(y) - b;
  const n = min(sizeA, sizeB);
  const same = agreeing(a, b, n);
  if (same < n) return <i32>load<u8>(a + same) - <i32>load<u8>(b + same);
  return <i32>sizeA - <i32>sizeB;
}

/** The order of n keys: `to` gets their row numbers. */
export function sortKeys(to: usize, keyOffsets: usize, keyData: usize, n: i32): void {
  offsets = keyOffsets;
  data = keyData;
  order = to;
  let isSorted = true;
  for (let row = 0; row < n; row++) {
    store<u32>(to + ((<usize>row) << 2), row);
    if (row > 0 && isSorted) isSorted = compare(row - 1, row, 0) <= 0;
  }
  if (isSorted) return;
  const place = mark();
  records = alloc(<usize>n * recordBytes);
  others = alloc(<usize>n * recordBytes);
  ties = alloc(<usize>n);
  counts = alloc(9 * 256 * 4);
  sortSlice(0, n, 0);
  release(place);
}

/** The first place of an order, after the first, whose key equals the one before; -1: there is none. */
export function findTwin(sorted: usize, keyOffsets: usize, keyData: usize, n: i32): i32 {
  offsets = keyOffsets;
  data = keyData;
  order = sorted;
  for (let i = 1; i < n; i++) if (compare(rowAt(i - 1), rowAt(i), 0) === 0) return i;
  return -1;
}

/** Sorts the keys at [start, end) of the order, which agree in `depth` bytes. */
function sortSlice(start: i32, end: i32, depth: usize): void {
  if (end - start <= fewKeys) {
    sortFew(start, end, depth);
    return;
  }
  const skip = commonPrefix(start, end, depth);
  makeRecords(start, end, skip);
  sortRecords(end - start);
  takeOrder(start, end);
  let first = start;
  while (first < end) {
    let next = first + 1;
    while (next < end && load<u8>(ties + <usize>next) !== 0) next++;
    if (next - first > 1) sortSlice(first, next, skip + 8);
    first = next;
  }
}

function sortFew(start: i32, end: i32, depth: usize): void {
  for (let i = start + 1; i < end; i++) {
    const row = rowAt(i);
    let at = i;
    while (at > start) {
      const before = rowAt(at - 1);
      if (compare(before, row, depth) <= 0) break;
      store<u32>(order + ((<usize>at) << 2), before);
      at--;
    }
    store<u32>(order + ((<usize>at) << 2), row);
  }
}

/** Bytes that the keys at [start, end) have in common, at least `depth`. */
function commonPrefix(start: i32, end: i32, depth: usize): usize {
  const row = rowAt(start);
  const first = startOf(row) + depth;
  let common = endOf(row) - first;
  for (let i = start + 1; i < end && common > 0; i++) {
    const other = rowAt(i);
    const at = startOf(other) + depth;
    common = agreeing(first, at, min(common, endOf(other) - at));
  }
  return depth + common;
}

function makeRecords(start: i32, end: i32, skip: usize): void {
  memory.fill(counts, 0, 9 * 256 * 4);
  let record = records;
  for (let i = start; i < end; i++, record += recordBytes) {
    const row = rowAt(i);
    const at = startOf(row) + skip;
    const left = min<usize>(endOf(row) - at, 9);
    let word = bswap(load<u64>(at));
    // Bytes behind the key's end count as zeroes; where that makes keys equal, the shorter one is first.
    if (left < 8) word = left === 0 ? 0 : word & (~(<u64>0) << (64 - ((<u64>left) << 3)));
    store<u64>(record, word);
    store<u32>(record, row, 8);
    store<u32>(record, <u32>left, 12);
    count(0, left);
    for (let digit = 1; digit <= 8; digit++) {
      count(digit, <usize>(word & 255));
      word >>= 8;
    }
  }
}

function count(digit: i32, value: usize): void {
  const at = counts + ((<usize>digit) << 10) + (value << 2);
  store<u32>(at, load<u32>(at) + 1);
}

/** Sorts n records by the bytes that are left, then by the word's bytes, the last one first. */
function sortRecords(n: i32): void {
  for (let digit = 0; digit < 9; digit++) {
    const table = counts + ((<usize>digit) << 10);
    const byte: usize = digit === 0 ? 12 : <usize>(digit - 1);
    if (load<u32>(table + ((<usize>load<u8>(records + byte)) << 2)) === <u32>n) continue;
    let sum: u32 = 0;
    for (let at = table; at < table + 1024; at += 4) {
      const own = load<u32>(at);
      store<u32>(at, sum);
      sum += own;
    }
    const last = records + <usize>n * recordBytes;
    for (let record = records; record < last; record += recordBytes) {
      const at = table + ((<usize>load<u8>(record + byte)) << 2);
      const place = load<u32>(at);
      store<u32>(at, place + 1);
      v128.store(others + ((<usize>place) << 4), v128.load(record));
    }
    const sorted = others;
    others = records;
    records = sorted;
  }
}

function takeOrder(start: i32, end: i32): void {
  let record = records;
  for (let i = start; i < end; i++, record += recordBytes) {
    store<u32>(order + ((<usize>i) << 2), load<u32>(record, 8));
    const left = load<u32>(record, 12);
    const isTie =
      i > start &&
      left === 9 &&
      load<u64>(record) === load<u64>(record - recordBytes) &&
      load<u32>(record - recordBytes, 12) === 9;
    store<u8>(ties + <usize>i, isTie ? 1 : 0);
  }
}
