// The fast lane of the scan: lines as DynamoDB usually writes them become rows in a kernel's memory, in the order of the
// lines. Any other line is handed back, untouched, for the scanner that knows every case (../scan-items). What the lane
// takes, it takes exactly as that scanner would.

import type { ColumnType } from '../../schemas/columns.js';
import { depthMax } from '../../schemas/limits.js';
import {
  BytesColumn,
  type Column,
  FlagColumn,
  ListColumn,
  LongColumn,
  StructColumn,
  WideColumn,
} from '../columns.js';
import { numberClasses, scaleClass } from '../decimals.js';
import { Rows } from '../make-columns.js';
import type { ScanPlan } from '../scan-items.js';
import { addColumnStats, Slot } from '../scan-slots.js';
import type { TypeStats } from '../type-stats.js';
import { pathStep } from '../values.js';
import { returnKernel, takeKernel } from './idle-kernel.js';
import type { KernelExports } from './kernel.js';

// How a column is laid out; the same numbers as in assembly/slots.ts.
const BYTES = 0;
const LONG = 1;
const WIDE = 2;
const FLAG = 3;
const LIST = 4;
const STRUCT = 5;

/** Fields and what names them lie in lists of this many bytes each in the kernel's memory. */
const pointerBytes = 4;
/** A name that long is left to the other scanner. */
const nameBytesMax = 1024;
/** Lines after which it is known whether the lane is worth its while. */
const trialLines = 2048;
/** Memory above which columns begin anew with each batch. */
const roomBytesMax = 192 * 1024 * 1024;

/** A column and where its slot lies. */
interface Placed {
  readonly column: Column;
  readonly place: number;
}

/** Places in a slot of assembly/slots.ts, in 32-bit words. */
const slotWords = { n: 2, nulls: 3, ok: 5, offsets: 6, data: 7, length: 8 } as const;

/** Scans lines into rows of one plan after another. Holds a kernel from its making until `close`. */
export class ScanLane {
  private readonly kernel: KernelExports;
  private plan: ScanPlan = { types: [], key: [] };
  private scanned: Rows = new Rows([]);
  private slots: readonly Slot[] = [];
  private placed: Placed[] = [];
  private histogramPlace = 0;
  private histogramLength = 0;
  private records: 'items' | 'changes' = 'items';
  private isTooDeep = false;
  private lines = 0;
  private left = 0;

  constructor() {
    this.kernel = takeKernel();
  }

  /** Gives the kernel back. Rows of `finish` are void afterwards. */
  close(): void {
    returnKernel(this.kernel);
  }

  /** The kernel that the rows lie in. */
  get home(): KernelExports {
    return this.kernel;
  }

  /** Begins anew, with other columns. */
  setPlan(plan: ScanPlan, records: 'items' | 'changes' = 'items'): void {
    const { kernel } = this;
    this.plan = plan;
    this.records = records;
    this.isTooDeep = plan.types.some(({ type }) => depthOf(type) > depthMax);
    this.lines = 0;
    this.left = 0;
    kernel.scanReset();
    this.bytes(kernel.scaleClasses(), 32).set(scaleClass.subarray(0, 32));
    this.scanned = new Rows(plan.types);
    let classes = 0;
    const slotsOf = (rows: Rows): Slot[] =>
      plan.types.map(
        ({ type }, i) =>
          new Slot(type, rows.columns[i]!, (count) => {
            classes += count;
            return classes - count;
          }),
      );
    this.slots = slotsOf(this.scanned);
    this.histogramLength = classes;
    // Old images and Keys have columns of their own, which nobody looks at, and so have their numbers.
    const dropped = new Rows(records === 'changes' ? plan.types : []);
    const droppedSlots = records === 'changes' ? slotsOf(dropped) : [];
    this.placed = [];
    this.histogramPlace = kernel.alloc(classes * 4);
    this.bytes(this.histogramPlace, classes * 4).fill(0);
    const places = this.slots.map((slot) => this.place(slot));
    plan.types.forEach(({ attribute }, i) => {
      const path = Buffer.from(pathStep(attribute), 'utf8');
      kernel.slotPath(places[i]!, this.write(path), path.length);
    });
    kernel.setPlan(
      this.pointers(places),
      places.length,
      this.names(plan.types.map((column) => column.attribute)),
      plan.key.length,
      this.histogramPlace,
    );
    if (records === 'changes') this.setChanges(dropped, droppedSlots);
    const { keys, lives, nulls, writtenAt, misfits } = this.scanned;
    const marks = [keys, lives, nulls, writtenAt, misfits].map((column) => this.placeMark(column));
    const [ofKeys, ofLives, ofNulls, ofWrittenAt, ofMisfits] = marks as [
      number,
      number,
      number,
      number,
      number,
    ];
    kernel.setMarks(ofKeys, ofLives, ofNulls, ofWrittenAt, ofMisfits);
  }

  private setChanges(dropped: Rows, slots: readonly Slot[]): void {
    const { kernel } = this;
    const { key } = this.plan;
    const shown = this.placed;
    this.placed = [];
    const places = slots.map((slot) => this.place(slot));
    const keyPlaces = slots.slice(0, key.length).map((slot) => this.place(slot));
    const nulls = this.placeMark(dropped.nulls);
    const names = this.names(key.map((attribute) => attribute.name));
    const probe = this.placeMark(dropped.keys);
    kernel.setChanges(this.pointers(places), nulls, this.pointers(keyPlaces), names, probe);
    this.placed = shown;
  }

  /** Whether so few lines are usual that looking at them twice costs more than it saves. */
  get isIdle(): boolean {
    return this.isTooDeep || (this.lines > trialLines && this.left * 2 > this.lines);
  }

  get n(): number {
    return this.kernel.rowCount();
  }

  /** Bytes held by the rows, about. */
  get byteSize(): number {
    return this.kernel.rowBytes();
  }

  /**
   * Scans a block that ends at a line's end. `leave` gets every line that is not for the lane, and its place among the
   * lines, from 0; what it throws ends the scan.
   * @returns how many lines there were
   */
  scan(block: Uint8Array, leave: (line: Uint8Array, index: number) => void): number {
    const { kernel } = this;
    const place = kernel.blockPlace(block.length);
    this.bytes(place, block.length).set(block);
    kernel.openBlock(block.length);
    let lines = kernel.scanLines();
    for (let start = kernel.slowLineStart(); start >= 0; start = kernel.slowLineStart()) {
      leave(block.subarray(start, kernel.slowLineEnd()), lines);
      this.left++;
      lines += 1 + kernel.scanLines();
    }
    this.lines += lines;
    return lines;
  }

  /** The rows scanned since the last `reset`, and what was seen. Their columns are views of the kernel's memory, and void
   *  as soon as anything else is scanned. */
  finish(): { readonly rows: Rows; readonly stats: Map<string, TypeStats> } {
    const { kernel } = this;
    kernel.settleRows();
    const { buffer } = kernel.memory;
    for (const { column, place } of this.placed) show(column, new Int32Array(buffer, place, 9));
    const stats = new Map<string, TypeStats>();
    const histogram = new Uint32Array(buffer, this.histogramPlace, this.histogramLength);
    addColumnStats(stats, this.plan.types, this.slots, histogram);
    return { rows: this.scanned, stats };
  }

  /** Takes all rows back. */
  reset(): void {
    if (this.kernel.memory.buffer.byteLength > roomBytesMax) {
      // Columns keep the room they once needed: in turn they could need more than there is.
      const { lines, left } = this;
      this.setPlan(this.plan, this.records);
      this.lines = lines;
      this.left = left;
      return;
    }
    this.kernel.clearRows();
    this.bytes(this.histogramPlace, this.histogramLength * 4).fill(0);
  }

  private bytes(place: number, length: number): Uint8Array {
    return new Uint8Array(this.kernel.memory.buffer, place, length);
  }

  private write(bytes: Uint8Array): number {
    // Names are compared in whole words: some bytes behind them must be readable.
    const place = this.kernel.alloc(bytes.length + 8);
    this.bytes(place, bytes.length).set(bytes);
    return place;
  }

  private pointers(places: readonly number[]): number {
    const place = this.kernel.alloc(places.length * pointerBytes);
    new Int32Array(this.kernel.memory.buffer, place, places.length).set(places);
    return place;
  }

  private names(texts: readonly string[]): number {
    let buckets = 16;
    while (buckets < texts.length * 3) buckets *= 2;
    const table = this.kernel.newNames(texts.length, buckets);
    texts.forEach((text, i) => {
      const quoted = Buffer.from(`${JSON.stringify(text)}:`, 'utf8');
      const isPlain = text !== '' && quoted.length < nameBytesMax && !quoted.includes(92);
      this.kernel.setName(table, i, isPlain ? this.write(quoted) : 0, isPlain ? quoted.length : 0);
    });
    return table;
  }

  /** Makes the kernel's slot for a place of the schema, and for all below it. */
  private place(slot: Slot): number {
    const { kernel } = this;
    const { column, type } = slot;
    const place = this.made(column, slot.code);
    switch (type.kind) {
      case 'N':
        this.setNumber(place, slot);
        break;
      case 'NS':
        this.setNumber(place, slot);
        kernel.slotChild(place, this.made((column as ListColumn).child, slot.code));
        break;
      case 'SS':
      case 'BS':
        kernel.slotChild(place, this.made((column as ListColumn).child, slot.code));
        break;
      case 'L':
        kernel.slotChild(place, this.place(slot.below!));
        break;
      case 'M': {
        const fields = slot.fields.map((field) => this.place(field));
        const names = this.names(type.fields.map((field) => field.attribute));
        kernel.slotFields(place, this.pointers(fields), fields.length, names);
        break;
      }
      case 'MAP': {
        const entries = (column as ListColumn<StructColumn>).child;
        const struct = this.made(entries, slot.code);
        const fields = [this.made(entries.children[0]!, slot.code), this.place(slot.below!)];
        kernel.slotFields(struct, this.pointers(fields), 2, 0);
        kernel.slotChild(place, struct);
        break;
      }
      default:
    }
    return place;
  }

  private setNumber(place: number, slot: Slot): void {
    const isText = slot.number!.type === 'text' ? 1 : 0;
    const fits = this.write(slot.fits!.subarray(0, numberClasses));
    this.kernel.slotNumber(place, fits, slot.histogram, slot.scale, isText);
  }

  /** Our own columns: nothing is scanned into them, so their code says nothing. */
  private placeMark(column: Column): number {
    const place = this.made(column, -1);
    if (column instanceof ListColumn) this.kernel.slotChild(place, this.placeMark(column.child));
    if (column instanceof StructColumn) {
      const fields = column.children.map((child) => this.placeMark(child));
      this.kernel.slotFields(place, this.pointers(fields), fields.length, 0);
    }
    return place;
  }

  private made(column: Column, code: number): number {
    const place = this.kernel.newSlot(code, layoutOf(column));
    this.placed.push({ column, place });
    return place;
  }
}

/** Levels of values of a type, as records count them. */
function depthOf(type: ColumnType): number {
  if (type.kind === 'L') return 1 + depthOf(type.element);
  if (type.kind === 'MAP') return 1 + depthOf(type.value);
  if (type.kind !== 'M') return 0;
  return 1 + type.fields.reduce((most, field) => Math.max(most, depthOf(field.type)), 0);
}

function layoutOf(column: Column): number {
  if (column instanceof BytesColumn) return BYTES;
  if (column instanceof LongColumn) return LONG;
  if (column instanceof WideColumn) return WIDE;
  if (column instanceof FlagColumn) return FLAG;
  return column instanceof ListColumn ? LIST : STRUCT;
}

/** Makes a column show what its slot holds. */
function show(column: Column, slot: Int32Array): void {
  const { buffer } = slot;
  const n = slot[slotWords.n]!;
  const data = slot[slotWords.data]!;
  column.n = n;
  column.nulls = slot[slotWords.nulls]!;
  column.ok = new Uint8Array(buffer, slot[slotWords.ok]!, n);
  if (column instanceof BytesColumn || column instanceof ListColumn) {
    column.offsets = new Int32Array(buffer, slot[slotWords.offsets]!, n + 1);
  }
  if (column instanceof BytesColumn) {
    column.length = slot[slotWords.length]!;
    column.data = new Uint8Array(buffer, data, column.length);
  } else if (column instanceof LongColumn) column.words = new Int32Array(buffer, data, n * 2);
  else if (column instanceof WideColumn) column.words = new Int32Array(buffer, data, n * 4);
  else if (column instanceof FlagColumn) column.flags = new Uint8Array(buffer, data, n);
}
