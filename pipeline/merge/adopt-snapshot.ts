// A person declares that another program's snapshot stands for an instant: the table may be merged into again.
// Promises: only the current snapshot, and only when merges upon it can be exact: every row has a key of its own, every
// column of ours is as it was, no column of others holds a value (a merge would lose it in the rows it rewrites). The word
// is kept in the table. A table that was rolled back goes on from the older snapshot's own window, which is proved; for
// anything else the recorded watermark stands, on that person's word.
// Spec: DESIGN.md, "The table" (another writer changed rows).

import { refuse, type TidelakeError } from '../../schemas/errors.js';
import type { Snapshot } from '../../schemas/iceberg.js';
import { mappedIds, readColumns } from '../../transforms/column-map.js';
import { foreignFields, lostColumns } from '../../transforms/foreign-columns.js';
import { rowsOf, withEngine } from '../inspect/inspected-table.js';
import { asLostRace, CommitAttempts } from '../lake/commit-attempts.js';
import { commitProperties } from '../lake/commit-table.js';
import { liveFiles } from '../lake/iceberg/live-files.js';
import { currentSchema, currentSnapshot } from '../lake/iceberg/metadata.js';
import { locate } from '../lake/iceberg/paths.js';
import { formatInstant, type LakeState, parseInstant, writeLakeState } from '../lake/lake-state.js';
import { type OpenTable, openTable } from '../lake/open-table.js';
import { readFooter } from '../lake/parquet/footer.js';
import { countRows } from '../lake/position-deletes.js';
import { lineageOf, PastMetadata, watermarkProblem } from '../lake/watermark.js';
import type { Catalog, World } from '../ports.js';
import { quoteName } from '../query/sql-text.js';
import { snapshotSelect } from '../query/table-files.js';

/** Records that the rows of snapshot `id` stand for the watermark. Nothing to do when it was adopted before, or when the
 *  watermark is not in doubt. Returns the table as it is then. Throws REFUSED_FOREIGN_WRITER when it may not be adopted. */
export async function adoptSnapshot(
  world: World,
  catalog: Catalog,
  start: OpenTable,
  id: bigint,
): Promise<OpenTable> {
  const { store } = world;
  const { database, table } = start;
  const attempts = new CommitAttempts(world, table);
  for (let open = start; ; ) {
    if (open.md['current-snapshot-id'] !== id) {
      // Adopted before, and built upon since.
      if (open.state.adopted.some((one) => one.snapshotId === id)) return open;
      throw notCurrent(open, id);
    }
    if ((await watermarkProblem(store, open)) === null) {
      world.reporter.note(`${table}: its watermark is not in doubt, so there is nothing to adopt`);
      return open;
    }
    attempts.begin();
    try {
      await adopt(world, catalog, open);
    } catch (error) {
      await attempts.again(await asLostRace(error, catalog, open, attempts));
    }
    open = (await openTable({ store, catalog, database, table })) ?? open;
  }
}

async function adopt(world: World, catalog: Catalog, open: OpenTable): Promise<void> {
  const { store } = world;
  const { md, state } = open;
  const snapshot = currentSnapshot(md)!;
  const past = new PastMetadata(store, open);
  const { base } = await lineageOf(open, past);
  const watermarkMs = base === null ? state.watermarkMs : instantOf(open, base);
  await checkColumns(open, past, [snapshot, base]);
  const live = await liveFiles(store, md, snapshot, open.location);
  await checkForeignValues(world, open, live);
  const rows = await countRows(store, open, live);
  await checkKeys(world, open, rows);
  const next: LakeState = {
    ...state,
    watermarkMs,
    watermarkSnapshot: snapshot['snapshot-id'],
    facts: {
      sequenceNumber: snapshot['sequence-number'],
      schemaId: md['current-schema-id'],
      rows,
      misfitRows: null,
    },
    // A gap beyond the instant is a gap no longer: its time comes again.
    gaps: state.gaps.filter((gap) => gap.fromMs < watermarkMs),
    adopted: [
      ...state.adopted,
      { snapshotId: snapshot['snapshot-id'], watermarkMs, atMs: world.clock.nowMs() },
    ],
  };
  await commitProperties(world, catalog, open, writeLakeState(next));
  world.reporter.note(
    `${open.table}: snapshot ${snapshot['snapshot-id']} is adopted as the table at ${formatInstant(watermarkMs)}; status shows it until the next load`,
  );
}

/** The instant that an older snapshot of Tidelake's stands for. */
function instantOf(open: OpenTable, base: Snapshot): number {
  const { summary } = base;
  const instant = parseInstant(summary['tidelake.to'] ?? '');
  const isOfEpoch =
    summary['tidelake.epoch'] === String(open.state.epoch) &&
    summary['tidelake.table-id'] === open.state.tableId;
  if (instant !== null && isOfEpoch) return instant;
  throw refused(
    open,
    `snapshot ${base['snapshot-id']}, to which the table was rolled back, is of another epoch`,
    'the windows since belong to another full export',
  );
}

/** Every column of ours that the watermark, or the snapshots to build upon, had must be there as it was. */
async function checkColumns(
  open: OpenTable,
  past: PastMetadata,
  snapshots: readonly (Snapshot | null)[],
): Promise<void> {
  const { md, state } = open;
  const set = await past.snapshot(state.watermarkSnapshot);
  const ids = [state.facts?.schemaId, ...[set, ...snapshots].map((one) => one?.['schema-id'])];
  for (const id of new Set(ids)) {
    const schema = id === undefined ? null : await past.schema(id);
    if (schema === null) continue;
    const lost = lostColumns(schema, currentSchema(md), mappedIds(md));
    if (lost.length === 0) continue;
    throw refused(
      open,
      `the columns ${lost.slice(0, 10).join(', ')} were dropped or have other types since`,
      'their values cannot be read as they were written',
    );
  }
}

/** Columns of others hold NULLs only, by the counts in the footers of all files. */
async function checkForeignValues(
  world: World,
  open: OpenTable,
  live: Awaited<ReturnType<typeof liveFiles>>,
): Promise<void> {
  const { md, location } = open;
  const foreign = foreignFields(currentSchema(md), mappedIds(md));
  const ids = new Set(foreign.map((field) => field.id));
  if (ids.size === 0) return;
  for (const { file } of live.data) {
    const uri = locate(md.location, location, file.path);
    const readRange = (start: number, end: number): Promise<Uint8Array> =>
      world.store.read(uri, { start, end });
    const footer = await readFooter(readRange, Number(file.fileSizeBytes), uri);
    footer.leaves.forEach((leaf, i) => {
      const holder = leaf.path.find((node) => node.fieldId !== null && ids.has(node.fieldId));
      if (holder === undefined) return;
      const isEmpty = footer.rowGroups.every(({ columns }) => {
        const { nullCount, valueCount } = columns[i]!;
        return nullCount === valueCount;
      });
      if (isEmpty) return;
      const name = foreign.find((field) => field.id === holder.fieldId)!.name;
      throw refused(
        open,
        `the column ${name}, which another program added, holds values`,
        'merges would lose them in the rows that they rewrite, and DynamoDB does not have them',
        `keep them in a table of their own and drop the column ${name}; then tidelake merge --adopt-snapshot again`,
      );
    });
  }
}

/** Every live row has a key, and no two have the same. */
async function checkKeys(world: World, open: OpenTable, rows: number): Promise<void> {
  const columns = readColumns(open.md, open.md['current-schema-id']);
  const keys = columns.columns.slice(0, columns.key.length);
  const select = await snapshotSelect(world, open, currentSnapshot(open.md));
  const names = keys.map((field) => quoteName(field.name)).join(', ');
  const isNull = keys.map((field) => `${quoteName(field.name)} IS NULL`).join(' OR ');
  const [counts] = await withEngine(world, (engine) =>
    rowsOf(
      engine,
      `SELECT count(*) FILTER (${isNull}), (SELECT count(*) FROM (SELECT DISTINCT ${names} FROM (${select}))) FROM (${select})`,
    ),
  );
  const [missing, distinct] = counts!.map(Number) as [number, number];
  if (missing === 0 && distinct === rows) return;
  const what =
    missing > 0
      ? `${missing} rows lack a key`
      : `${rows - distinct} rows repeat the key of another`;
  throw refused(open, what, 'changes cannot be placed by key');
}

function notCurrent(open: OpenTable, id: bigint): TidelakeError {
  const current = open.md['current-snapshot-id'];
  return refuse(
    'REFUSED_FOREIGN_WRITER',
    `${open.table}: only the current snapshot can be adopted, and that is ${current ?? 'none'}, not ${id}`,
    'nobody would build upon another one; nothing was changed',
    'tidelake log shows the snapshots; adopt the current one if you know what its rows stand for',
  );
}

function refused(
  open: OpenTable,
  what: string,
  meaning: string,
  next = 'tidelake load a new full export',
): TidelakeError {
  const id = open.md['current-snapshot-id'];
  return refuse(
    'REFUSED_FOREIGN_WRITER',
    `${open.table}: snapshot ${id} cannot be adopted: ${what}`,
    `${meaning}; nothing was changed`,
    next,
  );
}
