// From buckets to Athena queries, by the command: a table loaded to S3 and Glue, the saved queries pushed to a workgroup,
// asked there by name, by EXECUTE and as of a time. Promises: the answers are the simulated table's, made a second time
// from its seed. Source: docs/how-to/athena.md, which tells the same way.

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateWorkGroupCommand } from '@aws-sdk/client-athena';
import { CreateDatabaseCommand } from '@aws-sdk/client-glue';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AthenaEngine } from '../../pipeline/aws/athena-engine.js';
import { AthenaShelf } from '../../pipeline/aws/athena-shelf.js';
import { type AwsClients, createAwsClients } from '../../pipeline/aws/clients.js';
import type { CliContext } from '../../pipeline/cli/context.js';
import { createWorld } from '../../pipeline/cli/create-world.js';
import { openStore } from '../../pipeline/cli/open-store.js';
import { runTidelake } from '../../pipeline/cli/run.js';
import { startSimulatorWithSql } from '../../pipeline/cli/simulator-sql.js';
import type { Simulator } from '../../pipeline/local/simulator-server.js';
import type { PushRow } from '../../pipeline/reports.js';
import { type Story, simulate, storyStartMs } from '../../pipeline/simulator/index.js';
import { awsEnvironment } from '../aws/simulated-s3.js';
import { RememberingOutput } from '../cli/stub-context.js';

let folder: string;
let simulator: Simulator;
let clients: AwsClients;
let story: Story;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'tidelake-athena-'));
  simulator = await startSimulatorWithSql({
    dir: path.join(folder, 'aws'),
    port: 0,
    buckets: ['raw', 'lake', 'results'],
  });
  Object.assign(process.env, awsEnvironment, { AWS_ENDPOINT_URL: simulator.url });
  clients = createAwsClients({});
  story = await simulate({
    store: openStore({ aws: {} }),
    outUri: 's3://raw/exports',
    dataset: 'mystore',
    items: 60,
    windows: 1,
    seed: 3,
    view: 'NEW_AND_OLD_IMAGES',
    files: 1,
  });
  const glue = await clients.glue();
  await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: 'shop' } }));
  const athena = await clients.athena();
  const ResultConfiguration = { OutputLocation: 's3://results/athena/' };
  await athena.send(
    new CreateWorkGroupCommand({ Name: 'analysts', Configuration: { ResultConfiguration } }),
  );
});
afterAll(async () => {
  delete process.env.AWS_ENDPOINT_URL;
  clients.close();
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

async function run(...args: string[]): Promise<string> {
  const out = new RememberingOutput();
  const err = new RememberingOutput();
  const unused = async (): Promise<never> => {
    throw new Error('not for this test');
  };
  const context: CliContext = {
    process: { stdout: out, stderr: err, env: {} },
    out,
    err,
    folder,
    clock: { nowMs: () => Date.UTC(2026, 10, 20, 12), sleep: async () => {} },
    processors: 1,
    loadApi: () => import('../../pipeline/index.js'),
    loadSimulator: unused,
    startSimulator: unused,
    createWorld,
    // As the command opens it, but for waits, which take no time.
    openTableExports: () => Promise.reject(new Error('no DynamoDB is asked for')),
    onStop: () => () => {},
    openAthena: async ({ workgroup }) => {
      const client = await clients.athena();
      // Long enough for DuckDB, which shares this process, to get on.
      const sleep = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));
      const sql = new AthenaEngine({
        client,
        workgroup,
        token: randomUUID,
        sleep,
        random: () => 1,
      });
      return { sql, shelf: new AthenaShelf(client, workgroup) };
    },
    onInterrupt: () => () => {},
  };
  const exitCode = await runTidelake(
    [...args, '--lake', 's3://lake/shop', '--database', 'shop', '--threads', '1'],
    context,
  );
  expect(err.text).not.toMatch(/^error/m);
  expect(exitCode).toBe(0);
  return out.text;
}

const inAthena = ['--engine', 'athena', '--workgroup', 'analysts', '--json'];
const jsonLines = <T>(text: string): readonly T[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);

function ordersByStatus(ms: number): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const item of story.table.itemsAt(ms * 1000)) {
    const status = (item.get('status') as { S: string }).S;
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}
const countsIn = (text: string): Readonly<Record<string, number>> =>
  Object.fromEntries(
    jsonLines<{ status: string; orders: number }>(text).map((row) => [row.status, row.orders]),
  );

it('leads from exports in a bucket to answers in Athena', async () => {
  const endMs = story.windows[0]!.toMs;
  await run('load', story.full, '--key', 'clientid,created', '--table', 'mystore');
  await run('merge', 's3://raw/exports', '--table', 'mystore');
  expect(await run('queries', 'push', '--workgroup', 'analysts')).toContain(
    'create  saved query mystore/orders-by-status\n',
  );
  const again = jsonLines<PushRow>(
    await run('queries', 'push', '--workgroup', 'analysts', '--json'),
  );
  expect(new Set(again.map((row) => row.action))).toEqual(new Set(['keep', 'skip']));

  expect(countsIn(await run('query', 'orders-by-status', ...inAthena))).toEqual(
    ordersByStatus(endMs),
  );
  const then = ['--as-of', new Date(storyStartMs).toISOString()];
  expect(countsIn(await run('query', 'orders-by-status', ...inAthena, ...then))).toEqual(
    ordersByStatus(storyStartMs),
  );
  expect(ordersByStatus(storyStartMs)).not.toEqual(ordersByStatus(endMs));

  const [window] = jsonLines<{ window_to: string }>(await run('query', 'last-window', ...inAthena));
  expect(window!.window_to).toBe(new Date(endMs).toISOString());

  const sql = 'SELECT status, count(*) AS orders FROM mystore WHERE status = :status GROUP BY 1';
  const one = await run('query', sql, ...inAthena, '--param', 'status=DELIVERED');
  expect(countsIn(one)).toEqual({ DELIVERED: ordersByStatus(endMs).DELIVERED });
  const hostile = await run('query', sql, ...inAthena, '--param', "status=' OR 1=1 --");
  expect(hostile).toBe('');
  const executed = await run(
    'query',
    "EXECUTE mystore_order_lines USING 'CANCELLED', BIGINT '3'",
    ...inAthena,
  );
  expect(jsonLines(executed).length).toBeLessThanOrEqual(3);
});
