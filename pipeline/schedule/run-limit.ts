// When a run has to be over: its time budget, and a signal that tells it to stop. One value for all tables of a run.
// Promises: work is begun only while it may be, and no commit is started in the last `commitReserveMs` before the end: a commit
// that is cut off would leave nobody knowing whether it went through.
// Source: the design, "The command"; failure A15 and A16 of its catalogue (SIGTERM, time limits of short-lived runners).

import { TidelakeError } from '../../schemas/errors.js';
import { commitReserveMs, upkeepLeaveMs, upkeepReserveMs } from '../../schemas/limits.js';
import type { Catalog, Clock, ObjectStore, World } from '../ports.js';

export class RunLimit {
  readonly #clock: Clock;
  #deadlineMs: number | null;
  #isStopping = false;
  readonly #stops: (() => void)[] = [];
  /** Commits that were started and have not ended. */
  #commits = 0;
  readonly #idles: (() => void)[] = [];

  /** @param deadlineMs instant at which the run must be over; null: no limit */
  constructor(clock: Clock, deadlineMs: number | null = null) {
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
  }

  get deadlineMs(): number | null {
    return this.#deadlineMs;
  }

  /** Whether the run was told to stop: what is begun may be finished in time, nothing else is. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Tells the run to stop, and how long it has before it is killed. */
  stop(graceMs: number): void {
    const endMs = this.#clock.nowMs() + graceMs;
    this.#deadlineMs = this.#deadlineMs === null ? endMs : Math.min(this.#deadlineMs, endMs);
    this.#isStopping = true;
    for (const wake of this.#stops.splice(0)) wake();
  }

  /** Whether a load or a merge may be begun now. */
  get mayBegin(): boolean {
    return !this.#isStopping && this.mayCommit;
  }

  /** Whether upkeep may be begun now: it is left before it could cost a round its report. */
  get mayKeepUp(): boolean {
    return !this.#isStopping && this.#leftMs > upkeepReserveMs;
  }

  /** Comes back when upkeep in progress is to be left alone: the run is told to stop, or is about to be over. */
  async upkeepOver(): Promise<void> {
    while (!this.#isStopping && this.#leftMs > upkeepLeaveMs) {
      await this.sleep(this.#leftMs - upkeepLeaveMs);
    }
  }

  /** Time in which commits may still be started, in ms. */
  get #leftMs(): number {
    if (this.#deadlineMs === null) return Number.POSITIVE_INFINITY;
    return this.#deadlineMs - commitReserveMs - this.#clock.nowMs();
  }

  /** Whether a commit may be started now. */
  get mayCommit(): boolean {
    return this.#leftMs > 0;
  }

  /** Runs a commit, if one may still be started. Throws TIME_BUDGET. */
  async commit<T>(work: () => Promise<T>): Promise<T> {
    if (!this.mayCommit) throw outOfTime();
    this.#commits += 1;
    try {
      return await work();
    } finally {
      this.#commits -= 1;
      if (this.#commits === 0) for (const wake of this.#idles.splice(0)) wake();
    }
  }

  /** Comes back when nothing that is still being done can come to anything: no commit may be started any more, and none is on
   *  its way. Never, while there is no deadline and no stop. */
  async over(): Promise<void> {
    for (;;) {
      if (this.mayCommit) {
        await this.sleep(Number.POSITIVE_INFINITY);
        continue;
      }
      if (this.#commits === 0) return;
      await new Promise<void>((resolve) => this.#idles.push(resolve));
    }
  }

  /** Comes back after so many milliseconds, at the last moment at which work could be begun, or when told to stop. */
  async sleep(ms: number): Promise<void> {
    const leftMs = Math.min(ms, this.#leftMs);
    // Once told to stop there is nothing to wake up for but the end.
    let wake = (): void => {};
    const stopped = new Promise<void>((resolve) => {
      wake = resolve;
      if (!this.#isStopping) this.#stops.push(resolve);
    });
    const slept = Number.isFinite(leftMs) ? [this.#clock.sleep(Math.max(0, leftMs))] : [];
    await Promise.race([...slept, stopped]);
    const at = this.#stops.indexOf(wake);
    if (at >= 0) this.#stops.splice(at, 1);
  }
}

/** A world in which no commit starts when the limit forbids it: the work is dropped then, with TIME_BUDGET. */
export function guardCommits(world: World, limit: RunLimit): World {
  const { store, glueCatalog } = world;
  return {
    ...world,
    // The catalog of files commits by putting the next version exclusively; so is every other file that is written once.
    store: guarded(store, {
      putIfAbsent: (uri, bytes) => limit.commit(() => store.putIfAbsent(uri, bytes)),
    }),
    glueCatalog:
      glueCatalog === null
        ? null
        : async (lakeUri) => guardedCatalog(await glueCatalog(lakeUri), limit),
  };
}

function guardedCatalog(catalog: Catalog, limit: RunLimit): Catalog {
  return guarded(catalog, {
    commit: (...commit) => limit.commit(() => catalog.commit(...commit)),
  });
}

/** The same object with some methods replaced; the others still run on it. */
function guarded<T extends ObjectStore | Catalog>(one: T, methods: Partial<T>): T {
  return new Proxy(one, {
    get: (target, name) => {
      if (Object.hasOwn(methods, name)) return Reflect.get(methods, name);
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function outOfTime(): TidelakeError {
  return new TidelakeError({
    code: 'TIME_BUDGET',
    what: 'the time of the run was over before the commit could be started',
    meaning:
      'the work on this window or full export is dropped; the lake is as the commit before left it',
    next: 'run the same command again, with more time if it stays so',
  });
}
