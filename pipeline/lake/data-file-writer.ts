// One data file of a lake table, stitched from row groups: new ones, and ones copied byte for byte from an older file.
// Beside the rows it keeps an index in its key-value metadata: the last key and the misfits of each row group.

import type { TableColumns } from '../../schemas/columns.js';
import type { DataFile, PartitionSpec, PartitionValue } from '../../schemas/iceberg.js';
import { toIcebergType } from '../../transforms/column-map.js';
import type { Ids, ObjectStore, ObjectWriter } from '../ports.js';
import type { RowGroup } from '../units/row-groups.js';
import type { AddedFile } from './iceberg/snapshot-builder.js';
import { partitionPath } from './iceberg/transforms.js';
import type { CopiedRowGroup } from './parquet/assembler.js';
import { ParquetAssembler } from './parquet/assembler.js';
import { icebergStats } from './parquet/file-stats.js';
import type { ParquetFooter } from './parquet/footer.js';

/** Size at which a file is closed and the next one begun, in bytes. */
export const fileBytesTarget: number = 384 * 1024 * 1024;

/** Key of the index in a file's key-value metadata. */
const indexKey = 'tidelake.groups';
/** The same in a file of new rows, whose keys lie anywhere among those of the partition's other files. The name differs so
 *  that versions which know nothing of such files take them for files of others, in no order with the rest. */
const newRowsIndexKey = 'tidelake.new-rows';

/** What the index says of one row group. */
export interface GroupIndex {
  /** The last key in comparable form. */
  readonly lastKey: Uint8Array;
  readonly misfitRows: number;
}

/** The index of a file we wrote in the order of a partition's keys; null for a file of another writer. */
export function readGroupIndex(footer: ParquetFooter): GroupIndex[] | null {
  return indexUnder(footer, indexKey);
}

/** The index of a file of new rows that we wrote: sorted in itself, and in no order with other files. Else null. */
export function readNewRowsIndex(footer: ParquetFooter): GroupIndex[] | null {
  return indexUnder(footer, newRowsIndexKey);
}

function indexUnder(footer: ParquetFooter, key: string): GroupIndex[] | null {
  const text = footer.keyValue.get(key);
  if (text === undefined) return null;
  const entries = JSON.parse(text) as [string, number][];
  if (entries.length !== footer.rowGroups.length) return null;
  return entries.map(([last, misfitRows]) => ({
    lastKey: Buffer.from(last, 'base64'),
    misfitRows,
  }));
}

/** Rows with a misfit in files that we wrote, by the null counts of `_misfits`. */
export function misfitRowsOf(files: readonly DataFile[], table: TableColumns): number {
  let rows = 0n;
  for (const file of files) {
    rows += file.recordCount - (file.nullValueCounts.get(table.own.misfits) ?? file.recordCount);
  }
  return Number(rows);
}

export interface DataFileOptions {
  readonly store: ObjectStore;
  readonly ids: Ids;
  /** The table's folder, without slash at the end. */
  readonly location: string;
  readonly table: TableColumns;
  readonly spec: PartitionSpec;
  readonly partition: readonly PartitionValue[];
  readonly sortOrderId: number | null;
  /** Whether its keys may lie anywhere among those of the partition's other files. */
  readonly isNewRows?: boolean;
}

/** Writes one file; rows come sorted by key. */
export class DataFileWriter {
  readonly path: string;
  private readonly options: DataFileOptions;
  private readonly assembler = new ParquetAssembler({});
  private readonly index: GroupIndex[] = [];
  private writer: ObjectWriter | null = null;
  private rows = 0;

  constructor(options: DataFileOptions) {
    this.options = options;
    const folder = partitionPath(options.spec, options.partition);
    const name = `${options.ids.uuid()}.parquet`;
    this.path = `${options.location}/data/${folder === '' ? '' : `${folder}/`}${name}`;
  }

  /** Bytes so far. */
  get byteCount(): number {
    return this.assembler.byteCount;
  }

  /** The file's writer; opens the file with the first row group. */
  private async opened(): Promise<ObjectWriter> {
    if (this.writer === null) {
      this.writer = await this.options.store.create(this.path);
      await this.writer.write(this.assembler.start());
    }
    return this.writer;
  }

  async add(group: RowGroup): Promise<void> {
    const writer = await this.opened();
    await writer.write(this.assembler.add(group.encoded));
    this.index.push({ lastKey: group.lastKey, misfitRows: group.misfitRows });
    this.rows += group.encoded.rows;
  }

  /** Copies a row group of an older file that has the same columns. */
  async copy(group: CopiedRowGroup, index: GroupIndex, rows: number): Promise<void> {
    const writer = await this.opened();
    await writer.write(this.assembler.add(group));
    this.index.push(index);
    this.rows += rows;
  }

  /** Publishes the file; null when it got no row. */
  async close(): Promise<AddedFile | null> {
    if (this.writer === null) return null;
    const entries = this.index.map(({ lastKey, misfitRows }) => [
      Buffer.from(lastKey).toString('base64'),
      misfitRows,
    ]);
    const { tail, fileSize, footer } = this.assembler.finish(
      new Map([
        [this.options.isNewRows === true ? newRowsIndexKey : indexKey, JSON.stringify(entries)],
      ]),
    );
    await this.writer.write(tail);
    await this.writer.close();
    const { table, partition, sortOrderId } = this.options;
    const types = new Map<number, string>([[table.own.writtenAt, 'timestamp']]);
    for (const field of table.columns) {
      const type = toIcebergType(field.type);
      if (typeof type === 'string') types.set(field.id, type);
    }
    const stats = icebergStats(footer, types);
    const nullValueCounts = new Map(stats.nullValueCounts);
    const misfitRows = this.index.reduce((sum, group) => sum + group.misfitRows, 0);
    nullValueCounts.set(table.own.misfits, BigInt(this.rows - misfitRows));
    return {
      ...stats,
      nullValueCounts,
      content: 0,
      path: this.path,
      format: 'PARQUET',
      partition,
      recordCount: BigInt(this.rows),
      fileSizeBytes: BigInt(fileSize),
      splitOffsets: footer.rowGroups.map((group) => BigInt(group.byteStart)),
      equalityIds: null,
      sortOrderId,
      referencedDataFile: null,
    };
  }

  async abort(): Promise<void> {
    await this.writer?.abort();
  }
}
