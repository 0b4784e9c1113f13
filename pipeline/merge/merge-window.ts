// One window becomes one snapshot: verified, typed, merged into the row groups it touches, committed with its watermark.

import type { KeyAttribute, KeyTag } from '../../schemas/attribute.js';
import type { TableColumns } from '../../schemas/columns.js';
import { refuse, TidelakeError } from '../../schemas/errors.js';
import type { ExportDataFile, IncrementalExport } from '../../schemas/export-manifest.js';
import type { PartitionSpec, TableMetadata } from '../../schemas/iceberg.js';
import type { RetypeRule } from '../../schemas/table-settings.js';
import { sameType } from '../../transforms/adapt-rows.js';
import {
  columnsProperty,
  nextColumnMap,
  readColumns,
  toIcebergSchema,
} from '../../transforms/column-map.js';
import { type Evolution, evolveTypes, numberExtents } from '../../transforms/plan-types.js';
import { assignColumns } from '../../transforms/table-columns.js';
import type { TypeStats } from '../../transforms/type-stats.js';
import { readDataFiles } from '../export/read-files.js';
import { streamDataFile } from '../export/stream-data-file.js';
import type { CommitAttempts } from '../lake/commit-attempts.js';
import { commitTable } from '../lake/commit-table.js';
import { misfitRowsOf } from '../lake/data-file-writer.js';
import { removeFiles } from '../lake/file-removal.js';
import { currentSnapshot, snapshotById, specById } from '../lake/iceberg/metadata.js';
import type { AddedFile } from '../lake/iceberg/snapshot-builder.js';
import { formatInstant, type LakeGap, type LakeState, writeLakeState } from '../lake/lake-state.js';
import type { OpenTable } from '../lake/open-table.js';
import { currentRows } from '../lake/position-deletes.js';
import {
  type LayoutField,
  layoutSpec,
  routingFields,
  sortOrderOf,
  specLayout,
  writingSpec,
} from '../lake/table-layout.js';
import { type ScannedExport, scanExport } from '../load/scan-export.js';
import type { Catalog, World } from '../ports.js';
import type { Routing } from '../units/routing.js';
import { groupRowsMax } from '../units/row-groups.js';
import type { ForcedWay } from './choose-way.js';
import { commitOrCarryOver } from './commit-or-carry-over.js';
import type { MarkResult } from './mark-partition.js';
import {
  type LivePartition,
  liveBytes,
  type PartitionFiles,
  readPartitions,
  readTableFiles,
  splittersOf,
} from './merge-plan.js';
import { placeChanges } from './place-changes.js';
import { repartition } from './repartition.js';
import type { MergeCounts, MergeWrite, PartitionResult } from './write-merge.js';

/** Records of a window up to which it is worked at in this thread, and only what it touches is looked into. */
const smallWindowRecords = 20_000;

/** How a window may be merged. */
export interface WindowRules {
  /** Whether number columns become wider by themselves. */
  readonly retype: RetypeRule;
  /** Bytes of data files up to which a table is rewritten for it. */
  readonly retypeBytesMax: number;
  /** One way for every partition that is touched; undefined: the cheaper one for each. */
  readonly way: ForcedWay | undefined;
}

/** What a window did. */
export interface MergedWindow extends MergeCounts {
  readonly snapshotId: bigint;
  readonly evolution: Evolution;
  readonly columns: TableColumns;
  /** Rows of the table with a misfit. */
  readonly misfitRows: number;
}

/** Merges one window that continues the table. When others commit meanwhile, what was written is committed upon their
 *  work if that leaves it true; else COMMIT_CONFLICT is thrown, and the window has to be planned anew. Throws refusals and
 *  commit errors; the table is then as it was, and what was written is removed, unless it may be the table now. */
export async function mergeWindow(
  world: World,
  catalog: Catalog,
  open: OpenTable,
  summary: IncrementalExport,
  newGap: LakeGap | null,
  attempts: CommitAttempts,
  rules: WindowRules,
): Promise<MergedWindow> {
  const written: string[] = [];
  try {
    const window = await writeWindow(world, open, summary, newGap, written, rules);
    const snapshotId = world.ids.snapshotId();
    await commitOrCarryOver(world, catalog, open, attempts, window, (base) =>
      commit(world, catalog, base, { ...window, snapshotId }),
    );
    const { counts, evolution, columns, misfitRows } = window;
    return { ...counts, snapshotId, evolution, columns, misfitRows };
  } catch (error) {
    if (!(error instanceof TidelakeError) || error.code !== 'COMMIT_UNKNOWN') {
      await removeFiles(world.store, written);
    }
    throw error;
  }
}

/** A window whose files are written, ready to be committed. */
interface WrittenWindow {
  readonly summary: IncrementalExport;
  readonly newGap: LakeGap | null;
  readonly columns: TableColumns;
  readonly evolution: Evolution;
  readonly counts: MergeCounts;
  readonly added: readonly AddedFile[];
  readonly removed: ReadonlySet<string>;
  /** Data files that stay, and get another delete file. */
  readonly marked: ReadonlySet<string>;
  /** Every row was rewritten. */
  readonly isWhole: boolean;
  readonly rows: number;
  readonly misfitRows: number;
  /** The new partition spec; null: there is none. */
  readonly spec: ReturnType<typeof layoutSpec> | null;
}

async function writeWindow(
  world: World,
  open: OpenTable,
  summary: IncrementalExport,
  newGap: LakeGap | null,
  written: string[],
  { retype, retypeBytesMax, way }: WindowRules,
): Promise<WrittenWindow> {
  const files = await readDataFiles(world.store, summary);
  const known = readColumns(open.md, open.md['current-schema-id']);
  const { partitions, strayDeletes } = await readTableFiles(world.store, open);
  const home = writingSpec(open.md, known);
  if (home === null) throw noLayout(open.table);
  const layout = specLayout(home, known)!;
  const elsewhere = otherSpecs(open.md, known, partitions, home['spec-id']);
  const atHome = partitions.filter((one) => one.specId === home['spec-id']);
  const isEmpty = partitions.length === 0;
  const isSmall = summary.itemCount <= smallWindowRecords;
  const near = isSmall ? { ...world, units: world.units.near ?? world.units } : world;
  const scan = (columns: TableColumns, routing: Routing): Promise<ScannedExport> =>
    scanExport(near, {
      files,
      records: 'changes',
      key: columns.key,
      types: columns.columns,
      stats: new Map(),
      fixed: true,
      routing,
    });
  // Where row groups end is known only from files: a large window is cut along them as it is read, a small one later, when
  // it is known which partitions it touches.
  const liveOf = async (some: readonly PartitionFiles[]): Promise<LivePartition[] | null> =>
    isSmall ? null : readPartitions(world, open, some);
  const homeLive = await liveOf(atHome);
  let before = isEmpty && summary.itemCount > 0 ? await withKeysOf(world, known, files) : known;
  let scanned = await scan(before, routingOf(layout, before, homeLive));
  // A key's value has no place beside its column, so its type follows whatever the rule: bound by size alone.
  const mayRewrite = liveBytes(partitions) <= retypeBytesMax;
  const mayRetype = mayRewrite && retype === 'auto';
  let evolution = evolveTypes(before, scanned.stats, mayRetype);
  if (isEmpty && layout.length > 0 && evolution.retyped.length > 0) {
    // The key's type was a guess, and the changes are cut by it; nothing lies in any partition yet, so they are cut anew.
    before = nextColumns(before, evolution, scanned.stats);
    scanned = await scan(before, routingOf(layout, before, homeLive));
    evolution = { ...evolveTypes(before, scanned.stats, mayRetype), added: evolution.added };
  }
  const columns = nextColumns(before, evolution, scanned.stats);
  const keyChanged = known.key.some((_, i) => known.columns[i]!.id !== columns.columns[i]!.id);
  if (keyChanged && !mayRewrite) throw keyTypeRefusal(open.table, retypeBytesMax);
  const cutAnew =
    (layout.length > 0 || elsewhere.length > 0) &&
    before.key.some((_, i) => !sameType(before.columns[i]!.type, columns.columns[i]!.type));
  const isWhole = cutAnew || evolution.retyped.length > 0;
  const spec = keyChanged ? layoutSpec(layout, columns) : home;
  const write: MergeWrite = {
    location: open.md.location,
    before,
    table: columns,
    spec,
    specId: keyChanged ? null : home['spec-id'],
    groupRowsMax,
    written,
  };
  const counts: MergeCounts = { inserted: 0, updated: 0, deleted: 0 };
  const added: AddedFile[] = [];
  const removed = new Set<string>();
  const marked = new Set<string>();
  let misfitRowsGained = 0;
  const take = (result: PartitionResult & Partial<Pick<MarkResult, 'targets'>>): void => {
    added.push(...result.added);
    for (const path of result.removed) removed.add(path);
    for (const path of result.targets ?? []) marked.add(path);
    misfitRowsGained += result.misfitRowsGained;
  };
  if (cutAnew) {
    const rescan = (routing: Routing): Promise<ScannedExport> => scan(before, routing);
    const live = await readPartitions(world, open, partitions);
    take(await repartition(world, write, layout, live, rescan, counts));
    for (const { deletes } of partitions) for (const { file } of deletes) removed.add(file.path);
  } else {
    const place = { world, near, open, isWhole, way, counts, take };
    await placeChanges(place, write, atHome, homeLive, scanned.segments, false);
    for (const other of elsewhere) {
      const live = await liveOf(other.partitions);
      const { segments } = await scan(before, routingOf(other.layout, before, live));
      const there = { ...write, spec: other.spec, specId: other.spec['spec-id'] };
      await placeChanges(place, there, other.partitions, live, segments, true);
    }
  }
  if (removed.size > 0) for (const path of strayDeletes) removed.add(path);
  const { facts } = open.state;
  return {
    summary,
    newGap,
    columns,
    evolution,
    counts,
    added,
    removed,
    marked,
    isWhole,
    rows:
      (facts?.rows ?? (await currentRows(world.store, open))) + counts.inserted - counts.deleted,
    misfitRows: isWhole
      ? misfitRowsOf(added, columns)
      : Math.max(0, misfitRowsBefore(open, known, partitions) + misfitRowsGained),
    spec: keyChanged ? spec : null,
  };
}

/** Rows with a misfit before the window: as they were counted when the watermark was set, else as the files' own statistics
 *  say, which know nothing of deleted positions. */
function misfitRowsBefore(
  { md, state }: OpenTable,
  columns: TableColumns,
  partitions: readonly PartitionFiles[],
): number {
  if (state.facts?.misfitRows != null) return state.facts.misfitRows;
  const stated = snapshotById(md, state.watermarkSnapshot)?.summary['tidelake.misfit-rows'];
  if (stated !== undefined && /^\d+$/.test(stated)) return Number(stated);
  return misfitRowsOf(
    partitions.flatMap(({ data }) => data.map(({ file }) => file)),
    columns,
  );
}

function routingOf(
  layout: readonly LayoutField[],
  columns: TableColumns,
  partitions: readonly LivePartition[] | null,
): Routing {
  return {
    fields: routingFields(layout, columns.columns),
    splitters: splittersOf(partitions ?? []),
    defaultSplitters: [],
  };
}

/** Partitions of one spec that is no longer written. */
interface OtherSpec {
  readonly spec: PartitionSpec;
  readonly layout: readonly LayoutField[];
  readonly partitions: readonly PartitionFiles[];
}

/** The partitions that lie under other specs than the one written, by spec: another program changed the partitioning, and
 *  not all files have been rewritten since. A changed key may be in any of them. */
function otherSpecs(
  md: TableMetadata,
  columns: TableColumns,
  partitions: readonly PartitionFiles[],
  homeId: number,
): OtherSpec[] {
  const ids = new Set(partitions.map((one) => one.specId));
  ids.delete(homeId);
  return [...ids].map((id) => {
    const spec = specById(md, id);
    const layout = specLayout(spec, columns);
    const own = partitions.filter((one) => one.specId === id);
    if (layout !== null) return { spec, layout, partitions: own };
    throw refuse(
      'REFUSED_FOREIGN_WRITER',
      `another program put ${own.length} partitions under the partition spec ${id}, over columns that are not of the key`,
      'a changed row cannot be found there by its key; nothing was written',
      "set the table's partitioning back to key columns and run OPTIMIZE on it; or tidelake load a new full export",
    );
  });
}

function noLayout(table: string): TidelakeError {
  return refuse(
    'REFUSED_FOREIGN_WRITER',
    `${table}: another program partitioned it by columns that are not of the key, and no other partitioning is left`,
    'a change cannot be placed by its key; nothing was written',
    'tidelake load a new full export',
  );
}

/** The table's columns after the window, with the digits its numbers have now held. */
function nextColumns(
  before: TableColumns,
  evolution: Evolution,
  stats: ReadonlyMap<string, TypeStats>,
): TableColumns {
  const seen = numberExtents(stats);
  const held = extentsByPath(before);
  const next = assignColumns(
    evolution.types,
    before.key,
    (attribute, path, type) => {
      const a = seen(attribute, path, type);
      const b = held.get(JSON.stringify([attribute, ...path]));
      if (a === undefined || b === undefined) return a ?? b;
      return [Math.max(a[0], b[0]), Math.max(a[1], b[1])];
    },
    before,
  );
  return next;
}

function extentsByPath(table: TableColumns): Map<string, readonly [number, number]> {
  const out = new Map<string, readonly [number, number]>();
  const note = (
    type: TableColumns['columns'][number]['type'],
    id: number,
    path: string[],
  ): void => {
    const extent = table.extents.get(type.kind === 'NS' ? type.elementId : id);
    if (extent !== undefined) out.set(JSON.stringify(path), extent);
    if (type.kind === 'L') note(type.element, type.elementId, [...path, '[]']);
    if (type.kind === 'MAP') note(type.value, type.valueId, [...path, '{}']);
    if (type.kind === 'M') {
      for (const field of type.fields) note(field.type, field.id, [...path, `.${field.attribute}`]);
    }
  };
  for (const field of table.columns) note(field.type, field.id, [field.attribute]);
  return out;
}

/** An empty table does not know its key's types: the first record's Keys tell. */
async function withKeysOf(
  world: World,
  before: TableColumns,
  files: readonly ExportDataFile[],
): Promise<TableColumns> {
  const first = files.find((file) => file.itemCount > 0);
  if (first === undefined) return before;
  let keys: Record<string, Record<string, unknown>> = {};
  try {
    for await (const block of streamDataFile(world.store, first)) {
      const line = block.subarray(0, Math.max(0, block.indexOf(10)));
      const record = JSON.parse(Buffer.from(line).toString('utf8')) as { Keys?: typeof keys };
      keys = record.Keys ?? {};
      break;
    }
  } catch {
    return before; // the scan meets the same damage, and refuses
  }
  const key = before.key.map(({ name, tag }): KeyAttribute => {
    const found = Object.keys(Object.getOwnPropertyDescriptor(keys, name)?.value ?? {})[0];
    const known = found === 'S' || found === 'N' || found === 'B';
    return { name, tag: known ? (found as KeyTag) : tag };
  });
  if (key.every((one, i) => one.tag === before.key[i]!.tag)) return before;
  const types = key.map(({ name, tag }) => ({
    attribute: name,
    type:
      tag === 'N' ? ({ kind: 'N', number: { type: 'long' } } as const) : ({ kind: tag } as const),
  }));
  return assignColumns(types, key, () => undefined, before);
}

function keyTypeRefusal(table: string, bytesMax: number): TidelakeError {
  return refuse(
    'REFUSED_TYPE_CONFLICT',
    `${table}: a key's number needs another column type, and the table has over ${bytesMax} bytes`,
    'every file would have to be rewritten; nothing was written',
    'tidelake merge with --retype-bytes-max above that, or tidelake load a new full export',
  );
}

async function commit(
  world: World,
  catalog: Catalog,
  open: OpenTable,
  window: WrittenWindow & { readonly snapshotId: bigint },
): Promise<void> {
  const { summary, columns, counts, snapshotId } = window;
  const { fromMs, toMs } = summary.window;
  const state: LakeState = {
    ...open.state,
    key: columns.key,
    columns: nextColumnMap(columns, open.md),
    watermarkMs: toMs,
    watermarkSnapshot: snapshotId,
    gaps: window.newGap === null ? open.state.gaps : [...open.state.gaps, window.newGap],
  };
  const changed = window.added.length > 0 || window.removed.size > 0;
  await commitTable(world, catalog, {
    database: open.database,
    table: open.table,
    location: open.md.location,
    open,
    snapshotId,
    snapshotTimestampMs: toMs,
    added: window.added,
    removed: window.removed,
    rows: window.rows,
    misfitRows: window.misfitRows,
    schema: toIcebergSchema(columns, 0),
    ...(window.spec === null
      ? {}
      : { spec: window.spec, sortOrder: sortOrderOf(columns, columns.key) }),
    properties: { ...writeLakeState(state), [columnsProperty]: state.columns },
    summary: {
      'tidelake.kind': 'merge',
      'tidelake.epoch': String(state.epoch),
      'tidelake.table-id': state.tableId,
      'tidelake.from': formatInstant(fromMs),
      'tidelake.to': formatInstant(toMs),
      'tidelake.export-arn': summary.exportArn,
      'tidelake.manifest-md5': summary.manifestMd5,
      'tidelake.view': summary.view,
      'tidelake.inserted': String(counts.inserted),
      'tidelake.updated': String(counts.updated),
      'tidelake.deleted': String(counts.deleted),
    },
    operation: changed && currentSnapshot(open.md) !== null ? 'overwrite' : 'append',
  });
}
