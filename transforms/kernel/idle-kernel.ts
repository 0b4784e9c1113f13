// The kernel that nobody uses at the moment, one for each thread: so that its memory is made and touched once.

import type { Rows } from '../make-columns.js';
import { type KernelExports, newKernel } from './kernel.js';

/** An instance's memory never becomes smaller: one with more than this is not kept. */
const keptBytesMax = 96 * 1024 * 1024;

let idle: KernelExports | null = null;

/** A kernel for one user, until it is returned. */
export function takeKernel(): KernelExports {
  const kernel = idle ?? newKernel();
  idle = null;
  return kernel;
}

/** Gives a kernel back, and all that was taken of its memory. */
export function returnKernel(kernel: KernelExports): void {
  kernel.releaseAll();
  if (kernel.memory.buffer.byteLength <= keptBytesMax) idle = kernel;
}

/** Fewer rows than this are moved without a kernel, whose code has to be compiled first. Measured on orders sorted in a fresh
 *  process: 100 rows take 2 ms either way, 1,000 take 3 ms with a kernel and 34 ms without. */
export const kernelRowsMin = 256;

/** Rows of more bytes than this are moved without a kernel, whose memory ends at 2 GiB. */
export const kernelBytesMax: number = 512 * 1024 * 1024;

/** Whether so many rows are moved by a kernel, and not by JavaScript. */
export function isForKernel(parts: readonly Rows[]): boolean {
  let n = 0;
  let bytes = 0;
  for (const part of parts) {
    n += part.n;
    bytes += part.byteSize;
  }
  return n >= kernelRowsMin && bytes <= kernelBytesMax;
}

/**
 * Lends a kernel for as long as `use` takes, which must neither wait nor keep views of its memory: all that was taken of
 * it is given back at the end. When `use` throws, a kernel of ours is left behind with what stands in it.
 *
 * @param own the kernel to use; null: any
 */
export function useKernel<T>(
  use: (kernel: KernelExports) => T,
  own: KernelExports | null = null,
): T {
  const kernel = own ?? takeKernel();
  const place = kernel.mark();
  const result = use(kernel);
  kernel.release(place);
  if (own === null) returnKernel(kernel);
  return result;
}
