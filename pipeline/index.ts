// The public API: what the command calls, and what a program of yours can call with a World of its own.

export { TidelakeError } from '../schemas/errors.js';
export { type BackfillExportsOptions, backfillExports } from './backfill/backfill-exports.js';
export { type BackfillRecoveryOptions, backfillRecovery } from './backfill/backfill-recovery.js';
export { log } from './inspect/log.js';
export { schema } from './inspect/schema-rows.js';
export { status } from './inspect/status.js';
export { verify } from './inspect/verify.js';
export { type LoadOptions, loadExport } from './load/load-export.js';
export { type MergeOptions, mergeExports } from './merge/merge-exports.js';
export { type SchemaChangeOptions, setColumnType } from './merge/set-column-type.js';
export * from './ports.js';
export { type PushRequest, pushQueries } from './query/push-queries.js';
export { query } from './query/query.js';
export { queryAthena } from './query/query-athena.js';
export * from './reports.js';
export { type AskedExport, type AskOptions, askExport } from './schedule/ask-export.js';
export { planRound } from './schedule/plan-round.js';
export { RunLimit } from './schedule/run-limit.js';
export { type RoundOptions, runRound } from './schedule/run-round.js';
export {
  type ExportsOf,
  planTables,
  runTables,
  type TablesOptions,
} from './schedule/run-tables.js';
export type { ScheduleConfig } from './schedule/situation.js';
export type { TableJob } from './schedule/table-job.js';
export { ExportMemory } from './schedule/table-watch.js';
export { type UnloadOptions, unload } from './unload/unload.js';
export { type CompactOptions, type CompactWhen, compactTable } from './upkeep/compact.js';
export { type ExpireOptions, expireTable } from './upkeep/expire.js';
export { type Retention, tableRetention } from './upkeep/retention.js';
export {
  configuredUpkeep,
  type UpkeepAction,
  type UpkeepState,
  type UpkeepWhen,
  upkeepDue,
  usualUpkeep,
} from './upkeep/upkeep-due.js';
export { upkeepTable } from './upkeep/upkeep-table.js';
