// Snapshots built on one another, file by file.
import { describe, expect, it } from 'vitest';
import { deletesFor, liveFiles, readManifests } from '../../../pipeline/lake/iceberg/live-files.js';
import {
  currentSnapshot,
  parseTableMetadata,
  serializeTableMetadata,
} from '../../../pipeline/lake/iceberg/metadata.js';
import type { SortOrder, TableMetadata } from '../../../schemas/iceberg.js';
import {
  bucketed,
  dataFile,
  deleteFile,
  emptyTable,
  hour,
  location,
  schema,
  start,
  TestLake,
} from '../fixtures.js';

const path = (name: string): string => `${location}/data/${name}.parquet`;

async function livePaths(lake: TestLake, md: TableMetadata): Promise<string[]> {
  const { data, positionDeletes } = await liveFiles(lake.store, md, currentSnapshot(md));
  return [...data, ...positionDeletes]
    .map((entry) => entry.file.path.slice(path('').length - 8, -8))
    .sort();
}

describe('a snapshot', () => {
  it('of a new table has no parent, sequence number 1 and full totals', async () => {
    const lake = new TestLake();
    const md = await lake.build(emptyTable({ spec: bucketed }), {
      added: [dataFile('a', [0]), dataFile('b', [1], 5n)],
      properties: { 'tidelake.format': '1' },
      summary: { 'tidelake.kind': 'load' },
      operation: 'overwrite',
    });
    const snapshot = currentSnapshot(md)!;
    expect(snapshot['parent-snapshot-id']).toBeUndefined();
    expect(snapshot['sequence-number']).toBe(1);
    expect(snapshot['schema-id']).toBe(0);
    expect(snapshot['timestamp-ms']).toBe(start + hour);
    expect(md['last-updated-ms']).toBe(start + 2 * hour);
    expect(md.refs.main).toEqual({ 'snapshot-id': snapshot['snapshot-id'], type: 'branch' });
    expect(md['snapshot-log']).toEqual([
      { 'timestamp-ms': start + hour, 'snapshot-id': snapshot['snapshot-id'] },
    ]);
    expect(snapshot.summary).toEqual({
      operation: 'overwrite',
      'tidelake.kind': 'load',
      'added-data-files': '2',
      'deleted-data-files': '0',
      'added-records': '15',
      'deleted-records': '0',
      'added-files-size': '1500',
      'removed-files-size': '0',
      'changed-partition-count': '2',
      'total-records': '15',
      'total-data-files': '2',
      'total-files-size': '1500',
      'total-delete-files': '0',
      'total-position-deletes': '0',
      'total-equality-deletes': '0',
    });
    expect(await livePaths(lake, md)).toEqual(['a', 'b']);
    // What is committed is what was built.
    expect(parseTableMetadata(serializeTableMetadata(md))).toEqual(md);
  });

  it('without any change of files is valid and moves only properties and time', async () => {
    const lake = new TestLake();
    const first = await lake.build(emptyTable(), {
      added: [dataFile('a')],
      properties: { w: '1', gone: 'x' },
    });
    const second = await lake.build(first, {
      snapshotTimestampMs: start + 2 * hour,
      properties: { w: '2', gone: null },
    });
    expect(second.properties).toEqual({ w: '2' });
    expect(currentSnapshot(second)!.summary['total-records']).toBe('10');
    expect(await livePaths(lake, second)).toEqual(['a']);
    const empty = await lake.build(emptyTable());
    expect(await livePaths(lake, empty)).toEqual([]);
  });

  it('is always later than its parent', async () => {
    const lake = new TestLake();
    const first = await lake.build(emptyTable());
    const second = await lake.build(first, { snapshotTimestampMs: start, nowMs: start });
    expect(currentSnapshot(second)!['timestamp-ms']).toBe(start + hour + 1);
    expect(second['last-updated-ms']).toBe(start + 2 * hour);
  });

  it('carries untouched manifests over as they are and rewrites touched ones', async () => {
    const lake = new TestLake();
    let md = await lake.build(emptyTable({ spec: bucketed }), {
      added: [dataFile('a', [0]), dataFile('b', [1])],
    });
    md = await lake.build(md, { added: [dataFile('c', [2])] });
    const before = (await liveFiles(lake.store, md, currentSnapshot(md))).manifests;
    const next = await lake.build(md, {
      removed: new Set([path('a')]),
      added: [dataFile('a2', [0], 7n)],
      operation: 'overwrite',
    });
    const { data, manifests } = await liveFiles(lake.store, next, currentSnapshot(next));
    expect(data.map((entry) => entry.file.path).sort()).toEqual(
      [path('a2'), path('b'), path('c')].sort(),
    );
    const untouched = before.find((manifest) => manifest.sequenceNumber === 2n)!;
    expect(manifests).toContainEqual(untouched);
    const rewritten = manifests.find((manifest) => manifest.existingFiles === 1)!;
    expect(rewritten).toMatchObject({
      deletedFiles: 1,
      existingRows: 10n,
      deletedRows: 10n,
      minSequenceNumber: 1n,
      sequenceNumber: 3n,
    });
    const [entries] = await readManifests(lake.store, next, [rewritten]);
    const [gone, kept] = [2, 0].map((status) => entries!.find((entry) => entry.status === status)!);
    // The removed file says which snapshot removed it; the kept one keeps its own past.
    const id = next['current-snapshot-id']!;
    expect(rewritten.addedSnapshotId).toBe(id);
    expect(gone).toMatchObject({ snapshotId: id, sequenceNumber: 1n, fileSequenceNumber: 1n });
    expect(kept).toMatchObject({ sequenceNumber: 1n, snapshotId: md.snapshots[0]!['snapshot-id'] });
    expect(currentSnapshot(next)!.summary).toMatchObject({
      'deleted-data-files': '1',
      'deleted-records': '10',
      'total-records': '27',
      'total-data-files': '3',
      'changed-partition-count': '1',
    });
  });

  it('leaves older snapshots readable', async () => {
    const lake = new TestLake();
    const first = await lake.build(emptyTable(), { added: [dataFile('a')] });
    const second = await lake.build(first, { removed: new Set([path('a')]), operation: 'delete' });
    expect(await livePaths(lake, second)).toEqual([]);
    const old = await liveFiles(lake.store, second, second.snapshots[0]!);
    expect(old.data.map((entry) => entry.file.path)).toEqual([path('a')]);
    const third = await lake.build(second);
    // A manifest with nothing but a removed file is not carried on.
    expect((await liveFiles(lake.store, third, currentSnapshot(third))).manifests).toEqual([]);
  });

  it('takes the delete files of a removed data file away, and no others', async () => {
    const lake = new TestLake();
    let md = await lake.build(emptyTable({ spec: bucketed }), {
      added: ['a', 'b', 'c'].map((name) => dataFile(name, [0])),
    });
    md = await lake.build(md, {
      added: [
        deleteFile('da', path('a'), [0]),
        deleteFile('db', path('b'), [0]),
        deleteFile('shared', null, [0]),
      ],
      operation: 'overwrite',
    });
    expect(currentSnapshot(md)!.summary).toMatchObject({
      'total-delete-files': '3',
      'total-position-deletes': '6',
      'added-delete-files': '3',
      'added-position-deletes': '6',
      'total-records': '30',
    });
    md = await lake.build(md, {
      removed: new Set([path('a')]),
      added: [dataFile('a2', [0])],
      operation: 'overwrite',
    });
    expect(await livePaths(lake, md)).toEqual(['a2', 'b', 'c', 'db', 'shared']);
    const { data, positionDeletes } = await liveFiles(lake.store, md, currentSnapshot(md));
    const named = (name: string) => data.find((entry) => entry.file.path === path(name))!;
    expect(deletesFor(named('b'), positionDeletes)).toHaveLength(2);
    expect(deletesFor(named('c'), positionDeletes)).toHaveLength(1);
    // The new file is newer than the shared delete file, which therefore does not apply to it.
    expect(deletesFor(named('a2'), positionDeletes)).toHaveLength(0);
    md = await lake.build(md, { removed: new Set([path('b'), path('c')]), operation: 'delete' });
    expect(await livePaths(lake, md)).toEqual(['a2']);
    expect(currentSnapshot(md)!.summary).toMatchObject({
      'total-delete-files': '0',
      'removed-position-deletes': '4',
    });
  });

  it('replaces everything in one commit, under a new schema, spec and sort order', async () => {
    const lake = new TestLake();
    let md = await lake.build(emptyTable(), { added: [dataFile('a'), dataFile('b')] });
    md = await lake.build(md, { added: [deleteFile('d', path('a'))] });
    const order = {
      'order-id': 7,
      fields: [
        { transform: 'identity', 'source-id': 1, direction: 'asc', 'null-order': 'nulls-first' },
      ],
    } as const;
    const retyped = {
      ...schema,
      fields: [{ id: 9, name: 'qty', required: false, type: 'decimal(38, 2)' }, schema.fields[0]!],
    };
    md = await lake.build(md, {
      replaceAll: true,
      added: [{ ...dataFile('n', [3]), sortOrderId: 7 }],
      newSchema: retyped,
      newSpec: bucketed,
      newSortOrder: order,
      operation: 'overwrite',
    });
    expect(await livePaths(lake, md)).toEqual(['n']);
    const snapshot = currentSnapshot(md)!;
    expect(snapshot['schema-id']).toBe(1);
    expect(md.schemas).toHaveLength(2);
    expect(md['last-column-id']).toBe(9);
    expect(md['default-spec-id']).toBe(1);
    const [entry] = (await liveFiles(lake.store, md, snapshot)).data;
    expect(entry).toMatchObject({ specId: 1, file: { sortOrderId: 1, partition: [3] } });
    expect(snapshot.summary).toMatchObject({
      'deleted-data-files': '2',
      'total-data-files': '1',
      'total-records': '10',
      'total-delete-files': '0',
      'removed-delete-files': '1',
    });
  });

  it('takes a column with a new id out of older specs and sort orders, since engines bind them all', async () => {
    const lake = new TestLake();
    const byBoth = {
      'spec-id': 0,
      fields: [
        { name: 'c', transform: 'bucket[4]', 'source-id': 1, 'field-id': 1000 },
        { name: 'q', transform: 'identity', 'source-id': 2, 'field-id': 1001 },
      ],
    };
    const ascending = (id: number): SortOrder => ({
      'order-id': 1,
      fields: [
        { transform: 'identity', 'source-id': id, direction: 'asc', 'null-order': 'nulls-first' },
      ],
    });
    let md = await lake.build(emptyTable({ spec: byBoth }), {
      added: [dataFile('a', [3, 1420n]), dataFile('b', [3, -5n])],
      newSortOrder: ascending(2),
    });
    const first = currentSnapshot(md)!;
    expect((await liveFiles(lake.store, md, first)).data[0]!.file.partition).toEqual([3, 1420n]);
    const retyped = {
      ...schema,
      fields: [schema.fields[0]!, { id: 9, name: 'qty', required: false, type: 'decimal(38, 2)' }],
    };
    md = await lake.build(md, {
      replaceAll: true,
      added: [{ ...dataFile('n', [3, 7n]), sortOrderId: 1 }],
      newSchema: retyped,
      newSpec: {
        'spec-id': 0,
        fields: [byBoth.fields[0]!, { ...byBoth.fields[1]!, 'source-id': 9 }],
      },
      newSortOrder: ascending(9),
      operation: 'overwrite',
    });
    expect(md['partition-specs']).toEqual([
      { 'spec-id': 0, fields: [byBoth.fields[0]] },
      {
        'spec-id': 1,
        fields: [
          byBoth.fields[0],
          { name: 'q', transform: 'identity', 'source-id': 9, 'field-id': 1002 },
        ],
      },
    ]);
    // Ids are not used twice: a file's order must not become another one.
    expect(md['sort-orders'].map((order) => order['order-id'])).toEqual([0, 2]);
    expect(md['default-sort-order-id']).toBe(2);
    const [now] = (await liveFiles(lake.store, md, currentSnapshot(md))).data;
    expect(now!.file).toMatchObject({ partition: [3, 7n], sortOrderId: 2 });
    const past = (await liveFiles(lake.store, md, first)).data;
    expect(past.map((entry) => entry.file.partition)).toEqual([[3], [3]]);
    expect(parseTableMetadata(serializeTableMetadata(md))).toEqual(md);
  });

  it('reads manifests of a spec whose column another writer retyped since', async () => {
    const lake = new TestLake();
    const byQty = {
      'spec-id': 0,
      fields: [{ name: 'q', transform: 'identity', 'source-id': 2, 'field-id': 1000 }],
    };
    const md = await lake.build(emptyTable({ spec: byQty }), {
      added: [dataFile('a', [1420n]), dataFile('b', [-5n])],
    });
    const retyped = {
      ...schema,
      'schema-id': 1,
      fields: [schema.fields[0]!, { id: 9, name: 'qty', required: false, type: 'decimal(38, 2)' }],
    };
    const theirs = { ...md, schemas: [...md.schemas, retyped], 'current-schema-id': 1 };
    const { data } = await liveFiles(lake.store, theirs, currentSnapshot(theirs));
    expect(data.map((entry) => entry.file.partition)).toEqual([[1420n], [-5n]]);
  });

  it('merges small manifests when there are more than fifty, and keeps every past', async () => {
    const lake = new TestLake();
    let md = emptyTable({ spec: bucketed });
    let most = 0;
    for (let i = 0; i < 120; i++) {
      md = await lake.build(md, {
        added: [dataFile(`f${i}`, [i % 4])],
        snapshotTimestampMs: start + i * hour,
      });
      const { manifests } = await liveFiles(lake.store, md, currentSnapshot(md));
      most = Math.max(most, manifests.length);
    }
    expect(most).toBe(50);
    const { data } = await liveFiles(lake.store, md, currentSnapshot(md));
    expect(data).toHaveLength(120);
    for (const entry of data) {
      const i = Number(/f(\d+)/.exec(entry.file.path)![1]);
      expect(entry.sequenceNumber).toBe(BigInt(i + 1));
      expect(entry.snapshotId).toBe(md.snapshots[i]!['snapshot-id']);
    }
    expect(currentSnapshot(md)!.summary['total-records']).toBe('1200');
    expect(md.snapshots).toHaveLength(120);
  });

  it('keeps the last hundred metadata files in its log', async () => {
    const lake = new TestLake();
    let md = emptyTable();
    for (let i = 1; i <= 103; i++)
      md = await lake.build(md, { metadataUri: `${location}/metadata/v${i}.metadata.json` });
    expect(md['metadata-log']).toHaveLength(100);
    expect(md['metadata-log'].at(-1)).toEqual({
      'metadata-file': `${location}/metadata/v103.metadata.json`,
      'timestamp-ms': start + 2 * hour,
    });
  });

  it('computes totals from the files where the parent, by another writer, states none', async () => {
    const lake = new TestLake();
    const first = await lake.build(emptyTable(), { added: [dataFile('a')] });
    const bare = {
      ...first,
      snapshots: first.snapshots.map((one) => ({ ...one, summary: { operation: 'append' } })),
    };
    const next = await lake.build(bare, { added: [dataFile('b')] });
    expect(currentSnapshot(next)!.summary).toMatchObject({
      'total-records': '20',
      'total-data-files': '2',
    });
  });

  it('has exactly the id that was asked for, and never one that is in use', async () => {
    const lake = new TestLake();
    const id = 2n ** 62n + 1n;
    const first = await lake.build(emptyTable(), { snapshotId: id, added: [dataFile('a')] });
    expect(first['current-snapshot-id']).toBe(id);
    const ids = [id, id, 5n];
    const next = await lake.build(first, {
      ids: { uuid: () => lake.ids.uuid(), snapshotId: () => ids.shift()! },
    });
    expect(next['current-snapshot-id']).toBe(5n);
    const [entry] = (await liveFiles(lake.store, next, currentSnapshot(next))).data;
    expect(entry!.snapshotId).toBe(id);
  });
});

describe('a snapshot is refused', () => {
  it('when a file to replace is not live any more', async () => {
    const lake = new TestLake();
    const md = await lake.build(emptyTable(), { added: [dataFile('a')] });
    await expect(
      lake.build(md, { removed: new Set([path('a'), path('x')]) }),
    ).rejects.toMatchObject({
      code: 'COMMIT_CONFLICT',
    });
  });

  it('when a new delete file points at a data file that is not live, since its rows would come back', async () => {
    const lake = new TestLake();
    const md = await lake.build(emptyTable(), { added: [dataFile('a')] });
    await expect(lake.build(md, { added: [deleteFile('d', path('x'))] })).rejects.toMatchObject({
      code: 'COMMIT_CONFLICT',
    });
    await expect(
      lake.build(md, { removed: new Set([path('a')]), added: [deleteFile('d', path('a'))] }),
    ).rejects.toMatchObject({ code: 'COMMIT_CONFLICT' });
    const both = await lake.build(md, { added: [dataFile('n'), deleteFile('d', path('n'))] });
    expect(await livePaths(lake, both)).toEqual(['a', 'd', 'n']);
  });

  it('when a delete file has another partition than its data file', async () => {
    const lake = new TestLake();
    const md = await lake.build(emptyTable({ spec: bucketed }), { added: [dataFile('a', [1])] });
    await expect(lake.build(md, { added: [deleteFile('d', path('a'), [2])] })).rejects.toThrow(
      TypeError,
    );
  });

  it('when the folder was moved', async () => {
    const lake = new TestLake();
    await expect(
      lake.build(emptyTable(), { location: 's3://bucket/elsewhere' }),
    ).rejects.toMatchObject({
      code: 'REFUSED_FOREIGN_PATH',
    });
  });
});
