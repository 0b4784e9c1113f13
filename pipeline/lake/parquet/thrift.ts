// Thrift's compact protocol as a generic tree: what a Parquet footer is made of.
// Keeps fields nobody here knows, 64-bit integers exact, and never reads past its input or loops on damage.
// Spec: apache/thrift, doc/specs/thrift-compact-protocol.md.

/** Bytes that are no Thrift compact protocol, or a field of another type than asked for. */
export class ThriftError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'ThriftError';
  }
}

/** One value. Doubles and UUIDs stay raw bytes: nobody here looks into them, and so they are copied exactly. */
export type ThriftValue =
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'i8' | 'i16' | 'i32'; readonly value: number }
  | { readonly type: 'i64'; readonly value: bigint }
  | { readonly type: 'double' | 'binary' | 'uuid'; readonly value: Uint8Array }
  | {
      readonly type: 'list' | 'set';
      readonly element: ThriftType;
      readonly values: readonly ThriftValue[];
    }
  | {
      readonly type: 'map';
      readonly keyType: ThriftType;
      readonly valueType: ThriftType;
      readonly entries: readonly (readonly [ThriftValue, ThriftValue])[];
    }
  | { readonly type: 'struct'; readonly value: ThriftStruct };

/** The kinds of value. */
export type ThriftType =
  | 'bool'
  | 'i8'
  | 'i16'
  | 'i32'
  | 'i64'
  | 'double'
  | 'binary'
  | 'list'
  | 'set'
  | 'map'
  | 'struct'
  | 'uuid';

/** A struct: its fields by id. A plain Map, so that a copy with a few fields changed is easy. */
export type ThriftStruct = Map<number, ThriftValue>;

// Nibbles 1 and 2 both mean a boolean: in a struct they carry its value.
const typeOfNibble: readonly (ThriftType | null)[] = [
  null,
  'bool',
  'bool',
  'i8',
  'i16',
  'i32',
  'i64',
  'double',
  'binary',
  'list',
  'set',
  'map',
  'struct',
  'uuid',
];
const nibbleOfType: Readonly<Record<ThriftType, number>> = {
  bool: 1,
  i8: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
  uuid: 13,
};

/** Deepest nesting read; a Parquet footer needs 8. */
const depthMax = 32;
/** Values read at most, so that a crafted footer cannot fill the memory with empty ones. */
const valuesMax = 20_000_000;

/**
 * Reads one struct from the start of `bytes`; binary values are views into them.
 *
 * @returns the struct and how many bytes it took.
 * @throws ThriftError when the bytes are damaged.
 */
export function readThrift(bytes: Uint8Array): {
  readonly value: ThriftStruct;
  readonly length: number;
} {
  const reader = new ThriftReader(bytes);
  const value = reader.struct(0);
  return { value, length: reader.position };
}

/** Bytes of one struct, its fields in ascending order of id. */
export function writeThrift(value: ThriftStruct): Uint8Array {
  const writer = new ThriftWriter();
  writer.struct(value);
  return writer.bytes();
}

class ThriftReader {
  position = 0;
  private readonly data: Uint8Array;
  private valuesLeft = valuesMax;

  constructor(data: Uint8Array) {
    this.data = data;
  }

  struct(depth: number): ThriftStruct {
    if (depth > depthMax) throw new ThriftError('nested too deep');
    const fields: ThriftStruct = new Map();
    let id = 0;
    for (;;) {
      const header = this.byte();
      if (header === 0) return fields;
      const delta = header >> 4;
      id = delta === 0 ? Number(this.zigzag()) : id + delta;
      if (id < -32768 || id > 32767) throw new ThriftError('a field id is out of range');
      const nibble = header & 15;
      fields.set(
        id,
        nibble <= 2
          ? { type: this.type(nibble) as 'bool', value: nibble === 1 }
          : this.value(this.type(nibble), depth + 1),
      );
    }
  }

  private value(type: ThriftType, depth: number): ThriftValue {
    if (--this.valuesLeft < 0) throw new ThriftError('more values than any Parquet footer has');
    switch (type) {
      case 'bool':
        return { type, value: this.byte() === 1 };
      case 'i8':
        return { type, value: (this.byte() << 24) >> 24 };
      case 'i16':
      case 'i32': {
        const value = Number(this.zigzag());
        if (value !== (value | 0)) throw new ThriftError('a 32-bit integer is out of range');
        return { type, value };
      }
      case 'i64':
        return { type, value: BigInt.asIntN(64, BigInt(this.zigzag())) };
      case 'double':
        return { type, value: this.take(8) };
      case 'uuid':
        return { type, value: this.take(16) };
      case 'binary':
        return { type, value: this.take(this.count()) };
      case 'struct':
        return { type, value: this.struct(depth) };
      case 'list':
      case 'set':
        return this.list(type, depth);
      case 'map':
        return this.map(depth);
    }
  }

  private list(type: 'list' | 'set', depth: number): ThriftValue {
    if (depth > depthMax) throw new ThriftError('nested too deep');
    const header = this.byte();
    const element = this.type(header & 15);
    const count = header >> 4 === 15 ? this.count() : header >> 4;
    if (count > this.data.length - this.position)
      throw new ThriftError('a list ends after the data');
    const values: ThriftValue[] = [];
    for (let i = 0; i < count; i++) values.push(this.value(element, depth + 1));
    return { type, element, values };
  }

  private map(depth: number): ThriftValue {
    if (depth > depthMax) throw new ThriftError('nested too deep');
    const count = this.count();
    // An empty map has no byte for its types.
    if (count === 0) return { type: 'map', keyType: 'binary', valueType: 'binary', entries: [] };
    const header = this.byte();
    const keyType = this.type(header >> 4);
    const valueType = this.type(header & 15);
    const entries: (readonly [ThriftValue, ThriftValue])[] = [];
    for (let i = 0; i < count; i++) {
      entries.push([this.value(keyType, depth + 1), this.value(valueType, depth + 1)]);
    }
    return { type: 'map', keyType, valueType, entries };
  }

  private type(nibble: number): ThriftType {
    const type = typeOfNibble[nibble];
    if (type == null) throw new ThriftError(`no value has the type ${nibble}`);
    return type;
  }

  private byte(): number {
    if (this.position >= this.data.length) throw new ThriftError('it ends in the middle');
    return this.data[this.position++]!;
  }

  private take(length: number): Uint8Array {
    if (length > this.data.length - this.position) throw new ThriftError('it ends in the middle');
    this.position += length;
    return this.data.subarray(this.position - length, this.position);
  }

  /** A length: an unsigned varint that no input longer than what is left can have. */
  private count(): number {
    const value = this.varint();
    if (value > this.data.length) throw new ThriftError('a length is longer than the data');
    return Number(value);
  }

  private zigzag(): number | bigint {
    const value = this.varint();
    if (typeof value === 'number') return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    return (value >> 1n) ^ -(value & 1n);
  }

  /** An unsigned varint of up to 64 bits; a number while it has at most 49, as nearly all have. */
  private varint(): number | bigint {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 7; i++) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    let long = BigInt(value);
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      long |= BigInt(byte & 127) << shift;
      if (byte < 128) return long;
    }
    throw new ThriftError('an integer has more than 64 bits');
  }
}

class ThriftWriter {
  private data = new Uint8Array(1024);
  private length = 0;

  bytes(): Uint8Array {
    return this.data.slice(0, this.length);
  }

  struct(fields: ThriftStruct): void {
    let last = 0;
    for (const id of [...fields.keys()].sort((a, b) => a - b)) {
      const field = fields.get(id)!;
      const nibble =
        field.type === 'bool' ? (field.value ? 1 : 2) : (nibbleOfType[field.type] as number);
      const delta = id - last;
      if (delta > 0 && delta <= 15) this.byte((delta << 4) | nibble);
      else {
        this.byte(nibble);
        this.zigzag(id);
      }
      last = id;
      if (field.type !== 'bool') this.value(field);
    }
    this.byte(0);
  }

  private value(value: ThriftValue): void {
    switch (value.type) {
      case 'bool':
        this.byte(value.value ? 1 : 2);
        return;
      case 'i8':
        this.byte(value.value & 255);
        return;
      case 'i16':
      case 'i32':
        this.zigzag(value.value);
        return;
      case 'i64':
        this.varint(BigInt.asUintN(64, (value.value << 1n) ^ (value.value >> 63n)));
        return;
      case 'double':
      case 'uuid':
        this.append(value.value);
        return;
      case 'binary':
        this.varint(value.value.length);
        this.append(value.value);
        return;
      case 'struct':
        this.struct(value.value);
        return;
      case 'list':
      case 'set':
        this.list(value.element, value.values);
        return;
      case 'map':
        this.varint(value.entries.length);
        if (value.entries.length === 0) return;
        this.byte((nibbleOfType[value.keyType] << 4) | nibbleOfType[value.valueType]);
        for (const [key, item] of value.entries) {
          this.value(key);
          this.value(item);
        }
    }
  }

  private list(element: ThriftType, values: readonly ThriftValue[]): void {
    const nibble = nibbleOfType[element];
    if (values.length < 15) this.byte((values.length << 4) | nibble);
    else {
      this.byte(0xf0 | nibble);
      this.varint(values.length);
    }
    for (const value of values) this.value(value);
  }

  private zigzag(value: number): void {
    this.varint(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  private varint(value: number | bigint): void {
    let rest = value;
    if (typeof rest === 'bigint') {
      for (; rest >= 0x8000_0000n; rest >>= 7n) this.byte(Number(rest & 127n) | 128);
      rest = Number(rest);
    }
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.byte((rest % 128) | 128);
    this.byte(rest);
  }

  private byte(value: number): void {
    this.reserve(1);
    this.data[this.length++] = value;
  }

  private append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.data.set(bytes, this.length);
    this.length += bytes.length;
  }

  private reserve(more: number): void {
    if (this.length + more <= this.data.length) return;
    const grown = new Uint8Array(Math.max(this.data.length * 2, this.length + more));
    grown.set(this.data.subarray(0, this.length));
    this.data = grown;
  }
}

/** An integer field of up to 32 bits, or null when absent. Throws ThriftError for another type. */
export function intField(struct: ThriftStruct, id: number): number | null {
  const field = struct.get(id);
  if (field === undefined) return null;
  if (field.type !== 'i32' && field.type !== 'i16' && field.type !== 'i8') throw wrongType(id);
  return field.value;
}

/** A 64-bit field, or null when absent. Throws ThriftError for another type. */
export function longField(struct: ThriftStruct, id: number): bigint | null {
  const field = struct.get(id);
  if (field === undefined) return null;
  if (field.type !== 'i64') throw wrongType(id);
  return field.value;
}

/** A boolean field, or null when absent. Throws ThriftError for another type. */
export function boolField(struct: ThriftStruct, id: number): boolean | null {
  const field = struct.get(id);
  if (field === undefined) return null;
  if (field.type !== 'bool') throw wrongType(id);
  return field.value;
}

/** The bytes of a binary field, or null when absent. Throws ThriftError for another type. */
export function binaryField(struct: ThriftStruct, id: number): Uint8Array | null {
  const field = struct.get(id);
  if (field === undefined) return null;
  if (field.type !== 'binary') throw wrongType(id);
  return field.value;
}

/** A binary field as text, or null when absent. Throws ThriftError for another type. */
export function textField(struct: ThriftStruct, id: number): string | null {
  const bytes = binaryField(struct, id);
  return bytes === null
    ? null
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}

/** A struct field, or null when absent. Throws ThriftError for another type. */
export function structField(struct: ThriftStruct, id: number): ThriftStruct | null {
  const field = struct.get(id);
  if (field === undefined) return null;
  if (field.type !== 'struct') throw wrongType(id);
  return field.value;
}

/** The structs of a list field, or null when absent. Throws ThriftError for another type. */
export function structsField(struct: ThriftStruct, id: number): readonly ThriftStruct[] | null {
  const field = struct.get(id);
  if (field === undefined) return null;
  if (field.type !== 'list') throw wrongType(id);
  return field.values.map((value) => {
    if (value.type !== 'struct') throw wrongType(id);
    return value.value;
  });
}

/** A list of texts, or null when absent. Throws ThriftError for another type. */
export function textsField(struct: ThriftStruct, id: number): readonly string[] | null {
  const field = struct.get(id);
  if (field === undefined) return null;
  if (field.type !== 'list') throw wrongType(id);
  return field.values.map((value) => {
    if (value.type !== 'binary') throw wrongType(id);
    return Buffer.from(value.value.buffer, value.value.byteOffset, value.value.length).toString(
      'utf8',
    );
  });
}

/** A list value of structs. */
export function structList(structs: readonly ThriftStruct[]): ThriftValue {
  return {
    type: 'list',
    element: 'struct',
    values: structs.map((value) => ({ type: 'struct', value })),
  };
}

function wrongType(id: number): ThriftError {
  return new ThriftError(`field ${id} has another type than it should`);
}
