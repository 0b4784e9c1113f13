// Partition transforms: from a column's value to a partition's value, and the hash behind bucket[N].
// Promises: the results of the specification, for every type it allows; a value goes where every engine looks for it.
// Source: apache/iceberg format/spec.md, "Partition Transforms", "Appendix B: 32-bit Hash Requirements".

import { refuse } from '../../../schemas/errors.js';
import type { IcebergType, PartitionSpec, PartitionValue } from '../../../schemas/iceberg.js';
import { decimalBytes, encodeBound, firstCodePoints, primitiveName, uuidBytes } from './bounds.js';

/** A transform as its text in a partition spec says: `bucket[16]` is kind bucket, width 16. */
export interface Transform {
  readonly kind: 'identity' | 'void' | 'bucket' | 'truncate' | 'year' | 'month' | 'day' | 'hour';
  /** N of bucket, W of truncate; 0 otherwise. */
  readonly width: number;
}

const dayMicros = 86_400_000_000n;
const hourMicros = 3_600_000_000n;
const dayMs = 86_400_000;

/** Reads a transform's text. Throws REFUSED_FORMAT for one that v2 does not have. */
export function parseTransform(text: string): Transform {
  const found = /^(?:(identity|void|year|month|day|hour)|(bucket|truncate)\[(\d{1,10})\])$/.exec(
    text,
  );
  const width = Number(found?.[3] ?? 0);
  if (found === null || (found[2] !== undefined && (width < 1 || width > 0x7fff_ffff))) {
    throw refuse(
      'REFUSED_FORMAT',
      `the partition transform ${JSON.stringify(text.slice(0, 60))} is not known`,
      'rows cannot be placed in partitions; nothing was written',
      'use a version of Tidelake that knows the transform, or load the table again',
    );
  }
  return { kind: (found[1] ?? found[2]) as Transform['kind'], width };
}

/** The type of a transform's result for a source column type. */
export function resultType(transform: string, source: IcebergType): IcebergType {
  const { kind } = parseTransform(transform);
  switch (kind) {
    case 'identity':
    case 'void':
    case 'truncate':
      return source;
    case 'day':
      return 'date';
    default:
      return 'int';
  }
}

/** Murmur3, x86, 32 bits, seed 0, of bytes[start, end): a signed 32-bit integer. */
export function murmur3(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  let hash = 0;
  let at = start;
  for (const wholeEnd = start + ((end - start) & ~3); at < wholeEnd; at += 4) {
    let word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    word = Math.imul(word, 0xcc9e2d51);
    word = (word << 15) | (word >>> 17);
    hash ^= Math.imul(word, 0x1b873593);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let shift = 0; at < end; at++, shift += 8) tail |= bytes[at]! << shift;
  tail = Math.imul(tail, 0xcc9e2d51);
  tail = (tail << 15) | (tail >>> 17);
  hash ^= Math.imul(tail, 0x1b873593);
  hash ^= end - start;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** The bucket of bytes as bucketBytes gives them, 0 … count-1. */
export function bucketOf(
  bytes: Uint8Array,
  count: number,
  start = 0,
  end: number = bytes.length,
): number {
  return (murmur3(bytes, start, end) & 0x7fff_ffff) % count;
}

/** The bytes that bucket hashes for a value: 8 little-endian ones for integers, dates and times, the shortest two's
 *  complement for unscaled decimals, UTF-8 for strings. Throws TypeError for types that have no buckets. */
export function bucketBytes(type: IcebergType, value: Exclude<PartitionValue, null>): Uint8Array {
  const name = primitiveName(type);
  switch (name) {
    case 'int':
    case 'date':
      if (typeof value === 'number') return encodeBound('long', BigInt(value));
      break;
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      if (typeof value === 'bigint') return encodeBound('long', value);
      break;
    case 'decimal':
      if (typeof value === 'bigint') return decimalBytes(value);
      break;
    case 'string':
      if (typeof value === 'string') return encodeBound('string', value);
      break;
    case 'uuid':
      if (typeof value === 'string') return uuidBytes(value);
      break;
    case 'fixed':
    case 'binary':
      if (value instanceof Uint8Array) return value;
      break;
  }
  throw new TypeError(`no bucket of type ${name} for a ${typeof value}`);
}

/** Applies a transform to a column's value; null stays null. Dates are days, timestamps microseconds (bigint) since
 *  1970, decimals unscaled. Throws TypeError when the transform does not take the type. */
export function transformValue(
  transform: string,
  type: IcebergType,
  value: PartitionValue,
): PartitionValue {
  const { kind, width } = parseTransform(transform);
  if (value === null || kind === 'void') return null;
  switch (kind) {
    case 'identity':
      return value;
    case 'bucket':
      return bucketOf(bucketBytes(type, value), width);
    case 'truncate':
      return truncateValue(type, value, width);
    default:
      return timePart(kind, type, value);
  }
}

function truncateValue(
  type: IcebergType,
  value: Exclude<PartitionValue, null>,
  width: number,
): PartitionValue {
  const name = primitiveName(type);
  if (name === 'int' && typeof value === 'number')
    return (value - (((value % width) + width) % width)) | 0;
  if ((name === 'long' || name === 'decimal') && typeof value === 'bigint') {
    const wide = BigInt(width);
    const cut = value - (((value % wide) + wide) % wide);
    return name === 'long' ? BigInt.asIntN(64, cut) : cut;
  }
  if (name === 'string' && typeof value === 'string') return firstCodePoints(value, width).join('');
  if (name === 'binary' && value instanceof Uint8Array) return value.slice(0, width);
  throw new TypeError(`truncate does not take type ${name}`);
}

function timePart(
  kind: 'year' | 'month' | 'day' | 'hour',
  type: IcebergType,
  value: PartitionValue,
): number {
  const name = primitiveName(type);
  let days: number;
  if (name === 'date' && typeof value === 'number' && kind !== 'hour') days = value;
  else if ((name === 'timestamp' || name === 'timestamptz') && typeof value === 'bigint') {
    if (kind === 'hour') return floorDivide(value, hourMicros);
    days = floorDivide(value, dayMicros);
  } else throw new TypeError(`${kind} does not take type ${name}`);
  if (kind === 'day') return days;
  const date = new Date(days * dayMs);
  const year = date.getUTCFullYear() - 1970;
  return kind === 'year' ? year : year * 12 + date.getUTCMonth();
}

function floorDivide(value: bigint, by: bigint): number {
  const quotient = value / by;
  return Number(value % by < 0n ? quotient - 1n : quotient);
}

/** Longest readable part of one folder name; a longer value is cut and told apart by its hash. */
const folderValueMax = 100;

/** The folder of a partition below `data/`, in Hive style: `client_bucket=3/day=2026-01-31`. It is for people and for
 *  spreading files; engines read partition values from manifests only. Every byte outside [A-Za-z0-9_.-] becomes
 *  `!` and two hex digits: stores and engines disagree about whether `%2F` in a path is to be decoded. */
export function partitionPath(spec: PartitionSpec, values: readonly PartitionValue[]): string {
  return spec.fields
    .map(
      (field, i) =>
        `${folderName(field.name)}=${folderName(readable(field.transform, values[i] ?? null))}`,
    )
    .join('/');
}

function readable(transform: string, value: PartitionValue): string {
  if (value === null) return 'null';
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64url');
  if (typeof value !== 'number') return String(value);
  switch (parseTransform(transform).kind) {
    case 'year':
      return isoDate(Date.UTC(1970 + value, 0, 1)).slice(0, -6);
    case 'month':
      return isoDate(Date.UTC(1970, value, 1)).slice(0, -3);
    case 'day':
      return isoDate(value * dayMs);
    case 'hour': {
      const day = Math.floor(value / 24);
      return `${isoDate(day * dayMs)}-${String(value - day * 24).padStart(2, '0')}`;
    }
    default:
      return String(value);
  }
}

function isoDate(ms: number): string {
  const text = new Date(ms).toISOString();
  return text.slice(0, text.indexOf('T'));
}

function folderName(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  let name = '';
  for (const byte of bytes) {
    const char = String.fromCharCode(byte);
    name += /[A-Za-z0-9_.-]/.test(char)
      ? char
      : `!${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    if (name.length > folderValueMax) return `${name}!!${(murmur3(bytes) >>> 0).toString(16)}`;
  }
  return name;
}
