// JSON that loses no digit, against JSON.parse where that loses none.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson, stringifyJson } from '../../../pipeline/lake/iceberg/json.js';

describe('lossless JSON', () => {
  it('keeps a 19-digit snapshot id exact and leaves digits in strings alone', () => {
    const text =
      '{"snapshot-id":6838723292707092922,"note":"id 6838723292707092922, \\"1\\"","small":7,"low":-9223372036854775808}';
    const value = parseJson(text) as Record<string, unknown>;
    expect(value['snapshot-id']).toBe(6838723292707092922n);
    expect(value.note).toBe('id 6838723292707092922, "1"');
    expect(value.small).toBe(7);
    expect(value.low).toBe(-9223372036854775808n);
    expect(stringifyJson(value)).toBe(text);
  });

  it('reads whatever JSON.parse reads, to the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.boolean(), (value, indent) => {
        const text = JSON.stringify(value, null, indent ? 2 : 0);
        expect(stringifyJson(parseJson(text))).toBe(JSON.stringify(JSON.parse(text)));
      }),
      { numRuns: 300 },
    );
  });

  it('takes __proto__ for a name like any other', () => {
    const value = parseJson('{"__proto__":{"polluted":1},"a":2}') as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(['__proto__', 'a']);
    expect(value.polluted).toBeUndefined();
    expect(stringifyJson(value)).toBe('{"__proto__":{"polluted":1},"a":2}');
  });

  it.each([
    '',
    '{',
    '[1,]',
    '{"a" 1}',
    '"\\x"',
    '01',
    '1 2',
    'nul',
    '{"a":1,}',
    '"a\nb"',
    '.5',
    '"abc\\',
  ])('refuses the broken text %j without quoting it', (text) => {
    expect(() => parseJson(text)).toThrow(expect.objectContaining({ code: 'REFUSED_FORMAT' }));
  });

  it('refuses nesting that would exhaust the stack', () => {
    expect(() => parseJson('['.repeat(100_000))).toThrow(
      expect.objectContaining({ code: 'REFUSED_FORMAT' }),
    );
  });
});
