// plan, run and export behind a gate that lets through what their policies allow: nothing is missing, and nothing is idle.
// Promises: the gate judges each HTTP request of the real SDK; the policies are those that `tidelake infra policy` prints.
// Source: pipeline/aws/permissions.ts; docs/reference/permissions.md.

import { ConfiguredRetryStrategy } from '@smithy/core/retry';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AwsClients, createAwsClients } from '../../pipeline/aws/clients.js';
import { DynamoDbTableExports } from '../../pipeline/aws/dynamodb-table-exports.js';
import type { CommandName } from '../../pipeline/aws/permissions.js';
import { type PolicyPlaces, policyOf } from '../../pipeline/aws/policy.js';
import { S3Store } from '../../pipeline/aws/s3-store.js';
import { askExport } from '../../pipeline/schedule/ask-export.js';
import { configuredTables } from '../../pipeline/schedule/configured-tables.js';
import { planRound } from '../../pipeline/schedule/plan-round.js';
import { runRound } from '../../pipeline/schedule/run-round.js';
import { usualUpkeep } from '../../pipeline/upkeep/upkeep-due.js';
import { worldOver } from '../scenarios/story-world.js';
import { type Runner, type ScheduledTable, ScheduledWorld } from '../schedule/scheduled-table.js';
import { arnOf, hourMs, minuteMs } from '../simulator/aws/running-dynamodb.js';
import { account, PolicyGate, region } from './policy-gate.js';

let here: ScheduledWorld;
let gate: PolicyGate;
let clients: AwsClients;
let table: ScheduledTable;
let runner: Runner;

beforeAll(async () => {
  here = await ScheduledWorld.start();
  table = await here.table();
  gate = await PolicyGate.open(here.aws.simulator.url);
  clients = createAwsClients({ endpoint: gate.url });
  (await clients.s3()).config.retryStrategy = async () => new ConfiguredRetryStrategy(1, () => 0);
  const store = new S3Store({ client: () => clients.s3(), wait: async () => {} });
  const { clock } = here.aws;
  runner = {
    world: {
      ...worldOver(store, { seed: 'gate' }),
      clock: { nowMs: () => clock.nowMs(), sleep: async (ms) => clock.advanceMs(ms) },
    },
    exports: new DynamoDbTableExports(clients),
  };
});
afterAll(async () => {
  clients.close();
  await gate.close();
  await here.close();
});

const places = (): PolicyPlaces => ({
  partition: 'aws',
  region,
  account,
  tableArns: [arnOf(table.name)],
  exports: { bucket: 'exports', prefix: 'raw' },
  lake: { bucket: 'lake', prefix: 'lake' },
});

/** What DynamoDB does with the rights of whoever asks passes no gate; the rest only a failure does. */
const unseen = ['s3:AbortMultipartUpload', 's3:PutObjectAcl'];

/** Runs `work` under the policy of a command, of which nothing may be idle, and those of others. */
async function under<T>(
  name: CommandName,
  work: () => Promise<T>,
  others: readonly CommandName[] = [],
): Promise<T> {
  const { Statement: statements } = policyOf(name, places());
  gate.use([...statements, ...others.flatMap((one) => policyOf(one, places()).Statement)]);
  const result = await work();
  expect(gate.denied).toEqual([]);
  const used = new Set(
    gate.allowed.map(({ action, resource }) => `${action} ${bucketOf(resource)}`),
  );
  const idle = statements
    .filter(({ Effect }) => Effect === 'Allow')
    .flatMap(({ Action, Resource, Sid }) =>
      Action.filter((action) => !unseen.includes(action)).map((action) => ({
        Sid,
        call: `${action} ${bucketOf(Resource[0]!)}`,
      })),
    )
    .filter(({ Sid, call }) => !used.has(call) && !(Sid === 'ExportFiles' && /Put/.test(call)));
  expect(idle).toEqual([]);
  gate.use(null);
  return result;
}

function bucketOf(resource: string): string {
  return /^arn:aws:s3:::([^/]+)/.exec(resource)?.[1] ?? '';
}

describe('under its own policy', () => {
  it('run brings a table in and keeps it fresh', async () => {
    const reports = await under('run', async () => {
      const done = [];
      for (let i = 0; i < 6; i++) {
        done.push(await runRound(runner.world, runner.exports, table.job));
        if (i % 2 === 0) here.aws.clock.advanceMs(11 * minuteMs);
        else await table.hour(i);
      }
      return done;
    });
    expect(reports.map(({ error }) => error)).toEqual(reports.map(() => null));
    expect(reports.some(({ merges }) => merges.length > 0)).toBe(true);
  });

  it('run with upkeep lets old snapshots go, with one right more', async () => {
    const soon = usualUpkeep({ keepMs: 0, keepSnapshots: 1, graceMs: 0 });
    const upkeep = { ...soon, expiredMin: 1, smallFilesMin: 1 };
    const report = await under('upkeep', async () => {
      for (let i = 0; i < 4; i++) {
        const last = await runRound(runner.world, runner.exports, table.job, { upkeep });
        if (last.merges.length > 0) return last;
        await table.hour(i);
      }
      throw new Error('no window came');
    }, ['run']);
    expect(report).toMatchObject({
      error: null,
      upkeep: { compacted: [{ action: 'compacted' }], expired: { unremoved: 0 }, error: null },
    });
    expect(report.upkeep!.expired!.expiredSnapshots).toBeGreaterThan(0);
  });

  it('plan says what would be done', async () => {
    await table.round();
    here.aws.clock.advanceMs(hourMs);
    // After so long the folder of a window is read before it is asked for.
    here.aws.clock.advanceMs(9 * hourMs);
    const plan = await under('plan', () => planRound(runner.world, runner.exports, table.job));
    expect(plan).toMatchObject({ error: null, state: 'waiting' });
  });

  it('the tables of a configuration are found by prefix and by tag', async () => {
    const found = await under('find-tables', () =>
      configuredTables(
        {
          exports: { bucket: 'exports' },
          tables: [{ prefix: table.name }, { tag: { lake: 'yes' } }],
        },
        async () => runner.exports,
        { lake: 's3://lake/lake', database: 'lake', region },
      ),
    );
    expect(found.refused).toEqual([]);
    expect(found.jobs.map(({ source }) => source)).toContain(table.name);
  });

  it('export asks for one, and finds it again', async () => {
    const atMs = Math.floor((here.aws.clock.nowMs() - hourMs) / 1000) * 1000;
    const asked = { of: 'instant', atMs } as const;
    const reports = await under('export', async () => [
      await askExport(runner.world, runner.exports, table.job, { asked, isWaiting: true }),
      await askExport(runner.world, runner.exports, table.job, { asked, isWaiting: false }),
    ]);
    expect(reports.map(({ action, state }) => `${action} ${state}`)).toEqual([
      'requested COMPLETED',
      'known COMPLETED',
    ]);
  });
});

it('without a right, run names the action and the resource, and a person is told', async () => {
  const { Statement: statements } = policyOf('run', places());
  for (const action of ['dynamodb:DescribeTable', 'dynamodb:ListExports', 's3:ListBucket']) {
    gate.use(
      statements.map((one) => ({ ...one, Action: one.Action.filter((each) => each !== action) })),
    );
    const report = await runRound(runner.world, runner.exports, table.job);
    expect(report).toMatchObject({
      state: 'failed',
      error: { code: 'DENIED', what: expect.stringContaining(action) },
    });
  }
  gate.use(null);
});
