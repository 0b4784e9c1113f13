// The fast lane beside the scanner of every case: what the lane takes must be what that scanner takes, byte for byte.
// Promises: a line that the scanner refuses is never taken by the lane.

import { expect } from 'vitest';
import { scanTypes } from '../../pipeline/units/scan-unit.js';
import type { KeyAttribute } from '../../schemas/attribute.js';
import { ScanLane } from '../../transforms/kernel/scan-lane.js';
import type { TypedAttribute } from '../../transforms/make-columns.js';
import { packRows } from '../../transforms/pack-rows.js';
import { ItemScanner } from '../../transforms/scan-items.js';
import { addStats, emptyStats, type TypeStats } from '../../transforms/type-stats.js';

/** Scans lines by both. Gives how many lines the lane took and left. */
export function checkLane(
  block: Uint8Array,
  types: readonly TypedAttribute[],
  key: readonly KeyAttribute[],
  records: 'items' | 'changes' = 'items',
): { readonly taken: number; readonly left: readonly number[] } {
  const plan = { types: scanTypes(types, key), key };
  const lane = new ScanLane();
  try {
    lane.setPlan(plan, records);
    const left: number[] = [];
    const leftBytes: Uint8Array[] = [];
    const lines = lane.scan(block, (line, index) => {
      left.push(index);
      leftBytes.push(line);
    });
    const all = linesIn(block);
    expect(lines).toBe(all.length);
    expect(isSame(Buffer.concat(leftBytes), Buffer.concat(left.map((i) => all[i]!)))).toBe(true);
    const reference = new ItemScanner(plan);
    const taken = Buffer.concat(all.filter((_, index) => !left.includes(index)));
    if (records === 'items') reference.scanItems(taken);
    else reference.scanChanges(taken);
    const expected = reference.finish();
    const found = lane.finish();
    expect(found.rows.n).toBe(lines - left.length);
    expect(isSame(packRows(found.rows), packRows(expected.rows))).toBe(true);
    expect(counted(found.stats)).toEqual(counted(expected.stats));
    return { taken: found.rows.n, left };
  } finally {
    lane.close();
  }
}

/** Compares as bytes: the runner would look at one after the other. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Statistics without places where nothing was seen. */
function counted(stats: ReadonlyMap<string, TypeStats>): Map<string, TypeStats> {
  const all = new Map<string, TypeStats>();
  for (const [name, one] of stats) {
    const own = emptyStats();
    addStats(own, one);
    if (Object.keys(own.counts).length > 0) all.set(name, own);
  }
  return all;
}

function linesIn(block: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < block.length; ) {
    const newline = block.indexOf(10, start);
    const end = newline < 0 ? block.length : newline + 1;
    lines.push(block.subarray(start, end));
    start = end;
  }
  return lines;
}
