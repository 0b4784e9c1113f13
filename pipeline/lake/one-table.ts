// Which table a command is about when it names none.

import { refuse } from '../../schemas/errors.js';
import type { Catalog } from '../ports.js';
import type { Target } from '../reports.js';

/** The named table, or the only one of the database. Throws REFUSED_NO_TABLE. */
export async function oneTable(catalog: Catalog, target: Target): Promise<string> {
  const tables = await catalog.tables(target.database);
  if (target.table !== undefined) {
    if (tables.includes(target.table)) return target.table;
    throw missing(`there is no table ${target.table} in database ${target.database}`);
  }
  if (tables.length === 1) return tables[0]!;
  throw missing(
    tables.length === 0
      ? `the lake has no table in database ${target.database}`
      : `database ${target.database} has ${tables.length} tables: ${tables.join(', ')}`,
  );
}

function missing(what: string): Error {
  return refuse(
    'REFUSED_NO_TABLE',
    what,
    'nothing was read or written',
    'name one with --table; tidelake status lists them, tidelake load makes one from a full export',
  );
}
