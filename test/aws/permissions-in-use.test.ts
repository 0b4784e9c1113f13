// Every command behind a gate that lets through what its policy allows: no call is missing from the table of calls, and
// none stands there that nobody makes.
// Promises: the gate judges each HTTP request of the real SDK; the policies are those that `tidelake infra policy` prints.
// Source: pipeline/aws/permissions.ts; docs/reference/permissions.md.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateWorkGroupCommand } from '@aws-sdk/client-athena';
import { CreateDatabaseCommand } from '@aws-sdk/client-glue';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AthenaEngine } from '../../pipeline/aws/athena-engine.js';
import { AthenaShelf } from '../../pipeline/aws/athena-shelf.js';
import { type AwsClients, createAwsClients } from '../../pipeline/aws/clients.js';
import { GlueCatalog } from '../../pipeline/aws/glue-catalog.js';
import type { CommandName } from '../../pipeline/aws/permissions.js';
import { type PolicyPlaces, type PolicyStatement, policyOf } from '../../pipeline/aws/policy.js';
import { S3Store } from '../../pipeline/aws/s3-store.js';
import {
  compactTable,
  expireTable,
  log,
  query,
  schema,
  setColumnType,
  status,
  type Target,
  unload,
  upkeepTable,
  usualUpkeep,
  verify,
  type World,
} from '../../pipeline/index.js';
import { DiskStore } from '../../pipeline/local/disk-store.js';
import { type Simulator, startSimulator } from '../../pipeline/local/simulator-server.js';
import { pushQueries } from '../../pipeline/query/push-queries.js';
import { queryAthena } from '../../pipeline/query/query-athena.js';
import { withFolder } from '../infra/two-stores.js';
import { expectedItems, StoryLake, worldOver } from '../scenarios/story-world.js';
import { hour, Tale } from '../scenarios/tale.js';
import { account, PolicyGate, region } from './policy-gate.js';
import { awsEnvironment } from './simulated-s3.js';

const queriesUri = `file://${path.resolve(import.meta.dirname, '../../queries/saved')}`;
/** The gate takes it for the workgroup of every call that names a query only. */
const workgroup = 'tidelake';

let folder: string;
let simulator: Simulator;
let gate: PolicyGate;
let clients: AwsClients;

beforeAll(async () => {
  Object.assign(process.env, awsEnvironment);
  folder = mkdtempSync(path.join(tmpdir(), 'tidelake-gate-'));
  simulator = await startSimulator({
    dir: path.join(folder, 'state'),
    port: 0,
    runSql: async () => ({ columns: [{ name: 'n', type: 'bigint' }], rows: [['6']] }),
  });
  gate = await PolicyGate.open(simulator.url);
  clients = createAwsClients({ endpoint: gate.url });
  const results = { OutputLocation: 's3://results/athena/' };
  await (await clients.athena()).send(
    new CreateWorkGroupCommand({
      Name: workgroup,
      Configuration: { ResultConfiguration: results },
    }),
  );
});
afterEach(() => gate.use(null));
afterAll(async () => {
  clients.close();
  await gate.close();
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A lake whose tables are in the catalog of its target. */
class CatalogedLake extends StoryLake {
  readonly #catalog: 'files' | 'glue';
  constructor(world: World, root: string, catalog: 'files' | 'glue') {
    super(world, root);
    this.#catalog = catalog;
  }
  override get target(): Target & { readonly lake: string } {
    return { ...super.target, catalog: this.#catalog };
  }
}

/** Calls that only a failure makes, or a person who stops. */
const afterFailures = ['s3:AbortMultipartUpload', 'athena:StopQueryExecution'];

describe.each(['files', 'glue'] as const)('with the catalog %s', (catalog) => {
  const bucket = `shop-${catalog}`;
  const root = `s3://${bucket}`;
  const places: PolicyPlaces = {
    partition: 'aws',
    region,
    account,
    exports: { bucket, prefix: 'exports' },
    lake: { bucket, prefix: 'lake' },
    out: { bucket, prefix: 'out' },
    results: { bucket: 'results', prefix: 'athena' },
    workgroup,
    ...(catalog === 'glue' ? { database: 'lake' } : {}),
  };
  let lake: CatalogedLake;
  let tale: Tale;
  let windows: readonly string[];
  /** Full exports: half an hour earlier, and at hour 0. */
  let early: string;
  let full: string;

  beforeAll(async () => {
    await (await clients.s3()).send(new CreateBucketCommand({ Bucket: bucket }));
    if (catalog === 'glue') {
      // As the stack makes it.
      const made = new CreateDatabaseCommand({ DatabaseInput: { Name: 'lake' } });
      await (await clients.glue()).send(made);
    }
    const s3 = new S3Store({ client: () => clients.s3() });
    const store = withFolder(s3, queriesUri, new DiskStore());
    const base = worldOver(store, { spillFolder: path.join(folder, 'spill'), seed: catalog });
    const { clock, ids } = base;
    const world: World = {
      ...base,
      glueCatalog: async (lakeUri) => new GlueCatalog({ clients, store, lakeUri, clock, ids }),
    };
    lake = new CatalogedLake(world, root, catalog);
    tale = new Tale(lake);
    for (let n = 0; n < 6; n++) tale.put(-1, { pk: { S: `k${n}` }, n: { N: `${n}` } });
    for (let h = 0; h < 3; h++) tale.put(h, { pk: { S: `k${h}` }, n: { N: '100' } });
    early = await tale.full(-0.5);
    full = await tale.full(0);
    windows = [await tale.window(0), await tale.window(1), await tale.window(2)];
  });

  /** Runs a command under its own policy. It must get through, and use all that it is given, by itself at least. */
  async function under<T>(name: CommandName, work: () => Promise<T>): Promise<T> {
    const { Statement: statements } = policyOf(name, places);
    gate.use(statements);
    const result = await work();
    expect(gate.denied).toEqual([]);
    const used = new Set(gate.allowed.map(({ action }) => action));
    const idle = given(statements).filter(
      ([action, sid]) =>
        !used.has(action) &&
        !afterFailures.includes(action) &&
        // A lake in Glue is seldom listed; and what Athena itself does with these rights is behind no gate.
        !(catalog === 'glue' && sid === 'LakeBucket') &&
        !(name === 'query-athena' && sid !== 'Workgroup'),
    );
    expect(idle).toEqual([]);
    return result;
  }

  /** Action and statement of all that is allowed. */
  function given(statements: readonly PolicyStatement[]): readonly (readonly [string, string])[] {
    return statements
      .filter(({ Effect }) => Effect === 'Allow')
      .flatMap(({ Sid, Action }) => Action.map((action) => [action, Sid] as const));
  }

  const taken = given(policyOf('load', places).Statement).filter(
    ([action, sid]) =>
      !afterFailures.includes(action) &&
      // A first load has nothing to update, and in Glue nothing of the lake to read.
      action !== 'glue:UpdateTable' &&
      !(catalog === 'glue' && sid.startsWith('Lake') && action !== 's3:PutObject'),
  );

  it.each(taken)('without %s from %s, load names it and makes no table', async (action, sid) => {
    const { Statement: statements } = policyOf('load', places);
    gate.use(
      statements.map((one) =>
        one.Sid === sid ? { ...one, Action: one.Action.filter((other) => other !== action) } : one,
      ),
    );
    const error: unknown = await lake
      .load(full, { key: ['pk'] })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'DENIED', what: expect.stringContaining(action) });
    gate.use(null);
    expect(await status(lake.world, lake.target).catch(() => [])).toEqual([]);
  });

  it('load makes a table, and another epoch of it', async () => {
    await under('load', async () => {
      expect(await lake.load(early, { key: ['pk'] })).toMatchObject({ action: 'loaded', epoch: 1 });
      expect(await lake.load(full, { key: ['pk'] })).toMatchObject({ action: 'loaded', epoch: 2 });
    });
  });

  it('merge brings windows in', async () => {
    const reports = await under('merge', () => lake.merge(windows));
    expect(reports.map(({ action }) => action)).toEqual(['applied', 'applied', 'applied']);
  });

  it('schema set retypes a column', async () => {
    const { world, target } = lake;
    const change = { ...target, column: 'n', type: 'decimal(38,2)' };
    await under('schema-set', () => setColumnType(world, change));
  });

  it('status, log and schema tell of the table', async () => {
    const { world, target } = lake;
    expect(await under('status', () => status(world, target))).toMatchObject([{ epoch: 2 }]);
    expect(await under('log', () => log(world, target))).toHaveLength(6);
    expect(await under('schema', () => schema(world, target))).not.toHaveLength(0);
  });

  it('verify finds every promise kept', async () => {
    const [report] = await under('verify', () => verify(lake.world, lake.target));
    expect(report!.checks.filter(({ ok }) => !ok)).toEqual([]);
  });

  it('query answers', async () => {
    const rows = await under('query', async () => {
      const answer = await query(lake.world, { ...lake.target, sql: 'select sum(n) from tale' });
      return await all(answer.rows);
    });
    expect(rows.flat().map(String)).toEqual(['312.00']);
  });

  it('upkeep of the job lets old snapshots go, with what merge may and its own', async () => {
    const own = policyOf('upkeep', places).Statement;
    gate.use([...policyOf('merge', places).Statement, ...own]);
    const when = usualUpkeep({ keepMs: 0, keepSnapshots: 5, graceMs: 0 });
    const target = { ...lake.target, table: 'tale' };
    const report = await upkeepTable(lake.world, target, { ...when, expiredMin: 1 });
    expect(gate.denied).toEqual([]);
    expect(report).toMatchObject({ expired: { expiredSnapshots: 1, unremoved: 0 }, error: null });
    const used = new Set(gate.allowed.map(({ action }) => action));
    expect(given(own).filter(([action]) => !used.has(action))).toEqual([]);
  });

  it('compact writes a partition anew', async () => {
    // One small file is reason enough, if one says so.
    const when = { smallFilesMin: 1, deleteFilesMin: 1 };
    const reports = await under('compact', () =>
      all(compactTable(lake.world, { ...lake.target, when })),
    );
    expect(reports.map(({ action }) => action)).toEqual(['compacted']);
  });

  it('expire lets old snapshots go, and removes their files', async () => {
    const less = { keepDays: 0, keepSnapshots: 1, graceHours: 0 };
    const report = await under('expire', () =>
      expireTable(lake.world, { ...lake.target, ...less }),
    );
    expect(report).toMatchObject({ action: 'expired', unremoved: 0 });
    expect(report.dataFiles).toBeGreaterThan(2);
  });

  it('unload gives the table back', async () => {
    const { world, target } = lake;
    await under('unload', () => unload(world, { ...target, outUri: `${root}/out` }));
    gate.use(null);
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(3)));
  });

  it('a query in Athena is started, waited for and read', async () => {
    const { world, target } = lake;
    const athena = new AthenaEngine({
      client: await clients.athena(),
      workgroup,
      token: () => `${catalog}-0123456789-0123456789-0123456789`,
      sleep: async () => {},
      random: () => 0.5,
    });
    const asked = { ...target, sql: 'misfits', queryFolders: [queriesUri] };
    const rows = await under('query-athena', async () => {
      const answer = await queryAthena(world, athena, asked);
      return await all(answer.rows);
    });
    expect(rows).toHaveLength(1);
  });

  it('queries are pushed, changed and removed', async () => {
    const { world, target } = lake;
    const shelf = new AthenaShelf(await clients.athena(), workgroup);
    const folders = [{ uri: queriesUri, kind: 'saved' as const }];
    const push = (more: object) =>
      pushQueries(world, shelf, { ...target, folders, dryRun: false, prune: true, ...more });
    const actions = await under('queries-push', async () => [
      await push({ params: { column: 'n' } }),
      await push({ params: { column: 'pk' } }),
      await push({ folders: [] }),
    ]);
    const seen = actions.map((rows) => [...new Set(rows.map(({ action }) => action))].sort());
    expect(seen).toEqual([['create', 'skip'], ['keep', 'skip', 'update'], ['remove']]);
  });
});

async function all<T>(rows: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const row of rows) found.push(row);
  return found;
}
