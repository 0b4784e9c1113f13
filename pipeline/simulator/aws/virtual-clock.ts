// The time of the simulated AWS: that of another clock, moved forward as often as somebody asks.
// Promises: it never goes back while it runs, and how far it was moved is kept over a new start.
// Source: pipeline/ports.ts, Clock.

import type { Clock } from '../../ports.js';
import type { SimDocuments } from './service.js';

const documentName = 'clock/moved';
/** Last instant of four-digit years, ms: what is asked for beyond is a mistake. */
const nowMsMax = Date.UTC(9999, 11, 31);

/** A clock that can be moved forward. */
export class VirtualClock implements Clock {
  readonly #base: Clock;
  readonly #documents: SimDocuments;
  #movedMs: number;

  private constructor(base: Clock, documents: SimDocuments, movedMs: number) {
    this.#base = base;
    this.#documents = documents;
    this.#movedMs = movedMs;
  }

  /** The clock as it was left in `documents`, on top of `base`. */
  static async open(base: Clock, documents: SimDocuments): Promise<VirtualClock> {
    const stored = (await documents.get(documentName)) as { readonly movedMs: number } | null;
    return new VirtualClock(base, documents, stored?.movedMs ?? 0);
  }

  nowMs(): number {
    return this.#base.nowMs() + this.#movedMs;
  }

  /** Lets real time pass: nobody moves on because somebody waits. */
  sleep(ms: number): Promise<void> {
    return this.#base.sleep(ms);
  }

  /** Moves forward by so many milliseconds. Throws RangeError for less than none, or too many. */
  async advanceMs(byMs: number): Promise<void> {
    if (!Number.isSafeInteger(byMs) || byMs < 0 || this.nowMs() + byMs > nowMsMax) {
      throw new RangeError('the clock moves forward only, by whole milliseconds');
    }
    await this.#documents.put(documentName, { movedMs: this.#movedMs + byMs });
    this.#movedMs += byMs;
  }

  /** Moves forward to an instant, ms since the epoch. Throws RangeError when it is past. */
  async moveTo(nowMs: number): Promise<void> {
    await this.advanceMs(nowMs - this.nowMs());
  }
}
