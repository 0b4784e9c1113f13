// The key's columns of a data file, by any writer, and nothing else of it.
// Promises: a file whose key cannot be told by field ids is refused, never read as rows without keys.
// Source: apache/iceberg format/spec.md, "Column Projection".

import type { TableColumns } from '../../schemas/columns.js';
import { refuse } from '../../schemas/errors.js';
import { ipcToKeyedRows } from '../../transforms/arrow-rows.js';
import type { Column } from '../../transforms/columns.js';
import type { KeyedRows } from '../../transforms/locate-keys.js';
import { decodeRowGroups } from './parquet/decode-row-group.js';
import type { ParquetFooter, ReadRange } from './parquet/footer.js';

/** Throws REFUSED_FORMAT for a file that lacks a column of the key by field id. */
export function checkKeys(footer: ParquetFooter, columns: TableColumns): void {
  const ids = new Set(footer.columns.map((column) => column.fieldId));
  if (columns.columns.slice(0, columns.key.length).every((column) => ids.has(column.id))) return;
  throw refuse(
    'REFUSED_FORMAT',
    `a data file of another program lacks the key's columns by field id (${footer.name.slice(footer.name.lastIndexOf('/') + 1)})`,
    'its rows cannot be told apart; nothing was written',
    "run Athena's OPTIMIZE … REWRITE DATA USING BIN_PACK on the table, or tidelake load a new full export",
  );
}

/** The keys of one row group, batch by batch; with `withMisfits`, which of its rows have a misfit. */
export async function readKeys(
  readRange: ReadRange,
  footer: ParquetFooter,
  group: number,
  columns: TableColumns,
  withMisfits: boolean,
): Promise<(KeyedRows & { readonly misfits: Column | null })[]> {
  const wanted = new Set(columns.columns.slice(0, columns.key.length).map(({ id }) => id));
  if (withMisfits) wanted.add(columns.own.misfits);
  const names = footer.columns
    .filter(({ fieldId }) => fieldId !== null && wanted.has(fieldId))
    .map(({ name }) => name);
  return ipcToKeyedRows(
    await decodeRowGroups({ readRange, footer, indexes: [group], columns: names }),
    columns,
  );
}
