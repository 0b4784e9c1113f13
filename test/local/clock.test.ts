// The wall clock's sleep, on timers that the test moves.
// Source: pipeline/ports.ts, Clock; Node.js documentation, "Timers": a delay above 2147483647 ms is taken for 1 ms.

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SystemClock } from '../../pipeline/local/clock.js';

const dayMs = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it.each([1, 24, 25, 40, 60])('sleeps %d days, and no less', async (days) => {
  let isAwake = false;
  const slept = new SystemClock().sleep(days * dayMs).then(() => {
    isAwake = true;
  });
  await vi.advanceTimersByTimeAsync(days * dayMs - 1);
  expect(isAwake).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(isAwake).toBe(true);
  await slept;
});
