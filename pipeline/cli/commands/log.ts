// `tidelake log`: the snapshots of a lake table and the windows they came from, oldest first.
// Promises one row per snapshot that the table still has.
// Spec: DESIGN "The command".

import { formatCount, formatInstant } from '../../reporting/human-numbers.js';
import { tableLines } from '../../reporting/table.js';
import type { LogRow } from '../../reports.js';
import type { CliContext } from '../context.js';
import type { GlobalFlags } from '../flags.js';
import { inSession } from '../session.js';

export async function log(this: CliContext, flags: GlobalFlags): Promise<void> {
  await inSession(this, flags, { command: 'log' }, async (session) => {
    const api = await session.api();
    const rows = await api.log(session.world, session.target);
    if (session.json) {
      for (const row of rows) await session.print(row, []);
      return 0;
    }
    for await (const line of tableLines(logColumns, rows.map(logCells), this.out.columns)) {
      await session.write(`${line}\n`);
    }
    return 0;
  });
}

const logColumns = [
  { name: 'kind', align: 'left' },
  { name: 'from', align: 'left' },
  { name: 'to', align: 'left' },
  { name: 'inserted', align: 'right' },
  { name: 'updated', align: 'right' },
  { name: 'deleted', align: 'right' },
  { name: 'rows', align: 'right' },
  { name: 'files', align: 'right' },
  { name: 'epoch', align: 'right' },
  { name: 'snapshot', align: 'right' },
] as const;

function logCells(row: LogRow): string[] {
  return [
    `${row.kind ?? row.operation}${row.adopted === null ? '' : ', adopted'}`,
    row.from === null ? '' : formatInstant(row.from),
    shownEnd(row),
    count(row.inserted),
    count(row.updated),
    count(row.deleted),
    count(row.rows),
    count(row.dataFiles),
    count(row.epoch),
    row.snapshotId,
  ];
}

/** The end of a window, or the instant that an adopted snapshot was declared to stand for. */
function shownEnd({ to, adopted }: LogRow): string {
  const end = adopted ?? to;
  return end === null ? '' : formatInstant(end);
}

function count(value: number | null): string {
  return value === null ? '' : formatCount(value);
}
