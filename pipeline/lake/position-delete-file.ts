// One position delete file for one data file: its rows at these positions are gone.
// Promises: every engine can tell from the manifest alone which data file it is for: by referenced_data_file, and, for older
// ones, by bounds of file_path that are equal and not cut. Both columns are required, and sorted by path and position.
// Source: Apache Iceberg spec, "Position Delete Files" (file_path is field 2147483546, pos is 2147483545), "Manifests"
// (referenced_data_file); apache/iceberg ContentFileUtil.isFileScoped (equal bounds of file_path).

import { filePathFieldId, type ManifestEntry, posFieldId } from '../../schemas/iceberg.js';
import { BytesColumn, LongColumn } from '../../transforms/columns.js';
import { useKernel } from '../../transforms/kernel/idle-kernel.js';
import { copyColumns } from '../../transforms/kernel/placed-columns.js';
import { encodeBound } from './iceberg/bounds.js';
import type { AddedFile } from './iceberg/snapshot-builder.js';
import { ParquetAssembler } from './parquet/assembler.js';
import { icebergStats } from './parquet/file-stats.js';
import { fileSchema, RowGroupEncoder } from './parquet/row-group-encoder.js';
import { deleteSchemaElements } from './parquet/schema-elements.js';
import type { Compress } from './parquet/zstd.js';

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
export function encodeDeletes(
  compress: Compress,
  path: string,
  positions: Int32Array,
): EncodedDeletes {
  const assembler = new ParquetAssembler();
  const parts = [assembler.start()];
  useKernel((kernel) => {
    const encoder = new RowGroupEncoder(kernel, compress, fileSchema(deleteSchemaElements()));
    for (let start = 0; start < positions.length; start += groupPositionsMax) {
      const columns = deleteColumns(path, positions.subarray(start, start + groupPositionsMax));
      const sources = columns.map((column) => () => copyColumns(kernel, [column]));
      parts.push(assembler.add(encoder.encode(sources, 0, columns[0].n)));
    }
  });
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

/** (path, position) for each position. */
function deleteColumns(path: string, positions: Int32Array): [BytesColumn, LongColumn] {
  const text = Buffer.from(path, 'utf8');
  const paths = new BytesColumn();
  const places = new LongColumn();
  for (const position of positions) {
    paths.pushBytes(text, 0, text.length);
    places.pushNumber(position);
  }
  return [paths, places];
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
