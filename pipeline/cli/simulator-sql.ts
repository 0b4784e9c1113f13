// The simulator with SQL: what its Athena is asked runs on DuckDB, over the tables in its Glue and the files in its S3,
// which are read through its own endpoint, as Athena reads AWS's; or on a Trino that somebody started over that endpoint.
// Promises: DuckDB is loaded with the first query; every query sees the tables as they are then, and leaves nothing behind.
// Spec: pipeline/simulator/aws/athena-sql.ts.

import { GlueTablesAnywhere } from '../aws/glue-tables-anywhere.js';
import { S3Store } from '../aws/s3-store.js';
import { type SimulatedClients, simulatedClients } from '../aws/simulated-clients.js';
import { DiskStore } from '../local/disk-store.js';
import {
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from '../local/simulator-server.js';
import { trinoSql } from '../local/trino-sql.js';
import { createLocalWorld } from '../local/world.js';
import { query } from '../query/query.js';
import { readSavedQueries, type SavedQuery } from '../query/saved-queries.js';
import { NullReporter } from '../reporting/null-reporter.js';
import type { RunSql, SqlAnswer } from '../simulator/aws/athena-executions.js';
import { athenaSqlOnDuckdb } from '../simulator/aws/athena-sql.js';
import { queriesUri } from './package-root.js';

export interface SimulatorWithSqlOptions extends Omit<SimulatorOptions, 'runSql'> {
  /** Address of a Trino for Athena's SQL, `http://host:port/catalog`. Default: DuckDB, in this process. */
  readonly athenaTrino?: string;
}

/** Starts a simulator whose Athena answers. Throws what `startSimulator` throws, and USAGE for an address that is none. */
export async function startSimulatorWithSql(options: SimulatorWithSqlOptions): Promise<Simulator> {
  const { athenaTrino, ...own } = options;
  if (athenaTrino !== undefined) return startSimulator({ ...own, runSql: trinoSql(athenaTrino) });
  let url = '';
  const clients = simulatedClients(() => url);
  const simulator = await startSimulator({ ...own, runSql: simulatorSql(clients) });
  url = simulator.url;
  return {
    ...simulator,
    close: async () => {
      clients.close();
      await simulator.close();
    },
  };
}

/** SQL over what a simulator's Glue and S3 hold. */
function simulatorSql(clients: SimulatedClients): RunSql {
  let saved: Promise<readonly SavedQuery[]> | null = null;
  const queries = (): Promise<readonly SavedQuery[]> => {
    const store = new DiskStore();
    saved ??= Promise.all(
      (['saved', 'checks'] as const).map((kind) => readSavedQueries(store, queriesUri(kind))),
    ).then((all) => all.flat());
    return saved;
  };
  return async (...asked): Promise<SqlAnswer> => {
    const store = new S3Store({ client: () => clients.s3() });
    const world = await createLocalWorld({
      threads: 1,
      reporter: new NullReporter(),
      // One thread needs no store for others.
      store: { here: store, inThreads: { url: '', options: null } },
      glueCatalog: async () => new GlueTablesAnywhere(clients),
    });
    try {
      const run = athenaSqlOnDuckdb({
        queries,
        query: (sql, database) =>
          query(world, { lake: 's3://lake', database, sql, catalog: 'glue' }),
      });
      return await run(...asked);
    } finally {
      await world.units.close();
      await world.scratch.close();
    }
  };
}
