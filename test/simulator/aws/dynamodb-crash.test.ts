// The simulated DynamoDB when its process dies: after every single change to its state in turn, it is started again and looked at.
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../pipeline/local/clock.js';
import { SeededIds } from '../../../pipeline/local/ids.js';
import {
  createDynamoDbService,
  type DynamoDbService,
} from '../../../pipeline/simulator/aws/dynamodb.js';
import { PastLog } from '../../../pipeline/simulator/aws/dynamodb-past.js';
import { createS3Service } from '../../../pipeline/simulator/aws/s3-service.js';
import type { SimService } from '../../../pipeline/simulator/aws/service.js';
import { Crash, MemoryPorts } from './memory-ports.js';

const clockMs = Date.UTC(2026, 10, 20);

interface Opened {
  readonly db: DynamoDbService;
  readonly s3: SimService;
  readonly clock: ManualClock;
}

async function open(ports: MemoryPorts, nowMs: number): Promise<Opened> {
  const clock = new ManualClock(nowMs);
  const ids = new SeededIds(nowMs);
  const documents = ports.simDocuments;
  const s3 = await createS3Service({ documents, bodies: ports.simBodies, clock, ids });
  return { s3, clock, db: await createDynamoDbService({ documents, s3, clock, ids }) };
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

/** What the answers that are looked at have. */
interface Answer {
  readonly TableNames: readonly string[];
  readonly Items: unknown[];
  readonly ExportSummaries: readonly {
    readonly ExportArn: string;
    readonly ExportStatus: string;
  }[];
  readonly ExportDescription: { readonly ItemCount: number };
}

async function ask(db: SimService, action: string, input: unknown): Promise<Answer> {
  const answer = await db.handle({
    method: 'POST',
    path: '/',
    query: new URLSearchParams(),
    headers: { 'x-amz-target': `DynamoDB_20120810.${action}` },
    body: bytesOf(JSON.stringify(input)),
  });
  const value = JSON.parse(Buffer.from(answer.body as Uint8Array).toString('utf8'));
  expect([action, answer.status, value.message]).toEqual([action, 200, undefined]);
  return value;
}

const TableName = 'orders';
const TableArn = 'arn:aws:dynamodb:eu-west-1:123456789012:table/orders';
const item = (id: number, v: number) => ({ id: { N: `${id}` }, v: { N: `${v}` } });

/** Steps that change state, in order. */
const steps: readonly ((opened: Opened) => Promise<unknown>)[] = [
  ({ s3 }) =>
    s3.handle({
      method: 'PUT',
      path: '/exports',
      query: new URLSearchParams(),
      headers: { 'content-length': '0' },
      body: bytesOf(''),
    }),
  ({ db }) =>
    ask(db, 'CreateTable', {
      TableName,
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'N' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  ({ db }) =>
    ask(db, 'UpdateContinuousBackups', {
      TableName,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    }),
  ({ db }) => ask(db, 'PutItem', { TableName, Item: item(1, 1) }),
  ({ db }) => ask(db, 'PutItem', { TableName, Item: item(2, 2) }),
  ({ db }) => ask(db, 'PutItem', { TableName, Item: item(1, 3) }),
  ({ db }) => ask(db, 'DeleteItem', { TableName, Key: { id: { N: '2' } } }),
  ({ db }) =>
    ask(db, 'ExportTableToPointInTime', { TableArn, S3Bucket: 'exports', ClientToken: 'token' }),
  ({ db }) => ask(db, 'DeleteTable', { TableName }),
  async ({ db, clock }) => {
    clock.advanceMs(3_600_000);
    await ask(db, 'ListTables', {});
  },
];

/** The items after so many of the steps; null: there is no table. */
const itemsAfter = (count: number): unknown[] | null => {
  if (count < 2 || count >= 9) return null;
  if (count < 4) return [];
  if (count < 5) return [item(1, 1)];
  if (count < 6) return [item(1, 1), item(2, 2)];
  return count < 7 ? [item(1, 3), item(2, 2)] : [item(1, 3)];
};

async function items(db: SimService): Promise<unknown[] | null> {
  const { TableNames } = await ask(db, 'ListTables', {});
  return TableNames.length === 0 ? null : (await ask(db, 'Scan', { TableName })).Items;
}

describe('a crash', () => {
  it('after any change leaves what was answered for, and at most the step under way', async () => {
    const whole = new MemoryPorts();
    const opened = await open(whole, clockMs);
    for (const step of steps) await step(opened);
    expect(whole.changes).toBeGreaterThan(40);

    for (let crashAfter = 0; crashAfter < whole.changes; crashAfter++) {
      const ports = new MemoryPorts();
      ports.crashAfter(crashAfter);
      let answered = 0;
      let nowMs = clockMs;
      try {
        const first = await open(ports, clockMs);
        for (const step of steps) {
          nowMs = Math.max(nowMs, first.clock.nowMs());
          await step(first);
          answered += 1;
        }
      } catch (error) {
        expect(error).toBeInstanceOf(Crash);
      }
      ports.restart();
      const again = await open(ports, nowMs);
      const found = await items(again.db);
      expect([itemsAfter(answered), itemsAfter(answered + 1)]).toContainEqual(found);

      // An export that was asked for ends, and is whole.
      again.clock.advanceMs(3_600_000);
      const { ExportSummaries } = await ask(again.db, 'ListExports', {});
      if (answered >= 8) expect(ExportSummaries).toHaveLength(1);
      for (const { ExportArn, ExportStatus } of ExportSummaries) {
        expect(ExportStatus).toBe('COMPLETED');
        const { ExportDescription } = await ask(again.db, 'DescribeExport', { ExportArn });
        expect(ExportDescription.ItemCount).toBe(1);
      }
    }
  });

  it('leaves no past of a table that was deleted', async () => {
    const ports = new MemoryPorts();
    const opened = await open(ports, clockMs);
    for (const step of steps) await step(opened);
    expect((await ports.simDocuments.names('dynamodb/')).map((name) => name.split('/')[1])).toEqual(
      ['export'],
    );
  });
});

describe('a past on disk', () => {
  it('costs a write no more when it is long', async () => {
    const ports = new MemoryPorts();
    const sizes: number[] = [];
    const documents = {
      ...ports.simDocuments,
      put: async (name: string, value: unknown) => {
        sizes.push(JSON.stringify(value).length);
        await ports.simDocuments.put(name, value);
      },
    };
    const log = await PastLog.open(documents, 'id');
    for (let i = 0; i < 3000; i++) {
      await log.append([{ micros: i, item: { text: { S: 'x'.repeat(60) } } }]);
    }
    // A segment of 64 KB and what comes with it, however many there are.
    expect(Math.max(...sizes)).toBeLessThan(70_000);
    expect((await documents.names('dynamodb/past/')).length).toBeGreaterThan(3);
  });

  it('takes writes that come together to disk together', async () => {
    const ports = new MemoryPorts();
    const log = await PastLog.open(ports.simDocuments, 'id');
    await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        log.append([{ micros: i, keys: { id: { N: `${i}` } } }]),
      ),
    );
    expect(ports.changes).toBeLessThan(5);
    expect(JSON.stringify([...ports.documents.values()]).match(/micros/g)).toHaveLength(100);
  });

  it('keeps the order when a write to disk failed', async () => {
    const ports = new MemoryPorts();
    const log = await PastLog.open(ports.simDocuments, 'id');
    ports.crashAfter(0);
    await expect(log.append([{ micros: 1, keys: {} }])).rejects.toBeInstanceOf(Crash);
    ports.restart();
    await log.append([{ micros: 2, keys: {} }]);
    const [segment] = [...ports.documents.values()].map((text) => JSON.parse(text));
    expect(segment.writes.map(({ micros }: { micros: number }) => micros)).toEqual([1, 2]);
  });
});
