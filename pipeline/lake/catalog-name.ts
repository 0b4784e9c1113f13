// Names of databases and tables in a lake: they are folders, Glue names and SQL names at once.
// Source: Amazon Athena User Guide, "Name databases, tables, and columns"; Apache Iceberg's GlueCatalog.

import { TidelakeError } from '../../schemas/errors.js';

/** Whether every catalog takes the name as it is. */
export function isCatalogName(name: string): boolean {
  return /^[a-z0-9_]{1,255}$/.test(name);
}

/** The name. Throws USAGE for one that some catalog would not take. */
export function checkedCatalogName(name: string): string {
  if (isCatalogName(name)) return name;
  throw new TidelakeError({
    code: 'USAGE',
    what: `${JSON.stringify(name.slice(0, 80))} is no name for a database or table`,
    meaning: 'nothing was read or written',
    next: 'use small letters, digits and underscores',
  });
}
