// What parquetjs-lite, a plain old reader, makes of our files: with snappy and without dictionaries it reads them.
// It knows neither zstd nor the dictionary encoding of today, so it is no reader of lakes; this pins down where it ends.
// Source: parquetjs-lite 0.8.7, README.md.

import { createRequire } from 'node:module';
import { Bool, Int64, Utf8 } from 'apache-arrow';
import { expect, it } from 'vitest';
import { ParquetAssembler } from '../../pipeline/lake/parquet/assembler.js';
import { field, toIpc } from './arrow-rows.js';
import { type EncodeOptions, encodeRowGroup } from './arrow-rs.js';

interface Cursor {
  next(): Promise<object | null>;
}
const { ParquetReader } = createRequire(import.meta.url)('parquetjs-lite') as {
  readonly ParquetReader: {
    openBuffer(file: Buffer): Promise<{ getCursor(): Cursor }>;
  };
};

const fields = [
  field(1, 'id', new Int64()),
  field(2, 'name', new Utf8()),
  field(3, 'active', new Bool()),
];
const plainColumns = ['id', 'name', 'active'];

async function readTwoRowGroups(options: EncodeOptions): Promise<object[]> {
  const assembler = new ParquetAssembler();
  const parts = [
    assembler.start(),
    ...[7n, 2n ** 60n].map((id) =>
      assembler.add(
        encodeRowGroup(
          toIpc(fields, [
            { id, name: 'né', active: true },
            { id: null, name: null, active: null },
          ]),
          options,
        ),
      ),
    ),
  ];
  const file = Buffer.concat([...parts, assembler.finish().tail]);
  const cursor = (await ParquetReader.openBuffer(file)).getCursor();
  const rows: object[] = [];
  for (let row = await cursor.next(); row !== null; row = await cursor.next()) rows.push(row);
  return rows;
}

it.each(['snappy', 'none'] as const)(
  'reads long, text and boolean columns (compression %s)',
  async (compression) => {
    expect(await readTwoRowGroups({ compression, plainColumns })).toEqual([
      { id: 7n, name: 'né', active: true },
      {},
      { id: 2n ** 60n, name: 'né', active: true },
      {},
    ]);
  },
);

it('reads neither zstd nor dictionaries', async () => {
  await expect(readTwoRowGroups({ plainColumns })).rejects.toBe('invalid compression method: ZSTD');
  await expect(readTwoRowGroups({ compression: 'snappy' })).rejects.toBe(
    'invalid encoding: RLE_DICTIONARY',
  );
});
