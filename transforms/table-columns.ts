// From column types to a table's columns: names and field ids, given once and kept. What agrees with a column that the
// table has (or had) keeps its name and id; another type under the same name gets a new id.
// Source: Apache Iceberg spec, "Schema Evolution": a field is its id.

import type { KeyAttribute } from '../schemas/attribute.js';
import {
  type ColumnType,
  type Field,
  type Naming,
  ownColumns,
  type TableColumns,
} from '../schemas/columns.js';
import { widens } from './adapt-rows.js';
import type { TypedAttribute } from './make-columns.js';
import { Namer } from './name-columns.js';
import type { Extents } from './plan-types.js';

/** Columns that a table had: kept for their names and ids. */
export interface KnownColumns {
  readonly columns: readonly Field[];
  readonly own: TableColumns['own'];
  readonly lastId: number;
  readonly naming?: Naming;
}

/** A table's columns from the types of its attributes, in their order (the key's first). `naming` is for a table that is
 *  new: one that is known keeps its rule, for new columns too. */
export function assignColumns(
  types: readonly TypedAttribute[],
  key: readonly KeyAttribute[],
  extents: Extents,
  known: KnownColumns | null,
  naming: Naming = 'snake_case',
): TableColumns {
  const rule = known === null ? naming : (known.naming ?? 'snake_case');
  let lastId = known?.lastId ?? 0;
  const id = (): number => ++lastId;
  const own = known?.own ?? {
    writtenAt: id(),
    nulls: id(),
    nullsElement: id(),
    misfits: id(),
    misfitsKey: id(),
    misfitsValue: id(),
  };
  const before = new Map((known?.columns ?? []).map((field) => [field.attribute, field]));
  const names = new Namer(
    [...ownColumns, ...[...before.values()].map((field) => field.name)],
    rule,
  );
  const found = new Map<number, readonly [number, number]>();
  const columns = types.map(({ attribute, type }): Field => {
    const old = before.get(attribute);
    const keeps = old !== undefined && widens(old.type, type);
    const fieldId = keeps ? old.id : id();
    const name = old?.name ?? names.name(attribute);
    const given = withIds(type, keeps ? old.type : null, id, rule);
    noteExtents(given, fieldId, attribute, [], extents, found);
    return { id: fieldId, name, attribute, type: given };
  });
  return {
    columns,
    key,
    own,
    extents: found,
    lastId,
    ...(rule === 'snake_case' ? {} : { naming: rule }),
  };
}

/** A type with field ids: those of `old` (which it widens) where there are, new ones elsewhere. */
function withIds(
  type: ColumnType,
  old: ColumnType | null,
  id: () => number,
  naming: Naming,
): ColumnType {
  switch (type.kind) {
    case 'SS':
    case 'BS':
    case 'NS':
      return { ...type, elementId: (old as typeof type | null)?.elementId ?? id() };
    case 'L': {
      const was = old as typeof type | null;
      const elementId = was?.elementId ?? id();
      return {
        ...type,
        elementId,
        element: withIds(type.element, was?.element ?? null, id, naming),
      };
    }
    case 'MAP': {
      const was = old as typeof type | null;
      const keyId = was?.keyId ?? id();
      const valueId = was?.valueId ?? id();
      return {
        ...type,
        keyId,
        valueId,
        value: withIds(type.value, was?.value ?? null, id, naming),
      };
    }
    case 'M': {
      const was = new Map(
        ((old as typeof type | null)?.fields ?? []).map((field) => [field.attribute, field]),
      );
      const names = new Namer(
        [...was.values()].map((field) => field.name),
        naming,
      );
      const kept = type.fields.filter((field) => was.has(field.attribute));
      const added = type.fields.filter((field) => !was.has(field.attribute));
      const order = [...was.keys()];
      kept.sort((a, b) => order.indexOf(a.attribute) - order.indexOf(b.attribute));
      return {
        kind: 'M',
        fields: [...kept, ...added].map((field) => {
          const before = was.get(field.attribute);
          const fieldId = before?.id ?? id();
          const name = before?.name ?? names.name(field.attribute);
          const inner = withIds(field.type, before?.type ?? null, id, naming);
          return { id: fieldId, name, attribute: field.attribute, type: inner };
        }),
      };
    }
    default:
      return type;
  }
}

function noteExtents(
  type: ColumnType,
  id: number,
  attribute: string,
  path: readonly string[],
  extents: Extents,
  found: Map<number, readonly [number, number]>,
): void {
  if (type.kind === 'N' || type.kind === 'NS') {
    const extent = extents(attribute, path, type);
    if (extent !== undefined) found.set(type.kind === 'NS' ? type.elementId : id, extent);
  } else if (type.kind === 'L') {
    noteExtents(type.element, type.elementId, attribute, [...path, '[]'], extents, found);
  } else if (type.kind === 'MAP') {
    noteExtents(type.value, type.valueId, attribute, [...path, '{}'], extents, found);
  } else if (type.kind === 'M') {
    for (const field of type.fields) {
      noteExtents(
        field.type,
        field.id,
        attribute,
        [...path, `.${field.attribute}`],
        extents,
        found,
      );
    }
  }
}
