// How fresh a lake table is, and how near it is to losing its chain: for summaries and alarms, not for decisions.

import { dayMinutes } from '../../schemas/limits.js';
import { formatInstant, parseInstant } from '../lake/lake-state.js';
import type { FreshnessReport } from '../reports.js';
import { serverMs } from './plan-chain.js';
import type { Situation } from './situation.js';
import { windowAfter } from './windows.js';

export interface Freshness {
  readonly watermarkMs: number;
  /** End of the newest window that can be asked for now; the watermark when there is none after it. */
  readonly targetMs: number;
  readonly lagMs: number;
  /** Whether the lag is above what the configuration allows. */
  readonly isLate: boolean;
  /** Time until the next window can no longer be exported, if nothing is merged; null while nobody knows. */
  readonly spareMs: number | null;
  /** Whether less than a quarter of the recovery period is left: time to act, before a new epoch is needed. */
  readonly isNearEdge: boolean;
  /** Accepted gaps and seams of this epoch: the table is fresh, and known not to be whole. */
  readonly gaps: number;
}

/** Null while there is no lake table. */
export function freshness(situation: Situation): Freshness | null {
  const { lake, pitr, config } = situation;
  if (lake === null) return null;
  const { watermarkMs } = lake;
  const lagMs = serverMs(situation) - watermarkMs;
  let targetMs = watermarkMs;
  if (watermarkMs % 1000 === 0 && pitr.latestMs !== null) {
    for (;;) {
      const { toMs } = windowAfter(targetMs, config.grainMinutes);
      if (toMs > pitr.latestMs) break;
      targetMs = toMs;
    }
  }
  const spareMs = pitr.earliestMs === null ? null : watermarkMs - pitr.earliestMs;
  const periodMs = (pitr.periodDays ?? 35) * dayMinutes * 60_000;
  return {
    watermarkMs,
    targetMs,
    lagMs,
    isLate: lagMs > config.lagMinutesMax * 60_000,
    spareMs,
    // The edge moves only once recovery has been on for the whole period.
    isNearEdge: lagMs > periodMs * 0.75 || (spareMs !== null && spareMs < 0),
    gaps: lake.gaps.length,
  };
}

/** The same for reports. `committed` is the watermark of a commit after the situation was read, where there was one. */
export function freshnessReport(
  situation: Situation | null,
  committed: string | null = null,
): FreshnessReport {
  const newest = situation === null ? null : withWatermark(situation, committed);
  const fresh = newest === null ? null : freshness(newest);
  return {
    epoch: newest?.lake?.epoch ?? null,
    tableId: newest?.lake?.tableId ?? null,
    watermark: fresh === null ? committed : formatInstant(fresh.watermarkMs),
    target: fresh === null ? null : formatInstant(fresh.targetMs),
    lagSeconds: fresh === null ? null : Math.round(fresh.lagMs / 1000),
    late: fresh?.isLate ?? false,
    spareSeconds:
      fresh === null || fresh.spareMs === null ? null : Math.round(fresh.spareMs / 1000),
    nearEdge: fresh?.isNearEdge ?? false,
    gaps: fresh?.gaps ?? 0,
  };
}

function withWatermark(situation: Situation, committed: string | null): Situation {
  const { lake } = situation;
  const committedMs = committed === null ? null : parseInstant(committed);
  if (lake === null || committedMs === null || committedMs <= lake.watermarkMs) return situation;
  return { ...situation, lake: { ...lake, watermarkMs: committedMs } };
}
