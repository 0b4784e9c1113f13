// `status`: how fresh and how large each lake table is, and whether it can be trusted.
// Promises: a table that cannot be read is a row that says so, never the end of the answer.
// Spec: DESIGN.md, "The command" (status) and "The table".

import { TidelakeError } from '../../schemas/errors.js';
import type { ManifestEntry, TableMetadata } from '../../schemas/iceberg.js';
import { hasColumnMap, readColumns } from '../../transforms/column-map.js';
import { type LiveFiles, liveFiles } from '../lake/iceberg/live-files.js';
import { currentSnapshot } from '../lake/iceberg/metadata.js';
import { totalsOf } from '../lake/iceberg/snapshot-summary.js';
import { formatInstant } from '../lake/lake-state.js';
import { openCatalog } from '../lake/open-catalog.js';
import { mainLine, type OpenTable } from '../lake/open-table.js';
import { countRows } from '../lake/position-deletes.js';
import { checkWriter } from '../lake/watermark.js';
import { ObjectNotFoundError, type World } from '../ports.js';
import { schemaOf, viewFiles } from '../query/table-files.js';
import { tableSelect } from '../query/views.js';
import type { StatusRow, Target } from '../reports.js';
import { openNamed, rowsOf, targetTables, withEngine } from './inspected-table.js';
import { wantedRetypes } from './wanted-retypes.js';

/** One row per table of the database, or of the one named. Throws REFUSED_NO_TABLE for a named one that is not there. */
export async function status(world: World, target: Target): Promise<readonly StatusRow[]> {
  const rows: StatusRow[] = [];
  for (const name of await targetTables(world, target)) {
    rows.push(await statusOf(world, target, name));
  }
  return rows;
}

async function statusOf(world: World, target: Target, name: string): Promise<StatusRow> {
  const catalog = await openCatalog(world, target);
  const location = catalog.tableLocation(target.database, name);
  let row = unreadable(target.database, name, location);
  try {
    const table = await openNamed(world, target, name);
    row = { ...row, ...stateOf(world, table), health: 'ok', problem: null };
    const live = await liveFiles(world.store, table.md, currentSnapshot(table.md), table.location);
    const metadataBytes = await world.store.size(table.entry.metadataUri);
    row = {
      ...row,
      ...sizesOf(live),
      metadataBytes,
      rows: await countRows(world.store, table, live),
    };
    await checkWriter(world.store, table);
    return { ...row, ...(await misfitsOf(world, table, live)) };
  } catch (error) {
    return { ...row, health: 'refused', problem: problemOf(error) };
  }
}

/** What is wrong with a table, in one line. Rethrows what is no fault of the table. */
function problemOf(error: unknown): string {
  if (error instanceof ObjectNotFoundError) return `a file of the table is missing: ${error.uri}`;
  if (error instanceof TidelakeError) return `${error.code}  ${error.what}`;
  throw error;
}

function unreadable(database: string, table: string, location: string): StatusRow {
  return {
    database,
    table,
    tableId: null,
    tableArn: null,
    epoch: null,
    watermark: null,
    ageSeconds: null,
    snapshotId: null,
    snapshotTime: null,
    rows: null,
    dataFiles: null,
    deleteFiles: null,
    bytes: null,
    misfits: null,
    retypes: [],
    snapshots: null,
    manifests: null,
    metadataBytes: null,
    oldest: null,
    gaps: [],
    adopted: [],
    location,
    health: 'refused',
    problem: null,
  };
}

function stateOf(world: World, table: OpenTable): Partial<StatusRow> {
  const { md, state } = table;
  const snapshot = currentSnapshot(md);
  return {
    tableId: state.tableId,
    tableArn: state.tableArn,
    epoch: state.epoch,
    watermark: formatInstant(state.watermarkMs),
    ageSeconds: Math.floor((world.clock.nowMs() - state.watermarkMs) / 1000),
    snapshotId: snapshot === null ? null : String(snapshot['snapshot-id']),
    snapshotTime: snapshot === null ? null : formatInstant(snapshot['timestamp-ms']),
    snapshots: md.snapshots.length,
    oldest: oldestOf(md),
    gaps: state.gaps.map((gap) => ({
      from: formatInstant(gap.fromMs),
      to: formatInstant(gap.toMs),
      kind: gap.kind,
    })),
    adopted: state.adopted.map((one) => ({
      snapshotId: String(one.snapshotId),
      watermark: formatInstant(one.watermarkMs),
      at: formatInstant(one.atMs),
    })),
    location: table.location,
  };
}

function oldestOf(md: TableMetadata): string | null {
  const oldest = mainLine(md).find((one) => one.watermarkMs !== null)?.watermarkMs ?? null;
  return oldest === null ? null : formatInstant(oldest);
}

function sizesOf(live: LiveFiles): Partial<StatusRow> {
  const totals = totalsOf([...live.data, ...live.positionDeletes]);
  return {
    dataFiles: Number(totals.dataFiles),
    deleteFiles: Number(totals.deleteFiles),
    bytes: Number(totals.bytes),
    manifests: live.manifests.length,
  };
}

/**
 * Values that stand in `_misfits` because they fit no column, and what would fit another type of its column. Only files that may have some are read, and of them only
 * that column.
 */
async function misfitsOf(
  world: World,
  table: OpenTable,
  live: LiveFiles,
): Promise<Pick<StatusRow, 'misfits' | 'retypes'>> {
  const none = { misfits: 0, retypes: [] };
  const schema = schemaOf(table.md, currentSnapshot(table.md));
  const column = schema.fields.find((field) => field.name === '_misfits');
  if (column === undefined) return none;
  const data = live.data.filter((entry) => mayHaveValues(entry, column.id));
  if (data.length === 0) return none;
  const narrow = { ...schema, fields: [column] };
  const files = await viewFiles(world, table, narrow, { ...live, data });
  const select = tableSelect({ schema: narrow, files });
  const columns = hasColumnMap(table.md) ? readColumns(table.md, schema['schema-id']) : null;
  return withEngine(world, async (engine) => {
    const count = `SELECT coalesce(sum(cardinality(_misfits)), 0)::BIGINT FROM (${select})`;
    const [row] = await rowsOf(engine, count);
    const misfits = Number(row![0]);
    if (misfits === 0 || columns === null) return { misfits, retypes: [] };
    return { misfits, retypes: await wantedRetypes(engine, select, columns) };
  });
}

/** Whether a file may have values in a column, as far as its manifest knows. */
function mayHaveValues({ file }: ManifestEntry, id: number): boolean {
  const nulls = file.nullValueCounts.get(id);
  return file.recordCount > 0n && (nulls === undefined || nulls < file.recordCount);
}
