// The comparable keys of rows that are in a table's columns.

import type { TableColumns } from '../schemas/columns.js';
import { BytesColumn, type Column } from './columns.js';
import { writeKey } from './locate-keys.js';
import { KeyWriter } from './sort-keys.js';

/** The comparable keys of the first `n` rows, whose columns begin with the key's. */
export function keysOfRows(
  columns: readonly Column[],
  table: Pick<TableColumns, 'columns' | 'key'>,
  n: number,
): BytesColumn {
  const keys = new BytesColumn();
  const writer = new KeyWriter();
  for (let row = 0; row < n; row++) {
    writeKey(writer, table, columns, row);
    writer.flush(keys);
  }
  return keys;
}
