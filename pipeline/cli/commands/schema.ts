// `tidelake schema` and `tidelake schema set`: the columns of a lake table, and giving one another type.
// Promises to show where each column comes from and how many values did not fit it.
// Spec: DESIGN "Scan and type", "The command".

import { z } from 'zod';
import { formatCount, formatSeconds } from '../../reporting/human-numbers.js';
import { plainText } from '../../reporting/plain-text.js';
import { tableLines } from '../../reporting/table.js';
import type { SchemaChangeReport, SchemaRow } from '../../reports.js';
import { checkInput } from '../check-input.js';
import type { CliContext } from '../context.js';
import type { GlobalFlags } from '../flags.js';
import { inSession } from '../session.js';

export async function schemaShow(this: CliContext, flags: GlobalFlags): Promise<void> {
  await inSession(this, flags, { command: 'schema' }, async (session) => {
    const api = await session.api();
    const rows = await api.schema(session.world, session.target);
    if (session.json) {
      for (const row of rows) await session.print(row, []);
      return 0;
    }
    for await (const line of tableLines(schemaColumns, rows.map(schemaCells), this.out.columns)) {
      await session.write(`${line}\n`);
    }
    return 0;
  });
}

const schemaSetSchema = z.object({
  column: z.string().regex(/^[a-z0-9_]{1,128}$/, 'a column name is expected: a-z, 0-9 and _'),
  type: z
    .string()
    .regex(
      /^[a-z][a-z0-9_]*( ?\( ?\d+( ?, ?\d+)? ?\))?$/i,
      'a type such as decimal(38,6) is expected',
    ),
});

export async function schemaSet(
  this: CliContext,
  flags: GlobalFlags,
  column: string,
  type: string,
): Promise<void> {
  const input = checkInput(schemaSetSchema, { column, type }, 'schema set');
  await inSession(this, flags, { command: 'schema set' }, async (session) => {
    const api = await session.api();
    const report = await api.setColumnType(session.world, { ...session.target, ...input });
    await session.print(report, changeLines(report));
    return 0;
  });
}

const schemaColumns = [
  { name: 'column', align: 'left' },
  { name: 'type', align: 'left' },
  { name: 'attribute', align: 'left' },
  { name: 'DynamoDB', align: 'left' },
  { name: 'present', align: 'right' },
  { name: 'misfits', align: 'right' },
] as const;

function schemaCells(row: SchemaRow): string[] {
  return [
    row.key ? `${row.column} (key)` : row.column,
    row.type,
    row.attribute ?? '',
    row.dynamodbTypes.join(' '),
    row.present === null ? '' : formatCount(row.present),
    row.misfits === null ? '' : formatCount(row.misfits),
  ];
}

function changeLines(report: SchemaChangeReport): string[] {
  if (report.action === 'nothing') {
    return [
      `${report.table}.${report.column}: nothing to do: ${plainText(report.reason ?? 'it has that type')}`,
    ];
  }
  const misfits =
    report.misfits === null
      ? ''
      : `, ${formatCount(report.misfits)} values do not fit and stay exact in _misfits`;
  return [
    `${report.table}.${report.column} is ${report.type} now${misfits}, in ${formatSeconds(report.seconds)}`,
  ];
}
