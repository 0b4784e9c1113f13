// What the tests of the lake share: a small schema, data files that exist in name only, a table to commit to.

import { FilesCatalog } from '../../pipeline/lake/files-catalog.js';
import {
  newTableMetadata,
  parseTableMetadata,
  serializeTableMetadata,
} from '../../pipeline/lake/iceberg/metadata.js';
import type { AddedFile, SnapshotOptions } from '../../pipeline/lake/iceberg/snapshot-builder.js';
import { buildSnapshot } from '../../pipeline/lake/iceberg/snapshot-builder.js';
import { SeededIds } from '../../pipeline/local/ids.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import type { CommitOutcome } from '../../pipeline/ports.js';
import type {
  IcebergSchema,
  PartitionSpec,
  PartitionValue,
  TableMetadata,
} from '../../schemas/iceberg.js';

export const root = 's3://bucket/lake';
export const location = `${root}/db/orders`;
export const hour = 3_600_000;
export const start: number = Date.UTC(2026, 0, 1);

export const schema: IcebergSchema = {
  type: 'struct',
  'schema-id': 0,
  fields: [
    { id: 1, name: 'client', required: false, type: 'string' },
    { id: 2, name: 'qty', required: false, type: 'decimal(18, 2)' },
    {
      id: 3,
      name: 'tags',
      required: false,
      type: { type: 'list', 'element-id': 4, element: 'string', 'element-required': false },
    },
  ],
};

export const bucketed: PartitionSpec = {
  'spec-id': 0,
  fields: [{ name: 'client_bucket', transform: 'bucket[4]', 'source-id': 1, 'field-id': 1000 }],
};

export function dataFile(
  name: string,
  partition: readonly PartitionValue[] = [],
  rows = 10n,
): AddedFile {
  return {
    content: 0,
    path: name.includes('://') ? name : `${location}/data/${name}.parquet`,
    format: 'PARQUET',
    partition,
    recordCount: rows,
    fileSizeBytes: rows * 100n,
    columnSizes: new Map([[1, 50n]]),
    valueCounts: new Map([[1, rows]]),
    nullValueCounts: new Map([[1, 0n]]),
    lowerBounds: new Map([[1, new TextEncoder().encode('a')]]),
    upperBounds: new Map([[1, new TextEncoder().encode('z')]]),
    splitOffsets: [4n],
    equalityIds: null,
    sortOrderId: null,
    referencedDataFile: null,
  };
}

export function deleteFile(
  name: string,
  target: string | null,
  partition: readonly PartitionValue[] = [],
): AddedFile {
  return {
    ...dataFile(name, partition, 2n),
    content: 1,
    lowerBounds: new Map(),
    upperBounds: new Map(),
    splitOffsets: null,
    referencedDataFile: target,
  };
}

export function emptyTable(
  options: { spec?: PartitionSpec; properties?: Record<string, string> } = {},
): TableMetadata {
  return newTableMetadata({
    uuid: '5f0f2a3e-1111-4222-8333-444455556666',
    location,
    schema,
    ...(options.spec === undefined ? {} : { spec: options.spec }),
    properties: options.properties ?? {},
    nowMs: start,
  });
}

/** A lake in memory and a shorthand for building and committing snapshots. */
export class TestLake {
  readonly store: MemoryStore = new MemoryStore();
  readonly catalog: FilesCatalog = new FilesCatalog(this.store, root);
  readonly ids: SeededIds = new SeededIds('lake');

  build(md: TableMetadata, change: Partial<SnapshotOptions> = {}): Promise<TableMetadata> {
    return buildSnapshot({
      store: this.store,
      md,
      location,
      ids: this.ids,
      snapshotTimestampMs: start + hour,
      nowMs: start + 2 * hour,
      removed: new Set(),
      added: [],
      properties: {},
      summary: {},
      operation: 'append',
      ...change,
    });
  }

  async commit(md: TableMetadata): Promise<CommitOutcome> {
    const base = await this.catalog.current('db', 'orders');
    return this.catalog.commit('db', 'orders', base, serializeTableMetadata(md));
  }

  async current(): Promise<TableMetadata> {
    const entry = await this.catalog.current('db', 'orders');
    return parseTableMetadata(await this.store.read(entry!.metadataUri));
  }
}
