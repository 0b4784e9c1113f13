// A column gets another type by a person's word: every file is rewritten, its values scanned into the new column.

import type { ColumnType, NumberType, TableColumns } from '../../schemas/columns.js';
import { TidelakeError } from '../../schemas/errors.js';
import { sameType } from '../../transforms/adapt-rows.js';
import {
  columnsProperty,
  nextColumnMap,
  readColumns,
  toIcebergSchema,
} from '../../transforms/column-map.js';
import { numberTypes, numberTypeText } from '../../transforms/decimals.js';
import { assignColumns } from '../../transforms/table-columns.js';
import { asLostRace, CommitAttempts } from '../lake/commit-attempts.js';
import { commitTable } from '../lake/commit-table.js';
import { misfitRowsOf } from '../lake/data-file-writer.js';
import { removeFiles } from '../lake/file-removal.js';
import { specById } from '../lake/iceberg/metadata.js';
import type { AddedFile } from '../lake/iceberg/snapshot-builder.js';
import { formatInstant, writeLakeState } from '../lake/lake-state.js';
import { oneTable } from '../lake/one-table.js';
import { openCatalog } from '../lake/open-catalog.js';
import { type OpenTable, openTable } from '../lake/open-table.js';
import { checkWriter } from '../lake/watermark.js';
import type { Catalog, World } from '../ports.js';
import type { SchemaChangeReport, Target } from '../reports.js';
import { groupRowsMax } from '../units/row-groups.js';
import { commitOrCarryOver } from './commit-or-carry-over.js';
import { readLiveTable } from './merge-plan.js';
import { writePartition } from './write-merge.js';

export interface SchemaChangeOptions extends Target {
  /** The column's name in the lake. */
  readonly column: string;
  /** long, decimal(18|38, s), string, binary, boolean, or json (DynamoDB JSON text). */
  readonly type: string;
}

/** Retypes one top-level column that is not of the key. What does not fit is kept in `_misfits`. When others commit
 *  meanwhile, it looks again: a window that came in, or the type itself, given by another run. */
export async function setColumnType(
  world: World,
  options: SchemaChangeOptions,
): Promise<SchemaChangeReport> {
  const startMs = world.clock.nowMs();
  const catalog = await openCatalog(world, options);
  const table = await oneTable(catalog, options);
  const { database } = options;
  const attempts = new CommitAttempts(world, table);
  for (;;) {
    const open = (await openTable({ store: world.store, catalog, database, table }))!;
    try {
      return await attempt(world, catalog, open, options, attempts, startMs);
    } catch (error) {
      await attempts.again(await asLostRace(error, catalog, open, attempts));
    }
  }
}

async function attempt(
  world: World,
  catalog: Catalog,
  open: OpenTable,
  options: SchemaChangeOptions,
  attempts: CommitAttempts,
  startMs: number,
): Promise<SchemaChangeReport> {
  const { database, table } = open;
  await checkWriter(world.store, open);
  const before = readColumns(open.md, open.md['current-schema-id']);
  const index = before.columns.findIndex((field) => field.name === options.column);
  if (index < before.key.length)
    throw usage(index < 0 ? 'there is no such column' : 'a key column keeps its type');
  const type = parseType(options.type);
  const field = before.columns[index]!;
  const report = (
    action: 'retyped' | 'nothing',
    snapshotId: bigint,
    misfits: number,
  ): SchemaChangeReport => ({
    action,
    reason: action === 'nothing' ? 'the column has this type' : null,
    database,
    table,
    column: options.column,
    type: options.type,
    snapshotId: String(snapshotId),
    misfits,
    seconds: (world.clock.nowMs() - startMs) / 1000,
  });
  if (sameType(field.type, type)) return report('nothing', open.md['current-snapshot-id'] ?? 0n, 0);
  const types = before.columns.map((one, i) =>
    i === index ? { attribute: one.attribute, type } : one,
  );
  const columns: TableColumns = assignColumns(types, before.key, () => undefined, before);
  const { snapshotId, misfitRows } = await rewrite(world, catalog, open, before, columns, attempts);
  return report('retyped', snapshotId, misfitRows);
}

async function rewrite(
  world: World,
  catalog: Catalog,
  open: OpenTable,
  before: TableColumns,
  columns: TableColumns,
  attempts: CommitAttempts,
): Promise<{ readonly snapshotId: bigint; readonly misfitRows: number }> {
  const written: string[] = [];
  const added: AddedFile[] = [];
  const removed = new Set<string>();
  try {
    const { location } = open.md;
    const { partitions, rows, deleteTargets } = await readLiveTable(world, open);
    for (const live of partitions) {
      const { specId, values } = live;
      const spec = specById(open.md, specId);
      const result = await writePartition(
        world,
        { location, before, table: columns, spec, specId, groupRowsMax, written },
        { values, live, changes: new Map(), whole: true, table: columns, removeOnly: false },
        { inserted: 0, updated: 0, deleted: 0 },
      );
      added.push(...result.added);
      for (const path of result.removed) removed.add(path);
    }
    for (const path of deleteTargets.keys()) removed.add(path);
    const snapshotId = world.ids.snapshotId();
    const all: TableColumns = {
      ...columns,
      extents: new Map([...before.extents, ...columns.extents]),
    };
    const replaced = { removed, isWhole: true };
    await commitOrCarryOver(world, catalog, open, attempts, replaced, async (base) => {
      const state = {
        ...base.state,
        columns: nextColumnMap(all, base.md),
        watermarkSnapshot: snapshotId,
      };
      await commitTable(world, catalog, {
        database: base.database,
        table: base.table,
        location,
        open: base,
        snapshotId,
        snapshotTimestampMs: state.watermarkMs,
        added,
        removed,
        rows,
        misfitRows: misfitRowsOf(added, columns),
        schema: toIcebergSchema(columns, 0),
        properties: { ...writeLakeState(state), [columnsProperty]: state.columns },
        summary: {
          'tidelake.kind': 'retype',
          'tidelake.epoch': String(state.epoch),
          'tidelake.table-id': state.tableId,
          'tidelake.to': formatInstant(state.watermarkMs),
          'tidelake.inserted': '0',
          'tidelake.updated': '0',
          'tidelake.deleted': '0',
        },
        operation: 'replace',
      });
    });
    return { snapshotId, misfitRows: misfitRowsOf(added, columns) };
  } catch (error) {
    if (!(error instanceof TidelakeError) || error.code !== 'COMMIT_UNKNOWN') {
      await removeFiles(world.store, written);
    }
    throw error;
  }
}

function parseType(text: string): ColumnType {
  const wanted = text.toLowerCase().replace(/\s/g, '');
  const number = numberTypes.find(
    (type: NumberType) => numberTypeText(type).replace(/\s/g, '') === wanted,
  );
  if (number !== undefined) return { kind: 'N', number };
  if (wanted === 'string') return { kind: 'S' };
  if (wanted === 'binary') return { kind: 'B' };
  if (wanted === 'boolean') return { kind: 'BOOL' };
  if (wanted === 'json') return { kind: 'JSON' };
  throw usage('that is no type a column can be set to');
}

function usage(what: string): TidelakeError {
  const decimals = numberTypes.filter((type) => type.type === 'decimal').map(numberTypeText);
  return new TidelakeError({
    code: 'USAGE',
    what,
    meaning: 'nothing was written',
    next: `tidelake schema set COLUMN TYPE, where TYPE is long, ${decimals.join(', ')}, string, binary, boolean or json`,
  });
}
