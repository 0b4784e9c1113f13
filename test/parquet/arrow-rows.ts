// Rows for the Parquet tests: plain values, and the same as Arrow columns with field ids at every level.
// Values: bigint for integers, decimals (unscaled) and timestamps (microseconds), Map for maps, null for NULL.
// The Arrow side is built here by hand, so that no code under test takes part in it.

import {
  Binary,
  Bool,
  type Data,
  type DataType,
  Decimal,
  Field,
  Int64,
  List,
  Map_ as MapType,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  TimestampMicrosecond,
  tableToIPC,
  Utf8,
} from 'apache-arrow';

export type Value =
  | null
  | bigint
  | boolean
  | string
  | Uint8Array
  | readonly Value[]
  | ReadonlyMap<string, Value>
  | { readonly [name: string]: Value };
export type Row = { readonly [name: string]: Value };

export function field(id: number, name: string, type: DataType, nullable = true): Field {
  return new Field(name, type, nullable, new Map([['PARQUET:field_id', String(id)]]));
}

const lineType = new Struct([
  field(101, 'sku', new Utf8()),
  field(102, 'price', new Decimal(9, 38, 128)),
  field(103, 'notes', new List(field(104, 'element', new Utf8()))),
]);
const addressType = new Struct([
  field(110, 'city', new Utf8()),
  field(111, 'geo', new Struct([field(112, 'lat', new Decimal(2, 18, 128))])),
]);
const extraEntries = new Field(
  'key_value',
  new Struct([
    field(121, 'key', new Utf8(), false),
    field(122, 'value', new List(field(123, 'element', new Int64()))),
  ] as Field[]),
  false,
);

/** Every kind of column a lake table has, nested three deep. */
export const sampleFields: readonly Field[] = [
  field(1, 'id', new Int64()),
  field(2, 'client', new Utf8()),
  field(3, 'exact', new Decimal(9, 38, 128)),
  field(4, 'amount', new Decimal(2, 18, 128)),
  field(5, 'seen_at', new TimestampMicrosecond()),
  field(6, 'raw', new Binary()),
  field(7, 'flag', new Bool()),
  field(8, 'nothing', new Utf8()),
  field(9, 'tags', new List(field(100, 'element', new Utf8()))),
  field(10, 'lines', new List(field(105, 'element', lineType))),
  field(11, 'address', addressType),
  field(12, 'extra', new MapType(extraEntries as never)),
];

const cities = ['Berlin', '東京', 'São Paulo', '', 'Zürich 🏔'];

/** `count` rows starting at number `from`: the same for the same numbers. */
export function sampleRows(from: number, count: number): Row[] {
  return Array.from({ length: count }, (_, k) => {
    const i = from + k;
    const big = BigInt(i);
    return {
      id: big * 1_000_003n - 9_007_199_254_740_993n,
      client: i % 11 === 3 ? null : `client-${String((i * 7919) % 100_000).padStart(6, '0')}`,
      // 38 digits, both signs.
      exact: i % 7 === 2 ? null : (i % 2 === 0 ? 1n : -1n) * (10n ** 37n * 9n + big ** 3n),
      amount: i % 13 === 5 ? null : (big - 500n) * 12_345_678_901n,
      seen_at:
        1_700_000_000_000_000n + big * 1_234_567n - (i % 2 === 0 ? 3_000_000_000_000_000n : 0n),
      raw: i % 5 === 1 ? null : Uint8Array.from([i & 255, 0, 255, 128].slice(0, i % 5)),
      flag: i % 3 === 0 ? null : i % 3 === 1,
      nothing: null,
      tags: i % 4 === 0 ? null : i % 4 === 1 ? [] : [`a${i % 10}`, ...(i % 6 === 0 ? [null] : [])],
      lines:
        i % 9 === 0
          ? null
          : Array.from({ length: i % 4 }, (_, j) =>
              i % 10 === 7 && j === 1
                ? null
                : {
                    sku: `SKU-${(i * 31 + j) % 500}`,
                    price: j === 2 ? null : BigInt(j + 1) * 10n ** 30n + big,
                    notes: j === 0 ? null : Array.from({ length: j - 1 }, (_, n) => `n${n}`),
                  },
            ),
      address:
        i % 8 === 0
          ? null
          : { city: cities[i % 5]!, geo: i % 8 === 1 ? null : { lat: i % 8 === 2 ? null : -big } },
      extra:
        i % 6 === 0
          ? null
          : new Map(
              Array.from({ length: i % 3 }, (_, j) => [`k${j}`, j === 0 ? [big, null] : null]),
            ),
    } satisfies Row;
  });
}

/** Rows as an Arrow IPC stream. */
export function toIpc(fields: readonly Field[], rows: readonly Row[]): Uint8Array {
  const schema = new Schema([...fields]);
  const children = fields.map((column) =>
    toData(
      column.type,
      rows.map((row) => row[column.name] ?? null),
    ),
  );
  const data = makeData({
    type: new Struct([...fields]),
    length: rows.length,
    nullCount: 0,
    children,
  });
  return tableToIPC(new Table(schema, [new RecordBatch(schema, data)]), 'stream');
}

function toData(type: DataType, values: readonly Value[]): Data {
  const length = values.length;
  const nullCount = values.filter((value) => value === null).length;
  const nullBitmap = bits(values.map((value) => value !== null));
  const base = { length, nullCount, nullBitmap };
  if (type instanceof Utf8 || type instanceof Binary) {
    const parts = values.map((value) =>
      value === null
        ? Buffer.alloc(0)
        : typeof value === 'string'
          ? Buffer.from(value, 'utf8')
          : Buffer.from(value as Uint8Array),
    );
    const rest = { ...base, valueOffsets: offsets(parts), data: Buffer.concat(parts) };
    return type instanceof Utf8 ? makeData({ type, ...rest }) : makeData({ type, ...rest });
  }
  if (type instanceof Bool)
    return makeData({ type, ...base, data: bits(values.map((value) => value === true)) });
  if (type instanceof Decimal) {
    const data = new BigUint64Array(length * 2);
    for (const [i, value] of values.entries()) {
      const unscaled = BigInt.asUintN(128, (value as bigint | null) ?? 0n);
      data[i * 2] = unscaled & 0xffff_ffff_ffff_ffffn;
      data[i * 2 + 1] = unscaled >> 64n;
    }
    return makeData({ type, ...base, data: new Uint32Array(data.buffer) });
  }
  if (type instanceof List) {
    const lists = values.map((value) => (value as readonly Value[] | null) ?? []);
    const child = toData(type.valueType, lists.flat(1) as Value[]);
    return makeData({ type, ...base, valueOffsets: offsets(lists), child });
  }
  if (type instanceof MapType) {
    const maps = values.map((value) => [...((value as ReadonlyMap<string, Value> | null) ?? [])]);
    const child = toData(
      type.children[0]!.type,
      maps.flat(1).map(([key, value]) => ({ key, value })),
    );
    return makeData({ type, ...base, valueOffsets: offsets(maps), child });
  }
  if (type instanceof Struct) {
    const children = type.children.map((child) =>
      toData(
        child.type,
        values.map((value) => (value as Row | null)?.[child.name] ?? null),
      ),
    );
    return makeData({ type, ...base, children });
  }
  const data = BigInt64Array.from(values, (value) => (value as bigint | null) ?? 0n);
  return type instanceof Int64
    ? makeData({ type, ...base, data })
    : makeData({ type: type as TimestampMicrosecond, ...base, data });
}

function bits(claims: readonly boolean[]): Uint8Array {
  const bytes = new Uint8Array((claims.length + 7) >> 3);
  for (const [i, claim] of claims.entries()) if (claim) bytes[i >> 3]! |= 1 << (i & 7);
  return bytes;
}

function offsets(parts: readonly { readonly length: number }[]): Int32Array {
  const found = new Int32Array(parts.length + 1);
  for (const [i, part] of parts.entries()) found[i + 1] = found[i]! + part.length;
  return found;
}
