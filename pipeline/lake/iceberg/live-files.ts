// The live files of a snapshot, and which position delete files apply to which data file.
// Promises: what is returned is all of the snapshot and nothing else; equality deletes are refused, never ignored.
// Source: apache/iceberg format/spec.md, "Scan Planning", "Position Delete Files".
import { refuse } from '../../../schemas/errors.js';
import {
  filePathFieldId,
  type ManifestEntry,
  type PartitionValue,
  type Snapshot,
  type TableMetadata,
} from '../../../schemas/iceberg.js';
import type { ObjectStore } from '../../ports.js';
import { readManifest } from './manifest.js';
import type { ManifestFile } from './manifest-list.js';
import { readManifestList } from './manifest-list.js';
import { locate } from './paths.js';

/** The files a snapshot consists of. Paths are as in the manifests: `locate` says where they lie. */
export interface LiveFiles {
  readonly data: readonly ManifestEntry[];
  readonly positionDeletes: readonly ManifestEntry[];
  readonly manifests: readonly ManifestFile[];
}

/** Manifests read at the same time: enough to hide a store's latency, few enough to bound memory. */
const manifestsAtOnce = 8;

/** Reads the live files of a snapshot (null: of an empty table). `location` is where the table's folder lies now, when
 *  it was moved. Throws REFUSED_FORMAT for equality deletes and broken manifests. */
export async function liveFiles(
  store: ObjectStore,
  md: TableMetadata,
  snapshot: Snapshot | null,
  location: string = md.location,
): Promise<LiveFiles> {
  if (snapshot === null) return { data: [], positionDeletes: [], manifests: [] };
  const manifests = await readSnapshotManifests(store, md, snapshot, location);
  const withFiles = manifests.filter((file) => file.addedFiles + file.existingFiles > 0);
  const data: ManifestEntry[] = [];
  const positionDeletes: ManifestEntry[] = [];
  for (const entries of await readManifests(store, md, withFiles, location)) {
    for (const entry of entries) {
      if (entry.status === 2) continue;
      if (entry.file.content === 0) data.push(entry);
      else positionDeletes.push(entry);
    }
  }
  return { data, positionDeletes, manifests };
}

/** The manifest list of a snapshot. */
export async function readSnapshotManifests(
  store: ObjectStore,
  md: TableMetadata,
  snapshot: Snapshot,
  location: string = md.location,
): Promise<ManifestFile[]> {
  return readManifestList(
    await store.read(locate(md.location, location, snapshot['manifest-list'])),
  );
}

/** The entries of manifests, in the order of the manifests. Throws REFUSED_FORMAT for a live equality delete. */
export async function readManifests(
  store: ObjectStore,
  md: TableMetadata,
  manifests: readonly ManifestFile[],
  location: string = md.location,
): Promise<ManifestEntry[][]> {
  const results: ManifestEntry[][] = [];
  for (let from = 0; from < manifests.length; from += manifestsAtOnce) {
    const part = manifests.slice(from, from + manifestsAtOnce);
    const read = part.map(async (file) => {
      const bytes = await store.read(locate(md.location, location, file.path));
      const entries = readManifest(bytes, file, md);
      for (const entry of entries)
        if (entry.status !== 2 && entry.file.content === 2) throw equalityDelete(entry);
      return entries;
    });
    results.push(...(await Promise.all(read)));
  }
  return results;
}

/** The position delete files that apply to a data file: of the same spec and partition, not older than it, and not
 *  bound to another data file. For many data files use `deletesByDataFile`. */
export function deletesFor(
  data: ManifestEntry,
  positionDeletes: readonly ManifestEntry[],
): ManifestEntry[] {
  return positionDeletes.filter((one) => applies(one, data));
}

/** `deletesFor` for many data files at once, by path of the data file; files without deletes are not in the map. */
export function deletesByDataFile(
  data: readonly ManifestEntry[],
  positionDeletes: readonly ManifestEntry[],
): Map<string, ManifestEntry[]> {
  const bound = new Map<string, ManifestEntry[]>();
  const unbound = new Map<string, ManifestEntry[]>();
  for (const one of positionDeletes) {
    const target = targetOf(one);
    const [map, key] = target === null ? [unbound, partitionKey(one)] : [bound, target];
    const list = map.get(key);
    if (list === undefined) map.set(key, [one]);
    else list.push(one);
  }
  const result = new Map<string, ManifestEntry[]>();
  for (const entry of data) {
    const candidates = [
      ...(bound.get(entry.file.path) ?? []),
      ...(unbound.get(partitionKey(entry)) ?? []),
    ];
    const found = candidates.filter((one) => applies(one, entry));
    if (found.length > 0) result.set(entry.file.path, found);
  }
  return result;
}

/** The one data file a position delete file is bound to, or null when it may hold positions of several. Bounds of
 *  `file_path` that are equal name it too: a cut upper bound would be greater than the lower one. */
export function targetOf(positionDelete: ManifestEntry): string | null {
  const { file } = positionDelete;
  if (file.referencedDataFile !== null) return file.referencedDataFile;
  const lower = file.lowerBounds.get(filePathFieldId);
  const upper = file.upperBounds.get(filePathFieldId);
  if (lower === undefined || upper === undefined || Buffer.compare(lower, upper) !== 0) return null;
  return Buffer.from(lower).toString('utf8');
}

function applies(positionDelete: ManifestEntry, data: ManifestEntry): boolean {
  if (positionDelete.specId !== data.specId || positionDelete.sequenceNumber < data.sequenceNumber)
    return false;
  if (partitionKey(positionDelete) !== partitionKey(data)) return false;
  const target = targetOf(positionDelete);
  if (target !== null) return target === data.file.path;
  const path = Buffer.from(data.file.path, 'utf8');
  const lower = positionDelete.file.lowerBounds.get(filePathFieldId);
  const upper = positionDelete.file.upperBounds.get(filePathFieldId);
  return (
    (lower === undefined || Buffer.compare(lower, path) <= 0) &&
    (upper === undefined || Buffer.compare(path, upper) <= 0)
  );
}

/** Equal for entries of the same spec and partition, different otherwise. */
export function partitionKey(entry: Pick<ManifestEntry, 'specId' | 'file'>): string {
  return `${entry.specId}:${entry.file.partition.map(valueKey).join()}`;
}

function valueKey(value: PartitionValue): string {
  if (value === null) return 'null';
  if (value instanceof Uint8Array) return `x${Buffer.from(value).toString('hex')}`;
  return typeof value === 'string' ? JSON.stringify(value) : `${typeof value}${value}`;
}

function equalityDelete(entry: ManifestEntry): Error {
  // The last part of the path only: folders of a partition are named after values.
  const name = entry.file.path.slice(entry.file.path.lastIndexOf('/') + 1);
  return refuse(
    'REFUSED_FORMAT',
    `the table has an equality delete file (${name}), written by another program`,
    'its rows cannot be read right without applying it, which Tidelake does not do; nothing was changed',
    "run Athena's OPTIMIZE … REWRITE DATA USING BIN_PACK on the table, then try again",
  );
}
