// `expire`: old snapshots leave the metadata, and then the files that only they had are removed.
// Promises: nothing is removed before the commit is known to be in, and nothing at all when that is unknown; a file that a
// snapshot, a branch or a tag still has is never removed; a run that dies anywhere leaves a whole table, and the next one
// removes what it left. Lost races are looked at again from the beginning.
// Source: apache/iceberg, "Maintenance" (Expire Snapshots, Remove old metadata files, Delete orphan files); Java's
// RemoveSnapshots, ReachableFileCleanup.

import { refuse, TidelakeError } from '../../schemas/errors.js';
import type { Snapshot, TableMetadata } from '../../schemas/iceberg.js';
import { expiredAtOnceMax, readersGraceMs, removalsAtOnce } from '../../schemas/limits.js';
import { asLostRace, CommitAttempts } from '../lake/commit-attempts.js';
import { commitMetadata } from '../lake/commit-table.js';
import { isMoved, locate } from '../lake/iceberg/paths.js';
import { formatInstant } from '../lake/lake-state.js';
import { oneTable } from '../lake/one-table.js';
import { openCatalog } from '../lake/open-catalog.js';
import { mainLine, type OpenTable, openTable } from '../lake/open-table.js';
import { checkWriter } from '../lake/watermark.js';
import type { Catalog, World } from '../ports.js';
import type { ExpireReport, Target } from '../reports.js';
import { type MetadataFolder, oldMetadataFiles, unfinishedSnapshots } from './old-metadata.js';
import { orphanFiles } from './orphans.js';
import { inGroups, type Reachable, reachableFiles, rootsOf } from './reachable-files.js';
import {
  checkMayRemove,
  expiredSnapshots,
  metadataVersions,
  type Retention,
  tableRetention,
  withoutSnapshots,
} from './retention.js';

export interface ExpireOptions extends Target {
  /** Days of data before the watermark that stay reachable; default: the table's `history.expire.max-snapshot-age-ms`. */
  readonly keepDays?: number;
  /** Newest snapshots that stay in any case; default: the table's `history.expire.min-snapshots-to-keep`. */
  readonly keepSnapshots?: number;
  /** Hours that a snapshot stays after the next one was committed; default: six. */
  readonly graceHours?: number;
  /** Also removes files that nobody refers to and that are older than three days. */
  readonly removeOrphans?: boolean;
  /** Only says what would be done. */
  readonly dryRun?: boolean;
}

/** What was removed, or would be. */
interface Removed {
  snapshots: number;
  dataFiles: number;
  manifests: number;
  metadataFiles: number;
  orphans: number;
  bytes: number;
  unremoved: number;
}

/** Expires snapshots of one table. Throws REFUSED_NO_TABLE, REFUSED_FOREIGN_WRITER for a table whose watermark cannot be
 *  believed (its snapshots are what a person can go back to), REFUSED_KEPT_FILES, REFUSED_FOREIGN_PATH for a moved folder,
 *  and commit errors. A file that could not be removed is counted in the report, with the first error told as a warning. */
export async function expireTable(world: World, options: ExpireOptions): Promise<ExpireReport> {
  const startMs = world.clock.nowMs();
  const catalog = await openCatalog(world, options);
  const table = await oneTable(catalog, options);
  const { database } = options;
  const attempts = new CommitAttempts(world, table);
  const removed: Removed = {
    snapshots: 0,
    dataFiles: 0,
    manifests: 0,
    metadataFiles: 0,
    orphans: 0,
    bytes: 0,
    unremoved: 0,
  };
  for (;;) {
    const open = (await openTable({ store: world.store, catalog, database, table }))!;
    try {
      const end = await attempt(world, catalog, open, options, attempts, removed);
      if (end === null) continue;
      return reportOf(world, options, end, removed, startMs);
    } catch (error) {
      await attempts.again(await asLostRace(error, catalog, open, attempts));
    }
  }
}

/** One commit and its removals; the table as it then is, or null when more is to be done. */
async function attempt(
  world: World,
  catalog: Catalog,
  open: OpenTable,
  options: ExpireOptions,
  attempts: CommitAttempts,
  removed: Removed,
): Promise<OpenTable | null> {
  const { store, clock } = world;
  const { md } = open;
  if (isMoved(md.location, open.location)) throw movedFolder(open);
  checkMayRemove(open);
  await checkWriter(store, open);
  const nowMs = clock.nowMs();
  const retention = retentionOf(md, options);
  const isDry = options.dryRun === true;
  const orphans = options.removeOrphans === true ? await orphanFiles(store, open, nowMs) : [];
  const all = expiredSnapshots(open, retention, nowMs);
  const gone = isDry ? all : all.slice(0, expiredAtOnceMax);
  const ids = new Set(gone.map((one) => one['snapshot-id']));
  const folder: MetadataFolder = {
    store,
    md,
    metadataUri: open.entry.metadataUri,
    present: new Set(await store.children(`${md.location}/metadata`)),
  };
  const unfinished = await unfinishedSnapshots(folder);
  const next = withoutSnapshots(open, ids);
  const unused = await unusedFiles(world, md, [...unfinished, ...gone], next);
  let after = open;
  if (!isDry && ids.size > 0) {
    attempts.begin();
    const committed = await commitMetadata(world, catalog, open, next, metadataVersions(open));
    after = { ...open, md: committed };
  }
  removed.snapshots += ids.size;
  const remover = new Remover(world, removed, isDry);
  // What names other files goes last, so that a run that dies here can be finished by the next.
  removed.dataFiles += await remover.remove([...unused.files]);
  removed.manifests += await remover.remove(sized(unused.manifests));
  removed.manifests += await remover.remove(sized(unused.manifestLists));
  await remover.remove(sized(statisticsOf(md, next)));
  const newest: MetadataFolder =
    after === open ? folder : { ...folder, md: after.md, metadataUri: open.entry.metadataUri };
  const old = await oldMetadataFiles(newest, nowMs - retention.graceMs);
  removed.metadataFiles += await remover.remove(sized(old));
  removed.orphans += await remover.remove(orphans);
  return gone.length < all.length && removed.unremoved === 0 ? null : after;
}

function retentionOf(md: TableMetadata, options: ExpireOptions): Retention {
  const own = tableRetention(md.properties);
  const { keepDays, keepSnapshots, graceHours } = options;
  return {
    keepMs: keepDays === undefined ? own.keepMs : keepDays * 86_400_000,
    keepSnapshots: keepSnapshots ?? own.keepSnapshots,
    graceMs: graceHours === undefined ? readersGraceMs : graceHours * 3_600_000,
  };
}

/** The files of snapshots that are gone which no snapshot of `next` has. */
async function unusedFiles(
  world: World,
  md: TableMetadata,
  gone: readonly Snapshot[],
  next: TableMetadata,
): Promise<Reachable> {
  if (gone.length === 0)
    return { manifestLists: new Set(), manifests: new Set(), files: new Map() };
  const unused = await reachableFiles(world.store, md, gone, 'pass');
  const used = await reachableFiles(world.store, md, rootsOf(next.snapshots), 'fail');
  for (const snapshot of next.snapshots) {
    unused.manifestLists.delete(locate(md.location, md.location, snapshot['manifest-list']));
  }
  for (const uri of used.manifests) unused.manifests.delete(uri);
  for (const uri of used.files.keys()) unused.files.delete(uri);
  return unused;
}

/** Statistics files (Puffin) that only expired snapshots had. */
function statisticsOf(md: TableMetadata, next: TableMetadata): readonly string[] {
  const paths = (one: TableMetadata): string[] =>
    [...one.statistics, ...(one['partition-statistics'] ?? [])].flatMap((entry) => {
      const path = (entry as { readonly 'statistics-path'?: unknown })['statistics-path'];
      return typeof path === 'string' ? [locate(md.location, md.location, path)] : [];
    });
  const kept = new Set(paths(next));
  return paths(md).filter((path) => !kept.has(path));
}

function sized(uris: Iterable<string>): [string, number][] {
  return [...uris].map((uri) => [uri, 0]);
}

/** Removes files one by one, until a first one cannot be removed: the others would most likely fail like it. */
class Remover {
  readonly #world: World;
  readonly #counts: Removed;
  readonly #isDry: boolean;
  readonly #done = new Set<string>();
  #hasFailed = false;

  constructor(world: World, counts: Removed, isDry: boolean) {
    this.#world = world;
    this.#counts = counts;
    this.#isDry = isDry;
  }

  /** The number of files removed. */
  async remove(files: readonly (readonly [uri: string, bytes: number])[]): Promise<number> {
    let count = 0;
    await inGroups(
      files,
      async ([uri, bytes]) => {
        if (!(await this.#removeOne(uri))) return;
        count++;
        this.#counts.bytes += bytes;
      },
      removalsAtOnce,
    );
    return count;
  }

  async #removeOne(uri: string): Promise<boolean> {
    if (this.#done.has(uri)) return false;
    this.#done.add(uri);
    if (this.#isDry) return true;
    if (!this.#hasFailed) {
      try {
        await this.#world.store.remove(uri);
        return true;
      } catch (error) {
        if (!this.#hasFailed) this.#world.reporter.warn(notRemoved(error));
        this.#hasFailed = true;
      }
    }
    this.#counts.unremoved++;
    return false;
  }
}

function notRemoved(error: unknown): string {
  const why = error instanceof TidelakeError ? `${error.code}  ${error.what}` : 'a file stayed';
  return `snapshots have expired, but not all of their files could be removed: ${why}; the table is whole, run expire again`;
}

function movedFolder({ location, md }: OpenTable): TidelakeError {
  return refuse(
    'REFUSED_FOREIGN_PATH',
    `the table lies at ${location}, but its metadata says ${md.location}`,
    'it can be read, but the files of the other place are not to be touched; nothing was removed',
    'move the folder back to where the metadata says, then run the command again',
  );
}

function reportOf(
  world: World,
  options: ExpireOptions,
  open: OpenTable,
  removed: Removed,
  startMs: number,
): ExpireReport {
  const isDry = options.dryRun === true;
  const { snapshots, dataFiles, manifests, metadataFiles, orphans } = removed;
  const isNothing =
    snapshots + dataFiles + manifests + metadataFiles + orphans + removed.unremoved === 0;
  const oldest = mainLine(open.md).find((one) => one.watermarkMs !== null)?.watermarkMs ?? null;
  return {
    action: isNothing ? 'nothing' : isDry ? 'planned' : 'expired',
    database: open.database,
    table: open.table,
    expiredSnapshots: snapshots,
    keptSnapshots: open.md.snapshots.length - (isDry ? snapshots : 0),
    oldest: oldest === null || isDry ? null : formatInstant(oldest),
    dataFiles,
    manifests,
    metadataFiles,
    orphans,
    bytes: removed.bytes,
    unremoved: removed.unremoved,
    seconds: (world.clock.nowMs() - startMs) / 1000,
  };
}
