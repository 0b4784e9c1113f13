// The kernel that a thread keeps, and when rows are moved by one.

import { describe, expect, it } from 'vitest';
import {
  isForKernel,
  kernelBytesMax,
  kernelRowsMin,
  returnKernel,
  takeKernel,
  useKernel,
} from '../../../transforms/kernel/idle-kernel.js';
import type { Rows } from '../../../transforms/make-columns.js';

describe('the kernel of a thread', () => {
  it('is used again, with all of its memory given back', () => {
    const [first, place] = useKernel((kernel) => {
      kernel.alloc(100);
      return [kernel, kernel.mark()] as const;
    });
    useKernel((kernel) => {
      expect(kernel).toBe(first);
      expect(kernel.mark()).toBeLessThan(place);
    });
  });

  it('has one user at a time', () => {
    useKernel((outer) => {
      useKernel((inner) => {
        expect(inner).not.toBe(outer);
      });
    });
    const taken = takeKernel();
    expect(takeKernel()).not.toBe(taken);
    returnKernel(taken);
    expect(takeKernel()).toBe(taken);
  });

  it('is not kept when its memory became large, nor when its use failed', () => {
    const large = useKernel((kernel) => {
      kernel.alloc(100 * 1024 * 1024);
      return kernel;
    });
    const next = useKernel((kernel) => kernel);
    expect(next).not.toBe(large);
    expect(() =>
      useKernel(() => {
        throw new RangeError('failed');
      }),
    ).toThrow('failed');
    expect(useKernel((kernel) => kernel)).not.toBe(next);
  });

  it('that is given gets back what was taken of it, and stays with its user', () => {
    const own = takeKernel();
    const place = own.mark();
    useKernel((kernel) => {
      expect(kernel).toBe(own);
      kernel.alloc(1000);
    }, own);
    expect(own.mark()).toBe(place);
    expect(takeKernel()).not.toBe(own);
  });
});

describe('rows moved by a kernel', () => {
  const part = (n: number, byteSize: number): Rows => ({ n, byteSize }) as Rows;

  it('are enough that its code is worth compiling, and not more than its memory holds', () => {
    expect(isForKernel([part(kernelRowsMin - 1, 10)])).toBe(false);
    expect(isForKernel([part(kernelRowsMin - 1, 10), part(1, 10)])).toBe(true);
    expect(isForKernel([part(kernelRowsMin, kernelBytesMax)])).toBe(true);
    expect(isForKernel([part(kernelRowsMin, kernelBytesMax), part(1, 1)])).toBe(false);
    expect(isForKernel([])).toBe(false);
  });
});
