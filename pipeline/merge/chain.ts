// Which of several windows to apply, and in what order: the contiguous chain that reaches furthest.

import type { IncrementalExport } from '../../schemas/export-manifest.js';

type Windowed = Pick<IncrementalExport, 'window' | 'exportArn'>;

/** The windows of the longest chain from an instant, in order. Each starts exactly where the one before ends; where
 *  several start at one instant, the choice that reaches furthest wins (then the first by end and ARN). */
export function longestChain<T extends Windowed>(windows: readonly T[], fromMs: number): T[] {
  return chainsOf(windows)(fromMs);
}

/** `longestChain` for many instants over the same windows. */
export function chainsOf<T extends Windowed>(windows: readonly T[]): (fromMs: number) => T[] {
  return indexChains(windows).chain;
}

/** The chains over some windows, from any instant. */
export interface ChainIndex<T> {
  /** The chain from an instant; empty when no window starts there. */
  readonly chain: (fromMs: number) => T[];
  /** Where that chain ends; the instant itself when it is empty. */
  readonly reachMs: (fromMs: number) => number;
}

export function indexChains<T extends Windowed>(windows: readonly T[]): ChainIndex<T> {
  const sorted = [...windows].sort(
    (a, b) =>
      b.window.fromMs - a.window.fromMs ||
      a.window.toMs - b.window.toMs ||
      (a.exportArn < b.exportArn ? -1 : 1),
  );
  // From the last start back: where a chain from each instant ends, and its first window.
  const best = new Map<number, { endMs: number; first: T }>();
  for (const one of sorted) {
    const endMs = best.get(one.window.toMs)?.endMs ?? one.window.toMs;
    const known = best.get(one.window.fromMs);
    if (known === undefined || endMs > known.endMs) {
      best.set(one.window.fromMs, { endMs, first: one });
    }
  }
  return {
    chain: (fromMs) => {
      const chain: T[] = [];
      for (let at = best.get(fromMs); at !== undefined; at = best.get(at.first.window.toMs)) {
        chain.push(at.first);
      }
      return chain;
    },
    reachMs: (fromMs) => best.get(fromMs)?.endMs ?? fromMs,
  };
}
