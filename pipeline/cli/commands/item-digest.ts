// Whether two tables are the same, item for item, without holding either: a count and an order-free digest of canonical items.
// Promises: two tables of distinct keys are the same when both are; an item that is there twice makes a difference.
// Spec: the way back, DESIGN "The command".

import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { World } from '../../ports.js';
import type { SimulatorModule } from '../simulator-module.js';

export interface ItemDigest {
  readonly count: number;
  readonly sum: bigint;
}

/** Of items of a simulated table. */
export function digestOfItems(
  simulator: SimulatorModule,
  items: Iterable<Parameters<SimulatorModule['canonicalItem']>[0]>,
): ItemDigest {
  return digestOf(canonicalItems(simulator, items));
}

/** Of the items that `unload` wrote below a folder. */
export async function digestOfUnloaded(
  world: World,
  simulator: SimulatorModule,
  outUri: string,
): Promise<ItemDigest> {
  let digest: ItemDigest = { count: 0, sum: 0n };
  for await (const file of world.store.list(outUri)) {
    const lines = gunzipSync(await world.store.read(file.uri));
    digest = digestOf(canonicalLines(simulator, lines), digest);
  }
  return digest;
}

export function isSameDigest(a: ItemDigest, b: ItemDigest): boolean {
  return a.count === b.count && a.sum === b.sum;
}

function digestOf(items: Iterable<string>, from: ItemDigest = { count: 0, sum: 0n }): ItemDigest {
  let { count, sum } = from;
  for (const item of items) {
    count += 1;
    // A sum, not an exclusive or: an item that came back twice must not cancel itself.
    const hash = createHash('sha256').update(item).digest();
    sum += (hash.readBigUInt64BE(0) << 64n) | hash.readBigUInt64BE(8);
  }
  return { count, sum };
}

function* canonicalItems(
  simulator: SimulatorModule,
  items: Iterable<Parameters<SimulatorModule['canonicalItem']>[0]>,
): Generator<string, void, undefined> {
  for (const item of items) yield simulator.canonicalItem(item);
}

function* canonicalLines(
  simulator: SimulatorModule,
  lines: Uint8Array,
): Generator<string, void, undefined> {
  for (let at = 0; at < lines.length; ) {
    const end = lines.indexOf(0x0a, at);
    const line = lines.subarray(at, end < 0 ? lines.length : end);
    at += line.length + 1;
    if (line.length > 0) yield simulator.canonicalLine(line);
  }
}
