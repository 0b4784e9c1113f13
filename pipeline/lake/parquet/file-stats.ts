// Iceberg's per-column statistics of a data file, from the statistics of its Parquet row groups.
// Promises that no bound excludes a value of the file: where that is not certain the bound is left out.
// Spec: apache/iceberg, format/spec.md ("Data File Fields", "Appendix D: Single-value serialization").

import { isUtf8 } from 'node:buffer';
import type { ColumnStats } from '../../../schemas/iceberg.js';
import type { ColumnChunkInfo, ParquetFooter, SchemaNode } from './footer.js';

/** A bound while row groups are compared, and how to compare and encode it. */
type Bound = bigint | number | Uint8Array;

/** Code points that a text bound has at most, as Iceberg's own writers do (`truncate(16)`). */
const textBoundMax = 16;
/** Bytes that a binary bound has at most. */
const binaryBoundMax = 16;

/**
 * Statistics of a whole file, keyed by field id. Sizes are given for every leaf with an id; value and null counts for
 * leaves outside lists and maps; bounds for top-level primitive columns whose type is in `types`.
 *
 * @param types Iceberg primitive type of each column by field id: `long`, `string`, `decimal(18,2)` …
 */
export function icebergStats(
  footer: ParquetFooter,
  types: ReadonlyMap<number, string>,
): ColumnStats {
  const columnSizes = new Map<number, bigint>();
  const valueCounts = new Map<number, bigint>();
  const nullValueCounts = new Map<number, bigint>();
  const lowerBounds = new Map<number, Uint8Array>();
  const upperBounds = new Map<number, Uint8Array>();
  for (const [i, leaf] of footer.leaves.entries()) {
    const id = leaf.node.fieldId;
    if (id === null) continue;
    const chunks = footer.rowGroups.map((group) => group.columns[i]!);
    columnSizes.set(id, sum(chunks.map((chunk) => BigInt(chunk.compressedBytes))));
    if (leaf.isRepeated) continue;
    valueCounts.set(id, sum(chunks.map((chunk) => chunk.valueCount)));
    // A column that cannot be null has none, even when its writer did not say so.
    const isRequired = leaf.path.every((node) => node.repetition === 'required');
    const nullCounts = chunks.map((chunk) => (isRequired ? 0n : chunk.nullCount));
    if (nullCounts.every((count) => count !== null)) nullValueCounts.set(id, sum(nullCounts));
    const type = types.get(id);
    if (type === undefined || leaf.path.length > 1) continue;
    const bounds = fileBounds(chunks, leaf.node, type);
    if (bounds === null) continue;
    const lower = encodeLower(bounds.min, type);
    const upper = encodeUpper(bounds.max, type);
    if (lower !== null) lowerBounds.set(id, lower);
    if (upper !== null) upperBounds.set(id, upper);
  }
  return { columnSizes, valueCounts, nullValueCounts, lowerBounds, upperBounds };
}

/** Least minimum and greatest maximum of all row groups, or null when one row group may hold values beyond what is known. */
function fileBounds(
  chunks: readonly ColumnChunkInfo[],
  node: SchemaNode,
  type: string,
): { readonly min: Bound; readonly max: Bound } | null {
  let min: Bound | null = null;
  let max: Bound | null = null;
  for (const chunk of chunks) {
    if (chunk.valueCount === 0n || chunk.nullCount === chunk.valueCount) continue;
    const low = chunk.min === null ? null : decodeStatistic(chunk.min, node, type);
    const high = chunk.max === null ? null : decodeStatistic(chunk.max, node, type);
    if (low === null || high === null || compare(low, high) > 0) return null;
    if (min === null || compare(low, min) < 0) min = low;
    if (max === null || compare(high, max) > 0) max = high;
  }
  return min === null || max === null ? null : { min, max };
}

/** A Parquet statistic as a comparable value, or null unless the Parquet type is certainly the one of the Iceberg type. */
function decodeStatistic(bytes: Uint8Array, node: SchemaNode, type: string): Bound | null {
  const physical = node.physicalType;
  const logical = node.logicalType;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  switch (type) {
    case 'boolean':
      return physical === 'BOOLEAN' && bytes.length === 1 && bytes[0]! <= 1 ? bytes[0]! : null;
    case 'int':
    case 'long': {
      if (logical.kind !== 'none' && !(logical.kind === 'integer' && logical.isSigned)) return null;
      if (physical === 'INT64' && type === 'int') return null;
      return decodeInteger(view, physical);
    }
    case 'date':
      return logical.kind === 'date' && physical === 'INT32' ? decodeInteger(view, physical) : null;
    case 'timestamp':
    case 'timestamptz':
      return logical.kind === 'timestamp' && logical.unit === 'us' && physical === 'INT64'
        ? decodeInteger(view, physical)
        : null;
    case 'float':
    case 'double': {
      const width = physical === 'FLOAT' ? 4 : 8;
      if (physical !== (type === 'float' ? 'FLOAT' : 'DOUBLE') || bytes.length !== width)
        return null;
      const value = width === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true);
      return Number.isNaN(value) ? null : value;
    }
    case 'string':
      return logical.kind === 'string' && physical === 'BYTE_ARRAY' ? bytes : null;
    case 'binary':
      return logical.kind === 'none' && physical === 'BYTE_ARRAY' ? bytes : null;
    default:
      return decodeDecimal(view, bytes, node, type);
  }
}

function decodeDecimal(
  view: DataView,
  bytes: Uint8Array,
  node: SchemaNode,
  type: string,
): bigint | null {
  const [, precision, scale] = /^decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)$/.exec(type) ?? [];
  const logical = node.logicalType;
  if (logical.kind !== 'decimal' || logical.scale !== Number(scale)) return null;
  if (precision === undefined || logical.precision > Number(precision)) return null;
  if (node.physicalType === 'FIXED_LEN_BYTE_ARRAY' || node.physicalType === 'BYTE_ARRAY') {
    if (bytes.length === 0) return null;
    return BigInt.asIntN(bytes.length * 8, BigInt(`0x${Buffer.from(bytes).toString('hex')}`));
  }
  return decodeInteger(view, node.physicalType);
}

function decodeInteger(view: DataView, physical: SchemaNode['physicalType']): bigint | null {
  if (physical === 'INT32' && view.byteLength === 4) return BigInt(view.getInt32(0, true));
  if (physical === 'INT64' && view.byteLength === 8) return view.getBigInt64(0, true);
  return null;
}

/** Both are of one kind: integers and decimals, floating point and booleans, or bytes in unsigned order. */
function compare(a: Bound, b: Bound): number {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}

function encodeLower(bound: Bound, type: string): Uint8Array | null {
  if (!(bound instanceof Uint8Array)) {
    // A minimum of +0 may stand for -0, which floating point puts below it.
    return encodeNumber(bound === 0 && type !== 'boolean' ? -0 : bound, type);
  }
  if (type === 'binary') return bound.slice(0, binaryBoundMax);
  const { points, isWhole } = textPrefix(bound);
  // A prefix of the minimum is never above it; an empty one says nothing unless the minimum is ''.
  if (points.length === 0 && !isWhole) return null;
  return Buffer.from(String.fromCodePoint(...points), 'utf8');
}

function encodeUpper(bound: Bound, type: string): Uint8Array | null {
  if (!(bound instanceof Uint8Array)) return encodeNumber(bound === 0 ? 0 : bound, type);
  if (type === 'binary') {
    return bound.length <= binaryBoundMax
      ? bound.slice()
      : incrementBytes(bound.slice(0, binaryBoundMax));
  }
  const { points, isWhole } = textPrefix(bound);
  return isWhole ? bound.slice() : incrementText(points);
}

/** Appendix D: integers, times and floating point little-endian, decimals minimal two's complement big-endian. */
function encodeNumber(bound: bigint | number, type: string): Uint8Array | null {
  if (type === 'boolean') return Uint8Array.of(Number(bound));
  if (type.startsWith('decimal')) return encodeDecimal(bound as bigint);
  const isNarrow = type === 'int' || type === 'date' || type === 'float';
  const bytes = new Uint8Array(isNarrow ? 4 : 8);
  const view = new DataView(bytes.buffer);
  if (typeof bound === 'bigint') {
    if (isNarrow) view.setInt32(0, Number(bound), true);
    else view.setBigInt64(0, bound, true);
  } else if (isNarrow) view.setFloat32(0, bound, true);
  else view.setFloat64(0, bound, true);
  return bytes;
}

function encodeDecimal(unscaled: bigint): Uint8Array {
  let length = 1;
  while (BigInt.asIntN(length * 8, unscaled) !== unscaled) length++;
  const hex = BigInt.asUintN(length * 8, unscaled).toString(16);
  return Buffer.from(hex.padStart(length * 2, '0'), 'hex');
}

/**
 * The first code points of a text, at most 16. Writers may cut statistics inside a character: what follows the last
 * whole one is dropped. `isWhole`: the code points are all of it.
 */
function textPrefix(bytes: Uint8Array): {
  readonly points: readonly number[];
  readonly isWhole: boolean;
} {
  const points: number[] = [];
  let at = 0;
  while (at < bytes.length && points.length < textBoundMax) {
    const lead = bytes[at]!;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const character = bytes.subarray(at, at + length);
    const text = Buffer.from(character).toString('utf8');
    // Invalid bytes decode to a replacement, whose own bytes differ from theirs.
    if (Buffer.compare(Buffer.from(text, 'utf8'), character) !== 0) break;
    points.push(text.codePointAt(0)!);
    at += length;
  }
  return { points, isWhole: at === bytes.length };
}

/** A bound of at most `bytesMax` bytes below a text or binary that is longer. */
export function cutBelow(bytes: Uint8Array, bytesMax: number, isText: boolean): Uint8Array {
  return isText ? bytes.slice(0, characterEnd(bytes, bytesMax)) : bytes.slice(0, bytesMax);
}

/** A bound of about `bytesMax` bytes above a text or binary that is longer; null when there is none. */
export function raiseAbove(
  bytes: Uint8Array,
  bytesMax: number,
  isText: boolean,
): Uint8Array | null {
  if (!isText) return incrementBytes(bytes.subarray(0, bytesMax));
  const prefix = bytes.subarray(0, characterEnd(bytes, bytesMax));
  // What is no UTF-8 would become another text, and perhaps a lower one.
  if (!isUtf8(prefix)) return null;
  const text = Buffer.from(prefix).toString('utf8');
  return incrementText([...text].map((character) => character.codePointAt(0)!));
}

/** The last place up to `bytesMax` where a character begins. */
function characterEnd(bytes: Uint8Array, bytesMax: number): number {
  let end = bytesMax;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return end;
}

/** The least text above all that begin with these code points, or null when there is none. */
function incrementText(points: readonly number[]): Uint8Array | null {
  for (let last = points.length - 1; last >= 0; last--) {
    const point = points[last]!;
    if (point === 0x10ffff) continue;
    // Surrogates are no characters.
    const next = point === 0xd7ff ? 0xe000 : point + 1;
    return Buffer.from(String.fromCodePoint(...points.slice(0, last), next), 'utf8');
  }
  return null;
}

/** The least bytes above all that begin with these, or null when there are none. */
function incrementBytes(bytes: Uint8Array): Uint8Array | null {
  for (let last = bytes.length - 1; last >= 0; last--) {
    if (bytes[last] === 0xff) continue;
    const next = Uint8Array.from(bytes.subarray(0, last + 1));
    next[last]!++;
    return next;
  }
  return null;
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}
