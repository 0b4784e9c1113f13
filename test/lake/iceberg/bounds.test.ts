// Bounds against bytes worked out by hand from the specification, and as properties.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BoundValue } from '../../../pipeline/lake/iceberg/bounds.js';
import {
  decimalBytes,
  decimalFromBytes,
  decodeBound,
  encodeBound,
  truncateLower,
  truncateUpper,
} from '../../../pipeline/lake/iceberg/bounds.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('bounds', () => {
  // Expected bytes by hand from Appendix D of the specification.
  it.each<[string, BoundValue, string]>([
    ['boolean', true, '01'],
    ['int', -2, 'feffffff'],
    ['date', 17486, '4e440000'],
    ['long', 1n, '0100000000000000'],
    ['timestamp', -1n, 'ffffffffffffffff'],
    ['float', 1, '0000803f'],
    ['double', 1, '000000000000f03f'],
    ['decimal(38, 9)', 1420n, '058c'],
    ['decimal(38, 9)', 128n, '0080'],
    ['decimal(38, 9)', -128n, '80'],
    ['decimal(38, 9)', 0n, '00'],
    ['string', 'é', 'c3a9'],
    ['uuid', 'f79c3e09-677c-4bbd-a479-3f349cb785e7', 'f79c3e09677c4bbda4793f349cb785e7'],
    ['binary', Uint8Array.of(0, 255), '00ff'],
  ])('of %s are the bytes of the specification and come back', (type, value, expected) => {
    expect(hex(encodeBound(type, value))).toBe(expected);
    expect(decodeBound(type, Buffer.from(expected, 'hex'))).toEqual(
      value instanceof Uint8Array ? Buffer.from(value) : value,
    );
  });

  it('reads a bound written before an int column became a long', () => {
    expect(decodeBound('long', Uint8Array.of(0xff, 0xff, 0xff, 0xff))).toBe(-1n);
  });

  it('refuses a bound of an impossible length', () => {
    expect(() => decodeBound('long', Uint8Array.of(1, 2, 3))).toThrow(
      expect.objectContaining({ code: 'REFUSED_FORMAT' }),
    );
  });

  it('keeps decimals of 38 digits exact in the fewest bytes', () => {
    const nines = 10n ** 38n - 1n;
    expect(decimalFromBytes(decimalBytes(nines))).toBe(nines);
    expect(decimalBytes(nines)).toHaveLength(16);
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 38n), 10n ** 38n), (value) => {
        expect(decimalFromBytes(decimalBytes(value))).toBe(value);
      }),
    );
  });
});

describe('cut bounds', () => {
  it('never exclude the value, and have 16 code points at most', () => {
    const bytes = (text: string): Buffer => Buffer.from(text, 'utf8');
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (value) => {
        const lower = truncateLower(value);
        const upper = truncateUpper(value);
        expect(Buffer.compare(bytes(lower), bytes(value))).toBeLessThanOrEqual(0);
        expect(Array.from(lower).length).toBeLessThanOrEqual(16);
        if (upper !== null)
          expect(Buffer.compare(bytes(value), bytes(upper))).toBeLessThanOrEqual(0);
      }),
      { numRuns: 150 },
    );
  });

  it('count the last place up that can grow', () => {
    expect(truncateUpper('aaaaaaaaaaaaaaaaX')).toBe('aaaaaaaaaaaaaaab');
    expect(truncateUpper(`aaaaaaaaaaaaaaa${'\u{10ffff}'}X`)).toBe('aaaaaaaaaaaaaab');
    expect(truncateUpper(`aaaaaaaaaaaaaaa${'\ud7ff'}X`)).toBe(`aaaaaaaaaaaaaaa${'\ue000'}`);
    expect(truncateUpper('\u{10ffff}'.repeat(17))).toBeNull();
    expect(truncateUpper('short')).toBe('short');
    expect(truncateUpper('🌊'.repeat(16))).toBe('🌊'.repeat(16));
    expect(truncateUpper(new Uint8Array(17).fill(255))).toBeNull();
    expect(hex(truncateUpper(Uint8Array.of(...new Array(15).fill(1), 255, 9))!)).toBe(
      `${'01'.repeat(14)}02`,
    );
    expect(truncateLower(new Uint8Array(20))).toHaveLength(16);
  });
});
