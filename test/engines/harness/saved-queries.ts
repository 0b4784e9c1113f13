// Every saved query, view and check on a Trino, verbatim as Athena is sent it, with the answer of the simulated table: asked
// through the real SDK of the simulated Athena, whose SQL runs on that Trino.
// Source: test/queries/cases.ts.

import { afterAll, beforeAll, expect, it } from 'vitest';
import type { AthenaEngine } from '../../../pipeline/aws/athena-engine.js';
import { DiskStore } from '../../../pipeline/local/disk-store.js';
import { trinoSql } from '../../../pipeline/local/trino-sql.js';
import { paramLiteral, positionalParams } from '../../../pipeline/query/params.js';
import { sqlAsOf } from '../../../pipeline/query/query-athena.js';
import {
  queryBody,
  readSavedQueries,
  type SavedQuery,
} from '../../../pipeline/query/saved-queries.js';
import { SimulatedAthena } from '../../aws/simulated-athena.js';
import { comparable, type QueryCase, queryCases } from '../../queries/cases.js';
import { database, folderUri, rowsOf } from '../../queries/loaded-stories.js';
import { itemsOf, type QueryStories, windowMs, writeStories } from '../../queries/stories.js';
import { hostileValues } from '../../query/hostile-values.js';
import type { AwsEndpoint } from './endpoint.js';
import { EngineLake } from './lakes.js';
import { sharedEndpoint } from './run.js';
import type { Trino } from './trino.js';

interface QueryLakes {
  readonly stories: QueryStories;
  readonly queries: ReadonlyMap<string, SavedQuery>;
}

let made: Promise<QueryLakes> | undefined;

async function makeLakes(endpoint: AwsEndpoint): Promise<QueryLakes> {
  const queries = new Map<string, SavedQuery>();
  for (const folder of ['saved', 'views', 'checks'] as const) {
    for (const query of await readSavedQueries(new DiskStore(), folderUri(folder))) {
      queries.set(`${query.topic}/${query.name}`, query);
    }
  }
  const lakes = [new EngineLake(endpoint, 'mystore'), new EngineLake(endpoint, 'entities')];
  let stories!: QueryStories;
  for (const lake of lakes) {
    stories = await writeStories(lake.world.store, 's3://tidelake/query-exports');
    const story = stories[lake.name as keyof QueryStories];
    await lake.load(story.full, { key: story.key });
    await lake.merge(story.windows.map((window) => window.folderUri));
  }
  return { stories, queries };
}

/** What Athena is sent. */
function statementOf(
  testCase: QueryCase,
  query: SavedQuery,
  stories: QueryStories,
): ReturnType<typeof positionalParams> {
  const { key } = stories[testCase.story];
  const names: Readonly<Record<string, string>> = {
    table: testCase.story,
    partition_key: key[0]!,
    sort_key: key[1]!,
  };
  const values = { ...testCase.params };
  for (const { name } of query.params) if (names[name] !== undefined) values[name] = names[name];
  return positionalParams({ sql: queryBody(query.sql), declared: query.params, values });
}

/** The cases, asked of one Trino. */
export function savedQueriesSuite(trino: () => Trino): void {
  let lakes: QueryLakes;
  let athena: SimulatedAthena;
  /** As the command waits for Athena, but shorter: Trino needs the processors. */
  const engine = (): AthenaEngine =>
    athena.engine({ sleep: () => new Promise((resolve) => setTimeout(resolve, 20)) });
  beforeAll(async () => {
    made ??= sharedEndpoint().then(makeLakes);
    lakes = await made;
    athena = await SimulatedAthena.start(trinoSql(`${trino().url}/iceberg`));
  });
  afterAll(() => athena?.close());

  const named = queryCases.map(
    (one) => [`${one.name} of ${one.story} ${JSON.stringify(one.params)}`, one] as const,
  );
  it.each(named)('answers %s', async (_, testCase) => {
    const asked = statementOf(testCase, lakes.queries.get(testCase.name)!, lakes.stories);
    const answer = await rowsOf(await engine().run({ ...asked, database }));
    const expected = comparable(testCase, testCase.rows(lakes.stories));
    expect(comparable(testCase, answer)).toEqual(expected);
  });

  it('gives nested values as the text of Athena, and as JSON when they are cast', async () => {
    const { mystore } = lakes.stories;
    const order = itemsOf(mystore).find((item) => item.get('lines') !== undefined)!;
    const id = (order.get('orderId') as { readonly S: string }).S;
    const result = await engine().run({
      sql: "SELECT CAST(lines AS json), lines, X'00ff', DECIMAL '12345678901234567890.12' FROM mystore WHERE order_id = ?",
      parameters: [`'${id}'`],
      database,
    });
    const [row] = await rowsOf(result);
    const lines = JSON.parse(String(row![0])) as readonly { readonly sku: string }[];
    const told = (order.get('lines') as { readonly L: readonly { readonly M: object }[] }).L;
    expect(lines.length).toBe(told.length);
    expect(row![1]).toContain(`sku=${lines[0]!.sku}`);
    expect(row!.slice(2)).toEqual([
      Buffer.from([0, 255]).toString('base64'),
      '12345678901234567890.12',
    ]);
  });

  it('is refused in its words, and no value is told', async () => {
    const sql = "SELECT nothing FROM mystore WHERE clientid = 'secret'";
    const asked = engine().run({ sql, parameters: [], database });
    await expect(asked).rejects.toMatchObject({ code: 'QUERY_FAILED' });
    await expect(asked).rejects.toThrow(/COLUMN_NOT_FOUND/);
    await expect(asked).rejects.not.toThrow(/secret/);
  });

  it('answers as of a time, the table hidden behind its past', async () => {
    const { mystore } = lakes.stories;
    const sql = `WITH u AS (SELECT 1 AS one) ${queryBody(lakes.queries.get('mystore/orders-by-status')!.sql)}`;
    for (const ms of [mystore.startMs, mystore.startMs + windowMs]) {
      for (const text of [sql, sql.replace(/^WITH.*?\) /, '')]) {
        const asOf = { watermarkMs: ms + 1000 };
        const then = sqlAsOf({ sql: text, database, tables: ['mystore'], asOf });
        const { rows } = await trino().query(then);
        const orders = rows.reduce((sum, row) => sum + Number(row.get('orders')), 0);
        expect(orders).toBe(itemsOf(mystore, ms).length);
      }
    }
    expect(itemsOf(mystore, mystore.startMs).length).not.toBe(itemsOf(mystore).length);
  });

  it('takes hostile values for what they are', async () => {
    const literals = hostileValues(4000).flatMap(([type, text]) => {
      try {
        const literal = paramLiteral({ name: 'v', type, defaultText: null }, text, 'athena');
        return [{ literal, text: type === 'string' ? text : null }];
      } catch {
        return [];
      }
    });
    for (let at = 0; at < literals.length; at += 250) {
      const some = literals.slice(at, at + 250);
      const values = some.map(({ literal }, i) =>
        literal.startsWith('X')
          ? `(${i}, to_base64(${literal}))`
          : `(${i}, CAST(${literal} AS varchar))`,
      );
      const sql = `SELECT i, echo FROM (VALUES ${values.join(', ')}) AS v(i, echo) ORDER BY i`;
      const { rows } = await trino().query(sql);
      expect(rows.length).toBe(some.length);
      for (const [i, { text }] of some.entries()) {
        if (text !== null && rows[i]!.get('echo') !== text) throw new Error(JSON.stringify(text));
      }
    }
    expect(literals.length).toBeGreaterThan(500);
  });
}
