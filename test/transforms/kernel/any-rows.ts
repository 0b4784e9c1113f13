// Arbitrary rows, made by pushing into columns: every storage, nested, with absent rows, empty and long values.
// Promises: one seed makes the same rows again.

import fc from 'fast-check';
import type { ColumnType, Field, TableColumns } from '../../../schemas/columns.js';
import {
  BytesColumn,
  type Column,
  FlagColumn,
  ListColumn,
  LongColumn,
  type StructColumn,
  WideColumn,
} from '../../../transforms/columns.js';
import { Rows, type TypedAttribute } from '../../../transforms/make-columns.js';

const leaf: fc.Arbitrary<ColumnType> = fc.constantFrom<ColumnType[]>(
  { kind: 'S' },
  { kind: 'B' },
  { kind: 'BOOL' },
  { kind: 'N', number: { type: 'long' } },
  { kind: 'N', number: { type: 'decimal', precision: 38, scale: 2 } },
  { kind: 'SS', elementId: 0 },
  { kind: 'NS', elementId: 0, number: { type: 'decimal', precision: 18, scale: 2 } },
);

const field = (type: ColumnType, i: number): Field => ({
  id: 0,
  name: `f${i}`,
  attribute: `f${i}`,
  type,
});

/** Column types of every kind, nested up to three deep. */
export const anyType: fc.Arbitrary<ColumnType> = fc.letrec<{ type: ColumnType }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    leaf,
    tie('type').map((element): ColumnType => ({ kind: 'L', elementId: 0, element })),
    tie('type').map((value): ColumnType => ({ kind: 'MAP', keyId: 0, valueId: 0, value })),
    fc
      .array(tie('type'), { minLength: 1, maxLength: 3 })
      .map((types): ColumnType => ({ kind: 'M', fields: types.map(field) })),
  ),
})).type;

/** Columns of a table. */
export const anyTypes: fc.Arbitrary<TypedAttribute[]> = fc
  .array(anyType, { maxLength: 4 })
  .map((types) => types.map((type, i) => ({ attribute: `a${i}`, type })));

/** Whole numbers below `below`, the same for one seed. Source: Marsaglia, "Xorshift RNGs". */
export function numbersFrom(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

type Next = (below: number) => number;

function anyBytes(next: Next): Uint8Array {
  const sizes = [0, next(8), 15 + next(3), next(40), 31 + next(3), 255 + next(3), 300 + next(600)];
  const size = sizes[next(40) === 0 ? 6 : next(6)]!;
  return Uint8Array.from({ length: size }, () => next(256));
}

function pushValue(column: Column, next: Next, nullsOf: number): void {
  if (next(10) < nullsOf) {
    column.appendNulls(1);
    column.settle();
    return;
  }
  if (column instanceof BytesColumn) {
    const bytes = anyBytes(next);
    column.pushBytes(bytes, 0, bytes.length);
  } else if (column instanceof LongColumn) column.pushNumber(next(2 ** 31) - 2 ** 30);
  else if (column instanceof WideColumn) {
    column.pushBigInt(BigInt(next(2 ** 31)) * 10n ** BigInt(next(28)) - BigInt(next(1000)));
  } else if (column instanceof FlagColumn) column.push(next(2) === 1);
  else if (column instanceof ListColumn) {
    for (let i = next(4); i > 0; i--) pushValue(column.child, next, nullsOf);
    column.end();
  } else {
    const struct = column as StructColumn;
    for (const child of struct.children) pushValue(child, next, nullsOf);
    struct.end();
  }
}

const misfits: ColumnType = { kind: 'MAP', keyId: 0, valueId: 0, value: { kind: 'S' } };

/** A value as tables have them: the names of a map are never absent. */
function pushTyped(column: Column, type: ColumnType, next: Next, nullsOf: number): void {
  const isNested = type.kind === 'L' || type.kind === 'M' || type.kind === 'MAP';
  if (!isNested || next(10) < nullsOf) {
    pushValue(column, next, isNested ? 10 : nullsOf);
    return;
  }
  if (type.kind === 'M') {
    const struct = column as StructColumn;
    type.fields.forEach((field, i) => {
      pushTyped(struct.children[i]!, field.type, next, nullsOf);
    });
    struct.end();
    return;
  }
  const list = column as ListColumn;
  for (let i = next(4); i > 0; i--) {
    if (type.kind === 'L') pushTyped(list.child, type.element, next, nullsOf);
    else {
      const entry = list.child as StructColumn;
      pushValue(entry.children[0]!, next, 0);
      pushTyped(entry.children[1]!, type.value, next, nullsOf);
      entry.end();
    }
  }
  list.end();
}

/** So many settled rows of a table, as they may stand in a file: all text is ASCII, and no name of a map is absent. */
export function tableRowsOf(
  types: readonly TypedAttribute[],
  n: number,
  seed: number,
  nullsOf: number,
): Rows {
  const rows = new Rows(types);
  const next = numbersFrom(seed);
  for (let row = 0; row < n; row++) {
    rows.columns.forEach((column, i) => {
      pushTyped(column, types[i]!.type, next, nullsOf);
    });
    pushValue(rows.writtenAt, next, nullsOf);
    pushTyped(rows.nulls, { kind: 'SS', elementId: 0 }, next, nullsOf);
    pushTyped(rows.misfits, misfits, next, nullsOf);
    rows.keys.pushBytes(new Uint8Array(0), 0, 0);
    rows.lives.push(true);
  }
  rows.settle();
  for (const column of rows.all) toAscii(column);
  return rows;
}

function toAscii(column: Column): void {
  if (column instanceof BytesColumn) {
    for (let i = 0; i < column.length; i++) column.data[i]! &= 0x7f;
  } else if (column instanceof ListColumn) toAscii(column.child);
  else for (const child of (column as StructColumn).children ?? []) toAscii(child);
}

/**
 * So many settled rows. Each has the key that `keyOf` gives for its number.
 *
 * @param nullsOf how many of ten values are absent
 */
export function rowsOf(
  types: readonly TypedAttribute[],
  n: number,
  seed: number,
  nullsOf: number,
  keyOf: (row: number) => Uint8Array,
): Rows {
  const rows = new Rows(types);
  const next = numbersFrom(seed);
  for (let row = 0; row < n; row++) {
    for (const column of rows.columns) pushValue(column, next, nullsOf);
    pushValue(rows.writtenAt, next, nullsOf);
    pushValue(rows.nulls, next, nullsOf);
    pushValue(rows.misfits, next, nullsOf);
    const key = keyOf(row);
    rows.keys.pushBytes(key, 0, key.length);
    rows.lives.push(next(10) > 0);
  }
  rows.settle();
  return rows;
}

/** The types with ids of their own, as columns of a table without a key. */
export function tableOf(types: readonly TypedAttribute[]): TableColumns {
  let id = 0;
  const withIds = (type: ColumnType): ColumnType => {
    switch (type.kind) {
      case 'SS':
      case 'BS':
      case 'NS':
        return { ...type, elementId: ++id };
      case 'L':
        return { ...type, elementId: ++id, element: withIds(type.element) };
      case 'MAP':
        return { ...type, keyId: ++id, valueId: ++id, value: withIds(type.value) };
      case 'M':
        return {
          ...type,
          fields: type.fields.map((field) => ({
            ...field,
            id: ++id,
            type: withIds(field.type),
          })),
        };
      default:
        return type;
    }
  };
  const columns = types.map(({ attribute, type }) => ({
    id: ++id,
    name: attribute,
    attribute,
    type: withIds(type),
  }));
  const own = {
    writtenAt: ++id,
    nulls: ++id,
    nullsElement: ++id,
    misfits: ++id,
    misfitsKey: ++id,
    misfitsValue: ++id,
  };
  return { columns, own, key: [], extents: new Map(), lastId: id };
}
