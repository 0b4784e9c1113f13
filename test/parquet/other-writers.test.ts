// Files that another engine wrote, in each of its codecs and page versions: decoded and copied by row group.
// DuckDB writes them, with field ids, as a foreign writer of the lake would.
// Source: DuckDB documentation, "Reading and Writing Parquet Files".

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ParquetAssembler, readRowGroup } from '../../pipeline/lake/parquet/assembler.js';
import { decodeRowGroups } from '../../pipeline/lake/parquet/decode-row-group.js';
import { readFooter } from '../../pipeline/lake/parquet/footer.js';
import { sampleFields, sampleRows, toIpc } from './arrow-rows.js';
import { encodeRowGroup } from './arrow-rs.js';
import { duckdb, fromIpc } from './read-back.js';

const rows = sampleRows(0, 5000);
let folder: string;
let source: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parquet-others-'));
  source = join(folder, 'source.parquet');
  const assembler = new ParquetAssembler();
  const part = assembler.add(encodeRowGroup(toIpc(sampleFields, rows)));
  writeFileSync(source, Buffer.concat([assembler.start(), part, assembler.finish().tail]));
});
afterAll(() => rmSync(folder, { recursive: true }));

const fieldIds = `{id: 1, client: 2, exact: 3, amount: 4, seen_at: 5, raw: 6, flag: 7, nothing: 8,
  tags: {__duckdb_field_id: 9, element: 100},
  lines: {__duckdb_field_id: 10, element: {__duckdb_field_id: 105, sku: 101, price: 102,
    notes: {__duckdb_field_id: 103, element: 104}}},
  address: {__duckdb_field_id: 11, city: 110, geo: {__duckdb_field_id: 111, lat: 112}},
  extra: {__duckdb_field_id: 12, key: 121, value: {__duckdb_field_id: 122, element: 123}}}`;

async function duckdbFile(name: string, options: string): Promise<Buffer> {
  const path = join(folder, name);
  await duckdb(
    `COPY (FROM read_parquet('${source}')) TO '${path}'
     (FORMAT parquet, ROW_GROUP_SIZE 2048, FIELD_IDS ${fieldIds}, ${options})`,
  );
  return readFileSync(path);
}

describe('a file that DuckDB wrote', () => {
  it.each([
    'COMPRESSION snappy',
    'COMPRESSION zstd',
    'COMPRESSION gzip',
    'COMPRESSION lz4_raw',
    'COMPRESSION brotli',
    'COMPRESSION uncompressed',
    'COMPRESSION zstd, PARQUET_VERSION V2',
  ])('is decoded, each row group by itself (%s)', async (options) => {
    const file = await duckdbFile(`${options.replaceAll(/\W/g, '')}.parquet`, options);
    const readRange = async (start: number, end: number): Promise<Uint8Array> =>
      file.subarray(start, end);
    const footer = await readFooter(readRange, file.length);
    expect(footer.rowGroups.length).toBe(3);
    const found = [];
    for (const index of footer.rowGroups.keys()) {
      found.push(...fromIpc(await decodeRowGroups({ readRange, footer, indexes: [index] })));
    }
    expect(found).toEqual(rows);
    const ipc = await decodeRowGroups({
      readRange,
      footer,
      indexes: [0],
      columns: ['extra', 'lines'],
    });
    const [lines, extra] = tableFromIPC(ipc).schema.fields;
    const ids = (fields: readonly (typeof lines)[]): unknown[] =>
      fields.flatMap((field) => [
        field!.metadata.get('PARQUET:field_id') ?? null,
        ...ids((field!.type.children as readonly (typeof lines)[] | null) ?? []),
      ]);
    expect(ids([lines])).toEqual(['10', '105', '101', '102', '103', '104']);
    expect(ids([extra])).toEqual(['12', null, '121', '122', '123']);
  });

  it('has row groups that can be copied into a file of their kind, byte for byte', async () => {
    const file = await duckdbFile('copy.parquet', 'COMPRESSION zstd');
    const readRange = async (start: number, end: number): Promise<Uint8Array> =>
      file.subarray(start, end);
    const footer = await readFooter(readRange, file.length);
    const assembler = new ParquetAssembler();
    const parts = [assembler.start()];
    for (const index of [2, 0]) {
      parts.push(assembler.add(await readRowGroup(readRange, footer, index)));
    }
    const path = join(folder, 'copied.parquet');
    writeFileSync(path, Buffer.concat([...parts, assembler.finish().tail]));
    expect(await duckdb(`FROM read_parquet('${path}')`)).toEqual([
      ...rows.slice(4096),
      ...rows.slice(0, 2048),
    ]);
    // Bloom filters, which DuckDB writes for dictionary columns, are left behind.
    const filters = await duckdb(
      `SELECT count(bloom_filter_offset) n FROM parquet_metadata('${path}')`,
    );
    expect(filters).toEqual([{ n: 0n }]);
  });
});
