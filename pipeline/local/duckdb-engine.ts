// The query engine: DuckDB in this process, loaded when the first engine is opened.
// Promises: no network, bounded memory with spill to a given folder, UTC, rows streamed, and never a short answer that looks whole.
// Spec: DuckDB 1.5 documentation, "Configuration" and "Node.js Client (Neo)".

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import type {
  DuckDBConnection,
  DuckDBDataChunk,
  DuckDBInstance,
  DuckDBResult,
  DuckDBType,
  DuckDBValue,
} from '@duckdb/node-api';
import { TidelakeError } from '../../schemas/errors.js';
import type { QueryEngine, QueryResult } from '../ports.js';
import { messageWithoutValues, wholeMessage } from '../query/message-text.js';
import { dateValue, doubleValue, instantValue, integerValue } from '../query/result-values.js';

type DuckDb = typeof import('@duckdb/node-api');

/** How one engine is set up. */
export interface DuckdbOptions {
  readonly threads: number;
  /** Memory for DuckDB's own buffers, in MiB; what does not fit spills. */
  readonly memoryMb: number;
  /** Folder for spilled data, an absolute path; the engine makes a folder of its own in it. */
  readonly spillFolder: string;
}

/** Engines of this thread so far: each spills to a folder of its own, since DuckDB's spill files bear fixed names. */
let enginesOpened = 0;

/**
 * A private in-memory DuckDB. One result at a time: starting another statement ends the rows of the one before, whose
 * reader then gets an error. Throws TidelakeError QUERY_FAILED for what DuckDB refuses.
 */
export class DuckdbEngine implements QueryEngine {
  /** Counts statements; a stream that is not the newest one has lost its rows. */
  #statement = 0;
  #inTransaction = false;
  #isClosed = false;
  readonly #duckdb: DuckDb;
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #spillFolder: string;

  private constructor(
    duckdb: DuckDb,
    instance: DuckDBInstance,
    connection: DuckDBConnection,
    spillFolder: string,
  ) {
    this.#duckdb = duckdb;
    this.#instance = instance;
    this.#connection = connection;
    this.#spillFolder = spillFolder;
  }

  /** Opens an engine; its spill folder is made, and removed on close. */
  static async open(options: DuckdbOptions): Promise<DuckdbEngine> {
    const duckdb = await import('@duckdb/node-api');
    enginesOpened += 1;
    const spill = join(options.spillFolder, `duckdb-${process.pid}-${threadId}-${enginesOpened}`);
    await mkdir(spill, { recursive: true });
    const instance = await duckdb.DuckDBInstance.create(':memory:', {
      threads: String(Math.max(1, options.threads)),
      memory_limit: `${options.memoryMb}MiB`,
      temp_directory: spill,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      allow_community_extensions: 'false',
      // An explicit INSTALL looks only here, so that even that stays off the network.
      custom_extension_repository: join(spill, 'no-extensions'),
      extension_directory: join(spill, 'no-extensions'),
    });
    const connection = await instance.connect();
    await connection.run("SET TimeZone = 'UTC'");
    return new DuckdbEngine(duckdb, instance, connection, spill);
  }

  async execute(sql: string): Promise<void> {
    await this.#begin();
    try {
      await this.#connection.run(sql);
    } catch (error) {
      throw queryFailed(error);
    }
  }

  async query(sql: string): Promise<QueryResult> {
    const statement = await this.#begin();
    await this.#connection.run('BEGIN');
    this.#inTransaction = true;
    let result: DuckDBResult;
    try {
      result = await this.#connection.stream(sql);
    } catch (error) {
      await this.#end('ROLLBACK');
      throw queryFailed(error);
    }
    const types = result.columnTypes();
    const columns = result.columnNames().map((name, i) => ({ name, type: String(types[i]) }));
    return { columns, rows: this.#rows(sql, statement, result, types) };
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#begin();
    this.#connection.closeSync();
    this.#instance.closeSync();
    await rm(this.#spillFolder, { recursive: true, force: true });
  }

  async #begin(): Promise<number> {
    this.#statement += 1;
    if (this.#inTransaction) await this.#end('ROLLBACK');
    return this.#statement;
  }

  async #end(how: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    this.#inTransaction = false;
    // The statement itself may have ended the transaction; then there is nothing left to end.
    await this.#connection.run(how).catch(() => undefined);
  }

  async *#rows(
    sql: string,
    statement: number,
    result: DuckDBResult,
    types: readonly DuckDBType[],
  ): AsyncGenerator<readonly unknown[]> {
    const readers = types.map((type) => valueReader(this.#duckdb, type));
    const hidesNames = types.some(hasProtoField);
    let whole = false;
    try {
      for (;;) {
        this.#checkNewest(statement);
        const chunk = await result.fetchChunk();
        this.#checkNewest(statement);
        if (chunk === null || chunk.rowCount === 0) break;
        yield* rowsOf(chunk, readers, hidesNames);
      }
      await this.#checkWhole(sql);
      whole = true;
    } finally {
      if (statement === this.#statement && this.#inTransaction) {
        await this.#end(whole ? 'COMMIT' : 'ROLLBACK');
      }
    }
  }

  #checkNewest(statement: number): void {
    if (statement === this.#statement) return;
    throw new TidelakeError({
      code: 'INTERNAL',
      what: 'the rows of a query were read after its engine had begun another statement',
      meaning: 'the rows seen so far are not all of them',
      next: '',
    });
  }

  /**
   * DuckDB's C interface ends a failed stream exactly like an exhausted one, and the client has no call for the error.
   * A failure does abort the transaction around it, though, so one more statement tells (DuckDB 1.5.6, 2026-11).
   */
  async #checkWhole(sql: string): Promise<void> {
    try {
      await this.#connection.run('SELECT 1');
      return;
    } catch {
      await this.#end('ROLLBACK');
    }
    try {
      await this.#connection.run(`EXPLAIN ANALYZE ${sql}`);
    } catch (error) {
      throw queryFailed(error);
    }
    throw queryFailed(new Error('the query failed while its rows were being read'));
  }
}

function* rowsOf(
  chunk: DuckDBDataChunk,
  readers: readonly ValueReader[],
  hidesNames: boolean,
): Generator<readonly unknown[]> {
  const columns = readers.map((reader, i) => {
    if (hidesNames) renameProtoFields(chunk.getColumnVector(i).type);
    return chunk.getColumnValues(i).map((value) => (value === null ? null : reader(value)));
  });
  const { rowCount } = chunk;
  for (let row = 0; row < rowCount; row++) yield columns.map((column) => column[row]);
}

// ---------------------------------------------------------------- values

type ValueReader = (value: DuckDBValue) => unknown;

/**
 * The client collects a struct's fields by plain assignment, which loses a field called `__proto__`. Such a field gets
 * this name in the type the client reads by, and its own back when the object is built.
 */
const protoAlias = '\u0000proto';

function childTypes(type: DuckDBType): readonly DuckDBType[] {
  const shape = type as {
    readonly entryTypes?: readonly DuckDBType[];
    readonly memberTypes?: readonly DuckDBType[];
    readonly keyType?: DuckDBType;
    readonly valueType?: DuckDBType;
  };
  const single = [shape.keyType, shape.valueType].filter((t) => t !== undefined);
  return [...(shape.entryTypes ?? shape.memberTypes ?? []), ...single];
}

function hasProtoField(type: DuckDBType): boolean {
  const names = (type as { readonly entryNames?: readonly string[] }).entryNames;
  return names?.includes('__proto__') || childTypes(type).some(hasProtoField);
}

function renameProtoFields(type: DuckDBType): void {
  const names = (type as { readonly entryNames?: string[] }).entryNames;
  const at = names?.indexOf('__proto__') ?? -1;
  if (names !== undefined && at >= 0) names[at] = protoAlias;
  childTypes(type).forEach(renameProtoFields);
}

function orText(value: string | null, original: DuckDBValue): string {
  return value ?? String(original);
}

/** Compiles how values of one type become JSON-ready ones. */
function valueReader(duckdb: DuckDb, type: DuckDBType): ValueReader {
  const id = duckdb.DuckDBTypeId;
  const t = type as DuckDBType;
  switch (t.typeId) {
    case id.BOOLEAN:
    case id.VARCHAR:
    case id.TINYINT:
    case id.SMALLINT:
    case id.INTEGER:
    case id.UTINYINT:
    case id.USMALLINT:
    case id.UINTEGER:
      return (value) => value;
    case id.BIGINT:
    case id.UBIGINT:
    case id.HUGEINT:
    case id.UHUGEINT:
    case id.BIGNUM:
      return (value) => integerValue(value as bigint);
    case id.FLOAT:
    case id.DOUBLE:
      return (value) => doubleValue(value as number);
    case id.BLOB:
      return (value) => {
        const { bytes } = value as { readonly bytes: Uint8Array };
        return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
      };
    case id.DATE:
      return (value) => {
        const date = value as InstanceType<DuckDb['DuckDBDateValue']>;
        if (!date.isFinite) return date.days > 0 ? 'infinity' : '-infinity';
        return orText(dateValue(date.days), value);
      };
    case id.TIMESTAMP:
    case id.TIMESTAMP_TZ:
      return (value) => {
        const instant = value as InstanceType<DuckDb['DuckDBTimestampValue']>;
        if (!instant.isFinite) return instant.micros > 0n ? 'infinity' : '-infinity';
        return orText(instantValue(instant.micros, 6), value);
      };
    case id.TIMESTAMP_S:
      return (value) => {
        const { seconds } = value as { readonly seconds: bigint };
        return orText(instantValue(seconds, 0), value);
      };
    case id.TIMESTAMP_MS:
      return (value) => {
        const { millis } = value as { readonly millis: bigint };
        return orText(instantValue(millis, 3), value);
      };
    case id.TIMESTAMP_NS:
      return (value) => {
        const { nanos } = value as { readonly nanos: bigint };
        return orText(instantValue(nanos, 9), value);
      };
    case id.LIST:
    case id.ARRAY: {
      const item = valueReader(duckdb, childTypes(t)[0]!);
      return (value) => {
        const { items } = value as { readonly items: readonly DuckDBValue[] };
        return items.map((v) => (v === null ? null : item(v)));
      };
    }
    case id.STRUCT:
      return structReader(duckdb, t);
    case id.MAP:
      return mapReader(duckdb, t);
    default:
      // DECIMAL, UUID, TIME, INTERVAL, BIT, ENUM and what may come: the client's text is exact.
      return (value) => String(value);
  }
}

function structReader(duckdb: DuckDb, type: DuckDBType): ValueReader {
  const { entryNames } = type as unknown as { readonly entryNames: readonly string[] };
  const readers = childTypes(type).map((child) => valueReader(duckdb, child));
  const names = [...entryNames];
  return (value) => {
    const { entries } = value as { readonly entries: Readonly<Record<string, DuckDBValue>> };
    const out: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!;
      const field = entries[name === '__proto__' ? protoAlias : name];
      out[name] = field === null || field === undefined ? null : readers[i]!(field);
    }
    return out;
  };
}

function mapReader(duckdb: DuckDb, type: DuckDBType): ValueReader {
  const [keyType, valueType] = childTypes(type);
  const readKey = valueReader(duckdb, keyType!);
  const readValue = valueReader(duckdb, valueType!);
  return (value) => {
    const { entries } = value as {
      readonly entries: readonly { readonly key: DuckDBValue; readonly value: DuckDBValue }[];
    };
    // Without a prototype, a key `__proto__` is a key like any other.
    const out: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    for (const entry of entries) {
      const key = readKey(entry.key);
      const name = typeof key === 'object' ? JSON.stringify(key) : String(key);
      out[name] = entry.value === null ? null : readValue(entry.value);
    }
    return out;
  };
}

// ---------------------------------------------------------------- errors

/** Kinds of errors that speak of the statement or of the machine, so that their text is the asker's own and kept whole. */
const speaksOfStatement =
  /^(Parser|Syntax|Binder|Catalog|IO|Missing Extension|Permission|Out of Memory|Dependency|TransactionContext|Interrupt) Error:/;

/** DuckDB's message without values of rows. */
function plainMessage(message: string): string {
  if (speaksOfStatement.test(message)) return wholeMessage(message);
  return messageWithoutValues(message.split(/\n+LINE \d+:/)[0]!);
}

function queryFailed(error: unknown): TidelakeError {
  const message = error instanceof Error ? error.message : String(error);
  const isAboutNames = /^(Binder|Catalog) Error:/.test(message);
  return new TidelakeError({
    code: 'QUERY_FAILED',
    what: plainMessage(message),
    meaning: 'nothing was changed',
    next: isAboutNames ? 'tidelake status lists the tables, tidelake schema their columns' : '',
  });
}
