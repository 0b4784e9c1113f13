// What the command needs from the rest of Tidelake: types only, so that nothing heavy is loaded and tests can give stubs.
// Promises that a command never reaches around these interfaces.
// Spec: DESIGN "The command"; the implementation is pipeline/index.ts.

import type { Naming } from '../../schemas/columns.js';
import type { SettingsOf } from '../../schemas/source-settings.js';
import type { RetypeRule } from '../../schemas/table-settings.js';
import type { AwsOptions } from '../aws/clients.js';
import type { BackfillExportsOptions } from '../backfill/backfill-exports.js';
import type { BackfillRecoveryOptions } from '../backfill/backfill-recovery.js';
import type {
  QueryResult,
  QueryShelf,
  RemoteSql,
  Reporter,
  TableExports,
  World,
} from '../ports.js';
import type { PushRequest } from '../query/push-queries.js';
import type {
  BackfillReport,
  CompactReport,
  ExpireReport,
  ExportReport,
  LoadReport,
  LogRow,
  MergeReport,
  PlanReport,
  PushRow,
  RoundReport,
  SchemaChangeReport,
  SchemaRow,
  StatusRow,
  Target,
  UnloadReport,
  VerifyReport,
} from '../reports.js';
import type { AskOptions } from '../schedule/ask-export.js';
import type { PlanOptions } from '../schedule/plan-round.js';
import type { ExportsOf, TablesOptions } from '../schedule/run-tables.js';
import type { TableJob } from '../schedule/table-job.js';

export interface LoadOptions extends Target {
  /** Folder of the export, its manifest-summary.json, or a parent that holds exactly one full export. */
  readonly exportUri: string;
  /** Names of the key attributes, partition key first. */
  readonly key?: readonly string[];
  readonly buckets?: number;
  /** An Iceberg transform over a key attribute, e.g. `truncate(created, 10)`. */
  readonly partition?: string;
  /** How columns are named, for a table that is new. */
  readonly naming?: Naming;
  /** What is configured for the export's table; what is given here goes before it. */
  readonly settingsOf?: SettingsOf;
  readonly rewind?: boolean;
  readonly acceptTableId?: string;
  readonly allowFiltered?: boolean;
}

export interface MergeOptions extends Target {
  readonly exportUris: readonly string[];
  readonly acceptGap: boolean;
  readonly acceptSeam: boolean;
  readonly adoptSnapshot?: bigint;
  /** Whether number columns become wider by themselves. */
  readonly retype?: RetypeRule;
  /** Bytes of data files up to which they do. */
  readonly retypeBytesMax?: number;
  /** What is configured for an export's table; what is given here goes before it. */
  readonly settingsOf?: SettingsOf;
  /** One way for every partition that is touched, instead of the cheaper one. */
  readonly way?: 'rewrite' | 'mark';
}

export interface SchemaChangeOptions extends Target {
  readonly column: string;
  readonly type: string;
}

export interface ExpireOptions extends Target {
  readonly keepDays?: number;
  readonly keepSnapshots?: number;
  readonly graceHours?: number;
  readonly removeOrphans?: boolean;
  readonly dryRun?: boolean;
}

export interface CompactOptions extends Target {
  readonly partition?: string;
  readonly dryRun?: boolean;
}

export interface UnloadOptions extends Target {
  readonly outUri: string;
  /** ISO instant, or `snapshot:ID`. */
  readonly asOf?: string;
}

export interface QueryOptions extends Target {
  /** SQL, or the name of a saved query. */
  readonly sql: string;
  readonly params: Readonly<Record<string, string>>;
  /** ISO instant, or `snapshot:ID`. */
  readonly asOf?: string;
  /** Folders of saved queries, as URIs; the first that has a name wins. */
  readonly queryFolders?: readonly string[];
  /** Folders of saved views, as URIs. */
  readonly viewFolders?: readonly string[];
}

/** The public API, as the command calls it. */
export interface TidelakeApi {
  loadExport(world: World, options: LoadOptions): Promise<LoadReport>;
  mergeExports(world: World, options: MergeOptions): AsyncIterable<MergeReport>;
  status(world: World, target: Target): Promise<readonly StatusRow[]>;
  log(world: World, target: Target): Promise<readonly LogRow[]>;
  schema(world: World, target: Target): Promise<readonly SchemaRow[]>;
  setColumnType(world: World, options: SchemaChangeOptions): Promise<SchemaChangeReport>;
  verify(world: World, target: Target): Promise<readonly VerifyReport[]>;
  expireTable(world: World, options: ExpireOptions): Promise<ExpireReport>;
  compactTable(world: World, options: CompactOptions): AsyncIterable<CompactReport>;
  unload(world: World, options: UnloadOptions): Promise<UnloadReport>;
  query(world: World, options: QueryOptions): Promise<QueryResult>;
  queryAthena(world: World, athena: RemoteSql, options: QueryOptions): Promise<QueryResult>;
  runTables(
    world: World,
    jobs: readonly TableJob[],
    exportsOf: ExportsOf,
    options: TablesOptions,
  ): AsyncIterable<RoundReport>;
  planTables(
    world: World,
    jobs: readonly TableJob[],
    exportsOf: ExportsOf,
    options: Pick<TablesOptions, 'tablesAtOnceMax'> & PlanOptions,
  ): AsyncIterable<PlanReport>;
  askExport(
    world: World,
    exports: TableExports,
    job: TableJob,
    options: AskOptions,
  ): Promise<ExportReport>;
  backfillExports(world: World, options: BackfillExportsOptions): AsyncIterable<BackfillReport>;
  backfillRecovery(
    world: World,
    exports: TableExports,
    job: TableJob,
    options: BackfillRecoveryOptions,
  ): Promise<BackfillReport>;
  pushQueries(world: World, shelf: QueryShelf, options: PushRequest): Promise<readonly PushRow[]>;
}

export interface WorldOptions {
  /** Units of work that may run at the same time. */
  readonly threads: number;
  readonly reporter: Reporter;
  /** How AWS is reached, when it is. */
  readonly aws: AwsOptions;
}
