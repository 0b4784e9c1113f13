// After a lost race: whether files written for one version of a table may be committed upon a newer one as they are.
// They may when nothing that they were made from has changed: the state of Tidelake's, the columns and their ids, the live
// files that leave the table or that rows are deleted of, and which rows of those were deleted. Another program may then have rewritten other files,
// or changed properties. Everything else is planned and written again.
// Source: DESIGN.md, "The table" (after a lost race); apache/iceberg, BaseRowDelta.validate: referenced files must exist.

import type { ManifestEntry } from '../../schemas/iceberg.js';
import { ObjectNotFoundError, type ObjectStore } from '../ports.js';
import { deletesByDataFile, type LiveFiles, liveFiles } from './iceberg/live-files.js';
import { currentSnapshot } from './iceberg/metadata.js';
import type { OpenTable } from './open-table.js';

/** Whether two versions of a table agree in what Tidelake knows of it and in the columns. */
export function isSameGround(base: OpenTable, fresh: OpenTable): boolean {
  const own = ({ md }: OpenTable): string =>
    JSON.stringify(
      Object.entries(md.properties)
        .filter(([name]) => name.startsWith('tidelake.'))
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  return (
    base.md['table-uuid'] === fresh.md['table-uuid'] &&
    base.md.location === fresh.md.location &&
    base.md['current-schema-id'] === fresh.md['current-schema-id'] &&
    // Somebody may have given away the ids that the files have for new columns.
    base.md['last-column-id'] === fresh.md['last-column-id'] &&
    own(base) === own(fresh)
  );
}

/** Whether two versions of a table have the same columns under the same ids, whatever windows lie between: enough for
 *  files that only put rows which are there into another form. */
export function hasSameColumns(base: OpenTable, fresh: OpenTable): boolean {
  return (
    base.md['table-uuid'] === fresh.md['table-uuid'] &&
    base.md.location === fresh.md.location &&
    base.md['current-schema-id'] === fresh.md['current-schema-id'] &&
    base.md['last-column-id'] === fresh.md['last-column-id'] &&
    base.state.columns === fresh.state.columns
  );
}

/** What a commit takes out of the table. */
export interface Replaced {
  /** Paths of data and delete files. */
  readonly removed: ReadonlySet<string>;
  /** Paths of data files that stay, with more of their rows deleted. Absent: there are none. */
  readonly marked?: ReadonlySet<string>;
  /** Every data file must be among them, since all rows were rewritten. */
  readonly isWhole: boolean;
}

/** The live files of `fresh`, when a commit planned upon `base` may be made upon it; else null. That rows are the same in
 *  both must be known already (see watermark.ts), unless `isGround` is content with less than the same state. */
export async function carriedOver(
  store: ObjectStore,
  base: OpenTable,
  fresh: OpenTable,
  replaced: Replaced,
  isGround: (base: OpenTable, fresh: OpenTable) => boolean = isSameGround,
): Promise<LiveFiles | null> {
  if (!isGround(base, fresh)) return null;
  const { removed, marked, isWhole } = replaced;
  const touched = new Set([...removed, ...(marked ?? [])]);
  const now = await liveFiles(store, fresh.md, currentSnapshot(fresh.md), fresh.location);
  const there = new Set([...now.data, ...now.positionDeletes].map(({ file }) => file.path));
  for (const path of touched) if (!there.has(path)) return null;
  if (isWhole && now.data.some(({ file }) => !removed.has(file.path))) return null;
  let was: LiveFiles;
  try {
    was = await liveFiles(store, base.md, currentSnapshot(base.md), base.location);
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return null;
    throw error;
  }
  return deletesOf(was, touched) === deletesOf(now, touched) ? now : null;
}

/** The delete files that apply to some data files, as a text to compare. */
function deletesOf(live: LiveFiles, paths: ReadonlySet<string>): string {
  const data = live.data.filter(({ file }) => paths.has(file.path));
  const names = (entries: readonly ManifestEntry[]): string[] =>
    entries.map(({ file }) => file.path).sort();
  const pairs = [...deletesByDataFile(data, live.positionDeletes)].map(
    ([path, entries]) => [path, names(entries)] as const,
  );
  return JSON.stringify(pairs.sort(([a], [b]) => (a < b ? -1 : 1)));
}
