// A first look at an export: the key's types, what kinds of values there are, how big rows are, and how keys are
// spread. Only ever a guess: it decides how fast a load is, never what it writes.

import type { KeyAttribute, KeyTag } from '../../schemas/attribute.js';
import type { ExportDataFile } from '../../schemas/export-manifest.js';
import { ScanLane } from '../../transforms/kernel/scan-lane.js';
import { planTypes } from '../../transforms/plan-types.js';
import { ItemScanner, scanKeyType } from '../../transforms/scan-items.js';
import { sortedOrder } from '../../transforms/sort-keys.js';
import type { TypeStats } from '../../transforms/type-stats.js';
import { streamDataFile } from '../export/stream-data-file.js';
import type { World } from '../ports.js';
import { groupRowsMax } from '../units/row-groups.js';
import { addAttributeStats, scanTypes } from '../units/scan-unit.js';

/** What a sample tells. */
export interface Sample {
  readonly key: readonly KeyAttribute[];
  readonly stats: Map<string, TypeStats>;
  /** Bytes of columns per row; 0 when nothing was seen. */
  readonly rowBytes: number;
  /** Sampled keys in order, in comparable form. */
  readonly keys: readonly Uint8Array[];
}

const filesMax = 8;
const bytesPerFile = 512 * 1024;
/** Sampled keys for each row group to come: fewer make key ranges of very different sizes. */
const keysPerGroup = 160;

/** Looks at the beginnings of some data files. Damage is passed over here: the load itself meets it, and refuses. */
export async function sampleExport(
  world: World,
  files: readonly ExportDataFile[],
  keyNames: readonly string[],
): Promise<Sample> {
  const full = files.filter((file) => file.itemCount > 0);
  const step = Math.max(1, Math.floor(full.length / filesMax));
  const stats = new Map<string, TypeStats>();
  const keys: Uint8Array[] = [];
  let key: readonly KeyAttribute[] | null = null;
  let bytes = 0;
  for (let i = 0; i < full.length && i < filesMax * step; i += step) {
    const lines = await firstLines(world, full[i]!);
    if (lines === null) continue;
    key ??= keyOf(lines, keyNames);
    if (key === null) continue;
    const types = key.map(({ name, tag }) => ({ attribute: name, type: scanKeyType(tag) }));
    const scanner = new ItemScanner({ types, key });
    try {
      scanner.scanItems(lines);
    } catch {
      continue; // the scan of the whole file says what is wrong, and where
    }
    const { rows, stats: seen } = scanner.finish();
    addAttributeStats(stats, seen);
    bytes += rows.byteSize;
    for (const row of sortedOrder(rows.keys)) {
      keys.push(rows.keys.data.slice(rows.keys.offsets[row]!, rows.keys.offsets[row + 1]!));
    }
  }
  // Misfit text is about twice the size of columns.
  const rowBytes = keys.length === 0 ? 0 : bytes / keys.length / 2;
  if (key !== null) {
    const rest = full.filter((_, i) => i % step !== 0 || i >= filesMax * step);
    keys.push(...(await moreKeys(world, rest, key, stats, wantedKeys(files) - keys.length)));
  }
  keys.sort(Buffer.compare);
  const found = key ?? keyNames.map((name) => ({ name, tag: 'S' as const }));
  return { key: found, stats, rowBytes, keys };
}

function wantedKeys(files: readonly ExportDataFile[]): number {
  const items = files.reduce((sum, { itemCount }) => sum + itemCount, 0);
  return (items / groupRowsMax) * keysPerGroup;
}

/** Keys of usual items from the beginnings of more files, until there are enough. */
async function moreKeys(
  world: World,
  files: readonly ExportDataFile[],
  key: readonly KeyAttribute[],
  stats: ReadonlyMap<string, TypeStats>,
  wanted: number,
): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  if (wanted <= 0) return found;
  const lane = new ScanLane();
  try {
    lane.setPlan({ types: scanTypes(planTypes(key, stats), key), key });
    for (const file of files) {
      if (found.length >= wanted) break;
      const lines = await firstLines(world, file);
      if (lines === null) continue;
      lane.scan(lines, () => undefined);
      const { keys } = lane.finish().rows;
      for (let row = 0; row < keys.n; row++) {
        found.push(keys.data.slice(keys.offsets[row]!, keys.offsets[row + 1]!));
      }
      lane.reset();
    }
  } finally {
    lane.close();
  }
  return found;
}

async function firstLines(world: World, file: ExportDataFile): Promise<Uint8Array | null> {
  try {
    for await (const block of streamDataFile(world.store, file)) {
      if (block.length <= bytesPerFile) return block;
      const end = block.lastIndexOf(10, bytesPerFile);
      return end < 0 ? block : block.subarray(0, end + 1);
    }
  } catch {
    // As above: the scan meets the same damage and refuses.
  }
  return null;
}

/** The key's types, as the first item has them; null when it lacks them. */
function keyOf(lines: Uint8Array, names: readonly string[]): KeyAttribute[] | null {
  const end = lines.indexOf(10);
  const first = Buffer.from(lines.subarray(0, end < 0 ? lines.length : end)).toString('utf8');
  let item: Map<string, string>;
  try {
    const parsed = JSON.parse(first) as { Item?: Record<string, Record<string, unknown>> };
    item = new Map(
      Object.entries(parsed.Item ?? {}).map(([name, value]) => [name, Object.keys(value)[0] ?? '']),
    );
  } catch {
    return null;
  }
  const key: KeyAttribute[] = [];
  for (const name of names) {
    const tag = item.get(name);
    if (tag !== 'S' && tag !== 'N' && tag !== 'B') return null;
    key.push({ name, tag: tag as KeyTag });
  }
  return key;
}

/** Keys that cut the sampled keys into `ranges` of about the same size: one fewer than ranges, ascending, distinct. */
export function splittingKeys(keys: readonly Uint8Array[], ranges: number): Uint8Array[] {
  const splitters: Uint8Array[] = [];
  for (let i = 1; i < ranges; i++) {
    const key = keys[Math.floor((i * keys.length) / ranges)];
    const last = splitters.at(-1);
    if (key !== undefined && (last === undefined || Buffer.compare(last, key) < 0)) {
      splitters.push(key);
    }
  }
  return splitters;
}
