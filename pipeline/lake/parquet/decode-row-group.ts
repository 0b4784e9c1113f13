// Decodes row groups of a Parquet file, by any writer, into Arrow: only the wanted row groups and columns are read.
// A small file with just those chunks is built in memory and read whole. Arrow types come from the Parquet schema alone.
// Spec: apache/parquet-format, README.md ("File format") and src/main/thrift/parquet.thrift.

import { readParquet } from 'parquet-wasm';
import { TidelakeError } from '../../../schemas/errors.js';
import { moveChunk } from './assembler.js';
import { type ColumnChunkInfo, damaged, type ParquetFooter, type ReadRange } from './footer.js';
import { structList, structsField, type ThriftStruct, writeThrift } from './thrift.js';

export interface DecodeOptions {
  readonly readRange: ReadRange;
  readonly footer: ParquetFooter;
  /** Which row groups, in the order wanted. */
  readonly indexes: readonly number[];
  /** Names of top-level columns; all when absent. Names the file does not have are ignored. */
  readonly columns?: readonly string[];
}

/** Rows per Arrow batch at most. */
const batchRowsMax = 131_072;
/** Wanted chunks with at most this many bytes between them are read at once. */
const gapBytesMax = 64 * 1024;

/**
 * Decodes row groups into an Arrow IPC stream. Columns stand in the file's order; every field with an id carries it
 * as `PARQUET:field_id` in its metadata, at all levels.
 *
 * @throws TidelakeError CHECK_FAILED when the file is damaged, INTERNAL when a row group or all columns asked for
 *   do not exist.
 */
export async function decodeRowGroups(options: DecodeOptions): Promise<Uint8Array> {
  const { footer, indexes } = options;
  for (const index of indexes) {
    if (footer.rowGroups[index] === undefined)
      throw internal(`${footer.name} has no row group ${index}`);
  }
  const wanted = options.columns === undefined ? null : new Set(options.columns);
  const isWanted = footer.leaves.map((leaf) => wanted === null || wanted.has(leaf.path[0]!.name));
  if (!isWanted.includes(true)) throw internal(`${footer.name} has none of the columns asked for`);
  const file = await buildFile(options, isWanted);
  const rows = indexes.map((index) => footer.rowGroups[index]!.rowCount);
  try {
    // The table is consumed by the call, which frees it.
    return readParquet(file, {
      batchSize: Math.max(
        1,
        Math.min(
          batchRowsMax,
          rows.reduce((sum, count) => sum + count, 0),
        ),
      ),
    }).intoIPCStream();
  } catch (error) {
    throw damaged(footer.name, 'its pages cannot be decoded', error);
  }
}

/** A Parquet file of the wanted row groups and columns alone. */
async function buildFile(
  options: DecodeOptions,
  isWanted: readonly boolean[],
): Promise<Uint8Array> {
  const { readRange, footer, indexes } = options;
  const parts: Uint8Array[] = [Uint8Array.of(0x50, 0x41, 0x52, 0x31)];
  let size = 4;
  const rowGroups: ThriftStruct[] = [];
  let rowCount = 0n;
  for (const [ordinal, index] of indexes.entries()) {
    const group = footer.rowGroups[index]!;
    const bytes = await readChunks(
      readRange,
      footer.name,
      group.columns.filter((_, i) => isWanted[i]),
    );
    const chunks: ThriftStruct[] = [];
    for (const [i, chunk] of structsField(group.raw, 1)!.entries()) {
      if (!isWanted[i]) continue;
      const part = bytes.get(group.columns[i]!)!;
      chunks.push(moveChunk(chunk, BigInt(size - group.columns[i]!.byteStart)));
      parts.push(part);
      size += part.length;
    }
    rowCount += BigInt(group.rowCount);
    rowGroups.push(rowGroup(group.raw, chunks, ordinal));
  }
  const tail = writeThrift(miniFooter(footer, isWanted, rowGroups, rowCount));
  const file = new Uint8Array(size + tail.length + 8);
  let at = 0;
  for (const part of [...parts, tail]) {
    file.set(part, at);
    at += part.length;
  }
  new DataView(file.buffer).setUint32(at, tail.length, true);
  file.set(parts[0]!, at + 4);
  return file;
}

/** The bytes of chunks of one row group, neighbours read at once. */
async function readChunks(
  readRange: ReadRange,
  name: string,
  chunks: readonly ColumnChunkInfo[],
): Promise<ReadonlyMap<ColumnChunkInfo, Uint8Array>> {
  const runs: { start: number; end: number; readonly chunks: ColumnChunkInfo[] }[] = [];
  for (const chunk of [...chunks].sort((a, b) => a.byteStart - b.byteStart)) {
    const run = runs.at(-1);
    if (run !== undefined && chunk.byteStart - run.end <= gapBytesMax) {
      run.end = Math.max(run.end, chunk.byteEnd);
      run.chunks.push(chunk);
    } else runs.push({ start: chunk.byteStart, end: chunk.byteEnd, chunks: [chunk] });
  }
  const found = new Map<ColumnChunkInfo, Uint8Array>();
  for (const run of runs) {
    const bytes = await readRange(run.start, run.end);
    if (bytes.length !== run.end - run.start)
      throw damaged(name, 'it is shorter than its footer says');
    for (const chunk of run.chunks) {
      found.set(chunk, bytes.subarray(chunk.byteStart - run.start, chunk.byteEnd - run.start));
    }
  }
  return found;
}

function rowGroup(
  raw: ThriftStruct,
  chunks: readonly ThriftStruct[],
  ordinal: number,
): ThriftStruct {
  const group: ThriftStruct = new Map(raw);
  group.set(1, structList(chunks));
  // Sorting columns (4) are numbered by place, which selection changes; 5 and 6 describe the old file.
  for (const id of [4, 5, 6]) group.delete(id);
  group.set(7, { type: 'i16', value: ordinal });
  return group;
}

function miniFooter(
  footer: ParquetFooter,
  isWanted: readonly boolean[],
  rowGroups: readonly ThriftStruct[],
  rowCount: bigint,
): ThriftStruct {
  const keptNames = new Set(
    footer.leaves.filter((_, i) => isWanted[i]).map((leaf) => leaf.path[0]!.name),
  );
  const kept = footer.columns.filter((column) => keptNames.has(column.name));
  const elements: ThriftStruct[] = [];
  const collect = (nodes: ParquetFooter['columns']): void => {
    for (const node of nodes) {
      elements.push(node.raw);
      collect(node.children);
    }
  };
  collect(kept);
  const root: ThriftStruct = new Map(structsField(footer.raw, 2)![0]!);
  root.set(5, { type: 'i32', value: kept.length });
  const raw: ThriftStruct = new Map();
  raw.set(1, { type: 'i32', value: 1 });
  raw.set(2, structList([root, ...elements]));
  raw.set(3, { type: 'i64', value: rowCount });
  raw.set(4, structList(rowGroups));
  return raw;
}

function internal(what: string): TidelakeError {
  return new TidelakeError({ code: 'INTERNAL', what, meaning: 'nothing was read', next: '' });
}
