// What other programs make of the tables written here: icebird reads rows, avsc reads every Avro file.
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import avsc from 'avsc';
import { icebergMetadata, icebergRead } from 'icebird';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AddedFile } from '../../../pipeline/lake/iceberg/snapshot-builder.js';
import { bucketOf } from '../../../pipeline/lake/iceberg/transforms.js';
import type { TableMetadata } from '../../../schemas/iceberg.js';
import {
  bucketed,
  dataFile,
  deleteFile,
  emptyTable,
  location,
  schema,
  TestLake,
} from '../fixtures.js';

const tableUrl = 'https://bucket.s3.amazonaws.com/lake/db/orders';
const clients = Array.from({ length: 40 }, (_, i) => `client-${i}`);
const bucketOfClient = (client: string): number => bucketOf(new TextEncoder().encode(client), 4);

describe('a table written here', () => {
  const lake = new TestLake();
  let folder = '';
  let md: TableMetadata;

  async function parquet(
    sql: string,
    name: string,
    ids: string,
    file: AddedFile,
  ): Promise<AddedFile> {
    const local = join(folder, `${name}.parquet`);
    const connection = await (await DuckDBInstance.create()).connect();
    await connection.run(`COPY (${sql}) TO '${local}' (FORMAT parquet, FIELD_IDS ${ids})`);
    await lake.store.put(file.path, await readFile(local));
    return { ...file, fileSizeBytes: BigInt((await stat(local)).size) };
  }

  async function dataOf(bucket: number, name: string, qty: string): Promise<AddedFile> {
    const rows = clients.filter((client) => bucketOfClient(client) === bucket);
    const sql = `SELECT c AS client, ${qty}::DECIMAL(18,2) AS qty, ['t'] AS tags FROM (SELECT unnest([${rows.map((c) => `'${c}'`).join()}]) AS c)`;
    const ids = '{client: 1, qty: 2, tags: {__duckdb_field_id: 3, element: 4}}';
    return parquet(sql, name, ids, dataFile(name, [bucket], BigInt(rows.length)));
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidelake-interop-'));
    // Sequence number 1: four buckets. 2: bucket 0 rewritten, the first row of bucket 1 deleted by position.
    md = await lake.build(emptyTable({ spec: bucketed }), {
      added: await Promise.all([0, 1, 2, 3].map((bucket) => dataOf(bucket, `b${bucket}`, '1.10'))),
    });
    const positions = await parquet(
      `SELECT '${location}/data/b1.parquet' AS file_path, 0::BIGINT AS pos`,
      'd1',
      '{file_path: 2147483546, pos: 2147483545}',
      { ...deleteFile('d1', `${location}/data/b1.parquet`, [1]), recordCount: 1n },
    );
    await lake.commit(md);
    md = await lake.build(md, {
      removed: new Set([`${location}/data/b0.parquet`]),
      added: [await dataOf(0, 'b0-2', '2.20'), positions],
      operation: 'overwrite',
    });
    await lake.commit(md);
    vi.stubGlobal('fetch', async (url: string, init?: RequestInit) => {
      const uri = String(url).replace('https://bucket.s3.amazonaws.com/', 's3://bucket/');
      if ((await lake.store.size(uri)) === null) return new Response(null, { status: 404 });
      const bytes = await lake.store.read(uri);
      const range = /bytes=(\d+)-(\d*)/.exec(new Headers(init?.headers).get('range') ?? '');
      if (range === null) return new Response(Buffer.from(bytes));
      const end = range[2] === '' ? bytes.length : Number(range[2]) + 1;
      return new Response(Buffer.from(bytes.slice(Number(range[1]), end)), { status: 206 });
    });
  });
  afterAll(async () => {
    vi.unstubAllGlobals();
    await rm(folder, { recursive: true, force: true });
  });

  it('is found and understood by icebird', async () => {
    const read = await icebergMetadata({ tableUrl });
    expect(read['current-snapshot-id']).toBe(Number(md['current-snapshot-id']));
    expect(read.schemas[0]).toEqual(schema);
  });

  it('gives icebird the rows after a rewrite and a position delete, each once', async () => {
    const rows = await icebergRead({ tableUrl });
    const deleted = clients.find((client) => bucketOfClient(client) === 1);
    const expected = clients
      .filter((client) => client !== deleted)
      .map((client) => [client, bucketOfClient(client) === 0 ? 2.2 : 1.1]);
    const found = rows.map((row) => [row.client, row.qty]);
    expect(found.sort()).toEqual(expected.sort());
  });

  it('has manifests and manifest lists that avsc can decode', async () => {
    let files = 0;
    for await (const { uri } of lake.store.list(`${location}/metadata`)) {
      if (!uri.endsWith('.avro')) continue;
      files++;
      const rows: Record<string, unknown>[] = [];
      const decoder = new avsc.streams.BlockDecoder();
      decoder.on('data', (row: Record<string, unknown>) => rows.push(row));
      const done = new Promise((resolve, reject) => decoder.on('end', resolve).on('error', reject));
      decoder.end(Buffer.from(await lake.store.read(uri)));
      await done;
      expect(rows.length).toBeGreaterThan(0);
      if (uri.includes('/snap-')) {
        expect(
          rows.every((row) => String(row.manifest_path).startsWith(`${location}/metadata/`)),
        ).toBe(true);
      } else {
        const paths = rows.map((row) => (row.data_file as Record<string, unknown>).file_path);
        expect(paths.every((path) => String(path).startsWith(`${location}/data/`))).toBe(true);
      }
    }
    // Two lists, one data manifest each commit, the rewritten one, and one of delete files.
    expect(files).toBe(6);
  });
});
