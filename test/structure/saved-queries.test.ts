// The queries, views and checks that are shipped are sound: header, parameters, times, and SQL that Athena's grammar takes.
// Source: pipeline/query/lint-query.ts; @polyglot-sql/sdk parses Athena's dialect.

import path from 'node:path';
import { ast, Dialect, parse } from '@polyglot-sql/sdk';
import { describe, expect, it } from 'vitest';
import { DiskStore } from '../../pipeline/local/disk-store.js';
import { lintQuery, type QueryKind } from '../../pipeline/query/lint-query.js';
import { exampleOf, positionalParams } from '../../pipeline/query/params.js';
import {
  parseSavedQuery,
  queryBody,
  readSavedQueries,
  type SavedQuery,
} from '../../pipeline/query/saved-queries.js';

const folder = `file://${path.resolve(import.meta.dirname, '../../queries')}`;
const kinds: readonly (readonly [string, QueryKind])[] = [
  ['saved', 'saved'],
  ['views', 'view'],
  ['checks', 'check'],
];
const shipped: (readonly [string, QueryKind, SavedQuery])[] = [];
for (const [name, kind] of kinds) {
  for (const query of await readSavedQueries(new DiskStore(), `${folder}/${name}`)) {
    shipped.push([`${name}/${query.topic}/${query.name}`, kind, query]);
  }
}

function positional(query: SavedQuery): string {
  const values = Object.fromEntries(
    query.params
      .filter((param) => param.defaultText === null)
      .map((param) => [param.name, exampleOf(param.type)]),
  );
  return positionalParams({ sql: queryBody(query.sql), declared: query.params, values }).sql;
}

describe('what is shipped', () => {
  it('is several dozen', () => expect(shipped.length).toBeGreaterThanOrEqual(40));

  it.each(shipped)('%s is sound', (_, kind, query) => {
    expect(lintQuery(query, kind)).toEqual([]);
  });

  it.each(shipped)("%s is one SELECT of Athena's grammar", (_, __, query) => {
    const parsed = parse(positional(query), Dialect.Athena);
    expect(parsed.success ? null : parsed.error).toBeNull();
    const statements = parsed.ast as unknown as readonly Parameters<typeof ast.isSelect>[0][];
    expect(statements.map((one) => ast.isSelect(one))).toEqual([true]);
  });

  it('has names of its own in all folders: they are one namespace in a workgroup', () => {
    const names = shipped.map(([, , query]) => query.name);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });
});

const header = '-- title: T\n-- question: Q?\n-- tables: t\n-- cost: none\n';

function complaints(
  sql: string,
  more: { readonly kind?: QueryKind; readonly params?: string; readonly twin?: string } = {},
): readonly string[] {
  const text = `${header}${more.params ?? ''}\n${sql}`;
  const query = parseSavedQuery('file:///topic/name.sql', text, more.twin ?? null);
  return lintQuery(query, more.kind ?? 'saved');
}
const long = '-- params: n long\n';

describe('the lint', () => {
  it.each<[string, string, Parameters<typeof complaints>[1], RegExp]>([
    ['another statement', 'DELETE FROM t', {}, /no SELECT/],
    ['two statements', 'SELECT 1 FROM t; DROP TABLE t', {}, /more than one/],
    ['a statement after a comment', '/* SELECT */ DROP TABLE t', {}, /no SELECT/],
    ['a bare ?', 'SELECT * FROM t WHERE a = ?', {}, /has a \?/],
    ['an unused parameter', 'SELECT 1 FROM t', { params: long }, /does not use :n/],
    ['an undeclared parameter', 'SELECT 1 FROM t WHERE a = :n', {}, /not declare/],
    ['a parameter in SELECT', 'SELECT :n FROM t', { params: long }, /outside WHERE/],
    ['a parameter in LIMIT', 'SELECT 1 FROM t WHERE a LIMIT :n', { params: long }, /outside WHERE/],
    ['one in ON', 'SELECT 1 FROM t JOIN t AS u ON a = :n', { params: long }, /outside WHERE/],
    [
      'one in HAVING',
      'SELECT 1 FROM t GROUP BY b HAVING a > :n',
      { params: long },
      /outside WHERE/,
    ],
    [
      'one in the SELECT of a query in WHERE',
      'SELECT 1 FROM t WHERE a = (SELECT :n FROM t)',
      { params: long },
      /outside WHERE/,
    ],
    ['a table it does not read', 'SELECT 1', {}, /does not read t/],
    ['a zoned time in a view', 'SELECT current_timestamp AS x FROM t', { kind: 'view' }, /zone/],
    [
      'a cast to one',
      'SELECT CAST(a AS timestamp(3) with time zone) AS a FROM t',
      { kind: 'view' },
      /zone/,
    ],
    ['a star in a view', 'SELECT * FROM t', { kind: 'view' }, /names its columns/],
    [
      'a twin without the parameter',
      'SELECT 1 FROM t WHERE a = :n',
      { params: long, twin: 'SELECT 1 FROM t' },
      /does not use :n in the twin/,
    ],
  ])('finds %s', (_, sql, more, message) => {
    expect(complaints(sql, more).join('\n')).toMatch(message);
  });

  it.each([
    'SELECT 1 FROM t WHERE a = :n',
    'SELECT 1 FROM t WHERE (a + (b)) > abs(:n) GROUP BY c',
    'WITH u AS (SELECT 1 FROM t WHERE a = :n) SELECT * FROM u',
    "SELECT ';', ':x', '?' FROM t WHERE a = :n -- ? ; :y",
    'SELECT 1 FROM t FOR VERSION AS OF :n AS past',
  ])('is content with %s', (sql) => {
    expect(complaints(sql, { params: long })).toEqual([]);
  });
});
