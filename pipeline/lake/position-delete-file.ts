// One position delete file for one data file: its rows at these positions are gone.
// Promises: every engine can tell from the manifest alone which data file it is for: by referenced_data_file, and, for older
// ones, by bounds of file_path that are equal and not cut. Both columns are required, and sorted by path and position.
// Source: Apache Iceberg spec, "Position Delete Files" (file_path is field 2147483546, pos is 2147483545), "Manifests"
// (referenced_data_file); apache/iceberg ContentFileUtil.isFileScoped (equal bounds of file_path).

import {
  Field as ArrowField,
  Int64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableToIPC,
  Utf8,
} from 'apache-arrow';
import { filePathFieldId, type ManifestEntry, posFieldId } from '../../schemas/iceberg.js';
import { encodeBound } from './iceberg/bounds.js';
import type { AddedFile } from './iceberg/snapshot-builder.js';
import { ParquetAssembler } from './parquet/assembler.js';
import { encodeRowGroup } from './parquet/encode-row-group.js';
import { icebergStats } from './parquet/file-stats.js';

/** Positions of one row group: each stands with the whole path of its data file in memory. */
const groupPositionsMax = 131_072;

/** The bytes of a delete file, and what its manifest entry says of them. Plain data. */
export interface EncodedDeletes {
  readonly bytes: Uint8Array;
  /** Compressed bytes of each column, by field id. */
  readonly columnSizes: ReadonlyMap<number, bigint>;
  readonly splitOffsets: readonly number[];
  readonly count: number;
  readonly first: number;
  readonly last: number;
}

/** Encodes the positions of deleted rows of one data file.
 *  @param path the data file as manifests name it
 *  @param positions ascending, each once, at least one */
export function encodeDeletes(path: string, positions: Int32Array): EncodedDeletes {
  const assembler = new ParquetAssembler();
  const parts = [assembler.start()];
  for (let start = 0; start < positions.length; start += groupPositionsMax) {
    const ipc = deletesIpc(path, positions.subarray(start, start + groupPositionsMax));
    parts.push(assembler.add(encodeRowGroup(ipc, { plainColumns: ['pos'] })));
  }
  const { tail, footer } = assembler.finish();
  return {
    bytes: new Uint8Array(Buffer.concat([...parts, tail])),
    columnSizes: icebergStats(footer, new Map()).columnSizes,
    splitOffsets: footer.rowGroups.map((group) => group.byteStart),
    count: positions.length,
    first: positions[0]!,
    last: positions.at(-1)!,
  };
}

/** (path, position) for each position, as an Arrow IPC stream. */
function deletesIpc(path: string, positions: Int32Array): Uint8Array {
  const { length } = positions;
  const text = Buffer.from(path, 'utf8');
  const paths = new Uint8Array(text.length * length);
  const offsets = new Int32Array(length + 1);
  for (let i = 0; i < length; i++) {
    paths.set(text, i * text.length);
    offsets[i + 1] = (i + 1) * text.length;
  }
  const children = [
    makeData({ type: new Utf8(), length, nullCount: 0, valueOffsets: offsets, data: paths }),
    makeData({
      type: new Int64(),
      length,
      nullCount: 0,
      data: BigInt64Array.from(positions, BigInt),
    }),
  ];
  const fields = [
    requiredField('file_path', filePathFieldId, new Utf8()),
    requiredField('pos', posFieldId, new Int64()),
  ];
  const schema = new Schema(fields);
  const rows = makeData({ type: new Struct(fields), length, nullCount: 0, children });
  return tableToIPC(new Table(schema, [new RecordBatch(schema, rows)]), 'stream');
}

function requiredField(name: string, id: number, type: Utf8 | Int64): ArrowField {
  return new ArrowField(name, type, false, new Map([['PARQUET:field_id', String(id)]]));
}

/** The manifest entry of a delete file at `path`, of the spec and partition of its data file, as it must be. */
export function deleteFileEntry(
  path: string,
  { file, specId }: ManifestEntry,
  { bytes, columnSizes, splitOffsets, count, first, last }: EncodedDeletes,
): AddedFile {
  const target = encodeBound('string', file.path);
  const counted = (value: bigint): ReadonlyMap<number, bigint> =>
    new Map([
      [filePathFieldId, value],
      [posFieldId, value],
    ]);
  return {
    content: 1,
    path,
    format: 'PARQUET',
    partition: file.partition,
    recordCount: BigInt(count),
    fileSizeBytes: BigInt(bytes.length),
    columnSizes,
    valueCounts: counted(BigInt(count)),
    nullValueCounts: counted(0n),
    lowerBounds: new Map([
      [filePathFieldId, target],
      [posFieldId, encodeBound('long', BigInt(first))],
    ]),
    upperBounds: new Map([
      [filePathFieldId, target],
      [posFieldId, encodeBound('long', BigInt(last))],
    ]),
    splitOffsets: splitOffsets.map(BigInt),
    equalityIds: null,
    // The specification: sort_order_id must be null for position deletes.
    sortOrderId: null,
    referencedDataFile: file.path,
    specId,
  };
}
