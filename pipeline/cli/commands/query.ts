// `tidelake query`: rows of an answer, as a table, JSON lines or CSV.
// Promises bounded memory for any number of rows, and to stop when the reader goes away.
// Spec: DESIGN "The command"; RFC 4180 for CSV.

import { z } from 'zod';
import type { QueryResult } from '../../ports.js';
import { csvHeader, csvRow } from '../../reporting/csv.js';
import { distinctNames, jsonLine, jsonRow } from '../../reporting/json-lines.js';
import { tableLines } from '../../reporting/table.js';
import type { QueryOptions } from '../api.js';
import { asOfSchema, checkInput } from '../check-input.js';
import type { CliContext } from '../context.js';
import type { GlobalFlags } from '../flags.js';
import { queriesUri } from '../package-root.js';
import { inSession, type Session } from '../session.js';

export interface QueryFlags extends GlobalFlags {
  readonly param?: readonly string[] | undefined;
  readonly asOf?: string | undefined;
  readonly format?: 'table' | 'json' | 'csv' | undefined;
  readonly engine?: 'duckdb' | 'athena' | undefined;
  readonly workgroup?: string | undefined;
  readonly output?: string | undefined;
}

export const paramSchema: z.ZodType<readonly (readonly [string, string])[]> = z
  .array(z.string())
  .refine((params) => params.every((param) => /^[A-Za-z_]\w*=/.test(param)), {
    message: 'name=value is expected',
  })
  .transform((params) =>
    params.map(
      (param) => [param.slice(0, param.indexOf('=')), param.slice(param.indexOf('=') + 1)] as const,
    ),
  )
  .refine((params) => new Set(params.map(([name]) => name)).size === params.length, {
    message: 'the same parameter is given twice',
  });

/** A workgroup's name (Athena API Reference, WorkGroup). */
export const workgroupSchema: z.ZodType<string> = z
  .string()
  .regex(/^[a-zA-Z0-9._-]{1,128}$/, 'letters, digits, . _ - are allowed, at most 128 of them');

const querySchema = z
  .object({
    sql: z.string().regex(/\S/, 'the query is empty'),
    param: paramSchema.optional(),
    asOf: asOfSchema.optional(),
    json: z.boolean().optional(),
    format: z.enum(['table', 'json', 'csv']).optional(),
    engine: z.enum(['duckdb', 'athena']).optional(),
    workgroup: workgroupSchema.optional(),
    output: z
      .string()
      .regex(/^s3:\/\/[^/]+(\/.*)?$/, 's3://bucket/prefix/ is expected')
      .optional(),
  })
  .refine((input) => input.engine === 'athena' || input.workgroup === undefined, {
    path: ['workgroup'],
    message: 'it goes with --engine athena',
  })
  .refine((input) => input.engine === 'athena' || input.output === undefined, {
    path: ['output'],
    message: 'it goes with --engine athena',
  })
  .refine((input) => input.engine !== 'athena' || input.workgroup !== undefined, {
    path: ['workgroup'],
    message: 'it is needed with --engine athena',
  })
  .refine((input) => input.json !== true || input.format === undefined || input.format === 'json', {
    path: ['format'],
    message: '--json and another format exclude each other',
  });

export async function query(this: CliContext, flags: QueryFlags, sql: string): Promise<void> {
  const input = checkInput(querySchema, { ...flags, sql }, 'query');
  await inSession(this, flags, { command: 'query' }, async (session) => {
    const options: QueryOptions = {
      ...session.target,
      sql: input.sql,
      params: Object.fromEntries(input.param ?? []),
      queryFolders: [queriesUri('saved'), queriesUri('checks')],
      viewFolders: [queriesUri('views')],
      ...(input.asOf === undefined ? {} : { asOf: input.asOf }),
    };
    const { workgroup, output } = input;
    const result =
      workgroup === undefined
        ? await (await session.api()).query(session.world, options)
        : await inAthena(session, options, { workgroup, output });
    const format = input.json === true ? 'json' : (input.format ?? 'table');
    for await (const text of answerText(result, format, session.context.out.columns)) {
      await session.write(text);
      if (session.context.out.isClosed) break;
    }
    return 0;
  });
}

/** Asks in Athena; an interrupt stops the query there too. */
async function inAthena(
  session: Session,
  options: QueryOptions,
  athena: { readonly workgroup: string; readonly output: string | undefined },
): Promise<QueryResult> {
  const { sql } = await session.context.openAthena({ ...athena, aws: session.aws });
  const forget = session.context.onInterrupt(() => sql.stop());
  try {
    return await (await session.api()).queryAthena(session.world, sql, options);
  } finally {
    forget();
  }
}

/** How much text is put together before it is written, in characters: a write per row would be slow. */
const piece = 64 * 1024;

/** An answer as text in pieces of bounded size. */
export async function* answerText(
  result: QueryResult,
  format: 'table' | 'json' | 'csv',
  columns: number | null,
): AsyncGenerator<string, void, undefined> {
  let text = '';
  for await (const line of answerLines(result, format, columns)) {
    text += line;
    if (text.length < piece) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}

async function* answerLines(
  result: QueryResult,
  format: 'table' | 'json' | 'csv',
  columns: number | null,
): AsyncGenerator<string, void, undefined> {
  const names = result.columns.map((column) => column.name);
  if (format === 'json') {
    const distinct = distinctNames(names);
    for await (const row of result.rows) yield `${jsonRow(distinct, row)}\n`;
    return;
  }
  if (format === 'csv') {
    const isText = result.columns.map((column) => !isPlainType(column.type));
    yield csvHeader(names);
    for await (const row of result.rows) yield csvRow(row, isText);
    return;
  }
  const layout = result.columns.map((column) => ({
    name: column.name,
    align: isNumberType(column.type) ? ('right' as const) : ('left' as const),
  }));
  for await (const line of tableLines(layout, tableCells(result.rows), columns)) yield `${line}\n`;
}

async function* tableCells(
  rows: QueryResult['rows'],
): AsyncGenerator<readonly string[], void, undefined> {
  for await (const row of rows) yield row.map(cellText);
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  return typeof value === 'object' ? jsonLine(value) : String(value);
}

function isNumberType(type: string): boolean {
  return /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INT(EGER)?|DECIMAL|NUMERIC|DOUBLE|FLOAT|REAL|BIGNUM|LONG)\b[^[]*$/i.test(
    type,
  );
}

/** Types whose text a stranger cannot choose. */
function isPlainType(type: string): boolean {
  return isNumberType(type) || /^(BOOLEAN|DATE|TIME|TIMESTAMP|INTERVAL|UUID)\b[^[]*$/i.test(type);
}
