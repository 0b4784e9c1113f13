// The handler's job against the simulator: the real SDK over HTTP, ticks of a virtual clock, the log as CloudWatch would get it.
// Promises: what is expected of the lake is the simulated table's own past; what is expected of log and metrics is written by hand.
// Source: docs/how-to/hourly-job.md; failures A8 and A16 of the design's catalogue.

import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createWorld } from '../../pipeline/cli/create-world.js';
import { openTableExports } from '../../pipeline/cli/open-table-exports.js';
import type { Invocation } from '../../pipeline/cli/runner/job-log.js';
import { type JobResult, type JobWorld, runJob } from '../../pipeline/cli/runner/run-job.js';
import type { ObjectStore } from '../../pipeline/ports.js';
import { ScheduledWorld } from '../schedule/scheduled-table.js';
import { minuteMs } from '../simulator/aws/running-dynamodb.js';

let world: ScheduledWorld;
let lines: string[];

beforeAll(async () => {
  world = await ScheduledWorld.start();
  vi.stubEnv('AWS_ENDPOINT_URL', world.aws.simulator.url);
});
beforeEach(() => {
  lines = [];
  const keep = (text: unknown): boolean => {
    const all = String(text).split('\n');
    lines.push(...all.filter((line) => line !== ''));
    return true;
  };
  // Lambda's log has both streams.
  vi.spyOn(process.stdout, 'write').mockImplementation(keep);
  vi.spyOn(process.stderr, 'write').mockImplementation(keep);
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  vi.unstubAllEnvs();
  await world.close();
});

const configurationOf = (...names: readonly string[]): string =>
  JSON.stringify({
    lake: 's3://lake/lake',
    database: 'lake',
    catalog: 'files',
    exports: { bucket: 'exports', prefix: 'raw' },
    tables: names.map((name) => ({ name })),
  });

interface Tick {
  readonly config: string;
  readonly leftMs?: number;
  readonly store?: (store: ObjectStore) => ObjectStore;
  /** Time until the first round can begin. */
  readonly openingMs?: number;
}

/** One invocation, as Lambda makes it. */
function tick({
  config,
  leftMs = 900_000,
  store = (one) => one,
  openingMs = 0,
}: Tick): Promise<JobResult> {
  const { clock } = world.aws;
  const endMs = clock.nowMs() + leftMs;
  const invocation: Invocation = {
    awsRequestId: '0000-1111',
    functionName: 'job',
    functionVersion: '$LATEST',
    invokedFunctionArn: 'arn:aws:lambda:eu-west-1:123456789012:function:job',
    memoryLimitInMB: '3008',
    getRemainingTimeInMillis: () => endMs - clock.nowMs(),
  };
  const around: JobWorld = {
    env: { TIDELAKE_CONFIG: config, POWERTOOLS_SERVICE_NAME: 'shop' },
    clock: {
      nowMs: () => clock.nowMs(),
      // Pauses between tries take no time; the end of the run comes when the test moves the clock.
      sleep: (ms) => (ms < minuteMs ? Promise.resolve() : new Promise(() => {})),
    },
    processors: 1,
    write: (text) => process.stdout.write(text),
    loadApi: () => import('../../pipeline/index.js'),
    createWorld: async (options) => {
      const made = await createWorld(options);
      clock.advanceMs(openingMs);
      return { ...made, store: store(made.store) };
    },
    openTableExports,
  };
  return runJob(invocation, around);
}

const parsed = (): readonly Record<string, unknown>[] =>
  lines.map((line) => JSON.parse(line) as Record<string, unknown>);
const metrics = () => parsed().filter((one) => '_aws' in one);
const logged = () => parsed().filter((one) => !('_aws' in one));
const ofTable = (table: string) => logged().filter((one) => one.table === table);

describe('a tick', () => {
  it('after a tick brings a new table into the lake and keeps it there, hour by hour', async () => {
    const table = await world.table();
    const config = configurationOf(table.name);
    const first = await tick({ config });
    expect(first).toEqual({ tables: 1, fresh: 0, late: 0, refused: 0, failed: 0 });
    const name = table.job.target.table;
    expect(ofTable(name)).toMatchObject([
      {
        level: 'INFO',
        outcome: 'waiting',
        exports_loaded: 0,
        exports_running: 1,
        partitions_compacted: 0,
        snapshots_expired: 0,
      },
    ]);
    // Nobody knows how old a table is that is not there, and nobody makes a number up.
    expect(lines.join()).not.toContain('LagSeconds');
    world.aws.clock.advanceMs(30 * minuteMs);
    await tick({ config });
    expect(ofTable(name).at(-1)).toMatchObject({ exports_loaded: 1 });
    let last = first;
    for (let h = 0; h < 2; h++) {
      await table.hour(h);
      for (let n = 0; n < 3; n++) {
        last = await tick({ config });
        world.aws.clock.advanceMs(10 * minuteMs);
      }
    }
    expect(last).toMatchObject({ tables: 1, late: 0, refused: 0, failed: 0 });
    const { watermark } = ofTable(name).at(-1) as { watermark: string };
    expect(await table.faults(watermark)).toEqual([]);
    const merged = metrics().reduce((sum, one) => sum + Number(one.WindowsMerged ?? 0), 0);
    expect(merged).toBeGreaterThanOrEqual(2);
  });

  it('prints metrics of each table and of the run, and no line has content of items', async () => {
    const table = await world.table();
    const config = configurationOf(table.name);
    await tick({ config });
    world.aws.clock.advanceMs(30 * minuteMs);
    await tick({ config });
    const [, , ofOne, ofRun] = metrics();
    expect(ofOne).toMatchObject({
      _aws: {
        CloudWatchMetrics: [{ Namespace: 'Tidelake', Dimensions: [['service', 'table']] }],
      },
      service: 'shop',
      table: table.job.target.table,
      ExportsLoaded: 1,
      Refused: 0,
      Failed: 0,
    });
    expect(Number(ofOne!.LagSeconds)).toBeGreaterThan(0);
    expect(ofRun).toMatchObject({
      _aws: { CloudWatchMetrics: [{ Namespace: 'Tidelake', Dimensions: [['service']] }] },
      service: 'shop',
      Tables: 1,
      TablesRefused: 0,
      LagSeconds: ofOne!.LagSeconds,
    });
    expect(logged().every((one) => one.service === 'shop')).toBe(true);
    expect(logged().every((one) => one.request_id === '0000-1111')).toBe(true);
    expect(lines.join('\n')).not.toMatch(/client \d|first|note|price/);
  });
});

describe('a deadline in the middle of a load', () => {
  it('drops the work, says so, and the next tick does it', async () => {
    const table = await world.table();
    const config = configurationOf(table.name);
    const name = table.job.target.table;
    await tick({ config });
    world.aws.clock.advanceMs(30 * minuteMs);
    const slow = (store: ObjectStore): ObjectStore =>
      new Proxy(store, {
        get: (target, key) => {
          const value: unknown = Reflect.get(target, key);
          if (typeof value !== 'function') return value;
          return (uri: string, ...rest: unknown[]): unknown => {
            // Reading the export takes all the time there is.
            if (key === 'stream' && /\.json\.gz$/.test(uri))
              world.aws.clock.advanceMs(15 * minuteMs);
            return (value as (...args: unknown[]) => unknown).call(target, uri, ...rest);
          };
        },
      });
    expect(await tick({ config, store: slow })).toMatchObject({ tables: 1, fresh: 0, refused: 0 });
    expect(ofTable(name).at(-1)).toMatchObject({ outcome: 'waiting', exports_loaded: 0 });
    expect(await table.lake.items().catch(() => 'none')).toBe('none');
    await tick({ config });
    const { watermark } = ofTable(name).at(-1) as { watermark: string };
    expect(await table.faults(watermark)).toEqual([]);
  });
});

describe('a deadline that is near when the first round begins', () => {
  it.each([
    ['since reading took long', { leftMs: 900_000, openingMs: 875_000 }],
    ['since the invocation is short', { leftMs: 25_000 }],
  ])('lets no commit start, %s', async (_, slow) => {
    const table = await world.table();
    const config = configurationOf(table.name);
    const name = table.job.target.table;
    await tick({ config });
    world.aws.clock.advanceMs(30 * minuteMs);
    // 20 seconds are kept for commits on their way and 5 for the answer: none of the 25 is left.
    expect(await tick({ config, ...slow })).toMatchObject({ tables: 1, refused: 0, failed: 0 });
    expect(ofTable(name).at(-1)).toMatchObject({
      outcome: 'waiting',
      waiting_for: 'time-budget',
      exports_loaded: 0,
    });
    expect(await table.lake.items().catch(() => 'none')).toBe('none');
    await tick({ config });
    expect(ofTable(name).at(-1)).toMatchObject({ exports_loaded: 1 });
  });
});

describe('two ticks at once', () => {
  it('ask for nothing twice and merge nothing twice', async () => {
    const table = await world.table();
    const config = configurationOf(table.name);
    const both = () => Promise.all([tick({ config }), tick({ config })]);
    await both();
    world.aws.clock.advanceMs(30 * minuteMs);
    await both();
    await table.hour(0);
    for (let n = 0; n < 3; n++) {
      const results = await both();
      expect(results.map(({ refused }) => refused)).toEqual([0, 0]);
      world.aws.clock.advanceMs(15 * minuteMs);
    }
    const merged = metrics().reduce((sum, one) => sum + Number(one.WindowsMerged ?? 0), 0);
    expect(merged).toBeGreaterThan(0);
    const { watermark } = ofTable(table.job.target.table).at(-1) as { watermark: string };
    expect(await table.faults(watermark)).toEqual([]);
  });
});

describe('a table in trouble', () => {
  it('is named with its command, is a metric, and neither fails the job nor stops another', async () => {
    const good = await world.table();
    const bad = await world.table();
    await world.aws.recovery(bad.name, false);
    const config = configurationOf(good.name, bad.name, 'no-such-table');
    expect(await tick({ config })).toMatchObject({ tables: 3, refused: 2, failed: 0 });
    expect(ofTable(bad.job.target.table)).toMatchObject([
      {
        level: 'WARN',
        outcome: 'refused',
        code: 'REFUSED_PITR_OFF',
        next: expect.stringContaining('update-continuous-backups'),
      },
    ]);
    expect(ofTable('no_such_table')).toMatchObject([{ code: 'REFUSED_NO_TABLE' }]);
    expect(ofTable(good.job.target.table)).toMatchObject([{ level: 'INFO', outcome: 'waiting' }]);
    expect(metrics().at(-1)).toMatchObject({ Tables: 3, TablesRefused: 2, TablesFailed: 0 });
  });
});

describe('a job that cannot run', () => {
  it.each([
    ['no configuration at its place', 's3://exports/nowhere.json', /^USAGE {2}.*nowhere/],
    ['no bucket at its place', 's3://no-such-bucket/a.json', /^[A-Z_]+ {2}/],
    ['no file', '/nowhere/tidelake.config.json', /^USAGE {2}/],
    ['a wrong setting', '{"lake":"s3://lake/lake","tabels":[]}', /^USAGE {2}.*tabels/],
  ])('fails for %s, and says so in its log', async (_, config, message) => {
    await expect(tick({ config })).rejects.toThrow(message);
    expect(logged().at(-1)).toMatchObject({ level: 'ERROR', message: 'the job could not run' });
    expect(metrics()).toEqual([]);
  });
});

describe('the configuration', () => {
  it('may be an object in S3', async () => {
    const table = await world.table();
    await world.aws.s3.send(
      new PutObjectCommand({
        Bucket: 'exports',
        Key: 'tidelake.config.json',
        Body: configurationOf(table.name),
      }),
    );
    const result = await tick({ config: 's3://exports/tidelake.config.json' });
    expect(result).toMatchObject({ tables: 1, refused: 0, failed: 0 });
  });
});
