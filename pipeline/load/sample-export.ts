// A first look at an export: the key's types, what kinds of values there are, how big rows are, and how keys are
// spread. Only ever a guess: it decides how fast a load is, never what it writes.

import type { KeyAttribute, KeyTag } from '../../schemas/attribute.js';
import type { ExportDataFile } from '../../schemas/export-manifest.js';
import { ItemScanner, scanKeyType } from '../../transforms/scan-items.js';
import { sortedOrder } from '../../transforms/sort-keys.js';
import type { TypeStats } from '../../transforms/type-stats.js';
import { streamDataFile } from '../export/stream-data-file.js';
import type { World } from '../ports.js';
import { addAttributeStats } from '../units/scan-unit.js';

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
  keys.sort(Buffer.compare);
  const found = key ?? keyNames.map((name) => ({ name, tag: 'S' as const }));
  // Misfit text is about twice the size of columns.
  return { key: found, stats, rowBytes: keys.length === 0 ? 0 : bytes / keys.length / 2, keys };
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
