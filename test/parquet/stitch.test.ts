// Row groups encoded apart and stitched into one file: the rows come back from three readers, whole or in part.
// DuckDB and hyparquet are the judges; they share no code with what is tested.
// Source: apache/parquet-format, README.md ("File format").

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CopiedRowGroup,
  ParquetAssembler,
  readRowGroup,
} from '../../pipeline/lake/parquet/assembler.js';
import { decodeRowGroups } from '../../pipeline/lake/parquet/decode-row-group.js';
import { type ReadRange, readFooter } from '../../pipeline/lake/parquet/footer.js';
import type { EncodedRowGroup } from '../../pipeline/lake/parquet/row-group-encoder.js';
import { TidelakeError } from '../../schemas/errors.js';
import { field, sampleFields, sampleRows, toIpc } from './arrow-rows.js';
import { encodeRowGroup } from './arrow-rs.js';
import { asHyparquet, duckdb, fromIpc, hyparquet } from './read-back.js';

const rangeOf =
  (file: Uint8Array): ReadRange =>
  async (start, end) =>
    file.subarray(start, end);

function stitch(
  parts: readonly (EncodedRowGroup | CopiedRowGroup)[],
  keyValue = new Map<string, string>(),
): Buffer {
  const assembler = new ParquetAssembler({ keyValue: new Map([['written.by', 'a test']]) });
  const pieces = [assembler.start(), ...parts.map((part) => assembler.add(part))];
  const { tail, fileSize } = assembler.finish(keyValue);
  const file = Buffer.concat([...pieces, tail]);
  expect(file.length).toBe(fileSize);
  return file;
}

const sizes = [700, 1, 299];
const rows = sampleRows(0, 1000);
let folder: string;
let file: Buffer;
let path: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parquet-'));
  let from = 0;
  const parts = sizes.map((size) => {
    from += size;
    return encodeRowGroup(toIpc(sampleFields, rows.slice(from - size, from)), {
      plainColumns: ['id', 'client'],
    });
  });
  file = stitch(parts, new Map([['extra', 'värde']]));
  path = join(folder, 'stitched.parquet');
  writeFileSync(path, file);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a file stitched from three row groups', () => {
  it('reads the same in DuckDB, row by row', async () => {
    const found = await duckdb(`SELECT * FROM read_parquet('${path}') ORDER BY id`);
    expect(found).toEqual(rows);
  });

  it('lets DuckDB find single rows by their statistics', async () => {
    for (const i of [0, 699, 700, 701, 999]) {
      const found = await duckdb(
        `FROM read_parquet('${path}') WHERE id = ${rows[i]!.id} AND seen_at IS NOT NULL`,
      );
      expect(found).toEqual([rows[i]]);
    }
  });

  it('reads the same in hyparquet, row by row', async () => {
    expect(await hyparquet(file)).toEqual(rows.map((row) => asHyparquet(row)));
  });

  it('reads the same in our decoder, row by row', async () => {
    const footer = await readFooter(rangeOf(file), file.length);
    const ipc = await decodeRowGroups({ readRange: rangeOf(file), footer, indexes: [0, 1, 2] });
    expect(fromIpc(ipc)).toEqual(rows);
  });

  it('has the row groups in order, each where DuckDB finds it', async () => {
    const footer = await readFooter(rangeOf(file), file.length);
    expect(footer.rowCount).toBe(1000n);
    expect(footer.rowGroups.map((group) => group.rowCount)).toEqual(sizes);
    const chunks = await duckdb(
      `SELECT row_group_id, column_id, row_group_num_rows, data_page_offset, dictionary_page_offset,
        total_compressed_size, num_values, stats_null_count
       FROM parquet_metadata('${path}') ORDER BY 1, 2`,
    );
    expect(
      footer.rowGroups.flatMap((group) => group.columns.map((chunk) => BigInt(chunk.byteStart))),
    ).toEqual(chunks.map((chunk) => chunk.dictionary_page_offset ?? chunk.data_page_offset));
    expect(
      footer.rowGroups.flatMap((group) => group.columns.map((chunk) => chunk.valueCount)),
    ).toEqual(chunks.map((chunk) => chunk.num_values));
    expect(
      footer.rowGroups.flatMap((group) => group.columns.map((chunk) => chunk.nullCount)),
    ).toEqual(chunks.map((chunk) => chunk.stats_null_count));
  });

  it('keeps field ids at every level', async () => {
    const schema = await duckdb(
      `SELECT name, field_id FROM parquet_schema('${path}') WHERE field_id IS NOT NULL ORDER BY 2`,
    );
    expect(schema.map((node) => [node.name, Number(node.field_id)])).toEqual([
      ['id', 1],
      ['client', 2],
      ['exact', 3],
      ['amount', 4],
      ['seen_at', 5],
      ['raw', 6],
      ['flag', 7],
      ['nothing', 8],
      ['tags', 9],
      ['lines', 10],
      ['address', 11],
      ['extra', 12],
      ['element', 100],
      ['sku', 101],
      ['price', 102],
      ['notes', 103],
      ['element', 104],
      ['element', 105],
      ['city', 110],
      ['geo', 111],
      ['lat', 112],
      ['key', 121],
      ['value', 122],
      ['element', 123],
    ]);
  });

  it('carries only the key-value metadata it was given', async () => {
    const found = await duckdb(
      `SELECT decode(key) k, decode(value) v FROM parquet_kv_metadata('${path}') ORDER BY 1`,
    );
    expect(found).toEqual([
      { k: 'extra', v: 'värde' },
      { k: 'written.by', v: 'a test' },
    ]);
    const footer = await readFooter(rangeOf(file), file.length);
    expect([...footer.keyValue.keys()].sort()).toEqual(['extra', 'written.by']);
  });

  it('decodes to the Arrow types and field ids that were encoded', async () => {
    const footer = await readFooter(rangeOf(file), file.length);
    const ipc = await decodeRowGroups({ readRange: rangeOf(file), footer, indexes: [1] });
    const before = tableFromIPC(toIpc(sampleFields, rows.slice(0, 1))).schema;
    const after = tableFromIPC(ipc).schema;
    const describeFields = (fields: readonly (typeof before.fields)[number][]): unknown[] =>
      fields.map((node) => [
        node.name,
        node.type.typeId,
        'scale' in node.type ? [node.type.precision, node.type.scale] : null,
        'unit' in node.type ? [node.type.unit, node.type.timezone ?? null] : null,
        node.metadata.get('PARQUET:field_id'),
        node.nullable,
        describeFields((node.type.children as typeof before.fields | null) ?? []),
      ]);
    expect(describeFields(after.fields)).toEqual(describeFields(before.fields));
  });
});

describe('decoding a part of a file', () => {
  it('gives the one row group asked for', async () => {
    const footer = await readFooter(rangeOf(file), file.length);
    const ipc = await decodeRowGroups({ readRange: rangeOf(file), footer, indexes: [2] });
    expect(fromIpc(ipc)).toEqual(rows.slice(701));
  });

  it('gives row groups in the order asked for', async () => {
    const footer = await readFooter(rangeOf(file), file.length);
    const ipc = await decodeRowGroups({ readRange: rangeOf(file), footer, indexes: [2, 1] });
    expect(fromIpc(ipc)).toEqual([...rows.slice(701), rows[700]]);
  });

  it('gives only the columns asked for, nested ones whole, and reads only their bytes', async () => {
    const footer = await readFooter(rangeOf(file), file.length);
    const ranges: [number, number][] = [];
    const ipc = await decodeRowGroups({
      readRange: async (start, end) => {
        ranges.push([start, end]);
        return file.subarray(start, end);
      },
      footer,
      indexes: [0],
      columns: ['lines', 'client', 'no such column'],
    });
    expect(fromIpc(ipc)).toEqual(
      rows.slice(0, 700).map(({ client, lines }) => ({ client, lines })),
    );
    for (const [start, end] of ranges) {
      expect(start).toBeGreaterThanOrEqual(footer.rowGroups[0]!.columns[1]!.byteStart);
      expect(end).toBeLessThanOrEqual(footer.rowGroups[0]!.byteEnd);
    }
  });

  it('refuses a row group and columns that do not exist', async () => {
    const footer = await readFooter(rangeOf(file), file.length);
    const readRange = rangeOf(file);
    await expect(decodeRowGroups({ readRange, footer, indexes: [3] })).rejects.toThrow('INTERNAL');
    await expect(
      decodeRowGroups({ readRange, footer, indexes: [0], columns: ['nope'] }),
    ).rejects.toThrow('INTERNAL');
  });
});

describe('copying row groups', () => {
  it('puts old and new row groups into one file, the old byte for byte', async () => {
    const footer = await readFooter(rangeOf(file), file.length);
    const copied = await readRowGroup(rangeOf(file), footer, 2);
    const fresh = encodeRowGroup(toIpc(sampleFields, sampleRows(5000, 50)));
    const target = join(folder, 'copied.parquet');
    const merged = stitch([fresh, copied, await readRowGroup(rangeOf(file), footer, 1)]);
    writeFileSync(target, merged);
    expect(merged.includes(Buffer.from(copied.bytes))).toBe(true);
    expect(await duckdb(`SELECT * FROM read_parquet('${target}')`)).toEqual([
      ...sampleRows(5000, 50),
      ...rows.slice(701),
      rows[700],
    ]);
    // A copy of a copy.
    const mergedFooter = await readFooter(rangeOf(merged), merged.length);
    const again = stitch([await readRowGroup(rangeOf(merged), mergedFooter, 1)]);
    expect(await hyparquet(again)).toEqual(rows.slice(701).map((row) => asHyparquet(row)));
  });

  it('refuses a row group with another schema', () => {
    const one = encodeRowGroup(toIpc([sampleFields[0]!], [{ id: 1n }]));
    const renumbered = encodeRowGroup(
      toIpc([field(99, 'id', sampleFields[0]!.type)], [{ id: 1n }]),
    );
    const assembler = new ParquetAssembler();
    assembler.add(one);
    expect(() => assembler.add(renumbered)).toThrow('another schema');
  });

  it('says whether a file can be copied from', async () => {
    const footer = await readFooter(rangeOf(file), file.length);
    const assembler = new ParquetAssembler();
    assembler.add(encodeRowGroup(toIpc([sampleFields[0]!], [{ id: 1n }])));
    expect(assembler.takes(footer)).toBe(false);
    const other = new ParquetAssembler();
    other.add(encodeRowGroup(toIpc(sampleFields, sampleRows(3, 4))));
    expect(other.takes(footer)).toBe(true);
  });
});

describe('a row group without rows', () => {
  it('makes a readable file of no rows', async () => {
    const target = join(folder, 'empty.parquet');
    writeFileSync(target, stitch([encodeRowGroup(toIpc(sampleFields, []))]));
    expect(await duckdb(`SELECT count(*) n FROM read_parquet('${target}')`)).toEqual([{ n: 0n }]);
    expect(readFileSync(target).subarray(0, 4).toString()).toBe('PAR1');
  });
});

it('throws nothing but TidelakeError for rows that are no Arrow stream', () => {
  expect(() => encodeRowGroup(new Uint8Array(8))).toThrow(TidelakeError);
});
