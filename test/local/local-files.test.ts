// Objects as files: what is copied, what is left out, and that an engine reads the same from either.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DuckdbEngine } from '../../pipeline/local/duckdb-engine.js';
import { CopiedFiles } from '../../pipeline/local/local-files.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import { ObjectNotFoundError, type QueryEngine } from '../../pipeline/ports.js';

const folder = mkdtempSync(join(tmpdir(), 'tidelake-files-'));
const uri = 's3://lake/t/data/p=1/a.parquet';
let engine: QueryEngine;
let whole: Buffer;

/** A store that counts bytes read, and can be told to fail. */
class CountedStore extends MemoryStore {
  bytesRead = 0;
  failing = false;
  override async read(
    place: string,
    range?: { readonly start: number; readonly end: number },
  ): Promise<Uint8Array> {
    if (this.failing) throw new Error('no');
    const bytes = await super.read(place, range);
    this.bytesRead += bytes.length;
    return bytes;
  }
}

beforeAll(async () => {
  engine = await DuckdbEngine.open({
    threads: 1,
    memoryMb: 256,
    spillFolder: join(folder, 'spill'),
  });
  const path = join(folder, 'made.parquet');
  // Two row groups of three columns: numbers, long texts that no compression shrinks, and a struct.
  await engine.execute(
    `COPY (SELECT i AS n, sha256(i::VARCHAR) AS t, {'a': i, 'b': md5(i::VARCHAR)} AS s FROM range(40000) r(i))
     TO '${path}' (FORMAT parquet, ROW_GROUP_SIZE 20480, FIELD_IDS {n: 1, t: 2, s: {__duckdb_field_id: 3, a: 4, b: 5}})`,
  );
  whole = readFileSync(path);
});
afterAll(async () => {
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
});

let count = 0;
async function fresh(): Promise<{ store: CountedStore; files: CopiedFiles; at: string }> {
  const store = new CountedStore();
  await store.put(uri, whole);
  const at = join(folder, `scratch-${count++}`);
  return { store, files: new CopiedFiles(store, at), at };
}

async function answer(sql: string): Promise<unknown[]> {
  const rows: unknown[] = [];
  for await (const row of (await engine.query(sql)).rows) rows.push(row);
  return rows;
}

describe('an object as a file', () => {
  it('is itself when it is one', async () => {
    const { files } = await fresh();
    expect(await files.path('file:///srv/lake/a b%20c.parquet')).toBe('/srv/lake/a b%20c.parquet');
  });

  it('is copied once, byte for byte, however often and by how many it is asked for', async () => {
    const { store, files } = await fresh();
    const paths = await Promise.all(Array.from({ length: 20 }, () => files.path(uri)));
    expect(new Set(paths).size).toBe(1);
    expect(Buffer.compare(readFileSync(paths[0]!), whole)).toBe(0);
    expect(store.bytesRead).toBe(whole.length);
  });

  it('has the columns that were asked for, and holes for the rest', async () => {
    const { store, files } = await fresh();
    const path = await files.path(uri, whole.length, [1]);
    expect(await answer(`SELECT count(*), sum(n)::BIGINT FROM '${path}'`)).toEqual([
      [40000, 799980000],
    ]);
    // The texts are most of the file.
    expect(store.bytesRead).toBeLessThan(whole.length / 2);
    const part = readFileSync(path);
    expect(part.length).toBe(whole.length);
    expect(part.every((byte, i) => byte === 0 || byte === whole[i])).toBe(true);
    expect(part.equals(whole)).toBe(false);
    // A hole is no data: whoever reads one is told.
    await expect(answer(`SELECT max(t) FROM '${path}'`)).rejects.toMatchObject({
      code: 'QUERY_FAILED',
    });
  });

  it('gets further columns under the same path, nested ones by the column they belong to', async () => {
    const { store, files } = await fresh();
    const path = await files.path(uri, whole.length, [1]);
    expect(await files.path(uri, whole.length, [3, 1])).toBe(path);
    const sql = (from: string) =>
      `SELECT sum(n)::BIGINT, sum(s.a)::BIGINT, max(s.b) FROM '${from}'`;
    expect(await answer(sql(path))).toEqual(await answer(sql(join(folder, 'made.parquet'))));
    const before = store.bytesRead;
    await files.path(uri, whole.length, [3]);
    expect(store.bytesRead).toBe(before);
    await files.path(uri, whole.length);
    expect(readFileSync(path).equals(whole)).toBe(true);
  });

  it('that could not be completed keeps what it had, and can be completed later', async () => {
    const { store, files } = await fresh();
    const path = await files.path(uri, whole.length, [1]);
    store.failing = true;
    await expect(files.path(uri, whole.length)).rejects.toThrow('no');
    expect(await answer(`SELECT max(n)::BIGINT FROM '${path}'`)).toEqual([[39999]]);
    store.failing = false;
    expect(await files.path(uri, whole.length)).toBe(path);
    expect(readFileSync(path).equals(whole)).toBe(true);
  });

  it('that is missing is not found, and one that is too short or no Parquet is damaged', async () => {
    const { store, files } = await fresh();
    await expect(files.path('s3://lake/none')).rejects.toBeInstanceOf(ObjectNotFoundError);
    await expect(files.path('s3://lake/none', 10)).rejects.toBeInstanceOf(ObjectNotFoundError);
    const damaged = expect.objectContaining({ code: 'CHECK_FAILED' });
    await expect(files.path(uri, whole.length + 1)).rejects.toEqual(damaged);
    await store.put('s3://lake/text', new TextEncoder().encode('no Parquet at all'));
    await expect(files.path('s3://lake/text', 17, [1])).rejects.toEqual(damaged);
    expect(readFileSync(await files.path('s3://lake/text')).toString()).toBe('no Parquet at all');
  });

  it('never lies outside the scratch folder, whatever its key', async () => {
    const { store, files, at } = await fresh();
    const hostile = 's3://lake/../../../../../../tmp/x%00/..\\..\\y';
    await store.put(hostile, new Uint8Array([1]));
    expect((await files.path(hostile)).startsWith(`${at}/`)).toBe(true);
  });
});
