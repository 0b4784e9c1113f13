// Rows as an Arrow IPC stream of one batch. Every buffer is written once, to its place in the stream: Apache Arrow's own
// writer would take buffers made for it, and join them. Field ids travel in the fields' metadata (`PARQUET:field_id`).
// Spec: Apache Arrow, "Columnar format", "Serialization and interprocess communication (IPC)".

import {
  Field as ArrowField,
  Binary,
  Bool,
  type DataType,
  Decimal,
  Int64,
  List,
  Map_,
  Message,
  Schema,
  Struct,
  TimestampMicrosecond,
  Utf8,
} from 'apache-arrow';
import {
  RecordBatch as BatchHeader,
  BufferRegion,
  FieldNode,
} from 'apache-arrow/ipc/metadata/message';
import type { ColumnType, NumberType, TableColumns } from '../schemas/columns.js';
import {
  absentIn,
  BytesColumn,
  type Column,
  FlagColumn,
  ListColumn,
  LongColumn,
  StructColumn,
  type WideColumn,
} from './columns.js';
import type { Rows } from './make-columns.js';

/** The metadata of a field that has its id. */
export const idKey = 'PARQUET:field_id';

function arrowField(name: string, id: number, type: DataType, nullable = true): ArrowField {
  return new ArrowField(name, type, nullable, new Map([[idKey, String(id)]]));
}

function listType(elementId: number, element: DataType): DataType {
  return new List(arrowField('element', elementId, element));
}

function mapType(keyId: number, valueId: number, value: DataType): DataType {
  const fields = [arrowField('key', keyId, new Utf8(), false), arrowField('value', valueId, value)];
  return new Map_(new ArrowField('key_value', new Struct(fields), false) as never);
}

function numberType(number: NumberType): DataType {
  if (number.type === 'text') return new Utf8();
  if (number.type === 'decimal') return new Decimal(number.scale, number.precision, 128);
  return new Int64();
}

/** Names in lists and maps are those of the Parquet format's nested types. */
function arrowType(type: ColumnType): DataType {
  switch (type.kind) {
    case 'S':
    case 'JSON':
      return new Utf8();
    case 'B':
      return new Binary();
    case 'BOOL':
      return new Bool();
    case 'N':
      return numberType(type.number);
    case 'SS':
      return listType(type.elementId, new Utf8());
    case 'BS':
      return listType(type.elementId, new Binary());
    case 'NS':
      return listType(type.elementId, numberType(type.number));
    case 'L':
      return listType(type.elementId, arrowType(type.element));
    case 'MAP':
      return mapType(type.keyId, type.valueId, arrowType(type.value));
    case 'M':
      return new Struct(
        type.fields.map((field) => arrowField(field.name, field.id, arrowType(field.type))),
      );
  }
}

function schemaOf({ columns, own }: TableColumns): Schema {
  const text = new Utf8();
  return new Schema([
    ...columns.map((field) => arrowField(field.name, field.id, arrowType(field.type))),
    arrowField('_written_at', own.writtenAt, new TimestampMicrosecond()),
    arrowField('_nulls', own.nulls, listType(own.nullsElement, text)),
    arrowField('_misfits', own.misfits, mapType(own.misfitsKey, own.misfitsValue, text)),
  ]);
}

function aligned(bytes: number): number {
  return (bytes + 7) & ~7;
}

/** A message ahead of its body: a mark, the length of what follows, and that, padded to 8 bytes. */
function framed(message: Message): Uint8Array {
  const header = Message.encode(message);
  const length = aligned(header.length);
  const out = new Uint8Array(8 + length);
  new DataView(out.buffer).setInt32(0, -1, true);
  new DataView(out.buffer).setInt32(4, length, true);
  out.set(header, 8);
  return out;
}

const endOfStream = Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0);

/** Packs bytes that are 1 or 0 into bits, the first one lowest. */
function writeBits(to: Uint8Array, flags: Uint8Array): void {
  const view = new DataView(flags.buffer, flags.byteOffset, flags.length);
  const n = flags.length;
  let i = 0;
  for (; i + 8 <= n; i += 8) {
    // The product has the four lowest bits of a word's bytes side by side in bits 24 to 27.
    const low = (Math.imul(view.getInt32(i, true), 0x01020408) >>> 24) & 15;
    const high = (Math.imul(view.getInt32(i + 4, true), 0x01020408) >>> 24) & 15;
    to[i >> 3] = low | (high << 4);
  }
  let last = 0;
  for (let bit = 0; i + bit < n; bit++) last |= flags[i + bit]! << bit;
  if (i < n) to[i >> 3] = last;
}

/** 64-bit integers as 128-bit ones. */
function widen(to: Uint8Array, words: Int32Array): void {
  const out = new Int32Array(to.buffer, to.byteOffset, words.length * 2);
  for (let i = 0, at = 0; i < words.length; i += 2, at += 4) {
    const high = words[i + 1]!;
    out[at] = words[i]!;
    out[at + 1] = high;
    out[at + 2] = high >> 31;
    out[at + 3] = high >> 31;
  }
}

function bytesOf(part: Int32Array): Uint8Array {
  return new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
}

/** One buffer of the body. */
interface BodyPart {
  readonly size: number;
  /** Gets exactly `size` bytes, aligned to 8. */
  readonly write: (to: Uint8Array) => void;
}

/** Walks columns depth first, as a batch lists them, and notes what is to be written. */
class Body {
  readonly nodes: FieldNode[] = [];
  readonly regions: BufferRegion[] = [];
  readonly parts: BodyPart[] = [];
  length = 0;

  private part(size: number, write: BodyPart['write']): void {
    this.regions.push(new BufferRegion(this.length, aligned(size)));
    this.parts.push({ size, write });
    this.length += aligned(size);
  }

  private copy(bytes: Uint8Array): void {
    this.part(bytes.length, (to) => to.set(bytes));
  }

  private bits(flags: Uint8Array): void {
    this.part((flags.length + 7) >> 3, (to) => writeBits(to, flags));
  }

  private offsets(offsets: Int32Array, start: number, end: number): void {
    const own = offsets.subarray(start, end + 1);
    const first = own[0]!;
    if (first === 0) this.copy(bytesOf(own));
    else {
      this.part(own.byteLength, (to) => {
        const out = new Int32Array(to.buffer, to.byteOffset, own.length);
        for (let i = 0; i < own.length; i++) out[i] = own[i]! - first;
      });
    }
  }

  /** Rows [start, end) of a column of a type; of our own columns, which are no decimals, null. */
  column(column: Column, start: number, end: number, type: ColumnType | null): void {
    const n = end - start;
    const ok = column.ok.subarray(start, end);
    const nulls = column.nulls === 0 ? 0 : absentIn(ok);
    this.nodes.push(new FieldNode(n, nulls));
    if (nulls === 0) this.part(0, () => {});
    else this.bits(ok);
    if (column instanceof BytesColumn) {
      this.offsets(column.offsets, start, end);
      this.copy(column.data.subarray(column.offsets[start]!, column.offsets[end]!));
    } else if (column instanceof ListColumn) {
      this.offsets(column.offsets, start, end);
      const [from, to] = [column.offsets[start]!, column.offsets[end]!];
      this.column(column.child, from, to, elementOf(type));
    } else if (column instanceof StructColumn) {
      column.children.forEach((child, i) => {
        this.column(child, start, end, fieldOf(type, i));
      });
    } else if (column instanceof FlagColumn) this.bits(column.flags.subarray(start, end));
    else if (column instanceof LongColumn) {
      const words = column.words.subarray(start * 2, end * 2);
      if (isDecimal(type)) this.part(n * 16, (to) => widen(to, words));
      else this.copy(bytesOf(words));
    } else this.copy(bytesOf((column as WideColumn).words.subarray(start * 4, end * 4)));
  }
}

function isDecimal(type: ColumnType | null): boolean {
  return (type?.kind === 'N' || type?.kind === 'NS') && type.number.type === 'decimal';
}

/** The type of a list's elements. A set of numbers stands for them; entries of maps are told by their map. */
function elementOf(type: ColumnType | null): ColumnType | null {
  return type?.kind === 'L' ? type.element : type;
}

function fieldOf(type: ColumnType | null, index: number): ColumnType | null {
  if (type?.kind === 'M') return type.fields[index]!.type;
  return type?.kind === 'MAP' && index === 1 ? type.value : null;
}

/** Which rows, and where to. */
export interface IpcOptions {
  readonly start?: number;
  readonly end?: number;
  /** Memory to write to, if the stream fits: aligned to 8 bytes, and whoever reads the stream must be done with it before
   *  that memory is used again. Without it, new memory. */
  readonly room?: Uint8Array | null;
}

/** Settled rows, whose types are the table's columns in order, as an Arrow IPC stream. */
export function rowsToIpc(rows: Rows, table: TableColumns, options: IpcOptions = {}): Uint8Array {
  const { start = 0, end = rows.n, room = null } = options;
  const body = new Body();
  table.columns.forEach(({ type }, i) => {
    body.column(rows.columns[i]!, start, end, type);
  });
  for (const column of [rows.writtenAt, rows.nulls, rows.misfits]) {
    body.column(column, start, end, null);
  }
  const { nodes, regions, parts, length } = body;
  const schema = framed(Message.from(schemaOf(table)));
  const batch = framed(Message.from(new BatchHeader(end - start, nodes, regions, null), length));
  const size = schema.length + batch.length + length + endOfStream.length;
  const out = room !== null && size <= room.length ? room.subarray(0, size) : new Uint8Array(size);
  let at = 0;
  for (const head of [schema, batch]) {
    out.set(head, at);
    at += head.length;
  }
  for (const part of parts) {
    const next = at + aligned(part.size);
    part.write(out.subarray(at, at + part.size));
    out.fill(0, at + part.size, next);
    at = next;
  }
  out.set(endOfStream, at);
  return out;
}
