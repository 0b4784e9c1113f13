// Which columns SQL reads, as far as the engine's plan tells, and that a lake elsewhere is read by those alone.

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { query } from '../../pipeline/index.js';
import { DuckdbEngine } from '../../pipeline/local/duckdb-engine.js';
import { CopiedFiles } from '../../pipeline/local/local-files.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import type { QueryEngine, World } from '../../pipeline/ports.js';
import { neededColumns } from '../../pipeline/query/needed-columns.js';
import { tableSelect } from '../../pipeline/query/views.js';
import { memoryWorld, StoryLake, worldOver } from '../scenarios/story-world.js';
import { Tale } from '../scenarios/tale.js';

const folder = mkdtempSync(join(tmpdir(), 'tidelake-needed-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the columns that SQL reads', () => {
  let engine: QueryEngine;
  beforeAll(async () => {
    engine = await DuckdbEngine.open({ threads: 1, memoryMb: 256, spillFolder: join(folder, 's') });
    const path = join(folder, 'a.parquet');
    await engine.execute(
      `COPY (SELECT i AS n, 'x' AS t, {'a': i} AS s, i % 7 AS q FROM range(100) r(i)) TO '${path}'
       (FORMAT parquet, FIELD_IDS {n: 1, t: 2, s: {__duckdb_field_id: 3, a: 4}, q: 6})`,
    );
    const field = (id: number, name: string, type: string) => ({ id, name, required: false, type });
    const s = { type: 'struct' as const, fields: [field(4, 'a', 'long')] };
    const select = tableSelect({
      schema: {
        type: 'struct',
        'schema-id': 0,
        fields: [
          field(1, 'n', 'long'),
          field(2, 't', 'string'),
          { id: 3, name: 's', required: false, type: s },
          field(6, 'q', 'long'),
        ],
      },
      files: [{ recordedUri: path, path, deletePaths: [], columns: null, group: '' }],
    });
    await engine.execute(`CREATE VIEW v AS ${select}`);
  });
  afterAll(() => engine.close());

  it.each<[string, readonly number[]]>([
    ['SELECT count(*) FROM v', []],
    ['DESCRIBE v', []],
    ['SELECT n FROM v', [1]],
    ['SELECT n FROM v WHERE q = 3 AND s.a > 5', [1, 3, 6]],
    ['SELECT max(t) FROM v WHERE n BETWEEN 3 AND 5', [1, 2]],
    ['FROM v SELECT q, count(*) GROUP BY 1', [6]],
    ['SELECT n FROM v ORDER BY q LIMIT 5', [1, 6]],
    ['WITH x AS MATERIALIZED (SELECT t FROM v) SELECT * FROM x', [2]],
    ['SELECT a.t FROM v a JOIN v b ON a.n = b.q', [1, 2, 6]],
    ["SELECT COLUMNS('q|n') FROM v", [1, 6]],
    ['SELECT * FROM v', [1, 2, 3, 6]],
    ['SUMMARIZE v', [1, 2, 3, 6]],
    ['-- select *\nSELECT q FROM v;', [6]],
  ])('%s', async (sql, ids) => {
    const found = await neededColumns(engine, sql);
    expect([...found!].sort()).toEqual(ids);
  });

  it.each([
    'SELECT 1; SELECT t FROM v',
    'PIVOT v ON q USING count(*)',
    'SELECT * FROM (PIVOT v ON q USING count(*))',
    'CREATE TABLE x AS SELECT n FROM v',
    'SELECT nothing FROM v',
    'nonsense',
  ])('are all, when one plan does not tell: %s', async (sql) => {
    expect(await neededColumns(engine, sql)).toBeNull();
  });
});

describe('a lake elsewhere', () => {
  /** Counts the bytes of data files that are read. */
  class CountedStore extends MemoryStore {
    dataBytes = 0;
    override async read(
      uri: string,
      range?: { readonly start: number; readonly end: number },
    ): Promise<Uint8Array> {
      const bytes = await super.read(uri, range);
      if (uri.endsWith('.parquet')) this.dataBytes += bytes.length;
      return bytes;
    }
  }

  it('is read by the columns that a question needs, and gives the same answers', async () => {
    const lake = new StoryLake(memoryWorld(), 's3://story');
    const tale = new Tale(lake);
    const texts = Array.from({ length: 1500 }, () => randomBytes(500).toString('base64'));
    texts.forEach((text, n) => {
      tale.put(-1, { pk: { S: `k${n}` }, n: { N: `${n}` }, t: { S: text }, u: { S: text } });
    });
    await tale.load();
    const store = new CountedStore();
    let size = 0;
    for await (const { uri, size: bytes } of lake.world.store.list(lake.lake)) {
      await store.put(uri, await lake.world.store.read(uri));
      if (uri.endsWith('.parquet')) size += bytes;
    }
    let asked = 0;
    const ask = async (sql: string): Promise<unknown[]> => {
      store.dataBytes = 0;
      const over = worldOver(store, { spillFolder: join(folder, 'spill') });
      const world: World = {
        ...over,
        localFiles: new CopiedFiles(store, join(folder, `copies-${asked++}`)),
      };
      const rows: unknown[] = [];
      for await (const row of (await query(world, { ...lake.target, sql })).rows) rows.push(row);
      return rows;
    };
    expect(await ask('SELECT sum(n)::BIGINT FROM tale')).toEqual([[1124250]]);
    expect(store.dataBytes).toBeLessThan(size / 4);
    expect(await ask('SELECT count(*) FROM tale')).toEqual([[1500]]);
    expect(store.dataBytes).toBeLessThan(size / 4);
    const greatest = [...texts].sort((a, b) => (a < b ? -1 : 1)).at(-1);
    expect(await ask('SELECT max(t) FROM tale WHERE n >= 0')).toEqual([[greatest]]);
    expect(store.dataBytes).toBeLessThan((size * 3) / 4);
  });
});
