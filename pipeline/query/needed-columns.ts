// Which columns SQL over views reads, by the engine's own plan: so that of files elsewhere only these are brought here.
// Promises: a superset of what is read, or null when that is not sure; nothing is read to find out but footers.
// Source: DuckDB documentation, "EXPLAIN"; asked of 1.5.6: scans list their projections and filters.

import { TidelakeError } from '../../schemas/errors.js';
import type { QueryEngine } from '../ports.js';
import { sqlPieces } from './sql-text.js';
import { columnName } from './views.js';

/** Statements of which one plan tells all. Others (PIVOT first asks which values there are) run as several. */
const onePlan = /^\s*\(?\s*(select|with|from|values|describe|show|summarize)\b/i;

/** Field ids that the SQL may read, of all tables together; null: take all. */
export async function neededColumns(
  engine: QueryEngine,
  sql: string,
): Promise<readonly number[] | null> {
  const code = sqlPieces(sql)
    .filter(({ isCode }) => isCode)
    .map(({ text }) => text)
    .join(' ');
  if (!onePlan.test(code) || /;\s*\S|\b(un)?pivot\b/i.test(code)) return null;
  let plan = '';
  try {
    const { rows } = await engine.query(`EXPLAIN (FORMAT json) ${sql}`);
    for await (const row of rows) plan += JSON.stringify(row);
  } catch (error) {
    // What cannot be planned is told when it is run.
    if (error instanceof TidelakeError) return null;
    throw error;
  }
  const ids = new Set<number>();
  for (const found of plan.matchAll(columnName)) ids.add(Number(found[1]));
  return [...ids];
}
