// docs/how-to/first-table.md, followed: every command of the page is run as it stands there, against simulated AWS.
// Promises: a command that is added to the page is run too, or fails here; what is queried at the end is the simulated table.
// Source: docs/how-to/first-table.md.

import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { UpdateContinuousBackupsCommand } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { awsEnvironment } from '../aws/simulated-s3.js';
import { RunningDynamoDb } from '../simulator/aws/running-dynamodb.js';
import { type Ran, runHere } from './command-here.js';
import { commandsOf, fences } from './page-commands.js';

const page = readFileSync(
  path.resolve(import.meta.dirname, '../../docs/how-to/first-table.md'),
  'utf8',
);

let aws: RunningDynamoDb;
let folder: string;
beforeAll(async () => {
  Object.assign(process.env, awsEnvironment);
  folder = await mkdtemp(path.join(tmpdir(), 'tidelake-first-table-'));
  aws = await RunningDynamoDb.start();
  process.env.AWS_ENDPOINT_URL = aws.simulator.url;
});
afterAll(async () => {
  delete process.env.AWS_ENDPOINT_URL;
  await aws.close();
  await rm(folder, { recursive: true, force: true });
});

async function callAws(words: readonly string[]): Promise<void> {
  switch (words.slice(0, 2).join(' ')) {
    case 's3 mb':
      await aws.s3.send(new CreateBucketCommand({ Bucket: words[2]!.replace('s3://', '') }));
      return;
    case 'dynamodb update-continuous-backups': {
      const [TableName, specification] = [words[3]!, words[5]!];
      expect(specification).toBe('PointInTimeRecoveryEnabled=true');
      await aws.db.send(
        new UpdateContinuousBackupsCommand({
          TableName,
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        }),
      );
      return;
    }
    default:
      throw new Error(`no test knows aws ${words.join(' ')}`);
  }
}

it('leads from a table to a lake that follows it', async () => {
  await writeFile(path.join(folder, 'tidelake.config.json'), fences(page, 'json')[0]!);
  const clock = { nowMs: () => aws.simulator.clock.nowMs(), sleep: async () => {} };
  const printed: [string, Ran][] = [];
  for (const [program, ...words] of commandsOf(page)) {
    const line = words.join(' ');
    if (program === 'export' || line.startsWith('simulator serve')) continue;
    if (program === 'aws') await callAws(words);
    else if (program === 'curl') {
      const [url, , body] = words as [string, string, string];
      const answer = await fetch(url.replace('http://127.0.0.1:4566', aws.simulator.url), {
        method: 'POST',
        body,
      });
      expect(`${line} ${answer.status}`).toBe(`${line} 200`);
    } else {
      expect(program).toBe('tidelake');
      const ran = await runHere(folder, words, clock);
      expect(`${line}: ${ran.exitCode} ${/^error.*/m.exec(ran.err)?.[0] ?? ''}`).toBe(
        `${line}: 0 `,
      );
      printed.push([line, ran]);
    }
  }
  const runs = printed.filter(([line]) => line === 'run').map(([, { out }]) => out);
  expect(runs[0]).toContain('asked for 1 export');
  expect(runs[1]).toContain('loaded');
  expect(runs.at(-1)).toMatch(/^orders {2}fresh to .*; merged 1 window/);
  expect(printed[0]![1].out).toContain('ask for a full export');

  const watermark = Date.parse(/fresh to (\S+Z)/.exec(runs.at(-1)!)![1]!);
  const counts = new Map<string, number>();
  for (const item of aws.simulator.dynamodb.past('orders')!.itemsAt(watermark * 1000)) {
    const status = (item.get('status') as { readonly S: string }).S;
    counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  const answer = printed.find(([line]) => line.startsWith('query'))![1].out;
  const rows = [...answer.matchAll(/^([A-Z]+) +(\d+) /gm)].map(
    ([, status, count]) => [status!, Number(count)] as const,
  );
  expect(new Map(rows)).toEqual(counts);
  expect(aws.simulator.dynamodb.consumed().total).toEqual({
    readUnits: 0,
    writeUnits: 0,
    requests: {},
  });
}, 120_000);
