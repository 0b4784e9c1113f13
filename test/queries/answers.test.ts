// Every saved query, view and check, verbatim as it is shipped: on DuckDB, and in the simulated Athena through the real SDK,
// pushed as a prepared statement too. The answer is the simulated table's.
// Source: test/queries/cases.ts.

import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exampleOf, paramLiteral } from '../../pipeline/query/params.js';
import { pushQueries, statementName } from '../../pipeline/query/push-queries.js';
import { query } from '../../pipeline/query/query.js';
import { queryAthena } from '../../pipeline/query/query-athena.js';
import { readSavedQueries, type SavedQuery } from '../../pipeline/query/saved-queries.js';
import { athenaSqlOnDuckdb } from '../../pipeline/simulator/aws/athena-sql.js';
import { SimulatedAthena } from '../aws/simulated-athena.js';
import { comparable, type QueryCase, queryCases } from './cases.js';
import { database, folderUri, type LoadedStories, loadStories, rowsOf } from './loaded-stories.js';

let loaded: LoadedStories;
let athena: SimulatedAthena;
let shipped: readonly SavedQuery[];

beforeAll(async () => {
  loaded = await loadStories('queries');
  const { world, lake } = loaded.disk;
  shipped = (
    await Promise.all(
      (['saved', 'checks'] as const).map((name) => readSavedQueries(world.store, folderUri(name))),
    )
  ).flat();
  athena = await SimulatedAthena.start(
    athenaSqlOnDuckdb({
      queries: async () => shipped,
      query: (sql, named) =>
        query(world, { lake, database: named, sql, viewFolders: [folderUri('views')] }),
    }),
  );
});
afterAll(async () => {
  await athena.close();
  loaded.disk.close();
});

function request(testCase: QueryCase): Parameters<typeof query>[1] {
  const isView = testCase.folder === 'views';
  return {
    lake: loaded.disk.lake,
    database,
    ...(isView ? {} : { table: testCase.story }),
    sql: isView
      ? `SELECT * FROM ${path.basename(testCase.name).replaceAll('-', '_')}`
      : testCase.name,
    params: testCase.params,
    queryFolders: [folderUri('saved'), folderUri('checks')],
    viewFolders: [folderUri('views')],
  };
}

const named = queryCases.map(
  (one) => [`${one.name} of ${one.story} ${JSON.stringify(one.params)}`, one] as const,
);
/** One case of each file. */
const once = named.filter(
  ([, one], i) => named.findLastIndex(([, two]) => two.name === one.name) === i,
);
const expected = (testCase: QueryCase): readonly string[] =>
  comparable(testCase, testCase.rows(loaded.stories));

describe('on DuckDB', () => {
  it.each(named)('%s', async (_, testCase) => {
    const rows = await rowsOf(await query(loaded.disk.world, request(testCase)));
    expect(comparable(testCase, rows)).toEqual(expected(testCase));
  });
});

describe('in Athena', () => {
  it.each(once)('%s', async (_, testCase) => {
    const { world } = loaded.disk;
    const rows = await rowsOf(await queryAthena(world, athena.engine(), request(testCase)));
    expect(comparable(testCase, rows)).toEqual(expected(testCase));
  });

  it('a prepared statement that was pushed answers as the query does', async () => {
    const { world, lake } = loaded.disk;
    const folders = [{ uri: folderUri('saved'), kind: 'saved' as const }];
    const options = { lake, database, folders, dryRun: false, prune: false };
    await pushQueries(world, athena.shelf(), { ...options, params: { column: 'coupon' } });
    for (const [name, params] of [
      ['mystore/order-lines', { status: 'CANCELLED' }],
      ['mystore/coupons', { at_least: '99.5' }],
      ['lake/newest-writes', { first: '3' }],
      ['lake/windows', {}],
    ] as const) {
      const testCase = queryCases.find(
        (one) =>
          one.name === name &&
          one.story === 'mystore' &&
          JSON.stringify(one.params) === JSON.stringify(params),
      )!;
      const saved = shipped.find((one) => one.name === path.basename(name))!;
      const given: Readonly<Record<string, string>> = params;
      const using = saved.params
        .filter((param) => param.type !== 'identifier')
        .map((param) =>
          paramLiteral(
            param,
            given[param.name] ?? param.defaultText ?? exampleOf(param.type),
            'athena',
          ),
        );
      const statement = statementName('mystore', saved.name);
      const sql = `EXECUTE ${statement}${using.length === 0 ? '' : ` USING ${using.join(', ')}`}`;
      const result = await athena.engine().run({ sql, parameters: [], database });
      expect(comparable(testCase, await rowsOf(result))).toEqual(expected(testCase));
    }
  });
});

it('every file that is shipped has a case, and most cases an answer with rows', () => {
  const files = (['saved', 'views', 'checks'] as const).flatMap((top) =>
    readdirSync(fileURLToPath(folderUri(top)), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.sql') && !name.endsWith('.duckdb.sql'))
      .map((name) => `${top}/${name.slice(0, -'.sql'.length)}`),
  );
  const cases = new Set(queryCases.map((one) => `${one.folder}/${one.name}`));
  expect([...cases].sort()).toEqual(files.sort());
  const empty = queryCases.filter(
    (one) => one.folder !== 'checks' && one.rows(loaded.stories).length === 0,
  );
  expect(empty.map((one) => one.name).sort()).toEqual([
    'lake/duplicates',
    'lake/misfits',
    'lake/rows-of-prefix',
    'mystore/order-lines-of-client',
  ]);
});
