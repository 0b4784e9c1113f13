// Iceberg types as DuckDB writes them.
// Promises: a value of the Iceberg type is a value of the DuckDB type, exactly.
// Spec: apache/iceberg format/spec.md, "Primitive Types"; DuckDB documentation, "Data Types".

import { refuse } from '../../schemas/errors.js';
import type { IcebergType } from '../../schemas/iceberg.js';
import { quoteName } from './sql-text.js';

const primitives: ReadonlyMap<string, string> = new Map([
  ['boolean', 'BOOLEAN'],
  ['int', 'INTEGER'],
  ['long', 'BIGINT'],
  ['float', 'FLOAT'],
  ['double', 'DOUBLE'],
  ['date', 'DATE'],
  ['time', 'TIME'],
  ['timestamp', 'TIMESTAMP'],
  ['timestamptz', 'TIMESTAMP WITH TIME ZONE'],
  ['string', 'VARCHAR'],
  ['uuid', 'UUID'],
  ['binary', 'BLOB'],
]);

/** The DuckDB type of an Iceberg type. Throws REFUSED_NEWER_FORMAT for a type that Iceberg v2 does not have. */
export function duckdbType(type: IcebergType): string {
  if (typeof type === 'string') return primitiveType(type);
  switch (type.type) {
    case 'struct':
      return `STRUCT(${type.fields.map((f) => `${quoteName(f.name)} ${duckdbType(f.type)}`).join(', ')})`;
    case 'list':
      return `${duckdbType(type.element)}[]`;
    case 'map':
      return `MAP(${duckdbType(type.key)}, ${duckdbType(type.value)})`;
  }
}

function primitiveType(type: string): string {
  const plain = primitives.get(type);
  if (plain !== undefined) return plain;
  const decimal = /^decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)$/.exec(type);
  if (decimal !== null) return `DECIMAL(${decimal[1]}, ${decimal[2]})`;
  if (/^fixed\[\d+\]$/.test(type)) return 'BLOB';
  throw refuse(
    'REFUSED_NEWER_FORMAT',
    `a column has the type ${type.slice(0, 40)}, which Iceberg version 2 does not have`,
    'its values cannot be read here',
    'use a newer version of Tidelake',
  );
}

/** An Iceberg type as compact text: `long`, `decimal(18,2)`, `list<struct<sku:string,price:decimal(18,2)>>`. */
export function typeText(type: IcebergType): string {
  if (typeof type === 'string') return type.replaceAll(' ', '');
  switch (type.type) {
    case 'struct':
      return `struct<${type.fields.map((f) => `${f.name}:${typeText(f.type)}`).join(',')}>`;
    case 'list':
      return `list<${typeText(type.element)}>`;
    case 'map':
      return `map<${typeText(type.key)},${typeText(type.value)}>`;
  }
}
