// The places of a plan, made ready for scanning, and what was counted at them. Shared by the scanner of every case
// (scan-items) and the fast lane (kernel/scan-lane).

import type { Tag } from '../schemas/attribute.js';
import type { ColumnType, NumberType } from '../schemas/columns.js';
import type { BytesColumn, Column, ListColumn, StructColumn } from './columns.js';
import { fitTable, numberClasses } from './decimals.js';
import type { TypedAttribute } from './make-columns.js';
import { NameTable } from './name-table.js';
import { columnValue } from './render-json.js';
import {
  addStats,
  countKind,
  elementOf,
  emptyStats,
  fieldOf,
  observe,
  type TypeStats,
} from './type-stats.js';

// Slot codes: one per way of writing a value, so that the hot switch is over small integers.
export const S = 0;
export const B = 1;
export const BOOL = 2;
export const N = 3;
export const SS = 4;
export const BS = 5;
export const NS = 6;
export const L = 7;
export const M = 8;
export const MAP = 9;
export const JSON_TEXT = 10;

const codes: Readonly<Record<ColumnType['kind'], number>> = {
  S,
  B,
  BOOL,
  N,
  SS,
  BS,
  NS,
  L,
  M,
  MAP,
  JSON: JSON_TEXT,
};

/** A place of the schema, made ready for scanning. */
export class Slot {
  readonly code: number;
  readonly type: ColumnType;
  readonly column: Column;
  /** Of lists and dictionaries: the place below. */
  readonly below: Slot | null = null;
  /** Of structs. */
  readonly fields: readonly Slot[] = [];
  readonly names: NameTable | null = null;
  /** Of N and NS: where its histogram starts, and which classes its column holds. */
  readonly histogram: number = -1;
  readonly fits: Uint8Array | null = null;
  readonly number: NumberType | null = null;
  readonly scale: number = 0;
  /** Of JSON text: what stands there, counted like everything else. */
  stats: TypeStats | null = null;

  constructor(type: ColumnType, column: Column, take: (classes: number) => number) {
    this.code = codes[type.kind];
    this.type = type;
    this.column = column;
    if (type.kind === 'N' || type.kind === 'NS') {
      this.number = type.number;
      this.histogram = take(numberClasses);
      this.fits = fitTable(type.number);
      this.scale = type.number.type === 'decimal' ? type.number.scale : 0;
    }
    if (type.kind === 'L') this.below = new Slot(type.element, (column as ListColumn).child, take);
    if (type.kind === 'MAP') {
      const entries = (column as ListColumn<StructColumn>).child;
      this.below = new Slot(type.value, entries.children[1]!, take);
    }
    if (type.kind === 'M') {
      const children = (column as StructColumn).children;
      this.fields = type.fields.map((field, i) => new Slot(field.type, children[i]!, take));
      this.names = new NameTable(type.fields.map((field) => field.attribute));
    }
    if (type.kind === 'JSON') this.stats = emptyStats();
  }

  /** Drops what was counted. */
  forget(): void {
    if (this.stats !== null) this.stats = emptyStats();
    this.below?.forget();
    for (const field of this.fields) field.forget();
  }
}

/** Adds what stands in settled columns to the statistics of their attributes. `histogram` counts numbers by class, from
 *  each slot's place on. */
export function addColumnStats(
  stats: Map<string, TypeStats>,
  types: readonly TypedAttribute[],
  slots: readonly Slot[],
  histogram: Uint32Array,
): void {
  types.forEach((column, i) => {
    let own = stats.get(column.attribute);
    if (own === undefined) {
      own = emptyStats();
      stats.set(column.attribute, own);
    }
    addColumn(own, slots[i]!, histogram);
  });
}

function utf8(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8', start, end);
}

function addColumn(stats: TypeStats, slot: Slot, histogram: Uint32Array): void {
  const column = slot.column;
  const present = column.n - column.nulls;
  if (present === 0) return;
  switch (slot.code) {
    case JSON_TEXT: {
      addStats(stats, slot.stats!);
      return;
    }
    case N:
    case NS: {
      countKind(stats, slot.code === N ? 'N' : 'NS', present);
      const numbers = slot.code === N ? stats.numbers : stats.members;
      for (let c = 0; c < numberClasses; c++) {
        const count = histogram[slot.histogram + c]!;
        if (count > 0) numbers.set(c, (numbers.get(c) ?? 0) + count);
      }
      return;
    }
    case L:
      countKind(stats, 'L', present);
      if ((column as ListColumn).child.n > 0) addColumn(elementOf(stats), slot.below!, histogram);
      return;
    case MAP: {
      countKind(stats, 'M', present);
      addDictionary(stats, slot, histogram);
      return;
    }
    case M: {
      countKind(stats, 'M', present);
      const type = slot.type as { fields: readonly { attribute: string }[] };
      slot.fields.forEach((field, i) => {
        if (field.column.n > field.column.nulls) {
          addColumn(fieldOf(stats, type.fields[i]!.attribute), field, histogram);
        }
      });
      return;
    }
    default:
      countKind(stats, (slot.type as { kind: Tag }).kind, present);
  }
}

/** A dictionary's names count too: whether it is one depends on how many there are. */
function addDictionary(stats: TypeStats, slot: Slot, histogram: Uint32Array): void {
  const entries = (slot.column as ListColumn<StructColumn>).child;
  if (entries.n === 0) return;
  const [names, values] = entries.children as [BytesColumn, Column];
  for (let i = 0; i < names.n && stats.values === null; i++) {
    if (values.ok[i] === 0) continue; // a NULL counts nowhere
    fieldOf(stats, utf8(names.data, names.offsets[i]!, names.offsets[i + 1]!));
  }
  dictionaryValues(stats, slot, entries, histogram);
}

function dictionaryValues(
  stats: TypeStats,
  slot: Slot,
  entries: StructColumn,
  histogram: Uint32Array,
): void {
  if (stats.values !== null) {
    addColumn(stats.values, slot.below!, histogram);
    return;
  }
  // Few names in this batch: count their values one by one, name by name, so that batches add up exactly.
  const only = entries.children[1]!;
  const names = entries.children[0] as BytesColumn;
  const below = slot.below!;
  for (let i = 0; i < names.n; i++) {
    if (only.ok[i] === 0) continue;
    const name = utf8(names.data, names.offsets[i]!, names.offsets[i + 1]!);
    observe(fieldOf(stats, name), columnValue(below.type, only, i));
  }
}
