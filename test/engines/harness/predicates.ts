// Filters over every column that may have bounds, with the answer worked out from the rows themselves.
// Promises: a filter that hides a row by a wrong bound or a wrong count of nulls gives another number than the rows do.
// Source: apache/iceberg format/spec.md, "Scan Planning": files are skipped by lower and upper bounds and null counts.

import type { RowReader } from './rows.js';
import type { EngineRow, EngineValue } from './values.js';

export type Operator = '=' | '<=' | '>=' | 'is null';

export interface Predicate {
  /** Column, or a path into structs. */
  readonly path: readonly string[];
  /** Iceberg's primitive type of the place. */
  readonly type: string;
  readonly op: Operator;
  /** As in EngineValue, always a text; null where the operator needs none. */
  readonly value: string | null;
}

/** Longest text that is written into a statement, in bytes. */
const literalBytesMax = 2000;

/**
 * Filters for primitive columns and fields of structs: at the least, middle and greatest value, and for NULL.
 * @param placesMax how many such places are taken; columns come in the order of how many rows have them, keys first.
 */
export function predicatesOf(
  reader: RowReader,
  rows: readonly EngineRow[],
  placesMax: number,
): readonly Predicate[] {
  const predicates: Predicate[] = [];
  let places = 0;
  const walk = (fields: RowReader['fields'], parent: readonly string[]): void => {
    for (const { name, type } of fields) {
      const path = [...parent, name];
      if (typeof type !== 'string') {
        if (type.type === 'struct' && path.length < 3) walk(type.fields, path);
        continue;
      }
      if (type === 'timestamp') continue;
      const held = rows.map((row) => at(row, path)).filter((value) => value !== null);
      if (places++ >= placesMax) return;
      predicates.push({ path, type, op: 'is null', value: null });
      const sorted = held.map(String).sort((a, b) => compare(a, b, type));
      // A bound that is too tight hides the rows at the ends; one of the middle is found by bucket and by value.
      const picked = { '<=': sorted[0], '=': sorted[sorted.length >> 1], '>=': sorted.at(-1) };
      for (const [op, value] of Object.entries(picked) as [Operator, string | undefined][]) {
        if (value === undefined || Buffer.byteLength(value) > literalBytesMax) continue;
        predicates.push({ path, type, op, value });
      }
    }
  };
  walk(reader.fields, []);
  return predicates;
}

/** How many rows a predicate leaves, by looking at each of them. */
export function countOf(predicate: Predicate, rows: readonly EngineRow[]): number {
  const { path, type, op, value } = predicate;
  return rows.filter((row) => {
    const held = at(row, path);
    if (op === 'is null') return held === null;
    if (held === null) return false;
    const order = compare(String(held), value!, type);
    return op === '=' ? order === 0 : op === '<=' ? order <= 0 : order >= 0;
  }).length;
}

/** A predicate for people: without the value, which may be long. */
export function nameOf({ path, type, op }: Predicate): string {
  return `${path.join('.')} (${type}) ${op}`;
}

function at(row: EngineRow, path: readonly string[]): EngineValue {
  let value: EngineValue | undefined = row;
  for (const step of path) value = value instanceof Map ? (value.get(step) ?? null) : null;
  return value ?? null;
}

/** Iceberg's order of single values: text and binary by bytes, numbers by value. */
function compare(a: string, b: string, type: string): number {
  if (type === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  if (type === 'binary') return Buffer.compare(Buffer.from(a, 'base64'), Buffer.from(b, 'base64'));
  if (type === 'boolean') return Number(a === 'true') - Number(b === 'true');
  const [left, right] = [scaled(a), scaled(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** A number as a whole number of 10^-38. */
function scaled(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(38, '0'));
}

/** A predicate in SQL. Values are cast to the column's own type, so that the engine can prune by them. */
export function sqlOf(
  predicate: Predicate,
  dialect: { readonly quote: '"' | '`'; readonly text: (hex: string) => string },
): string {
  const { path, type, op, value } = predicate;
  const { quote, text } = dialect;
  const place = path.map((step) => `${quote}${step}${quote}`).join('.');
  if (value === null) return `${place} ${op}`;
  if (type === 'string') return `${place} ${op} ${text(Buffer.from(value).toString('hex'))}`;
  if (type === 'binary') return `${place} ${op} X'${Buffer.from(value, 'base64').toString('hex')}'`;
  if (type === 'boolean') return `${place} ${op} ${value}`;
  return `${place} ${op} CAST('${value}' AS ${type === 'long' ? 'bigint' : type})`;
}
