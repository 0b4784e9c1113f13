// Another program that writes to a lake table, as Trino, Spark or Athena would: data and delete files by DuckDB, snapshots,
// schema and property changes, roll-backs, expiry.
// Promises: it knows nothing of Tidelake's properties, and leaves them as they are, as engines do.
// Source: apache/iceberg format/spec.md.

import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { FilesCatalog } from '../../pipeline/lake/files-catalog.js';
import { liveFiles } from '../../pipeline/lake/iceberg/live-files.js';
import {
  currentSchema,
  currentSnapshot,
  serializeTableMetadata,
} from '../../pipeline/lake/iceberg/metadata.js';
import { type AddedFile, buildSnapshot } from '../../pipeline/lake/iceberg/snapshot-builder.js';
import type { OpenTable } from '../../pipeline/lake/open-table.js';
import type {
  DataFile,
  IcebergField,
  IcebergType,
  ManifestEntry,
  PartitionField,
  TableMetadata,
} from '../../schemas/iceberg.js';
import { database, type StoryLake } from './story-world.js';
import { hour } from './tale.js';

type Operation = 'append' | 'overwrite' | 'delete' | 'replace';

export interface ForeignChange {
  readonly added?: readonly AddedFile[];
  readonly removed?: readonly string[];
}

const pathOf = (uri: string): string => uri.slice('file://'.length);

export class ForeignWriter {
  readonly lake: StoryLake;
  #made = 0;

  constructor(lake: StoryLake) {
    this.lake = lake;
  }

  /** The live data files. */
  async files(): Promise<readonly ManifestEntry[]> {
    return (await this.live()).data;
  }

  async live(): ReturnType<typeof liveFiles> {
    const { md, location } = await this.lake.open();
    return liveFiles(this.lake.world.store, md, currentSnapshot(md), location);
  }

  async execute(sql: string): Promise<void> {
    const engine = await this.lake.world.engine({ threads: 1, memoryMb: 128 });
    try {
      await engine.execute(sql);
    } finally {
      await engine.close();
    }
  }

  /** A Parquet file in the table's folder, of a SELECT; without statistics in its entry, as the format allows. */
  async file(
    select: string,
    rows: number,
    more: {
      readonly ids?: string;
      readonly facts?: Partial<AddedFile>;
      /** More of DuckDB's options of COPY, e.g. `, CODEC 'snappy'`. */
      readonly options?: string;
    } = {},
  ): Promise<AddedFile> {
    const { location } = await this.lake.open();
    const uri = `${location}/data/foreign-${++this.#made}.parquet`;
    mkdirSync(dirname(pathOf(uri)), { recursive: true });
    const ids = more.ids ?? (await this.fieldIds());
    const fieldIds = ids === '' ? '' : `, FIELD_IDS {${ids}}`;
    await this.execute(
      `COPY (${select}) TO '${pathOf(uri)}' (FORMAT parquet${fieldIds}${more.options ?? ''})`,
    );
    return { ...entryOf(uri, BigInt(statSync(pathOf(uri)).size), BigInt(rows)), ...more.facts };
  }

  /** A SELECT of all columns of a live file, by their names in it. */
  select(file: ManifestEntry, where = 'true'): string {
    return `SELECT * FROM read_parquet('${pathOf(file.file.path)}', hive_partitioning = false) WHERE ${where}`;
  }

  /** A position delete file; `targets` maps data files to positions. */
  deletes(
    targets: ReadonlyMap<string, readonly number[]>,
    facts: Partial<AddedFile> = {},
  ): Promise<AddedFile> {
    const rows = [...targets].flatMap(([file, positions]) =>
      positions.map((pos) => `('${file}', ${pos}::BIGINT)`),
    );
    return this.file(
      `SELECT * FROM (VALUES ${rows.join(', ')}) v(file_path, pos) ORDER BY 1, 2`,
      rows.length,
      { ids: 'file_path: 2147483546, pos: 2147483545', facts: { content: 1, ...facts } },
    );
  }

  /** A live file's bytes under another name: a compaction that keeps rows, for stores DuckDB cannot write to. */
  async copyOf({ file, specId }: ManifestEntry): Promise<AddedFile> {
    const { store } = this.lake.world;
    const path = file.path.replace(/[^/]+$/, `copy-${++this.#made}.parquet`);
    await store.put(path, await store.read(file.path));
    return { ...file, path, specId };
  }

  /** A snapshot of this program; gives its id. */
  async commit(operation: Operation, change: ForeignChange = {}): Promise<bigint> {
    const { world } = this.lake;
    const open = await this.lake.open();
    const md = await buildSnapshot({
      store: world.store,
      md: open.md,
      location: open.md.location,
      ids: world.ids,
      snapshotTimestampMs: hour(900),
      nowMs: hour(900),
      removed: new Set(change.removed ?? []),
      added: change.added ?? [],
      properties: {},
      summary: {},
      operation,
      metadataUri: open.entry.metadataUri,
    });
    await this.publish(open, md);
    return md['current-snapshot-id']!;
  }

  /** Another metadata file, as the catalog takes it; logs the one before, as engines do. */
  async publish(open: OpenTable, md: TableMetadata): Promise<void> {
    const isLogged = md['metadata-log'].at(-1)?.['metadata-file'] === open.entry.metadataUri;
    const entry = {
      'timestamp-ms': open.md['last-updated-ms'],
      'metadata-file': open.entry.metadataUri,
    };
    const log = isLogged ? md['metadata-log'] : [...md['metadata-log'], entry];
    const catalog = new FilesCatalog(this.lake.world.store, this.lake.lake);
    const outcome = await catalog.commit(
      database,
      open.table,
      open.entry,
      serializeTableMetadata({ ...md, 'metadata-log': log }),
    );
    if (outcome !== 'committed') throw new Error(`the foreign commit ended in ${outcome}`);
  }

  async change(edit: (md: TableMetadata) => TableMetadata): Promise<void> {
    const open = await this.lake.open();
    await this.publish(open, edit(open.md));
  }

  setProperty(name: string, value: string): Promise<void> {
    return this.change((md) => ({ ...md, properties: { ...md.properties, [name]: value } }));
  }

  /** ALTER TABLE … ADD COLUMN, or any other change of the fields. Gives the id of the next new field. */
  alter(
    edit: (fields: readonly IcebergField[], id: number) => readonly IcebergField[],
  ): Promise<void> {
    return this.change((md) => {
      const id = md['last-column-id'] + 1;
      const schemaId = Math.max(...md.schemas.map((one) => one['schema-id'])) + 1;
      const fields = edit(currentSchema(md).fields, id);
      return {
        ...md,
        schemas: [...md.schemas, { type: 'struct', 'schema-id': schemaId, fields }],
        'current-schema-id': schemaId,
        'last-column-id': id,
      };
    });
  }

  addColumn(name: string, type: IcebergType): Promise<void> {
    return this.alter((fields, id) => [...fields, { id, name, required: false, type }]);
  }

  /** ALTER TABLE … SET PARTITIONING; the table is as it was until files are written. Gives the spec's id. */
  async partitionBy(
    fields: readonly Pick<PartitionField, 'name' | 'transform' | 'source-id'>[],
  ): Promise<number> {
    let specId = 0;
    await this.change((md) => {
      specId = Math.max(...md['partition-specs'].map((one) => one['spec-id'])) + 1;
      const first = md['last-partition-id'] + 1;
      const spec = {
        'spec-id': specId,
        fields: fields.map((field, i) => ({ ...field, 'field-id': first + i })),
      };
      return {
        ...md,
        'partition-specs': [...md['partition-specs'], spec],
        'default-spec-id': specId,
        'last-partition-id': first + fields.length - 1,
      };
    });
    return specId;
  }

  rollBack(id: bigint): Promise<void> {
    const refs = { main: { 'snapshot-id': id, type: 'branch' as const } };
    return this.change((md) => ({ ...md, 'current-snapshot-id': id, refs }));
  }

  /** Expires all snapshots but the current one, and removes the data files that it does not have. */
  async expire(): Promise<void> {
    const { store } = this.lake.world;
    await this.change((md) => ({
      ...md,
      snapshots: md.snapshots.filter((one) => one['snapshot-id'] === md['current-snapshot-id']),
    }));
    const { location } = await this.lake.open();
    const { data, positionDeletes } = await this.live();
    const kept = new Set([...data, ...positionDeletes].map(({ file }) => file.path));
    for await (const { uri } of store.list(`${location}/data`)) {
      if (!kept.has(uri)) await store.remove(uri);
    }
  }

  /** DuckDB's FIELD_IDS of the table's columns as they are. */
  async fieldIds(): Promise<string> {
    const { md } = await this.lake.open();
    const of = (id: number, type: IcebergType): string => {
      if (typeof type === 'string') return String(id);
      const self = `__duckdb_field_id: ${id}`;
      if (type.type === 'list')
        return `{${self}, element: ${of(type['element-id'], type.element)}}`;
      if (type.type === 'map') {
        return `{${self}, key: ${of(type['key-id'], type.key)}, value: ${of(type['value-id'], type.value)}}`;
      }
      return `{${self}, ${type.fields.map((one) => `${one.name}: ${of(one.id, one.type)}`).join(', ')}}`;
    };
    return currentSchema(md)
      .fields.map((one) => `${one.name}: ${of(one.id, one.type)}`)
      .join(', ');
  }
}

function entryOf(uri: string, bytes: bigint, rows: bigint): DataFile {
  return {
    content: 0,
    path: uri,
    format: 'PARQUET',
    partition: [],
    recordCount: rows,
    fileSizeBytes: bytes,
    columnSizes: new Map(),
    valueCounts: new Map(),
    nullValueCounts: new Map(),
    lowerBounds: new Map(),
    upperBounds: new Map(),
    splitOffsets: null,
    equalityIds: null,
    sortOrderId: null,
    referencedDataFile: null,
  };
}
