// When files written for one version of a table may be committed upon a newer one.
// Promises: only when nothing that they were made from has changed.
// Source: pipeline/lake/carry-over.ts; DESIGN.md, "The table" (after a lost race).
import { describe, expect, it } from 'vitest';
import { carriedOver, isSameGround } from '../../pipeline/lake/carry-over.js';
import { readLakeState, writeLakeState } from '../../pipeline/lake/lake-state.js';
import type { OpenTable } from '../../pipeline/lake/open-table.js';
import type { TableMetadata } from '../../schemas/iceberg.js';
import { dataFile, deleteFile, emptyTable, location, start, TestLake } from './fixtures.js';

const properties = writeLakeState({
  epoch: 1,
  tableId: 't',
  tableArn: 'arn',
  watermarkMs: start,
  watermarkSnapshot: 1n,
  key: [{ name: 'client', tag: 'S' }],
  columns: '{}',
  gaps: [],
  facts: null,
  adopted: [],
  baseline: { exportArn: 'e', exportTimeMs: start },
});

const open = (md: TableMetadata): OpenTable => ({
  database: 'db',
  table: 'orders',
  entry: { metadataUri: `${location}/metadata/v1.metadata.json`, version: '1' },
  md,
  location,
  state: readLakeState(md),
});

const path = (name: string): string => `${location}/data/${name}.parquet`;

describe('two versions stand on the same ground', () => {
  const md = emptyTable({ properties });
  const same = (edit: Partial<TableMetadata>): boolean =>
    isSameGround(open(md), open({ ...md, ...edit }));

  it('whatever other properties, snapshots and times they have', () => {
    expect(same({ properties: { ...properties, owner: 'x' }, 'last-updated-ms': 1 })).toBe(true);
    expect(same({ 'last-sequence-number': 9 })).toBe(true);
  });

  it.each<[string, Partial<TableMetadata>]>([
    [
      'the state',
      { properties: { ...properties, 'tidelake.watermark': '2027-01-01T00:00:00.000Z' } },
    ],
    ['the columns', { 'current-schema-id': 5 }],
    ['the ids given out', { 'last-column-id': 5 }],
    ['the table', { 'table-uuid': '5f0f2a3e-1111-4222-8333-444455556667' }],
    ['the place', { location: `${location}2` }],
  ])('not with another of %s', (_, edit) => {
    expect(same(edit)).toBe(false);
  });
});

describe('written files are carried over', () => {
  async function table(): Promise<{ lake: TestLake; md: TableMetadata }> {
    const lake = new TestLake();
    const md = await lake.build(emptyTable({ properties }), {
      added: [dataFile('a'), dataFile('b'), deleteFile('d', path('b'))],
    });
    return { lake, md };
  }
  const replaced = (names: readonly string[], isWhole = false) => ({
    removed: new Set(names.map(path)),
    isWhole,
  });
  const marked = (...names: readonly string[]) => ({
    removed: new Set<string>(),
    marked: new Set(names.map(path)),
    isWhole: false,
  });

  it('when other files were rewritten', async () => {
    const { lake, md } = await table();
    const next = await lake.build(md, {
      removed: new Set([path('b')]),
      added: [dataFile('c')],
      operation: 'replace',
    });
    const live = await carriedOver(lake.store, open(md), open(next), replaced(['a']));
    expect(live!.data.map(({ file }) => file.path).sort()).toEqual([path('a'), path('c')]);
  });

  it('not when a file they replace is gone', async () => {
    const { lake, md } = await table();
    const next = await lake.build(md, {
      removed: new Set([path('b')]),
      added: [dataFile('c')],
      operation: 'replace',
    });
    expect(await carriedOver(lake.store, open(md), open(next), replaced(['b']))).toBeNull();
    expect(await carriedOver(lake.store, open(md), open(next), replaced(['a', 'd']))).toBeNull();
  });

  it('not when rows of such a file were deleted, or are no longer', async () => {
    const { lake, md } = await table();
    const more = await lake.build(md, {
      added: [deleteFile('e', path('a'))],
      operation: 'replace',
    });
    expect(await carriedOver(lake.store, open(md), open(more), replaced(['a']))).toBeNull();
    expect(await carriedOver(lake.store, open(md), open(more), replaced(['b']))).not.toBeNull();
    const fewer = await lake.build(md, { removed: new Set([path('d')]), operation: 'replace' });
    expect(await carriedOver(lake.store, open(md), open(fewer), replaced(['b']))).toBeNull();
  });

  it('not when a file that they delete rows of is gone, or has other deleted rows', async () => {
    const { lake, md } = await table();
    const gone = await lake.build(md, {
      removed: new Set([path('b')]),
      added: [dataFile('c')],
      operation: 'replace',
    });
    expect(await carriedOver(lake.store, open(md), open(gone), marked('b'))).toBeNull();
    expect(await carriedOver(lake.store, open(md), open(gone), marked('a'))).not.toBeNull();
    const more = await lake.build(md, {
      added: [deleteFile('e', path('a'))],
      operation: 'replace',
    });
    expect(await carriedOver(lake.store, open(md), open(more), marked('a'))).toBeNull();
    expect(await carriedOver(lake.store, open(md), open(more), marked('b'))).not.toBeNull();
  });

  it('not when all rows were rewritten and there are files that they were not made from', async () => {
    const { lake, md } = await table();
    expect(
      await carriedOver(lake.store, open(md), open(md), replaced(['a', 'b'], true)),
    ).not.toBeNull();
    const next = await lake.build(md, { added: [dataFile('c')], operation: 'replace' });
    expect(
      await carriedOver(lake.store, open(md), open(next), replaced(['a', 'b'], true)),
    ).toBeNull();
  });

  it('not when the older version can no longer be read', async () => {
    const { lake, md } = await table();
    const next = await lake.build(md, {
      removed: new Set([path('b')]),
      added: [dataFile('c')],
      operation: 'replace',
    });
    await lake.store.remove(md.snapshots[0]!['manifest-list']);
    expect(await carriedOver(lake.store, open(md), open(next), replaced(['a']))).toBeNull();
  });
});
