// The engine's promises: exact values, no short answer that looks whole, no content of rows in messages.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DuckdbEngine } from '../../pipeline/local/duckdb-engine.js';
import type { QueryEngine } from '../../pipeline/ports.js';
import { TidelakeError } from '../../schemas/errors.js';

let engine: QueryEngine;
const folder = mkdtempSync(join(tmpdir(), 'tidelake-engine-'));

beforeAll(async () => {
  engine = await DuckdbEngine.open({
    threads: 2,
    memoryMb: 256,
    spillFolder: join(folder, 'spill'),
  });
});
afterAll(async () => {
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
});

async function rows(sql: string): Promise<(readonly unknown[])[]> {
  const out: (readonly unknown[])[] = [];
  for await (const row of (await engine.query(sql)).rows) out.push(row);
  return out;
}
async function one(expression: string): Promise<unknown> {
  return (await rows(`SELECT ${expression}`))[0]![0];
}
async function failure(sql: string): Promise<TidelakeError> {
  try {
    await rows(sql);
  } catch (error) {
    if (error instanceof TidelakeError) return error;
    throw error;
  }
  throw new Error('no failure');
}

describe('values', () => {
  const digits38 = '12345678901234567890123456789012345678';
  it.each([
    ['an integer a double holds stays a number', '9007199254740991::BIGINT', 9007199254740991],
    ['an integer beyond 2^53 becomes text', '9007199254740993::BIGINT', '9007199254740993'],
    ['a negative one too', '(-9223372036854775808)::BIGINT', '-9223372036854775808'],
    ['a small HUGEINT stays a number', '7::HUGEINT', 7],
    [
      'a large HUGEINT becomes text',
      '170141183460469231731687303715884105727::HUGEINT',
      '170141183460469231731687303715884105727',
    ],
    ['a 38-digit decimal is exact', `${digits38}::DECIMAL(38,0)`, digits38],
    ['a decimal keeps its scale', '1.50::DECIMAL(18,2)', '1.50'],
    ['a negative fraction keeps its sign', '(-0.05)::DECIMAL(18,2)', '-0.05'],
    [
      'a timestamp is ISO with milliseconds',
      "TIMESTAMP '2026-11-20 09:00:00'",
      '2026-11-20T09:00:00.000Z',
    ],
    [
      'microseconds are kept',
      "TIMESTAMP '2026-11-20 09:00:00.123456'",
      '2026-11-20T09:00:00.123456Z',
    ],
    ['before 1970 too', "TIMESTAMP '1969-12-31 23:59:59.999999'", '1969-12-31T23:59:59.999999Z'],
    [
      'a zoned timestamp is given in UTC',
      "TIMESTAMPTZ '2026-11-20 09:00:00+02'",
      '2026-11-20T07:00:00.000Z',
    ],
    [
      'nanoseconds are kept',
      "'2026-11-20 09:00:00.123456789'::TIMESTAMP_NS",
      '2026-11-20T09:00:00.123456789Z',
    ],
    ['seconds too', "'2026-11-20 09:00:00'::TIMESTAMP_S", '2026-11-20T09:00:00.000Z'],
    ['a date is ISO', "DATE '2026-02-28'", '2026-02-28'],
    ['an infinite timestamp says so', "'-infinity'::TIMESTAMP", '-infinity'],
    ['an infinite date says so', "'infinity'::DATE", 'infinity'],
    ['bytes become base64', "'\\x00\\xFF'::BLOB", 'AP8='],
    ['NaN becomes text', "'NaN'::DOUBLE", 'NaN'],
    ['infinity becomes text', "'-inf'::DOUBLE", '-Infinity'],
    ['a boolean stays', 'true', true],
    ['NULL is null', 'NULL', null],
    ['a time is text', "TIME '10:00:00.5'", '10:00:00.5'],
    [
      'an uuid is text',
      "'11111111-2222-3333-4444-555555555555'::UUID",
      '11111111-2222-3333-4444-555555555555',
    ],
  ])('%s', async (_, expression, expected) => {
    expect(await one(expression)).toStrictEqual(expected);
  });

  it('gives lists, structs and maps as JSON has them', async () => {
    const value = await one(
      "{'a': [1.5::DECIMAL(3,1), NULL], 'm': MAP {'k': {'n': 9007199254740993}}}",
    );
    expect(JSON.stringify(value)).toBe('{"a":["1.5",null],"m":{"k":{"n":"9007199254740993"}}}');
  });

  it('keeps a map key and a struct field called __proto__', async () => {
    expect(JSON.stringify(await one("MAP {'__proto__': 1, 'constructor': 2}"))).toBe(
      '{"__proto__":1,"constructor":2}',
    );
    expect(JSON.stringify(await one("[{'__proto__': 1, 'b': {'__proto__': 'x'}}]"))).toBe(
      '[{"__proto__":1,"b":{"__proto__":"x"}}]',
    );
  });

  it('names the columns and their types, twice the same name included', async () => {
    const result = await engine.query('SELECT 1::BIGINT AS a, 2.5::DECIMAL(4,1) AS a');
    expect(result.columns).toEqual([
      { name: 'a', type: 'BIGINT' },
      { name: 'a', type: 'DECIMAL(4,1)' },
    ]);
  });
});

describe('streaming', () => {
  it('yields every row of many chunks in order', async () => {
    let next = 0;
    for await (const [n] of (await engine.query('SELECT * FROM range(10000)')).rows) {
      if (n !== next) throw new Error(`row ${next} is ${String(n)}`);
      next += 1;
    }
    expect(next).toBe(10000);
  });

  it('throws when the query fails after many rows were given out', async () => {
    const sql =
      "SELECT CASE WHEN range < 300000 THEN '1' ELSE 'secret' END::INT FROM range(400000)";
    const error = await failure(sql);
    expect(error.code).toBe('QUERY_FAILED');
    expect(error.message).toContain('Conversion Error');
    expect(error.message).not.toContain('secret');
    expect(await one('1')).toBe(1);
  });

  it('lets a reader stop early and go on with another query', async () => {
    for await (const row of (await engine.query('SELECT * FROM range(100000)')).rows) {
      if (row[0] === 5) break;
    }
    expect(await one('2')).toBe(2);
  });

  it('throws, instead of ending short, when another statement took its place', async () => {
    const first = (await engine.query('SELECT * FROM range(100000)')).rows[Symbol.asyncIterator]();
    await first.next();
    await engine.execute('SELECT 1');
    await expect(
      (async () => {
        while (!(await first.next()).done);
      })(),
    ).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  it('keeps what a statement made for the next one', async () => {
    await rows('CREATE TABLE kept AS SELECT 7 AS n');
    expect(await rows('SELECT n FROM kept')).toEqual([[7]]);
  });
});

describe('errors', () => {
  it.each([
    "SELECT ('it''s ' || x)::INT FROM (VALUES ('4711 secret')) v(x)",
    'SELECT x::TINYINT FROM (VALUES (4711)) v(x)',
    'SELECT x::DECIMAL(4,2) FROM (VALUES (4711.123::DECIMAL(10,3))) v(x)',
    'SELECT x * x * x * x FROM (VALUES (471147114711471::BIGINT)) v(x)',
    "SELECT strptime(x, '%Y') FROM (VALUES ('4711 secret')) v(x)",
    "SELECT json_extract(x, '$.a') FROM (VALUES ('4711 secret')) v(x)",
    `SELECT x::STRUCT(a INT) FROM (VALUES ('{"secret 4711')) v(x)`,
  ])('never quotes a value: %s', async (sql) => {
    const error = await failure(sql);
    expect(error.code).toBe('QUERY_FAILED');
    expect(error.message).not.toMatch(/secret|4711/);
    expect(error.message).toMatch(/Error: \w/);
  });

  it('names the column that is not there', async () => {
    expect((await failure('SELECT foo FROM range(3)')).what).toContain('"foo"');
  });

  it('never goes to the network for an extension', async () => {
    expect((await failure("SELECT * FROM 'https://example.com/x.parquet'")).what).toContain(
      'httpfs',
    );
    expect((await failure('INSTALL httpfs')).what).toContain('no-extensions');
  });
});
