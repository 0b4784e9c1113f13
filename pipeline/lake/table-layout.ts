// How a table is laid out: partitioned by a transform over key attributes, rows in a file sorted by key.
// Source: Apache Iceberg spec, "Partitioning", "Sorting".

import type { KeyAttribute } from '../../schemas/attribute.js';
import type { TableColumns } from '../../schemas/columns.js';
import { TidelakeError } from '../../schemas/errors.js';
import type { PartitionSpec, SortOrder, TableMetadata } from '../../schemas/iceberg.js';
import type { RoutingField } from '../units/routing.js';
import { specById } from './iceberg/metadata.js';
import { parseTransform } from './iceberg/transforms.js';

/** A partition field as a person writes it. */
export interface LayoutField {
  /** Iceberg's transform, e.g. `bucket[16]`. */
  readonly transform: string;
  /** Position of the attribute in the key. */
  readonly keyIndex: number;
}

function usage(what: string): TidelakeError {
  return new TidelakeError({
    code: 'USAGE',
    what,
    meaning: 'nothing was read or written',
    next: 'e.g. --partition "bucket(clientid, 16)" or --partition "truncate(created, 10)"',
  });
}

/** Reads `bucket(clientid, 16), truncate(created, 10), identity(created)`. Only key attributes: they never change. */
export function parseLayout(text: string, key: readonly string[]): LayoutField[] {
  const fields: LayoutField[] = [];
  const pattern = /\s*([a-z]+)\(\s*([^,()]+?)\s*(?:,\s*(\d+)\s*)?\)\s*(?:,|$)/y;
  while (pattern.lastIndex < text.length) {
    const found = pattern.exec(text);
    if (found === null) throw usage('--partition cannot be read');
    const keyIndex = key.indexOf(found[2]!);
    if (keyIndex < 0) throw usage('--partition names an attribute that is not of the key');
    const transform = found[3] === undefined ? found[1]! : `${found[1]}[${found[3]}]`;
    const { kind } = parseTransform(transform);
    if (kind !== 'bucket' && kind !== 'truncate' && kind !== 'identity') {
      throw usage('--partition takes bucket, truncate and identity');
    }
    fields.push({ transform, keyIndex });
  }
  return fields;
}

/** The layout that a partition spec stands for; null when a row's place does not follow from its key alone. */
export function specLayout(spec: PartitionSpec, table: TableColumns): LayoutField[] | null {
  const fields: LayoutField[] = [];
  for (const field of spec.fields) {
    const keyIndex = table.columns
      .slice(0, table.key.length)
      .findIndex((column) => column.id === field['source-id']);
    if (keyIndex < 0 || !/^(bucket|truncate|identity)\b/.test(field.transform)) return null;
    fields.push({ transform: field.transform, keyIndex });
  }
  return fields;
}

/** The spec that new files are written under: the table's default, or, when another program made that one over columns
 *  that are not of the key, the newest that is over the key; null when there is none. */
export function writingSpec(md: TableMetadata, table: TableColumns): PartitionSpec | null {
  const newestFirst = [...md['partition-specs']].sort((a, b) => b['spec-id'] - a['spec-id']);
  const specs = [specById(md, md['default-spec-id']), ...newestFirst];
  return specs.find((spec) => specLayout(spec, table) !== null) ?? null;
}

/** The layout of a table's new files; null when it has none that follows from keys. */
export function layoutOf(md: TableMetadata, table: TableColumns): LayoutField[] | null {
  const spec = writingSpec(md, table);
  return spec === null ? null : specLayout(spec, table);
}

/** The partition spec of a layout. */
export function layoutSpec(layout: readonly LayoutField[], table: TableColumns): PartitionSpec {
  const fields = layout.map(({ transform, keyIndex }, i) => {
    const column = table.columns[keyIndex]!;
    const suffix = transform.startsWith('bucket') ? '_bucket' : '';
    const cut = transform.startsWith('truncate') ? '_trunc' : suffix;
    return {
      name: `${column.name}${cut === '' ? '_part' : cut}`,
      transform,
      'source-id': column.id,
      'field-id': 1000 + i,
    };
  });
  return { 'spec-id': 0, fields };
}

/** How rows find their partitions. */
export function routingFields(
  layout: readonly LayoutField[],
  types: readonly { readonly type: TableColumns['columns'][number]['type'] }[],
): RoutingField[] {
  return layout.map(({ transform, keyIndex }) => ({
    transform,
    keyIndex,
    type: types[keyIndex]!.type,
  }));
}

/** The sort order that files have; none where a key is text but sorted as numbers. */
export function sortOrderOf(table: TableColumns, key: readonly KeyAttribute[]): SortOrder {
  const columns = table.columns.slice(0, key.length);
  const asText = columns.some(({ type }) => type.kind === 'N' && type.number.type === 'text');
  if (asText) return { 'order-id': 0, fields: [] };
  return {
    'order-id': 1,
    fields: columns.map((column) => ({
      transform: 'identity',
      'source-id': column.id,
      direction: 'asc',
      'null-order': 'nulls-first',
    })),
  };
}
