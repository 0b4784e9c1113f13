// One window becomes one snapshot: verified, typed, merged into the row groups it touches, committed with its watermark.

import type { KeyAttribute, KeyTag } from '../../schemas/attribute.js';
import type { TableColumns } from '../../schemas/columns.js';
import { refuse, TidelakeError } from '../../schemas/errors.js';
import type { ExportDataFile, IncrementalExport } from '../../schemas/export-manifest.js';
import type { DataFile } from '../../schemas/iceberg.js';
import { retypeBytesMax } from '../../schemas/limits.js';
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
import { commitTable } from '../lake/commit-table.js';
import { misfitRowsOf } from '../lake/data-file-writer.js';
import { removeFiles } from '../lake/file-removal.js';
import { currentSnapshot, specById } from '../lake/iceberg/metadata.js';
import type { AddedFile } from '../lake/iceberg/snapshot-builder.js';
import { formatInstant, type LakeGap, type LakeState, writeLakeState } from '../lake/lake-state.js';
import type { OpenTable } from '../lake/open-table.js';
import { layoutOf, layoutSpec, routingFields, sortOrderOf } from '../lake/table-layout.js';
import { type ScannedExport, scanExport } from '../load/scan-export.js';
import type { Catalog, World } from '../ports.js';
import type { Routing } from '../units/routing.js';
import { groupRowsMax } from '../units/row-groups.js';
import { partitionText, type Segment } from '../units/segments.js';
import { type LivePartition, liveBytes, livePartitions, splittersOf } from './merge-plan.js';
import { repartition } from './repartition.js';
import { type MergeCounts, type PartitionWork, writePartition } from './write-merge.js';

/** What a window did. */
export interface MergedWindow extends MergeCounts {
  readonly snapshotId: bigint;
  readonly evolution: Evolution;
  readonly columns: TableColumns;
}

/** Merges one window that continues the table. Throws refusals and commit errors; the table is then as it was. */
export async function mergeWindow(
  world: World,
  catalog: Catalog,
  open: OpenTable,
  summary: IncrementalExport,
  newGap: LakeGap | null,
): Promise<MergedWindow> {
  const files = await readDataFiles(world.store, summary);
  const known = readColumns(open.md, open.md['current-schema-id']);
  const partitions = await livePartitions(world, open);
  const isEmpty = partitions.length === 0;
  const layout = layoutOf(open.md, known);
  const scan = (columns: TableColumns, routing?: Routing): Promise<ScannedExport> =>
    scanExport(world, {
      files,
      records: 'changes',
      key: columns.key,
      types: columns.columns,
      stats: new Map(),
      fixed: true,
      routing: routing ?? {
        fields: routingFields(layout, columns.columns),
        splitters: splittersOf(partitions),
        defaultSplitters: [],
      },
    });
  let before = isEmpty && summary.itemCount > 0 ? await withKeysOf(world, known, files) : known;
  let scanned = await scan(before);
  const mayRetype = liveBytes(partitions) <= retypeBytesMax;
  let evolution = evolveTypes(before, scanned.stats, mayRetype);
  if (isEmpty && layout.length > 0 && evolution.retyped.length > 0) {
    // The key's type was a guess, and the changes are cut by it; nothing lies in any partition yet, so they are cut anew.
    before = nextColumns(before, evolution, scanned.stats);
    scanned = await scan(before);
    evolution = { ...evolveTypes(before, scanned.stats, mayRetype), added: evolution.added };
  }
  const columns = nextColumns(before, evolution, scanned.stats);
  const keyChanged = known.key.some((_, i) => known.columns[i]!.id !== columns.columns[i]!.id);
  if (keyChanged && !mayRetype) throw keyTypeRefusal(open.table);
  const cutAnew =
    layout.length > 0 &&
    before.key.some((_, i) => !sameType(before.columns[i]!.type, columns.columns[i]!.type));
  const spec = keyChanged
    ? layoutSpec(layout, columns)
    : specById(open.md, open.md['default-spec-id']);
  const written: string[] = [];
  try {
    const counts: MergeCounts = { inserted: 0, updated: 0, deleted: 0 };
    const added: AddedFile[] = [];
    const removed = new Set<string>();
    const step = world.reporter.step('merge', partitions.length, 'partitions');
    if (cutAnew) {
      const rescan = (routing: Routing): Promise<ScannedExport> => scan(before, routing);
      const { location } = open.md;
      const write = { location, before, table: columns, spec, groupRowsMax, written };
      const result = await repartition(world, write, layout, partitions, rescan, counts);
      added.push(...result.added);
      for (const path of result.removed) removed.add(path);
    }
    const works = cutAnew ? [] : partitionWork(partitions, scanned.segments, evolution, columns);
    for (const work of works) {
      const result = await writePartition(
        world,
        {
          location: open.md.location,
          before,
          table: columns,
          spec,
          groupRowsMax,
          written,
        },
        work,
        counts,
      );
      added.push(...result.added);
      for (const path of result.removed) removed.add(path);
      step.advance(1);
    }
    step.done();
    const snapshotId = world.ids.snapshotId();
    await commit(world, catalog, {
      open,
      summary,
      newGap,
      columns,
      counts,
      added,
      removed,
      snapshotId,
      misfitRows: misfitRowsOf(liveAfter(partitions, added, removed), columns),
      spec: keyChanged ? spec : null,
    });
    return { ...counts, snapshotId, evolution, columns };
  } catch (error) {
    if (!(error instanceof TidelakeError) || error.code !== 'COMMIT_UNKNOWN') {
      await removeFiles(world.store, written);
    }
    throw error;
  }
}

/** The data files of the table after the window. */
function liveAfter(
  partitions: readonly LivePartition[],
  added: readonly DataFile[],
  removed: ReadonlySet<string>,
): DataFile[] {
  const before = partitions.flatMap(({ files }) => files.map((file) => file.entry.file));
  return [...before.filter((file) => !removed.has(file.path)), ...added];
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

function* partitionWork(
  partitions: readonly LivePartition[],
  segments: readonly Segment[],
  evolution: Evolution,
  table: TableColumns,
): Generator<PartitionWork> {
  const whole = evolution.retyped.length > 0;
  const changes = new Map<
    string,
    { values: Segment['partition']; ranges: Map<number, Segment[]> }
  >();
  for (const segment of segments) {
    const text = partitionText(segment.partition);
    let own = changes.get(text);
    if (own === undefined) {
      own = { values: segment.partition, ranges: new Map() };
      changes.set(text, own);
    }
    const range = own.ranges.get(segment.range);
    if (range === undefined) own.ranges.set(segment.range, [segment]);
    else range.push(segment);
  }
  for (const live of partitions) {
    const own = changes.get(live.text);
    changes.delete(live.text);
    if (own === undefined && !whole) continue;
    yield { values: live.values, live, changes: own?.ranges ?? new Map(), whole, table };
  }
  for (const { values, ranges } of changes.values()) {
    yield { values, live: null, changes: ranges, whole, table };
  }
}

function keyTypeRefusal(table: string): TidelakeError {
  return refuse(
    'REFUSED_TYPE_CONFLICT',
    `${table}: a key's number needs another column type, and the table has over ${retypeBytesMax} bytes`,
    'every file would have to be rewritten; nothing was written',
    'tidelake load a new full export',
  );
}

interface WindowCommit {
  readonly open: OpenTable;
  readonly summary: IncrementalExport;
  readonly newGap: LakeGap | null;
  readonly columns: TableColumns;
  readonly counts: MergeCounts;
  readonly added: readonly AddedFile[];
  readonly removed: ReadonlySet<string>;
  readonly snapshotId: bigint;
  readonly misfitRows: number;
  readonly spec: ReturnType<typeof layoutSpec> | null;
}

async function commit(world: World, catalog: Catalog, window: WindowCommit): Promise<void> {
  const { open, summary, columns, counts, snapshotId } = window;
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
