// Files below a table's folder that nothing refers to: what attempts left that died, or lost a race without the right to
// remove anything.
// Promises: a file of any snapshot, of the metadata log or of statistics is none; nor is one younger than the longest work in
// progress, by the store's own clock; nor anything outside the folders `data` and `metadata`.
// Source: apache/iceberg, "Maintenance", "Delete orphan files" (older than three days).

import { orphanAgeMsMin } from '../../schemas/limits.js';
import { locate, normalUri } from '../lake/iceberg/paths.js';
import type { OpenTable } from '../lake/open-table.js';
import type { ObjectStore } from '../ports.js';
import { reachableFiles } from './reachable-files.js';

/** Orphans with their sizes in bytes. `open` must have been read before: a file that is committed later is younger. */
export async function orphanFiles(
  store: ObjectStore,
  { md, entry }: OpenTable,
  nowMs: number,
): Promise<readonly (readonly [uri: string, bytes: number])[]> {
  const place = (uri: string): string => locate(md.location, md.location, uri);
  const used = await reachableFiles(store, md, md.snapshots, 'fail');
  const referred = new Set([...used.manifestLists, ...used.manifests, ...used.files.keys()]);
  referred.add(normalUri(entry.metadataUri));
  for (const logged of md['metadata-log']) referred.add(place(logged['metadata-file']));
  for (const one of [...md.statistics, ...(md['partition-statistics'] ?? [])]) {
    const path = (one as { readonly 'statistics-path'?: unknown })['statistics-path'];
    if (typeof path === 'string') referred.add(place(path));
  }
  const root = normalUri(md.location);
  referred.add(`${root}/metadata/version-hint.text`);
  const orphans: [string, number][] = [];
  for (const folder of ['data', 'metadata']) {
    for await (const { uri, size, modifiedMs } of store.list(`${root}/${folder}`)) {
      if (referred.has(normalUri(uri)) || modifiedMs > nowMs - orphanAgeMsMin) continue;
      orphans.push([uri, size]);
    }
  }
  return orphans;
}
