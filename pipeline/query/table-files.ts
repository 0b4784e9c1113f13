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

/** A SELECT of the whole table at a snapshot (null: a table without any). See `tableSelect`. */
export async function snapshotSelect(
  world: FileReader,
  table: ReadableTable,
  snapshot: Snapshot | null,
): Promise<string> {
  const schema = schemaOf(table.md, snapshot);
  const live = await liveFiles(world.store, table.md, snapshot, table.location);
  return tableSelect({ schema, files: await viewFiles(world, table, schema, live) });
}

/**
 * The live files as views take them, of files elsewhere at least the columns of `schema` here. Reads footers only when
 * nested names cannot be trusted.
 */
export async function viewFiles(
  world: FileReader,
  table: ReadableTable,
  schema: IcebergSchema,
  live: LiveFiles,
): Promise<readonly ViewFile[]> {
  const { md, location } = table;
  const deletes = deletesByDataFile(live.data, live.positionDeletes);
  const trustsNames = nestedNamesAgree(schema, writerSchemas(md, live.data));
  const ids = schema.fields.map((field) => field.id);
  const pathOf = ({ file }: ManifestEntry, columns?: readonly number[]): Promise<string> => {
    const uri = locate(md.location, location, file.path);
    return world.localFiles.path(uri, Number(file.fileSizeBytes), columns);
  };
  const files: ViewFile[] = [];
  for (const batch of batchesOf(live.data)) {
    const read = batch.map(async (entry): Promise<ViewFile> => {
      const columns = trustsNames ? null : await fileColumns(world.store, table, entry);
      const deletePaths = (deletes.get(entry.file.path) ?? []).map((one) => pathOf(one));
      return {
        recordedUri: entry.file.path,
        path: await pathOf(entry, ids),
        deletePaths: await Promise.all(deletePaths),
        columns,
        group: columns === null ? '' : nestedSignature(columns),
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
