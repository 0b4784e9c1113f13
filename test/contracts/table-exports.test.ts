// The port to DynamoDB over the real SDK: what it tells of tables, recovery and exports, and how it names what is refused.
// Promises: expected values are what the simulated service was told, and AWS's names of errors, none made by the code under test.
// Source: Amazon DynamoDB API Reference, the actions of pipeline/aws/dynamodb-table-exports.ts.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  DeleteTableCommand,
  ExportTableToPointInTimeCommand,
  TagResourceCommand,
} from '@aws-sdk/client-dynamodb';
import { ConfiguredRetryStrategy } from '@smithy/core/retry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAwsClients } from '../../pipeline/aws/clients.js';
import { DynamoDbTableExports } from '../../pipeline/aws/dynamodb-table-exports.js';
import type { TableExports } from '../../pipeline/ports.js';
import { exportRequest } from '../../pipeline/schedule/export-request.js';
import type { ExportRequest, ExportSubject } from '../../schemas/table-exports.js';
import { type ScheduledTable, ScheduledWorld } from '../schedule/scheduled-table.js';
import { arnOf, dayMs, hourMs, minuteMs, startMs } from '../simulator/aws/running-dynamodb.js';

let here: ScheduledWorld;
let port: TableExports;
beforeAll(async () => {
  here = await ScheduledWorld.start();
  port = new DynamoDbTableExports(here.clients);
});
afterAll(() => here.close());

const nowMs = (): number => here.aws.clock.nowMs();
const lastHour = (): number => Math.floor((nowMs() - 5 * minuteMs) / hourMs) * hourMs;

async function requestOf(
  table: ScheduledTable,
  subject: ExportSubject,
  attempt = 1,
): Promise<ExportRequest> {
  const facts = (await port.describeTable(table.name))!;
  return exportRequest(facts, table.job.schedule, subject, attempt);
}
const full = (exportTimeMs: number): ExportSubject => ({ type: 'FULL_EXPORT', exportTimeMs });
const window = (fromMs: number, toMs: number): ExportSubject => ({
  type: 'INCREMENTAL_EXPORT',
  window: { fromMs, toMs },
  view: 'NEW_IMAGE',
});

describe('a table', () => {
  it('is described by name and by ARN, with its key in order', async () => {
    const { name } = await here.table();
    const byName = await port.describeTable(name);
    expect(byName).toMatchObject({
      tableArn: arnOf(name),
      tableName: name,
      key: ['pk', 'sk'],
      status: 'ACTIVE',
    });
    expect(byName!.tableId).toMatch(/^[0-9a-f-]{36}$/);
    expect(await port.describeTable(arnOf(name))).toEqual(byName);
  });

  it('that is not there is null, and has no recovery to speak of', async () => {
    expect(await port.describeTable('no-such-table')).toBeNull();
    await expect(port.describePitr('no-such-table')).rejects.toMatchObject({
      code: 'REFUSED_NO_TABLE',
    });
  });

  it('has a recovery window in ms, or none', async () => {
    const { name } = await here.table();
    await here.aws.recovery(name, true, 7);
    const { isEnabled, earliestMs, latestMs, periodDays } = await port.describePitr(name);
    expect({ isEnabled, periodDays, latestMs }).toEqual({
      isEnabled: true,
      periodDays: 7,
      latestMs: nowMs() - 5 * minuteMs,
    });
    expect(earliestMs).toBeGreaterThanOrEqual(startMs);
    await here.aws.recovery(name, false);
    expect(await port.describePitr(name)).toEqual({
      isEnabled: false,
      earliestMs: null,
      latestMs: null,
      periodDays: null,
    });
  });

  it('is listed, with its tags', async () => {
    const { name } = await here.table();
    const Tags = [
      { Key: 'team', Value: 'shop' },
      { Key: 'lake', Value: '' },
    ];
    await here.aws.db.send(new TagResourceCommand({ ResourceArn: arnOf(name), Tags }));
    const names: string[] = [];
    for await (const one of port.listTables()) names.push(one);
    expect(names).toContain(name);
    expect(await port.tagsOf(arnOf(name))).toEqual(
      new Map([
        ['team', 'shop'],
        ['lake', ''],
      ]),
    );
  });
});

describe('an export', () => {
  it('is asked for once by the same request, and another attempt is another export', async () => {
    const table = await here.table();
    const request = await requestOf(table, full(lastHour()));
    const arn = await port.requestExport(request);
    expect(await port.requestExport(request)).toBe(arn);
    const again = await requestOf(table, full(lastHour()), 2);
    expect(await port.requestExport(again)).not.toBe(arn);
  });

  it('is described as it was asked for, and where its summary lies when it is complete', async () => {
    const table = await here.table();
    const request = await requestOf(table, full(lastHour()));
    const arn = await port.requestExport(request);
    expect(await port.describeExport(arn)).toMatchObject({
      exportArn: arn,
      state: 'IN_PROGRESS',
      type: 'FULL_EXPORT',
      exportTimeMs: lastHour(),
      clientToken: request.clientToken,
      s3Bucket: 'exports',
      s3Prefix: request.s3Prefix,
      summaryUri: null,
      requestedAtMs: nowMs(),
      isReadable: true,
    });
    here.aws.clock.advanceMs(11 * minuteMs);
    const done = await port.describeExport(arn);
    expect(done).toMatchObject({ state: 'COMPLETED', failureCode: null });
    expect(await here.store.size(done!.summaryUri!)).toBeGreaterThan(0);
    here.aws.clock.advanceMs(hourMs);
    const next = window(lastHour() - 30 * minuteMs, lastHour());
    const windowArn = await port.requestExport(await requestOf(table, next));
    expect(await port.describeExport(windowArn)).toMatchObject({
      type: 'INCREMENTAL_EXPORT',
      window: next.type === 'INCREMENTAL_EXPORT' ? next.window : null,
    });
  });

  it('that nobody knows is null', async () => {
    const table = await here.table();
    const arn = `${arnOf(table.name)}/export/01700000000000-0123abcd`;
    expect(await port.describeExport(arn)).toBeNull();
  });

  it('that failed says with which code', async () => {
    const table = await here.table();
    await here.aws.simulator.dynamodb.changeSettings({
      exportTroubles: [{ code: 'S3NoSuchBucket' }],
    });
    const arn = await port.requestExport(await requestOf(table, full(lastHour())));
    here.aws.clock.advanceMs(11 * minuteMs);
    expect(await port.describeExport(arn)).toMatchObject({
      state: 'FAILED',
      failureCode: 'S3NoSuchBucket',
      summaryUri: null,
    });
  });

  it('of somebody who put it elsewhere, without token or prefix, is told as it is', async () => {
    const table = await here.table();
    const asked = await here.aws.db.send(
      new ExportTableToPointInTimeCommand({ TableArn: arnOf(table.name), S3Bucket: 'lake' }),
    );
    const arn = asked.ExportDescription!.ExportArn!;
    here.aws.clock.advanceMs(11 * minuteMs);
    const id = arn.slice(arn.lastIndexOf('/') + 1);
    expect(await port.describeExport(arn)).toMatchObject({
      s3Bucket: 'lake',
      s3Prefix: '',
      summaryUri: `s3://lake/AWSDynamoDB/${id}/manifest-summary.json`,
    });
  });

  it('is listed, page after page', async () => {
    const table = await here.table();
    const asked: string[] = [];
    for (let attempt = 1; attempt <= 27; attempt++) {
      const request = await requestOf(table, full(lastHour()), attempt);
      asked.push(await port.requestExport(request));
      here.aws.clock.advanceMs(1);
    }
    const listed: string[] = [];
    for await (const one of port.listExports(arnOf(table.name))) {
      expect(one).toMatchObject({ state: 'IN_PROGRESS', type: 'FULL_EXPORT' });
      listed.push(one.exportArn);
    }
    expect(listed.sort()).toEqual(asked.sort());
  });
});

describe('a request that is refused', () => {
  it.each<[string, string, (lastMs: number) => ExportSubject]>([
    ['too fresh', 'REFUSED_TOO_FRESH', () => full(nowMs())],
    ['too fresh at its end', 'REFUSED_TOO_FRESH', (ms) => window(ms, ms + 2 * hourMs)],
    ['too old', 'REFUSED_OUTSIDE_PITR', (ms) => full(ms - 40 * dayMs)],
    ['too old at its start', 'REFUSED_OUTSIDE_PITR', (ms) => window(ms - 23 * hourMs, ms)],
  ])('for being %s is %s', async (_, code, subject) => {
    const table = await here.table();
    const request = await requestOf(table, subject(lastHour()));
    await expect(port.requestExport(request)).rejects.toMatchObject({ code });
  });

  it('without recovery is REFUSED_PITR_OFF, without the table REFUSED_NO_TABLE', async () => {
    const table = await here.table();
    const request = await requestOf(table, full(lastHour()));
    await here.aws.recovery(table.name, false);
    await expect(port.requestExport(request)).rejects.toMatchObject({ code: 'REFUSED_PITR_OFF' });
    await here.aws.db.send(new DeleteTableCommand({ TableName: table.name }));
    await expect(port.requestExport(request)).rejects.toMatchObject({ code: 'REFUSED_NO_TABLE' });
  });

  it('for too many at once is THROTTLED after one try', async () => {
    const table = await here.table();
    const request = await requestOf(table, full(lastHour()));
    await here.aws.simulator.dynamodb.changeSettings({ exportsMax: 0 });
    here.aws.simulator.clearRequests();
    await expect(port.requestExport(request)).rejects.toMatchObject({ code: 'THROTTLED' });
    await here.aws.simulator.dynamodb.changeSettings({ exportsMax: 300 });
    const asked = here.aws.simulator.requests().map(({ operation }) => operation);
    expect(asked).toEqual(['ExportTableToPointInTime']);
  });

  it('for the same token with another request is no refusal of the table', async () => {
    const table = await here.table();
    const request = await requestOf(table, full(lastHour()));
    await port.requestExport(request);
    const other = { ...request, s3Prefix: 'elsewhere' };
    await expect(port.requestExport(other)).rejects.toMatchObject({
      code: 'SERVICE_FAILED',
      what: expect.stringContaining('ExportConflictException'),
    });
  });

  it('whose answer is lost is asked again, and is one export', async () => {
    const table = await here.table();
    const request = await requestOf(table, full(lastHour()));
    here.aws.simulator.setFaults({
      rules: [{ operation: 'ExportTableToPointInTime', nth: 1, do: { fault: 'loseAnswer' } }],
    });
    const arn = await port.requestExport(request);
    here.aws.simulator.setFaults({ rules: [] });
    expect((await table.exports()).map(({ id }) => id)).toEqual([arn]);
  });
});

describe('what AWS answers', () => {
  let server: Server;
  let answer = { status: 400, body: {} };
  let foreign: TableExports;
  beforeAll(async () => {
    server = createServer((request, response) => {
      request.resume();
      response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify(answer.body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port: number } = server.address() as AddressInfo;
    const clients = createAwsClients({ endpoint: `http://127.0.0.1:${number}` });
    const atOnce = async () => new ConfiguredRetryStrategy(2, () => 0);
    (await clients.dynamodb()).config.retryStrategy = atOnce;
    foreign = new DynamoDbTableExports(clients);
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const request: ExportRequest = {
    tableArn: arnOf('orders'),
    tableId: 'id',
    subject: full(startMs),
    destination: {
      s3Bucket: 'exports',
      s3Prefix: '',
      s3BucketOwner: '210987654321',
      s3SseAlgorithm: 'KMS',
      s3SseKmsKeyId: 'key',
    },
    s3Prefix: 'orders',
    attempt: 1,
    clientToken: '0'.repeat(32),
  };

  it.each([
    ['AccessDeniedException', 400, 'DENIED'],
    ['ExpiredTokenException', 400, 'CREDENTIALS'],
    ['ThrottlingException', 400, 'THROTTLED'],
    ['InternalServerError', 500, 'SERVICE_FAILED'],
    ['SomethingNewException', 400, 'SERVICE_FAILED'],
  ])('%s with %i is told as %s, with action and resource', async (name, status, code) => {
    answer = { status, body: { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: '' } };
    await expect(foreign.requestExport(request)).rejects.toMatchObject({
      code,
      what: expect.stringMatching(/dynamodb:ExportTableToPointInTime on arn:.*orders/),
    });
    await expect(foreign.describeTable('orders')).rejects.toMatchObject({
      code,
      what: expect.stringContaining('dynamodb:DescribeTable on orders'),
    });
  });

  it('without what its reference promises is no answer', async () => {
    answer = { status: 200, body: { Table: { TableName: 'orders' } } };
    await expect(foreign.describeTable('orders')).rejects.toMatchObject({
      code: 'SERVICE_FAILED',
      what: expect.stringContaining('TableArn'),
    });
  });

  it('of a filtered export, or one in another format, makes it unreadable', async () => {
    const described = {
      ExportArn: 'arn',
      ExportStatus: 'COMPLETED',
      StartTime: startMs / 1000,
      TableId: 'id',
      S3Bucket: 'exports',
      ExportTime: startMs / 1000,
    };
    const others = [
      { ExportFormat: 'ION' },
      { ExportFormat: 'DYNAMODB_JSON', FilterSpecification: { FilterExpression: 'a = :b' } },
    ];
    for (const other of others) {
      answer = { status: 200, body: { ExportDescription: { ...described, ...other } } };
      expect(await foreign.describeExport('arn')).toMatchObject({ isReadable: false });
    }
  });

  it('with a state that nobody knows yet is taken for one that goes on', async () => {
    const described = {
      ExportStatus: 'PAUSED',
      ExportFormat: 'DYNAMODB_JSON',
      StartTime: startMs / 1000,
      TableId: 'id',
      ExportTime: startMs / 1000,
    };
    answer = { status: 200, body: { ExportDescription: described } };
    expect(await foreign.describeExport('arn')).toMatchObject({ state: 'IN_PROGRESS' });
  });
});
