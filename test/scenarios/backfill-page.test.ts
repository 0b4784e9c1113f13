// docs/how-to/backfill.md, followed: every command of the page is run as it stands there, over the simulated AWS.
// Promises: a command that is added to the page is run too, or fails here; what comes of it is compared with the simulated tables.
// Source: docs/how-to/backfill.md.

import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AwsClients, createAwsClients } from '../../pipeline/aws/clients.js';
import { S3Store } from '../../pipeline/aws/s3-store.js';
import { ManualClock } from '../../pipeline/local/clock.js';
import { DiskStore } from '../../pipeline/local/disk-store.js';
import { type Simulator, startSimulator } from '../../pipeline/local/simulator-server.js';
import type { ObjectStore } from '../../pipeline/ports.js';
import {
  fullExport,
  incrementalExport,
  itemFromParsed,
  MystoreTable,
  SimulatedTable,
  type TablePast,
} from '../../pipeline/simulator/index.js';
import { awsEnvironment } from '../aws/simulated-s3.js';
import { reportsIn, runHere, unloadedItems } from './command-here.js';
import { expectedItems } from './story-world.js';

const page = readFileSync(
  path.resolve(import.meta.dirname, '../../docs/how-to/backfill.md'),
  'utf8',
);
const hourMs = 3_600_000;
/** The first of November at midnight, as the page has it. */
const midnight = Date.UTC(2026, 10, 1);

let folder: string;
let simulator: Simulator;
let clients: AwsClients;
let store: S3Store;
const clock = new ManualClock(midnight + 9.2 * hourMs);

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tidelake-backfill-page-'));
  simulator = await startSimulator({ dir: path.join(folder, 'aws'), port: 0, clock });
  Object.assign(process.env, awsEnvironment, { AWS_ENDPOINT_URL: simulator.url });
  clients = createAwsClients({});
  store = new S3Store({ client: () => clients.s3() });
  for (const Bucket of ['shop-exports', 'shop-lake']) {
    await (await clients.s3()).send(new CreateBucketCommand({ Bucket }));
  }
  const story = { items: 60, hours: 12, seed: 1 } as const;
  const { dynamodb } = simulator;
  await dynamodb.tellTable({ ...story, dataset: 'mystore', table: 'orders' });
  await dynamodb.tellTable({ ...story, dataset: 'wild', table: 'visits' });
  await dynamodb.tellTable({ ...story, dataset: 'mystore', table: 'clicks' });
  for (const name of ['orders', 'visits']) {
    await exported(dynamodb.past(name)!, store, 's3://shop-exports');
  }
  const stock = new SimulatedTable({ name: 'stock', key: [{ name: 'sku', tag: 'S' }] });
  stock.put((midnight - 1) * 1000, itemFromParsed({ sku: { S: 'a' }, n: { N: '1' } }));
  const orders = new MystoreTable({ items: 40, seed: 2, startMs: midnight, name: 'orders' });
  for (const table of [stock, orders]) {
    await exported(table, new DiskStore(), `file://${folder}/exports`);
  }
});
afterAll(async () => {
  delete process.env.AWS_ENDPOINT_URL;
  clients.close();
  await simulator.close();
  await rm(folder, { recursive: true, force: true });
});

/** A full export at midnight and the windows of the two hours after it. */
async function exported(table: TablePast, to: ObjectStore, folderUri: string): Promise<void> {
  const options = { table, store: to, folderUri, files: 1 };
  await fullExport({ ...options, atMicros: midnight * 1000 });
  for (const h of [0, 1]) {
    const fromMs = midnight + h * hourMs;
    const toMs = fromMs + hourMs;
    await incrementalExport({ ...options, fromMs, toMs, view: 'NEW_AND_OLD_IMAGES' });
  }
}

/** The commands of the page's shell, split as a shell splits them, without the program. */
function commands(): readonly (readonly string[])[] {
  const fences = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, body]) => body!);
  return fences
    .join('')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const words = [...line.matchAll(/(?:"[^"]*"|[^\s"])+/g)].map(([word]) =>
        word.replaceAll('"', ''),
      );
      expect(words[0]).toBe('tidelake');
      return words.slice(1);
    });
}

/** What the lake gives back of a table. */
async function inLake(table: string, lake: string): Promise<readonly string[]> {
  const out = path.join(folder, `out-${table}-${lake.replace(/\W/g, '')}`);
  const args = ['unload', '--out', out, '--table', table, '--lake', lake];
  expect(await runHere(folder, args)).toMatchObject({ exitCode: 0 });
  return unloadedItems(new DiskStore(), `file://${out}`);
}

it('is the past of every table on it', { timeout: 120_000 }, async () => {
  const moving = {
    nowMs: () => clock.nowMs(),
    sleep: async (ms: number) => clock.advanceMs(Math.max(1000, ms)),
  };
  const printed: string[] = [];
  for (const words of commands()) {
    const ran = await runHere(folder, [...words, '--json', '--threads', '1'], moving);
    expect(`${words.join(' ')}: ${ran.exitCode} ${/^error.*/m.exec(ran.err)?.[0] ?? ''}`).toBe(
      `${words.join(' ')}: 0 `,
    );
    printed.push(ran.out);
  }
  const reports = printed.map(reportsIn);
  const of = (n: number): readonly unknown[] =>
    reports[n]!.map(({ table, action, windows, merged }) => [table, action, windows, merged]);
  expect(of(0)).toEqual([
    ['orders', 'planned', 2, 0],
    ['visits', 'planned', 2, 0],
  ]);
  expect(of(1)).toEqual([['orders', 'done', 2, 2]]);
  expect(of(2)).toEqual([
    ['orders', 'nothing', 0, 0],
    ['visits', 'done', 2, 2],
  ]);
  const { dynamodb } = simulator;
  const orders = dynamodb.past('orders')!;
  expect(reports[3]).toEqual([{ n: orders.countAt((midnight + hourMs) * 1000) }]);
  expect(of(4)).toEqual([
    ['orders', 'done', 2, 2],
    ['stock', 'done', 2, 2],
  ]);
  // Windows of two hours, until eight.
  expect(of(5)).toEqual([['clicks', 'planned', 4, 0]]);
  expect(of(6)).toEqual([['clicks', 'done', 4, 4]]);
  expect(reports[7]).toMatchObject([{ table: 'clicks', error: null }]);
  expect(reports).toHaveLength(8);

  const lake = 's3://shop-lake/lake';
  const two = midnight + 2 * hourMs;
  expect(await inLake('orders', lake)).toEqual(expectedItems(orders, two));
  expect(await inLake('visits', lake)).toEqual(expectedItems(dynamodb.past('visits')!, two));
  const { watermark } = reports[7]![0] as { watermark: string };
  const clicks = dynamodb.past('clicks')!;
  expect(await inLake('clicks', lake)).toEqual(expectedItems(clicks, Date.parse(watermark)));
  expect(dynamodb.consumed().total).toMatchObject({ readUnits: 0 });
});
