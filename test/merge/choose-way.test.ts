// Which partitions are written anew, and which only get marks.
// Promises: bounds hold at their edges; a steady stream converges, and costs far less than writing anew every time.
// Source: ARCHITECTURE.md, "Two ways to change a partition".

import { describe, expect, it } from 'vitest';
import { chooseWay, type FileFacts, type PartitionFacts } from '../../pipeline/merge/choose-way.js';

const mib = 1024 * 1024;
const file = (path: string, bytes: number, rows: number): FileFacts => ({ path, bytes, rows });
const facts = (more: Partial<PartitionFacts>): PartitionFacts => ({
  files: [file('base', 40 * mib, 1_000_000)],
  deletedRows: 0,
  areDeletesBound: true,
  changes: 100,
  ...more,
});

describe('a partition is written anew', () => {
  it.each<[string, Partial<PartitionFacts>]>([
    ['when it has no file', { files: [] }],
    ['when it is small', { files: [file('base', mib, 1_000_000)] }],
    ['when more than a tenth of its rows change', { changes: 100_001 }],
    [
      'when there are more changes than are held in memory together',
      { files: [file('base', 4000 * mib, 100_000_000)], changes: 131_073 },
    ],
    ['when more than a tenth would be deleted', { deletedRows: 99_901 }],
    [
      'when more than a tenth would lie in small files',
      {
        files: [file('base', 40 * mib, 1_000_000), file('a', mib, 60_000), file('b', mib, 60_000)],
      },
    ],
    [
      'when it has many files for its size',
      { files: Array.from({ length: 9 }, (_, i) => file(`f${i}`, 5 * mib, 1_000_000)) },
    ],
    ['when a delete file may be for several data files', { areDeletesBound: false }],
  ])('%s', (_, more) => {
    expect(chooseWay(facts(more))).toEqual({ way: 'rewrite' });
  });

  it('when that is asked for', () => {
    expect(chooseWay(facts({}), 'rewrite')).toEqual({ way: 'rewrite' });
  });
});

describe('changed rows are marked', () => {
  it.each<[string, Partial<PartitionFacts>]>([
    ['a byte above the size that is small', { files: [file('base', mib + 1, 1000)] }],
    ['up to a tenth of its rows', { changes: 100_000 }],
    [
      'as many as are held in memory together',
      { files: [file('base', 400 * mib, 100_000_000)], changes: 131_072 },
    ],
    ['up to a tenth with those of before', { deletedRows: 99_900 }],
  ])('%s', (_, more) => {
    expect(chooseWay(facts(more))).toEqual({ way: 'mark', fold: [] });
  });

  it('in a tiny partition when that is asked for, but not where nothing can be marked', () => {
    const tiny = facts({ files: [file('base', 100, 3)], changes: 3 });
    expect(chooseWay(tiny, 'mark')).toEqual({ way: 'mark', fold: [] });
    expect(chooseWay(facts({ files: [] }), 'mark')).toEqual({ way: 'rewrite' });
    expect(chooseWay(facts({ areDeletesBound: false }), 'mark')).toEqual({ way: 'rewrite' });
  });

  it('and small files folded in, from four on, the smallest first', () => {
    const small = (count: number): FileFacts[] =>
      Array.from({ length: count }, (_, i) => file(`s${i}`, (count - i) * 1000, 100));
    const base = file('base', 40 * mib, 1_000_000);
    const fold = (count: number): unknown => {
      const chosen = chooseWay(facts({ files: [base, ...small(count)] }));
      return chosen.way === 'mark' ? chosen.fold : chosen.way;
    };
    expect(fold(3)).toEqual([]);
    expect(fold(4)).toEqual(['s3', 's2', 's1', 's0']);
  });

  it('and no more is folded in than memory should hold', () => {
    const files = [
      file('base', 4000 * mib, 100_000_000),
      ...Array.from({ length: 6 }, (_, i) => file(`s${i}`, (3 + i / 10) * mib, 1000)),
    ];
    expect(chooseWay(facts({ files }))).toEqual({
      way: 'mark',
      fold: ['s0', 's1', 's2', 's3', 's4'],
    });
  });
});

/** A partition under a stream of windows, each of so many updates: bytes written, and the most files it ever had. */
function stream(rows: number, bytesPerRow: number, changes: number, windows: number) {
  let files = [file('base', rows * bytesPerRow, rows)];
  let deleted = 0;
  let written = 0;
  let filesMost = 0;
  let rewritings = 0;
  for (let window = 0; window < windows; window++) {
    const chosen = chooseWay({ files, deletedRows: deleted, areDeletesBound: true, changes });
    if (chosen.way === 'rewrite') {
      files = [file(`base${window}`, rows * bytesPerRow, rows)];
      written += rows * bytesPerRow;
      deleted = 0;
      rewritings++;
    } else {
      const folded = files.filter(({ path }) => chosen.fold.includes(path));
      const moved = folded.reduce((sum, one) => sum + one.rows, 0) + changes;
      files = files.filter((one) => !folded.includes(one));
      files.push(file(`new${window}`, moved * bytesPerRow, moved));
      written += moved * bytesPerRow + (deleted + changes) * 2;
      deleted += changes;
    }
    filesMost = Math.max(filesMost, files.length);
  }
  return { written, filesMost, rewritings };
}

it.each([
  // Rows of a bucket, bytes of each, changes of an hour: a bucket of 2.4 MB, one of 128 MB, one of 400 MB.
  [62_500, 38, 63],
  [3_000_000, 43, 3000],
  [10_000_000, 40, 2000],
])('a year of hourly windows into %i rows converges', (rows, bytesPerRow, changes) => {
  const windows = 24 * 365;
  const { written, filesMost, rewritings } = stream(rows, bytesPerRow, changes, windows);
  expect(filesMost).toBeLessThanOrEqual(16);
  // Once each time a tenth of the rows has changed, and not much oftener.
  const tenths = (windows * changes) / (rows * 0.1);
  expect(rewritings).toBeGreaterThan(tenths * 0.8);
  expect(rewritings).toBeLessThan(tenths * 1.3);
  expect(written).toBeLessThan((windows * rows * bytesPerRow) / 20);
});
