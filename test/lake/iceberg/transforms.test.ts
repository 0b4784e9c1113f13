// Hashes and transforms against the specification's own values.
import { describe, expect, it } from 'vitest';
import {
  bucketBytes,
  bucketOf,
  murmur3,
  parseTransform,
  partitionPath,
  resultType,
  transformValue,
} from '../../../pipeline/lake/iceberg/transforms.js';
import type { PartitionValue } from '../../../schemas/iceberg.js';

// Expected values: apache/iceberg format/spec.md, Appendix B, and the examples of "Partition Transforms".
const day = 86_400_000_000n;
const date20171116 = 17486;
const timestamp = BigInt(date20171116) * day + 81_068_000_000n; // 2017-11-16T22:31:08

describe('hash for bucket', () => {
  it.each<[string, Exclude<PartitionValue, null>, number]>([
    ['int', 34, 2017239379],
    ['long', 34n, 2017239379],
    ['decimal(9, 2)', 1420n, -500754589],
    ['date', date20171116, -653330422],
    ['time', 81_068_000_000n, -662762989],
    ['timestamp', timestamp, -2047944441],
    ['timestamptz', timestamp + 1n, -1207196810],
    ['string', 'iceberg', 1210000089],
    ['uuid', 'f79c3e09-677c-4bbd-a479-3f349cb785e7', 1488055340],
    ['fixed[4]', Uint8Array.of(0, 1, 2, 3), -188683207],
    ['binary', Uint8Array.of(0, 1, 2, 3), -188683207],
  ])('of %s equals the specification', (type, value, hash) => {
    expect(murmur3(bucketBytes(type, value))).toBe(hash);
  });

  it('does not depend on where the bytes lie in a buffer', () => {
    const buffer = new TextEncoder().encode('xxicebergyy');
    expect(murmur3(buffer, 2, 9)).toBe(1210000089);
    expect(bucketOf(buffer, 16, 2, 9)).toBe(1210000089 % 16);
  });

  it('equals reference values for every length of the tail', () => {
    // MurmurHash3_x86_32, seed 0, by the reference implementation (smhasher).
    expect(murmur3(new Uint8Array())).toBe(0);
    expect(murmur3(new TextEncoder().encode('a')) >>> 0).toBe(0x3c2569b2);
    expect(murmur3(new TextEncoder().encode('aa')) >>> 0).toBe(0x371091a9);
    expect(murmur3(new TextEncoder().encode('test')) >>> 0).toBe(0xba6bd213);
    expect(murmur3(new TextEncoder().encode('abc')) >>> 0).toBe(0xb3dd93fa);
    expect(murmur3(new TextEncoder().encode('Hello, world!')) >>> 0).toBe(0xc0363e43);
  });

  it('puts negative hashes into buckets as the specification does: sign bit off, then modulo', () => {
    expect(transformValue('bucket[10]', 'decimal(9,2)', 1420n)).toBe(
      (-500754589 & 0x7fffffff) % 10,
    );
    expect(transformValue('bucket[10]', 'decimal(9,2)', 1420n)).toBe(9);
  });
});

describe('transforms', () => {
  it.each<[string, string, PartitionValue, PartitionValue]>([
    ['truncate[10]', 'int', 1, 0],
    ['truncate[10]', 'int', -1, -10],
    ['truncate[10]', 'long', 1n, 0n],
    ['truncate[10]', 'long', -1n, -10n],
    ['truncate[50]', 'decimal(9,2)', 1065n, 1050n],
    ['truncate[3]', 'string', 'iceberg', 'ice'],
    ['truncate[2]', 'string', '🌊🌊🌊', '🌊🌊'],
    ['truncate[2]', 'binary', Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2)],
    ['identity', 'string', 'x', 'x'],
    ['void', 'string', 'x', null],
    ['bucket[4]', 'string', null, null],
    ['year', 'date', date20171116, 47],
    ['month', 'date', date20171116, 47 * 12 + 10],
    ['day', 'date', date20171116, date20171116],
    ['year', 'timestamp', -1n, -1],
    ['month', 'timestamp', -1n, -1],
    ['day', 'timestamp', -1n, -1],
    ['hour', 'timestamptz', -1n, -1],
    ['hour', 'timestamp', timestamp, date20171116 * 24 + 22],
  ])('%s of %s', (transform, type, value, expected) => {
    expect(transformValue(transform, type, value)).toEqual(expected);
  });

  it('gives the result types of the specification', () => {
    expect(resultType('identity', 'decimal(9,2)')).toBe('decimal(9,2)');
    expect(resultType('truncate[3]', 'string')).toBe('string');
    expect(resultType('bucket[3]', 'string')).toBe('int');
    expect(resultType('day', 'timestamp')).toBe('date');
    expect(resultType('hour', 'timestamp')).toBe('int');
  });

  it.each(['bucket', 'bucket[0]', 'bucket[-1]', 'truncate[99999999999]', 'zorder', 'day[3]'])(
    'refuses the transform %s',
    (transform) => {
      expect(() => parseTransform(transform)).toThrow(
        expect.objectContaining({ code: 'REFUSED_FORMAT' }),
      );
    },
  );

  it('refuses types a transform does not take', () => {
    expect(() => transformValue('bucket[4]', 'double', 1)).toThrow(TypeError);
    expect(() => transformValue('hour', 'date', 1)).toThrow(TypeError);
    expect(() => transformValue('truncate[4]', 'boolean', true)).toThrow(TypeError);
  });
});

describe('partition folders', () => {
  const field = (name: string, transform: string) => ({
    name,
    transform,
    'source-id': 1,
    'field-id': 1000,
  });

  it('are in Hive style and readable', () => {
    const spec = {
      'spec-id': 1,
      fields: [
        field('a_bucket', 'bucket[8]'),
        field('d', 'day'),
        field('h', 'hour'),
        field('m', 'month'),
        field('y', 'year'),
      ],
    };
    expect(partitionPath(spec, [3, date20171116, -1, -1, 47])).toBe(
      'a_bucket=3/d=2017-11-16/h=1969-12-31-23/m=1969-12/y=2017',
    );
    expect(partitionPath(spec, [null, null, null, null, null])).toContain('a_bucket=null');
  });

  it('hold no byte that a store, a shell or a URI could take for something else', () => {
    const spec = { 'spec-id': 1, fields: [field('k', 'identity')] };
    for (const text of [
      '../../etc',
      'a/b',
      'ö %2F',
      '\u0000',
      'x'.repeat(5000),
      '🌊'.repeat(500),
    ]) {
      const path = partitionPath(spec, [text]);
      expect(path).toMatch(/^k=[A-Za-z0-9_.!-]+$/);
      expect(path.length).toBeLessThan(130);
    }
    expect(partitionPath(spec, ['a/b'])).toBe('k=a!2Fb');
    expect(partitionPath(spec, ['x'.repeat(5000)])).not.toBe(
      partitionPath(spec, ['x'.repeat(5001)]),
    );
  });
});
