// What the inspecting commands share: the tables a target means, and counting over a live table with the query engine.
// Promises: the engine is closed whatever happens; a table that is not there is refused by name.
// Spec: DESIGN.md, "The command" (status, log, schema, verify).

import { refuse, TidelakeError } from '../../schemas/errors.js';
import type { IcebergField, IcebergSchema } from '../../schemas/iceberg.js';
import { openCatalog } from '../lake/open-catalog.js';
import { type OpenTable, openTable } from '../lake/open-table.js';
import type { QueryEngine, World } from '../ports.js';
import { queryMemoryMb } from '../query/query.js';
import type { Target } from '../reports.js';

/** Names of the tables a target means: the one it names, else all of its database. Throws REFUSED_NO_TABLE. */
export async function targetTables(world: World, target: Target): Promise<readonly string[]> {
  const catalog = await openCatalog(world, target);
  if (target.table === undefined) return catalog.tables(target.database);
  const entry = await catalog.current(target.database, target.table);
  if (entry === null) throw noTable(target, target.table);
  return [target.table];
}

/** Opens one table. Throws REFUSED_NO_TABLE, and what opening throws. */
export async function openNamed(world: World, target: Target, name: string): Promise<OpenTable> {
  const catalog = await openCatalog(world, target);
  const { database } = target;
  const table = await openTable({ store: world.store, catalog, database, table: name });
  if (table === null) throw noTable(target, name);
  return table;
}

/** The one table a target means: the named one, or the only one there is. Throws REFUSED_NO_TABLE, USAGE when unclear. */
export async function openTarget(world: World, target: Target): Promise<OpenTable> {
  const names = await targetTables(world, target);
  if (names.length === 1) return openNamed(world, target, names[0]!);
  if (names.length === 0) {
    throw refuse(
      'REFUSED_NO_TABLE',
      `there is no table in the database ${target.database} of ${target.lake}`,
      'nothing was read',
      'tidelake load EXPORT makes one from a full export',
    );
  }
  throw new TidelakeError({
    code: 'USAGE',
    what: `the database ${target.database} has ${names.length} tables: ${names.slice(0, 20).join(', ')}`,
    meaning: 'nothing was read',
    next: '--table NAME',
  });
}

/** The message for a table that is not there. */
export function noTable(target: Target, table: string): TidelakeError {
  return refuse(
    'REFUSED_NO_TABLE',
    `there is no table ${target.database}.${table} in ${target.lake}`,
    'nothing was read',
    'tidelake status lists the tables; tidelake load makes one from a full export',
  );
}

/** Runs `work` with an engine of its own. */
export async function withEngine<T>(
  world: World,
  work: (engine: QueryEngine) => Promise<T>,
): Promise<T> {
  const engine = await world.engine({ threads: world.units.width, memoryMb: queryMemoryMb });
  try {
    return await work(engine);
  } finally {
    await engine.close();
  }
}

/** All rows of a query whose result is known to be small. */
export async function rowsOf(engine: QueryEngine, sql: string): Promise<(readonly unknown[])[]> {
  const rows: (readonly unknown[])[] = [];
  for await (const row of (await engine.query(sql)).rows) rows.push(row);
  return rows;
}

/** The columns of the table's key, partition key first. Throws REFUSED_FORMAT when the schema lacks one. */
export function keyFields(table: OpenTable, schema: IcebergSchema): readonly IcebergField[] {
  // Key columns come first in every schema, in the order of the key.
  const fields = schema.fields.slice(0, table.state.key.length);
  if (fields.length > 0 && fields.length === table.state.key.length) return fields;
  throw refuse(
    'REFUSED_FORMAT',
    `the schema of ${table.table} has fewer columns than its key has attributes`,
    'rows cannot be told apart, so nothing was checked',
    'load a full export again',
  );
}
