// Table metadata as Athena writes it, and its evolution.
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { withSchema, withSortOrder, withSpec } from '../../../pipeline/lake/iceberg/evolve.js';
import {
  highestFieldId,
  parseTableMetadata,
  serializeTableMetadata,
} from '../../../pipeline/lake/iceberg/metadata.js';
import { bucketed, emptyTable, schema } from '../fixtures.js';

/** As Athena writes it, ids of 63 bits and fields unknown here included. */
const foreign = `{
  "format-version": 2, "table-uuid": "7d0c", "location": "s3://b/t", "last-sequence-number": 34, "last-updated-ms": 1602638573590,
  "last-column-id": 2, "current-schema-id": 0, "schemas": [{"type":"struct","schema-id":0,"fields":[{"id":1,"name":"x","required":true,"type":"long","doc":"the x"}]}],
  "default-spec-id": 0, "partition-specs": [{"spec-id":0,"fields":[]}], "last-partition-id": 999,
  "default-sort-order-id": 0, "sort-orders": [{"order-id":0,"fields":[]}],
  "properties": {"write.format.default": "PARQUET"}, "current-snapshot-id": 6838723292707092922,
  "refs": {"main": {"snapshot-id": 6838723292707092922, "type": "branch", "max-snapshot-age-ms": 5}},
  "snapshots": [{"snapshot-id": 6838723292707092922, "parent-snapshot-id": 3051729675574597004, "sequence-number": 34,
    "timestamp-ms": 1602638573590, "summary": {"operation": "append"}, "manifest-list": "s3://b/t/metadata/snap.avro", "schema-id": 0, "future-field": {"a": [1]}}],
  "statistics": [{"snapshot-id": 6838723292707092922, "statistics-path": "s3://b/t/stats.puffin"}], "partition-statistics": [],
  "snapshot-log": [{"timestamp-ms": 1602638573590, "snapshot-id": 6838723292707092922}],
  "metadata-log": [{"timestamp-ms": 1515100, "metadata-file": "s3://b/t/metadata/00000.json"}], "next-thing": true
}`;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('table metadata', () => {
  it('keeps ids beyond 2^53 exact and fields it does not know', () => {
    const md = parseTableMetadata(bytes(foreign));
    expect(md['current-snapshot-id']).toBe(6838723292707092922n);
    expect(md.snapshots[0]!['parent-snapshot-id']).toBe(3051729675574597004n);
    const text = new TextDecoder().decode(serializeTableMetadata(md));
    expect(text.match(/6838723292707092922/g)).toHaveLength(5);
    expect(JSON.parse(text)).toEqual(JSON.parse(foreign));
  });

  it('reads small ids as bigint too', () => {
    const md = parseTableMetadata(bytes(foreign.replaceAll('6838723292707092922', '17')));
    expect(md['current-snapshot-id']).toBe(17n);
    expect(md.refs.main!['snapshot-id']).toBe(17n);
    expect(md['snapshot-log'][0]!['snapshot-id']).toBe(17n);
  });

  it('reads gzipped metadata', () => {
    expect(parseTableMetadata(gzipSync(foreign)).location).toBe('s3://b/t');
  });

  it('writes a table without snapshots with -1, and reads it back as null', () => {
    const md = emptyTable();
    const text = new TextDecoder().decode(serializeTableMetadata(md));
    expect(JSON.parse(text)['current-snapshot-id']).toBe(-1);
    expect(parseTableMetadata(bytes(text))).toEqual(md);
    expect(md['last-column-id']).toBe(4);
    expect(md['last-partition-id']).toBe(999);
    expect(highestFieldId(schema)).toBe(4);
  });

  it.each([
    [1, 'REFUSED_FORMAT'],
    [3, 'REFUSED_NEWER_FORMAT'],
  ])('refuses format version %i', (version, code) => {
    const text = foreign.replace('"format-version": 2', `"format-version": ${version}`);
    expect(() => parseTableMetadata(bytes(text))).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    [
      'a missing current snapshot',
      '"current-snapshot-id": 6838723292707092922',
      '"current-snapshot-id": 5',
    ],
    ['a missing schema', '"current-schema-id": 0', '"current-schema-id": 7'],
    ['a missing spec', '"default-spec-id": 0', '"default-spec-id": 7'],
    ['a location that is no text', '"location": "s3://b/t"', '"location": 1'],
    ['a cut file', '"next-thing": true\n}', ''],
  ])('refuses %s', (_name, from, to) => {
    expect(() => parseTableMetadata(bytes(foreign.replace(from, to)))).toThrow(
      expect.objectContaining({ code: 'REFUSED_FORMAT' }),
    );
  });
});

describe('evolution', () => {
  it('uses an equal schema again and numbers a new one on', () => {
    const md = emptyTable();
    expect(withSchema(md, { ...schema, 'schema-id': 99 })).toEqual(md);
    const wider = {
      ...schema,
      fields: [...schema.fields, { id: 9, name: 'n', required: false, type: 'long' }],
    };
    const next = withSchema(md, wider);
    expect(next['current-schema-id']).toBe(1);
    expect(next['last-column-id']).toBe(9);
    expect(withSchema(next, schema)['current-schema-id']).toBe(0);
    expect(withSchema(next, schema)['last-column-id']).toBe(9);
  });

  it('keeps the id of a partition field over specs and gives new fields new ids', () => {
    const md = emptyTable({ spec: bucketed });
    const two = withSpec(md, {
      'spec-id': 0,
      fields: [
        { name: 'client_bucket', transform: 'bucket[8]', 'source-id': 1, 'field-id': 1000 },
        { name: 'b4', transform: 'bucket[4]', 'source-id': 1, 'field-id': 1 },
      ],
    });
    expect(two['default-spec-id']).toBe(1);
    expect(two['partition-specs'][1]!.fields.map((field) => field['field-id'])).toEqual([
      1001, 1000,
    ]);
    expect(two['last-partition-id']).toBe(1001);
    expect(withSpec(two, bucketed)['default-spec-id']).toBe(0);
  });

  it('never gives a sort order with fields the id 0', () => {
    const order = {
      'order-id': 0,
      fields: [
        { transform: 'identity', 'source-id': 1, direction: 'asc', 'null-order': 'nulls-first' },
      ],
    } as const;
    const md = withSortOrder(emptyTable(), order);
    expect(md['default-sort-order-id']).toBe(1);
    expect(withSortOrder(md, { ...order, 'order-id': 5 })['sort-orders']).toHaveLength(2);
    expect(withSortOrder(md, { 'order-id': 9, fields: [] })['default-sort-order-id']).toBe(0);
  });
});
