// The commands of docs/how-to/upkeep.md, run in order.
// Promises: each ends well, and the lake is whole after all of them.
// Source: docs/how-to/upkeep.md.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { parseConfig } from '../../pipeline/cli/config.js';
import { commitReserveMs, upkeepLeaveMs, upkeepReserveMs } from '../../schemas/limits.js';
import { runHere } from '../scenarios/command-here.js';

const page = readFileSync(path.resolve(import.meta.dirname, '../../docs/how-to/upkeep.md'), 'utf8');
const commands = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block]) =>
  block!.split('\n').filter((line) => line.startsWith('tidelake ')),
);

it('the configuration of the page is one, and the times it names are those that hold', () => {
  const [text] = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, block]) => block!);
  const { defaults, tables } = parseConfig(Buffer.from(text!));
  expect([defaults, ...tables!].map((one) => one?.upkeep)).toEqual([
    { keepDays: 30 },
    { keepDays: 7, compact: true },
    {},
  ]);
  const seconds = (ms: number): string => `${ms / 1000}`;
  expect(page).toContain(`${seconds(commitReserveMs + upkeepReserveMs)} seconds`);
  expect(page).toContain(`left ${seconds(commitReserveMs + upkeepLeaveMs)} seconds before`);
});

it('the commands of the page do what it says', { timeout: 60_000 }, async () => {
  expect(commands.length).toBeGreaterThan(8);
  const folder = mkdtempSync(path.join(tmpdir(), 'tidelake-upkeep-'));
  try {
    const outputs = new Map<string, string>();
    for (const command of commands) {
      const ran = await runHere(folder, command.split(' ').slice(1));
      expect(ran, command).toMatchObject({ exitCode: 0 });
      outputs.set(command, ran.out);
    }
    const all = 'tidelake expire --lake ./lake --keep-days 0 --keep-snapshots 1 --grace-hours 0';
    expect(outputs.get(all)).toMatch(/expired 6 snapshots, with \d+ data files?/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
