// Runs of bytes compared.

/** Their unsigned order: below 0, 0 or above; one before all it is the beginning of. */
export function compareBytes(a: usize, aLength: i32, b: usize, bLength: i32): i32 {
  const length = min(aLength, bLength);
  let i = 0;
  for (; i + 8 <= length; i += 8) {
    const x = load<u64>(a + i);
    const y = load<u64>(b + i);
    if (x !== y) return bswap<u64>(x) < bswap<u64>(y) ? -1 : 1;
  }
  for (; i < length; i++) {
    const d = <i32>load<u8>(a + i) - <i32>load<u8>(b + i);
    if (d !== 0) return d;
  }
  return aLength - bLength;
}
