// Metadata files of versions that left the metadata log, and manifest lists of snapshots that left the metadata: what an
// earlier commit, or a run that died after its commit, has left lying.
// Promises: only files that are known, from a metadata file of this table, to have been a version or a snapshot of it are
// named; a file that somebody is writing for a commit to come is not, whatever it is called.
// Source: apache/iceberg format/spec.md, "Table Metadata Fields" (metadata-log).

import { isRefusal } from '../../schemas/errors.js';
import type { Snapshot, TableMetadata } from '../../schemas/iceberg.js';
import { metadataLogsMax } from '../../schemas/limits.js';
import { parseTableMetadata } from '../lake/iceberg/metadata.js';
import { locate } from '../lake/iceberg/paths.js';
import { ObjectNotFoundError, type ObjectStore } from '../ports.js';

/** A table's metadata with where it lies, and the names in its metadata folder. */
export interface MetadataFolder {
  readonly store: ObjectStore;
  readonly md: TableMetadata;
  readonly metadataUri: string;
  /** Names of files in the metadata folder. */
  readonly present: ReadonlySet<string>;
}

/** URIs of metadata files of older versions that are no longer in the log and were written at or before `beforeMs` (the clock's
 *  time), oldest first. At most what `metadataLogsMax` logs name. */
export async function oldMetadataFiles(
  folder: MetadataFolder,
  beforeMs: number,
): Promise<readonly string[]> {
  const { md, present } = folder;
  const place = (uri: string): string => locate(md.location, md.location, uri);
  const isThere = (uri: string): boolean => present.has(nameOf(uri));
  const known = new Set([place(folder.metadataUri)]);
  for (const entry of md['metadata-log']) known.add(place(entry['metadata-file']));
  const found: string[] = [];
  let log = md['metadata-log'];
  for (let step = 0; step < metadataLogsMax; step++) {
    const oldest = log.find((entry) => isThere(entry['metadata-file']));
    if (oldest === undefined) break;
    const older = await readVersion(folder, oldest['metadata-file']);
    if (older === null) break;
    const fresh: string[] = [];
    for (const entry of older['metadata-log']) {
      const uri = place(entry['metadata-file']);
      if (known.has(uri) || !isThere(uri)) continue;
      known.add(uri);
      if (entry['timestamp-ms'] <= beforeMs) fresh.push(uri);
    }
    // The oldest must come first: a run that dies half way then leaves a chain that the next one can follow.
    found.unshift(...fresh);
    log = older['metadata-log'];
  }
  return found;
}

/** Snapshots that older versions had, whose manifest lists still lie there although the metadata has them no more: a run
 *  that expired them died before it had removed their files. */
export async function unfinishedSnapshots(folder: MetadataFolder): Promise<readonly Snapshot[]> {
  const { md, present } = folder;
  const left = new Set([...present].filter((name) => /^snap-.*\.avro$/.test(name)));
  for (const snapshot of md.snapshots) left.delete(nameOf(snapshot['manifest-list']));
  const found: Snapshot[] = [];
  for (const entry of [...md['metadata-log']].reverse()) {
    if (left.size === 0) break;
    if (!present.has(nameOf(entry['metadata-file']))) continue;
    const older = await readVersion(folder, entry['metadata-file']);
    for (const snapshot of older?.snapshots ?? []) {
      if (left.delete(nameOf(snapshot['manifest-list']))) found.push(snapshot);
    }
  }
  return found;
}

/** An older version of the table; null when it is gone, cannot be read, or is another table's. */
async function readVersion(
  { store, md }: MetadataFolder,
  uri: string,
): Promise<TableMetadata | null> {
  try {
    const older = parseTableMetadata(await store.read(locate(md.location, md.location, uri)));
    return older['table-uuid'] === md['table-uuid'] && older.location === md.location
      ? older
      : null;
  } catch (error) {
    if (isRefusal(error) || error instanceof ObjectNotFoundError) return null;
    throw error;
  }
}

function nameOf(uri: string): string {
  return uri.slice(uri.lastIndexOf('/') + 1);
}
