// Flat columns read back from our own row groups.
// Promises: what comes back is what was put in; a page that was touched is found by its checksum, whatever was altered; files
// of other writers are left to the reader of all.
// Source: apache/parquet-format, README.md ("Checksumming") and Encodings.md.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ParquetFooter } from '../../pipeline/lake/parquet/footer.js';
import { readFlatColumns } from '../../pipeline/lake/parquet/read-flat-columns.js';
import { TidelakeError } from '../../schemas/errors.js';
import { type BytesColumn, LongColumn } from '../../transforms/columns.js';
import { Rows } from '../../transforms/make-columns.js';
import { numbersFrom, tableOf } from '../transforms/kernel/any-rows.js';
import { encodeRowGroup } from './arrow-rs.js';
import { rowsToIpc } from './rows-to-arrow.js';
import { encoded, fileOf } from './through-file.js';

const types = [
  { attribute: 's', type: { kind: 'S' } as const },
  { attribute: 'n', type: { kind: 'N', number: { type: 'long' } } as const },
];
const table = tableOf(types);
const names = ['s', 'n'];

/** Rows with values of so many kinds; some absent. */
function rowsWith(n: number, kinds: number, seed: number, absentOf: number): Rows {
  const rows = new Rows(types);
  const next = numbersFrom(seed);
  const [texts, numbers] = rows.columns as [BytesColumn, LongColumn];
  for (let row = 0; row < n; row++) {
    const kind = next(kinds);
    const bytes = Buffer.from(`${kind}`.repeat(kind % 40));
    if (next(10) < absentOf) texts.appendNulls(1);
    else texts.pushBytes(bytes, 0, bytes.length);
    if (next(10) < absentOf) numbers.appendNulls(1);
    else numbers.pushBigInt(BigInt(kind) * 10n ** 12n - 7n);
    rows.keys.pushBytes(bytes, 0, 0);
    rows.lives.push(true);
  }
  rows.settle();
  return rows;
}

function valuesOf(column: unknown): (string | bigint | null)[] {
  const { n, ok } = column as BytesColumn | LongColumn;
  return Array.from({ length: n }, (_, row) => {
    if (ok[row] === 0) return null;
    if (column instanceof LongColumn) return column.bigintAt(row);
    const { data, offsets } = column as BytesColumn;
    return Buffer.from(data.slice(offsets[row], offsets[row + 1])).toString();
  });
}

function read(file: Uint8Array, footer: ParquetFooter, group = 0, wanted = names) {
  return readFlatColumns(async (start, end) => file.slice(start, end), footer, group, wanted);
}

describe('flat columns of our row groups', () => {
  it('come back as they were put in, with dictionaries and without, over several pages', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(1, 7, 100, 5000, 60_000),
        fc.constantFrom(1, 2, 60, 3000, 10 ** 6),
        fc.integer({ min: 1, max: 2 ** 31 - 1 }),
        fc.constantFrom(0, 3, 10),
        async (n, kinds, seed, absentOf) => {
          const rows = rowsWith(n, kinds, seed, absentOf);
          const { file, footer } = fileOf(encoded(rows, table));
          const found = await read(file, footer);
          expect(found!.map((column) => [column.n, column.nulls])).toEqual(
            rows.columns.map((column) => [column.n, column.nulls]),
          );
          expect(found!.map(valuesOf)).toEqual(rows.columns.map(valuesOf));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('of any group, and any column alone', async () => {
    const rows = rowsWith(1000, 50, 3, 1);
    const { file, footer } = fileOf(encoded(rows, table, 300));
    expect(footer.rowGroups).toHaveLength(4);
    const found = await read(file, footer, 2, ['n']);
    expect(valuesOf(found![0])).toEqual(valuesOf(rows.columns[1]).slice(500, 750));
  });

  it('are found to be damaged by any altered byte of a page', async () => {
    const rows = rowsWith(3000, 900, 5, 1);
    const { file, footer } = fileOf(encoded(rows, table));
    const whole = await read(file, footer);
    const [first, second] = footer.rowGroups[0]!.columns;
    const expected = whole!.map(valuesOf);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: first!.byteStart, max: second!.byteEnd - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, flip) => {
          const altered = Buffer.from(file);
          altered[at]! ^= flip;
          try {
            const found = await read(altered, footer);
            // A header may lose its checksum, or say something that makes no difference.
            if (found !== null) expect(found.map(valuesOf)).toEqual(expected);
          } catch (error) {
            expect(error).toBeInstanceOf(TidelakeError);
            expect((error as TidelakeError).code).toBe('CHECK_FAILED');
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  it('of other writers, and such as are not flat, are left to others', async () => {
    const rows = rowsWith(100, 5, 7, 1);
    const theirs = fileOf([encodeRowGroup(rowsToIpc(rows, table))]);
    expect(await read(theirs.file, theirs.footer)).toBeNull();
    const ours = fileOf(encoded(rows, table));
    expect(await read(ours.file, ours.footer, 0, ['_nulls'])).toBeNull();
    expect(await read(ours.file, ours.footer, 0, ['gone'])).toBeNull();
  });
});
