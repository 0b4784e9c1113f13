// Columns and nested fields that another program added to a lake table, and what it did to ours.
// Promises: what is added is kept, under its id, when a commit writes a new schema; ours are compared by id, not by name.
// In a table that Tidelake may write to, such columns hold NULLs only: rows that another program changed are refused, and
// adopted only when no foreign column has a value. So a file may be rewritten without them.
// Source: apache/iceberg format/spec.md, "Schema Evolution", "Column Projection" (a column a file lacks is NULL).

import type { IcebergField, IcebergSchema, IcebergType } from '../schemas/iceberg.js';

type Known = ReadonlySet<number>;

/** The fields of structs, at all levels, whose ids are not in `ours`; nothing below them is looked at. */
export function foreignFields(type: IcebergType, ours: Known): IcebergField[] {
  if (typeof type === 'string') return [];
  if (type.type === 'list') return foreignFields(type.element, ours);
  if (type.type === 'map') return foreignFields(type.value, ours);
  return type.fields.flatMap((field) =>
    ours.has(field.id) ? foreignFields(field.type, ours) : [field],
  );
}

/** A schema of ours with the foreign fields of the table's schema, each after ours of the same struct. One that has the
 *  name of a column of ours gives way and is called NAME_ID from then on. */
export function withForeignFields(
  schema: IcebergSchema,
  current: IcebergSchema,
  ours: Known,
): IcebergSchema {
  return { ...schema, fields: joined(schema.fields, current.fields, ours) };
}

function joined(
  own: readonly IcebergField[],
  current: readonly IcebergField[],
  ours: Known,
): IcebergField[] {
  const before = new Map(current.map((field) => [field.id, field]));
  const kept = own.map((field) => {
    const was = before.get(field.id);
    return was === undefined ? field : { ...field, type: joinedType(field.type, was.type, ours) };
  });
  const names = new Set(own.map((field) => field.name.toLowerCase()));
  const foreign = current
    .filter((field) => !ours.has(field.id))
    .map((field) => ({
      ...field,
      // No row of ours has a value in it.
      required: false,
      name: names.has(field.name.toLowerCase()) ? `${field.name}_${field.id}` : field.name,
    }));
  return [...kept, ...foreign];
}

function joinedType(own: IcebergType, was: IcebergType, ours: Known): IcebergType {
  if (typeof own === 'string' || typeof was === 'string' || own.type !== was.type) return own;
  if (own.type === 'list' && was.type === 'list') {
    return { ...own, element: joinedType(own.element, was.element, ours) };
  }
  if (own.type === 'map' && was.type === 'map') {
    return { ...own, value: joinedType(own.value, was.value, ours) };
  }
  if (own.type !== 'struct' || was.type !== 'struct') return own;
  return { ...own, fields: joined(own.fields, was.fields, ours) };
}

/** Names of columns of ours that a schema had and another has no more, or has with another type, at any level. */
export function lostColumns(
  before: IcebergSchema,
  now: IcebergSchema,
  ours: Known,
): readonly string[] {
  const left = new Map(now.fields.map((field) => [field.id, field]));
  return before.fields
    .filter((field) => ours.has(field.id))
    .filter((field) => {
      const found = left.get(field.id);
      return found === undefined || !holds(found.type, field.type, ours);
    })
    .map((field) => field.name);
}

/** Whether all of ours in a type is still there, with the same ids and types. */
function holds(now: IcebergType, before: IcebergType, ours: Known): boolean {
  if (typeof now === 'string' || typeof before === 'string') {
    const plain = (type: IcebergType): unknown =>
      typeof type === 'string' ? type.replaceAll(' ', '') : null;
    return plain(now) === plain(before) && plain(now) !== null;
  }
  if (now.type === 'list' && before.type === 'list') {
    const isSame = now['element-id'] === before['element-id'];
    return isSame && holds(now.element, before.element, ours);
  }
  if (now.type === 'map' && before.type === 'map') {
    const isSame = now['key-id'] === before['key-id'] && now['value-id'] === before['value-id'];
    return isSame && holds(now.key, before.key, ours) && holds(now.value, before.value, ours);
  }
  if (now.type !== 'struct' || before.type !== 'struct') return false;
  return before.fields
    .filter((field) => ours.has(field.id))
    .every((field) => {
      const found = now.fields.find((one) => one.id === field.id);
      return found !== undefined && holds(found.type, field.type, ours);
    });
}
