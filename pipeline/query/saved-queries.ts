// Saved queries: SQL files with a header that says what they answer and what they take. `NAME.sql` is Athena's SQL, and
// DuckDB's too unless `NAME.duckdb.sql`, its twin without a header, stands beside it.
// Promises: the first folder that has a name wins; a file without a sound header is refused, not run.
// Spec: queries/README.md (the header).

import { TidelakeError } from '../../schemas/errors.js';
import type { ObjectStore } from '../ports.js';
import { isParamType, type ParamDeclaration } from './params.js';
import { sqlPieces } from './sql-text.js';

/** A saved query, read and checked. */
export interface SavedQuery {
  /** File name without `.sql`. */
  readonly name: string;
  /** Name of the folder it lies in. */
  readonly topic: string;
  readonly uri: string;
  readonly title: string;
  /** The question it answers, as an analyst would ask it. */
  readonly question: string;
  readonly params: readonly ParamDeclaration[];
  /** Tables it reads; `:table` stands for the one that its parameter names. */
  readonly tables: readonly string[];
  /** What it scans, in words. */
  readonly cost: string;
  /** The whole text, header included: Athena's SQL. */
  readonly sql: string;
  /** The same question for DuckDB, with the same parameters; null: DuckDB takes `sql`. */
  readonly duckdbSql: string | null;
}

const suffix = '.sql';
const twinSuffix = '.duckdb.sql';

/** Whether a text can only be a saved query's name: one word, perhaps below folders. No SQL statement of use is. */
export function isQueryName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]*(\/[A-Za-z0-9][A-Za-z0-9_.-]*)*$/.test(text.trim());
}

/** Names and URIs of the saved queries below the folders, sorted by name; a name is listed once, from the first folder. */
export async function listSavedQueries(
  store: ObjectStore,
  folders: readonly string[],
): Promise<readonly { readonly name: string; readonly uri: string }[]> {
  const uris = new Map<string, string>();
  for (const folder of folders) {
    const found: string[] = [];
    for await (const { uri } of store.list(folder)) if (isQueryFile(uri)) found.push(uri);
    for (const uri of found.sort()) {
      const name = uri.slice(uri.lastIndexOf('/') + 1, -suffix.length);
      if (!uris.has(name)) uris.set(name, uri);
    }
  }
  return [...uris].map(([name, uri]) => ({ name, uri })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Reads a saved query by name (`revenue-by-day` or `mystore/revenue-by-day`). Throws USAGE when there is none. */
export async function readSavedQuery(
  store: ObjectStore,
  folders: readonly string[],
  name: string,
): Promise<SavedQuery> {
  for (const folder of folders) {
    for await (const { uri } of store.list(folder)) {
      if (uri.endsWith(`/${name}${suffix}`) && isQueryFile(uri)) return readQueryFile(store, uri);
    }
  }
  const names = (await listSavedQueries(store, folders)).map((query) => query.name);
  throw new TidelakeError({
    code: 'USAGE',
    what: `there is no saved query ${JSON.stringify(name)}`,
    meaning: names.length === 0 ? 'no saved queries were found' : `there are: ${names.join(', ')}`,
    next: 'tidelake query NAME, or tidelake query "SELECT …"',
  });
}

/** The saved queries below a folder, read, in order of topic and name. Throws USAGE for one that is not sound. */
export async function readSavedQueries(
  store: ObjectStore,
  folder: string,
): Promise<readonly SavedQuery[]> {
  const uris: string[] = [];
  for await (const { uri } of store.list(folder)) if (isQueryFile(uri)) uris.push(uri);
  return Promise.all(uris.sort().map((uri) => readQueryFile(store, uri)));
}

function isQueryFile(uri: string): boolean {
  return uri.endsWith(suffix) && !uri.endsWith(twinSuffix);
}

async function readQueryFile(store: ObjectStore, uri: string): Promise<SavedQuery> {
  const text = async (at: string): Promise<string> =>
    new TextDecoder().decode(await store.read(at));
  const twin = `${uri.slice(0, -suffix.length)}${twinSuffix}`;
  const hasTwin = (await store.size(twin)) !== null;
  return parseSavedQuery(uri, await text(uri), hasTwin ? await text(twin) : null);
}

/** Reads a query's header. Throws USAGE with the line that is wrong. */
export function parseSavedQuery(
  uri: string,
  sql: string,
  duckdbSql: string | null = null,
): SavedQuery {
  const [topic = '', file = ''] = uri.split('/').slice(-2);
  const name = file.replace(/\.sql$/, '');
  const header = new Map<string, string[]>();
  for (const line of sql.split(/\r?\n/)) {
    if (line.trim() === '') continue;
    const found = /^--\s*(title|question|params|tables|cost):\s*(.*?)\s*$/.exec(line);
    if (found !== null) header.set(found[1]!, [...(header.get(found[1]!) ?? []), found[2]!]);
    else if (!line.startsWith('--')) break;
  }
  const one = (key: string): string => {
    const values = header.get(key);
    if (values?.length !== 1 || values[0] === '')
      throw unsound(name, `it needs one line "-- ${key}: …"`);
    return values[0]!;
  };
  return {
    name,
    topic,
    uri,
    title: one('title'),
    question: one('question'),
    params: (header.get('params') ?? []).map((line) => parseParam(name, line)),
    tables: one('tables').split(/\s*,\s*/),
    cost: one('cost'),
    sql,
    duckdbSql,
  };
}

/** The text without the header and other comments, trimmed: what is sent to Athena, which may count a `?` in a comment. */
export function queryBody(sql: string): string {
  return sqlPieces(sql)
    .map(({ text }) => (/^(--|\/\*)/.test(text) ? '' : text))
    .join('')
    .replace(/[ \t]+$/gm, '')
    .trim();
}

function parseParam(query: string, line: string): ParamDeclaration {
  const found = /^([a-z][a-z0-9_]*)\s+([a-z]+)(?:\s*=\s*(.*))?$/.exec(line);
  const type = found?.[2];
  if (found === null || type === undefined || !isParamType(type)) {
    throw unsound(query, `"-- params: ${line}" is not "name type" or "name type = default"`);
  }
  return { name: found[1]!, type, defaultText: found[3] ?? null };
}

function unsound(name: string, reason: string): TidelakeError {
  return new TidelakeError({
    code: 'USAGE',
    what: `the saved query ${name} has no sound header: ${reason}`,
    meaning: 'it was not run',
    next: 'correct the header of the file',
  });
}
