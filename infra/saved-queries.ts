// The saved queries that come with Tidelake, as named queries of the workgroup.
// Promises: every file below queries/saved with a sound header, under its own name, as it stands.
// Source: queries/README.md; Amazon Athena API Reference, CreateNamedQuery (limits).

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { CfnNamedQuery, type CfnWorkGroup } from 'aws-cdk-lib/aws-athena';
import type { Construct } from 'constructs';
import { parseSavedQuery } from '../pipeline/query/saved-queries.js';

/** A saved query as text. */
export interface SavedQueryText {
  readonly name: string;
  readonly description: string;
  readonly sql: string;
}

/** Athena's limit on the description of a named query, in characters. */
const descriptionCharsMax = 1024;

/** The queries below a folder, sorted by name. */
export function loadSavedQueries(folder: string): readonly SavedQueryText[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.sql'))
    .map((name) => {
      const query = parseSavedQuery(name, readFileSync(path.join(folder, name), 'utf8'));
      return {
        name: query.name,
        description: `${query.title}. ${query.question}`.slice(0, descriptionCharsMax),
        sql: query.sql,
      };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Saves the queries in a workgroup. */
export function saveQueries(
  scope: Construct,
  workgroup: CfnWorkGroup,
  database: string,
  queries: readonly SavedQueryText[],
): void {
  for (const { name, description, sql } of queries) {
    const saved = new CfnNamedQuery(scope, `Query-${name}`, {
      name,
      description,
      database,
      workGroup: workgroup.name,
      queryString: sql,
    });
    saved.addResourceDependency(workgroup);
  }
}
