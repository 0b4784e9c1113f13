// Opening a lake table, and finding the snapshot that stands for a time.
// Promises: times are times of the data, not of the job: a snapshot counts by the end of the window it brought in.
// A table whose folder was moved opens where it lies now.
import { refuse } from '../../schemas/errors.js';
import type { Snapshot, TableMetadata } from '../../schemas/iceberg.js';
import type { Catalog, CatalogEntry, ObjectStore } from '../ports.js';
import { parseTableMetadata, snapshotById } from './iceberg/metadata.js';
import type { LakeState } from './lake-state.js';
import { formatInstant, parseInstant, readAdopted, readLakeState } from './lake-state.js';

/** A table as one reader or writer sees it: everything of one version. */
export interface OpenTable {
  readonly database: string;
  readonly table: string;
  readonly entry: CatalogEntry;
  readonly md: TableMetadata;
  /** Where the table's folder lies now; differs from `md.location` after a move. No slash at the end. */
  readonly location: string;
  readonly state: LakeState;
}

/** Opens a table, or null when the catalog has none of that name. Throws what reading metadata and state throw. */
export async function openTable(options: {
  readonly store: ObjectStore;
  readonly catalog: Catalog;
  readonly database: string;
  readonly table: string;
}): Promise<OpenTable | null> {
  const { store, catalog, database, table } = options;
  const entry = await catalog.current(database, table);
  if (entry === null) return null;
  const md = parseTableMetadata(await store.read(entry.metadataUri));
  return {
    database,
    table,
    entry,
    md,
    location: actualLocation(md, entry),
    state: readLakeState(md),
  };
}

/** A metadata file in `<location>/metadata/` says where the folder lies; one kept elsewhere says nothing. */
function actualLocation(md: TableMetadata, entry: CatalogEntry): string {
  const found = /^(.+)\/metadata\/[^/]+$/.exec(entry.metadataUri);
  return (found?.[1] ?? md.location).replace(/\/+$/, '');
}

/** A snapshot of the main line with the instant its rows stand for, exclusive; null when nobody can say. */
export interface DatedSnapshot {
  readonly snapshot: Snapshot;
  readonly watermarkMs: number | null;
}

/** The snapshots from the oldest that is left to the current one. A `replace` snapshot keeps the rows and so the
 *  instant of the one before; a snapshot of another writer has none, nor have those upon it, unless it was adopted. */
export function mainLine(md: TableMetadata): DatedSnapshot[] {
  const line: Snapshot[] = [];
  let snapshot = snapshotById(md, md['current-snapshot-id']);
  while (snapshot !== null && line.length < md.snapshots.length) {
    line.unshift(snapshot);
    snapshot = snapshotById(md, snapshot['parent-snapshot-id'] ?? null);
  }
  const { 'tidelake.watermark': watermark, 'tidelake.watermark-snapshot': setBy } = md.properties;
  const adopted = new Map(
    readAdopted(md.properties).map((one) => [one.snapshotId, one.watermarkMs]),
  );
  let instant: number | null = null;
  return line.map((one, i) => {
    const to = one.summary['tidelake.to'];
    const parent = one['parent-snapshot-id'];
    const declared = adopted.get(one['snapshot-id']);
    if (declared !== undefined) instant = declared;
    else if (to !== undefined) instant = parseInstant(to);
    else if (one.summary.operation !== 'replace') instant = null;
    // The parent may have expired; the table's property still knows its instant.
    else if (
      i === 0 &&
      watermark !== undefined &&
      parent !== undefined &&
      setBy === String(parent)
    ) {
      instant = parseInstant(watermark);
    }
    return { snapshot: one, watermarkMs: instant };
  });
}

/** The newest snapshot of the main line whose rows stand for `watermarkMs` or an earlier instant, or the snapshot of
 *  an id, on the main line or not. Throws REFUSED_AS_OF naming what there is. */
export function snapshotAsOf(
  md: TableMetadata,
  asOf: { readonly watermarkMs: number } | { readonly snapshotId: bigint },
): Snapshot {
  const line = mainLine(md);
  if ('snapshotId' in asOf) {
    const snapshot = snapshotById(md, asOf.snapshotId);
    if (snapshot !== null) return snapshot;
    throw refusedAsOf(`there is no snapshot ${asOf.snapshotId}`, line);
  }
  const found = line.findLast(
    (one) => one.watermarkMs !== null && one.watermarkMs <= asOf.watermarkMs,
  );
  if (found !== undefined) return found.snapshot;
  throw refusedAsOf(`no snapshot stands for ${formatInstant(asOf.watermarkMs)} or earlier`, line);
}

function refusedAsOf(what: string, line: readonly DatedSnapshot[]): Error {
  const instants = line.flatMap((one) => one.watermarkMs ?? []);
  const range =
    instants.length === 0
      ? 'the table has no snapshot of a known time'
      : `the table goes back to ${formatInstant(Math.min(...instants))} and reaches ${formatInstant(Math.max(...instants))}`;
  return refuse(
    'REFUSED_AS_OF',
    `${what}; ${range}`,
    'older snapshots were expired or never were; no rows were read',
    'tidelake log, to see the snapshots',
  );
}
