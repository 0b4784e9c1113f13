// Opening a table, moved or not, and finding the snapshot of a time.
import { describe, expect, it } from 'vitest';
import { FilesCatalog } from '../../pipeline/lake/files-catalog.js';
import { liveFiles } from '../../pipeline/lake/iceberg/live-files.js';
import { currentSnapshot } from '../../pipeline/lake/iceberg/metadata.js';
import { locate } from '../../pipeline/lake/iceberg/paths.js';
import { formatInstant, writeLakeState } from '../../pipeline/lake/lake-state.js';
import { mainLine, openTable, snapshotAsOf } from '../../pipeline/lake/open-table.js';
import type { TableMetadata } from '../../schemas/iceberg.js';
import { dataFile, emptyTable, hour, root, start, TestLake } from './fixtures.js';

/** Commits a window that ends at `toMs` as the merge does: summary and properties in one. */
async function window(
  lake: TestLake,
  md: TableMetadata,
  toMs: number,
  name: string,
): Promise<TableMetadata> {
  const snapshotId = lake.ids.snapshotId();
  return lake.build(md, {
    snapshotId,
    snapshotTimestampMs: toMs,
    added: [dataFile(name)],
    summary: { 'tidelake.kind': 'merge', 'tidelake.to': formatInstant(toMs) },
    properties: writeLakeState({
      epoch: 1,
      tableId: 't',
      tableArn: 'arn',
      watermarkMs: toMs,
      watermarkSnapshot: snapshotId,
      key: [{ name: 'client', tag: 'S' }],
      columns: '{}',
      gaps: [],
      facts: null,
      adopted: [],
      baseline: { exportArn: 'e', exportTimeMs: start },
    }),
  });
}

describe('opening a table', () => {
  it('gives null for a table that does not exist', async () => {
    const { store, catalog } = new TestLake();
    expect(await openTable({ store, catalog, database: 'db', table: 'nothing' })).toBeNull();
  });

  it('reads metadata and state of one version', async () => {
    const lake = new TestLake();
    await lake.commit(await window(lake, emptyTable(), start + hour, 'a'));
    const open = await openTable({
      store: lake.store,
      catalog: lake.catalog,
      database: 'db',
      table: 'orders',
    });
    expect(open).toMatchObject({
      location: `${root}/db/orders`,
      entry: { version: '1' },
      state: { watermarkMs: start + hour },
    });
    expect(open!.state.watermarkSnapshot).toBe(open!.md['current-snapshot-id']);
  });

  it('reads a lake folder that was moved, files and all', async () => {
    const lake = new TestLake();
    await lake.store.put(`${root}/db/orders/data/a.parquet`, new TextEncoder().encode('rows'));
    await lake.commit(await window(lake, emptyTable(), start + hour, 'a'));
    for await (const { uri } of lake.store.list(root)) {
      await lake.store.put(uri.replace(root, 'file:///moved'), await lake.store.read(uri));
      await lake.store.remove(uri);
    }
    const catalog = new FilesCatalog(lake.store, 'file:///moved');
    const open = (await openTable({
      store: lake.store,
      catalog,
      database: 'db',
      table: 'orders',
    }))!;
    expect(open.location).toBe('file:///moved/db/orders');
    const { data } = await liveFiles(lake.store, open.md, currentSnapshot(open.md), open.location);
    const uri = locate(open.md.location, open.location, data[0]!.file.path);
    expect(new TextDecoder().decode(await lake.store.read(uri))).toBe('rows');
  });
});

describe('a snapshot for a time', () => {
  async function line(): Promise<{ lake: TestLake; md: TableMetadata; ids: bigint[] }> {
    const lake = new TestLake();
    let md = await window(lake, emptyTable(), start + hour, 'a');
    md = await window(lake, md, start + 2 * hour, 'b');
    md = await lake.build(md, { operation: 'replace' });
    md = await window(lake, md, start + 3 * hour, 'c');
    return { lake, md, ids: md.snapshots.map((snapshot) => snapshot['snapshot-id']) };
  }
  const asOf = (md: TableMetadata, watermarkMs: number): bigint =>
    snapshotAsOf(md, { watermarkMs })['snapshot-id'];

  it('is the newest whose window ended then or earlier; a compaction stands for what it compacted', async () => {
    const { md, ids } = await line();
    expect(asOf(md, start + hour)).toBe(ids[0]);
    expect(asOf(md, start + 2 * hour - 1)).toBe(ids[0]);
    expect(asOf(md, start + 2 * hour)).toBe(ids[2]);
    expect(asOf(md, start + 3 * hour - 1)).toBe(ids[2]);
    expect(asOf(md, start + 99 * hour)).toBe(ids[3]);
    expect(snapshotAsOf(md, { snapshotId: ids[1]! })['snapshot-id']).toBe(ids[1]);
  });

  it('is refused before the first, naming what there is', async () => {
    const { md } = await line();
    expect(() => asOf(md, start)).toThrow(
      /back to 2026-01-01T01:00:00\.000Z and reaches 2026-01-01T03:00:00\.000Z/,
    );
    expect(() => snapshotAsOf(md, { snapshotId: 1n })).toThrow(
      expect.objectContaining({ code: 'REFUSED_AS_OF' }),
    );
    expect(() => asOf(emptyTable(), start)).toThrow(
      expect.objectContaining({ code: 'REFUSED_AS_OF' }),
    );
  });

  it('is never one that another writer made, nor one upon it', async () => {
    const { lake, md, ids } = await line();
    const foreign = await lake.build(md, { added: [dataFile('x')] });
    const upon = await lake.build(foreign, { operation: 'replace' });
    expect(asOf(upon, start + 99 * hour)).toBe(ids[3]);
    expect(mainLine(upon).map((one) => one.watermarkMs)).toEqual([
      start + hour,
      start + 2 * hour,
      start + 2 * hour,
      start + 3 * hour,
      null,
      null,
    ]);
  });

  it('is known for a compaction whose parent has expired', async () => {
    const lake = new TestLake();
    const first = await window(lake, emptyTable(), start + hour, 'a');
    const second = await lake.build(first, { operation: 'replace' });
    const expired = { ...second, snapshots: second.snapshots.slice(1) };
    expect(asOf(expired, start + hour)).toBe(second['current-snapshot-id']);
  });
});
