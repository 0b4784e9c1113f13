// Checks of the files as files: are they there and whole, do footers say what manifests say, does every page decode.
// Promises: a damaged file is named (its last part only) and does not stop the check of the others.
// Spec: apache/iceberg format/spec.md, "Data File Fields", "Snapshots"; apache/parquet-format README.md.

import { TidelakeError } from '../../schemas/errors.js';
import type { ManifestEntry, Snapshot } from '../../schemas/iceberg.js';
import { readManifests, readSnapshotManifests } from '../lake/iceberg/live-files.js';
import type { ManifestFile } from '../lake/iceberg/manifest-list.js';
import { normalUri } from '../lake/iceberg/paths.js';
import { readFooter } from '../lake/parquet/footer.js';
import { ObjectNotFoundError, type World } from '../ports.js';
import { quoteText } from '../query/sql-text.js';
import { rowsOf } from './inspected-table.js';
import { type Finding, fileName, findingOf, placeOf, type Verified } from './verify-finding.js';

/** Footers read at the same time. */
const readsAtOnce = 8;

/** The objects below a folder, by URI. */
export async function listFolder(
  world: World,
  location: string,
): Promise<ReadonlyMap<string, number>> {
  const present = new Map<string, number>();
  for await (const { uri, size } of world.store.list(location)) present.set(normalUri(uri), size);
  return present;
}

function liveEntries(it: Verified): readonly ManifestEntry[] {
  return [...it.live.data, ...it.live.positionDeletes];
}

/** Every live file exists once, with its recorded length. */
export async function checkFiles(it: Verified): Promise<Finding> {
  const entries = liveEntries(it);
  const wrong = entries.flatMap((entry) => wrongSize(it, entry) ?? []);
  const paths = new Set<string>();
  for (const { file } of entries) {
    if (paths.has(file.path)) wrong.push(`${fileName(file.path)} is referred to twice`);
    paths.add(file.path);
  }
  const bytes = entries.reduce((sum, { file }) => sum + file.fileSizeBytes, 0n);
  return findingOf(wrong, `${entries.length} files of ${bytes} bytes`);
}

function wrongSize(it: Verified, { file }: ManifestEntry): string | null {
  const size = it.present.get(normalUri(placeOf(it, file.path)));
  if (size === undefined) return `${fileName(file.path)} is missing`;
  if (BigInt(size) === file.fileSizeBytes) return null;
  return `${fileName(file.path)} has ${size} bytes, not ${file.fileSizeBytes}`;
}

/** Every footer can be read and counts the rows that the manifest counts. */
export async function checkFooters(it: Verified): Promise<Finding> {
  const entries = liveEntries(it);
  const wrong: string[] = [];
  let groups = 0;
  for (let from = 0; from < entries.length; from += readsAtOnce) {
    const read = entries.slice(from, from + readsAtOnce).map(async ({ file }) => {
      const name = fileName(file.path);
      const uri = placeOf(it, file.path);
      try {
        const size = it.present.get(normalUri(uri)) ?? 0;
        const footer = await readFooter(
          (start, end) => it.world.store.read(uri, { start, end }),
          size,
          name,
        );
        groups += footer.rowGroups.length;
        if (footer.rowCount === file.recordCount) return null;
        return `${name} has ${footer.rowCount} rows, not ${file.recordCount}`;
      } catch (error) {
        if (error instanceof ObjectNotFoundError) return `${name} is missing`;
        if (error instanceof TidelakeError) return error.what;
        return `${name} has an unreadable footer`;
      }
    });
    for (const problem of await Promise.all(read)) if (problem !== null) wrong.push(problem);
  }
  return findingOf(wrong, `${entries.length} footers, ${groups} row groups`);
}

/** Every column of every row group can be decompressed and decoded: all values are hashed, nothing is kept. */
export async function checkRowGroups(it: Verified): Promise<Finding> {
  const wrong: string[] = [];
  let rows = 0n;
  for (const { file } of liveEntries(it)) {
    const uri = placeOf(it, file.path);
    try {
      const path = quoteText(await it.world.localFiles.path(uri, Number(file.fileSizeBytes)));
      const sql = `SELECT count(*), bit_xor(hash(t)) FROM read_parquet([${path}], hive_partitioning = false) AS t`;
      const [row] = await rowsOf(it.engine, sql);
      const count = BigInt(row![0] as number | string);
      rows += count;
      if (count !== file.recordCount) {
        wrong.push(`${fileName(file.path)} decodes to ${count} rows, not ${file.recordCount}`);
      }
    } catch (error) {
      if (error instanceof ObjectNotFoundError) {
        wrong.push(`${fileName(file.path)} is missing`);
        continue;
      }
      if (!(error instanceof TidelakeError)) throw error;
      // DuckDB's message may name the whole path, and with it values of the partition.
      wrong.push(
        `${fileName(file.path)} cannot be decoded (${/\w[\w ]* Error/.exec(error.what)?.[0] ?? error.code})`,
      );
    }
  }
  return findingOf(wrong, `${rows} rows decoded`);
}

/** The files of every snapshot that is kept are there; files that nobody refers to are counted, which is no fault. */
export async function checkHistory(it: Verified): Promise<Finding> {
  const { md, entry, location } = it.table;
  const referred = new Set<string>();
  const refer = (path: string): void => void referred.add(normalUri(placeOf(it, path)));
  const wrong: string[] = [];
  const seen = new Set<string>();
  for (const snapshot of md.snapshots) {
    refer(snapshot['manifest-list']);
    try {
      for (const entryOfSnapshot of await entriesNotSeen(it, snapshot, seen, refer)) {
        refer(entryOfSnapshot.file.path);
        const problem = wrongSize(it, entryOfSnapshot);
        if (problem !== null) wrong.push(`snapshot ${snapshot['snapshot-id']}: ${problem}`);
      }
    } catch (error) {
      if (!(error instanceof TidelakeError) && !(error instanceof ObjectNotFoundError)) throw error;
      wrong.push(
        `snapshot ${snapshot['snapshot-id']} has manifests that are missing or unreadable`,
      );
    }
  }
  referred.add(normalUri(entry.metadataUri));
  referred.add(`${normalUri(location)}/metadata/version-hint.text`);
  for (const logged of md['metadata-log']) refer(logged['metadata-file']);
  let count = 0;
  let bytes = 0;
  for (const [uri, size] of it.present) {
    if (referred.has(uri) || !/^\/(data|metadata)\//.test(uri.slice(normalUri(location).length)))
      continue;
    count += 1;
    bytes += size;
  }
  const unreferred = `${count} files of ${bytes} bytes that nothing refers to`;
  return findingOf(wrong, `${md.snapshots.length} snapshots; ${unreferred}`);
}

async function entriesNotSeen(
  it: Verified,
  snapshot: Snapshot,
  seen: Set<string>,
  refer: (path: string) => void,
): Promise<readonly ManifestEntry[]> {
  const { md, location } = it.table;
  const { store } = it.world;
  const manifests: readonly ManifestFile[] = await readSnapshotManifests(
    store,
    md,
    snapshot,
    location,
  );
  const fresh = manifests.filter((manifest) => !seen.has(manifest.path));
  for (const manifest of manifests) {
    seen.add(manifest.path);
    refer(manifest.path);
  }
  const entries = (await readManifests(store, md, fresh, location)).flat();
  // A removed entry tells of a file that an older snapshot has, or had before it expired.
  return entries.filter((one) => one.status !== 2);
}
