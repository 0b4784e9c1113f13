// A key's number column gets another type in a partitioned table: partition values follow the type, so every row is cut
// anew, under a new partition spec, in the same commit as the window that made it necessary.
// Source: Apache Iceberg spec, "Partition Transforms": bucket hashes a long and a decimal differently.

import { DataFileWriter } from '../lake/data-file-writer.js';
import type { AddedFile } from '../lake/iceberg/snapshot-builder.js';
import { type LayoutField, routingFields } from '../lake/table-layout.js';
import { runOrdered } from '../load/run-ordered.js';
import type { ScannedExport } from '../load/scan-export.js';
import type { World } from '../ports.js';
import type { GroupSource, MergeInput, MergeOutput } from '../units/merge-unit.js';
import type { RerouteInput, RerouteOutput } from '../units/reroute-unit.js';
import type { Routing } from '../units/routing.js';
import { buffersOf, partitionText, type Segment } from '../units/segments.js';
import type { LivePartition } from './merge-plan.js';
import {
  groupSources,
  type MergeCounts,
  type MergeWrite,
  type PartitionResult,
} from './write-merge.js';

interface Partition {
  readonly values: Segment['partition'];
  readonly old: Segment[];
  readonly changes: Segment[];
}

/** Writes all rows, and a window's changes, under a new spec. Adds to `counts` what happened to rows. */
export async function repartition(
  world: World,
  write: MergeWrite,
  layout: readonly LayoutField[],
  live: readonly LivePartition[],
  rescan: (routing: Routing) => Promise<ScannedExport>,
  counts: MergeCounts,
): Promise<PartitionResult> {
  const routing: Routing = {
    fields: routingFields(layout, write.table.columns),
    splitters: new Map(),
    defaultSplitters: [],
  };
  const partitions = new Map<string, Partition>();
  const place = (segment: Segment): Partition => {
    const text = partitionText(segment.partition);
    let partition = partitions.get(text);
    if (partition === undefined) {
      partition = { values: segment.partition, old: [], changes: [] };
      partitions.set(text, partition);
    }
    return partition;
  };
  for (const segment of (await rescan(routing)).segments) place(segment).changes.push(segment);
  const { before, table, groupRowsMax } = write;
  await runOrdered(
    sourcesOf(live),
    world.units.width,
    (source) =>
      world.units.run<RerouteInput, RerouteOutput>('reroute', {
        source,
        before,
        table,
        routing,
      }),
    async ({ segments }) => {
      for (const segment of segments) place(segment).old.push(segment);
    },
  );
  const added: AddedFile[] = [];
  await runOrdered(
    partitions.values(),
    world.units.width,
    ({ old, changes }) =>
      world.units.run<MergeInput, MergeOutput>(
        'merge',
        {
          sources: [],
          before,
          table,
          oldSegments: old,
          segments: changes,
          groupRowsMax,
          removeOnly: false,
        },
        buffersOf(changes),
      ),
    async (output, partition) => {
      counts.inserted += output.inserted;
      counts.updated += output.updated;
      counts.deleted += output.deleted;
      const file = await writeFile(world, write, partition.values, output);
      if (file !== null) added.push(file);
    },
  );
  const removed = live.flatMap(({ files, newRows }) =>
    [...files, ...newRows].map((file) => file.entry.file.path),
  );
  // All rows are in the files added, which say themselves how many misfits they have.
  return { added, removed, misfitRowsGained: 0 };
}

function* sourcesOf(live: readonly LivePartition[]): Generator<GroupSource> {
  for (const { files, newRows } of live) {
    for (const file of [...files, ...newRows]) yield* groupSources(file);
  }
}

async function writeFile(
  world: World,
  write: MergeWrite,
  partition: Segment['partition'],
  output: MergeOutput,
): Promise<AddedFile | null> {
  const { location, table, spec } = write;
  const writer = new DataFileWriter({
    store: world.store,
    ids: world.ids,
    location,
    table,
    spec,
    partition,
    sortOrderId: null,
  });
  write.written.push(writer.path);
  try {
    for (const group of output.groups) await writer.add(group);
    return await writer.close();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}
