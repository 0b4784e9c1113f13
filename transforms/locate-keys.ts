// Where keys stand among rows of a file, of which only the key's columns have been read.
// Promises: a key is found by its comparable form, so by value and not by writing; rows in the order of their keys are
// searched by halving, in any other order one by one. Spec: sort-keys (the comparable form).

import type { KeyAttribute } from '../schemas/attribute.js';
import type { TableColumns } from '../schemas/columns.js';
import type { BytesColumn, Column } from './columns.js';
import { numberAt } from './render-json.js';
import { KeyWriter } from './sort-keys.js';

/** Rows of which the key's columns are there, partition key first. */
export interface KeyedRows {
  readonly columns: readonly Column[];
  readonly n: number;
}

/** What a key's columns are. */
export type KeyColumns = {
  readonly columns: TableColumns['columns'];
  readonly key: readonly KeyAttribute[];
};

/** Told of every row that has one of the keys: the row, and which key. */
export type UseRow = (row: number, key: number) => void;

/** Appends the parts of one row's key to a writer. */
export function writeKey(
  writer: KeyWriter,
  { columns, key }: KeyColumns,
  rows: readonly Column[],
  row: number,
): void {
  const last = key.length - 1;
  for (let i = 0; i <= last; i++) {
    const column = rows[i]!;
    const type = columns[i]!.type;
    if (type.kind === 'N') writer.numberText(numberAt(type.number, column, row));
    else {
      const bytes = column as BytesColumn;
      writer.bytesPart(bytes.data, bytes.offsets[row]!, bytes.offsets[row + 1]!, i === last);
    }
  }
}

/** Finds keys [from, to) of a sorted key column among rows that are sorted by key, each key once. */
export function locateSorted(
  rows: KeyedRows,
  table: KeyColumns,
  keys: BytesColumn,
  from: number,
  to: number,
  use: UseRow,
): void {
  const probe = new Probe(rows, table);
  let at = 0;
  for (let key = from; key < to && at < rows.n; key++) {
    // Steps that double, then halving: changes are few, and often near each other.
    let low = at;
    let step = 1;
    let high = at;
    while (high < rows.n && probe.compare(high, keys, key) < 0) {
      low = high + 1;
      high += step;
      step *= 2;
    }
    high = Math.min(high, rows.n);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (probe.compare(middle, keys, key) < 0) low = middle + 1;
      else high = middle;
    }
    at = low;
    if (at < rows.n && probe.compare(at, keys, key) === 0) use(at++, key);
  }
}

/** Finds keys of a sorted key column among rows in any order. */
export function locateUnsorted(
  rows: KeyedRows,
  table: KeyColumns,
  keys: BytesColumn,
  use: UseRow,
): void {
  const probe = new Probe(rows, table);
  for (let row = 0; row < rows.n; row++) {
    let low = 0;
    let high = keys.n;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (probe.compare(row, keys, middle) > 0) low = middle + 1;
      else high = middle;
    }
    if (low < keys.n && probe.compare(row, keys, low) === 0) use(row, low);
  }
}

/** Compares rows with keys; the comparable form of a row's key is made when it is first asked for. */
class Probe {
  readonly #rows: KeyedRows;
  readonly #table: KeyColumns;
  readonly #writer = new KeyWriter();
  #row = -1;

  constructor(rows: KeyedRows, table: KeyColumns) {
    this.#rows = rows;
    this.#table = table;
  }

  compare(row: number, keys: BytesColumn, key: number): number {
    const writer = this.#writer;
    if (row !== this.#row) {
      writer.length = 0;
      writeKey(writer, this.#table, this.#rows.columns, row);
      this.#row = row;
    }
    const start = keys.offsets[key]!;
    const length = keys.offsets[key + 1]! - start;
    const shared = Math.min(writer.length, length);
    for (let i = 0; i < shared; i++) {
      const difference = writer.bytes[i]! - keys.data[start + i]!;
      if (difference !== 0) return difference;
    }
    return writer.length - length;
  }
}
