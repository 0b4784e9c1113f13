// How many requests are under way at once: as many as the service bears.
// Promises: never more than the bound; halves when the service asks to slow down, once for each wave, and grows back by
// one for each round of answers (additive increase, multiplicative decrease).
// Source: Amazon S3 User Guide, "Optimizing performance" (503 SlowDown); RFC 5681 for the scheme.

/** A bound on requests that follows what the service bears. */
export class RequestSlots {
  readonly #most: number;
  readonly #waiting: (() => void)[] = [];
  #limit: number;
  #taken = 0;
  /** Answers until a further slow-down counts: those of the same wave say the same thing. */
  #deaf = 0;

  constructor(most: number) {
    this.#most = most;
    this.#limit = most;
  }

  /** Requests that may be under way now. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** Runs `work` when there is a slot. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const release = await this.take();
    try {
      return await work();
    } finally {
      release();
    }
  }

  /** Waits for a slot and returns what frees it, once. */
  async take(): Promise<() => void> {
    if (this.#taken >= this.limit || this.#waiting.length > 0) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#taken += 1;
    let isFree = false;
    return () => {
      if (isFree) return;
      isFree = true;
      this.#taken -= 1;
      this.#admit();
    };
  }

  /** The service answered. */
  answered(): void {
    this.#deaf = Math.max(0, this.#deaf - 1);
    this.#limit = Math.min(this.#most, this.#limit + 1 / this.#limit);
    this.#admit();
  }

  /** The service asked to slow down. */
  slowDown(): void {
    if (this.#deaf > 0) {
      this.#deaf -= 1;
      return;
    }
    this.#deaf = Math.max(0, this.#taken - 1);
    this.#limit = Math.max(1, this.#limit / 2);
  }

  #admit(): void {
    const free = this.limit - this.#taken;
    for (const admit of this.#waiting.splice(0, Math.max(0, free))) {
      // Counted here and not when the waiting one wakes, so that nobody slips in between.
      this.#taken += 1;
      admit();
    }
  }
}
