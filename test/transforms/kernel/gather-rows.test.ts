// Rows moved by the kernel, against the same moves in JavaScript.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orderInKernel, sortInKernel } from '../../../transforms/kernel/gather-rows.js';
import { type KernelExports, newKernel } from '../../../transforms/kernel/kernel.js';
import { Rows } from '../../../transforms/make-columns.js';
import { packOrdered, packRows, unpackRows } from '../../../transforms/pack-rows.js';
import { sortedOrder } from '../../../transforms/sort-keys.js';
import { anyTypes, numbersFrom, rowsOf } from './any-rows.js';

const seeds = fc.integer({ min: 1, max: 2 ** 31 - 1 });
const nullsOf = fc.constantFrom(0, 3, 10);

/** Fills all of the kernel's free memory, so that nothing is right by being zero. */
function dirty(kernel: KernelExports, bytes = 1 << 17): void {
  const place = kernel.mark();
  const at = kernel.alloc(bytes);
  new Uint8Array(kernel.memory.buffer).fill(0xa5, at);
  kernel.release(place);
}

/** The same rows, as views of a kernel's memory. */
function inMemoryOf(kernel: KernelExports, rows: Rows): Rows {
  const bytes = packRows(rows);
  const place = kernel.alloc(bytes.length);
  const memory = new Uint8Array(kernel.memory.buffer);
  memory.set(bytes, place);
  return unpackRows(rows.types, memory.subarray(place, place + bytes.length));
}

/** A different key for each row, in no order. */
function keysFrom(seed: number, part: number): (row: number) => Uint8Array {
  const next = numbersFrom(seed);
  return (row) => Buffer.from(`${'k'.repeat(next(12))}${next(9)}/${part}/${row}`);
}

/** What takeFrom makes of parts in the order of their keys. */
function sortedByTakeFrom(parts: readonly Rows[]): Uint8Array {
  const all = new Rows(parts[0]!.types);
  for (const part of parts) all.appendRange(part, 0, part.n);
  const order = sortedOrder(all.keys);
  const starts = parts.map((_, i) => parts.slice(0, i).reduce((sum, part) => sum + part.n, 0));
  const partOf = Uint32Array.from(order, (row) => starts.findLastIndex((start) => start <= row));
  const rowOf = Int32Array.from(order, (row, i) => row - starts[partOf[i]!]!);
  const sorted = new Rows(parts[0]!.types);
  sorted.takeFrom(parts, partOf, rowOf);
  return packRows(sorted);
}

describe('rows moved by the kernel', () => {
  it('of several parts come out sorted, byte for byte as JavaScript moves them', () => {
    const kernel = newKernel();
    dirty(kernel);
    const sizes = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(anyTypes, sizes, seeds, nullsOf, (types, counts, seed, absent) => {
        const parts = counts.map((n, i) => {
          const part = rowsOf(types, n, seed + i * 2, absent, keysFrom(seed, i));
          // Some as they were built, with room behind their rows; some as they travel.
          return i % 2 === 0 ? part : unpackRows(types, packRows(part));
        });
        const place = kernel.mark();
        const bytes = sortInKernel(kernel, parts)!;
        expect(Buffer.compare(bytes, sortedByTakeFrom(parts))).toBe(0);
        kernel.release(place);
      }),
      { numRuns: 150 },
    );
  });

  it('are put in an order, byte for byte as JavaScript does it, wherever they lie', () => {
    const kernel = newKernel();
    dirty(kernel);
    const sizes = fc.integer({ min: 0, max: 80 });
    fc.assert(
      fc.property(
        anyTypes,
        sizes,
        seeds,
        nullsOf,
        fc.constantFrom('there', 'elsewhere', 'both'),
        (types, n, seed, absent, where) => {
          const rows = rowsOf(types, n, seed, absent, keysFrom(seed, 0));
          const order = sortedOrder(rows.keys);
          const expected = packOrdered(rows, order);
          const place = kernel.mark();
          let given = where === 'elsewhere' ? rows : inMemoryOf(kernel, rows);
          if (where === 'both') {
            const columns = rows.columns.map((own, i) => (i % 2 === 0 ? own : given.columns[i]!));
            given = new Rows(types, columns, given);
          }
          expect(Buffer.compare(orderInKernel(kernel, given, order), expected)).toBe(0);
          kernel.release(place);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('are whole when the memory has to grow', () => {
    const kernel = newKernel();
    const types = [{ attribute: 'a', type: { kind: 'S' } }] as const;
    const rows = rowsOf(types, 2000, 7, 1, keysFrom(7, 0));
    const order = Int32Array.from({ length: 2000 }, (_, i) => 1999 - i);
    const given = inMemoryOf(kernel, rows);
    const before = kernel.memory.buffer;
    const bytes = orderInKernel(kernel, given, order);
    expect(kernel.memory.buffer).not.toBe(before);
    expect(Buffer.compare(bytes, packOrdered(rows, order))).toBe(0);
  });

  it('are not taken when a column lies in the kernel only in part', () => {
    const kernel = newKernel();
    const rows = inMemoryOf(kernel, rowsOf([], 3, 5, 0, keysFrom(5, 0)));
    rows.keys.data = rows.keys.data.slice();
    expect(() => orderInKernel(kernel, rows, Int32Array.of(0, 1, 2))).toThrow(RangeError);
  });

  it('are refused when the same key stands twice', () => {
    const kernel = newKernel();
    const part = (keys: string[]): Rows =>
      rowsOf([], keys.length, 1, 0, (i) => Buffer.from(keys[i]!));
    expect(sortInKernel(kernel, [part(['b', 'd']), part(['a', 'b\0', 'c'])])).not.toBeNull();
    expect(sortInKernel(kernel, [part(['b', 'd']), part(['a', 'b', 'c'])])).toBeNull();
  });

  it('are refused when one is named so often that there is no room', () => {
    const kernel = newKernel();
    const long = rowsOf([], 2, 1, 0, (row) => Buffer.alloc(row * 1000));
    for (const order of [Int32Array.of(1, 1), Int32Array.of(0, 0, 0)]) {
      expect(() => orderInKernel(kernel, long, order)).toThrow(RangeError);
    }
  });
});
