// Athena's SQL on a Trino: what is sent, and how answers are read; the real Trinos are asked in test/engines.
// Source: https://trino.io/docs/current/develop/client-protocol.html

import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { trinoSql } from '../../pipeline/local/trino-sql.js';

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

let server: Server;
afterEach(() => new Promise((resolve) => server.close(resolve)));

/** A server that gives these answers one after the other; `NEXT` stands for its own address. */
async function answering(
  answers: readonly (string | number)[],
): Promise<{ readonly url: string; readonly asked: Asked[] }> {
  const asked: Asked[] = [];
  let next = 0;
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => {
      body += part.toString();
    });
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      asked.push({ method, path: url, headers, body });
      const answer = answers[Math.min(next++, answers.length - 1)]!;
      response.statusCode = typeof answer === 'number' ? answer : 200;
      const { port } = server.address() as AddressInfo;
      response.end(String(answer).replaceAll('NEXT', `http://127.0.0.1:${port}`));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const type = (rawType: string, ...of: object[]): string =>
  JSON.stringify({ rawType, arguments: of.map((value) => ({ kind: 'TYPE', value })) });

it('sends SQL with a literal for each parameter, and follows the answer to its end', async () => {
  const column = `{"name":"n","type":"bigint","typeSignature":${type('bigint')}}`;
  const { url, asked } = await answering([
    '{"nextUri":"NEXT/v1/statement/1"}',
    503,
    `{"columns":[${column}],"data":[[9007199254740993]],"nextUri":"NEXT/v1/statement/2"}`,
    '{"data":[[-1],[null]],"nextUri":"NEXT/v1/statement/3"}',
    '{}',
  ]);
  const run = trinoSql(`${url}/lake_tables`);
  const answer = await run(
    "SELECT '?' AS q, n FROM t WHERE a = ? AND b < ?",
    ["'x?'", '2'],
    'shop',
  );
  expect(answer).toEqual({
    columns: [{ name: 'n', type: 'bigint' }],
    rows: [['9007199254740993'], ['-1'], [null]],
  });
  expect(asked[0]).toMatchObject({
    method: 'POST',
    path: '/v1/statement',
    body: "SELECT '?' AS q, n FROM t WHERE a = 'x?' AND b < 2",
    headers: { 'x-trino-catalog': 'lake_tables', 'x-trino-schema': 'shop' },
  });
  expect(asked.slice(1).map(({ path }) => path.at(-1))).toEqual(['1', '1', '2', '3']);
});

it('writes values as Athena does', async () => {
  const row = JSON.stringify({
    rawType: 'row',
    arguments: [
      {
        kind: 'NAMED_TYPE',
        value: {
          fieldName: { name: 'sku' },
          typeSignature: { rawType: 'varchar', arguments: [] },
        },
      },
      {
        kind: 'NAMED_TYPE',
        value: { fieldName: { name: 'n' }, typeSignature: { rawType: 'bigint', arguments: [] } },
      },
    ],
  });
  const varchar = { rawType: 'varchar', arguments: [] };
  const columns = [
    ['array', type('array', JSON.parse(row))],
    ['map', type('map', varchar, varchar)],
    ['varbinary', type('varbinary')],
    ['timestamp(6)', type('timestamp')],
    ['boolean', type('boolean')],
    ['decimal(38,2)', type('decimal')],
  ].map(([name, signature]) => `{"name":"c","type":"${name}","typeSignature":${signature}}`);
  const values =
    '[[["a, b",9007199254740993],["c",null]],{"k":"v"},"AP8=","2026-11-01 00:00:00.000001",true,"123456789012345678901234567890123456.78"]';
  const { url } = await answering([`{"columns":[${columns.join(',')}],"data":[${values}]}`]);
  const { rows } = await trinoSql(url)('SELECT 1', [], null);
  expect(rows).toEqual([
    [
      '[{sku=a, b, n=9007199254740993}, {sku=c, n=null}]',
      '{k=v}',
      '00 ff',
      '2026-11-01 00:00:00.000001',
      'true',
      '123456789012345678901234567890123456.78',
    ],
  ]);
});

it('fails in the words of Trino, or with the status of what is none', async () => {
  const { url } = await answering([
    '{"error":{"errorName":"TABLE_NOT_FOUND","message":"line 1:15: Table does not exist"}}',
    404,
  ]);
  await expect(trinoSql(url)('SELECT 1', [], null)).rejects.toThrow(
    'TABLE_NOT_FOUND: line 1:15: Table does not exist',
  );
  await expect(trinoSql(url)('SELECT 1', [], null)).rejects.toThrow('status 404');
});

it.each(['127.0.0.1:8080', 'ftp://host/catalog', 'http://host/a/b', ''])(
  'refuses %o, which is no address of one',
  async (place) => {
    await answering(['{}']);
    expect(() => trinoSql(place)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  },
);
