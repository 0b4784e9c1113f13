// A table's schema, partition spec and sort order change: what is new gets an id, what is known keeps its own.
// Promises: ids are never given out twice; equal partition fields keep their field id over specs, as v2 demands.
// Source: apache/iceberg format/spec.md, "Schema Evolution", "Partition Evolution", "Sorting".
import type {
  IcebergField,
  IcebergSchema,
  PartitionSpec,
  SortOrder,
  TableMetadata,
} from '../../../schemas/iceberg.js';
import { stringifyJson } from './json.js';
import { highestFieldId } from './metadata.js';

/** Metadata with this schema as the current one. Its own `schema-id` does not count: an equal schema is used again,
 *  another gets the next id. Field ids are the caller's and never checked against dropped ones. */
export function withSchema(md: TableMetadata, schema: IcebergSchema): TableMetadata {
  const known = md.schemas.find((one) => hasEqualContent(one, schema, 'schema-id'));
  const id = known?.['schema-id'] ?? nextId(md.schemas.map((one) => one['schema-id']));
  return {
    ...md,
    schemas: known === undefined ? [...md.schemas, { ...schema, 'schema-id': id }] : md.schemas,
    'current-schema-id': id,
    'last-column-id': Math.max(md['last-column-id'], highestFieldId(schema)),
  };
}

/** Metadata with this partition spec as the default. Its own ids do not count, of the spec and of its fields. */
export function withSpec(md: TableMetadata, spec: PartitionSpec): TableMetadata {
  let lastId = md['last-partition-id'];
  const knownFields = md['partition-specs'].flatMap((one) => one.fields);
  const fields = spec.fields.map((field) => {
    const known = knownFields.find(
      (one) => one['source-id'] === field['source-id'] && one.transform === field.transform,
    );
    return { ...field, 'field-id': known?.['field-id'] ?? ++lastId };
  });
  const known = md['partition-specs'].find(
    (one) => stringifyJson(one.fields) === stringifyJson(fields),
  );
  const id = known?.['spec-id'] ?? nextId(md['partition-specs'].map((one) => one['spec-id']));
  return {
    ...md,
    'partition-specs':
      known === undefined
        ? [...md['partition-specs'], { 'spec-id': id, fields }]
        : md['partition-specs'],
    'default-spec-id': id,
    'last-partition-id': lastId,
  };
}

/** Metadata with this sort order as the default. Its own `order-id` does not count; no fields is order 0. */
export function withSortOrder(md: TableMetadata, order: SortOrder): TableMetadata {
  const known = md['sort-orders'].find((one) => hasEqualContent(one, order, 'order-id'));
  // 0 is unsorted, always.
  const id =
    known?.['order-id'] ??
    (order.fields.length === 0
      ? 0
      : nextId([0, ...md['sort-orders'].map((one) => one['order-id'])]));
  return {
    ...md,
    'sort-orders':
      known === undefined
        ? [...md['sort-orders'], { ...order, 'order-id': id }]
        : md['sort-orders'],
    'default-sort-order-id': id,
  };
}

/**
 * Metadata whose partition specs and sort orders name columns of the current schema only. Engines bind all of them to it
 * when they open a table, whichever snapshot is asked for: for a column that was retyped, and so has another id now,
 * Trino 406 (Iceberg 1.1) does not open the table at all, and Trino 483 (1.11) fails in snapshots written under the spec.
 * A spec keeps its id and loses such fields: manifests still have the values, nothing is pruned by them any more.
 */
export function withoutLostSources(md: TableMetadata): TableMetadata {
  const schema = md.schemas.find((one) => one['schema-id'] === md['current-schema-id'])!;
  const ids = fieldIds(schema.fields);
  const isHere = (field: { readonly 'source-id': number }): boolean => ids.has(field['source-id']);
  const specs = md['partition-specs'].map((spec) => ({
    ...spec,
    fields: spec.fields.filter(isHere),
  }));
  const orders = md['sort-orders'].filter(({ fields }) => fields.every(isHere));
  const order = orders.find((one) => one['order-id'] === md['default-sort-order-id']);
  return {
    ...md,
    'partition-specs': specs,
    'sort-orders': orders,
    'default-sort-order-id': order?.['order-id'] ?? 0,
  };
}

/** Ids of fields and of their nested fields of structs: what a spec may be over. */
function fieldIds(fields: readonly IcebergField[], ids: Set<number> = new Set()): Set<number> {
  for (const { id, type } of fields) {
    ids.add(id);
    if (typeof type !== 'string' && type.type === 'struct') fieldIds(type.fields, ids);
  }
  return ids;
}

function nextId(ids: readonly number[]): number {
  return Math.max(-1, ...ids) + 1;
}

function hasEqualContent<T extends object>(a: T, b: T, idName: keyof T & string): boolean {
  return (
    stringifyJson(sorted({ ...a, [idName]: 0 })) === stringifyJson(sorted({ ...b, [idName]: 0 }))
  );
}

/** The value with its members in one order, so that equal values have equal texts. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  );
}
