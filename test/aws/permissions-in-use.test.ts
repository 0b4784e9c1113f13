// Every command behind a gate that lets through what its policy allows: no call is missing from the table of calls, and
// none stands there that nobody makes.
// Promises: the gate judges each HTTP request of the real SDK; the policies are those that `tidelake infra policy` prints.
// Source: pipeline/aws/permissions.ts; docs/reference/permissions.md.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type AwsClients, createAwsClients } from '../../pipeline/aws/clients.js';
import type { CommandName } from '../../pipeline/aws/permissions.js';
import { type PolicyPlaces, policyOf } from '../../pipeline/aws/policy.js';
import { S3Store } from '../../pipeline/aws/s3-store.js';
import { log, query, schema, setColumnType, status, unload, verify } from '../../pipeline/index.js';
import { type Simulator, startSimulator } from '../../pipeline/local/simulator-server.js';
import { expectedItems, StoryLake, worldOver } from '../scenarios/story-world.js';
import { hour, Tale } from '../scenarios/tale.js';
import { account, PolicyGate, region } from './policy-gate.js';

const root = 's3://shop-data';
const places: PolicyPlaces = {
  partition: 'aws',
  region,
  account,
  exports: { bucket: 'shop-data', prefix: 'exports' },
  lake: { bucket: 'shop-data', prefix: 'lake' },
  out: { bucket: 'shop-data', prefix: 'out' },
};

let folder: string;
let simulator: Simulator;
let gate: PolicyGate;
let clients: AwsClients;
let lake: StoryLake;
let tale: Tale;
let windows: readonly string[];
let full: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidelake-gate-'));
  simulator = await startSimulator({ dir: join(folder, 'state'), port: 0 });
  gate = await PolicyGate.open(simulator.url);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  clients = createAwsClients({ region, endpoint: gate.url });
  const { CreateBucketCommand } = await import('@aws-sdk/client-s3');
  await (await clients.s3()).send(new CreateBucketCommand({ Bucket: 'shop-data' }));
  const store = new S3Store({ client: () => clients.s3() });
  lake = new StoryLake(worldOver(store, { spillFolder: join(folder, 'spill') }), root);
  tale = new Tale(lake);
  for (let n = 0; n < 6; n++) tale.put(-1, { pk: { S: `k${n}` }, n: { N: `${n}` } });
  for (let h = 0; h < 3; h++) tale.put(h, { pk: { S: `k${h}` }, n: { N: '100' } });
  full = await tale.full(0);
  windows = [await tale.window(0), await tale.window(1), await tale.window(2)];
});

afterEach(() => gate.use(null));

afterAll(async () => {
  clients.close();
  await gate.close();
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Calls that only failures make. */
const afterFailures = ['s3:AbortMultipartUpload'];

/** Runs a command under its own policy. It must get through, and use all that it is given. */
async function under<T>(name: CommandName, work: () => Promise<T>): Promise<T> {
  gate.use(policyOf(name, places).Statement);
  const result = await work();
  expect(gate.denied).toEqual([]);
  const used = new Set(gate.allowed.map(({ action }) => action));
  const given = policyOf(name, places).Statement.filter(({ Effect }) => Effect === 'Allow');
  const idle = given.flatMap(({ Action }) => Action).filter((action) => !used.has(action));
  expect(idle.filter((action) => !afterFailures.includes(action))).toEqual([]);
  return result;
}

async function all<T>(rows: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const row of rows) found.push(row);
  return found;
}

describe('without one of its rights', () => {
  const { Statement: statements } = policyOf('load', places);
  const each = statements
    .filter(({ Effect }) => Effect === 'Allow')
    .flatMap(({ Sid, Action }) => Action.map((action): [string, string] => [action, Sid]))
    .filter(([action]) => !afterFailures.includes(action));

  it.each(each)(
    'load names %s when it is taken from %s, and makes no table',
    async (action, sid) => {
      gate.use(
        statements.map((one) =>
          one.Sid === sid
            ? { ...one, Action: one.Action.filter((other) => other !== action) }
            : one,
        ),
      );
      const error: unknown = await lake
        .load(full, { key: ['pk'] })
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'DENIED', what: expect.stringContaining(action) });
      gate.use(null);
      expect(await lake.snapshots()).toBe(0);
    },
  );
});

describe('under its own policy', () => {
  it('load makes a table', async () => {
    const report = await under('load', () => lake.load(full, { key: ['pk'] }));
    expect(report).toMatchObject({ action: 'loaded', rows: 6 });
  });

  it('merge brings windows in', async () => {
    const reports = await under('merge', () => lake.merge(windows));
    expect(reports.map(({ action }) => action)).toEqual(['applied', 'applied', 'applied']);
  });

  it('schema set retypes a column', async () => {
    await under('schema-set', () =>
      setColumnType(lake.world, {
        ...lake.target,
        table: 'tale',
        column: 'n',
        type: 'decimal(38,2)',
      }),
    );
  });

  it('status, log and schema tell of the table', async () => {
    const { world, target } = lake;
    expect(await under('status', () => status(world, target))).toHaveLength(1);
    expect(await under('log', () => log(world, target))).toHaveLength(5);
    expect(await under('schema', () => schema(world, target))).not.toHaveLength(0);
  });

  it('verify finds every promise kept', async () => {
    const reports = await under('verify', async () => await verify(lake.world, lake.target));
    expect(reports.every(({ ok }) => ok)).toBe(true);
  });

  it('query answers', async () => {
    const rows = await under('query', async () => {
      const answer = await query(lake.world, { ...lake.target, sql: 'select sum(n) from tale' });
      return await all(answer.rows);
    });
    expect(rows.flat().map(String)).toEqual(['312.00']);
  });

  it('unload gives the table back', async () => {
    const outUri = `${root}/out`;
    await under('unload', () => unload(lake.world, { ...lake.target, outUri }));
    gate.use(null);
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(3)));
  });
});
