// How far a step is, in words: what all reporters share.
// Promises one line of plain text; the time comes from the clock that is given.
// Spec: none.

import type { Clock } from '../ports.js';
import { formatAmount, formatBytes, formatCount, formatSeconds } from './human-numbers.js';

/** A step that was begun, as reporters keep it. */
export interface Progress {
  readonly name: string;
  readonly total: number | null;
  readonly unit: string;
  readonly beginMs: number;
  count: number;
}

export function beginProgress(
  name: string,
  total: number | null,
  unit: string,
  clock: Clock,
): Progress {
  return { name, total, unit, beginMs: clock.nowMs(), count: 0 };
}

export function secondsSince(progress: Progress, nowMs: number): number {
  return Math.max(nowMs - progress.beginMs, 0) / 1000;
}

/** Units per second so far; null while that is not known. */
export function rateOf(progress: Progress, nowMs: number): number | null {
  const seconds = secondsSince(progress, nowMs);
  return seconds > 0 && progress.count > 0 ? progress.count / seconds : null;
}

/** Seconds left at the rate so far; null while that is not known. */
export function secondsLeft(progress: Progress, nowMs: number): number | null {
  const rate = rateOf(progress, nowMs);
  if (rate === null || progress.total === null || progress.count >= progress.total) return null;
  return (progress.total - progress.count) / rate;
}

/** Share done, 0 to 1; null when the total is not known. */
export function shareDone(progress: Progress): number | null {
  if (progress.total === null) return null;
  return progress.total === 0 ? 1 : Math.min(progress.count / progress.total, 1);
}

/** `12,000 of 20,000 items (60 %), 4,000 items/s, 2.0 s left` */
export function runningText(progress: Progress, nowMs: number): string {
  const { count, total, unit } = progress;
  const share = shareDone(progress);
  const soFar = unit === 'bytes' ? formatBytes(count) : formatCount(count);
  const parts = [
    total === null || share === null
      ? formatAmount(count, unit)
      : `${soFar} of ${formatAmount(total, unit)} (${Math.floor(share * 100)} %)`,
  ];
  const rate = rateOf(progress, nowMs);
  if (rate !== null) parts.push(`${formatAmount(rate, unit)}/s`);
  const left = secondsLeft(progress, nowMs);
  if (left !== null) parts.push(`${formatSeconds(left)} left`);
  return parts.join(', ');
}

/** `20,000 items in 5.0 s` */
export function finishedText(progress: Progress, nowMs: number): string {
  return `${formatAmount(progress.count, progress.unit)} in ${formatSeconds(secondsSince(progress, nowMs))}`;
}
