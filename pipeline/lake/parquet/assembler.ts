// Stitches row groups, encoded elsewhere or copied from other files, into one Parquet file.
// Column chunks are appended byte for byte; only the offsets in the footer change. Page indexes and bloom filters go.
// Spec: apache/parquet-format, src/main/thrift/parquet.thrift (FileMetaData, RowGroup, ColumnChunk, ColumnMetaData).

import { TidelakeError } from '../../../schemas/errors.js';
import {
  damaged,
  type ParquetFooter,
  parseFooter,
  type ReadRange,
  type RowGroupInfo,
} from './footer.js';
import type { EncodedRowGroup } from './row-group-encoder.js';
import { structField, structList, structsField, type ThriftStruct, writeThrift } from './thrift.js';

/** A row group of another file, verbatim. */
export interface CopiedRowGroup {
  /** The bytes [byteStart, byteEnd) of the row group in its file. */
  readonly bytes: Uint8Array;
  /** Footer of that file. */
  readonly footer: ParquetFooter;
  /** Which of its row groups. */
  readonly index: number;
}

export interface FinishedFile {
  /** The last bytes of the file: footer, its length, PAR1. */
  readonly tail: Uint8Array;
  /** Size of the whole file in bytes. */
  readonly fileSize: number;
  /** The footer, parsed: for statistics and split offsets. */
  readonly footer: ParquetFooter;
}

/**
 * Writes one Parquet file: `start()`, `add()` for each row group, `finish()`. Each returns bytes to append.
 * Only what `keyValue` and `finish` name goes into the key-value metadata; the writers' own entries (ARROW:schema)
 * are dropped, so that every reader takes the types from the Parquet schema alone.
 */
export class ParquetAssembler {
  private readonly keyValue: ReadonlyMap<string, string>;
  private readonly rowGroups: ThriftStruct[] = [];
  private position = 4;
  private rowCount = 0n;
  private first: { readonly raw: ThriftStruct; readonly fingerprint: Buffer } | null = null;
  private lastChecked: ParquetFooter | null = null;

  constructor(options: { readonly keyValue?: ReadonlyMap<string, string> } = {}) {
    this.keyValue = options.keyValue ?? new Map();
  }

  /** The file's first bytes. */
  start(): Uint8Array {
    return Uint8Array.of(0x50, 0x41, 0x52, 0x31);
  }

  /** Whether row groups of this file have the schema of those added so far, so that they can be copied. */
  takes(footer: ParquetFooter): boolean {
    return (
      this.first === null ||
      footer === this.lastChecked ||
      this.first.fingerprint.equals(schemaFingerprint(footer.raw))
    );
  }

  /**
   * Adds a row group and returns its bytes, to be appended. An encoded one without rows only gives its schema.
   *
   * @throws TidelakeError INTERNAL when its schema differs from that of the row groups before, or when the bytes
   *   are not those of the row group.
   */
  add(rowGroup: EncodedRowGroup | CopiedRowGroup): Uint8Array {
    const isCopied = 'index' in rowGroup;
    const footer = isCopied
      ? rowGroup.footer
      : parseFooter(rowGroup.footer, Number.MAX_SAFE_INTEGER, 'an encoded row group');
    if (!this.takes(footer))
      throw internal(`a row group of ${footer.name} has another schema than the file it goes into`);
    this.first ??= { raw: footer.raw, fingerprint: schemaFingerprint(footer.raw) };
    this.lastChecked = footer;
    const group = footer.rowGroups[isCopied ? rowGroup.index : 0];
    if (group === undefined) {
      if (!isCopied && rowGroup.rows === 0) return new Uint8Array(0);
      throw internal(`${footer.name} has no such row group`);
    }
    if (rowGroup.bytes.length !== group.byteEnd - group.byteStart)
      throw internal(
        `a row group of ${footer.name} has ${group.byteEnd - group.byteStart} bytes, not ${rowGroup.bytes.length}`,
      );
    this.rowGroups.push(moveRowGroup(group, this.position, this.rowGroups.length));
    this.position += rowGroup.bytes.length;
    this.rowCount += BigInt(group.rowCount);
    return rowGroup.bytes;
  }

  /** Position of the next byte to append. */
  get byteCount(): number {
    return this.position;
  }

  /**
   * Ends the file.
   *
   * @param extraKeyValue key-value metadata known only now; wins over the constructor's
   * @throws TidelakeError INTERNAL when nothing was added.
   */
  finish(extraKeyValue: ReadonlyMap<string, string> = new Map()): FinishedFile {
    if (this.first === null)
      throw internal('a Parquet file needs a row group to take its schema from');
    const raw: ThriftStruct = new Map();
    raw.set(1, { type: 'i32', value: 1 });
    raw.set(2, this.first.raw.get(2)!);
    raw.set(3, { type: 'i64', value: this.rowCount });
    raw.set(4, structList(this.rowGroups));
    const keyValue = new Map([...this.keyValue, ...extraKeyValue]);
    if (keyValue.size > 0) raw.set(5, structList([...keyValue].map(keyValueStruct)));
    for (const id of [6, 7]) {
      const field = this.first.raw.get(id);
      if (field !== undefined) raw.set(id, field);
    }
    const footerBytes = writeThrift(raw);
    const tail = new Uint8Array(footerBytes.length + 8);
    tail.set(footerBytes);
    new DataView(tail.buffer).setUint32(footerBytes.length, footerBytes.length, true);
    tail.set(this.start(), footerBytes.length + 4);
    return {
      tail,
      fileSize: this.position + tail.length,
      // Read back from the bytes: what callers rely on is what the file says.
      footer: parseFooter(footerBytes, this.position, 'a finished file'),
    };
  }
}

/** Reads a row group of a file, to be copied into another. Throws TidelakeError CHECK_FAILED when the file is cut off. */
export async function readRowGroup(
  readRange: ReadRange,
  footer: ParquetFooter,
  index: number,
): Promise<CopiedRowGroup> {
  const group = footer.rowGroups[index];
  if (group === undefined) throw internal(`${footer.name} has no row group ${index}`);
  const bytes = await readRange(group.byteStart, group.byteEnd);
  if (bytes.length !== group.byteEnd - group.byteStart)
    throw damaged(footer.name, 'it is shorter than its footer says');
  return { bytes, footer, index };
}

/** A row group as it stands in a footer, with its first byte moved to `byteStart`. Chunks keep their distances. */
function moveRowGroup(group: RowGroupInfo, byteStart: number, ordinal: number): ThriftStruct {
  const moved: ThriftStruct = new Map(group.raw);
  const delta = BigInt(byteStart - group.byteStart);
  moved.set(1, structList(structsField(group.raw, 1)!.map((chunk) => moveChunk(chunk, delta))));
  moved.set(5, { type: 'i64', value: BigInt(byteStart) });
  // The field has 16 bits and is optional.
  if (ordinal < 32768) moved.set(7, { type: 'i16', value: ordinal });
  else moved.delete(7);
  return moved;
}

/** A column chunk moved by `delta` bytes, without page indexes and bloom filter, which are not copied along. */
export function moveChunk(chunk: ThriftStruct, delta: bigint): ThriftStruct {
  const meta: ThriftStruct = new Map(structField(chunk, 3)!);
  const dataStart = meta.get(9);
  if (dataStart?.type === 'i64') meta.set(9, { type: 'i64', value: dataStart.value + delta });
  const dictionaryStart = meta.get(11);
  if (dictionaryStart?.type === 'i64') {
    if (dictionaryStart.value > 0n)
      meta.set(11, { type: 'i64', value: dictionaryStart.value + delta });
    else meta.delete(11);
  }
  for (const id of [10, 14, 15]) meta.delete(id);
  const moved: ThriftStruct = new Map(chunk);
  for (const id of [4, 5, 6, 7]) moved.delete(id);
  // Zero: no second copy of the metadata stands outside the footer.
  moved.set(2, { type: 'i64', value: 0n });
  moved.set(3, { type: 'struct', value: meta });
  return moved;
}

/** What must be equal for row groups to share a file: the schema below its root's name, and the order of statistics. */
function schemaFingerprint(footer: ThriftStruct): Buffer {
  const [root, ...elements] = structsField(footer, 2)!;
  const nameless: ThriftStruct = new Map(root);
  nameless.delete(4);
  const schema: ThriftStruct = new Map([[2, structList([nameless, ...elements])]]);
  const orders = footer.get(7);
  if (orders !== undefined) schema.set(7, orders);
  return Buffer.from(writeThrift(schema));
}

function keyValueStruct([key, value]: readonly [string, string]): ThriftStruct {
  return new Map([
    [1, { type: 'binary', value: Buffer.from(key, 'utf8') }],
    [2, { type: 'binary', value: Buffer.from(value, 'utf8') }],
  ]);
}

function internal(what: string): TidelakeError {
  return new TidelakeError({ code: 'INTERNAL', what, meaning: 'nothing was written', next: '' });
}
