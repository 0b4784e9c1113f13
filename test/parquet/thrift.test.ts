// Thrift's compact protocol against bytes worked out by hand from its specification.
// Any bytes are read or refused; nothing runs on.
// Source: apache/thrift, doc/specs/thrift-compact-protocol.md.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  readThrift,
  ThriftError,
  type ThriftStruct,
  type ThriftValue,
  writeThrift,
} from '../../pipeline/lake/parquet/thrift.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

// Bytes worked out by hand from thrift-compact-protocol.md.
const cases: readonly (readonly [string, ThriftStruct, string])[] = [
  ['an empty struct', new Map(), '00'],
  ['a small integer', new Map([[1, { type: 'i32', value: 1 }]]), '150200'],
  ['a negative integer', new Map([[1, { type: 'i32', value: -1 }]]), '150100'],
  [
    'the least 64-bit integer',
    new Map([[1, { type: 'i64', value: -(2n ** 63n) }]]),
    '16ffffffffffffffffff0100',
  ],
  [
    'the greatest 64-bit integer',
    new Map([[1, { type: 'i64', value: 2n ** 63n - 1n }]]),
    '16feffffffffffffffff0100',
  ],
  [
    'true and false',
    new Map([
      [1, { type: 'bool', value: true }],
      [2, { type: 'bool', value: false }],
    ]),
    '111200',
  ],
  ['a gap of ids up to 15', new Map([[15, { type: 'i8', value: 7 }]]), 'f30700'],
  ['a gap of ids beyond 15', new Map([[16, { type: 'i8', value: 7 }]]), '03200700'],
  ['text', new Map([[4, { type: 'binary', value: Buffer.from('ab') }]]), '4802616200'],
  [
    'a list of 15 (its length apart)',
    new Map([
      [
        1,
        {
          type: 'list',
          element: 'i32',
          values: Array.from({ length: 15 }, () => ({ type: 'i32', value: 0 }) as const),
        },
      ],
    ]),
    `19f50f${'00'.repeat(15)}00`,
  ],
  [
    'a map',
    new Map([
      [
        1,
        {
          type: 'map',
          keyType: 'i32',
          valueType: 'binary',
          entries: [
            [
              { type: 'i32', value: 3 },
              { type: 'binary', value: Buffer.from('x') },
            ],
          ],
        },
      ],
    ]),
    '1b015806017800',
  ],
  [
    'an empty map',
    new Map([[1, { type: 'map', keyType: 'binary', valueType: 'binary', entries: [] }]]),
    '1b0000',
  ],
];

describe('Thrift compact protocol', () => {
  it.each(cases)('writes and reads %s', (_, struct, bytes) => {
    expect(hex(writeThrift(struct))).toBe(bytes);
    const found = readThrift(Buffer.from(bytes, 'hex'));
    expect(found.length).toBe(bytes.length / 2);
    expect(hex(writeThrift(found.value))).toBe(bytes);
    expect(plain({ type: 'struct', value: found.value })).toEqual(
      plain({ type: 'struct', value: struct }),
    );
  });

  it('reads back any integer it writes', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.integer(),
        (i64, i32) => {
          const struct: ThriftStruct = new Map([
            [1, { type: 'i64', value: i64 }],
            [300, { type: 'i32', value: i32 }],
          ]);
          expect(readThrift(writeThrift(struct)).value).toEqual(struct);
        },
      ),
    );
  });

  it('reads random bytes or throws ThriftError, and ends', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          readThrift(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ThriftError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

/** Binary values as hex, so that a Buffer equals a Uint8Array. */
function plain(value: ThriftValue): unknown {
  switch (value.type) {
    case 'binary':
    case 'double':
    case 'uuid':
      return hex(value.value);
    case 'list':
    case 'set':
      return value.values.map(plain);
    case 'map':
      return value.entries.map(([key, item]) => [plain(key), plain(item)]);
    case 'struct':
      return [...value.value].map(([id, item]) => [id, plain(item)]);
    default:
      return [value.type, value.value];
  }
}
