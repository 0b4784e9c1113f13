// `tidelake queries list`, `show NAME` and `push`: the saved queries that come with Tidelake.
// Promises: a push changes only what Tidelake pushed before. Spec: queries/README.md.

import { z } from 'zod';
import { readSavedQueries, readSavedQuery } from '../../query/saved-queries.js';
import { formatNumberOf } from '../../reporting/human-numbers.js';
import { tableLines } from '../../reporting/table.js';
import type { PushRow, SavedQueryRow } from '../../reports.js';
import { checkInput } from '../check-input.js';
import type { CliContext } from '../context.js';
import type { GlobalFlags } from '../flags.js';
import { queriesUri } from '../package-root.js';
import { inSession } from '../session.js';
import { paramSchema, workgroupSchema } from './query.js';

const folders = [
  { uri: queriesUri('saved'), kind: 'saved' },
  { uri: queriesUri('views'), kind: 'view' },
  { uri: queriesUri('checks'), kind: 'check' },
] as const;
type Kind = (typeof folders)[number]['kind'];

export async function queriesList(this: CliContext, flags: GlobalFlags): Promise<void> {
  await inSession(this, flags, { command: 'queries list' }, async (session) => {
    const rows: SavedQueryRow[] = [];
    for (const { uri, kind } of folders) {
      for (const query of await readSavedQueries(session.world.store, uri)) {
        rows.push({
          kind: kindName(kind),
          name: query.name,
          topic: query.topic,
          title: query.title,
          question: query.question,
          params: query.params.map(
            ({ name, type, defaultText }) =>
              `${name} ${type}${defaultText === null ? '' : ` = ${defaultText}`}`,
          ),
          tables: query.tables,
          cost: query.cost,
        });
      }
    }
    if (session.json) {
      for (const row of rows) await session.print(row, []);
      return 0;
    }
    const cells = rows.map((row) => [row.name, row.kind, row.topic, row.question]);
    for await (const line of tableLines(listColumns, cells, this.out.columns)) {
      await session.write(`${line}\n`);
    }
    return 0;
  });
}

const listColumns = [
  { name: 'name', align: 'left' },
  { name: 'kind', align: 'left' },
  { name: 'topic', align: 'left' },
  { name: 'question', align: 'left' },
] as const;

function kindName(kind: Kind): SavedQueryRow['kind'] {
  return kind === 'saved' ? 'query' : kind;
}

export interface QueriesShowFlags extends GlobalFlags {
  readonly engine?: 'duckdb' | 'athena' | undefined;
}

export async function queriesShow(
  this: CliContext,
  flags: QueriesShowFlags,
  name: string,
): Promise<void> {
  await inSession(this, flags, { command: 'queries show' }, async (session) => {
    const { store } = session.world;
    const uris = folders.map(({ uri }) => uri);
    const query = await readSavedQuery(store, uris, name.trim());
    const isDuckdb = flags.engine === 'duckdb';
    const sql = isDuckdb ? (query.duckdbSql ?? query.sql) : query.sql;
    await session.print({ name: query.name, topic: query.topic, sql }, sql.trimEnd().split('\n'));
    return 0;
  });
}

export interface QueriesPushFlags extends GlobalFlags {
  readonly workgroup: string;
  readonly param?: readonly string[] | undefined;
  readonly dryRun?: boolean | undefined;
  readonly prune?: boolean | undefined;
}

const pushSchema = z.object({
  workgroup: workgroupSchema,
  param: paramSchema.optional(),
  dryRun: z.boolean().optional(),
  prune: z.boolean().optional(),
});

export async function queriesPush(this: CliContext, flags: QueriesPushFlags): Promise<void> {
  const input = checkInput(pushSchema, flags, 'queries push');
  await inSession(this, flags, { command: 'queries push' }, async (session) => {
    const { shelf } = await this.openAthena({ workgroup: input.workgroup, aws: session.aws });
    const api = await session.api();
    const isDryRun = input.dryRun === true;
    const rows = await api.pushQueries(session.world, shelf, {
      ...session.target,
      folders,
      params: Object.fromEntries(input.param ?? []),
      dryRun: isDryRun,
      prune: input.prune === true,
    });
    if (session.json) {
      for (const row of rows) await session.print(row, []);
      return 0;
    }
    await session.print(null, pushLines(rows, input.workgroup, isDryRun));
    return 0;
  });
}

function pushLines(rows: readonly PushRow[], workgroup: string, isDryRun: boolean): string[] {
  const lines = rows
    .filter((row) => row.action !== 'keep')
    .map((row) => {
      const kind = row.kind === 'query' ? 'saved query' : 'prepared statement';
      return `${row.action.padEnd(6)}  ${kind} ${row.name}${row.reason === null ? '' : `: ${row.reason}`}`;
    });
  const changed = rows.filter(({ action }) => /^(create|update|remove)$/.test(action)).length;
  const kept = rows.filter(({ action }) => action === 'keep').length;
  const done = isDryRun ? 'to change' : 'changed';
  return [
    ...lines,
    `workgroup ${workgroup}: ${formatNumberOf(changed, 'item')} ${done}, ${kept} as they should be`,
  ];
}
