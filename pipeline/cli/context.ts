// All that a command gets from outside: streams, folder, environment, clock, and the loaders of the heavy parts.
// Promises that commands touch the process and the heavy modules only through this, so that tests can replace both.
// Spec: none.

import type { AwsOptions } from '../aws/clients.js';
import type { Simulator } from '../local/simulator-server.js';
import type { Clock, QueryShelf, RemoteSql, World } from '../ports.js';
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
  /** Processors this process may use. */
  readonly processors: number;
  readonly loadApi: () => Promise<TidelakeApi>;
  readonly loadSimulator: () => Promise<SimulatorModule>;
  readonly startSimulator: (options: SimulatorWithSqlOptions) => Promise<Simulator>;
  readonly createWorld: (options: WorldOptions) => Promise<World>;
  readonly openAthena: (options: AthenaOptions) => Promise<AthenaWorkgroup>;
  /** Runs `release` when the command is interrupted; the returned function forgets it. */
  readonly onInterrupt: (release: () => Promise<void>) => () => void;
}
