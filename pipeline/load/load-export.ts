// A full export becomes an epoch: verified, typed from every record, sorted, and swapped in by one commit.

import type { Naming, TableColumns } from '../../schemas/columns.js';
import { refuse, TidelakeError } from '../../schemas/errors.js';
import type { ExportDataFile, FullExport } from '../../schemas/export-manifest.js';
import type { TableMetadata } from '../../schemas/iceberg.js';
import { type SettingsOf, withSettings } from '../../schemas/source-settings.js';
import { sameType } from '../../transforms/adapt-rows.js';
import {
  allKnown,
  columnsProperty,
  nextColumnMap,
  readColumns,
  toIcebergSchema,
} from '../../transforms/column-map.js';
import type { TypedAttribute } from '../../transforms/make-columns.js';
import { numberExtents, planTypes } from '../../transforms/plan-types.js';
import { assignColumns } from '../../transforms/table-columns.js';
import { findExports } from '../export/find-exports.js';
import { readDataFiles } from '../export/read-files.js';
import { readSummary } from '../export/read-summary.js';
import { isSameGround } from '../lake/carry-over.js';
import { asLostRace, CommitAttempts, isLostRace } from '../lake/commit-attempts.js';
import { commitTable } from '../lake/commit-table.js';
import { misfitRowsOf } from '../lake/data-file-writer.js';
import { removeFiles } from '../lake/file-removal.js';
import { currentSnapshot } from '../lake/iceberg/metadata.js';
import type { AddedFile } from '../lake/iceberg/snapshot-builder.js';
import { statedRows } from '../lake/iceberg/snapshot-summary.js';
import {
  formatInstant,
  type LakeState,
  readLakeState,
  writeLakeState,
} from '../lake/lake-state.js';
import { openCatalog } from '../lake/open-catalog.js';
import { type OpenTable, openTable } from '../lake/open-table.js';
import {
  type LayoutField,
  layoutOf,
  layoutSpec,
  parseLayout,
  routingFields,
  sortOrderOf,
} from '../lake/table-layout.js';
import { tableNameOf } from '../lake/table-name.js';
import { watermarkProblem } from '../lake/watermark.js';
import type { Catalog, World } from '../ports.js';
import type { LoadReport, Target } from '../reports.js';
import { groupBytesMax, groupRowsMax } from '../units/row-groups.js';
import { type Sample, sampleExport, splittingKeys } from './sample-export.js';
import { type ScannedExport, scanExport } from './scan-export.js';
import { settleTypes } from './settle-types.js';
import { writeEpoch } from './write-epoch.js';

export interface LoadOptions extends Target {
  readonly exportUri: string;
  /** Names of the key attributes, partition key first. */
  readonly key?: readonly string[];
  readonly buckets?: number;
  readonly partition?: string;
  /** How columns are named, for a table that is new; a table keeps the rule it began with. */
  readonly naming?: Naming;
  readonly rewind?: boolean;
  readonly acceptTableId?: string;
  readonly allowFiltered?: boolean;
  /** What is configured for the export's table; what is given here goes before it. */
  readonly settingsOf?: SettingsOf;
}

/** Bytes of data files a bucket should have at most, compressed. */
const bucketBytesMax = 512 * 1024 * 1024;
/** Key ranges are planned to be this share of a row group: they come out uneven, and a larger one makes two. */
const rangeShare = 0.9;
/** How many times smaller rows are in files than in columns, about. */
const compression = 5;

/** Loads a full export. When others commit meanwhile, it looks again: the export may be loaded by then, or be older than
 *  the table; else it is put over what they left. Throws refusals; the table is then as it was. */
export async function loadExport(world: World, given: LoadOptions): Promise<LoadReport> {
  const startMs = world.clock.nowMs();
  const summary = await fullExportAt(world, given);
  const options = withSettings(given, summary);
  const catalog = await openCatalog(world, options);
  const { database } = options;
  const table = options.table ?? tableNameOf(summary.tableName);
  const attempts = new CommitAttempts(world, table);
  for (;;) {
    const open = await openTable({ store: world.store, catalog, database, table });
    if (
      open !== null &&
      isLoaded(open, summary) &&
      !(await isOvertaken(world, open, summary, options))
    ) {
      const { md } = open;
      return loadReport(world, { options, table, summary, md, startMs, action: 'nothing' });
    }
    let md: TableMetadata;
    try {
      md = await loadOver(world, catalog, options, summary, table, open, attempts);
    } catch (error) {
      const lost = open === null ? error : await asLostRace(error, catalog, open, attempts);
      await attempts.again(lost);
      continue;
    }
    // The commit is done: whatever cannot be read after it, this is what happened.
    return loadReport(world, { options, table, summary, md, startMs, action: 'loaded' });
  }
}

/** Loads an export over a version of its table (null: there is none yet). Gives the table as it was committed. */
async function loadOver(
  world: World,
  catalog: Catalog,
  options: LoadOptions,
  summary: FullExport,
  table: string,
  open: OpenTable | null,
  attempts: CommitAttempts,
): Promise<TableMetadata> {
  const { database } = options;
  if (open !== null) {
    checkEpoch(open, summary, options);
    noteNaming(world, open, options);
  }
  const keyNames = options.key ?? open?.state.key.map((key) => key.name);
  if (keyNames === undefined) throw noKey(summary, options.exportUri);
  checkKeyNames(keyNames, open, summary);
  const files = await readDataFiles(world.store, summary);
  const plan = await planLoad(world, options, summary, files, keyNames, open);
  const scanned = await scanPlanned(world, files, plan);
  const written: string[] = [];
  try {
    const columns = assignColumns(
      scanned.types,
      plan.sample.key,
      numberExtents(scanned.stats),
      open === null ? null : allKnown(open.md),
      options.naming,
    );
    const location = open?.md.location ?? catalog.tableLocation(database, table);
    const spec = layoutSpec(plan.layout, columns);
    const sortOrder = sortOrderOf(columns, plan.sample.key);
    const epoch = await writeEpoch(world, {
      location,
      columns,
      spec,
      // An existing table may know the order under another id.
      sortOrderId: open === null ? sortOrder['order-id'] : null,
      segments: scanned.segments,
      groupRowsMax,
      written,
    });
    let base = open;
    for (;;) {
      attempts.begin();
      try {
        const { files, rows } = epoch;
        const commit = { options, table, summary, open: base, columns, location, files, rows };
        return await commitEpoch(world, catalog, { ...commit, spec, sortOrder });
      } catch (error) {
        if (!isLostRace(error) || base === null) throw error;
        await attempts.again(error);
        // All content is replaced, so rows and files of others do not matter; names and ids of columns do.
        const fresh = await openTable({ store: world.store, catalog, database, table });
        if (fresh === null || !isSameGround(base, fresh)) throw error;
        base = fresh;
      }
    }
  } catch (error) {
    if (!(error instanceof TidelakeError) || error.code !== 'COMMIT_UNKNOWN') {
      await removeFiles(world.store, written);
    }
    throw error;
  }
}

async function fullExportAt(world: World, options: LoadOptions): Promise<FullExport> {
  const found = await findExports(world.store, options.exportUri);
  const accept = { acceptFiltered: options.allowFiltered === true };
  if (found.length === 1) {
    const summary = await readSummary(world.store, found[0]!, accept);
    if (summary.type === 'FULL_EXPORT') return summary;
    throw refuse(
      'REFUSED_EXPORT_TYPE',
      `${summary.exportArn} is an incremental export of [${formatInstant(summary.window.fromMs)}, ${formatInstant(summary.window.toMs)})`,
      'a window holds changes only; a table begins with a full export; nothing was written',
      'tidelake load the full export, then tidelake merge this one',
    );
  }
  const full: FullExport[] = [];
  for (const uri of found) {
    const summary = await readSummary(world.store, uri, accept);
    if (summary.type === 'FULL_EXPORT') full.push(summary);
  }
  if (full.length === 1) return full[0]!;
  throw refuse(
    'REFUSED_EXPORT_TYPE',
    `${full.length} full exports lie below that place`,
    'load takes one full export; nothing was written',
    'name the folder of the one to load',
  );
}

function isLoaded(open: OpenTable, summary: FullExport): boolean {
  return (
    open.state.baseline.exportArn === summary.exportArn && open.state.tableId === summary.tableId
  );
}

/** Whether the export a table began with is to be loaded once more: to go back to it, or since rows were changed by
 *  another writer. */
async function isOvertaken(
  world: World,
  open: OpenTable,
  summary: FullExport,
  options: LoadOptions,
): Promise<boolean> {
  const goesBack = options.rewind === true && summary.exportTimeMs < open.state.watermarkMs;
  return goesBack || (await watermarkProblem(world.store, open)) !== null;
}

function checkEpoch(open: OpenTable, summary: FullExport, options: LoadOptions): void {
  const { state } = open;
  if (state.tableId !== summary.tableId && options.acceptTableId !== summary.tableId) {
    throw refuse(
      'REFUSED_TABLE_ID',
      `${open.table} holds DynamoDB table ${state.tableId}, this export is of ${summary.tableId}`,
      'the table was deleted and made again, restored, or is another one; nothing was written',
      `tidelake load ${options.exportUri} --accept-table-id ${summary.tableId}, or --table with another name`,
    );
  }
  if (summary.exportTimeMs < state.watermarkMs && options.rewind !== true) {
    throw refuse(
      'REFUSED_OLDER',
      `${open.table}: the lake is at ${formatInstant(state.watermarkMs)}, this export is of ${formatInstant(summary.exportTimeMs)}`,
      'loading it would take the lake back in time; nothing was written',
      `tidelake load ${options.exportUri} --rewind, if that is what you want`,
    );
  }
}

/** Names never change, so another rule has no say in a table that is there; that is said, not passed over. */
function noteNaming(world: World, open: OpenTable, { naming }: LoadOptions): void {
  const rule = allKnown(open.md).naming ?? 'snake_case';
  if (naming === undefined || naming === rule) return;
  world.reporter.warn(
    `${open.table} names its columns in ${rule} since its first load, and keeps that; ${naming} holds for new tables only`,
  );
}

function noKey(summary: FullExport, exportUri: string): TidelakeError {
  return refuse(
    'REFUSED_KEY',
    `${summary.tableName}: nothing tells which attributes are the key; no export names them`,
    'rows cannot be matched without the key; nothing was written',
    `tidelake load ${exportUri} --key PARTITION_KEY[,SORT_KEY]`,
  );
}

function checkKeyNames(
  names: readonly string[],
  open: OpenTable | null,
  summary: FullExport,
): void {
  const known = open?.state;
  if (known === undefined || known.tableId !== summary.tableId) return;
  const before = known.key.map((key) => key.name);
  if (before.length === names.length && before.every((name, i) => name === names[i])) return;
  throw refuse(
    'REFUSED_KEY',
    `${open!.table} has the key ${before.join(',')}; --key or the configuration names others`,
    "a DynamoDB table's key never changes; nothing was written",
    `tidelake load with --key ${before.join(',')}`,
  );
}

interface LoadPlan {
  readonly sample: Sample;
  readonly layout: readonly LayoutField[];
  readonly splitters: readonly Uint8Array[];
}

async function planLoad(
  world: World,
  options: LoadOptions,
  summary: FullExport,
  files: readonly ExportDataFile[],
  keyNames: readonly string[],
  open: OpenTable | null,
): Promise<LoadPlan> {
  world.units.prepare?.(files.length);
  const sample = await sampleExport(world, files, keyNames);
  const bytes = summary.itemCount * sample.rowBytes;
  let layout: readonly LayoutField[] | null = null;
  if (options.partition !== undefined) layout = parseLayout(options.partition, keyNames);
  else if (options.buckets !== undefined) layout = bucketLayout(options.buckets);
  else if (open !== null)
    layout = layoutOf(open.md, readColumns(open.md, open.md['current-schema-id']));
  layout ??= bucketLayout(Math.ceil(bytes / compression / bucketBytesMax));
  const [first] = layout;
  const buckets =
    layout.length === 1 && first!.transform.startsWith('bucket')
      ? Number(/\d+/.exec(first!.transform)![0])
      : 1;
  const perBucket = summary.itemCount / buckets;
  const rowsPerRange = Math.max(
    1000,
    Math.min(groupRowsMax, groupBytesMax / Math.max(1, sample.rowBytes)),
  );
  let ranges = Math.ceil(perBucket / (rowsPerRange * rangeShare));
  // A bucket of some size is cut in two at least, so that a merge can share it between threads.
  if (ranges === 1 && perBucket > groupRowsMax / 4) ranges = 2;
  return { sample, layout, splitters: splittingKeys(sample.keys, ranges) };
}

function bucketLayout(buckets: number): LayoutField[] {
  return buckets > 1 ? [{ transform: `bucket[${buckets}]`, keyIndex: 0 }] : [];
}

async function scanPlanned(
  world: World,
  files: readonly ExportDataFile[],
  plan: LoadPlan,
): Promise<ScannedExport & { readonly types: TypedAttribute[] }> {
  const { key } = plan.sample;
  let guess = planTypes(key, plan.sample.stats);
  for (;;) {
    const scanned = await scanExport(world, {
      files,
      records: 'items',
      key,
      types: guess,
      stats: plan.sample.stats,
      fixed: false,
      routing: {
        fields: routingFields(plan.layout, guess),
        splitters: new Map(),
        defaultSplitters: plan.splitters,
      },
    });
    const types = await settleTypes(key, scanned.stats, scanned.segments, world.scratch);
    // Where a number key is of another type than the sample's, rows lie in wrong partitions: cut them again.
    const wrong = plan.layout.some(
      ({ keyIndex }) => !sameType(guess[keyIndex]!.type, types[keyIndex]!.type),
    );
    if (!wrong) return { ...scanned, types };
    guess = types;
  }
}

interface EpochCommit {
  readonly options: LoadOptions;
  readonly table: string;
  readonly summary: FullExport;
  readonly open: OpenTable | null;
  readonly columns: TableColumns;
  readonly location: string;
  readonly files: readonly AddedFile[];
  readonly rows: number;
  readonly spec: ReturnType<typeof layoutSpec>;
  readonly sortOrder: ReturnType<typeof sortOrderOf>;
}

async function commitEpoch(
  world: World,
  catalog: Catalog,
  commit: EpochCommit,
): Promise<TableMetadata> {
  const { options, summary, open, columns } = commit;
  const snapshotId = world.ids.snapshotId();
  const epoch = (open?.state.epoch ?? 0) + 1;
  const state: LakeState = {
    epoch,
    tableId: summary.tableId,
    tableArn: summary.tableArn,
    watermarkMs: summary.exportTimeMs,
    watermarkSnapshot: snapshotId,
    key: columns.key,
    columns: nextColumnMap(columns, open?.md ?? null),
    gaps: [],
    facts: null,
    adopted: [],
    baseline: { exportArn: summary.exportArn, exportTimeMs: summary.exportTimeMs },
  };
  const before = open === null ? null : currentSnapshot(open.md);
  return commitTable(world, catalog, {
    database: options.database,
    table: commit.table,
    location: commit.location,
    open,
    snapshotId,
    snapshotTimestampMs: summary.exportTimeMs,
    added: commit.files,
    rows: commit.rows,
    misfitRows: misfitRowsOf(commit.files, columns),
    removed: new Set(),
    replaceAll: true,
    schema: toIcebergSchema(columns, 0),
    spec: commit.spec,
    sortOrder: commit.sortOrder,
    properties: { ...writeLakeState(state), [columnsProperty]: state.columns, ...retention },
    summary: {
      'tidelake.kind': 'load',
      'tidelake.epoch': String(epoch),
      'tidelake.table-id': summary.tableId,
      'tidelake.to': formatInstant(summary.exportTimeMs),
      'tidelake.export-arn': summary.exportArn,
      'tidelake.manifest-md5': summary.manifestMd5,
      'tidelake.inserted': String(commit.rows),
      'tidelake.updated': '0',
      'tidelake.deleted': String(before === null ? 0 : (statedRows(before.summary) ?? 0)),
    },
    operation: before === null ? 'append' : 'overwrite',
  });
}

const snapshotAgeMsMax = 5 * 366 * 86_400_000;
const snapshotsKeptMin = '100';

/**
 * Snapshot times are the data's, and engines' clean-up goes by them: retention is said, not left to defaults, which would
 * let a VACUUM after a backfill take nearly all history. Sources: apache/iceberg docs, "Configuration" (history.expire.*);
 * Amazon Athena User Guide, "VACUUM" (vacuum_*: 432,000 seconds and 1 snapshot if nothing is said).
 */
const retention: Readonly<Record<string, string>> = {
  'history.expire.max-snapshot-age-ms': String(snapshotAgeMsMax),
  'history.expire.min-snapshots-to-keep': snapshotsKeptMin,
  vacuum_max_snapshot_age_seconds: String(snapshotAgeMsMax / 1000),
  vacuum_min_snapshots_to_keep: snapshotsKeptMin,
  'write.metadata.delete-after-commit.enabled': 'false',
};

function loadReport(
  world: World,
  facts: {
    options: LoadOptions;
    table: string;
    summary: FullExport;
    md: TableMetadata;
    startMs: number;
    action: 'loaded' | 'nothing';
  },
): LoadReport {
  const { options, md, summary, action } = facts;
  const state = readLakeState(md);
  const snapshot = currentSnapshot(md)!;
  const columns = readColumns(md, md['current-schema-id']);
  return {
    action,
    reason: action === 'nothing' ? 'this export is what the table began with' : null,
    database: options.database,
    table: facts.table,
    tableId: state.tableId,
    epoch: state.epoch,
    exportArn: summary.exportArn,
    watermark: formatInstant(state.watermarkMs),
    snapshotId: String(snapshot['snapshot-id']),
    rows: statedRows(snapshot.summary) ?? 0,
    columns: columns.columns.length,
    misfits: Number(snapshot.summary['tidelake.misfit-rows'] ?? 0),
    dataFiles: Number(snapshot.summary['total-data-files'] ?? 0),
    bytes: Number(snapshot.summary['total-files-size'] ?? 0),
    seam: action === 'loaded' && summary.exportTimeMs % 1000 !== 0,
    seconds: (world.clock.nowMs() - facts.startMs) / 1000,
  };
}
