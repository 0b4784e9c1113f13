// The demo over S3 and Glue, by the command itself: at a simulator's endpoints, and what it leaves answers again later.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DemoReport } from '../../pipeline/cli/commands/demo.js';
import type { DemoWeekReport } from '../../pipeline/cli/commands/demo-week.js';
import { startSimulator } from '../../pipeline/local/simulator-server.js';

const main = path.resolve(import.meta.dirname, '../../dist/pipeline/cli/main.js');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tidelake-demo-aws-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function tidelake(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [main, ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
  });
  return stdout;
}

describe('the demo with --simulator', () => {
  it('does the whole job over S3 and Glue, and gives the same items back', async () => {
    const small = ['--items', '300', '--hours', '2', '--threads', '1', '--json'];
    const out = await tidelake(['demo', '--simulator', ...small]);
    const report = JSON.parse(out.trim()) as DemoReport;
    expect(report.lake).toBe('s3://tidelake-demo/lake');
    expect(report.exports).toBe('s3://tidelake-demo/exports');
    expect(report.unload.out).toBe('s3://tidelake-demo/unloaded');
    expect(report.same).toBe(true);
    expect(report.merges.filter((one) => one.action === 'applied')).toHaveLength(2);
    expect(report.verify.map((table) => table.ok)).toEqual([true]);
  });

  it('leaves a simulator folder in which the lake answers again', async () => {
    const dir = path.join(folder, '.tidelake', 'demo', 'aws');
    const simulator = await startSimulator({ dir, port: 0 });
    try {
      const out = await tidelake(
        ['status', '--lake', 's3://tidelake-demo/lake', '--catalog', 'glue', '--json'],
        {
          AWS_ENDPOINT_URL: simulator.url,
          AWS_ACCESS_KEY_ID: 'test',
          AWS_SECRET_ACCESS_KEY: 'test',
          AWS_REGION: 'eu-west-1',
        },
      );
      expect(JSON.parse(out.trim())).toMatchObject({ table: 'mystore', epoch: 1, dataFiles: 1 });
      expect(simulator.requests().map((one) => one.service)).toContain('glue');
    } finally {
      await simulator.close();
    }
  });

  it('keeps a living table fresh over virtual days, and proves it', async () => {
    const out = await tidelake([
      'demo',
      '--days',
      '1',
      '--items',
      '200',
      '--threads',
      '1',
      '--json',
    ]);
    const report = JSON.parse(out.trim()) as DemoWeekReport;
    expect(report).toMatchObject({ same: true, readUnits: 0, failures: 1, windows: 4 });
    expect(report.bill.exports.incremental.count).toBe(4);
    expect(report.rounds.at(-1)).toMatchObject({ state: 'fresh', late: false });
    // The last window ended six minutes before, and its export took ten.
    expect(report.rounds.at(-1)!.lagSeconds).toBeLessThan(20 * 60);
  });

  it('takes only a folder of this machine', async () => {
    const run = tidelake(['demo', '--simulator', '--lake', 's3://bucket/lake']);
    await expect(run).rejects.toMatchObject({ code: 2 });
  });
});
