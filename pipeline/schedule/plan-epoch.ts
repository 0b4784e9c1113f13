// How a lake table begins, or begins anew: with a full export of a whole second, one that is there or one to ask for.
// Promises: the instant is after the watermark, windows can continue it exactly, and while one export is under way or was
// tried and failed no other instant is chosen.

import { exportPollMs } from '../../schemas/limits.js';
import type { ExportRequest, KnownFull, TableFacts } from '../../schemas/table-exports.js';
import type { Action } from './actions.js';
import { exportRequest, failedAttempts, fullsPrefix } from './export-request.js';
import { canContinue, isReady, isRunning, isStuck } from './plan-chain.js';
import * as refusals from './refusals.js';
import type { LakeFacts, Situation } from './situation.js';
import { edgeBefore } from './windows.js';

/** Either one `look` alone, or a load, a request with a wait, a wait, or a refusal. */
export function planEpoch(
  situation: Situation,
  table: TableFacts,
  lake: LakeFacts | null,
): readonly Action[] {
  const { pitr, config, nowMs } = situation;
  if (!pitr.isEnabled) return refused(refusals.pitrOff(situation, table));
  // The instant of a full export moves with time, so its token protects from little: what is there is always looked at.
  const folder = fullsPrefix(table, config);
  if (!situation.looked.includes(folder)) return [{ do: 'look', s3Prefix: folder }];
  const { earliestMs, latestMs } = pitr;
  if (earliestMs === null || latestMs === null) return noInstantYet(nowMs + exportPollMs);

  const fulls = newestFirst(situation, table, lake, earliestMs);
  const ready = fulls.find(isReady);
  if (ready !== undefined) {
    const isOther = lake !== null && lake.tableId !== table.tableId;
    return [{ do: 'load', export: ready, acceptTableId: isOther ? table.tableId : null }];
  }
  const running = fulls.find(isRunning);
  if (running !== undefined) {
    if (isStuck(situation, running)) {
      return refused(refusals.exportStuck(situation, running.exportTimeMs, running));
    }
    return [waitForExports(nowMs)];
  }

  if (refusals.isPeriodTooShort(situation)) {
    return refused(refusals.periodTooShort(situation, table));
  }
  const requestAt = (exportTimeMs: number, attempt: number): ExportRequest =>
    exportRequest(table, config, { type: 'FULL_EXPORT', exportTimeMs }, attempt);
  const isOurs = (one: KnownFull): boolean =>
    one.s3Prefix === requestAt(one.exportTimeMs, 1).s3Prefix && one.exportTimeMs >= earliestMs;
  const gone = fulls.find((one) => one.state === 'COMPLETED' && isOurs(one));
  if (gone !== undefined) return refused(refusals.exportGone(situation, gone.exportTimeMs, gone));
  const failedLast = fulls.find((one) => one.state === 'FAILED' && isOurs(one));
  const exportTimeMs =
    failedLast?.exportTimeMs ?? epochInstant(situation, lake, earliestMs, latestMs);
  if (exportTimeMs < earliestMs) {
    return refused(refusals.baselineTooOld(situation, exportTimeMs, earliestMs));
  }
  if (exportTimeMs > latestMs) return noInstantYet(nowMs + exportTimeMs - latestMs);
  const failed = fulls.filter((one) => one.state === 'FAILED' && one.exportTimeMs === exportTimeMs);
  const requestOf = (attempt: number): ExportRequest => requestAt(exportTimeMs, attempt);
  const attempts = failedAttempts(failed, requestOf, config.attemptsMax);
  if (attempts >= config.attemptsMax) {
    return refused(refusals.exportFailed(situation, exportTimeMs, failed));
  }
  const request = requestOf(attempts + 1);
  return [{ do: 'request-full', exportTimeMs, request }, waitForExports(nowMs)];
}

/** Full exports that a lake may begin with, at whole seconds, newest first. */
function newestFirst(
  situation: Situation,
  table: TableFacts,
  lake: LakeFacts | null,
  earliestMs: number,
): readonly KnownFull[] {
  const afterMs = lake?.watermarkMs ?? Number.NEGATIVE_INFINITY;
  return situation.exports
    .filter(
      (one): one is KnownFull =>
        one.type === 'FULL_EXPORT' &&
        one.tableId === table.tableId &&
        one.isReadable &&
        one.exportTimeMs % 1000 === 0 &&
        one.exportTimeMs > afterMs &&
        one.exportTimeMs === (situation.config.baselineMs ?? one.exportTimeMs) &&
        canContinue(situation, table, one.exportTimeMs, earliestMs),
    )
    .sort((a, b) => b.exportTimeMs - a.exportTimeMs || (a.exportArn < b.exportArn ? -1 : 1));
}

/** The instant to ask for: the configured one; else the newest edge of the grain; where there is none yet, the first whole
 *  second there is. */
function epochInstant(
  { config }: Situation,
  lake: LakeFacts | null,
  earliestMs: number,
  latestMs: number,
): number {
  if (config.baselineMs !== undefined) return config.baselineMs;
  const firstMs = Math.max(earliestMs, lake === null ? earliestMs : lake.watermarkMs + 1);
  const edgeMs = edgeBefore(latestMs, config.grainMinutes);
  return edgeMs >= firstMs ? edgeMs : Math.ceil(firstMs / 1000) * 1000;
}

function waitForExports(nowMs: number): Action {
  return { do: 'wait', why: 'exports-running', untilMs: nowMs + exportPollMs };
}

function noInstantYet(untilMs: number): readonly Action[] {
  return [{ do: 'wait', why: 'no-instant-yet', untilMs }];
}

function refused(error: ReturnType<typeof refusals.tableGone>): readonly Action[] {
  return [{ do: 'refuse', error }];
}
