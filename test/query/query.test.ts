// SQL over committed tables: names, times, saved queries, deletes, moved lakes.

import { cpSync, renameSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type QueryRequest, query } from '../../pipeline/query/query.js';
import { order, SmallLake } from '../inspect/small-lake.js';

let lake: SmallLake;
const at = (hour: number): number => Date.UTC(2026, 10, 20, hour);

beforeAll(async () => {
  lake = await SmallLake.open();
  await lake.create();
  const [first] = await lake.commit({
    toMs: at(9),
    data: [
      {
        sql: [
          order('c1', '2026-11-19T08:00:00Z', { amount: '100.25', status: "'DELIVERED'" }),
          order('c1', '2026-11-20T08:00:00Z', { amount: '0.05' }),
          order('c2', '2026-11-19T09:00:00Z', {
            status: "'DELIVERED'",
            lines:
              "[{'sku': 'A', 'price': 1.25, 'qty': 2}, {'sku': 'B', 'price': 9.99, 'qty': 10}]",
          }),
        ].join(' UNION ALL '),
      },
    ],
  });
  await lake.commit({
    fromMs: at(9),
    toMs: at(10),
    deletes: [{ path: first!, positions: [1] }],
    data: [
      {
        sql: order('c3', '2026-11-20T09:30:00Z', {
          amount: 'NULL',
          _misfits: `MAP {'amount': '{"S":"on request"}', 'odd': '{"N":"1E125"}'}`,
          _written_at: "TIMESTAMP '2026-11-20 09:30:00.25'",
        }),
      },
    ],
  });
});
afterAll(() => lake.close());

async function answer(sql: string, more: Partial<QueryRequest> = {}): Promise<unknown[]> {
  const result = await query(lake.world, { lake: lake.uri, database: 'lake', sql, ...more });
  const rows: unknown[] = [];
  for await (const row of result.rows) rows.push(row);
  return JSON.parse(JSON.stringify(rows)) as unknown[];
}

describe('query', () => {
  it('sees the live rows under the bare name, with the database, and quoted', async () => {
    for (const name of ['mystore', 'lake.mystore', '"mystore"', 'LAKE.MyStore']) {
      expect(await answer(`SELECT count(*), sum(amount) FROM ${name}`)).toEqual([[3, '110.75']]);
    }
  });

  it('answers at an instant of the data, and says which state that is', async () => {
    lake.notes.length = 0;
    expect(await answer('SELECT count(*) FROM mystore', { asOf: '2026-11-20T09:59:59Z' })).toEqual([
      [3],
    ]);
    const sql = "SELECT count(*) FROM mystore WHERE clientid = 'c1'";
    expect(await answer(sql, { asOf: '2026-11-20T09:59:59Z' })).toEqual([[2]]);
    expect(await answer(sql, { asOf: '2026-11-20T10:00Z' })).toEqual([[1]]);
    expect(lake.notes[0]).toMatch(/^mystore as of 2026-11-20T09:00:00\.000Z \(snapshot \d+\)$/);
  });

  it('answers at a snapshot', async () => {
    const [first] = (await lake.metadata()).snapshots;
    expect(
      await answer('SELECT max(created) FROM mystore', {
        asOf: `snapshot:${first!['snapshot-id']}`,
      }),
    ).toEqual([['2026-11-20T08:00:00Z']]);
  });

  it('refuses a time before the first state', async () => {
    await expect(
      answer('SELECT 1 FROM mystore', { asOf: '2026-11-20T08:59Z' }),
    ).rejects.toMatchObject({
      code: 'REFUSED_AS_OF',
    });
  });

  it('lists the tables when the SQL names none', async () => {
    expect(await answer('SELECT table_schema, table_name FROM information_schema.tables')).toEqual([
      ['lake', 'mystore'],
    ]);
    expect(await answer('SELECT 1')).toEqual([[1]]);
  });

  it('refuses a table that is named with --table and is not there, and says what DuckDB misses else', async () => {
    await expect(answer('SELECT * FROM nowhere', { table: 'nowhere' })).rejects.toMatchObject({
      code: 'REFUSED_NO_TABLE',
    });
    await expect(answer('SELECT * FROM nowhere')).rejects.toMatchObject({ code: 'QUERY_FAILED' });
  });

  it('takes parameters as text that compares with any type', async () => {
    const sql = 'SELECT count(*) FROM mystore WHERE amount > :least AND clientid = :client';
    expect(await answer(sql, { params: { least: '100', client: 'c1' } })).toEqual([[1]]);
    expect(await answer(sql, { params: { least: '0', client: "c1' OR '1'='1" } })).toEqual([[0]]);
  });

  it('gives nested columns and misfits as JSON has them', async () => {
    const sql =
      "SELECT address, lines, tags, _written_at, _misfits FROM mystore WHERE clientid = 'c3'";
    expect(await answer(sql)).toEqual([
      [
        { street: 'Main 1', city: 'Oslo', zip: '0150' },
        [{ sku: 'A', price: '1.25', qty: 2 }],
        ['t1'],
        '2026-11-20T09:30:00.250Z',
        { amount: '{"S":"on request"}', odd: '{"N":"1E125"}' },
      ],
    ]);
  });

  it('answers about a table without rows', async () => {
    const empty = await SmallLake.open();
    try {
      await empty.create();
      await empty.commit({ toMs: at(9) });
      const result = await query(empty.world, {
        lake: empty.uri,
        database: 'lake',
        sql: 'SELECT count(*), sum(qty) FROM mystore',
      });
      for await (const row of result.rows) expect(row).toEqual([0, null]);
    } finally {
      await empty.close();
    }
  });

  it('reads a lake whose folder was copied elsewhere, deletes included', async () => {
    const moved = path.join(lake.folder, "moved 'here'");
    cpSync(lake.root, moved, { recursive: true });
    renameSync(lake.root, `${lake.root}-away`);
    try {
      expect(await answer('SELECT count(*) FROM mystore', { lake: `file://${moved}` })).toEqual([
        [3],
      ]);
    } finally {
      renameSync(`${lake.root}-away`, lake.root);
    }
  });

  it('leaves no engine open when a reader stops early', async () => {
    const result = await query(lake.world, {
      lake: lake.uri,
      database: 'lake',
      sql: 'SELECT * FROM range(100000)',
    });
    for await (const row of result.rows) if (row[0] === 1) break;
    expect(await answer('SELECT count(*) FROM mystore')).toEqual([[3]]);
  });
});

describe('saved queries', () => {
  const queryFolders = [`file://${path.resolve(import.meta.dirname, '../../queries')}`];
  const saved = (name: string, params: Record<string, string> = {}): Promise<unknown[]> =>
    answer(name, { queryFolders, params });

  it('revenue by day', async () => {
    expect(await saved('revenue-by-day')).toEqual([
      ['2026-11-19', 2, '110.75'],
      ['2026-11-20', 1, null],
    ]);
    expect(await saved('revenue-by-day', { from_day: '2026-11-20' })).toEqual([
      ['2026-11-20', 1, null],
    ]);
  });
  it('clients by revenue', async () => {
    expect(await saved('clients-by-revenue', { first: '2' })).toEqual([
      ['c1', 1, '100.25', '2026-11-19T08:00:00Z'],
      ['c2', 1, '10.50', '2026-11-19T09:00:00Z'],
    ]);
  });
  it('order lines', async () => {
    expect(await saved('order-lines')).toEqual([
      ['B', 10, '99.90', 1],
      ['A', 4, '5.00', 2],
    ]);
    expect(await saved('order-lines', { status: "it's none" })).toEqual([]);
  });
  it('orders by status', async () => {
    expect(await saved('mystore/orders-by-status')).toEqual([
      ['DELIVERED', 2, 2, '110.75'],
      ['PENDING', 1, 1, null],
    ]);
  });
  it('misfits', async () => {
    expect(await saved('misfits')).toEqual([
      ['amount', 1],
      ['odd', 1],
    ]);
  });
  it('newest writes', async () => {
    expect(await saved('newest-writes')).toEqual([
      ['2026-11-20T09:00:00.000Z', 1, '2026-11-20T09:30:00.250Z'],
    ]);
  });
  it('refuses a value of another type', async () => {
    await expect(saved('clients-by-revenue', { first: '1; DROP' })).rejects.toMatchObject({
      code: 'USAGE',
    });
  });
});
