// One at a time per name: work on one name waits for what was begun on it before; other names go on.
// Promises: first come, first served; an error in one piece of work is its own caller's only.
// Source: none.

/** A lock for each name in use. */
export class KeyedLock {
  readonly #last: Map<string, Promise<unknown>> = new Map();

  /** Runs `work` when all earlier work on that name is done. */
  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#last.set(name, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(name) === mine) this.#last.delete(name);
    }
  }
}
