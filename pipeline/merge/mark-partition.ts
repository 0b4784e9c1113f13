// A partition changed without rewriting it: delete files for the old rows, and one file for what the items are now.
// Promises: each data file has at most one delete file, which holds all its deleted positions; the one before it leaves in the
// same commit. Source: Apache Iceberg spec, "Position Delete Files"; DESIGN.md, "The table" (two ways to change a bucket).

import type { ManifestEntry } from '../../schemas/iceberg.js';
import { DataFileWriter } from '../lake/data-file-writer.js';
import { deletesByDataFile, targetOf } from '../lake/iceberg/live-files.js';
import { locate } from '../lake/iceberg/paths.js';
import type { AddedFile } from '../lake/iceberg/snapshot-builder.js';
import { partitionPath } from '../lake/iceberg/transforms.js';
import type { OpenTable } from '../lake/open-table.js';
import { deleteFileEntry, type EncodedDeletes } from '../lake/position-delete-file.js';
import { readDeletedRows } from '../lake/position-deletes.js';
import type { World } from '../ports.js';
import type { MarkedFile, MarkInput, MarkOutput } from '../units/mark-unit.js';
import type { RowGroup } from '../units/row-groups.js';
import { buffersOf, type Segment } from '../units/segments.js';
import type { FileFacts, PartitionFacts } from './choose-way.js';
import type { PartitionFiles } from './merge-plan.js';
import type { MergeCounts, MergeWrite, PartitionResult } from './write-merge.js';

/** A partition to mark. */
export interface MarkWork {
  readonly partition: PartitionFiles;
  readonly segments: readonly Segment[];
  /** Paths of data files to fold in. */
  readonly fold: readonly string[];
  /** See PartitionWork. */
  readonly removeOnly: boolean;
}

/** A marked partition, and the data files that its new delete files are for. */
export interface MarkResult extends PartitionResult {
  readonly targets: readonly string[];
}

/** What the choice of the way depends on, for one partition. */
export function partitionFacts({ data, deletes }: PartitionFiles, changes: number): PartitionFacts {
  return {
    files: data.map(
      ({ file }): FileFacts => ({
        path: file.path,
        bytes: Number(file.fileSizeBytes),
        rows: Number(file.recordCount),
      }),
    ),
    deletedRows: deletes.reduce((rows, { file }) => rows + Number(file.recordCount), 0),
    areDeletesBound: deletes.every((entry) => targetOf(entry) !== null),
    changes,
  };
}

/** Finds the changed rows of a partition; nothing is written yet. */
export async function runMark(
  world: World,
  open: OpenTable,
  { before, table, groupRowsMax }: MergeWrite,
  { partition, segments, fold, removeOnly }: MarkWork,
): Promise<MarkOutput> {
  const { data, deletes } = partition;
  const { positions } = await readDeletedRows(world.store, open, {
    data,
    positionDeletes: deletes,
  });
  const folded = new Set(fold);
  const marked = ({ file }: ManifestEntry): MarkedFile => ({
    path: file.path,
    uri: locate(open.md.location, open.location, file.path),
    size: Number(file.fileSizeBytes),
    deleted: positions.get(file.path) ?? null,
  });
  return world.units.run<MarkInput, MarkOutput>(
    'mark',
    {
      files: data.filter(({ file }) => !folded.has(file.path)).map(marked),
      fold: data
        .filter(({ file }) => folded.has(file.path))
        .map((entry) => ({ ...marked(entry), groups: null })),
      before,
      table,
      segments,
      groupRowsMax,
      removeOnly,
    },
    buffersOf(segments),
  );
}

/** Writes what `runMark` found. Adds to `counts` what happened to rows. */
export async function writeMark(
  world: World,
  write: MergeWrite,
  { partition, fold }: MarkWork,
  output: MarkOutput,
  counts: MergeCounts,
): Promise<MarkResult> {
  counts.inserted += output.inserted;
  counts.updated += output.updated;
  counts.deleted += output.deleted;
  const emptied = output.deletes.filter((one) => one.deletes === null).map((one) => one.path);
  const marks = output.deletes.flatMap(({ path, deletes }) =>
    deletes === null ? [] : [{ path, deletes }],
  );
  const targets = marks.map((one) => one.path);
  const byData = deletesByDataFile(partition.data, partition.deletes);
  const removed = new Set([...fold, ...emptied]);
  for (const path of [...removed, ...targets])
    for (const { file } of byData.get(path) ?? []) removed.add(file.path);
  const added = await allWritten([
    ...(output.groups.length === 0 ? [] : [writeNewRows(world, write, partition, output.groups)]),
    ...marks.map(({ path, deletes }) => writeDeletes(world, write, partition, path, deletes)),
  ]);
  const { misfitRowsGained } = output;
  return { added, removed: [...removed], misfitRowsGained, targets };
}

/** All results. Throws the first error, when nothing is being written any more: who tidies up then finds every file. */
async function allWritten(writes: readonly Promise<AddedFile>[]): Promise<AddedFile[]> {
  await Promise.allSettled(writes);
  return Promise.all(writes);
}

async function writeNewRows(
  world: World,
  { location, table, spec, specId, written }: MergeWrite,
  { values }: PartitionFiles,
  groups: readonly RowGroup[],
): Promise<AddedFile> {
  const writer = new DataFileWriter({
    store: world.store,
    ids: world.ids,
    location,
    table,
    spec,
    partition: values,
    sortOrderId: null,
    isNewRows: true,
  });
  written.push(writer.path);
  try {
    for (const group of groups) await writer.add(group);
    const file = (await writer.close())!;
    return specId === null ? file : { ...file, specId };
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

async function writeDeletes(
  world: World,
  { location, spec, written }: MergeWrite,
  { data, values }: PartitionFiles,
  target: string,
  deletes: EncodedDeletes,
): Promise<AddedFile> {
  const folder = partitionPath(spec, values);
  const name = `${world.ids.uuid()}-deletes.parquet`;
  const path = `${location}/data/${folder === '' ? '' : `${folder}/`}${name}`;
  written.push(path);
  const writer = await world.store.create(path);
  try {
    await writer.write(deletes.bytes);
    await writer.close();
  } catch (error) {
    await writer.abort();
    throw error;
  }
  return deleteFileEntry(path, data.find(({ file }) => file.path === target)!, deletes);
}
