// The names a saved query leaves open and the lake knows: its table, and the columns of the table's key.
// Promises: what a person gives is never replaced; only identifiers of three fixed names are filled.
// Spec: queries/README.md (the header).

import { oneTable } from '../lake/one-table.js';
import { openTable } from '../lake/open-table.js';
import type { Catalog, World } from '../ports.js';
import type { Target } from '../reports.js';
import type { SavedQuery } from './saved-queries.js';

export interface FillOptions {
  readonly world: World;
  readonly catalog: Catalog;
  readonly target: Target;
  readonly query: Pick<SavedQuery, 'params' | 'tables'>;
  readonly values: Readonly<Record<string, string>>;
}

/**
 * The values of a saved query with `table` (the target's, else the only one), `partition_key` and `sort_key` (the
 * table's; of a table without a sort key the partition key again) filled in where the query wants them.
 * Throws REFUSED_NO_TABLE when it is not clear which table is meant.
 */
export async function namesFilled(options: FillOptions): Promise<Readonly<Record<string, string>>> {
  const { world, catalog, target, query } = options;
  const values: Record<string, string> = { ...options.values };
  const isOpen = (name: string): boolean =>
    !Object.hasOwn(values, name) &&
    query.params.some(
      (one) => one.name === name && one.type === 'identifier' && one.defaultText === null,
    );
  if (isOpen('table')) values.table = await oneTable(catalog, target);
  if (!isOpen('partition_key') && !isOpen('sort_key')) return values;
  const name = values.table ?? query.tables[0]!;
  const { database } = target;
  const table = await openTable({ store: world.store, catalog, database, table: name });
  if (table === null) return values;
  // Key columns come first in every schema, in the order of the key.
  const { schemas, 'current-schema-id': schemaId } = table.md;
  const columns = schemas.find((one) => one['schema-id'] === schemaId)?.fields ?? [];
  const partitionKey = columns[0]?.name;
  const sortKey = table.state.key.length > 1 ? columns[1]?.name : partitionKey;
  if (isOpen('partition_key') && partitionKey !== undefined) values.partition_key = partitionKey;
  if (isOpen('sort_key') && sortKey !== undefined) values.sort_key = sortKey;
  return values;
}
