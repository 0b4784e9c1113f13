// Clocks: the wall clock of this machine, and one that a test sets.
// Promises: the only place besides aws/ and cli/ that asks what time it is.
// Source: ports.ts, Clock.
import type { Clock } from '../ports.js';

/** The longest a timer waits: it takes a longer time for 1 ms (Node.js, "Timers", setTimeout). */
const timerMsMax = 2 ** 31 - 1;

/** The wall clock. */
export class SystemClock implements Clock {
  nowMs(): number {
    return Date.now();
  }

  async sleep(ms: number): Promise<void> {
    for (let leftMs = ms; ; leftMs -= timerMsMax) {
      const partMs = Math.min(leftMs, timerMsMax);
      await new Promise<void>((resolve) => setTimeout(resolve, partMs));
      if (leftMs <= timerMsMax) return;
    }
  }
}

/** A clock that stands still until it is told to move, or somebody sleeps: then it is later at once. */
export class ManualClock implements Clock {
  #nowMs: number;

  /** @param startMs first reading, ms since the epoch */
  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  advanceMs(byMs: number): void {
    this.#nowMs += byMs;
  }

  async sleep(ms: number): Promise<void> {
    this.advanceMs(ms);
  }
}
