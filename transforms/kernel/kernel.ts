// The kernel: the innermost loops in WebAssembly, where bytes are looked at sixteen at a time and 64-bit integers are
// integers. An instance has a memory of its own, and belongs to whoever made it.

import { kernelBytes } from './kernel-bytes.js';

/** What assembly/index.ts exports. Places are byte offsets into `memory`. */
export interface KernelExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** Takes a block of so many bytes, 16 bytes aligned. Views of the memory made before may be void afterwards. */
  alloc(bytes: number): number;
  mark(): number;
  release(place: number): void;
  releaseAll(): void;

  // gather.ts
  gatherFlags(to: number, from: number, rows: number, n: number): number;
  fillFlags(to: number, value: number, n: number): void;
  gatherLongs(to: number, from: number, rows: number, n: number): void;
  gatherWides(to: number, from: number, rows: number, n: number): void;
  gatherBytes(
    to: number,
    toData: number,
    offsets: number,
    data: number,
    rows: number,
    n: number,
  ): number;
  gatherOffsets(to: number, offsets: number, rows: number, n: number): number;
  gatherElements(to: number, offsets: number, rows: number, n: number): void;
  shiftOffsets(offsets: number, n: number, shift: number): void;

  // sort.ts
  sortKeys(to: number, offsets: number, data: number, n: number): void;
  findTwin(order: number, offsets: number, data: number, n: number): number;

  // scan.ts
  scanReset(): void;
  newSlot(code: number, layout: number): number;
  slotChild(slot: number, child: number): void;
  slotFields(slot: number, fields: number, count: number, names: number): void;
  slotNumber(slot: number, fits: number, histogram: number, scale: number, isText: number): void;
  slotPath(slot: number, path: number, length: number): void;
  newNames(count: number, buckets: number): number;
  setName(table: number, index: number, bytes: number, length: number): void;
  setPlan(slots: number, count: number, names: number, keyCount: number, histogram: number): void;
  setChanges(
    oldSlots: number,
    oldNulls: number,
    keySlots: number,
    keyNames: number,
    probe: number,
  ): void;
  setMarks(keys: number, lives: number, nulls: number, writtenAt: number, misfits: number): void;
  scaleClasses(): number;
  blockPlace(bytes: number): number;
  openBlock(bytes: number): void;
  scanLines(): number;
  slowLineStart(): number;
  slowLineEnd(): number;
  rowCount(): number;
  rowBytes(): number;
  settleRows(): void;
  clearRows(): void;

  // parquet.ts
  beginEntries(count: number, start: number, def: number, rep: number, rows: number): void;
  enterOptional(count: number, def: number, rows: number, ok: number): void;
  countElements(count: number, rows: number, offsets: number): number;
  enterElements(
    count: number,
    def: number,
    rep: number,
    rows: number,
    offsets: number,
    level: number,
    toDef: number,
    toRep: number,
    toRows: number,
  ): void;
  presentRows(count: number, rows: number, to: number): number;
  pageEnd(start: number, wanted: number, count: number, rep: number): number;
  bytesPageEnd(
    start: number,
    entriesMax: number,
    bytesMax: number,
    count: number,
    rep: number,
    rows: number,
    offsets: number,
  ): number;
  valuesIn(start: number, end: number, def: number, level: number): number;
  hybridBytesMax(count: number, width: number): number;
  hybrid(
    values: number,
    start: number,
    end: number,
    width: number,
    isWide: number,
    to: number,
  ): number;
  plainBytesSize(count: number, rows: number, offsets: number): number;
  plainBytes(count: number, rows: number, offsets: number, data: number, to: number): number;
  plainLongs(count: number, rows: number, data: number, to: number): number;
  plainWides(count: number, rows: number, data: number, to: number): number;
  plainFlags(count: number, rows: number, data: number, to: number): number;
  numberBytes(
    count: number,
    rows: number,
    offsets: number,
    data: number,
    indices: number,
    entries: number,
    buckets: number,
    bucketCount: number,
    bytesMax: number,
  ): number;
  numberLongs(
    count: number,
    rows: number,
    data: number,
    indices: number,
    entries: number,
    buckets: number,
    bucketCount: number,
    bytesMax: number,
  ): number;
  greatestRow(): number;
  leastBytes(count: number, rows: number, offsets: number, data: number): number;
  leastLong(count: number, rows: number, data: number): number;
  leastWide(count: number, rows: number, data: number): number;
  leastFlag(count: number, rows: number, data: number): number;

  // read-pages.ts
  readHybrid(from: number, end: number, width: number, count: number, to: number): number;
  findBytes(from: number, end: number, count: number, places: number, lengths: number): number;
  countPresent(levels: number, count: number): number;
  areBelow(numbers: number, count: number, size: number): number;
  bytesNamed(lengths: number, numbers: number, count: number): bigint;
  fillBytes(
    count: number,
    levels: number,
    places: number,
    lengths: number,
    numbers: number,
    ok: number,
    offsets: number,
    data: number,
    length: number,
  ): number;
  fillLongs(
    count: number,
    levels: number,
    values: number,
    numbers: number,
    ok: number,
    words: number,
  ): void;
}

interface WasmInstance {
  readonly exports: unknown;
}

declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports?: object) => WasmInstance;
};

let compiled: object | null = null;

/** A fresh instance; the code is compiled once in each thread. */
export function newKernel(): KernelExports {
  compiled ??= new WebAssembly.Module(Buffer.from(kernelBytes, 'base64'));
  return new WebAssembly.Instance(compiled, {
    env: {
      abort: () => {
        throw new Error('the kernel stopped');
      },
    },
  }).exports as KernelExports;
}
