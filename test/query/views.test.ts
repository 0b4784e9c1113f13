// Views over real Parquet files made by DuckDB with field ids: columns by id, deletes honoured, strange paths.

import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DuckdbEngine } from '../../pipeline/local/duckdb-engine.js';
import type { QueryEngine } from '../../pipeline/ports.js';
import { type NamedNode, nestedNamesAgree } from '../../pipeline/query/nested-names.js';
import { quoteText } from '../../pipeline/query/sql-text.js';
import { tableSelect, type ViewFile } from '../../pipeline/query/views.js';
import type { IcebergField, IcebergSchema, IcebergType } from '../../schemas/iceberg.js';

let engine: QueryEngine;
const folder = mkdtempSync(join(tmpdir(), 'tidelake-views-'));

beforeAll(async () => {
  engine = await DuckdbEngine.open({
    threads: 1,
    memoryMb: 256,
    spillFolder: join(folder, 'spill'),
  });
});
afterAll(async () => {
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
});

async function rows(sql: string): Promise<unknown[]> {
  const out: unknown[] = [];
  for await (const row of (await engine.query(sql)).rows) out.push(row);
  return JSON.parse(JSON.stringify(out)) as unknown[];
}
async function write(name: string, select: string, ids: string): Promise<string> {
  const path = join(folder, name);
  await engine.execute(
    `COPY (${select}) TO ${quoteText(path)} (FORMAT parquet, FIELD_IDS {${ids}})`,
  );
  return path;
}
function file(path: string, extra: Partial<ViewFile> = {}): ViewFile {
  const uri = `file://${path}`;
  return { recordedUri: uri, path, deletePaths: [], columns: null, group: '', ...extra };
}
function field(id: number, name: string, type: IcebergType): IcebergField {
  return { id, name, required: false, type };
}
function schema(...fields: IcebergField[]): IcebergSchema {
  return { type: 'struct', 'schema-id': 0, fields };
}
function struct(...fields: IcebergField[]): IcebergType {
  return { type: 'struct', fields };
}
function list(id: number, element: IcebergType): IcebergType {
  return { type: 'list', 'element-id': id, element, 'element-required': false };
}
function map(keyId: number, valueId: number, value: IcebergType): IcebergType {
  return {
    type: 'map',
    'key-id': keyId,
    key: 'string',
    'value-id': valueId,
    value,
    'value-required': false,
  };
}

describe('columns', () => {
  it('reads renamed, added, retyped and reordered columns by their ids', async () => {
    const old = await write(
      'c1.parquet',
      "SELECT 1::INTEGER AS qty, 'x' AS client, 7 AS gone",
      'qty: 1, client: 2, gone: 9',
    );
    const young = await write(
      'c2.parquet',
      "SELECT 'y' AS customer, 2::BIGINT AS qty, true AS vip",
      'customer: 2, qty: 1, vip: 3',
    );
    const select = tableSelect({
      schema: schema(
        field(2, 'customer', 'string'),
        field(1, 'qty', 'long'),
        field(3, 'vip', 'boolean'),
      ),
      files: [file(old), file(young)],
    });
    expect(await rows(`${select} ORDER BY 1`)).toEqual([
      ['x', 1, null],
      ['y', 2, true],
    ]);
  });

  it('gives a retyped column, whose old id is gone, NULL for files that lack the new one', async () => {
    const old = await write('r1.parquet', 'SELECT 1::BIGINT AS qty', 'qty: 1');
    const select = tableSelect({
      schema: schema(field(5, 'qty', 'decimal(38, 2)')),
      files: [file(old)],
    });
    expect(await rows(select)).toEqual([[null]]);
  });

  it('reads structs in columns, lists and maps that gained fields since the file was written', async () => {
    const old = await write(
      'n1.parquet',
      "SELECT {'city': 'Oslo'} AS a, [{'sku': 's', 'price': 1.5::DECIMAL(18,2)}] AS l, MAP {'k': {'x': 1::BIGINT}} AS m",
      'a: {__duckdb_field_id: 1, city: 2}, l: {__duckdb_field_id: 3, element: {__duckdb_field_id: 4, sku: 5, price: 6}}, m: {__duckdb_field_id: 7, key: 8, value: {__duckdb_field_id: 9, x: 10}}',
    );
    const wanted = schema(
      field(1, 'a', struct(field(11, 'floor', 'long'), field(2, 'city', 'string'))),
      field(
        3,
        'l',
        list(
          4,
          struct(
            field(5, 'sku', 'string'),
            field(6, 'price', 'decimal(18, 2)'),
            field(12, 'deep', struct(field(13, 'z', 'long'))),
          ),
        ),
      ),
      field(7, 'm', map(8, 9, struct(field(10, 'x', 'long'), field(14, 'y', list(15, 'string'))))),
    );
    const select = tableSelect({ schema: wanted, files: [file(old)] });
    expect(await rows(select)).toEqual([
      [
        { floor: null, city: 'Oslo' },
        [{ sku: 's', price: '1.50', deep: null }],
        { k: { x: 1, y: null } },
      ],
    ]);
    expect(
      await rows(`SELECT count(*) FROM (${select}) WHERE a.floor IS NULL AND l[1].deep.z IS NULL`),
    ).toEqual([[1]]);
  });

  it('tells a struct that is NULL from one whose fields are', async () => {
    const path = await write(
      's1.parquet',
      "SELECT * FROM (VALUES (1, NULL::STRUCT(a BIGINT)), (2, {'a': NULL})) v(id, s)",
      'id: 1, s: {__duckdb_field_id: 2, a: 3}',
    );
    const wanted = schema(
      field(1, 'id', 'long'),
      field(2, 's', struct(field(3, 'a', 'long'), field(4, 'b', 'string'))),
    );
    expect(await rows(tableSelect({ schema: wanted, files: [file(path)] }))).toEqual([
      [1, null],
      [2, { a: null, b: null }],
    ]);
  });

  it('gives an empty table its columns and types', async () => {
    const wanted = schema(
      field(1, 'id', 'string'),
      field(2, 'amount', 'decimal(38,9)'),
      field(3, 'lines', list(4, struct(field(5, 'odd "name"', 'timestamptz')))),
      field(6, 'm', map(7, 8, 'binary')),
    );
    const result = await engine.query(tableSelect({ schema: wanted, files: [] }));
    expect(result.columns.map((c) => c.type)).toEqual([
      'VARCHAR',
      'DECIMAL(38,9)',
      'STRUCT("odd ""name""" TIMESTAMP WITH TIME ZONE)[]',
      'MAP(VARCHAR, BLOB)',
    ]);
    for await (const row of result.rows) throw new Error(`a row: ${row.length}`);
  });

  it('maps every primitive type of version 2', async () => {
    const types: [string, string, unknown][] = [
      ['boolean', 'true', true],
      ['int', '1::INTEGER', 1],
      ['long', '2::BIGINT', 2],
      ['float', '0.5::FLOAT', 0.5],
      ['double', '0.1::DOUBLE', 0.1],
      ['date', "DATE '2026-01-02'", '2026-01-02'],
      ['time', "TIME '01:02:03'", '01:02:03'],
      ['timestamp', "TIMESTAMP '2026-01-02 03:04:05'", '2026-01-02T03:04:05.000Z'],
      ['timestamptz', "TIMESTAMPTZ '2026-01-02 03:04:05Z'", '2026-01-02T03:04:05.000Z'],
      ['string', "'s'", 's'],
      [
        'uuid',
        "'11111111-2222-3333-4444-555555555555'::UUID",
        '11111111-2222-3333-4444-555555555555',
      ],
      ['binary', "'\\xFF'::BLOB", '/w=='],
      ['decimal(38, 10)', '1.5::DECIMAL(38,10)', '1.5000000000'],
    ];
    const path = await write(
      't1.parquet',
      `SELECT ${types.map(([, sql], i) => `${sql} AS c${i}`).join(', ')}`,
      types.map((_, i) => `c${i}: ${i + 1}`).join(', '),
    );
    const wanted = schema(...types.map(([type], i) => field(i + 1, `n${i}`, type)));
    expect(await rows(tableSelect({ schema: wanted, files: [file(path)] }))).toEqual([
      types.map(([, , value]) => value),
    ]);
  });
});

describe('nested fields under other names', () => {
  const before = schema(field(1, 's', struct(field(2, 'a', 'long'), field(3, 'b', 'string'))));
  const node = (name: string, fieldId: number | null, children: NamedNode[] = []): NamedNode => ({
    name,
    fieldId,
    children,
  });

  it('trusts names when fields were only added', () => {
    const after = schema(
      field(1, 's', struct(field(2, 'a', 'long'), field(3, 'b', 'string'), field(4, 'c', 'long'))),
    );
    expect(nestedNamesAgree(after, [before])).toBe(true);
    expect(nestedNamesAgree(before, [after])).toBe(true);
  });

  it('does not trust them when a field was renamed, or its name given to another', () => {
    const renamed = schema(field(1, 's', struct(field(2, 'a2', 'long'), field(3, 'b', 'string'))));
    const retyped = schema(field(1, 's', struct(field(4, 'A', 'double'), field(3, 'b', 'string'))));
    expect(nestedNamesAgree(renamed, [before])).toBe(false);
    expect(nestedNamesAgree(retyped, [before])).toBe(false);
  });

  it('does not trust them when a struct has none of its old fields left, and reads NULL fields then', async () => {
    const after = schema(field(1, 's', struct(field(5, 'z', 'long'))));
    expect(nestedNamesAgree(after, [before])).toBe(false);
    const path = await write(
      'l1.parquet',
      "SELECT {'a': 1::BIGINT, 'b': 'x'} AS s",
      's: {__duckdb_field_id: 1, a: 2, b: 3}',
    );
    const columns = [node('s', 1, [node('a', 2), node('b', 3)])];
    expect(await rows(tableSelect({ schema: after, files: [file(path, { columns })] }))).toEqual([
      [{ z: null }],
    ]);
  });

  it('finds nested fields by id whatever the file calls them', async () => {
    const path = await write(
      'o1.parquet',
      "SELECT {'a': 1::BIGINT, 'b': 'x'} AS s, [{'p': 2::BIGINT}, NULL] AS l, MAP {'k': {'q': 3::BIGINT}} AS m UNION ALL SELECT NULL, NULL, NULL",
      's: {__duckdb_field_id: 1, a: 2, b: 3}, l: {__duckdb_field_id: 4, element: {__duckdb_field_id: 5, p: 6}}, m: {__duckdb_field_id: 7, key: 8, value: {__duckdb_field_id: 9, q: 10}}',
    );
    const wanted = schema(
      field(1, 's', struct(field(3, 'a', 'string'), field(2, 'n', 'long'), field(11, 'b', 'long'))),
      field(4, 'l', list(5, struct(field(6, 'r', 'long')))),
      field(7, 'm', map(8, 9, struct(field(10, 't', 'long'), field(12, 'q', 'string')))),
    );
    const columns = [
      node('s', 1, [node('a', 2), node('b', 3)]),
      node('l', 4, [node('list', null, [node('element', 5, [node('p', 6)])])]),
      node('m', 7, [node('key_value', null, [node('key', 8), node('value', 9, [node('q', 10)])])]),
    ];
    expect(await rows(tableSelect({ schema: wanted, files: [file(path, { columns })] }))).toEqual([
      [{ a: 'x', n: 1, b: null }, [{ r: 2 }, null], { k: { t: 3, q: null } }],
      [null, null, null],
    ]);
  });
});

describe('deletes', () => {
  it('leaves out deleted positions of the files they apply to, and of no others', async () => {
    const one = await write('d1.parquet', 'SELECT range::BIGINT AS id FROM range(5)', 'id: 1');
    const two = await write(
      'd2.parquet',
      'SELECT (10 + range)::BIGINT AS id FROM range(5)',
      'id: 1',
    );
    const bare = await write('d3.parquet', 'SELECT 20::BIGINT AS id', 'id: 1');
    const recorded = 's3://elsewhere/before the move/d1.parquet';
    const deletes = await write(
      'd-delete.parquet',
      `SELECT * FROM (VALUES (${quoteText(recorded)}, 0::BIGINT), (${quoteText(recorded)}, 3), (${quoteText(`file://${two}`)}, 1)) v(file_path, pos)`,
      'file_path: 2147483546, pos: 2147483545',
    );
    const deletePaths = [deletes];
    const wanted = schema(field(1, 'id', 'long'));
    const select = (files: ViewFile[]): string =>
      `${tableSelect({ schema: wanted, files })} ORDER BY 1`;
    const first = file(one, { recordedUri: recorded, deletePaths });
    expect(await rows(select([first, file(two, { deletePaths }), file(bare)]))).toEqual(
      [1, 2, 4, 10, 12, 13, 14, 20].map((id) => [id]),
    );
    // The delete file names the second file too, but does not apply to it (say, the file is younger).
    expect(await rows(select([first, file(two)]))).toEqual(
      [1, 2, 4, 10, 11, 12, 13, 14].map((id) => [id]),
    );
  });

  it('keeps positions right when a filter skips row groups', async () => {
    const path = join(folder, 'groups.parquet');
    await engine.execute(
      `COPY (SELECT range::BIGINT AS id FROM range(10000)) TO ${quoteText(path)} (FORMAT parquet, ROW_GROUP_SIZE 2048, FIELD_IDS {id: 1})`,
    );
    const deletes = await write(
      'groups-delete.parquet',
      `SELECT ${quoteText(`file://${path}`)} AS file_path, 9000 + range AS pos FROM range(10)`,
      'file_path: 2147483546, pos: 2147483545',
    );
    const select = tableSelect({
      schema: schema(field(1, 'id', 'long')),
      files: [file(path, { deletePaths: [deletes] })],
    });
    expect(
      await rows(`SELECT count(*), min(id) FROM (${select}) WHERE id BETWEEN 8995 AND 9015`),
    ).toEqual([[11, 8995]]);
    expect(await rows(`SELECT id FROM (${select}) WHERE id IN (9000, 9009, 9010)`)).toEqual([
      [9010],
    ]);
  });

  it('fails when a delete file lacks its columns', async () => {
    const path = await write('x1.parquet', 'SELECT 1::BIGINT AS id', 'id: 1');
    const wrong = await write('x2.parquet', 'SELECT 1::BIGINT AS other', 'other: 1');
    const select = tableSelect({
      schema: schema(field(1, 'id', 'long')),
      files: [file(path, { deletePaths: [wrong] })],
    });
    await expect(rows(select)).rejects.toMatchObject({ code: 'QUERY_FAILED' });
  });
});

describe('paths and names', () => {
  it('reads exactly the file that is named, whatever characters its path has', async () => {
    const strange = join(folder, 'a b\'c"*?[x]{1,2}%20 ü#');
    mkdirSync(strange);
    mkdirSync(join(folder, 'a b\'c"ZZ?[x]{1,2}%20 ü#'));
    const made = await write('p1.parquet', 'SELECT 1::BIGINT AS id', 'id: 1');
    const path = join(strange, 'part=7*.parquet');
    renameSync(made, path);
    const select = tableSelect({
      schema: schema(field(1, 'id', 'long')),
      files: [file(path)],
      withPosition: true,
    });
    expect(await rows(select)).toEqual([[1, path, 0]]);
  });

  it('quotes column names, those of its own helpers included', async () => {
    const path = await write(
      'q1.parquet',
      'SELECT 1::BIGINT AS a, 2::BIGINT AS b, 3::BIGINT AS c',
      'a: 1, b: 2, c: 3',
    );
    const wanted = schema(
      field(1, 'file_row_number', 'long'),
      field(2, 'sel"ect', 'long'),
      field(3, 'filename', 'long'),
    );
    const result = await engine.query(tableSelect({ schema: wanted, files: [file(path)] }));
    expect(result.columns.map((c) => c.name)).toEqual(['file_row_number', 'sel"ect', 'filename']);
  });

  it('works with thousands of files', async () => {
    const path = await write('many.parquet', 'SELECT 1::BIGINT AS id', 'id: 1');
    const files = Array.from({ length: 5000 }, () => file(path));
    await engine.execute(
      `CREATE VIEW many AS ${tableSelect({ schema: schema(field(1, 'id', 'long')), files })}`,
    );
    expect(await rows('SELECT count(*), sum(id) FROM many')).toEqual([[5000, 5000]]);
  });
});
