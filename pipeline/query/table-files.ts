// The files of a lake table at a snapshot, as views need them: where they lie, what deletes from them, how to read them.
// Promises: every live data file once; deletes only where the specification says they apply.
// Spec: apache/iceberg format/spec.md, "Scan Planning", "Column Projection".

import { refuse } from '../../schemas/errors.js';
import type {
  IcebergSchema,
  ManifestEntry,
  Snapshot,
  TableMetadata,
} from '../../schemas/iceberg.js';
import { deletesByDataFile, type LiveFiles, liveFiles } from '../lake/iceberg/live-files.js';
import { locate } from '../lake/iceberg/paths.js';
import { readFooter } from '../lake/parquet/footer.js';
import type { ObjectStore, World } from '../ports.js';
import { type NamedNode, nestedNamesAgree, nestedSignature } from './nested-names.js';
import { tableSelect, type ViewFile } from './views.js';

/** What reading a table takes of the world. */
export type FileReader = Pick<World, 'store' | 'localFiles'>;

/** A lake table to be read: its metadata, and where its folder lies now. */
export interface ReadableTable {
  readonly md: TableMetadata;
  readonly location: string;
}

/**
 * The schema to read a snapshot by: the table's for the current one (columns may have been renamed since), its own for an
 * older one. Throws REFUSED_FORMAT when it is missing.
 */
export function schemaOf(md: TableMetadata, snapshot: Snapshot | null): IcebergSchema {
  const isCurrent = snapshot === null || snapshot['snapshot-id'] === md['current-snapshot-id'];
  const id = isCurrent
    ? md['current-schema-id']
    : (snapshot['schema-id'] ?? md['current-schema-id']);
  const schema = md.schemas.find((one) => one['schema-id'] === id);
  if (schema !== undefined) return schema;
  throw refuse(
    'REFUSED_FORMAT',
    `the table's metadata names schema ${id}, which it does not contain`,
    'its columns are not known, so nothing was read',
    'load a full export again',
  );
}

/** A snapshot to be read, of which perhaps not all is here yet. */
export interface SnapshotView {
  /** A SELECT of the whole table. See `tableSelect`. */
  readonly select: string;
  /** Data files that lie elsewhere. */
  readonly filesElsewhere: number;
  /** Brings columns of them here, by field id; null: all. Tells `onFile` of each. */
  readonly fetch: (columns: readonly number[] | null, onFile: () => void) => Promise<void>;
}

/** A snapshot (null: a table without any), of files elsewhere without any column yet. */
export async function snapshotView(
  world: FileReader,
  table: ReadableTable,
  snapshot: Snapshot | null,
): Promise<SnapshotView> {
  const { md, location } = table;
  const schema = schemaOf(md, snapshot);
  const live = await liveFiles(world.store, md, snapshot, location);
  const files = await viewFiles(world, table, schema, live, []);
  const isElsewhere = !location.startsWith('file:');
  return {
    select: tableSelect({ schema, files }),
    filesElsewhere: isElsewhere ? live.data.length : 0,
    fetch: async (columns, onFile) => {
      const ids = columns ?? schema.fields.map((field) => field.id);
      if (!isElsewhere || ids.length === 0) return;
      for (const batch of batchesOf(live.data)) {
        const fetched = batch.map(async ({ file }) => {
          const uri = locate(md.location, location, file.path);
          await world.localFiles.path(uri, Number(file.fileSizeBytes), ids);
          onFile();
        });
        await Promise.all(fetched);
      }
    },
  };
}

/** A SELECT of the whole table at a snapshot, all of which is here. */
export async function snapshotSelect(
  world: FileReader,
  table: ReadableTable,
  snapshot: Snapshot | null,
): Promise<string> {
  const view = await snapshotView(world, table, snapshot);
  await view.fetch(null, () => {});
  return view.select;
}

/**
 * The live files as views take them, of files elsewhere at least `columns` here. Reads footers only when nested names
 * cannot be trusted.
 */
export async function viewFiles(
  world: FileReader,
  table: ReadableTable,
  schema: IcebergSchema,
  live: LiveFiles,
  columns: readonly number[] = schema.fields.map((field) => field.id),
): Promise<readonly ViewFile[]> {
  const { md, location } = table;
  const deletes = deletesByDataFile(live.data, live.positionDeletes);
  const trustsNames = nestedNamesAgree(schema, writerSchemas(md, live.data));
  const pathOf = ({ file }: ManifestEntry, wanted?: readonly number[]): Promise<string> => {
    const uri = locate(md.location, location, file.path);
    return world.localFiles.path(uri, Number(file.fileSizeBytes), wanted);
  };
  const files: ViewFile[] = [];
  for (const batch of batchesOf(live.data)) {
    const read = batch.map(async (entry): Promise<ViewFile> => {
      const names = trustsNames ? null : await fileColumns(world.store, table, entry);
      const deletePaths = (deletes.get(entry.file.path) ?? []).map((one) => pathOf(one));
      return {
        recordedUri: entry.file.path,
        path: await pathOf(entry, columns),
        deletePaths: await Promise.all(deletePaths),
        columns: names,
        group: names === null ? '' : nestedSignature(names),
      };
    });
    files.push(...(await Promise.all(read)));
  }
  return files;
}

/** Files looked at together: they may have to be fetched first. */
const filesAtOnce = 16;

function* batchesOf<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += filesAtOnce) {
    yield all.slice(from, from + filesAtOnce);
  }
}

/** The schemas the files may have been written under: those of the snapshots that added them, all when one is gone. */
function writerSchemas(
  md: TableMetadata,
  data: readonly ManifestEntry[],
): readonly IcebergSchema[] {
  const idOf = new Map(md.snapshots.map((one) => [one['snapshot-id'], one['schema-id']]));
  const ids = new Set<number>();
  for (const entry of data) {
    const id = idOf.get(entry.snapshotId);
    if (id === undefined) return md.schemas;
    ids.add(id);
  }
  return md.schemas.filter((one) => ids.has(one['schema-id']));
}

async function fileColumns(
  store: ObjectStore,
  { md, location }: ReadableTable,
  { file }: ManifestEntry,
): Promise<readonly NamedNode[]> {
  const uri = locate(md.location, location, file.path);
  const size = Number(file.fileSizeBytes);
  const footer = await readFooter((start, end) => store.read(uri, { start, end }), size);
  return footer.columns;
}
