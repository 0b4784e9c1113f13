// One commit: snapshot files are written, then the catalog's pointer moves, or does not. What a lost commit wrote is
// removed; what an unknown one wrote is left alone, since it may be the table now.

import { TidelakeError } from '../../schemas/errors.js';
import type {
  IcebergSchema,
  PartitionSpec,
  SortOrder,
  TableMetadata,
} from '../../schemas/iceberg.js';
import { metadataLogReadsMax } from '../../schemas/limits.js';
import { mappedIds } from '../../transforms/column-map.js';
import { withForeignFields } from '../../transforms/foreign-columns.js';
import type { Catalog, CommitOutcome, World } from '../ports.js';
import { removeFiles } from './file-removal.js';
import { currentSchema, newTableMetadata, serializeTableMetadata } from './iceberg/metadata.js';
import { type AddedFile, buildSnapshot } from './iceberg/snapshot-builder.js';
import { factsProperty } from './lake-state.js';
import type { OpenTable } from './open-table.js';

export interface CommitRequest {
  readonly database: string;
  readonly table: string;
  readonly location: string;
  /** The table the commit builds on; null: it is created. */
  readonly open: OpenTable | null;
  readonly snapshotId: bigint;
  readonly snapshotTimestampMs: number;
  readonly added: readonly AddedFile[];
  readonly removed: ReadonlySet<string>;
  readonly replaceAll?: boolean;
  readonly schema: IcebergSchema;
  readonly spec?: PartitionSpec;
  readonly sortOrder?: SortOrder;
  readonly properties: Readonly<Record<string, string>>;
  readonly summary: Readonly<Record<string, string>>;
  /** Live rows after the commit. */
  readonly rows: number;
  /** Rows with a misfit after the commit. */
  readonly misfitRows: number;
  readonly operation: 'append' | 'overwrite' | 'delete' | 'replace';
}

/** Commits rows with the watermark that stands for them. Columns that other programs added stay in the schema. Throws
 *  COMMIT_CONFLICT (the table moved on; nothing changed) or COMMIT_UNKNOWN. */
export async function commitTable(
  world: World,
  catalog: Catalog,
  request: CommitRequest,
): Promise<TableMetadata> {
  const { open, location } = request;
  const nowMs = world.clock.nowMs();
  const { schema, spec, sortOrder } = request;
  const md =
    open?.md ??
    newTableMetadata({
      uuid: world.ids.uuid(),
      location,
      schema,
      ...(spec === undefined ? {} : { spec }),
      ...(sortOrder === undefined ? {} : { sortOrder }),
      properties: {},
      nowMs,
    });
  const written: string[] = [];
  // A role may write and not remove: that must not hide what happened.
  const tidy = (): Promise<void> => removeFiles(world.store, written);
  let next: TableMetadata;
  try {
    next = await buildSnapshot({
      store: world.store,
      md,
      location,
      ids: world.ids,
      snapshotTimestampMs: request.snapshotTimestampMs,
      nowMs,
      removed: request.removed,
      added: request.added,
      properties: request.properties,
      summary: {
        ...request.summary,
        'tidelake.misfit-rows': String(request.misfitRows),
        'tidelake.committed-at': new Date(nowMs).toISOString(),
      },
      operation: request.operation,
      snapshotId: request.snapshotId,
      onWrite: (uri) => written.push(uri),
      ...(open === null
        ? {}
        : {
            metadataUri: open.entry.metadataUri,
            newSchema: withForeignFields(schema, currentSchema(md), mappedIds(md)),
            ...(spec === undefined ? {} : { newSpec: spec }),
            ...(sortOrder === undefined ? {} : { newSortOrder: sortOrder }),
          }),
      ...(request.replaceAll === true ? { replaceAll: true } : {}),
    });
  } catch (error) {
    await tidy();
    throw error;
  }
  const facts = factsProperty({
    sequenceNumber: next['last-sequence-number'],
    schemaId: next['current-schema-id'],
    rows: request.rows,
    misfitRows: request.misfitRows,
  });
  next = { ...next, properties: { ...next.properties, ...facts } };
  await publish(catalog, request, next, tidy);
  return next;
}

/** Commits a `replace` snapshot: other files for the same rows. Columns, properties and the watermark stay; the watermark is
 *  believed by lineage from then on (watermark.ts). Throws as commitTable does. */
export async function commitReplace(
  world: World,
  catalog: Catalog,
  open: OpenTable,
  change: {
    readonly snapshotId: bigint;
    readonly added: readonly AddedFile[];
    readonly removed: ReadonlySet<string>;
    /** As the parent says it; null: it does not. */
    readonly misfitRows: string | null;
    readonly kind: string;
  },
): Promise<void> {
  const written: string[] = [];
  const tidy = (): Promise<void> => removeFiles(world.store, written);
  const nowMs = world.clock.nowMs();
  let next: TableMetadata;
  try {
    next = await buildSnapshot({
      store: world.store,
      md: open.md,
      location: open.location,
      ids: world.ids,
      // The rows stand for the same instant, so the time is the parent's, and the millisecond that is added to it.
      snapshotTimestampMs: 0,
      nowMs,
      removed: change.removed,
      added: change.added,
      properties: {},
      summary: {
        'tidelake.kind': change.kind,
        ...(change.misfitRows === null ? {} : { 'tidelake.misfit-rows': change.misfitRows }),
        'tidelake.committed-at': new Date(nowMs).toISOString(),
      },
      operation: 'replace',
      snapshotId: change.snapshotId,
      metadataUri: open.entry.metadataUri,
      onWrite: (uri) => written.push(uri),
    });
  } catch (error) {
    await tidy();
    throw error;
  }
  await publish(catalog, { ...open, open }, next, tidy);
}

/** Commits other properties, and nothing else. Throws as commitTable does. */
export async function commitProperties(
  world: World,
  catalog: Catalog,
  open: OpenTable,
  properties: Readonly<Record<string, string>>,
): Promise<TableMetadata> {
  const { md } = open;
  return commitMetadata(world, catalog, open, {
    ...md,
    properties: { ...md.properties, ...properties },
  });
}

/** Commits metadata that was made from the open version's without a new snapshot; log and time of change are set here. At
 *  most `versionsMax` older versions stay in the log. Throws as commitTable does. */
export async function commitMetadata(
  world: World,
  catalog: Catalog,
  open: OpenTable,
  changed: TableMetadata,
  versionsMax: number = metadataLogReadsMax,
): Promise<TableMetadata> {
  const { md, entry } = open;
  const previous = { 'timestamp-ms': md['last-updated-ms'], 'metadata-file': entry.metadataUri };
  const next: TableMetadata = {
    ...changed,
    'last-updated-ms': Math.max(world.clock.nowMs(), md['last-updated-ms']),
    'metadata-log': [...md['metadata-log'], previous].slice(-versionsMax),
  };
  await publish(catalog, { ...open, open }, next, async () => undefined);
  return next;
}

/** Moves the catalog's pointer. Calls `tidy` when it is certain that nothing was committed. */
async function publish(
  catalog: Catalog,
  place: Pick<CommitRequest, 'database' | 'table' | 'open'>,
  next: TableMetadata,
  tidy: () => Promise<void>,
): Promise<void> {
  const { database, table, open } = place;
  let outcome: CommitOutcome;
  try {
    outcome = await catalog.commit(
      database,
      table,
      open?.entry ?? null,
      serializeTableMetadata(next),
    );
  } catch (error) {
    // A catalog that throws knows that nothing was committed: what it cannot tell it answers as unknown.
    await tidy();
    throw error;
  }
  if (outcome === 'committed') return;
  if (outcome === 'conflict') {
    await tidy();
    throw new TidelakeError({
      code: 'COMMIT_CONFLICT',
      what: `${table}: another writer committed first`,
      meaning: 'the table is as the other writer left it; this run changed nothing',
      next: 'run the same command again',
    });
  }
  throw new TidelakeError({
    code: 'COMMIT_UNKNOWN',
    what: `${table}: nobody can tell whether the commit went through`,
    meaning: 'the change is either in the table whole, or not at all; no file was removed',
    next: 'run the same command again: it looks first',
  });
}
