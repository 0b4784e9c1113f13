// Keys in a form that compares byte by byte as the key compares: strings and binaries as unsigned bytes,
// numbers by value, the partition key before the sort key. Two items are the same exactly when these are equal.

import type { KeyTag } from '../schemas/attribute.js';
import { BytesColumn } from './columns.js';
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
export function keyBytes(parts: readonly { readonly tag: KeyTag; readonly bytes: Uint8Array }[]): Uint8Array {
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
  const n = xn < yn ? xn : yn;
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
  const skip = commonPrefix(keys);
  // Radix sort on the eight bytes after the common prefix, then exact comparison where those are equal.
  const width = 8;
  const prefix = new Uint8Array(n * width);
  for (let i = 0; i < n; i++) {
    const start = keys.offsets[i]! + skip;
    const end = Math.min(keys.offsets[i + 1]!, start + width);
    for (let j = start, at = i * width; j < end; j++) prefix[at++] = keys.data[j]!;
  }
  let from: Int32Array = order;
  let to: Int32Array = new Int32Array(n);
  const counts = new Int32Array(256);
  for (let byte = width - 1; byte >= 0; byte--) {
    counts.fill(0);
    for (let i = 0; i < n; i++) counts[prefix[i * width + byte]!]!++;
    if (counts[prefix[byte]!] === n) continue;
    let sum = 0;
    for (let v = 0; v < 256; v++) {
      const c = counts[v]!;
      counts[v] = sum;
      sum += c;
    }
    for (let i = 0; i < n; i++) {
      const row = from[i]!;
      to[counts[prefix[row * width + byte]!]!++] = row;
    }
    [from, to] = [to, from];
  }
  let start = 0;
  for (let i = 1; i <= n; i++) {
    if (i < n && samePrefix(prefix, from[i - 1]!, from[i]!, width)) continue;
    if (i - start > 1) {
      from.subarray(start, i).sort((a, b) => compareKeys(keys, a, keys, b) || a - b);
    }
    start = i;
  }
  return from;
}

function samePrefix(prefix: Uint8Array, a: number, b: number, width: number): boolean {
  for (let i = 0; i < width; i++) {
    if (prefix[a * width + i] !== prefix[b * width + i]) return false;
  }
  return true;
}

function commonPrefix(keys: BytesColumn): number {
  const first = keys.offsets[0]!;
  let common = keys.offsets[1]! - first;
  for (let i = 1; i < keys.n && common > 0; i++) {
    const start = keys.offsets[i]!;
    const length = Math.min(common, keys.offsets[i + 1]! - start);
    let j = 0;
    while (j < length && keys.data[start + j] === keys.data[first + j]) j++;
    common = j;
  }
  return common;
}
