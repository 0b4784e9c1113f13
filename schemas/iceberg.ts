// Apache Iceberg v2 table metadata as it stands in JSON and Avro.
// Source: apache/iceberg, format/spec.md ("Table Metadata Fields", "Snapshots", "Manifests", "Appendix C: JSON serialization").
// 64-bit ids are bigint in memory and bare JSON numbers on disk.

export type IcebergType = string | IcebergStruct | IcebergList | IcebergMap;

export interface IcebergStruct {
  readonly type: 'struct';
  readonly fields: readonly IcebergField[];
}
export interface IcebergList {
  readonly type: 'list';
  readonly 'element-id': number;
  readonly element: IcebergType;
  readonly 'element-required': boolean;
}
export interface IcebergMap {
  readonly type: 'map';
  readonly 'key-id': number;
  readonly key: IcebergType;
  readonly 'value-id': number;
  readonly value: IcebergType;
  readonly 'value-required': boolean;
}
export interface IcebergField {
  readonly id: number;
  readonly name: string;
  readonly required: boolean;
  readonly type: IcebergType;
  readonly doc?: string;
}
export interface IcebergSchema extends IcebergStruct {
  readonly 'schema-id': number;
  readonly 'identifier-field-ids'?: readonly number[];
}
export interface PartitionField {
  readonly name: string;
  /** identity, bucket[N], truncate[W], year, month, day, hour, void */
  readonly transform: string;
  readonly 'source-id': number;
  readonly 'field-id': number;
}
export interface PartitionSpec {
  readonly 'spec-id': number;
  readonly fields: readonly PartitionField[];
}
export interface SortOrder {
  readonly 'order-id': number;
  readonly fields: readonly {
    readonly transform: string;
    readonly 'source-id': number;
    readonly direction: 'asc' | 'desc';
    readonly 'null-order': 'nulls-first' | 'nulls-last';
  }[];
}
export interface Snapshot {
  readonly 'snapshot-id': bigint;
  readonly 'parent-snapshot-id'?: bigint;
  readonly 'sequence-number': number;
  readonly 'timestamp-ms': number;
  readonly summary: Readonly<Record<string, string>>;
  readonly 'manifest-list': string;
  readonly 'schema-id'?: number;
}
export interface TableMetadata {
  readonly 'format-version': number;
  readonly 'table-uuid': string;
  readonly location: string;
  readonly 'last-sequence-number': number;
  readonly 'last-updated-ms': number;
  readonly 'last-column-id': number;
  readonly 'current-schema-id': number;
  readonly schemas: readonly IcebergSchema[];
  readonly 'default-spec-id': number;
  readonly 'partition-specs': readonly PartitionSpec[];
  readonly 'last-partition-id': number;
  readonly 'default-sort-order-id': number;
  readonly 'sort-orders': readonly SortOrder[];
  readonly properties: Readonly<Record<string, string>>;
  /** Absent or null when the table has no snapshot (-1 on disk is read as null). */
  readonly 'current-snapshot-id': bigint | null;
  readonly refs: Readonly<
    Record<string, { readonly 'snapshot-id': bigint; readonly type: 'branch' | 'tag' }>
  >;
  readonly snapshots: readonly Snapshot[];
  readonly statistics: readonly unknown[];
  readonly 'partition-statistics'?: readonly unknown[];
  readonly 'snapshot-log': readonly {
    readonly 'timestamp-ms': number;
    readonly 'snapshot-id': bigint;
  }[];
  readonly 'metadata-log': readonly {
    readonly 'timestamp-ms': number;
    readonly 'metadata-file': string;
  }[];
}

/** Per-column statistics of a file, keyed by field id. Bounds are Iceberg single-value binary serialisations (Appendix D). */
export interface ColumnStats {
  readonly columnSizes: ReadonlyMap<number, bigint>;
  readonly valueCounts: ReadonlyMap<number, bigint>;
  readonly nullValueCounts: ReadonlyMap<number, bigint>;
  readonly lowerBounds: ReadonlyMap<number, Uint8Array>;
  readonly upperBounds: ReadonlyMap<number, Uint8Array>;
}

/** A partition value in memory: null, or by the transform's result type. Decimals are unscaled bigint, long is bigint. */
export type PartitionValue = null | boolean | number | bigint | string | Uint8Array;

/** A data file (content 0), position delete file (1) or equality delete file (2). */
export interface DataFile extends ColumnStats {
  readonly content: 0 | 1 | 2;
  /** Absolute URI as it stands in the manifest. */
  readonly path: string;
  readonly format: string;
  /** One value per field of the partition spec, in order. */
  readonly partition: readonly PartitionValue[];
  readonly recordCount: bigint;
  readonly fileSizeBytes: bigint;
  readonly splitOffsets: readonly bigint[] | null;
  readonly equalityIds: readonly number[] | null;
  readonly sortOrderId: number | null;
  readonly referencedDataFile: string | null;
}

/** A manifest entry: 0 existing, 1 added, 2 deleted. Sequence numbers and snapshot id are resolved (inherited) on reading. */
export interface ManifestEntry {
  readonly status: 0 | 1 | 2;
  readonly snapshotId: bigint;
  readonly sequenceNumber: bigint;
  readonly fileSequenceNumber: bigint;
  readonly file: DataFile;
  readonly specId: number;
}

/** Field ids that the specification reserves for the columns of position delete files. */
export const filePathFieldId = 2147483546;
export const posFieldId = 2147483545;
