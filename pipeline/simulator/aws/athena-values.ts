// An answer of our query engine as Athena would give it: types in Trino's words, values as Athena writes them.
// Promises: every value whose text in Athena can be read back is read back as it was.
// Source: Amazon Athena API Reference, Datum; Trino documentation, "Data types".

import type { QueryResult } from '../../ports.js';
import { resultRowsMax, type SqlAnswer } from './athena-executions.js';

/** Reads an answer to its end, or to one row more than the simulator keeps. */
export async function sqlAnswer(result: QueryResult): Promise<SqlAnswer> {
  const columns = result.columns.map(({ name, type }) => ({ name, type: trinoType(type) }));
  const rows: (readonly (string | null)[])[] = [];
  for await (const row of result.rows) {
    rows.push(row.map((value, i) => valueText(value, columns[i]!.type)));
    if (rows.length > resultRowsMax) break;
  }
  return { columns, rows };
}

const plainTypes: Readonly<Record<string, string>> = {
  HUGEINT: 'bigint',
  UBIGINT: 'bigint',
  UINTEGER: 'bigint',
  FLOAT: 'real',
  BLOB: 'varbinary',
  TIMESTAMP_S: 'timestamp',
  TIMESTAMP_MS: 'timestamp',
  TIMESTAMP_NS: 'timestamp',
};

/** Trino's word for a type of DuckDB's. */
export function trinoType(type: string): string {
  if (type.endsWith(']')) return 'array';
  if (type.startsWith('STRUCT')) return 'row';
  if (type.startsWith('MAP')) return 'map';
  return plainTypes[type] ?? type.toLowerCase();
}

function valueText(value: unknown, type: string): string | null {
  if (value === null || value === undefined) return null;
  if (type === 'varbinary') {
    return (Buffer.from(String(value), 'base64').toString('hex').match(/../g) ?? []).join(' ');
  }
  if (type === 'timestamp') return String(value).replace('T', ' ').replace(/Z$/, '');
  if (type === 'timestamp with time zone') {
    return String(value).replace('T', ' ').replace(/Z$/, ' UTC');
  }
  return nestedText(value);
}

/** Lists as `[a, b]`, rows and maps as `{name=value}`: what cannot be told apart in Athena cannot be here. */
function nestedText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(nestedText).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const fields = Object.entries(value).map(([name, inner]) => `${name}=${nestedText(inner)}`);
  return `{${fields.join(', ')}}`;
}
