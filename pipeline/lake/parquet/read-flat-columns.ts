// Top-level columns of bytes or 64-bit values, read back from row groups as our encoder writes them: what a merge looks its keys
// up in. It saves such a merge the loading of a whole Parquet library. Whatever else a chunk may be is left to
// decode-row-group, which reads every writer's.
// Promises: every page is what its checksum says, or CHECK_FAILED names the file.
// Spec: apache/parquet-format, README.md ("Data Pages", "Checksumming"), Encodings.md; parquet.thrift (PageHeader).

import { crc32 } from 'node:zlib';
import { BytesColumn, type Column, LongColumn } from '../../../transforms/columns.js';
import { useKernel } from '../../../transforms/kernel/idle-kernel.js';
import type { KernelExports } from '../../../transforms/kernel/kernel.js';
import { bytesAt, slackBytes } from '../../../transforms/kernel/placed-columns.js';
import { damaged, type ParquetFooter, type ReadRange, type SchemaNode } from './footer.js';
import { intField, readThrift, structField, ThriftError, type ThriftStruct } from './thrift.js';
import { type Decompress, openUnzstd } from './zstd.js';

const zstdCodec = 6;
const encodings = { plain: 0, dictionary: 8 } as const;
const pageTypes = { data: 0, dictionary: 2 } as const;
/** No page of ours holds more than a few values beyond its target of 1 MiB, or one value of 400 KB nested in others. */
const pageBytesMax = 1024 * 1024 * 1024;
/** Chunks with at most this many bytes between them are read at once. */
const gapBytesMax = 64 * 1024;

/**
 * Reads columns of one row group, by name, in the order of the names.
 *
 * @returns null when one of them is not there, or not as our encoder writes such columns
 * @throws TidelakeError CHECK_FAILED when a page is damaged.
 */
export async function readFlatColumns(
  readRange: ReadRange,
  footer: ParquetFooter,
  index: number,
  names: readonly string[],
): Promise<Column[] | null> {
  const group = footer.rowGroups[index];
  if (group === undefined) return null;
  const wanted: Chunk[] = [];
  for (const name of names) {
    const leaf = footer.leaves.findIndex(({ path }) => path.length === 1 && path[0]!.name === name);
    if (leaf < 0) return null;
    const node = footer.leaves[leaf]!.node;
    const info = group.columns[leaf]!;
    if (!isFlat(node) || !isOurs(group.raw, leaf)) return null;
    wanted.push({ node, start: info.byteStart, end: info.byteEnd, rows: group.rowCount });
  }
  const bytes = await readChunks(readRange, footer, wanted);
  const decompress = await openUnzstd();
  const columns: Column[] = [];
  for (const [i, chunk] of wanted.entries()) {
    const pages = pagesOf(bytes[i]!, footer.name);
    if (pages === null) return null;
    const read = useKernel((kernel) =>
      new ChunkReader(kernel, footer.name, chunk, decompress).read(pages),
    );
    columns.push(read);
  }
  return columns;
}

interface Chunk {
  readonly node: SchemaNode;
  /** Bytes in the file. */
  readonly start: number;
  readonly end: number;
  readonly rows: number;
}

function isFlat({ physicalType, repetition }: SchemaNode): boolean {
  return (physicalType === 'BYTE_ARRAY' || physicalType === 'INT64') && repetition !== 'repeated';
}

/** Whether a chunk is compressed as ours are. */
function isOurs(group: ThriftStruct, leaf: number): boolean {
  const chunks = group.get(1);
  if (chunks?.type !== 'list') return false;
  const chunk = chunks.values[leaf];
  const meta = chunk?.type === 'struct' ? structField(chunk.value, 3) : null;
  return meta !== null && intField(meta, 4) === zstdCodec;
}

async function readChunks(
  readRange: ReadRange,
  footer: ParquetFooter,
  chunks: readonly Chunk[],
): Promise<Uint8Array[]> {
  const start = Math.min(...chunks.map((chunk) => chunk.start));
  const end = Math.max(...chunks.map((chunk) => chunk.end));
  const used = chunks.reduce((sum, chunk) => sum + chunk.end - chunk.start, 0);
  const read = async (from: number, to: number): Promise<Uint8Array> => {
    const bytes = await readRange(from, to);
    if (bytes.length !== to - from) {
      throw damaged(footer.name, 'it is shorter than its footer says');
    }
    return bytes;
  };
  if (end - start - used > gapBytesMax) {
    return Promise.all(chunks.map((chunk) => read(chunk.start, chunk.end)));
  }
  const all = await read(start, end);
  return chunks.map((chunk) => all.subarray(chunk.start - start, chunk.end - start));
}

interface Page {
  readonly type: number;
  readonly header: ThriftStruct;
  readonly plainBytes: number;
  readonly checksum: number;
  readonly compressed: Uint8Array;
}

/** The pages of a chunk; null when one has no checksum, or is of a kind we do not write. */
function pagesOf(bytes: Uint8Array, name: string): Page[] | null {
  const pages: Page[] = [];
  try {
    for (let at = 0; at < bytes.length; ) {
      const { value, length } = readThrift(bytes.subarray(at));
      const type = intField(value, 1);
      const plainBytes = intField(value, 2);
      const size = intField(value, 3);
      const checksum = intField(value, 4);
      const header = structField(value, type === pageTypes.dictionary ? 7 : 5);
      if (checksum === null || header === null) return null;
      if (type !== pageTypes.data && type !== pageTypes.dictionary) return null;
      const start = at + length;
      if (plainBytes === null || plainBytes < 0 || plainBytes > pageBytesMax) {
        throw new ThriftError('a page has no size');
      }
      if (size === null || size < 0 || size > bytes.length - start) {
        throw new ThriftError('a page ends behind its column');
      }
      const compressed = bytes.subarray(start, start + size);
      pages.push({ type, header, plainBytes, checksum, compressed });
      at = start + size;
    }
  } catch (error) {
    if (error instanceof ThriftError) throw damaged(name, error.message, error);
    throw error;
  }
  return pages;
}

/** Values in the kernel's memory: of bytes their places and lengths, else the first one's place. */
interface Values {
  readonly places: number;
  readonly lengths: number;
  readonly count: number;
}

interface DataPart {
  readonly rows: number;
  /** Place of the levels; 0: every row has a value. */
  readonly levels: number;
  readonly present: number;
  readonly values: Values;
  /** Place of the numbers of values in the dictionary; 0: they stand in order. */
  readonly numbers: number;
}

class ChunkReader {
  private readonly kernel: KernelExports;
  private readonly name: string;
  private readonly chunk: Chunk;
  private readonly decompress: Decompress;
  private readonly isBytes: boolean;

  constructor(kernel: KernelExports, name: string, chunk: Chunk, decompress: Decompress) {
    this.kernel = kernel;
    this.name = name;
    this.chunk = chunk;
    this.decompress = decompress;
    this.isBytes = chunk.node.physicalType === 'BYTE_ARRAY';
  }

  read(pages: readonly Page[]): Column {
    let dictionary: Values | null = null;
    const parts: DataPart[] = [];
    let rows = 0;
    for (const page of pages) {
      const plain = this.open(page);
      if (page.type === pageTypes.dictionary) {
        dictionary = this.values(plain.start, plain.end, this.count(page.header));
      } else {
        const part = this.part(page.header, plain, dictionary);
        rows += part.rows;
        parts.push(part);
      }
    }
    if (rows !== this.chunk.rows)
      throw this.broken('its pages have other rows than its footer says');
    return this.isBytes ? this.bytesColumn(parts, rows) : this.longColumn(parts, rows);
  }

  /** Checks a page and opens it in the kernel's memory. */
  private open({ compressed, checksum, plainBytes }: Page): { start: number; end: number } {
    const { kernel } = this;
    if ((crc32(compressed) | 0) !== checksum)
      throw this.broken('a page is not what its checksum says');
    const plain = this.decompress(compressed);
    if (plain.length !== plainBytes) throw this.broken('a page has another size than it says');
    const start = kernel.alloc(plain.length + slackBytes);
    bytesAt(kernel, start, plain.length).set(plain);
    return { start, end: start + plain.length };
  }

  private count(header: ThriftStruct): number {
    const count = intField(header, 1);
    if (count === null || count < 0) throw this.broken('a page has no number of values');
    return count;
  }

  /** Values written plainly. */
  private values(start: number, end: number, count: number): Values {
    const { kernel } = this;
    if (!this.isBytes) {
      if (count * 8 > end - start) throw this.broken('a page ends before its values');
      return { places: start, lengths: 0, count };
    }
    // Each takes four bytes at least.
    if (count * 4 > end - start) throw this.broken('a page ends before its values');
    const places = kernel.alloc(count * 4 + slackBytes);
    const lengths = kernel.alloc(count * 4 + slackBytes);
    if (kernel.findBytes(start, end, count, places, lengths) === 0) {
      throw this.broken('a page ends before its values');
    }
    return { places, lengths, count };
  }

  private part(
    header: ThriftStruct,
    page: { start: number; end: number },
    dictionary: Values | null,
  ): DataPart {
    const { kernel, chunk } = this;
    const rows = this.count(header);
    if (rows > chunk.rows) throw this.broken('a page has more rows than its row group');
    const encoding = intField(header, 2);
    let { start } = page;
    let levels = 0;
    let present = rows;
    if (chunk.node.repetition === 'optional') {
      const size = this.levelBytes(start, page.end);
      levels = kernel.alloc(rows * 4 + slackBytes);
      const at = kernel.readHybrid(start + 4, start + 4 + size, 1, rows, levels);
      present = at === 0 ? -1 : kernel.countPresent(levels, rows);
      if (present < 0) throw this.broken('the levels of a page are damaged');
      start += 4 + size;
    }
    if (encoding === encodings.plain) {
      const values = this.values(start, page.end, present);
      return { rows, levels, present, values, numbers: 0 };
    }
    if (encoding !== encodings.dictionary || dictionary === null || start >= page.end) {
      throw this.broken('a page is encoded in another way than its column');
    }
    const [width] = bytesAt(kernel, start, 1);
    const numbers = kernel.alloc(present * 4 + slackBytes);
    const at = kernel.readHybrid(start + 1, page.end, width!, present, numbers);
    if (at === 0 || !kernel.areBelow(numbers, present, dictionary.count)) {
      throw this.broken('a page names values that its dictionary does not have');
    }
    return { rows, levels, present, values: dictionary, numbers };
  }

  private levelBytes(start: number, end: number): number {
    if (end - start < 4) throw this.broken('a page ends before its levels');
    const size = new DataView(this.kernel.memory.buffer).getUint32(start, true);
    if (size > end - start - 4) throw this.broken('a page ends before its levels');
    return size;
  }

  private bytesColumn(parts: readonly DataPart[], rows: number): BytesColumn {
    const { kernel } = this;
    let total = 0;
    for (const { values, numbers, present } of parts) {
      total += Number(kernel.bytesNamed(values.lengths, numbers, present));
    }
    if (total > pageBytesMax) throw this.broken('a column has more bytes than any of ours');
    const ok = kernel.alloc(rows + slackBytes);
    const offsets = kernel.alloc((rows + 1) * 4 + slackBytes);
    const data = kernel.alloc(total + slackBytes);
    new Int32Array(kernel.memory.buffer, offsets, 1)[0] = 0;
    let row = 0;
    let length = 0;
    for (const { values, levels, numbers, rows: count } of parts) {
      length = kernel.fillBytes(
        count,
        levels,
        values.places,
        values.lengths,
        numbers,
        ok + row,
        offsets + row * 4,
        data,
        length,
      );
      row += count;
    }
    const column = new BytesColumn();
    this.head(column, rows, ok);
    column.offsets = new Int32Array(kernel.memory.buffer.slice(offsets, offsets + (rows + 1) * 4));
    column.data = bytesAt(kernel, data, length).slice();
    column.length = length;
    return column;
  }

  private longColumn(parts: readonly DataPart[], rows: number): LongColumn {
    const { kernel } = this;
    const ok = kernel.alloc(rows + slackBytes);
    const words = kernel.alloc(rows * 8 + slackBytes);
    let row = 0;
    for (const { values, levels, numbers, rows: count } of parts) {
      kernel.fillLongs(count, levels, values.places, numbers, ok + row, words + row * 8);
      row += count;
    }
    const column = new LongColumn();
    this.head(column, rows, ok);
    column.words = new Int32Array(kernel.memory.buffer.slice(words, words + rows * 8));
    return column;
  }

  private head(column: Column, rows: number, ok: number): void {
    column.n = rows;
    column.ok = bytesAt(this.kernel, ok, rows).slice();
    let present = 0;
    for (let row = 0; row < rows; row++) present += column.ok[row]!;
    column.nulls = rows - present;
  }

  private broken(reason: string): Error {
    return damaged(this.name, reason);
  }
}
