// From a live table to the lake: a table made, written and exported over DynamoDB's API, loaded and merged from s3://.
// Promises: what is expected is what GetItem says at the instant of each export; exports read nothing of the table.
// Source: Amazon DynamoDB Developer Guide, "Requesting a table export": a full export at T, then windows from T on.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  type AttributeValue,
  BatchWriteItemCommand,
  DeleteItemCommand,
  DescribeExportCommand,
  ExportTableToPointInTimeCommand,
  type ExportTableToPointInTimeCommandInput,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CliContext } from '../../pipeline/cli/context.js';
import { createWorld } from '../../pipeline/cli/create-world.js';
import { runTidelake } from '../../pipeline/cli/run.js';
import { awsEnvironment } from '../aws/simulated-s3.js';
import { RememberingOutput } from '../cli/stub-context.js';
import { arnOf, hourMs, RunningDynamoDb } from '../simulator/aws/running-dynamodb.js';

type Item = Record<string, AttributeValue>;

let aws: RunningDynamoDb;
let table: string;
let folder: string;
beforeAll(async () => {
  Object.assign(process.env, awsEnvironment);
  folder = await mkdtemp(path.join(tmpdir(), 'tidelake-on-dynamodb-'));
  aws = await RunningDynamoDb.start();
  process.env.AWS_ENDPOINT_URL = aws.simulator.url;
  table = await aws.table();
  await aws.recovery(table, true);
});
afterAll(async () => {
  delete process.env.AWS_ENDPOINT_URL;
  await aws.close();
  await rm(folder, { recursive: true, force: true });
});

async function run(...args: string[]): Promise<{ exitCode: number; err: string }> {
  const out = new RememberingOutput();
  const err = new RememberingOutput();
  const context: CliContext = {
    process: { stdout: out, stderr: err, env: {} },
    out,
    err,
    folder,
    clock: { nowMs: () => aws.clock.nowMs(), sleep: async () => {} },
    processors: 1,
    loadApi: () => import('../../pipeline/index.js'),
    loadSimulator: () => import('../../pipeline/simulator/index.js'),
    startSimulator: () => Promise.reject(new Error('no simulator is asked for')),
    openAthena: () => Promise.reject(new Error('no Athena is asked for')),
    openTableExports: () => Promise.reject(new Error('no DynamoDB is asked for')),
    onStop: () => () => {},
    createWorld,
    onInterrupt: () => () => {},
  };
  const exitCode = await runTidelake([...args, '--lake', 's3://exports/lake'], context);
  return { exitCode, err: err.text };
}

const keyOf = (n: number): Item => ({ pk: { S: `client ${n % 7}` }, sk: { N: `${n}` } });
const put = (n: number, more: Item): Promise<unknown> =>
  aws.db.send(new PutItemCommand({ TableName: table, Item: { ...keyOf(n), ...more } }));
const remove = (n: number): Promise<unknown> =>
  aws.db.send(new DeleteItemCommand({ TableName: table, Key: keyOf(n) }));

/** Asks for an export and lets time pass until it is done. */
async function exported(input: Partial<ExportTableToPointInTimeCommandInput>): Promise<void> {
  const asked = await aws.db.send(
    new ExportTableToPointInTimeCommand({
      TableArn: arnOf(table),
      S3Bucket: 'exports',
      S3Prefix: 'raw',
      ...input,
    }),
  );
  const { ExportArn, ExportStatus } = asked.ExportDescription!;
  expect(ExportStatus).toBe('IN_PROGRESS');
  aws.clock.advanceMs(hourMs / 2);
  const done = await aws.db.send(new DescribeExportCommand({ ExportArn }));
  expect(done.ExportDescription).toMatchObject({ ExportStatus: 'COMPLETED' });
}

/** What GetItem says of every key there may be. */
async function live(): Promise<unknown[]> {
  const items: Item[] = [];
  for (let n = 0; n < 40; n++) {
    const { Item } = await aws.db.send(new GetItemCommand({ TableName: table, Key: keyOf(n) }));
    if (Item !== undefined) items.push(Item);
  }
  return plain(items);
}

/** What the lake gives back. */
async function inLake(): Promise<unknown[]> {
  const out = path.join(folder, 'unloaded');
  await rm(out, { recursive: true, force: true });
  const ran = await run('unload', '--out', out, '--table', 'table_1');
  expect(ran).toMatchObject({ exitCode: 0, err: expect.not.stringContaining('error') });
  const items: Item[] = [];
  for (const file of await readdir(out, { recursive: true })) {
    if (!file.endsWith('.json.gz')) continue;
    const text = gunzipSync(await readFile(path.join(out, file))).toString('utf8');
    for (const line of text.split('\n')) if (line !== '') items.push(JSON.parse(line).Item);
  }
  return plain(items);
}

/** Items in one order and one form, by AWS's own reading of DynamoDB JSON. */
function plain(items: readonly Item[]): unknown[] {
  return items
    .map((item) => unmarshall(item, { wrapNumbers: true }))
    .sort((a, b) => Number(a.sk.value) - Number(b.sk.value));
}

it('comes to the lake over exports, and reads nothing of the table', async () => {
  for (let n = 0; n < 20; n++) {
    await put(n, {
      note: { S: `order ${n}` },
      price: { N: `${n}.50` },
      paid: { BOOL: n % 2 === 0 },
    });
  }
  aws.clock.advanceMs(hourMs);
  const fullAt = new Date(aws.clock.nowMs() - hourMs / 2);
  const before = await live();
  expect(before).toHaveLength(20);
  await exported({ ExportTime: fullAt });
  aws.simulator.dynamodb.clearConsumed();
  expect(await run('load', 's3://exports/raw', '--key', 'pk,sk')).toMatchObject({ exitCode: 0 });
  expect(await inLake()).toEqual(before);

  await put(3, { note: { S: 'changed' }, price: { N: '12345678901234567890.123456789' } });
  await remove(4);
  await put(30, { tags: { SS: ['a', 'b'] }, nested: { M: { list: { L: [{ NULL: true }] } } } });
  await put(31, { note: { S: 'comes and goes' } });
  await remove(31);
  aws.clock.advanceMs(hourMs);
  const firstEnd = new Date(aws.clock.nowMs() - hourMs / 2);
  const window = async (from: Date, to: Date): Promise<void> =>
    exported({
      ExportType: 'INCREMENTAL_EXPORT',
      IncrementalExportSpecification: {
        ExportFromTime: from,
        ExportToTime: to,
        ExportViewType: 'NEW_AND_OLD_IMAGES',
      },
    });
  await window(fullAt, firstEnd);
  await aws.db.send(
    new BatchWriteItemCommand({
      RequestItems: {
        [table]: [
          { PutRequest: { Item: { ...keyOf(32), note: { N: '1' } } } },
          { PutRequest: { Item: { ...keyOf(4), note: { S: 'back again' } } } },
          { DeleteRequest: { Key: keyOf(0) } },
        ],
      },
    }),
  );
  aws.clock.advanceMs(hourMs);
  await window(firstEnd, new Date(aws.clock.nowMs() - hourMs / 2));
  expect(await run('merge', 's3://exports/raw')).toMatchObject({ exitCode: 0 });
  const { total } = aws.simulator.dynamodb.consumed();
  expect(total).toMatchObject({ readUnits: 0 });
  expect(Object.keys(total.requests).sort()).toEqual(['BatchWriteItem', 'DeleteItem', 'PutItem']);
  expect(await inLake()).toEqual(await live());
});
