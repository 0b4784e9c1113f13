// Which storage a column type has.

import type { ColumnType, NumberType } from '../schemas/columns.js';
import {
  BytesColumn,
  type Column,
  FlagColumn,
  ListColumn,
  LongColumn,
  StructColumn,
  WideColumn,
} from './columns.js';

/** An empty column for numbers of a type. */
export function makeNumberColumn(number: NumberType): Column {
  if (number.type === 'text') return new BytesColumn();
  if (number.type === 'decimal' && number.precision === 38) return new WideColumn();
  return new LongColumn();
}

/** An empty column for values of a type. */
export function makeColumn(type: ColumnType): Column {
  switch (type.kind) {
    case 'S':
    case 'B':
    case 'JSON':
      return new BytesColumn();
    case 'BOOL':
      return new FlagColumn();
    case 'N':
      return makeNumberColumn(type.number);
    case 'SS':
    case 'BS':
      return new ListColumn(new BytesColumn());
    case 'NS':
      return new ListColumn(makeNumberColumn(type.number));
    case 'L':
      return new ListColumn(makeColumn(type.element));
    case 'M':
      return new StructColumn(type.fields.map((field) => makeColumn(field.type)));
    case 'MAP':
      return new ListColumn(new StructColumn([new BytesColumn(), makeColumn(type.value)]));
  }
}

/** A settled column of so many absent rows. */
export function absentColumn(type: ColumnType, n: number): Column {
  const column = makeColumn(type);
  column.appendNulls(n);
  column.settle();
  return column;
}

/** A column as it is scanned or rendered: original attribute name and type. */
export interface TypedAttribute {
  readonly attribute: string;
  readonly type: ColumnType;
}

/** What stands beside the typed columns of rows. */
export interface RowMarks {
  /** Microseconds since the epoch. */
  readonly writtenAt: LongColumn;
  /** RFC 6901 paths of NULLs. */
  readonly nulls: ListColumn<BytesColumn>;
  /** Attribute name -> DynamoDB JSON of values that fit no column. */
  readonly misfits: ListColumn<StructColumn>;
  /** The row's key in comparable form (see sort-keys). */
  readonly keys: BytesColumn;
  /** 1: the row is an item; 0: only its key counts, the item is to be deleted. */
  readonly lives: FlagColumn;
}

function emptyMarks(): RowMarks {
  return {
    writtenAt: new LongColumn(),
    nulls: new ListColumn(new BytesColumn()),
    misfits: new ListColumn(new StructColumn([new BytesColumn(), new BytesColumn()])),
    keys: new BytesColumn(),
    lives: new FlagColumn(),
  };
}

/** Rows of a table: typed columns in the order of `types`, and what stands beside them. */
export class Rows implements RowMarks {
  readonly types: readonly TypedAttribute[];
  readonly columns: readonly Column[];
  readonly writtenAt: LongColumn;
  readonly nulls: ListColumn<BytesColumn>;
  readonly misfits: ListColumn<StructColumn>;
  readonly keys: BytesColumn;
  readonly lives: FlagColumn;

  constructor(types: readonly TypedAttribute[], columns?: readonly Column[], marks?: RowMarks) {
    this.types = types;
    this.columns = columns ?? types.map((column) => makeColumn(column.type));
    const { writtenAt, nulls, misfits, keys, lives } = marks ?? emptyMarks();
    this.writtenAt = writtenAt;
    this.nulls = nulls;
    this.misfits = misfits;
    this.keys = keys;
    this.lives = lives;
  }

  get n(): number {
    return this.keys.n;
  }
  /** All columns with the same row count, ours last. */
  get all(): readonly Column[] {
    return [...this.columns, this.writtenAt, this.nulls, this.misfits, this.keys, this.lives];
  }
  get byteSize(): number {
    let total = 0;
    for (const column of this.all) total += column.byteSize;
    return total;
  }
  /** Takes all rows back; the memory stays. */
  clear(): void {
    for (const column of this.all) column.clear();
  }
  /** Brings lagging columns up to the row count. */
  settle(): void {
    for (const column of this.all) {
      if (column.n < this.n) column.appendNulls(this.n - column.n);
      column.settle();
    }
  }
  appendRange(source: Rows, start: number, end: number): void {
    const from = source.all;
    this.all.forEach((column, i) => {
      column.appendRange(from[i]!, start, end);
    });
  }
  /** Appends row rows[i] of sources[parts[i]], for all i. */
  takeFrom(sources: readonly Rows[], parts: Uint32Array, rows: Int32Array): void {
    const from = sources.map((source) => source.all);
    this.all.forEach((column, i) => {
      column.takeFrom(
        from.map((all) => all[i]!),
        parts,
        rows,
      );
    });
  }
  take(source: Rows, indices: Int32Array, start = 0, end: number = indices.length): void {
    const from = source.all;
    this.all.forEach((column, i) => {
      column.take(from[i]!, indices, start, end);
    });
  }
}
