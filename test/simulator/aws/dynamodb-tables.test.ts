// Tables of the simulated DynamoDB through the real SDK: making, describing, tags, time to live, recovery.
// What is expected is from the DynamoDB Developer Guide and API Reference.
import {
  CreateTableCommand,
  DeleteTableCommand,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  ListTablesCommand,
  ListTagsOfResourceCommand,
  type PointInTimeRecoveryDescription,
  PutItemCommand,
  paginateListTables,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
  waitUntilTableNotExists,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rejection } from './running.js';
import { arnOf, dayMs, hourMs, minuteMs, RunningDynamoDb } from './running-dynamodb.js';

let aws: RunningDynamoDb;
beforeAll(async () => {
  aws = await RunningDynamoDb.start();
});
afterAll(() => aws.close());

async function recoveryOf(TableName: string): Promise<PointInTimeRecoveryDescription> {
  const answer = await aws.db.send(new DescribeContinuousBackupsCommand({ TableName }));
  const { ContinuousBackupsStatus, PointInTimeRecoveryDescription: recovery } =
    answer.ContinuousBackupsDescription!;
  expect(ContinuousBackupsStatus).toBe('ENABLED');
  return recovery!;
}

describe('a table', () => {
  it('is described as it was made, with its size', async () => {
    const TableName = await aws.table();
    const createdMs = aws.clock.nowMs();
    // 2 + 3 and 2 + 2 (a number of one digit), 1 + 5: the Developer Guide's "item sizes".
    const Item = { pk: { S: 'abc' }, sk: { N: '7' }, v: { S: 'hello' } };
    await aws.db.send(new PutItemCommand({ TableName, Item }));
    const { Table } = await aws.db.send(new DescribeTableCommand({ TableName: arnOf(TableName) }));
    expect(Table).toMatchObject({
      TableName,
      TableArn: arnOf(TableName),
      TableId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f-]{27}$/),
      TableStatus: 'ACTIVE',
      CreationDateTime: new Date(createdMs),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
      ItemCount: 1,
      TableSizeBytes: 15,
    });
    await waitUntilTableExists({ client: aws.db, maxWaitTime: 60 }, { TableName });
  });

  it('made anew under its name is another table', async () => {
    const TableName = await aws.table();
    const idOf = async (): Promise<string> =>
      (await aws.db.send(new DescribeTableCommand({ TableName }))).Table!.TableId!;
    const input = {
      TableName,
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'B' as const }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' as const }],
      ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 2 },
    };
    expect(await rejection(aws.db.send(new CreateTableCommand(input)))).toMatchObject({
      name: 'ResourceInUseException',
    });
    await aws.recovery(TableName, true);
    const before = await idOf();
    await aws.db.send(new DeleteTableCommand({ TableName }));
    await waitUntilTableNotExists({ client: aws.db, maxWaitTime: 60 }, { TableName });
    await aws.db.send(new CreateTableCommand(input));
    expect(await idOf()).not.toBe(before);
    expect(await recoveryOf(TableName)).toEqual({ PointInTimeRecoveryStatus: 'DISABLED' });
  });

  it.each([
    [
      'a key without a type',
      { AttributeDefinitions: [{ AttributeName: 'x', AttributeType: 'S' }] },
    ],
    ['a sort key first', { KeySchema: [{ AttributeName: 'pk', KeyType: 'RANGE' }] }],
    ['a name of two letters', { TableName: 'ab' }],
    ['no throughput', { BillingMode: 'PROVISIONED' }],
  ] as const)('is not made with %s', async (_, change) => {
    expect(await rejection(aws.table(change as never))).toMatchObject({
      name: 'ValidationException',
      $metadata: { httpStatusCode: 400 },
    });
  });

  it('is listed in pages, by name', async () => {
    const names: string[] = [];
    for (let i = 0; i < 5; i++) names.push(await aws.table());
    const pages = paginateListTables({ client: aws.db, pageSize: 2 }, {});
    const listed: string[] = [];
    for await (const { TableNames } of pages) {
      expect(TableNames!.length).toBeLessThanOrEqual(2);
      listed.push(...TableNames!);
    }
    expect(listed).toEqual((await aws.db.send(new ListTablesCommand({}))).TableNames);
    expect(listed).toEqual([...listed].sort());
    expect(listed).toEqual(expect.arrayContaining(names));
  });

  it('is protected from deletion until the protection is off', async () => {
    const TableName = await aws.table({ DeletionProtectionEnabled: true });
    const remove = (): Promise<unknown> => aws.db.send(new DeleteTableCommand({ TableName }));
    expect(await rejection(remove())).toMatchObject({ name: 'ValidationException' });
    await aws.db.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: false }));
    await remove();
    expect(await rejection(remove())).toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('has tags', async () => {
    const name = await aws.table({ Tags: [{ Key: 'team', Value: 'shop' }] });
    const ResourceArn = arnOf(name);
    const tags = async (): Promise<unknown> =>
      (await aws.db.send(new ListTagsOfResourceCommand({ ResourceArn }))).Tags;
    const Tags = [
      { Key: 'lake', Value: 'hourly' },
      { Key: 'team', Value: 'orders' },
    ];
    await aws.db.send(new TagResourceCommand({ ResourceArn, Tags }));
    expect(await tags()).toEqual([
      { Key: 'team', Value: 'orders' },
      { Key: 'lake', Value: 'hourly' },
    ]);
    await aws.db.send(new UntagResourceCommand({ ResourceArn, TagKeys: ['team', 'none'] }));
    expect(await tags()).toEqual([{ Key: 'lake', Value: 'hourly' }]);
  });

  it('has a time to live, switched once', async () => {
    const TableName = await aws.table();
    const set = (Enabled: boolean): Promise<unknown> =>
      aws.db.send(
        new UpdateTimeToLiveCommand({
          TableName,
          TimeToLiveSpecification: { AttributeName: 'expires', Enabled },
        }),
      );
    const ttl = async (): Promise<unknown> =>
      (await aws.db.send(new DescribeTimeToLiveCommand({ TableName }))).TimeToLiveDescription;
    expect(await ttl()).toEqual({ TimeToLiveStatus: 'DISABLED' });
    await set(true);
    expect(await ttl()).toEqual({ TimeToLiveStatus: 'ENABLED', AttributeName: 'expires' });
    expect(await rejection(set(true))).toMatchObject({ name: 'ValidationException' });
  });
});

describe('point-in-time recovery', () => {
  it('begins when it is switched on, and ends five minutes ago', async () => {
    const table = await aws.table();
    const onMs = aws.clock.nowMs();
    await aws.recovery(table, true);
    aws.clock.advanceMs(2 * hourMs);
    expect(await recoveryOf(table)).toEqual({
      PointInTimeRecoveryStatus: 'ENABLED',
      RecoveryPeriodInDays: 35,
      EarliestRestorableDateTime: new Date(onMs),
      LatestRestorableDateTime: new Date(onMs + 2 * hourMs - 5 * minuteMs),
    });
    aws.clock.advanceMs(40 * dayMs);
    expect((await recoveryOf(table)).EarliestRestorableDateTime).toEqual(
      new Date(aws.clock.nowMs() - 35 * dayMs),
    );
  });

  it('begins anew when it was off, and not when it was on', async () => {
    const table = await aws.table();
    await aws.recovery(table, true);
    const onMs = aws.clock.nowMs();
    aws.clock.advanceMs(dayMs);
    await aws.recovery(table, true);
    expect((await recoveryOf(table)).EarliestRestorableDateTime).toEqual(new Date(onMs));
    await aws.recovery(table, false);
    expect(await recoveryOf(table)).toEqual({ PointInTimeRecoveryStatus: 'DISABLED' });
    await aws.recovery(table, true);
    expect((await recoveryOf(table)).EarliestRestorableDateTime).toEqual(new Date(onMs + dayMs));
  });

  it('is cut at once by a shorter period, and filled only forward by a longer one', async () => {
    const table = await aws.table();
    await aws.recovery(table, true);
    aws.clock.advanceMs(20 * dayMs);
    await aws.recovery(table, true, 3);
    const cutMs = aws.clock.nowMs() - 3 * dayMs;
    const earliest = async (): Promise<number> =>
      (await recoveryOf(table)).EarliestRestorableDateTime!.getTime();
    expect(await earliest()).toBe(cutMs);
    await aws.recovery(table, true, 30);
    aws.clock.advanceMs(10 * dayMs);
    expect(await earliest()).toBe(cutMs);
    aws.clock.advanceMs(30 * dayMs);
    expect(await earliest()).toBe(aws.clock.nowMs() - 30 * dayMs);
    for (const days of [0, 36]) {
      expect(await rejection(aws.recovery(table, true, days))).toMatchObject({
        name: 'ValidationException',
      });
    }
  });

  it('is of tables there are', async () => {
    expect(await rejection(aws.recovery('nowhere', true))).toMatchObject({
      name: 'TableNotFoundException',
    });
  });
});

describe('faults', () => {
  it('hit the requests about one table, by name or ARN, and the log has its name alone', async () => {
    const table = await aws.table();
    const other = await aws.table();
    aws.simulator.clearRequests();
    aws.simulator.setFaults([
      {
        service: 'dynamodb',
        operation: 'DescribeTable',
        key: table,
        do: { fault: 'error', code: 'InternalServerError' },
      },
    ]);
    const describeTable = (TableName: string): Promise<unknown> =>
      aws.db.send(new DescribeTableCommand({ TableName }));
    for (const name of [table, arnOf(table)]) {
      expect(await rejection(describeTable(name))).toMatchObject({
        name: 'InternalServerError',
        $metadata: { httpStatusCode: 500 },
      });
    }
    await describeTable(other);
    aws.simulator.setFaults([]);
    expect(aws.simulator.requests().map(({ service, key }) => [service, key])).toEqual([
      ['dynamodb', table],
      ['dynamodb', table],
      ['dynamodb', other],
    ]);
  });
});
