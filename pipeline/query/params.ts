// Parameters of queries: `:name` or `?` in SQL, of a declared type.
// Promises: a value is checked against its type and encoded, so that no value can become SQL; strings, comments and quoted
// names are left alone. For Athena values travel beside the text, as execution parameters: only names of tables and
// columns, and the instant of a time travel, which cannot be `?` there, are written into it.
// Spec: DuckDB documentation, "Literal Types"; Trino documentation, "Data types"; Amazon Athena User Guide,
// "Use parameterized queries": `?` only in WHERE, strings in single quotes.

import { TidelakeError } from '../../schemas/errors.js';
import { quoteName, quoteText, sqlPieces } from './sql-text.js';

/** Types a parameter can be declared with. `binary` is given as base64, `identifier` is a name of a table or column. */
export const paramTypes = [
  'string',
  'long',
  'decimal',
  'boolean',
  'date',
  'timestamp',
  'binary',
  'identifier',
] as const;
export type ParamType = (typeof paramTypes)[number];

export function isParamType(text: string): text is ParamType {
  return (paramTypes as readonly string[]).includes(text);
}

/** Whose literals are written. */
export type Dialect = 'duckdb' | 'athena';

/** A parameter as a saved query declares it. */
export interface ParamDeclaration {
  readonly name: string;
  readonly type: ParamType;
  /** Used when no value is given; null: a value must be given. */
  readonly defaultText: string | null;
}

/** Most digits of a decimal parameter: the widest decimal of DuckDB, Trino and DynamoDB. */
const decimalDigitsMax = 38;
/** Names of the lake's tables and columns have this form, so nothing else needs to be let through. */
const identifierForm = /^[a-z0-9_]{1,128}$/;
/** Iceberg's metadata tables that may follow a table parameter: `:table$snapshots`. */
const metadataTables = ['snapshots', 'history'] as const;

/** A value as a literal of its type. Throws USAGE when it is none, without repeating it. */
export function paramLiteral(
  declaration: ParamDeclaration,
  text: string,
  dialect: Dialect = 'duckdb',
): string {
  const literal = literalOf(declaration.type, text, dialect);
  if (literal !== null) return literal;
  throw usage(
    `the value of parameter ${declaration.name} is no ${declaration.type}`,
    `--param ${declaration.name}=${exampleOf(declaration.type)}`,
  );
}

function literalOf(type: ParamType, text: string, dialect: Dialect): string | null {
  const isAthena = dialect === 'athena';
  switch (type) {
    case 'string':
      // Text with a half of a surrogate pair cannot be sent as UTF-8: it would arrive as another text. NUL ends text in
      // DuckDB's C interface.
      return /[\0\p{Surrogate}]/u.test(text) ? null : quoteText(text);
    case 'long': {
      if (!/^-?\d{1,19}$/.test(text) || BigInt.asIntN(64, BigInt(text)) !== BigInt(text))
        return null;
      return isAthena ? `BIGINT '${text}'` : signed(text);
    }
    case 'decimal': {
      const found = /^(-?)(\d*)(?:\.(\d*))?$/.exec(text);
      const [, sign, whole = '', fraction = ''] = found ?? [];
      if (found === null || whole + fraction === '') return null;
      if (whole.length + fraction.length > decimalDigitsMax) return null;
      const plain = `${sign}${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction}`}`;
      return isAthena ? `DECIMAL '${plain}'` : signed(plain);
    }
    case 'boolean':
      return /^(true|false)$/i.test(text) ? text.toUpperCase() : null;
    case 'date': {
      const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
      return found !== null && isDay(found) ? `DATE '${text}'` : null;
    }
    case 'timestamp': {
      const instant = instantText(text);
      return instant === null ? null : `TIMESTAMP '${instant}'`;
    }
    case 'binary': {
      const bytes = Buffer.from(text, 'base64');
      if (bytes.toString('base64') !== text) return null;
      const hex = bytes.toString('hex').toUpperCase();
      return isAthena ? `X'${hex}'` : `unhex('${hex}')`;
    }
    case 'identifier':
      return identifierForm.test(text) ? quoteName(text) : null;
  }
}

/** A time as `YYYY-MM-DD HH:MM:SS[.ffffff]`, UTC as all times of a lake; null when the text is none. */
function instantText(text: string): string | null {
  const found =
    /^(\d{4})-(\d{2})-(\d{2})(?:[T ]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(\.\d{1,6})?)?Z?)?$/.exec(
      text,
    );
  if (found === null || !isDay(found)) return null;
  const time = `${found[4] ?? '00'}:${found[5] ?? '00'}:${found[6] ?? '00'}${found[7] ?? ''}`;
  return `${text.slice(0, 10)} ${time}`;
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

/** A value of the type, for messages. */
export function exampleOf(type: ParamType): string {
  const examples: Record<ParamType, string> = {
    string: 'text',
    long: '12',
    decimal: '12.50',
    boolean: 'true',
    date: '2026-01-31',
    timestamp: '2026-01-31T09:00:00Z',
    binary: 'aGVsbG8=',
    identifier: 'name',
  };
  return examples[type];
}

export interface ParamOptions {
  readonly sql: string;
  /** Declared parameters; null: the SQL declares none, and every value given is taken as text. */
  readonly declared: readonly ParamDeclaration[] | null;
  readonly values: Readonly<Record<string, string>>;
}

/** SQL whose values stand beside it. */
export interface PositionalSql {
  readonly sql: string;
  /** One literal per `?`, in order. */
  readonly parameters: readonly string[];
  /** The parameters the `?` stand for, in order; null for a `?` that was in the text. */
  readonly names: readonly (string | null)[];
}

/**
 * SQL for DuckDB with its parameters replaced: `:name` by the value of that name, `?` by the values in order (of
 * declaration, else of being given). Throws USAGE for a value that is missing, not declared, or of another type.
 */
export function applyParams(options: ParamOptions): string {
  return replaced(options, 'duckdb', (literal) => literal);
}

/**
 * SQL for Athena: every value is a `?` and a literal beside the text, but identifiers and instants of a time travel.
 * Throws as `applyParams`.
 */
export function positionalParams(options: ParamOptions): PositionalSql {
  const parameters: string[] = [];
  const names: (string | null)[] = [];
  const sql = replaced(options, 'athena', (literal, name) => {
    parameters.push(literal);
    names.push(name);
    return '?';
  });
  return { sql, parameters, names };
}

interface ParamValue {
  readonly declaration: ParamDeclaration;
  readonly text: string;
  readonly literal: string;
}

function replaced(
  options: ParamOptions,
  dialect: Dialect,
  write: (literal: string, name: string | null) => string,
): string {
  const values = paramValues(options, dialect);
  if (values === null) return options.sql;
  const ordered = [...values.values()];
  let next = 0;
  let before = '';
  const pieces = sqlPieces(options.sql).map((piece) => {
    const text = piece.isCode
      ? // `::type` is a cast; only names that are parameters are replaced, so that `list[1:n]` stays a slice.
        piece.text.replace(
          /(?<!:):([A-Za-z_][A-Za-z0-9_]*)(?:\$([a-z]+))?|\?/g,
          (whole, name: string | undefined, metadata: string | undefined, at: number) => {
            if (name === undefined) {
              const value = ordered[next++];
              return value === undefined ? whole : write(value.literal, null);
            }
            const value = values.get(name);
            if (value === undefined) return whole;
            const place = before + piece.text.slice(0, at);
            return placed(value, metadata, place, write);
          },
        )
      : piece.text;
    before += piece.isCode ? piece.text : ' ';
    return text;
  });
  if (next > ordered.length) {
    throw usage(
      `the query has ${next} places marked ?, but ${ordered.length} parameters`,
      '--param NAME=VALUE for each',
    );
  }
  return pieces.join('');
}

/** What stands where a parameter stood. `before` is the code in front of it. */
function placed(
  value: ParamValue,
  metadata: string | undefined,
  before: string,
  write: (literal: string, name: string | null) => string,
): string {
  const { declaration, literal, text } = value;
  if (declaration.type === 'identifier') {
    if (metadata === undefined) return literal;
    if ((metadataTables as readonly string[]).includes(metadata))
      return quoteName(`${text}$${metadata}`);
    throw usage(
      `:${declaration.name}$${metadata} is no metadata table that is known here`,
      `there are: ${metadataTables.join(', ')}`,
    );
  }
  const rest = metadata === undefined ? '' : `$${metadata}`;
  if (isTravel(before)) return travelLiteral(literal) + rest;
  return write(literal, declaration.name) + rest;
}

/** Whether what comes next is the instant or the version of a time travel, which must be a constant in the text. */
export function isTravel(before: string): boolean {
  return /\bFOR\s+(TIMESTAMP|VERSION)\s+AS\s+OF\s+$/i.test(before);
}

/** The constant of a time travel: an instant with its zone, since a plain one would be in the session's; a bare number. */
function travelLiteral(literal: string): string {
  return literal.replace(/^(TIMESTAMP '.*)'$/, "$1 UTC'").replace(/^BIGINT '(\d+)'$/, '$1');
}

function paramValues(
  options: ParamOptions,
  dialect: Dialect,
): ReadonlyMap<string, ParamValue> | null {
  const { values } = options;
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
  if (declared.length === 0) return null;
  return new Map(
    declared.map((declaration) => {
      const { name, type, defaultText } = declaration;
      const text = Object.hasOwn(values, name) ? values[name]! : defaultText;
      if (text === null) {
        throw usage(
          `parameter ${name} (${type}) has no value`,
          `--param ${name}=${exampleOf(type)}`,
        );
      }
      return [name, { declaration, text, literal: paramLiteral(declaration, text, dialect) }];
    }),
  );
}

function usage(what: string, next: string): TidelakeError {
  return new TidelakeError({ code: 'USAGE', what, meaning: 'the query was not run', next });
}
