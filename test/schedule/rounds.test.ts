// Rounds of the scheduled job over the simulated AWS with the real SDK: from nothing to a lake, and through what goes wrong.
// Promises: after each, the lake equals the simulated table at its watermark, nothing is paid twice, nothing of the table is read.
// Source: the design, "The hourly job is a pure decision"; parts A and B of its catalogue of failures.

import { DeleteTableCommand, ExportTableToPointInTimeCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ListedExport } from '../../pipeline/ports.js';
import { RunLimit } from '../../pipeline/schedule/run-limit.js';
import { arnOf, dayMs, hourMs, minuteMs } from '../simulator/aws/running-dynamodb.js';
import { type Runner, type ScheduledTable, ScheduledWorld } from './scheduled-table.js';

let here: ScheduledWorld;
beforeAll(async () => {
  here = await ScheduledWorld.start();
});
afterAll(() => here.close());

const clock = () => here.aws.clock;
const settings = (changes: object): Promise<unknown> =>
  here.aws.simulator.dynamodb.changeSettings(changes);

describe('a table that is not in the lake', () => {
  it('comes in with a full export at an edge, and then window by window', async () => {
    const table = await here.table();
    const first = await table.round();
    expect(first).toMatchObject({
      state: 'waiting',
      waitingFor: 'exports-running',
      watermark: null,
      running: 1,
      requested: [{ type: 'full', attempt: 1 }],
      error: null,
    });
    // Its instant is a whole hour, since windows are.
    expect(Date.parse(first.requested[0]!.at!) % hourMs).toBe(0);
    clock().advanceMs(11 * minuteMs);
    const second = await table.round();
    expect(second).toMatchObject({
      loads: [{ action: 'loaded', rows: 12, epoch: 1 }],
      watermark: first.requested[0]!.at,
    });
    for (let h = 0; h < 3; h++) {
      await table.hour(h);
      const asked = await table.round();
      expect(asked.requested.map(({ from }) => from)).toEqual([asked.watermark]);
      clock().advanceMs(11 * minuteMs);
      const merged = await table.round();
      expect(merged).toMatchObject({ state: 'fresh', merges: [{ action: 'applied' }] });
      expect(merged.watermark).toBe(merged.target);
      expect(await table.faults(merged.watermark!)).toEqual([]);
    }
  });

  it('is asked for once, however often the round is run', async () => {
    const table = await here.table();
    for (let i = 0; i < 4; i++) await table.round();
    expect(await table.exports()).toHaveLength(1);
  });
});

it('costs a few requests when there is nothing to do', async () => {
  const table = await here.table();
  await table.untilFresh();
  here.aws.simulator.clearRequests();
  expect(await table.round()).toMatchObject({ state: 'fresh', requested: [], merges: [] });
  const asked = here.aws.simulator.requests().map(({ operation }) => operation);
  expect(asked.filter((one) => /Table|Export|Backup/.test(one)).sort()).toEqual([
    'DescribeContinuousBackups',
    'DescribeTable',
  ]);
  // A catalog of files is a pointer, a look for the four versions after it, and the metadata.
  expect(asked).toHaveLength(9);
});

describe('an outage', () => {
  it('of a day is caught up with in windows of the grain, so many at a time', async () => {
    const table = await here.table({ exportsAtOnceMax: 5 });
    await table.untilFresh();
    for (let h = 0; h < 8; h++) await table.hour(h);
    clock().advanceMs(16 * hourMs);
    const back = await table.round();
    expect(back.requested).toHaveLength(5);
    expect(back).toMatchObject({ late: true });
    const fresh = await table.untilFresh(60);
    expect(fresh).toMatchObject({ state: 'fresh', late: false });
    expect(await table.faults(fresh.watermark!)).toEqual([]);
  });

  it('after which tokens are forgotten finds by the prefix what was asked for', async () => {
    const table = await here.table();
    await table.untilFresh();
    await table.hour(1);
    const asked = await table.round();
    expect(asked.requested).toHaveLength(1);
    clock().advanceMs(9 * hourMs);
    // A scheduler that sees nothing in the lists of DynamoDB.
    const runner = table.runner();
    const blind = new Proxy(runner.exports, {
      get: (target, name) => {
        if (name === 'listExports') return async function* nothing() {};
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const found = await table.round({}, {}, { ...runner, exports: blind });
    expect(found.merges).toMatchObject([{ action: 'applied', from: asked.requested[0]!.from }]);
    expect(await table.faults(found.watermark!)).toEqual([]);
  });
});

describe('an export that fails', () => {
  it('is tried again with the next attempt', async () => {
    const table = await here.table();
    await table.untilFresh();
    await table.hour(1);
    await settings({ exportTroubles: [{ code: 'S3AccessDenied', isPartial: true }] });
    expect(await table.round()).toMatchObject({ requested: [{ attempt: 1 }] });
    clock().advanceMs(11 * minuteMs);
    expect(await table.round()).toMatchObject({ requested: [{ attempt: 2 }] });
    clock().advanceMs(11 * minuteMs);
    const done = await table.round();
    expect(done).toMatchObject({ error: null, merges: [{ action: 'applied' }] });
    expect(await table.faults(done.watermark!)).toEqual([]);
  });

  it('three times is refused with the command that asks again', async () => {
    const table = await here.table();
    await table.untilFresh();
    await table.hour(1);
    await settings({ exportTroubles: [{ code: 'S3AccessDenied', times: 3 }] });
    const last = await table.untilFresh();
    expect(last).toMatchObject({ state: 'refused', error: { code: 'REFUSED_EXPORT_FAILED' } });
    expect(last.error!.next).toContain('tidelake export --table');
    expect((await table.exports()).filter(({ status }) => status === 'FAILED')).toHaveLength(3);
  });
});

describe('recovery', () => {
  it('that is off is named, with the command that switches it on', async () => {
    const table = await here.table();
    await table.untilFresh();
    await here.aws.recovery(table.name, false);
    clock().advanceMs(2 * hourMs);
    expect(await table.round()).toMatchObject({
      state: 'refused',
      error: { code: 'REFUSED_PITR_OFF', next: expect.stringContaining('continuous-backups') },
    });
  });

  it('that was reset needs a new epoch, which begins when it may', async () => {
    const table = await here.table();
    await table.untilFresh();
    await here.aws.recovery(table.name, false);
    await here.aws.recovery(table.name, true);
    await table.hour(1);
    await table.hour(2);
    const refused = await table.round();
    expect(refused).toMatchObject({
      state: 'refused',
      error: { code: 'REFUSED_OUTSIDE_PITR', next: expect.stringContaining('--reseed') },
    });
    const fresh = await table.untilFresh(20, { mayReseed: true });
    expect(fresh).toMatchObject({ state: 'fresh', epoch: 2 });
    expect(await table.faults(fresh.watermark!)).toEqual([]);
  });

  it('of a shorter period than the outage needs a new epoch', async () => {
    const table = await here.table();
    await table.untilFresh();
    await here.aws.recovery(table.name, true, 1);
    clock().advanceMs(3 * dayMs);
    expect(await table.round()).toMatchObject({ error: { code: 'REFUSED_OUTSIDE_PITR' } });
  });
});

it('a table that was deleted and made again is another one, until that is accepted', async () => {
  const table = await here.table();
  await table.untilFresh();
  await here.aws.db.send(new DeleteTableCommand({ TableName: table.name }));
  clock().advanceMs(minuteMs);
  expect(await table.round()).toMatchObject({ error: { code: 'REFUSED_NO_TABLE' } });
  await here.aws.table({ TableName: table.name });
  await here.aws.recovery(table.name, true);
  await table.put(77, 'of the new table');
  clock().advanceMs(2 * hourMs);
  expect(await table.round()).toMatchObject({ error: { code: 'REFUSED_TABLE_ID' } });
  const fresh = await table.untilFresh(20, { mayReseed: true });
  expect(fresh).toMatchObject({ state: 'fresh', epoch: 2 });
  expect(await table.faults(fresh.watermark!)).toEqual([]);
});

describe('two schedulers at once', () => {
  it('pay once and commit each window once', async () => {
    const table = await here.table();
    for (let i = 0; i < 8; i++) {
      const reports = await Promise.all([table.round(), table.round()]);
      for (const { state, error } of reports)
        expect({ state, error }).toMatchObject({ error: null });
      if (i % 2 === 0) clock().advanceMs(11 * minuteMs);
      else await table.hour(i);
    }
    const fresh = await table.untilFresh();
    expect(await table.faults(fresh.watermark!)).toEqual([]);
    const { md } = await table.lake.open();
    const ends = md.snapshots.map(({ summary }) => summary['tidelake.to']);
    expect(new Set(ends).size).toBe(ends.length);
  });
});

describe('exports of others', () => {
  /** A person asks for what comes after the watermark, past the job. */
  async function byHand(
    table: ScheduledTable,
    watermark: string,
    minutes: number,
    place: { readonly S3Bucket: string; readonly S3Prefix?: string },
  ): Promise<string> {
    const ExportToTime = new Date(Date.parse(watermark) + minutes * minuteMs);
    await here.aws.db.send(
      new ExportTableToPointInTimeCommand({
        TableArn: arnOf(table.name),
        ...place,
        ExportType: 'INCREMENTAL_EXPORT',
        IncrementalExportSpecification: { ExportFromTime: new Date(watermark), ExportToTime },
      }),
    );
    return ExportToTime.toISOString();
  }

  it('are followed, whatever their length, where the job reads', async () => {
    const table = await here.table();
    const { watermark } = await table.untilFresh();
    await table.hour(1);
    await table.hour(2);
    const end = await byHand(table, watermark!, 25, { S3Bucket: 'exports', S3Prefix: 'raw/mine' });
    const report = await table.round();
    // What follows begins where theirs ends, and the edges are met again.
    expect(report.requested[0]).toMatchObject({ from: end });
    expect(Date.parse(report.requested.at(-1)!.to!) % hourMs).toBe(0);
    const fresh = await table.untilFresh();
    expect(await table.faults(fresh.watermark!)).toEqual([]);
  });

  it('are not waited for elsewhere', async () => {
    const table = await here.table();
    const { watermark } = await table.untilFresh();
    await table.hour(1);
    await byHand(table, watermark!, 60, { S3Bucket: 'lake' });
    const report = await table.round();
    expect(report).toMatchObject({ running: 1, requested: [{ from: watermark }] });
  });

  it('and what a filter left of the table are no exports for a lake', async () => {
    const table = await here.table();
    const { watermark } = await table.untilFresh();
    await table.hour(1);
    await byHand(table, watermark!, 60, { S3Bucket: 'exports', S3Prefix: 'raw/filtered' });
    clock().advanceMs(11 * minuteMs);
    const { world, exports } = table.runner();
    const filtered = new Proxy(exports, {
      get: (target, name) => {
        if (name === 'describeExport') {
          return async (arn: string) => {
            const one = await target.describeExport(arn);
            return one?.s3Prefix === 'raw/filtered' ? { ...one, isReadable: false } : one;
          };
        }
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const report = await table.round({}, {}, { world, exports: filtered });
    expect(report).toMatchObject({ merges: [], requested: [{ from: watermark }] });
  });
});

describe('a bucket of another account', () => {
  const destination = {
    s3Bucket: 'exports',
    s3Prefix: 'raw',
    s3SseAlgorithm: 'AES256',
    s3SseKmsKeyId: null,
  } as const;

  it('is named with its owner', async () => {
    const table = await here.table({
      destination: { ...destination, s3BucketOwner: '123456789012' },
    });
    expect(await table.untilFresh()).toMatchObject({ state: 'fresh' });
  });

  it('that is not the owner named fails three times and is told', async () => {
    const table = await here.table({
      destination: { ...destination, s3BucketOwner: '210987654321' },
    });
    expect(await table.untilFresh()).toMatchObject({
      state: 'refused',
      error: { code: 'REFUSED_EXPORT_FAILED', what: expect.stringContaining('S3AccessDenied') },
    });
  });
});

it('an export that was removed before it was merged is refused, not asked for again', async () => {
  const table = await here.table();
  await table.untilFresh();
  await table.hour(1);
  const { requested } = await table.round();
  clock().advanceMs(11 * minuteMs);
  await here.aws.simulator.dynamodb.settle();
  for await (const { uri } of here.store.list(requested[0]!.place)) await here.store.remove(uri);
  expect(await table.round()).toMatchObject({
    state: 'refused',
    error: { code: 'REFUSED_INPUT_GONE', next: expect.stringContaining('tidelake export') },
  });
  expect(await table.exports()).toHaveLength(2);
});

describe('what is not to be waited for', () => {
  it('too many exports of the account are no fault of the table', async () => {
    const table = await here.table();
    await table.untilFresh();
    await table.hour(1);
    await settings({ exportsMax: 0 });
    try {
      expect(await table.round()).toMatchObject({
        state: 'waiting',
        waitingFor: 'export-limit',
        error: null,
        requested: [],
      });
    } finally {
      await settings({ exportsMax: 300 });
    }
    expect(await table.untilFresh()).toMatchObject({ state: 'fresh' });
  });
});

describe('a time budget', () => {
  it('forbids to begin a merge in the last 20 seconds, and asks for exports all the same', async () => {
    const table = await here.table();
    await table.untilFresh();
    await table.hour(1);
    await table.round();
    await table.hour(2);
    const { watermark } = await table.round({
      limit: new RunLimit(clock(), clock().nowMs() + 19_000),
    });
    const late = await table.round({ limit: new RunLimit(clock(), clock().nowMs() + 19_000) });
    expect(late).toMatchObject({
      state: 'waiting',
      waitingFor: 'time-budget',
      merges: [],
      watermark,
    });
    const early = await table.round({ limit: new RunLimit(clock(), clock().nowMs() + 21_000) });
    expect(early.merges).toHaveLength(1);
  });

  it('that ends before the commit drops the work, and the next round does it', async () => {
    const table = await here.table();
    await table.untilFresh();
    await table.hour(1);
    await table.round();
    clock().advanceMs(11 * minuteMs);
    const limit = new RunLimit(clock(), clock().nowMs() + 60_000);
    const { world, exports } = table.runner();
    // Writing a file takes a minute.
    const slow = new Proxy(world.store, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        if (name !== 'create') return value.bind(target);
        return (...args: unknown[]) => {
          clock().advanceMs(minuteMs);
          return Reflect.apply(value, target, args);
        };
      },
    });
    const dropped = await table.round({ limit }, {}, { world: { ...world, store: slow }, exports });
    expect(dropped).toMatchObject({ state: 'waiting', waitingFor: 'time-budget', error: null });
    expect(dropped.merges.filter(({ action }) => action === 'applied')).toEqual([]);
    const done = await table.round();
    expect(done.merges).toMatchObject([{ action: 'applied' }]);
    expect(await table.faults(done.watermark!)).toEqual([]);
  });
});

it('reads no list of exports while no window can have ended, whatever the order of the list', async () => {
  const table = await here.table();
  // Between two edges of the grain, whatever the tests before did to the clock.
  clock().advanceMs(hourMs - (clock().nowMs() % hourMs) + 6 * minuteMs);
  await table.untilFresh();
  let listed = 0;
  const oldestFirst = (): Runner => {
    const runner = table.runner();
    const exports = new Proxy(runner.exports, {
      get: (target, name) => {
        if (name === 'listExports') {
          return async function* sorted(tableArn: string) {
            const all: ListedExport[] = [];
            for await (const one of target.listExports(tableArn)) all.push(one);
            all.sort((a, b) => (a.exportArn < b.exportArn ? -1 : 1));
            for (const one of all) {
              listed += 1;
              yield one;
            }
          };
        }
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    return { ...runner, exports };
  };
  for (let i = 0; i < 3; i++) {
    expect(await table.round({}, {}, oldestFirst())).toMatchObject({ state: 'fresh' });
    clock().advanceMs(minuteMs);
  }
  expect(listed).toBe(0);
  await table.hour(1);
  expect(await table.round({}, {}, oldestFirst())).toMatchObject({ state: 'waiting', running: 1 });
  clock().advanceMs(11 * minuteMs);
  const merged = await table.round({}, {}, oldestFirst());
  expect(merged).toMatchObject({ state: 'fresh', merges: [{ action: 'applied' }] });
  expect(listed).toBeGreaterThan(0);
  expect(await table.faults(merged.watermark!)).toEqual([]);
});
