// SQL or a saved query, asked in Athena instead of here.
// Promises: values travel as execution parameters, never inside the text; `--as-of` reads the named tables as they were
// then, in the data's own time. Spec: DESIGN.md, "The command" (query); Amazon Athena User Guide, "Perform time travel".

import { TidelakeError } from '../../schemas/errors.js';
import { athenaParameterMax, athenaQueryBytesMax } from '../../schemas/limits.js';
import { openCatalog } from '../lake/open-catalog.js';
import type { QueryResult, RemoteSql, World } from '../ports.js';
import { type AsOf, parseAsOf } from './as-of.js';
import { namesFilled } from './fill-names.js';
import { positionalParams } from './params.js';
import type { QueryRequest } from './query.js';
import { isQueryName, queryBody, readSavedQuery } from './saved-queries.js';
import { quoteName, sqlPieces } from './sql-text.js';
import { travelsIn, withoutTexts } from './time-travel.js';

/**
 * Answers SQL in Athena. The lake is read only for names that a saved query leaves open. Throws QUERY_FAILED for what
 * Athena refuses, USAGE for parameters and times that are wrong, and what the engine throws.
 */
export async function queryAthena(
  world: World,
  athena: RemoteSql,
  request: QueryRequest,
): Promise<QueryResult> {
  const asOf = request.asOf === undefined ? null : parseAsOf(request.asOf);
  const { sql, parameters, tables } = await statementOf(world, request);
  const { database } = request;
  const text = asOf === null ? sql : sqlAsOf({ sql, database, tables, asOf });
  checkLimits(text, parameters);
  return athena.run({ sql: text, parameters, database });
}

interface Statement {
  readonly sql: string;
  readonly parameters: readonly string[];
  /** The tables that a time is meant for. */
  readonly tables: readonly string[];
}

async function statementOf(world: World, request: QueryRequest): Promise<Statement> {
  const values = request.params ?? {};
  const named = request.table === undefined ? [] : [request.table];
  if (!isQueryName(request.sql)) {
    const sql = queryBody(request.sql).replace(/;\s*$/, '');
    return { ...positionalParams({ sql, declared: null, values }), tables: named };
  }
  const saved = await readSavedQuery(world.store, request.queryFolders ?? [], request.sql.trim());
  const catalog = await openCatalog(world, request);
  const filled = await namesFilled({ world, catalog, target: request, query: saved, values });
  const sql = queryBody(saved.sql);
  const tables = saved.tables.map((table) => (table.startsWith(':') ? filled.table! : table));
  return { ...positionalParams({ sql, declared: saved.params, values: filled }), tables };
}

/**
 * SQL in which the tables are as they were: each is hidden behind a WITH of its own name. Athena chooses the newest
 * snapshot at or before the time; snapshots bear the time of their data.
 */
export function sqlAsOf(options: {
  readonly sql: string;
  readonly database: string;
  readonly tables: readonly string[];
  readonly asOf: AsOf;
}): string {
  const { sql, database, tables, asOf } = options;
  const code = withoutTexts(sql);
  const usage = (what: string, next: string): TidelakeError =>
    new TidelakeError({ code: 'USAGE', what, meaning: 'the query was not run', next });
  if (tables.length === 0) {
    throw usage('--as-of needs to know which table is meant', '--table NAME');
  }
  const start = /^(WITH\s+(?:RECURSIVE\s+)?|(?=SELECT\b))/i.exec(code);
  if (start === null) throw usage('only a SELECT can be asked as of a time', 'leave --as-of out');
  if (travelsIn(sql).length > 0) {
    throw usage('the query itself names the time of a table', 'leave --as-of out');
  }
  for (const table of tables) {
    const quoted = `(?:"${table}"|${table})`;
    if (
      new RegExp(`(?:"${database}"|\\b${database})\\s*\\.\\s*${quoted}(?![\\w$])`, 'i').test(code)
    ) {
      throw usage(
        `with --as-of, ${table} is named without its database`,
        `write ${table} instead of ${database}.${table}`,
      );
    }
  }
  const time =
    'snapshotId' in asOf
      ? `FOR VERSION AS OF ${asOf.snapshotId}`
      : `FOR TIMESTAMP AS OF TIMESTAMP '${new Date(asOf.watermarkMs).toISOString().slice(0, 23).replace('T', ' ')} UTC'`;
  const past = tables.map(
    (table) =>
      `${quoteName(table)} AS (SELECT * FROM ${quoteName(database)}.${quoteName(table)} ${time})`,
  );
  const rest = sql.slice(start[0].length);
  return start[0] === ''
    ? `WITH ${past.join(', ')}\n${rest}`
    : `${sql.slice(0, start[0].length)}${past.join(', ')},\n${rest}`;
}

function checkLimits(sql: string, parameters: readonly string[]): void {
  const places = sqlPieces(sql).reduce(
    (count, piece) => count + (piece.isCode ? piece.text.split('?').length - 1 : 0),
    0,
  );
  const refused = (what: string, next: string): TidelakeError =>
    new TidelakeError({ code: 'USAGE', what, meaning: 'the query was not run', next });
  if (places !== parameters.length) {
    throw refused(
      `the query has ${places} places marked ?, but ${parameters.length} parameters`,
      '--param NAME=VALUE for each',
    );
  }
  if (Buffer.byteLength(sql) > athenaQueryBytesMax) {
    throw refused(
      `the query has ${Buffer.byteLength(sql)} bytes; Athena takes ${athenaQueryBytesMax}`,
      'shorten it',
    );
  }
  const long = parameters.findIndex((parameter) => parameter.length > athenaParameterMax);
  if (long >= 0) {
    throw refused(
      `parameter ${long + 1} has ${parameters[long]!.length} characters; Athena takes ${athenaParameterMax}`,
      'compare with something shorter, or ask with --engine duckdb',
    );
  }
}
