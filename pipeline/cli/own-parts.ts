// The public API of pipeline/index.ts, each function loaded when it is called: a command waits for its own modules only.
// Promises: the same functions as the index has; what one needs is loaded once, before its work begins.

import type { TidelakeApi } from './api.js';

/** The whole API, with nothing of it loaded yet. */
export const ownParts: TidelakeApi = {
  loadExport: async (...args) => (await import('../load/load-export.js')).loadExport(...args),
  async *mergeExports(...args) {
    yield* (await import('../merge/merge-exports.js')).mergeExports(...args);
  },
  status: async (...args) => (await import('../inspect/status.js')).status(...args),
  log: async (...args) => (await import('../inspect/log.js')).log(...args),
  schema: async (...args) => (await import('../inspect/schema-rows.js')).schema(...args),
  setColumnType: async (...args) =>
    (await import('../merge/set-column-type.js')).setColumnType(...args),
  verify: async (...args) => (await import('../inspect/verify.js')).verify(...args),
  expireTable: async (...args) => (await import('../upkeep/expire.js')).expireTable(...args),
  async *compactTable(...args) {
    yield* (await import('../upkeep/compact.js')).compactTable(...args);
  },
  unload: async (...args) => (await import('../unload/unload.js')).unload(...args),
  query: async (...args) => (await import('../query/query.js')).query(...args),
  queryAthena: async (...args) => (await import('../query/query-athena.js')).queryAthena(...args),
  async *runTables(...args) {
    yield* (await import('../schedule/run-tables.js')).runTables(...args);
  },
  async *planTables(...args) {
    yield* (await import('../schedule/run-tables.js')).planTables(...args);
  },
  askExport: async (...args) => (await import('../schedule/ask-export.js')).askExport(...args),
  async *backfillExports(...args) {
    yield* (await import('../backfill/backfill-exports.js')).backfillExports(...args);
  },
  backfillRecovery: async (...args) =>
    (await import('../backfill/backfill-recovery.js')).backfillRecovery(...args),
  pushQueries: async (...args) => (await import('../query/push-queries.js')).pushQueries(...args),
};
