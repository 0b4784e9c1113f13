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
