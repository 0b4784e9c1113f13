// The kernel that the units of one thread use in turn, so that its memory is made and touched once.

import { type KernelExports, newKernel } from '../../transforms/kernel/kernel.js';

/** Fewer rows than this are moved without the kernel, whose code has to be compiled first. */
export const kernelRowsMin = 4096;

/** An instance's memory never becomes smaller: one with more than this is not kept. */
const keptBytesMax = 96 * 1024 * 1024;

let kept: KernelExports | null = null;

/**
 * Lends the kernel for as long as `use` takes, which must neither wait nor keep views of the kernel's memory: all that
 * was taken of it is given back at the end.
 */
export function useKernel<T>(use: (kernel: KernelExports) => T): T {
  const kernel = kept ?? newKernel();
  // Another use inside of this one gets an instance of its own.
  kept = null;
  const place = kernel.mark();
  const result = use(kernel);
  kernel.release(place);
  if (kernel.memory.buffer.byteLength <= keptBytesMax) kept = kernel;
  return result;
}
