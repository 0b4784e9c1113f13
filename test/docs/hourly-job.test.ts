// docs/how-to/hourly-job.md against what it describes: settings, metrics, alarms, codes; and its commands, run over the simulator.
// Promises: a metric, setting or alarm that is new or gone fails here until the page says so; no command of the page is only
// written down.
// Source: infra/runner-settings.ts, pipeline/reporting/run-metrics.ts, pipeline/cli/routes.ts.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateDatabaseCommand } from '@aws-sdk/client-glue';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runnerDefaults } from '../../infra/runner-settings.js';
import { createAwsClients } from '../../pipeline/aws/clients.js';
import {
  runMetrics,
  type TableOutcome,
  tableMetrics,
} from '../../pipeline/reporting/run-metrics.js';
import { awsEnvironment } from '../aws/simulated-s3.js';
import { synthesize } from '../infra/stack.js';
import { type Ran, reportsIn, runHere } from '../scenarios/command-here.js';
import { minuteMs, RunningDynamoDb } from '../simulator/aws/running-dynamodb.js';

const page = readFileSync(
  path.resolve(import.meta.dirname, '../../docs/how-to/hourly-job.md'),
  'utf8',
);
const section = (title: string): string =>
  new RegExp(`^##+ ${title}\\n([\\s\\S]*?)(?=^## )`, 'm').exec(page)![1]!;
/** Names in backticks in the first cells of the rows of tables. */
const firstCells = (text: string): string[] =>
  [...text.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([^`]+)`/g)].map((found) => found[1]!),
  );

describe('docs/how-to/hourly-job.md', () => {
  it('has every setting of the job with its default', () => {
    const rows = [...section('On AWS').matchAll(/^\| (`[^|]+`) \|([^|]*)\|/gm)];
    const defaults = new Map<string, string>();
    for (const [, names, values] of rows) {
      const split = values!.split(',').map((value) => value.trim().replaceAll('`', ''));
      const found = [...names!.matchAll(/`([^`]+)`/g)].map((one) => one[1]!);
      for (const [n, name] of found.entries()) defaults.set(name, split[n] ?? '');
    }
    const known = Object.entries(runnerDefaults);
    expect([...defaults.keys()].sort()).toEqual(
      ['image', 'email', 'config', ...known.map(([name]) => name)].sort(),
    );
    for (const [name, value] of known) {
      const said = Array.isArray(value) && value.length === 0 ? 'none' : `${value}`;
      expect([name, defaults.get(name)]).toEqual([name, said]);
    }
  });

  it('has every metric', () => {
    const outcome: TableOutcome = {
      table: 'orders',
      isLate: false,
      isRefused: false,
      isFailed: false,
      lagMs: 0,
      windowsMerged: 0,
      exportsLoaded: 0,
      rowsChanged: 0,
      exportsRequested: 0,
      exportsRunning: 0,
    };
    const text = section('Metrics');
    const ofTable = tableMetrics(outcome).map(({ name }) => name);
    expect(firstCells(text).sort()).toEqual(ofTable.sort());
    const ofRun = runMetrics([outcome], 0).map(({ name }) => name);
    expect(
      ofRun.filter((name) => !text.split('With `service` alone')[1]!.includes(`\`${name}\``)),
    ).toEqual([]);
  });

  it('has every alarm', () => {
    const image = '123456789012.dkr.ecr.eu-west-1.amazonaws.com/tidelake:1';
    vi.stubEnv('CDK_VALIDATION', 'false');
    const stack = synthesize({ runner: { ...runnerDefaults, image, lakeTables: ['x'] } });
    const ids = Object.entries(stack.resources)
      .filter(([, one]) => one.Type === 'AWS::CloudWatch::Alarm')
      .map(([id]) => /^LakeJob(Stale|Refused|Failed|Broken|Unticked)/.exec(id)![1]!);
    const told = [...section('Alarms').matchAll(/^\| (\w+) \| [^-]/gm)].map((found) => found[1]!);
    expect(told.filter((name) => name !== 'alarm').sort()).toEqual(ids.sort());
  });

  it('names refusals that there are', () => {
    const errors = readFileSync(
      path.resolve(import.meta.dirname, '../../docs/reference/errors.md'),
      'utf8',
    );
    const codes = firstCells(section('When a table is refused'));
    expect(codes.length).toBeGreaterThan(8);
    expect(codes.filter((code) => !errors.includes(`| \`${code}\` |`))).toEqual([]);
  });
});

describe('its commands on a host', () => {
  let aws: RunningDynamoDb;
  let folder: string;
  beforeAll(async () => {
    Object.assign(process.env, awsEnvironment);
    aws = await RunningDynamoDb.start();
    vi.stubEnv('AWS_ENDPOINT_URL', aws.simulator.url);
    folder = mkdtempSync(path.join(tmpdir(), 'tidelake-hourly-'));
    writeFileSync(
      path.join(folder, 'tidelake.config.json'),
      /```json\n([\s\S]*?)```/.exec(page)![1]!,
    );
    for (const Bucket of ['shop-exports', 'shop-lake']) {
      await aws.s3.send(new CreateBucketCommand({ Bucket }));
    }
    const clients = createAwsClients({});
    await (await clients.glue()).send(
      new CreateDatabaseCommand({ DatabaseInput: { Name: 'shop' } }),
    );
    clients.close();
    await aws.table({ TableName: 'orders' });
    await aws.recovery('orders', true);
    aws.clock.advanceMs(70 * minuteMs);
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await aws.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const run = (command: string): Promise<Ran> =>
    runHere(folder, command.split(/\s+/).slice(1), {
      nowMs: () => aws.clock.nowMs(),
      sleep: async () => {},
    });

  it('plan, ask, load and merge as the page says', async () => {
    const host = `${section('What it needs')}${section('On a host, with cron')}`;
    const commands = [...host.matchAll(/^tidelake [^\n]+/gm)].map(([command]) => command);
    expect(commands).toEqual(['tidelake plan', 'tidelake run']);
    for (const command of commands) {
      expect([command, await run(command)]).toMatchObject([command, { exitCode: 0 }]);
    }
    aws.clock.advanceMs(30 * minuteMs);
    const cron = /&& (tidelake run [^>\n]+) >>/.exec(host)![1]!.trim();
    expect(await run(cron)).toMatchObject({ exitCode: 0 });
    // The rest of the hour, and the export of its window.
    for (const minutes of [60, 30]) {
      aws.clock.advanceMs(minutes * minuteMs);
      expect(await run('tidelake run')).toMatchObject({ exitCode: 0 });
    }
    const last = await run('tidelake run --json --metrics emf');
    const reports = reportsIn(last.out);
    expect(reports.filter((one) => '_aws' in one)).toHaveLength(2);
    expect(reports[0]).toMatchObject({ service: 'tidelake', table: 'orders', Refused: 0 });
    expect(reports.find((one) => one.state !== undefined)).toMatchObject({
      table: 'orders',
      epoch: 1,
      late: false,
    });
  });
});
