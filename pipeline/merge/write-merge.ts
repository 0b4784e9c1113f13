// New data files for the partitions that a window touches. A file is rewritten row group by row group: those with
// changes go through merge units, side by side; the others are copied byte for byte.

import type { ColumnType, TableColumns } from '../../schemas/columns.js';
import type { PartitionSpec, PartitionValue } from '../../schemas/iceberg.js';
import { DataFileWriter, fileBytesTarget } from '../lake/data-file-writer.js';
import type { AddedFile } from '../lake/iceberg/snapshot-builder.js';
import { readRowGroup } from '../lake/parquet/assembler.js';
import type { ParquetFooter, SchemaNode } from '../lake/parquet/footer.js';
import { positionsIn } from '../lake/position-deletes.js';
import { runOrdered } from '../load/run-ordered.js';
import type { World } from '../ports.js';
import type { GroupSource, MergeInput, MergeOutput } from '../units/merge-unit.js';
import type { RerouteInput, RerouteOutput } from '../units/reroute-unit.js';
import { buffersOf, type Segment } from '../units/segments.js';
import type { LiveFile, LivePartition } from './merge-plan.js';

export interface MergeWrite {
  readonly location: string;
  readonly before: TableColumns;
  readonly table: TableColumns;
  readonly spec: PartitionSpec;
  /** Id of `spec` in the table; null: it is new, and gets one by the commit. */
  readonly specId: number | null;
  readonly groupRowsMax: number;
  readonly written: string[];
}

/** One stretch of a partition: row groups with their changes (a unit's work), or one row group to copy. */
interface Task {
  readonly sources: readonly GroupSource[];
  readonly oldSegments: readonly Segment[];
  readonly segments: readonly Segment[];
  readonly copy: { readonly file: LiveFile; readonly group: number } | null;
}

export interface MergeCounts {
  inserted: number;
  updated: number;
  deleted: number;
}

/** What became of one partition. */
export interface PartitionResult {
  readonly added: readonly AddedFile[];
  readonly removed: readonly string[];
  /** By how many its rows with a misfit became more. */
  readonly misfitRowsGained: number;
}

/** A partition to write: what it holds now (null: nothing), and its changes by range. */
export interface PartitionWork {
  readonly values: readonly PartitionValue[];
  readonly live: LivePartition | null;
  readonly changes: ReadonlyMap<number, readonly Segment[]>;
  /** Every row group must be rewritten (its columns change). */
  readonly whole: boolean;
  /** Columns to write. */
  readonly table: TableColumns;
  /** Rows that changes name are taken out, and nothing is put in: the partition is of a spec that is no longer written,
   *  and what becomes of those rows stands under the one that is. */
  readonly removeOnly: boolean;
}

/** Rows of files of new rows, by range; and how many of them have a misfit. */
interface NewRows {
  readonly segments: ReadonlyMap<number, readonly Segment[]>;
  readonly misfitRows: number;
}

/** A partition's files as stretches of work, file by file; none for a file that nothing touches and no row is deleted of. */
function stretches(work: PartitionWork, newRows: NewRows['segments']): Task[][] {
  const { live, changes, whole } = work;
  const plain = { oldSegments: [], copy: null };
  const all = (): Segment[] => [...changes.values()].flat();
  if (live === null) return [[{ ...plain, sources: [], segments: all() }]];
  if (live.lastKeys === null) {
    const sources = live.files.map(
      ({ uri, size, deleted }): GroupSource => ({ uri, size, groups: null, deleted }),
    );
    return [[{ ...plain, sources, segments: all() }]];
  }
  let range = 0;
  return live.files.map((file) => {
    const ranges = file.index!.map(() => range++);
    const isTouched = ranges.some((one) => changes.has(one) || newRows.has(one));
    if (!whole && !isTouched && file.deleted === null) return [];
    const copyable = !whole && hasColumns(file.footer, work.table);
    return groupSources(file).map((source, group): Task => {
      const segments = changes.get(ranges[group]!) ?? [];
      const oldSegments = newRows.get(ranges[group]!) ?? [];
      const isSame = segments.length + oldSegments.length === 0 && source.deleted === null;
      if (isSame && copyable) return { ...plain, sources: [], segments, copy: { file, group } };
      return { sources: [source], oldSegments, segments, copy: null };
    });
  });
}

/** The row groups of a file one by one, each with its own deleted positions. */
export function groupSources({ uri, size, footer, deleted }: LiveFile): GroupSource[] {
  let start = 0;
  return footer.rowGroups.map(({ rowCount }, group) => {
    const own = positionsIn(deleted, start, start + rowCount);
    start += rowCount;
    return { uri, size, groups: [group], deleted: own };
  });
}

/** Rows of files cut by key into scratch space, row group by row group. */
export async function recut(
  world: World,
  { before, table }: MergeWrite,
  files: readonly LiveFile[],
  cuts: readonly Uint8Array[],
): Promise<NewRows> {
  const routing = { fields: [], splitters: new Map(), defaultSplitters: cuts };
  const byRange = new Map<number, Segment[]>();
  let misfitRows = 0;
  await runOrdered(
    files.flatMap(groupSources),
    world.units.width,
    (source) =>
      world.units.run<RerouteInput, RerouteOutput>('reroute', { source, before, table, routing }),
    async (output) => {
      misfitRows += output.misfitRows;
      for (const segment of output.segments) {
        byRange.set(segment.range, [...(byRange.get(segment.range) ?? []), segment]);
      }
    },
  );
  return { segments: byRange, misfitRows };
}

/** A partition's work, file by file of `live.files`. Without an order of the files it is all one file's. */
async function tasksOf(
  world: World,
  write: MergeWrite,
  work: PartitionWork,
): Promise<{ readonly files: readonly (readonly Task[])[]; readonly misfitRowsCut: number }> {
  const { live, changes } = work;
  if (live === null) return { files: stretches(work, new Map()), misfitRowsCut: 0 };
  if (live.lastKeys !== null) {
    const { segments, misfitRows } =
      live.newRows.length === 0
        ? { segments: new Map(), misfitRows: 0 }
        : await recut(world, write, live.newRows, live.lastKeys.slice(0, -1));
    return { files: stretches(work, segments), misfitRowsCut: misfitRows };
  }
  if (live.cuts.length === 0) return { files: stretches(work, new Map()), misfitRowsCut: 0 };
  // Its rows are too many for one unit: they are cut by key into scratch space, then each range is merged by itself.
  const { segments, misfitRows } = await recut(world, write, live.files, live.cuts);
  const ranges = Array.from({ length: live.cuts.length + 1 }, (_, range) => ({
    sources: [],
    oldSegments: segments.get(range) ?? [],
    segments: changes.get(range) ?? [],
    copy: null,
  }));
  return { files: [ranges], misfitRowsCut: misfitRows };
}

/** Whether a file has exactly the columns of a table, as they would be written now: ids at all levels and names of columns and
 *  nested fields, in order. A file from before a column was added, renamed or moved stays as it is until a change touches
 *  it; its row groups cannot be copied into a file with others. */
export function hasColumns(footer: ParquetFooter, table: TableColumns): boolean {
  const has: FieldName[] = [];
  const note = (nodes: readonly SchemaNode[]): void => {
    for (const { fieldId, name, children } of nodes) {
      if (fieldId !== null) has.push({ id: fieldId, name });
      note(children);
    }
  };
  note(footer.columns);
  const wants = fieldNames(table);
  return (
    has.length === wants.length &&
    wants.every(({ id, name }, i) => has[i]!.id === id && (name === null || has[i]!.name === name))
  );
}

/** A field of a file; null: its name is the format's (an element, a key, a value). */
interface FieldName {
  readonly id: number;
  readonly name: string | null;
}

/** The fields of a table in the order in which they are written, parents first. */
function fieldNames({ columns, own }: TableColumns): readonly FieldName[] {
  const all: FieldName[] = [];
  const add = (...ids: readonly number[]): void => {
    for (const id of ids) all.push({ id, name: null });
  };
  const note = (type: ColumnType): void => {
    if (type.kind === 'SS' || type.kind === 'NS' || type.kind === 'BS') add(type.elementId);
    if (type.kind === 'L') {
      add(type.elementId);
      note(type.element);
    }
    if (type.kind === 'MAP') {
      add(type.keyId, type.valueId);
      note(type.value);
    }
    if (type.kind === 'M') {
      for (const field of type.fields) {
        all.push({ id: field.id, name: field.name });
        note(field.type);
      }
    }
  };
  for (const field of columns) {
    all.push({ id: field.id, name: field.name });
    note(field.type);
  }
  add(own.writtenAt, own.nulls, own.nullsElement, own.misfits, own.misfitsKey, own.misfitsValue);
  return all;
}

/** Writes one partition's new files. Adds to `counts` what happened to rows. */
export async function writePartition(
  world: World,
  write: MergeWrite,
  work: PartitionWork,
  counts: MergeCounts,
): Promise<PartitionResult> {
  const added: AddedFile[] = [];
  const removed: string[] = [];
  const { live } = work;
  const { files, misfitRowsCut } = await tasksOf(world, write, work);
  let misfitRowsGained = -misfitRowsCut;
  if (live !== null) {
    const replaced =
      live.lastKeys === null ? live.files : live.files.filter((_, i) => files[i]!.length > 0);
    removed.push(...[...replaced, ...live.newRows].map((file) => file.entry.file.path));
  }
  for (const tasks of files) {
    if (tasks.length === 0) continue;
    const result = await writeFile(world, write, work, tasks, counts);
    misfitRowsGained += result.misfitRowsGained;
    const { specId } = write;
    added.push(
      ...(specId === null ? result.files : result.files.map((one) => ({ ...one, specId }))),
    );
  }
  return { added, removed, misfitRowsGained };
}

async function writeFile(
  world: World,
  write: MergeWrite,
  { values, removeOnly }: PartitionWork,
  tasks: readonly Task[],
  counts: MergeCounts,
): Promise<{ readonly files: readonly AddedFile[]; readonly misfitRowsGained: number }> {
  const { store } = world;
  const files: AddedFile[] = [];
  let misfitRowsGained = 0;
  const open = (): DataFileWriter => {
    const { location, table, spec } = write;
    const next = new DataFileWriter({
      store,
      ids: world.ids,
      location,
      table,
      spec,
      partition: values,
      sortOrderId: null,
    });
    write.written.push(next.path);
    return next;
  };
  let writer = open();
  const unit = (task: Task): Promise<MergeOutput> =>
    world.units.run<MergeInput, MergeOutput>(
      'merge',
      {
        sources: task.sources,
        before: write.before,
        table: write.table,
        oldSegments: task.oldSegments,
        segments: task.segments,
        groupRowsMax: write.groupRowsMax,
        removeOnly,
      },
      buffersOf(task.segments),
    );
  const run = async (task: Task): Promise<MergeOutput | null> =>
    task.copy === null ? unit(task) : null;
  try {
    await runOrdered(tasks, world.units.width, run, async (output, task) => {
      if (writer.byteCount > fileBytesTarget) {
        const file = await writer.close();
        if (file !== null) files.push(file);
        writer = open();
      }
      if (output === null) {
        const { file, group } = task.copy!;
        const readRange = (start: number, end: number): Promise<Uint8Array> =>
          store.read(file.uri, { start, end });
        const copied = await readRowGroup(readRange, file.footer, group);
        await writer.copy(copied, file.index![group]!, file.footer.rowGroups[group]!.rowCount);
        return;
      }
      for (const encoded of output.groups) {
        await writer.add(encoded);
        misfitRowsGained += encoded.misfitRows;
      }
      misfitRowsGained -= output.misfitRowsBefore;
      counts.inserted += output.inserted;
      counts.updated += output.updated;
      counts.deleted += output.deleted;
    });
    const file = await writer.close();
    if (file !== null) files.push(file);
  } catch (error) {
    await writer.abort();
    throw error;
  }
  return { files, misfitRowsGained };
}
