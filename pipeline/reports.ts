// What Tidelake's commands answer: one plain, JSON-ready value per result, every field always present.
// Times are ISO 8601 in UTC with milliseconds and Z; ids are strings; counts are numbers; null where a fact does not apply.
// The contract of `--json`: a report is printed as it stands, one per line. Fields are added, never renamed.

import type { ErrorFacts } from '../schemas/errors.js';

/** Which table of which lake an operation is about. */
export interface Target {
  /** Absolute URI of the lake folder, e.g. `file:///srv/lake` or `s3://bucket/prefix`. */
  readonly lake: string;
  readonly database: string;
  /** Lake table; without it, the table the export names, or all tables of the database. */
  readonly table?: string;
  /** Which catalog has the tables. Default: files. */
  readonly catalog?: 'files' | 'glue';
}

/** `load`: a full export became an epoch, or there was nothing to do. */
export interface LoadReport {
  readonly action: 'loaded' | 'nothing';
  /** Why there was nothing to do; null when loaded. */
  readonly reason: string | null;
  readonly database: string;
  readonly table: string;
  readonly tableId: string;
  readonly epoch: number;
  readonly exportArn: string;
  readonly watermark: string;
  readonly snapshotId: string;
  readonly rows: number;
  readonly columns: number;
  /** Rows that have at least one misfit. */
  readonly misfits: number;
  readonly dataFiles: number;
  readonly bytes: number;
  /** The export's instant has a fraction of a second, so that no window continues it exactly. */
  readonly seam: boolean;
  readonly seconds: number;
}

/** `merge`: what became of one export that was considered. */
export interface MergeReport {
  /** `known`: already in the lake. `skipped`: not this table's. `refused`: see `error`. */
  readonly action: 'applied' | 'known' | 'skipped' | 'refused';
  readonly exportArn: string;
  readonly table: string;
  /** Start of the window, inclusive; null for what is no incremental export. */
  readonly from: string | null;
  /** End of the window, exclusive. */
  readonly to: string | null;
  readonly inserted: number | null;
  readonly updated: number | null;
  readonly deleted: number | null;
  readonly snapshotId: string | null;
  /** The lake's watermark after this export was considered. */
  readonly watermark: string | null;
  readonly addedColumns: readonly string[];
  readonly retypedColumns: readonly string[];
  readonly misfits: number | null;
  readonly reason: string | null;
  readonly error: ErrorFacts | null;
  readonly seconds: number;
}

/** Time the lake's chain does not cover, or covers with a known doubt. */
export interface GapReport {
  readonly from: string;
  readonly to: string;
  readonly kind: string;
}

/** Another program's snapshot that a person declared to stand for an instant. */
export interface AdoptionReport {
  readonly snapshotId: string;
  readonly watermark: string;
  readonly at: string;
}

/** A number column that misfits call a wider type for. */
export interface WantedRetype {
  readonly column: string;
  readonly type: string;
  /** Misfits that would be in the column then. */
  readonly values: number;
}

/** `status`: how fresh and how large one lake table is. */
export interface StatusRow {
  readonly database: string;
  readonly table: string;
  readonly tableId: string | null;
  readonly tableArn: string | null;
  readonly epoch: number | null;
  readonly watermark: string | null;
  /** Seconds from the watermark to now. */
  readonly ageSeconds: number | null;
  readonly snapshotId: string | null;
  readonly snapshotTime: string | null;
  readonly rows: number | null;
  readonly dataFiles: number | null;
  readonly deleteFiles: number | null;
  readonly bytes: number | null;
  readonly misfits: number | null;
  /** Columns to give another type with `schema set`; empty where nothing waits for that, or nobody knows. */
  readonly retypes: readonly WantedRetype[];
  readonly snapshots: number | null;
  /** Manifests of the current snapshot. */
  readonly manifests: number | null;
  /** Bytes of the metadata file, which every commit writes anew. */
  readonly metadataBytes: number | null;
  /** The oldest instant that can be asked for. */
  readonly oldest: string | null;
  readonly gaps: readonly GapReport[];
  readonly adopted: readonly AdoptionReport[];
  readonly location: string;
  /** `refused`: the table cannot be written to as it stands; `problem` says why. */
  readonly health: 'ok' | 'refused';
  readonly problem: string | null;
}

/** `log`: one snapshot, oldest first. */
export interface LogRow {
  readonly snapshotId: string;
  readonly committedAt: string | null;
  /** Iceberg's operation: append, overwrite, replace, delete. */
  readonly operation: string;
  /** What Tidelake did: load, merge, retype … ; null for another writer's snapshot. */
  readonly kind: string | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly exportArn: string | null;
  readonly inserted: number | null;
  readonly updated: number | null;
  readonly deleted: number | null;
  readonly rows: number | null;
  readonly dataFiles: number | null;
  readonly epoch: number | null;
  /** For another program's snapshot: the instant a person declared it to stand for; else null. */
  readonly adopted: string | null;
}

/** `schema`: one column and where it comes from. */
export interface SchemaRow {
  readonly column: string;
  readonly type: string;
  /** Original attribute name; null for Tidelake's own columns. */
  readonly attribute: string | null;
  readonly dynamodbTypes: readonly string[];
  /** Rows that have a value in the column; null when not counted. */
  readonly present: number | null;
  /** Rows whose value of this attribute stands in `_misfits`. */
  readonly misfits: number | null;
  readonly key: boolean;
  readonly fieldId: number;
}

/** `schema set`: a column has a new type. */
export interface SchemaChangeReport {
  readonly action: 'retyped' | 'nothing';
  readonly reason: string | null;
  readonly database: string;
  readonly table: string;
  readonly column: string;
  readonly type: string;
  readonly snapshotId: string | null;
  readonly misfits: number | null;
  readonly seconds: number;
}

/** `expire`: what left the table's metadata, and the files that went with it. */
export interface ExpireReport {
  /** `planned`: a dry run, in which the numbers say what would be done. */
  readonly action: 'expired' | 'planned' | 'nothing';
  readonly database: string;
  readonly table: string;
  readonly expiredSnapshots: number;
  readonly keptSnapshots: number;
  /** The oldest instant that can still be asked for; null in a dry run. */
  readonly oldest: string | null;
  /** Data and delete files removed. */
  readonly dataFiles: number;
  /** Manifests and manifest lists removed. */
  readonly manifests: number;
  /** Metadata files of older versions removed. */
  readonly metadataFiles: number;
  /** Files removed that nothing referred to. */
  readonly orphans: number;
  /** Bytes of data, delete and orphan files removed. */
  readonly bytes: number;
  /** Files that should have been removed and could not be. */
  readonly unremoved: number;
  readonly seconds: number;
}

/** Why `compact` rewrites a partition: small files; delete files; files of another program, or whose keys overlap. */
export type CompactReason = 'small' | 'deletes' | 'unordered';

/** `compact`: what became of one partition. */
export interface CompactReport {
  /** `planned`: a dry run. `changed`: others changed it meanwhile, again and again; the next run looks at it. */
  readonly action: 'compacted' | 'planned' | 'changed';
  readonly database: string;
  readonly table: string;
  /** The folder of the partition where it is named after buckets; null where its name holds values of a key. */
  readonly partition: string | null;
  readonly reasons: readonly CompactReason[];
  readonly rows: number;
  readonly filesBefore: number;
  readonly filesAfter: number | null;
  readonly deleteFilesBefore: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number | null;
  readonly snapshotId: string | null;
  readonly seconds: number;
}

/** Upkeep as the scheduled job does it. */
export interface UpkeepReport {
  /** Partitions, as they were committed. */
  readonly compacted: readonly CompactReport[];
  /** Null: no expiry was due, it failed, or there was no time for it. */
  readonly expired: ExpireReport | null;
  /** Why it was not finished; what is above was done. Null: it was, as far as it was begun. */
  readonly error: ErrorFacts | null;
}

/** One promise that was checked. `detail` says what was compared, or what is wrong; never content of items. */
export interface VerifyCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** `verify`: every promise about one lake table. */
export interface VerifyReport {
  readonly table: string;
  readonly ok: boolean;
  readonly checks: readonly VerifyCheck[];
}

/** `unload`: a lake table as DynamoDB JSON again. */
export interface UnloadReport {
  readonly items: number;
  readonly files: number;
  readonly bytes: number;
  readonly watermark: string;
  readonly snapshotId: string;
  /** URI of the folder written. */
  readonly out: string;
  readonly seconds: number;
}

/** One simulated incremental export. */
export interface SimulatedWindow {
  readonly from: string;
  readonly to: string;
  readonly uri: string;
}

/** `simulate`: the exports written. */
export interface SimulateReport {
  readonly table: string;
  /** URI of the full export's folder. */
  readonly full: string;
  readonly windows: readonly SimulatedWindow[];
  /** Items in the full export. */
  readonly items: number;
  readonly seconds: number;
}

/** `queries list`: one saved query, view or check. */
export interface SavedQueryRow {
  readonly kind: 'query' | 'view' | 'check';
  readonly name: string;
  readonly topic: string;
  readonly title: string;
  readonly question: string;
  /** As the file declares them: `name type` or `name type = default`. */
  readonly params: readonly string[];
  /** `:table` stands for any lake table. */
  readonly tables: readonly string[];
  readonly cost: string;
}

/** `queries push`: what became of one query or prepared statement. */
export interface PushRow {
  readonly kind: 'query' | 'statement';
  readonly name: string;
  /** keep: it was the same; stale: it is there and would not be pushed now; skip: it was not pushed. */
  readonly action: 'create' | 'update' | 'keep' | 'remove' | 'stale' | 'skip';
  /** Why, for stale and skip; else null. */
  readonly reason: string | null;
}

/** An epoch of a backfill: a full export, and the windows after it. */
export interface BackfillEpoch {
  /** ARN of the full export; null: the epoch the lake is in already, or an export that is still to be asked for. */
  readonly full: string | null;
  /** Instant of the full export, or the lake's watermark. */
  readonly from: string;
  /** End of its last window. */
  readonly to: string;
  readonly windows: number;
}

/** What of the exports does not connect, or is not needed. */
export interface BackfillFinding {
  readonly kind: string;
  readonly from: string | null;
  readonly to: string | null;
  /** Exports left aside because of it. */
  readonly exports: number;
  /** Whether newer exports cannot be brought in because of it. */
  readonly blocking: boolean;
  readonly what: string;
  /** What would heal it; null where nothing has to be. */
  readonly next: string | null;
}

/** `backfill`: one lake table, and what became of its past. */
export interface BackfillReport {
  /** `planned`: only looked. `nothing`: the lake is there already. `stopped`: goes on when run again. `refused`, `failed`: see
   *  `error`; after a failure the same command may help. */
  readonly action: 'planned' | 'done' | 'nothing' | 'stopped' | 'refused' | 'failed';
  readonly database: string;
  readonly table: string;
  readonly tableId: string | null;
  /** Where the past comes from: exports that lie somewhere, or exports asked of point-in-time recovery. */
  readonly source: 'exports' | 'recovery';
  /** First instant of the history that is planned; null: there is nothing to plan. */
  readonly from: string | null;
  /** Last instant that the plan leads to. */
  readonly to: string | null;
  /** The lake's watermark afterwards; null: there is no table. */
  readonly watermark: string | null;
  readonly epochs: readonly BackfillEpoch[];
  readonly loads: number;
  readonly windows: number;
  readonly loaded: number;
  readonly merged: number;
  /** Exports asked of DynamoDB in this run. */
  readonly requested: number;
  readonly findings: readonly BackfillFinding[];
  /** Of what the plan takes, as it stood at the beginning. */
  readonly estimate: {
    readonly items: number;
    readonly bytes: number;
    readonly files: number;
    readonly seconds: number;
    readonly usd: number;
    readonly assumptions: readonly string[];
  };
  readonly error: ErrorFacts | null;
  readonly seconds: number;
}

/** An export that was asked for. */
export interface RequestedExport {
  readonly type: 'full' | 'window';
  /** Instant of a full export; null for a window. */
  readonly at: string | null;
  /** Start of the window, inclusive; null for a full export. */
  readonly from: string | null;
  /** End of the window, exclusive. */
  readonly to: string | null;
  readonly exportArn: string;
  /** Folder that it is put in. */
  readonly place: string;
  /** From 1; above, the tries before had failed. */
  readonly attempt: number;
}

/** How fresh a lake table is. All null, false and 0 while there is no lake table. */
export interface FreshnessReport {
  readonly epoch: number | null;
  readonly tableId: string | null;
  /** The lake equals the DynamoDB table up to this instant, exclusive. */
  readonly watermark: string | null;
  /** End of the newest window that can be exported now; the watermark when there is none after it. */
  readonly target: string | null;
  /** Seconds from the watermark to now. */
  readonly lagSeconds: number | null;
  /** Whether the lag is above what the configuration allows. */
  readonly late: boolean;
  /** Seconds until the next window can no longer be exported, if nothing is merged. */
  readonly spareSeconds: number | null;
  /** Whether less than a quarter of the recovery period is left. */
  readonly nearEdge: boolean;
  /** Accepted gaps and seams of this epoch. */
  readonly gaps: number;
}

/** Why a table is waited for. `export-limit`: too many exports of the account are in progress. */
export type WaitingFor =
  | 'exports-running'
  | 'no-instant-yet'
  | 'time-budget'
  | 'export-limit'
  | 'stopped';

/** `run`: one round for one table. */
export interface RoundReport extends FreshnessReport {
  readonly database: string;
  readonly table: string;
  /** The DynamoDB table, as the configuration names it. */
  readonly source: string;
  /** `fresh`: at the newest window there can be. `waiting`: goes on by itself. `refused`: a person has to act, see `error`.
   *  `failed`: this round could not go on, see `error`; the next one tries again. */
  readonly state: 'fresh' | 'waiting' | 'refused' | 'failed';
  readonly waitingFor: WaitingFor | null;
  /** When the next round makes sense; null where it makes none before a person acts. */
  readonly nextAt: string | null;
  /** Exports of the table in progress at the end of the round. */
  readonly running: number;
  readonly requested: readonly RequestedExport[];
  readonly loads: readonly LoadReport[];
  readonly merges: readonly MergeReport[];
  /** Why a new epoch was begun without asking; null: none was. */
  readonly reseeded: ErrorFacts | null;
  /** What was done for the table besides; null: none is asked for, or this round brought nothing in, or had no
   *  time left for it. Its error is none of the round's. */
  readonly upkeep: UpkeepReport | null;
  readonly error: ErrorFacts | null;
  readonly seconds: number;
}

/** One thing that the next round would do. */
export interface PlannedAction {
  readonly do: 'load' | 'merge' | 'request-full' | 'request-window' | 'reseed';
  readonly at: string | null;
  readonly from: string | null;
  readonly to: string | null;
  /** Of an export that is there. */
  readonly exportArn: string | null;
  /** Folder that an export would be put in. */
  readonly place: string | null;
  readonly attempt: number | null;
  /** Of an export to be asked for: what it is billed by, as far as one can tell. Of one that is loaded or merged: what it was
   *  billed by, as DescribeExport tells; null where only S3 knows it. Null for a new epoch. */
  readonly bytes: number | null;
}

/** One line of a price: quantity times price. */
export interface PlannedPriceLine {
  readonly what: string;
  readonly quantity: number;
  readonly unit: string;
  readonly price: number;
  readonly usd: number;
}

/** `plan`: what the next round would do for one table. Nothing was done. */
export interface PlanReport extends FreshnessReport {
  readonly database: string;
  readonly table: string;
  readonly source: string;
  /** As of a round: what it would end with, were the exports in progress not to end meanwhile. */
  readonly state: 'fresh' | 'waiting' | 'refused' | 'failed';
  readonly waitingFor: WaitingFor | null;
  readonly nextAt: string | null;
  readonly running: number;
  readonly actions: readonly PlannedAction[];
  readonly price: {
    readonly usd: number;
    readonly lines: readonly PlannedPriceLine[];
    readonly assumptions: readonly string[];
  };
  readonly error: ErrorFacts | null;
}

/** `export`: one export that was asked for. */
export interface ExportReport extends RequestedExport {
  /** `known`: there was one already, complete or in progress, and nothing new is paid for. */
  readonly action: 'requested' | 'known';
  readonly table: string;
  readonly source: string;
  readonly tableId: string;
  readonly view: 'NEW_IMAGE' | 'NEW_AND_OLD_IMAGES' | null;
  readonly state: 'IN_PROGRESS' | 'COMPLETED' | 'FAILED' | 'UNKNOWN';
  /** DynamoDB's code for the failure; null when it did not fail. */
  readonly failureCode: string | null;
  /** Its manifest-summary.json, for `load` and `merge`; null before it is there. */
  readonly summary: string | null;
  readonly billedBytes: number | null;
  /** What is wrong with an export that failed; else null. */
  readonly error: ErrorFacts | null;
  readonly seconds: number;
}
