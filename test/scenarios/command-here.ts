// The command in this process, with the world it makes for itself: for scenarios over endpoints of AWS.
// Promises: nothing is stubbed but streams and clock; where AWS is, the environment says.
// Source: pipeline/cli/main.ts.

import { gunzipSync } from 'node:zlib';
import type { CliContext } from '../../pipeline/cli/context.js';
import { createWorld } from '../../pipeline/cli/create-world.js';
import { openTableExports } from '../../pipeline/cli/open-table-exports.js';
import { runTidelake } from '../../pipeline/cli/run.js';
import type { Clock, ObjectStore } from '../../pipeline/ports.js';
import { canonicalItem, itemFromLine } from '../../pipeline/simulator/index.js';
import { RememberingOutput } from '../cli/stub-context.js';

export interface Ran {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

/** A clock that stands still. */
const noon: Clock = { nowMs: () => Date.UTC(2026, 10, 20, 12), sleep: async () => {} };

/** Runs a command line whose working directory is `folder`, by a clock of the test's own if it gives one. */
export async function runHere(
  folder: string,
  args: readonly string[],
  clock: Clock = noon,
): Promise<Ran> {
  const out = new RememberingOutput();
  const err = new RememberingOutput();
  const context: CliContext = {
    process: { stdout: out, stderr: err, env: {} },
    out,
    err,
    folder,
    clock,
    processors: 1,
    loadApi: () => import('../../pipeline/index.js'),
    loadSimulator: () => import('../../pipeline/simulator/index.js'),
    startSimulator: () => Promise.reject(new Error('no simulator is asked for')),
    openAthena: () => Promise.reject(new Error('no Athena is asked for')),
    openTableExports,
    onStop: () => () => {},
    createWorld,
    onInterrupt: () => () => {},
  };
  const exitCode = await runTidelake(args, context);
  return { exitCode, out: out.text, err: err.text };
}

/** The reports that a command printed with --json. */
export function reportsIn(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The items below a folder that `unload` wrote, as canonical texts, sorted. */
export async function unloadedItems(
  store: ObjectStore,
  folderUri: string,
): Promise<readonly string[]> {
  const items: string[] = [];
  for await (const { uri } of store.list(folderUri)) {
    const lines = gunzipSync(await store.read(uri))
      .toString('utf8')
      .split('\n');
    for (const line of lines) if (line !== '') items.push(canonicalItem(itemFromLine(line)));
  }
  return items.sort();
}
