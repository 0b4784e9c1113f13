// All data files of an export through scan units: segments by place, and what was seen.

import type { ExportDataFile } from '../../schemas/export-manifest.js';
import type { TypeStats } from '../../transforms/type-stats.js';
import type { World } from '../ports.js';
import { addAttributeStats, type ScanInput, type ScanOutput } from '../units/scan-unit.js';
import type { Segment } from '../units/segments.js';
import { runOrdered } from './run-ordered.js';

/**
 * Bytes of segments held in memory; later ones go to scratch space, which costs about 0.1 s for each 100 MB. Each thread
 * more needs some 200 MB for itself, so the more there are, the less is held.
 */
function heldBytesMax(threads: number): number {
  return (192 * 1024 * 1024) / threads;
}
/** Items of one scan unit, about: enough to pay for itself, few enough to share out. */
const unitItems = 130_000;
/** Items of the units at the end, about, which are smaller so that all threads end at the same time. */
const lastUnitItems = 30_000;

/** What a scan of a whole export takes: a scan unit's input for all its files. */
export type ScanRequest = Omit<ScanInput, 'spill'>;

export interface ScannedExport {
  readonly segments: Segment[];
  readonly stats: Map<string, TypeStats>;
}

/** Scans and verifies every data file. Throws refusals. */
export async function scanExport(world: World, request: ScanRequest): Promise<ScannedExport> {
  const total = itemsOf(request.files);
  const step = world.reporter.step('read and verify', total, 'items');
  const segments: Segment[] = [];
  const stats = new Map<string, TypeStats>();
  let held = 0;
  let itemsDone = 0;
  let itemsUnderWay = 0;
  let isFull = false;
  await runOrdered(
    fileGroups(request.files, total, world.units.width),
    world.units.width,
    (files) => {
      // Units under way will hold about as many bytes per item as those that are done.
      const coming = (held / Math.max(1, itemsDone)) * itemsUnderWay;
      isFull ||= held + coming > heldBytesMax(world.units.width);
      itemsUnderWay += itemsOf(files);
      return world.units.run<ScanInput, ScanOutput>('scan', { ...request, files, spill: isFull });
    },
    async (output) => {
      for (const segment of output.segments) {
        held += segment.bytes?.length ?? 0;
        segments.push(segment);
      }
      itemsDone += output.records;
      itemsUnderWay -= output.records;
      addAttributeStats(stats, output.stats);
      step.advance(output.records);
    },
  );
  step.done();
  return { segments, stats };
}

/**
 * Data files in groups of about the same number of items, in their order; with several threads the groups get smaller
 * towards the end, since the last unit of one thread is what the others wait for.
 */
export function* fileGroups(
  files: readonly ExportDataFile[],
  total: number,
  width: number,
): Generator<ExportDataFile[]> {
  let left = total;
  let group: ExportDataFile[] = [];
  let items = 0;
  for (const file of files) {
    const share = width === 1 ? unitItems : Math.max(lastUnitItems, left / (2 * width));
    if (group.length > 0 && items + file.itemCount > Math.min(unitItems, share) * 1.2) {
      yield group;
      left -= items;
      group = [];
      items = 0;
    }
    group.push(file);
    items += file.itemCount;
  }
  if (group.length > 0) yield group;
}

function itemsOf(files: readonly ExportDataFile[]): number {
  return files.reduce((sum, file) => sum + file.itemCount, 0);
}
