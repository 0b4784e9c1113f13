// One export asked for by a person, against a DynamoDB whose answers come late and a runner whose clock is wrong: paid for once.
// Promises: DynamoDB is a fake that counts what it is asked for; no lake and no bucket but an empty one.
// Source: Amazon DynamoDB API Reference, ExportTableToPointInTime (ClientToken), DescribeExport.

import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../pipeline/local/clock.js';
import type { TableExports } from '../../pipeline/ports.js';
import { askExport } from '../../pipeline/schedule/ask-export.js';
import type { ExportRequest, KnownExport } from '../../schemas/table-exports.js';
import { memoryWorld } from '../scenarios/story-world.js';
import { config, day, hour, minute } from './model-world.js';

const serviceMs = Date.UTC(2026, 10, 20, 12);
const atMs = serviceMs - hour;
const exportId = `0${serviceMs}-aaaaaaaa`;

const job = {
  source: 'orders',
  target: { lake: 'file:///lake', database: 'shop', table: 'orders' },
  schedule: config,
  buckets: null,
  partition: null,
  region: null,
  roleArn: null,
};

interface Given {
  /** Questions about an export that DynamoDB answers with not found. */
  readonly unknownTimes?: number;
  /** How the export is known once it is. */
  readonly known?: Partial<KnownExport>;
  /** How far the runner's clock is ahead. */
  readonly aheadMs?: number;
}

/** Asks for the table of an hour ago, and tells which tokens DynamoDB was asked with. */
async function ask({ unknownTimes = 0, known = {}, aheadMs = 0 }: Given, isWaiting: boolean) {
  const requests: ExportRequest[] = [];
  let left = unknownTimes;
  const never = (): never => {
    throw new Error('not asked for here');
  };
  const exports: TableExports = {
    describeTable: async (tableName) => ({
      tableArn: `arn:aws:dynamodb:eu-west-1:123456789012:table/${tableName}`,
      tableName,
      tableId: 'id-orders',
      createdMs: serviceMs - 30 * day,
      key: ['pk'],
      status: 'ACTIVE',
      sizeBytes: 0,
      itemCount: 0,
    }),
    describePitr: async () => ({
      isEnabled: true,
      earliestMs: serviceMs - 20 * day,
      latestMs: serviceMs - 5 * minute,
      periodDays: 35,
    }),
    listExports: never,
    describeExport: async (exportArn) => {
      const request = requests[0];
      if (request === undefined || left > 0) {
        left -= 1;
        return null;
      }
      return {
        exportArn,
        tableId: request.tableId,
        type: 'FULL_EXPORT',
        exportTimeMs: atMs,
        state: 'COMPLETED',
        failureCode: null,
        clientToken: request.clientToken,
        s3Bucket: 'lake-exports',
        s3Prefix: request.s3Prefix,
        summaryUri: null,
        requestedAtMs: serviceMs,
        billedBytes: 1000,
        isReadable: true,
        ...known,
      } as KnownExport;
    },
    requestExport: async (request) => {
      requests.push(request);
      return `${request.tableArn}/export/${exportId}`;
    },
    listTables: never,
    tagsOf: never,
  };
  const world = { ...memoryWorld('ask'), clock: new ManualClock(serviceMs + aheadMs) };
  const asked = { of: 'instant', atMs } as const;
  const report = await askExport(world, exports, job, { asked, isWaiting });
  return { report, tokens: requests.map(({ clientToken }) => clientToken) };
}

describe('an export that DynamoDB does not know yet, a moment after it began it', () => {
  it('is asked for once, and is in progress', async () => {
    const { report, tokens } = await ask({ unknownTimes: 1 }, false);
    expect(tokens).toHaveLength(1);
    expect(report).toMatchObject({
      action: 'requested',
      state: 'IN_PROGRESS',
      type: 'full',
      at: '2026-11-20T11:00:00.000Z',
      exportArn: expect.stringContaining(exportId),
      error: null,
    });
  });

  it('is waited for like any other', async () => {
    const { report, tokens } = await ask({ unknownTimes: 3 }, true);
    expect(tokens).toHaveLength(1);
    expect(report).toMatchObject({ action: 'requested', state: 'COMPLETED', billedBytes: 1000 });
  });
});

describe('a runner whose clock is a day and an hour ahead', () => {
  const aheadMs = day + hour;

  it('takes an export that is in progress for what it is, not for a stuck one', async () => {
    const { report, tokens } = await ask({ aheadMs, known: { state: 'IN_PROGRESS' } }, false);
    expect(tokens).toHaveLength(1);
    expect(report).toMatchObject({ action: 'requested', state: 'IN_PROGRESS' });
  });

  it('does not ask again for one that failed at once', async () => {
    const { report, tokens } = await ask({ aheadMs, known: { state: 'FAILED' } }, false);
    expect(tokens).toHaveLength(1);
    expect(report).toMatchObject({
      action: 'requested',
      state: 'FAILED',
      error: { code: 'REFUSED_EXPORT_FAILED' },
    });
  });
});
