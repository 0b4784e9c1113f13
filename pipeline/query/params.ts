// Parameters of queries: `:name` or `?` in SQL, replaced by literals of a declared type.
// Promises: a value is checked against its type and encoded, so that no value can become SQL; strings, comments and quoted
// names are left alone. Spec: DuckDB documentation, "Literal Types".

import { TidelakeError } from '../../schemas/errors.js';
import { quoteText, sqlPieces } from './sql-text.js';

/** Types a parameter can be declared with. */
export type ParamType = 'string' | 'date' | 'timestamp' | 'number' | 'integer' | 'boolean';

const paramTypes: readonly string[] = [
  'string',
  'date',
  'timestamp',
  'number',
  'integer',
  'boolean',
];

export function isParamType(text: string): text is ParamType {
  return paramTypes.includes(text);
}

/** A parameter as a saved query declares it. */
export interface ParamDeclaration {
  readonly name: string;
  readonly type: ParamType;
  /** Used when no value is given; null: a value must be given. */
  readonly defaultText: string | null;
}

/** Most digits of a number parameter: DuckDB's widest decimal. */
const numberDigitsMax = 38;

/** A value as a literal of its type. Throws USAGE when it is none, without repeating it. */
export function paramLiteral(declaration: ParamDeclaration, text: string): string {
  const literal = literalOf(declaration.type, text);
  if (literal !== null) return literal;
  throw usage(
    `the value of parameter ${declaration.name} is no ${declaration.type}`,
    `--param ${declaration.name}=${exampleOf(declaration.type)}`,
  );
}

function literalOf(type: ParamType, text: string): string | null {
  switch (type) {
    case 'string':
      return quoteText(text);
    case 'date': {
      const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
      return found !== null && isDay(found) ? `DATE ${quoteText(text)}` : null;
    }
    case 'timestamp': {
      const found =
        /^(\d{4})-(\d{2})-(\d{2})(?:[T ]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(\.\d{1,6})?)?Z?)?$/.exec(
          text,
        );
      if (found === null || !isDay(found)) return null;
      const time = `${found[4] ?? '00'}:${found[5] ?? '00'}:${found[6] ?? '00'}${found[7] ?? ''}`;
      return `TIMESTAMP ${quoteText(`${text.slice(0, 10)} ${time}`)}`;
    }
    case 'number': {
      if (!/^-?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?$/.test(text)) return null;
      return text.replace(/\D/g, '').length <= numberDigitsMax ? signed(text) : null;
    }
    case 'integer':
      return /^-?\d{1,38}$/.test(text) ? signed(text) : null;
    case 'boolean':
      return /^(true|false)$/i.test(text) ? text.toUpperCase() : null;
  }
}

/** A negative number in brackets: `x -:n` must not become a comment. */
function signed(text: string): string {
  return text.startsWith('-') ? `(${text})` : text;
}

function isDay(found: RegExpExecArray): boolean {
  const [, year, month, day] = found.map(Number);
  const date = new Date(Date.UTC(year!, month! - 1, day!));
  return date.getUTCMonth() === month! - 1 && date.getUTCDate() === day!;
}

function exampleOf(type: ParamType): string {
  const examples: Record<ParamType, string> = {
    string: 'text',
    date: '2026-01-31',
    timestamp: '2026-01-31T09:00:00Z',
    number: '12.50',
    integer: '12',
    boolean: 'true',
  };
  return examples[type];
}

export interface ParamOptions {
  readonly sql: string;
  /** Declared parameters; null: the SQL declares none, and every value given is taken as text. */
  readonly declared: readonly ParamDeclaration[] | null;
  readonly values: Readonly<Record<string, string>>;
}

/**
 * SQL with its parameters replaced: `:name` by the value of that name, `?` by the values in order (of declaration, else
 * of being given). Throws USAGE for a value that is missing, not declared, or of another type.
 */
export function applyParams(options: ParamOptions): string {
  const { sql, values } = options;
  const given = Object.keys(values);
  const declared: readonly ParamDeclaration[] =
    options.declared ?? given.map((name) => ({ name, type: 'string', defaultText: null }));
  for (const name of given) {
    if (declared.some((one) => one.name === name)) continue;
    const names = declared.map((one) => one.name).join(', ');
    throw usage(
      `the query has no parameter ${JSON.stringify(name.slice(0, 60))}`,
      names === '' ? 'leave --param out' : `its parameters are: ${names}`,
    );
  }
  if (declared.length === 0) return sql;
  const literals = new Map<string, string>();
  for (const one of declared) {
    const text = Object.hasOwn(values, one.name) ? values[one.name]! : one.defaultText;
    if (text === null) {
      throw usage(
        `parameter ${one.name} (${one.type}) has no value`,
        `--param ${one.name}=${exampleOf(one.type)}`,
      );
    }
    literals.set(one.name, paramLiteral(one, text));
  }
  return replacePlaceholders(sql, [...literals.values()], literals);
}

function replacePlaceholders(
  sql: string,
  ordered: readonly string[],
  named: ReadonlyMap<string, string>,
): string {
  let next = 0;
  const pieces = sqlPieces(sql).map((piece) => {
    if (!piece.isCode) return piece.text;
    // `::type` is a cast; only names that are parameters are replaced, so that `list[1:n]` stays a slice.
    return piece.text.replace(/(?<!:):([A-Za-z_][A-Za-z0-9_]*)|\?/g, (whole, name?: string) => {
      if (name !== undefined) return named.get(name) ?? whole;
      const literal = ordered[next];
      next += 1;
      return literal ?? whole;
    });
  });
  if (next > ordered.length) {
    throw usage(
      `the query has ${next} places marked ?, but ${ordered.length} parameters`,
      '--param NAME=VALUE for each',
    );
  }
  return pieces.join('');
}

function usage(what: string, next: string): TidelakeError {
  return new TidelakeError({ code: 'USAGE', what, meaning: 'the query was not run', next });
}
