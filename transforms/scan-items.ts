// The hot path: bytes of DynamoDB JSON lines straight into column buffers, no object per item.
// Every byte is checked: what is not exactly a DynamoDB item or change record is refused. Blocks are valid UTF-8 and
// end at line ends (pipeline/export sees to that). What fits no column is kept exact in `misfits`, and counted.
// Source of the record shapes: DynamoDB Developer Guide, "DynamoDB table exports, output format".

import type { KeyAttribute, Tag } from '../schemas/attribute.js';
import type { ColumnType } from '../schemas/columns.js';
import { attributeNamesMax, depthMax } from '../schemas/limits.js';
import {
  type BytesColumn,
  type Column,
  endsText,
  type FlagColumn,
  type ListColumn,
  LongColumn,
  type StructColumn,
  type WideColumn,
} from './columns.js';
import { classify, classOf, decimalText, parseDecimal, toUnscaled } from './decimals.js';
import { Rows } from './make-columns.js';
import { NameTable } from './name-table.js';
import {
  addColumnStats,
  B,
  BOOL,
  BS,
  JSON_TEXT,
  L,
  M,
  MAP,
  N,
  NS,
  S,
  Slot,
  SS,
} from './scan-slots.js';
import { compareKeys, KeyWriter } from './sort-keys.js';
import { emptyStats, observe, type TypeStats } from './type-stats.js';
import { pathStep, type Value, valueJson } from './values.js';

/** Why a record cannot be taken. The message says what and where in the format, never content. */
export class RecordError extends Error {
  readonly code: 'REFUSED_RECORD' | 'REFUSED_KEY' | 'REFUSED_LIMIT';
  /** Line in the block, from 0. */
  line = 0;
  constructor(code: 'REFUSED_RECORD' | 'REFUSED_KEY' | 'REFUSED_LIMIT', message: string) {
    super(message);
    this.name = 'RecordError';
    this.code = code;
  }
}

function bad(message: string): RecordError {
  return new RecordError('REFUSED_RECORD', message);
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return view(bytes).toString('latin1', start, end);
}

function utf8(bytes: Uint8Array, start: number, end: number): string {
  return view(bytes).toString('utf8', start, end);
}

const quote = 34;
const backslash = 92;

const base64Of: Uint8Array = (() => {
  const table = new Uint8Array(256).fill(255);
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  for (let i = 0; i < 64; i++) table[alphabet.charCodeAt(i)] = i;
  return table;
})();

const powersOf10: Float64Array = Float64Array.from({ length: 16 }, (_, i) => 10 ** i);

/** What to scan into. */
export interface ScanPlan {
  /** Columns; the key's come first, in the key's order; an N key as text (see adapt-rows). */
  readonly types: readonly { readonly attribute: string; readonly type: ColumnType }[];
  readonly key: readonly KeyAttribute[];
}

/** Old images after which what they held is dropped. */
const oldImagesMax = 256;
/** Bytes of old images after which they are dropped. */
const oldBytesMax = 4 * 1024 * 1024;

/** Type of a key's column while scanning: numbers as canonical text, since any number may be a key. */
export function scanKeyType(tag: KeyAttribute['tag']): ColumnType {
  return tag === 'N' ? { kind: 'N', number: { type: 'text' } } : { kind: tag };
}

/** Scans lines into rows of one plan. Synchronous; one block at a time. */
export class ItemScanner {
  readonly rows: Rows;
  private readonly key: readonly KeyAttribute[];
  private readonly slots: readonly Slot[];
  private readonly names: NameTable;
  private readonly extra: TypeStats = emptyStats();
  private histogram: Uint32Array;
  private readonly log: Int32Array = new Int32Array(1 << 16);
  private logged = 0;
  /** Numbers of one attribute beyond what the log holds. */
  private readonly longLog: number[] = [];
  /** JSON places count their values apart, once the attribute is known to fit. */
  private readonly pendingJson: { stats: TypeStats; value: Value }[] = [];
  private b: Uint8Array = new Uint8Array(0);
  /** A view of all of `b`. */
  private words: DataView = new DataView(new ArrayBuffer(0));
  private end = 0;
  private p = 0;
  private depth = 0;
  private sawNull = false;
  // The name last read: bytes [nameStart, nameEnd) of nameBytes.
  private nameBytes: Uint8Array = this.b;
  private nameStart = 0;
  private nameEnd = 0;
  // Unescaped text of the string last read, when it had escapes.
  private text: Uint8Array = new Uint8Array(4096);
  private textLength = 0;
  private binary: Uint8Array = new Uint8Array(4096);
  private readonly unknownSeen = new Set<string>();
  private rowHasMarks = false;
  private readonly keyWriter = new KeyWriter();
  /** Scans old images. */
  private old: ItemScanner | null = null;
  private oldBytes = 0;

  constructor(plan: ScanPlan) {
    this.key = plan.key;
    this.rows = new Rows(plan.types);
    let classes = 0;
    const take = (count: number): number => {
      classes += count;
      return classes - count;
    };
    this.slots = plan.types.map((column, i) => new Slot(column.type, this.rows.columns[i]!, take));
    this.histogram = new Uint32Array(classes);
    this.names = new NameTable(plan.types.map((column) => column.attribute));
  }

  /** Scans a block of `{"Item":{…}}` lines. Returns how many. Throws RecordError. */
  scanItems(block: Uint8Array): number {
    return this.lines(block, () => this.itemLine());
  }

  /** Scans a block of change records. Returns how many. Throws RecordError. */
  scanChanges(block: Uint8Array): number {
    return this.lines(block, () => this.changeLine());
  }

  private open(bytes: Uint8Array): void {
    // One class of array in the hot path, whatever the caller's.
    this.b = plain(bytes);
    this.words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.end = bytes.length;
    this.p = 0;
  }

  private lines(block: Uint8Array, line: () => void): number {
    this.open(block);
    let count = 0;
    try {
      while (this.p < this.end) {
        this.depth = 0;
        line();
        this.lineEnd();
        count++;
      }
    } catch (error) {
      if (error instanceof RecordError) error.line = count;
      throw error;
    }
    return count;
  }

  // ---- lines

  private itemLine(): void {
    this.expect(123);
    this.readName();
    if (!this.nameIs('Item')) throw bad('a line is not {"Item": …}');
    this.expect(58);
    this.item();
    this.expect(125);
    this.finishRow();
  }

  private changeLine(): void {
    let keys: Uint8Array | null = null;
    let oldKeys: Uint8Array | null = null;
    let newKeys: Uint8Array | null = null;
    let micros: number | null = null;
    let keyMap = new Map<string, Value>();
    const seen = new Set<string>();
    this.expect(123);
    do {
      this.readName();
      const part = this.nameText();
      this.expect(58);
      if (seen.has(part)) throw bad('a record names a part twice');
      seen.add(part);
      if (part === 'Metadata') micros = this.metadata();
      else if (part === 'Keys') {
        keyMap = this.mapValue();
        keys = this.keysOf(keyMap);
      } else if (part === 'OldImage') oldKeys = this.oldImage();
      else if (part === 'NewImage') {
        this.item();
        this.writeKey();
        newKeys = this.keyWriter.bytes.slice(0, this.keyWriter.length);
        this.keyWriter.length = 0;
      } else throw bad('a record has an unknown part');
    } while (this.more(125));
    if (keys === null) throw new RecordError('REFUSED_KEY', 'a record has no Keys');
    if (micros === null) throw bad('a record has no WriteTimestampMicros');
    if (oldKeys !== null && Buffer.compare(oldKeys, keys) !== 0) {
      throw new RecordError('REFUSED_KEY', 'the Keys of a record differ from its OldImage');
    }
    if (newKeys !== null && Buffer.compare(newKeys, keys) !== 0) {
      throw new RecordError('REFUSED_KEY', 'the Keys of a record differ from its NewImage');
    }
    this.rows.writtenAt.pushNumber(micros);
    if (newKeys === null) this.pushKeys(keyMap);
    this.rows.keys.pushBytes(keys, 0, keys.length);
    this.rows.lives.push(newKeys !== null);
    this.endMarks();
  }

  /** Checks an old image as a new one is checked, by the same code, and gives its key; what it holds is dropped. */
  private oldImage(): Uint8Array {
    this.old ??= new ItemScanner({ types: this.rows.types, key: this.key });
    const { old } = this;
    if (old.rows.n >= oldImagesMax || this.oldBytes >= oldBytesMax) {
      old.reset();
      this.oldBytes = 0;
    }
    old.b = this.b;
    old.words = this.words;
    old.end = this.end;
    old.p = this.p;
    old.depth = this.depth;
    old.item();
    this.oldBytes += old.p - this.p;
    this.p = old.p;
    old.finishRow();
    const { data, offsets, n } = old.rows.keys;
    return data.slice(offsets[n - 1]!, offsets[n]!);
  }

  /** The key's columns of a row that only deletes. */
  private pushKeys(map: ReadonlyMap<string, Value>): void {
    const row = this.rows.keys.n;
    this.key.forEach((key, i) => {
      const column = this.slots[i]!.column as BytesColumn;
      if (column.n < row) column.appendNulls(row - column.n);
      const { text } = map.get(key.name) as { text: string };
      const bytes = Buffer.from(text, key.tag === 'B' ? 'base64' : 'utf8');
      column.pushBytes(bytes, 0, bytes.length);
    });
  }

  /** Microseconds since the epoch: `{"WriteTimestampMicros":{"N":"…"}}`, a bare string, or a bare number. */
  private metadata(): number {
    this.expect(123);
    this.readName();
    if (!this.nameIs('WriteTimestampMicros')) throw bad('unknown metadata in a record');
    this.expect(58);
    this.skipSpace();
    let text: string;
    if (this.b[this.p] === 123) {
      this.p++;
      this.readName();
      if (!this.nameIs('N')) throw bad('WriteTimestampMicros is not a number');
      this.expect(58);
      text = this.stringText();
      this.expect(125);
    } else if (this.b[this.p] === quote) text = this.stringText();
    else {
      const start = this.p;
      while (this.b[this.p]! >= 48 && this.b[this.p]! <= 57) this.p++;
      text = this.latin(start, this.p);
    }
    this.expect(125);
    if (!/^\d{1,16}$/.test(text)) throw bad('WriteTimestampMicros is not a number of microseconds');
    const micros = Number(text);
    if (!Number.isSafeInteger(micros)) throw bad('WriteTimestampMicros is out of range');
    return micros;
  }

  /** A map of attributes that is only read for its keys (Keys). */
  private mapValue(): Map<string, Value> {
    const out = new Map<string, Value>();
    this.expect(123);
    if (this.peek() === 125) {
      this.p++;
      return out;
    }
    do {
      this.readName();
      const name = this.nameText();
      this.expect(58);
      if (out.has(name)) throw bad('an attribute stands twice in an image');
      out.set(name, this.readValue());
    } while (this.more(125));
    return out;
  }

  private keysOf(map: ReadonlyMap<string, Value>): Uint8Array {
    if (map.size !== this.key.length) {
      throw new RecordError('REFUSED_KEY', "a record's Keys are not the table's key attributes");
    }
    this.key.forEach((key, i) => {
      const value = map.get(key.name);
      if (value === undefined) {
        throw new RecordError('REFUSED_KEY', 'a record lacks a key attribute');
      }
      if (value.tag !== key.tag) {
        throw new RecordError(
          'REFUSED_KEY',
          `a key attribute is of type ${value.tag}, not ${key.tag}`,
        );
      }
      const text = (value as { text: string }).text;
      if (text === '') throw new RecordError('REFUSED_KEY', 'a key attribute is empty');
      if (value.tag === 'N') this.keyWriter.numberText(text);
      else {
        const bytes = Buffer.from(text, value.tag === 'B' ? 'base64' : 'utf8');
        this.keyWriter.bytesPart(bytes, 0, bytes.length, i === this.key.length - 1);
      }
    });
    const bytes = this.keyWriter.bytes.slice(0, this.keyWriter.length);
    this.keyWriter.length = 0;
    return bytes;
  }

  /** Writes the comparable key of the row under way into keyWriter. */
  private writeKey(): void {
    const row = this.rows.keys.n;
    const last = this.key.length - 1;
    for (let i = 0; i <= last; i++) {
      const column = this.slots[i]!.column as BytesColumn;
      if (column.n !== row + 1 || column.ok[row] === 0) {
        throw new RecordError('REFUSED_KEY', 'an item lacks a key attribute');
      }
      const start = column.offsets[row]!;
      const end = column.offsets[row + 1]!;
      if (start === end) throw new RecordError('REFUSED_KEY', 'a key attribute is empty');
      if (this.key[i]!.tag === 'N') {
        this.keyWriter.numberText(latin1(column.data, start, end));
      } else this.keyWriter.bytesPart(column.data, start, end, i === last);
    }
  }

  private finishRow(): void {
    const rows = this.rows;
    this.writeKey();
    this.keyWriter.flush(rows.keys);
    rows.lives.push(true);
    this.endMarks();
  }

  private endMarks(): void {
    if (this.rowHasMarks) this.closeMarks();
    if (this.unknownSeen.size > 0) this.unknownSeen.clear();
  }

  private closeMarks(): void {
    const row = this.rows.n - 1;
    for (const column of [this.rows.nulls, this.rows.misfits]) {
      const open = column.child.n - column.offsets[column.n]!;
      if (open === 0) continue;
      if (column.n < row) {
        // Rows before had none: the open elements belong to this row alone.
        const offset = column.offsets[column.n]!;
        const before = row - column.n;
        column.reserve(row + 1);
        column.offsets.fill(offset, column.n + 1, row + 1);
        column.n = row;
        column.nulls += before;
      }
      column.end();
    }
    this.rowHasMarks = false;
  }

  // ---- items

  private item(): void {
    const slots = this.slots;
    const row = this.rows.keys.n;
    this.expect(123);
    if (this.peek() === 125) {
      this.p++;
      return;
    }
    let last = -1;
    do {
      let index = this.names.guess(this.b, this.p, last);
      if (index >= 0) this.p += this.names.lengthOf(index) + 2;
      else {
        this.readName();
        index = this.names.find(this.nameBytes, this.nameStart, this.nameEnd, last);
        if (index < 0) {
          this.unknownAttribute();
          continue;
        }
      }
      last = index;
      this.expect(58);
      const slot = slots[index]!;
      const column = slot.column;
      if (column.n < row) column.appendNulls(row - column.n);
      else if (column.n > row) throw bad('an attribute stands twice in an item');
      this.attribute(slot, index, row);
    } while (this.more(125));
  }

  private attribute(slot: Slot, index: number, row: number): void {
    const start = this.p;
    this.logged = 0;
    this.sawNull = false;
    if (this.longLog.length > 0) this.longLog.length = 0;
    if (this.value(slot)) {
      if (this.sawNull) this.markNulls(slot, index, start);
      if (this.pendingJson.length > 0) this.keepJsonStats();
      return;
    }
    if (index < this.key.length) {
      throw new RecordError(
        'REFUSED_KEY',
        `a key attribute is not of type ${this.key[index]!.tag}`,
      );
    }
    this.takeBack(slot, row);
    this.p = start;
    const value = this.readValue();
    const name = this.names.text(index);
    this.misfit(name, value);
    const stats = fieldOfItem(this.extra, name);
    if (stats !== null) observe(stats, value);
    slot.column.appendNulls(1);
  }

  private takeBack(slot: Slot, row: number): void {
    // A value that did not fit left its levels open.
    this.depth = 0;
    if (slot.column.n > row) slot.column.truncate(row);
    else slot.column.truncate(slot.column.n);
    for (let i = 0; i < this.logged; i++) this.histogram[this.log[i]!]!--;
    for (const at of this.longLog) this.histogram[at]!--;
    this.pendingJson.length = 0;
  }

  private keepJsonStats(): void {
    for (const { stats, value } of this.pendingJson) observe(stats, value);
    this.pendingJson.length = 0;
  }

  private unknownAttribute(): void {
    const name = this.nameText();
    this.expect(58);
    if (this.unknownSeen.has(name)) throw bad('an attribute stands twice in an item');
    this.unknownSeen.add(name);
    const value = this.readValue();
    const stats = fieldOfItem(this.extra, name);
    if (stats !== null) observe(stats, value);
    if (value.tag === 'NULL') this.markNull(pathStep(name));
    else this.misfit(name, value);
  }

  private misfit(name: string, value: Value): void {
    this.keepMisfit(name, Buffer.from(valueJson(value), 'utf8'));
  }

  private markNull(path: string): void {
    this.keepNull(Buffer.from(path, 'utf8'));
  }

  /** Lists the paths of the NULLs in an attribute that was just scanned. */
  private markNulls(slot: Slot, index: number, start: number): void {
    const end = this.p;
    this.p = start;
    this.nullsIn(slot, this.readValue(), pathStep(this.names.text(index)));
    this.p = end;
  }

  private nullsIn(slot: Slot, value: Value, path: string): void {
    if (value.tag === 'NULL') this.markNull(path);
    else if (value.tag === 'L' && slot.code === L) {
      value.elements.forEach((element, i) => {
        this.nullsIn(slot.below!, element, `${path}/${i}`);
      });
    } else if (value.tag === 'M' && slot.code === MAP) {
      for (const [name, entry] of value.entries) {
        this.nullsIn(slot.below!, entry, path + pathStep(name));
      }
    } else if (value.tag === 'M' && slot.code === M) {
      for (const [name, entry] of value.entries) {
        const field = slot.names!.findText(name);
        if (field >= 0) this.nullsIn(slot.fields[field]!, entry, path + pathStep(name));
        else if (entry.tag === 'NULL') this.markNull(path + pathStep(name));
      }
    }
  }

  /** Scans one attribute value (its DynamoDB JSON) into a column of its own; used when columns change. */
  scanAttribute(index: number, json: Uint8Array, row: number): void {
    this.open(json);
    this.depth = 0;
    const slot = this.slots[index]!;
    if (slot.column.n < row) slot.column.appendNulls(row - slot.column.n);
    this.attribute(slot, index, row);
  }

  /** Ends a row of scanAttribute calls: closes the lists of NULLs and misfits. */
  closeRow(row: number): void {
    // `keys` only counts the rows here: their keys stay with the rows that are adapted.
    while (this.rows.keys.n <= row) this.rows.keys.pushBytes(this.b, 0, 0);
    if (this.rowHasMarks) this.closeMarks();
  }

  /** Keeps a value beside the columns, in the row under way. */
  keepMisfit(name: string, json: Uint8Array): void {
    const entries = this.rows.misfits.child;
    const nameBytes = Buffer.from(name, 'utf8');
    (entries.children[0] as BytesColumn).pushBytes(nameBytes, 0, nameBytes.length);
    (entries.children[1] as BytesColumn).pushBytes(json, 0, json.length);
    entries.end();
    this.rowHasMarks = true;
  }

  /** Lists a NULL in the row under way. */
  keepNull(path: Uint8Array): void {
    this.rows.nulls.child.pushBytes(path, 0, path.length);
    this.rowHasMarks = true;
  }

  // ---- typed values

  /** Scans `{"T":…}` into a slot. False: it does not fit there (the caller takes the attribute back). */
  private value(slot: Slot): boolean {
    const b = this.b;
    const start = this.p;
    if (b[start] !== 123 || b[start + 1] !== quote) {
      this.skipSpace();
      if (b[this.p] !== 123) throw bad('an attribute value is not an object');
      return this.valueSlow(slot);
    }
    const t0 = b[start + 2]!;
    const t1 = b[start + 3]!;
    if (t1 === quote && b[start + 4] === 58) {
      this.p = start + 5;
      switch (t0) {
        case 83: // S
          if (slot.code !== S) return this.other(slot, start);
          this.pushString(slot.column as BytesColumn);
          break;
        case 78: // N
          if (slot.code !== N) return this.other(slot, start);
          if (!this.pushNumber(slot, slot.column)) return false;
          break;
        case 77: // M
          if (slot.code === M) {
            if (!this.struct(slot)) return false;
          } else if (slot.code === MAP) {
            if (!this.dictionary(slot)) return false;
          } else return this.other(slot, start);
          break;
        case 76: // L
          if (slot.code !== L) return this.other(slot, start);
          if (!this.list(slot)) return false;
          break;
        case 66: // B
          if (slot.code !== B) return this.other(slot, start);
          this.pushBinary(slot.column as BytesColumn);
          break;
        default:
          throw bad('unknown type tag');
      }
      this.expect(125);
      return true;
    }
    return this.valueOfLongTag(slot, start) ?? this.valueSlow(slot);
  }

  /** Another kind than the slot's, or DynamoDB JSON text. */
  private other(slot: Slot, start: number): boolean {
    if (slot.code !== JSON_TEXT) return false;
    this.p = start;
    const value = this.readValue();
    this.pushText(slot, value);
    return true;
  }

  private pushText(slot: Slot, value: Value): void {
    const json = Buffer.from(valueJson(value), 'utf8');
    (slot.column as BytesColumn).pushBytes(json, 0, json.length);
    this.pendingJson.push({ stats: slot.stats!, value });
  }

  /** BOOL, NULL and sets as they usually stand, without spaces. Null: look again, slowly. */
  private valueOfLongTag(slot: Slot, start: number): boolean | null {
    const b = this.b;
    const t0 = b[start + 2];
    const t1 = b[start + 3];
    if (t0 === 66 && t1 === 79 && b[start + 6] === quote && b[start + 7] === 58) {
      if (slot.code !== BOOL || b[start + 4] !== 79 || b[start + 5] !== 76) return null;
      this.p = start + 8;
      this.skipSpace();
      (slot.column as FlagColumn).push(this.literal());
    } else if (t1 === 83 && b[start + 4] === quote && b[start + 5] === 58) {
      this.p = start + 6;
      if (t0 === 83 && slot.code === SS) this.bytesSet(slot, false);
      else if (t0 === 66 && slot.code === BS) this.bytesSet(slot, true);
      else if (t0 === 78 && slot.code === NS) {
        if (!this.numberSet(slot)) return false;
      } else {
        this.p = start;
        return null;
      }
    } else return null;
    this.expect(125);
    return true;
  }

  /** The less frequent tags, and any spacing. */
  private valueSlow(slot: Slot): boolean {
    const start = this.p;
    this.expect(123);
    this.readName();
    const tag = this.nameText();
    this.expect(58);
    this.skipSpace();
    if (tag === 'NULL') {
      if (!this.literal()) throw bad('NULL is not true');
      slot.column.appendNulls(1);
      this.sawNull = true;
    } else if (tag === 'BOOL' && slot.code === BOOL) {
      (slot.column as FlagColumn).push(this.literal());
    } else if (tag === 'SS' && slot.code === SS) this.bytesSet(slot, false);
    else if (tag === 'BS' && slot.code === BS) this.bytesSet(slot, true);
    else if (tag === 'NS' && slot.code === NS) {
      if (!this.numberSet(slot)) return false;
    } else if (tag === 'S' && slot.code === S) this.pushString(slot.column as BytesColumn);
    else if (tag === 'B' && slot.code === B) this.pushBinary(slot.column as BytesColumn);
    else if (tag === 'N' && slot.code === N) {
      if (!this.pushNumber(slot, slot.column)) return false;
    } else if (tag === 'L' && slot.code === L) {
      if (!this.list(slot)) return false;
    } else if (tag === 'M' && slot.code === M) {
      if (!this.struct(slot)) return false;
    } else if (tag === 'M' && slot.code === MAP) {
      if (!this.dictionary(slot)) return false;
    } else return this.other(slot, start);
    this.expect(125);
    return true;
  }

  private struct(slot: Slot): boolean {
    this.enter();
    const column = slot.column as StructColumn;
    const row = column.n;
    const fields = slot.fields;
    this.expect(123);
    if (this.peek() === 125) this.p++;
    else {
      let last = -1;
      let others: Set<string> | null = null;
      const names = slot.names!;
      do {
        let index = names.guess(this.b, this.p, last);
        if (index >= 0) this.p += names.lengthOf(index) + 2;
        else {
          this.readName();
          index = names.find(this.nameBytes, this.nameStart, this.nameEnd, last);
          if (index < 0) {
            const name = this.nameText();
            this.expect(58);
            if (!this.unknownNull()) return false;
            others ??= new Set();
            if (others.has(name)) throw bad('a name stands twice in a map');
            others.add(name);
            continue;
          }
        }
        last = index;
        this.expect(58);
        const field = fields[index]!;
        if (field.column.n < row) field.column.appendNulls(row - field.column.n);
        else if (field.column.n > row) throw bad('a name stands twice in a map');
        if (!this.value(field)) return false;
      } while (this.more(125));
    }
    column.end();
    this.depth--;
    return true;
  }

  /** A NULL under a name that has no field: it needs none. False for any other value. */
  private unknownNull(): boolean {
    const start = this.p;
    this.expect(123);
    this.readName();
    if (!this.nameIs('NULL')) {
      this.p = start;
      return false;
    }
    this.expect(58);
    this.skipSpace();
    if (!this.literal()) throw bad('NULL is not true');
    this.expect(125);
    this.sawNull = true;
    return true;
  }

  private dictionary(slot: Slot): boolean {
    this.enter();
    const column = slot.column as ListColumn<StructColumn>;
    const names = column.child.children[0] as BytesColumn;
    const first = column.child.n;
    this.expect(123);
    if (this.peek() === 125) this.p++;
    else {
      do {
        this.readName();
        names.pushBytes(this.nameBytes, this.nameStart, this.nameEnd);
        this.expect(58);
        if (!this.value(slot.below!)) return false;
        column.child.end();
      } while (this.more(125));
    }
    if (column.child.n - first > 1) this.checkDistinct(names, first);
    column.end();
    this.depth--;
    return true;
  }

  private checkDistinct(names: BytesColumn, first: number): void {
    const seen = new Set<string>();
    for (let i = first; i < names.n; i++) {
      const name = latin1(names.data, names.offsets[i]!, names.offsets[i + 1]!);
      if (seen.has(name)) throw bad('a name stands twice in a map');
      seen.add(name);
    }
  }

  private list(slot: Slot): boolean {
    this.enter();
    this.expect(91);
    if (this.peek() === 93) this.p++;
    else {
      do {
        if (!this.value(slot.below!)) return false;
      } while (this.more(93));
    }
    (slot.column as ListColumn).end();
    this.depth--;
    return true;
  }

  private bytesSet(slot: Slot, binary: boolean): void {
    const column = slot.column as ListColumn<BytesColumn>;
    const child = column.child;
    const first = child.n;
    this.expect(91);
    do {
      this.skipSpace();
      if (binary) this.pushBinary(child);
      else this.pushString(child);
    } while (this.more(93));
    sortTail(child, first);
    column.end();
  }

  private numberSet(slot: Slot): boolean {
    const column = slot.column as ListColumn;
    const child = column.child;
    const first = child.n;
    this.expect(91);
    do {
      this.skipSpace();
      if (!this.pushNumber(slot, child)) return false;
    } while (this.more(93));
    const members = child as LongColumn | WideColumn;
    const values: bigint[] = [];
    for (let i = first; i < members.n; i++) values.push(members.bigintAt(i));
    values.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    for (let i = 1; i < values.length; i++) {
      if (values[i] === values[i - 1]) throw bad('a member stands twice in a set');
    }
    members.truncate(first);
    for (const value of values) members.pushBigInt(value);
    column.end();
    return true;
  }

  // ---- scalars; p stands at the opening quote

  private pushString(column: BytesColumn): void {
    const b = this.b;
    let p = this.p;
    if (b[p] !== quote) {
      this.skipSpace();
      p = this.p;
      if (b[p] !== quote) throw bad('a string is missing');
    }
    const start = p + 1;
    p = column.pushText(b, this.words, start);
    if (b[p] === quote) {
      this.p = p + 1;
      return;
    }
    this.p = start;
    this.unescape(p);
    column.pushBytes(this.text, 0, this.textLength);
  }

  private pushBinary(column: BytesColumn): void {
    const [bytes, start, end] = this.rawString();
    const length = this.decodeBase64(bytes, start, end);
    column.pushBytes(this.binary, 0, length);
  }

  /** The bytes of a string: a range of the block, or of `text` when it had escapes. */
  private rawString(): [Uint8Array, number, number] {
    const b = this.b;
    this.skipSpace();
    if (b[this.p] !== quote) throw bad('a string is missing');
    const start = this.p + 1;
    let p = start;
    while (endsText[b[p]!] === 0) p++;
    if (b[p] === quote) {
      this.p = p + 1;
      return [b, start, p];
    }
    this.p = start;
    this.unescape(p);
    return [this.text, 0, this.textLength];
  }

  private decodeBase64(bytes: Uint8Array, start: number, end: number): number {
    const size = end - start;
    if (size % 4 !== 0) throw bad('bad base64');
    if (size === 0) return 0;
    let padding = 0;
    if (bytes[end - 1] === 61) padding = bytes[end - 2] === 61 ? 2 : 1;
    const length = (size / 4) * 3 - padding;
    if (this.binary.length < length + 3) this.binary = new Uint8Array(length * 2 + 3);
    const out = this.binary;
    let at = 0;
    for (let i = start; i < end; i += 4) {
      const last = i + 4 === end;
      const c = last && padding === 2 ? 0 : base64Of[bytes[i + 2]!]!;
      const d = last && padding > 0 ? 0 : base64Of[bytes[i + 3]!]!;
      const a = base64Of[bytes[i]!]!;
      const e = base64Of[bytes[i + 1]!]!;
      if ((a | e | c | d) > 63) throw bad('bad base64');
      if (last && padding === 2 && (e & 15) !== 0) throw bad('bad base64');
      if (last && padding === 1 && (c & 3) !== 0) throw bad('bad base64');
      const bits = (a << 18) | (e << 12) | (c << 6) | d;
      out[at++] = bits >> 16;
      out[at++] = (bits >> 8) & 255;
      out[at++] = bits & 255;
    }
    return length;
  }

  /** Pushes an N. False: the number does not fit the column. */
  private pushNumber(slot: Slot, column: Column): boolean {
    const b = this.b;
    let p = this.p;
    if (b[p] !== quote) return this.pushNumberSlow(slot, column);
    const start = ++p;
    const negative = b[p] === 45;
    if (negative) p++;
    const first = p;
    let m = 0;
    let dot = -1;
    let c = b[p]!;
    for (;;) {
      const digit = c - 48;
      if (digit >= 0 && digit <= 9) m = m * 10 + digit;
      else if (c === 46 && dot < 0) dot = p;
      else break;
      c = b[++p]!;
    }
    let digits = p - first;
    let fraction = 0;
    if (dot >= 0) {
      digits--;
      fraction = p - dot - 1;
    }
    const integer = digits - fraction;
    const number = slot.number!;
    if (
      c !== quote ||
      digits > 15 ||
      integer === 0 ||
      (dot >= 0 && fraction === 0) ||
      (b[first] === 48 && integer > 1) ||
      number.type === 'text'
    ) {
      this.p = start - 1;
      return this.pushNumberSlow(slot, column);
    }
    while (fraction > 0 && m % 10 === 0) {
      m /= 10;
      fraction--;
    }
    const numberClass = classOf(b[first] === 48 ? 0 : integer, fraction);
    if (slot.fits![numberClass] === 0) return false;
    this.count(slot.histogram + numberClass);
    this.p = p + 1;
    const shift = slot.scale - fraction;
    if (negative) m = -m;
    if (digits + shift <= 15) {
      const scaled = m * powersOf10[shift]!;
      if (column instanceof LongColumn) column.pushNumber(scaled);
      else (column as WideColumn).pushNumber(scaled);
    } else {
      const scaled = BigInt(m) * 10n ** BigInt(shift);
      if (column instanceof LongColumn) column.pushBigInt(scaled);
      else (column as WideColumn).pushBigInt(scaled);
    }
    return true;
  }

  private pushNumberSlow(slot: Slot, column: Column): boolean {
    const [bytes, start, end] = this.rawString();
    const value = parseDecimal(latin1(bytes, start, end));
    if (value === null) throw bad('not a number that DynamoDB can hold');
    const { class: numberClass } = classify(value);
    if (slot.fits![numberClass] === 0) return false;
    this.count(slot.histogram + numberClass);
    if (slot.number!.type === 'text') {
      const text = Buffer.from(decimalText(value), 'latin1');
      (column as BytesColumn).pushBytes(text, 0, text.length);
    } else (column as LongColumn | WideColumn).pushBigInt(toUnscaled(value, slot.scale));
    return true;
  }

  private count(at: number): void {
    this.histogram[at]!++;
    if (this.logged < this.log.length) this.log[this.logged++] = at;
    else this.longLog.push(at);
  }

  private literal(): boolean {
    const b = this.b;
    const p = this.p;
    if (b[p] === 116 && b[p + 1] === 114 && b[p + 2] === 117 && b[p + 3] === 101) {
      this.p = p + 4;
      return true;
    }
    if (
      b[p] === 102 &&
      b[p + 1] === 97 &&
      b[p + 2] === 108 &&
      b[p + 3] === 115 &&
      b[p + 4] === 101
    ) {
      this.p = p + 5;
      return false;
    }
    throw bad('neither true nor false');
  }

  // ---- values as trees

  /** Reads `{"T":…}` as a tree, checking everything. */
  private readValue(): Value {
    this.expect(123);
    this.readName();
    const tag = this.nameText() as Tag;
    this.expect(58);
    this.skipSpace();
    let value: Value;
    switch (tag) {
      case 'S':
        value = { tag, text: this.stringText() };
        break;
      case 'N':
        value = { tag, text: this.numberText() };
        break;
      case 'B':
        value = { tag, text: this.binaryText() };
        break;
      case 'BOOL':
        value = { tag, flag: this.literal() };
        break;
      case 'NULL':
        if (!this.literal()) throw bad('NULL is not true');
        value = { tag };
        break;
      case 'SS':
      case 'NS':
      case 'BS':
        value = { tag, members: this.readMembers(tag) };
        break;
      case 'L':
        this.enter();
        value = { tag, elements: this.readElements() };
        this.depth--;
        break;
      case 'M':
        this.enter();
        value = { tag, entries: [...this.mapValue()] };
        this.depth--;
        break;
      default:
        throw bad('unknown type tag');
    }
    this.expect(125);
    return value;
  }

  private readElements(): Value[] {
    const out: Value[] = [];
    this.expect(91);
    if (this.peek() === 93) {
      this.p++;
      return out;
    }
    do out.push(this.readValue());
    while (this.more(93));
    return out;
  }

  private readMembers(tag: 'SS' | 'NS' | 'BS'): string[] {
    const members: string[] = [];
    this.expect(91);
    do {
      if (tag === 'SS') members.push(this.stringText());
      else if (tag === 'NS') members.push(this.numberText());
      else members.push(this.binaryText());
    } while (this.more(93));
    sortMembers(tag, members);
    for (let i = 1; i < members.length; i++) {
      if (members[i] === members[i - 1]) throw bad('a member stands twice in a set');
    }
    return members;
  }

  private stringText(): string {
    const [bytes, start, end] = this.rawString();
    return utf8(bytes, start, end);
  }

  private numberText(): string {
    const value = parseDecimal(this.stringText());
    if (value === null) throw bad('not a number that DynamoDB can hold');
    return decimalText(value);
  }

  private binaryText(): string {
    const [bytes, start, end] = this.rawString();
    this.decodeBase64(bytes, start, end);
    return latin1(bytes, start, end);
  }

  // ---- JSON

  private enter(): void {
    if (++this.depth > depthMax) {
      throw new RecordError('REFUSED_LIMIT', `a value is nested over ${depthMax} levels deep`);
    }
  }

  /** The next byte that is not a space. */
  private peek(): number {
    const c = this.b[this.p]!;
    if (c > 32) return c;
    this.skipSpace();
    return this.b[this.p]!;
  }

  private skipSpace(): void {
    let c = this.b[this.p];
    while (c === 32 || c === 9 || c === 13) c = this.b[++this.p];
  }

  private expect(c: number): void {
    if (this.b[this.p] === c) {
      this.p++;
      return;
    }
    this.skipSpace();
    if (this.p >= this.end || this.b[this.p] !== c) throw bad('malformed JSON');
    this.p++;
  }

  /** After an element: true at a comma, false at the closing byte. */
  private more(close: number): boolean {
    let c = this.b[this.p];
    if (c !== 44 && c !== close) {
      this.skipSpace();
      c = this.b[this.p];
    }
    if (this.p < this.end) {
      if (c === 44) {
        this.p++;
        return true;
      }
      if (c === close) {
        this.p++;
        return false;
      }
    }
    throw bad('malformed JSON');
  }

  private lineEnd(): void {
    if (this.b[this.p] === 10) {
      this.p++;
      return;
    }
    this.skipSpace();
    if (this.p < this.end && this.b[this.p] !== 10) throw bad('something stands after a record');
    this.p++;
  }

  /** Reads a name (a JSON string) into name*. */
  private readName(): void {
    const b = this.b;
    if (b[this.p] !== quote) {
      this.skipSpace();
      if (b[this.p] !== quote) throw bad('a name is missing');
    }
    const start = this.p + 1;
    let p = start;
    while (endsText[b[p]!] === 0) p++;
    if (b[p] === quote) {
      this.nameBytes = b;
      this.nameStart = start;
      this.nameEnd = p;
      this.p = p + 1;
      return;
    }
    this.p = start;
    this.unescape(p);
    this.nameBytes = this.text;
    this.nameStart = 0;
    this.nameEnd = this.textLength;
  }

  private nameText(): string {
    return utf8(this.nameBytes, this.nameStart, this.nameEnd);
  }

  private nameIs(name: string): boolean {
    const length = name.length;
    if (this.nameEnd - this.nameStart !== length) return false;
    for (let i = 0; i < length; i++) {
      if (this.nameBytes[this.nameStart + i] !== name.charCodeAt(i)) return false;
    }
    return true;
  }

  private latin(start: number, end: number): string {
    return latin1(this.b, start, end);
  }

  /** Unescapes the string that starts at p (its first byte that is not plain at `special`) into `text`; p moves past it. */
  private unescape(special: number): void {
    const b = this.b;
    let p = this.p;
    let at = 0;
    let next = special;
    for (;;) {
      const plain = next - p;
      if (this.text.length < at + plain + 8) {
        const grown = new Uint8Array((at + plain + 8) * 2);
        grown.set(this.text.subarray(0, at));
        this.text = grown;
      }
      this.text.set(b.subarray(p, next), at);
      at += plain;
      p = next;
      const c = b[p];
      if (c === quote) break;
      if (c !== backslash || p >= this.end)
        throw bad('a string is not ended, or has a bare control character');
      const e = b[p + 1]!;
      p += 2;
      switch (e) {
        case quote:
        case backslash:
        case 47:
          this.text[at++] = e;
          break;
        case 98:
          this.text[at++] = 8;
          break;
        case 102:
          this.text[at++] = 12;
          break;
        case 110:
          this.text[at++] = 10;
          break;
        case 114:
          this.text[at++] = 13;
          break;
        case 116:
          this.text[at++] = 9;
          break;
        case 117: {
          let code = this.hex(p);
          p += 4;
          if (code >= 0xdc00 && code <= 0xdfff) throw bad('half a surrogate pair');
          if (code >= 0xd800 && code <= 0xdbff) {
            if (b[p] !== backslash || b[p + 1] !== 117) throw bad('half a surrogate pair');
            const low = this.hex(p + 2);
            if (low < 0xdc00 || low > 0xdfff) throw bad('half a surrogate pair');
            p += 6;
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
          }
          at = this.utf8(code, at);
          break;
        }
        default:
          throw bad('bad escape in a string');
      }
      next = p;
      while (endsText[b[next]!] === 0) next++;
    }
    this.textLength = at;
    this.p = p + 1;
  }

  private hex(p: number): number {
    let code = 0;
    for (let i = 0; i < 4; i++) {
      const c = this.b[p + i]!;
      let digit = c - 48;
      if (digit < 0 || digit > 9) {
        digit = (c | 32) - 87;
        if (digit < 10 || digit > 15) throw bad('bad escape in a string');
      }
      code = code * 16 + digit;
    }
    return code;
  }

  private utf8(code: number, at: number): number {
    const t = this.text;
    if (code < 0x80) t[at++] = code;
    else if (code < 0x800) {
      t[at++] = 0xc0 | (code >> 6);
      t[at++] = 0x80 | (code & 63);
    } else if (code < 0x10000) {
      t[at++] = 0xe0 | (code >> 12);
      t[at++] = 0x80 | ((code >> 6) & 63);
      t[at++] = 0x80 | (code & 63);
    } else {
      t[at++] = 0xf0 | (code >> 18);
      t[at++] = 0x80 | ((code >> 12) & 63);
      t[at++] = 0x80 | ((code >> 6) & 63);
      t[at++] = 0x80 | (code & 63);
    }
    return at;
  }

  // ---- statistics

  /** Starts anew with the same columns, whose memory is used again. */
  reset(): void {
    this.rows.clear();
    this.histogram.fill(0);
    this.extra.fields = null;
    for (const slot of this.slots) slot.forget();
  }

  /** What was seen, by attribute: what is in the columns, and what is not. Brings all columns up to the row count. */
  finish(): { readonly rows: Rows; readonly stats: Map<string, TypeStats> } {
    this.rows.settle();
    const stats = new Map<string, TypeStats>(this.extra.fields ?? []);
    addColumnStats(stats, this.rows.types, this.slots, this.histogram);
    return { rows: this.rows, stats };
  }
}

/** The statistics of one attribute among those of the item; null past the limit of names. */
function fieldOfItem(stats: TypeStats, name: string): TypeStats | null {
  stats.fields ??= new Map();
  let field = stats.fields.get(name);
  if (field === undefined) {
    if (stats.fields.size >= attributeNamesMax) return null;
    field = emptyStats();
    stats.fields.set(name, field);
  }
  return field;
}

/** Room for putting small sets in order without allocating. */
const setMembersSmall = 64;
const setOrder = new Int32Array(setMembersSmall);
const setStarts = new Int32Array(setMembersSmall);
const setEnds = new Int32Array(setMembersSmall);
let setBytes = new Uint8Array(4096);

/** Orders the rows of a byte column from `first` on, as sets are ordered: by bytes. Refuses doubles. */
function sortTail(column: BytesColumn, first: number): void {
  const end = column.n;
  let sorted = true;
  for (let i = first + 1; i < end && sorted; i++)
    sorted = compareKeys(column, i - 1, column, i) < 0;
  if (sorted) return;
  const count = end - first;
  const order = count <= setMembersSmall ? setOrder : new Int32Array(count);
  const starts = count <= setMembersSmall ? setStarts : new Int32Array(count);
  const ends = count <= setMembersSmall ? setEnds : new Int32Array(count);
  for (let i = 0; i < count; i++) order[i] = first + i;
  if (count > setMembersSmall) order.sort((a, b) => compareKeys(column, a, column, b));
  else {
    for (let i = 1; i < count; i++) {
      const row = order[i]!;
      let at = i;
      while (at > 0 && compareKeys(column, order[at - 1]!, column, row) > 0) {
        order[at] = order[at - 1]!;
        at--;
      }
      order[at] = row;
    }
  }
  const base = column.offsets[first]!;
  for (let i = 0; i < count; i++) {
    if (i > 0 && compareKeys(column, order[i - 1]!, column, order[i]!) === 0) {
      throw bad('a member stands twice in a set');
    }
    starts[i] = column.offsets[order[i]!]! - base;
    ends[i] = column.offsets[order[i]! + 1]! - base;
  }
  const bytes = column.length - base;
  if (setBytes.length < bytes) setBytes = new Uint8Array(bytes * 2);
  for (let i = 0; i < bytes; i++) setBytes[i] = column.data[base + i]!;
  column.truncate(first);
  for (let i = 0; i < count; i++) column.pushBytes(setBytes, starts[i]!, ends[i]!);
}

/** The canonical order of a set's members: strings and binaries by bytes, numbers by value. */
export function sortMembers(tag: 'SS' | 'NS' | 'BS', members: string[]): void {
  if (tag === 'NS') members.sort(compareDecimals);
  else {
    const encoding = tag === 'BS' ? 'base64' : 'utf8';
    members.sort((a, b) => Buffer.compare(Buffer.from(a, encoding), Buffer.from(b, encoding)));
  }
}

function compareDecimals(a: string, b: string): number {
  const x = parseDecimal(a)!;
  const y = parseDecimal(b)!;
  const scale = Math.max(0, -x.exponent, -y.exponent);
  const d = toUnscaled(x, scale) - toUnscaled(y, scale);
  return d < 0n ? -1 : d > 0n ? 1 : 0;
}
