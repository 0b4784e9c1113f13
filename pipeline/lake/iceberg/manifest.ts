// Manifests: the data or delete files of a table with their partitions, counts and bounds.
// Promises: written ones are what Java's writer would write, ids and all; read ones come from any v2 writer, with
// sequence numbers and snapshot ids inherited as the specification says. Source: format/spec.md, "Manifests".
import type {
  DataFile,
  IcebergSchema,
  IcebergType,
  ManifestEntry,
  PartitionSpec,
  PartitionValue,
  TableMetadata,
} from '../../../schemas/iceberg.js';
import type { AvroField, AvroRecord, AvroRecordSchema, AvroSchema } from './avro.js';
import { readAvro, writeAvro } from './avro.js';
import {
  decimalFromBytes,
  encodeBound,
  fixedBytes,
  primitiveName,
  uuidBytes,
  uuidText,
} from './bounds.js';
import { stringifyJson } from './json.js';
import type { FieldSummary, ManifestFile } from './manifest-list.js';
import { fieldReader, longOf, textOf, unreadable } from './manifest-list.js';
import { fieldType, specById } from './metadata.js';
import { resultType } from './transforms.js';

/** What a manifest list says of a manifest, all but where it lies. */
export type ManifestSummary = Omit<ManifestFile, 'path' | 'length'>;

/** The types of a spec's partition values: from the newest schema that still has the source column, since the column
 *  may have been dropped or retyped after the spec was made. int where none has it (all that is left is `void`). */
export function partitionTypes(
  md: Pick<TableMetadata, 'schemas' | 'current-schema-id'>,
  spec: PartitionSpec,
): IcebergType[] {
  const schemas = newestFirst(md);
  return spec.fields.map((field) => {
    for (const schema of schemas) {
      const source = fieldType(schema, field['source-id']);
      if (source !== null) return resultType(field.transform, source);
    }
    return 'int';
  });
}

/** The newest schema that has all source columns of a spec: the one to name in manifests of that spec. */
export function schemaForSpec(
  md: Pick<TableMetadata, 'schemas' | 'current-schema-id'>,
  spec: PartitionSpec,
): IcebergSchema {
  const schemas = newestFirst(md);
  const fits = (schema: IcebergSchema): boolean =>
    spec.fields.every((field) => fieldType(schema, field['source-id']) !== null);
  return schemas.find(fits) ?? schemas[0]!;
}

function newestFirst(md: Pick<TableMetadata, 'schemas' | 'current-schema-id'>): IcebergSchema[] {
  const rank = (schema: IcebergSchema): number =>
    schema['schema-id'] === md['current-schema-id'] ? Number.MAX_SAFE_INTEGER : schema['schema-id'];
  return [...md.schemas].sort((a, b) => rank(b) - rank(a));
}

// ------------------------------------------------------------------------------------------------ writing

function required(name: string, type: AvroSchema, id: number): AvroField {
  return { name, type, 'field-id': id };
}

function optional(name: string, type: AvroSchema, id: number): AvroField {
  return { name, type: ['null', type], default: null, 'field-id': id };
}

function intMap(
  name: string,
  value: 'long' | 'bytes',
  id: number,
  keyId: number,
  valueId: number,
): AvroField {
  const entry: AvroRecordSchema = {
    type: 'record',
    name: `k${keyId}_v${valueId}`,
    fields: [required('key', 'int', keyId), required('value', value, valueId)],
  };
  return optional(name, { type: 'array', items: entry, logicalType: 'map' }, id);
}

/** Bytes of the shortest two's complement that holds every decimal of a precision. */
function decimalSize(precision: number): number {
  const highest = 10n ** BigInt(precision) - 1n;
  let size = 1;
  while (BigInt.asIntN(8 * size, highest) !== highest) size++;
  return size;
}

function decimalParameters(type: IcebergType): { precision: number; scale: number } {
  const found = /^decimal\((\d+), ?(\d+)\)$/.exec(String(type));
  if (found === null) throw unreadable('a decimal type has no precision');
  return { precision: Number(found[1]), scale: Number(found[2]) };
}

/** The Avro type of a partition value. Named types are given out once and referred to afterwards. */
function avroType(type: IcebergType, known: Set<string>): AvroSchema {
  const named = (name: string, full: AvroSchema): AvroSchema => {
    if (known.has(name)) return name;
    known.add(name);
    return full;
  };
  const primitive = primitiveName(type);
  switch (primitive) {
    case 'boolean':
    case 'int':
    case 'long':
    case 'float':
    case 'double':
    case 'string':
      return primitive;
    case 'binary':
      return 'bytes';
    case 'date':
      return { type: 'int', logicalType: 'date' };
    case 'time':
      return { type: 'long', logicalType: 'time-micros' };
    case 'timestamp':
    case 'timestamptz':
      return {
        type: 'long',
        logicalType: 'timestamp-micros',
        'adjust-to-utc': primitive === 'timestamptz',
      };
    case 'decimal': {
      const { precision, scale } = decimalParameters(type);
      const name = `decimal_${precision}_${scale}`;
      return named(name, {
        type: 'fixed',
        name,
        size: decimalSize(precision),
        logicalType: 'decimal',
        precision,
        scale,
      });
    }
    case 'uuid':
      return named('uuid_fixed', {
        type: 'fixed',
        name: 'uuid_fixed',
        size: 16,
        logicalType: 'uuid',
      });
    case 'fixed': {
      const size = Number(/\d+/.exec(String(type))?.[0]);
      return named(`fixed_${size}`, { type: 'fixed', name: `fixed_${size}`, size });
    }
    default:
      throw new TypeError(`no partition value has type ${primitive}`);
  }
}

/** Avro names are narrower than column names: the same escapes as Iceberg's Java writer. */
function avroName(name: string): string {
  return Array.from(name, (char, i) => {
    if (/[A-Za-z_]/.test(char) || (i > 0 && /[0-9]/.test(char))) return char;
    return /[0-9]/.test(char) ? `_${char}` : `_x${char.charCodeAt(0).toString(16).toUpperCase()}`;
  }).join('');
}

function entrySchema(spec: PartitionSpec, types: readonly IcebergType[]): AvroRecordSchema {
  const known = new Set<string>();
  const partition: AvroRecordSchema = {
    type: 'record',
    name: 'r102',
    fields: spec.fields.map((field, i) => {
      const name = avroName(field.name);
      const avro = optional(name, avroType(types[i]!, known), field['field-id']);
      return name === field.name ? avro : { ...avro, 'iceberg-field-name': field.name };
    }),
  };
  const dataFile: AvroRecordSchema = {
    type: 'record',
    name: 'r2',
    fields: [
      required('content', 'int', 134),
      required('file_path', 'string', 100),
      required('file_format', 'string', 101),
      required('partition', partition, 102),
      required('record_count', 'long', 103),
      required('file_size_in_bytes', 'long', 104),
      intMap('column_sizes', 'long', 108, 117, 118),
      intMap('value_counts', 'long', 109, 119, 120),
      intMap('null_value_counts', 'long', 110, 121, 122),
      intMap('nan_value_counts', 'long', 137, 138, 139),
      intMap('lower_bounds', 'bytes', 125, 126, 127),
      intMap('upper_bounds', 'bytes', 128, 129, 130),
      optional('key_metadata', 'bytes', 131),
      optional('split_offsets', { type: 'array', items: 'long', 'element-id': 133 }, 132),
      optional('equality_ids', { type: 'array', items: 'int', 'element-id': 136 }, 135),
      optional('sort_order_id', 'int', 140),
      optional('referenced_data_file', 'string', 143),
    ],
  };
  return {
    type: 'record',
    name: 'manifest_entry',
    fields: [
      required('status', 'int', 0),
      optional('snapshot_id', 'long', 1),
      optional('sequence_number', 'long', 3),
      optional('file_sequence_number', 'long', 4),
      required('data_file', dataFile, 2),
    ],
  };
}

function toAvro(type: IcebergType, value: PartitionValue): unknown {
  if (value === null) return null;
  switch (primitiveName(type)) {
    case 'decimal':
      return fixedBytes(value as bigint, decimalSize(decimalParameters(type).precision));
    case 'uuid':
      return uuidBytes(value as string);
    default:
      return value;
  }
}

function entryRow(
  entry: ManifestEntry,
  names: readonly string[],
  types: readonly IcebergType[],
): AvroRecord {
  const { file } = entry;
  const partition: Record<string, unknown> = Object.create(null);
  names.forEach((name, i) => {
    partition[name] = toAvro(types[i]!, file.partition[i] ?? null);
  });
  // An added file inherits both numbers from the manifest list, as Java's writer leaves it.
  const isAdded = entry.status === 1;
  return {
    status: entry.status,
    snapshot_id: entry.snapshotId,
    sequence_number: isAdded ? null : entry.sequenceNumber,
    file_sequence_number: isAdded ? null : entry.fileSequenceNumber,
    data_file: {
      content: file.content,
      file_path: file.path,
      file_format: file.format,
      partition,
      record_count: file.recordCount,
      file_size_in_bytes: file.fileSizeBytes,
      column_sizes: pairs(file.columnSizes),
      value_counts: pairs(file.valueCounts),
      null_value_counts: pairs(file.nullValueCounts),
      nan_value_counts: null,
      lower_bounds: pairs(file.lowerBounds),
      upper_bounds: pairs(file.upperBounds),
      key_metadata: null,
      split_offsets: file.splitOffsets,
      equality_ids: file.equalityIds,
      sort_order_id: file.sortOrderId,
      referenced_data_file: file.referencedDataFile,
    },
  };
}

function pairs<V>(map: ReadonlyMap<number, V>): { key: number; value: V }[] | null {
  return map.size === 0 ? null : Array.from(map, ([key, value]) => ({ key, value }));
}

/** Writes one manifest of snapshot `snapshotId`, whose sequence number is `sequenceNumber`. All entries have spec
 *  `spec`, and delete files stand only in manifests of content 1. Entries with status 1 inherit both numbers: what
 *  they say themselves is not written. Returns the bytes and the manifest list's line. */
export function writeManifest(options: {
  readonly md: Pick<TableMetadata, 'schemas' | 'current-schema-id'>;
  readonly spec: PartitionSpec;
  readonly content: 0 | 1;
  readonly snapshotId: bigint;
  readonly sequenceNumber: bigint;
  readonly entries: readonly ManifestEntry[];
}): { readonly bytes: Uint8Array; readonly summary: ManifestSummary } {
  const { md, spec, content, snapshotId, sequenceNumber, entries } = options;
  const types = partitionTypes(md, spec);
  const schema = schemaForSpec(md, spec);
  for (const { file } of entries) {
    if ((file.content === 0) !== (content === 0))
      throw new TypeError('data and delete files in one manifest');
    if (file.partition.length !== spec.fields.length)
      throw new TypeError('a partition does not have the fields of its spec');
  }
  const names = spec.fields.map((field) => avroName(field.name));
  const bytes = writeAvro({
    schema: entrySchema(spec, types),
    metadata: {
      schema: stringifyJson(schema),
      'schema-id': String(schema['schema-id']),
      'partition-spec': stringifyJson(spec.fields),
      'partition-spec-id': String(spec['spec-id']),
      'format-version': '2',
      content: content === 0 ? 'data' : 'deletes',
    },
    rows: entries.map((entry) => entryRow(entry, names, types)),
  });
  return {
    bytes,
    summary: {
      specId: spec['spec-id'],
      content,
      sequenceNumber,
      minSequenceNumber: entries.reduce(
        (least, entry) =>
          entry.status === 0 && entry.sequenceNumber < least ? entry.sequenceNumber : least,
        sequenceNumber,
      ),
      addedSnapshotId: snapshotId,
      ...countsOf(entries),
      partitions: types.map((type, i) =>
        fieldSummary(
          type,
          entries.map((entry) => entry.file.partition[i] ?? null),
        ),
      ),
    },
  };
}

function countsOf(
  entries: readonly ManifestEntry[],
): Pick<
  ManifestFile,
  'addedFiles' | 'existingFiles' | 'deletedFiles' | 'addedRows' | 'existingRows' | 'deletedRows'
> {
  const files = [0, 0, 0];
  const rows = [0n, 0n, 0n];
  for (const { status, file } of entries) {
    files[status] = files[status]! + 1;
    rows[status] = rows[status]! + file.recordCount;
  }
  return {
    existingFiles: files[0]!,
    addedFiles: files[1]!,
    deletedFiles: files[2]!,
    existingRows: rows[0]!,
    addedRows: rows[1]!,
    deletedRows: rows[2]!,
  };
}

function fieldSummary(type: IcebergType, values: readonly PartitionValue[]): FieldSummary {
  let lowest: PartitionValue = null;
  let highest: PartitionValue = null;
  let containsNull = false;
  let containsNan = false;
  for (const value of values) {
    if (value === null) containsNull = true;
    else if (Number.isNaN(value)) containsNan = true;
    else {
      if (lowest === null || compare(value, lowest) < 0) lowest = value;
      if (highest === null || compare(value, highest) > 0) highest = value;
    }
  }
  return {
    containsNull,
    containsNan,
    lowerBound: lowest === null ? null : encodeBound(type, lowest),
    upperBound: highest === null ? null : encodeBound(type, highest),
  };
}

/** Order of partition values of one type. Strings go by their UTF-8 bytes, which is not the order of UTF-16. */
function compare(a: Exclude<PartitionValue, null>, b: Exclude<PartitionValue, null>): number {
  if (typeof a === 'string' && typeof b === 'string')
    return Buffer.compare(Buffer.from(a), Buffer.from(b));
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}

// ------------------------------------------------------------------------------------------------ reading

/** Reads a manifest that stands in a manifest list as `file`. Deleted entries are among the result. Throws
 *  REFUSED_FORMAT for encrypted files and for numbers that may not be inherited. */
export function readManifest(
  bytes: Uint8Array,
  file: Pick<ManifestFile, 'specId' | 'content' | 'sequenceNumber' | 'addedSnapshotId'>,
  md: TableMetadata,
): ManifestEntry[] {
  const spec = specById(md, file.specId);
  const types = partitionTypes(md, spec);
  const { schema, rows } = readAvro(bytes);
  const take = fieldReader(schema);
  const dataFileSchema = nestedRecord(schema, 2, 'data_file');
  const takeFile = fieldReader(dataFileSchema);
  const partitionSchema = nestedRecord(dataFileSchema, 102, 'partition');
  const takePartition = fieldReader(partitionSchema);
  return rows.map((row) => {
    const status = take(row, 0, 'status');
    if (status !== 0 && status !== 1 && status !== 2)
      throw unreadable('an entry has a status that is not known');
    // Tables that once were v1 have manifests without numbers, which count as 0 for every status.
    const mayInherit = status === 1 || file.sequenceNumber === 0n;
    const number = (id: number, name: string): bigint => {
      const own = take(row, id, name);
      if (own === null && !mayInherit)
        throw unreadable(`an entry of status ${status} has no ${name}`);
      return own === null ? file.sequenceNumber : longOf(own, name);
    };
    const dataFile = take(row, 2, 'data_file') as AvroRecord;
    const partition = (takeFile(dataFile, 102, 'partition') ?? {}) as AvroRecord;
    return {
      status,
      snapshotId: longOf(take(row, 1, 'snapshot_id') ?? file.addedSnapshotId, 'snapshot_id'),
      sequenceNumber: number(3, 'sequence_number'),
      fileSequenceNumber: number(4, 'file_sequence_number'),
      specId: file.specId,
      file: readDataFile(
        dataFile,
        takeFile,
        spec.fields.map((field, i) =>
          fromAvro(types[i]!, takePartition(partition, field['field-id'], avroName(field.name))),
        ),
      ),
    };
  });
}

function readDataFile(
  row: AvroRecord,
  take: (row: AvroRecord, id: number, name: string) => unknown,
  partition: readonly PartitionValue[],
): DataFile {
  const content = take(row, 134, 'content') ?? 0;
  if (content !== 0 && content !== 1 && content !== 2)
    throw unreadable('a file has a content that is not known');
  const keys = take(row, 131, 'key_metadata');
  if (keys instanceof Uint8Array && keys.length > 0)
    throw unreadable('its data files are encrypted');
  const offsets = take(row, 132, 'split_offsets');
  const equalityIds = take(row, 135, 'equality_ids');
  const sortOrderId = take(row, 140, 'sort_order_id');
  const referenced = take(row, 143, 'referenced_data_file');
  return {
    content,
    path: textOf(take(row, 100, 'file_path'), 'file_path'),
    format: textOf(take(row, 101, 'file_format'), 'file_format').toUpperCase(),
    partition,
    recordCount: longOf(take(row, 103, 'record_count'), 'record_count'),
    fileSizeBytes: longOf(take(row, 104, 'file_size_in_bytes'), 'file_size_in_bytes'),
    columnSizes: intMapOf(take(row, 108, 'column_sizes')),
    valueCounts: intMapOf(take(row, 109, 'value_counts')),
    nullValueCounts: intMapOf(take(row, 110, 'null_value_counts')),
    lowerBounds: intMapOf(take(row, 125, 'lower_bounds')),
    upperBounds: intMapOf(take(row, 128, 'upper_bounds')),
    splitOffsets: Array.isArray(offsets) ? (offsets as bigint[]) : null,
    equalityIds: Array.isArray(equalityIds) ? (equalityIds as number[]) : null,
    sortOrderId: typeof sortOrderId === 'number' ? sortOrderId : null,
    referencedDataFile: typeof referenced === 'string' ? referenced : null,
  };
}

function intMapOf<V>(value: unknown): ReadonlyMap<number, V> {
  if (value instanceof Map) return value as ReadonlyMap<number, V>;
  const map = new Map<number, V>();
  // Some writers leave the logical type out.
  if (Array.isArray(value)) {
    for (const pair of value as readonly { key: number; value: V }[]) map.set(pair.key, pair.value);
  }
  return map;
}

/** The record type of a field, which some writers wrap in a union. */
function nestedRecord(schema: AvroRecordSchema, id: number, name: string): AvroRecordSchema {
  const field =
    schema.fields.find((one) => one['field-id'] === id) ??
    schema.fields.find((one) => one.name === name);
  const branches = Array.isArray(field?.type)
    ? (field.type as readonly AvroSchema[])
    : [field?.type];
  for (const branch of branches) {
    if (typeof branch === 'object' && 'fields' in branch) return branch as AvroRecordSchema;
  }
  throw unreadable(`its schema has no record ${name}`);
}

function fromAvro(type: IcebergType, value: unknown): PartitionValue {
  if (value === null || value === undefined) return null;
  switch (primitiveName(type)) {
    case 'decimal':
      return value instanceof Uint8Array
        ? decimalFromBytes(value)
        : longOf(value, 'a decimal partition value');
    case 'uuid':
      return value instanceof Uint8Array ? uuidText(value) : (value as string);
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      // A file written while the column was still an int has an int here.
      return longOf(value, 'a partition value');
    case 'int':
    case 'date':
      return Number(value);
    default:
      return value as PartitionValue;
  }
}
