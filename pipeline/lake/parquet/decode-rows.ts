// Rows of data files of any writer. The Parquet and Arrow libraries are loaded with the first file that needs them: a merge that
// finds its keys in row groups of ours needs neither, and loading them would be a third of its time.

import type { Table } from 'apache-arrow';
import type { TableColumns } from '../../../schemas/columns.js';
import type { Column } from '../../../transforms/columns.js';
import type { KeyedRows } from '../../../transforms/locate-keys.js';
import type { Rows } from '../../../transforms/make-columns.js';
import type { DecodeOptions } from './decode-row-group.js';

/** Row groups as rows of a table. Throws CHECK_FAILED when the file is damaged. */
export async function decodeRows(options: DecodeOptions, table: TableColumns): Promise<Rows> {
  const { ipcToRows } = await import('../../../transforms/arrow-rows.js');
  return ipcToRows(await decoded(options), table);
}

/** The key's columns of row groups, batch by batch; `misfits`: which rows have a misfit, null when none has, or when that
 *  column was not read. Throws CHECK_FAILED when the file is damaged. */
export async function decodeKeyedRows(
  options: DecodeOptions,
  table: TableColumns,
): Promise<(KeyedRows & { readonly misfits: Column | null })[]> {
  const { ipcToKeyedRows } = await import('../../../transforms/arrow-rows.js');
  return ipcToKeyedRows(await decoded(options), table);
}

/** Row groups as Arrow. Throws CHECK_FAILED when the file is damaged. */
export async function decodeArrow(options: DecodeOptions): Promise<Table> {
  const { tableFromIPC } = await import('apache-arrow');
  return tableFromIPC(await decoded(options));
}

async function decoded(options: DecodeOptions): Promise<Uint8Array> {
  const { decodeRowGroups } = await import('./decode-row-group.js');
  return decodeRowGroups(options);
}
