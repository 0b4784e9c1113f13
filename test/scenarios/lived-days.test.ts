// The job as a scheduler runs it, over a virtual day. Seven of them: test/faults/virtual-week.test.ts.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectLived, liveByProcesses } from './lived-days.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tidelake-scheduled-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('keeps a living table fresh with a process each round: one paid export a window, and nothing read', async () => {
  const lived = await liveByProcesses(folder, 1, 8);
  expectLived(lived, 3);
  expect(lived.bill.usd).toBeGreaterThan(0);
}, 300_000);
