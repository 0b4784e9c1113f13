// From the watermark on: which windows are there, under way, to be asked for, and what stands in the way.
// Promises: every window starts where the one before ends; a window that somebody asked for, whatever its length, is
// followed and not asked for again; nothing is asked for beyond what stands in the way.

import type { ErrorFacts } from '../../schemas/errors.js';
import type { ExportRequest, KnownWindow, TableFacts } from '../../schemas/table-exports.js';
import { chainsOf, longestChain } from '../merge/chain.js';
import type { Look, RequestWindow } from './actions.js';
import { exportRequest, failedAttempts, isTokenStale } from './export-request.js';
import * as refusals from './refusals.js';
import type { LakeFacts, Situation } from './situation.js';
import { windowAfter } from './windows.js';

export interface ChainPlan {
  /** Completed windows that continue the watermark, in order. */
  readonly ready: readonly KnownWindow[];
  /** Windows of the chain that are in progress, in order. */
  readonly running: readonly KnownWindow[];
  readonly looks: readonly Look[];
  readonly requests: readonly RequestWindow[];
  /** What a person has to heal; null: nothing is in the way but time. */
  readonly obstacle: ErrorFacts | null;
  /** Whether a new epoch heals it. */
  readonly isBroken: boolean;
  /** End of the first window that is not asked for. */
  readonly nextToMs: number;
}

/** Time as the server has it, at least: its latest instant is never ahead of it, the runner's clock may be behind. */
export function serverMs({ nowMs, pitr }: Situation): number {
  return Math.max(nowMs, pitr.latestMs ?? nowMs);
}

/** Readable windows of a table from an instant on, by state. */
export function windowsFrom(
  { exports, config }: Situation,
  tableId: string,
  fromMs: number,
): readonly KnownWindow[] {
  const untilMs = config.untilMs ?? Number.POSITIVE_INFINITY;
  return exports.filter(
    (one): one is KnownWindow =>
      one.type === 'INCREMENTAL_EXPORT' &&
      one.window.fromMs >= fromMs &&
      one.window.toMs <= untilMs &&
      one.tableId === tableId &&
      one.isReadable,
  );
}

export function isReady(one: { state: string; summaryUri: string | null }): boolean {
  return one.state === 'COMPLETED' && one.summaryUri !== null;
}

export function isRunning(one: { state: string }): boolean {
  return one.state === 'IN_PROGRESS' || one.state === 'UNKNOWN';
}

export function planChain(situation: Situation, lake: LakeFacts): ChainPlan {
  const { table, pitr, config } = situation;
  const known = windowsFrom(situation, lake.tableId, lake.watermarkMs);
  const ready = longestChain(known.filter(isReady), lake.watermarkMs);
  const chainFrom = chainsOf(known.filter((one) => isReady(one) || isRunning(one)));
  const useless = known.filter((one) => !isReady(one) && !isRunning(one));
  const running: KnownWindow[] = [];
  const looks: Look[] = [];
  const requests: RequestWindow[] = [];
  let cursorMs = ready.at(-1)?.window.toMs ?? lake.watermarkMs;
  let nextToMs = windowAfter(cursorMs, config.grainMinutes).toMs;
  const end = (obstacle: ErrorFacts | null, isBroken: boolean): ChainPlan => {
    const stuck = running[0] === undefined ? null : stuckFacts(situation, running[0]);
    const facts = obstacle ?? stuck;
    return { ready, running, looks, requests, obstacle: facts, isBroken, nextToMs };
  };

  // Each round moves the cursor over known windows or asks for one, of which there are at most so many.
  for (;;) {
    const ahead = chainFrom(cursorMs);
    running.push(...ahead.filter(isRunning));
    cursorMs = ahead.at(-1)?.window.toMs ?? cursorMs;
    const window = windowAfter(cursorMs, config.grainMinutes);
    nextToMs = window.toMs;
    if (window.toMs > (config.untilMs ?? window.toMs)) return end(null, false);
    if (table === null) return end(refusals.tableGone(situation), false);
    if (table.tableId !== lake.tableId) {
      return end(refusals.tableChanged(situation, lake.tableId, table), true);
    }
    if (cursorMs % 1000 !== 0) return end(refusals.seam(situation, cursorMs), true);
    if (!pitr.isEnabled) return end(refusals.pitrOff(situation, table), false);
    if (pitr.earliestMs === null || pitr.latestMs === null) return end(null, false);
    const failed = useless.filter(
      (one) =>
        one.state === 'FAILED' && one.window.fromMs === cursorMs && one.window.toMs === window.toMs,
    );
    const subject = { type: 'INCREMENTAL_EXPORT', window, view: config.view } as const;
    const requestOf = (attempt: number): ExportRequest =>
      exportRequest(table, config, subject, attempt);
    const attempts = failedAttempts(failed, requestOf, config.attemptsMax);
    const request = requestOf(attempts + 1);
    const isLooked = situation.looked.includes(request.s3Prefix);
    if (cursorMs < pitr.earliestMs) {
      // It may have been asked for while that was possible, and so may those after it.
      if (isLooked) return end(refusals.outsidePitr(situation, cursorMs, pitr.earliestMs), true);
      looks.push({ do: 'look', s3Prefix: request.s3Prefix });
      if (looks.length >= config.exportsAtOnceMax) return end(null, false);
      cursorMs = window.toMs;
      continue;
    }
    if (refusals.isPeriodTooShort(situation)) {
      return end(refusals.periodTooShort(situation, table), false);
    }
    if (window.toMs > pitr.latestMs) return end(null, false);
    const gone = useless.find(
      (one) => one.state === 'COMPLETED' && one.s3Prefix === request.s3Prefix,
    );
    if (gone !== undefined) return end(refusals.exportGone(situation, window, gone), false);
    if (attempts >= config.attemptsMax) {
      return end(refusals.exportFailed(situation, window, failed), false);
    }
    if (running.length + requests.length + looks.length >= config.exportsAtOnceMax) {
      return end(null, false);
    }
    if (isTokenStale(window.toMs, serverMs(situation)) && !isLooked) {
      looks.push({ do: 'look', s3Prefix: request.s3Prefix });
    } else {
      requests.push({ do: 'request-window', window, request });
    }
    cursorMs = window.toMs;
  }
}

/** Whether an export in progress has taken too long, by the service's own clock: a runner's that is wrong by a day must not
 *  call a person. */
export function isStuck(
  { nowMs, pitr, config }: Situation,
  one: Pick<KnownWindow, 'requestedAtMs'>,
): boolean {
  const serviceMs = pitr.latestMs ?? nowMs;
  return serviceMs - one.requestedAtMs > config.stuckMinutesMax * 60_000;
}

function stuckFacts(situation: Situation, first: KnownWindow): ErrorFacts | null {
  if (!isStuck(situation, first)) return null;
  return refusals.exportStuck(situation, first.window, first);
}

/** Whether an epoch of `tableId` from `fromMs` can be continued: known windows lead to an instant that can be exported. */
export function canContinue(
  situation: Situation,
  table: TableFacts,
  fromMs: number,
  earliestMs: number,
): boolean {
  if (fromMs >= earliestMs) return true;
  const usable = windowsFrom(situation, table.tableId, fromMs).filter(
    (one) => isReady(one) || isRunning(one),
  );
  const endMs = longestChain(usable, fromMs).at(-1)?.window.toMs ?? fromMs;
  return endMs >= earliestMs;
}
