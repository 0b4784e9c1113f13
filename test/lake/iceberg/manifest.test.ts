// Manifests and manifest lists: ids, inheritance, files of other writers.
import { describe, expect, it } from 'vitest';
import type { AvroRecordSchema } from '../../../pipeline/lake/iceberg/avro.js';
import { readAvro, writeAvro } from '../../../pipeline/lake/iceberg/avro.js';
import { decodeBound } from '../../../pipeline/lake/iceberg/bounds.js';
import { readManifest, writeManifest } from '../../../pipeline/lake/iceberg/manifest.js';
import type { ManifestFile } from '../../../pipeline/lake/iceberg/manifest-list.js';
import {
  readManifestList,
  writeManifestList,
} from '../../../pipeline/lake/iceberg/manifest-list.js';
import type {
  IcebergSchema,
  ManifestEntry,
  PartitionSpec,
  PartitionValue,
} from '../../../schemas/iceberg.js';
import { bucketed, dataFile, deleteFile, emptyTable, location } from '../fixtures.js';

const big = 6838723292707092922n;

function entry(
  status: 0 | 1 | 2,
  name: string,
  partition: readonly PartitionValue[],
  more: Partial<ManifestEntry> = {},
): ManifestEntry {
  return {
    status,
    snapshotId: big,
    sequenceNumber: 3n,
    fileSequenceNumber: 3n,
    specId: 0,
    file: dataFile(name, partition),
    ...more,
  };
}

describe('manifests', () => {
  const types: [string, string, PartitionValue, PartitionValue][] = [
    ['s', 'string', 'zürich 🌊', 'z'],
    ['i', 'int', -5, 7],
    ['l', 'long', big, -1n],
    ['d', 'date', 17486, -1],
    ['dec', 'decimal(38, 9)', -(10n ** 37n), 5n],
    ['dec2', 'decimal(38, 9)', 1n, 2n],
    ['dec_small', 'decimal(9, 2)', 1420n, -1420n],
    ['b', 'binary', Uint8Array.of(1, 255), Uint8Array.of()],
    ['o', 'boolean', true, false],
    ['t', 'timestamp', -1n, 1_700_000_000_000_000n],
    ['u', 'uuid', 'f79c3e09-677c-4bbd-a479-3f349cb785e7', '00000000-0000-0000-0000-000000000001'],
    ['9 odd-name', 'string', 'x', null],
  ];
  const wide: IcebergSchema = {
    type: 'struct',
    'schema-id': 0,
    fields: types.map(([name, type], i) => ({ id: i + 1, name, required: false, type })),
  };
  const spec: PartitionSpec = {
    'spec-id': 0,
    fields: types.map(([name], i) => ({
      name,
      transform: 'identity',
      'source-id': i + 1,
      'field-id': 1000 + i,
    })),
  };
  const md = { ...emptyTable(), schemas: [wide], 'partition-specs': [spec] };

  it('give every kind of partition value back, nulls included', () => {
    const entries = [
      entry(
        1,
        'a',
        types.map((type) => type[2]),
      ),
      entry(
        0,
        'b',
        types.map((type) => type[3]),
      ),
      entry(
        2,
        'c',
        types.map(() => null),
      ),
    ];
    const { bytes, summary } = writeManifest({
      md,
      spec,
      content: 0,
      snapshotId: big,
      sequenceNumber: 9n,
      entries,
    });
    const read = readManifest(bytes, summary, md);
    // An added file inherits the numbers of its manifest.
    expect(read).toEqual([
      { ...entries[0]!, sequenceNumber: 9n, fileSequenceNumber: 9n },
      entries[1],
      entries[2],
    ]);
    expect(summary).toMatchObject({
      addedFiles: 1,
      existingFiles: 1,
      deletedFiles: 1,
      addedRows: 10n,
      minSequenceNumber: 3n,
      sequenceNumber: 9n,
    });
    expect(summary.partitions.every((one) => one.containsNull)).toBe(true);
    expect(decodeBound('string', summary.partitions[0]!.lowerBound!)).toBe('z');
    expect(decodeBound('decimal(38, 9)', summary.partitions[4]!.lowerBound!)).toBe(-(10n ** 37n));
    expect(decodeBound('int', summary.partitions[1]!.upperBound!)).toBe(7);
  });

  it('have the field ids and the metadata that engines look for', () => {
    const { bytes } = writeManifest({
      md: emptyTable({ spec: bucketed }),
      spec: bucketed,
      content: 0,
      snapshotId: 1n,
      sequenceNumber: 1n,
      entries: [],
    });
    const { schema, metadata } = readAvro(bytes);
    // Ids as in the specification's table "Manifests".
    expect(schema.fields.map((field) => [field.name, field['field-id']])).toEqual([
      ['status', 0],
      ['snapshot_id', 1],
      ['sequence_number', 3],
      ['file_sequence_number', 4],
      ['data_file', 2],
    ]);
    const file = schema.fields[4]!.type as AvroRecordSchema;
    expect(Object.fromEntries(file.fields.map((field) => [field.name, field['field-id']]))).toEqual(
      {
        content: 134,
        file_path: 100,
        file_format: 101,
        partition: 102,
        record_count: 103,
        file_size_in_bytes: 104,
        column_sizes: 108,
        value_counts: 109,
        null_value_counts: 110,
        nan_value_counts: 137,
        lower_bounds: 125,
        upper_bounds: 128,
        key_metadata: 131,
        split_offsets: 132,
        equality_ids: 135,
        sort_order_id: 140,
        referenced_data_file: 143,
      },
    );
    expect(metadata.get('content')).toBe('data');
    expect(metadata.get('format-version')).toBe('2');
    expect(JSON.parse(metadata.get('partition-spec')!)).toEqual(bucketed.fields);
    expect(JSON.parse(metadata.get('schema')!).fields).toHaveLength(3);
  });

  it('are read whatever the order of fields, extra fields and names of older versions', () => {
    const foreign: AvroRecordSchema = {
      type: 'record',
      name: 'manifest_entry',
      fields: [
        { name: 'extra', type: 'string' },
        {
          name: 'data_file',
          'field-id': 2,
          type: {
            type: 'record',
            name: 'r2',
            fields: [
              { name: 'file_size_in_bytes', 'field-id': 104, type: 'long' },
              { name: 'block_size_in_bytes', 'field-id': 105, type: 'long' },
              { name: 'file_format', 'field-id': 101, type: 'string' },
              { name: 'record_count', 'field-id': 103, type: 'long' },
              {
                name: 'partition',
                'field-id': 102,
                type: {
                  type: 'record',
                  name: 'r102',
                  fields: [{ name: 'renamed_since', 'field-id': 1000, type: ['int', 'null'] }],
                },
              },
              { name: 'file_path', 'field-id': 100, type: 'string' },
            ],
          },
        },
        { name: 'status', 'field-id': 0, type: 'int' },
        { name: 'sequence', 'field-id': 3, type: ['long', 'null'] },
      ],
    };
    const row = (status: number, sequence: bigint | null): Record<string, unknown> => ({
      extra: 'x',
      status,
      sequence,
      data_file: {
        file_size_in_bytes: 5n,
        block_size_in_bytes: 1n,
        file_format: 'parquet',
        record_count: 2n,
        partition: { renamed_since: 3 },
        file_path: 'p',
      },
    });
    const bucketedMd = emptyTable({ spec: bucketed });
    const bytes = writeAvro({ schema: foreign, metadata: {}, rows: [row(1, null)] });
    const file = { specId: 0, content: 0, sequenceNumber: 4n, addedSnapshotId: big } as const;
    const [read] = readManifest(bytes, file, bucketedMd);
    expect(read).toMatchObject({
      status: 1,
      snapshotId: big,
      sequenceNumber: 4n,
      fileSequenceNumber: 4n,
    });
    expect(read!.file).toMatchObject({
      content: 0,
      path: 'p',
      format: 'PARQUET',
      partition: [3],
      recordCount: 2n,
    });
    const existing = writeAvro({ schema: foreign, metadata: {}, rows: [row(0, null)] });
    expect(() => readManifest(existing, file, bucketedMd)).toThrow(
      expect.objectContaining({ code: 'REFUSED_FORMAT' }),
    );
    // A manifest from the table's v1 days.
    expect(
      readManifest(existing, { ...file, sequenceNumber: 0n }, bucketedMd)[0]!.sequenceNumber,
    ).toBe(0n);
  });

  it('keep delete files apart from data files', () => {
    const options = {
      md: emptyTable(),
      spec: { 'spec-id': 0, fields: [] },
      snapshotId: 1n,
      sequenceNumber: 1n,
    };
    const del = { ...entry(1, 'd', []), file: deleteFile('d', `${location}/data/a.parquet`) };
    expect(() => writeManifest({ ...options, content: 0, entries: [del] })).toThrow(TypeError);
    const { bytes, summary } = writeManifest({ ...options, content: 1, entries: [del] });
    expect(readAvro(bytes).metadata.get('content')).toBe('deletes');
    expect(readManifest(bytes, summary, emptyTable())[0]!.file.referencedDataFile).toBe(
      `${location}/data/a.parquet`,
    );
  });
});

describe('manifest lists', () => {
  const file: ManifestFile = {
    path: 's3://b/t/metadata/m0.avro',
    length: 5000n,
    specId: 2,
    content: 1,
    sequenceNumber: 7n,
    minSequenceNumber: 3n,
    addedSnapshotId: big,
    addedFiles: 1,
    existingFiles: 2,
    deletedFiles: 3,
    addedRows: 2n ** 60n,
    existingRows: 5n,
    deletedRows: 6n,
    partitions: [
      { containsNull: true, containsNan: null, lowerBound: Uint8Array.of(1), upperBound: null },
    ],
  };

  it('come back as they were written', () => {
    const bytes = writeManifestList({
      snapshotId: big,
      parentId: null,
      sequenceNumber: 7n,
      manifests: [file, { ...file, partitions: [] }],
    });
    expect(readManifestList(bytes)).toEqual([file, { ...file, partitions: [] }]);
    expect(readAvro(bytes).metadata.get('snapshot-id')).toBe('6838723292707092922');
  });

  it('have required counts under the ids of the specification', () => {
    const { schema } = readAvro(
      writeManifestList({ snapshotId: 1n, parentId: 2n, sequenceNumber: 1n, manifests: [] }),
    );
    const ids = Object.fromEntries(schema.fields.map((field) => [field['field-id'], field.type]));
    for (const id of [503, 512, 513, 514, 515, 516]) expect(ids[id]).toBe('long');
    for (const id of [502, 504, 505, 506, 517]) expect(ids[id]).toBe('int');
  });

  it('are read under the names of older versions', () => {
    const old: AvroRecordSchema = {
      type: 'record',
      name: 'manifest_file',
      fields: [
        { name: 'manifest_path', type: 'string', 'field-id': 500 },
        { name: 'manifest_length', type: 'long', 'field-id': 501 },
        { name: 'partition_spec_id', type: 'int', 'field-id': 502 },
        { name: 'added_snapshot_id', type: ['null', 'long'], 'field-id': 503 },
        { name: 'added_data_files_count', type: ['null', 'int'], 'field-id': 504 },
      ],
    };
    const row = {
      manifest_path: 'p',
      manifest_length: 1n,
      partition_spec_id: 0,
      added_snapshot_id: 9n,
      added_data_files_count: 4,
    };
    const [read] = readManifestList(writeAvro({ schema: old, metadata: {}, rows: [row] }));
    expect(read).toMatchObject({
      path: 'p',
      addedFiles: 4,
      content: 0,
      sequenceNumber: 0n,
      addedSnapshotId: 9n,
    });
  });
});
