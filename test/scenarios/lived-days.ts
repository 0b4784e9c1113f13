// Virtual days of the job as a scheduler runs it: a process for each round, against a simulator that is a process too.
// Promises: nothing is waited for but processes; the truth is told from the story's seed, and the simulator is asked over HTTP
// only, for its clock, its counts and its bill.
// Source: docs/how-to/simulator.md.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { DiskStore } from '../../pipeline/local/disk-store.js';
import type { RoundReport } from '../../pipeline/reports.js';
import type { Bill } from '../../pipeline/simulator/aws/bill.js';
import { canonicalItem, MystoreTable } from '../../pipeline/simulator/index.js';
import { unloadedItems } from './command-here.js';

const main = path.resolve(import.meta.dirname, '../../dist/pipeline/cli/main.js');
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

interface ServedSimulator {
  readonly url: string;
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

async function serve(dir: string): Promise<ServedSimulator> {
  const child = spawn(
    process.execPath,
    [main, 'simulator', 'serve', '--dir', dir, '--port', '0', '--json'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const lines = createInterface({ input: child.stdout });
  const [line] = (await once(lines, 'line')) as [string];
  const { url, environment } = JSON.parse(line) as ServedSimulator;
  return {
    url,
    environment,
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

export interface LivedDays {
  readonly windows: readonly string[];
  readonly bill: Bill;
  readonly consumed: { readonly readUnits: number; readonly requests: object };
}

/** Lives through days below a folder, and checks at the end that the lake is the table. */
export async function liveByProcesses(
  folder: string,
  days: number,
  grainHours: number,
): Promise<LivedDays> {
  const aws = await serve(path.join(folder, 'aws'));
  try {
    const page = async <T>(name: string, body?: object, method = 'POST'): Promise<T> => {
      const options = body === undefined ? {} : { method, body: JSON.stringify(body) };
      const answer = await fetch(`${aws.url}/_simulator/${name}`, options);
      expect(answer.status).toBe(200);
      return (await answer.json()) as T;
    };
    const tidelake = async (...args: readonly string[]): Promise<readonly RoundReport[]> => {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [
          main,
          ...args,
          '--lake',
          's3://lake/lake',
          '--catalog',
          'glue',
          '--table',
          'mystore',
          '--threads',
          '1',
          '--json',
        ],
        { cwd: folder, env: { ...process.env, ...aws.environment } },
      );
      return stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as RoundReport);
    };
    for (const bucket of ['lake', 'exports']) {
      expect((await fetch(`${aws.url}/${bucket}`, { method: 'PUT' })).status).toBe(200);
    }
    const story = { dataset: 'mystore', items: 300, hours: 8, seed: 11, changesPerHour: 25 };
    const told = await page<{ startMs: number }>('dynamodb/tables', { ...story, lives: true });
    await page('dynamodb', {}, 'DELETE');

    const grainMs = grainHours * hourMs;
    const { nowMs } = await page<{ nowMs: number }>('clock');
    const beginMs = Math.ceil(nowMs / grainMs) * grainMs + 6 * minuteMs;
    const flags = ['--bucket', 'exports', '--grain', `${grainHours * 60}`];
    const windows: string[] = [];
    let watermark = '';
    for (let ms = beginMs; ms <= beginMs + days * 24 * hourMs; ms += grainMs) {
      await page('clock', { nowMs: ms });
      // One asks, and one merges what the first asked for.
      for (const minutes of [11, 0]) {
        const [report] = await tidelake('run', ...flags);
        expect(report).toMatchObject({ error: null });
        windows.push(...report!.merges.map(({ from, to }) => `${from} ${to}`));
        watermark = report!.watermark ?? watermark;
        if (minutes > 0) await page('clock', { advanceMs: minutes * minuteMs });
        else expect(report!.state).toBe('fresh');
      }
    }
    const bill = await page<Bill>('bill');
    const { consumed } = await page<{ consumed: { total: LivedDays['consumed'] } }>('dynamodb');

    const out = path.join(folder, 'unloaded');
    await tidelake('unload', '--out', out);
    const endMs = Date.parse(watermark);
    const truth = new MystoreTable({ seed: story.seed, items: story.items, startMs: told.startMs });
    for (let ms = told.startMs; ms < endMs; ms += hourMs) {
      truth.play(ms, ms + hourMs, story.changesPerHour);
    }
    const items = [...truth.itemsAt(endMs * 1000)].map(canonicalItem).sort();
    expect(await unloadedItems(new DiskStore(), `file://${out}`)).toEqual(items);
    return { windows, bill, consumed: consumed.total };
  } finally {
    await aws.stop();
  }
}

/** What holds of any number of days: each window once, in a row, paid once, and nothing read. */
export function expectLived({ windows, bill, consumed }: LivedDays, count: number): void {
  expect(windows).toHaveLength(count);
  for (const [i, window] of windows.entries()) {
    if (i > 0) expect(window.split(' ')[0]).toBe(windows[i - 1]!.split(' ')[1]);
  }
  expect(bill.exports.full.count).toBe(1);
  expect(bill.exports.incremental.count).toBe(count);
  // Neither a read nor a write of an item: no Scan, no Query.
  expect(consumed).toEqual({ readUnits: 0, writeUnits: 0, requests: {} });
}
