// The files that snapshots are made of: manifest lists, manifests, data and delete files.
// Promises: for snapshots that are kept, a file that cannot be read is an error, so that nothing is taken for unused by
// mistake; for expired ones it is passed over, since an earlier run may have removed it.
// Source: apache/iceberg format/spec.md, "Snapshots", "Manifest Lists", "Manifests"; Java's ReachableFileCleanup.

import type { Snapshot, TableMetadata } from '../../schemas/iceberg.js';
import { readManifest } from '../lake/iceberg/manifest.js';
import { type ManifestFile, readManifestList } from '../lake/iceberg/manifest-list.js';
import { locate } from '../lake/iceberg/paths.js';
import { ObjectNotFoundError, type ObjectStore } from '../ports.js';

/** Files by URI, as they lie now. */
export interface Reachable {
  readonly manifestLists: Set<string>;
  readonly manifests: Set<string>;
  /** Data and delete files, with their sizes in bytes. */
  readonly files: Map<string, number>;
}

/** Objects read at the same time. */
const readsAtOnce = 16;

/** The files of some snapshots. Entries of removed files do not count: an older snapshot has them, or had. */
export async function reachableFiles(
  store: ObjectStore,
  md: TableMetadata,
  snapshots: readonly Snapshot[],
  ifMissing: 'fail' | 'pass',
): Promise<Reachable> {
  const place = (uri: string): string => locate(md.location, md.location, uri);
  const read = async (uri: string): Promise<Uint8Array | null> => {
    try {
      return await store.read(place(uri));
    } catch (error) {
      if (ifMissing === 'pass' && error instanceof ObjectNotFoundError) return null;
      throw error;
    }
  };
  const manifestLists = new Set<string>();
  const manifests = new Map<string, ManifestFile>();
  const files = new Map<string, number>();
  await inGroups(snapshots, async (snapshot) => {
    const uri = snapshot['manifest-list'];
    manifestLists.add(place(uri));
    const bytes = await read(uri);
    if (bytes === null) return;
    for (const manifest of readManifestList(bytes)) manifests.set(place(manifest.path), manifest);
  });
  await inGroups([...manifests.values()], async (manifest) => {
    const bytes = await read(manifest.path);
    if (bytes === null) return;
    for (const { status, file } of readManifest(bytes, manifest, md)) {
      if (status !== 2) files.set(place(file.path), Number(file.fileSizeBytes));
    }
  });
  return { manifestLists, manifests: new Set(manifests.keys()), files };
}

/**
 * Of the kept snapshots, those whose files have to be looked at to know what the expired ones share with them. A snapshot of
 * Tidelake's has the files of its parent and new ones under random names, so for a row of them the first is enough. What
 * another program did is not taken for granted.
 */
export function rootsOf(kept: readonly Snapshot[]): readonly Snapshot[] {
  const ids = new Set(kept.map((one) => one['snapshot-id']));
  return kept.filter((one) => {
    const parent = one['parent-snapshot-id'];
    const isOwn = one.summary['tidelake.kind'] !== undefined;
    return !isOwn || parent === undefined || !ids.has(parent);
  });
}

/** Does `work` for all items, some at a time. */
export async function inGroups<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
  atOnce: number = readsAtOnce,
): Promise<void> {
  for (let from = 0; from < items.length; from += atOnce) {
    await Promise.all(items.slice(from, from + atOnce).map(work));
  }
}
