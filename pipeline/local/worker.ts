// The inside of a worker thread: runs the units it is sent, one at a time, until it is stopped.
// Promises: every task gets exactly one answer; scratch files go to the folder shared with the main thread.
// Source: https://nodejs.org/docs/latest-v20.x/api/worker_threads.html
import { parentPort, workerData } from 'node:worker_threads';
import type { ObjectStore } from '../ports.js';
import { DiskScratch } from './scratch.js';
import { toUnitFailure, type UnitFailure } from './unit-failure.js';
import { type LocalUnitContext, type UnitRegistry, unitOf } from './units.js';

/** A module that makes a store, and what it makes it from: threads share nothing but such values. */
export interface StoreModule {
  /** Exports `openStore(options): ObjectStore`; a file:// URL. */
  readonly url: string;
  /** Structured-cloneable. */
  readonly options?: unknown;
}

/** What a worker is started with: modules and the scratch folder. */
export interface WorkerSetup {
  /** Module that exports `units`. */
  readonly registryUrl: string;
  readonly store: StoreModule;
  readonly scratchFolder: string;
}

/** A unit to run. */
export interface WorkerTask {
  readonly id: number;
  readonly name: string;
  readonly input: unknown;
}

/** The answer to a task. */
export type WorkerAnswer =
  | { readonly id: number; readonly output: unknown }
  | { readonly id: number; readonly failure: UnitFailure };

const port = parentPort;
if (port !== null) {
  const setup = workerData as WorkerSetup;
  const ready = prepare(setup);
  ready.catch(() => {}); // told to whoever sends the first task
  port.on('message', async (task: WorkerTask) => {
    try {
      const { registry, context } = await ready;
      const { output, transfer } = await unitOf(registry, task.name)(task.input as never, context);
      const answer: WorkerAnswer = { id: task.id, output };
      port.postMessage(answer, transfer ?? []);
    } catch (error) {
      const answer: WorkerAnswer = { id: task.id, failure: toUnitFailure(error, task.name) };
      port.postMessage(answer);
    }
  });
}

async function prepare(
  setup: WorkerSetup,
): Promise<{ readonly registry: UnitRegistry; readonly context: LocalUnitContext }> {
  const [{ units }, { openStore }] = (await Promise.all([
    import(setup.registryUrl),
    import(setup.store.url),
  ])) as [{ units: UnitRegistry }, { openStore: (options: unknown) => ObjectStore }];
  const scratch = DiskScratch.attach(setup.scratchFolder);
  return { registry: units, context: { store: openStore(setup.store.options), scratch } };
}
