// The inside of data pages of flat columns back to values: what the functions of parquet.ts wrote. Every position is checked
// against the page's end: 0 says that the page is not what its header says.
// Spec: apache/parquet-format, Encodings.md (PLAIN, RLE/bit-packing hybrid, RLE_DICTIONARY).

/** Reads `count` values of `width` bits as words of 32 bits. Returns where they end; 0: they are damaged. */
export function readHybrid(from: usize, end: usize, width: i32, count: i32, to: usize): usize {
  if (width < 0 || width > 24) return 0;
  const valueBytes = (width + 7) >> 3;
  let at = from;
  let done = 0;
  while (done < count) {
    let header: u32 = 0;
    let shift = 0;
    let byte: u32 = 128;
    while (byte >= 128) {
      if (at >= end || shift > 28) return 0;
      byte = load<u8>(at++);
      header |= (byte & 127) << shift;
      shift += 7;
    }
    if ((header & 1) === 0) {
      const run = <i32>(header >> 1);
      if (run <= 0 || at + valueBytes > end) return 0;
      let value: u32 = 0;
      for (let b = 0; b < valueBytes; b++) value |= (<u32>load<u8>(at++)) << (b << 3);
      const stop = min(run, count - done);
      for (let i = 0; i < stop; i++) store<u32>(to + ((done + i) << 2), value);
      done += stop;
    } else {
      const groups = <i32>(header >> 1);
      if (groups <= 0 || groups > 1 << 24 || at + groups * width > end) return 0;
      const mask = ((<u64>1) << width) - 1;
      const stop = min(groups << 3, count - done);
      let bits: u64 = 0;
      let held = 0;
      let next = at;
      for (let i = 0; i < stop; i++) {
        while (held < width) {
          bits |= (<u64>load<u8>(next++)) << held;
          held += 8;
        }
        store<u32>(to + ((done + i) << 2), <u32>(bits & mask));
        bits >>= width;
        held -= width;
      }
      at += groups * width;
      done += stop;
    }
  }
  return at;
}

/** Finds plainly written byte values: their places and lengths. Returns where they end; 0: they are damaged. */
export function findBytes(
  from: usize,
  end: usize,
  count: i32,
  places: usize,
  lengths: usize,
): usize {
  let at = from;
  for (let i = 0; i < count; i++) {
    if (at + 4 > end) return 0;
    const length = load<u32>(at);
    at += 4;
    if (length > <u32>(end - at)) return 0;
    store<u32>(places + (i << 2), <u32>at);
    store<u32>(lengths + (i << 2), length);
    at += length;
  }
  return at;
}

/** How many of `count` levels are 1, which is where values are; -1: one is above. */
export function countPresent(levels: usize, count: i32): i32 {
  let total = 0;
  for (let i = 0; i < count; i++) {
    const level = load<u32>(levels + (i << 2));
    if (level > 1) return -1;
    total += level;
  }
  return total;
}

/** Whether all numbers are below `size`. */
export function areBelow(numbers: usize, count: i32, size: u32): bool {
  for (let i = 0; i < count; i++) if (load<u32>(numbers + (i << 2)) >= size) return false;
  return true;
}

/** Bytes of the values that `numbers` name (0: all, in order). */
export function bytesNamed(lengths: usize, numbers: usize, count: i32): i64 {
  let total: i64 = 0;
  for (let i = 0; i < count; i++) {
    const value = numbers === 0 ? i : load<i32>(numbers + (i << 2));
    total += load<u32>(lengths + (value << 2));
  }
  return total;
}

/**
 * Fills rows of a byte column: validity, offsets behind `length` and bytes. `levels` is 0 when all rows have a value.
 * Returns the column's length.
 */
export function fillBytes(
  count: i32,
  levels: usize,
  places: usize,
  lengths: usize,
  numbers: usize,
  ok: usize,
  offsets: usize,
  data: usize,
  length: i32,
): i32 {
  let at = length;
  let next = 0;
  for (let row = 0; row < count; row++) {
    const isThere = levels === 0 || load<u32>(levels + (row << 2)) === 1;
    store<u8>(ok + row, isThere ? 1 : 0);
    if (isThere) {
      const value = numbers === 0 ? next : load<i32>(numbers + (next << 2));
      next++;
      const bytes = load<i32>(lengths + (value << 2));
      memory.copy(data + at, load<u32>(places + (value << 2)), bytes);
      at += bytes;
    }
    store<i32>(offsets + ((row + 1) << 2), at);
  }
  return at;
}

/** Fills rows of 64-bit values, which lie at `values` as they are numbered (numbers 0: in order). */
export function fillLongs(
  count: i32,
  levels: usize,
  values: usize,
  numbers: usize,
  ok: usize,
  words: usize,
): void {
  let next = 0;
  for (let row = 0; row < count; row++) {
    const isThere = levels === 0 || load<u32>(levels + (row << 2)) === 1;
    store<u8>(ok + row, isThere ? 1 : 0);
    let word: u64 = 0;
    if (isThere) {
      const value = numbers === 0 ? next : load<i32>(numbers + (next << 2));
      next++;
      word = load<u64>(values + (value << 3));
    }
    store<u64>(words + (row << 3), word);
  }
}
