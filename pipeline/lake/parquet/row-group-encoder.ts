// Rows as one Parquet row group: data pages of version 1, dictionaries where values repeat, zstd, a checksum on every page. The kernel takes columns
// apart and encodes them; here are the order of things, page headers and the footer.
// The result is position-free: an assembler puts it anywhere in a bigger file by moving its footer's offsets.
// Spec: apache/parquet-format, README.md ("Data Pages", "Column chunks"), Encodings.md; parquet.thrift.

import { crc32 } from 'node:zlib';
import type { KernelExports } from '../../../transforms/kernel/kernel.js';
import { type PlacedColumn, slackBytes } from '../../../transforms/kernel/placed-columns.js';
import { cutBelow, raiseAbove } from './file-stats.js';
import { parseFooter, type SchemaNode } from './footer.js';
import { structList, type ThriftStruct, type ThriftValue, writeThrift } from './thrift.js';
import type { Compress } from './zstd.js';

/** Bytes of values in a page, about. */
const pageBytesTarget = 1024 * 1024;
/** Values in a page of dictionary indices. */
const pageEntriesMax = 1 << 20;
/**
 * Dictionaries above this many bytes are given up. Measured on 65,536 orders: larger ones make no smaller files, and take
 * longer to fill.
 */
const dictionaryBytesMax = 128 * 1024;
const dictionaryBuckets = 1 << 16;
/** Fewer values than this are written plainly. */
const dictionaryValuesMin = 16;
/** Values that show whether a dictionary is worth a try, and the share of distinct ones up to which it is. */
const dictionarySample = 4096;
const dictionaryShareMax = 0.6;
/** Bytes of a text's or binary's bound in the statistics. */
const boundBytesMax = 64;

// Numbers of parquet.thrift.
const encodings = { plain: 0, rle: 3, dictionary: 8 } as const;
const pageTypes = { data: 0, dictionary: 2 } as const;
const physicalNumbers = {
  BOOLEAN: 0,
  INT32: 1,
  INT64: 2,
  INT96: 3,
  FLOAT: 4,
  DOUBLE: 5,
  BYTE_ARRAY: 6,
  FIXED_LEN_BYTE_ARRAY: 7,
} as const;
const zstdCodec = 6;

const createdBy = 'tidelake version 1';

/** A row group that belongs to no file yet. */
export interface EncodedRowGroup {
  /** The column chunks, from the first byte of the first to the last byte of the last. */
  readonly bytes: Uint8Array;
  /** FileMetaData of a file that has this row group alone. */
  readonly footer: Uint8Array;
  readonly rows: number;
}

/** A column, where it is once it is asked for: columns are taken into the kernel's memory one after the other. */
export type ColumnSource = () => PlacedColumn;

/** The schema of a file, ready for encoding. */
export interface FileSchema {
  readonly columns: readonly SchemaNode[];
  readonly elements: ThriftValue;
  readonly orders: ThriftValue;
}

/** @param schema the elements of a footer's schema, the root first */
export function fileSchema(schema: readonly ThriftStruct[]): FileSchema {
  const elements = structList(schema);
  const empty: ThriftStruct = new Map([
    [1, i32(1)],
    [2, elements],
    [3, i64(0)],
    [4, structList([])],
  ]);
  const { columns, leaves } = parseFooter(writeThrift(empty), 4, 'a schema');
  // Statistics are in the order that each type defines.
  const orders = structList(leaves.map(() => new Map([[1, { type: 'struct', value: new Map() }]])));
  return { columns, elements, orders };
}

/** Entries of a column on the way down to its leaves; see the kernel's parquet.ts. */
interface Entries {
  readonly count: number;
  /** Places of the levels and of the rows. */
  readonly def: number;
  readonly rep: number;
  readonly rows: number;
  readonly defMax: number;
  readonly repMax: number;
}

interface Chunk {
  readonly meta: ThriftStruct;
  readonly pages: readonly Uint8Array[];
  readonly compressedBytes: number;
  readonly plainBytes: number;
}

/** Encodes row groups in a kernel's memory. What it takes of that is given back after each column. */
export class RowGroupEncoder {
  private readonly kernel: KernelExports;
  private readonly compress: Compress;
  private readonly schema: FileSchema;
  private chunks: Chunk[] = [];

  constructor(kernel: KernelExports, compress: Compress, schema: FileSchema) {
    this.kernel = kernel;
    this.compress = compress;
    this.schema = schema;
  }

  /** Rows [start, end) of columns in the order of the schema. */
  encode(columns: readonly ColumnSource[], start: number, end: number): EncodedRowGroup {
    const { kernel, schema } = this;
    this.chunks = [];
    columns.forEach((source, i) => {
      const place = kernel.mark();
      const column = source();
      this.node(schema.columns[i]!, [], column, this.begin(start, end));
      kernel.release(place);
    });
    return this.finish(end - start);
  }

  private finish(rows: number): EncodedRowGroup {
    let offset = 4;
    let plainBytes = 0;
    const parts: Uint8Array[] = [];
    const columns = this.chunks.map(({ meta, pages, ...chunk }) => {
      // The dictionary comes first, where there is one.
      if (meta.has(11)) {
        meta.set(11, i64(offset));
        meta.set(9, i64(offset + pages[0]!.length));
      } else meta.set(9, i64(offset));
      offset += chunk.compressedBytes;
      plainBytes += chunk.plainBytes;
      parts.push(...pages);
      return new Map<number, ThriftValue>([
        [2, i64(0)],
        [3, { type: 'struct', value: meta }],
      ]);
    });
    const bytes = new Uint8Array(offset - 4);
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    const group: ThriftStruct = new Map<number, ThriftValue>([
      [1, structList(columns)],
      [2, i64(plainBytes)],
      [3, i64(rows)],
      [5, i64(4)],
      [6, i64(offset - 4)],
    ]);
    const footer: ThriftStruct = new Map<number, ThriftValue>([
      [1, i32(1)],
      [2, this.schema.elements],
      [3, i64(rows)],
      [4, structList([group])],
      [6, { type: 'binary', value: Buffer.from(createdBy, 'utf8') }],
      [7, this.schema.orders],
    ]);
    return { bytes, footer: writeThrift(footer), rows };
  }

  // ---- down to the leaves

  private begin(start: number, end: number): Entries {
    const count = end - start;
    const entries = this.room(count);
    this.kernel.beginEntries(count, start, entries.def, entries.rep, entries.rows);
    return { ...entries, count, defMax: 0, repMax: 0 };
  }

  private room(count: number): { def: number; rep: number; rows: number } {
    const { kernel } = this;
    return {
      def: kernel.alloc(count + slackBytes),
      rep: kernel.alloc(count + slackBytes),
      rows: kernel.alloc(count * 4 + slackBytes),
    };
  }

  private node(
    node: SchemaNode,
    above: readonly string[],
    column: PlacedColumn,
    given: Entries,
  ): void {
    const { kernel } = this;
    const path = [...above, node.name];
    let entries = given;
    if (node.repetition === 'optional') {
      kernel.enterOptional(
        entries.count,
        entries.def,
        entries.rows,
        column.nulls === 0 ? 0 : column.ok,
      );
      entries = { ...entries, defMax: entries.defMax + 1 };
    }
    if (column.kind === 'list') this.elements(node, path, column, entries);
    else if (column.kind === 'struct') this.fields(node.children, path, column.children, entries);
    else this.chunks.push(this.leaf(node, path, column, entries));
  }

  private elements(
    node: SchemaNode,
    path: readonly string[],
    column: PlacedColumn & { kind: 'list' },
    above: Entries,
  ): void {
    const { kernel } = this;
    const repeated = node.children[0]!;
    const count = kernel.countElements(above.count, above.rows, column.offsets);
    const { def, rep, rows } = this.room(count);
    const repMax = above.repMax + 1;
    const { offsets } = column;
    kernel.enterElements(
      above.count,
      above.def,
      above.rep,
      above.rows,
      offsets,
      repMax,
      def,
      rep,
      rows,
    );
    const entries = { count, def, rep, rows, defMax: above.defMax + 1, repMax };
    const inside = [...path, repeated.name];
    // A list repeats one element; a map repeats its keys and values, which are fields of the column below.
    if (repeated.children.length === 1) {
      this.node(repeated.children[0]!, inside, column.child, entries);
    } else if (column.child.kind === 'struct') {
      this.fields(repeated.children, inside, column.child.children, entries);
    }
  }

  private fields(
    nodes: readonly SchemaNode[],
    path: readonly string[],
    columns: readonly PlacedColumn[],
    entries: Entries,
  ): void {
    const { kernel } = this;
    nodes.forEach((node, i) => {
      const place = kernel.mark();
      const own = this.room(entries.count);
      const memory = memoryOf(kernel);
      memory.copyWithin(own.def, entries.def, entries.def + entries.count);
      memory.copyWithin(own.rows, entries.rows, entries.rows + entries.count * 4);
      memory.copyWithin(own.rep, entries.rep, entries.rep + entries.count);
      this.node(node, path, columns[i]!, { ...entries, ...own });
      kernel.release(place);
    });
  }

  // ---- a leaf

  private leaf(
    node: SchemaNode,
    path: readonly string[],
    column: PlacedColumn,
    entries: Entries,
  ): Chunk {
    const { kernel } = this;
    const rows = kernel.alloc(entries.count * 4 + slackBytes);
    const values = kernel.presentRows(entries.count, entries.rows, rows);
    const dictionary = this.dictionary(column, rows, values);
    const pages: Uint8Array[] = [];
    let plainBytes = 0;
    const add = (page: { bytes: Uint8Array; plainBytes: number }): void => {
      pages.push(page.bytes);
      plainBytes += page.plainBytes;
    };
    if (dictionary !== null) add(this.dictionaryPage(column, dictionary));
    let from = 0;
    let dataPages = 0;
    for (let start = 0; start < entries.count; dataPages++) {
      const end = this.pageEnd(column, entries, start, dictionary !== null);
      const inside = kernel.valuesIn(start, end, entries.def, entries.defMax);
      const part = { start, end, from, to: from + inside };
      add(this.dataPage(column, entries, rows, dictionary, part));
      from += inside;
      start = end;
    }
    const used = dictionary === null ? [encodings.plain] : [encodings.plain, encodings.dictionary];
    const compressedBytes = pages.reduce((sum, page) => sum + page.length, 0);
    const meta: ThriftStruct = new Map<number, ThriftValue>([
      [1, i32(physicalNumbers[node.physicalType!])],
      [2, i32List([...used, encodings.rle])],
      [3, textList(path)],
      [4, i32(zstdCodec)],
      [5, i64(entries.count)],
      [6, i64(plainBytes)],
      [7, i64(compressedBytes)],
      [13, pageCounts(dictionary !== null, dataPages)],
    ]);
    if (dictionary !== null) meta.set(11, i64(0));
    if (path.length === 1) {
      meta.set(12, {
        type: 'struct',
        value: this.statistics(node, column, rows, values, entries.count - values),
      });
    }
    return { meta, pages, compressedBytes, plainBytes };
  }

  /** Where the page that begins at an entry ends: at the beginning of a record, and of about the same size as others. */
  private pageEnd(
    column: PlacedColumn,
    { count, rep, rows }: Entries,
    start: number,
    isNumbered: boolean,
  ): number {
    const { kernel } = this;
    if (isNumbered || column.kind === 'flags') {
      return kernel.pageEnd(start, pageEntriesMax, count, rep);
    }
    if (column.kind === 'bytes') {
      const { offsets } = column;
      const most = pageEntriesMax;
      return kernel.bytesPageEnd(start, most, pageBytesTarget, count, rep, rows, offsets);
    }
    return kernel.pageEnd(start, pageBytesTarget / (column.kind === 'wides' ? 16 : 8), count, rep);
  }

  private dataPage(
    column: PlacedColumn,
    entries: Entries,
    rows: number,
    dictionary: Dictionary | null,
    { start, end, from, to }: { start: number; end: number; from: number; to: number },
  ): { bytes: Uint8Array; plainBytes: number } {
    const { kernel } = this;
    const place = kernel.mark();
    const count = end - start;
    const width = dictionary === null ? 0 : bitsOf(dictionary.size - 1);
    const valuesMax =
      dictionary === null
        ? this.plainSize(column, rows + from * 4, to - from)
        : 1 + kernel.hybridBytesMax(to - from, width);
    const levelsMax =
      8 +
      kernel.hybridBytesMax(count, bitsOf(entries.repMax)) +
      kernel.hybridBytesMax(count, bitsOf(entries.defMax));
    const page = kernel.alloc(levelsMax + valuesMax + 2 * slackBytes);
    let at = page;
    if (entries.repMax > 0) at = this.levels(entries.rep, start, end, entries.repMax, at);
    if (entries.defMax > 0) at = this.levels(entries.def, start, end, entries.defMax, at);
    if (dictionary === null) at = this.plain(column, rows + from * 4, to - from, at);
    else {
      memoryOf(kernel)[at] = width;
      at = kernel.hybrid(dictionary.indices, from, to, width, 1, at + 1);
    }
    const header: ThriftStruct = new Map([
      [1, i32(count)],
      [2, i32(dictionary === null ? encodings.plain : encodings.dictionary)],
      [3, i32(encodings.rle)],
      [4, i32(encodings.rle)],
    ]);
    const made = this.page(pageTypes.data, memoryOf(kernel).subarray(page, at), 5, header);
    kernel.release(place);
    return made;
  }

  /** Levels and their length before them. Returns their end. */
  private levels(levels: number, start: number, end: number, most: number, to: number): number {
    const at = this.kernel.hybrid(levels, start, end, bitsOf(most), 0, to + 4);
    new DataView(this.kernel.memory.buffer).setUint32(to, at - to - 4, true);
    return at;
  }

  private dictionaryPage(
    column: PlacedColumn,
    { entries, size }: Dictionary,
  ): { bytes: Uint8Array; plainBytes: number } {
    const { kernel } = this;
    const place = kernel.mark();
    const page = kernel.alloc(this.plainSize(column, entries, size) + 2 * slackBytes);
    const end = this.plain(column, entries, size, page);
    const header: ThriftStruct = new Map([
      [1, i32(size)],
      [2, i32(encodings.plain)],
    ]);
    const made = this.page(pageTypes.dictionary, memoryOf(kernel).subarray(page, end), 7, header);
    kernel.release(place);
    return made;
  }

  private page(
    type: number,
    plain: Uint8Array,
    field: number,
    header: ThriftStruct,
  ): { bytes: Uint8Array; plainBytes: number } {
    const compressed = this.compress(plain);
    const head = writeThrift(
      new Map<number, ThriftValue>([
        [1, i32(type)],
        [2, i32(plain.length)],
        [3, i32(compressed.length)],
        [4, i32(crc32(compressed) | 0)],
        [field, { type: 'struct', value: header }],
      ]),
    );
    const bytes = new Uint8Array(head.length + compressed.length);
    bytes.set(head);
    bytes.set(compressed, head.length);
    return { bytes, plainBytes: head.length + plain.length };
  }

  // ---- values

  /** Bytes of values written plainly. */
  private plainSize(column: PlacedColumn, rows: number, count: number): number {
    switch (column.kind) {
      case 'bytes':
        return this.kernel.plainBytesSize(count, rows, column.offsets);
      case 'longs':
        return count * 8;
      case 'wides':
        return count * 16;
      default:
        return (count + 7) >> 3;
    }
  }

  private plain(column: PlacedColumn, rows: number, count: number, to: number): number {
    const { kernel } = this;
    switch (column.kind) {
      case 'bytes':
        return kernel.plainBytes(count, rows, column.offsets, column.data, to);
      case 'longs':
        return kernel.plainLongs(count, rows, column.values, to);
      case 'wides':
        return kernel.plainWides(count, rows, column.values, to);
      case 'flags':
        return kernel.plainFlags(count, rows, column.values, to);
      default:
        throw new TypeError('a leaf of the schema is no leaf of the rows');
    }
  }

  /** The distinct values, where there are few; null: values are written plainly. */
  private dictionary(column: PlacedColumn, rows: number, count: number): Dictionary | null {
    if (count < dictionaryValuesMin) return null;
    if (column.kind !== 'bytes' && column.kind !== 'longs') return null;
    const { kernel } = this;
    const indices = kernel.alloc(count * 4 + 2 * slackBytes);
    const entries = kernel.alloc((dictionaryBuckets / 2) * 4 + slackBytes);
    const buckets = kernel.alloc(dictionaryBuckets * 4);
    const number = (values: number): number => {
      // Few values need few buckets, which are cleared first.
      let size = dictionaryBuckets;
      while (size > values * 4 && size > 64) size /= 2;
      return column.kind === 'bytes'
        ? kernel.numberBytes(
            values,
            rows,
            column.offsets,
            column.data,
            indices,
            entries,
            buckets,
            size,
            dictionaryBytesMax,
          )
        : kernel.numberLongs(
            values,
            rows,
            column.values,
            indices,
            entries,
            buckets,
            size,
            dictionaryBytesMax,
          );
    };
    if (count > dictionarySample) {
      const distinct = number(dictionarySample);
      if (distinct < 0 || distinct > dictionarySample * dictionaryShareMax) return null;
    }
    const size = number(count);
    if (size < 0 || size > count * dictionaryShareMax) return null;
    return { indices, entries, size };
  }

  private statistics(
    node: SchemaNode,
    column: PlacedColumn,
    rows: number,
    values: number,
    nulls: number,
  ): ThriftStruct {
    const found: ThriftStruct = new Map([[3, i64(nulls)]]);
    if (values === 0) return found;
    const { kernel } = this;
    let least: number;
    if (column.kind === 'bytes') {
      least = kernel.leastBytes(values, rows, column.offsets, column.data);
    } else if (column.kind === 'longs') least = kernel.leastLong(values, rows, column.values);
    else if (column.kind === 'wides') least = kernel.leastWide(values, rows, column.values);
    else if (column.kind === 'flags') least = kernel.leastFlag(values, rows, column.values);
    else return found;
    const min = this.valueAt(column, least);
    const max = this.valueAt(column, kernel.greatestRow());
    const isText = node.logicalType.kind === 'string';
    const isCut = column.kind === 'bytes';
    const low = isCut && min.length > boundBytesMax ? cutBelow(min, boundBytesMax, isText) : min;
    const high = isCut && max.length > boundBytesMax ? raiseAbove(max, boundBytesMax, isText) : max;
    if (high === null) return found;
    found.set(5, { type: 'binary', value: high });
    found.set(6, { type: 'binary', value: low });
    found.set(7, { type: 'bool', value: high === max });
    found.set(8, { type: 'bool', value: low === min });
    return found;
  }

  /** A value as it is plainly encoded, without a length before it. */
  private valueAt(column: PlacedColumn, row: number): Uint8Array {
    const memory = memoryOf(this.kernel);
    switch (column.kind) {
      case 'bytes': {
        const offsets = new Int32Array(this.kernel.memory.buffer, column.offsets, row + 2);
        return memory.slice(column.data + offsets[row]!, column.data + offsets[row + 1]!);
      }
      case 'longs':
        return memory.slice(column.values + row * 8, column.values + row * 8 + 8);
      case 'wides':
        return memory.slice(column.values + row * 16, column.values + row * 16 + 16).reverse();
      case 'flags':
        return memory.slice(column.values + row, column.values + row + 1);
      default:
        throw new TypeError('a leaf of the schema is no leaf of the rows');
    }
  }
}

interface Dictionary {
  /** Places: the number of each value, and the row of each distinct one. */
  readonly indices: number;
  readonly entries: number;
  readonly size: number;
}

/** Bits that numbers up to `most` take; one at least, since some readers take none for damage. */
function bitsOf(most: number): number {
  return Math.max(1, 32 - Math.clz32(most));
}

/** All of a kernel's memory, as it is now. */
function memoryOf(kernel: KernelExports): Uint8Array {
  return new Uint8Array(kernel.memory.buffer);
}

/** PageEncodingStats: how many pages of which kind there are. */
function pageCounts(hasDictionary: boolean, dataPages: number): ThriftValue {
  const count = (type: number, encoding: number, pages: number): ThriftStruct =>
    new Map([
      [1, i32(type)],
      [2, i32(encoding)],
      [3, i32(pages)],
    ]);
  if (!hasDictionary) return structList([count(pageTypes.data, encodings.plain, dataPages)]);
  return structList([
    count(pageTypes.dictionary, encodings.plain, 1),
    count(pageTypes.data, encodings.dictionary, dataPages),
  ]);
}

function i32(value: number): ThriftValue {
  return { type: 'i32', value };
}

function i64(value: number): ThriftValue {
  return { type: 'i64', value: BigInt(value) };
}

function i32List(values: readonly number[]): ThriftValue {
  return { type: 'list', element: 'i32', values: values.map(i32) };
}

function textList(texts: readonly string[]): ThriftValue {
  const values = texts.map(
    (text) => ({ type: 'binary', value: Buffer.from(text, 'utf8') }) as const,
  );
  return { type: 'list', element: 'binary', values };
}
