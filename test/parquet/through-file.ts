// Rows into a Parquet file of ours and back, as they go through a table.

import { ParquetAssembler } from '../../pipeline/lake/parquet/assembler.js';
import { decodeRowGroups } from '../../pipeline/lake/parquet/decode-row-group.js';
import type { ParquetFooter } from '../../pipeline/lake/parquet/footer.js';
import type { EncodedRowGroup } from '../../pipeline/lake/parquet/row-group-encoder.js';
import { openZstd } from '../../pipeline/lake/parquet/zstd.js';
import { encodeRows } from '../../pipeline/units/row-groups.js';
import type { TableColumns } from '../../schemas/columns.js';
import { ipcToRows } from '../../transforms/arrow-rows.js';
import type { Rows } from '../../transforms/make-columns.js';

const compress = await openZstd();

/** Row groups of rows, of so many rows at most. */
export function encoded(rows: Rows, table: TableColumns, rowsMax = 65_536): EncodedRowGroup[] {
  return encodeRows(compress, rows, table, rowsMax).map((group) => group.encoded);
}

/** A whole file of row groups. */
export function fileOf(groups: readonly EncodedRowGroup[]): {
  readonly file: Buffer;
  readonly footer: ParquetFooter;
} {
  const assembler = new ParquetAssembler();
  const parts = [assembler.start(), ...groups.map((group) => assembler.add(group))];
  const { tail, footer } = assembler.finish();
  return { file: Buffer.concat([...parts, tail]), footer };
}

/** The rows of a file as parquet-wasm reads them, as an Arrow stream. */
export function arrowOf(groups: readonly EncodedRowGroup[]): Promise<Uint8Array> {
  const { file, footer } = fileOf(groups);
  return decodeRowGroups({
    readRange: async (start, end) => file.subarray(start, end),
    footer,
    indexes: groups.map((_, i) => i),
  });
}

/** Rows written under one table's columns and read under another's. */
export async function throughFile(
  rows: Rows,
  table: TableColumns,
  readAs: TableColumns = table,
): Promise<Rows> {
  return ipcToRows(await arrowOf(encoded(rows, table)), readAs);
}
