// How often, and after which pauses, a commit is tried again that lost a race.
// Promises: at most commitAttemptsMax tries in all, whatever is done anew in between; then COMMIT_CONFLICT says so. Pauses
// double, and chance cuts each to between a half and the whole, so that rivals do not meet again at the same moment.

import { TidelakeError } from '../../schemas/errors.js';
import { commitAttemptsMax, commitPauseMs, commitPauseMsMax } from '../../schemas/limits.js';
import { type Catalog, ObjectNotFoundError, type World } from '../ports.js';
import type { OpenTable } from './open-table.js';

/** Whether an error says that somebody else committed first. */
export function isLostRace(error: unknown): boolean {
  return error instanceof TidelakeError && error.code === 'COMMIT_CONFLICT';
}

/** An error of work upon a version of a table, told as a lost race when that is what it comes from: a file of the version is
 *  gone, since somebody has meanwhile replaced it and expired its snapshot. */
export async function asLostRace(
  error: unknown,
  catalog: Catalog,
  open: Pick<OpenTable, 'database' | 'table' | 'entry'>,
  attempts: CommitAttempts,
): Promise<unknown> {
  if (!(error instanceof ObjectNotFoundError)) return error;
  const current = await catalog.current(open.database, open.table);
  if (current === null || current.version === open.entry.version) return error;
  attempts.begin();
  return new TidelakeError(
    {
      code: 'COMMIT_CONFLICT',
      what: `${open.table}: another writer replaced files that this run was reading`,
      meaning: 'the table is as the other writer left it; this run changed nothing',
      next: 'run the same command again',
    },
    { cause: error },
  );
}

/** The tries of one piece of work. */
export class CommitAttempts {
  readonly #world: Pick<World, 'clock' | 'ids'>;
  readonly #table: string;
  #tries = 0;
  #pausedAfter = 0;

  constructor(world: Pick<World, 'clock' | 'ids'>, table: string) {
    this.#world = world;
    this.#table = table;
  }

  /** To be called before each try. */
  begin(): void {
    this.#tries++;
  }

  /** Comes back when the work may be tried again after `error`, having paused once per try. Throws the error if it is no
   *  lost race, and COMMIT_CONFLICT when all tries are used. */
  async again(error: unknown): Promise<void> {
    if (!isLostRace(error)) throw error;
    if (this.#tries >= commitAttemptsMax) {
      throw new TidelakeError(
        {
          code: 'COMMIT_CONFLICT',
          what: `${this.#table}: other writers committed first, ${this.#tries} times in a row`,
          meaning: 'the table is as they left it; this run changed nothing',
          next: 'run the same command again; if it stays so, let fewer jobs write to this table',
        },
        { cause: error },
      );
    }
    if (this.#pausedAfter === this.#tries) return;
    this.#pausedAfter = this.#tries;
    const longest = Math.min(commitPauseMsMax, commitPauseMs * 2 ** (this.#tries - 1));
    const chance = Number(this.#world.ids.snapshotId() % 1000n) / 1000;
    await this.#world.clock.sleep(Math.round(longest * (0.5 + chance / 2)));
  }
}
