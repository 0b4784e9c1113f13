// Units of work in a pool of worker threads.
// Promises: threads start when first needed or asked for, each runs one unit at a time; a thread that dies is an error of its unit, never a hang.
// Source: ports.ts, Units; https://nodejs.org/docs/latest-v20.x/api/worker_threads.html
import { Worker } from 'node:worker_threads';
import { TidelakeError } from '../../schemas/errors.js';
import type { Units } from '../ports.js';
import { fromUnitFailure, internal } from './unit-failure.js';
import type { StoreModule, WorkerAnswer, WorkerSetup, WorkerTask } from './worker.js';

/** How a pool is set up. URLs default to the built modules of this package. */
export interface WorkerUnitsOptions {
  /** Threads at most, at least 1. */
  readonly width: number;
  /** Folder of the DiskScratch that all threads share. */
  readonly scratchFolder: string;
  /** Module that exports `units`, as a file:// URL. */
  readonly registryUrl?: string;
  /** The store of each thread. Default: files on disk. */
  readonly store?: StoreModule;
  /** Heap of each thread at most, in MB; Node's own default when absent. */
  readonly heapMbMax?: number;
  /** The same units in this thread. */
  readonly near?: Units;
}

interface Waiting {
  readonly name: string;
  readonly input: unknown;
  readonly transfer: readonly ArrayBuffer[];
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  task: Waiting | null;
}

/** A pool of worker threads. Idle threads do not keep the process alive. */
export class WorkerUnits implements Units {
  readonly width: number;
  readonly near?: Units;
  readonly #setup: WorkerSetup;
  readonly #heapMbMax: number | undefined;
  readonly #threads: Set<Thread> = new Set();
  readonly #queue: Waiting[] = [];
  #taskId = 0;
  #isClosed = false;

  constructor(options: WorkerUnitsOptions) {
    this.width = Math.max(1, options.width);
    this.#heapMbMax = options.heapMbMax;
    if (options.near !== undefined) this.near = options.near;
    this.#setup = {
      registryUrl: options.registryUrl ?? builtModule('../units/registry.js', import.meta.url),
      store: options.store ?? { url: builtModule('./disk-store.js', import.meta.url) },
      scratchFolder: options.scratchFolder,
    };
  }

  run<I, O>(name: string, input: I, transfer: readonly ArrayBuffer[] = []): Promise<O> {
    if (this.#isClosed) return Promise.reject(closedError(name));
    return new Promise<O>((resolve, reject) => {
      this.#queue.push({
        name,
        input,
        transfer,
        resolve: (output) => resolve(output as O),
        reject,
      });
      this.#dispatch();
    });
  }

  /** Starts threads for `count` units, so that they load their code while this one looks at what is to be done. */
  prepare(count: number): void {
    if (this.#isClosed) return;
    while (this.#threads.size < Math.min(count, this.width)) this.#start().worker.unref();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const threads = [...this.#threads];
    this.#threads.clear();
    for (const waiting of this.#queue.splice(0)) waiting.reject(closedError(waiting.name));
    for (const { task } of threads) task?.reject(closedError(task.name));
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const thread = this.#idleThread();
      if (thread === null) return;
      this.#assign(thread, this.#queue.shift()!);
    }
  }

  #idleThread(): Thread | null {
    for (const thread of this.#threads) if (thread.task === null) return thread;
    return this.#threads.size < this.width ? this.#start() : null;
  }

  #start(): Thread {
    const worker = new Worker(new URL(builtModule('./worker.js', import.meta.url)), {
      workerData: this.#setup,
      // Not this process's: a thread runs a file, which flags of Node such as --input-type do not allow.
      execArgv: [],
      ...(this.#heapMbMax === undefined
        ? {}
        : { resourceLimits: { maxOldGenerationSizeMb: this.#heapMbMax } }),
    });
    const thread: Thread = { worker, task: null };
    this.#threads.add(thread);
    worker.on('message', (answer: WorkerAnswer) => this.#answered(thread, answer));
    worker.on('messageerror', () => this.#lost(thread, 'gave an answer that cannot be read'));
    worker.on('error', (error: NodeJS.ErrnoException) => {
      const isFull = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      this.#lost(thread, isFull ? 'ran out of memory' : `failed (${error.name})`);
    });
    worker.on('exit', (code) => this.#lost(thread, `stopped with exit code ${code}`));
    return thread;
  }

  #assign(thread: Thread, waiting: Waiting): void {
    this.#taskId += 1;
    const task: WorkerTask = { id: this.#taskId, name: waiting.name, input: waiting.input };
    try {
      thread.worker.postMessage(task, [...waiting.transfer]);
    } catch (error) {
      // The input cannot be cloned: a mistake in our code, told without the value.
      const what = `the input of unit ${waiting.name} cannot be sent (${(error as Error).name})`;
      waiting.reject(new TidelakeError(internal(what)));
      return;
    }
    thread.task = waiting;
    thread.worker.ref();
  }

  #answered(thread: Thread, answer: WorkerAnswer): void {
    const { task } = thread;
    thread.task = null;
    thread.worker.unref();
    if ('failure' in answer) task?.reject(fromUnitFailure(answer.failure));
    else task?.resolve(answer.output);
    this.#dispatch();
  }

  /** A thread is gone, or of no more use: its unit fails, and the next unit gets a new thread. */
  #lost(thread: Thread, how: string): void {
    if (!this.#threads.delete(thread)) return;
    const { task } = thread;
    thread.task = null;
    task?.reject(new TidelakeError(internal(`a worker thread ${how} in unit ${task.name}`)));
    void thread.worker.terminate();
    this.#dispatch();
  }
}

function closedError(name: string): TidelakeError {
  return new TidelakeError(internal(`unit ${name} was stopped: the pool is closed`));
}

/** URL of a module beside the one at `from`, built: when that runs as TypeScript (in tests), of its copy in dist/. */
export function builtModule(relative: string, from: string): string {
  const here = from.endsWith('.ts')
    ? from.replace(/\/pipeline\/(?!.*\/pipeline\/)/, '/dist/pipeline/')
    : from;
  return new URL(relative, here).href;
}
