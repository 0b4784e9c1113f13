// Parameters: a value never becomes SQL, and what only looks like a placeholder stays.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyParams, type ParamDeclaration, type ParamType } from '../../pipeline/query/params.js';

function declared(
  name: string,
  type: ParamType,
  defaultText: string | null = null,
): ParamDeclaration {
  return { name, type, defaultText };
}
function one(type: ParamType, text: string): string {
  return applyParams({ sql: ':v', declared: [declared('v', type)], values: { v: text } });
}

describe('literals', () => {
  it.each<[ParamType, string, string]>([
    ['string', "it's", "'it''s'"],
    ['string', "'; DROP TABLE x; --", "'''; DROP TABLE x; --'"],
    ['string', '', "''"],
    ['date', '2024-02-29', "DATE '2024-02-29'"],
    ['timestamp', '2026-11-20T09:00Z', "TIMESTAMP '2026-11-20 09:00:00'"],
    ['timestamp', '2026-11-20 09:00:01.5', "TIMESTAMP '2026-11-20 09:00:01.5'"],
    ['timestamp', '2026-11-20', "TIMESTAMP '2026-11-20 00:00:00'"],
    ['number', '-12.50', '(-12.50)'],
    ['number', '99999999999999999999999999999999999999', '99999999999999999999999999999999999999'],
    ['integer', '7', '7'],
    ['boolean', 'True', 'TRUE'],
  ])('writes a %s %s as %s', (type, text, literal) => {
    expect(one(type, text)).toBe(literal);
  });

  it.each<[ParamType, string]>([
    ['date', '2023-02-29'],
    ['date', "2023-01-01' OR '1'='1"],
    ['date', '2023-01-01\n'],
    ['timestamp', '2026-11-20T24:00Z'],
    ['timestamp', '2026-11-20T09:00+02:00'],
    ['number', '1e9999'],
    ['number', '0x10'],
    ['number', '1;'],
    ['number', '999999999999999999999999999999999999999'],
    ['integer', '1.0'],
    ['integer', '--1'],
    ['boolean', 'yes'],
  ])('refuses a %s %s', (type, text) => {
    expect(() => one(type, text)).toThrow(/no (date|timestamp|number|integer|boolean)/);
  });

  it('gives back any text as one literal', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const literal = one('string', text);
        return (
          /^'(?:[^']|'')*'$/.test(literal) && literal.slice(1, -1).replaceAll("''", "'") === text
        );
      }),
    );
  });
});

describe('places', () => {
  it('replaces names and leaves casts, strings, comments, names and slices alone', () => {
    const sql = `SELECT :a::INT, ':a', ":a", -- :a
      /* :a */ $$ :a $$, E'\\':a', l[1:n], x::a FROM t WHERE y = :a AND z = :ab`;
    expect(applyParams({ sql, declared: null, values: { a: '1' } })).toBe(
      `SELECT '1'::INT, ':a', ":a", -- :a
      /* :a */ $$ :a $$, E'\\':a', l[1:n], x::a FROM t WHERE y = '1' AND z = :ab`,
    );
  });

  it('replaces question marks in order of declaration', () => {
    const params = [declared('x', 'integer', '1'), declared('y', 'string')];
    expect(applyParams({ sql: "SELECT ?, ?, '?'", declared: params, values: { y: '?' } })).toBe(
      "SELECT 1, '?', '?'",
    );
  });

  it('leaves SQL without parameters as it is', () => {
    expect(applyParams({ sql: 'SELECT ? :x', declared: null, values: {} })).toBe('SELECT ? :x');
  });

  it('asks for what is missing, and refuses what is not declared, without repeating values', () => {
    const needs = [declared('day', 'date')];
    expect(() => applyParams({ sql: '', declared: needs, values: {} })).toThrow(
      /parameter day \(date\) has no value/,
    );
    expect(() => applyParams({ sql: '', declared: needs, values: { dya: 'secret' } })).toThrow(
      /no parameter "dya"/,
    );
    expect(() => applyParams({ sql: '', declared: needs, values: { day: 'secret' } })).not.toThrow(
      /secret/,
    );
    expect(() =>
      applyParams({ sql: '? ?', declared: needs, values: { day: '2026-01-01' } }),
    ).toThrow(/2 places/);
  });

  it('takes a value called like a property of every object only when it was given', () => {
    expect(() =>
      applyParams({ sql: '', declared: [declared('constructor', 'string')], values: {} }),
    ).toThrow(/no value/);
  });
});
