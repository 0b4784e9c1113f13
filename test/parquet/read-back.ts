// Three ways to read a Parquet file back into the plain values of arrow-rows.ts: DuckDB, hyparquet, and our decoder.
// The first two share no code with what is tested.

import { DuckDBInstance } from '@duckdb/node-api';
import {
  Binary,
  type Data,
  Decimal,
  List,
  Map_ as MapType,
  Struct,
  TimestampMicrosecond,
  tableFromIPC,
  type Vector,
} from 'apache-arrow';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { Row, Value } from './arrow-rows.js';

/** Runs SQL in a DuckDB of its own, in memory, that never touches the network. */
export async function duckdb(sql: string): Promise<Row[]> {
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    threads: '1',
  });
  const connection = await instance.connect();
  try {
    const reader = await connection.runAndReadAll(sql);
    return reader
      .getRowObjects()
      .map((row) =>
        Object.fromEntries(Object.entries(row).map(([name, value]) => [name, fromDuckdb(value)])),
      );
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function fromDuckdb(value: unknown): Value {
  if (value === null || typeof value !== 'object') return value as Value;
  const kind = value.constructor.name;
  const found = value as Record<string, unknown>;
  if (kind === 'DuckDBDecimalValue') return found.value as bigint;
  if (kind === 'DuckDBTimestampValue') return found.micros as bigint;
  if (kind === 'DuckDBBlobValue') return Uint8Array.from(found.bytes as Uint8Array);
  if (kind === 'DuckDBListValue') return (found.items as unknown[]).map(fromDuckdb);
  if (kind === 'DuckDBMapValue')
    return new Map(
      (found.entries as { key: string; value: unknown }[]).map(({ key, value: item }) => [
        key,
        fromDuckdb(item),
      ]),
    );
  if (kind === 'DuckDBStructValue')
    return Object.fromEntries(
      Object.entries(found.entries as object).map(([name, item]) => [name, fromDuckdb(item)]),
    );
  throw new Error(`a DuckDB value of kind ${kind}`);
}

/** Reads a whole file with hyparquet. Decimals and times are read as raw numbers: it would round them. */
export async function hyparquet(file: Uint8Array): Promise<unknown[]> {
  const buffer = file.buffer.slice(file.byteOffset, file.byteOffset + file.length) as ArrayBuffer;
  const metadata = parquetMetadata(buffer);
  for (const element of metadata.schema) {
    const kind = element.logical_type?.type;
    if (kind === 'DECIMAL' || kind === 'TIMESTAMP') {
      delete element.logical_type;
      delete element.converted_type;
    }
  }
  const rows = await parquetReadObjects({ file: buffer, metadata, compressors, utf8: false });
  return rows.map(undefinedAsNull);
}

/** hyparquet gives a nested NULL as undefined. */
function undefinedAsNull(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (Array.isArray(value)) return value.map(undefinedAsNull);
  if (typeof value !== 'object' || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, undefinedAsNull(item)]),
  );
}

/** A value as hyparquet gives it when decimals are raw: 38-digit ones are 16 bytes, big-endian. */
export function asHyparquet(value: Value, path = ''): unknown {
  if (value === null || typeof value !== 'object') {
    if (typeof value === 'bigint' && /(^|\.)(exact|price)$/.test(path)) {
      const hex = BigInt.asUintN(128, value).toString(16).padStart(32, '0');
      return Uint8Array.from(Buffer.from(hex, 'hex'));
    }
    return value;
  }
  if (value instanceof Uint8Array) return value;
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, item]) => [key, asHyparquet(item, path)]));
  if (Array.isArray(value)) return value.map((item) => asHyparquet(item, path));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, asHyparquet(item, `${path}.${name}`)]),
  );
}

/** Rows of an Arrow IPC stream. */
export function fromIpc(ipc: Uint8Array): Row[] {
  const table = tableFromIPC(ipc);
  const columns = table.schema.fields.map(
    (column) => [column.name, fromVector(table.getChild(column.name)!)] as const,
  );
  return Array.from({ length: table.numRows }, (_, i) =>
    Object.fromEntries(columns.map(([name, values]) => [name, values[i]!])),
  );
}

function fromVector(vector: Vector): Value[] {
  return vector.data.flatMap((data) => fromData(data));
}

// Arrow's own getters go through doubles for times, so the buffers are read here.
function fromData(data: Data): Value[] {
  const { type, length, offset } = data;
  const isValid = (i: number): boolean =>
    data.nullCount === 0 ||
    ((data.nullBitmap![(offset + i) >> 3]! >> ((offset + i) & 7)) & 1) === 1;
  const each = (get: (i: number) => Value): Value[] =>
    Array.from({ length }, (_, i) => (isValid(i) ? get(i) : null));
  if (type instanceof Decimal) {
    const words = data.values as Uint32Array;
    return each((i) => {
      let value = 0n;
      for (let k = 3; k >= 0; k--) value = (value << 32n) | BigInt(words[i * 4 + k]!);
      return BigInt.asIntN(128, value);
    });
  }
  if (type instanceof TimestampMicrosecond) {
    const micros = new BigInt64Array(
      (data.values as Uint8Array).buffer,
      (data.values as Uint8Array).byteOffset,
      length,
    );
    return each((i) => micros[i]!);
  }
  if (type instanceof List || type instanceof MapType) {
    const items = fromData(data.children[0]!);
    const at = data.valueOffsets;
    return each((i) => {
      const part = items.slice(at[i]!, at[i + 1]!);
      if (type instanceof List) return part;
      return new Map(
        part.map((entry) => Object.values(entry as Row) as [string, Value]).map(([k, v]) => [k, v]),
      );
    });
  }
  if (type instanceof Struct) {
    const children = data.children.map((child) => fromData(child));
    return each((i) =>
      Object.fromEntries(type.children.map((child, k) => [child.name, children[k]![i]!])),
    );
  }
  if (type instanceof Binary) {
    const at = data.valueOffsets;
    return each((i) => Uint8Array.from((data.values as Uint8Array).subarray(at[i]!, at[i + 1]!)));
  }
  const values = data as unknown as { readonly values: unknown };
  if (ArrayBuffer.isView(values.values) && values.values instanceof BigInt64Array) {
    const longs = values.values;
    return each((i) => longs[i]!);
  }
  const text = new TextDecoder();
  if (data.valueOffsets !== undefined) {
    const at = data.valueOffsets;
    return each((i) => text.decode((data.values as Uint8Array).subarray(at[i]!, at[i + 1]!)));
  }
  const booleans = data.values as Uint8Array;
  return each((i) => ((booleans[(offset + i) >> 3]! >> ((offset + i) & 7)) & 1) === 1);
}
