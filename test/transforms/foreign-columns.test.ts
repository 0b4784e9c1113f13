// Columns of other programs beside ours: kept by id, told apart by id, and never in the way of a name of ours.
// Source: apache/iceberg format/spec.md, "Schema Evolution"; transforms/foreign-columns.ts.

import { expect, it } from 'vitest';
import type { IcebergField, IcebergSchema, IcebergType } from '../../schemas/iceberg.js';
import { foreignFields, lostColumns, withForeignFields } from '../../transforms/foreign-columns.js';

const field = (id: number, name: string, type: IcebergType = 'string'): IcebergField => ({
  id,
  name,
  required: false,
  type,
});
const struct = (...fields: IcebergField[]): IcebergType => ({ type: 'struct', fields });
const list = (id: number, element: IcebergType): IcebergType => ({
  type: 'list',
  'element-id': id,
  element,
  'element-required': false,
});
const map = (key: number, id: number, value: IcebergType): IcebergType => ({
  type: 'map',
  'key-id': key,
  key: 'string',
  'value-id': id,
  value,
  'value-required': false,
});
const schema = (...fields: IcebergField[]): IcebergSchema => ({
  type: 'struct',
  'schema-id': 0,
  fields,
});
const names = (fields: readonly IcebergField[]): string[] => fields.map(({ name }) => name);

/** 1 to 9 are ours; 20 and up another program's. */
const ours = new Set([1, 2, 3, 4, 5, 6, 7, 8, 9]);
const current = schema(
  field(20, 'first'),
  field(1, 'pk'),
  field(2, 's', struct(field(3, 'a'), field(21, 'inside'))),
  field(4, 'l', list(5, struct(field(6, 'b'), field(22, 'deep', struct(field(23, 'x')))))),
  field(7, 'm', map(8, 9, struct(field(24, 'value')))),
  { ...field(25, 'last', 'int'), required: true },
);
const own = schema(
  field(1, 'pk'),
  field(2, 's', struct(field(3, 'a'))),
  field(4, 'l', list(5, struct(field(6, 'b')))),
  field(7, 'm', map(8, 9, struct())),
  field(10, 'new'),
);

it('finds fields of others at all levels, the uppermost only', () => {
  expect(names(foreignFields(current, ours))).toEqual(['first', 'inside', 'deep', 'value', 'last']);
  expect(foreignFields(own, new Set([...ours, 10]))).toEqual([]);
});

it('keeps fields of others after ours, at all levels, nullable', () => {
  expect(withForeignFields(own, current, ours).fields).toEqual([
    field(1, 'pk'),
    field(2, 's', struct(field(3, 'a'), field(21, 'inside'))),
    field(4, 'l', list(5, struct(field(6, 'b'), field(22, 'deep', struct(field(23, 'x')))))),
    field(7, 'm', map(8, 9, struct(field(24, 'value')))),
    field(10, 'new'),
    field(20, 'first'),
    field(25, 'last', 'int'),
  ]);
});

it('gives our columns their names, and another name to the field in the way', () => {
  const wants = schema(
    field(1, 'pk'),
    field(10, 'last'),
    field(2, 's', struct(field(11, 'inside'))),
  );
  const { fields } = withForeignFields(
    wants,
    { ...current, fields: [...current.fields.slice(1, 3), field(25, 'LAST', 'int')] },
    ours,
  );
  expect(names(fields)).toEqual(['pk', 'last', 's', 'LAST_25']);
  expect(fields[2]!.type).toEqual(struct(field(11, 'inside'), field(21, 'inside_21')));
});

it('lets go what a column of ours no longer has room for', () => {
  // The struct became DynamoDB JSON under a new id, the list's element a string.
  const retyped = schema(field(1, 'pk'), field(11, 's'), field(4, 'l', list(12, 'string')));
  const { fields } = withForeignFields(retyped, current, ours);
  expect(fields.slice(0, 3)).toEqual(retyped.fields);
  expect(names(fields)).toEqual(['pk', 's', 'l', 'first', 'last']);
});

it('names columns of ours that are gone or of another type, and nothing else', () => {
  const change = (id: number, edit: (field: IcebergField) => IcebergField | null): IcebergSchema =>
    schema(...current.fields.flatMap((one) => (one.id === id ? (edit(one) ?? []) : one)));
  const lost = (now: IcebergSchema): readonly string[] => lostColumns(current, now, ours);
  expect(lost(current)).toEqual([]);
  expect(lost(schema(...[...current.fields].reverse()))).toEqual([]);
  expect(lost(change(1, (one) => ({ ...one, name: 'renamed', doc: 'x' })))).toEqual([]);
  expect(lost(change(20, () => null))).toEqual([]);
  expect(lost(change(25, (one) => ({ ...one, type: 'long' })))).toEqual([]);
  expect(lost(change(1, () => null))).toEqual(['pk']);
  expect(lost(change(1, (one) => ({ ...one, id: 30 })))).toEqual(['pk']);
  expect(lost(change(1, (one) => ({ ...one, type: 'binary' })))).toEqual(['pk']);
  expect(lost(change(2, (one) => ({ ...one, type: struct(field(21, 'inside')) })))).toEqual(['s']);
  expect(lost(change(2, (one) => ({ ...one, type: struct(field(3, 'a')) })))).toEqual([]);
  expect(lost(change(4, (one) => ({ ...one, type: list(31, struct(field(6, 'b'))) })))).toEqual([
    'l',
  ]);
  expect(
    lost(change(4, (one) => ({ ...one, type: list(5, struct(field(6, 'b', 'int'))) }))),
  ).toEqual(['l']);
  expect(lost(change(7, (one) => ({ ...one, type: map(8, 32, struct()) })))).toEqual(['m']);
  expect(lost(change(7, (one) => ({ ...one, type: 'string' })))).toEqual(['m']);
});
