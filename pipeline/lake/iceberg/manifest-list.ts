// The manifest list: which manifests make up a snapshot, with counts and partition ranges for skipping them.
// Promises: counts and sequence numbers are never null in what is written; files of any v2 writer are read by field id.
// Source: apache/iceberg format/spec.md, "Manifest Lists".
import { refuse } from '../../../schemas/errors.js';
import type { AvroField, AvroRecord, AvroRecordSchema } from './avro.js';
import { readAvro, writeAvro } from './avro.js';

/** The range of one partition field over the files of a manifest. Bounds are single-value serialisations. */
export interface FieldSummary {
  readonly containsNull: boolean;
  readonly containsNan: boolean | null;
  readonly lowerBound: Uint8Array | null;
  readonly upperBound: Uint8Array | null;
}

/** One line of a manifest list. */
export interface ManifestFile {
  /** Absolute URI as it stands in the list. */
  readonly path: string;
  /** Bytes. */
  readonly length: bigint;
  readonly specId: number;
  /** 0: data files, 1: delete files. */
  readonly content: 0 | 1;
  readonly sequenceNumber: bigint;
  /** Lowest data sequence number of its live files. */
  readonly minSequenceNumber: bigint;
  readonly addedSnapshotId: bigint;
  readonly addedFiles: number;
  readonly existingFiles: number;
  readonly deletedFiles: number;
  readonly addedRows: bigint;
  readonly existingRows: bigint;
  readonly deletedRows: bigint;
  readonly partitions: readonly FieldSummary[];
}

function required(name: string, type: string, id: number): AvroField {
  return { name, type, 'field-id': id };
}

function optional(name: string, type: AvroField['type'], id: number): AvroField {
  return { name, type: ['null', type], default: null, 'field-id': id };
}

const summarySchema: AvroRecordSchema = {
  type: 'record',
  name: 'r508',
  fields: [
    required('contains_null', 'boolean', 509),
    optional('contains_nan', 'boolean', 518),
    optional('lower_bound', 'bytes', 510),
    optional('upper_bound', 'bytes', 511),
  ],
};

const listSchema: AvroRecordSchema = {
  type: 'record',
  name: 'manifest_file',
  fields: [
    required('manifest_path', 'string', 500),
    required('manifest_length', 'long', 501),
    required('partition_spec_id', 'int', 502),
    required('content', 'int', 517),
    required('sequence_number', 'long', 515),
    required('min_sequence_number', 'long', 516),
    required('added_snapshot_id', 'long', 503),
    required('added_files_count', 'int', 504),
    required('existing_files_count', 'int', 505),
    required('deleted_files_count', 'int', 506),
    required('added_rows_count', 'long', 512),
    required('existing_rows_count', 'long', 513),
    required('deleted_rows_count', 'long', 514),
    optional('partitions', { type: 'array', items: summarySchema, 'element-id': 508 }, 507),
    optional('key_metadata', 'bytes', 519),
  ],
};

/** The bytes of a manifest list. `parentId` null: the table's first snapshot. */
export function writeManifestList(options: {
  readonly snapshotId: bigint;
  readonly parentId: bigint | null;
  readonly sequenceNumber: bigint;
  readonly manifests: readonly ManifestFile[];
}): Uint8Array {
  return writeAvro({
    schema: listSchema,
    metadata: {
      'snapshot-id': String(options.snapshotId),
      'parent-snapshot-id': String(options.parentId),
      'sequence-number': String(options.sequenceNumber),
      'format-version': '2',
    },
    rows: options.manifests.map((file) => ({
      manifest_path: file.path,
      manifest_length: file.length,
      partition_spec_id: file.specId,
      content: file.content,
      sequence_number: file.sequenceNumber,
      min_sequence_number: file.minSequenceNumber,
      added_snapshot_id: file.addedSnapshotId,
      added_files_count: file.addedFiles,
      existing_files_count: file.existingFiles,
      deleted_files_count: file.deletedFiles,
      added_rows_count: file.addedRows,
      existing_rows_count: file.existingRows,
      deleted_rows_count: file.deletedRows,
      partitions: file.partitions.map((summary) => ({
        contains_null: summary.containsNull,
        contains_nan: summary.containsNan,
        lower_bound: summary.lowerBound,
        upper_bound: summary.upperBound,
      })),
      key_metadata: null,
    })),
  });
}

/** Reads a manifest list of any v2 writer. Throws REFUSED_FORMAT. */
export function readManifestList(bytes: Uint8Array): ManifestFile[] {
  const { schema, rows } = readAvro(bytes);
  const take = fieldReader(schema);
  return rows.map((row) => {
    const specId = take(row, 502, 'partition_spec_id');
    const content = take(row, 517, 'content') ?? 0;
    const keys = take(row, 519, 'key_metadata');
    if (keys instanceof Uint8Array && keys.length > 0)
      throw unreadable('its manifests are encrypted');
    if (typeof specId !== 'number' || (content !== 0 && content !== 1)) {
      throw unreadable('a manifest has a spec or content that is not known');
    }
    return {
      path: textOf(take(row, 500, 'manifest_path'), 'manifest_path'),
      length: longOf(take(row, 501, 'manifest_length'), 'manifest_length'),
      specId,
      content,
      // Manifests of a table that once was v1 have none: 0 by the specification.
      sequenceNumber: longOf(take(row, 515, 'sequence_number') ?? 0n, 'sequence_number'),
      minSequenceNumber: longOf(take(row, 516, 'min_sequence_number') ?? 0n, 'min_sequence_number'),
      addedSnapshotId: longOf(take(row, 503, 'added_snapshot_id'), 'added_snapshot_id'),
      addedFiles: countOf(take(row, 504, 'added_files_count')),
      existingFiles: countOf(take(row, 505, 'existing_files_count')),
      deletedFiles: countOf(take(row, 506, 'deleted_files_count')),
      addedRows: longOf(take(row, 512, 'added_rows_count') ?? 0n, 'added_rows_count'),
      existingRows: longOf(take(row, 513, 'existing_rows_count') ?? 0n, 'existing_rows_count'),
      deletedRows: longOf(take(row, 514, 'deleted_rows_count') ?? 0n, 'deleted_rows_count'),
      partitions: readSummaries(take(row, 507, 'partitions')),
    };
  });
}

function readSummaries(value: unknown): FieldSummary[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly AvroRecord[]).map((summary) => ({
    containsNull: summary.contains_null !== false,
    containsNan: typeof summary.contains_nan === 'boolean' ? summary.contains_nan : null,
    lowerBound: summary.lower_bound instanceof Uint8Array ? summary.lower_bound : null,
    upperBound: summary.upper_bound instanceof Uint8Array ? summary.upper_bound : null,
  }));
}

/** A function that takes a record's field by its Iceberg id, or by name where the writer gave no ids: names have
 *  changed between Iceberg's versions (`added_data_files_count`), ids never. */
export function fieldReader(
  schema: AvroRecordSchema,
): (row: AvroRecord, id: number, name: string) => unknown {
  const names = new Map<number, string>();
  for (const field of schema.fields) {
    const id = field['field-id'];
    if (typeof id === 'number') names.set(id, field.name);
  }
  return (row, id, name) => row[names.get(id) ?? name] ?? null;
}

/** A file count. Missing, as v1 allowed, means unknown: taken as one, so that the manifest is not skipped. */
function countOf(value: unknown): number {
  return typeof value === 'number' ? value : 1;
}

/** A bigint from an Avro int or long. Throws REFUSED_FORMAT naming the field. */
export function longOf(value: unknown, name: string): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return BigInt(value);
  throw unreadable(`${name} is missing`);
}

/** A string. Throws REFUSED_FORMAT naming the field. */
export function textOf(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  throw unreadable(`${name} is missing`);
}

/** The refusal for a manifest or manifest list that breaks the specification. */
export function unreadable(why: string): Error {
  return refuse(
    'REFUSED_FORMAT',
    `a manifest of the table cannot be used: ${why}`,
    'the table cannot be read as it stands; nothing was changed',
    'roll the table back to an older snapshot, or load a full export again',
  );
}
