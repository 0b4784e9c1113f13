// Items of the simulated DynamoDB through the real SDK: single ones, batches, expressions, consumed capacity.
// What is expected is from the DynamoDB Developer Guide and API Reference, sizes and units worked out by hand.
import {
  type AttributeValue,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  type PutItemCommandInput,
  QueryCommand,
  type QueryCommandInput,
  ScanCommand,
  type ScanCommandInput,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { rejection } from './running.js';
import { RunningDynamoDb } from './running-dynamodb.js';

type Item = Record<string, AttributeValue>;

let aws: RunningDynamoDb;
let TableName: string;
beforeAll(async () => {
  aws = await RunningDynamoDb.start();
});
afterAll(() => aws.close());
beforeEach(async () => {
  TableName = await aws.table();
  aws.simulator.dynamodb.clearConsumed();
});

const key = (pk: string, sk: number): Item => ({ pk: { S: pk }, sk: { N: `${sk}` } });
const put = (Item: Item, more: Partial<PutItemCommandInput> = {}): Promise<unknown> =>
  aws.db.send(new PutItemCommand({ TableName, Item, ...more }));
const get = async (Key: Item): Promise<Item | undefined> =>
  (await aws.db.send(new GetItemCommand({ TableName, Key }))).Item;
const update = (
  Key: Item,
  more: Omit<UpdateItemCommandInput, 'TableName' | 'Key'>,
): Promise<{ Attributes?: Item | undefined }> =>
  aws.db.send(new UpdateItemCommand({ TableName, Key, ...more }));
const invalid = { name: 'ValidationException', $metadata: { httpStatusCode: 400 } };

describe('an item', () => {
  it('comes back as it was put, numbers in one form', async () => {
    const Item: Item = {
      ...key('a', 1),
      text: { S: '' },
      large: { N: '1E125' },
      exact: { N: '-0012345678901234567890123456789012345678.000' },
      bytes: { B: new Uint8Array([0, 255]) },
      flag: { BOOL: false },
      none: { NULL: true },
      words: { SS: ['b', 'a'] },
      list: { L: [{ M: { constructor: { N: '.5' } } }, { L: [] }] },
    };
    await put(Item);
    const back = await get(key('a', 1));
    expect(back).toEqual({
      ...Item,
      large: { N: `1${'0'.repeat(125)}` },
      exact: { N: '-12345678901234567890123456789012345678' },
      list: { L: [{ M: { constructor: { N: '0.5' } } }, { L: [] }] },
    });
    expect(await get(key('a', 2))).toBeUndefined();
  });

  it.each<[string, Item]>([
    ['no sort key', { pk: { S: 'a' } }],
    ['a key of another type', { pk: { N: '1' }, sk: { N: '1' } }],
    ['an empty key', { pk: { S: '' }, sk: { N: '1' } }],
    ['a partition key of 2049 bytes', { pk: { S: `${'é'.repeat(1024)}x` }, sk: { N: '1' } }],
    ['39 digits', { ...key('a', 1), n: { N: '123456789012345678901234567890123456789' } }],
    ['a number too large', { ...key('a', 1), n: { N: '1E126' } }],
    ['a number too small', { ...key('a', 1), n: { N: '9E-131' } }],
    ['no number', { ...key('a', 1), n: { N: 'one' } }],
    ['an empty set', { ...key('a', 1), s: { SS: [] } }],
    ['a member twice, by value', { ...key('a', 1), s: { NS: ['1', '1.0'] } }],
    ['400 KB and a byte', { ...key('a', 1), v: { S: 'x'.repeat(400 * 1024 - 7) } }],
  ])('is refused with %s', async (_, Item) => {
    expect(await rejection(put(Item))).toMatchObject(invalid);
    expect(aws.simulator.dynamodb.past(TableName)!.countAt(Number.MAX_SAFE_INTEGER)).toBe(0);
  });

  it('of exactly 400 KB is taken', async () => {
    // pk 2+1, sk 2+2, v 1: eight bytes besides the text.
    await put({ ...key('a', 1), v: { S: 'x'.repeat(400 * 1024 - 8) } });
  });

  it('is nested up to 32 levels', async () => {
    const nested = (levels: number): AttributeValue =>
      levels === 1 ? { S: 'x' } : { L: [nested(levels - 1)] };
    await put({ ...key('a', 1), v: nested(32) });
    expect(await rejection(put({ ...key('a', 1), v: nested(33) }))).toMatchObject(invalid);
  });

  it('is written under a condition, or not at all', async () => {
    const ConditionExpression = 'attribute_not_exists(pk)';
    await put({ ...key('a', 1), v: { N: '1' } }, { ConditionExpression });
    const again = put(
      { ...key('a', 1), v: { N: '2' } },
      { ConditionExpression, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' },
    );
    expect(await rejection(again)).toMatchObject({
      name: 'ConditionalCheckFailedException',
      Item: { ...key('a', 1), v: { N: '1' } },
    });
    expect(await get(key('a', 1))).toMatchObject({ v: { N: '1' } });
  });

  it('gives its old self when it is replaced or deleted', async () => {
    const old = { ...key('a', 1), v: { N: '1' } };
    await put(old);
    expect(await put({ ...key('a', 1) }, { ReturnValues: 'ALL_OLD' })).toMatchObject({
      Attributes: old,
    });
    const Key = key('a', 1);
    await aws.db.send(new DeleteItemCommand({ TableName, Key }));
    expect(await get(Key)).toBeUndefined();
  });

  it('of a table there is none of is not found', async () => {
    const answer = aws.db.send(new GetItemCommand({ TableName: 'nowhere', Key: key('a', 1) }));
    expect(await rejection(answer)).toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

describe('UpdateItem', () => {
  it('sets, adds, subtracts, removes, exactly', async () => {
    await put({ ...key('a', 1), n: { N: '9007199254740993' }, gone: { S: 'x' }, s: { SS: ['a'] } });
    const { Attributes } = await update(key('a', 1), {
      UpdateExpression:
        'SET #t = :t, m = n - :half, l = list_append(if_not_exists(l, :none), :one) REMOVE gone ADD n :big, s :more',
      ExpressionAttributeNames: { '#t': 'text' },
      ExpressionAttributeValues: {
        ':t': { S: 'new' },
        ':half': { N: '0.5' },
        ':none': { L: [] },
        ':one': { L: [{ N: '1' }] },
        ':big': { N: '1E20' },
        ':more': { SS: ['b'] },
      },
      ReturnValues: 'ALL_NEW',
    });
    expect(Attributes).toEqual({
      ...key('a', 1),
      text: { S: 'new' },
      m: { N: '9007199254740992.5' },
      n: { N: '100009007199254740993' },
      l: { L: [{ N: '1' }] },
      s: { SS: ['a', 'b'] },
    });
  });

  it('makes the item when there is none', async () => {
    const { Attributes } = await update(key('new', 1), {
      UpdateExpression: 'ADD hits :one',
      ExpressionAttributeValues: { ':one': { N: '1' } },
      ReturnValues: 'UPDATED_NEW',
    });
    expect(Attributes).toEqual({ hits: { N: '1' } });
    expect(await get(key('new', 1))).toEqual({ ...key('new', 1), hits: { N: '1' } });
  });

  it.each([
    ['a part of the key', 'SET sk = :v', { ':v': { N: '2' } }],
    ['an attribute that is not there', 'SET a = b', undefined],
    ['a sum with a text', 'ADD t :v', { ':v': { N: '1' } }],
    ['a value nobody gave', 'SET a = :missing', undefined],
    ['a value nobody uses', 'REMOVE t', { ':v': { N: '1' } }],
    ['one place twice', 'SET t = :v REMOVE t', { ':v': { N: '1' } }],
    ['something else', 'DROP t', undefined],
    ['a document path', 'SET t.u = :v', { ':v': { N: '1' } }],
  ])('is refused for %s', async (_, UpdateExpression, values) => {
    await put({ ...key('a', 1), t: { S: 'x' } });
    const asked = update(key('a', 1), {
      UpdateExpression,
      ...(values === undefined ? {} : { ExpressionAttributeValues: values as Item }),
    });
    expect(await rejection(asked)).toMatchObject(invalid);
    expect(await get(key('a', 1))).toEqual({ ...key('a', 1), t: { S: 'x' } });
  });
});

describe('Query and Scan', () => {
  beforeEach(async () => {
    for (const sk of [10, 9, -1, 100]) await put({ ...key('a', sk), big: { BOOL: sk > 9 } });
    await put(key('b', 1));
  });
  const query = async (condition: string, values: Item, more: Partial<QueryCommandInput> = {}) =>
    aws.db.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: condition,
        ExpressionAttributeValues: { ':p': { S: 'a' }, ...values },
        ...more,
      }),
    );
  const sorts = (items: Item[] | undefined): number[] => items!.map(({ sk }) => Number(sk!.N));

  it.each<[string, Item, number[]]>([
    ['pk = :p', {}, [-1, 9, 10, 100]],
    ['pk = :p AND sk = :x', { ':x': { N: '9.0' } }, [9]],
    ['pk = :p AND sk < :x', { ':x': { N: '10' } }, [-1, 9]],
    ['pk = :p AND sk > :x', { ':x': { N: '9' } }, [10, 100]],
    ['sk BETWEEN :x AND :y AND pk = :p', { ':x': { N: '9' }, ':y': { N: '10' } }, [9, 10]],
  ])('finds %s', async (condition, values, expected) => {
    expect(sorts((await query(condition, values)).Items)).toEqual(expected);
  });

  it('goes by pages, either way', async () => {
    for (const ScanIndexForward of [true, false]) {
      const found: number[] = [];
      let ExclusiveStartKey: Item | undefined;
      do {
        const page = await query('pk = :p', {}, { Limit: 3, ScanIndexForward, ExclusiveStartKey });
        found.push(...sorts(page.Items));
        ExclusiveStartKey = page.LastEvaluatedKey;
      } while (ExclusiveStartKey !== undefined);
      expect(found).toEqual(ScanIndexForward ? [-1, 9, 10, 100] : [100, 10, 9, -1]);
    }
  });

  it('begins_with compares texts', async () => {
    const texts = await aws.table({
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
    });
    TableName = texts;
    for (const sk of ['2026-11', '2026-12', '2027']) await put({ pk: { S: 'a' }, sk: { S: sk } });
    const found = await query('pk = :p AND begins_with(sk, :x)', { ':x': { S: '2026' } });
    expect(found.Items!.map(({ sk }) => sk!.S)).toEqual(['2026-11', '2026-12']);
  });

  it('filters after it read', async () => {
    const page = await query('pk = :p', { ':t': { BOOL: true } }, { FilterExpression: 'big = :t' });
    expect(sorts(page.Items)).toEqual([10, 100]);
    expect(page).toMatchObject({ Count: 2, ScannedCount: 4 });
  });

  it.each([
    'sk = :p',
    'pk > :p',
    'pk = :p OR sk = :p',
    'pk = :p AND big = :p',
    'pk = :p AND NOT sk = :p',
    'pk = :p AND sk <> :p',
    'pk =',
  ])('refuses the key condition %s', async (condition) => {
    expect(await rejection(query(condition, {}))).toMatchObject(invalid);
  });

  it('refuses what is not simulated', async () => {
    const asked = query('pk = :p', {}, { IndexName: 'by-date' });
    expect(await rejection(asked)).toMatchObject(invalid);
  });

  it('sees every item once over pages and segments, deletions between them', async () => {
    const scan = async (more: Partial<ScanCommandInput>): Promise<string[]> => {
      const found: string[] = [];
      let ExclusiveStartKey: Item | undefined;
      do {
        const page = await aws.db.send(
          new ScanCommand({ TableName, Limit: 1, ExclusiveStartKey, ...more }),
        );
        found.push(...page.Items!.map(({ pk, sk }) => `${pk!.S}${sk!.N}`));
        ExclusiveStartKey = page.LastEvaluatedKey;
        if (ExclusiveStartKey?.sk?.N === '9') {
          await aws.db.send(new DeleteItemCommand({ TableName, Key: ExclusiveStartKey }));
        }
      } while (ExclusiveStartKey !== undefined);
      return found;
    };
    expect((await scan({})).sort()).toEqual(['a-1', 'a10', 'a100', 'a9', 'b1']);
    const halves = [0, 1].map((Segment) => scan({ Segment, TotalSegments: 2 }));
    expect((await Promise.all(halves)).flat().sort()).toEqual(['a-1', 'a10', 'a100', 'b1']);
  });
});

describe('batches', () => {
  const writes = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ PutRequest: { Item: key('a', i) } }));

  it('take 25 writes and 100 reads, each key once', async () => {
    const write = (RequestItems: Record<string, ReturnType<typeof writes>>): Promise<unknown> =>
      aws.db.send(new BatchWriteItemCommand({ RequestItems }));
    expect(await rejection(write({ [TableName]: writes(26) }))).toMatchObject(invalid);
    expect(await rejection(write({ [TableName]: [...writes(1), ...writes(1)] }))).toMatchObject(
      invalid,
    );
    await write({ [TableName]: writes(25) });
    const read = (count: number): Promise<{ Responses?: Record<string, Item[]> | undefined }> =>
      aws.db.send(
        new BatchGetItemCommand({
          RequestItems: {
            [TableName]: { Keys: Array.from({ length: count }, (_, i) => key('a', i)) },
          },
        }),
      );
    expect((await read(100)).Responses![TableName]).toHaveLength(25);
    expect(await rejection(read(101))).toMatchObject(invalid);
  });

  it('come back unprocessed in part, and are whole when they are asked for again', async () => {
    await aws.simulator.dynamodb.changeSettings({ batchItemsMax: 10 });
    let RequestItems: Record<string, unknown[]> | undefined = { [TableName]: writes(25) };
    const left: number[] = [];
    while (RequestItems !== undefined && Object.keys(RequestItems).length > 0) {
      const answer: { UnprocessedItems?: Record<string, unknown[]> | undefined } =
        await aws.db.send(new BatchWriteItemCommand({ RequestItems: RequestItems as never }));
      RequestItems = answer.UnprocessedItems;
      left.push(RequestItems?.[TableName]?.length ?? 0);
    }
    expect(left).toEqual([15, 5, 0]);
    const { UnprocessedKeys, Responses } = await aws.db.send(
      new BatchGetItemCommand({
        RequestItems: {
          [TableName]: { Keys: Array.from({ length: 25 }, (_, i) => key('a', i)) },
        },
      }),
    );
    expect(Responses![TableName]).toHaveLength(10);
    expect(UnprocessedKeys![TableName]!.Keys).toHaveLength(15);
    await aws.simulator.dynamodb.changeSettings({ batchItemsMax: 100 });
  });
});

describe('consumed capacity', () => {
  it('is of 4 KB read and 1 KB written, half for reads that may be stale', async () => {
    // pk 3, sk 4, v 1 + text
    const Item = { ...key('a', 1), v: { S: 'x'.repeat(5000 - 8) } };
    const written = await aws.db.send(
      new PutItemCommand({ TableName, Item, ReturnConsumedCapacity: 'TOTAL' }),
    );
    expect(written.ConsumedCapacity).toEqual({ TableName, CapacityUnits: 5 });
    const read = async (ConsistentRead: boolean): Promise<number | undefined> => {
      const answer = await aws.db.send(
        new GetItemCommand({
          TableName,
          Key: key('a', 1),
          ConsistentRead,
          ReturnConsumedCapacity: 'TOTAL',
        }),
      );
      return answer.ConsumedCapacity!.CapacityUnits;
    };
    expect(await read(true)).toBe(2);
    expect(await read(false)).toBe(1);
    await aws.db.send(new ScanCommand({ TableName }));
    expect(aws.simulator.dynamodb.consumed()).toEqual({
      total: { readUnits: 4, writeUnits: 5, requests: { PutItem: 1, GetItem: 2, Scan: 1 } },
      tables: {
        [TableName]: { readUnits: 4, writeUnits: 5, requests: { PutItem: 1, GetItem: 2, Scan: 1 } },
      },
    });
    const page = await fetch(`${aws.simulator.url}/_simulator/dynamodb`);
    expect(await page.json()).toMatchObject({ consumed: { total: { readUnits: 4 } } });
  });
});
