// The oracle's canonical text of numbers, items, keys and lines.
// Checked against hand-written texts: equal in DynamoDB means equal here, and nothing else is.
// Source: Amazon DynamoDB Developer Guide, "Supported data types and naming rules".

import { describe, expect, it } from 'vitest';
import {
  canonicalItem,
  canonicalKey,
  canonicalLine,
  canonicalNumber,
} from '../../pipeline/simulator/index.js';
import type { AttributeValue } from '../../schemas/attribute.js';

describe('canonical numbers', () => {
  it.each([
    ['0', '0'],
    ['-0', '0'],
    ['0.000', '0'],
    ['1', '1'],
    ['1.0', '1'],
    ['1E0', '1'],
    ['+1', '1'],
    ['001.50', '1.5'],
    ['1e2', '100'],
    ['1.5E+1', '15'],
    ['12.34e1', '123.4'],
    ['-1.5E-3', '-0.0015'],
    ['.5', '0.5'],
    ['5.', '5'],
    ['1E-5', '0.00001'],
    ['99999999999999999999999999999999999999', '99999999999999999999999999999999999999'],
    ['0.00000000000000000000000000000000000001', '0.00000000000000000000000000000000000001'],
  ])('writes %s as %s', (text, expected) => {
    expect(canonicalNumber(text)).toBe(expected);
  });

  it('writes the largest and smallest magnitudes out', () => {
    expect(canonicalNumber('1E125')).toBe(`1${'0'.repeat(125)}`);
    expect(canonicalNumber('9.9999999999999999999999999999999999999E+125')).toBe(
      '9'.repeat(38) + '0'.repeat(88),
    );
    expect(canonicalNumber('1E-130')).toBe(`0.${'0'.repeat(129)}1`);
  });

  it.each(['', '.', '-', '1e', 'NaN', '0x10', '1 ', '1,5', 'Infinity'])('refuses %j', (text) => {
    expect(() => canonicalNumber(text)).toThrow('REFUSED_RECORD');
  });
});

describe('canonical items', () => {
  it('ignores the order of names, nested names and set members, and the writing of numbers', () => {
    const one = '{"Item":{"b":{"M":{"y":{"N":"1.0"},"x":{"NS":["10","9"]}}},"a":{"SS":["q","p"]}}}';
    const other =
      '{"Item":{"a":{"SS":["p","q"]},"b":{"M":{"x":{"NS":["9.0","1e1"]},"y":{"N":"1"}}}}}';
    expect(canonicalLine(one)).toBe(canonicalLine(other));
    expect(canonicalLine(one)).toBe(
      '{"a":{"SS":["p","q"]},"b":{"M":{"x":{"NS":["10","9"]},"y":{"N":"1"}}}}',
    );
  });

  it.each([
    ['a list in another order', '{"L":[{"N":"1"},{"N":"2"}]}', '{"L":[{"N":"2"},{"N":"1"}]}'],
    ['a text that looks like the number', '{"S":"1"}', '{"N":"1"}'],
    ['a list for a set', '{"L":[{"S":"a"}]}', '{"SS":["a"]}'],
    ['NULL for an empty text', '{"NULL":true}', '{"S":""}'],
    [
      'a number one off in the 38th digit',
      `{"N":"${'1'.repeat(38)}"}`,
      `{"N":"${'1'.repeat(37)}2"}`,
    ],
    ['a composed letter for a decomposed one', '{"S":"é"}', '{"S":"e\\u0301"}'],
  ])('tells apart %s', (_, one, other) => {
    expect(canonicalLine(`{"Item":{"a":${one}}}`)).not.toBe(
      canonicalLine(`{"Item":{"a":${other}}}`),
    );
  });

  it('keeps __proto__ and constructor as names, at the top and inside maps', () => {
    const line = '{"Item":{"constructor":{"S":"c"},"__proto__":{"M":{"__proto__":{"BOOL":true}}}}}';
    expect(canonicalLine(line)).toBe(
      '{"__proto__":{"M":{"__proto__":{"BOOL":true}}},"constructor":{"S":"c"}}',
    );
    expect(({} as Record<string, unknown>).BOOL).toBeUndefined();
  });

  it('takes escapes and plain characters for the same text', () => {
    expect(canonicalLine('{"Item":{"a":{"S":"\\u00e9\\ud83d\\ude00"}}}')).toBe(
      canonicalLine(new TextEncoder().encode('{"Item":{"a":{"S":"é😀"}}}')),
    );
  });

  it('refuses lines that are no item', () => {
    for (const line of [
      '{}',
      '{"Item":[]}',
      '{"Item":{"a":{"X":1}}}',
      '{"Item":{"a":{"N":1}}}',
      '{"Item":{},"More":1}',
    ]) {
      expect(() => canonicalLine(line)).toThrow('REFUSED_RECORD');
    }
  });

  it('gives one text per key, whatever else the item holds', () => {
    const key = [
      { name: 'p', tag: 'N' },
      { name: 's', tag: 'S' },
    ] as const;
    const item = new Map<string, AttributeValue>([
      ['s', { S: 'x' }],
      ['other', { S: 'y' }],
      ['p', { N: '1.0' }],
    ]);
    expect(canonicalKey(item, key)).toBe(
      canonicalItem(
        new Map<string, AttributeValue>([
          ['p', { N: '1' }],
          ['s', { S: 'x' }],
        ]),
      ),
    );
    expect(() => canonicalKey(new Map([['p', { N: '1' }]]), key)).toThrow('REFUSED_KEY');
  });
});
