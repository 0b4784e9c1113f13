// The table metadata file: reading, checking, writing, and the first one of a new table.
// Promises: 64-bit ids stay exact; fields this version does not know are kept; v1 and v3 tables are refused.
// Source: apache/iceberg format/spec.md, "Table Metadata Fields", "Appendix C: JSON serialization".
import { gunzipSync } from 'node:zlib';
import { refuse, type TidelakeError } from '../../../schemas/errors.js';
import type {
  IcebergSchema,
  IcebergType,
  PartitionSpec,
  Snapshot,
  SortOrder,
  TableMetadata,
} from '../../../schemas/iceberg.js';
import { manifestBytesMax } from '../../../schemas/limits.js';
import { type JsonObject, type JsonValue, parseJson, stringifyJson } from './json.js';

/** Ids of partition fields begin here in v2. */
const partitionIdMin = 1000;

/** Reads a metadata.json (plain or gzip). Throws REFUSED_FORMAT for v1 or broken metadata, REFUSED_NEWER_FORMAT
 *  for v3 and later. */
export function parseTableMetadata(bytes: Uint8Array): TableMetadata {
  const md = objectOf(parseJson(text(bytes)), 'the metadata');
  const version = numberOf(md, 'format-version');
  if (version > 2) {
    throw refuse(
      'REFUSED_NEWER_FORMAT',
      `the table has Iceberg format version ${version}; Tidelake reads and writes version 2`,
      'the table was upgraded by another program; Athena cannot read it either',
      'load a full export into a new table',
    );
  }
  if (version !== 2) throw broken(`it has Iceberg format version ${version}, not 2`);
  const snapshots = listOf(md, 'snapshots').map(readSnapshot);
  const current = optionalId(md, 'current-snapshot-id');
  const refs = readRefs(md, current);
  const parsed: TableMetadata = {
    // What is not known here rides along.
    ...(md as unknown as TableMetadata),
    'format-version': 2,
    'table-uuid': stringOf(md, 'table-uuid'),
    location: stringOf(md, 'location'),
    'last-sequence-number': numberOf(md, 'last-sequence-number'),
    'last-updated-ms': numberOf(md, 'last-updated-ms'),
    'last-column-id': numberOf(md, 'last-column-id'),
    'current-schema-id': numberOf(md, 'current-schema-id'),
    schemas: listOf(md, 'schemas').map(readSchema),
    'default-spec-id': numberOf(md, 'default-spec-id'),
    'partition-specs': listOf(md, 'partition-specs').map(readSpec),
    'last-partition-id': numberOf(md, 'last-partition-id'),
    'default-sort-order-id': numberOf(md, 'default-sort-order-id'),
    'sort-orders': listOf(md, 'sort-orders').map(readSortOrder),
    properties: readProperties(md.properties ?? {}, 'properties'),
    'current-snapshot-id': current,
    refs,
    snapshots,
    statistics: listOf(md, 'statistics'),
    'snapshot-log': listOf(md, 'snapshot-log').map((value) => {
      const entry = objectOf(value, 'a snapshot-log entry');
      return {
        'timestamp-ms': numberOf(entry, 'timestamp-ms'),
        'snapshot-id': idOf(entry, 'snapshot-id'),
      };
    }),
    'metadata-log': listOf(md, 'metadata-log').map((value) => {
      const entry = objectOf(value, 'a metadata-log entry');
      return {
        'timestamp-ms': numberOf(entry, 'timestamp-ms'),
        'metadata-file': stringOf(entry, 'metadata-file'),
      };
    }),
  };
  check(parsed);
  return parsed;
}

/** The bytes of a metadata.json. No snapshot is written as -1, as v2 readers expect. */
export function serializeTableMetadata(md: TableMetadata): Uint8Array {
  return new TextEncoder().encode(
    stringifyJson({ ...md, 'current-snapshot-id': md['current-snapshot-id'] ?? -1n }),
  );
}

/** The metadata of a table without snapshots. `location` is the table's folder, without a slash at the end. */
export function newTableMetadata(options: {
  readonly uuid: string;
  readonly location: string;
  readonly schema: IcebergSchema;
  readonly spec?: PartitionSpec;
  readonly sortOrder?: SortOrder;
  readonly properties?: Readonly<Record<string, string>>;
  readonly nowMs: number;
}): TableMetadata {
  const spec = options.spec ?? { 'spec-id': 0, fields: [] };
  const unsorted: SortOrder = { 'order-id': 0, fields: [] };
  const order = options.sortOrder;
  const isSorted = order !== undefined && order['order-id'] !== 0;
  return {
    'format-version': 2,
    'table-uuid': options.uuid,
    location: options.location,
    'last-sequence-number': 0,
    'last-updated-ms': options.nowMs,
    'last-column-id': highestFieldId(options.schema),
    'current-schema-id': options.schema['schema-id'],
    schemas: [options.schema],
    'default-spec-id': spec['spec-id'],
    'partition-specs': [spec],
    'last-partition-id': Math.max(
      partitionIdMin - 1,
      ...spec.fields.map((field) => field['field-id']),
    ),
    'default-sort-order-id': isSorted ? order['order-id'] : 0,
    'sort-orders': isSorted ? [unsorted, order] : [unsorted],
    properties: options.properties ?? {},
    'current-snapshot-id': null,
    refs: {},
    snapshots: [],
    statistics: [],
    'snapshot-log': [],
    'metadata-log': [],
  };
}

/** The highest field id in a type, nested ones included; 0 when there is none. */
export function highestFieldId(type: IcebergType): number {
  if (typeof type === 'string') return 0;
  switch (type.type) {
    case 'struct':
      return Math.max(
        0,
        ...type.fields.map((field) => Math.max(field.id, highestFieldId(field.type))),
      );
    case 'list':
      return Math.max(type['element-id'], highestFieldId(type.element));
    case 'map':
      return Math.max(
        type['key-id'],
        type['value-id'],
        highestFieldId(type.key),
        highestFieldId(type.value),
      );
  }
}

/** The type of a field by id, at any depth below structs; null when the schema does not have it. */
export function fieldType(schema: IcebergSchema, id: number): IcebergType | null {
  const pending: IcebergType[] = [schema];
  for (let type = pending.pop(); type !== undefined; type = pending.pop()) {
    if (typeof type === 'string' || type.type !== 'struct') continue;
    for (const field of type.fields) {
      if (field.id === id) return field.type;
      pending.push(field.type);
    }
  }
  return null;
}

/** The snapshot of an id; null when metadata does not have it (it was expired, or never was). */
export function snapshotById(md: TableMetadata, id: bigint | null | undefined): Snapshot | null {
  return md.snapshots.find((snapshot) => snapshot['snapshot-id'] === id) ?? null;
}

/** The current snapshot, or null when the table has none. */
export function currentSnapshot(md: TableMetadata): Snapshot | null {
  return md['current-snapshot-id'] === null ? null : snapshotById(md, md['current-snapshot-id']);
}

/** The current schema. */
export function currentSchema(md: TableMetadata): IcebergSchema {
  return md.schemas.find((schema) => schema['schema-id'] === md['current-schema-id'])!;
}

/** The partition spec of an id. Throws REFUSED_FORMAT when metadata does not have it. */
export function specById(md: TableMetadata, id: number): PartitionSpec {
  const spec = md['partition-specs'].find((one) => one['spec-id'] === id);
  if (spec === undefined)
    throw broken(`a manifest uses partition spec ${id}, which it does not have`);
  return spec;
}

function text(bytes: Uint8Array): string {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return new TextDecoder().decode(bytes);
  try {
    return new TextDecoder().decode(gunzipSync(bytes, { maxOutputLength: manifestBytesMax }));
  } catch {
    throw broken('it does not decompress');
  }
}

function readSnapshot(value: JsonValue): Snapshot {
  const snapshot = objectOf(value, 'a snapshot');
  const parent = optionalId(snapshot, 'parent-snapshot-id');
  const { 'parent-snapshot-id': _parent, ...rest } = snapshot;
  return {
    ...(rest as unknown as Snapshot),
    'snapshot-id': idOf(snapshot, 'snapshot-id'),
    ...(parent === null ? {} : { 'parent-snapshot-id': parent }),
    'sequence-number': numberOf(snapshot, 'sequence-number'),
    'timestamp-ms': numberOf(snapshot, 'timestamp-ms'),
    summary: readProperties(snapshot.summary ?? {}, 'a snapshot summary'),
    'manifest-list': stringOf(snapshot, 'manifest-list'),
  };
}

function readRefs(md: JsonObject, current: bigint | null): TableMetadata['refs'] {
  const refs: Record<string, TableMetadata['refs'][string]> = Object.create(null);
  for (const [name, value] of Object.entries(objectOf(md.refs ?? {}, 'refs'))) {
    const ref = objectOf(value, 'a ref');
    refs[name] = {
      ...(ref as object),
      'snapshot-id': idOf(ref, 'snapshot-id'),
      type: stringOf(ref, 'type') === 'tag' ? 'tag' : 'branch',
    };
  }
  if (current !== null && refs.main === undefined)
    refs.main = { 'snapshot-id': current, type: 'branch' };
  return refs;
}

function readSchema(value: JsonValue): IcebergSchema {
  const schema = objectOf(value, 'a schema');
  numberOf(schema, 'schema-id');
  if (schema.type !== 'struct') throw broken('a schema is not a struct');
  for (const one of listOf(schema, 'fields')) {
    const field = objectOf(one, 'a field');
    numberOf(field, 'id');
    stringOf(field, 'name');
  }
  return schema as unknown as IcebergSchema;
}

function readSpec(value: JsonValue): PartitionSpec {
  const spec = objectOf(value, 'a partition spec');
  return {
    'spec-id': numberOf(spec, 'spec-id'),
    fields: listOf(spec, 'fields').map((one) => {
      const field = objectOf(one, 'a partition field');
      return {
        name: stringOf(field, 'name'),
        transform: stringOf(field, 'transform'),
        'source-id': numberOf(field, 'source-id'),
        'field-id': numberOf(field, 'field-id'),
      };
    }),
  };
}

function readSortOrder(value: JsonValue): SortOrder {
  const order = objectOf(value, 'a sort order');
  numberOf(order, 'order-id');
  listOf(order, 'fields');
  return order as unknown as SortOrder;
}

function readProperties(value: JsonValue, name: string): Readonly<Record<string, string>> {
  const properties: Record<string, string> = Object.create(null);
  for (const [key, one] of Object.entries(objectOf(value, name))) {
    if (typeof one !== 'string') throw broken(`${name} has a value that is not text`);
    properties[key] = one;
  }
  return properties;
}

function check(md: TableMetadata): void {
  const current = md['current-snapshot-id'];
  if (current !== null && snapshotById(md, current) === null)
    throw broken('its current snapshot is not in its list');
  if (currentSchema(md) === undefined) throw broken('its current schema is not in its list');
  specById(md, md['default-spec-id']);
  const main = md.refs.main;
  if (main !== undefined && main['snapshot-id'] !== current)
    throw broken('its main branch is not its current snapshot');
}

function objectOf(value: JsonValue | undefined, name: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw broken(`${name} is not an object`);
  return value as JsonObject;
}

function listOf(object: JsonObject, name: string): readonly JsonValue[] {
  const value = object[name] ?? [];
  if (!Array.isArray(value)) throw broken(`${name} is not a list`);
  return value as readonly JsonValue[];
}

function numberOf(object: JsonObject, name: string): number {
  const value = object[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value))
    throw broken(`${name} is not an integer`);
  return value;
}

function stringOf(object: JsonObject, name: string): string {
  const value = object[name];
  if (typeof value !== 'string') throw broken(`${name} is not text`);
  return value;
}

function optionalId(object: JsonObject, name: string): bigint | null {
  const value = object[name] ?? null;
  return value === null || value === -1 ? null : idOf(object, name);
}

function idOf(object: JsonObject, name: string): bigint {
  const value = object[name];
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  throw broken(`${name} is not a snapshot id`);
}

function broken(why: string): TidelakeError {
  return refuse(
    'REFUSED_FORMAT',
    `the Iceberg table metadata cannot be used: ${why}`,
    'nothing was read or changed',
    'restore the metadata file, or point the catalog at the version before it',
  );
}
