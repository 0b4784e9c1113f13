// The ports: everything Tidelake's domain code knows of the world outside. Interfaces only.
// Implementations: local/ (disk, worker threads), aws/ (S3, Glue, …), and in-memory ones for tests.

import type {
  ExportRequest,
  KnownExport,
  PitrFacts,
  TableFacts,
} from '../schemas/table-exports.js';

/** A place for files: a folder on disk, a bucket. URIs are absolute: `file:///…` or `s3://bucket/key`. */
export interface ObjectStore {
  /** Size in bytes, or null when there is no such object. */
  size(uri: string): Promise<number | null>;
  /** The bytes [start, end) of an object, or all of it. Throws ObjectNotFoundError. */
  read(uri: string, range?: { readonly start: number; readonly end: number }): Promise<Uint8Array>;
  /** The object's bytes, in order, in pieces of bounded size. Throws ObjectNotFoundError. */
  stream(uri: string): AsyncIterable<Uint8Array>;
  /** All objects below a folder URI, any depth, in no promised order; yields nothing when it does not exist. */
  list(folderUri: string): AsyncIterable<ListedObject>;
  /** Names of the direct children of a folder (files and folders alike), sorted; empty when it does not exist. */
  children(folderUri: string): Promise<readonly string[]>;
  /** Opens a new object for streaming. Nothing is visible under `uri` before `close` has returned. Counted: open, every write, close. */
  create(uri: string): Promise<ObjectWriter>;
  /** Publishes a whole object only if none is there. Atomic and exclusive: of two writers one gets 'created'. One counted operation. */
  putIfAbsent(uri: string, bytes: Uint8Array): Promise<'created' | 'exists'>;
  /** Publishes a whole object, replacing one that is there. One counted operation. */
  put(uri: string, bytes: Uint8Array): Promise<void>;
  /** Removes an object; no error when it is not there. One counted operation. */
  remove(uri: string): Promise<void>;
}

/** An object as a listing tells it. */
export interface ListedObject {
  readonly uri: string;
  /** Bytes. */
  readonly size: number;
  /** When it was last written, by the store's clock, in ms since the epoch. */
  readonly modifiedMs: number;
}

export interface ObjectWriter {
  write(bytes: Uint8Array): Promise<void>;
  /** Makes the object durable and visible, whole. */
  close(): Promise<void>;
  /** Drops what was written; safe to call after an error, more than once, and after close (then without effect). */
  abort(): Promise<void>;
}

/** Thrown by an ObjectStore for a missing object. */
export class ObjectNotFoundError extends Error {
  readonly uri: string;
  constructor(uri: string) {
    super(`no object at ${uri}`);
    this.name = 'ObjectNotFoundError';
    this.uri = uri;
  }
}

/** Time: what it is, in ms since the epoch, and letting some pass. */
export interface Clock {
  nowMs(): number;
  /** Comes back after at least so many milliseconds of this clock. */
  sleep(ms: number): Promise<void>;
}

/** Randomness, so that one seed replays one run. */
export interface Ids {
  /** A random UUID v4 in lower case with dashes. */
  uuid(): string;
  /** A random positive integer below 2^53. */
  snapshotId(): bigint;
}

/** What a table's catalog entry is: where the current metadata.json lies, and a token for the next commit. */
export interface CatalogEntry {
  readonly metadataUri: string;
  /** Opaque: given back on commit, which fails when the table has moved on. */
  readonly version: string;
}

export type CommitOutcome = 'committed' | 'conflict' | 'unknown';

/** A catalog: the one mutable pointer of each table. */
export interface Catalog {
  /** Names of the tables in a database, sorted. */
  tables(database: string): Promise<readonly string[]>;
  /** Names of the databases, sorted. */
  databases(): Promise<readonly string[]>;
  /** Absolute URI of a table's folder, without trailing slash. */
  tableLocation(database: string, table: string): string;
  /** The current entry, or null when the table does not exist. */
  current(database: string, table: string): Promise<CatalogEntry | null>;
  /** Publishes new metadata (JSON bytes) on top of `base` (null: the table must not exist yet). */
  commit(
    database: string,
    table: string,
    base: CatalogEntry | null,
    metadata: Uint8Array,
  ): Promise<CommitOutcome>;
}

/** Local scratch space for spilled rows: fast, private, emptied at the end of the run. */
export interface Scratch {
  /** Stores bytes and returns a handle for reading them back (in this process or in a worker of it). */
  write(parts: readonly Uint8Array[]): Promise<ScratchRef>;
  read(ref: ScratchRef): Promise<Uint8Array>;
  /** Frees everything. */
  close(): Promise<void>;
}
export interface ScratchRef {
  readonly name: string;
  readonly offset: number;
  readonly length: number;
}

/** Runs units of work: pure functions of their inputs, here, in worker threads, or far away. */
export interface Units {
  /** How many units may run at the same time. */
  readonly width: number;
  /** Runs one unit by name. Inputs and outputs are structured-cloneable. ArrayBuffers in `transfer` move. */
  run<I, O>(name: string, input: I, transfer?: readonly ArrayBuffer[]): Promise<O>;
  /** Gets ready for `count` units that are to come, if that takes time. Returns at once; without it nothing but time is lost. */
  prepare?(count: number): void;
  /** The same units in this thread, for work too small to be sent away; absent: there is nothing nearer. */
  readonly near?: Units;
  close(): Promise<void>;
}

/** Progress and notes for the person or the log; results never go here. */
export interface Reporter {
  /** A step with a known or unknown total of some unit ('items', 'files', 'bytes'). */
  step(name: string, total: number | null, unit: string): ReporterStep;
  /** A sentence worth knowing. */
  note(text: string): void;
  /** Something that needs a decision, without stopping. */
  warn(text: string): void;
}
export interface ReporterStep {
  advance(count: number): void;
  done(): void;
}

/** Objects as files that an engine in this process can open by path. */
export interface LocalFiles {
  /**
   * A path on this machine where the object's bytes can be read: the object itself for `file:` URIs, a copy in scratch
   * space for others, kept for the life of the world. `size` is the object's length in bytes, where it is known. With
   * `columns` (ids of top-level columns of a Parquet file), chunks of other columns may be holes in the copy, and the
   * rest is as it is in the object; the path stays the same when more columns are asked for later.
   * Throws ObjectNotFoundError.
   */
  path(uri: string, size?: number, columns?: readonly number[]): Promise<string>;
}

/** Answers SQL over registered views. */
export interface QueryResult {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Values in JSON-ready form: see the query folder. */
  readonly rows: AsyncIterable<readonly unknown[]>;
}
export interface QueryEngine {
  /** Runs statements whose results do not matter (views, settings). */
  execute(sql: string): Promise<void>;
  query(sql: string): Promise<QueryResult>;
  close(): Promise<void>;
}

/** SQL that runs elsewhere: Athena. One statement at a time. */
export interface RemoteSql {
  /** Runs a statement with a literal for each `?` and waits for its end; rows come page by page. */
  run(statement: {
    readonly sql: string;
    readonly parameters: readonly string[];
    readonly database: string;
  }): Promise<QueryResult>;
  /** Stops what is running there; does nothing when nothing is. */
  stop(): Promise<void>;
}

/** A query or statement that is kept where analysts find it. */
export interface ShelvedQuery {
  readonly kind: 'query' | 'statement';
  /** Null before it is there. */
  readonly id: string | null;
  readonly name: string;
  readonly description: string;
  /** Of a query; statements have none. */
  readonly database: string | null;
  readonly sql: string;
}
/** The queries and statements of one Athena workgroup. */
export interface QueryShelf {
  list(): Promise<readonly ShelvedQuery[]>;
  create(query: ShelvedQuery): Promise<void>;
  /** Replaces name, description and SQL of the one with this id. */
  update(query: ShelvedQuery): Promise<void>;
  remove(query: ShelvedQuery): Promise<void>;
}

/** DynamoDB, as far as moving its data by exports needs it: nothing here reads or writes an item. */
export interface TableExports {
  /** A table by name or ARN; null: there is no such table. */
  describeTable(table: string): Promise<TableDescription | null>;
  /** The recovery window of a table that exists. */
  describePitr(table: string): Promise<PitrFacts>;
  /** Exports of a table that DynamoDB still knows (90 days), page by page, in no promised order, without what only
   *  `describeExport` tells. */
  listExports(tableArn: string): AsyncIterable<ListedExport>;
  /** One export, whole; null: DynamoDB does not know it (any more). `summaryUri` is where the summary was put when it
   *  completed: nothing was looked up in S3. `isReadable` speaks of format and filter only. */
  describeExport(exportArn: string): Promise<KnownExport | null>;
  /** Asks for an export; the same request within 8 hours is the same export. Gives its ARN. Throws THROTTLED when too many
   *  exports are in progress, REFUSED_TOO_FRESH, REFUSED_OUTSIDE_PITR, REFUSED_PITR_OFF, REFUSED_NO_TABLE. */
  requestExport(request: ExportRequest): Promise<string>;
  /** Names of the tables of the account and Region, sorted as DynamoDB gives them. */
  listTables(): AsyncIterable<string>;
  /** Tags of a table. */
  tagsOf(tableArn: string): Promise<ReadonlyMap<string, string>>;
}

/** A table with what a first load and an estimate need. */
export interface TableDescription extends TableFacts {
  /** Key attributes, partition key first. */
  readonly key: readonly string[];
  readonly status: string;
  /** As DynamoDB last counted them, some six hours ago at most. */
  readonly sizeBytes: number;
  readonly itemCount: number;
}

/** What ListExports tells. */
export interface ListedExport {
  readonly exportArn: string;
  readonly state: 'IN_PROGRESS' | 'COMPLETED' | 'FAILED';
  readonly type: 'FULL_EXPORT' | 'INCREMENTAL_EXPORT';
}

/** The bundle that domain code gets. */
export interface World {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly reporter: Reporter;
  readonly scratch: Scratch;
  readonly units: Units;
  readonly engine: (options: {
    readonly threads: number;
    readonly memoryMb: number;
  }) => Promise<QueryEngine>;
  readonly localFiles: LocalFiles;
  /** The catalog of AWS Glue for a lake's root folder, or null in a world without AWS. */
  readonly glueCatalog: ((lakeUri: string) => Promise<Catalog>) | null;
}
