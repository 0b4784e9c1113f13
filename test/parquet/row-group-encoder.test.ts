// Row groups that we encode ourselves.
// Promises: other readers find in them what was put in; their schema is the one that arrow-rs writes, so that row groups
// of both stand in one file; bounds are what other writers find.
// Source: apache/parquet-format, README.md, Encodings.md and parquet.thrift.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ParquetFooter, parseFooter } from '../../pipeline/lake/parquet/footer.js';
import type { EncodedRowGroup } from '../../pipeline/lake/parquet/row-group-encoder.js';
import { readThrift } from '../../pipeline/lake/parquet/thrift.js';
import { openZstd } from '../../pipeline/lake/parquet/zstd.js';
import { encodeRows } from '../../pipeline/units/row-groups.js';
import type { ColumnType, TableColumns } from '../../schemas/columns.js';
import { ipcToRows } from '../../transforms/arrow-rows.js';
import {
  BytesColumn,
  type Column,
  FlagColumn,
  ListColumn,
  LongColumn,
  StructColumn,
  WideColumn,
} from '../../transforms/columns.js';
import { useKernel } from '../../transforms/kernel/idle-kernel.js';
import { Rows } from '../../transforms/make-columns.js';
import { packRows, unpackRows } from '../../transforms/pack-rows.js';
import { anyTypes, tableOf, tableRowsOf } from '../transforms/kernel/any-rows.js';
import { encodeRowGroup } from './arrow-rs.js';
import { hyparquet } from './read-back.js';
import { rowsToIpc } from './rows-to-arrow.js';
import { arrowOf, encoded, fileOf } from './through-file.js';

const compress = await openZstd();
const seeds = fc.integer({ min: 1, max: 2 ** 31 - 1 });

async function readBack(groups: readonly EncodedRowGroup[], table: TableColumns): Promise<Rows> {
  const rows = ipcToRows(await arrowOf(groups), table);
  for (const column of rows.all) zeroAbsent(column);
  return rows;
}

/** Zeroes what stands in place of absent values: arrow-rs leaves there what was read before. */
function zeroAbsent(column: Column): void {
  const width = column instanceof LongColumn ? 2 : column instanceof WideColumn ? 4 : 0;
  for (let row = 0; row < column.n; row++) {
    if (column.ok[row] === 1) continue;
    if (column instanceof LongColumn || column instanceof WideColumn) {
      column.words.fill(0, row * width, (row + 1) * width);
    } else if (column instanceof FlagColumn) column.flags[row] = 0;
  }
  if (column instanceof ListColumn) zeroAbsent(column.child);
  else if (column instanceof StructColumn) for (const child of column.children) zeroAbsent(child);
}

/** What rows hold but for keys and lives, which no file has. */
function held({ columns, writtenAt, nulls, misfits, types }: Rows): Buffer {
  const bare = new Rows(types, columns, {
    writtenAt,
    nulls,
    misfits,
    keys: new BytesColumn(),
    lives: new Rows([]).lives,
  });
  return Buffer.from(packRows(bare, 0, writtenAt.n));
}

/** A table of one column, and rows of it. */
function oneColumn(type: ColumnType, fill: (column: Column) => void): [Rows, TableColumns] {
  const types = [{ attribute: 'a', type }];
  const rows = new Rows(types);
  fill(rows.columns[0]!);
  const { n } = rows.columns[0]!;
  for (let i = 0; i < n; i++) {
    rows.keys.pushBytes(new Uint8Array(0), 0, 0);
    rows.lives.push(true);
  }
  rows.settle();
  return [rows, tableOf(types)];
}

const text = (value: string) => (column: Column) => {
  const bytes = Buffer.from(value, 'utf8');
  (column as BytesColumn).pushBytes(bytes, 0, bytes.length);
};

describe('row groups of ours', () => {
  it('give any rows back through arrow-rs', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyTypes,
        fc.integer({ min: 1, max: 150 }),
        seeds,
        fc.constantFrom(0, 3, 10),
        fc.integer({ min: 1, max: 200 }),
        async (types, n, seed, nulls, rowsMax) => {
          const rows = tableRowsOf(types, n, seed, nulls);
          const table = tableOf(types);
          const back = await readBack(encoded(rows, table, rowsMax), table);
          const expected = unpackRows(table.columns, packRows(rows));
          expect(held(back).equals(held(expected))).toBe(true);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('are the same from columns that lie in the kernel already', () => {
    fc.assert(
      fc.property(anyTypes, fc.integer({ min: 1, max: 60 }), seeds, (types, n, seed) => {
        const rows = tableRowsOf(types, n, seed, 3);
        const table = tableOf(types);
        const packed = packRows(rows);
        const inside = useKernel((kernel) => {
          const place = kernel.alloc(packed.length + 64);
          const memory = new Uint8Array(kernel.memory.buffer, place, packed.length);
          memory.set(packed);
          const views = unpackRows(table.columns, memory);
          return encodeRows(compress, views, table, 25, kernel);
        });
        const outside = encodeRows(compress, rows, table, 25);
        expect(inside.map((group) => Buffer.from(group.encoded.bytes))).toEqual(
          outside.map((group) => Buffer.from(group.encoded.bytes)),
        );
      }),
      { numRuns: 40 },
    );
  });

  it('read the same by hyparquet, whoever wrote them', async () => {
    await fc.assert(
      fc.asyncProperty(anyTypes, fc.integer({ min: 1, max: 60 }), seeds, async (types, n, seed) => {
        const rows = tableRowsOf(types, n, seed, 3);
        const table = tableOf(types);
        const ours = await hyparquet(fileOf(encoded(rows, table)).file);
        const theirs = await hyparquet(fileOf([encodeRowGroup(rowsToIpc(rows, table))]).file);
        expect(ours).toEqual(theirs);
      }),
      { numRuns: 40 },
    );
  });

  it('have the schema, counts and bounds that arrow-rs writes, and share files with its row groups', () => {
    fc.assert(
      fc.property(anyTypes, fc.integer({ min: 1, max: 60 }), seeds, (types, n, seed) => {
        const rows = tableRowsOf(types, n, seed, 3);
        const table = tableOf(types);
        const [ours] = encoded(rows, table);
        const theirs = encodeRowGroup(rowsToIpc(rows, table));
        const end = Number.MAX_SAFE_INTEGER;
        const [a, b] = [ours!, theirs].map((group) => parseFooter(group.footer, end, 'a group'));
        const facts = ({ rowGroups }: ParquetFooter): unknown =>
          rowGroups[0]!.columns.map((column) => {
            const { path, fieldId, physicalType, valueCount, nullCount, min, max } = column;
            // Longer bounds are cut, by each in its own way.
            const isCut = (bound: Uint8Array | null): boolean => (bound?.length ?? 0) > 60;
            const bounds = isCut(min) || isCut(max) ? [] : [min, max].map((x) => x && [...x]);
            return [path, fieldId, physicalType, valueCount, nullCount, bounds];
          });
        expect(facts(a!)).toEqual(facts(b!));
        expect(fileOf([theirs, ours!, theirs]).footer.rowCount).toBe(BigInt(n * 3));
      }),
      { numRuns: 60 },
    );
  });

  it.each([1, 7, 8, 9, 63, 64, 65, 1000])(
    'keep %i values of few kinds, in runs and out of them',
    async (n) => {
      for (const kinds of [1, 2, 3, 5, 17, 300]) {
        for (const runs of [1, 3, 8, 9, 40]) {
          const [rows, table] = oneColumn({ kind: 'S' }, (column) => {
            for (let i = 0; i < n; i++) {
              if (i % 23 === 22) column.appendNulls(1);
              else text(`kind ${Math.floor(i / runs) % kinds}`)(column);
            }
          });
          const back = await readBack(encoded(rows, table), table);
          expect(held(back).equals(held(rows))).toBe(true);
        }
      }
    },
  );

  it('keep values that need several pages, and such as are larger than a page', async () => {
    const [rows, table] = oneColumn({ kind: 'S' }, (column) => {
      for (let i = 0; i < 400; i++) text(`${i}`.repeat(i % 50 === 0 ? 200_000 : 2000))(column);
    });
    const [group] = encoded(rows, table);
    const back = await readBack([group!], table);
    expect(held(back).equals(held(rows))).toBe(true);
  });

  it.each([
    [{ kind: 'BOOL' }, (column: Column) => (column as FlagColumn).push(true)],
    [
      { kind: 'N', number: { type: 'long' } },
      (column: Column) => (column as LongColumn).pushNumber(-5),
    ],
    [
      { kind: 'N', number: { type: 'decimal', precision: 38, scale: 2 } },
      (column: Column) => (column as WideColumn).pushNumber(-5),
    ],
    [{ kind: 'S' }, text('abc')],
    [{ kind: 'B' }, text('')],
  ] as [ColumnType, (column: Column) => void][])(
    'keep the few values of a rare attribute: %o',
    async (type, push) => {
      for (const n of [2048, 4096, 62_500, 65_536]) {
        for (const present of [0, 1, 2, 4, 20]) {
          const [rows, table] = oneColumn(type, (column) => {
            for (let i = 0; i < n; i++) {
              if (i % Math.ceil(n / (present + 1)) === 1 && present > 0) push(column);
              else column.appendNulls(1);
            }
          });
          const [group] = encoded(rows, table);
          const { file, footer } = fileOf([group!]);
          const { nulls } = rows.columns[0]!;
          expect(footer.rowGroups[0]!.columns[0]!.nullCount).toBe(BigInt(nulls));
          const back = await readBack([group!], table);
          expect(held(back).equals(held(rows))).toBe(true);
          if (n === 2048) expect(await hyparquet(file)).toHaveLength(n);
        }
      }
    },
  );

  it('keep the one misfit and the one NULL of many rows', async () => {
    for (const n of [2048, 62_500, 65_536]) {
      const [rows, table] = oneColumn({ kind: 'BOOL' }, (column) => column.appendNulls(n));
      rows.nulls.truncate(0);
      rows.misfits.truncate(0);
      text('/a')(rows.nulls.child);
      rows.nulls.end();
      const [names, values] = rows.misfits.child.children as [BytesColumn, BytesColumn];
      text('note')(names);
      text('{"S":"x"}')(values);
      rows.misfits.child.end();
      rows.misfits.end();
      rows.settle();
      const back = await readBack(encoded(rows, table), table);
      expect(held(back).equals(held(rows))).toBe(true);
    }
  });

  it('cut pages by what is in them, wherever in the row group it lies', async () => {
    const [rows, table] = oneColumn({ kind: 'S' }, (column) => {
      column.appendNulls(20_000);
      for (let i = 0; i < 60; i++) text(`${i}`.padEnd(300_000, `${i}x`))(column);
    });
    const { file, footer } = fileOf(encoded(rows, table));
    const [column] = footer.rowGroups[0]!.columns;
    const sizes: number[] = [];
    for (let at = column!.byteStart; at < column!.byteEnd; ) {
      const { value, length } = readThrift(file.subarray(at));
      const [plain, compressed] = [2, 3].map((id) => (value.get(id) as { value: number }).value);
      sizes.push(plain!);
      at += length + compressed!;
    }
    expect(Math.max(...sizes)).toBeLessThan(1.5 * 1024 * 1024);
    expect(held(await readBack(encoded(rows, table), table)).equals(held(rows))).toBe(true);
  });

  it('keep lists that are cut into pages between rows only', async () => {
    const type: ColumnType = { kind: 'L', elementId: 0, element: { kind: 'S' } };
    const [rows, table] = oneColumn(type, (column) => {
      const list = column as ListColumn;
      for (let i = 0; i < 3000; i++) {
        for (let j = i % 7; j > 0; j--) text(`element ${i} ${j}`.padEnd(300, 'x'))(list.child);
        list.end();
      }
    });
    const back = await readBack(encoded(rows, table), table);
    expect(held(back).equals(held(rows))).toBe(true);
    expect(await hyparquet(fileOf(encoded(rows, table)).file)).toHaveLength(3000);
  });

  it('keep distinct numbers beyond any dictionary, and the least and greatest of 64 bits', async () => {
    const [rows, table] = oneColumn({ kind: 'N', number: { type: 'long' } }, (column) => {
      const longs = column as LongColumn;
      for (const edge of [-(2n ** 63n), 2n ** 63n - 1n, 0n, -1n]) longs.pushBigInt(edge);
      for (let i = 0; i < 40_000; i++) longs.pushNumber(i * 7919 - 10 ** 8);
    });
    const [group] = encoded(rows, table);
    expect(held(await readBack([group!], table)).equals(held(rows))).toBe(true);
    const [column] = fileOf([group!]).footer.rowGroups[0]!.columns;
    expect(Buffer.from(column!.min!).readBigInt64LE()).toBe(-(2n ** 63n));
    expect(Buffer.from(column!.max!).readBigInt64LE()).toBe(2n ** 63n - 1n);
  });

  it('cut long bounds between characters, below the least and above the greatest value', () => {
    const values = [`a${'ä'.repeat(100)}`, `z${'🎂'.repeat(50)}`];
    const [rows, table] = oneColumn({ kind: 'S' }, (column) => {
      for (const value of values) text(value)(column);
    });
    const [column] = fileOf(encoded(rows, table)).footer.rowGroups[0]!.columns;
    const [min, max] = [column!.min!, column!.max!].map((bound) => Buffer.from(bound));
    expect(min!.toString('utf8')).toBe(`a${'ä'.repeat(31)}`);
    expect(Buffer.compare(max!, Buffer.from(values[1]!))).toBe(1);
    expect(max!.length).toBeLessThanOrEqual(64);
    expect(max!.toString('utf8')).not.toContain('\ufffd');
  });

  it('have no bounds where no longer value can be below one', () => {
    const [rows, table] = oneColumn({ kind: 'B' }, (column) => {
      (column as BytesColumn).pushBytes(new Uint8Array(100).fill(255), 0, 100);
    });
    const [column] = fileOf(encoded(rows, table)).footer.rowGroups[0]!.columns;
    expect([column!.min, column!.max]).toEqual([null, null]);
  });
});
