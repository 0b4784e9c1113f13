// Parameters: a value never becomes SQL, and what only looks like a placeholder stays.

import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DuckdbEngine } from '../../pipeline/local/duckdb-engine.js';
import {
  applyParams,
  type ParamDeclaration,
  type ParamType,
  positionalParams,
} from '../../pipeline/query/params.js';
import { hostileValues } from './hostile-values.js';

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
    ['decimal', '-12.50', '(-12.50)'],
    ['decimal', '.5', '0.5'],
    ['decimal', '99999999999999999999999999999999999999', '99999999999999999999999999999999999999'],
    ['long', '7', '7'],
    ['long', '-9223372036854775808', '(-9223372036854775808)'],
    ['boolean', 'True', 'TRUE'],
    ['binary', 'aGk=', "unhex('6869')"],
    ['identifier', 'order_id', '"order_id"'],
  ])('writes a %s %s as %s', (type, text, literal) => {
    expect(one(type, text)).toBe(literal);
  });

  it.each<[ParamType, string]>([
    ['date', '2023-02-29'],
    ['date', "2023-01-01' OR '1'='1"],
    ['date', '2023-01-01\n'],
    ['timestamp', '2026-11-20T24:00Z'],
    ['timestamp', '2026-11-20T09:00+02:00'],
    ['decimal', '1e9'],
    ['decimal', '0x10'],
    ['decimal', '1;'],
    ['decimal', '.'],
    ['decimal', '999999999999999999999999999999999999999'],
    ['long', '1.0'],
    ['long', '--1'],
    ['long', '9223372036854775808'],
    ['boolean', 'yes'],
    ['binary', 'not base64'],
    ['binary', 'aGk'],
    ['identifier', 'Order'],
    ['identifier', 'a"b'],
    ['identifier', 'lake.orders'],
    ['identifier', ''],
    ['string', 'half of a pair \ud800'],
    ['string', 'a\0b'],
  ])('refuses a %s %s', (type, text) => {
    expect(() => one(type, text)).toThrow(`is no ${type}`);
  });

  it.each<[ParamType, string, string]>([
    ['string', "it's", "'it''s'"],
    ['long', '-7', "BIGINT '-7'"],
    ['decimal', '-.50', "DECIMAL '-0.50'"],
    ['boolean', 'false', 'FALSE'],
    ['date', '2024-02-29', "DATE '2024-02-29'"],
    ['timestamp', '2026-11-20T09:00Z', "TIMESTAMP '2026-11-20 09:00:00'"],
    ['binary', 'aGk=', "X'6869'"],
  ])('writes a %s %s for Athena as %s', (type, text, literal) => {
    const sql = 'SELECT 1 FROM t WHERE x = :v';
    const options = { sql, declared: [declared('v', type)], values: { v: text } };
    expect(positionalParams(options)).toEqual({
      sql: 'SELECT 1 FROM t WHERE x = ?',
      parameters: [literal],
      names: ['v'],
    });
  });

  it('gives back any text as one literal', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0')),
        (text) => {
          const literal = one('string', text);
          return (
            /^'(?:[^']|'')*'$/.test(literal) && literal.slice(1, -1).replaceAll("''", "'") === text
          );
        },
      ),
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
    const params = [declared('x', 'long', '1'), declared('y', 'string')];
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

describe('names and instants', () => {
  const table = declared('table', 'identifier');

  it('stand in the text, for Athena too, and metadata tables are one name', () => {
    const sql = 'SELECT t.:column FROM :table AS t, :table$snapshots, ":table" WHERE x = :n';
    const all = [table, declared('column', 'identifier'), declared('n', 'long')];
    const values = { table: 'orders', column: 'qty', n: '1' };
    expect(positionalParams({ sql, declared: all, values }).sql).toBe(
      'SELECT t."qty" FROM "orders" AS t, "orders$snapshots", ":table" WHERE x = ?',
    );
    expect(() =>
      applyParams({ sql: ':table$files', declared: [table], values: { table: 'orders' } }),
    ).toThrow(/metadata table/);
  });

  it('of a time travel are constants with a zone', () => {
    const at = declared('at', 'timestamp');
    const sql = 'FROM t FOR TIMESTAMP AS OF :at WHERE x < :at';
    expect(positionalParams({ sql, declared: [at], values: { at: '2026-11-20' } })).toEqual({
      sql: "FROM t FOR TIMESTAMP AS OF TIMESTAMP '2026-11-20 00:00:00 UTC' WHERE x < ?",
      parameters: ["TIMESTAMP '2026-11-20 00:00:00'"],
      names: ['at'],
    });
    const id = declared('id', 'long');
    expect(
      positionalParams({ sql: 'FOR VERSION AS OF :id', declared: [id], values: { id: '12' } }),
    ).toEqual({ sql: 'FOR VERSION AS OF 12', parameters: [], names: [] });
  });

  it('repeat a value for each place that takes it', () => {
    const sql = 'SELECT 1 FROM t WHERE a = :x OR b = :y OR c = :x';
    const values = { x: '1', y: '2' };
    expect(positionalParams({ sql, declared: null, values })).toEqual({
      sql: 'SELECT 1 FROM t WHERE a = ? OR b = ? OR c = ?',
      parameters: ["'1'", "'2'", "'1'"],
      names: ['x', 'y', 'x'],
    });
  });
});

describe('ten thousand hostile values', () => {
  const values = hostileValues(10_000);
  const accepted = values.flatMap(([type, text]) => {
    try {
      return [{ type, text, literal: one(type, text) }];
    } catch (error) {
      expect((error as { code?: unknown }).code).toBe('USAGE');
      return [];
    }
  });

  it('never widen a result, and texts come back as they went in', async () => {
    const engine = await DuckdbEngine.open({ threads: 1, memoryMb: 256, spillFolder: tmpdir() });
    try {
      await engine.execute("CREATE TABLE secret AS SELECT 'nobody has this value' AS word");
      let compared = 0;
      for (let at = 0; at < accepted.length; at += 500) {
        const some = accepted.slice(at, at + 500);
        const values = some.map(({ literal }, i) => `(${i}, ${literal}::VARCHAR)`).join(',\n');
        const sql = `SELECT i, echo, word FROM (VALUES ${values}) AS v(i, echo) LEFT JOIN secret ON word = echo`;
        const rows: (readonly unknown[])[] = [];
        for await (const row of (await engine.query(`${sql} ORDER BY i`)).rows) rows.push(row);
        expect(rows.length).toBe(some.length);
        for (const [i, { type, text }] of some.entries()) {
          if (rows[i]![2] !== null) throw new Error('a value found what it does not name');
          if (type === 'string' && rows[i]![1] !== text) throw new Error('a text was changed');
          compared++;
        }
      }
      expect(compared).toBeGreaterThan(1000);
    } finally {
      await engine.close();
    }
  });

  it('are one literal each in what Athena is sent, and the text stays the same', () => {
    const literalForm =
      /^(?:'(?:[^']|'')*'|(?:BIGINT|DECIMAL|DATE|TIMESTAMP) '[-0-9:. ]+'|X'[0-9A-F]*'|TRUE|FALSE)$/;
    const sql = 'SELECT count(*) FROM secret WHERE word = :v';
    for (const { type, text } of accepted) {
      const options = { sql, declared: [declared('v', type)], values: { v: text } };
      const sent = positionalParams(options);
      const isSame = sent.sql === 'SELECT count(*) FROM secret WHERE word = ?';
      if (!isSame || !literalForm.test(sent.parameters[0]!)) throw new Error(JSON.stringify(text));
    }
  });

  it('are no identifiers', () => {
    for (const [, text] of values) {
      if (/^[a-z0-9_]+$/.test(text)) continue;
      let code = '';
      try {
        one('identifier', text);
      } catch (error) {
        code = (error as { code: string }).code;
      }
      if (code !== 'USAGE') throw new Error(`${JSON.stringify(text)} is an identifier`);
    }
  });
});
