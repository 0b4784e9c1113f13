// Avro object container files, as much as Iceberg manifests need, with longs as bigint.
// Promises: what it writes any Avro reader reads; what it reads may come from any writer: other field order, other
// unions, unknown fields, named types. Bad bytes are refused, never guessed. Source: Apache Avro 1.11 specification.
import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { refuse, type TidelakeError } from '../../../schemas/errors.js';
import { manifestBytesMax } from '../../../schemas/limits.js';
import { parseJson } from './json.js';

/** An Avro schema: a type name, a union, or a complex type. Iceberg's own attributes (field-id …) ride along. */
export type AvroSchema = string | readonly AvroSchema[] | AvroRecordSchema | AvroOtherSchema;

export interface AvroField {
  readonly name: string;
  readonly type: AvroSchema;
  readonly default?: unknown;
  readonly 'field-id'?: number;
  readonly [attribute: string]: unknown;
}
export interface AvroRecordSchema {
  readonly type: 'record';
  readonly name: string;
  readonly fields: readonly AvroField[];
  readonly [attribute: string]: unknown;
}
export interface AvroOtherSchema {
  readonly type: Exclude<string, 'record'>;
  readonly items?: AvroSchema;
  readonly values?: AvroSchema;
  readonly symbols?: readonly string[];
  readonly size?: number;
  readonly name?: string;
  readonly logicalType?: string;
  readonly [attribute: string]: unknown;
}

/** A record in memory, by field name. long is bigint, bytes and fixed are Uint8Array;
 *  an array with logicalType map is read as a Map, and written as its pairs. */
export type AvroRecord = Readonly<Record<string, unknown>>;

export interface AvroFile {
  readonly schema: AvroRecordSchema;
  /** The file's key-value metadata, `avro.*` included, as text. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly rows: readonly AvroRecord[];
}

const magic: Uint8Array = Uint8Array.of(0x4f, 0x62, 0x6a, 0x01);
/** Rows of one block: small enough to inflate at once, large enough to compress well. */
const blockRowsMax = 2000;

// ------------------------------------------------------------------------------------------------ writing

class AvroBytes {
  private bytes: Buffer = Buffer.allocUnsafe(1 << 14);
  private length = 0;

  private reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.length + count));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  /** A zigzag varint; numbers must be safe integers. */
  long(value: number | bigint): void {
    this.reserve(10);
    if (typeof value === 'number' && value >= -0x4000_0000 && value < 0x4000_0000) {
      let rest = ((value << 1) ^ (value >> 31)) >>> 0;
      while (rest > 0x7f) {
        this.bytes[this.length++] = (rest & 0x7f) | 0x80;
        rest >>>= 7;
      }
      this.bytes[this.length++] = rest;
      return;
    }
    const wide = BigInt(value);
    if (BigInt.asIntN(64, wide) !== wide) throw new RangeError(`${wide} does not fit 64 bits`);
    let rest = BigInt.asUintN(64, (wide << 1n) ^ (wide >> 63n));
    while (rest > 0x7fn) {
      this.bytes[this.length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.bytes[this.length++] = Number(rest);
  }

  raw(value: Uint8Array): void {
    this.reserve(value.length);
    this.bytes.set(value, this.length);
    this.length += value.length;
  }

  sized(value: Uint8Array): void {
    this.long(value.length);
    this.raw(value);
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  float(value: number, size: 4 | 8): void {
    this.reserve(size);
    if (size === 4) this.bytes.writeFloatLE(value, this.length);
    else this.bytes.writeDoubleLE(value, this.length);
    this.length += size;
  }

  /** A copy of what was written. */
  take(): Buffer {
    return Buffer.from(this.bytes.subarray(0, this.length));
  }
}

type Encode = (out: AvroBytes, value: unknown) => void;

function encoderOf(schema: AvroSchema, named: Map<string, Encode>, place: string): Encode {
  const wrong = (value: unknown): never => {
    throw new TypeError(
      `${place}: ${value === null ? 'null' : typeof value} where Avro wants ${typeName(schema)}`,
    );
  };
  if (isUnion(schema)) {
    const branches = schema.map((branch) => encoderOf(branch, named, place));
    const nullBranch = schema.indexOf('null');
    const valueBranch = schema.findIndex((branch) => branch !== 'null');
    return (out, value) => {
      const branch = value === null || value === undefined ? nullBranch : valueBranch;
      if (branch < 0) wrong(value);
      out.long(branch);
      branches[branch]!(out, value);
    };
  }
  const type = typeof schema === 'string' ? schema : schema.type;
  switch (type) {
    case 'null':
      return () => undefined;
    case 'boolean':
      return (out, value) => (typeof value === 'boolean' ? out.byte(value ? 1 : 0) : wrong(value));
    case 'int':
      return (out, value) => {
        if (typeof value !== 'number' || (value | 0) !== value) wrong(value);
        out.long(value as number);
      };
    case 'long':
      return (out, value) => {
        if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) wrong(value);
        out.long(value as number | bigint);
      };
    case 'float':
      return (out, value) => (typeof value === 'number' ? out.float(value, 4) : wrong(value));
    case 'double':
      return (out, value) => (typeof value === 'number' ? out.float(value, 8) : wrong(value));
    case 'string':
      return (out, value) =>
        typeof value === 'string' ? out.sized(Buffer.from(value, 'utf8')) : wrong(value);
    case 'bytes':
      return (out, value) => (value instanceof Uint8Array ? out.sized(value) : wrong(value));
  }
  if (typeof schema === 'string') return named.get(schema) ?? unknownType(schema);
  switch (type) {
    case 'fixed': {
      const encode: Encode = (out, value) =>
        value instanceof Uint8Array && value.length === schema.size ? out.raw(value) : wrong(value);
      if (typeof schema.name === 'string') named.set(schema.name, encode);
      return encode;
    }
    case 'array': {
      const element = encoderOf(schema.items as AvroSchema, named, `${place}[]`);
      return (out, value) => {
        if (!Array.isArray(value)) wrong(value);
        const elements = value as readonly unknown[];
        if (elements.length > 0) out.long(elements.length);
        for (const one of elements) element(out, one);
        out.long(0);
      };
    }
    case 'record': {
      const fields = (schema as AvroRecordSchema).fields.map((field) => ({
        name: field.name,
        encode: encoderOf(field.type, named, `${place}.${field.name}`),
      }));
      const encode: Encode = (out, value) => {
        if (typeof value !== 'object' || value === null) wrong(value);
        for (const field of fields) field.encode(out, (value as AvroRecord)[field.name]);
      };
      named.set((schema as AvroRecordSchema).name, encode);
      return encode;
    }
    default:
      return unknownType(type);
  }
}

/** Writes one object container file with codec deflate. `metadata` is added to the file's own. The bytes depend on
 *  the arguments only. Throws TypeError when a row does not fit the schema. */
export function writeAvro(options: {
  readonly schema: AvroRecordSchema;
  readonly metadata: Readonly<Record<string, string>>;
  readonly rows: readonly AvroRecord[];
}): Uint8Array {
  const { schema, metadata, rows } = options;
  const encode = encoderOf(schema, new Map(), schema.name);
  const blocks: { count: number; bytes: Uint8Array }[] = [];
  const hash = createHash('md5');
  for (let from = 0; from < rows.length; from += blockRowsMax) {
    const part = rows.slice(from, from + blockRowsMax);
    const block = new AvroBytes();
    for (const row of part) encode(block, row);
    const bytes = deflateRawSync(block.take());
    hash.update(bytes);
    blocks.push({ count: part.length, bytes });
  }
  const header: Record<string, string> = {
    'avro.schema': JSON.stringify(schema),
    'avro.codec': 'deflate',
    ...metadata,
  };
  // A sync marker only has to be unlikely inside the blocks; a digest is, and keeps the bytes reproducible.
  const sync = hash.update(header['avro.schema']!).digest();
  const out = new AvroBytes();
  out.raw(magic);
  const entries = Object.entries(header);
  out.long(entries.length);
  for (const [key, value] of entries) {
    out.sized(Buffer.from(key, 'utf8'));
    out.sized(Buffer.from(value, 'utf8'));
  }
  out.long(0);
  out.raw(sync);
  for (const block of blocks) {
    out.long(block.count);
    out.sized(block.bytes);
    out.raw(sync);
  }
  return out.take();
}

// ------------------------------------------------------------------------------------------------ reading

class AvroCursor {
  at = 0;
  private readonly bytes: Buffer;
  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get rest(): number {
    return this.bytes.length - this.at;
  }

  byte(): number {
    if (this.at >= this.bytes.length) throw broken('it ends early');
    return this.bytes[this.at++]!;
  }

  int(): number {
    // One byte is the rule: branches of unions, and ids of small tables.
    const byte = this.bytes[this.at];
    if (byte !== undefined && byte < 0x80) {
      this.at++;
      return (byte >>> 1) ^ -(byte & 1);
    }
    const value = this.long();
    const int = Number(value);
    if (BigInt(int | 0) !== value) throw broken('an int is out of range');
    return int;
  }

  /** A length or count: never negative, never more than there can be. */
  size(): number {
    const value = this.long();
    if (value < 0n || value > BigInt(this.rest)) throw broken('a length is out of range');
    return Number(value);
  }

  long(): bigint {
    // Up to 42 bits in a double, the rest, if any, as bigint: nearly all values are short.
    let low = 0;
    let scale = 1;
    for (let i = 0; i < 6; i++) {
      const byte = this.byte();
      low += (byte & 0x7f) * scale;
      if (byte < 0x80) return BigInt(low % 2 === 0 ? low / 2 : -(low + 1) / 2);
      scale *= 128;
    }
    let value = BigInt(low);
    for (let shift = 42n; ; shift += 7n) {
      if (shift > 63n) throw broken('a number is too long');
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n));
  }

  take(length: number): Buffer {
    this.skip(length);
    return this.bytes.subarray(this.at - length, this.at);
  }

  text(): string {
    const length = this.size();
    this.skip(length);
    return this.bytes.toString('utf8', this.at - length, this.at);
  }

  /** A copy, so that a small bound does not keep a whole block in memory. */
  copy(length: number): Uint8Array {
    this.skip(length);
    const copy = new Uint8Array(length);
    for (let i = 0, from = this.at - length; i < length; i++) copy[i] = this.bytes[from + i]!;
    return copy;
  }

  private skip(length: number): void {
    if (length > this.rest) throw broken('it ends early');
    this.at += length;
  }
}

type Decode = (from: AvroCursor) => unknown;

interface Names {
  readonly types: Map<string, Decode>;
  readonly namespace: string;
}

function fullName(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}

function namespaceOf(schema: AvroOtherSchema | AvroRecordSchema, outer: string): string {
  const name = String(schema.name ?? '');
  const dot = name.lastIndexOf('.');
  if (dot >= 0) return name.slice(0, dot);
  const own = (schema as { readonly namespace?: unknown }).namespace;
  return typeof own === 'string' ? own : outer;
}

function decoderOf(schema: AvroSchema, names: Names): Decode {
  if (isUnion(schema)) {
    const branches = schema.map((branch) => decoderOf(branch, names));
    return (from) => {
      const branch = branches[from.int()];
      if (branch === undefined) throw broken('a union branch does not exist');
      return branch(from);
    };
  }
  const type = typeof schema === 'string' ? schema : schema.type;
  switch (type) {
    case 'null':
      return () => null;
    case 'boolean':
      return (from) => from.byte() !== 0;
    case 'int':
      return (from) => from.int();
    case 'long':
      return (from) => from.long();
    case 'float':
      return (from) => from.take(4).readFloatLE();
    case 'double':
      return (from) => from.take(8).readDoubleLE();
    case 'string':
      return (from) => from.text();
    case 'bytes':
      return (from) => from.copy(from.size());
  }
  if (typeof schema === 'string') {
    return (
      names.types.get(fullName(schema, names.namespace)) ??
      names.types.get(schema) ??
      unknownType(schema)
    );
  }
  const namespace = namespaceOf(schema, names.namespace);
  const inner: Names = { types: names.types, namespace };
  switch (type) {
    case 'fixed': {
      const size = schema.size as number;
      if (!Number.isSafeInteger(size) || size < 0) throw broken('a fixed type without a size');
      const decode: Decode = (from) => from.copy(size);
      names.types.set(fullName(String(schema.name), namespace), decode);
      return decode;
    }
    case 'enum': {
      const symbols = schema.symbols as readonly string[];
      const decode: Decode = (from) => symbols[from.int()] ?? null;
      names.types.set(fullName(String(schema.name), namespace), decode);
      return decode;
    }
    case 'array': {
      const items = schema.items as AvroSchema;
      const element = decoderOf(items, inner);
      const pairs = schema.logicalType === 'map' ? pairsDecoder(items, inner) : null;
      if (pairs !== null) return pairs;
      return (from) => {
        const elements: unknown[] = [];
        forEachInBlocks(from, () => elements.push(element(from)));
        return elements;
      };
    }
    case 'map': {
      const value = decoderOf(schema.values as AvroSchema, inner);
      return (from) => {
        const entries = new Map<string, unknown>();
        forEachInBlocks(from, () => entries.set(from.text(), value(from)));
        return entries;
      };
    }
    case 'record': {
      const record = schema as AvroRecordSchema;
      const fields = record.fields.map((field) => ({
        name: field.name,
        decode: decoderOf(field.type, inner),
      }));
      // Ordinary objects are much faster, but cannot have a member of this name.
      const empty: () => Record<string, unknown> = fields.some(({ name }) => name === '__proto__')
        ? () => Object.create(null)
        : () => ({});
      const decode: Decode = (from) => {
        const value = empty();
        for (const field of fields) value[field.name] = field.decode(from);
        return value;
      };
      // Known by name only from here on: a type inside itself, which Iceberg never has, could loop for ever.
      names.types.set(fullName(record.name, namespace), decode);
      return decode;
    }
    default:
      return typeof type === 'object' ? decoderOf(type as AvroSchema, names) : unknownType(type);
  }
}

/** Decoder of an array of key-value records, which is how Iceberg keeps maps whose keys are no strings: nine tenths of
 *  a manifest, so they become a Map without a record for each pair. null for any other array. */
function pairsDecoder(items: AvroSchema, names: Names): Decode | null {
  if (typeof items !== 'object' || !('fields' in items)) return null;
  const [first, second, third] = (items as AvroRecordSchema).fields;
  if (first?.name !== 'key' || second?.name !== 'value' || third !== undefined) return null;
  const key = decoderOf(first.type, names);
  const value = decoderOf(second.type, names);
  return (from) => {
    const map = new Map<unknown, unknown>();
    forEachInBlocks(from, () => map.set(key(from), value(from)));
    return map;
  };
}

/** Calls `one` for every element of an array's or map's blocks. A negative count is followed by the block's bytes. */
function forEachInBlocks(from: AvroCursor, one: () => void): void {
  for (;;) {
    let count = from.long();
    if (count === 0n) return;
    if (count < 0n) {
      count = -count;
      from.long();
    }
    // Every element takes a byte at least, so a larger count is a lie meant to use up memory.
    if (count > BigInt(from.rest)) throw broken('a count is out of range');
    for (let i = Number(count); i > 0; i--) one();
  }
}

/** Reads one object container file (codecs null and deflate). Throws REFUSED_FORMAT for anything else, cut files
 *  included. */
export function readAvro(bytes: Uint8Array): AvroFile {
  const from = new AvroCursor(bytes);
  if (bytes.length < 4 || !magic.every((byte, i) => bytes[i] === byte))
    throw broken('it is not an Avro file');
  from.at = 4;
  const metadata = new Map<string, string>();
  forEachInBlocks(from, () => {
    const key = from.text();
    metadata.set(key, from.text());
  });
  const sync = from.take(16);
  const schema = parseJson(
    metadata.get('avro.schema') ?? 'null',
  ) as unknown as AvroRecordSchema | null;
  if (schema === null || schema.type !== 'record' || !Array.isArray(schema.fields))
    throw broken('it has no record schema');
  const codec = metadata.get('avro.codec') ?? 'null';
  if (codec !== 'null' && codec !== 'deflate') {
    throw refuse(
      'REFUSED_FORMAT',
      `an Avro file is compressed with ${JSON.stringify(codec.slice(0, 40))}; Tidelake reads null and deflate`,
      'the table cannot be read as it stands; nothing was changed',
      "set the writer's manifest compression to gzip (deflate) and rewrite the manifests",
    );
  }
  const decode = decoderOf(schema, { types: new Map(), namespace: '' });
  const rows: AvroRecord[] = [];
  while (from.rest > 0) {
    const count = from.long();
    const stored = from.take(from.size());
    if (!from.take(16).equals(sync)) throw broken('a sync marker does not match');
    const block = new AvroCursor(codec === 'deflate' ? inflate(stored) : stored);
    if (count < 0n || count > BigInt(block.rest)) throw broken('a row count is out of range');
    for (let i = Number(count); i > 0; i--) rows.push(decode(block) as AvroRecord);
    if (block.rest > 0) throw broken('a block has bytes after its last row');
  }
  return { schema, metadata, rows };
}

function inflate(stored: Uint8Array): Buffer {
  try {
    return inflateRawSync(stored, { maxOutputLength: manifestBytesMax });
  } catch (error) {
    throw broken('a block does not inflate', { cause: error });
  }
}

function isUnion(schema: AvroSchema): schema is readonly AvroSchema[] {
  return Array.isArray(schema);
}

function typeName(schema: AvroSchema): string {
  if (typeof schema === 'string') return schema;
  return isUnion(schema) ? schema.map(typeName).join(' or ') : schema.type;
}

function unknownType(type: unknown): never {
  throw broken(
    `its schema uses a type this reader does not know: ${JSON.stringify(String(type).slice(0, 40))}`,
  );
}

function broken(why: string, options?: ErrorOptions): TidelakeError {
  const error = refuse(
    'REFUSED_FORMAT',
    `an Avro file is broken: ${why}`,
    'the file was cut or changed, or its writer is not known; nothing was read from it',
    'restore the file from a backup or another copy, or roll the table back to an older snapshot',
  );
  if (options?.cause !== undefined) error.cause = options.cause;
  return error;
}
