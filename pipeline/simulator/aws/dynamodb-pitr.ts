// Point-in-time recovery of one table: since when, how far back, and up to when it can be recovered.
// Promises: what was cut off never comes back: switching off and on begins anew, a shorter period cuts at once, a longer one
// fills only forward.
// Source: Amazon DynamoDB Developer Guide, "Point-in-time backups for DynamoDB"; API Reference, UpdateContinuousBackups.

import { boundedIn, flagIn, invalid, type Json, objectIn } from './dynamodb-call.js';

export const recoveryDaysMax = 35;
const dayMs = 86_400_000;

/** The setting of a table; null when it is off. */
export interface Pitr {
  /** Nothing before this instant can be recovered, ms: it was off, or cut. */
  readonly floorMs: number;
  readonly recoveryDays: number;
}

/** The instants a table can be recovered to, both inclusive, ms. */
export interface RestorableWindow {
  readonly earliestMs: number;
  readonly latestMs: number;
}

/** @param lagMs how far behind now the latest instant is; about five minutes at AWS */
export function restorableWindow(pitr: Pitr, nowMs: number, lagMs: number): RestorableWindow {
  const earliestMs = earliestOf(pitr, nowMs);
  return { earliestMs, latestMs: Math.max(earliestMs, nowMs - lagMs) };
}

function earliestOf(pitr: Pitr, nowMs: number): number {
  return Math.max(pitr.floorMs, nowMs - pitr.recoveryDays * dayMs);
}

/** The setting after UpdateContinuousBackups. Throws ValidationException. */
export function updatedPitr(before: Pitr | null, input: Json, nowMs: number): Pitr | null {
  const asked = objectIn(input, 'PointInTimeRecoverySpecification');
  const isEnabled = asked === null ? null : flagIn(asked, 'PointInTimeRecoveryEnabled');
  if (asked === null || isEnabled === null) {
    throw invalid('PointInTimeRecoveryEnabled must be given');
  }
  const days = boundedIn(asked, 'RecoveryPeriodInDays', 1, recoveryDaysMax);
  if (!isEnabled) return null;
  const recoveryDays = days ?? recoveryDaysMax;
  if (before === null) return { floorMs: nowMs, recoveryDays };
  const shortest = Math.min(before.recoveryDays, recoveryDays);
  return { floorMs: earliestOf({ ...before, recoveryDays: shortest }, nowMs), recoveryDays };
}

/** The answer's ContinuousBackupsDescription. */
export function describePitr(pitr: Pitr | null, nowMs: number, lagMs: number): Json {
  if (pitr === null) {
    return {
      ContinuousBackupsStatus: 'ENABLED',
      PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'DISABLED' },
    };
  }
  const { earliestMs, latestMs } = restorableWindow(pitr, nowMs, lagMs);
  return {
    ContinuousBackupsStatus: 'ENABLED',
    PointInTimeRecoveryDescription: {
      PointInTimeRecoveryStatus: 'ENABLED',
      RecoveryPeriodInDays: pitr.recoveryDays,
      EarliestRestorableDateTime: earliestMs / 1000,
      LatestRestorableDateTime: latestMs / 1000,
    },
  };
}
