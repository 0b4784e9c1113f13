// Progress, numbers, tables and safe text, as people see them.
// Promises exact screens: expected values are written by hand.
// Spec: pipeline/reporting.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../pipeline/local/clock.js';
import { BarReporter } from '../../pipeline/reporting/bar-reporter.js';
import {
  formatBytes,
  formatCount,
  formatNumberOf,
  formatSeconds,
} from '../../pipeline/reporting/human-numbers.js';
import { distinctNames, jsonLine } from '../../pipeline/reporting/json-lines.js';
import { JsonReporter } from '../../pipeline/reporting/json-reporter.js';
import { LineReporter } from '../../pipeline/reporting/line-reporter.js';
import { NullReporter } from '../../pipeline/reporting/null-reporter.js';
import { cutText, plainText, textWidth } from '../../pipeline/reporting/plain-text.js';
import { sampledRowsMax, tableLines } from '../../pipeline/reporting/table.js';
import { RememberingOutput } from './stub-context.js';

const noonMs = Date.UTC(2026, 10, 20, 12);

describe('numbers for people', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1000, '1,000'],
    [1234567, '1,234,567'],
    [-1234.5, '-1,234.5'],
  ])('the count %d is %s', (count, text) => expect(formatCount(count)).toBe(text));

  it.each([
    [0, '0 bytes'],
    [999, '999 bytes'],
    [1000, '1.0 kB'],
    [12_345, '12 kB'],
    [999_600, '1.0 MB'],
    [3_141_592_653, '3.1 GB'],
  ])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it.each([
    [0.04, '0.0 s'],
    [9.94, '9.9 s'],
    [9.96, '10 s'],
    [59.6, '1 min'],
    [185, '3 min 5 s'],
    [7500, '2 h 5 min'],
    [86_399, '1 d'],
    [90_000, '1 d 1 h'],
    [-5, '-5.0 s'],
  ])('%d seconds are %s', (seconds, text) => expect(formatSeconds(seconds)).toBe(text));

  it('one is singular', () => {
    expect([0, 1, 2].map((n) => formatNumberOf(n, 'row'))).toEqual(['0 rows', '1 row', '2 rows']);
  });
});

describe('plain text', () => {
  it.each([
    ['plain', 'plain'],
    ['a\u001b[1;31mb\u001b[0mc', 'abc'],
    ['link\u001b]8;;http://x\u0007here\u001b]8;;\u001b\\', 'linkhere'],
    ['a\r\nb\tc\u2028d', 'a b c d'],
    ['\u202eabc\u0000\u009b2J', 'abc2J'],
    ['é 漢 🎉', 'é 漢 🎉'],
  ])('of %j is %j', (text, plain) => expect(plainText(text)).toBe(plain));

  it('never holds a control character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const codes = [...plainText(text)].map((character) => character.codePointAt(0)!);
        expect(codes.every((code) => code > 0x1f && (code < 0x7f || code > 0x9f))).toBe(true);
      }),
    );
  });

  it('counts wide characters twice and marks not at all', () => {
    expect(textWidth('漢字')).toBe(4);
    expect(textWidth('e\u0301')).toBe(1);
    expect(cutText('漢字ab', 4)).toBe('漢…');
    expect(cutText('abc', 3)).toBe('abc');
  });
});

describe('tables', () => {
  const columns = [
    { name: 'name', align: 'left' },
    { name: 'n', align: 'right' },
  ] as const;
  const drawn = async (rows: readonly string[][], widthMax: number | null): Promise<string[]> => {
    const lines: string[] = [];
    for await (const line of tableLines(columns, rows, widthMax)) lines.push(line);
    return lines;
  };

  it('have a header without rows', async () => {
    expect(await drawn([], null)).toEqual(['name  n', '────  ─']);
  });

  it('squeeze the widest column first', async () => {
    expect(await drawn([['a rather long name', '12345']], 20)).toEqual([
      'name               n',
      '─────────────  ─────',
      'a rather lon…  12345',
    ]);
  });

  it('stream what comes after the sampled rows at the same widths', async () => {
    const rows = Array.from({ length: sampledRowsMax + 2 }, (_, at) => [`r${at % 10}`, '7']);
    rows.push(['far too long now', '1234']);
    const lines = await drawn(rows, null);
    expect(lines).toHaveLength(rows.length + 2);
    expect(lines.at(-2)).toBe('r1    7');
    expect(lines.at(-1)).toBe('far…  …');
  });
});

describe('JSON lines', () => {
  it('keep what JSON cannot: integers as strings, bytes as base64, missing as null', () => {
    const value = { a: 2n ** 64n, b: new Uint8Array([1, 2]), c: undefined };
    expect(jsonLine(value)).toBe('{"a":"18446744073709551616","b":"AQI=","c":null}');
  });

  it('never give two columns one name', () => {
    expect(distinctNames(['n', 'n', 'n_2', 'n'])).toEqual(['n', 'n_3', 'n_2', 'n_4']);
    fc.assert(
      fc.property(fc.array(fc.constantFrom('n', 'n_2', 'n_3', 'm')), (names) => {
        expect(new Set(distinctNames(names)).size).toBe(names.length);
      }),
    );
  });
});

describe('reporters', () => {
  it('LineReporter says a line every five seconds and one at the end', () => {
    const sink = new RememberingOutput();
    const clock = new ManualClock(noonMs);
    const reporter = new LineReporter(sink, clock);
    const step = reporter.step('scan', 20_000, 'items');
    for (let second = 1; second <= 10; second += 1) {
      clock.advanceMs(1000);
      step.advance(1000);
    }
    step.done();
    step.done();
    reporter.note('a\u001b[2Jb');
    reporter.warn('c');
    expect(sink.text).toBe(
      'scan: 5,000 of 20,000 items (25 %), 1,000 items/s, 15 s left\n' +
        'scan: 10,000 of 20,000 items (50 %), 1,000 items/s, 10 s left\n' +
        'scan: 10,000 items in 10 s\n' +
        'ab\nwarning: c\n',
    );
  });

  it('BarReporter draws bars over each other, cut to the terminal, and takes them away', () => {
    const sink = new RememberingOutput();
    sink.columns = 64;
    const clock = new ManualClock(noonMs);
    const reporter = new BarReporter(sink, clock);
    const step = reporter.step('scan', 2_000_000, 'bytes');
    clock.advanceMs(1000);
    step.advance(1_000_000);
    step.advance(1);
    clock.advanceMs(1000);
    reporter.clear();
    step.advance(999_999);
    step.done();
    const bar = (full: number): string => '█'.repeat(full) + '░'.repeat(20 - full);
    expect(sink.text.split('\u001b[1A\u001b[0J')).toEqual([
      `${bar(0)} scan: 0 bytes of 2.0 MB (0 %)\n`,
      `${bar(10)} scan: 1.0 MB of 2.0 MB (50 %), 1.0 MB/s, …\n`,
      `${bar(20)} scan: 2.0 MB of 2.0 MB (100 %), 1.0 MB/s\n`,
      '✓ scan: 2.0 MB in 2.0 s\n',
    ]);
  });

  it('JsonReporter says one object per line with every field', () => {
    const sink = new RememberingOutput();
    const clock = new ManualClock(noonMs);
    const reporter = new JsonReporter(sink, clock);
    const step = reporter.step('scan', null, 'items');
    step.advance(5);
    clock.advanceMs(5000);
    step.advance(5);
    step.done();
    reporter.warn('careful');
    const lines = sink.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const running = { step: 'scan', total: null, unit: 'items', text: null };
    const later = '2026-11-20T12:00:05.000Z';
    expect(lines).toEqual([
      { at: '2026-11-20T12:00:00.000Z', event: 'begin', count: 0, seconds: 0, ...running },
      { at: later, event: 'progress', count: 10, seconds: 5, ...running },
      { at: later, event: 'end', count: 10, seconds: 5, ...running },
      {
        at: later,
        event: 'warning',
        step: null,
        count: null,
        total: null,
        unit: null,
        seconds: null,
        text: 'careful',
      },
    ]);
  });

  it('NullReporter says nothing', () => {
    const reporter = new NullReporter();
    const step = reporter.step('scan', 1, 'items');
    step.advance(1);
    step.done();
    reporter.note('x');
    reporter.warn('y');
  });
});
