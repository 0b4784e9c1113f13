// Avro files against avsc, another implementation, in both directions.
import avsc from 'avsc';
import { describe, expect, it } from 'vitest';
import type { AvroRecordSchema } from '../../../pipeline/lake/iceberg/avro.js';
import { readAvro, writeAvro } from '../../../pipeline/lake/iceberg/avro.js';

/** Longs of any size as bigint, by the library's own extension point. */
const longs = avsc.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(BigInt(value));
    return buffer;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => (a === b ? 0 : a < b ? -1 : 1),
});

async function readByAvsc(
  bytes: Uint8Array,
): Promise<{ rows: unknown[]; metadata: Map<string, string> }> {
  const decoder = new avsc.streams.BlockDecoder({
    parseHook: (schema: avsc.Schema) =>
      avsc.Type.forSchema(schema, { registry: { long: longs }, wrapUnions: false }),
  });
  const metadata = new Map<string, string>();
  decoder.on(
    'metadata',
    (_type: unknown, _codec: unknown, header: { meta: Record<string, Buffer> }) => {
      for (const [key, value] of Object.entries(header.meta)) metadata.set(key, value.toString());
    },
  );
  const rows: unknown[] = [];
  decoder.on('data', (row: unknown) => rows.push(row));
  const done = new Promise((resolve, reject) => decoder.on('end', resolve).on('error', reject));
  decoder.end(Buffer.from(bytes));
  await done;
  return {
    rows: JSON.parse(JSON.stringify(rows, (_k, v) => (typeof v === 'bigint' ? String(v) : v))),
    metadata,
  };
}

async function writeByAvsc(
  schema: avsc.Schema,
  rows: unknown[],
  codec: string,
): Promise<Uint8Array> {
  const type = avsc.Type.forSchema(schema, { registry: { long: longs }, wrapUnions: false });
  const encoder = new avsc.streams.BlockEncoder(type, { codec, writeHeader: true });
  const parts: Buffer[] = [];
  encoder.on('data', (part: Buffer) => parts.push(part));
  const done = new Promise((resolve, reject) => encoder.on('end', resolve).on('error', reject));
  for (const row of rows) encoder.write(row);
  encoder.end();
  await done;
  return Buffer.concat(parts);
}

const schema: AvroRecordSchema = {
  type: 'record',
  name: 'row',
  fields: [
    { name: 'id', type: 'long', 'field-id': 1 },
    { name: 'text', type: ['null', 'string'], default: null, 'field-id': 2 },
    { name: 'raw', type: ['null', 'bytes'], default: null },
    { name: 'flags', type: { type: 'array', items: 'int' } },
    { name: 'on', type: 'boolean' },
    { name: 'ratio', type: 'double' },
    {
      name: 'inner',
      type: ['null', { type: 'record', name: 'inner_r', fields: [{ name: 'n', type: 'int' }] }],
      default: null,
    },
    { name: 'amount', type: { type: 'fixed', name: 'decimal_9_2', size: 4 } },
  ],
};

const amount = Uint8Array.of(0, 0, 5, 140);
const wide = [
  0n,
  -1n,
  63n,
  -64n,
  64n,
  2n ** 31n,
  -(2n ** 41n),
  2n ** 53n + 1n,
  6838723292707092922n,
  -(2n ** 63n),
  2n ** 63n - 1n,
];
const rows = wide.map((id, i) => ({
  id,
  text: i % 2 === 0 ? null : `größe ${i}`,
  raw: i % 3 === 0 ? Uint8Array.of(i, 0, 255) : null,
  flags: i % 2 === 0 ? [] : [i, -i, 2147483647, -2147483648],
  on: i % 2 === 0,
  ratio: i / 3,
  inner: i % 4 === 0 ? { n: i } : null,
  amount,
}));

describe('Avro files', () => {
  it('writes files that avsc reads to the same values, longs of 64 bits included', async () => {
    const bytes = writeAvro({ schema, metadata: { 'format-version': '2' }, rows });
    const read = await readByAvsc(bytes);
    expect(read.metadata.get('format-version')).toBe('2');
    expect(read.metadata.get('avro.codec')).toBe('deflate');
    expect(read.rows).toEqual(
      rows.map((row) => ({
        ...row,
        id: String(row.id),
        raw: row.raw === null ? null : { type: 'Buffer', data: [...row.raw] },
        amount: { type: 'Buffer', data: [0, 0, 5, 140] },
      })),
    );
  });

  it.each(['null', 'deflate'])('reads files that avsc wrote with codec %s', async (codec) => {
    const theirs = await writeByAvsc(
      schema as unknown as avsc.Schema,
      rows.map((row) => ({
        ...row,
        raw: row.raw === null ? null : Buffer.from(row.raw),
        amount: Buffer.from(amount),
      })),
      codec,
    );
    expect(readAvro(theirs).rows.map((row) => ({ ...row }))).toEqual(rows);
  });

  it('gives its own rows, schema and metadata back over many blocks', () => {
    const many = Array.from({ length: 5001 }, (_, i) => ({ ...rows[i % rows.length]!, ratio: i }));
    const read = readAvro(writeAvro({ schema, metadata: { schema: '{}' }, rows: many }));
    expect(read.rows.map((row) => ({ ...row }))).toEqual(many);
    expect(read.schema).toEqual(schema);
    expect(read.metadata.get('schema')).toBe('{}');
  });

  it('reads enums, maps, unions of several types and types referred to by name', async () => {
    const foreign = {
      type: 'record',
      name: 'outer',
      namespace: 'org.example',
      fields: [
        { name: 'kind', type: { type: 'enum', name: 'kind', symbols: ['A', 'B'] } },
        { name: 'again', type: 'kind' },
        { name: 'map', type: { type: 'map', values: 'int' } },
        { name: 'any', type: ['string', 'null', 'long'] },
        {
          name: 'point',
          type: { type: 'record', name: 'point', fields: [{ name: 'x', type: 'float' }] },
        },
        { name: 'other', type: ['null', 'org.example.point'] },
      ],
    };
    const bytes = await writeByAvsc(
      foreign as avsc.Schema,
      [
        { kind: 'B', again: 'A', map: { k: 7 }, any: 5n, point: { x: 0.5 }, other: { x: 1.5 } },
        { kind: 'A', again: 'B', map: {}, any: 'text', point: { x: 2 }, other: null },
      ],
      'null',
    );
    const [first, second] = readAvro(bytes).rows;
    expect(first).toMatchObject({
      kind: 'B',
      again: 'A',
      any: 5n,
      point: { x: 0.5 },
      other: { x: 1.5 },
    });
    expect(first!.map).toEqual(new Map([['k', 7]]));
    expect(second).toMatchObject({ any: 'text', other: null });
  });

  it('reads an array with logicalType map as a Map, and refers to its record by name', () => {
    const pair = {
      type: 'record',
      name: 'k1_v2',
      fields: [
        { name: 'key', type: 'int' },
        { name: 'value', type: 'long' },
      ],
    } as const;
    const maps: AvroRecordSchema = {
      type: 'record',
      name: 'maps',
      fields: [
        { name: 'a', type: ['null', { type: 'array', items: pair, logicalType: 'map' }] },
        { name: 'b', type: { type: 'array', items: 'k1_v2', logicalType: 'map' } },
      ],
    };
    const pairs = [
      { key: 7, value: 2n ** 60n },
      { key: -1, value: 0n },
    ];
    const [read] = readAvro(
      writeAvro({ schema: maps, metadata: {}, rows: [{ a: pairs, b: pairs }] }),
    ).rows;
    expect(read!.a).toEqual(
      new Map([
        [7, 2n ** 60n],
        [-1, 0n],
      ]),
    );
    expect(read!.b).toEqual(pairs);
  });

  it('writes an empty file that is valid', async () => {
    const bytes = writeAvro({ schema, metadata: {}, rows: [] });
    expect(readAvro(bytes).rows).toEqual([]);
    expect((await readByAvsc(bytes)).rows).toEqual([]);
  });

  it('writes the same bytes for the same rows', () => {
    expect(writeAvro({ schema, metadata: {}, rows })).toEqual(
      writeAvro({ schema, metadata: {}, rows }),
    );
  });

  it('takes __proto__ for a field like any other', () => {
    const odd: AvroRecordSchema = {
      type: 'record',
      name: 'odd',
      fields: [{ name: '__proto__', type: 'string' }],
    };
    const row = Object.fromEntries([['__proto__', 'x']]);
    const [read] = readAvro(writeAvro({ schema: odd, metadata: {}, rows: [row] })).rows;
    expect(Object.entries(read!)).toEqual([['__proto__', 'x']]);
  });

  it('refuses a codec it does not know by name', () => {
    const bytes = Buffer.from(
      writeAvro({ schema, metadata: { 'avro.codec': 'snappy!' }, rows: [] }),
    );
    expect(() => readAvro(bytes)).toThrow(/"snappy!"/);
  });

  it('refuses every cut of a file, and never hangs or returns fewer rows', () => {
    const bytes = writeAvro({ schema, metadata: {}, rows });
    const header = bytes.length - readBlockLength(bytes);
    for (let length = 0; length < bytes.length; length++) {
      // A file that ends right after the header is a valid file without rows.
      if (length === header) continue;
      expect(() => readAvro(bytes.subarray(0, length)), `cut at ${length}`).toThrow(
        expect.objectContaining({ code: 'REFUSED_FORMAT' }),
      );
    }
  });

  it('refuses a value that does not fit the schema instead of writing it', () => {
    const bad = { ...rows[0]!, flags: [2147483648] };
    expect(() => writeAvro({ schema, metadata: {}, rows: [bad] })).toThrow(TypeError);
    expect(() =>
      writeAvro({ schema, metadata: {}, rows: [{ ...rows[0]!, id: 2n ** 63n }] }),
    ).toThrow(RangeError);
    expect(() => writeAvro({ schema, metadata: {}, rows: [{ ...rows[0]!, on: null }] })).toThrow(
      TypeError,
    );
  });
});

function readBlockLength(bytes: Uint8Array): number {
  const empty = writeAvro({ schema, metadata: {}, rows: [] });
  return bytes.length - empty.length;
}
