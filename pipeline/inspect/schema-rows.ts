// `schema`: the columns of a lake table, the attributes they come from, and what does not fit them.
// Promises: every attribute that has a value anywhere is listed, even when no column holds it.
// Spec: DESIGN.md, "Scan and type" and "The command" (schema).

import { tags } from '../../schemas/attribute.js';
import type { ColumnType, Field } from '../../schemas/columns.js';
import type { IcebergField, IcebergSchema } from '../../schemas/iceberg.js';
import { readColumns } from '../../transforms/column-map.js';
import { currentSnapshot } from '../lake/iceberg/metadata.js';
import type { World } from '../ports.js';
import { typeText } from '../query/duckdb-types.js';
import { schemaOf, snapshotSelect } from '../query/table-files.js';
import type { SchemaRow, Target } from '../reports.js';
import {
  type AttributeCount,
  type ColumnCount,
  countBeside,
  countColumns,
} from './count-columns.js';
import { openTarget, withEngine } from './inspected-table.js';

/** One row per column, then one per attribute that no column holds. Throws REFUSED_NO_TABLE. */
export async function schema(world: World, target: Target): Promise<readonly SchemaRow[]> {
  const table = await openTarget(world, target);
  const snapshot = currentSnapshot(table.md);
  const iceberg = schemaOf(table.md, snapshot);
  const columns = readColumns(table.md, iceberg['schema-id']);
  const byId = new Map(columns.columns.map((field) => [field.id, field]));
  const select = await snapshotSelect(world, table, snapshot);
  const [counts, beside] = await withEngine(world, async (engine) => {
    await engine.execute(`CREATE VIEW live AS ${select}`);
    const jsonColumns = namesOfJson(iceberg, byId);
    return [
      await countColumns(engine, { view: 'live', schema: iceberg, jsonColumns }),
      await countBeside(engine, 'live'),
    ] as const;
  });
  const keys = new Set(columns.key.map((key) => key.name));
  const held = iceberg.fields.map((field) =>
    columnRow({ field, origin: byId.get(field.id) ?? null, counts, beside, keys }),
  );
  const known = new Set(columns.columns.map((field) => field.attribute));
  const homeless = [...beside.keys()].filter((attribute) => !known.has(attribute)).sort();
  return [...held, ...homeless.map((attribute) => homelessRow(attribute, beside.get(attribute)!))];
}

function namesOfJson(iceberg: IcebergSchema, byId: ReadonlyMap<number, Field>): Set<string> {
  const json = iceberg.fields.filter((field) => byId.get(field.id)?.type.kind === 'JSON');
  return new Set(json.map((field) => field.name));
}

function columnRow(options: {
  readonly field: IcebergField;
  readonly origin: Field | null;
  readonly counts: ReadonlyMap<string, ColumnCount>;
  readonly beside: ReadonlyMap<string, AttributeCount>;
  readonly keys: ReadonlySet<string>;
}): SchemaRow {
  const { field, origin, counts } = options;
  const count = counts.get(field.name)!;
  const attribute = origin?.attribute ?? null;
  const beside = attribute === null ? undefined : options.beside.get(attribute);
  const kinds = new Set([
    ...(origin === null ? [] : kindsOf(origin.type)),
    ...count.kinds,
    ...(beside?.kinds ?? []),
  ]);
  return {
    column: field.name,
    type: typeText(field.type),
    attribute,
    dynamodbTypes: inOrder(kinds),
    present: count.present,
    misfits: attribute === null ? null : (beside?.misfits ?? 0),
    key: attribute !== null && options.keys.has(attribute),
    fieldId: field.id,
  };
}

/** An attribute whose values all stand in `_misfits` or `_nulls`. */
function homelessRow(attribute: string, beside: AttributeCount): SchemaRow {
  return {
    column: '',
    type: '',
    attribute,
    dynamodbTypes: inOrder(beside.kinds),
    present: 0,
    misfits: beside.misfits,
    key: false,
    fieldId: 0,
  };
}

/** The kind of values a column was made for; DynamoDB JSON text takes any, so those that occur are counted. */
function kindsOf(type: ColumnType): readonly string[] {
  if (type.kind === 'JSON') return [];
  return [type.kind === 'MAP' ? 'M' : type.kind];
}

function inOrder(kinds: ReadonlySet<string>): readonly string[] {
  return tags.filter((tag) => kinds.has(tag));
}
