// Whether a table's watermark still speaks of its rows, although other programs write to the table too.
// It does when the snapshot that set it is the current one, or when nothing but `replace` snapshots, which rewrite files and
// keep all rows, lie between the two; when then as many rows are live as that snapshot had, counted, not as claimed; and
// when the columns that the rows are read with are all there. Anything else is refused: a guess would be wrong for ever.
//
// The way from the current snapshot back is walked by parents. An expired snapshot (Athena's VACUUM, Spark's
// expire_snapshots) is missing in the metadata, but older metadata files still have it: they are immutable, and the
// metadata log names them; VACUUM keeps the last hundred. So maintenance in any order can be proved as long as its own
// metadata files are kept. Sequence numbers prove nothing here: every commit takes one, whatever it did. Nor do totals
// alone: an update changes none. Where a link is missing, nobody can say what it did, and the table is refused.
// Sources: apache/iceberg format/spec.md, "Snapshots" (operation `replace`: files change, data does not), "Snapshot Retention
// Policy"; Amazon Athena User Guide, "OPTIMIZE", "VACUUM" (vacuum_max_metadata_files_to_keep).

import { isRefusal, refuse, type TidelakeError } from '../../schemas/errors.js';
import type { IcebergSchema, Snapshot, TableMetadata } from '../../schemas/iceberg.js';
import { metadataLogReadsMax } from '../../schemas/limits.js';
import { mappedIds } from '../../transforms/column-map.js';
import { lostColumns } from '../../transforms/foreign-columns.js';
import { ObjectNotFoundError, type ObjectStore } from '../ports.js';
import { currentSchema, parseTableMetadata } from './iceberg/metadata.js';
import { locate } from './iceberg/paths.js';
import { statedTotals } from './iceberg/snapshot-summary.js';
import { formatInstant, parseInstant } from './lake-state.js';
import type { OpenTable } from './open-table.js';

/** Refuses a table whose rows somebody else has changed since the watermark was set. Throws REFUSED_FOREIGN_WRITER,
 *  naming the snapshot, its operation and the ways out. */
export async function checkWriter(store: ObjectStore, open: OpenTable): Promise<void> {
  const problem = await watermarkProblem(store, open);
  if (problem !== null) throw problem;
}

/** Why the watermark cannot be believed, as the refusal to be thrown; null when it can. */
export async function watermarkProblem(
  store: ObjectStore,
  open: OpenTable,
): Promise<TidelakeError | null> {
  const past = new PastMetadata(store, open);
  const lineage = await lineageOf(open, past);
  if (lineage.end !== 'watermark' || lineage.changed !== null) return brokenLine(open, lineage);
  if (lineage.line.length > 0) {
    const expected = await expectedRows(open, past);
    // Loaded here: it reads Parquet, which a load into a new table never does.
    const { currentRows } = await import('./position-deletes.js');
    const rows = await currentRows(store, open);
    if (rows !== expected) return wrongCount(open, lineage.line[0]!, expected, rows);
  }
  const lost = await lostSince(open, past);
  return lost === null ? null : brokenColumns(open, lost);
}

// ------------------------------------------------------------------------------------------------ the line

/** The snapshots from the current one back to where Tidelake's own begin. */
export interface Lineage {
  /** Snapshots of others, newest first. */
  readonly line: readonly Snapshot[];
  /** The newest of them that is no `replace`. */
  readonly changed: Snapshot | null;
  /** What the line stands on: the watermark's snapshot; an older one of Tidelake's, `base`, so that the table was rolled
   *  back; nothing, for a table written anew; or a snapshot, `lostId`, that no metadata knows any more. */
  readonly end: 'watermark' | 'older' | 'nothing' | 'lost';
  readonly base: Snapshot | null;
  readonly lostId: bigint | null;
}

/** Walks from the current snapshot back. */
export async function lineageOf(open: OpenTable, past: PastMetadata): Promise<Lineage> {
  const { md, state } = open;
  const line: Snapshot[] = [];
  const seen = new Set<bigint>();
  const result = (end: Lineage['end'], base: Snapshot | null, lostId: bigint | null): Lineage => {
    const changed = line.find((one) => one.summary.operation !== 'replace') ?? null;
    return { line, changed, end, base, lostId };
  };
  let id = md['current-snapshot-id'];
  while (id !== null) {
    if (id === state.watermarkSnapshot) return result('watermark', null, null);
    const snapshot = await past.snapshot(id);
    // A ring of parents, which no honest writer makes, is as good as a missing link.
    if (snapshot === null || seen.has(id)) return result('lost', null, id);
    if (snapshot.summary['tidelake.to'] !== undefined) return result('older', snapshot, null);
    seen.add(id);
    line.push(snapshot);
    id = snapshot['parent-snapshot-id'] ?? null;
  }
  return result('nothing', null, null);
}

/** Snapshots and schemas of a table, also those that only older metadata files still have. Files are read as needed,
 *  newest first; one that is gone or unreadable tells nothing. */
export class PastMetadata {
  readonly #store: ObjectStore;
  readonly #open: OpenTable;
  readonly #snapshots = new Map<bigint, Snapshot>();
  readonly #schemas = new Map<number, IcebergSchema>();
  readonly #unread: string[];

  constructor(store: ObjectStore, open: OpenTable) {
    this.#store = store;
    this.#open = open;
    this.#unread = open.md['metadata-log']
      .slice(-metadataLogReadsMax)
      .map((entry) => entry['metadata-file']);
    this.#take(open.md);
  }

  async snapshot(id: bigint): Promise<Snapshot | null> {
    while (!this.#snapshots.has(id) && (await this.#readOne()));
    return this.#snapshots.get(id) ?? null;
  }

  async schema(id: number): Promise<IcebergSchema | null> {
    while (!this.#schemas.has(id) && (await this.#readOne()));
    return this.#schemas.get(id) ?? null;
  }

  #take(md: TableMetadata): void {
    for (const one of md.snapshots) {
      if (!this.#snapshots.has(one['snapshot-id'])) this.#snapshots.set(one['snapshot-id'], one);
    }
    for (const one of md.schemas) {
      if (!this.#schemas.has(one['schema-id'])) this.#schemas.set(one['schema-id'], one);
    }
  }

  /** Reads the next older file; false when there is none. */
  async #readOne(): Promise<boolean> {
    const uri = this.#unread.pop();
    if (uri === undefined) return false;
    const { md, location } = this.#open;
    try {
      const older = parseTableMetadata(await this.#store.read(locate(md.location, location, uri)));
      if (older['table-uuid'] === md['table-uuid']) this.#take(older);
    } catch (error) {
      if (!isRefusal(error) && !(error instanceof ObjectNotFoundError)) throw error;
    }
    return true;
  }
}

// ------------------------------------------------------------------------------------------------ rows and columns

/** Rows that the watermark's snapshot had; null when nobody knows any more. */
async function expectedRows(open: OpenTable, past: PastMetadata): Promise<number | null> {
  if (open.state.facts !== null) return open.state.facts.rows;
  const snapshot = await past.snapshot(open.state.watermarkSnapshot);
  const totals = statedTotals(snapshot?.summary ?? {});
  return totals === null ? null : Number(totals.records - totals.positionDeletes);
}

/** Names of columns that the table had when the watermark was set and has no more, or not as they were; null: none. An
 *  empty list: nobody knows which columns there were. */
async function lostSince(open: OpenTable, past: PastMetadata): Promise<readonly string[] | null> {
  const { md, state } = open;
  const id =
    state.facts?.schemaId ?? (await past.snapshot(state.watermarkSnapshot))?.['schema-id'] ?? null;
  if (id === null || id === md['current-schema-id']) return null;
  const schema = await past.schema(id);
  if (schema === null) return [];
  const lost = lostColumns(schema, currentSchema(md), mappedIds(md));
  return lost.length === 0 ? null : lost;
}

// ------------------------------------------------------------------------------------------------ refusals

const unsure = 'nobody can say any more which instant the rows stand for; nothing was changed';

function brokenLine(open: OpenTable, lineage: Lineage): TidelakeError {
  const { table, md, state } = open;
  const current = md['current-snapshot-id'];
  const set = `snapshot ${state.watermarkSnapshot}, which set the watermark ${formatInstant(state.watermarkMs)}`;
  const load = 'tidelake load a new full export';
  const log = 'tidelake log shows the snapshots';
  const adopt = `tidelake merge --adopt-snapshot ${current}`;
  const declare = `${load}; or, if you know that its rows stand for ${formatInstant(state.watermarkMs)}, ${adopt} EXPORT…; ${log}`;
  const { changed, end, base, lostId } = lineage;
  if (current === null) {
    const what = `${table} has no current snapshot any more; it had ${set}`;
    return refuse('REFUSED_FOREIGN_WRITER', what, unsure, load);
  }
  if (end === 'older' && base !== null) {
    const instant = parseInstant(base.summary['tidelake.to'] ?? '');
    const stands = instant === null ? '' : `, which stands for ${formatInstant(instant)}`;
    const then = changed === null ? '' : `, and then snapshot ${told(changed)} changed rows`;
    return refuse(
      'REFUSED_FOREIGN_WRITER',
      `${table} was rolled back to snapshot ${told(base)}${stands}${then}; ${set}, is no longer in its history`,
      unsure,
      instant === null
        ? `${load}; ${log}`
        : `${load}; or ${adopt} EXPORT…, to go on from ${formatInstant(instant)} with the windows after it; ${log}`,
    );
  }
  const what =
    changed !== null
      ? `${table}: snapshot ${told(changed)} of another program changed rows after ${set}`
      : end === 'lost'
        ? `${table}: snapshot ${lostId} has expired, and no metadata file that is left tells what it did after ${set}`
        : `${table}: snapshot ${current} of another program does not follow ${set}`;
  return refuse('REFUSED_FOREIGN_WRITER', what, unsure, declare);
}

function wrongCount(
  open: OpenTable,
  newest: Snapshot,
  expected: number | null,
  rows: number,
): TidelakeError {
  const { table, md, state } = open;
  const before = expected === null ? 'an unknown number of' : String(expected);
  return refuse(
    'REFUSED_FOREIGN_WRITER',
    `${table}: up to snapshot ${told(newest)}, other programs rewrote files and said that rows stay; but of ${before} rows at snapshot ${state.watermarkSnapshot} there are ${rows}`,
    unsure,
    `tidelake verify; then tidelake load a new full export; or, if you know that its rows stand for ${formatInstant(state.watermarkMs)}, tidelake merge --adopt-snapshot ${md['current-snapshot-id']} EXPORT…`,
  );
}

function brokenColumns(open: OpenTable, names: readonly string[]): TidelakeError {
  const which = names.length === 0 ? 'columns' : `the columns ${names.slice(0, 10).join(', ')}`;
  return refuse(
    'REFUSED_FOREIGN_WRITER',
    `${open.table}: another program dropped ${which}, or gave them other types`,
    'their values can no longer be read as they were written; nothing was changed',
    'tidelake load a new full export',
  );
}

/** A snapshot for people: its id and operation, which is another program's text. */
function told(snapshot: Snapshot): string {
  return `${snapshot['snapshot-id']} (${(snapshot.summary.operation ?? 'unknown').slice(0, 20)})`;
}
