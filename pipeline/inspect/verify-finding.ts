// What the checks of `verify` share: the table they look at, and how a finding is told.
// Promises: a file is named by the last part of its path only, since folders of a partition are named after values.
// Spec: DESIGN.md, "The command" (verify).

import type { IcebergSchema, ManifestEntry } from '../../schemas/iceberg.js';
import type { LiveFiles } from '../lake/iceberg/live-files.js';
import { locate } from '../lake/iceberg/paths.js';
import type { OpenTable } from '../lake/open-table.js';
import type { QueryEngine, World } from '../ports.js';

/** A table under verification. */
export interface Verified {
  readonly world: World;
  readonly table: OpenTable;
  readonly schema: IcebergSchema;
  readonly live: LiveFiles;
  /** Sizes of all objects below the table's folder, by URI. */
  readonly present: ReadonlyMap<string, number>;
  readonly engine: QueryEngine;
}

/** What a check found. `detail` says what was compared, or what is wrong. */
export interface Finding {
  readonly ok: boolean;
  readonly detail: string;
}

/** The last part of a path: folders of a partition are named after values. */
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Where a file of the table lies now. */
export function placeOf(it: Pick<Verified, 'table'>, path: string): string {
  return locate(it.table.md.location, it.table.location, path);
}

/** A finding about many things: what is wrong, the first few by name, or what was compared. */
export function findingOf(wrong: readonly string[], compared: string): Finding {
  if (wrong.length === 0) return { ok: true, detail: compared };
  const more = wrong.length > 5 ? `, and ${wrong.length - 5} more` : '';
  return { ok: false, detail: `${wrong.slice(0, 5).join('; ')}${more}` };
}

/** At most `count` of the entries, spread evenly. */
export function sampled(
  entries: readonly ManifestEntry[],
  count: number,
): readonly ManifestEntry[] {
  if (entries.length <= count) return entries;
  return Array.from(
    { length: count },
    (_, i) => entries[Math.floor((i * entries.length) / count)]!,
  );
}
