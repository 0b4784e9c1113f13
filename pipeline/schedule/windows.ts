// Which window follows an instant. A function of that instant and the grain alone: neither the clock nor the recovery
// window has a say, so every run, early, late or twice, plans the same windows, and asking again is asking for the same.
// Source: Amazon DynamoDB Developer Guide, "Requesting a table export": whole seconds, start inclusive, end exclusive, 15
// minutes to 24 hours.

import { TidelakeError } from '../../schemas/errors.js';
import type { Window } from '../../schemas/export-manifest.js';
import { dayMinutes, windowMsMax, windowMsMin } from '../../schemas/limits.js';

/**
 * The window that starts at `fromMs`, a whole second, and ends on a multiple of the grain, counted from midnight UTC. A
 * remainder under 15 minutes joins its neighbour. Where both together are over 24 hours, the first ends 15 minutes before.
 */
export function windowAfter(fromMs: number, grainMinutes: number): Window {
  const grainMs = grainMinutes * 60_000;
  let toMs = edgeBefore(fromMs, grainMinutes) + grainMs;
  if (toMs - fromMs < windowMsMin) toMs += grainMs;
  if (toMs - fromMs > windowMsMax) toMs -= windowMsMin;
  return { fromMs, toMs };
}

/** The last multiple of the grain at or before an instant. */
export function edgeBefore(ms: number, grainMinutes: number): number {
  const grainMs = grainMinutes * 60_000;
  return Math.floor(ms / grainMs) * grainMs;
}

/** Throws USAGE for a grain that windows cannot have. */
export function checkGrain(grainMinutes: number): void {
  const isDivisor = Number.isInteger(grainMinutes) && dayMinutes % grainMinutes === 0;
  if (isDivisor && grainMinutes * 60_000 >= windowMsMin) return;
  throw new TidelakeError({
    code: 'USAGE',
    what: `a grain of ${grainMinutes} minutes`,
    meaning: 'windows are of 15 minutes to 24 hours, and a day is to be a whole number of them',
    next: 'use 15, 20, 30, 60, 120, 180, 240, 360, 480, 720 or 1440 minutes',
  });
}
