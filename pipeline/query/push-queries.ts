// Saved queries, views and checks brought to an Athena workgroup: as NamedQueries, which the console shows, and as
// PreparedStatements, which EXECUTE runs.
// Promises: pushing twice changes nothing; only what bears Tidelake's mark of this database is changed or removed, and
// removed only when asked; a statement of another's that has our name refuses the push before anything is written.
// Spec: queries/README.md; Amazon Athena User Guide, "Use parameterized queries".

import { refuse } from '../../schemas/errors.js';
import { openCatalog } from '../lake/open-catalog.js';
import type { QueryShelf, ShelvedQuery, World } from '../ports.js';
import type { PushRow, Target } from '../reports.js';
import { namesFilled } from './fill-names.js';
import { lintQuery, type QueryKind } from './lint-query.js';
import { exampleOf, type ParamDeclaration, paramLiteral, positionalParams } from './params.js';
import { queryBody, readSavedQueries, type SavedQuery } from './saved-queries.js';
import { quoteName } from './sql-text.js';

export interface PushRequest extends Target {
  /** Folders of saved queries, views and checks, as URIs. */
  readonly folders: readonly { readonly uri: string; readonly kind: QueryKind }[];
  /** Values of names and instants that stand in the text, e.g. the `column` of `duplicates`. */
  readonly params?: Readonly<Record<string, string>>;
  /** Says what would be done, and does nothing. */
  readonly dryRun: boolean;
  /** Removes what Tidelake pushed before and would not push now. */
  readonly prune: boolean;
}

/** What one query becomes in a workgroup, or why it becomes nothing. */
interface Wanted {
  readonly shelved: readonly ShelvedQuery[];
  readonly skipped: readonly PushRow[];
}

/** Pushes and says what was done, one row per query and statement, in order of name. */
export async function pushQueries(
  world: World,
  shelf: QueryShelf,
  request: PushRequest,
): Promise<readonly PushRow[]> {
  const { shelved, skipped } = await wantedQueries(world, request);
  const steps = planPush(shelved, await shelf.list(), request);
  if (!request.dryRun) {
    for (const { action, query } of steps) {
      if (action === 'create') await shelf.create(query);
      else if (action === 'update') await shelf.update(query);
      else if (action === 'remove') await shelf.remove(query);
    }
  }
  const rows = steps.map(({ action, query, reason }) => rowOf(query, action, reason));
  return [...rows, ...skipped].sort((a, b) =>
    a.kind === b.kind ? (a.name < b.name ? -1 : 1) : a.kind === 'query' ? -1 : 1,
  );
}

function rowOf(
  query: Pick<ShelvedQuery, 'kind' | 'name'>,
  action: PushRow['action'],
  reason: string | null,
): PushRow {
  return { kind: query.kind, name: query.name, action, reason };
}

// ---------------------------------------------------------------- what is wanted

async function wantedQueries(world: World, request: PushRequest): Promise<Wanted> {
  const catalog = await openCatalog(world, request);
  const all = await catalog.tables(request.database);
  const tables = request.table === undefined ? all : all.filter((one) => one === request.table);
  if (tables.length === 0) {
    throw refuse(
      'REFUSED_NO_TABLE',
      `there is no table ${request.table ?? 'at all'} in the database ${request.database} of ${request.lake}`,
      'nothing was pushed',
      'tidelake status lists the tables; tidelake load makes one from a full export',
    );
  }
  const shelved: ShelvedQuery[] = [];
  const skipped: PushRow[] = [];
  for (const { uri, kind } of request.folders) {
    for (const query of await readSavedQueries(world.store, uri)) {
      checkSound(query, kind);
      for (const table of tables) {
        if (!isAbout(query, table)) continue;
        const target = { ...request, table };
        const values = pick(request.params ?? {}, query.params);
        const filled = await namesFilled({ world, catalog, target, query, values });
        const lacking = lackingValues(query, filled);
        const name = `${table}/${query.name}`;
        if (lacking.length === 0) {
          shelved.push(...shelvedOf({ query, kind, table, values: filled, request }));
        } else {
          const flags = lacking.map((one) => `--param ${one.name}=${exampleOf(one.type)}`);
          skipped.push({ kind: 'query', name, action: 'skip', reason: `needs ${flags.join(' ')}` });
        }
      }
    }
  }
  return { shelved, skipped };
}

function checkSound(query: SavedQuery, kind: QueryKind): void {
  const [complaint] = lintQuery(query, kind);
  if (complaint === undefined) return;
  throw refuse(
    'REFUSED_FORMAT',
    `the saved query ${query.topic}/${query.name} is not sound: ${complaint}`,
    'nothing was pushed',
    'correct the file',
  );
}

/** Whether a query is one about a table: it takes any, or names this one first. */
export function isAbout(query: SavedQuery, table: string): boolean {
  return query.tables[0] === ':table' || query.tables[0] === table;
}

function pick(
  values: Readonly<Record<string, string>>,
  declared: readonly ParamDeclaration[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    declared
      .filter(({ name }) => Object.hasOwn(values, name))
      .map(({ name }) => [name, values[name]!]),
  );
}

/** The parameters that stand in the text and have no value. */
export function lackingValues(
  query: SavedQuery,
  values: Readonly<Record<string, string>>,
): readonly ParamDeclaration[] {
  const inPlaces = new Set(positionalOf(query, values).names);
  return query.params.filter(
    ({ name, defaultText }) =>
      !inPlaces.has(name) && defaultText === null && !Object.hasOwn(values, name),
  );
}

/** The text with a `?` for each value; what lacks a value is given an example, so that places can be counted. */
function positionalOf(
  query: SavedQuery,
  values: Readonly<Record<string, string>>,
): ReturnType<typeof positionalParams> {
  const examples = Object.fromEntries(
    query.params
      .filter(({ name, defaultText }) => defaultText === null && !Object.hasOwn(values, name))
      .map(({ name, type }) => [name, exampleOf(type)]),
  );
  const sql = queryBody(query.sql);
  return positionalParams({ sql, declared: query.params, values: { ...examples, ...values } });
}

/** The NamedQuery, and the PreparedStatement of all but views, that a query becomes for one table. */
export function shelvedOf(options: {
  readonly query: SavedQuery;
  readonly kind: QueryKind;
  readonly table: string;
  readonly values: Readonly<Record<string, string>>;
  readonly request: Pick<PushRequest, 'database'>;
}): readonly ShelvedQuery[] {
  const { query, kind, table, values, request } = options;
  const { database } = request;
  const { sql, names } = positionalOf(query, values);
  const places = names.map((name) => {
    const declaration = query.params.find((one) => one.name === name)!;
    const value =
      values[declaration.name] ?? declaration.defaultText ?? exampleOf(declaration.type);
    return `${declaration.name} ${declaration.type}, e.g. ${paramLiteral(declaration, value, 'athena')}`;
  });
  const parameters = places.length === 0 ? '' : ` Parameters, in order: ${places.join('; ')}.`;
  const description = described(
    `${query.title}. ${query.question} Cost: ${query.cost}.${parameters}`,
    markOf(database, table),
  );
  const view = kind === 'view' ? viewHeader(database, query.name) : '';
  const named: ShelvedQuery = {
    kind: 'query',
    id: null,
    name: `${table}/${query.name}`.slice(0, queryNameMax),
    description,
    database,
    sql: `${view}${sql}\n`,
  };
  if (kind === 'view') return [named];
  const name = statementName(table, query.name);
  return [named, { ...named, kind: 'statement', name, database: null, sql: `${sql}\n` }];
}

/** Most characters of a NamedQuery's name and of a description (Athena API Reference). */
const queryNameMax = 128;
const descriptionMax = 1024;

function described(text: string, mark: string): string {
  const room = descriptionMax - mark.length - 1;
  return `${text.length <= room ? text : `${text.slice(0, room - 1)}…`} ${mark}`;
}

function viewHeader(database: string, name: string): string {
  return `CREATE OR REPLACE VIEW ${quoteName(database)}.${quoteName(name.replaceAll('-', '_'))} AS\n`;
}

/** A name that a prepared statement may have: letters, digits and _, no digit first, 256 characters at most. */
export function statementName(table: string, query: string): string {
  const name = `${table}_${query}`.replace(/[^A-Za-z0-9_]/g, '_');
  return (/^\d/.test(name) ? `_${name}` : name).slice(0, 256);
}

/** What tells Tidelake's own from everybody else's, and whose table it is about. It ends a description. */
function markOf(database: string, table: string): string {
  return `[tidelake ${database}.${table}]`;
}

// ---------------------------------------------------------------- what is to be done

interface Step {
  readonly action: PushRow['action'];
  readonly query: ShelvedQuery;
  readonly reason: string | null;
}

/** What turns what is there into what is wanted. Throws REFUSED_NAME_TAKEN. */
export function planPush(
  wanted: readonly ShelvedQuery[],
  present: readonly ShelvedQuery[],
  options: { readonly database: string; readonly table?: string; readonly prune: boolean },
): readonly Step[] {
  const { database, table, prune } = options;
  const keyOf = (query: ShelvedQuery): string => `${query.kind} ${query.name}`;
  const own = new Map<string, ShelvedQuery[]>();
  for (const query of present) {
    if (markedTable(query, database) === null) continue;
    own.set(keyOf(query), [...(own.get(keyOf(query)) ?? []), query]);
  }
  const taken = wanted.filter(
    (query) =>
      query.kind === 'statement' &&
      !own.has(keyOf(query)) &&
      present.some((one) => keyOf(one) === keyOf(query)),
  );
  if (taken.length > 0) {
    throw refuse(
      'REFUSED_NAME_TAKEN',
      `prepared statements that are not Tidelake's for ${database} have these names: ${taken
        .slice(0, 10)
        .map((query) => query.name)
        .join(', ')}`,
      'nothing was pushed, since a push changes only its own',
      'rename or remove them, or push into another --workgroup',
    );
  }
  const steps: Step[] = wanted.map((query) => {
    const [before] = own.get(keyOf(query)) ?? [];
    if (before === undefined) return { action: 'create', query, reason: null };
    const isSame =
      before.sql === query.sql &&
      before.description === query.description &&
      before.database === query.database;
    // An update cannot change the database.
    return { action: isSame ? 'keep' : 'update', query: { ...query, id: before.id }, reason: null };
  });
  const wantedKeys = new Set(wanted.map(keyOf));
  for (const [key, all] of own) {
    for (const query of wantedKeys.has(key) ? all.slice(1) : all) {
      if (table !== undefined && markedTable(query, database) !== table) continue;
      steps.push(
        prune
          ? { action: 'remove', query, reason: null }
          : { action: 'stale', query, reason: 'no longer shipped; --prune removes it' },
      );
    }
  }
  return steps;
}

/** The table that the mark of a description names, or null for what is not Tidelake's own of this database. */
function markedTable(query: ShelvedQuery, database: string): string | null {
  const mark = /\[tidelake ([^\s.\]]+)\.([^\s\]]+)\]$/.exec(query.description);
  if (mark === null || mark[1] !== database) return null;
  return query.kind === 'query' && query.database !== database ? null : mark[2]!;
}
