// The whole way on S3: exports, lake and unload in buckets, by the command in this process and in processes of its own.
// Promises: what is expected comes from the simulated table, made a second time from its seed.
// Source: DESIGN.md, "The command".

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CliContext } from '../../pipeline/cli/context.js';
import { createWorld } from '../../pipeline/cli/create-world.js';
import { runTidelake } from '../../pipeline/cli/run.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import type { ObjectStore } from '../../pipeline/ports.js';
import {
  canonicalItem,
  itemFromLine,
  type Story,
  simulate,
} from '../../pipeline/simulator/index.js';
import { SimulatedS3 } from '../aws/simulated-s3.js';
import { RememberingOutput } from '../cli/stub-context.js';
import { differences, expectedItems } from './story-world.js';

const root = path.resolve(import.meta.dirname, '../..');
const main = path.join(root, 'dist/pipeline/cli/main.js');
const same = { missing: [], extra: [] };
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

interface Ran {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process, with the world that the command makes. */
async function run(...args: string[]): Promise<Ran> {
  const out = new RememberingOutput();
  const err = new RememberingOutput();
  const context: CliContext = {
    process: { stdout: out, stderr: err, env: {} },
    out,
    err,
    folder: s3.folder,
    clock: { nowMs: () => Date.UTC(2026, 10, 20, 12), sleep: async () => {} },
    processors: 1,
    loadApi: () => import('../../pipeline/index.js'),
    loadSimulator: () => import('../../pipeline/simulator/index.js'),
    startSimulator: () => Promise.reject(new Error('no simulator is asked for')),
    openAthena: () => Promise.reject(new Error('no Athena is asked for')),
    createWorld,
    onInterrupt: () => () => {},
  };
  const exitCode = await runTidelake(args, context);
  return { exitCode, out: out.text, err: err.text };
}

/** Runs a command line in a process of its own; throws when it does not exit with 0. */
async function runProcess(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [main, ...args], {
    cwd: s3.folder,
    env: { ...process.env },
  });
  return stdout;
}

const rowsOf = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

async function unloaded(store: ObjectStore, folderUri: string): Promise<readonly string[]> {
  const items: string[] = [];
  for await (const { uri } of store.list(folderUri)) {
    const lines = gunzipSync(await store.read(uri))
      .toString('utf8')
      .split('\n');
    for (const line of lines) if (line !== '') items.push(canonicalItem(itemFromLine(line)));
  }
  return items.sort();
}

const instant = (ms: number): string => new Date(ms).toISOString();

describe('a lake on S3, by the command', () => {
  const options = { dataset: 'wild', items: 60, windows: 2, seed: 5 } as const;
  const exportsUri = 's3://raw/wild';
  const flags = ['--lake', 's3://lake/p', '--json'] as const;
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
    expect(rowsOf(simulated.out)[0]).toMatchObject({ full: story.full });
    const key = story.table.key.map(({ name }) => name).join(',');
    const loaded = await run('load', exportsUri, '--key', key, ...flags);
    expect(loaded).toMatchObject({ exitCode: 0 });
    expect(rowsOf(loaded.out)[0]).toMatchObject({
      action: 'loaded',
      rows: story.table.countAt(story.windows[0]!.fromMs * 1000),
    });
    const merged = await run('merge', exportsUri, ...flags);
    expect(merged).toMatchObject({ exitCode: 0 });
    const applied = rowsOf(merged.out).filter(({ action }) => action === 'applied');
    expect(applied.map(({ to }) => to)).toEqual(story.windows.map(({ toMs }) => instant(toMs)));
  });

  it('answers questions about now and then', async () => {
    for (const ms of [story.windows[0]!.fromMs, ...story.windows.map(({ toMs }) => toMs)]) {
      const sql = 'SELECT count(*) AS n FROM wild';
      const asked = await run('query', sql, '--as-of', instant(ms), ...flags);
      expect(asked).toMatchObject({ exitCode: 0 });
      expect(Number(rowsOf(asked.out)[0]!.n)).toBe(story.table.countAt(ms * 1000));
    }
  });

  it('keeps every promise, and says how fresh it is', async () => {
    const verified = await run('verify', ...flags);
    expect(verified).toMatchObject({ exitCode: 0 });
    expect(rowsOf(verified.out)).toEqual([expect.objectContaining({ table: 'wild', ok: true })]);
    const [row] = rowsOf((await run('status', ...flags)).out);
    const endMs = story.windows.at(-1)!.toMs;
    expect(row).toMatchObject({
      health: 'ok',
      location: 's3://lake/p/lake/wild',
      rows: story.table.countAt(endMs * 1000),
      watermark: instant(endMs),
      snapshots: 3,
    });
    const columns = rowsOf((await run('schema', ...flags)).out);
    expect(columns.filter(({ key }) => key === true)).toHaveLength(story.table.key.length);
    expect(rowsOf((await run('log', ...flags)).out)).toHaveLength(3);
  });

  it('gives back every item, to a bucket', async () => {
    const ran = await run('unload', '--out', 's3://out/wild', ...flags);
    expect(ran).toMatchObject({ exitCode: 0 });
    const items = await unloaded(s3.store(), 's3://out/wild');
    const endMs = story.windows.at(-1)!.toMs;
    expect(differences(items, expectedItems(story.table, endMs))).toEqual(same);
  });

  it('refuses what is not there in words, with its exit code', async () => {
    const missing = await run('load', 's3://raw/nothing', '--key', 'pk', ...flags);
    expect(missing).toMatchObject({ exitCode: 3, out: '' });
    expect(missing.err).toContain('error REFUSED_MANIFEST  no export at s3://raw/nothing');
    const noBucket = await run('status', '--lake', 's3://no-such-bucket/p');
    expect(noBucket).toMatchObject({ exitCode: 2 });
    expect(noBucket.err).toContain('no-such-bucket');
    const owner = await run('status', ...flags, '--expected-bucket-owner', '999999999999');
    expect(owner).toMatchObject({ exitCode: 1 });
    expect(owner.err).toContain('error DENIED  AWS denies s3:ListBucket on s3://lake/p');
  });
});

describe('a lake on S3, by processes with threads', { timeout: 60_000 }, () => {
  const exportsUri = 's3://raw/orders';
  const flags = ['--lake', 's3://lake/orders', '--threads', '2', '--json'] as const;
  let story: Story;

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

  it('has one snapshot for each window, however many merge at once, and all items', async () => {
    await runProcess('load', exportsUri, '--key', 'clientid,created', '--buckets', '4', ...flags);
    const merge = (): Promise<string> => runProcess('merge', exportsUri, ...flags);
    // A loser of a race may say so (5); whoever comes after finds the windows in place.
    await Promise.allSettled([merge(), merge()]);
    await merge();
    const log = rowsOf(await runProcess('log', ...flags));
    expect(log.map(({ to }) => to)).toEqual([
      null,
      ...story.windows.map(({ toMs }) => instant(toMs)),
    ]);
    await runProcess('unload', '--out', 's3://out/orders', ...flags);
    const items = await unloaded(s3.store(), 's3://out/orders');
    const expected = expectedItems(story.table, story.windows.at(-1)!.toMs);
    expect(differences(items, expected)).toEqual(same);
    expect(items).toHaveLength(expected.length);
  });
});
