// Rows to Apache Arrow and back. Field ids travel in the fields' metadata (`PARQUET:field_id`), and are what columns
// are found by when files are read. Names in lists and maps are those of the Parquet format's nested types.

import {
  Field as ArrowField,
  Binary,
  Bool,
  type Data,
  type DataType,
  Decimal,
  Int64,
  List,
  Map_,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  TimestampMicrosecond,
  tableFromIPC,
  tableToIPC,
  Utf8,
} from 'apache-arrow';
import type { KeyAttribute } from '../schemas/attribute.js';
import type { ColumnType, TableColumns } from '../schemas/columns.js';
import {
  BytesColumn,
  type Column,
  FlagColumn,
  ListColumn,
  LongColumn,
  StructColumn,
  WideColumn,
} from './columns.js';
import { type KeyedRows, writeKey } from './locate-keys.js';
import { absentColumn, Rows } from './make-columns.js';
import { KeyWriter } from './sort-keys.js';

const idKey = 'PARQUET:field_id';

function arrowField(name: string, id: number, type: DataType, nullable = true): ArrowField {
  return new ArrowField(name, type, nullable, new Map([[idKey, String(id)]]));
}

function bitmap(ok: Uint8Array, n: number): Uint8Array {
  const bits = new Uint8Array((((n + 7) >> 3) + 7) & ~7);
  for (let i = 0; i < n; i++) if (ok[i] === 1) bits[i >> 3]! |= 1 << (i & 7);
  return bits;
}

function head(column: Column): { length: number; nullCount: number; nullBitmap?: Uint8Array } {
  const { n, nulls } = column;
  if (nulls === 0) return { length: n, nullCount: 0 };
  return { length: n, nullCount: nulls, nullBitmap: bitmap(column.ok, n) };
}

function bytesData(column: BytesColumn, type: Utf8 | Binary): Data {
  return makeData({
    type: type as Utf8,
    ...head(column),
    valueOffsets: column.offsets.subarray(0, column.n + 1),
    data: column.data.subarray(0, column.length),
  });
}

function longs(column: LongColumn): BigInt64Array {
  return new BigInt64Array(column.words.buffer, column.words.byteOffset, column.n);
}

function decimalData(column: Column, precision: number, scale: number): Data {
  const type = new Decimal(scale, precision, 128);
  if (column instanceof WideColumn) {
    const words = column.words.subarray(0, column.n * 4);
    return makeData({
      type,
      ...head(column),
      data: new Uint32Array(words.buffer, words.byteOffset, words.length),
    });
  }
  const { words, n } = column as LongColumn;
  const wide = new Uint32Array(n * 4);
  for (let i = 0; i < n; i++) {
    const high = words[i * 2 + 1]!;
    wide[i * 4] = words[i * 2]!;
    wide[i * 4 + 1] = high;
    wide[i * 4 + 2] = high >> 31;
    wide[i * 4 + 3] = high >> 31;
  }
  return makeData({ type, ...head(column), data: wide });
}

function listData(column: ListColumn, child: Data, element: ArrowField): Data {
  return makeData({
    type: new List(element),
    ...head(column),
    valueOffsets: column.offsets.subarray(0, column.n + 1),
    child,
  });
}

function structData(column: Column, fields: ArrowField[], children: Data[]): Data {
  return makeData({ type: new Struct(fields), ...head(column), children });
}

function mapData(column: ListColumn, keyId: number, valueId: number, key: Data, value: Data): Data {
  const fields = [
    arrowField('key', keyId, key.type, false),
    arrowField('value', valueId, value.type),
  ];
  const entries = structData(column.child, fields, [key, value]);
  return makeData({
    type: new Map_(new ArrowField('key_value', entries.type as Struct, false) as never),
    ...head(column),
    valueOffsets: column.offsets.subarray(0, column.n + 1),
    child: entries as never,
  });
}

function toData(column: Column, type: ColumnType): Data {
  switch (type.kind) {
    case 'S':
    case 'JSON':
      return bytesData(column as BytesColumn, new Utf8());
    case 'B':
      return bytesData(column as BytesColumn, new Binary());
    case 'BOOL': {
      const flags = column as FlagColumn;
      return makeData({ type: new Bool(), ...head(column), data: bitmap(flags.flags, flags.n) });
    }
    case 'N':
      return numberData(column, type.number);
    case 'SS':
    case 'BS':
    case 'NS': {
      const list = column as ListColumn;
      const child =
        type.kind === 'NS'
          ? numberData(list.child, type.number)
          : bytesData(list.child as BytesColumn, type.kind === 'SS' ? new Utf8() : new Binary());
      return listData(list, child, arrowField('element', type.elementId, child.type));
    }
    case 'L': {
      const list = column as ListColumn;
      const child = toData(list.child, type.element);
      return listData(list, child, arrowField('element', type.elementId, child.type));
    }
    case 'MAP': {
      const map = column as ListColumn<StructColumn>;
      const key = bytesData(map.child.children[0] as BytesColumn, new Utf8());
      const value = toData(map.child.children[1]!, type.value);
      return mapData(map, type.keyId, type.valueId, key, value);
    }
    case 'M': {
      const children = (column as StructColumn).children.map((child, i) =>
        toData(child, type.fields[i]!.type),
      );
      const fields = type.fields.map((field, i) =>
        arrowField(field.name, field.id, children[i]!.type),
      );
      return structData(column, fields, children);
    }
  }
}

function numberData(column: Column, number: Extract<ColumnType, { kind: 'N' }>['number']): Data {
  if (number.type === 'text') return bytesData(column as BytesColumn, new Utf8());
  if (number.type === 'decimal') return decimalData(column, number.precision, number.scale);
  return makeData({ type: new Int64(), ...head(column), data: longs(column as LongColumn) });
}

/** Settled rows, whose types are the table's columns in order, as an Arrow IPC stream. */
export function rowsToIpc(rows: Rows, table: TableColumns): Uint8Array {
  const { own } = table;
  const children = table.columns.map((field, i) => toData(rows.columns[i]!, field.type));
  const fields = table.columns.map((field, i) =>
    arrowField(field.name, field.id, children[i]!.type),
  );
  const written = makeData({
    type: new TimestampMicrosecond(),
    ...head(rows.writtenAt),
    data: longs(rows.writtenAt),
  });
  const nulls = bytesData(rows.nulls.child, new Utf8());
  const [names, values] = rows.misfits.child.children as [BytesColumn, BytesColumn];
  children.push(
    written,
    listData(rows.nulls, nulls, arrowField('element', own.nullsElement, nulls.type)),
    mapData(
      rows.misfits,
      own.misfitsKey,
      own.misfitsValue,
      bytesData(names, new Utf8()),
      bytesData(values, new Utf8()),
    ),
  );
  fields.push(
    arrowField('_written_at', own.writtenAt, written.type),
    arrowField('_nulls', own.nulls, children[fields.length + 1]!.type),
    arrowField('_misfits', own.misfits, children[fields.length + 2]!.type),
  );
  const schema = new Schema(fields);
  const data = makeData({ type: new Struct(fields), length: rows.n, nullCount: 0, children });
  return tableToIPC(new Table(schema, [new RecordBatch(schema, data)]), 'stream');
}

// ---- back

function fieldId(field: ArrowField): number {
  return Number(field.metadata.get(idKey) ?? -1);
}

function fillOk(column: Column, data: Data): void {
  const n = data.length;
  column.reserve(n);
  column.n = n;
  if (data.nullCount === 0) {
    column.ok.fill(1, 0, n);
    return;
  }
  const bits = data.nullBitmap;
  let nulls = 0;
  for (let i = 0; i < n; i++) {
    const bit = data.offset + i;
    const ok = (bits[bit >> 3]! >> (bit & 7)) & 1;
    column.ok[i] = ok;
    nulls += 1 - ok;
  }
  column.nulls = nulls;
}

/** Offsets of a list or of bytes, starting at 0, and where they started in the Arrow buffer. */
function rebased(data: Data): { offsets: Int32Array; first: number } {
  const from = data.valueOffsets as Int32Array;
  const first = from[0] ?? 0;
  const offsets = new Int32Array(data.length + 1);
  for (let i = 0; i <= data.length; i++) offsets[i] = (from[i] ?? first) - first;
  return { offsets, first };
}

function readBytes(data: Data): BytesColumn {
  const column = new BytesColumn();
  fillOk(column, data);
  const { offsets, first } = rebased(data);
  column.offsets = grownOffsets(offsets, column);
  column.length = offsets[data.length]!;
  column.data = (data.values as Uint8Array).subarray(first, first + column.length);
  return column;
}

function grownOffsets(offsets: Int32Array, column: Column): Int32Array {
  const out = new Int32Array(column.ok.length + 1);
  out.set(offsets);
  return out;
}

function readLongs(data: Data): LongColumn {
  const column = new LongColumn();
  fillOk(column, data);
  const values = data.values as BigInt64Array | Int32Array;
  const words = new Int32Array(values.buffer, values.byteOffset, data.length * 2);
  column.words.set(words);
  return column;
}

function readDecimals(data: Data, precision: number): Column {
  const words = data.values as Uint32Array | Int32Array;
  const column = precision === 38 ? new WideColumn() : new LongColumn();
  fillOk(column, data);
  if (column instanceof WideColumn) column.words.set(words.subarray(0, data.length * 4));
  else {
    for (let i = 0; i < data.length; i++) {
      column.words[i * 2] = words[i * 4]!;
      column.words[i * 2 + 1] = words[i * 4 + 1]!;
    }
  }
  return column;
}

function readList(data: Data, child: (data: Data, field: ArrowField) => Column): ListColumn {
  const { offsets, first } = rebased(data);
  const elements = data.children[0]!;
  const end = first + offsets[data.length]!;
  const used =
    first === 0 && end === elements.length
      ? elements
      : (elements.slice(first, end - first) as Data);
  const list = new ListColumn(child(used, data.type.children[0] as ArrowField));
  fillOk(list, data);
  list.offsets = grownOffsets(offsets, list);
  return list;
}

function fromData(data: Data, type: ColumnType): Column {
  switch (type.kind) {
    case 'S':
    case 'B':
    case 'JSON':
      return readBytes(data);
    case 'BOOL': {
      const column = new FlagColumn();
      fillOk(column, data);
      const bits = data.values as Uint8Array;
      for (let i = 0; i < data.length; i++) {
        const bit = data.offset + i;
        column.flags[i] = (bits[bit >> 3]! >> (bit & 7)) & 1;
      }
      return column;
    }
    case 'N':
      return readNumbers(data, type.number);
    case 'NS':
      return readList(data, (elements) => readNumbers(elements, type.number));
    case 'SS':
    case 'BS':
      return readList(data, readBytes);
    case 'L':
      return readList(data, (elements) => fromData(elements, type.element));
    case 'MAP':
      return readList(data, (entries) => {
        const column = new StructColumn([
          readBytes(entries.children[0]!),
          fromData(entries.children[1]!, type.value),
        ]);
        fillOk(column, entries);
        return column;
      });
    case 'M': {
      const byId = new Map(
        (data.type.children as ArrowField[]).map((field, i) => [fieldId(field), data.children[i]!]),
      );
      const column = new StructColumn(
        type.fields.map((field) => {
          const child = byId.get(field.id);
          return child === undefined
            ? absentColumn(field.type, data.length)
            : fromData(child, field.type);
        }),
      );
      fillOk(column, data);
      return column;
    }
  }
}

function readNumbers(data: Data, number: Extract<ColumnType, { kind: 'N' }>['number']): Column {
  if (number.type === 'text') return readBytes(data);
  if (number.type === 'decimal') return readDecimals(data, number.precision);
  return readLongs(data);
}

const misfitsType: ColumnType = { kind: 'MAP', keyId: 0, valueId: 0, value: { kind: 'S' } };

function fieldsById(batch: RecordBatch): Map<number, Data> {
  return new Map(batch.schema.fields.map((field, i) => [fieldId(field), batch.data.children[i]!]));
}

/** Rows of one Arrow batch as columns of a table, found by field id; what a file lacks is absent. Keys are not filled in. */
function batchRows(batch: RecordBatch, table: TableColumns): Rows {
  const { own } = table;
  const byId = fieldsById(batch);
  const n = batch.numRows;
  const columns = table.columns.map((field) => {
    const data = byId.get(field.id);
    return data === undefined ? absentColumn(field.type, n) : fromData(data, field.type);
  });
  const writtenAt = byId.get(own.writtenAt);
  const nulls = byId.get(own.nulls);
  const misfits = byId.get(own.misfits);
  const list: ColumnType = { kind: 'SS', elementId: 0 };
  const longType: ColumnType = { kind: 'N', number: { type: 'long' } };
  const lives = new FlagColumn();
  for (let i = 0; i < n; i++) lives.push(true);
  return new Rows(table.columns, columns, {
    writtenAt: (writtenAt === undefined
      ? absentColumn(longType, n)
      : readLongs(writtenAt)) as LongColumn,
    nulls: (nulls === undefined
      ? absentColumn(list, n)
      : fromData(nulls, list)) as ListColumn<BytesColumn>,
    misfits: (misfits === undefined
      ? absentColumn(misfitsType, n)
      : fromData(misfits, misfitsType)) as ListColumn<StructColumn>,
    keys: keysOfRows(columns, table, n),
    lives,
  });
}

/** The comparable keys of rows. */
export function keysOfRows(
  columns: readonly Column[],
  table: { readonly columns: TableColumns['columns']; readonly key: readonly KeyAttribute[] },
  n: number,
): BytesColumn {
  const keys = new BytesColumn();
  const writer = new KeyWriter();
  for (let row = 0; row < n; row++) {
    writeKey(writer, table, columns, row);
    writer.flush(keys);
  }
  return keys;
}

/** Rows of an Arrow IPC stream (of one or several batches). */
export function ipcToRows(ipc: Uint8Array, table: TableColumns): Rows {
  const { batches } = tableFromIPC(ipc);
  const parts = batches
    .filter((batch) => batch.numRows > 0)
    .map((batch) => batchRows(batch, table));
  if (parts.length === 1) return parts[0]!;
  const all = new Rows(table.columns);
  for (const part of parts) all.appendRange(part, 0, part.n);
  return all;
}

/** The key's columns of an Arrow IPC stream, batch by batch, without the comparable keys. `misfits`: which rows have a
 *  misfit, null when none has, or when that column was not read. */
export function ipcToKeyedRows(
  ipc: Uint8Array,
  table: TableColumns,
): (KeyedRows & { readonly misfits: Column | null })[] {
  const { batches } = tableFromIPC(ipc);
  return batches
    .filter((batch) => batch.numRows > 0)
    .map((batch) => {
      const byId = fieldsById(batch);
      const columns = table.columns.slice(0, table.key.length).map((field) => {
        const data = byId.get(field.id);
        return data === undefined
          ? absentColumn(field.type, batch.numRows)
          : fromData(data, field.type);
      });
      const misfits = byId.get(table.own.misfits);
      const isAny = misfits !== undefined && misfits.nullCount < misfits.length;
      return { columns, n: batch.numRows, misfits: isAny ? fromData(misfits, misfitsType) : null };
    });
}
