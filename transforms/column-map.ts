// A table's columns as Iceberg keeps them: the schema has names and types, the property `tidelake.columns` has what
// Iceberg cannot say: the original attribute, the DynamoDB kind, and the digits that numbers ever had.

import type { KeyAttribute, Tag } from '../schemas/attribute.js';
import type { ColumnType, Field, Naming, OwnColumnIds, TableColumns } from '../schemas/columns.js';
import { refuse } from '../schemas/errors.js';
import type {
  IcebergField,
  IcebergSchema,
  IcebergStruct,
  IcebergType,
  TableMetadata,
} from '../schemas/iceberg.js';
import { cutText } from './cut-text.js';
import { numberTypeText } from './decimals.js';
import type { KnownColumns } from './table-columns.js';

/** The property's name. */
export const columnsProperty = 'tidelake.columns';

interface FieldEntry {
  /** Original attribute name (one step), of columns and struct fields. */
  readonly attribute?: string;
  readonly kind: ColumnType['kind'];
  readonly empty?: true;
  readonly digits?: readonly [number, number];
  /** Of a column that no longer is in the schema: its name and whole type, so that it can come back. */
  readonly retired?: { readonly name: string; readonly type: ColumnType };
}

interface ColumnMap {
  readonly lastId: number;
  readonly own: OwnColumnIds;
  readonly fields: Record<string, FieldEntry>;
  /** How columns are named; absent: snake_case. */
  readonly naming?: Naming;
}

/** The Iceberg type of a column type. */
export function toIcebergType(type: ColumnType): IcebergType {
  switch (type.kind) {
    case 'S':
    case 'JSON':
      return 'string';
    case 'B':
      return 'binary';
    case 'BOOL':
      return 'boolean';
    case 'N':
      return numberTypeText(type.number);
    case 'SS':
      return list(type.elementId, 'string');
    case 'BS':
      return list(type.elementId, 'binary');
    case 'NS':
      return list(type.elementId, numberTypeText(type.number));
    case 'L':
      return list(type.elementId, toIcebergType(type.element));
    case 'MAP':
      return map(type.keyId, type.valueId, toIcebergType(type.value));
    case 'M':
      return {
        type: 'struct',
        fields: type.fields.map((field) => ({
          id: field.id,
          name: field.name,
          required: false,
          type: toIcebergType(field.type),
        })),
      };
  }
}

function list(id: number, element: IcebergType): IcebergType {
  return { type: 'list', 'element-id': id, element, 'element-required': false };
}

function map(keyId: number, valueId: number, value: IcebergType): IcebergType {
  return {
    type: 'map',
    'key-id': keyId,
    key: 'string',
    'value-id': valueId,
    value,
    'value-required': false,
  };
}

const kindWords: Readonly<Record<ColumnType['kind'], string>> = {
  S: 'S',
  N: 'N',
  B: 'B',
  BOOL: 'BOOL',
  SS: 'SS',
  NS: 'NS',
  BS: 'BS',
  L: 'L',
  M: 'M',
  MAP: 'M, used as a dictionary',
  JSON: 'several kinds, as DynamoDB JSON text',
};

/** Bytes of an attribute's name in a comment: with the words around it, less than the 255 that AWS Glue takes. */
const docNameBytesMax = 180;

/** A text for a column's comment: one line of at most 255 bytes. */
function doc(field: Field): string {
  const name = cutText(field.attribute, docNameBytesMax);
  return `DynamoDB attribute ${name} (${kindWords[field.type.kind]})`;
}

/** The Iceberg schema of a table's columns, ours last. */
export function toIcebergSchema(table: TableColumns, schemaId: number): IcebergSchema {
  const { own } = table;
  const fields: IcebergField[] = table.columns.map((field) => ({
    id: field.id,
    name: field.name,
    required: false,
    type: toIcebergType(field.type),
    doc: doc(field),
  }));
  fields.push(
    {
      id: own.writtenAt,
      name: '_written_at',
      required: false,
      type: 'timestamp',
      doc: 'When DynamoDB took the last write of the window (UTC); NULL for rows of a full export',
    },
    {
      id: own.nulls,
      name: '_nulls',
      required: false,
      type: list(own.nullsElement, 'string'),
      doc: 'Paths of attributes that are NULL in DynamoDB, not missing (RFC 6901)',
    },
    {
      id: own.misfits,
      name: '_misfits',
      required: false,
      type: map(own.misfitsKey, own.misfitsValue, 'string'),
      doc: 'Values that fit no column: attribute -> DynamoDB JSON',
    },
  );
  return { type: 'struct', 'schema-id': schemaId, fields };
}

function note(
  fields: Record<string, FieldEntry>,
  id: number,
  attribute: string | null,
  type: ColumnType,
  table: TableColumns,
): void {
  const digits = table.extents.get(type.kind === 'NS' ? type.elementId : id);
  fields[String(id)] = {
    ...(attribute === null ? {} : { attribute }),
    kind: type.kind,
    ...((type.kind === 'L' || type.kind === 'MAP') && type.empty === true ? { empty: true } : {}),
    ...(digits === undefined ? {} : { digits }),
  };
  if (type.kind === 'L') note(fields, type.elementId, null, type.element, table);
  if (type.kind === 'MAP') note(fields, type.valueId, null, type.value, table);
  if (type.kind === 'M') {
    for (const field of type.fields) note(fields, field.id, field.attribute, field.type, table);
  }
}

function parse(text: string): ColumnMap {
  return JSON.parse(text) as ColumnMap;
}

function propertyOf(md: Pick<TableMetadata, 'properties' | 'location'>): ColumnMap {
  const text = md.properties[columnsProperty];
  if (text === undefined) {
    throw refuse(
      'REFUSED_FOREIGN_WRITER',
      `the table at ${md.location} has no ${columnsProperty} property`,
      'its columns cannot be traced back to attributes; nothing was written',
      'load a full export into a table of another name',
    );
  }
  return parse(text);
}

/** Whether a table has a column map; all that Tidelake made have. */
export function hasColumnMap(md: Pick<TableMetadata, 'properties'>): boolean {
  return md.properties[columnsProperty]?.startsWith('{') === true;
}

/** Field ids of the columns and nested fields that the map knows, retired ones too. */
export function mappedIds(md: Pick<TableMetadata, 'properties' | 'location'>): ReadonlySet<number> {
  const { fields, own }: Partial<ColumnMap> = hasColumnMap(md) ? propertyOf(md) : {};
  return new Set([...Object.keys(fields ?? {}).map(Number), ...Object.values(own ?? {})]);
}

/** The columns of a table under one of its schemas. Columns that another writer added are left out. */
export function readColumns(md: TableMetadata, schemaId: number): TableColumns {
  const columnMap = propertyOf(md);
  const schema = md.schemas.find((one) => one['schema-id'] === schemaId);
  if (schema === undefined) throw new RangeError(`no schema ${schemaId}`);
  const extents = new Map<number, readonly [number, number]>();
  const columns: Field[] = [];
  for (const field of schema.fields) {
    const read = readField(field, columnMap, extents);
    if (read !== null) columns.push(read);
  }
  const key = JSON.parse(md.properties['tidelake.key'] ?? '[]') as KeyAttribute[];
  const order = key.map((attribute) => attribute.name);
  const rank = (field: Field): number => {
    const at = order.indexOf(field.attribute);
    return at < 0 ? order.length : at;
  };
  // The key's columns come first whatever another engine did to their order.
  const sorted = columns
    .map((field, i) => ({ field, i }))
    .sort((a, b) => rank(a.field) - rank(b.field) || a.i - b.i)
    .map(({ field }) => field);
  const lastId = Math.max(columnMap.lastId, md['last-column-id']);
  return { columns: sorted, key, own: columnMap.own, extents, lastId, ...ruleOf(columnMap) };
}

function readField(
  field: IcebergField,
  columnMap: ColumnMap,
  extents: Map<number, readonly [number, number]>,
): Field | null {
  const entry = columnMap.fields[String(field.id)];
  if (entry?.attribute === undefined) return null;
  const type = readType(field.id, field.type, entry, columnMap, extents);
  return { id: field.id, name: field.name, attribute: entry.attribute, type };
}

function readType(
  id: number,
  type: IcebergType,
  entry: FieldEntry,
  columnMap: ColumnMap,
  extents: Map<number, readonly [number, number]>,
): ColumnType {
  const empty = entry.empty === true ? { empty: true } : {};
  switch (entry.kind) {
    case 'N':
      if (entry.digits !== undefined) extents.set(id, entry.digits);
      return { kind: 'N', number: readNumber(type as string) };
    case 'SS':
    case 'BS':
      return { kind: entry.kind, elementId: (type as { 'element-id': number })['element-id'] };
    case 'NS': {
      const own = type as { 'element-id': number; element: string };
      if (entry.digits !== undefined) extents.set(own['element-id'], entry.digits);
      return { kind: 'NS', elementId: own['element-id'], number: readNumber(own.element) };
    }
    case 'L': {
      const own = type as { 'element-id': number; element: IcebergType };
      const below = columnMap.fields[String(own['element-id'])]!;
      const element = readType(own['element-id'], own.element, below, columnMap, extents);
      return { kind: 'L', elementId: own['element-id'], element, ...empty };
    }
    case 'MAP': {
      const own = type as { 'key-id': number; 'value-id': number; value: IcebergType };
      const below = columnMap.fields[String(own['value-id'])]!;
      const value = readType(own['value-id'], own.value, below, columnMap, extents);
      return { kind: 'MAP', keyId: own['key-id'], valueId: own['value-id'], value, ...empty };
    }
    case 'M': {
      const fields: Field[] = [];
      for (const field of (type as IcebergStruct).fields) {
        const read = readField(field, columnMap, extents);
        if (read !== null) fields.push(read);
      }
      return { kind: 'M', fields };
    }
    default:
      return { kind: entry.kind };
  }
}

function readNumber(type: string): Extract<ColumnType, { kind: 'N' }>['number'] {
  if (type === 'long') return { type: 'long' };
  const match = /^decimal\((\d+), ?(\d+)\)$/.exec(type);
  if (match === null) return { type: 'text' };
  return { type: 'decimal', precision: Number(match[1]) as 18 | 38, scale: Number(match[2]) };
}

/** Retired columns of a property's text, for their names and ids. */
function retiredColumns(text: string): { readonly columns: readonly Field[] } {
  const columnMap = parse(text);
  const columns: Field[] = [];
  for (const [id, entry] of Object.entries(columnMap.fields)) {
    if (entry.retired !== undefined && entry.attribute !== undefined) {
      columns.push({ id: Number(id), attribute: entry.attribute, ...entry.retired });
    }
  }
  return { columns };
}

/** The rule of naming, where it is not the usual one. */
function ruleOf({ naming }: { readonly naming?: Naming | undefined }): {
  readonly naming?: Naming;
} {
  return naming === undefined || naming === 'snake_case' ? {} : { naming };
}

/** All columns a table has or had, for giving names and ids to a new epoch's columns. */
export function allKnown(md: TableMetadata): KnownColumns {
  const current = readColumns(md, md['current-schema-id']);
  const text = md.properties[columnsProperty]!;
  const present = new Set(current.columns.map((field) => field.attribute));
  const retired = retiredColumns(text).columns.filter((field) => !present.has(field.attribute));
  const { own, lastId } = current;
  return { columns: [...current.columns, ...retired], own, lastId, ...ruleOf(current) };
}

/** The column map's text after a commit: columns that are gone are kept as retired. */
export function nextColumnMap(table: TableColumns, md: TableMetadata | null): string {
  const fields: Record<string, FieldEntry> = {};
  if (md !== null) {
    // Retired ids stay: older snapshots are read through them.
    Object.assign(fields, propertyOf(md).fields);
    const present = new Set(table.columns.map((field) => field.attribute));
    for (const field of allKnown(md).columns) {
      if (present.has(field.attribute)) continue;
      const entry = fields[String(field.id)]!;
      fields[String(field.id)] = { ...entry, retired: { name: field.name, type: field.type } };
    }
  }
  for (const field of table.columns) note(fields, field.id, field.attribute, field.type, table);
  const { lastId, own } = table;
  return JSON.stringify({ lastId, own, fields, ...ruleOf(table) } satisfies ColumnMap);
}

/** DynamoDB kinds a column's own type stands for. */
export function kindsOf(type: ColumnType): readonly Tag[] {
  if (type.kind === 'MAP') return ['M'];
  if (type.kind === 'JSON') return [];
  return [type.kind];
}
