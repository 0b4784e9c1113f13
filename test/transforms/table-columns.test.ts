// Names and field ids of columns: given once, kept for ever, and found again in the table's metadata.
// Promises: names are [a-z0-9_]{1,128} and differ in their scope; ids differ in the table; evolution keeps both.
// Source: Apache Iceberg spec, "Schema Evolution"; the design, "Scan and type" (names, `tidelake.columns`).

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Item } from '../../pipeline/simulator/item.js';
import { wildNames } from '../../pipeline/simulator/wild-values.js';
import type { AttributeValue } from '../../schemas/attribute.js';
import {
  type ColumnType,
  type Field,
  ownColumns,
  type TableColumns,
} from '../../schemas/columns.js';
import type { IcebergField, IcebergType, TableMetadata } from '../../schemas/iceberg.js';
import { widens } from '../../transforms/adapt-rows.js';
import {
  allKnown,
  columnsProperty,
  nextColumnMap,
  readColumns,
  toIcebergSchema,
} from '../../transforms/column-map.js';
import { Namer, plainName } from '../../transforms/name-columns.js';
import { numberExtents } from '../../transforms/plan-types.js';
import { assignColumns } from '../../transforms/table-columns.js';
import { anyItems, key, statsOf, typesOf } from './any-items.js';

function tableOf(items: readonly Item[], before: TableColumns | null = null): TableColumns {
  return assignColumns(typesOf(items), key, numberExtents(statsOf(items)), before);
}

function itemOf(entries: Record<string, AttributeValue>): Item {
  return new Map<string, AttributeValue>([
    ['pk', { S: 'p' }],
    ['sk', { N: '1' }],
    ...Object.entries(entries),
  ]);
}

/** A table's metadata as far as columns go, through JSON as it stands on disk. */
function metadataOf(table: TableColumns, before: TableMetadata | null = null): TableMetadata {
  const schemaId = before?.schemas.length ?? 0;
  return JSON.parse(
    JSON.stringify({
      location: 'file:///lake/t',
      'last-column-id': table.lastId,
      'current-schema-id': schemaId,
      schemas: [...(before?.schemas ?? []), toIcebergSchema(table, schemaId)],
      properties: {
        'tidelake.key': JSON.stringify(table.key),
        [columnsProperty]: nextColumnMap(table, before),
      },
    }),
  ) as TableMetadata;
}

/** Every id of a schema, nested ones too. */
function idsOf(fields: readonly IcebergField[]): number[] {
  const below = (type: IcebergType): number[] => {
    if (typeof type === 'string') return [];
    if (type.type === 'struct') return idsOf(type.fields);
    if (type.type === 'list') return [type['element-id'], ...below(type.element)];
    return [type['key-id'], type['value-id'], ...below(type.value)];
  };
  return fields.flatMap((field) => [field.id, ...below(field.type)]);
}

function scopes(fields: readonly IcebergField[]): string[][] {
  const below = (type: IcebergType): string[][] => {
    if (typeof type === 'string') return [];
    if (type.type === 'struct') return scopes(type.fields);
    return below(type.type === 'list' ? type.element : type.value);
  };
  return [fields.map((field) => field.name), ...fields.flatMap((field) => below(field.type))];
}

describe('column names', () => {
  it.each([
    ['orderId', 'orderid'],
    ['HTTPStatus', 'httpstatus'],
    ['order-Id', 'order_id'],
    ['2fa', 'n2fa'],
    ['Größe', 'gro_e'],
  ])('of %s is %s in lower case', (attribute, name) => {
    expect(plainName(attribute, 'lower_case')).toBe(name);
    expect(new Namer([], 'lower_case').name(attribute)).toBe(name);
  });

  it('keep the rule of their table through the column map, at every level', () => {
    const value: AttributeValue = { M: new Map([['zipCode', { S: '1' }]]) };
    const first = itemOf({ orderId: { S: 'x' } });
    const types = typesOf([first]);
    const began = assignColumns(types, key, numberExtents(statsOf([first])), null, 'lower_case');
    const md = metadataOf(began);
    const known = allKnown(md);
    expect(known.naming).toBe('lower_case');
    const next = itemOf({ orderId: { S: 'x' }, shipTo: value });
    // What a caller says later has no say.
    const after = assignColumns(typesOf([next]), key, () => undefined, known, 'snake_case');
    expect(after.columns.map((field) => field.name)).toEqual(['pk', 'sk', 'orderid', 'shipto']);
    const shipTo = after.columns.find((field) => field.attribute === 'shipTo')!.type;
    expect(shipTo.kind === 'M' && shipTo.fields[0]!.name).toBe('zipcode');
    expect(readColumns(metadataOf(after, md), 1).naming).toBe('lower_case');
  });

  it.each([
    ['createdAt', 'created_at'],
    ['CreatedAt', 'created_at'],
    ['HTTPServer', 'http_server'],
    ['userID', 'user_id'],
    ['ID', 'id'],
    ['snake_case', 'snake_case'],
    ['a.b', 'a_b'],
    ['a-b', 'a_b'],
    ['a  b', 'a_b'],
    ['__proto__', 'proto'],
    ['_misfits', 'misfits'],
    ['1st', 'n1st'],
    ['é', 'e'],
    ['e\u0301', 'e'],
    ['aws:rep:updateregion', 'aws_rep_updateregion'],
    ['ﬁle', 'file'],
    ['straße', 'stra_e'],
    ['select', 'select'],
    ['item2Count', 'item2_count'],
  ])('of %j are %s', (attribute, name) => {
    expect(plainName(attribute)).toBe(name);
    expect(new Namer([]).name(attribute)).toBe(name);
  });

  it.each(['', '😀', '...', '日本語', '\u0000', 'attribute', '-'])(
    'of %j, which has none of its own, are made up and stable',
    (attribute) => {
      const name = new Namer([]).name(attribute);
      expect(name).toMatch(/^attribute_[0-9a-f]{6}$/);
      expect(new Namer(['other']).name(attribute)).toBe(name);
    },
  );

  it('are always [a-z0-9_]{1,128}, start with a letter, and differ in their scope', () => {
    const anyName = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.constantFrom(...wildNames),
      fc.string({ unit: fc.constantFrom('a', 'A', 'b', '_', '.', '1'), maxLength: 5 }),
      fc.integer({ min: 100, max: 400 }).map((n) => 'x'.repeat(n)),
    );
    fc.assert(
      fc.property(fc.uniqueArray(anyName, { maxLength: 40 }), (attributes) => {
        const namer = new Namer(ownColumns);
        const names = attributes.map((attribute) => namer.name(attribute));
        for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9_]{0,127}$/);
        expect(new Set([...names, ...ownColumns]).size).toBe(names.length + ownColumns.length);
      }),
      { numRuns: 300 },
    );
  });

  it('that fold together get a suffix, the first keeps the plain name', () => {
    const namer = new Namer([]);
    expect(namer.name('Id')).toBe('id');
    expect(namer.name('ID')).toMatch(/^id_[0-9a-f]{6}$/);
    expect(namer.name('id')).toMatch(/^id_[0-9a-f]{6}$/);
    const again = new Namer(['id']);
    expect(again.name('ID')).not.toBe(again.name('iD'));
  });

  it('of 300 characters that begin alike differ', () => {
    const namer = new Namer([]);
    const a = namer.name(`${'x'.repeat(299)}a`);
    const b = namer.name(`${'x'.repeat(299)}b`);
    expect(a).not.toBe(b);
    expect(Math.max(a.length, b.length)).toBeLessThanOrEqual(128);
  });
});

describe('field ids', () => {
  it('differ in the whole table, and so do names in every scope', () => {
    fc.assert(
      fc.property(anyItems, (items) => {
        const table = tableOf(items);
        const schema = toIcebergSchema(table, 3);
        expect(schema['schema-id']).toBe(3);
        const ids = idsOf(schema.fields);
        expect(new Set(ids).size).toBe(ids.length);
        expect(Math.max(...ids)).toBe(table.lastId);
        expect(Math.min(...ids)).toBe(1);
        for (const names of scopes(schema.fields)) {
          expect(new Set(names).size).toBe(names.length);
          for (const name of names) expect(name).toMatch(/^[a-z0-9_]{1,128}$/);
        }
        for (const field of schema.fields) {
          expect(field.doc!.length).toBeLessThanOrEqual(255);
          expect(field.required).toBe(false);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('and names are kept where types agree, in another epoch too; another type gets a new id under the old name', () => {
    fc.assert(
      fc.property(anyItems, anyItems, (items, others) => {
        const before = tableOf(items);
        const after = tableOf(others, before);
        expect(after.lastId).toBeGreaterThanOrEqual(before.lastId);
        expect(after.own).toEqual(before.own);
        const old = new Map(before.columns.map((field) => [field.attribute, field]));
        for (const field of after.columns) {
          const was = old.get(field.attribute);
          if (was === undefined) expect(field.id).toBeGreaterThan(before.lastId);
          else {
            expect(field.name).toBe(was.name);
            if (widens(was.type, field.type)) keeps(was, field);
            else expect(field.id).toBeGreaterThan(before.lastId);
          }
        }
        const ids = idsOf(toIcebergSchema(after, 0).fields);
        expect(new Set(ids).size).toBe(ids.length);
      }),
      { numRuns: 30 },
    );
  });

  it('stay when only the order of fields differs', () => {
    const before = tableOf([
      itemOf({
        v: {
          M: new Map([
            ['a', { N: '1' }],
            ['b', { S: 'x' }],
          ]),
        },
      }),
    ]);
    const many = [
      { M: new Map([['b', { S: 'x' }]]) },
      {
        M: new Map([
          ['b', { S: 'x' }],
          ['a', { N: '1' }],
        ]),
      },
    ];
    const after = tableOf(
      many.map((v) => itemOf({ v: v as AttributeValue })),
      before,
    );
    expect(after.columns.find(({ attribute }) => attribute === 'v')).toEqual(
      before.columns.find(({ attribute }) => attribute === 'v'),
    );
    expect(after.lastId).toBe(before.lastId);
  });
});

/** A field keeps its id, and so does everything below it that was there. */
function keeps(was: Field, now: Field): void {
  expect(now.id).toBe(was.id);
  const walk = (a: ColumnType, b: ColumnType): void => {
    if ('elementId' in a) expect((b as typeof a).elementId).toBe(a.elementId);
    if (a.kind === 'L') walk(a.element, (b as typeof a).element);
    if (a.kind === 'MAP') {
      expect([(b as typeof a).keyId, (b as typeof a).valueId]).toEqual([a.keyId, a.valueId]);
      walk(a.value, (b as typeof a).value);
    }
    if (a.kind === 'M') {
      for (const field of a.fields) {
        const next = (b as typeof a).fields.find(({ attribute }) => attribute === field.attribute)!;
        expect(next.name).toBe(field.name);
        keeps(field, next);
      }
    }
  };
  walk(was.type, now.type);
}

describe('columns in the metadata', () => {
  it('are read back as they were written', () => {
    fc.assert(
      fc.property(anyItems, (items) => {
        const table = tableOf(items);
        expect(readColumns(metadataOf(table), 0)).toEqual(table);
      }),
      { numRuns: 20 },
    );
  });

  it('are read back after evolution, under the new schema and under the old one', () => {
    fc.assert(
      fc.property(anyItems, anyItems, (items, others) => {
        const before = tableOf(items);
        const first = metadataOf(before);
        const after = tableOf([...items, ...others], allKnown(first) as TableColumns);
        const second = metadataOf(after, first);
        expect(readColumns(second, 1)).toEqual(after);
        const old = readColumns(second, 0);
        expect(old.columns.map(({ id, name, attribute }) => ({ id, name, attribute }))).toEqual(
          before.columns.map(({ id, name, attribute }) => ({ id, name, attribute })),
        );
      }),
      { numRuns: 20 },
    );
  });

  it('keep the name and id of a column that is gone, and give them back when it comes again', () => {
    const one = tableOf([
      itemOf({ Id: { S: 'x' }, ID: { N: '1' }, id: { M: new Map([['__proto__', { N: '2' }]]) } }),
    ]);
    const first = metadataOf(one);
    const two = tableOf([itemOf({ fresh: { S: 'x' } })], allKnown(first) as TableColumns);
    const second = metadataOf(two, first);
    const three = tableOf([itemOf({ later: { S: 'x' } })], allKnown(second) as TableColumns);
    const third = metadataOf(three, second);
    const back = tableOf(
      [
        itemOf({
          Id: { S: 'x' },
          ID: { N: '1' },
          id: { M: new Map([['__proto__', { N: '2' }]]) },
          iD: { S: 'y' },
        }),
      ],
      allKnown(third) as TableColumns,
    );
    const named = (table: TableColumns, attribute: string): unknown => {
      const field = table.columns.find((column) => column.attribute === attribute)!;
      return { id: field.id, name: field.name, type: field.type };
    };
    for (const attribute of ['Id', 'ID', 'id']) {
      expect(named(back, attribute)).toEqual(named(one, attribute));
    }
    const names = back.columns.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(readColumns(third, 0).columns).toEqual(one.columns);
    expect(readColumns(metadataOf(back, third), 3)).toEqual(back);
  });

  it('never give an id twice, not even that of a column that is gone', () => {
    fc.assert(
      fc.property(fc.array(anyItems, { minLength: 2, maxLength: 4 }), (epochs) => {
        let md: TableMetadata | null = null;
        const attributeOf = new Map<number, string>();
        for (const items of epochs) {
          const table = tableOf(items, md === null ? null : (allKnown(md) as TableColumns));
          md = metadataOf(table, md);
          for (const field of table.columns) {
            expect(attributeOf.get(field.id) ?? field.attribute).toBe(field.attribute);
            attributeOf.set(field.id, field.attribute);
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it('are found whatever another engine did to their order or their names', () => {
    const table = tableOf([itemOf({ Some: { S: 'x' }, other: { N: '1' } })]);
    const md = metadataOf(table);
    const schema = md.schemas[0]!;
    const moved = {
      ...schema,
      fields: [
        { id: 99, name: 'foreign', required: false, type: 'int' },
        ...schema.fields
          .toReversed()
          .map((field) => (field.name === 'some' ? { ...field, name: 'renamed' } : field)),
      ],
    };
    const read = readColumns({ ...md, schemas: [moved] }, 0);
    expect(read.columns.map(({ attribute, name }) => [attribute, name])).toEqual([
      ['pk', 'pk'],
      ['sk', 'sk'],
      ['other', 'other'],
      ['Some', 'renamed'],
    ]);
  });

  it('without the property are refused as those of another writer', () => {
    const md = metadataOf(tableOf([itemOf({})]));
    expect(() => readColumns({ ...md, properties: {} }, 0)).toThrow('REFUSED_FOREIGN_WRITER');
  });
});
