// The changes of a window into the partitions of one spec, each by the way that is chosen for it.
// Promises: files are read of partitions that changes fall into, and of no others, unless every row has to be rewritten.
// Spec: DESIGN.md, "The table" (two ways to change a bucket); choose-way.ts.

import type { TableColumns } from '../../schemas/columns.js';
import type { OpenTable } from '../lake/open-table.js';
import { runOrdered } from '../load/run-ordered.js';
import type { Scratch, World } from '../ports.js';
import { packParts } from '../units/pack-parts.js';
import { routeRows } from '../units/routing.js';
import { partitionText, readSegment, type Segment } from '../units/segments.js';
import { chooseWay, type ForcedWay } from './choose-way.js';
import {
  type MarkResult,
  type MarkWork,
  partitionFacts,
  runMark,
  writeMark,
} from './mark-partition.js';
import { type LivePartition, type PartitionFiles, readPartitions } from './merge-plan.js';
import {
  type MergeCounts,
  type MergeWrite,
  type PartitionResult,
  type PartitionWork,
  writePartition,
} from './write-merge.js';

/** Bytes of data files that are written anew in this thread, rather than by threads that have to be started. */
const nearBytesMax = 4 * 1024 * 1024;

/** What is the same for all specs of a table. */
export interface Placing {
  readonly world: World;
  /** The world whose units are nearest, as the window's size wants it. */
  readonly near: World;
  readonly open: OpenTable;
  /** Every row has to be rewritten. */
  readonly isWhole: boolean;
  readonly way: ForcedWay | undefined;
  readonly counts: MergeCounts;
  readonly take: (result: PartitionResult & Partial<Pick<MarkResult, 'targets'>>) => void;
}

/** A partition to write anew; null files: it has none yet. */
interface Rewriting {
  readonly partition: PartitionFiles | null;
  readonly values: Segment['partition'];
  readonly segments: readonly Segment[];
}

/** Writes the changes into `partitions`, those of one spec. `live`: what was read of them already, with the segments cut along
 *  it; null: nothing was. With `removeOnly` only rows are taken out (see PartitionWork). */
export async function placeChanges(
  placing: Placing,
  write: MergeWrite,
  partitions: readonly PartitionFiles[],
  live: readonly LivePartition[] | null,
  segments: readonly Segment[],
  removeOnly: boolean,
): Promise<void> {
  const { world, near, open, counts, take } = placing;
  const { marks, rewritings } = choose(placing, partitions, segments, removeOnly);
  const step = world.reporter.step('merge', marks.length + rewritings.length, 'partitions');
  await runOrdered(
    marks,
    near.units.width,
    (work) => runMark(near, open, write, work),
    async (output, work) => {
      take(await writeMark(near, write, work, output, counts));
      step.advance(1);
    },
  );
  const bytes = rewritings.reduce((sum, one) => sum + bytesOf(one), 0);
  const by = bytes <= nearBytesMax ? near : world;
  const known = new Map((live ?? []).map((one) => [one.text, one]));
  for (const { partition, values, segments: own } of rewritings) {
    let found: LivePartition | null = null;
    if (partition !== null) {
      found = known.get(partition.text) ?? (await readPartitions(world, open, [partition]))[0]!;
    }
    const work: PartitionWork = {
      values,
      live: found,
      changes:
        live === null ? await cutByRange(own, found, write.before, world.scratch) : byRange(own),
      whole: placing.isWhole,
      table: write.table,
      removeOnly,
    };
    const result = await writePartition(by, write, work, counts);
    take({ ...result, removed: [...result.removed, ...spentDeletes(found, result.removed)] });
    step.advance(1);
  }
  step.done();
}

function bytesOf({ partition, segments }: Rewriting): number {
  const files = partition?.data ?? [];
  const old = files.reduce((sum, { file }) => sum + Number(file.fileSizeBytes), 0);
  return old + segments.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0);
}

/** The way of each partition that has to be touched. */
function choose(
  { isWhole, way: forced }: Placing,
  partitions: readonly PartitionFiles[],
  segments: readonly Segment[],
  removeOnly: boolean,
): { readonly marks: readonly MarkWork[]; readonly rewritings: readonly Rewriting[] } {
  const changes = new Map<string, Segment[]>();
  for (const segment of segments) {
    const text = partitionText(segment.partition);
    const own = changes.get(text);
    if (own === undefined) changes.set(text, [segment]);
    else own.push(segment);
  }
  const marks: MarkWork[] = [];
  const rewritings: Rewriting[] = [];
  for (const partition of partitions) {
    const own = changes.get(partition.text) ?? [];
    changes.delete(partition.text);
    const count = own.reduce((sum, { rowCount }) => sum + rowCount, 0);
    if (count === 0 && !isWhole) continue;
    const chosen = isWhole ? null : chooseWay(partitionFacts(partition, count), forced);
    if (chosen?.way === 'mark') {
      marks.push({ partition, segments: own, fold: chosen.fold, removeOnly });
    } else rewritings.push({ partition, values: partition.values, segments: own });
  }
  if (removeOnly) return { marks, rewritings };
  for (const own of changes.values()) {
    rewritings.push({ partition: null, values: own[0]!.partition, segments: own });
  }
  return { marks, rewritings };
}

function byRange(segments: readonly Segment[]): Map<number, Segment[]> {
  const ranges = new Map<number, Segment[]>();
  for (const segment of segments) {
    const range = ranges.get(segment.range);
    if (range === undefined) ranges.set(segment.range, [segment]);
    else range.push(segment);
  }
  return ranges;
}

/** Changes of a partition that were scanned as one range, cut along its row groups. */
async function cutByRange(
  segments: readonly Segment[],
  live: LivePartition | null,
  { key }: TableColumns,
  scratch: Scratch,
): Promise<Map<number, Segment[]>> {
  const splitters = live?.lastKeys?.slice(0, -1) ?? live?.cuts ?? [];
  if (splitters.length === 0) return byRange(segments);
  const routing = { fields: [], splitters: new Map(), defaultSplitters: splitters };
  const cut: Segment[] = [];
  for (const segment of segments) {
    const rows = await readSegment(segment, scratch);
    const routed = routeRows(rows, key, routing);
    const packed = packParts(rows, routed);
    routed.parts.forEach(({ range, start, end }, i) => {
      cut.push({ ...segment, range, rowCount: end - start, bytes: packed[i]!, ref: null });
    });
  }
  return byRange(cut);
}

/** The delete files of a partition that delete nothing more once `removed` is gone. */
function spentDeletes(live: LivePartition | null, removed: readonly string[]): string[] {
  if (live === null || removed.length === 0) return [];
  const gone = new Set(removed);
  return [...live.deleteTargets]
    .filter(([, targets]) => [...targets].every((target) => gone.has(target)))
    .map(([path]) => path);
}
