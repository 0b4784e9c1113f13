// Segments of all places become data files: ranges are encoded side by side, and written in the order of keys.

import type { TableColumns } from '../../schemas/columns.js';
import type { PartitionSpec } from '../../schemas/iceberg.js';
import { DataFileWriter, fileBytesTarget } from '../lake/data-file-writer.js';
import type { AddedFile } from '../lake/iceberg/snapshot-builder.js';
import type { World } from '../ports.js';
import type { EncodeInput, EncodeOutput } from '../units/encode-unit.js';
import { buffersOf, partitionText, type Segment } from '../units/segments.js';
import { runOrdered } from './run-ordered.js';

export interface EpochFiles {
  readonly location: string;
  readonly columns: TableColumns;
  readonly spec: PartitionSpec;
  readonly sortOrderId: number | null;
  /** Emptied, so that the memory of a range is free once its rows are encoded. */
  readonly segments: Segment[];
  readonly groupRowsMax: number;
  /** Gets the path of every file before it is written. */
  readonly written: string[];
}

interface Range {
  readonly partition: Segment['partition'];
  readonly text: string;
  readonly segments: Segment[];
}

/** Writes the data files of a new epoch. */
export async function writeEpoch(
  world: World,
  epoch: EpochFiles,
): Promise<{ readonly files: AddedFile[]; readonly rows: number }> {
  const files: AddedFile[] = [];
  const total = epoch.segments.reduce((sum, segment) => sum + segment.rowCount, 0);
  const step = world.reporter.step('sort and write', total, 'rows');
  let rows = 0;
  let writer: DataFileWriter | null = null;
  let open = '';
  const close = async (): Promise<void> => {
    const file = await writer?.close();
    if (file != null) files.push(file);
    writer = null;
  };
  try {
    await runOrdered(
      eachOf(rangesOf(epoch.segments.splice(0))),
      world.units.width,
      ({ segments }) =>
        world.units.run<EncodeInput, EncodeOutput>(
          'encode',
          { segments, table: epoch.columns, groupRowsMax: epoch.groupRowsMax },
          buffersOf(segments),
        ),
      async (output, range) => {
        if (writer !== null && (open !== range.text || writer.byteCount > fileBytesTarget)) {
          await close();
        }
        if (writer === null) {
          writer = new DataFileWriter({
            store: world.store,
            ids: world.ids,
            location: epoch.location,
            table: epoch.columns,
            spec: epoch.spec,
            partition: range.partition,
            sortOrderId: epoch.sortOrderId,
          });
          epoch.written.push(writer.path);
          open = range.text;
        }
        for (const group of output.groups) await writer.add(group);
        rows += output.rows;
        step.advance(output.rows);
      },
    );
    await close();
  } catch (error) {
    await (writer as DataFileWriter | null)?.abort();
    throw error;
  }
  step.done();
  return { files, rows };
}

/** The ranges, forgotten one by one. */
function* eachOf(ranges: Range[]): Generator<Range> {
  ranges.reverse();
  for (let range = ranges.pop(); range !== undefined; range = ranges.pop()) yield range;
}

/** Segments by partition and range, partitions in any one order, ranges ascending in each. */
function rangesOf(segments: readonly Segment[]): Range[] {
  const byPlace = new Map<string, Range & { range: number }>();
  for (const segment of segments) {
    const text = partitionText(segment.partition);
    const place = `${text}/${segment.range}`;
    const range = byPlace.get(place);
    if (range === undefined) {
      const { partition } = segment;
      byPlace.set(place, { partition, text, range: segment.range, segments: [segment] });
    } else range.segments.push(segment);
  }
  return [...byPlace.values()].sort((a, b) =>
    a.text === b.text ? a.range - b.range : a.text < b.text ? -1 : 1,
  );
}
