// Column buffers: rows of one place of the schema, laid out as Arrow wants them, growing as rows are pushed.
// One class per storage; a validity byte per row (1 = present), so that rows can be taken back cheaply.
// No content ever leaves here except by the caller's explicit reading.

/** Rows that a column gets room for when the first one is pushed. Before, it holds no memory: most columns are filled
 *  with buffers that exist. */
const initialRows = 1024;
const noBytes = new Uint8Array(0);
const noWords = new Int32Array(0);
/** Of no rows: never written, since offsets are written behind the first. */
const noOffsets = new Int32Array(1);
/** Bytes beyond this are copied by a call of the engine; below it that call costs more than it saves. */
const longBytes = 256;
/** Room kept behind a column's text, so that most strings are copied while their end is looked for. */
const textRoom = 256;

/** 1 for bytes that end a run of plain text inside a JSON string: the quote, the backslash, control characters. */
export const endsText: Uint8Array = Uint8Array.from({ length: 256 }, (_, c) =>
  c < 32 || c === 34 || c === 92 ? 1 : 0,
);

/**
 * Copies bytes [start, end) of `from` to place `at` of `to`, four at a time: measured on strings of 6 to 60 bytes in
 * random order, that takes 40 % of the time of a loop over bytes.
 */
function move(to: DataView, at: number, from: DataView, start: number, end: number): void {
  const last = end - 4;
  if (last < start) {
    for (let j = start; j < end; j++) to.setUint8(at++, from.getUint8(j));
    return;
  }
  let o = at;
  for (let j = start; j < last; j += 4, o += 4) to.setInt32(o, from.getInt32(j, true), true);
  to.setInt32(at + last - start, from.getInt32(last, true), true);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Copies the values that `offsets` bounds, those of the rows named by indices[start..end), one behind the other. */
export function gatherBytes(
  to: Uint8Array,
  at: number,
  source: BytesColumn,
  indices: Int32Array,
  start: number,
  end: number,
): void {
  const { offsets, data } = source;
  const target = viewOf(to);
  const view = viewOf(data);
  for (let i = start; i < end; i++) {
    const row = indices[i]!;
    const a = offsets[row]!;
    const z = offsets[row + 1]!;
    if (z - a > longBytes) to.set(data.subarray(a, z), at);
    else move(target, at, view, a, z);
    at += z - a;
  }
}

/** How many rows are absent by their validity bytes. */
export function absentIn(ok: Uint8Array): number {
  let present = 0;
  for (let i = 0; i < ok.length; i++) present += ok[i]!;
  return ok.length - present;
}

function grown(needed: number, capacity: number): number {
  let next = Math.max(initialRows, capacity * 2);
  while (next < needed) next *= 2;
  return next;
}

/** Rows of one place. `n` rows, `nulls` of them absent. */
export abstract class Column {
  n = 0;
  nulls = 0;
  ok: Uint8Array = noBytes;

  /** Makes room for rows up to `rows`. */
  abstract reserve(rows: number): void;
  /** Takes rows back until `rows` are left. */
  abstract truncate(rows: number): void;
  /** Appends rows [start, end) of a column of the same shape. */
  abstract appendRange(source: Column, start: number, end: number): void;
  /** Appends the rows of `source` named by indices[start..end). */
  abstract take(source: Column, indices: Int32Array, start: number, end: number): void;
  /** Appends rows of several columns of the same shape: row rows[i] of sources[parts[i]]. */
  abstract takeFrom(sources: readonly Column[], parts: Uint32Array, rows: Int32Array): void;
  /** Brings children of structs up to their parents' rows, after scanning (which leaves absent fields behind). */
  settle(): void {}
  /** Appends absent rows. */
  appendNulls(count: number): void {
    this.reserve(this.n + count);
    this.n += count;
    this.nulls += count;
  }
  /** Bytes held by the rows, about. */
  abstract get byteSize(): number;
  /** Takes all rows back; the memory stays for the next ones. */
  clear(): void {
    this.ok.fill(0, 0, this.n);
    this.n = 0;
    this.nulls = 0;
  }

  protected growOk(rows: number): void {
    const next = new Uint8Array(rows);
    next.set(this.ok);
    this.ok = next;
  }
  protected dropOk(rows: number): void {
    let gone = 0;
    for (let i = rows; i < this.n; i++) {
      if (this.ok[i] === 0) gone++;
      this.ok[i] = 0;
    }
    this.nulls -= gone;
    this.n = rows;
  }
  protected copyOk(source: Column, start: number, end: number): void {
    const ok = source.ok;
    let at = this.n;
    let absent = 0;
    for (let i = start; i < end; i++) {
      const bit = ok[i]!;
      this.ok[at++] = bit;
      absent += 1 - bit;
    }
    this.nulls += absent;
    this.n = at;
  }
  protected takeOkFrom(sources: readonly Column[], parts: Uint32Array, rows: Int32Array): void {
    const oks = sources.map((source) => source.ok);
    let at = this.n;
    let absent = 0;
    for (let i = 0; i < rows.length; i++) {
      const bit = oks[parts[i]!]![rows[i]!]!;
      this.ok[at++] = bit;
      absent += 1 - bit;
    }
    this.nulls += absent;
    this.n = at;
  }
  protected takeOk(source: Column, indices: Int32Array, start: number, end: number): void {
    const ok = source.ok;
    let at = this.n;
    let absent = 0;
    for (let i = start; i < end; i++) {
      const bit = ok[indices[i]!]!;
      this.ok[at++] = bit;
      absent += 1 - bit;
    }
    this.nulls += absent;
    this.n = at;
  }
}

/** Strings (UTF-8) and binaries. */
export class BytesColumn extends Column {
  offsets: Int32Array = noOffsets;
  data: Uint8Array = noBytes;
  length = 0;
  /** The data that `view` is of. */
  private viewed: Uint8Array = this.data;
  private view: DataView = viewOf(this.data);

  reserve(rows: number): void {
    if (rows <= this.ok.length) return;
    const capacity = grown(rows, this.ok.length);
    this.growOk(capacity);
    const offsets = new Int32Array(capacity + 1);
    offsets.set(this.offsets);
    this.offsets = offsets;
  }
  /**
   * Appends the text of a block from `start` up to the next quote, and returns the quote's place. When a byte that
   * needs care comes first (see `endsText`), or the block ends, nothing is appended, and its place is returned.
   * @param view a view of all of `block`
   */
  pushText(block: Uint8Array, view: DataView, start: number): number {
    const n = this.n;
    if (n === this.ok.length) this.reserve(n + 1);
    if (this.data.length - this.length < textRoom) this.reserveData(this.length + textRoom);
    const data = this.data;
    if (this.viewed !== data) {
      this.viewed = data;
      this.view = viewOf(data);
    }
    const own = this.view;
    let at = this.length;
    let p = start;
    const wordsEnd = Math.min(block.length, start + data.length - at) - 4;
    while (p <= wordsEnd) {
      const word = view.getInt32(p, true);
      const quotes = word ^ 0x22222222;
      const slashes = word ^ 0x5c5c5c5c;
      // The high bit of a byte is set where a byte is below 0x20, 0x22 or 0x5c (and at times in one above such).
      const hits =
        ((word - 0x20202020) & ~word) |
        ((quotes - 0x01010101) & ~quotes) |
        ((slashes - 0x01010101) & ~slashes);
      if ((hits & 0x80808080) !== 0) break;
      own.setInt32(at, word, true);
      p += 4;
      at += 4;
    }
    for (;;) {
      const c = block[p]!;
      if (endsText[c] !== 0) break;
      if (at === data.length) return this.pushLongText(block, start, p);
      data[at++] = c;
      p++;
    }
    if (block[p] !== 34) return p;
    this.length = at;
    this.ok[n] = 1;
    this.offsets[n + 1] = at;
    this.n = n + 1;
    return p;
  }
  private pushLongText(block: Uint8Array, start: number, from: number): number {
    let p = from;
    while (endsText[block[p]!] === 0) p++;
    if (block[p] === 34) this.pushBytes(block, start, p);
    return p;
  }
  reserveData(bytes: number): void {
    if (bytes <= this.data.length) return;
    if (bytes > 0x7fffffff) throw new RangeError('a column of one batch holds over 2 GiB');
    const data = new Uint8Array(Math.min(grown(bytes, this.data.length), 0x7fffffff));
    data.set(this.data.subarray(0, this.length));
    this.data = data;
  }
  /** Appends source[start, end). */
  pushBytes(source: Uint8Array, start: number, end: number): void {
    const n = this.n;
    if (n === this.ok.length) this.reserve(n + 1);
    const size = end - start;
    let at = this.length;
    if (at + size > this.data.length) this.reserveData(at + size);
    const data = this.data;
    if (size > longBytes) {
      data.set(source.subarray(start, end), at);
      at += size;
    } else for (let i = start; i < end; i++) data[at++] = source[i]!;
    this.length = at;
    this.ok[n] = 1;
    this.offsets[n + 1] = at;
    this.n = n + 1;
  }
  override appendNulls(count: number): void {
    const n = this.n;
    super.appendNulls(count);
    this.offsets.fill(this.length, n + 1, n + count + 1);
  }
  truncate(rows: number): void {
    if (rows >= this.n) return;
    this.dropOk(rows);
    this.length = this.offsets[rows]!;
  }
  appendRange(source: BytesColumn, start: number, end: number): void {
    this.reserve(this.n + end - start);
    const from = source.offsets[start]!;
    const to = source.offsets[end]!;
    this.reserveData(this.length + to - from);
    this.data.set(source.data.subarray(from, to), this.length);
    const shift = this.length - from;
    const offsets = this.offsets;
    let at = this.n;
    for (let i = start; i < end; i++) offsets[++at] = source.offsets[i + 1]! + shift;
    this.length += to - from;
    this.copyOk(source, start, end);
  }
  takeFrom(sources: readonly BytesColumn[], parts: Uint32Array, rows: Int32Array): void {
    const count = rows.length;
    this.reserve(this.n + count);
    const froms = sources.map((source) => source.offsets);
    const offsets = this.offsets;
    let total = this.length;
    for (let i = 0; i < count; i++) {
      const from = froms[parts[i]!]!;
      total += from[rows[i]! + 1]! - from[rows[i]!]!;
      offsets[this.n + i + 1] = total;
    }
    this.reserveData(total);
    const views = sources.map((source) => viewOf(source.data));
    const target = viewOf(this.data);
    let at = this.length;
    for (let i = 0; i < count; i++) {
      const part = parts[i]!;
      const from = froms[part]!;
      const row = rows[i]!;
      const a = from[row]!;
      const z = from[row + 1]!;
      if (z - a > longBytes) this.data.set(sources[part]!.data.subarray(a, z), at);
      else move(target, at, views[part]!, a, z);
      at += z - a;
    }
    this.length = at;
    this.takeOkFrom(sources, parts, rows);
  }
  take(source: BytesColumn, indices: Int32Array, start: number, end: number): void {
    this.reserve(this.n + end - start);
    const from = source.offsets;
    const offsets = this.offsets;
    let total = this.length;
    let row = this.n;
    for (let i = start; i < end; i++) {
      const index = indices[i]!;
      total += from[index + 1]! - from[index]!;
      offsets[++row] = total;
    }
    this.reserveData(total);
    gatherBytes(this.data, this.length, source, indices, start, end);
    this.length = total;
    this.takeOk(source, indices, start, end);
  }
  override clear(): void {
    super.clear();
    this.length = 0;
  }
  get byteSize(): number {
    return this.length + this.n * 5;
  }
}

/** 64-bit integers as (low, high) pairs of 32 bits: long, timestamps, decimals of up to 18 digits. */
export class LongColumn extends Column {
  words: Int32Array = noWords;

  reserve(rows: number): void {
    if (rows <= this.ok.length) return;
    const capacity = grown(rows, this.ok.length);
    this.growOk(capacity);
    const words = new Int32Array(capacity * 2);
    words.set(this.words);
    this.words = words;
  }
  /** Appends an integer of magnitude below 2^53. */
  pushNumber(value: number): void {
    const n = this.n;
    if (n === this.ok.length) this.reserve(n + 1);
    this.words[n * 2] = value | 0;
    this.words[n * 2 + 1] = Math.floor(value / 4294967296) | 0;
    this.ok[n] = 1;
    this.n = n + 1;
  }
  /** Appends a 64-bit integer. */
  pushBigInt(value: bigint): void {
    const n = this.n;
    if (n === this.ok.length) this.reserve(n + 1);
    this.words[n * 2] = Number(BigInt.asIntN(32, value));
    this.words[n * 2 + 1] = Number(BigInt.asIntN(32, value >> 32n));
    this.ok[n] = 1;
    this.n = n + 1;
  }
  bigintAt(row: number): bigint {
    return (BigInt(this.words[row * 2 + 1]!) << 32n) | BigInt(this.words[row * 2]! >>> 0);
  }
  /** The value as a number when it is exact (below 2^53), else NaN. */
  numberAt(row: number): number {
    const high = this.words[row * 2 + 1]!;
    if (high > 0x1fffff || high < -0x200000) return Number.NaN;
    return high * 4294967296 + (this.words[row * 2]! >>> 0);
  }
  truncate(rows: number): void {
    if (rows < this.n) {
      this.words.fill(0, rows * 2, this.n * 2);
      this.dropOk(rows);
    }
  }
  appendRange(source: LongColumn, start: number, end: number): void {
    this.reserve(this.n + end - start);
    this.words.set(source.words.subarray(start * 2, end * 2), this.n * 2);
    this.copyOk(source, start, end);
  }
  takeFrom(sources: readonly LongColumn[], parts: Uint32Array, rows: Int32Array): void {
    this.reserve(this.n + rows.length);
    const froms = sources.map((source) => source.words);
    const words = this.words;
    let at = this.n * 2;
    for (let i = 0; i < rows.length; i++) {
      const from = froms[parts[i]!]!;
      const row = rows[i]! * 2;
      words[at++] = from[row]!;
      words[at++] = from[row + 1]!;
    }
    this.takeOkFrom(sources, parts, rows);
  }
  take(source: LongColumn, indices: Int32Array, start: number, end: number): void {
    this.reserve(this.n + end - start);
    const words = this.words;
    const from = source.words;
    let at = this.n * 2;
    for (let i = start; i < end; i++) {
      const row = indices[i]! * 2;
      words[at++] = from[row]!;
      words[at++] = from[row + 1]!;
    }
    this.takeOk(source, indices, start, end);
  }
  override clear(): void {
    this.words.fill(0, 0, this.n * 2);
    super.clear();
  }
  get byteSize(): number {
    return this.n * 9;
  }
}

/** 128-bit integers, little endian words: decimals of up to 38 digits. */
export class WideColumn extends Column {
  words: Int32Array = noWords;

  reserve(rows: number): void {
    if (rows <= this.ok.length) return;
    const capacity = grown(rows, this.ok.length);
    this.growOk(capacity);
    const words = new Int32Array(capacity * 4);
    words.set(this.words);
    this.words = words;
  }
  pushNumber(value: number): void {
    const n = this.n;
    if (n === this.ok.length) this.reserve(n + 1);
    const sign = value < 0 ? -1 : 0;
    this.words[n * 4] = value | 0;
    this.words[n * 4 + 1] = Math.floor(value / 4294967296) | 0;
    this.words[n * 4 + 2] = sign;
    this.words[n * 4 + 3] = sign;
    this.ok[n] = 1;
    this.n = n + 1;
  }
  pushBigInt(value: bigint): void {
    const n = this.n;
    if (n === this.ok.length) this.reserve(n + 1);
    for (let i = 0; i < 4; i++) {
      this.words[n * 4 + i] = Number(BigInt.asIntN(32, value >> BigInt(32 * i)));
    }
    this.ok[n] = 1;
    this.n = n + 1;
  }
  bigintAt(row: number): bigint {
    const w = this.words;
    const at = row * 4;
    return (
      (BigInt(w[at + 3]!) << 96n) |
      (BigInt(w[at + 2]! >>> 0) << 64n) |
      (BigInt(w[at + 1]! >>> 0) << 32n) |
      BigInt(w[at]! >>> 0)
    );
  }
  truncate(rows: number): void {
    if (rows < this.n) {
      this.words.fill(0, rows * 4, this.n * 4);
      this.dropOk(rows);
    }
  }
  appendRange(source: WideColumn, start: number, end: number): void {
    this.reserve(this.n + end - start);
    this.words.set(source.words.subarray(start * 4, end * 4), this.n * 4);
    this.copyOk(source, start, end);
  }
  takeFrom(sources: readonly WideColumn[], parts: Uint32Array, rows: Int32Array): void {
    this.reserve(this.n + rows.length);
    const froms = sources.map((source) => source.words);
    const words = this.words;
    let at = this.n * 4;
    for (let i = 0; i < rows.length; i++) {
      const from = froms[parts[i]!]!;
      const row = rows[i]! * 4;
      words[at++] = from[row]!;
      words[at++] = from[row + 1]!;
      words[at++] = from[row + 2]!;
      words[at++] = from[row + 3]!;
    }
    this.takeOkFrom(sources, parts, rows);
  }
  take(source: WideColumn, indices: Int32Array, start: number, end: number): void {
    this.reserve(this.n + end - start);
    const words = this.words;
    const from = source.words;
    let at = this.n * 4;
    for (let i = start; i < end; i++) {
      const row = indices[i]! * 4;
      words[at] = from[row]!;
      words[at + 1] = from[row + 1]!;
      words[at + 2] = from[row + 2]!;
      words[at + 3] = from[row + 3]!;
      at += 4;
    }
    this.takeOk(source, indices, start, end);
  }
  override clear(): void {
    this.words.fill(0, 0, this.n * 4);
    super.clear();
  }
  get byteSize(): number {
    return this.n * 17;
  }
}

/** Booleans, a byte each. */
export class FlagColumn extends Column {
  flags: Uint8Array = noBytes;

  reserve(rows: number): void {
    if (rows <= this.ok.length) return;
    const capacity = grown(rows, this.ok.length);
    this.growOk(capacity);
    const flags = new Uint8Array(capacity);
    flags.set(this.flags);
    this.flags = flags;
  }
  push(value: boolean): void {
    const n = this.n;
    if (n === this.ok.length) this.reserve(n + 1);
    this.flags[n] = value ? 1 : 0;
    this.ok[n] = 1;
    this.n = n + 1;
  }
  truncate(rows: number): void {
    if (rows < this.n) {
      this.flags.fill(0, rows, this.n);
      this.dropOk(rows);
    }
  }
  appendRange(source: FlagColumn, start: number, end: number): void {
    this.reserve(this.n + end - start);
    this.flags.set(source.flags.subarray(start, end), this.n);
    this.copyOk(source, start, end);
  }
  takeFrom(sources: readonly FlagColumn[], parts: Uint32Array, rows: Int32Array): void {
    this.reserve(this.n + rows.length);
    let at = this.n;
    for (let i = 0; i < rows.length; i++) {
      this.flags[at++] = sources[parts[i]!]!.flags[rows[i]!]!;
    }
    this.takeOkFrom(sources, parts, rows);
  }
  take(source: FlagColumn, indices: Int32Array, start: number, end: number): void {
    this.reserve(this.n + end - start);
    let at = this.n;
    for (let i = start; i < end; i++) this.flags[at++] = source.flags[indices[i]!]!;
    this.takeOk(source, indices, start, end);
  }
  override clear(): void {
    this.flags.fill(0, 0, this.n);
    super.clear();
  }
  get byteSize(): number {
    return this.n * 2;
  }
}

/** Lists; also maps, whose child is a struct of key and value. A row is closed with `end` after its elements. */
export class ListColumn<C extends Column = Column> extends Column {
  offsets: Int32Array = noOffsets;
  readonly child: C;

  constructor(child: C) {
    super();
    this.child = child;
  }
  reserve(rows: number): void {
    if (rows <= this.ok.length) return;
    const capacity = grown(rows, this.ok.length);
    this.growOk(capacity);
    const offsets = new Int32Array(capacity + 1);
    offsets.set(this.offsets);
    this.offsets = offsets;
  }
  /** Closes a present row: its elements are those pushed to the child since the last row. */
  end(): void {
    const n = this.n;
    if (n === this.ok.length) this.reserve(n + 1);
    this.ok[n] = 1;
    this.offsets[n + 1] = this.child.n;
    this.n = n + 1;
  }
  override appendNulls(count: number): void {
    const n = this.n;
    super.appendNulls(count);
    this.offsets.fill(this.child.n, n + 1, n + count + 1);
  }
  truncate(rows: number): void {
    // Elements of a row that was never closed lie beyond the last offset: take those back too.
    this.child.truncate(this.offsets[Math.min(rows, this.n)]!);
    if (rows < this.n) this.dropOk(rows);
  }
  override settle(): void {
    this.child.settle();
  }
  appendRange(source: ListColumn<C>, start: number, end: number): void {
    this.reserve(this.n + end - start);
    const from = source.offsets[start]!;
    const shift = this.child.n - from;
    let at = this.n;
    for (let i = start; i < end; i++) this.offsets[++at] = source.offsets[i + 1]! + shift;
    this.child.appendRange(source.child, from, source.offsets[end]!);
    this.copyOk(source, start, end);
  }
  takeFrom(sources: readonly ListColumn<C>[], parts: Uint32Array, rows: Int32Array): void {
    this.reserve(this.n + rows.length);
    const froms = sources.map((source) => source.offsets);
    let total = 0;
    for (let i = 0; i < rows.length; i++) {
      const from = froms[parts[i]!]!;
      total += from[rows[i]! + 1]! - from[rows[i]!]!;
      this.offsets[this.n + i + 1] = this.child.n + total;
    }
    if (total > 0) {
      const elementParts = new Uint32Array(total);
      const elements = new Int32Array(total);
      let at = 0;
      for (let i = 0; i < rows.length; i++) {
        const part = parts[i]!;
        const from = froms[part]!;
        for (let j = from[rows[i]!]!, z = from[rows[i]! + 1]!; j < z; j++) {
          elementParts[at] = part;
          elements[at++] = j;
        }
      }
      const children = sources.map((source) => source.child);
      this.child.takeFrom(children, elementParts, elements);
    }
    this.takeOkFrom(sources, parts, rows);
  }
  take(source: ListColumn<C>, indices: Int32Array, start: number, end: number): void {
    this.reserve(this.n + end - start);
    const from = source.offsets;
    let total = 0;
    let row = this.n;
    for (let i = start; i < end; i++) {
      const index = indices[i]!;
      total += from[index + 1]! - from[index]!;
      this.offsets[++row] = this.child.n + total;
    }
    const elements = new Int32Array(total);
    let at = 0;
    for (let i = start; i < end; i++) {
      const index = indices[i]!;
      for (let j = from[index]!, z = from[index + 1]!; j < z; j++) elements[at++] = j;
    }
    this.child.take(source.child, elements, 0, total);
    this.takeOk(source, indices, start, end);
  }
  override clear(): void {
    super.clear();
    this.child.clear();
  }
  get byteSize(): number {
    return this.n * 5 + this.child.byteSize;
  }
}

/** Structs. While scanning, a child may lag behind (absent fields); `settle` brings all up to date. */
export class StructColumn extends Column {
  readonly children: Column[];

  constructor(children: Column[]) {
    super();
    this.children = children;
  }
  reserve(rows: number): void {
    if (rows <= this.ok.length) return;
    this.growOk(grown(rows, this.ok.length));
  }
  /** Closes a present row: children that were not pushed are absent in it. */
  end(): void {
    const n = this.n;
    if (n === this.ok.length) this.reserve(n + 1);
    this.ok[n] = 1;
    this.n = n + 1;
  }
  truncate(rows: number): void {
    for (const child of this.children) child.truncate(rows);
    if (rows < this.n) this.dropOk(rows);
  }
  override settle(): void {
    for (const child of this.children) {
      if (child.n < this.n) child.appendNulls(this.n - child.n);
      child.settle();
    }
  }
  appendRange(source: StructColumn, start: number, end: number): void {
    this.reserve(this.n + end - start);
    this.align();
    for (let i = 0; i < this.children.length; i++) {
      this.children[i]!.appendRange(source.children[i]!, start, end);
    }
    this.copyOk(source, start, end);
  }
  private align(): void {
    for (const child of this.children) {
      if (child.n < this.n) child.appendNulls(this.n - child.n);
    }
  }
  takeFrom(sources: readonly StructColumn[], parts: Uint32Array, rows: Int32Array): void {
    this.reserve(this.n + rows.length);
    this.align();
    for (let i = 0; i < this.children.length; i++) {
      const own = sources.map((source) => source.children[i]!);
      this.children[i]!.takeFrom(own, parts, rows);
    }
    this.takeOkFrom(sources, parts, rows);
  }
  take(source: StructColumn, indices: Int32Array, start: number, end: number): void {
    this.reserve(this.n + end - start);
    this.align();
    for (let i = 0; i < this.children.length; i++) {
      this.children[i]!.take(source.children[i]!, indices, start, end);
    }
    this.takeOk(source, indices, start, end);
  }
  override clear(): void {
    super.clear();
    for (const child of this.children) child.clear();
  }
  get byteSize(): number {
    let total = this.n;
    for (const child of this.children) total += child.byteSize;
    return total;
  }
}
