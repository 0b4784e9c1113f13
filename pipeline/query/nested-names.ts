// DuckDB finds top-level columns by field id but fields inside structs by name. Here: when names can be trusted, and how
// files whose nested fields bear other names are read all the same.
// Promises: a nested field is found by its id. Spec: apache/iceberg format/spec.md, "Column Projection".

import type { IcebergSchema, IcebergType } from '../../schemas/iceberg.js';
import { duckdbType } from './duckdb-types.js';
import { quoteName } from './sql-text.js';

/** What is read of a Parquet schema: a column or group, with its id and children. */
export interface NamedNode {
  readonly name: string;
  readonly fieldId: number | null;
  readonly children: readonly NamedNode[];
}

/** A field inside a struct: the id of what holds it, and its name there. */
interface NestedField {
  readonly parentId: number;
  readonly id: number;
  readonly name: string;
}

function* fieldsInside(type: IcebergType, holderId: number): Generator<NestedField> {
  if (typeof type === 'string') return;
  if (type.type === 'list') yield* fieldsInside(type.element, type['element-id']);
  else if (type.type === 'map') {
    yield* fieldsInside(type.key, type['key-id']);
    yield* fieldsInside(type.value, type['value-id']);
  } else {
    for (const field of type.fields) {
      yield { parentId: holderId, id: field.id, name: field.name };
      yield* fieldsInside(field.type, field.id);
    }
  }
}

function nestedFields(schema: IcebergSchema): readonly NestedField[] {
  return schema.fields.flatMap((field) => [...fieldsInside(field.type, field.id)]);
}

/**
 * Whether files written under any of `writers` can be read by nested name as `reader` wants them: no id has two names,
 * no name in a struct has two ids, and no struct has lost all its fields (DuckDB casts none to one that shares no field
 * with it). Tidelake's own changes keep it so: it adds fields, and rewrites what it retypes.
 */
export function nestedNamesAgree(
  reader: IcebergSchema,
  writers: readonly IcebergSchema[],
): boolean {
  const nameOf = new Map<number, string>();
  const idOf = new Map<string, number>();
  const readFrom = new Set<number>();
  for (const field of nestedFields(reader)) {
    readFrom.add(field.parentId);
    nameOf.set(field.id, field.name);
    // DuckDB's names know no case.
    idOf.set(`${field.parentId} ${field.name.toLowerCase()}`, field.id);
  }
  return writers.every((writer) => {
    const written = nestedFields(writer);
    const kept = new Set(written.filter((one) => nameOf.has(one.id)).map((one) => one.parentId));
    return written.every((field) => {
      if (readFrom.has(field.parentId) && !kept.has(field.parentId)) return false;
      const name = nameOf.get(field.id);
      const id = idOf.get(`${field.parentId} ${field.name.toLowerCase()}`);
      return (name === undefined || name === field.name) && (id === undefined || id === field.id);
    });
  });
}

/** The nested names and ids of a file's columns, as text: files with equal ones are read alike. */
export function nestedSignature(columns: readonly NamedNode[]): string {
  const shape = (node: NamedNode): unknown => [node.fieldId, node.name, node.children.map(shape)];
  return JSON.stringify(columns.map((column) => [column.fieldId, column.children.map(shape)]));
}

function nodeById(node: NamedNode, id: number): NamedNode | null {
  for (const child of node.children) {
    if (child.fieldId === id) return child;
    // Lists and maps have a repeated group without an id between themselves and their element, key or value.
    if (child.fieldId === null) {
      const found = nodeById(child, id);
      if (found !== null) return found;
    }
  }
  return null;
}

/** The type to ask DuckDB for when it reads a file: the wanted types under the file's own nested names. */
export function typeInFile(type: IcebergType, node: NamedNode | null): string {
  if (node === null || typeof type === 'string') return duckdbType(type);
  if (type.type === 'list') {
    return `${typeInFile(type.element, nodeById(node, type['element-id']))}[]`;
  }
  if (type.type === 'map') {
    const value = typeInFile(type.value, nodeById(node, type['value-id']));
    return `MAP(${duckdbType(type.key)}, ${value})`;
  }
  const fields = type.fields.flatMap((field) => {
    const child = nodeById(node, field.id);
    return child === null ? [] : [`${quoteName(child.name)} ${typeInFile(field.type, child)}`];
  });
  const first = node.children[0];
  // DuckDB casts no struct to one that shares no field with it: one that is there is read, and not used.
  if (fields.length === 0 && first !== undefined) fields.push(`${quoteName(first.name)} VARCHAR`);
  return `STRUCT(${fields.join(', ')})`;
}

/** SQL that turns a value of `typeInFile` into the wanted type. */
export function renamed(
  expression: string,
  type: IcebergType,
  node: NamedNode | null,
  depth = 0,
): string {
  if (node === null || typeof type === 'string') return expression;
  const item = `e${depth}`;
  if (type.type === 'list') {
    const element = nodeById(node, type['element-id']);
    if (element === null || typeof type.element === 'string') return expression;
    return `list_transform(${expression}, lambda ${item}: ${renamed(item, type.element, element, depth + 1)})`;
  }
  if (type.type === 'map') {
    const value = nodeById(node, type['value-id']);
    if (value === null || typeof type.value === 'string') return expression;
    const entry = `struct_pack(k := ${item}.key, v := ${renamed(`${item}.value`, type.value, value, depth + 1)})`;
    return `map_from_entries(list_transform(map_entries(${expression}), lambda ${item}: ${entry}))`;
  }
  const fields = type.fields.map((field) => {
    const child = nodeById(node, field.id);
    const value =
      child === null
        ? `NULL::${duckdbType(field.type)}`
        : renamed(`(${expression}).${quoteName(child.name)}`, field.type, child, depth);
    return `${quoteName(field.name)} := ${value}`;
  });
  return `CASE WHEN ${expression} IS NULL THEN NULL ELSE struct_pack(${fields.join(', ')}) END`;
}
