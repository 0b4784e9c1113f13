import { describe, expect, it } from 'vitest';
import { fileGroups } from '../../pipeline/load/scan-export.js';

const file = (itemCount: number, i: number) => ({ uri: `${i}.json.gz`, itemCount, md5: '' });

/** The numbers of items of the groups' files. */
function shared(counts: readonly number[], width: number): number[][] {
  const files = counts.map(file);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const groups = [...fileGroups(files, total, width)];
  expect(groups.flat()).toEqual(files);
  return groups.map((group) => group.map((one) => one.itemCount));
}

describe('data files shared out to scan units', () => {
  it('gives units for one thread about 130,000 items each, to the last', () => {
    expect(shared(Array(6).fill(50_000), 1).map((group) => group.length)).toEqual([3, 3]);
  });

  it('gives several threads single files at the end, so that none waits long for another', () => {
    const groups = shared(Array(20).fill(50_000), 2);
    expect(groups[0]).toHaveLength(3);
    expect(groups.slice(-3).map((group) => group.length)).toEqual([1, 1, 1]);
  });

  it('joins many small files, down to some 30,000 items', () => {
    const groups = shared(Array(1000).fill(1000), 2);
    const sizes = groups.map((group) => group.length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(156);
    expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThanOrEqual(30);
    expect(groups.length).toBeLessThan(20);
  });

  it('leaves a file that is larger than a unit by itself', () => {
    expect(shared([400_000, 10, 400_000], 2)).toEqual([[400_000], [10], [400_000]]);
  });
});
