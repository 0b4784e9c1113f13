// SQL over the lake tables of a database: every table a view, now or at an instant of the data's time.
// Promises: what is answered is one committed state of each table; the state chosen by a time is named in a note.
// Spec: DESIGN.md, "The command" (query).

import { refuse, TidelakeError } from '../../schemas/errors.js';
import type { Snapshot } from '../../schemas/iceberg.js';
import { currentSnapshot } from '../lake/iceberg/metadata.js';
import { formatInstant } from '../lake/lake-state.js';
import { openCatalog } from '../lake/open-catalog.js';
import { mainLine, type OpenTable, openTable, snapshotAsOf } from '../lake/open-table.js';
import type { Catalog, QueryEngine, QueryResult, World } from '../ports.js';
import type { Target } from '../reports.js';
import { type AsOf, parseAsOf } from './as-of.js';
import { namesFilled } from './fill-names.js';
import { metadataSelects } from './metadata-views.js';
import { neededColumns } from './needed-columns.js';
import { applyParams } from './params.js';
import { isQueryName, listSavedQueries, readSavedQuery } from './saved-queries.js';
import { quoteName, sqlPieces } from './sql-text.js';
import { type SnapshotView, snapshotView } from './table-files.js';
import { replaceTravels, type Travel, travelSnapshot, travelsIn } from './time-travel.js';

/** Memory for the engine's own buffers, in MiB: with Node's own it stays below 1 GiB. */
export const queryMemoryMb = 768;

export interface QueryRequest extends Target {
  /** SQL, or the name of a saved query. */
  readonly sql: string;
  readonly params?: Readonly<Record<string, string>>;
  /** ISO instant, or `snapshot:ID`. */
  readonly asOf?: string;
  /** Folders of saved queries, as URIs; the first that has a name wins. */
  readonly queryFolders?: readonly string[];
  /** Folders of saved views, as URIs: SQL may name them as if they were tables. */
  readonly viewFolders?: readonly string[];
}

/**
 * Answers SQL. Tables are views named `table` and `database.table`; with `table` given, that one only. As in Athena,
 * `"table$snapshots"` and `"table$history"` are what Iceberg knows of it, and `table FOR TIMESTAMP AS OF …` and
 * `FOR VERSION AS OF …` are its past. The engine is closed when the rows have been read, or their reader stops.
 * Throws QUERY_FAILED for what DuckDB refuses, REFUSED_NO_TABLE, REFUSED_AS_OF when no state is that old, USAGE for
 * parameters and times that are wrong.
 */
export async function query(world: World, request: QueryRequest): Promise<QueryResult> {
  const asOf = request.asOf === undefined ? null : parseAsOf(request.asOf);
  const catalog = await openCatalog(world, request);
  const text = await queryText(world, catalog, request);
  const travels = travelsIn(text);
  const sql = replaceTravels(text, travels, viewOfTravel);
  const engine = await world.engine({ threads: world.units.width, memoryMb: queryMemoryMb });
  try {
    const views = await createViews(world, { catalog, engine, request, sql, travels, asOf });
    await fetchNeeded(world, engine, sql, views);
    const result = await engine.query(sql);
    return { columns: result.columns, rows: closingAfter(result.rows, engine) };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

async function queryText(world: World, catalog: Catalog, request: QueryRequest): Promise<string> {
  const values = request.params ?? {};
  if (!isQueryName(request.sql)) return applyParams({ sql: request.sql, declared: null, values });
  const saved = await readSavedQuery(world.store, request.queryFolders ?? [], request.sql.trim());
  const filled = await namesFilled({ world, catalog, target: request, query: saved, values });
  const sql = saved.duckdbSql ?? saved.sql;
  return applyParams({ sql, declared: saved.params, values: filled });
}

/** The rows, with the engine closed after the last. By hand, since another generator costs a third of a large answer. */
function closingAfter(
  rows: AsyncIterable<readonly unknown[]>,
  engine: QueryEngine,
): AsyncIterable<readonly unknown[]> {
  return {
    [Symbol.asyncIterator](): AsyncIterator<readonly unknown[]> {
      const iterator = rows[Symbol.asyncIterator]();
      const close = async (): Promise<void> => {
        await iterator.return?.();
        await engine.close();
      };
      return {
        async next() {
          try {
            const next = await iterator.next();
            if (next.done === true) await close();
            return next;
          } catch (error) {
            await close();
            throw error;
          }
        },
        async return() {
          await close();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

interface ViewsOptions {
  readonly catalog: Catalog;
  readonly engine: QueryEngine;
  readonly request: QueryRequest;
  readonly sql: string;
  readonly travels: readonly Travel[];
  readonly asOf: AsOf | null;
}

/** Brings what the SQL reads of files elsewhere to this machine. */
async function fetchNeeded(
  world: World,
  engine: QueryEngine,
  sql: string,
  views: readonly SnapshotView[],
): Promise<void> {
  const files = views.reduce((sum, view) => sum + view.filesElsewhere, 0);
  if (files === 0) return;
  const columns = await neededColumns(engine, sql);
  if (columns?.length === 0) return;
  const step = world.reporter.step('fetch', files, 'files');
  for (const view of views) await view.fetch(columns, () => step.advance(1));
  step.done();
}

/** Makes the views, and returns the snapshots they read. */
async function createViews(world: World, options: ViewsOptions): Promise<readonly SnapshotView[]> {
  const { catalog, engine, request } = options;
  const { database } = request;
  const all = request.table === undefined ? await catalog.tables(database) : [request.table];
  const views = await viewsNamed(world, request, options.sql);
  const sql = [options.sql, ...views.map((view) => view.sql)].join('\n');
  const named = all.filter((table) => isNamedIn(table, sql));
  // SQL that names no table may list them, or find them by a pattern.
  const wanted = named.length > 0 || request.table !== undefined ? named : all;
  const isSure = named.length > 0;
  await engine.execute(`CREATE SCHEMA IF NOT EXISTS ${quoteName(database)}`);
  const snapshots: SnapshotView[] = [];
  for (const table of wanted) {
    try {
      snapshots.push(...(await createView(world, options, table)));
    } catch (error) {
      if (isSure || !(error instanceof TidelakeError)) throw error;
      world.reporter.warn(`${table} cannot be queried: ${error.message}`);
    }
  }
  await engine.execute(`USE ${quoteName(database)}`);
  for (const view of views) {
    // A lake table of that name comes first.
    if (all.includes(view.name)) continue;
    await engine.execute(`CREATE VIEW ${quoteName(view.name)} AS ${view.sql}`);
  }
  return snapshots;
}

/** The saved views that SQL names, by the name a view has: the file's, with `_` for `-`. */
async function viewsNamed(
  world: World,
  request: QueryRequest,
  sql: string,
): Promise<readonly { readonly name: string; readonly sql: string }[]> {
  const folders = request.viewFolders ?? [];
  const views: { readonly name: string; readonly sql: string }[] = [];
  for (const file of await listSavedQueries(world.store, folders)) {
    const name = file.name.replaceAll('-', '_');
    if (!isNamedIn(name, sql)) continue;
    const view = await readSavedQuery(world.store, folders, file.name);
    views.push({ name, sql: view.duckdbSql ?? view.sql });
  }
  return views;
}

/** Whether a table's name occurs in the SQL, outside comments. Too often is harmless, too rarely is not. */
function isNamedIn(table: string, sql: string): boolean {
  const wanted = table.toLowerCase();
  return sqlPieces(sql).some(
    (piece) => !/^(--|\/\*)/.test(piece.text) && piece.text.toLowerCase().includes(wanted),
  );
}

async function createView(
  world: World,
  options: ViewsOptions,
  name: string,
): Promise<readonly SnapshotView[]> {
  const { catalog, engine, request, asOf } = options;
  const { database } = request;
  const table = await openTable({ store: world.store, catalog, database, table: name });
  if (table === null) {
    throw refuse(
      'REFUSED_NO_TABLE',
      `there is no table ${database}.${name} in ${request.lake}`,
      'nothing was read',
      'tidelake status lists the tables; tidelake load makes one from a full export',
    );
  }
  const snapshot = asOf === null ? currentSnapshot(table.md) : snapshotAt(world, table, asOf);
  const create = async (view: string, select: string): Promise<void> =>
    engine.execute(`CREATE OR REPLACE VIEW ${quoteName(database)}.${view} AS ${select}`);
  const now = await snapshotView(world, table, snapshot);
  await create(quoteName(name), now.select);
  const views = [now];
  for (const [suffix, select] of Object.entries(metadataSelects)) {
    if (isNamedIn(`${name}$${suffix}`, options.sql)) {
      await create(quoteName(`${name}$${suffix}`), select(table.md));
    }
  }
  for (const travel of options.travels) {
    if (travel.table !== name.toLowerCase()) continue;
    const past = travelSnapshot(table.md, travel);
    const then = await snapshotView(world, table, past);
    await create(viewOfTravel(travel), then.select);
    views.push(then);
  }
  return views;
}

/** The name of the view that a time travel reads, quoted; no lake table has a name with `@`. */
function viewOfTravel(travel: Travel): string {
  const { to } = travel;
  return quoteName(
    'snapshotId' in to ? `${travel.table}@${to.snapshotId}` : `${travel.table}@${to.atMs}ms`,
  );
}

/** The snapshot a person asked for, named in a note. Throws REFUSED_AS_OF when there is none. */
export function snapshotAt(world: World, table: OpenTable, asOf: AsOf): Snapshot {
  const snapshot = snapshotAsOf(table.md, asOf);
  const dated = mainLine(table.md).find((one) => one.snapshot === snapshot);
  const when = dated?.watermarkMs == null ? '' : ` as of ${formatInstant(dated.watermarkMs)}`;
  world.reporter.note(`${table.table}${when} (snapshot ${snapshot['snapshot-id']})`);
  return snapshot;
}
