// Small lake tables on disk for tests: Parquet written by DuckDB with field ids, committed with the snapshot builder.
// Promises: the rows are given as SQL, so that expected values come from the test and not from the code under test.
// Spec: the columns of `mystore` in DESIGN.md.

import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { FilesCatalog } from '../../pipeline/lake/files-catalog.js';
import {
  newTableMetadata,
  parseTableMetadata,
  serializeTableMetadata,
} from '../../pipeline/lake/iceberg/metadata.js';
import { type AddedFile, buildSnapshot } from '../../pipeline/lake/iceberg/snapshot-builder.js';
import { formatInstant, type LakeGap, writeLakeState } from '../../pipeline/lake/lake-state.js';
import { icebergStats } from '../../pipeline/lake/parquet/file-stats.js';
import { readFooter } from '../../pipeline/lake/parquet/footer.js';
import { DiskStore } from '../../pipeline/local/disk-store.js';
import { DuckdbEngine } from '../../pipeline/local/duckdb-engine.js';
import { createLocalWorld } from '../../pipeline/local/world.js';
import type { QueryEngine, World } from '../../pipeline/ports.js';
import { quoteText } from '../../pipeline/query/sql-text.js';
import type {
  IcebergField,
  IcebergSchema,
  IcebergType,
  PartitionSpec,
  PartitionValue,
  TableMetadata,
} from '../../schemas/iceberg.js';

export function field(id: number, name: string, type: IcebergType): IcebergField {
  return { id, name, required: false, type };
}
export function list(id: number, element: IcebergType): IcebergType {
  return { type: 'list', 'element-id': id, element, 'element-required': false };
}

/** The columns of `mystore`, clientid and created being the key. */
export const mystoreSchema: IcebergSchema = {
  type: 'struct',
  'schema-id': 0,
  fields: [
    field(1, 'clientid', 'string'),
    field(2, 'created', 'string'),
    field(3, 'order_id', 'string'),
    field(4, 'amount', 'decimal(18,2)'),
    field(5, 'qty', 'long'),
    field(6, 'status', 'string'),
    field(7, 'active', 'boolean'),
    field(8, 'address', {
      type: 'struct',
      fields: [
        field(9, 'street', 'string'),
        field(10, 'city', 'string'),
        field(11, 'zip', 'string'),
      ],
    }),
    field(
      12,
      'lines',
      list(13, {
        type: 'struct',
        fields: [
          field(14, 'sku', 'string'),
          field(15, 'price', 'decimal(18,2)'),
          field(16, 'qty', 'long'),
        ],
      }),
    ),
    field(17, 'tags', list(18, 'string')),
    field(19, 'note', 'string'),
    field(20, '_written_at', 'timestamp'),
    field(21, '_nulls', list(22, 'string')),
    field(23, '_misfits', {
      type: 'map',
      'key-id': 24,
      key: 'string',
      'value-id': 25,
      value: 'string',
      'value-required': false,
    }),
  ],
};

const mystoreIds =
  'clientid: 1, created: 2, order_id: 3, amount: 4, qty: 5, status: 6, active: 7, ' +
  'address: {__duckdb_field_id: 8, street: 9, city: 10, zip: 11}, ' +
  'lines: {__duckdb_field_id: 12, element: {__duckdb_field_id: 13, sku: 14, price: 15, qty: 16}}, ' +
  'tags: {__duckdb_field_id: 17, element: 18}, note: 19, _written_at: 20, ' +
  '_nulls: {__duckdb_field_id: 21, element: 22}, _misfits: {__duckdb_field_id: 23, key: 24, value: 25}';

/** An order as SQL: what is not given is the default. */
export function order(
  client: string,
  created: string,
  more: Readonly<Record<string, string>> = {},
): string {
  const columns: Record<string, string> = {
    clientid: quoteText(client),
    created: quoteText(created),
    order_id: quoteText(`o-${client}-${created}`),
    amount: '10.50',
    qty: '3',
    status: "'PENDING'",
    active: 'true',
    address: "{'street': 'Main 1', 'city': 'Oslo', 'zip': '0150'}",
    lines: "[{'sku': 'A', 'price': 1.25, 'qty': 2}]",
    tags: "['t1']",
    note: 'NULL',
    _written_at: 'NULL',
    _nulls: 'NULL',
    _misfits: 'NULL',
    ...more,
  };
  const types: Record<string, string> = {
    clientid: 'VARCHAR',
    created: 'VARCHAR',
    order_id: 'VARCHAR',
    amount: 'DECIMAL(18,2)',
    qty: 'BIGINT',
    status: 'VARCHAR',
    active: 'BOOLEAN',
    address: 'STRUCT(street VARCHAR, city VARCHAR, zip VARCHAR)',
    lines: 'STRUCT(sku VARCHAR, price DECIMAL(18,2), qty BIGINT)[]',
    tags: 'VARCHAR[]',
    note: 'VARCHAR',
    _written_at: 'TIMESTAMP',
    _nulls: 'VARCHAR[]',
    _misfits: 'MAP(VARCHAR, VARCHAR)',
  };
  return `SELECT ${Object.entries(columns)
    .map(([name, sql]) => `(${sql})::${types[name]} AS ${name}`)
    .join(', ')}`;
}

export interface CommitOptions {
  /** Data files: SELECTs of whole rows. */
  readonly data?: readonly {
    readonly sql: string;
    readonly partition?: readonly PartitionValue[];
  }[];
  /** Positions to delete from a live data file, by its path as manifests have it. */
  readonly deletes?: readonly { readonly path: string; readonly positions: readonly number[] }[];
  readonly removed?: readonly string[];
  readonly toMs: number;
  /** Absent for a load. */
  readonly fromMs?: number;
  readonly operation?: 'append' | 'overwrite' | 'replace';
  readonly summary?: Readonly<Record<string, string>>;
  readonly gaps?: readonly LakeGap[];
  readonly properties?: Readonly<Record<string, string | null>>;
  /** Changes a file's manifest entry, to make it lie. */
  readonly distort?: (file: AddedFile) => AddedFile;
  readonly epoch?: number;
}

export interface SmallLakeOptions {
  readonly table?: string;
  readonly spec?: PartitionSpec;
  readonly schema?: IcebergSchema;
  readonly columns?: string;
}

/** A lake in a temporary folder, and a world with a clock that stands at 2026-11-20T12:00:00Z. */
export class SmallLake {
  readonly folder: string;
  readonly root: string;
  readonly world: World;
  readonly notes: string[] = [];
  readonly warnings: string[] = [];
  readonly database = 'lake';
  private readonly writer: QueryEngine;
  private files = 0;
  private columns = '';

  private constructor(folder: string, world: World, writer: QueryEngine) {
    this.folder = folder;
    this.root = join(folder, 'a lake [1]');
    this.writer = writer;
    this.world = {
      ...world,
      clock: { nowMs: () => Date.UTC(2026, 10, 20, 12), sleep: async () => undefined },
      reporter: {
        step: () => ({ advance: () => undefined, done: () => undefined }),
        note: (text) => this.notes.push(text),
        warn: (text) => this.warnings.push(text),
      },
    };
  }

  static async open(): Promise<SmallLake> {
    const folder = mkdtempSync(join(tmpdir(), 'tidelake-small-'));
    const silent = {
      step: () => ({ advance: () => undefined, done: () => undefined }),
      note: () => undefined,
      warn: () => undefined,
    };
    const world = await createLocalWorld({ threads: 1, scratchDir: folder, reporter: silent });
    const writer = await DuckdbEngine.open({
      threads: 1,
      memoryMb: 256,
      spillFolder: join(folder, 'spill'),
    });
    return new SmallLake(folder, world, writer);
  }

  get uri(): string {
    return `file://${this.root}`;
  }
  get catalog(): FilesCatalog {
    return new FilesCatalog(this.world.store, this.uri);
  }

  async close(): Promise<void> {
    await this.writer.close();
    await this.world.units.close();
    await this.world.scratch.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async metadata(table = 'mystore'): Promise<TableMetadata> {
    const entry = await this.catalog.current(this.database, table);
    return parseTableMetadata(await this.world.store.read(entry!.metadataUri));
  }

  /** Publishes metadata as it is given. */
  async publish(md: TableMetadata, table = 'mystore'): Promise<void> {
    const entry = await this.catalog.current(this.database, table);
    await this.catalog.commit(this.database, table, entry, serializeTableMetadata(md));
  }

  /** Makes a table without a snapshot. */
  async create(options: SmallLakeOptions = {}): Promise<void> {
    const table = options.table ?? 'mystore';
    this.columns = options.columns ?? '';
    const md = newTableMetadata({
      uuid: this.world.ids.uuid(),
      location: this.catalog.tableLocation(this.database, table),
      schema: options.schema ?? mystoreSchema,
      spec: options.spec ?? { 'spec-id': 0, fields: [] },
      sortOrder: { 'order-id': 0, fields: [] },
      properties: {},
      nowMs: this.world.clock.nowMs(),
    });
    await this.publish(md, table);
  }

  /** Commits a snapshot and returns the paths of the files it added, as manifests have them. */
  async commit(options: CommitOptions, table = 'mystore'): Promise<string[]> {
    const base = await this.catalog.current(this.database, table);
    const md = await this.metadata(table);
    const added: AddedFile[] = [];
    for (const { sql, partition } of options.data ?? []) {
      added.push(await this.dataFile(md, sql, mystoreIds, partition ?? []));
    }
    for (const one of options.deletes ?? []) added.push(await this.deleteFile(md, one));
    const snapshotId = this.world.ids.snapshotId();
    const next = await buildSnapshot({
      store: this.world.store,
      md,
      location: md.location,
      ids: this.world.ids,
      snapshotTimestampMs: options.toMs,
      nowMs: this.world.clock.nowMs(),
      removed: new Set(options.removed ?? []),
      added: added.map(options.distort ?? ((file) => file)),
      properties: {
        ...(options.operation === 'replace' ? {} : this.state(snapshotId, options)),
        ...options.properties,
      },
      summary: options.operation === 'replace' ? {} : this.summary(options),
      operation: options.operation ?? (options.removed === undefined ? 'append' : 'overwrite'),
      snapshotId,
      metadataUri: base!.metadataUri,
    });
    await this.publish(next, table);
    return added.map((file) => file.path);
  }

  private state(snapshotId: bigint, options: CommitOptions): Record<string, string> {
    return writeLakeState({
      epoch: options.epoch ?? 1,
      tableId: 'table-1',
      tableArn: 'arn:aws:dynamodb:eu-west-1:123456789012:table/mystore',
      watermarkMs: options.toMs,
      watermarkSnapshot: snapshotId,
      key: [
        { name: 'clientid', tag: 'S' },
        { name: 'created', tag: 'S' },
      ],
      columns: this.columns,
      gaps: options.gaps ?? [],
      facts: null,
      adopted: [],
      baseline: { exportArn: 'arn:export/full', exportTimeMs: Date.UTC(2026, 10, 20, 9) },
    });
  }

  private summary(options: CommitOptions): Record<string, string> {
    return {
      'tidelake.epoch': String(options.epoch ?? 1),
      'tidelake.table-id': 'table-1',
      ...(options.fromMs === undefined ? {} : { 'tidelake.from': formatInstant(options.fromMs) }),
      'tidelake.to': formatInstant(options.toMs),
      'tidelake.committed-at': '2026-11-20T12:00:00.000Z',
      'tidelake.export-arn': `arn:export/${options.toMs}`,
      ...options.summary,
    };
  }

  private async copy(
    name: string,
    sql: string,
    ids: string,
  ): Promise<{ uri: string; path: string }> {
    const path = join(this.root, this.database, 'mystore', 'data', name);
    mkdirSync(dirname(path), { recursive: true });
    await this.writer.execute(
      `COPY (${sql}) TO ${quoteText(path)} (FORMAT parquet, FIELD_IDS {${ids}})`,
    );
    return { uri: `file://${path}`, path };
  }

  private async dataFile(
    md: TableMetadata,
    sql: string,
    ids: string,
    partition: readonly PartitionValue[],
  ): Promise<AddedFile> {
    this.files += 1;
    const { uri, path } = await this.copy(`part-${this.files}.parquet`, sql, ids);
    return this.entry(md, { uri, path, content: 0, partition, target: null });
  }

  private async deleteFile(
    md: TableMetadata,
    one: { readonly path: string; readonly positions: readonly number[] },
  ): Promise<AddedFile> {
    this.files += 1;
    const rows = one.positions.map((pos) => `(${quoteText(one.path)}, ${pos}::BIGINT)`).join(', ');
    const sql = `SELECT * FROM (VALUES ${rows}) v(file_path, pos) ORDER BY 1, 2`;
    const ids = 'file_path: 2147483546, pos: 2147483545';
    const { uri, path } = await this.copy(`deletes-${this.files}.parquet`, sql, ids);
    return this.entry(md, { uri, path, content: 1, partition: [], target: one.path });
  }

  private async entry(
    md: TableMetadata,
    options: {
      readonly uri: string;
      readonly path: string;
      readonly content: 0 | 1;
      readonly partition: readonly PartitionValue[];
      readonly target: string | null;
    },
  ): Promise<AddedFile> {
    const size = statSync(options.path).size;
    const store = new DiskStore();
    const footer = await readFooter((start, end) => store.read(options.uri, { start, end }), size);
    const schema = md.schemas.find((one) => one['schema-id'] === md['current-schema-id'])!;
    const types = new Map(
      schema.fields.flatMap((one) =>
        typeof one.type === 'string' ? [[one.id, one.type] as const] : [],
      ),
    );
    return {
      ...icebergStats(footer, options.content === 0 ? types : new Map()),
      content: options.content,
      path: options.uri,
      format: 'PARQUET',
      partition: options.partition,
      recordCount: footer.rowCount,
      fileSizeBytes: BigInt(size),
      splitOffsets: null,
      equalityIds: null,
      sortOrderId: options.content === 0 ? 0 : null,
      referencedDataFile: options.target,
    };
  }
}
