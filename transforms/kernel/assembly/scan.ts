// The fast lane of the scan: lines of items and of changes as DynamoDB writes them, straight into columns. A line that is anything but
// usual (spaces, an unknown attribute, a value that fits no column, something malformed) is taken back and left to
// ../../scan-items.ts, which knows every case and says what is wrong. So nothing is refused here, and what is taken is
// exactly what that scanner would have taken.

import { compareBytes } from './bytes';
import { alloc, mark, release } from './memory';
import { findName, Name, Names, nameLength } from './names';
import {
  appendNulls,
  B,
  BOOL,
  BS,
  byteSize,
  clear,
  endRow,
  endStruct,
  fieldOf,
  forgetBlocks,
  L,
  LONG,
  M,
  MAP,
  N,
  NS,
  pushBytes,
  pushLong,
  reserve,
  reserveBytes,
  S,
  Slot,
  SS,
  settle,
  truncate,
} from './slots';

const quote: u8 = 34;
/** Readable zero bytes behind a block: what reads ahead stops there. */
const padding: usize = 64;
/** Members of a set, and names of a dictionary, that are told apart here. */
const membersMax: i32 = 64;
const namesMax: i32 = 24;
/** Old images, and bytes of lines with them, after which what they held is dropped. */
const oldImagesMax: i32 = 256;
const oldBytesMax: usize = 4 * 1024 * 1024;
/** Numbers of one row that are remembered, to be taken back. */
const logMax: i32 = 1 << 14;
/** Number classes: how many digits before the point they tell apart. Source: ../../decimals.ts. */
const integerClasses: i32 = 40;

const base64Of: usize = memory.data(256);
const powersOf10: usize = memory.data(19 * 8);
/** The class of the least scale that holds so many digits. */
const scaleClass: usize = memory.data(32);
const log: usize = memory.data(logMax * 4);
const starts: usize = memory.data((membersMax + 1) * 4);
const ends: usize = memory.data((membersMax + 1) * 4);

/** Where the lane's own blocks begin; below lies what the module itself needs. */
let base: usize = 0;

/** Columns that images are scanned into. */
@unmanaged
class Image {
  columns: usize;
  columnCount: i32;
  names: Names;
  /** The list of what is NULL. */
  nulls: Slot;
  /** Rows that are ended. */
  n: i32;
}

// The plan. Old images and Keys are only looked at: what they hold is dropped.
const rows: Image = changetype<Image>(memory.data(offsetof<Image>()));
const oldImages: Image = changetype<Image>(memory.data(offsetof<Image>()));
const keyImages: Image = changetype<Image>(memory.data(offsetof<Image>()));
let areChanges: bool = false;
let oldBytes: usize = 0;
let keyCount: i32 = 0;
let histograms: usize = 0;
/** Comparable keys of the Keys and of the old image of the record under way. */
let probe: Slot = changetype<Slot>(0);
let keys: Slot = changetype<Slot>(0);
let lives: Slot = changetype<Slot>(0);
let writtenAt: Slot = changetype<Slot>(0);
let misfits: Slot = changetype<Slot>(0);

// The block.
let input: usize = 0;
let inputCapacity: usize = 0;
let inputEnd: usize = 0;
let p: usize = 0;
let slowStart: usize = 0;

// The row.
let logged: i32 = 0;
let hasNull: bool = false;
let scratch: usize = 0;
let scratchCapacity: i32 = 0;

/** Starts anew, with nothing known. Must come before anything else. */
export function scanReset(): void {
  if (base === 0) {
    base = mark();
    let power: u64 = 1;
    for (let i = 0; i < 19; i++) {
      store<u64>(powersOf10 + (i << 3), power);
      power *= 10;
    }
    memory.fill(base64Of, 255, 256);
    for (let i = 0; i < 26; i++) {
      store<u8>(base64Of + 65 + i, <u8>i);
      store<u8>(base64Of + 97 + i, <u8>(i + 26));
    }
    for (let i = 0; i < 10; i++) store<u8>(base64Of + 48 + i, <u8>(i + 52));
    store<u8>(base64Of + 43, 62);
    store<u8>(base64Of + 47, 63);
  }
  release(base);
  forgetBlocks();
  input = 0;
  inputCapacity = 0;
  scratch = 0;
  scratchCapacity = 0;
}

/** A block of zero bytes. */
function zeroed(bytes: usize): usize {
  const at = alloc(bytes);
  memory.fill(at, 0, bytes);
  return at;
}

// ---- the plan

/** An empty slot. */
export function newSlot(code: i32, layout: i32): usize {
  const slot = changetype<Slot>(zeroed(offsetof<Slot>()));
  slot.code = code;
  slot.layout = layout;
  return changetype<usize>(slot);
}

export function slotChild(slot: Slot, child: Slot): void {
  slot.child = child;
}

/** Fields of a struct: `fields` is the place of their slots. `fieldNames` is 0 where names are values. */
export function slotFields(slot: Slot, fields: usize, count: i32, fieldNames: usize): void {
  slot.fields = fields;
  slot.fieldCount = count;
  slot.names = fieldNames;
}

export function slotNumber(slot: Slot, fits: usize, histogram: i32, scale: i32, isText: i32): void {
  slot.fits = fits;
  slot.histogram = histogram;
  slot.scale = scale;
  slot.isText = isText;
}

export function slotPath(slot: Slot, path: usize, length: i32): void {
  slot.path = path;
  slot.pathLength = length;
}

/** A table of names, empty; `buckets` is a power of two. */
export function newNames(count: i32, buckets: i32): usize {
  const made = changetype<Names>(zeroed(offsetof<Names>()));
  made.count = count;
  made.names = zeroed(<usize>count * offsetof<Name>());
  made.after = zeroed((<usize>count + 1) << 3);
  for (let i = 0; i <= count; i++) {
    store<i32>(made.after + (i << 3), i < count ? i : -1);
    store<i32>(made.after + (i << 3), -1, 4);
  }
  made.buckets = alloc((<usize>buckets) << 2);
  memory.fill(made.buckets, 255, (<usize>buckets) << 2);
  made.mask = <u32>(buckets - 1);
  return changetype<usize>(made);
}

/** Sets a name: `bytes` is its place, with quotes and colon; length 0 keeps it from being found. */
export function setName(table: Names, index: i32, bytes: usize, length: i32): void {
  const at = table.names + <usize>index * offsetof<Name>();
  store<usize>(at, bytes, offsetof<Name>('bytes'));
  store<i32>(at, length, offsetof<Name>('length'));
  if (length === 0) return;
  let hash: u32 = 0x811c9dc5;
  for (let i: usize = 1; i < <usize>length - 2; i++) {
    hash = (hash ^ load<u8>(bytes + i)) * 0x01000193;
  }
  let bucket = (hash ^ (hash >> 15)) & table.mask;
  while (load<i32>(table.buckets + (bucket << 2)) >= 0) bucket = (bucket + 1) & table.mask;
  store<i32>(table.buckets + (bucket << 2), index);
}

function setImage(image: Image, slots: usize, count: i32, table: Names, nulls: Slot): void {
  image.columns = slots;
  image.columnCount = count;
  image.names = table;
  image.nulls = nulls;
  image.n = 0;
}

/** The columns of items, the key's first. */
export function setPlan(
  slots: usize,
  count: i32,
  table: Names,
  keyColumns: i32,
  histogram: usize,
): void {
  setImage(rows, slots, count, table, changetype<Slot>(0));
  areChanges = false;
  keyCount = keyColumns;
  histograms = histogram;
}

/** Has lines of changes read: the same columns once more for old images, and the key's for Keys. */
export function setChanges(
  oldSlots: usize,
  oldNulls: Slot,
  keySlots: usize,
  keyTable: Names,
  probeSlot: Slot,
): void {
  areChanges = true;
  setImage(oldImages, oldSlots, rows.columnCount, rows.names, oldNulls);
  setImage(keyImages, keySlots, keyCount, keyTable, oldNulls);
  probe = probeSlot;
}

export function setMarks(
  ofKeys: Slot,
  ofLives: Slot,
  ofNulls: Slot,
  ofWrittenAt: Slot,
  ofMisfits: Slot,
): void {
  keys = ofKeys;
  lives = ofLives;
  rows.nulls = ofNulls;
  writtenAt = ofWrittenAt;
  misfits = ofMisfits;
}

/** Where the table of scale classes (32 bytes) is to be written. */
export function scaleClasses(): usize {
  return scaleClass;
}

function columnOf(image: Image, index: i32): Slot {
  return changetype<Slot>(load<usize>(image.columns + (index << alignof<usize>())));
}

// ---- blocks and lines

/** Where a block of so many bytes is to be written before `openBlock`. */
export function blockPlace(bytes: usize): usize {
  if (bytes + padding > inputCapacity) {
    inputCapacity = (bytes + padding) * 2;
    input = alloc(inputCapacity);
  }
  return input;
}

/** Begins a block that was written. */
export function openBlock(bytes: usize): void {
  p = input;
  inputEnd = input + bytes;
  memory.fill(inputEnd, 0, padding);
}

/** Scans lines until the block ends, or a line is not for this lane. Returns how many were taken. */
export function scanLines(): i32 {
  let count = 0;
  slowStart = 0;
  while (p < inputEnd) {
    const start = p;
    const isTaken = areChanges ? change() : line();
    if (!isTaken) {
      takeBack();
      p = start;
      while (p < inputEnd && load<u8>(p) !== 10) p++;
      if (p < inputEnd) p++;
      slowStart = start;
    }
    if (areChanges) dropOldImages(p - start);
    if (!isTaken) return count;
    count++;
  }
  return count;
}

/** Forgets old images when they are many, or large; also those of lines that were left. */
function dropOldImages(lineBytes: usize): void {
  oldBytes += lineBytes;
  if (oldImages.n < oldImagesMax && oldBytes < oldBytesMax) return;
  clearImage(oldImages);
  oldBytes = 0;
}

/** Where the line that was left stands in the block, from 0; -1: none was. */
export function slowLineStart(): i32 {
  return slowStart === 0 ? -1 : <i32>(slowStart - input);
}

/** Where the line that was left ends, its newline included: there the lane goes on. */
export function slowLineEnd(): i32 {
  return <i32>(p - input);
}

/** Rows scanned. */
export function rowCount(): i32 {
  return rows.n;
}

/** Bytes held by the rows, about. */
export function rowBytes(): i32 {
  let total = byteSize(keys) + byteSize(lives) + byteSize(rows.nulls) + byteSize(writtenAt);
  for (let i = 0; i < rows.columnCount; i++) total += byteSize(columnOf(rows, i));
  return total;
}

/** Brings all columns up to the row count. */
export function settleRows(): void {
  const n = rows.n;
  for (let i = 0; i < rows.columnCount; i++) settle(columnOf(rows, i), n);
  settle(keys, n);
  settle(lives, n);
  settle(rows.nulls, n);
  settle(writtenAt, n);
  settle(misfits, n);
}

/** Takes all rows back; their room stays. */
export function clearRows(): void {
  clearImage(rows);
  clear(keys);
  clear(lives);
  clear(rows.nulls);
  clear(writtenAt);
  clear(misfits);
}

function clearImage(image: Image): void {
  for (let i = 0; i < image.columnCount; i++) clear(columnOf(image, i));
  image.n = 0;
}

function truncateImage(image: Image): void {
  for (let i = 0; i < image.columnCount; i++) truncate(columnOf(image, i), image.n);
}

/** Takes back what was pushed of a row that is not ended. */
function takeBack(): void {
  truncateImage(rows);
  truncate(rows.nulls, rows.nulls.n);
  if (areChanges) {
    truncateImage(oldImages);
    clearImage(keyImages);
  }
  keys.length = keys.offsets === 0 ? 0 : load<i32>(keys.offsets + (keys.n << 2));
  for (let i = 0; i < logged; i++) {
    const at = histograms + (load<i32>(log + (i << 2)) << 2);
    store<u32>(at, load<u32>(at) - 1);
  }
}

/** `{"Item":{…}}` and the line's end. */
function line(): bool {
  logged = 0;
  hasNull = false;
  // {"Item":
  if (load<u64>(p) !== 0x3a226d657449227b || load<u8>(p, 8) !== 123) return false;
  p += 9;
  if (!item(rows) || !lineEnd() || !keyOf(rows, keys)) return false;
  endRecord(true);
  return true;
}

/** The record's closing brace, and the line's end. */
function lineEnd(): bool {
  if (load<u8>(p) !== 125) return false;
  p++;
  if (p === inputEnd) return true;
  return load<u8>(p++) === 10;
}

/** `{"Metadata":…,"Keys":{…},"OldImage":{…},"NewImage":{…}}`, the images where they are, and the line's end. */
function change(): bool {
  logged = 0;
  hasNull = false;
  if (!isNext('{"Metadata":{"WriteTimestampMicros":{"N":"')) return false;
  let micros: u64 = 0;
  const first = p;
  for (let digit: u32 = <u32>load<u8>(p) - 48; digit <= 9; digit = <u32>load<u8>(p) - 48) {
    micros = micros * 10 + digit;
    p++;
  }
  // Whole numbers up to 2^53 - 1, as the other scanner takes them.
  if (p === first || p - first > 16 || micros > 9007199254740991) return false;
  if (!isNext('"}},"Keys":{') || !item(keyImages)) return false;
  probe.length = 0;
  if (!keyOf(keyImages, probe)) return false;
  const keyLength = probe.length;
  if (isNext(',"OldImage":{')) {
    if (!item(oldImages) || !keyOf(oldImages, probe)) return false;
    if (!isSame(probe.data + keyLength, probe.length - keyLength, probe.data, keyLength))
      return false;
    oldImages.n++;
  }
  const isAlive = isNext(',"NewImage":{');
  const before = keys.length;
  if (isAlive) {
    if (!item(rows) || !keyOf(rows, keys)) return false;
    if (!isSame(keys.data + before, keys.length - before, probe.data, keyLength)) return false;
  }
  if (!lineEnd()) return false;
  if (!isAlive) {
    deletedKey();
    reserveBytes(keys, keyLength);
    memory.copy(keys.data + before, probe.data, keyLength);
    keys.length += keyLength;
  }
  pushLong(writtenAt, <i64>micros);
  endRecord(isAlive);
  clearImage(keyImages);
  return true;
}

/** The key's columns of a row that only deletes. */
function deletedKey(): void {
  for (let i = 0; i < keyCount; i++) {
    const column = columnOf(rows, i);
    if (column.n < rows.n) appendNulls(column, rows.n - column.n);
    const key = columnOf(keyImages, i);
    pushBytes(column, key.data, key.length);
  }
}

/** Goes past a text, if it is what comes next. */
function isNext(text: string): bool {
  const length = text.length;
  for (let i = 0; i < length; i++) {
    if (load<u8>(p + i) !== <u8>text.charCodeAt(i)) return false;
  }
  p += length;
  return true;
}

function isSame(a: usize, aLength: i32, b: usize, bLength: i32): bool {
  return compareBytes(a, aLength, b, bLength) === 0;
}

/** The attributes of an item, behind its opening brace. */
function item(image: Image): bool {
  const row = image.n;
  const names = image.names;
  let last = -1;
  if (load<u8>(p) === 125) return false;
  for (;;) {
    const index = findName(names, p, last);
    if (index < 0) return false;
    p += nameLength(names, index);
    last = index;
    const slot = columnOf(image, index);
    const behind = row - slot.n;
    if (behind !== 0) {
      if (behind < 0) return false;
      appendNulls(slot, behind);
    }
    // {"NULL":true}
    if (load<u32>(p, 2) === 0x4c4c554e) {
      if (load<u64>(p) !== 0x3a224c4c554e227b || load<u32>(p, 8) !== 0x65757274) return false;
      if (load<u8>(p, 12) !== 125) return false;
      p += 13;
      appendNulls(slot, 1);
      if (image === rows) {
        pushBytes(rows.nulls.child, slot.path, slot.pathLength);
        hasNull = true;
      }
    } else if (!value(slot)) return false;
    const c = load<u8>(p);
    p++;
    if (c === 125) break;
    if (c !== 44) return false;
  }
  return true;
}

/** Appends the comparable key of an image's last row to the bytes of a column, without ending a row there. */
function keyOf(image: Image, to: Slot): bool {
  for (let i = 0; i < keyCount; i++) {
    if (!keyPart(columnOf(image, i), image.n, i === keyCount - 1, to)) return false;
  }
  return true;
}

/** Ends a row whose key was written. */
function endRecord(isAlive: bool): void {
  const row = rows.n;
  endRow(keys, keys.length);
  if (lives.n === lives.capacity) reserve(lives, lives.n + 1);
  store<u8>(lives.ok + row, 1);
  store<u8>(lives.data + row, isAlive ? 1 : 0);
  lives.n = row + 1;
  rows.n = row + 1;
  if (!hasNull) return;
  const nulls = rows.nulls;
  const elements = nulls.child.n;
  if (nulls.n < row) {
    // Rows before had none: the open elements are this row's.
    nulls.child.n = nulls.n === 0 ? 0 : load<i32>(nulls.offsets + (nulls.n << 2));
    appendNulls(nulls, row - nulls.n);
    nulls.child.n = elements;
  }
  endRow(nulls, elements);
}

/** The form is that of ../../sort-keys.ts. */
function keyPart(slot: Slot, row: i32, isLast: bool, to: Slot): bool {
  if (slot.n !== row + 1 || load<u8>(slot.ok + row) === 0) return false;
  const start = load<i32>(slot.offsets + (row << 2));
  const length = load<i32>(slot.offsets + (row << 2), 4) - start;
  if (length === 0) return false;
  const from = slot.data + start;
  reserveBytes(to, max(length * 2 + 2, 64));
  const place = to.data + to.length;
  if (slot.code === N) {
    to.length += numberKey(from, length, place);
    return true;
  }
  if (isLast) {
    memory.copy(place, from, length);
    to.length += length;
    return true;
  }
  let at = place;
  for (let i = 0; i < length; i++) {
    const c = load<u8>(from + i);
    store<u8>(at++, c);
    if (c === 0) store<u8>(at++, 255);
  }
  store<u16>(at, 0);
  to.length += <i32>(at - place) + 2;
  return true;
}

/** A number in plain canonical text (sign, digits, at most one point). */
function numberKey(from: usize, length: i32, to: usize): i32 {
  let i = 0;
  const isNegative = load<u8>(from) === 45;
  if (isNegative) i++;
  let point = length;
  let first = -1;
  let last = -1;
  for (let j = i; j < length; j++) {
    const c = load<u8>(from + j);
    if (c === 46) point = j;
    else if (c !== 48) {
      if (first < 0) first = j;
      last = j;
    }
  }
  if (first < 0) {
    store<u8>(to, 0x80);
    return 1;
  }
  const flip: u8 = isNegative ? 0xff : 0;
  // Digits before the point; below one: zeros behind it, negative.
  const magnitude = (first < point ? point - first : point + 1 - first) + 512;
  store<u8>(to, isNegative ? 0x40 : 0xc0);
  store<u8>(to, <u8>(magnitude >> 8) ^ flip, 1);
  store<u8>(to, <u8>(magnitude & 255) ^ flip, 2);
  let at = 3;
  for (let j = first; j <= last; j++) {
    const c = load<u8>(from + j);
    if (c !== 46) store<u8>(to + at++, c ^ flip);
  }
  store<u8>(to + at, flip);
  return at + 1;
}

// ---- values

/** `{"T":…}` into a slot. */
function value(slot: Slot): bool {
  if (load<u16>(p) !== 0x227b) return false;
  if (load<u16>(p, 3) === 0x3a22) {
    const tag = load<u8>(p, 2);
    const code = slot.code;
    p += 5;
    if (tag === 83) {
      if (code !== S || !pushString(slot)) return false;
    } else if (tag === 78) {
      if (code !== N || !pushNumber(slot, slot)) return false;
    } else if (tag === 77) {
      if (code === M) {
        if (!struct(slot)) return false;
      } else if (code !== MAP || !dictionary(slot)) return false;
    } else if (tag === 76) {
      if (code !== L || !list(slot)) return false;
    } else if (tag !== 66 || code !== B || !pushBinary(slot)) return false;
  } else if (load<u16>(p, 4) === 0x3a22) {
    const tag = load<u16>(p, 2);
    const code = slot.code;
    p += 6;
    if (tag === 0x5353) {
      if (code !== SS || !bytesSet(slot, false)) return false;
    } else if (tag === 0x534e) {
      if (code !== NS || !numberSet(slot)) return false;
    } else if (tag !== 0x5342 || code !== BS || !bytesSet(slot, true)) return false;
  } else {
    // {"BOOL":
    if (slot.code !== BOOL || load<u64>(p) !== 0x3a224c4f4f42227b) return false;
    p += 8;
    let flag: u8 = 1;
    if (load<u32>(p) === 0x65757274) p += 4;
    else if (load<u32>(p) === 0x736c6166 && load<u8>(p, 4) === 101) {
      p += 5;
      flag = 0;
    } else return false;
    const n = slot.n;
    if (n === slot.capacity) reserve(slot, n + 1);
    store<u8>(slot.ok + n, 1);
    store<u8>(slot.data + n, flag);
    slot.n = n + 1;
  }
  if (load<u8>(p) !== 125) return false;
  p++;
  return true;
}

function struct(slot: Slot): bool {
  if (load<u8>(p) !== 123) return false;
  p++;
  if (load<u8>(p) === 125) {
    p++;
    endStruct(slot);
    return true;
  }
  const table = changetype<Names>(slot.names);
  const row = slot.n;
  let last = -1;
  for (;;) {
    const index = findName(table, p, last);
    if (index < 0) return false;
    p += nameLength(table, index);
    last = index;
    const field = fieldOf(slot, index);
    const behind = row - field.n;
    if (behind !== 0) {
      if (behind < 0) return false;
      appendNulls(field, behind);
    }
    if (!value(field)) return false;
    const c = load<u8>(p);
    p++;
    if (c === 125) break;
    if (c !== 44) return false;
  }
  endStruct(slot);
  return true;
}

function dictionary(slot: Slot): bool {
  if (load<u8>(p) !== 123) return false;
  p++;
  const entries = slot.child;
  const keySlot = fieldOf(entries, 0);
  const below = fieldOf(entries, 1);
  const first = entries.n;
  if (load<u8>(p) === 125) p++;
  else {
    for (;;) {
      if (keySlot.n - first === namesMax) return false;
      if (!pushString(keySlot) || load<u8>(p) !== 58) return false;
      p++;
      const row = keySlot.n - 1;
      for (let i = first; i < row; i++) if (compareRows(keySlot, i, row) === 0) return false;
      if (!value(below)) return false;
      endStruct(entries);
      const c = load<u8>(p);
      p++;
      if (c === 125) break;
      if (c !== 44) return false;
    }
  }
  endRow(slot, entries.n);
  return true;
}

function list(slot: Slot): bool {
  if (load<u8>(p) !== 91) return false;
  p++;
  const below = slot.child;
  if (load<u8>(p) === 93) p++;
  else {
    for (;;) {
      if (!value(below)) return false;
      const c = load<u8>(p);
      p++;
      if (c === 93) break;
      if (c !== 44) return false;
    }
  }
  endRow(slot, below.n);
  return true;
}

function bytesSet(slot: Slot, isBinary: bool): bool {
  if (load<u8>(p) !== 91) return false;
  p++;
  const child = slot.child;
  const first = child.n;
  for (;;) {
    if (isBinary ? !pushBinary(child) : !pushString(child)) return false;
    const c = load<u8>(p);
    p++;
    if (c === 93) break;
    if (c !== 44) return false;
  }
  if (!sortMembers(child, first)) return false;
  endRow(slot, child.n);
  return true;
}

function compareRows(slot: Slot, a: i32, b: i32): i32 {
  const offsets = slot.offsets;
  const x = load<i32>(offsets + (a << 2));
  const y = load<i32>(offsets + (b << 2));
  return compareBytes(
    slot.data + x,
    load<i32>(offsets + (a << 2), 4) - x,
    slot.data + y,
    load<i32>(offsets + (b << 2), 4) - y,
  );
}

/** Puts the rows of a byte column from `first` on in the order of their bytes. False: too many, or one stands twice. */
function sortMembers(slot: Slot, first: i32): bool {
  const end = slot.n;
  let isSorted = true;
  for (let i = first + 1; i < end; i++) {
    const order = compareRows(slot, i - 1, i);
    if (order === 0) return false;
    if (order > 0) {
      isSorted = false;
      break;
    }
  }
  if (isSorted) return true;
  const count = end - first;
  if (count > membersMax) return false;
  const offsets = slot.offsets;
  const from = load<i32>(offsets + (first << 2));
  const bytes = slot.length - from;
  if (bytes > scratchCapacity) {
    scratchCapacity = bytes * 2;
    scratch = alloc(scratchCapacity);
  }
  memory.copy(scratch, slot.data + from, bytes);
  for (let i = 0; i < count; i++) {
    const start = load<i32>(offsets + ((first + i) << 2)) - from;
    const stop = load<i32>(offsets + ((first + i) << 2), 4) - from;
    let at = i;
    while (at > 0) {
      const before = load<i32>(starts + ((at - 1) << 2));
      const order = compareBytes(
        scratch + before,
        load<i32>(ends + ((at - 1) << 2)) - before,
        scratch + start,
        stop - start,
      );
      if (order === 0) return false;
      if (order < 0) break;
      store<i32>(starts + (at << 2), before);
      store<i32>(ends + (at << 2), load<i32>(ends + ((at - 1) << 2)));
      at--;
    }
    store<i32>(starts + (at << 2), start);
    store<i32>(ends + (at << 2), stop);
  }
  let to = from;
  for (let i = 0; i < count; i++) {
    const start = load<i32>(starts + (i << 2));
    const length = load<i32>(ends + (i << 2)) - start;
    memory.copy(slot.data + to, scratch + start, length);
    to += length;
    store<i32>(offsets + ((first + i) << 2), to, 4);
  }
  return true;
}

/** A set of numbers that are longs, or decimals of up to 18 digits. */
function numberSet(slot: Slot): bool {
  if (load<u8>(p) !== 91) return false;
  p++;
  const child = slot.child;
  if (child.layout !== LONG) return false;
  const first = child.n;
  for (;;) {
    if (!pushNumber(slot, child)) return false;
    const c = load<u8>(p);
    p++;
    if (c === 93) break;
    if (c !== 44) return false;
  }
  const end = child.n;
  if (end - first > membersMax) return false;
  const words = child.data;
  for (let i = first + 1; i < end; i++) {
    const value = load<i64>(words + (i << 3));
    let at = i;
    while (at > first) {
      const before = load<i64>(words + ((at - 1) << 3));
      if (before === value) return false;
      if (before < value) break;
      store<i64>(words + (at << 3), before);
      at--;
    }
    store<i64>(words + (at << 3), value);
  }
  endRow(slot, end);
  return true;
}

// ---- scalars; p stands at the opening quote

/** A string, its escapes resolved. */
function pushString(slot: Slot): bool {
  let from = p;
  if (load<u8>(from) !== quote) return false;
  from++;
  const room = slot.dataCapacity - slot.length;
  if (room < 256) reserveBytes(slot, 256);
  let at = slot.data + slot.length;
  let limit = slot.data + slot.dataCapacity - 32;
  const quotes = i8x16.splat(34);
  const slashes = i8x16.splat(92);
  const spaces = i8x16.splat(32);
  for (;;) {
    if (at > limit) {
      slot.length = <i32>(at - slot.data);
      reserveBytes(slot, max(slot.length, 1024));
      // `length` is put right below; what is not ended is cut off by its offsets.
      at = slot.data + slot.length;
      limit = slot.data + slot.dataCapacity - 32;
    }
    const text = v128.load(from);
    v128.store(at, text);
    const hits = i8x16.bitmask(
      v128.or(v128.or(i8x16.eq(text, quotes), i8x16.eq(text, slashes)), i8x16.lt_u(text, spaces)),
    );
    if (hits === 0) {
      from += 16;
      at += 16;
      continue;
    }
    const plain = ctz(hits);
    from += plain;
    at += plain;
    const c = load<u8>(from);
    if (c === quote) break;
    if (c !== 92) return false;
    const length = resolveEscape(from, at);
    if (length === 0) return false;
    from += length & 15;
    at += length >> 4;
  }
  p = from + 1;
  slot.length = <i32>(at - slot.data);
  endRow(slot, slot.length);
  return true;
}

/** Resolves the escape at `from` to `at`. Returns the bytes read + 16 * the bytes written; 0: leave the line. */
function resolveEscape(from: usize, at: usize): i32 {
  const c = load<u8>(from, 1);
  if (c === quote || c === 92 || c === 47) {
    store<u8>(at, c);
    return 2 + 16;
  }
  if (c === 110) {
    store<u8>(at, 10);
    return 2 + 16;
  }
  if (c === 116) {
    store<u8>(at, 9);
    return 2 + 16;
  }
  if (c === 114) {
    store<u8>(at, 13);
    return 2 + 16;
  }
  if (c === 98) {
    store<u8>(at, 8);
    return 2 + 16;
  }
  if (c === 102) {
    store<u8>(at, 12);
    return 2 + 16;
  }
  if (c !== 117) return 0;
  const code = hex(from + 2);
  if (code < 0) return 0;
  if (code < 0x80) {
    store<u8>(at, <u8>code);
    return 6 + 16;
  }
  if (code < 0x800) {
    store<u8>(at, <u8>(0xc0 | (code >> 6)));
    store<u8>(at, <u8>(0x80 | (code & 63)), 1);
    return 6 + 32;
  }
  if (code >= 0xd800 && code <= 0xdfff) return resolvePair(code, from, at);
  store<u8>(at, <u8>(0xe0 | (code >> 12)));
  store<u8>(at, <u8>(0x80 | ((code >> 6) & 63)), 1);
  store<u8>(at, <u8>(0x80 | (code & 63)), 2);
  return 6 + 48;
}

/** A pair of surrogates, the first of which is read; half of one is not for the lane. */
function resolvePair(first: i32, from: usize, at: usize): i32 {
  if (first >= 0xdc00 || load<u16>(from, 6) !== 0x755c) return 0;
  const second = hex(from + 8);
  if (second < 0xdc00 || second > 0xdfff) return 0;
  const code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
  store<u8>(at, <u8>(0xf0 | (code >> 18)));
  store<u8>(at, <u8>(0x80 | ((code >> 12) & 63)), 1);
  store<u8>(at, <u8>(0x80 | ((code >> 6) & 63)), 2);
  store<u8>(at, <u8>(0x80 | (code & 63)), 3);
  return 12 + 64;
}

/** Four hexadecimal digits; -1: they are not. */
function hex(from: usize): i32 {
  let code = 0;
  for (let i = 0; i < 4; i++) {
    const c = <i32>load<u8>(from + i);
    let digit = c - 48;
    if (digit < 0 || digit > 9) {
      digit = (c | 32) - 87;
      if (digit < 10 || digit > 15) return -1;
    }
    code = (code << 4) | digit;
  }
  return code;
}

/** Base64, exactly as an encoder writes it. */
function pushBinary(slot: Slot): bool {
  if (load<u8>(p) !== quote) return false;
  const start = p + 1;
  let end = start;
  const quotes = i8x16.splat(34);
  for (;;) {
    const hits = i8x16.bitmask(i8x16.eq(v128.load(end), quotes));
    if (hits !== 0) {
      end += ctz(hits);
      break;
    }
    end += 16;
    if (end > inputEnd) return false;
  }
  const size = <i32>(end - start);
  if ((size & 3) !== 0) return false;
  reserveBytes(slot, (size >> 2) * 3 + 4);
  let at = slot.data + slot.length;
  if (size > 0) {
    const last = end - 4;
    for (let from = start; from < last; from += 4) {
      const a = <u32>load<u8>(base64Of + load<u8>(from));
      const b = <u32>load<u8>(base64Of + load<u8>(from, 1));
      const c = <u32>load<u8>(base64Of + load<u8>(from, 2));
      const d = <u32>load<u8>(base64Of + load<u8>(from, 3));
      if ((a | b | c | d) > 63) return false;
      const bits = (a << 18) | (b << 12) | (c << 6) | d;
      store<u8>(at, <u8>(bits >> 16));
      store<u8>(at, <u8>(bits >> 8), 1);
      store<u8>(at, <u8>bits, 2);
      at += 3;
    }
    const a = <u32>load<u8>(base64Of + load<u8>(last));
    const b = <u32>load<u8>(base64Of + load<u8>(last, 1));
    let c: u32 = 0;
    let d: u32 = 0;
    let bytes = 3;
    if (load<u8>(last, 3) === 61) {
      if (load<u8>(last, 2) === 61) bytes = 1;
      else {
        bytes = 2;
        c = <u32>load<u8>(base64Of + load<u8>(last, 2));
        if ((c & 3) !== 0) return false;
      }
      if (bytes === 1 && (b & 15) !== 0) return false;
    } else {
      c = <u32>load<u8>(base64Of + load<u8>(last, 2));
      d = <u32>load<u8>(base64Of + load<u8>(last, 3));
    }
    if ((a | b | c | d) > 63) return false;
    const bits = (a << 18) | (b << 12) | (c << 6) | d;
    store<u8>(at, <u8>(bits >> 16));
    if (bytes > 1) store<u8>(at, <u8>(bits >> 8), 1);
    if (bytes > 2) store<u8>(at, <u8>bits, 2);
    at += bytes;
  }
  p = end + 1;
  slot.length = <i32>(at - slot.data);
  endRow(slot, slot.length);
  return true;
}

/** A number of up to 18 digits as DynamoDB writes it: `slot` says how its column (or a set's) holds numbers. */
function pushNumber(slot: Slot, column: Slot): bool {
  if (load<u8>(p) !== quote) return false;
  let at = p + 1;
  const isNegative = load<u8>(at) === 45;
  if (isNegative) at++;
  const first = at;
  let m: u64 = 0;
  let point: usize = 0;
  let c: u32 = load<u8>(at);
  for (;;) {
    const digit = c - 48;
    if (digit <= 9) m = m * 10 + digit;
    else if (c === 46 && point === 0) point = at;
    else break;
    c = load<u8>(++at);
  }
  if (c !== 34) return false;
  let digits = <i32>(at - first);
  let fraction = 0;
  if (point !== 0) {
    digits--;
    fraction = <i32>(at - point) - 1;
    if (fraction === 0) return false;
  }
  const integer = digits - fraction;
  if (digits > 18 || integer <= 0) return false;
  const isBelowOne = load<u8>(first) === 48;
  if (isBelowOne && integer > 1) return false;
  let stop = at;
  while (fraction > 0 && m % 10 === 0) {
    m /= 10;
    fraction--;
    stop--;
  }
  const numberClass =
    <i32>load<u8>(scaleClass + fraction) * integerClasses + (isBelowOne ? 0 : integer);
  if (load<u8>(slot.fits + numberClass) === 0) return false;
  if (logged === logMax) return false;
  const counter = slot.histogram + numberClass;
  const place = histograms + (counter << 2);
  store<u32>(place, load<u32>(place) + 1);
  store<i32>(log + (logged << 2), counter);
  logged++;
  const start = p + 1;
  p = at + 1;
  if (slot.isText !== 0) {
    // The canonical text: without zeros behind the last digit, and zero without a sign.
    if (point !== 0 && fraction === 0) stop = point;
    const from = m === 0 ? stop - 1 : start;
    pushBytes(column, from, <i32>(stop - from));
    return true;
  }
  const shift = slot.scale - fraction;
  // What a column of 64 bits holds stays below 10^18 when it is scaled, whatever zeros were written beside it.
  if (column.layout === LONG || digits + shift <= 18) {
    const scaled = <i64>(m * load<u64>(powersOf10 + (shift << 3)));
    pushLong(column, isNegative ? -scaled : scaled);
  } else pushWide(column, m, shift, isNegative);
  return true;
}

/** Appends m * 10^shift, of up to 38 digits. */
function pushWide(slot: Slot, m: u64, shift: i32, isNegative: bool): void {
  let low = m;
  let high: u64 = 0;
  for (let left = shift; left > 0; ) {
    const step = min(left, 9);
    const factor = load<u64>(powersOf10 + (step << 3));
    // 128 x 30 bits, by halves of the low word.
    const a = (low & 0xffffffff) * factor;
    const b = (low >> 32) * factor + (a >> 32);
    low = (b << 32) | (a & 0xffffffff);
    high = high * factor + (b >> 32);
    left -= step;
  }
  if (isNegative) {
    low = ~low + 1;
    high = ~high + (low === 0 ? 1 : 0);
  }
  const n = slot.n;
  if (n === slot.capacity) reserve(slot, n + 1);
  store<u8>(slot.ok + n, 1);
  store<u64>(slot.data + (n << 4), low);
  store<u64>(slot.data + (n << 4), high, 8);
  slot.n = n + 1;
}
