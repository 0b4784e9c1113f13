// The simulator's seeded randomness.
// Checked: the mixing function against exact integers, bounds, shuffles, UUIDs, repeatability.
// Source: MurmurHash3's 32-bit finaliser (Austin Appleby, public domain).

import { describe, expect, it } from 'vitest';
import { mix32, Random } from '../../pipeline/simulator/index.js';

describe('seeded randomness', () => {
  it('mixes as the published finaliser of MurmurHash3 does', () => {
    // fmix32 of 1 and of 0xdeadbeef, computed with exact integers: see the reference below.
    const reference = (value: bigint): bigint => {
      const mask = 0xffffffffn;
      let h = value;
      h = ((h ^ (h >> 16n)) * 0x85ebca6bn) & mask;
      h = ((h ^ (h >> 13n)) * 0xc2b2ae35n) & mask;
      return h ^ (h >> 16n);
    };
    for (const value of [0, 1, 0xdeadbeef, 0xffffffff]) {
      expect(BigInt(mix32(value))).toBe(reference(BigInt(value)));
    }
  });

  it('gives the same numbers for the same seed and others for another label', () => {
    const draw = (random: Random): number[] => Array.from({ length: 20 }, () => random.next());
    expect(draw(new Random(7, 'a'))).toEqual(draw(new Random(7, 'a')));
    expect(draw(new Random(7, 'a'))).not.toEqual(draw(new Random(7, 'b')));
    expect(draw(new Random(7, 'a'))).not.toEqual(draw(new Random(8, 'a')));
  });

  it('stays below its bound, also beyond 32 bits, and reaches both halves of it', () => {
    const random = new Random('bounds');
    for (const bound of [1, 2, 10, 2 ** 40, 2 ** 53]) {
      const drawn = Array.from({ length: 300 }, () => random.below(bound));
      expect(drawn.every((n) => Number.isInteger(n) && n >= 0 && n < bound)).toBe(true);
      if (bound > 1) {
        expect(drawn.some((n) => n < bound / 2) && drawn.some((n) => n >= bound / 2)).toBe(true);
      }
    }
  });

  it('shuffles without losing anything', () => {
    const values = Array.from({ length: 100 }, (_, i) => i);
    const shuffled = new Random(1).shuffled(values);
    expect(shuffled).not.toEqual(values);
    expect([...shuffled].sort((a, b) => a - b)).toEqual(values);
  });

  it('makes version 4 UUIDs', () => {
    expect(new Random(1).uuid()).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });
});
