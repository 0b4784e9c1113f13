// The files of one partition written anew: sorted, of the target size, without delete files.
// Promises: the rows are those that are live, each once; row groups of a good size that lose no row are copied byte for byte.
// A partition whose files have no common order goes the way of a merge: its rows are cut by key into scratch space.

import { DataFileWriter, fileBytesTarget } from '../lake/data-file-writer.js';
import type { AddedFile } from '../lake/iceberg/snapshot-builder.js';
import { readRowGroup } from '../lake/parquet/assembler.js';
import { runOrdered } from '../load/run-ordered.js';
import type { LiveFile, LivePartition } from '../merge/merge-plan.js';
import {
  groupSources,
  hasColumns,
  type MergeWrite,
  recut,
  writePartition,
} from '../merge/write-merge.js';
import type { World } from '../ports.js';
import type { GroupSource, MergeInput, MergeOutput } from '../units/merge-unit.js';
import { groupBytesMax } from '../units/row-groups.js';
import type { Segment } from '../units/segments.js';

/** How many times larger rows are in columns than in files, about. */
const inflation = 5;

/** Row groups that become new ones together, or one that is copied. */
type Task =
  | {
      readonly kind: 'write';
      readonly sources: readonly GroupSource[];
      /** New rows with keys among those of the sources. */
      readonly newRows: readonly Segment[];
    }
  | { readonly kind: 'copy'; readonly file: LiveFile; readonly group: number };

/** Writes the new files of a partition; they belong to the spec of `write`. */
export async function writeCompacted(
  world: World,
  write: MergeWrite,
  partition: LivePartition,
): Promise<readonly AddedFile[]> {
  if (partition.lastKeys !== null) return writeOrdered(world, write, partition);
  const counts = { inserted: 0, updated: 0, deleted: 0 };
  const work = {
    values: partition.values,
    live: partition,
    changes: new Map(),
    whole: true,
    table: write.table,
    removeOnly: false,
  };
  return (await writePartition(world, write, work, counts)).added;
}

async function writeOrdered(
  world: World,
  write: MergeWrite,
  partition: LivePartition,
): Promise<readonly AddedFile[]> {
  const { location, table, spec, specId } = write;
  const files: AddedFile[] = [];
  const open = (): DataFileWriter => {
    const next = new DataFileWriter({
      store: world.store,
      ids: world.ids,
      location,
      table,
      spec,
      partition: partition.values,
      sortOrderId: null,
    });
    write.written.push(next.path);
    return next;
  };
  const { segments: newRows } = await recut(
    world,
    write,
    partition.newRows,
    partition.lastKeys!.slice(0, -1),
  );
  let writer = open();
  const close = async (): Promise<void> => {
    const file = await writer.close();
    if (file !== null) files.push(specId === null ? file : { ...file, specId });
  };
  const run = async (task: Task): Promise<MergeOutput | null> => {
    if (task.kind === 'copy') return null;
    return world.units.run<MergeInput, MergeOutput>('merge', {
      sources: task.sources,
      before: write.before,
      table,
      oldSegments: task.newRows,
      segments: [],
      groupRowsMax: write.groupRowsMax,
      removeOnly: false,
    });
  };
  try {
    await runOrdered(
      tasksOf(write, partition.files, newRows),
      world.units.width,
      run,
      async (output, task) => {
        if (writer.byteCount > fileBytesTarget) {
          await close();
          writer = open();
        }
        for (const group of output?.groups ?? []) await writer.add(group);
        if (task.kind === 'copy') await copy(world, writer, task.file, task.group);
      },
    );
    await close();
  } catch (error) {
    await writer.abort();
    throw error;
  }
  return files;
}

async function copy(
  world: World,
  writer: DataFileWriter,
  file: LiveFile,
  group: number,
): Promise<void> {
  const readRange = (start: number, end: number): Promise<Uint8Array> =>
    world.store.read(file.uri, { start, end });
  const copied = await readRowGroup(readRange, file.footer, group);
  await writer.copy(copied, file.index![group]!, file.footer.rowGroups[group]!.rowCount);
}

/** Row groups in the order of their keys, each a range: small ones, and those that lose or get rows, together up to the size
 *  of a group. */
function* tasksOf(
  write: MergeWrite,
  files: readonly LiveFile[],
  newRows: ReadonlyMap<number, readonly Segment[]>,
): Generator<Task> {
  const rowsMax = write.groupRowsMax;
  let sources: GroupSource[] = [];
  let segments: Segment[] = [];
  let rows = 0;
  let bytes = 0;
  let range = 0;
  for (const file of files) {
    const isCopyable = hasColumns(file.footer, write.table);
    for (const [group, source] of groupSources(file).entries()) {
      const own = newRows.get(range++) ?? [];
      const { rowCount, byteStart, byteEnd } = file.footer.rowGroups[group]!;
      const size = (byteEnd - byteStart) * inflation;
      const isFull = rowCount * 2 >= rowsMax || size * 2 >= groupBytesMax;
      const isCopied = isCopyable && isFull && source.deleted === null && own.length === 0;
      const isOver = rows + rowCount > rowsMax || bytes + size > groupBytesMax;
      if (sources.length > 0 && (isCopied || isOver)) {
        yield { kind: 'write', sources, newRows: segments };
        [sources, segments, rows, bytes] = [[], [], 0, 0];
      }
      if (isCopied) {
        yield { kind: 'copy', file, group };
        continue;
      }
      sources.push(source);
      segments.push(...own);
      rows += rowCount - (source.deleted?.length ?? 0);
      for (const segment of own) rows += segment.rowCount;
      bytes += size;
    }
  }
  if (sources.length > 0) yield { kind: 'write', sources, newRows: segments };
}
