// Exports of the simulated DynamoDB through the real SDKs: what may be asked for, what becomes of it, what lies in S3.
// What is expected is from the DynamoDB Developer Guide and API Reference; exports are read without anything of ours.
import {
  type AttributeValue,
  DeleteItemCommand,
  DeleteTableCommand,
  DescribeExportCommand,
  type ExportDescription,
  ExportTableToPointInTimeCommand,
  type ExportTableToPointInTimeCommandInput,
  GetItemCommand,
  ListExportsCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MystoreTable, WildTable } from '../../../pipeline/simulator/index.js';
import { TestStore } from '../memory-store.js';
import { type ReadExport, readExport } from '../read-export.js';
import { rejection } from './running.js';
import { arnOf, dayMs, hourMs, minuteMs, RunningDynamoDb } from './running-dynamodb.js';

type Item = Record<string, AttributeValue>;

let aws: RunningDynamoDb;
let table: string;
beforeAll(async () => {
  aws = await RunningDynamoDb.start();
});
afterAll(() => aws.close());
beforeEach(async () => {
  // Whole minutes, so that what a test calls a time is one.
  aws.clock.advanceMs(minuteMs - (aws.clock.nowMs() % minuteMs));
  table = await aws.table();
});

const key = (sk: number): Item => ({ pk: { S: 'a' }, sk: { N: `${sk}` } });
const put = (sk: number, v = 0): Promise<unknown> =>
  aws.db.send(new PutItemCommand({ TableName: table, Item: { ...key(sk), v: { N: `${v}` } } }));
const remove = (sk: number): Promise<unknown> =>
  aws.db.send(new DeleteItemCommand({ TableName: table, Key: key(sk) }));

async function ask(
  input: Partial<ExportTableToPointInTimeCommandInput> = {},
): Promise<ExportDescription> {
  const answer = await aws.db.send(
    new ExportTableToPointInTimeCommand({
      TableArn: arnOf(table),
      S3Bucket: 'exports',
      S3Prefix: table,
      ...input,
    }),
  );
  return answer.ExportDescription!;
}

const askWindow = (
  fromMs: number,
  toMs: number | null,
  more: Partial<ExportTableToPointInTimeCommandInput> = {},
): Promise<ExportDescription> =>
  ask({
    ExportType: 'INCREMENTAL_EXPORT',
    IncrementalExportSpecification: {
      ExportFromTime: new Date(fromMs),
      ...(toMs === null ? {} : { ExportToTime: new Date(toMs) }),
    },
    ...more,
  });

async function describeExport({ ExportArn }: ExportDescription): Promise<ExportDescription> {
  const answer = await aws.db.send(new DescribeExportCommand({ ExportArn }));
  return answer.ExportDescription!;
}

/** An export's files, after it has ended. */
async function written(asked: ExportDescription): Promise<ReadExport> {
  const { S3Bucket, S3Prefix, ExportManifest, ExportStatus } = await describeExport(asked);
  expect(ExportStatus).toBe('COMPLETED');
  const store = new TestStore();
  const { Contents = [] } = await aws.s3.send(
    new ListObjectsV2Command({ Bucket: S3Bucket, Prefix: S3Prefix }),
  );
  for (const { Key } of Contents) {
    const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket: S3Bucket, Key }));
    store.objects.set(`s3://${S3Bucket}/${Key}`, await Body!.transformToByteArray());
  }
  const folder = ExportManifest!.replace('/manifest-summary.json', '');
  return readExport(store, `s3://${S3Bucket}/${folder}`, `s3://${S3Bucket}`);
}

interface Line {
  readonly Item?: Item;
  readonly Keys?: Item;
}
const records = ({ lines }: ReadExport): Line[] =>
  lines.map((line) => JSON.parse(line) as Line).sort((a, b) => skOf(a) - skOf(b));
const skOf = (record: Line): number => Number((record.Item ?? record.Keys)!.sk!.N);

describe('a full export', () => {
  it('is the table at its instant, when its time has come', async () => {
    await aws.recovery(table, true);
    await put(1, 10);
    await put(2, 20);
    aws.clock.advanceMs(hourMs);
    const atMs = aws.clock.nowMs() - 10 * minuteMs;
    await put(1, 11);
    await remove(2);
    const asked = await ask({ ExportTime: new Date(atMs), ClientToken: 'one' });
    const requestedMs = aws.clock.nowMs();
    expect(asked).toMatchObject({
      ExportStatus: 'IN_PROGRESS',
      ExportType: 'FULL_EXPORT',
      ExportFormat: 'DYNAMODB_JSON',
      ExportTime: new Date(atMs),
      StartTime: new Date(requestedMs),
      TableArn: arnOf(table),
      ClientToken: 'one',
      S3SseAlgorithm: 'AES256',
    });
    expect(asked.ExportArn).toMatch(new RegExp(`^${arnOf(table)}/export/0\\d{13}-[0-9a-f]{8}$`));
    aws.clock.advanceMs(10 * minuteMs - 1);
    expect(await describeExport(asked)).toMatchObject({ ExportStatus: 'IN_PROGRESS' });
    aws.clock.advanceMs(1);
    // Who looks into the bucket first sees it there.
    const listed = await aws.s3.send(
      new ListObjectsV2Command({ Bucket: 'exports', Prefix: `${table}/AWSDynamoDB/` }),
    );
    expect(listed.Contents!.some(({ Key }) => Key!.endsWith('/manifest-summary.md5'))).toBe(true);
    const done = await describeExport(asked);
    expect(done).toMatchObject({
      ExportStatus: 'COMPLETED',
      EndTime: new Date(requestedMs + 10 * minuteMs),
      ItemCount: 2,
      BilledSizeBytes: 0,
    });
    const read = await written(asked);
    expect(records(read)).toEqual([
      { Item: { ...key(1), v: { N: '10' } } },
      { Item: { ...key(2), v: { N: '20' } } },
    ]);
    expect(read.summary).toMatchObject({
      version: '2020-06-30',
      exportArn: asked.ExportArn,
      startTime: new Date(requestedMs).toISOString(),
      endTime: new Date(requestedMs + 10 * minuteMs).toISOString(),
      tableArn: arnOf(table),
      tableId: asked.TableId,
      exportTime: new Date(atMs).toISOString(),
      s3Bucket: 'exports',
      s3Prefix: table,
      itemCount: 2,
    });
    expect(read.summary).not.toHaveProperty('exportType');
  });

  it('without a time has all that was written before it was asked for, and nothing after', async () => {
    await aws.recovery(table, true);
    await put(1);
    const asked = await ask();
    await put(2);
    aws.clock.advanceMs(hourMs);
    expect(records(await written(asked)).map(skOf)).toEqual([1]);
  });

  it('is of a table that may be gone when it ends', async () => {
    await aws.recovery(table, true);
    await put(1);
    const asked = await ask();
    await aws.db.send(new DeleteTableCommand({ TableName: table }));
    expect(await rejection(ask())).toMatchObject({ name: 'TableNotFoundException' });
    aws.clock.advanceMs(hourMs);
    expect(records(await written(asked)).map(skOf)).toEqual([1]);
  });
});

describe('an incremental export', () => {
  it('has the net changes of its window, end exclusive', async () => {
    await aws.recovery(table, true);
    await put(1, 1);
    await put(2, 2);
    await put(3, 3);
    aws.clock.advanceMs(hourMs);
    const fromMs = aws.clock.nowMs();
    await put(1, 10); // at the very start
    await put(1, 11);
    aws.clock.advanceMs(minuteMs);
    await remove(2);
    await put(4, 4);
    await put(5, 5);
    await remove(5);
    aws.clock.advanceMs(hourMs - minuteMs);
    const toMs = aws.clock.nowMs();
    await put(3, 30); // at the very end, which is the next window's
    aws.clock.advanceMs(hourMs);
    const both = await askWindow(fromMs, toMs);
    const specification = {
      ExportFromTime: new Date(fromMs),
      ExportToTime: new Date(toMs),
      ExportViewType: 'NEW_IMAGE' as const,
    };
    const news = await askWindow(0, 0, { IncrementalExportSpecification: specification });
    aws.clock.advanceMs(hourMs);
    expect(await describeExport(news)).toMatchObject({
      ExportType: 'INCREMENTAL_EXPORT',
      IncrementalExportSpecification: specification,
      BilledSizeBytes: 10_000_000,
      ItemCount: 3,
    });
    const micros = (ms: number, plus: number) => ({
      WriteTimestampMicros: { N: `${ms * 1000 + plus}` },
    });
    const read = await written(both);
    expect(read.summary).toMatchObject({
      version: '2023-08-01',
      exportFromTime: new Date(fromMs).toISOString(),
      exportToTime: new Date(toMs).toISOString(),
      outputView: 'NEW_AND_OLD_IMAGES',
      exportType: 'INCREMENTAL_EXPORT',
    });
    const image = (sk: number, v: number): Item => ({ ...key(sk), v: { N: `${v}` } });
    const laterMs = fromMs + minuteMs;
    expect(records(read)).toEqual([
      {
        Metadata: micros(fromMs, 1),
        Keys: key(1),
        OldImage: image(1, 1),
        NewImage: image(1, 11),
      },
      { Metadata: micros(laterMs, 0), Keys: key(2), OldImage: image(2, 2) },
      { Metadata: micros(laterMs, 1), Keys: key(4), NewImage: image(4, 4) },
    ]);
    expect(records(await written(news))).toEqual([
      { Metadata: micros(fromMs, 1), Keys: key(1), NewImage: image(1, 11) },
      { Metadata: micros(laterMs, 0), Keys: key(2) },
      { Metadata: micros(laterMs, 1), Keys: key(4), NewImage: image(4, 4) },
    ]);
  });

  it('without an end goes up to the latest instant', async () => {
    await aws.recovery(table, true);
    const fromMs = aws.clock.nowMs();
    aws.clock.advanceMs(hourMs);
    const { IncrementalExportSpecification } = await askWindow(fromMs, null);
    expect(IncrementalExportSpecification!.ExportToTime).toEqual(new Date(fromMs + 55 * minuteMs));
  });
});

describe('a request', () => {
  it('needs a table, and its recovery', async () => {
    expect(await rejection(ask({ TableArn: arnOf('nowhere') }))).toMatchObject({
      name: 'TableNotFoundException',
    });
    expect(await rejection(ask())).toMatchObject({
      name: 'PointInTimeRecoveryUnavailableException',
    });
  });

  it('is within the recovery window', async () => {
    await aws.recovery(table, true, 2);
    aws.clock.advanceMs(5 * dayMs);
    const nowMs = aws.clock.nowMs();
    const earliestMs = nowMs - 2 * dayMs;
    const latestMs = nowMs - 5 * minuteMs;
    const outside = { name: 'InvalidExportTimeException', $metadata: { httpStatusCode: 400 } };
    for (const atMs of [earliestMs - 1000, latestMs + 1000, nowMs + dayMs]) {
      expect(await rejection(ask({ ExportTime: new Date(atMs) }))).toMatchObject(outside);
    }
    for (const [fromMs, toMs] of [
      [earliestMs - 1000, earliestMs + hourMs],
      [latestMs - hourMs, latestMs + 1000],
    ] as const) {
      expect(await rejection(askWindow(fromMs, toMs))).toMatchObject(outside);
    }
    await ask({ ExportTime: new Date(earliestMs) });
    await ask({ ExportTime: new Date(latestMs) });
    await askWindow(earliestMs, earliestMs + hourMs);
    await askWindow(latestMs - hourMs, latestMs);
    // More lag moves the latest instant back.
    await aws.simulator.dynamodb.changeSettings({ pitrLagMs: 30 * minuteMs });
    expect(await rejection(ask({ ExportTime: new Date(latestMs) }))).toMatchObject(outside);
    await aws.simulator.dynamodb.changeSettings({ pitrLagMs: 5 * minuteMs });
  });

  it('is for a window of 15 minutes to 24 hours', async () => {
    await aws.recovery(table, true);
    const fromMs = aws.clock.nowMs();
    aws.clock.advanceMs(3 * dayMs);
    const invalid = { name: 'ValidationException' };
    for (const lengthMs of [-hourMs, 0, 15 * minuteMs - 1000, dayMs + 1000]) {
      expect(await rejection(askWindow(fromMs, fromMs + lengthMs))).toMatchObject(invalid);
    }
    await askWindow(fromMs, fromMs + 15 * minuteMs);
    await askWindow(fromMs, fromMs + dayMs);
  });

  it.each<[string, Partial<ExportTableToPointInTimeCommandInput>]>([
    ['no window', { ExportType: 'INCREMENTAL_EXPORT' }],
    ['a window of a full export', { IncrementalExportSpecification: {} }],
    ['Ion', { ExportFormat: 'ION' }],
    ['a filter', { FilterSpecification: { FilterExpression: 'a = :a' } } as never],
    ['a bucket that is none', { S3Bucket: '-no-bucket-' }],
  ])('is refused for %s', async (_, input) => {
    await aws.recovery(table, true);
    aws.clock.advanceMs(hourMs);
    expect(await rejection(ask(input))).toMatchObject({ name: 'ValidationException' });
  });

  it('with the same token is the same export for 8 hours', async () => {
    await aws.recovery(table, true);
    const first = await ask({ ClientToken: 'again' });
    aws.clock.advanceMs(8 * hourMs - 1);
    expect(await ask({ ClientToken: 'again' })).toMatchObject({
      ExportArn: first.ExportArn,
      ExportStatus: 'COMPLETED',
    });
    expect(await rejection(ask({ ClientToken: 'again', S3Prefix: 'other' }))).toMatchObject({
      name: 'ExportConflictException',
    });
    aws.clock.advanceMs(1);
    expect((await ask({ ClientToken: 'again' })).ExportArn).not.toBe(first.ExportArn);
  });

  it('is one too many when so many of its type are in progress, 300 unless told', async () => {
    expect(aws.simulator.dynamodb.settings()).toMatchObject({
      exportsMax: 300,
      exportBytesMax: 100e12,
    });
    await aws.simulator.dynamodb.changeSettings({ exportsMax: 3 });
    await aws.recovery(table, true);
    const fromMs = aws.clock.nowMs();
    aws.clock.advanceMs(hourMs);
    await Promise.all([1, 2, 3].map(() => ask({ S3Bucket: 'nowhere' })));
    expect(await rejection(ask())).toMatchObject({ name: 'LimitExceededException' });
    await askWindow(fromMs, fromMs + 30 * minuteMs);
    aws.clock.advanceMs(hourMs);
    await aws.simulator.dynamodb.changeSettings({ exportsMax: 300, exportBytesMax: 8 });
    await ask();
    // pk 3 bytes, sk 4, v 2
    await put(1);
    expect(await rejection(ask())).toMatchObject({ name: 'LimitExceededException' });
    await aws.simulator.dynamodb.changeSettings({ exportBytesMax: 100e12 });
  });
});

describe('an export that goes wrong', () => {
  beforeEach(() => aws.recovery(table, true));
  const names = async (): Promise<string[]> => {
    const { Contents = [] } = await aws.s3.send(
      new ListObjectsV2Command({ Bucket: 'exports', Prefix: table }),
    );
    return Contents.map(({ Key }) => Key!);
  };

  it('fails when there is no bucket, after it was accepted', async () => {
    const asked = await ask({ S3Bucket: 'no-such-bucket' });
    expect(asked.ExportStatus).toBe('IN_PROGRESS');
    aws.clock.advanceMs(hourMs);
    expect(await describeExport(asked)).toMatchObject({
      ExportStatus: 'FAILED',
      FailureCode: 'S3NoSuchBucket',
      FailureMessage: expect.any(String),
    });
  });

  it('fails when the bucket is somebody else’s', async () => {
    const asked = await ask({ S3BucketOwner: '999999999999' });
    aws.clock.advanceMs(hourMs);
    expect(await describeExport(asked)).toMatchObject({ FailureCode: 'S3AccessDenied' });
  });

  it('fails when it is told to, with its data files or without', async () => {
    await aws.simulator.dynamodb.changeSettings({
      exportTroubles: [
        { table, code: 'Early' },
        { table: 'another', code: 'Never' },
        { table, code: 'Late', message: 'too late', isPartial: true },
      ],
    });
    const early = await ask();
    aws.clock.advanceMs(hourMs);
    expect(await describeExport(early)).toMatchObject({ FailureCode: 'Early' });
    expect(await names()).toEqual([]);
    const late = await ask();
    aws.clock.advanceMs(hourMs);
    expect(await describeExport(late)).toMatchObject({
      FailureCode: 'Late',
      FailureMessage: 'too late',
    });
    expect((await names()).some((name) => name.endsWith('.json.gz'))).toBe(true);
    expect((await names()).some((name) => name.includes('manifest'))).toBe(false);
    const third = await ask();
    aws.clock.advanceMs(hourMs);
    expect(await describeExport(third)).toMatchObject({ ExportStatus: 'COMPLETED' });
    expect(aws.simulator.dynamodb.settings().exportTroubles).toEqual([
      { table: 'another', code: 'Never' },
    ]);
    await aws.simulator.dynamodb.changeSettings({ exportTroubles: [] });
  });

  it('may be stuck', async () => {
    await aws.simulator.dynamodb.changeSettings({ exportTroubles: [{ exportMs: 9 * dayMs }] });
    const asked = await ask();
    aws.clock.advanceMs(9 * dayMs - 1);
    expect(await describeExport(asked)).toMatchObject({ ExportStatus: 'IN_PROGRESS' });
  });
});

describe('exports', () => {
  it('are listed in pages of 25, the newest first, for 90 days', async () => {
    await aws.recovery(table, true);
    const arns: string[] = [];
    for (let i = 0; i < 27; i++) {
      arns.push((await ask({ S3Bucket: 'no-such-bucket' })).ExportArn!);
      aws.clock.advanceMs(1000);
    }
    const TableArn = arnOf(table);
    const first = await aws.db.send(new ListExportsCommand({ TableArn }));
    expect(first.ExportSummaries).toHaveLength(25);
    expect(first.ExportSummaries![0]).toEqual({
      ExportArn: arns[26],
      ExportStatus: 'IN_PROGRESS',
      ExportType: 'FULL_EXPORT',
    });
    const { NextToken } = first;
    const second = await aws.db.send(new ListExportsCommand({ TableArn, NextToken }));
    const listed = [...first.ExportSummaries!, ...second.ExportSummaries!];
    expect(listed.map(({ ExportArn }) => ExportArn)).toEqual(arns.toReversed());
    expect(second.NextToken).toBeUndefined();
    for (const MaxResults of [0, 26]) {
      expect(
        await rejection(aws.db.send(new ListExportsCommand({ TableArn, MaxResults }))),
      ).toMatchObject({ name: 'ValidationException' });
    }
    aws.clock.advanceMs(90 * dayMs);
    const later = await aws.db.send(new ListExportsCommand({ TableArn }));
    expect(later.ExportSummaries).toEqual([]);
    expect(await rejection(describeExport({ ExportArn: arns[0] }))).toMatchObject({
      name: 'ExportNotFoundException',
    });
  });
});

describe('a table with a past', () => {
  it('is the one its story tells, at every hour, and is exported as such', async () => {
    const story = { dataset: 'mystore', table: `told-${table}`, items: 60, hours: 30, seed: 7 };
    const answer = await fetch(`${aws.simulator.url}/_simulator/dynamodb/tables`, {
      method: 'POST',
      body: JSON.stringify({ ...story, changesPerHour: 25 }),
    });
    const told = (await answer.json()) as { startMs: number; endMs: number; tableArn: string };
    expect(told.endMs).toBe(Math.floor(aws.clock.nowMs() / hourMs) * hourMs);
    expect(told.endMs - told.startMs).toBe(30 * hourMs);

    const truth = new MystoreTable({ seed: 7, items: 60, startMs: told.startMs });
    for (let ms = told.startMs; ms < told.endMs; ms += hourMs) truth.play(ms, ms + hourMs, 25);
    await aws.restart();
    const past = aws.simulator.dynamodb.past(story.table)!;
    for (let ms = told.startMs; ms <= told.endMs; ms += hourMs) {
      expect(past.stateAt(ms * 1000)).toEqual(truth.stateAt(ms * 1000));
    }
    aws.clock.advanceMs(hourMs);
    table = story.table;
    const full = await ask({ ExportTime: new Date(told.startMs) });
    const window = await askWindow(told.startMs, told.startMs + dayMs);
    aws.clock.advanceMs(hourMs);
    expect((await written(full)).lines).toHaveLength(60);
    const changed = new Set<string>();
    const before = truth.stateAt(told.startMs * 1000);
    const after = truth.stateAt((told.startMs + dayMs) * 1000);
    for (const id of new Set([...before.keys(), ...after.keys()])) {
      if (
        JSON.stringify([...(before.get(id) ?? [])]) !== JSON.stringify([...(after.get(id) ?? [])])
      )
        changed.add(id);
    }
    expect((await written(window)).lines.length).toBeGreaterThanOrEqual(changed.size);
  });

  it.each(['mystore', 'wild'] as const)(
    'that lives is written to as the clock goes on, also after a new start, and %s stays the story told',
    async (dataset) => {
      const name = `living-${dataset}-${table}`;
      const { startMs, endMs } = await aws.simulator.dynamodb.tellTable({
        dataset,
        table: name,
        items: 40,
        hours: 2,
        seed: 3,
        changesPerHour: 30,
        lives: true,
      });
      const truth =
        dataset === 'mystore'
          ? new MystoreTable({ seed: 3, items: 40, startMs })
          : new WildTable({ seed: 3, items: 40, startMs, keyShape: 'ss' });
      for (let ms = startMs; ms < endMs + 9 * hourMs; ms += hourMs) truth.play(ms, ms + hourMs, 30);
      for (let i = 0; i < 12; i++) {
        aws.clock.advanceMs(37 * minuteMs);
        if (i % 5 === 4) await aws.restart();
        await aws.simulator.dynamodb.settle();
        const past = aws.simulator.dynamodb.past(name)!;
        const micros = aws.clock.nowMs() * 1000;
        expect(past.stateAt(micros)).toEqual(truth.stateAt(micros));
        // Nothing is there yet that comes later.
        expect(past.stateAt(micros + 1e12)).toEqual(truth.stateAt(micros));
      }
    },
  );

  it('that lives keeps what others write into it, and ends with its deletion', async () => {
    const name = `shared-${table}`;
    const story = { dataset: 'mystore', items: 20, hours: 1, seed: 5, lives: true } as const;
    await aws.simulator.dynamodb.tellTable({ ...story, table: name });
    const Item = { clientid: { S: 'ours' }, created: { S: '2026' }, n: { N: '1' } };
    await aws.db.send(new PutItemCommand({ TableName: name, Item }));
    aws.clock.advanceMs(3 * hourMs);
    const got = await aws.db.send(
      new GetItemCommand({
        TableName: name,
        Key: { clientid: Item.clientid, created: Item.created },
      }),
    );
    expect(got.Item).toEqual(Item);
    const micros = aws.clock.nowMs() * 1000;
    const count = aws.simulator.dynamodb.past(name)!.countAt(micros);
    expect(count).toBeGreaterThan(21);
    await aws.db.send(new DeleteTableCommand({ TableName: name }));
    aws.clock.advanceMs(hourMs);
    await aws.simulator.dynamodb.settle();
    await aws.simulator.dynamodb.tellTable({ ...story, table: name, lives: false });
    const before = aws.simulator.dynamodb.past(name)!.countAt(micros + 1e12);
    aws.clock.advanceMs(hourMs);
    await aws.simulator.dynamodb.settle();
    expect(aws.simulator.dynamodb.past(name)!.countAt(micros + 1e12)).toBe(before);
  });

  it.each([
    [{ dataset: 'other', items: 1, hours: 1, seed: 1 }, 'dataset'],
    [{ dataset: 'wild', items: -1, hours: 1, seed: 1 }, 'items'],
    [{ dataset: 'wild', items: 1, hours: 900, seed: 1 }, 'hours'],
  ])('is not made of %j', async (story, place) => {
    const answer = await fetch(`${aws.simulator.url}/_simulator/dynamodb/tables`, {
      method: 'POST',
      body: JSON.stringify(story),
    });
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { error: string }).error).toContain(place);
  });
});

describe('the clock', () => {
  it('is moved by who asks, and never back', async () => {
    const move = async (body: unknown): Promise<[number, { nowMs: number }]> => {
      const url = `${aws.simulator.url}/_simulator/clock`;
      const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
      return [answer.status, (await answer.json()) as { nowMs: number }];
    };
    const nowMs = aws.simulator.clock.nowMs();
    expect(await move({ advanceMs: 5000 })).toEqual([200, { nowMs: nowMs + 5000 }]);
    expect(await move({ nowMs: nowMs + 9000 })).toEqual([200, { nowMs: nowMs + 9000 }]);
    expect((await move({ nowMs }))[0]).toBe(400);
    expect((await move({ soon: true }))[0]).toBe(400);
    await aws.restart();
    expect(aws.simulator.clock.nowMs()).toBe(nowMs + 9000);
    // Items are written at its time.
    await aws.recovery(table, true);
    await put(1);
    expect(aws.simulator.dynamodb.past(table)!.countAt((nowMs + 9000) * 1000)).toBe(0);
    expect(aws.simulator.dynamodb.past(table)!.countAt((nowMs + 9000) * 1000 + 1)).toBe(1);
  });
});
