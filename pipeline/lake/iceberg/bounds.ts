// Single-value binary serialisation: how bounds stand in manifests and manifest lists, and how long ones are cut.
// Promises: decodeBound(encodeBound(v)) = v; a cut lower bound is never above, a cut upper bound never below its value.
// Source: apache/iceberg format/spec.md, "Appendix D: Single-value serialization", "Manifests" (bounds).

import { refuse } from '../../../schemas/errors.js';
import type { IcebergType, PartitionValue } from '../../../schemas/iceberg.js';

/** A value that has a bound: what a PartitionValue can be, without null. */
export type BoundValue = Exclude<PartitionValue, null>;

/** Code points of a string bound, and bytes of a binary one, that are kept (Iceberg's default truncate(16)). */
export const boundLengthMax = 16;

/** The shortest two's complement, big-endian, of an unscaled decimal value; at least one byte. */
export function decimalBytes(unscaled: bigint): Uint8Array {
  let length = 1;
  while (BigInt.asIntN(8 * length, unscaled) !== unscaled) length++;
  return fixedBytes(unscaled, length);
}

/** Two's complement, big-endian, in exactly `length` bytes. Throws RangeError when it does not fit. */
export function fixedBytes(unscaled: bigint, length: number): Uint8Array {
  if (BigInt.asIntN(8 * length, unscaled) !== unscaled)
    throw new RangeError(`a value needs more than ${length} bytes`);
  const bytes = new Uint8Array(length);
  let rest = unscaled;
  for (let i = length - 1; i >= 0; i--) {
    bytes[i] = Number(BigInt.asUintN(8, rest));
    rest >>= 8n;
  }
  return bytes;
}

/** The inverse of decimalBytes and fixedBytes. */
export function decimalFromBytes(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(8 * bytes.length, value);
}

/** The name of a primitive type without its parameters: `decimal(9, 2)` is `decimal`, `fixed[4]` is `fixed`. */
export function primitiveName(type: IcebergType): string {
  return typeof type === 'string' ? (/^[a-z_]+/.exec(type)?.[0] ?? type) : type.type;
}

function littleEndian8(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return new Uint8Array(bytes);
}

/** The bytes of a bound. int and date are numbers, long, time, timestamps and unscaled decimals bigint, uuid text.
 *  Throws TypeError for a nested type or a value of another type. */
export function encodeBound(type: IcebergType, value: BoundValue): Uint8Array {
  const name = primitiveName(type);
  switch (name) {
    case 'boolean':
      if (typeof value === 'boolean') return Uint8Array.of(value ? 1 : 0);
      break;
    case 'int':
    case 'date':
      if (typeof value === 'number' && (value | 0) === value) {
        return Uint8Array.of(
          value & 0xff,
          (value >> 8) & 0xff,
          (value >> 16) & 0xff,
          (value >> 24) & 0xff,
        );
      }
      break;
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      if (typeof value === 'bigint') return littleEndian8(value);
      break;
    case 'float':
    case 'double':
      if (typeof value === 'number') {
        const bytes = new Uint8Array(name === 'float' ? 4 : 8);
        const view = new DataView(bytes.buffer);
        if (name === 'float') view.setFloat32(0, value, true);
        else view.setFloat64(0, value, true);
        return bytes;
      }
      break;
    case 'decimal':
      if (typeof value === 'bigint') return decimalBytes(value);
      break;
    case 'string':
      if (typeof value === 'string') return new TextEncoder().encode(value);
      break;
    case 'uuid':
      if (typeof value === 'string') return uuidBytes(value);
      break;
    case 'fixed':
    case 'binary':
      if (value instanceof Uint8Array) return value;
      break;
  }
  throw new TypeError(`no bound of type ${name} for a ${typeof value}`);
}

/** The value of a bound. A bound of 4 bytes under a long or double column was written before the column was widened,
 *  and is read as such. Throws REFUSED_FORMAT when the length is impossible. */
export function decodeBound(type: IcebergType, bytes: Uint8Array): BoundValue {
  const name = primitiveName(type);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { length } = bytes;
  switch (name) {
    case 'boolean':
      if (length === 1) return bytes[0] !== 0;
      break;
    case 'int':
    case 'date':
      if (length === 4) return view.getInt32(0, true);
      break;
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      if (length === 8) return view.getBigInt64(0, true);
      if (length === 4) return BigInt(view.getInt32(0, true));
      break;
    case 'float':
    case 'double':
      if (length === 8) return view.getFloat64(0, true);
      if (length === 4) return view.getFloat32(0, true);
      break;
    case 'decimal':
      if (length > 0) return decimalFromBytes(bytes);
      break;
    case 'string':
      return new TextDecoder().decode(bytes);
    case 'uuid':
      if (length === 16) return uuidText(bytes);
      break;
    case 'fixed':
    case 'binary':
      return bytes;
  }
  throw refuse(
    'REFUSED_FORMAT',
    `a bound of type ${name} has ${length} bytes`,
    'the manifest was written wrongly; nothing was read from it',
    'roll the table back to an older snapshot, or load a full export again',
  );
}

/** The 16 bytes of a UUID in its text form. */
export function uuidBytes(text: string): Uint8Array {
  const hex = text.replaceAll('-', '');
  if (!/^[0-9a-fA-F]{32}$/.test(hex)) throw new TypeError('not a UUID');
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

/** The text form of the 16 bytes of a UUID. */
export function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** A lower bound of at most 16 code points (strings) or bytes (binary). */
export function truncateLower(value: string): string;
export function truncateLower(value: Uint8Array): Uint8Array;
export function truncateLower(value: string | Uint8Array): string | Uint8Array {
  return typeof value === 'string'
    ? firstCodePoints(value, boundLengthMax).join('')
    : value.slice(0, boundLengthMax);
}

/** An upper bound of at most 16 code points or bytes: what is cut off is made good by adding one to the last place
 *  that can grow. null when no place can. */
export function truncateUpper(value: string): string | null;
export function truncateUpper(value: Uint8Array): Uint8Array | null;
export function truncateUpper(value: string | Uint8Array): string | Uint8Array | null {
  if (typeof value === 'string') {
    const kept = firstCodePoints(value, boundLengthMax);
    if (kept.join('').length === value.length) return value;
    for (let i = kept.length - 1; i >= 0; i--) {
      const next = nextCodePoint(kept[i]!.codePointAt(0)!);
      if (next !== null) return kept.slice(0, i).join('') + String.fromCodePoint(next);
    }
    return null;
  }
  if (value.length <= boundLengthMax) return value;
  for (let i = boundLengthMax - 1; i >= 0; i--) {
    if (value[i] === 0xff) continue;
    const cut = value.slice(0, i + 1);
    cut[i] = value[i]! + 1;
    return cut;
  }
  return null;
}

/** The first `count` code points, never half a surrogate pair. */
export function firstCodePoints(text: string, count: number): string[] {
  const points: string[] = [];
  for (const point of text) {
    if (points.length === count) break;
    points.push(point);
  }
  return points;
}

function nextCodePoint(point: number): number | null {
  // Surrogates are no characters: UTF-8 cannot hold them.
  if (point >= 0xd7ff && point < 0xe000) return 0xe000;
  return point < 0x10ffff ? point + 1 : null;
}
