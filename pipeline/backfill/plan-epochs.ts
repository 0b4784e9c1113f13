// From the exports of one table that lie somewhere to the epochs they make: full exports, and the chain of windows after each.
// A pure function of what is there and where the lake stands; the order in which exports are given does not matter.
// Promises: every window of an epoch starts exactly where the one before ends; epochs do not overlap; the last one ends at
// the newest instant that any chain reaches, and starts with the earliest full export that leads there, so that no full export
// is loaded whose state the windows give. Time before that is covered by earlier epochs, chosen in the same way.

import type { FullExport, IncrementalExport } from '../../schemas/export-manifest.js';
import { indexChains } from '../merge/chain.js';

/** One full export and the windows after it. */
export interface PlannedEpoch {
  /** Null: the epoch that the lake is in, from its watermark on. */
  readonly full: FullExport | null;
  /** Instant of the full export, or the lake's watermark. */
  readonly startMs: number;
  readonly windows: readonly IncrementalExport[];
  /** End of the last window; the start where there is none. */
  readonly reachMs: number;
  /** The epoch began within a second, so that no window continued its start exactly. */
  readonly hasSeam: boolean;
}

export interface EpochInput {
  readonly fulls: readonly FullExport[];
  readonly windows: readonly IncrementalExport[];
  /** Where the lake's epoch of this table ends; null: the lake has nothing of this table yet. */
  readonly watermarkMs: number | null;
  /** Whether that epoch began within a second. */
  readonly hasSeam: boolean;
  /** Full exports up to this instant cannot be loaded any more; null: all can. */
  readonly afterMs: number | null;
  /** Goes on from a full export within a second at the start of that second. */
  readonly acceptSeam: boolean;
}

interface Start {
  readonly full: FullExport | null;
  readonly startMs: number;
  readonly reachMs: number;
  readonly hasSeam: boolean;
}

/** The epochs to make, in order of time; none when there is no full export and no lake. */
export function planEpochs(input: EpochInput): readonly PlannedEpoch[] {
  const { acceptSeam, watermarkMs } = input;
  const afterMs = Math.max(
    input.afterMs ?? Number.NEGATIVE_INFINITY,
    watermarkMs ?? Number.NEGATIVE_INFINITY,
  );
  // At the lake's own instant a full export ends the doubt that a seam has brought, and else brings nothing.
  const fulls = input.fulls.filter(
    ({ exportTimeMs: ms }) => ms > afterMs || (ms === afterMs && input.hasSeam && !hasFraction(ms)),
  );
  const epochs: PlannedEpoch[] = [];
  let limitMs = Number.POSITIVE_INFINITY;
  let { windows } = input;
  // Each round moves the limit to an earlier full export.
  for (;;) {
    windows = windows.filter((one) => one.window.toMs <= limitMs);
    const chains = indexChains(windows);
    const reach = (startMs: number): number => {
      const fromMs = chainStart(startMs, acceptSeam);
      return fromMs === null ? startMs : Math.max(startMs, chains.reachMs(fromMs));
    };
    const starts: readonly Start[] = [
      ...(watermarkMs === null
        ? []
        : [
            {
              full: null,
              startMs: watermarkMs,
              reachMs: reach(watermarkMs),
              hasSeam: input.hasSeam,
            },
          ]),
      ...fulls
        .filter((one) => one.exportTimeMs < limitMs)
        .map((full) => ({
          full,
          startMs: full.exportTimeMs,
          reachMs: reach(full.exportTimeMs),
          hasSeam: hasFraction(full.exportTimeMs),
        })),
    ];
    const best = starts.reduce<Start | null>(
      (a, b) => (a === null || goesBefore(b, a) ? b : a),
      null,
    );
    if (best === null) return epochs;
    const { full, startMs, reachMs } = best;
    const fromMs = chainStart(startMs, acceptSeam);
    // A seam's first window may end at or before the instant itself: then it brings nothing.
    const chain = fromMs === null || reachMs === startMs ? [] : chains.chain(fromMs);
    epochs.unshift({ full, startMs, windows: chain, reachMs, hasSeam: best.hasSeam });
    if (full === null) return epochs;
    limitMs = startMs;
  }
}

/** Whether `a` is the better start: it reaches further, or without a seam, or from earlier on. */
function goesBefore(a: Start, b: Start): boolean {
  if (a.reachMs !== b.reachMs) return a.reachMs > b.reachMs;
  if (a.hasSeam !== b.hasSeam) return b.hasSeam;
  // The lake's own epoch needs no load.
  if ((a.full === null) !== (b.full === null)) return a.full === null;
  if (a.startMs !== b.startMs) return a.startMs < b.startMs;
  return (a.full?.exportArn ?? '') < (b.full?.exportArn ?? '');
}

function hasFraction(ms: number): boolean {
  return ms % 1000 !== 0;
}

/** Where the windows after a start begin; null: no window of whole seconds continues it. */
export function chainStart(startMs: number, acceptSeam: boolean): number | null {
  if (!hasFraction(startMs)) return startMs;
  return acceptSeam ? Math.floor(startMs / 1000) * 1000 : null;
}
