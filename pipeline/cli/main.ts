#!/usr/bin/env node
// The command `tidelake`: ties one command line to this process.
// Promises that output is flushed before the process ends, and that Ctrl-C ends it with 130 after freeing scratch space; a
// command that ends by itself when told to stop is given the time it asks for.
// Spec: DESIGN "The command".

import { availableParallelism } from 'node:os';
import { SystemClock } from '../local/clock.js';
import type { CliContext, StopSignal } from './context.js';
import { errorFacts, errorText, exitCodeOfThrown } from './error-text.js';
import type { WritableLike } from './output.js';
import { StreamOutput } from './output.js';
import { runTidelake } from './run.js';

/** How long freeing scratch space may take after Ctrl-C, in milliseconds. */
const releaseMsMax = 2000;

const releases = new Set<() => Promise<void>>();
const stops = new Set<(signal: StopSignal) => void>();
/** Exit code of a signal that the command was left to end after. */
let signalCode: number | null = null;
const out = new StreamOutput(process.stdout as WritableLike);
const err = new StreamOutput(process.stderr as WritableLike);

const context: CliContext = {
  process: {
    stdout: { write: (text) => out.write(text) },
    stderr: { write: (text) => err.write(text) },
    env: process.env,
  },
  out,
  err,
  folder: process.cwd(),
  clock: new SystemClock(),
  processors: availableParallelism(),
  loadApi: async () => (await import('./own-parts.js')).ownParts,
  loadSimulator: () => import('../simulator/index.js'),
  startSimulator: async (options) =>
    (await import('./simulator-sql.js')).startSimulatorWithSql(options),
  createWorld: async (options) => (await import('./create-world.js')).createWorld(options),
  openAthena: async (options) =>
    (await import('./athena-workgroup.js')).openAthenaWorkgroup(options),
  openTableExports: async (options) =>
    (await import('./open-table-exports.js')).openTableExports(options),
  onStop: (stop) => {
    stops.add(stop);
    return () => stops.delete(stop);
  },
  onInterrupt: (release) => {
    releases.add(release);
    return () => releases.delete(release);
  },
};

for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  let isSecond = false;
  process.on(signal, () => {
    if (isSecond || releases.size === 0) process.exit(exitCode);
    isSecond = true;
    if (stops.size > 0) {
      signalCode = exitCode;
      for (const stop of stops) stop(signal);
      return;
    }
    err.write(
      '\ninterrupted; commits so far stand, and nothing of an unfinished one can be seen\n',
    );
    setTimeout(() => process.exit(exitCode), releaseMsMax).unref();
    const released = [...releases].map((release) => release().catch(() => {}));
    void Promise.all(released).then(() => process.exit(exitCode));
  });
}

// Node's own report of such an error prints its message, which could hold content of items.
process.on('uncaughtException', (error) => {
  err.write(errorText(errorFacts(error)));
  if (process.env.TIDELAKE_DEBUG === '1') err.write(`${error.stack ?? ''}\n`);
  process.exit(exitCodeOfThrown(error));
});

const ownExitCode = await runTidelake(process.argv.slice(2), context);
const exitCode = signalCode ?? ownExitCode;
process.exitCode = exitCode;
// A handle somebody forgot must not keep a finished command alive; what was printed must be out before.
await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
process.exit(exitCode);

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) resolve();
    else stream.write('', () => resolve());
  });
}
