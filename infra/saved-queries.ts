// The saved queries that come with Tidelake, as named queries of the workgroup.
// Promises: the same names, descriptions and texts as `tidelake queries push` gives them, so that a push finds its own and
// adds what only a loaded table can tell (its key), statements and views.
// Source: pipeline/query/push-queries.ts; Amazon Athena API Reference, CreateNamedQuery (limits).

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { CfnNamedQuery, type CfnWorkGroup } from 'aws-cdk-lib/aws-athena';
import type { Construct } from 'constructs';
import { isAbout, lackingValues, shelvedOf } from '../pipeline/query/push-queries.js';
import { parseSavedQuery } from '../pipeline/query/saved-queries.js';

/** A named query. */
export interface NamedQuery {
  /** Unique, letters, digits and `-`. */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly sql: string;
}

/** The queries below a folder that are about a table of the lake and need to know no more of it than its name. */
export function loadSavedQueries(options: {
  readonly folder: string;
  readonly database: string;
  readonly table: string;
}): readonly NamedQuery[] {
  const { folder, database, table } = options;
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.sql') && !name.endsWith('.duckdb.sql'))
    .sort();
  return files.flatMap((file) => {
    const text = readFileSync(path.join(folder, file), 'utf8');
    const query = parseSavedQuery(file.replaceAll(path.sep, '/'), text);
    const takesTable = query.params.some((one) => one.name === 'table');
    const values: Record<string, string> = takesTable ? { table } : {};
    if (!isAbout(query, table) || lackingValues(query, values).length > 0) return [];
    return shelvedOf({ query, kind: 'saved', table, values, request: { database } })
      .filter(({ kind }) => kind === 'query')
      .map(({ name, description, sql }) => ({
        id: `${table}-${query.name}`,
        name,
        description,
        sql,
      }));
  });
}

/** Saves the queries in a workgroup. */
export function saveQueries(
  scope: Construct,
  workgroup: CfnWorkGroup,
  database: string,
  queries: readonly NamedQuery[],
): void {
  for (const { id, name, description, sql } of queries) {
    const saved = new CfnNamedQuery(scope, `Query-${id}`, {
      name,
      description,
      database,
      workGroup: workgroup.name,
      queryString: sql,
    });
    saved.addResourceDependency(workgroup);
  }
}
