// A Parquet file's footer: its schema with field ids, its row groups, where their bytes lie, and their statistics.
// Promises that every position it gives lies inside the file; damage is a CHECK_FAILED error that names the file.
// Spec: apache/parquet-format, src/main/thrift/parquet.thrift (FileMetaData) and README.md ("File format").

import { TidelakeError } from '../../../schemas/errors.js';
import {
  binaryField,
  boolField,
  intField,
  longField,
  readThrift,
  structField,
  structsField,
  ThriftError,
  type ThriftStruct,
  textField,
  textsField,
} from './thrift.js';

/** Reads the bytes [start, end) of one file. */
export type ReadRange = (start: number, end: number) => Promise<Uint8Array>;

export type PhysicalType =
  | 'BOOLEAN'
  | 'INT32'
  | 'INT64'
  | 'INT96'
  | 'FLOAT'
  | 'DOUBLE'
  | 'BYTE_ARRAY'
  | 'FIXED_LEN_BYTE_ARRAY';

/** What the bytes of a column mean, as far as statistics need it. `other`: annotated with something else. */
export type LogicalType =
  | { readonly kind: 'none' | 'string' | 'date' | 'other' }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'timestamp'; readonly unit: 'ms' | 'us' | 'ns' }
  | { readonly kind: 'integer'; readonly bits: number; readonly isSigned: boolean };

/** A node of the schema: a column, a group, or a leaf inside one. */
export interface SchemaNode {
  readonly name: string;
  readonly fieldId: number | null;
  readonly repetition: 'required' | 'optional' | 'repeated';
  /** Null for groups. */
  readonly physicalType: PhysicalType | null;
  readonly logicalType: LogicalType;
  readonly children: readonly SchemaNode[];
  /** The SchemaElement as it stands in the footer. */
  readonly raw: ThriftStruct;
}

/** One column chunk: a leaf column's values in one row group. Positions are bytes from the file's start. */
export interface ColumnChunkInfo {
  readonly path: readonly string[];
  readonly fieldId: number | null;
  readonly physicalType: PhysicalType;
  readonly byteStart: number;
  /** Exclusive. */
  readonly byteEnd: number;
  readonly compressedBytes: number;
  /** Values, nulls included. */
  readonly valueCount: bigint;
  /** Null when the writer did not count. */
  readonly nullCount: bigint | null;
  /** Lower bound of the values, plainly encoded; not always a value that occurs. Null when not known. */
  readonly min: Uint8Array | null;
  /** Upper bound, likewise. */
  readonly max: Uint8Array | null;
}

export interface RowGroupInfo {
  readonly rowCount: number;
  /** First byte of its first chunk. */
  readonly byteStart: number;
  /** Last byte of its last chunk, exclusive. */
  readonly byteEnd: number;
  /** One per leaf of the schema, in its order. */
  readonly columns: readonly ColumnChunkInfo[];
  /** The RowGroup as it stands in the footer. */
  readonly raw: ThriftStruct;
}

export interface ParquetFooter {
  /** The file's name, for error messages only. */
  readonly name: string;
  readonly rowCount: bigint;
  readonly rowGroups: readonly RowGroupInfo[];
  /** The top-level columns, in order. */
  readonly columns: readonly SchemaNode[];
  /** The leaves of the schema, in order, each with its path from the top. */
  readonly leaves: readonly SchemaLeaf[];
  readonly keyValue: ReadonlyMap<string, string>;
  /** The whole FileMetaData as it stands in the file. */
  readonly raw: ThriftStruct;
}

/** A leaf of the schema and the nodes that lead to it, from the top-level column to the leaf itself. */
export interface SchemaLeaf {
  readonly path: readonly SchemaNode[];
  readonly node: SchemaNode;
  /** Whether it lies inside a list or map, so that a row has any number of its values. */
  readonly isRepeated: boolean;
}

const magic = 0x31524150; // "PAR1", little-endian
const encryptedMagic = 0x45524150; // "PARE"
/** Bytes read from the end at first: nearly every footer is smaller, so one read is enough. */
const tailBytes = 64 * 1024;
/** Largest footer read: 1,000 columns in 200 row groups take some 50 MB. */
const footerBytesMax = 256 * 1024 * 1024;
/** Deepest schema read: DynamoDB nests 32 levels, and each may take two groups. */
const depthMax = 200;

const physicalTypes: readonly PhysicalType[] = [
  'BOOLEAN',
  'INT32',
  'INT64',
  'INT96',
  'FLOAT',
  'DOUBLE',
  'BYTE_ARRAY',
  'FIXED_LEN_BYTE_ARRAY',
];

/**
 * Reads and checks the footer of a Parquet file.
 *
 * @param fileSize size of the file in bytes
 * @param name the file's name, for error messages
 * @throws TidelakeError CHECK_FAILED when the file is damaged, encrypted, or no Parquet file.
 */
export async function readFooter(
  readRange: ReadRange,
  fileSize: number,
  name = 'a Parquet file',
): Promise<ParquetFooter> {
  if (fileSize < 12) throw damaged(name, `it has ${fileSize} bytes`);
  const tailStart = Math.max(0, fileSize - tailBytes);
  const tail = await readRange(tailStart, fileSize);
  if (tail.length !== fileSize - tailStart)
    throw damaged(name, `it is shorter than its ${fileSize} bytes`);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.length);
  const mark = view.getUint32(tail.length - 4, true);
  if (mark === encryptedMagic) throw damaged(name, 'it is encrypted');
  if (mark !== magic) throw damaged(name, 'it does not end in PAR1');
  const length = view.getUint32(tail.length - 8, true);
  const footerStart = fileSize - 8 - length;
  if (footerStart < 4 || length > footerBytesMax)
    throw damaged(name, `its footer would have ${length} bytes`);
  if (footerStart >= tailStart)
    return parseFooter(tail.subarray(footerStart - tailStart, tail.length - 8), footerStart, name);
  const bytes = await readRange(footerStart, fileSize - 8);
  if (bytes.length !== length) throw damaged(name, `it is shorter than its ${fileSize} bytes`);
  return parseFooter(bytes, footerStart, name);
}

/**
 * Parses the bytes of a footer (FileMetaData alone, without its length and PAR1).
 *
 * @param dataEnd where the footer begins in its file: all chunks must end before it
 * @throws TidelakeError CHECK_FAILED when they are damaged.
 */
export function parseFooter(bytes: Uint8Array, dataEnd: number, name: string): ParquetFooter {
  try {
    const raw = readThrift(bytes).value;
    if (raw.has(8)) throw new ThriftError('it is encrypted');
    const columns = parseSchema(raw);
    const leaves: SchemaLeaf[] = [];
    for (const column of columns) collectLeaves(column, [], leaves);
    const orders = parseColumnOrders(raw, leaves.length);
    const rowGroups = need(structsField(raw, 4), 'row groups').map((group) =>
      parseRowGroup(group, leaves, orders, dataEnd),
    );
    const rowCount = need(longField(raw, 3), 'row count');
    const sum = rowGroups.reduce((total, group) => total + BigInt(group.rowCount), 0n);
    if (sum !== rowCount)
      throw new ThriftError(`it claims ${rowCount} rows, its row groups have ${sum}`);
    const keyValue = new Map<string, string>();
    for (const entry of structsField(raw, 5) ?? []) {
      keyValue.set(need(textField(entry, 1), 'key'), textField(entry, 2) ?? '');
    }
    return { name, rowCount, rowGroups, columns, leaves, keyValue, raw };
  } catch (error) {
    if (error instanceof ThriftError) throw damaged(name, error.message);
    throw error;
  }
}

/** The error for a file that cannot be read as Parquet. */
export function damaged(name: string, reason: string, cause?: unknown): TidelakeError {
  return new TidelakeError(
    {
      code: 'CHECK_FAILED',
      what: `${name} cannot be read as Parquet: ${reason}`,
      meaning: 'the rows of this file cannot be trusted; nothing was changed',
      next: 'tidelake verify',
    },
    { cause },
  );
}

function parseSchema(raw: ThriftStruct): readonly SchemaNode[] {
  const elements = need(structsField(raw, 2), 'schema');
  const root = elements[0];
  if (root === undefined) throw new ThriftError('its schema is empty');
  let next = 1;
  const nodes = (count: number, depth: number): SchemaNode[] => {
    if (depth > depthMax) throw new ThriftError('its schema is nested too deep');
    if (count < 0 || count > elements.length - next) throw new ThriftError('its schema is cut off');
    const children: SchemaNode[] = [];
    for (let i = 0; i < count; i++) {
      const element = elements[next++];
      if (element === undefined) throw new ThriftError('its schema is cut off');
      const childCount = intField(element, 5);
      const type = intField(element, 1);
      if ((type === null) !== (childCount !== null && childCount > 0))
        throw new ThriftError('a column of its schema is neither a leaf nor a group');
      const grandchildren = type === null ? nodes(childCount!, depth + 1) : [];
      children.push(parseNode(element, type, grandchildren));
    }
    return children;
  };
  const columns = nodes(intField(root, 5) ?? 0, 0);
  if (next !== elements.length) throw new ThriftError('its schema has columns outside its root');
  return columns;
}

function parseNode(
  raw: ThriftStruct,
  type: number | null,
  children: readonly SchemaNode[],
): SchemaNode {
  const repetition = (['required', 'optional', 'repeated'] as const)[intField(raw, 3) ?? -1];
  if (repetition === undefined) throw new ThriftError('a column has no repetition');
  const physicalType = type === null ? null : physicalTypes[type];
  if (physicalType === undefined) throw new ThriftError(`no column type is ${type}`);
  return {
    name: need(textField(raw, 4), 'column name'),
    fieldId: intField(raw, 9),
    repetition,
    physicalType,
    logicalType: parseLogicalType(raw),
    children,
    raw,
  };
}

/** LogicalType where there is one, else the older ConvertedType. */
function parseLogicalType(raw: ThriftStruct): LogicalType {
  const logical = structField(raw, 10);
  if (logical !== null) {
    const [kind] = logical.keys();
    const detail = kind === undefined ? null : structField(logical, kind);
    if (kind === 1) return { kind: 'string' };
    if (kind === 6) return { kind: 'date' };
    if (kind === 5 && detail !== null)
      return {
        kind: 'decimal',
        scale: need(intField(detail, 1), 'scale'),
        precision: need(intField(detail, 2), 'precision'),
      };
    if (kind === 8 && detail !== null) {
      const [unit] = (structField(detail, 2) ?? new Map()).keys();
      const name = (['ms', 'us', 'ns'] as const)[(unit ?? 0) - 1];
      if (name !== undefined) return { kind: 'timestamp', unit: name };
    }
    if (kind === 10 && detail !== null)
      return {
        kind: 'integer',
        bits: intField(detail, 1) ?? 0,
        isSigned: boolField(detail, 2) ?? false,
      };
    return { kind: 'other' };
  }
  const converted = intField(raw, 6);
  if (converted === null) return { kind: 'none' };
  if (converted === 0) return { kind: 'string' };
  if (converted === 5)
    return {
      kind: 'decimal',
      scale: intField(raw, 7) ?? 0,
      precision: need(intField(raw, 8), 'precision'),
    };
  if (converted === 6) return { kind: 'date' };
  if (converted === 9) return { kind: 'timestamp', unit: 'ms' };
  if (converted === 10) return { kind: 'timestamp', unit: 'us' };
  if (converted >= 11 && converted <= 18)
    return { kind: 'integer', bits: 8 << ((converted - 11) % 4), isSigned: converted >= 15 };
  return { kind: 'other' };
}

function collectLeaves(node: SchemaNode, above: readonly SchemaNode[], into: SchemaLeaf[]): void {
  const path = [...above, node];
  if (node.physicalType !== null)
    into.push({ path, node, isRepeated: path.some((step) => step.repetition === 'repeated') });
  for (const child of node.children) collectLeaves(child, path, into);
}

/** Whether each leaf's statistics are in the order its type defines. Writers that say nothing mean that order. */
function parseColumnOrders(raw: ThriftStruct, leafCount: number): readonly boolean[] {
  const orders = structsField(raw, 7);
  return Array.from({ length: leafCount }, (_, i) => orders === null || orders[i]?.has(1) === true);
}

function parseRowGroup(
  raw: ThriftStruct,
  leaves: readonly SchemaLeaf[],
  orders: readonly boolean[],
  dataEnd: number,
): RowGroupInfo {
  const chunks = need(structsField(raw, 1), 'column chunks');
  if (chunks.length !== leaves.length)
    throw new ThriftError(`a row group has ${chunks.length} columns, the schema ${leaves.length}`);
  const rowCount = position(longField(raw, 3), 'row count', Number.MAX_SAFE_INTEGER);
  const columns = chunks.map((chunk, i) => parseChunk(chunk, leaves[i]!, orders[i]!, dataEnd));
  let byteStart = dataEnd;
  let byteEnd = 4;
  for (const [i, column] of columns.entries()) {
    byteStart = Math.min(byteStart, column.byteStart);
    byteEnd = Math.max(byteEnd, column.byteEnd);
    if (!leaves[i]!.isRepeated && column.valueCount !== BigInt(rowCount))
      throw new ThriftError(`a column has ${column.valueCount} values in ${rowCount} rows`);
  }
  return { rowCount, byteStart: Math.min(byteStart, byteEnd), byteEnd, columns, raw };
}

function parseChunk(
  raw: ThriftStruct,
  leaf: SchemaLeaf,
  isTypeOrdered: boolean,
  dataEnd: number,
): ColumnChunkInfo {
  if (raw.has(1)) throw new ThriftError('its columns lie in another file');
  if (raw.has(8) || raw.has(9)) throw new ThriftError('it is encrypted');
  const meta = need(structField(raw, 3), 'column metadata');
  const path = need(textsField(meta, 3), 'column path');
  if (path.length !== leaf.path.length || path.some((name, i) => name !== leaf.path[i]!.name))
    throw new ThriftError('a column chunk belongs to another column than its place says');
  const physicalType = leaf.node.physicalType!;
  if (physicalTypes[need(intField(meta, 1), 'type')] !== physicalType)
    throw new ThriftError('a column chunk has another type than its column');
  const dataStart = position(longField(meta, 9), 'data page offset', dataEnd);
  const dictionaryStart = position(longField(meta, 11) ?? 0n, 'dictionary offset', dataEnd);
  // Some writers put 0, or the first data page's offset, where there is no dictionary.
  const byteStart =
    dictionaryStart > 0 && dictionaryStart < dataStart ? dictionaryStart : dataStart;
  const compressedBytes = position(longField(meta, 7), 'compressed size', dataEnd);
  if (byteStart < 4 || byteStart + compressedBytes > dataEnd)
    throw new ThriftError('a column chunk lies outside the file');
  const valueCount = need(longField(meta, 5), 'value count');
  if (valueCount < 0n) throw new ThriftError('a column has a negative number of values');
  return {
    path,
    fieldId: leaf.node.fieldId,
    physicalType,
    byteStart,
    byteEnd: byteStart + compressedBytes,
    compressedBytes,
    valueCount,
    ...parseStatistics(structField(meta, 12), physicalType, isTypeOrdered),
  };
}

function parseStatistics(
  raw: ThriftStruct | null,
  type: PhysicalType,
  isTypeOrdered: boolean,
): Pick<ColumnChunkInfo, 'nullCount' | 'min' | 'max'> {
  if (raw === null) return { nullCount: null, min: null, max: null };
  // The older min and max are always in signed order: right for integers, wrong for text.
  const isSigned = type === 'INT32' || type === 'INT64' || type === 'BOOLEAN';
  const nullCount = longField(raw, 3);
  const min = isTypeOrdered
    ? (binaryField(raw, 6) ?? (isSigned ? binaryField(raw, 2) : null))
    : null;
  const max = isTypeOrdered
    ? (binaryField(raw, 5) ?? (isSigned ? binaryField(raw, 1) : null))
    : null;
  return { nullCount: nullCount !== null && nullCount >= 0n ? nullCount : null, min, max };
}

/** A count or a position in the file as a number. */
function position(value: bigint | null, what: string, max: number): number {
  const found = need(value, what);
  if (found < 0n || found > BigInt(max)) throw new ThriftError(`its ${what} is ${found}`);
  return Number(found);
}

function need<T>(value: T | null, what: string): T {
  if (value === null) throw new ThriftError(`it has no ${what}`);
  return value;
}
