// Rows from Apache Arrow. Columns are found by the field ids in the fields' metadata (`PARQUET:field_id`), as
// parquet-wasm gives them.

import { type Field as ArrowField, type Data, type RecordBatch, tableFromIPC } from 'apache-arrow';
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
import { keysOfRows } from './keys-of-rows.js';
import type { KeyedRows } from './locate-keys.js';
import { absentColumn, Rows } from './make-columns.js';

const idKey = 'PARQUET:field_id';

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
