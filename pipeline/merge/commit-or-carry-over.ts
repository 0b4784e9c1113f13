// The commit of files that are written already, tried again upon what others commit meanwhile, as long as the files stay true.
// Promises: the watermark is proved anew on every version before it is built upon; at most the tries of `attempts`.

import { carriedOver, type Replaced } from '../lake/carry-over.js';
import { type CommitAttempts, isLostRace } from '../lake/commit-attempts.js';
import type { LiveFiles } from '../lake/iceberg/live-files.js';
import { type OpenTable, openTable } from '../lake/open-table.js';
import { checkWriter } from '../lake/watermark.js';
import type { Catalog, World } from '../ports.js';

/** Calls `commit` with the version to build upon, first `open`; later ones come with their live files. Throws what it throws,
 *  REFUSED_FOREIGN_WRITER when somebody changed rows, and COMMIT_CONFLICT when the files do not fit the newer version. */
export async function commitOrCarryOver(
  world: World,
  catalog: Catalog,
  open: OpenTable,
  attempts: CommitAttempts,
  replaced: Replaced,
  commit: (base: OpenTable, live: LiveFiles | null) => Promise<void>,
): Promise<void> {
  const { store } = world;
  const { database, table } = open;
  let base = open;
  let live: LiveFiles | null = null;
  for (;;) {
    attempts.begin();
    try {
      await commit(base, live);
      return;
    } catch (error) {
      if (!isLostRace(error)) throw error;
      await attempts.again(error);
      const fresh = await openTable({ store, catalog, database, table });
      if (fresh === null) throw error;
      await checkWriter(store, fresh);
      live = await carriedOver(store, base, fresh, replaced);
      if (live === null) throw error;
      base = fresh;
    }
  }
}
