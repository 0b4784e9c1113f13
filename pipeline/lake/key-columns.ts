// The key's columns of a data file, by any writer, and nothing else of it.
// Promises: a file whose key cannot be told by field ids is refused, never read as rows without keys.
// Source: apache/iceberg format/spec.md, "Column Projection".

import type { ColumnType, TableColumns } from '../../schemas/columns.js';
import { refuse } from '../../schemas/errors.js';
import type { Column } from '../../transforms/columns.js';
import type { KeyedRows } from '../../transforms/locate-keys.js';
import { decodeKeyedRows } from './parquet/decode-rows.js';
import type { ParquetFooter, ReadRange, SchemaNode } from './parquet/footer.js';
import { readFlatColumns } from './parquet/read-flat-columns.js';

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
  if (!withMisfits) {
    const names = keyNames(footer, columns);
    const found = names && (await readFlatColumns(readRange, footer, group, names));
    if (found != null) return [{ columns: found, n: found[0]!.n, misfits: null }];
  }
  if (withMisfits) wanted.add(columns.own.misfits);
  const names = footer.columns
    .filter(({ fieldId }) => fieldId !== null && wanted.has(fieldId))
    .map(({ name }) => name);
  return decodeKeyedRows({ readRange, footer, indexes: [group], columns: names }, columns);
}

/** Names of the key's columns in a file whose types are the table's; null when they are not all there as they are now. */
function keyNames(footer: ParquetFooter, { columns, key }: TableColumns): string[] | null {
  const names: string[] = [];
  for (const { id, type } of columns.slice(0, key.length)) {
    const node = footer.columns.find(({ fieldId }) => fieldId === id);
    if (node === undefined || !isSameStorage(node, type)) return null;
    names.push(node.name);
  }
  return names;
}

/** Whether a file holds values as the table's column does: a retyped key's older files may not. */
function isSameStorage({ physicalType, logicalType }: SchemaNode, type: ColumnType): boolean {
  if (type.kind === 'S') return physicalType === 'BYTE_ARRAY' && logicalType.kind === 'string';
  if (type.kind === 'B') return physicalType === 'BYTE_ARRAY' && logicalType.kind === 'none';
  if (type.kind !== 'N' || physicalType !== 'INT64') return false;
  if (type.number.type === 'long') return logicalType.kind === 'none';
  if (type.number.type !== 'decimal' || logicalType.kind !== 'decimal') return false;
  return logicalType.precision === type.number.precision && logicalType.scale === type.number.scale;
}
