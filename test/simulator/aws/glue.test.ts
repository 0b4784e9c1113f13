// The simulated Glue with the real SDK: databases, tables, versions, pages, limits.
// Source: AWS Glue Web API Reference, "Actions", "Data types".
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  BatchDeleteTableCommand,
  BatchDeleteTableVersionCommand,
  CreateDatabaseCommand,
  CreateTableCommand,
  DeleteDatabaseCommand,
  DeleteTableCommand,
  DeleteTableVersionCommand,
  GetColumnStatisticsForTableCommand,
  GetDatabaseCommand,
  GetPartitionIndexesCommand,
  GetPartitionsCommand,
  GetTableCommand,
  GetTablesCommand,
  GetTableVersionCommand,
  GetTableVersionsCommand,
  GetUserDefinedFunctionsCommand,
  GlueClient,
  ListJobsCommand,
  paginateGetDatabases,
  paginateGetTables,
  paginateGetTableVersions,
  type TableInput,
  UpdateDatabaseCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-glue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../pipeline/local/clock.js';
import { type Simulator, startSimulator } from '../../../pipeline/local/simulator-server.js';

const nowMs = Date.parse('2026-11-20T12:00:00.750Z');
let simulator: Simulator;
let dir: string;
let glue: GlueClient;
let databases = 0;

const clientOf = (url: string): GlueClient =>
  new GlueClient({
    endpoint: url,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'tidelake-glue-'));
  simulator = await startSimulator({ dir, port: 0, clock: new ManualClock(nowMs) });
  glue = clientOf(simulator.url);
});
afterAll(async () => {
  glue.destroy();
  await simulator.close();
  await rm(dir, { recursive: true, force: true });
});

/** A database nobody else uses. */
async function database(): Promise<string> {
  databases += 1;
  const Name = `db_${databases}`;
  await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name } }));
  return Name;
}

const create = (DatabaseName: string, TableInput: TableInput): Promise<unknown> =>
  glue.send(new CreateTableCommand({ DatabaseName, TableInput }));

const update = (
  DatabaseName: string,
  TableInput: TableInput,
  more: { VersionId?: string; SkipArchive?: boolean } = {},
): Promise<unknown> => glue.send(new UpdateTableCommand({ DatabaseName, TableInput, ...more }));

const get = async (DatabaseName: string, Name = 'orders') =>
  (await glue.send(new GetTableCommand({ DatabaseName, Name }))).Table!;

const refused = (name: string): { name: string } => ({ name });

describe('databases', () => {
  it('are made, read, changed, listed and deleted with their tables', async () => {
    const DatabaseInput = {
      Name: 'Shop',
      Description: 'a\nb',
      LocationUri: 's3://lake/shop',
      Parameters: { a: '1' },
    };
    await glue.send(new CreateDatabaseCommand({ DatabaseInput }));
    await expect(glue.send(new CreateDatabaseCommand({ DatabaseInput }))).rejects.toMatchObject(
      refused('AlreadyExistsException'),
    );
    const { Database } = await glue.send(new GetDatabaseCommand({ Name: 'shop' }));
    expect(Database).toEqual({
      ...DatabaseInput,
      Name: 'shop',
      CatalogId: '123456789012',
      CreateTime: new Date('2026-11-20T12:00:00Z'),
    });
    await glue.send(new UpdateDatabaseCommand({ Name: 'shop', DatabaseInput: { Name: 'shop' } }));
    const again = await glue.send(new GetDatabaseCommand({ Name: 'shop' }));
    expect(again.Database).not.toHaveProperty('Description');
    await create('shop', { Name: 'orders' });
    await glue.send(new DeleteDatabaseCommand({ Name: 'shop' }));
    await expect(get('shop')).rejects.toMatchObject(refused('EntityNotFoundException'));
    await glue.send(new CreateDatabaseCommand({ DatabaseInput }));
    await expect(get('shop')).rejects.toMatchObject(refused('EntityNotFoundException'));
  });

  it('belong to a catalog', async () => {
    const CatalogId = '999999999999';
    const Name = await database();
    const ask = new GetDatabaseCommand({ CatalogId, Name });
    await expect(glue.send(ask)).rejects.toMatchObject(refused('EntityNotFoundException'));
    await glue.send(new CreateDatabaseCommand({ CatalogId, DatabaseInput: { Name } }));
    expect((await glue.send(ask)).Database!.CatalogId).toBe(CatalogId);
  });

  it('come in pages', async () => {
    for (let i = 0; i < 7; i++) await database();
    const pages: string[][] = [];
    for await (const page of paginateGetDatabases({ client: glue, pageSize: 3 }, {})) {
      pages.push(page.DatabaseList!.map((one) => one.Name!));
    }
    const names = pages.flat();
    expect(pages.length).toBe(Math.ceil(names.length / 3));
    expect(names.filter((name) => name.startsWith('db_')).length).toBe(databases);
    expect(names).toEqual([...new Set(names)].sort());
  });
});

describe('tables', () => {
  it('are given back as they were put, with what Glue adds', async () => {
    const db = await database();
    const TableInput: TableInput = {
      Name: 'Orders',
      Description: 'what',
      Owner: 'me',
      Retention: 3,
      LastAccessTime: new Date('2026-01-02T03:04:05Z'),
      StorageDescriptor: {
        Columns: [{ Name: 'id', Type: 'bigint', Comment: 'é😀', Parameters: { a: 'b' } }],
        Location: 's3://lake/orders',
        SerdeInfo: { SerializationLibrary: 'x', Parameters: { 'a/b': 'c' } },
      },
      PartitionKeys: [],
      TableType: 'EXTERNAL_TABLE',
      Parameters: { table_type: 'ICEBERG', metadata_location: 's3://lake/m.json' },
    };
    await create(db, TableInput);
    expect(await get(db, 'ORDERS')).toEqual({
      ...TableInput,
      Name: 'orders',
      StorageDescriptor: {
        ...TableInput.StorageDescriptor,
        Compressed: false,
        NumberOfBuckets: 0,
        SortColumns: [],
        StoredAsSubDirectories: false,
      },
      DatabaseName: db,
      CatalogId: '123456789012',
      CreateTime: new Date('2026-11-20T12:00:00Z'),
      UpdateTime: new Date('2026-11-20T12:00:00Z'),
      CreatedBy: expect.stringContaining('123456789012'),
      IsRegisteredWithLakeFormation: false,
      VersionId: '0',
    });
  });

  it('keep members that this SDK does not know', async () => {
    const db = await database();
    const call = async (action: string, input: unknown): Promise<Record<string, unknown>> => {
      const answer = await fetch(simulator.url, {
        method: 'POST',
        headers: {
          'x-amz-target': `AWSGlue.${action}`,
          'content-type': 'application/x-amz-json-1.1',
        },
        body: JSON.stringify(input),
      });
      return (await answer.json()) as Record<string, unknown>;
    };
    const TableInput = {
      Name: 'view',
      TableType: 'VIRTUAL_VIEW',
      ViewOriginalText: '/* Presto */',
      New: { a: 1 },
    };
    expect(await call('CreateTable', { DatabaseName: db, TableInput, NewMember: true })).toEqual(
      {},
    );
    const { Table } = await call('GetTable', { DatabaseName: db, Name: 'view' });
    expect(Table).toMatchObject(TableInput);
    expect(await call('GetTable', { DatabaseName: db, Name: 7 })).toMatchObject({
      __type: 'SerializationException',
    });
  });

  it('are refused when they are there, or their database is not', async () => {
    const db = await database();
    await create(db, { Name: 'orders' });
    await expect(create(db, { Name: 'ORDERS' })).rejects.toMatchObject(
      refused('AlreadyExistsException'),
    );
    for (const wrong of [create('none', { Name: 'x' }), update('none', { Name: 'x' })]) {
      await expect(wrong).rejects.toMatchObject(refused('EntityNotFoundException'));
    }
    await expect(update(db, { Name: 'x' })).rejects.toMatchObject(
      refused('EntityNotFoundException'),
    );
  });

  it('are listed by expression, in pages', async () => {
    const db = await database();
    const names = ['a_1', 'a_2', 'a_3', 'b.1', 'bx1'];
    for (const Name of names) await create(db, { Name });
    const listed = async (Expression?: string, pageSize = 100): Promise<string[][]> => {
      const pages: string[][] = [];
      const input = { DatabaseName: db, Expression };
      for await (const page of paginateGetTables({ client: glue, pageSize }, input)) {
        pages.push(page.TableList!.map((one) => one.Name!));
      }
      return pages;
    };
    expect(await listed(undefined, 2)).toEqual([['a_1', 'a_2'], ['a_3', 'b.1'], ['bx1']]);
    expect((await listed('a_.*')).flat()).toEqual(['a_1', 'a_2', 'a_3']);
    expect((await listed('a_*')).flat()).toEqual(['a_1', 'a_2', 'a_3']);
    expect((await listed('a_[12]')).flat()).toEqual(['a_1', 'a_2']);
    expect((await listed('b.1')).flat()).toEqual(['b.1', 'bx1']);
    expect((await listed('*')).flat()).toEqual(names);
    expect((await listed('a')).flat()).toEqual([]);
    const bad = new GetTablesCommand({ DatabaseName: db, NextToken: 'not ours' });
    await expect(glue.send(bad)).rejects.toMatchObject(refused('InvalidInputException'));
  });

  it('are deleted one by one and many at once', async () => {
    const db = await database();
    for (const Name of ['a', 'b', 'c']) await create(db, { Name });
    await glue.send(new DeleteTableCommand({ DatabaseName: db, Name: 'a' }));
    const TablesToDelete = ['a', 'b'];
    const { Errors } = await glue.send(
      new BatchDeleteTableCommand({ DatabaseName: db, TablesToDelete }),
    );
    expect(Errors).toMatchObject([
      { TableName: 'a', ErrorDetail: { ErrorCode: 'EntityNotFoundException' } },
    ]);
    const { TableList } = await glue.send(new GetTablesCommand({ DatabaseName: db }));
    expect(TableList!.map((one) => one.Name)).toEqual(['c']);
  });
});

describe('versions of a table', () => {
  it('are an optimistic lock', async () => {
    const db = await database();
    await create(db, { Name: 'orders', Parameters: { n: '0' } });
    await update(db, { Name: 'orders', Parameters: { n: '1' } }, { VersionId: '0' });
    const late = update(db, { Name: 'orders', Parameters: { n: 'late' } }, { VersionId: '0' });
    await expect(late).rejects.toMatchObject({
      name: 'ConcurrentModificationException',
      message: 'Update table failed due to concurrent modifications.',
    });
    expect(await get(db)).toMatchObject({ VersionId: '1', Parameters: { n: '1' } });
    // Who does not name a version overwrites.
    await update(db, { Name: 'orders', Parameters: { n: '2' } });
    expect(await get(db)).toMatchObject({ VersionId: '2', Parameters: { n: '2' } });
  });

  it('let exactly one of many at once win', async () => {
    const db = await database();
    await create(db, { Name: 'orders' });
    const all = await Promise.allSettled(
      Array.from({ length: 12 }, (_, i) =>
        update(db, { Name: 'orders', Description: `${i}` }, { VersionId: '0', SkipArchive: true }),
      ),
    );
    const won = all.flatMap((one, i) => (one.status === 'fulfilled' ? [`${i}`] : []));
    expect(won).toHaveLength(1);
    expect(await get(db)).toMatchObject({ VersionId: '1', Description: won[0] });
  });

  it('are kept unless that is skipped, newest first', async () => {
    const db = await database();
    await create(db, { Name: 'orders', Description: 'v0' });
    for (let i = 1; i <= 12; i++) {
      await update(db, { Name: 'orders', Description: `v${i}` }, { SkipArchive: i === 2 });
    }
    const place = { DatabaseName: db, TableName: 'orders' };
    const found: string[] = [];
    for await (const page of paginateGetTableVersions({ client: glue, pageSize: 5 }, place)) {
      found.push(...page.TableVersions!.map((one) => `${one.VersionId} ${one.Table!.Description}`));
    }
    // Version 1 was current when its archive was skipped.
    const kept = [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 0];
    expect(found).toEqual(kept.map((version) => `${version} v${version}`));
    const one = await glue.send(new GetTableVersionCommand({ ...place, VersionId: '3' }));
    expect(one.TableVersion!.Table!.Description).toBe('v3');
    const latest = await glue.send(new GetTableVersionCommand(place));
    expect(latest.TableVersion!.VersionId).toBe('12');
    await glue.send(new DeleteTableVersionCommand({ ...place, VersionId: '3' }));
    const { Errors } = await glue.send(
      new BatchDeleteTableVersionCommand({ ...place, VersionIds: ['3', '4', 'x', '12'] }),
    );
    expect(Errors!.map((error) => error.VersionId)).toEqual(['3', 'x', '12']);
    const { TableVersions } = await glue.send(new GetTableVersionsCommand(place));
    expect(TableVersions!.map((version) => version.VersionId)).not.toContain('4');
  });

  it('begin anew with a new table of the name', async () => {
    const db = await database();
    const place = { DatabaseName: db, TableName: 'orders' };
    await create(db, { Name: 'orders' });
    await update(db, { Name: 'orders' });
    await glue.send(new DeleteTableCommand({ DatabaseName: db, Name: 'orders' }));
    await create(db, { Name: 'orders' });
    const { TableVersions } = await glue.send(new GetTableVersionsCommand(place));
    expect(TableVersions!.map((one) => one.VersionId)).toEqual(['0']);
  });
});

describe('what Iceberg tables have none of', () => {
  it('is an empty list, for a table that is there', async () => {
    const db = await database();
    await create(db, { Name: 'orders' });
    const place = { DatabaseName: db, TableName: 'orders' };
    expect(
      (await glue.send(new GetPartitionsCommand({ ...place, MaxResults: 1000 }))).Partitions,
    ).toEqual([]);
    const indexes = await glue.send(new GetPartitionIndexesCommand(place));
    expect(indexes.PartitionIndexDescriptorList).toEqual([]);
    const statistics = new GetColumnStatisticsForTableCommand({ ...place, ColumnNames: ['id'] });
    expect((await glue.send(statistics)).ColumnStatisticsList).toEqual([]);
    const functions = new GetUserDefinedFunctionsCommand({ DatabaseName: db, Pattern: '.*' });
    expect((await glue.send(functions)).UserDefinedFunctions).toEqual([]);
    const missing = new GetPartitionsCommand({ ...place, TableName: 'none' });
    await expect(glue.send(missing)).rejects.toMatchObject(refused('EntityNotFoundException'));
  });

  it('or is unknown', async () => {
    await expect(glue.send(new ListJobsCommand({}))).rejects.toMatchObject(
      refused('UnknownOperationException'),
    );
  });
});

describe('limits', () => {
  const column = (more: object): TableInput => ({
    Name: 'x',
    StorageDescriptor: { Columns: [{ Name: 'ok' }, { Name: 'id', ...more }] },
  });
  it.each([
    ['a name of no characters', { Name: '' }, 'tableInput.name'],
    ['a name of 256', { Name: 'x'.repeat(256) }, 'tableInput.name'],
    ['a line break in a name', { Name: 'a\nb' }, 'tableInput.name'],
    [
      'a description of 2,049',
      { Name: 'x', Description: 'x'.repeat(2049) },
      'tableInput.description',
    ],
    ['an empty owner', { Name: 'x', Owner: '' }, 'tableInput.owner'],
    [
      'a comment of 256',
      column({ Comment: 'x'.repeat(256) }),
      'tableInput.storageDescriptor.columns.2.member.comment',
    ],
    [
      'a line break in a comment',
      column({ Comment: 'a\nb' }),
      'tableInput.storageDescriptor.columns.2.member.comment',
    ],
    [
      'a type of 131,073',
      column({ Type: 'x'.repeat(131_073) }),
      'tableInput.storageDescriptor.columns.2.member.type',
    ],
    [
      'a key of 256',
      { Name: 'x', Parameters: { ['k'.repeat(256)]: '' } },
      'tableInput.parameters.key',
    ],
    [
      'a value of 512,001',
      { Name: 'x', Parameters: { k: 'v'.repeat(512_001) } },
      'tableInput.parameters.value',
    ],
    [
      'a location of 2,057',
      { Name: 'x', StorageDescriptor: { Location: 'x'.repeat(2057) } },
      'tableInput.storageDescriptor.location',
    ],
    [
      'a view of 409,601',
      { Name: 'x', ViewOriginalText: 'x'.repeat(409_601) },
      'tableInput.viewOriginalText',
    ],
  ])('refuse %s', async (_, input, member) => {
    const db = await database();
    await expect(create(db, input as TableInput)).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining(`Value at '${member}' failed to satisfy constraint`),
    });
  });

  it('take what is just within, counted in characters', async () => {
    const db = await database();
    const Comment = '😀'.repeat(255);
    const Type = 'x'.repeat(131_072);
    await create(db, {
      ...column({ Comment, Type }),
      Name: 'x'.repeat(255),
      Description: 'a\r\nb',
    });
    const table = await get(db, 'x'.repeat(255));
    expect(table.StorageDescriptor!.Columns![1]).toEqual({ Name: 'id', Comment, Type });
  });

  it('hold for pages', async () => {
    const db = await database();
    const list = (MaxResults: number) =>
      glue.send(new GetTablesCommand({ DatabaseName: db, MaxResults }));
    for (const size of [0, 101]) {
      await expect(list(size)).rejects.toMatchObject(refused('ValidationException'));
    }
  });
});

describe('the state', () => {
  it('is there again after a restart', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'tidelake-glue-again-'));
    const first = await startSimulator({ dir: folder, port: 0 });
    const client = clientOf(first.url);
    await client.send(new CreateDatabaseCommand({ DatabaseInput: { Name: 'a/b' } }));
    const TableInput = { Name: 'c/d', Parameters: { a: 'b' } };
    await client.send(new CreateTableCommand({ DatabaseName: 'a/b', TableInput }));
    await client.send(new UpdateTableCommand({ DatabaseName: 'a/b', TableInput }));
    client.destroy();
    await first.close();
    const second = await startSimulator({ dir: folder, port: 0 });
    const again = clientOf(second.url);
    const ask = new GetTableCommand({ DatabaseName: 'a/b', Name: 'c/d' });
    expect((await again.send(ask)).Table).toMatchObject({ ...TableInput, VersionId: '1' });
    again.destroy();
    await second.close();
    await rm(folder, { recursive: true, force: true });
  });
});
