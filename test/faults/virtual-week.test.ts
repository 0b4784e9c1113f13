// A virtual week of windows of six hours, with a process for each round over HTTP.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, it } from 'vitest';
import { expectLived, liveByProcesses } from '../scenarios/lived-days.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tidelake-week-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('keeps a living table fresh for a week: one paid export a window, and nothing read', async () => {
  expectLived(await liveByProcesses(folder, 7, 6), 28);
});
