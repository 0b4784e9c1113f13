// The simulator's bill against sums worked out by hand from the pricing pages.
// Source: Amazon DynamoDB pricing; Amazon S3 FAQs, billing.

import {
  ExportTableToPointInTimeCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Bill } from '../../../pipeline/simulator/aws/bill.js';
import { arnOf, dayMs, hourMs, minuteMs, RunningDynamoDb } from './running-dynamodb.js';

let aws: RunningDynamoDb;
beforeAll(async () => {
  aws = await RunningDynamoDb.start();
});
afterAll(() => aws.close());

const page = (method = 'GET'): Promise<Response> =>
  fetch(`${aws.simulator.url}/_simulator/bill`, { method });
const bill = async (): Promise<Bill> => (await (await page()).json()) as Bill;

beforeEach(async () => {
  expect((await page('DELETE')).status).toBe(200);
});

const place = (Key: string) => ({ Bucket: 'exports', Key });
const put = (key: string, bytes: number): Promise<unknown> =>
  aws.s3.send(new PutObjectCommand({ ...place(key), Body: new Uint8Array(bytes) }));

describe('requests to S3', () => {
  it('are charged by two classes, also those that find nothing; deletions are free', async () => {
    await put('a', 10);
    await put('b', 10);
    await aws.s3.send(new ListObjectsV2Command({ Bucket: 'exports' }));
    await aws.s3.send(new HeadObjectCommand(place('a')));
    await aws.s3.send(new GetObjectCommand(place('a')));
    await expect(aws.s3.send(new GetObjectCommand(place('gone')))).rejects.toThrow();
    await aws.s3.send(new DeleteObjectCommand(place('a')));
    await aws.s3.send(new DeleteObjectCommand(place('b')));
    const { requests, usd, region } = await bill();
    expect(requests.writes.count).toBe(3);
    expect(requests.reads.count).toBe(3);
    expect(region).toBe('eu-west-1');
    // The factor of Ireland, 1.132, on USD 0.005 and 0.0004 per thousand.
    expect(usd).toBeCloseTo((3 * 0.00566 + 3 * 0.0004528) / 1000, 10);
  });

  it('of an upload in parts are one for each part, its beginning and its end; giving up is free', async () => {
    const begin = async (key: string): Promise<string> =>
      (await aws.s3.send(new CreateMultipartUploadCommand(place(key)))).UploadId!;
    const UploadId = await begin('parts');
    const sent = await aws.s3.send(
      new UploadPartCommand({
        ...place('parts'),
        UploadId,
        PartNumber: 1,
        Body: new Uint8Array(1000),
      }),
    );
    const Parts = [{ PartNumber: 1, ETag: sent.ETag }];
    await aws.s3.send(
      new CompleteMultipartUploadCommand({
        ...place('parts'),
        UploadId,
        MultipartUpload: { Parts },
      }),
    );
    const given = await begin('given-up');
    await aws.s3.send(new AbortMultipartUploadCommand({ ...place('given-up'), UploadId: given }));
    const { requests, storage } = await bill();
    expect(requests.writes.count).toBe(4);
    expect(requests.reads.count).toBe(0);
    expect(storage.bytes).toBe(1000);
    await aws.s3.send(new DeleteObjectCommand(place('parts')));
    expect((await bill()).storage.bytes).toBe(0);
  });
});

describe('storage in S3', () => {
  it('is charged by bytes and hours of the virtual clock, whatever is there', async () => {
    await put('kept', 1_000_000);
    aws.clock.advanceMs(10 * hourMs);
    await put('kept', 3_000_000);
    aws.clock.advanceMs(5 * hourMs);
    await aws.s3.send(new DeleteObjectCommand(place('kept')));
    aws.clock.advanceMs(dayMs);
    const { storage } = await bill();
    expect(storage.byteHours).toBe(25_000_000);
    // GB-months of 2^30 bytes and 744 hours, at USD 0.023 * 1.132.
    expect(storage.usd).toBeCloseTo((25e6 / 2 ** 30 / 744) * 0.026036, 12);
    expect(storage.bytes).toBe(0);
  });

  it('is counted from what was there before a new start', async () => {
    await put('old', 5000);
    await aws.restart();
    aws.clock.advanceMs(2 * hourMs);
    expect((await bill()).storage).toMatchObject({ bytes: 5000, byteHours: 10_000 });
    await aws.s3.send(new DeleteObjectCommand(place('old')));
  });
});

describe('exports', () => {
  it('are charged when they complete: a small table nothing, a window at least 10 MB, all that was written in it', async () => {
    const table = await aws.table();
    await aws.recovery(table, true);
    const fill = (n: number, bytes: number): Promise<unknown> =>
      aws.db.send(
        new PutItemCommand({
          TableName: table,
          Item: { pk: { S: 'p' }, sk: { N: `${n}` }, text: { S: 'x'.repeat(bytes) } },
        }),
      );
    await fill(1, 1000);
    aws.clock.advanceMs(hourMs);
    const ask = (more: object): Promise<unknown> =>
      aws.db.send(
        new ExportTableToPointInTimeCommand({
          TableArn: arnOf(table),
          S3Bucket: 'exports',
          ...more,
        }),
      );
    const nowS = (): number => Math.floor(aws.clock.nowMs() / 1000);
    const fromS = nowS() - 600;
    await ask({ ExportTime: new Date(fromS * 1000) });
    expect((await bill()).exports.full.count).toBe(0);
    aws.clock.advanceMs(hourMs);
    const window = (from: number, to: number): object => ({
      ExportType: 'INCREMENTAL_EXPORT',
      IncrementalExportSpecification: {
        ExportFromTime: new Date(from * 1000),
        ExportToTime: new Date(to * 1000),
        ExportViewType: 'NEW_IMAGE',
      },
    });
    await ask(window(fromS, fromS + 1800));
    // One item written over and over: 60 writes of 350 KB are 21 MB.
    const busyS = nowS();
    for (let i = 0; i < 60; i++) await fill(2, 350_000);
    await aws.db.send(
      new UpdateItemCommand({
        TableName: table,
        Key: { pk: { S: 'p' }, sk: { N: '2' } },
        UpdateExpression: 'REMOVE #text',
        ExpressionAttributeNames: { '#text': 'text' },
      }),
    );
    aws.clock.advanceMs(hourMs);
    await ask(window(busyS, busyS + 1800));
    aws.clock.advanceMs(15 * minuteMs);
    const { exports } = await bill();
    expect(exports.full).toEqual({ count: 1, billedBytes: 0, usd: 0 });
    expect(exports.incremental.count).toBe(2);
    // 10 MB for the idle one, and 60 times 350,000 bytes of text with a few of names and keys.
    expect(exports.incremental.billedBytes).toBeGreaterThan(31_000_000);
    expect(exports.incremental.billedBytes).toBeLessThan(31_010_000);
    expect(exports.incremental.usd).toBeCloseTo(0.0031 * 1.132, 5);
  });

  it('that fail cost nothing', async () => {
    const table = await aws.table();
    await aws.recovery(table, true);
    aws.clock.advanceMs(hourMs);
    await aws.simulator.dynamodb.changeSettings({ exportTroubles: [{ code: 'Unknown' }] });
    await aws.db.send(
      new ExportTableToPointInTimeCommand({ TableArn: arnOf(table), S3Bucket: 'exports' }),
    );
    aws.clock.advanceMs(hourMs);
    const { exports } = await bill();
    expect(exports.full.count).toBe(0);
    expect(aws.simulator.dynamodb.exports().failed).toBe(1);
  });
});
