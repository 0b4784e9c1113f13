// Iceberg statistics of Parquet files, against what DuckDB counts in the same files.
// A bound may be loose or missing, but no value lies outside it.
// Source: apache/iceberg, format/spec.md ("Appendix D: Single-value serialization").

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Utf8 } from 'apache-arrow';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ParquetAssembler } from '../../pipeline/lake/parquet/assembler.js';
import { icebergStats } from '../../pipeline/lake/parquet/file-stats.js';
import {
  type ColumnChunkInfo,
  type ParquetFooter,
  readFooter,
} from '../../pipeline/lake/parquet/footer.js';
import type { ColumnStats } from '../../schemas/iceberg.js';
import { field, type Row, sampleFields, sampleRows, toIpc } from './arrow-rows.js';
import { type EncodeOptions, encodeRowGroup } from './arrow-rs.js';
import { duckdb } from './read-back.js';

const types: ReadonlyMap<number, string> = new Map([
  [1, 'long'],
  [2, 'string'],
  [3, 'decimal(38,9)'],
  [4, 'decimal(18,2)'],
  [5, 'timestamp'],
  [6, 'binary'],
  [7, 'boolean'],
  [8, 'string'],
  [110, 'string'],
  [112, 'decimal(18,2)'],
]);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parquet-stats-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(
  fields: typeof sampleFields,
  groups: readonly (readonly Row[])[],
  options?: EncodeOptions,
): { readonly file: Buffer; readonly footer: ParquetFooter } {
  const assembler = new ParquetAssembler();
  const parts = groups.map((rows) => assembler.add(encodeRowGroup(toIpc(fields, rows), options)));
  const { tail, footer } = assembler.finish();
  return { file: Buffer.concat([assembler.start(), ...parts, tail]), footer };
}

const signed = (bytes: Uint8Array): bigint =>
  BigInt.asIntN(bytes.length * 8, BigInt(`0x${Buffer.from(bytes).toString('hex')}`));
const long = (bytes: Uint8Array): bigint => Buffer.from(bytes).readBigInt64LE();
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

function decodeBound(id: number, bytes: Uint8Array): unknown {
  if (id === 1 || id === 5) return long(bytes);
  if (id === 3 || id === 4) return signed(bytes);
  if (id === 6) return Uint8Array.from(bytes);
  if (id === 7) return bytes[0] === 1;
  return text(bytes);
}

async function checkAgainstDuckdb(path: string, stats: ColumnStats): Promise<void> {
  const names = ['id', 'client', 'exact', 'amount', 'seen_at', 'raw', 'flag', 'nothing'];
  const select = (call: (name: string) => string): Promise<Row[]> =>
    duckdb(
      `SELECT ${names.map((name) => `${call(name)} AS ${name}`).join()} FROM read_parquet('${path}')`,
    );
  const [[min], [max], [nulls]] = await Promise.all([
    select((name) => `min(${name})`),
    select((name) => `max(${name})`),
    select((name) => `count(*) - count(${name})`),
  ]);
  for (const [i, name] of names.entries()) {
    const id = i + 1;
    expect(stats.nullValueCounts.get(id), name).toBe(nulls![name]);
    const lower = stats.lowerBounds.get(id);
    const upper = stats.upperBounds.get(id);
    expect(lower === undefined ? null : decodeBound(id, lower), name).toEqual(min![name]);
    expect(upper === undefined ? null : decodeBound(id, upper), name).toEqual(max![name]);
  }
}

describe('statistics of a file of three row groups', () => {
  const rows = sampleRows(0, 600);
  const groups = [rows.slice(0, 100), rows.slice(100, 101), rows.slice(101)];

  it('has the bounds and null counts that DuckDB counts', async () => {
    const { file, footer } = write(sampleFields, groups);
    const path = join(folder, 'ours.parquet');
    writeFileSync(path, file);
    await checkAgainstDuckdb(path, icebergStats(footer, types));
  });

  it('has the same for a file that DuckDB wrote', async () => {
    const { file } = write(sampleFields, [rows]);
    const ours = join(folder, 'source.parquet');
    const theirs = join(folder, 'theirs.parquet');
    writeFileSync(ours, file);
    await duckdb(
      `COPY (SELECT id, client, exact, amount, seen_at, raw, flag, nothing FROM read_parquet('${ours}'))
       TO '${theirs}' (FORMAT parquet, FIELD_IDS {id: 1, client: 2, exact: 3, amount: 4, seen_at: 5, raw: 6, flag: 7,
       nothing: 8})`,
    );
    const bytes = readFileSync(theirs);
    const footer = await readFooter(async (start, end) => bytes.subarray(start, end), bytes.length);
    await checkAgainstDuckdb(theirs, icebergStats(footer, types));
  });

  it('has the sizes and value counts of every leaf outside lists and maps', async () => {
    const { file, footer } = write(sampleFields, groups, { statistics: 'all' });
    const path = join(folder, 'sizes.parquet');
    writeFileSync(path, file);
    const stats = icebergStats(footer, types);
    const sizes = await duckdb(
      `SELECT path_in_schema p, sum(total_compressed_size)::BIGINT s, sum(num_values)::BIGINT n,
       sum(stats_null_count)::BIGINT z FROM parquet_metadata('${path}') GROUP BY 1`,
    );
    const of = (name: string): Row => sizes.find((row) => row.p === name)!;
    expect(stats.columnSizes.get(1)).toBe(of('id').s);
    expect(stats.columnSizes.get(104)).toBe(of('lines, list, element, notes, list, element').s);
    expect(stats.columnSizes.size).toBe(sizes.length);
    expect(stats.valueCounts.get(112)).toBe(600n);
    const lats = rows.filter((row) => {
      const address = row.address as { geo: { lat: bigint | null } | null } | null;
      return (address?.geo?.lat ?? null) === null;
    });
    expect(stats.nullValueCounts.get(112)).toBe(BigInt(lats.length));
    expect(stats.valueCounts.has(104)).toBe(false);
    expect(stats.lowerBounds.has(110)).toBe(false);
  });

  it('leaves out null counts and bounds that were not gathered', () => {
    const { footer } = write(sampleFields, groups, { statistics: 'none' });
    const stats = icebergStats(footer, types);
    expect(stats.valueCounts.get(1)).toBe(600n);
    expect(stats.nullValueCounts.size).toBe(0);
    expect(stats.lowerBounds.size + stats.upperBounds.size).toBe(0);
  });

  it('leaves out bounds of a column whose declared type is another than the file has', () => {
    const { footer } = write(sampleFields, groups);
    const wrong = new Map([
      [1, 'timestamp'],
      [2, 'binary'],
      [3, 'decimal(38,2)'],
      [4, 'decimal(9,2)'],
      [5, 'long'],
      [6, 'string'],
    ]);
    expect(icebergStats(footer, wrong).lowerBounds.size).toBe(0);
    expect(icebergStats(footer, wrong).upperBounds.size).toBe(0);
  });
});

describe('encodings of bounds (Iceberg Appendix D)', () => {
  it('writes a decimal in the fewest bytes of big-endian two’s complement', () => {
    const amounts = [-129n, -128n, -1n, 0n, 127n, 128n, 10n ** 16n];
    const bounds = amounts.map((amount) => {
      const { footer } = write([sampleFields[3]!], [[{ amount }]]);
      return Buffer.from(icebergStats(footer, types).lowerBounds.get(4)!).toString('hex');
    });
    expect(bounds).toEqual(['ff7f', '80', 'ff', '00', '7f', '0080', '2386f26fc10000']);
  });

  it('writes a long in 8 bytes, little-endian', () => {
    const { footer } = write([sampleFields[0]!], [[{ id: -2n }]]);
    const bound = icebergStats(footer, types).upperBounds.get(1)!;
    expect(Buffer.from(bound).toString('hex')).toBe('feffffffffffffff');
  });
});

const clientField = field(2, 'client', new Utf8());
const textBounds = (values: readonly (string | null)[]): { lower?: string; upper?: string } => {
  const { footer } = write([clientField], [values.map((client) => ({ client }))]);
  const stats = icebergStats(footer, types);
  const lower = stats.lowerBounds.get(2);
  const upper = stats.upperBounds.get(2);
  return {
    ...(lower === undefined ? {} : { lower: text(lower) }),
    ...(upper === undefined ? {} : { upper: text(upper) }),
  };
};

describe('bounds of text', () => {
  it('are cut to 16 code points, the upper one incremented', () => {
    expect(textBounds(['abcdefghijklmnopqrstuvwxyz'])).toEqual({
      lower: 'abcdefghijklmnop',
      upper: 'abcdefghijklmnoq',
    });
    expect(textBounds(['🏔'.repeat(17)])).toEqual({
      lower: '🏔'.repeat(16),
      upper: `${'🏔'.repeat(15)}\u{1f3d5}`,
    });
    expect(textBounds([`${'a'.repeat(15)}\ud7ffzz`]).upper).toBe(`${'a'.repeat(15)}\ue000`);
  });

  it('stay whole up to 16 code points', () => {
    expect(textBounds(['', '🏔'.repeat(16)])).toEqual({ lower: '', upper: '🏔'.repeat(16) });
  });

  it('carry past the last code point, and leave the bound out when nothing is greater', () => {
    expect(textBounds([`a${'\u{10ffff}'.repeat(20)}`]).upper).toBe('b');
    expect(textBounds(['\u{10ffff}'.repeat(20)])).toEqual({ lower: '\u{10ffff}'.repeat(16) });
  });

  it('hold every value between them, whatever the text', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.string({ unit: 'binary', minLength: 60, maxLength: 90 }),
      fc.constantFrom('\u{10ffff}'.repeat(70), '\ud7ff'.repeat(70), '\uffff'.repeat(70)),
    );
    fc.assert(
      fc.property(fc.array(texts, { minLength: 1, maxLength: 5 }), (values) => {
        const { lower, upper } = textBounds(values);
        expect([...(lower ?? '')].length).toBeLessThanOrEqual(16);
        expect([...(upper ?? '')].length).toBeLessThanOrEqual(16);
        for (const value of values) {
          const bytes = Buffer.from(value);
          if (lower !== undefined)
            expect(Buffer.compare(Buffer.from(lower), bytes)).toBeLessThanOrEqual(0);
          if (upper !== undefined)
            expect(Buffer.compare(Buffer.from(upper), bytes)).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('statistics as other writers may leave them', () => {
  const { footer } = write(
    [clientField],
    [[{ client: 'b' }, { client: null }], [{ client: 'd' }], [{ client: null }]],
  );
  const withChunk = (group: number, change: Partial<ColumnChunkInfo>): ColumnStats =>
    icebergStats(
      {
        ...footer,
        rowGroups: footer.rowGroups.map((found, i) =>
          i === group ? { ...found, columns: [{ ...found.columns[0]!, ...change }] } : found,
        ),
      },
      types,
    );
  const shown = (stats: ColumnStats): unknown[] =>
    [stats.lowerBounds, stats.upperBounds].map((bounds) => {
      const bound = bounds.get(2);
      return bound === undefined ? null : Buffer.from(bound).toString('hex');
    });

  it('span row groups, all-null ones aside', () => {
    expect(shown(withChunk(0, {}))).toEqual(['62', '64']);
  });

  it('give no bound when one row group has none', () => {
    expect(shown(withChunk(0, { min: null, max: null }))).toEqual([null, null]);
    expect(shown(withChunk(2, { nullCount: null }))).toEqual([null, null]);
  });

  it('give no bound when minimum and maximum contradict each other', () => {
    expect(shown(withChunk(1, { min: Buffer.from('z') }))).toEqual([null, null]);
  });

  it('drop a character cut in half, upwards for the upper bound', () => {
    // 'é' is c3 a9, '東' is e6 9d b1.
    expect(shown(withChunk(0, { min: Buffer.from('61e69d', 'hex') }))).toEqual(['61', '64']);
    expect(shown(withChunk(1, { max: Buffer.from('65c3', 'hex') }))).toEqual(['62', '66']);
    expect(shown(withChunk(1, { max: Buffer.from('ff', 'hex') }))).toEqual(['62', null]);
  });

  it('count nulls only when every row group does', () => {
    expect(withChunk(0, {}).nullValueCounts.get(2)).toBe(2n);
    expect(withChunk(0, { nullCount: null }).nullValueCounts.has(2)).toBe(false);
  });
});
