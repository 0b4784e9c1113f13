// docs/how-to/many-tables.md, followed: its configuration, and every command as it stands there, over simulated AWS.
// Promises: a command that is added to the page is run too; the lake tables end with the rows of the tables in DynamoDB.
// Source: the page.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { awsEnvironment } from '../aws/simulated-s3.js';
import { minuteMs, RunningDynamoDb } from '../simulator/aws/running-dynamodb.js';
import { reportsIn, runHere } from './command-here.js';

const page = readFileSync(
  path.resolve(import.meta.dirname, '../../docs/how-to/many-tables.md'),
  'utf8',
);
const fences = (language: string): readonly string[] =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    (one) => one[1]!,
  );

let aws: RunningDynamoDb;
let folder: string;

beforeEach(async () => {
  aws = await RunningDynamoDb.start();
  folder = mkdtempSync(path.join(tmpdir(), 'tidelake-many-page-'));
  Object.assign(process.env, awsEnvironment, { AWS_ENDPOINT_URL: aws.simulator.url });
  for (const Bucket of ['my-lake', 'my-exports']) {
    await aws.s3.send(new CreateBucketCommand({ Bucket }));
  }
});
afterEach(async () => {
  delete process.env.AWS_ENDPOINT_URL;
  await aws.close();
  rmSync(folder, { recursive: true, force: true });
});

async function table(TableName: string, items: number, tags: object[] = []): Promise<void> {
  await aws.table({ TableName, Tags: tags as never });
  await aws.recovery(TableName, true);
  for (let n = 0; n < items; n++) {
    const Item = { pk: { S: `p${n}` }, sk: { N: '1' }, total: { N: `${n}.5` } };
    await aws.db.send(new PutItemCommand({ TableName, Item }));
  }
}

it('works as it is written', async () => {
  await table('orders', 7);
  await table('shop-stock', 3);
  await table('shop-tmp-1', 1);
  await table('customers', 2, [{ Key: 'lake', Value: 'yes' }]);
  aws.clock.advanceMs(70 * minuteMs);
  writeFileSync(path.join(folder, 'tidelake.config.json'), fences('json')[0]!);
  // Waiting lets virtual time pass.
  const clock = {
    nowMs: () => aws.clock.nowMs(),
    sleep: async (ms: number) => aws.clock.advanceMs(ms),
  };
  const answers = new Map<string, string>();
  for (const line of fences('sh').join('').trim().split('\n')) {
    const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(
      ([, quoted, plain]) => quoted ?? plain!,
    );
    expect(words.shift()).toBe('tidelake');
    const { exitCode, out, err } = await runHere(folder, words, clock);
    expect(`${line}: ${exitCode}${/^error.*/m.exec(err)?.[0] ?? ''}`).toBe(`${line}: 0`);
    answers.set(line, out);
  }
  const reports = reportsIn(answers.get('tidelake run --json')!);
  // Each wait moved the clock, so the next window of 15 minutes may be in progress already.
  for (const report of reports) {
    expect(report).toMatchObject({ error: null, watermark: expect.any(String), late: false });
  }
  expect(reports.map((one) => one.table).sort()).toEqual(['customers', 'orders', 'shop_stock']);
  expect(answers.get('tidelake plan --table orders')).toMatch(/^orders /);
  expect(answers.get('tidelake query "select count(*) from orders"')).toContain('7');
  expect(aws.simulator.dynamodb.consumed().total.readUnits).toBe(0);
});
