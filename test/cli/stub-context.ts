// A command line without a process: streams that remember, and a stub in place of the lake.
// Promises that no test of the command needs DuckDB, Parquet or a clock.
// Spec: pipeline/cli/context.ts.

import type { TidelakeApi } from '../../pipeline/cli/api.js';
import type { AthenaWorkgroup, CliContext } from '../../pipeline/cli/context.js';
import type { Output } from '../../pipeline/cli/output.js';
import { runTidelake } from '../../pipeline/cli/run.js';
import type { SimulatorModule } from '../../pipeline/cli/simulator-module.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import type { Simulator } from '../../pipeline/local/simulator-server.js';
import type { ObjectStore, Reporter, TableExports, World } from '../../pipeline/ports.js';

export class RememberingOutput implements Output {
  text = '';
  isClosed = false;
  isTerminal = false;
  columns: number | null = null;
  write(text: string): void {
    this.text += text;
  }
  async ready(): Promise<void> {}
}

export interface Ran {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
  /** Calls of the stubbed API: name of the function and its options. */
  readonly calls: readonly { readonly name: string; readonly options: Record<string, unknown> }[];
  /** Worlds that were opened and not closed again. */
  readonly openWorlds: number;
}

export interface RunOptions {
  readonly api?: Partial<TidelakeApi>;
  readonly simulator?: Partial<SimulatorModule>;
  readonly athena?: AthenaWorkgroup;
  /** DynamoDB, for commands that ask for exports. */
  readonly tableExports?: TableExports;
  /** The same, for tests in which a Region or a role cannot be reached. */
  readonly openTableExports?: CliContext['openTableExports'];
  /** What a signal to stop would run. */
  readonly stops?: Set<Parameters<CliContext['onStop']>[0]>;
  /** What an interrupt would run. */
  readonly releases?: Set<() => Promise<void>>;
  readonly store?: ObjectStore;
  readonly folder?: string;
  readonly env?: Record<string, string>;
  readonly columns?: number;
  /** Time it takes to open the world. */
  readonly openingMs?: number;
}

/** Runs one command line against stubs. The clock stands at 2026-11-20T12:00:00Z. */
export async function runStubbed(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const out = new RememberingOutput();
  out.columns = options.columns ?? null;
  const err = new RememberingOutput();
  const calls: { name: string; options: Record<string, unknown> }[] = [];
  let openWorlds = 0;
  let nowMs = Date.UTC(2026, 10, 20, 12);
  const context: CliContext = {
    process: {
      stdout: { write: (text) => out.write(text) },
      stderr: { write: (text) => err.write(text) },
      env: options.env ?? {},
    },
    out,
    err,
    folder: options.folder ?? '/srv/shop',
    // No wait of a command ends: the time of a test does not pass.
    clock: { nowMs: () => nowMs, sleep: () => new Promise(() => {}) },
    processors: 2,
    loadApi: async () => recorded(options.api ?? {}, calls),
    loadSimulator: async () => (options.simulator ?? {}) as SimulatorModule,
    startSimulator: async (simulatorOptions) => {
      calls.push({ name: 'startSimulator', options: { ...simulatorOptions } });
      return stubSimulator;
    },
    createWorld: async ({ threads, reporter, aws }) => {
      openWorlds += 1;
      nowMs += options.openingMs ?? 0;
      calls.push({ name: 'createWorld', options: { threads, aws } });
      return stubWorld(options.store ?? new MemoryStore(), reporter, () => {
        openWorlds -= 1;
      });
    },
    // A command that runs until it is interrupted is interrupted at once.
    onInterrupt: (release) => {
      if (calls.at(-1)?.name === 'startSimulator') void release();
      options.releases?.add(release);
      return () => options.releases?.delete(release);
    },
    openTableExports: async (aws) => {
      calls.push({ name: 'openTableExports', options: { ...aws } });
      if (options.openTableExports !== undefined) return options.openTableExports(aws);
      if (options.tableExports === undefined) throw new Error('this test has no DynamoDB');
      return options.tableExports;
    },
    onStop: (stop) => {
      options.stops?.add(stop);
      return () => options.stops?.delete(stop);
    },
    openAthena: async (athena) => {
      calls.push({ name: 'openAthena', options: { ...athena } });
      if (options.athena === undefined) throw new Error('this test has no Athena');
      return options.athena;
    },
  };
  const exitCode = await runTidelake(args, context);
  return { exitCode, out: out.text, err: err.text, calls, openWorlds };
}

const stubSimulator: Simulator = {
  url: 'http://127.0.0.1:4566',
  requests: () => [],
  clearRequests: () => {},
  setFaults: () => {},
  faultUses: () => [],
  get clock(): never {
    throw new Error('no command moves the clock');
  },
  get dynamodb(): never {
    throw new Error('no command looks behind the API');
  },
  get bill(): never {
    throw new Error('no command asks what it cost');
  },
  close: async () => {},
};

function stubWorld(store: ObjectStore, reporter: Reporter, onClose: () => void): World {
  const never = (): never => {
    throw new Error('not for tests of the command');
  };
  return {
    store,
    reporter,
    clock: { nowMs: () => Date.UTC(2026, 10, 20, 12), sleep: async () => undefined },
    ids: { uuid: never, snapshotId: never },
    scratch: { write: never, read: never, close: async () => onClose() },
    units: { width: 1, run: never, close: async () => {} },
    engine: never,
    localFiles: { path: never },
    glueCatalog: null,
  };
}

function recorded(
  api: Partial<TidelakeApi>,
  calls: { name: string; options: Record<string, unknown> }[],
): TidelakeApi {
  return new Proxy(api as TidelakeApi, {
    get: (target, name) => {
      const method = Reflect.get(target, name) as ((...args: unknown[]) => unknown) | undefined;
      // An import() is awaited, which asks for `then`.
      if (name === 'then' || method === undefined) return undefined;
      return (...args: unknown[]) => {
        calls.push({ name: String(name), options: args[1] as Record<string, unknown> });
        return method(...args);
      };
    },
  });
}
