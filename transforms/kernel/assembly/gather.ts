// Moves rows: values at the places that `rows` names (row numbers of 32 bits), one behind the other. Outputs are parts of
// packed rows (../../pack-rows.ts), written in ascending order and each padded to 8 bytes with zeroes: what a copy of 16
// bytes writes too far is overwritten by the next part. So 16 bytes behind the last part must belong to the caller, and
// 16 bytes behind every source must be memory.

/** Values longer than this are moved by one instruction for all of their bytes. */
const longBytes: usize = 256;

/** Ends a part: zeroes up to the next multiple of 8 (and maybe 8 more), which is returned. */
function padded(to: usize): usize {
  store<u64>(to, 0);
  return (to + 7) & ~7;
}

/** Bytes that are 1 or 0. Returns how many are 1. */
export function gatherFlags(to: usize, from: usize, rows: usize, n: i32): i32 {
  const end = rows + ((<usize>n) << 2);
  let sum = 0;
  for (; rows < end; rows += 4) {
    const flag = load<u8>(from + <usize>load<u32>(rows));
    store<u8>(to++, flag);
    sum += <i32>flag;
  }
  padded(to);
  return sum;
}

/** n bytes of one value. */
export function fillFlags(to: usize, value: i32, n: i32): void {
  memory.fill(to, <u8>value, <usize>n);
  padded(to + <usize>n);
}

/** Words of 8 bytes. */
export function gatherLongs(to: usize, from: usize, rows: usize, n: i32): void {
  const end = rows + ((<usize>n) << 2);
  for (; rows < end; rows += 4, to += 8) {
    store<u64>(to, load<u64>(from + ((<usize>load<u32>(rows)) << 3)));
  }
}

/** Words of 16 bytes. */
export function gatherWides(to: usize, from: usize, rows: usize, n: i32): void {
  const end = rows + ((<usize>n) << 2);
  for (; rows < end; rows += 4, to += 16) {
    v128.store(to, v128.load(from + ((<usize>load<u32>(rows)) << 4)));
  }
}

/** Values of any length with their offsets. `to` gets n + 1 offsets, `toData` the bytes. Returns the end of the bytes, padded. */
export function gatherBytes(
  to: usize,
  toData: usize,
  offsets: usize,
  data: usize,
  rows: usize,
  n: i32,
): usize {
  const end = rows + ((<usize>n) << 2);
  let at = toData;
  store<u32>(to, 0);
  for (; rows < end; rows += 4) {
    const place = offsets + ((<usize>load<u32>(rows)) << 2);
    const first = <usize>load<u32>(place);
    const size = <usize>load<u32>(place, 4) - first;
    const from = data + first;
    if (size <= longBytes) {
      v128.store(at, v128.load(from));
      for (let j: usize = 16; j < size; j += 16) v128.store(at + j, v128.load(from + j));
    } else memory.copy(at, from, size);
    at += size;
    to += 4;
    store<u32>(to, <u32>(at - toData));
  }
  // The padding of the offsets, which lies before the bytes.
  if (((to + 4) & 7) !== 0) store<u32>(to + 4, 0);
  return padded(at);
}

/** Offsets of lists: n + 1 of them. Returns how many elements the lists have. */
export function gatherOffsets(to: usize, offsets: usize, rows: usize, n: i32): i32 {
  const end = rows + ((<usize>n) << 2);
  let total: u32 = 0;
  store<u32>(to, 0);
  for (; rows < end; rows += 4) {
    const place = offsets + ((<usize>load<u32>(rows)) << 2);
    total += load<u32>(place, 4) - load<u32>(place);
    to += 4;
    store<u32>(to, total);
  }
  padded(to + 4);
  return <i32>total;
}

/** The numbers of the lists' elements, as many as `gatherOffsets` said. */
export function gatherElements(to: usize, offsets: usize, rows: usize, n: i32): void {
  const end = rows + ((<usize>n) << 2);
  for (; rows < end; rows += 4) {
    const place = offsets + ((<usize>load<u32>(rows)) << 2);
    const last = load<u32>(place, 4);
    for (let element = load<u32>(place); element < last; element++, to += 4) {
      store<u32>(to, element);
    }
  }
}

/** Adds to n offsets in place. */
export function shiftOffsets(offsets: usize, n: i32, shift: i32): void {
  const end = offsets + ((<usize>n) << 2);
  const lanes = i32x4.splat(shift);
  for (; offsets + 16 <= end; offsets += 16) {
    v128.store(offsets, i32x4.add(v128.load(offsets), lanes));
  }
  for (; offsets < end; offsets += 4) store<u32>(offsets, load<u32>(offsets) + <u32>shift);
}
