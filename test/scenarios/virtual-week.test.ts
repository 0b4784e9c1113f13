// A virtual week of the scheduled job: a table that lives, exports over the simulated DynamoDB, the lake on S3 and Glue.
// Promises: what is expected is the simulated table at the watermark, and the bill that the simulator makes out by itself.
// Source: the design, "The hourly job is a pure decision".

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DiskStore } from '../../pipeline/local/disk-store.js';
import type { PlanReport, RoundReport } from '../../pipeline/reports.js';
import { canonicalItem } from '../../pipeline/simulator/index.js';
import { awsEnvironment } from '../aws/simulated-s3.js';
import { dayMs, hourMs, minuteMs, RunningDynamoDb } from '../simulator/aws/running-dynamodb.js';
import { reportsIn, runHere, unloadedItems } from './command-here.js';

let aws: RunningDynamoDb;
let folder: string;
beforeAll(async () => {
  Object.assign(process.env, awsEnvironment);
  folder = await mkdtemp(path.join(tmpdir(), 'tidelake-week-'));
  aws = await RunningDynamoDb.start();
  process.env.AWS_ENDPOINT_URL = aws.simulator.url;
});
afterAll(async () => {
  delete process.env.AWS_ENDPOINT_URL;
  await aws.close();
  await rm(folder, { recursive: true, force: true });
});

const place = ['--table', 'mystore', '--lake', 's3://exports/lake', '--catalog', 'glue'];
const flags = [...place, '--bucket', 'exports', '--prefix', 'raw', '--grain', '720', '--json'];

async function reports<R>(...args: readonly string[]): Promise<readonly R[]> {
  const clock = { nowMs: () => aws.simulator.clock.nowMs(), sleep: async () => {} };
  const { exitCode, out, err } = await runHere(folder, args, clock);
  expect({ exitCode, err: exitCode === 0 ? '' : err }).toEqual({ exitCode: 0, err: '' });
  return reportsIn(out) as unknown as readonly R[];
}

/** Eight items of 350 KB, written five times each: 14 MB that an export is billed for, and little that is left of it. */
async function writeOften(): Promise<void> {
  for (let i = 0; i < 40; i++) {
    const text = { S: `${i} `.repeat(350_000 / `${i} `.length) };
    const Item = { clientid: { S: `busy ${i % 8}` }, created: { S: '2026' }, text };
    await aws.db.send(new PutItemCommand({ TableName: 'mystore', Item }));
  }
}

it('keeps a living table fresh through a failure, reads nothing of it, and costs what the plans said', async () => {
  await aws.simulator.dynamodb.tellTable({
    dataset: 'mystore',
    items: 600,
    hours: 14,
    seed: 1,
    changesPerHour: 20,
    lives: true,
  });
  aws.simulator.dynamodb.clearConsumed();
  aws.simulator.bill.clear();
  const startMs = aws.simulator.clock.nowMs();
  let planned = 0;
  let failures = 0;
  const windows: string[] = [];
  for (let hour = 0; hour < 7 * 24; hour += 12) {
    // One export of the week fails after its data was written.
    if (hour === 72) {
      const trouble = { table: 'mystore', code: 'Unknown', isPartial: true };
      await aws.simulator.dynamodb.changeSettings({ exportTroubles: [trouble] });
    }
    await writeOften();
    // A round asks, and one some minutes later merges; a failed one is asked for again, and merged by the third.
    for (let round = 0; round < 3; round++) {
      const [plan] = await reports<PlanReport>('plan', ...flags);
      const isCompute = (what: string): boolean => what.startsWith('Lambda');
      for (const { what, usd } of plan!.price.lines) if (!isCompute(what)) planned += usd;
      const [report] = await reports<RoundReport>('run', ...flags);
      failures += report!.requested.filter(({ attempt }) => attempt === 2).length;
      windows.push(...report!.merges.map(({ from, to }) => `${from} ${to}`));
      if (report!.state === 'fresh') break;
      aws.clock.advanceMs(12 * minuteMs);
    }
    const nextMs = startMs + (hour + 12) * hourMs + 10 * minuteMs;
    aws.clock.advanceMs(nextMs - aws.clock.nowMs());
  }
  const bill = aws.simulator.bill.read();
  const { total } = aws.simulator.dynamodb.consumed();
  expect(failures).toBe(1);

  // Each window once, the next where the one before ended.
  expect(windows.length).toBeGreaterThanOrEqual(13);
  for (const [i, window] of windows.entries()) {
    if (i > 0) expect(window.split(' ')[0]).toBe(windows[i - 1]!.split(' ')[1]);
  }
  expect(bill.exports.full.count).toBe(1);
  expect(bill.exports.incremental.count).toBe(windows.length);
  // More than the least that is billed, so the plans had to guess.
  expect(bill.exports.incremental.billedBytes).toBeGreaterThan(13 * 14_000_000);
  // Nobody but the writer spoke to the table.
  expect(total).toMatchObject({ readUnits: 0, requests: { PutItem: 14 * 40 } });
  expect(Object.keys(total.requests)).toEqual(['PutItem']);

  expect(planned / bill.usd).toBeGreaterThan(0.9);
  expect(planned / bill.usd).toBeLessThan(1.1);
  expect(bill.toMs - bill.fromMs).toBeGreaterThanOrEqual(6 * dayMs);

  const out = path.join(folder, 'unloaded');
  await reports('unload', ...place, '--out', out, '--json');
  const watermark = Date.parse(windows.at(-1)!.split(' ')[1]!);
  const past = aws.simulator.dynamodb.past('mystore')!;
  const truth = [...past.itemsAt(watermark * 1000)].map(canonicalItem).sort();
  expect(await unloadedItems(new DiskStore(), `file://${out}`)).toEqual(truth);
  // Some twelve seconds of work, on a computer that may be busy.
}, 300_000);
