// Turns of work: so many at once, the others in the order in which they came.
// Promises: a turn is held for one piece of work and no longer, so that who only waits for time keeps nobody from working; once
// closed, no further turn begins.
// Source: the design, "The hourly job is a pure decision" (one table's trouble never stops another).

export class Slots {
  #free: number;
  #isClosed = false;
  readonly #queue: (() => void)[] = [];

  /** @param atOnceMax pieces of work at once, 1 or more */
  constructor(atOnceMax: number) {
    this.#free = atOnceMax;
  }

  /** Begins no further work. */
  close(): void {
    this.#isClosed = true;
    for (const go of this.#queue.splice(0)) go();
  }

  /** Does `work` when its turn comes; null: there was none before the end. */
  async inTurn<T>(work: () => Promise<T>): Promise<T | null> {
    if (this.#free > 0) this.#free -= 1;
    else if (!this.#isClosed) await new Promise<void>((resolve) => this.#queue.push(resolve));
    if (this.#isClosed) return null;
    try {
      return await work();
    } finally {
      // A turn is handed over, so that nobody who comes later takes it.
      const next = this.#queue.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
