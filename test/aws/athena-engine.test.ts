// The Athena engine through the real SDK: pages, types, failures, stopping, and what is sent.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { queryAthena } from '../../pipeline/query/query-athena.js';
import type { SqlAnswer } from '../../pipeline/simulator/aws/athena-executions.js';
import { TidelakeError } from '../../schemas/errors.js';
import { memoryWorld } from '../scenarios/story-world.js';
import { SimulatedAthena } from './simulated-athena.js';
import { awsEnvironment } from './simulated-s3.js';

interface Asked {
  readonly sql: string;
  readonly parameters: readonly string[];
  readonly database: string | null;
}
let athena: SimulatedAthena;
let asked: Asked[] = [];
let answer: (asked: Asked) => SqlAnswer | Promise<SqlAnswer>;

beforeAll(async () => {
  Object.assign(process.env, awsEnvironment);
  athena = await SimulatedAthena.start(async (sql, parameters, database) => {
    asked.push({ sql, parameters, database });
    return answer(asked.at(-1)!);
  });
});
afterEach(() => {
  asked = [];
  athena.simulator.setFaults([]);
  athena.simulator.clearRequests();
});
afterAll(() => athena.close());

const one: SqlAnswer = { columns: [{ name: 'n', type: 'bigint' }], rows: [['1']] };

function answerWith(given: typeof answer): void {
  answer = given;
}

async function rowsOf(sql: string): Promise<readonly (readonly unknown[])[]> {
  const rows: (readonly unknown[])[] = [];
  const result = await athena.engine().run({ sql, parameters: [], database: 'lake' });
  for await (const row of result.rows) rows.push(row);
  return rows;
}

async function failure(work: Promise<unknown>): Promise<TidelakeError> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TidelakeError);
  return error as TidelakeError;
}

describe('answers', () => {
  it('reads every page, and the names of the columns are no row', async () => {
    const rows = Array.from({ length: 2500 }, (_, i) => [String(i)]);
    answerWith(() => ({ ...one, rows }));
    expect(await rowsOf('SELECT n FROM t')).toEqual(rows.map((_, i) => [i]));
  });

  it('keeps a first row that looks like the names', async () => {
    const columns = [{ name: 'a', type: 'varchar' }];
    answerWith(() => ({ columns, rows: [['a'], [null], ['']] }));
    expect(await rowsOf('SELECT a FROM t')).toEqual([['a'], [null], ['']]);
  });

  it('gives every type the form results have everywhere', async () => {
    const values: readonly (readonly [type: string, text: string | null, value: unknown])[] = [
      ['bigint', '9007199254740993', '9007199254740993'],
      ['integer', '-7', -7],
      [
        'decimal(38,9)',
        '12345678901234567890123456789.000000001',
        '12345678901234567890123456789.000000001',
      ],
      ['double', '1.5E10', 1.5e10],
      ['double', 'NaN', 'NaN'],
      ['boolean', 'true', true],
      ['varchar', 'ü,"', 'ü,"'],
      ['date', '2026-11-20', '2026-11-20'],
      ['timestamp', '2026-11-20 09:00:00.000', '2026-11-20T09:00:00.000Z'],
      ['timestamp', '2026-11-20 09:00:00.123456', '2026-11-20T09:00:00.123456Z'],
      ['timestamp with time zone', '2026-11-20 09:00:00.5 UTC', '2026-11-20T09:00:00.500Z'],
      [
        'timestamp with time zone',
        '2026-11-20 09:00:00.000 Europe/Oslo',
        '2026-11-20 09:00:00.000 Europe/Oslo',
      ],
      ['varbinary', '68 69', 'aGk='],
      ['array', '[a, b]', '[a, b]'],
      ['varchar', null, null],
    ];
    answerWith(() => ({
      columns: values.map(([type], i) => ({ name: `c${i}`, type })),
      rows: [values.map(([, text]) => text)],
    }));
    const result = await athena.engine().run({ sql: 'SELECT 1', parameters: [], database: 'lake' });
    for await (const row of result.rows) expect(row).toEqual(values.map(([, , value]) => value));
    expect(result.columns[2]).toEqual({ name: 'c2', type: 'DECIMAL(38,9)' });
  });
});

describe('failures', () => {
  it.each([
    ["COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved", 'QUERY_FAILED', "Column 'x'"],
    [
      "INVALID_CAST_ARGUMENT: Cannot cast 'secret' to bigint",
      'QUERY_FAILED',
      'Cannot cast … to bigint',
    ],
    ['INVALID_CAST_ARGUMENT: Value cannot be cast to date: secret', 'QUERY_FAILED', 'cast to date'],
    ['PERMISSION_DENIED: Access Denied to lake.t', 'DENIED', 'Access Denied'],
  ])('tells the reason %s without values', async (reason, code, said) => {
    answerWith(() => {
      throw new Error(reason);
    });
    const error = await failure(rowsOf('SELECT 1'));
    expect(error.code).toBe(code);
    expect(error.what).toContain(said);
    expect(error.what).not.toContain('secret');
  });

  it("says in Athena's words what a request lacks", async () => {
    answerWith(() => one);
    const engine = athena.engine({ workgroup: 'nowhere' });
    const error = await failure(engine.run({ sql: 'SELECT 1', parameters: [], database: 'lake' }));
    expect(error).toMatchObject({ code: 'QUERY_FAILED' });
    expect(error.what).toContain('WorkGroup nowhere is not found');
  });

  it.each([
    ['AccessDeniedException', 400, 'DENIED'],
    ['ThrottlingException', 400, 'THROTTLED'],
    ['UnrecognizedClientException', 400, 'CREDENTIALS'],
  ])('is %s %s', async (code, status, expected) => {
    answerWith(() => one);
    athena.simulator.setFaults([
      { service: 'athena', operation: 'StartQueryExecution', do: { fault: 'error', code, status } },
    ]);
    expect((await failure(rowsOf('SELECT 1'))).code).toBe(expected);
    expect(asked).toEqual([]);
  });

  it('starts a query once although the answer was lost', async () => {
    answerWith(() => one);
    athena.simulator.setFaults([
      { service: 'athena', operation: 'StartQueryExecution', nth: 1, do: { fault: 'loseAnswer' } },
    ]);
    expect(await rowsOf('SELECT n FROM t')).toEqual([[1]]);
    expect(asked.length).toBe(1);
  });
});

describe('waiting', () => {
  it('waits longer each time, up to a bound, and stops the query when it is told to', async () => {
    let finish = (_: SqlAnswer): void => {};
    answerWith(
      () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    );
    const waits: number[] = [];
    const engine = athena.engine({
      sleep: async (ms) => {
        waits.push(ms);
        if (waits.length === 12) await engine.stop();
      },
      random: () => 1,
    });
    const error = await failure(engine.run({ sql: 'SELECT 1', parameters: [], database: 'lake' }));
    expect(error.what).toMatch(/cancelled/);
    expect(waits.slice(0, 3)).toEqual([250, 375, 562.5]);
    expect(Math.max(...waits)).toBe(5000);
    const stops = athena.simulator
      .requests()
      .filter((one) => one.operation === 'StopQueryExecution');
    expect(stops.length).toBe(1);
    finish(one);
  });

  it('stops a query whose state cannot be read any more', async () => {
    let finish = (_: SqlAnswer): void => {};
    answerWith(
      () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    );
    athena.simulator.setFaults([
      {
        service: 'athena',
        operation: 'GetQueryExecution',
        do: { fault: 'error', code: 'AccessDeniedException', status: 400 },
      },
    ]);
    expect((await failure(rowsOf('SELECT 1'))).code).toBe('DENIED');
    const operations = athena.simulator.requests().map((one) => one.operation);
    expect(operations).toContain('StopQueryExecution');
    finish(one);
  });
});

describe('what is sent', () => {
  const target = { lake: 'file:///lake', database: 'lake' };
  const send = async (sql: string, more: object = {}): Promise<Asked> => {
    await queryAthena(memoryWorld(), athena.engine(), { ...target, sql, ...more });
    return asked.at(-1)!;
  };

  it('has values beside the text, and no comments', async () => {
    answerWith(() => one);
    const sql = "SELECT n FROM t /* ? */ WHERE a = :a -- why?\n AND b = ':a';";
    expect(await send(sql, { params: { a: "it's" } })).toEqual({
      sql: "SELECT n FROM t  WHERE a = ?\n AND b = ':a'",
      parameters: ["'it''s'"],
      database: 'lake',
    });
  });

  it('hides a table behind its past', async () => {
    answerWith(() => one);
    const past = { table: 'orders', asOf: '2026-11-20T09:00Z' };
    const cte = `"orders" AS (SELECT * FROM "lake"."orders" FOR TIMESTAMP AS OF TIMESTAMP '2026-11-20 09:00:00.000 UTC')`;
    expect((await send('SELECT n FROM orders', past)).sql).toBe(
      `WITH ${cte}\nSELECT n FROM orders`,
    );
    expect((await send('WITH a AS (SELECT 1) SELECT n FROM orders', past)).sql).toBe(
      `WITH ${cte},\na AS (SELECT 1) SELECT n FROM orders`,
    );
    expect((await send('SELECT n FROM orders', { table: 'orders', asOf: 'snapshot:7' })).sql).toBe(
      'WITH "orders" AS (SELECT * FROM "lake"."orders" FOR VERSION AS OF 7)\nSELECT n FROM orders',
    );
  });

  it.each([
    ['SELECT 1 FROM orders', { asOf: '2026-11-20' }, /which table/],
    ['SELECT 1 FROM lake.orders', { table: 'orders', asOf: '2026-11-20' }, /without its database/],
    ['SHOW TABLES', { table: 'orders', asOf: '2026-11-20' }, /only a SELECT/],
    [
      'SELECT 1 FROM orders FOR VERSION AS OF 1',
      { table: 'orders', asOf: '2026-11-20' },
      /itself names/,
    ],
    ['SELECT 1 WHERE a = ?', {}, /1 places/],
    ['SELECT 1 WHERE a = :a', { params: { a: 'x'.repeat(2000) } }, /2002 characters/],
  ])('refuses %s %j', async (sql, more, said) => {
    answerWith(() => one);
    const error = await failure(send(sql, more));
    expect(error.code).toBe('USAGE');
    expect(error.what).toMatch(said);
    expect(asked).toEqual([]);
  });
});
