// What a saved query must be besides its header: one SELECT, parameters where Athena takes them, plain times in views.
// Promises: a query without complaints can be pushed as a prepared statement, and a view without complaints can be made.
// Spec: queries/README.md; Amazon Athena User Guide, "Use parameterized queries" (`?` only in WHERE) and "Data types in
// Amazon Athena" (views take no timestamp with time zone of an Iceberg table).

import { isTravel } from './params.js';
import { queryBody, type SavedQuery } from './saved-queries.js';
import { sqlPieces } from './sql-text.js';

export type QueryKind = 'saved' | 'view' | 'check';

/** Words that begin a part of a SELECT; what stands in brackets is of the part around it until one of them comes. */
const clauseWords =
  /^(SELECT|FROM|WHERE|GROUP|HAVING|ORDER|LIMIT|OFFSET|FETCH|WINDOW|UNION|EXCEPT|INTERSECT|JOIN|WITH|VALUES)$/;

/** Expressions that give a timestamp with a time zone. */
const zoned =
  /\bWITH\s+TIME\s+ZONE\b|\bAT\s+TIME\s+ZONE\b|\bTIMESTAMPTZ\b|\b(current_timestamp|now|from_iso8601_timestamp|from_unixtime|at_timezone|with_timezone)\b/i;

/** What is wrong with a saved query, in sentences; nothing when it is sound. */
export function lintQuery(query: SavedQuery, kind: QueryKind): readonly string[] {
  const complaints: string[] = [];
  const complain = (isWrong: boolean, what: string): void => {
    if (isWrong) complaints.push(what);
  };
  complain(!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(query.name), 'its name is not kebab-case');
  complain(!query.question.endsWith('?'), 'its question is none');
  const names = query.params.map((param) => param.name);
  complain(new Set(names).size !== names.length, 'it declares a parameter twice');
  complain(kind === 'view' && names.length > 0, 'a view has no parameters');
  for (const text of query.duckdbSql === null ? [query.sql] : [query.sql, query.duckdbSql]) {
    const which = text === query.sql ? '' : ' in the twin';
    for (const what of lintText(query, kind, queryBody(text))) complaints.push(`${what}${which}`);
  }
  for (const use of valueUses(queryBody(query.sql), query)) {
    complain(!use.isInWhere, `:${use.name} stands outside WHERE, where Athena takes no parameter`);
  }
  return complaints;
}

function lintText(query: SavedQuery, kind: QueryKind, body: string): readonly string[] {
  const complaints: string[] = [];
  const code = sqlPieces(body)
    .map((piece) => (piece.isCode ? piece.text : piece.text.startsWith('"') ? piece.text : "''"))
    .join('');
  if (!/^(SELECT|WITH)\b/i.test(code)) complaints.push('it is no SELECT');
  if (code.includes(';')) complaints.push('it is more than one statement, or ends with a ;');
  if (code.includes('?')) complaints.push('it has a ?; parameters are named');
  const used = new Set([...code.matchAll(/(?<!:):([a-z_][a-z0-9_]*)/gi)].map((found) => found[1]!));
  for (const { name } of query.params) {
    if (!used.has(name)) complaints.push(`it does not use :${name}`);
    used.delete(name);
  }
  for (const name of used) complaints.push(`it uses :${name}, which it does not declare`);
  for (const table of query.tables) {
    if (!new RegExp(`(?<![\\w:])${table}\\b`).test(code))
      complaints.push(`it does not read ${table}`);
  }
  if (kind === 'view' && zoned.test(code)) complaints.push('a view has only times without a zone');
  if (kind === 'view' && /\bSELECT\s+(\w+\.)?\*/i.test(code)) {
    complaints.push('a view names its columns: those of a * would be fixed when it is made');
  }
  return complaints;
}

/** Where parameters that are values stand. The constant of a time travel is written into the text, so it counts as in WHERE. */
function valueUses(
  body: string,
  query: SavedQuery,
): readonly { readonly name: string; readonly isInWhere: boolean }[] {
  const types = new Map(query.params.map((param) => [param.name, param.type]));
  const uses: { readonly name: string; readonly isInWhere: boolean }[] = [];
  const clauses: string[] = [''];
  let before = '';
  for (const piece of sqlPieces(body)) {
    if (!piece.isCode) {
      before += ' ';
      continue;
    }
    for (const found of piece.text.matchAll(/[()]|(?<!:):[A-Za-z_]\w*|[A-Za-z_]\w*/g)) {
      const token = found[0];
      const at = clauses.length - 1;
      const isName = token.startsWith(':');
      if (token === '(') clauses.push(clauses[at]!);
      else if (token === ')') clauses.pop();
      else if (!isName && clauseWords.test(token.toUpperCase())) clauses[at] = token.toUpperCase();
      else if (isName && types.has(token.slice(1)) && types.get(token.slice(1)) !== 'identifier') {
        const isInWhere =
          clauses[at] === 'WHERE' || isTravel(before + piece.text.slice(0, found.index));
        uses.push({ name: token.slice(1), isInWhere });
      }
      if (clauses.length === 0) clauses.push('');
    }
    before += piece.text;
  }
  return uses;
}
