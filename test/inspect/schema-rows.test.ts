// schema of a table on disk: counts, kinds, and attributes that no column holds.

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { schema } from '../../pipeline/inspect/schema-rows.js';
import type { SchemaRow } from '../../pipeline/reports.js';
import type { ColumnType, TableColumns } from '../../schemas/columns.js';
import { mystoreSchema, order, SmallLake } from './small-lake.js';

// The rows are counted here, not how the map of columns is written down.
vi.mock('../../transforms/column-map.js', () => ({ readColumns: () => columns }));

let lake: SmallLake;
beforeEach(async () => {
  lake = await SmallLake.open();
});
afterEach(() => lake.close());

const number: ColumnType = { kind: 'N', number: { type: 'decimal', precision: 18, scale: 2 } };
const column = (
  id: number,
  name: string,
  attribute: string,
  type: ColumnType,
): TableColumns['columns'][number] => ({
  id,
  name,
  attribute,
  type,
});
const text: ColumnType = { kind: 'S' };
const columns: TableColumns = {
  columns: [
    column(1, 'clientid', 'clientid', text),
    column(2, 'created', 'created', text),
    column(3, 'order_id', 'orderId', text),
    column(4, 'amount', 'amount', number),
    column(5, 'qty', 'qty', { kind: 'N', number: { type: 'long' } }),
    column(6, 'status', 'status', text),
    column(7, 'active', 'active', { kind: 'BOOL' }),
    column(8, 'address', 'address', {
      kind: 'M',
      fields: [
        column(9, 'street', 'street', text),
        column(10, 'city', 'city', text),
        column(11, 'zip', 'zip', text),
      ],
    }),
    column(12, 'lines', 'lines', { kind: 'L', elementId: 13, element: { kind: 'M', fields: [] } }),
    column(17, 'tags', 'tags', { kind: 'SS', elementId: 18 }),
    column(19, 'note', 'note', { kind: 'JSON' }),
  ],
  key: [
    { name: 'clientid', tag: 'S' },
    { name: 'created', tag: 'S' },
  ],
  own: {
    writtenAt: 20,
    nulls: 21,
    nullsElement: 22,
    misfits: 23,
    misfitsKey: 24,
    misfitsValue: 25,
  },
  extents: new Map(),
  lastId: 25,
};

it('counts what columns hold, what does not fit them, and what has no column', async () => {
  await lake.create({ schema: mystoreSchema });
  const [first] = await lake.commit({
    toMs: Date.UTC(2026, 10, 20, 9),
    data: [
      {
        sql: [
          order('a', '1', { note: `'{"S":"x"}'` }),
          order('b', '1', {
            note: `'{"L":[]}'`,
            amount: 'NULL',
            _misfits: `MAP {'amount': '{"S":"soon"}', 'odd': '{"N":"1E125"}'}`,
          }),
          order('c', '1', {
            amount: 'NULL',
            _misfits: `MAP {'amount': '{"M":{"S":{"S":"x"}}}'}`,
            _nulls: "['/status', '/a~1b~01', '/lines/0/x']",
            status: 'NULL',
          }),
          order('deleted', '1', { _misfits: `MAP {'gone': '{"S":"x"}'}` }),
        ].join(' UNION ALL '),
      },
    ],
  });
  await lake.commit({
    fromMs: Date.UTC(2026, 10, 20, 9),
    toMs: Date.UTC(2026, 10, 20, 10),
    deletes: [{ path: first!, positions: [3] }],
  });
  const rows = await schema(lake.world, { lake: lake.uri, database: 'lake' });
  const row = (name: string): SchemaRow | undefined => rows.find((one) => one.attribute === name);
  expect(rows.map((one) => one.column)).toEqual([
    ...mystoreSchema.fields.map((one) => one.name),
    '',
    '',
  ]);
  expect(row('clientid')).toEqual({
    column: 'clientid',
    type: 'string',
    attribute: 'clientid',
    dynamodbTypes: ['S'],
    present: 3,
    misfits: 0,
    key: true,
    fieldId: 1,
  });
  expect(row('amount')).toMatchObject({
    type: 'decimal(18,2)',
    dynamodbTypes: ['S', 'N', 'M'],
    present: 1,
    misfits: 2,
    key: false,
  });
  expect(row('qty')).toMatchObject({ type: 'long', dynamodbTypes: ['N'], present: 3 });
  expect(row('orderId')).toMatchObject({ column: 'order_id' });
  expect(row('status')).toMatchObject({ dynamodbTypes: ['S', 'NULL'], present: 2, misfits: 0 });
  expect(row('address')).toMatchObject({
    type: 'struct<street:string,city:string,zip:string>',
    dynamodbTypes: ['M'],
  });
  expect(row('lines')).toMatchObject({
    type: 'list<struct<sku:string,price:decimal(18,2),qty:long>>',
    dynamodbTypes: ['L'],
  });
  expect(row('tags')).toMatchObject({ type: 'list<string>', dynamodbTypes: ['SS'] });
  expect(row('note')).toMatchObject({ dynamodbTypes: ['S', 'L'], present: 2 });
  expect(row('odd')).toMatchObject({ column: '', dynamodbTypes: ['N'], present: 0, misfits: 1 });
  expect(row('a/b~1')).toMatchObject({ column: '', dynamodbTypes: ['NULL'], misfits: 0 });
  expect(row('gone')).toBeUndefined();
  expect(rows.find((one) => one.column === '_misfits')).toMatchObject({
    type: 'map<string,string>',
    attribute: null,
    dynamodbTypes: [],
    present: 2,
    misfits: null,
  });
});
