// What the live rows have in each column, and what of each attribute stands beside the columns.
// Promises: counts are exact over all live rows; kinds are those that occur, read from DynamoDB JSON where that is kept.
// Spec: DESIGN.md, "Scan and type" (`_nulls`, `_misfits`).

import type { IcebergSchema } from '../../schemas/iceberg.js';
import type { QueryEngine } from '../ports.js';
import { quoteName } from '../query/sql-text.js';
import { rowsOf } from './inspected-table.js';

/** What was counted of one column. */
export interface ColumnCount {
  /** Rows that have a value. */
  readonly present: number;
  /** Kinds inside the column, for columns of DynamoDB JSON text; empty for others. */
  readonly kinds: readonly string[];
}

/** What was counted of one attribute, outside its column. */
export interface AttributeCount {
  /** Rows whose value stands in `_misfits`. */
  readonly misfits: number;
  /** Kinds of those values, and NULL when `_nulls` lists the attribute itself. */
  readonly kinds: ReadonlySet<string>;
}

/** The tag of a DynamoDB JSON text, as SQL. */
function kindOf(text: string): string {
  return `regexp_extract(${text}, '^\\s*\\{\\s*"([A-Z]+)"', 1)`;
}

/** Counts every column of a view, by name. `jsonColumns` are those that keep DynamoDB JSON text. */
export async function countColumns(
  engine: QueryEngine,
  options: {
    readonly view: string;
    readonly schema: IcebergSchema;
    readonly jsonColumns: ReadonlySet<string>;
  },
): Promise<ReadonlyMap<string, ColumnCount>> {
  const { fields } = options.schema;
  const columns = fields.flatMap((field) => {
    const name = quoteName(field.name);
    const kinds = options.jsonColumns.has(field.name)
      ? `list_sort(list(DISTINCT ${kindOf(name)}) FILTER (${name} IS NOT NULL))`
      : 'NULL';
    return [`count(${name})`, kinds];
  });
  const [row] = await rowsOf(engine, `SELECT ${columns.join(', ')} FROM ${options.view}`);
  return new Map(
    fields.map((field, i) => {
      const kinds = row![2 * i + 1] as readonly string[] | null;
      return [field.name, { present: Number(row![2 * i]), kinds: kinds ?? [] }] as const;
    }),
  );
}

/** Counts what `_misfits` and `_nulls` say of each attribute, by its original name. */
export async function countBeside(
  engine: QueryEngine,
  view: string,
): Promise<ReadonlyMap<string, AttributeCount>> {
  const counts = new Map<string, { misfits: number; kinds: Set<string> }>();
  const of = (attribute: string): { misfits: number; kinds: Set<string> } => {
    const known = counts.get(attribute);
    if (known !== undefined) return known;
    const fresh = { misfits: 0, kinds: new Set<string>() };
    counts.set(attribute, fresh);
    return fresh;
  };
  const misfits = await rowsOf(
    engine,
    `SELECT m.key, ${kindOf('m.value')} AS kind, count(*) FROM (SELECT unnest(map_entries(_misfits)) AS m FROM ${view} WHERE _misfits IS NOT NULL) GROUP BY ALL`,
  );
  for (const [attribute, kind, count] of misfits) {
    const one = of(attribute as string);
    one.misfits += Number(count);
    if (kind !== '') one.kinds.add(kind as string);
  }
  // A path of one step is the attribute itself; the steps are escaped as RFC 6901 says.
  const nulls = await rowsOf(
    engine,
    `SELECT DISTINCT n FROM (SELECT unnest(_nulls) AS n FROM ${view} WHERE _nulls IS NOT NULL) WHERE n LIKE '/%' AND n NOT LIKE '/%/%'`,
  );
  for (const [path] of nulls) {
    const name = (path as string).slice(1).replaceAll('~1', '/').replaceAll('~0', '~');
    of(name).kinds.add('NULL');
  }
  return counts;
}
