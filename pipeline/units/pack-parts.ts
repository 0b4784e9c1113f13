// Rows cut into the parts that a routing gives them, each packed as a segment has it.

import { orderInKernel } from '../../transforms/kernel/gather-rows.js';
import { isForKernel, useKernel } from '../../transforms/kernel/idle-kernel.js';
import type { KernelExports } from '../../transforms/kernel/kernel.js';
import type { Rows } from '../../transforms/make-columns.js';
import { packOrdered, packRows, unpackRows } from '../../transforms/pack-rows.js';
import type { Routed } from './routing.js';

/**
 * The rows of each part, packed.
 *
 * @param rows settled
 * @param home the kernel that columns of theirs lie in, if any; those are void afterwards
 */
export function packParts(
  rows: Rows,
  { order, parts }: Routed,
  home: KernelExports | null = null,
): Uint8Array[] {
  if (parts.length === 1) return [packRows(rows)];
  if (home === null && !isForKernel([rows])) {
    return parts.map(({ start, end }) => packOrdered(rows, order.subarray(start, end)));
  }
  // First all rows in the kernel, part after part, then each part out of it in whole runs.
  return useKernel((kernel) => {
    const ordered = unpackRows(rows.types, orderInKernel(kernel, rows, order));
    return parts.map(({ start, end }) => packRows(ordered, start, end));
  }, home);
}
