// One new snapshot on top of a table's current one: its manifests, its manifest list, and the metadata to commit.
// Promises: nothing that exists is changed, so until the catalog takes the metadata no reader sees a thing; files to be
// replaced must still be live. Source: apache/iceberg format/spec.md, "Snapshots", "Manifests", "Sequence Numbers".
import { refuse, TidelakeError } from '../../../schemas/errors.js';
import type {
  DataFile,
  IcebergSchema,
  ManifestEntry,
  PartitionSpec,
  Snapshot,
  SortOrder,
  TableMetadata,
} from '../../../schemas/iceberg.js';
import type { Ids, ObjectStore } from '../../ports.js';
import { withoutLostSources, withSchema, withSortOrder, withSpec } from './evolve.js';
import {
  deletesByDataFile,
  partitionKey,
  readManifests,
  readSnapshotManifests,
  targetOf,
} from './live-files.js';
import { writeManifest } from './manifest.js';
import type { ManifestFile } from './manifest-list.js';
import { writeManifestList } from './manifest-list.js';
import { currentSnapshot, snapshotById, specById } from './metadata.js';
import { isMoved } from './paths.js';
import { statedTotals, summaryCounts, totalsOf } from './snapshot-summary.js';

/** A file to add. Without `specId` it belongs to the default spec (the new one, if there is a new one); a position
 *  delete file must name the spec of its data file. Sequence numbers come from the commit. */
export type AddedFile = DataFile & { readonly specId?: number };

export interface SnapshotOptions {
  readonly store: ObjectStore;
  /** The metadata to build upon. */
  readonly md: TableMetadata;
  /** Where the table's folder lies now; must be where the metadata says. */
  readonly location: string;
  readonly ids: Ids;
  /** The end of the data's window, ms since the epoch; raised to one more than the parent's where needed. */
  readonly snapshotTimestampMs: number;
  /** The wall clock, ms since the epoch. */
  readonly nowMs: number;
  /** Paths of live files, data or deletes, as manifests name them, that leave the table. */
  readonly removed: ReadonlySet<string>;
  readonly added: readonly AddedFile[];
  /** Table properties to set; null removes one. */
  readonly properties: Readonly<Record<string, string | null>>;
  /** Summary entries besides the counts. */
  readonly summary: Readonly<Record<string, string>>;
  readonly operation: 'append' | 'overwrite' | 'delete' | 'replace';
  readonly newSchema?: IcebergSchema;
  readonly newSpec?: PartitionSpec;
  readonly newSortOrder?: SortOrder;
  /** Removes every live file; `removed` is then not needed. */
  readonly replaceAll?: boolean;
  /** The id of the new snapshot, when it has to be known before (for a property); else a new one is drawn. */
  readonly snapshotId?: bigint;
  /** URI of the metadata file that `md` was read from, for the metadata log. */
  readonly metadataUri?: string;
  /** Told of every file before it is written, so that a lost commit can be tidied up. */
  readonly onWrite?: (uri: string) => void;
}

/** Manifests that a snapshot may have before small ones are merged. */
const manifestsMax = 50;
/** Manifests of at least this size are left alone by merging. */
const manifestBytesTarget = 8n * 1024n * 1024n;
/** Entries of one new manifest: about manifestBytesTarget with some tens of columns. */
const entriesMax = 10_000;
/** Entries of the metadata log, and so the metadata files an expiry may rely on. */
const metadataLogMax = 100;
/** Manifests written at the same time. */
const writesAtOnce = 8;

/** Writes the manifests and the manifest list of a new snapshot and returns the metadata to commit. Throws
 *  COMMIT_CONFLICT when a file to remove, or the data file of a new position delete file, is not live. */
export async function buildSnapshot(options: SnapshotOptions): Promise<TableMetadata> {
  if (isMoved(options.md.location, options.location)) {
    throw refuse(
      'REFUSED_FOREIGN_PATH',
      `the table lies at ${options.location}, but its metadata says ${options.md.location}`,
      'it can be read, but a commit would mix paths of both places; nothing was written',
      'move the folder back to where the metadata says, then run the command again',
    );
  }
  const evolved = evolve(options);
  const { md } = evolved;
  const parent = currentSnapshot(md);
  const snapshotId = options.snapshotId ?? freshId(md, options.ids);
  const sequenceNumber = BigInt(md['last-sequence-number']) + 1n;
  const added = evolved.added.map((file): ManifestEntry => {
    const { specId, ...dataFile } = file;
    return {
      status: 1,
      snapshotId,
      sequenceNumber,
      fileSequenceNumber: sequenceNumber,
      specId: specId ?? md['default-spec-id'],
      file: dataFile,
    };
  });
  const before = parent === null ? [] : await readSnapshotManifests(options.store, md, parent);
  const change = await planChange(options, md, before, added, snapshotId);
  const writer = new ManifestWriter(options, md, snapshotId, sequenceNumber);
  const manifests = await newManifests(writer, change, added);
  manifests.push(...(await mergeSmall(options, md, writer, change.kept, manifests.length)));

  const beforeTotals =
    change.totals ?? (parent === null ? totalsOf([]) : statedTotals(parent.summary));
  const manifestList = `${md.location}/metadata/snap-${snapshotId}-1-${options.ids.uuid()}.avro`;
  await publish(
    options,
    manifestList,
    writeManifestList({
      snapshotId,
      parentId: parent?.['snapshot-id'] ?? null,
      sequenceNumber,
      manifests,
    }),
  );
  const snapshot: Snapshot = {
    'snapshot-id': snapshotId,
    ...(parent === null ? {} : { 'parent-snapshot-id': parent['snapshot-id'] }),
    'sequence-number': Number(sequenceNumber),
    'timestamp-ms': Math.max(
      options.snapshotTimestampMs,
      parent === null ? 0 : parent['timestamp-ms'] + 1,
    ),
    summary: {
      operation: options.operation,
      ...options.summary,
      ...summaryCounts(beforeTotals ?? totalsOf([]), added, change.removed),
    },
    'manifest-list': manifestList,
    'schema-id': md['current-schema-id'],
  };
  return withSnapshot(md, snapshot, options);
}

function evolve(options: SnapshotOptions): {
  readonly md: TableMetadata;
  readonly added: readonly AddedFile[];
} {
  let { md } = options;
  if (options.newSchema !== undefined) md = withSchema(md, options.newSchema);
  if (options.newSpec !== undefined) md = withSpec(md, options.newSpec);
  if (options.newSortOrder === undefined) {
    return { md: withoutLostSources(md), added: options.added };
  }
  md = withoutLostSources(withSortOrder(md, options.newSortOrder));
  // The caller could not know the id its order would get.
  const asGiven = options.newSortOrder['order-id'];
  const id = md['default-sort-order-id'];
  const added = options.added.map((file) =>
    file.sortOrderId === asGiven ? { ...file, sortOrderId: id } : file,
  );
  return { md, added };
}

function freshId(md: TableMetadata, ids: Ids): bigint {
  for (let attempt = 0; attempt < 100; attempt++) {
    const id = ids.snapshotId();
    if (snapshotById(md, id) === null) return id;
  }
  throw new TidelakeError({
    code: 'INTERNAL',
    what: 'a hundred random snapshot ids were all in use',
    meaning: 'nothing was written',
    next: 'report this',
  });
}

// ------------------------------------------------------------------------------------------------ what changes

interface Change {
  /** Manifests that stay as they are. */
  readonly kept: readonly ManifestFile[];
  /** Entries of the manifests to write anew, live (status 0) and removed (status 2). */
  readonly rewritten: readonly {
    readonly manifest: ManifestFile;
    readonly entries: readonly ManifestEntry[];
  }[];
  readonly removed: readonly ManifestEntry[];
  /** Exact totals before the change; null when the manifests did not have to be read. */
  readonly totals: ReturnType<typeof totalsOf> | null;
}

async function planChange(
  options: SnapshotOptions,
  md: TableMetadata,
  before: readonly ManifestFile[],
  added: readonly ManifestEntry[],
  snapshotId: bigint,
): Promise<Change> {
  // A manifest with nothing but files that left the table in earlier snapshots has no more to say.
  const current = before.filter((manifest) => manifest.addedFiles + manifest.existingFiles > 0);
  const parent = currentSnapshot(md);
  const hasTotals = parent === null || statedTotals(parent.summary) !== null;
  const addsDeletes = added.some((entry) => entry.file.content === 1);
  if (options.removed.size === 0 && options.replaceAll !== true && !addsDeletes && hasTotals) {
    return { kept: current, rewritten: [], removed: [], totals: null };
  }
  const read = await readManifests(options.store, md, current);
  const live = read.map((entries) => entries.filter((entry) => entry.status !== 2));
  const all = live.flat();
  const gone =
    options.replaceAll === true
      ? new Set(all.map((entry) => entry.file.path))
      : removedPaths(options.removed, all);
  checkTargets(added, all, gone);
  const kept: ManifestFile[] = [];
  const rewritten: { manifest: ManifestFile; entries: readonly ManifestEntry[] }[] = [];
  const removed: ManifestEntry[] = [];
  live.forEach((entries, i) => {
    const manifest = current[i]!;
    if (!entries.some((entry) => gone.has(entry.file.path))) kept.push(manifest);
    else {
      rewritten.push({
        manifest,
        entries: entries.map(
          (entry): ManifestEntry =>
            // A removed entry names the snapshot that removed it, so that its file can go when that one has expired.
            gone.has(entry.file.path)
              ? { ...entry, status: 2, snapshotId }
              : { ...entry, status: 0 },
        ),
      });
      for (const entry of entries) if (gone.has(entry.file.path)) removed.push(entry);
    }
  });
  return { kept, rewritten, removed, totals: totalsOf(all) };
}

/** The paths to remove, with the position delete files that then have no data file left to apply to. */
function removedPaths(asked: ReadonlySet<string>, live: readonly ManifestEntry[]): Set<string> {
  const gone = new Set(asked);
  const paths = new Set(live.map((entry) => entry.file.path));
  const missing = [...asked].filter((path) => !paths.has(path)).length;
  if (missing > 0) throw notLive(`${missing} of ${asked.size} files to replace are`);
  const dataLeft = live.filter((entry) => entry.file.content === 0 && !gone.has(entry.file.path));
  const dataGone = live.filter((entry) => entry.file.content === 0 && gone.has(entry.file.path));
  const deletes = live.filter((entry) => entry.file.content === 1 && !gone.has(entry.file.path));
  if (dataGone.length === 0 || deletes.length === 0) return gone;
  // Only files that applied to what leaves: a delete file that applied to nothing before is another writer's affair.
  const candidates = new Set([...deletesByDataFile(dataGone, deletes).values()].flat());
  const stillUsed = new Set([...deletesByDataFile(dataLeft, [...candidates]).values()].flat());
  for (const entry of candidates) if (!stillUsed.has(entry)) gone.add(entry.file.path);
  return gone;
}

/** New position deletes must point at data files that are live after the commit: else they would delete nothing, and
 *  the rows they meant, rewritten by somebody else meanwhile, would come back. */
function checkTargets(
  added: readonly ManifestEntry[],
  live: readonly ManifestEntry[],
  gone: ReadonlySet<string>,
): void {
  const data = new Map<string, ManifestEntry>();
  for (const entry of [...live, ...added]) {
    if (entry.file.content === 0 && !gone.has(entry.file.path)) data.set(entry.file.path, entry);
  }
  let missing = 0;
  for (const entry of added) {
    const target = entry.file.content === 1 ? targetOf(entry) : null;
    if (target === null) continue;
    const dataFile = data.get(target);
    if (dataFile === undefined) missing++;
    else if (partitionKey(dataFile) !== partitionKey(entry)) {
      throw new TypeError(
        'a position delete file does not have the spec and partition of its data file',
      );
    }
  }
  if (missing > 0) throw notLive(`the data files of ${missing} new delete files are`);
}

function notLive(what: string): TidelakeError {
  return new TidelakeError({
    code: 'COMMIT_CONFLICT',
    what: `${what} no longer in the table: another writer replaced them`,
    meaning: 'nothing was committed; the changes have to be placed again on the new snapshot',
    next: 'run the same command again',
  });
}

// ------------------------------------------------------------------------------------------------ manifests

class ManifestWriter {
  private readonly options: SnapshotOptions;
  private readonly md: TableMetadata;
  private readonly snapshotId: bigint;
  private readonly sequenceNumber: bigint;
  private readonly prefix: string;
  private count = 0;

  constructor(
    options: SnapshotOptions,
    md: TableMetadata,
    snapshotId: bigint,
    sequenceNumber: bigint,
  ) {
    this.options = options;
    this.md = md;
    this.snapshotId = snapshotId;
    this.sequenceNumber = sequenceNumber;
    this.prefix = `${md.location}/metadata/${options.ids.uuid()}`;
  }

  async write(
    specId: number,
    content: 0 | 1,
    entries: readonly ManifestEntry[],
  ): Promise<ManifestFile> {
    const path = `${this.prefix}-m${this.count++}.avro`;
    const { bytes, summary } = writeManifest({
      md: this.md,
      spec: specById(this.md, specId),
      content,
      snapshotId: this.snapshotId,
      sequenceNumber: this.sequenceNumber,
      entries,
    });
    await publish(this.options, path, bytes);
    return { ...summary, path, length: BigInt(bytes.length) };
  }
}

async function newManifests(
  writer: ManifestWriter,
  change: Change,
  added: readonly ManifestEntry[],
): Promise<ManifestFile[]> {
  const groups: { specId: number; content: 0 | 1; entries: readonly ManifestEntry[] }[] = [];
  for (const [specId, content, entries] of bySpecAndContent(added)) {
    for (let from = 0; from < entries.length; from += entriesMax) {
      groups.push({ specId, content, entries: entries.slice(from, from + entriesMax) });
    }
  }
  // Small rewritten manifests become one: a commit that touches every bucket must not carry a manifest for each.
  for (const bin of bins(change.rewritten, (one) => one.manifest)) {
    const { specId, content } = bin[0]!.manifest;
    groups.push({ specId, content, entries: bin.flatMap((one) => one.entries) });
  }
  const manifests: ManifestFile[] = [];
  for (let from = 0; from < groups.length; from += writesAtOnce) {
    const part = groups.slice(from, from + writesAtOnce);
    manifests.push(
      ...(await Promise.all(part.map((one) => writer.write(one.specId, one.content, one.entries)))),
    );
  }
  return manifests;
}

/** The kept manifests, with small ones merged when there would be too many. */
async function mergeSmall(
  options: SnapshotOptions,
  md: TableMetadata,
  writer: ManifestWriter,
  kept: readonly ManifestFile[],
  newCount: number,
): Promise<readonly ManifestFile[]> {
  if (kept.length + newCount <= manifestsMax) return kept;
  const result: ManifestFile[] = [];
  for (const bin of bins(kept, (manifest) => manifest)) {
    if (bin.length === 1) {
      result.push(bin[0]!);
      continue;
    }
    const entries = (await readManifests(options.store, md, bin)).flat();
    const live = entries
      .filter((entry) => entry.status !== 2)
      .map((entry) => ({ ...entry, status: 0 as const }));
    result.push(await writer.write(bin[0]!.specId, bin[0]!.content, live));
  }
  return result;
}

/** Groups of one spec and content, in order, whose manifests together stay below the target size and entry count. */
function bins<T>(items: readonly T[], manifestOf: (item: T) => ManifestFile): T[][] {
  const open = new Map<string, { items: T[]; bytes: bigint; entries: number }>();
  const done: T[][] = [];
  for (const item of items) {
    const manifest = manifestOf(item);
    const key = `${manifest.specId} ${manifest.content}`;
    const entries = manifest.addedFiles + manifest.existingFiles;
    const bin = open.get(key);
    if (
      bin === undefined ||
      bin.bytes + manifest.length > manifestBytesTarget ||
      bin.entries + entries > entriesMax
    ) {
      const fresh = { items: [item], bytes: manifest.length, entries };
      open.set(key, fresh);
      done.push(fresh.items);
    } else {
      bin.items.push(item);
      bin.bytes += manifest.length;
      bin.entries += entries;
    }
  }
  return done;
}

function bySpecAndContent(entries: readonly ManifestEntry[]): [number, 0 | 1, ManifestEntry[]][] {
  const groups = new Map<string, [number, 0 | 1, ManifestEntry[]]>();
  for (const entry of entries) {
    const content = entry.file.content === 0 ? 0 : 1;
    const key = `${entry.specId} ${content}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [entry.specId, content, [entry]]);
    else group[2].push(entry);
  }
  return [...groups.values()];
}

async function publish(options: SnapshotOptions, uri: string, bytes: Uint8Array): Promise<void> {
  options.onWrite?.(uri);
  if ((await options.store.putIfAbsent(uri, bytes)) === 'created') return;
  // A store that repeats a request whose answer was lost finds its own object.
  if (Buffer.compare(await options.store.read(uri), bytes) === 0) return;
  throw new TidelakeError({
    code: 'INTERNAL',
    what: `${uri} exists already, although its name is random`,
    meaning: 'nothing was overwritten and nothing was committed',
    next: 'report this',
  });
}

// ------------------------------------------------------------------------------------------------ metadata

function withSnapshot(
  md: TableMetadata,
  snapshot: Snapshot,
  options: SnapshotOptions,
): TableMetadata {
  const id = snapshot['snapshot-id'];
  const timestampMs = snapshot['timestamp-ms'];
  const properties: Record<string, string> = { ...md.properties };
  for (const [name, value] of Object.entries(options.properties)) {
    if (value === null) delete properties[name];
    else properties[name] = value;
  }
  const previous =
    options.metadataUri === undefined
      ? []
      : [{ 'timestamp-ms': md['last-updated-ms'], 'metadata-file': options.metadataUri }];
  return {
    ...md,
    'last-sequence-number': snapshot['sequence-number'],
    // Readers check that no logged snapshot is later than the metadata itself.
    'last-updated-ms': Math.max(options.nowMs, md['last-updated-ms'], timestampMs),
    properties,
    'current-snapshot-id': id,
    refs: { ...md.refs, main: { ...md.refs.main, 'snapshot-id': id, type: 'branch' } },
    snapshots: [...md.snapshots, snapshot],
    'snapshot-log': [...md['snapshot-log'], { 'timestamp-ms': timestampMs, 'snapshot-id': id }],
    'metadata-log': [...md['metadata-log'], ...previous].slice(-metadataLogMax),
  };
}
