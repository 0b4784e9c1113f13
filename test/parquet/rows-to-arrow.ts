// Rows as an Arrow stream, by Apache Arrow itself: what other writers of Parquet are given in tests.

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
  tableToIPC,
  Utf8,
} from 'apache-arrow';
import type { ColumnType, TableColumns } from '../../schemas/columns.js';
import {
  type BytesColumn,
  type Column,
  type FlagColumn,
  type ListColumn,
  type LongColumn,
  type StructColumn,
  WideColumn,
} from '../../transforms/columns.js';
import type { Rows } from '../../transforms/make-columns.js';

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
