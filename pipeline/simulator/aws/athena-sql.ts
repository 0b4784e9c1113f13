// Athena's SQL on DuckDB, for the simulated Athena: saved queries by their twins, everything else as it stands.
// Promises: parameters keep their types and digits; SQL that DuckDB does not take fails, and is never answered otherwise.
// Spec: queries/README.md (twins); pipeline/query/params.ts (literals).

import type { QueryResult } from '../../ports.js';
import { isTravel } from '../../query/params.js';
import { queryBody, type SavedQuery } from '../../query/saved-queries.js';
import { quoteName, sqlPieces } from '../../query/sql-text.js';
import type { RunSql } from './athena-executions.js';
import { sqlAnswer } from './athena-values.js';

export interface AthenaSqlOptions {
  /** The saved queries, for their twins. */
  readonly queries: () => Promise<readonly SavedQuery[]>;
  /** Answers DuckDB's SQL over the tables of a database. */
  readonly query: (sql: string, database: string) => Promise<QueryResult>;
}

/** Runs what the simulated Athena is asked on our own engine. */
export function athenaSqlOnDuckdb(options: AthenaSqlOptions): RunSql {
  return async (sql, parameters, database) => {
    if (!/^[\s(]*(SELECT|WITH|VALUES|SHOW|DESCRIBE|EXPLAIN)\b/i.test(queryBody(sql))) {
      throw new Error('NOT_SUPPORTED: the simulated Athena answers questions and changes nothing');
    }
    const literals = parameters.map(duckdbLiteral);
    const twin = twinOf(await options.queries(), sql, literals);
    const text = twin ?? withLiterals(queryBody(sql), literals);
    return sqlAnswer(await options.query(text, database ?? 'default'));
  };
}

/** A literal of Trino's in DuckDB's words, where they differ. */
function duckdbLiteral(literal: string): string {
  // DuckDB reads DECIMAL '…' as decimal(18,3).
  const number = /^(?:BIGINT|DECIMAL) '(-?[\d.]+)'$/.exec(literal.trim());
  if (number !== null) return `(${number[1]})`;
  const binary = /^X'([0-9A-F]*)'$/i.exec(literal.trim());
  return binary === null ? literal : `unhex('${binary[1]}')`;
}

/** SQL with a literal in place of each `?` of its code, in their order. */
export function withLiterals(sql: string, literals: readonly string[]): string {
  let next = 0;
  return sqlPieces(sql)
    .map((piece) =>
      piece.isCode ? piece.text.replaceAll('?', () => literals[next++] ?? '?') : piece.text,
    )
    .join('');
}

/** The twin of the saved query that SQL is, with the same names, instants and parameters; null when it is none. */
export function twinOf(
  queries: readonly SavedQuery[],
  sql: string,
  literals: readonly string[],
): string | null {
  const body = queryBody(sql);
  for (const query of queries) {
    if (query.duckdbSql === null) continue;
    const { pattern, places } = patternOf(query);
    const found = pattern.exec(body);
    if (found === null) continue;
    const values = new Map(Object.entries(found.groups ?? {}));
    for (const [i, name] of places.entries()) values.set(name, literals[i] ?? '?');
    return (found[1] ?? '') + filled(query, values);
  }
  return null;
}

const placeholder = /(?<!:):([A-Za-z_][A-Za-z0-9_]*)(?:\$([a-z]+))?/g;

/** A pattern of what Athena is sent for a saved query, perhaps after a WITH; and the parameters of its `?`, in order. */
function patternOf(query: SavedQuery): {
  readonly pattern: RegExp;
  readonly places: readonly string[];
} {
  const identifiers = new Set(
    query.params.filter((param) => param.type === 'identifier').map((param) => param.name),
  );
  const seen = new Set<string>();
  const places: string[] = [];
  const captured = (name: string, form: string): string => {
    if (seen.has(name)) return `\\k<${name}>`;
    seen.add(name);
    return `(?<${name}>${form})`;
  };
  let before = '';
  let source = '';
  for (const piece of sqlPieces(queryBody(query.sql))) {
    if (!piece.isCode) {
      source += escaped(piece.text);
      before += ' ';
      continue;
    }
    let at = 0;
    for (const found of piece.text.matchAll(placeholder)) {
      const [whole, name, metadata] = found as unknown as [string, string, string | undefined];
      source += escaped(piece.text.slice(at, found.index));
      const suffix = metadata === undefined ? '' : `\\$${metadata}`;
      if (identifiers.has(name)) source += `"${captured(name, '[a-z0-9_]{1,128}')}${suffix}"`;
      else if (isTravel(before + piece.text.slice(0, found.index))) {
        source += captured(name, "TIMESTAMP '[^']*'|\\d+");
      } else {
        source += '\\?';
        places.push(name);
      }
      at = found.index + whole.length;
    }
    source += escaped(piece.text.slice(at));
    before += piece.text;
  }
  return { pattern: new RegExp(`^(WITH\\s[\\s\\S]*?\\)\\s+)?${source}$`), places };
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\s+/g, '\\s+');
}

function filled(query: SavedQuery, values: ReadonlyMap<string, string>): string {
  const identifiers = new Set(
    query.params.filter((param) => param.type === 'identifier').map((param) => param.name),
  );
  return sqlPieces(queryBody(query.duckdbSql ?? query.sql))
    .map((piece) =>
      piece.isCode
        ? piece.text.replace(placeholder, (whole, name: string, metadata: string | undefined) => {
            const value = values.get(name);
            if (value === undefined) return whole;
            if (!identifiers.has(name)) return value;
            return quoteName(metadata === undefined ? value : `${value}$${metadata}`);
          })
        : piece.text,
    )
    .join('');
}
