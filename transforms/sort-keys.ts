// Keys in a form that compares byte by byte as the key compares: strings and binaries as unsigned bytes,
// numbers by value, the partition key before the sort key. Two items are the same exactly when these are equal.

import type { KeyTag } from '../schemas/attribute.js';
import type { BytesColumn } from './columns.js';
import { type Decimal, parseDecimal } from './decimals.js';

/** Bytes of one growing key. */
export class KeyWriter {
  bytes: Uint8Array = new Uint8Array(4096);
  length = 0;

  private room(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const next = new Uint8Array((this.length + more) * 2);
    next.set(this.bytes);
    this.bytes = next;
  }

  /** Appends a string or binary. All but the last part are ended: 00 becomes 00 FF, the end is 00 00. */
  bytesPart(source: Uint8Array, start: number, end: number, last: boolean): void {
    this.room((end - start) * 2 + 2);
    const to = this.bytes;
    let at = this.length;
    if (last) {
      for (let i = start; i < end; i++) to[at++] = source[i]!;
    } else {
      for (let i = start; i < end; i++) {
        const byte = source[i]!;
        to[at++] = byte;
        if (byte === 0) to[at++] = 255;
      }
      to[at++] = 0;
      to[at++] = 0;
    }
    this.length = at;
  }

  /** Appends a number: sign, magnitude, digits, each so that bytes compare as values do. It ends itself. */
  numberPart(value: Decimal): void {
    this.room(64);
    const to = this.bytes;
    let at = this.length;
    if (value.digits === '') to[at++] = 0x80;
    else {
      const flip = value.negative ? 0xff : 0;
      const magnitude = value.digits.length + value.exponent + 512;
      to[at++] = value.negative ? 0x40 : 0xc0;
      to[at++] = (magnitude >> 8) ^ flip;
      to[at++] = (magnitude & 255) ^ flip;
      for (let i = 0; i < value.digits.length; i++) to[at++] = value.digits.charCodeAt(i) ^ flip;
      to[at++] = flip;
    }
    this.length = at;
  }

  /** Appends the number written as decimal text in source[start, end). */
  numberText(text: string): void {
    const value = parseDecimal(text);
    if (value === null) throw new RangeError('not a number');
    this.numberPart(value);
  }

  /** Moves the key into a column and starts anew. */
  flush(column: BytesColumn): void {
    column.pushBytes(this.bytes, 0, this.length);
    this.length = 0;
  }
}

/** The comparable form of a key given as text per attribute (S and N as they are, B as bytes in latin1). For tests and routing tables. */
export function keyBytes(
  parts: readonly { readonly tag: KeyTag; readonly bytes: Uint8Array }[],
): Uint8Array {
  const writer = new KeyWriter();
  parts.forEach((part, i) => {
    if (part.tag === 'N') writer.numberText(Buffer.from(part.bytes).toString('latin1'));
    else writer.bytesPart(part.bytes, 0, part.bytes.length, i === parts.length - 1);
  });
  return writer.bytes.slice(0, writer.length);
}

/** Compares row a of one key column with row b of another. */
export function compareKeys(x: BytesColumn, a: number, y: BytesColumn, b: number): number {
  const xs = x.offsets[a]!;
  const ys = y.offsets[b]!;
  const xn = x.offsets[a + 1]! - xs;
  const yn = y.offsets[b + 1]! - ys;
  const n = Math.min(xn, yn);
  const xd = x.data;
  const yd = y.data;
  for (let i = 0; i < n; i++) {
    const d = xd[xs + i]! - yd[ys + i]!;
    if (d !== 0) return d;
  }
  return xn - yn;
}

/** Compares row a of a key column with a key. */
export function compareKey(x: BytesColumn, a: number, key: Uint8Array): number {
  const xs = x.offsets[a]!;
  const xn = x.offsets[a + 1]! - xs;
  const n = Math.min(xn, key.length);
  for (let i = 0; i < n; i++) {
    const d = x.data[xs + i]! - key[i]!;
    if (d !== 0) return d;
  }
  return xn - key.length;
}

/** First row in [0, n) of a sorted key column that is >= the key (or > it, with `after`). */
export function lowerBound(x: BytesColumn, key: Uint8Array, after = false, from = 0): number {
  let low = from;
  let high = x.n;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const c = compareKey(x, middle, key);
    if (c < 0 || (after && c === 0)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The order of rows by key: indices such that rows[indices[i]] ascends. Equal keys stay in row order. */
export function sortedOrder(keys: BytesColumn): Int32Array {
  const n = keys.n;
  const order = new Int32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  if (n < 2) return order;
  let sorted = true;
  for (let i = 1; i < n && sorted; i++) sorted = compareKeys(keys, i - 1, keys, i) <= 0;
  if (sorted) return order;
  sortSlice(keys, order, 0, n, -1);
  return order;
}

const sliceOfInsertion = 16;
const width = 8;

/** Sorts order[start, end), whose keys agree in their first `depth` bytes (-1: nobody has looked): radix sort on the eight bytes after the
 *  common prefix, then the same for rows that agree in those. */
function sortSlice(
  keys: BytesColumn,
  order: Int32Array,
  start: number,
  end: number,
  depth: number,
): void {
  const n = end - start;
  if (n <= sliceOfInsertion) {
    insertionSort(keys, order, start, end);
    return;
  }
  const skip = commonPrefix(keys, order, start, end, Math.max(depth, 0));
  const prefix = new Uint8Array(n * width);
  let longer = false;
  for (let i = 0; i < n; i++) {
    const row = order[start + i]!;
    const first = keys.offsets[row]! + skip;
    const last = keys.offsets[row + 1]!;
    const stop = Math.min(last, first + width);
    if (last > first + width) longer = true;
    for (let j = first, at = i * width; j < stop; j++) prefix[at++] = keys.data[j]!;
  }
  const sorted = radixSort(prefix, n);
  const rows = order.slice(start, end);
  for (let i = 0; i < n; i++) order[start + i] = rows[sorted[i]!]!;
  let first = 0;
  for (let i = 1; i <= n; i++) {
    if (i < n && samePrefix(prefix, sorted[i - 1]!, sorted[i]!)) continue;
    if (i - first > 1) {
      // Where no key is longer, only zero bytes at the ends can differ: few, and compared exactly.
      if (longer && skip === depth && (i - first) * 2 > n) {
        // No headway: keys that end here beside keys that go on with zero bytes. Compare them.
        order.subarray(start + first, start + i).sort((a, b) => compareKeys(keys, a, keys, b));
      } else if (longer) sortSlice(keys, order, start + first, start + i, skip);
      else insertionSort(keys, order, start + first, start + i);
    }
    first = i;
  }
}

/** The stable order of n records of `width` bytes. */
function radixSort(prefix: Uint8Array, n: number): Int32Array {
  let from: Int32Array = new Int32Array(n);
  for (let i = 0; i < n; i++) from[i] = i;
  let to: Int32Array = new Int32Array(n);
  const counts = new Int32Array(256);
  for (let byte = width - 1; byte >= 0; byte--) {
    counts.fill(0);
    for (let at = byte; at < n * width; at += width) counts[prefix[at]!]!++;
    if (counts[prefix[byte]!] === n) continue;
    let sum = 0;
    for (let v = 0; v < 256; v++) {
      const c = counts[v]!;
      counts[v] = sum;
      sum += c;
    }
    for (let i = 0; i < n; i++) {
      const record = from[i]!;
      to[counts[prefix[record * width + byte]!]!++] = record;
    }
    [from, to] = [to, from];
  }
  return from;
}

function insertionSort(keys: BytesColumn, order: Int32Array, start: number, end: number): void {
  for (let i = start + 1; i < end; i++) {
    const row = order[i]!;
    let at = i;
    while (at > start && compareKeys(keys, order[at - 1]!, keys, row) > 0) {
      order[at] = order[at - 1]!;
      at--;
    }
    order[at] = row;
  }
}

function samePrefix(prefix: Uint8Array, a: number, b: number): boolean {
  for (let i = 0; i < width; i++) {
    if (prefix[a * width + i] !== prefix[b * width + i]) return false;
  }
  return true;
}

/** Bytes that the keys of order[start, end) have in common, at least `depth`. */
function commonPrefix(
  keys: BytesColumn,
  order: Int32Array,
  start: number,
  end: number,
  depth: number,
): number {
  const row = order[start]!;
  const first = keys.offsets[row]!;
  let common = keys.offsets[row + 1]! - first;
  for (let i = start + 1; i < end && common > depth; i++) {
    const at = keys.offsets[order[i]!]!;
    const length = Math.min(common, keys.offsets[order[i]! + 1]! - at);
    let j = Math.min(depth, length);
    while (j < length && keys.data[at + j] === keys.data[first + j]) j++;
    common = j;
  }
  return common;
}
