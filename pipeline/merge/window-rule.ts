// Whether a window continues the chain. A pure function: only the window decides, never the times of rows.
// An item inserted and deleted inside an overlap leaves no record, so "last writer wins" would bring it back.

import { refuse, type TidelakeError } from '../../schemas/errors.js';
import type { IncrementalExport } from '../../schemas/export-manifest.js';
import { formatInstant, type LakeGap, type LakeState } from '../lake/lake-state.js';

/** What is to be done with a window. */
export type WindowVerdict =
  | { readonly verdict: 'apply'; readonly newGap: LakeGap | null }
  | { readonly verdict: 'known' }
  | { readonly verdict: 'refuse'; readonly error: TidelakeError };

export interface WindowAcceptance {
  readonly acceptGap: boolean;
  readonly acceptSeam: boolean;
}

/** Judges a window by the table's state. `table` is the lake table's name, for the message. */
export function judgeWindow(
  state: LakeState,
  table: string,
  summary: IncrementalExport,
  accept: WindowAcceptance,
): WindowVerdict {
  const { fromMs, toMs } = summary.window;
  const { watermarkMs } = state;
  if (summary.tableId !== state.tableId) {
    return refused(
      'REFUSED_TABLE_ID',
      `${table} holds DynamoDB table ${state.tableId}, this export is of ${summary.tableId}`,
      'the table was deleted and made again, restored, or is another one; nothing was written',
      'tidelake load a full export of that table with --accept-table-id, or --table with another name',
    );
  }
  const chainStartMs = state.baseline.exportTimeMs;
  const closed = state.gaps.find(
    (gap) => gap.kind === 'gap' && fromMs < gap.toMs && toMs > gap.fromMs,
  );
  if (closed !== undefined) {
    return refused(
      'REFUSED_GAP_CLOSED',
      `${table}: this export covers ${range(fromMs, toMs)}, which touches the accepted gap ${range(closed.fromMs, closed.toMs)}`,
      'windows after the gap are in the lake, so this one can no longer be put before them; nothing was written',
      'tidelake load a new full export: only a new epoch heals a gap',
    );
  }
  const seamStartMs = Math.floor(chainStartMs / 1000) * 1000;
  const isSeam = watermarkMs === chainStartMs && watermarkMs !== seamStartMs;
  if (isSeam && fromMs === seamStartMs) {
    if (accept.acceptSeam) {
      return {
        verdict: 'apply',
        newGap: { fromMs: seamStartMs, toMs: chainStartMs, kind: 'seam' },
      };
    }
    return refused(
      'REFUSED_SEAM',
      `${table}: the full export is of ${formatInstant(chainStartMs)}, windows are of whole seconds`,
      `an item inserted before that instant in the same second and deleted in this window would stay for ever; nothing was written`,
      `${askFull(summary, seamStartMs)} and load it, or tidelake merge --accept-seam to go on knowing this`,
    );
  }
  if (toMs <= watermarkMs && fromMs >= seamStartMs) return { verdict: 'known' };
  if (fromMs === watermarkMs) return { verdict: 'apply', newGap: null };
  if (fromMs > watermarkMs) {
    if (accept.acceptGap) {
      return { verdict: 'apply', newGap: { fromMs: watermarkMs, toMs: fromMs, kind: 'gap' } };
    }
    const start = Math.floor(watermarkMs / 1000) * 1000;
    return refused(
      'REFUSED_GAP',
      `${table}: the lake ends at ${formatInstant(watermarkMs)} but this export starts at ${formatInstant(fromMs)}`,
      `nothing was written; changes from ${formatInstant(watermarkMs)} to ${formatInstant(fromMs)} would have been lost`,
      `${askWindow(summary, start, fromMs)} and merge it first, or tidelake merge --accept-gap`,
    );
  }
  return refused(
    'REFUSED_OVERLAP',
    `${table}: the lake ends at ${formatInstant(watermarkMs)}, this export covers ${range(fromMs, toMs)}`,
    'an item inserted and deleted inside the overlap leaves no record and would come back; nothing was written',
    toMs > watermarkMs
      ? `${askWindow(summary, watermarkMs, toMs)} and merge that`
      : 'nothing to do: the epoch begins later',
  );
}

/** The command for a window that is missing. */
function askWindow(summary: IncrementalExport, fromMs: number, toMs: number): string {
  return `${ask(summary)} --from ${formatInstant(fromMs)} --to ${formatInstant(toMs)}`;
}

function askFull(summary: IncrementalExport, atMs: number): string {
  return `${ask(summary)} --at ${formatInstant(atMs)}`;
}

function ask({ tableName, s3Bucket }: IncrementalExport): string {
  return `tidelake export --source ${tableName} --bucket ${s3Bucket ?? 'BUCKET'}`;
}

function range(fromMs: number, toMs: number): string {
  return `[${formatInstant(fromMs)}, ${formatInstant(toMs)})`;
}

function refused(
  code: Parameters<typeof refuse>[0],
  what: string,
  meaning: string,
  next: string,
): WindowVerdict {
  return { verdict: 'refuse', error: refuse(code, what, meaning, next) };
}
