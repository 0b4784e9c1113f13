// The kernel's sort, against a plain stable sort.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BytesColumn } from '../../../transforms/columns.js';
import { newKernel } from '../../../transforms/kernel/kernel.js';
import { copyColumns } from '../../../transforms/kernel/placed-columns.js';

const kernel = newKernel();

function sorted(keys: readonly Uint8Array[]): { order: number[]; twin: number } {
  const column = new BytesColumn();
  for (const key of keys) column.pushBytes(key, 0, key.length);
  const place = kernel.mark();
  const { offsets, data } = copyColumns(kernel, [column]) as { offsets: number; data: number };
  const to = kernel.alloc(keys.length * 4);
  kernel.sortKeys(to, offsets, data, keys.length);
  const order = [...new Int32Array(kernel.memory.buffer, to, keys.length)];
  const twin = kernel.findTwin(to, offsets, data, keys.length);
  kernel.release(place);
  return { order, twin };
}

function expected(keys: readonly Uint8Array[]): { order: number[]; twin: number } {
  const order = keys.map((_, i) => i).sort((a, b) => Buffer.compare(keys[a]!, keys[b]!) || a - b);
  const twin = order.findIndex(
    (row, i) => i > 0 && Buffer.compare(keys[order[i - 1]!]!, keys[row]!) === 0,
  );
  return { order, twin };
}

const manyKeys = fc.oneof(
  fc.array(fc.uint8Array({ maxLength: 14 }), { maxLength: 60 }),
  fc.array(fc.uint8Array({ minLength: 1, maxLength: 3 }), { maxLength: 600 }),
  // Long common prefixes, prefixes of each other, zeroes at the end, many equal ones.
  fc
    .tuple(
      fc.uint8Array({ maxLength: 12 }),
      fc.array(fc.array(fc.constantFrom(0, 0, 1, 255), { maxLength: 24 }), { maxLength: 300 }),
    )
    .map(([prefix, keys]) => keys.map((rest) => Uint8Array.from([...prefix, ...rest]))),
  // Few different parts, put together: groups within groups.
  fc
    .array(
      fc.array(fc.constantFrom('client-0', 'client-1', 'x', '2026-01-01T00:00'), { maxLength: 5 }),
      { maxLength: 300 },
    )
    .map((keys) => keys.map((parts) => Buffer.from(parts.join('\0')))),
);

describe('the order of keys in the kernel', () => {
  it('is that of a plain stable sort, and the first key that stands twice is found', () => {
    fc.assert(
      fc.property(manyKeys, (keys) => {
        expect(sorted(keys)).toEqual(expected(keys));
      }),
      { numRuns: 400 },
    );
  });

  it('is found for keys that are each the beginning of the next', () => {
    const keys = Array.from({ length: 500 }, (_, i) => new Uint8Array((i * 193) % 500));
    expect(sorted(keys)).toEqual(expected(keys));
  });

  it('stays as it is where keys ascend already', () => {
    const keys = Array.from({ length: 300 }, (_, i) => Buffer.from(String(1000 + (i >> 1))));
    expect(sorted(keys)).toEqual({ order: keys.map((_, i) => i), twin: 1 });
  });
});
