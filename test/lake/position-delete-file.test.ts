// A position delete file as other readers see it, and what its manifest entry says.
// Source: Apache Iceberg spec, "Position Delete Files"; hyparquet and DuckDB read what we wrote.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { expect, it } from 'vitest';
import { targetOf } from '../../pipeline/lake/iceberg/live-files.js';
import { openZstd } from '../../pipeline/lake/parquet/zstd.js';
import { deleteFileEntry, encodeDeletes } from '../../pipeline/lake/position-delete-file.js';
import { duckdb } from '../parquet/read-back.js';
import { dataFile } from './fixtures.js';

const compress = await openZstd();
const path = 's3://bucket/lake/data/pk_bucket=3/é'.padEnd(120, 'x');
const bufferOf = (bytes: Uint8Array): ArrayBuffer => Uint8Array.from(bytes).buffer;

it('holds its positions in required columns with the reserved ids', async () => {
  const positions = Int32Array.of(0, 7, 8, 2_000_000_000);
  const { bytes } = encodeDeletes(compress, path, positions);
  const file = bufferOf(bytes);
  const rows = await parquetReadObjects({ file, compressors });
  expect(rows).toEqual([...positions].map((pos) => ({ file_path: path, pos: BigInt(pos) })));
  const [, ...columns] = parquetMetadata(file).schema;
  expect(
    columns.map(({ name, field_id, repetition_type, type }) => [
      name,
      field_id,
      repetition_type,
      type,
    ]),
  ).toEqual([
    ['file_path', 2147483546, 'REQUIRED', 'BYTE_ARRAY'],
    ['pos', 2147483545, 'REQUIRED', 'INT64'],
  ]);
});

it('of many positions has several row groups, and DuckDB counts them all', async () => {
  const count = 300_000;
  const { bytes, splitOffsets } = encodeDeletes(
    compress,
    path,
    Int32Array.from({ length: count }, (_, i) => i * 3),
  );
  expect(splitOffsets).toHaveLength(3);
  const folder = mkdtempSync(join(tmpdir(), 'tidelake-deletes-'));
  try {
    const file = join(folder, 'd.parquet');
    writeFileSync(file, bytes);
    const sql = `SELECT count(*) n, count(DISTINCT pos) d, sum(pos)::BIGINT s, any_value(file_path) p FROM read_parquet('${file}')`;
    expect(await duckdb(sql)).toEqual([
      { n: BigInt(count), d: BigInt(count), s: BigInt((3 * count * (count - 1)) / 2), p: path },
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('names its data file in the manifest so that old and new engines see it is for that one', () => {
  const data = {
    status: 0,
    snapshotId: 1n,
    sequenceNumber: 1n,
    fileSequenceNumber: 1n,
    specId: 2,
    file: { ...dataFile('a'), path, partition: [3] },
  } as const;
  const encoded = encodeDeletes(compress, path, Int32Array.of(4, 9));
  const { specId = -1, ...file } = deleteFileEntry(
    's3://bucket/lake/data/d.parquet',
    data,
    encoded,
  );
  expect([specId, file.partition, file.content, file.recordCount]).toEqual([2, [3], 1, 2n]);
  expect([file.sortOrderId, file.equalityIds, file.referencedDataFile]).toEqual([null, null, path]);
  // Without the field that Iceberg 1.7 brought, the uncut bounds alone must tell.
  const old = { ...data, specId, file: { ...file, referencedDataFile: null } };
  expect(targetOf(old)).toBe(path);
  const pos = (bytes: Uint8Array | undefined): bigint => Buffer.from(bytes!).readBigInt64LE();
  expect([pos(file.lowerBounds.get(2147483545)), pos(file.upperBounds.get(2147483545))]).toEqual([
    4n,
    9n,
  ]);
});
