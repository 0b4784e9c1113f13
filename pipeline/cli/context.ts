// All that a command gets from outside: streams, folder, environment, clock, and the loaders of the heavy parts.
// Promises that commands touch the process and the heavy modules only through this, so that tests can replace both.
// Spec: none.

import type { AwsOptions } from '../aws/clients.js';
import type { Simulator } from '../local/simulator-server.js';
import type { Clock, QueryShelf, RemoteSql, Reporter, TableExports, World } from '../ports.js';
import type { TidelakeApi, WorldOptions } from './api.js';
import type { Output } from './output.js';
import type { SimulatorModule } from './simulator-module.js';
import type { SimulatorWithSqlOptions } from './simulator-sql.js';

/** One Athena workgroup. */
export interface AthenaWorkgroup {
  readonly sql: RemoteSql;
  readonly shelf: QueryShelf;
}

export interface AthenaOptions {
  readonly workgroup: string;
  /** Where results go, else the workgroup's own place. */
  readonly output?: string | undefined;
  /** How AWS is reached. */
  readonly aws: AwsOptions;
}

/** What a command that ends by itself is told when the process is to stop. */
export type StopSignal = 'SIGINT' | 'SIGTERM';

export interface CliContext {
  /** The shape the command line library wants; `exitCode` is set by commands that end well but not with 0. */
  readonly process: {
    readonly stdout: { readonly write: (text: string) => void };
    readonly stderr: { readonly write: (text: string) => void };
    readonly env: Readonly<Record<string, string | undefined>>;
    exitCode?: number | string | null;
  };
  readonly out: Output;
  readonly err: Output;
  /** Working directory, an absolute path. */
  readonly folder: string;
  readonly clock: Clock;
  /** Instant at which the process is ended from outside, where that is known, in ms of `clock`. */
  readonly deadlineMs?: number;
  /** Where progress and notes go instead of `err`, for who keeps a log of its own. */
  readonly reporter?: Reporter;
  /** Processors this process may use. */
  readonly processors: number;
  readonly loadApi: () => Promise<TidelakeApi>;
  readonly loadSimulator: () => Promise<SimulatorModule>;
  readonly startSimulator: (options: SimulatorWithSqlOptions) => Promise<Simulator>;
  readonly createWorld: (options: WorldOptions) => Promise<World>;
  readonly openAthena: (options: AthenaOptions) => Promise<AthenaWorkgroup>;
  /** DynamoDB, as far as exports need it. A table's own Region and role stand in the options in place of the run's. */
  readonly openTableExports: (options: AwsOptions) => Promise<TableExports>;
  /** Lets a command end by itself when the process is told to stop, instead of being cut off; the process then has the exit
   *  code of the signal. The returned function forgets it. */
  readonly onStop: (stop: (signal: StopSignal) => void) => () => void;
  /** Runs `release` when the command is interrupted; the returned function forgets it. */
  readonly onInterrupt: (release: () => Promise<void>) => () => void;
}
