// What of some exports does not connect, and what would heal it: gaps, overlaps, seams, doubles, windows before any full export.
// A pure function of the exports and the epochs planned from them.
// Promises: every window and full export is in an epoch or in exactly one finding's count; a finding that keeps the lake from the
// newest exports is marked as blocking.
// Source: pipeline/merge/window-rule.ts (why a window must start where the table ends).

import type { FullExport, IncrementalExport } from '../../schemas/export-manifest.js';
import { windowMsMax, windowMsMin } from '../../schemas/limits.js';
import { formatInstant } from '../lake/lake-state.js';
import { longestChain } from '../merge/chain.js';
import { chainStart, type PlannedEpoch } from './plan-epochs.js';

export type FindingKind =
  /** Time that no export covers; windows behind it, if any, do not connect. */
  | 'gap'
  /** A window that starts before the chain ends and ends after it, or begins before a full export and ends after it. */
  | 'overlap'
  /** A full export taken within a second, which no window continues exactly. */
  | 'seam'
  /** Windows of the same start and end as others. */
  | 'double'
  /** Windows and full exports of times that other windows give. */
  | 'covered'
  /** Exports that the lake is past already. */
  | 'known'
  /** Windows that end before the first full export. */
  | 'early'
  /** Windows without any full export. */
  | 'no-full'
  /** Exports that cannot be used: of another format, filtered, damaged. */
  | 'unusable'
  /** Exports in progress or failed. */
  | 'unfinished'
  /** Exports of another table of the same name: deleted and made again, or of another account or Region. */
  | 'other-table';

export interface Finding {
  readonly kind: FindingKind;
  /** The time it is about; null where it is about none. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
  /** Exports that are left aside because of it. */
  readonly exports: number;
  /** Whether newer exports cannot be brought in because of it. */
  readonly isBlocking: boolean;
  readonly what: string;
  /** What would heal it; null: nothing has to be. */
  readonly next: string | null;
}

export interface FindingInput {
  /** Name for messages and commands. */
  readonly table: string;
  readonly fulls: readonly FullExport[];
  readonly windows: readonly IncrementalExport[];
  readonly epochs: readonly PlannedEpoch[];
  readonly acceptSeam: boolean;
}

/** What is left aside, in order of time within each kind. */
export function findingsOf(input: FindingInput): readonly Finding[] {
  const { table, epochs } = input;
  if (epochs.length === 0) return withoutFull(table, input.windows);
  const used = new Set(epochs.flatMap((one) => one.windows));
  const loaded = new Set(epochs.map((one) => one.full));
  const rest = new Rest(
    input.windows.filter((one) => !used.has(one)).sort(byTime),
    input.fulls.filter((one) => !loaded.has(one)),
  );
  const usedTimes = new Set([...used].map(timeOf));
  const findings: Finding[] = [];

  findings.push(...doubles(rest.takeWindows((one) => usedTimes.has(timeOf(one)))));
  const isCovered = (fromMs: number, toMs: number): boolean =>
    epochs.some(({ startMs, reachMs }) => fromMs >= startMs - (startMs % 1000) && toMs <= reachMs);
  const covered = rest.takeWindows(({ window }) => isCovered(window.fromMs, window.toMs));
  const first = epochs[0]!;
  // What ends before the lake's watermark is in the lake.
  const early = rest.takeWindows(({ window }) => window.toMs <= first.startMs);
  const spare = rest.takeFulls(
    ({ exportTimeMs }) =>
      isCovered(exportTimeMs, exportTimeMs) ||
      (first.full === null && exportTimeMs <= first.startMs),
  );
  findings.push(...coveredBy(covered, first.full === null ? [] : spare));
  if (first.full === null) findings.push(...known(early, spare));
  else findings.push(...earlyOnes(table, early));
  const lastReachMs = epochs.at(-1)!.reachMs;
  for (const { startMs } of epochs) {
    // What starts in the second of a seam is the seam's matter.
    const secondMs = startMs - (startMs % 1000);
    const across = rest.takeWindows(
      ({ window }) => window.fromMs < secondMs && window.toMs > startMs,
    );
    for (const one of across) {
      if (one.window.toMs > lastReachMs) findings.push(overlapOf(table, one, lastReachMs, true));
      else findings.push(acrossStart(one, startMs));
    }
  }
  for (const [i, epoch] of epochs.entries()) {
    findings.push(...behind(input, rest, epoch, epochs[i + 1]?.startMs ?? null));
  }
  findings.push(
    ...coveredBy(
      [],
      rest.takeFulls(() => true),
    ),
  );
  return findings;
}

/** What no finding has taken up yet. */
class Rest {
  windows: readonly IncrementalExport[];
  fulls: readonly FullExport[];
  constructor(windows: readonly IncrementalExport[], fulls: readonly FullExport[]) {
    this.windows = windows;
    this.fulls = fulls;
  }
  takeWindows(which: (one: IncrementalExport) => boolean): readonly IncrementalExport[] {
    const taken = this.windows.filter(which);
    this.windows = this.windows.filter((one) => !which(one));
    return taken;
  }
  takeFulls(which: (one: FullExport) => boolean): readonly FullExport[] {
    const taken = this.fulls.filter(which);
    this.fulls = this.fulls.filter((one) => !which(one));
    return taken;
  }
}

/** What stands between the end of an epoch and the start of the next (null: there is none). */
function behind(
  input: FindingInput,
  rest: Rest,
  epoch: PlannedEpoch,
  nextMs: number | null,
): readonly Finding[] {
  const { table } = input;
  const endMs = nextMs ?? Number.POSITIVE_INFINITY;
  const isBlocking = nextMs === null;
  const findings: Finding[] = [];
  let cursorMs = epoch.reachMs;

  const secondMs = Math.floor(epoch.startMs / 1000) * 1000;
  if (epoch.windows.length === 0 && chainStart(epoch.startMs, input.acceptSeam) === null) {
    const within = rest.windows.filter(({ window }) => window.toMs <= endMs);
    const beyond = longestChain(within, secondMs);
    if (beyond.length > 0) {
      const taken = new Set(beyond);
      rest.takeWindows((one) => taken.has(one));
      cursorMs = Math.max(cursorMs, beyond.at(-1)!.window.toMs);
      findings.push(seamAt(table, epoch.startMs, secondMs, beyond.length, isBlocking));
    }
  }
  for (const one of rest.takeWindows(
    ({ window }) => window.fromMs < cursorMs && window.toMs <= endMs,
  )) {
    findings.push(overlapOf(table, one, cursorMs, isBlocking));
  }
  const stranded = rest.takeWindows(({ window }) => window.toMs <= endMs);
  let hole: { fromMs: number; toMs: number; exports: number } | null = null;
  const holes: { fromMs: number; toMs: number; exports: number }[] = [];
  for (const { window } of stranded) {
    if (window.fromMs > cursorMs) {
      hole = { fromMs: cursorMs, toMs: window.fromMs, exports: 0 };
      holes.push(hole);
    }
    if (hole !== null) hole.exports += 1;
    cursorMs = Math.max(cursorMs, window.toMs);
  }
  if (nextMs !== null && cursorMs < nextMs) {
    holes.push({ fromMs: cursorMs, toMs: nextMs, exports: 0 });
  }
  findings.push(...holes.map((one) => gapOf(table, one, isBlocking, epoch.reachMs)));
  return findings;
}

function gapOf(
  table: string,
  { fromMs, toMs, exports }: { fromMs: number; toMs: number; exports: number },
  isBlocking: boolean,
  reachMs: number,
): Finding {
  const lengthMs = toMs - fromMs;
  const isWindow =
    fromMs % 1000 === 0 && toMs % 1000 === 0 && lengthMs >= windowMsMin && lengthMs <= windowMsMax;
  const consequence = isBlocking
    ? `${countOf(exports, 'window')} behind it cannot be connected; the lake ends at ${formatInstant(reachMs)}`
    : 'a full export goes on after it; the time between has no history';
  return {
    kind: 'gap',
    fromMs,
    toMs,
    exports,
    isBlocking,
    what: `no export covers ${formatInstant(fromMs)} to ${formatInstant(toMs)}: ${consequence}`,
    next: isWindow
      ? `${exportWindow(table, fromMs, toMs)}, and run this again`
      : `${exportFull(table, Math.ceil(toMs / 1000) * 1000)}, and run this again: a new epoch begins there`,
  };
}

function overlapOf(
  table: string,
  { window }: IncrementalExport,
  reachMs: number,
  isBlocking: boolean,
): Finding {
  const { fromMs, toMs } = window;
  const lengthMs = toMs - reachMs;
  const fits = reachMs % 1000 === 0 && lengthMs >= windowMsMin && lengthMs <= windowMsMax;
  return {
    kind: 'overlap',
    fromMs,
    toMs,
    exports: 1,
    isBlocking,
    what: `the window ${formatInstant(fromMs)} to ${formatInstant(toMs)} begins before ${formatInstant(reachMs)}, where it would have to`,
    next: fits
      ? `${exportWindow(table, reachMs, toMs)}, and run this again`
      : `${exportFull(table, toMs)}, and run this again: a new epoch begins there`,
  };
}

function acrossStart({ window }: IncrementalExport, startMs: number): Finding {
  const { fromMs, toMs } = window;
  return {
    kind: 'overlap',
    fromMs,
    toMs,
    exports: 1,
    isBlocking: false,
    what: `the window ${formatInstant(fromMs)} to ${formatInstant(toMs)} begins before ${formatInstant(startMs)}, where an epoch starts, and ends after it`,
    next: null,
  };
}

function seamAt(
  table: string,
  startMs: number,
  secondMs: number,
  exports: number,
  isBlocking: boolean,
): Finding {
  return {
    kind: 'seam',
    fromMs: secondMs,
    toMs: startMs,
    exports,
    isBlocking,
    what: `the full export is of ${formatInstant(startMs)}, windows are of whole seconds: an item inserted in the fraction before and deleted in the first window would stay`,
    next: `${exportFull(table, secondMs)}, and run this again; or run this with --accept-seam`,
  };
}

function doubles(windows: readonly IncrementalExport[]): readonly Finding[] {
  if (windows.length === 0) return [];
  return [
    aside('double', windows, `${countOf(windows.length, 'window')} of the same times as others`),
  ];
}

function known(
  windows: readonly IncrementalExport[],
  fulls: readonly FullExport[],
): readonly Finding[] {
  const exports = windows.length + fulls.length;
  if (exports === 0) return [];
  const what = `${countOf(exports, 'export')} that the lake is past`;
  return [{ ...nothing, kind: 'known', ...spanOf(windows, fulls), exports, what }];
}

function coveredBy(
  windows: readonly IncrementalExport[],
  fulls: readonly FullExport[],
): readonly Finding[] {
  const findings: Finding[] = [];
  if (windows.length > 0) {
    const what = `${countOf(windows.length, 'window')} of times that other windows cover`;
    findings.push(aside('covered', windows, what));
  }
  if (fulls.length > 0) {
    const exports = fulls.length;
    const what = `${countOf(exports, 'full export')} of instants that windows lead to`;
    findings.push({ ...nothing, kind: 'covered', ...spanOf([], fulls), exports, what });
  }
  return findings;
}

const nothing = { isBlocking: false, next: null } as const;

function spanOf(
  windows: readonly IncrementalExport[],
  fulls: readonly FullExport[],
): { readonly fromMs: number; readonly toMs: number } {
  let [fromMs, toMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { window } of windows) {
    fromMs = Math.min(fromMs, window.fromMs);
    toMs = Math.max(toMs, window.toMs);
  }
  for (const { exportTimeMs } of fulls) {
    fromMs = Math.min(fromMs, exportTimeMs);
    toMs = Math.max(toMs, exportTimeMs);
  }
  return { fromMs, toMs };
}

function aside(
  kind: FindingKind,
  windows: readonly IncrementalExport[],
  what: string,
  next: string | null = null,
): Finding {
  const exports = windows.length;
  return { ...nothing, kind, ...spanOf(windows, []), exports, what, next };
}

function earlyOnes(table: string, windows: readonly IncrementalExport[]): readonly Finding[] {
  if (windows.length === 0) return [];
  const what = `${countOf(windows.length, 'window')} from before the first full export: there is nothing that they could change`;
  const firstMs = windows.reduce(
    (ms, { window }) => Math.min(ms, window.fromMs),
    Number.POSITIVE_INFINITY,
  );
  const next = `${exportFull(table, firstMs)} and run this again, while recovery reaches back so far`;
  return [aside('early', windows, what, next)];
}

function withoutFull(table: string, windows: readonly IncrementalExport[]): readonly Finding[] {
  if (windows.length === 0) return [];
  const [first] = earlyOnes(table, windows);
  const what = `${countOf(windows.length, 'window')} and no full export that they could follow`;
  return [{ ...first!, kind: 'no-full', isBlocking: true, what }];
}

function exportWindow(table: string, fromMs: number, toMs: number): string {
  return `tidelake export --table ${table} --from ${formatInstant(fromMs)} --to ${formatInstant(toMs)}`;
}

function exportFull(table: string, atMs: number): string {
  return `tidelake export --table ${table} --at ${formatInstant(atMs)}`;
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function timeOf({ window }: IncrementalExport): string {
  return `${window.fromMs} ${window.toMs}`;
}

function byTime(a: IncrementalExport, b: IncrementalExport): number {
  return (
    a.window.fromMs - b.window.fromMs ||
    a.window.toMs - b.window.toMs ||
    (a.exportArn < b.exportArn ? -1 : 1)
  );
}
