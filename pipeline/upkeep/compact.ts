// `compact`: partitions with small files, delete files or files in no order are written anew, one partition a commit.
// Promises: rows stay as they are, counted before the commit; the snapshot is a `replace`, upon which the watermark is still
// believed. Others may commit meanwhile: what was written is committed upon their work if the files it replaces are still
// there with the same rows deleted; else the partition is looked at again.
// Source: apache/iceberg format/spec.md, "Snapshots" (operation `replace`), "Scan Planning"; Java's BinPackStrategy.

import { TidelakeError } from '../../schemas/errors.js';
import type { ManifestEntry } from '../../schemas/iceberg.js';
import { compactRoundsMax } from '../../schemas/limits.js';
import { readColumns } from '../../transforms/column-map.js';
import { carriedOver, hasSameColumns } from '../lake/carry-over.js';
import { asLostRace, CommitAttempts, isLostRace } from '../lake/commit-attempts.js';
import { commitReplace } from '../lake/commit-table.js';
import { fileBytesTarget } from '../lake/data-file-writer.js';
import { removeFiles } from '../lake/file-removal.js';
import { liveFiles, partitionKey } from '../lake/iceberg/live-files.js';
import { currentSnapshot, specById } from '../lake/iceberg/metadata.js';
import type { AddedFile } from '../lake/iceberg/snapshot-builder.js';
import { parseTransform, partitionPath } from '../lake/iceberg/transforms.js';
import { oneTable } from '../lake/one-table.js';
import { openCatalog } from '../lake/open-catalog.js';
import { type OpenTable, openTable } from '../lake/open-table.js';
import { checkWriter } from '../lake/watermark.js';
import { type LiveFile, type LivePartition, readLiveTable } from '../merge/merge-plan.js';
import type { Catalog, World } from '../ports.js';
import type { CompactReason, CompactReport, Target } from '../reports.js';
import { groupRowsMax } from '../units/row-groups.js';
import { writeCompacted } from './write-compacted.js';

/** From how many files of a kind on a partition is written anew. */
export interface CompactWhen {
  /** Files under half of the size that files are written with. */
  readonly smallFilesMin: number;
  /** Delete files. */
  readonly deleteFilesMin: number;
}

/** What `compact` does when it is called by a person: whatever can be better. */
export const compactAll: CompactWhen = { smallFilesMin: 2, deleteFilesMin: 1 };

export interface CompactOptions extends Target {
  /** Only the partition with this folder below `data`, e.g. `clientid_bucket=3`. */
  readonly partition?: string;
  /** Default: `compactAll`. */
  readonly when?: CompactWhen;
  /** Only says what would be done. */
  readonly dryRun?: boolean;
}

/** Files smaller than this are small. */
export const smallFileBytes: number = fileBytesTarget / 2;

/** A partition that is to be written anew. */
interface Chosen {
  readonly key: string;
  readonly live: LivePartition;
  /** Delete files of the partition. */
  readonly deletes: readonly ManifestEntry[];
  readonly reasons: readonly CompactReason[];
  readonly rows: number;
}

/** Compacts one table and yields a report for each partition that needed it. Throws REFUSED_NO_TABLE,
 *  REFUSED_FOREIGN_WRITER, USAGE for a partition that is not there, COMMIT_UNKNOWN; partitions committed stay so. */
export async function* compactTable(
  world: World,
  options: CompactOptions,
): AsyncGenerator<CompactReport> {
  const catalog = await openCatalog(world, options);
  const table = await oneTable(catalog, options);
  const { database } = options;
  const { store } = world;
  const isDone = new Set<string>();
  for (let round = 1; ; round++) {
    const open = (await openTable({ store, catalog, database, table }))!;
    await checkWriter(store, open);
    const chosen = (await choose(world, open, options)).filter(({ key }) => !isDone.has(key));
    let latest = open;
    let isLeft = false;
    const step = world.reporter.step('compact', chosen.length, 'partitions');
    for (const one of chosen) {
      const startMs = world.clock.nowMs();
      if (options.dryRun === true) {
        yield reportOf(world, open, one, 'planned', null, startMs);
        continue;
      }
      const end = await compactOne(world, catalog, open, latest, one);
      latest = end.latest;
      step.advance(1);
      const isChanged = end.compacted === null;
      if (!isChanged) isDone.add(one.key);
      isLeft ||= isChanged;
      if (isChanged && round < compactRoundsMax) continue;
      yield reportOf(world, open, one, isChanged ? 'changed' : 'compacted', end.compacted, startMs);
    }
    step.done();
    if (!isLeft || round >= compactRoundsMax) return;
  }
}

/** The partitions of a table that have a reason. */
async function choose(
  world: World,
  open: OpenTable,
  options: CompactOptions,
): Promise<readonly Chosen[]> {
  const { md } = open;
  const { partitions } = await readLiveTable(world, open);
  const { positionDeletes } = await liveFiles(world.store, md, currentSnapshot(md), open.location);
  const deletesOf = new Map<string, ManifestEntry[]>();
  for (const one of positionDeletes) {
    const key = partitionKey(one);
    deletesOf.set(key, [...(deletesOf.get(key) ?? []), one]);
  }
  const asked =
    options.partition === undefined
      ? partitions
      : partitions.filter((one) => folderOf(open, one) === options.partition);
  if (options.partition !== undefined && asked.length === 0) throw noPartition(open);
  const when = options.when ?? compactAll;
  return asked.flatMap((live) => {
    const files = filesIn(live);
    const key = partitionKey(files[0]!.entry);
    const deletes = deletesOf.get(key) ?? [];
    const reasons = reasonsOf(live, deletes.length, when);
    const rows = files.reduce(
      (sum, { entry, deleted }) => sum + Number(entry.file.recordCount) - (deleted?.length ?? 0),
      0,
    );
    return reasons.length === 0 ? [] : [{ key, live, deletes, reasons, rows }];
  });
}

function reasonsOf(
  live: LivePartition,
  deleteFiles: number,
  when: CompactWhen,
): readonly CompactReason[] {
  const small = filesIn(live).filter(({ size }) => size < smallFileBytes).length;
  return [
    ...(small >= when.smallFilesMin ? (['small'] as const) : []),
    ...(deleteFiles >= when.deleteFilesMin ? (['deletes'] as const) : []),
    ...(live.lastKeys === null ? (['unordered'] as const) : []),
  ];
}

/** All data files of a partition. */
function filesIn({ files, newRows }: LivePartition): readonly LiveFile[] {
  return [...files, ...newRows];
}

function folderOf({ md }: OpenTable, live: LivePartition): string {
  return partitionPath(specById(md, live.specId), live.values);
}

function noPartition({ table }: OpenTable): TidelakeError {
  return new TidelakeError({
    code: 'USAGE',
    what: `${table} has no partition of that name`,
    meaning: 'nothing was written',
    next: 'name a folder below the data folder of the table, e.g. --partition clientid_bucket=3; or leave --partition out',
  });
}

interface Compacted {
  readonly snapshotId: bigint;
  readonly added: readonly AddedFile[];
}

/** Writes and commits one partition planned upon `planned`; `latest` is the table as last seen. Without a result when others
 *  have changed the partition meanwhile: nothing was committed then. */
async function compactOne(
  world: World,
  catalog: Catalog,
  planned: OpenTable,
  latest: OpenTable,
  chosen: Chosen,
): Promise<{ readonly compacted: Compacted | null; readonly latest: OpenTable }> {
  const { store, ids } = world;
  const { database, table } = planned;
  const attempts = new CommitAttempts(world, table);
  const written: string[] = [];
  let base = latest;
  let compacted: Compacted;
  try {
    const added = await rewritten(world, planned, chosen, written);
    const removed = new Set([
      ...filesIn(chosen.live).map(({ entry }) => entry.file.path),
      ...chosen.deletes.map(({ file }) => file.path),
    ]);
    const replaced = { removed, marked: new Set<string>(), isWhole: false };
    for (;;) {
      const live = await carriedOver(store, planned, base, replaced, hasSameColumns);
      if (live === null) {
        await removeFiles(store, written);
        return { compacted: null, latest: base };
      }
      // The rows stay, and so do their misfits.
      const misfitRows = currentSnapshot(base.md)?.summary['tidelake.misfit-rows'] ?? null;
      const snapshotId = ids.snapshotId();
      attempts.begin();
      try {
        const change = { snapshotId, added, removed, misfitRows, kind: 'compact' };
        await commitReplace(world, catalog, base, change);
        compacted = { snapshotId, added };
        break;
      } catch (error) {
        if (!isLostRace(error)) throw error;
        await attempts.again(error);
        base = (await openTable({ store, catalog, database, table }))!;
        await checkWriter(store, base);
      }
    }
  } catch (error) {
    const isUnknown = error instanceof TidelakeError && error.code === 'COMMIT_UNKNOWN';
    const lost = await asLostRace(error, catalog, planned, attempts);
    if (!isUnknown) await removeFiles(store, written);
    if (!isLostRace(lost)) throw error;
    const fresh = (await openTable({ store, catalog, database, table }))!;
    await checkWriter(store, fresh);
    return { compacted: null, latest: fresh };
  }
  // The files are the table's now, whatever goes wrong from here on: nothing below may remove them. The next partition is
  // committed upon whatever the table is by then.
  const next = (await openTable({ store, catalog, database, table }))!;
  if (next.md['current-snapshot-id'] !== compacted.snapshotId) await checkWriter(store, next);
  return { compacted, latest: next };
}

/** The new files of a partition. Throws INTERNAL when they do not have as many rows as are live. */
async function rewritten(
  world: World,
  open: OpenTable,
  { live, rows }: Chosen,
  written: string[],
): Promise<readonly AddedFile[]> {
  const columns = readColumns(open.md, open.md['current-schema-id']);
  const write = {
    location: open.md.location,
    before: columns,
    table: columns,
    spec: specById(open.md, live.specId),
    specId: live.specId,
    groupRowsMax,
    written,
  };
  const added = await writeCompacted(world, write, live);
  const found = added.reduce((sum, file) => sum + Number(file.recordCount), 0);
  if (found === rows) return added;
  throw new TidelakeError({
    code: 'INTERNAL',
    what: `a partition of ${open.table} has ${rows} rows, but its new files would have ${found}`,
    meaning: 'nothing was committed; the table is as it was',
    next: 'tidelake verify, and report this',
  });
}

function reportOf(
  world: World,
  open: OpenTable,
  { live, deletes, reasons, rows }: Chosen,
  action: CompactReport['action'],
  compacted: Compacted | null,
  startMs: number,
): CompactReport {
  const spec = specById(open.md, live.specId);
  const isOfBuckets = spec.fields.every(
    ({ transform }) => parseTransform(transform).kind === 'bucket',
  );
  const files = filesIn(live);
  const bytes = (of: readonly { readonly fileSizeBytes: bigint }[]): number =>
    of.reduce((sum, file) => sum + Number(file.fileSizeBytes), 0);
  return {
    action,
    database: open.database,
    table: open.table,
    partition: isOfBuckets ? folderOf(open, live) : null,
    reasons,
    rows,
    filesBefore: files.length,
    filesAfter: compacted?.added.length ?? null,
    deleteFilesBefore: deletes.length,
    bytesBefore: bytes(files.map(({ entry }) => entry.file)),
    bytesAfter: compacted === null ? null : bytes(compacted.added),
    snapshotId: compacted === null ? null : String(compacted.snapshotId),
    seconds: (world.clock.nowMs() - startMs) / 1000,
  };
}
