// The whole way on S3: exports, lake and unload in buckets, by the command in this process and in processes of its own;
// over the simulator always, and over moto's server when TIDELAKE_MOTO_URL names it.
// Promises: what is expected comes from the simulated table, made a second time from its seed.
// Source: DESIGN.md, "The command".

import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAwsClients } from '../../pipeline/aws/clients.js';
import { S3Store } from '../../pipeline/aws/s3-store.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import { type Story, simulate } from '../../pipeline/simulator/index.js';
import { SimulatedS3 } from '../aws/simulated-s3.js';
import { type Ran, reportsIn, runHere, unloadedItems } from './command-here.js';
import { differences, expectedItems } from './story-world.js';

const main = path.resolve(import.meta.dirname, '../../dist/pipeline/cli/main.js');
const same = { missing: [], extra: [] };
const instant = (ms: number): string => new Date(ms).toISOString();

/** The whole way in buckets `raw…`, `lake…` and `out…`, through the command of this process. */
function wholeWay(catalog: 'files' | 'glue', suffix: string): void {
  const options = { dataset: 'wild', items: 60, windows: 2, seed: 5 } as const;
  const exportsUri = `s3://raw${suffix}/wild-${catalog}`;
  const lake = `s3://lake${suffix}/${catalog}`;
  const database = catalog === 'glue' ? 'shop' : 'lake';
  const flags = ['--lake', lake, '--catalog', catalog, '--database', database, '--json'] as const;
  const run = (...args: string[]): Promise<Ran> => runHere(tmpdir(), args);
  let story: Story;

  beforeAll(async () => {
    story = await simulate({
      ...options,
      store: new MemoryStore(),
      outUri: exportsUri,
      view: 'NEW_AND_OLD_IMAGES',
    });
  });

  it('takes exports from a bucket and becomes the table', async () => {
    const { dataset, items, windows, seed } = options;
    const simulated = await run(
      ...['simulate', '--out', exportsUri, '--dataset', dataset, '--items', `${items}`],
      ...['--windows', `${windows}`, '--seed', `${seed}`, '--json'],
    );
    expect(simulated).toMatchObject({ exitCode: 0 });
    expect(reportsIn(simulated.out)[0]).toMatchObject({ full: story.full });
    const key = story.table.key.map(({ name }) => name).join(',');
    const loaded = await run('load', exportsUri, '--key', key, ...flags);
    expect(loaded).toMatchObject({ exitCode: 0 });
    expect(reportsIn(loaded.out)[0]).toMatchObject({
      action: 'loaded',
      rows: story.table.countAt(story.windows[0]!.fromMs * 1000),
    });
    const merged = await run('merge', exportsUri, ...flags);
    expect(merged).toMatchObject({ exitCode: 0 });
    const applied = reportsIn(merged.out).filter(({ action }) => action === 'applied');
    expect(applied.map(({ to }) => to)).toEqual(story.windows.map(({ toMs }) => instant(toMs)));
  });

  it('answers questions about now and then', async () => {
    for (const ms of [story.windows[0]!.fromMs, ...story.windows.map(({ toMs }) => toMs)]) {
      const sql = 'SELECT count(*) AS n FROM wild';
      const asked = await run('query', sql, '--as-of', instant(ms), ...flags);
      expect(asked).toMatchObject({ exitCode: 0 });
      expect(Number(reportsIn(asked.out)[0]!.n)).toBe(story.table.countAt(ms * 1000));
    }
  });

  it('keeps every promise, and says how fresh it is', async () => {
    const verified = await run('verify', ...flags);
    expect(verified).toMatchObject({ exitCode: 0 });
    expect(reportsIn(verified.out)).toEqual([expect.objectContaining({ table: 'wild', ok: true })]);
    const [row] = reportsIn((await run('status', ...flags)).out);
    const endMs = story.windows.at(-1)!.toMs;
    expect(row).toMatchObject({
      health: 'ok',
      location: `${lake}/${database}/wild`,
      rows: story.table.countAt(endMs * 1000),
      watermark: instant(endMs),
      snapshots: 3,
    });
    const columns = reportsIn((await run('schema', ...flags)).out);
    expect(columns.filter(({ key }) => key === true)).toHaveLength(story.table.key.length);
    expect(reportsIn((await run('log', ...flags)).out)).toHaveLength(3);
  });

  it('gives back every item, to a bucket', async () => {
    const outUri = `s3://out${suffix}/wild-${catalog}`;
    expect(await run('unload', '--out', outUri, ...flags)).toMatchObject({ exitCode: 0 });
    const clients = createAwsClients({});
    const items = await unloadedItems(new S3Store({ client: () => clients.s3() }), outUri);
    clients.close();
    const endMs = story.windows.at(-1)!.toMs;
    expect(differences(items, expectedItems(story.table, endMs))).toEqual(same);
  });
}

describe('over the simulator', () => {
  let s3: SimulatedS3;
  beforeAll(async () => {
    s3 = await SimulatedS3.start();
    for (const Bucket of ['raw', 'out']) {
      await (await s3.client()).send(new CreateBucketCommand({ Bucket }));
    }
    process.env.AWS_ENDPOINT_URL = s3.simulator.url;
  });
  afterAll(async () => {
    delete process.env.AWS_ENDPOINT_URL;
    await s3.close();
  });

  // In Glue the same way is gone by the demo, in test/scenarios/demo-on-aws.test.ts.
  describe('a lake with the catalog of files', () => wholeWay('files', ''));

  it('refuses what is not there in words, with its exit code', async () => {
    const run = (...args: string[]): Promise<Ran> => runHere(s3.folder, args);
    const lake = ['--lake', 's3://lake/none'] as const;
    const missing = await run('load', 's3://raw/nothing', '--key', 'pk', ...lake);
    expect(missing).toMatchObject({ exitCode: 3, out: '' });
    expect(missing.err).toContain('error REFUSED_MANIFEST  no export at s3://raw/nothing');
    const noBucket = await run('status', '--lake', 's3://no-such-bucket/p');
    expect(noBucket).toMatchObject({ exitCode: 2 });
    expect(noBucket.err).toContain('no-such-bucket');
    const owner = await run('status', ...lake, '--expected-bucket-owner', '999999999999');
    expect(owner).toMatchObject({ exitCode: 1 });
    expect(owner.err).toContain('error DENIED  AWS denies s3:ListBucket on s3://lake/none');
  });

  describe('a lake of processes with threads', { timeout: 120_000 }, () => {
    const exportsUri = 's3://raw/orders';
    const flags = ['--lake', 's3://lake/orders', '--threads', '2', '--json'] as const;
    let story: Story;

    /** Runs a command line in a process of its own; throws when it does not exit with 0. */
    async function runProcess(...args: string[]): Promise<string> {
      const env = { ...process.env };
      const { stdout } = await promisify(execFile)(process.execPath, [main, ...args], { env });
      return stdout;
    }

    beforeAll(async () => {
      expect(existsSync(main), 'npm run build comes first').toBe(true);
      story = await simulate({
        dataset: 'mystore',
        items: 200,
        windows: 2,
        seed: 'processes',
        view: 'NEW_AND_OLD_IMAGES',
        store: s3.store(),
        outUri: exportsUri,
        files: 3,
      });
    });

    // Several at once: test/scenarios/processes.test.ts, aws-faults.test.ts, and a hundred rounds in test/faults.
    it('has one snapshot for each window, and all items', async () => {
      const key = ['--key', 'clientid,created', '--buckets', '4'];
      const loaded = await runHere(s3.folder, ['load', exportsUri, ...key, ...flags]);
      expect(loaded).toMatchObject({ exitCode: 0 });
      await runProcess('merge', exportsUri, ...flags);
      const log = reportsIn((await runHere(s3.folder, ['log', ...flags])).out);
      expect(log.map(({ to }) => to)).toEqual([
        null,
        ...story.windows.map(({ toMs }) => instant(toMs)),
      ]);
      const unload = ['unload', '--out', 's3://out/orders', ...flags];
      expect(await runHere(s3.folder, unload)).toMatchObject({ exitCode: 0 });
      const items = await unloadedItems(s3.store(), 's3://out/orders');
      const expected = expectedItems(story.table, story.windows.at(-1)!.toMs);
      expect(differences(items, expected)).toEqual(same);
      expect(items).toHaveLength(expected.length);
    });
  });
});

const motoUrl = process.env.TIDELAKE_MOTO_URL;
if (motoUrl === undefined || motoUrl === '') {
  it.skip('the whole way over moto (TIDELAKE_MOTO_URL is not set)', () => {});
} else {
  describe('over moto', { timeout: 120_000 }, () => {
    const suffix = `-${randomUUID().slice(0, 8)}`;
    beforeAll(async () => {
      process.env.AWS_ENDPOINT_URL = motoUrl;
      const clients = createAwsClients({});
      for (const name of ['raw', 'lake', 'out']) {
        await (await clients.s3()).send(
          new CreateBucketCommand({
            Bucket: `${name}${suffix}`,
            CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' },
          }),
        );
      }
      clients.close();
    });
    afterAll(() => {
      delete process.env.AWS_ENDPOINT_URL;
    });

    describe('a lake with the catalog of files', () => wholeWay('files', suffix));
    describe('a lake in Glue', () => wholeWay('glue', suffix));
  });
}
