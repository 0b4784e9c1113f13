// Time travel and metadata tables in DuckDB as Athena writes them.
// Source: Amazon Athena User Guide, "Perform time travel and version travel queries"; Trino documentation, "Iceberg connector".

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metadataSelects } from '../../pipeline/query/metadata-views.js';
import { query } from '../../pipeline/query/query.js';
import { replaceTravels, travelsIn } from '../../pipeline/query/time-travel.js';
import { order, SmallLake } from '../inspect/small-lake.js';

const at = (hour: number): number => Date.UTC(2026, 10, 20, hour);
let lake: SmallLake;

beforeAll(async () => {
  lake = await SmallLake.open();
  await lake.create();
  await lake.commit({ toMs: at(9), data: [{ sql: order('c1', '2026-11-20T08:00:00Z') }] });
  await lake.commit({
    fromMs: at(9),
    toMs: at(10),
    data: [{ sql: order('c2', '2026-11-20T09:30:00Z') }],
  });
});
afterAll(() => lake.close());

async function answer(sql: string): Promise<unknown> {
  const result = await query(lake.world, { lake: lake.uri, database: 'lake', sql });
  const rows: unknown[] = [];
  for await (const row of result.rows) rows.push(row);
  return JSON.parse(JSON.stringify(rows));
}

describe('a time travel', () => {
  it.each([
    ["mystore FOR TIMESTAMP AS OF TIMESTAMP '2026-11-20 09:00:00 UTC'", 1],
    ["mystore FOR TIMESTAMP AS OF TIMESTAMP '2026-11-20 09:59:59.999'", 1],
    ["mystore for timestamp as of timestamp '2026-11-20 10:00:00.000 UTC' AS past", 2],
    [`"lake"."mystore" FOR TIMESTAMP AS OF (TIMESTAMP '2026-11-20 09:30:00 UTC') past`, 1],
    [`lake.mystore FOR TIMESTAMP AS OF TIMESTAMP '2026-11-21 00:00:00 UTC'`, 2],
  ])('reads %s', async (table, count) => {
    expect(await answer(`SELECT count(*) FROM ${table} WHERE qty = 3`)).toEqual([[count]]);
  });

  it('reads a version, two states side by side, and the state now beside them', async () => {
    const [first] = (await lake.metadata()).snapshots;
    const sql = `SELECT (SELECT count(*) FROM mystore FOR VERSION AS OF ${first!['snapshot-id']}),
      (SELECT count(mystore.qty) FROM mystore FOR TIMESTAMP AS OF TIMESTAMP '2026-11-20 09:00:00 UTC'),
      (SELECT count(*) FROM mystore)`;
    expect(await answer(sql)).toEqual([[1, 1, 2]]);
  });

  it('before the first state is refused', async () => {
    const sql = "SELECT 1 FROM mystore FOR TIMESTAMP AS OF TIMESTAMP '2026-11-20 08:59:59.999 UTC'";
    await expect(answer(sql)).rejects.toMatchObject({ code: 'REFUSED_AS_OF' });
    await expect(answer('SELECT 1 FROM mystore FOR VERSION AS OF 12')).rejects.toMatchObject({
      code: 'REFUSED_AS_OF',
    });
  });

  it.each([
    'FOR TIMESTAMP AS OF current_timestamp',
    "FOR TIMESTAMP AS OF TIMESTAMP '2026-11-20 09:00:00 Europe/Oslo'",
    "FOR VERSION AS OF '12'",
    'FOR VERSION AS OF 12.5',
  ])('that names no constant in UTC is wrong use: %s', async (travel) => {
    await expect(answer(`SELECT 1 FROM mystore ${travel}`)).rejects.toMatchObject({
      code: 'USAGE',
    });
  });

  it('in texts and comments is none', () => {
    expect(travelsIn("SELECT 't FOR VERSION AS OF 1' -- t FOR VERSION AS OF 2")).toEqual([]);
  });

  it('keeps an alias, and gives one where there is none', () => {
    const replaced = (sql: string): string => replaceTravels(sql, travelsIn(sql), () => 'X');
    expect(replaced('FROM t FOR VERSION AS OF 1 WHERE a')).toBe('FROM X AS "t" WHERE a');
    expect(replaced('FROM t FOR VERSION AS OF 1')).toBe('FROM X AS "t"');
    expect(replaced('(SELECT 1 FROM t FOR VERSION AS OF 1)')).toBe('(SELECT 1 FROM X AS "t")');
    expect(replaced('FROM t FOR VERSION AS OF 1 past')).toBe('FROM X past');
    expect(replaced('FROM t FOR VERSION AS OF 1 -- why\n AS past')).toBe('FROM X -- why\n AS past');
  });
});

describe('metadata tables', () => {
  it('are those of Trino', async () => {
    const { snapshots } = await lake.metadata();
    const ids = snapshots.map((one) => String(one['snapshot-id']));
    const sql = (table: string, columns: string): string =>
      `SELECT ${columns} FROM "mystore$${table}" ORDER BY 1`;
    expect(
      await answer(
        sql('snapshots', 'committed_at, snapshot_id::varchar, parent_id::varchar, operation'),
      ),
    ).toEqual([
      ['2026-11-20T09:00:00.000Z', ids[0], null, snapshots[0]!.summary.operation],
      ['2026-11-20T10:00:00.000Z', ids[1], ids[0], snapshots[1]!.summary.operation],
    ]);
    expect(
      await answer(
        `SELECT summary['tidelake.from'], summary['operation'] FROM "mystore$snapshots" ORDER BY committed_at`,
      ),
    ).toEqual([
      [null, null],
      ['2026-11-20T09:00:00.000Z', null],
    ]);
    expect(
      await answer(
        sql(
          'history',
          'made_current_at, snapshot_id::varchar, parent_id::varchar, is_current_ancestor',
        ),
      ),
    ).toEqual([
      ['2026-11-20T09:00:00.000Z', ids[0], null, true],
      ['2026-11-20T10:00:00.000Z', ids[1], ids[0], true],
    ]);
  });

  it('are there, and empty, for a table without snapshots', async () => {
    const md = {
      ...(await lake.metadata()),
      snapshots: [],
      'snapshot-log': [],
      'current-snapshot-id': null,
    };
    const engine = await lake.world.engine({ threads: 1, memoryMb: 128 });
    try {
      for (const select of Object.values(metadataSelects)) {
        const result = await engine.query(`SELECT count(*), max(parent_id) FROM (${select(md)})`);
        for await (const row of result.rows) expect(row).toEqual([0, null]);
      }
    } finally {
      await engine.close();
    }
  });
});
