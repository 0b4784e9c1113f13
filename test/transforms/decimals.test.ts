// Numbers against arithmetic on integers written here.
// Promises: text to number and back is exact over all that DynamoDB holds; a column type's claim to hold a number is true.
// Source: DynamoDB Developer Guide, "Data types: Number": 38 significant digits, magnitude 1E-130 to 9.99…E+125.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalNumber } from '../../pipeline/simulator/canonical.js';
import type { NumberType } from '../../schemas/columns.js';
import {
  chooseNumberType,
  classify,
  decimalText,
  extentOfClass,
  fitTable,
  holdsExtent,
  numberClasses,
  numberTypes,
  numberTypeText,
  parseDecimal,
  toUnscaled,
  unscaledText,
} from '../../transforms/decimals.js';
import { numberText } from './any-items.js';

/** Digits and exponent of a number that DynamoDB can hold, no zero at either end. */
const held = fc
  .tuple(
    fc.boolean(),
    fc
      .integer({ min: 1, max: 38 })
      .chain((length) =>
        fc
          .bigInt({ min: 10n ** BigInt(length - 1), max: 10n ** BigInt(length) - 1n })
          .map((n) => n.toString().replace(/0+$/, '')),
      ),
    fc.oneof(fc.integer({ min: -130, max: 125 }), fc.integer({ min: -40, max: 40 })),
  )
  // The magnitude is that of the first digit.
  .map(([negative, digits, magnitude]) => ({
    negative,
    digits,
    exponent: magnitude - digits.length + 1,
  }));

/** A number's value times 10^200, as an integer. */
function scaled({
  negative,
  digits,
  exponent,
}: {
  negative: boolean;
  digits: string;
  exponent: number;
}): bigint {
  const magnitude = BigInt(digits) * 10n ** BigInt(exponent + 200);
  return negative ? -magnitude : magnitude;
}

/** Whether a type can hold value/10^200, by what the type means. */
function canHold(type: NumberType, value: bigint): boolean {
  if (type.type === 'text') return true;
  const scale = type.type === 'long' ? 0 : type.scale;
  const unit = 10n ** BigInt(200 - scale);
  if (value % unit !== 0n) return false;
  const unscaled = value / unit;
  if (type.type === 'long') return BigInt.asIntN(64, unscaled) === unscaled;
  const limit = 10n ** BigInt(type.precision);
  return unscaled < limit && unscaled > -limit;
}

describe('parsing', () => {
  it('reads every writing of a number as its value', () => {
    fc.assert(
      fc.property(
        held,
        fc.nat(5),
        fc.nat(5),
        fc.integer({ min: -60, max: 60 }),
        (number, before, after, shift) => {
          const { negative, digits, exponent } = number;
          const sign = negative ? '-' : '';
          const point = digits.length + exponent + shift;
          const padded = `${'0'.repeat(before)}${digits}${'0'.repeat(after)}`;
          const plain =
            point + before <= 0
              ? `0.${'0'.repeat(-point - before)}${padded}`
              : point >= digits.length + after
                ? padded + '0'.repeat(point - digits.length - after)
                : `${padded.slice(0, point + before)}.${padded.slice(point + before)}`;
          for (const e of [`E${-shift}`, `e${shift <= 0 ? '+' : ''}${-shift}`]) {
            expect(parseDecimal(sign + plain + e)).toEqual(number);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each(['0', '-0', '0.0', '-0.000', '.0', '0.', '0E5', '0e-9999', '00000', '-0E9999'])(
    'reads %s as zero, without a sign',
    (text) => {
      expect(parseDecimal(text)).toEqual({ negative: false, digits: '', exponent: 0 });
      expect(decimalText(parseDecimal(text)!)).toBe('0');
    },
  );

  it.each([
    ['9'.repeat(38), '9'.repeat(38), 0],
    [`${'9'.repeat(38)}${'0'.repeat(88)}`, '9'.repeat(38), 88],
    ['9.9999999999999999999999999999999999999E+125', '9'.repeat(38), 88],
    ['1E-130', '1', -130],
    ['100E-132', '1', -130],
    [`0.${'0'.repeat(129)}1`, '1', -130],
    [`0.${'0'.repeat(92)}${'9'.repeat(38)}`, '9'.repeat(38), -130],
    ['007', '7', 0],
    ['1.', '1', 0],
    ['.5', '5', -1],
    ['1e0001', '1', 1],
  ])('takes %s', (text, digits, exponent) => {
    expect(parseDecimal(text)).toEqual({ negative: false, digits, exponent });
    expect(parseDecimal(`-${text}`)).toEqual({ negative: true, digits, exponent });
  });

  it.each([
    '',
    '-',
    '.',
    '-.',
    'e5',
    '.e5',
    '1e',
    '1e+',
    '1e-',
    '+1',
    '--1',
    '1-',
    ' 1',
    '1 ',
    '1\n',
    '\t1',
    '1,5',
    '1_000',
    '0x1',
    '1n',
    'NaN',
    'Infinity',
    '-Infinity',
    '1.2.3',
    '1e1.5',
    '1e1e1',
    '١',
    '１',
    '1e12345',
    '1E126',
    '-1E126',
    '10E125',
    '1E-131',
    '0.1E-130',
    '9'.repeat(39),
    `1${'0'.repeat(126)}`,
    `1.${'0'.repeat(37)}1`,
    `${'1'.repeat(38)}.1`,
    '0'.repeat(401),
  ])('refuses %j', (text) => {
    expect(parseDecimal(text)).toBeNull();
  });
});

describe('the one text of a number', () => {
  it('has the same value, and is the same for the same value', () => {
    fc.assert(
      fc.property(held, (number) => {
        const text = decimalText(number);
        expect(parseDecimal(text)).toEqual(number);
        expect(canonicalNumber(text)).toBe(
          canonicalNumber(`${number.negative ? '-' : ''}${number.digits}E${number.exponent}`),
        );
        expect(text.length).toBeLessThanOrEqual(45);
      }),
      { numRuns: 500 },
    );
  });

  it('is that of a decimal column where one holds the number', () => {
    fc.assert(
      fc.property(held, fc.constantFrom(...numberTypes), (number, type) => {
        if (type.type !== 'decimal' || !canHold(type, scaled(number))) return;
        expect(unscaledText(toUnscaled(number, type.scale), type.scale)).toBe(decimalText(number));
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    [0n, 5, '0'],
    [5n, 0, '5'],
    [-5n, 1, '-0.5'],
    [-50n, 1, '-5'],
    [100n, 2, '1'],
    [105n, 2, '1.05'],
    [1n, 38, `0.${'0'.repeat(37)}1`],
    [-(10n ** 38n) + 1n, 38, `-0.${'9'.repeat(38)}`],
    [1200n, 0, '1200'],
  ])('of %s at scale %i is %s', (unscaled, scale, text) => {
    expect(unscaledText(unscaled, scale)).toBe(text);
  });
});

describe('classes', () => {
  it('tell for every column type exactly whether it holds the number', () => {
    fc.assert(
      fc.property(held, (number) => {
        const value = scaled(number);
        const { class: numberClass } = classify(number);
        for (const type of numberTypes) {
          const claim = fitTable(type)[numberClass] === 1;
          // By its digits alone, -10^18 < x < 10^18 and the like: never claimed falsely.
          if (claim !== canHold(type, value)) {
            expect({ text: decimalText(number), type: numberTypeText(type), claim }).toBeNull();
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['9223372036854775807', true],
    ['9223372036854775808', false],
    ['-9223372036854775808', true],
    ['-9223372036854775809', false],
    ['1E18', true],
    ['1E19', false],
    ['999999999999999999', true],
    ['0', true],
    ['0.5', false],
    ['9.2233720368547758E+18', true],
  ])('%s fits a long: %s', (text, fits) => {
    expect(fitTable({ type: 'long' })[classify(parseDecimal(text)!).class]).toBe(fits ? 1 : 0);
  });

  it('have extents that no number of theirs goes beyond', () => {
    fc.assert(
      fc.property(numberText, (text) => {
        const { integer, fraction, class: numberClass } = classify(parseDecimal(text)!);
        const [before, after] = extentOfClass(numberClass);
        if (before < 39) expect(integer).toBeLessThanOrEqual(before);
        if (after < 39) expect(fraction).toBeLessThanOrEqual(after);
        for (const type of numberTypes) {
          if (holdsExtent(type, [before, after])) expect(fitTable(type)[numberClass]).toBe(1);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('choosing a column type', () => {
  it('takes the first of those that hold the most numbers', () => {
    fc.assert(
      fc.property(fc.array(numberText, { minLength: 1, maxLength: 30 }), (texts) => {
        const histogram = new Float64Array(numberClasses);
        for (const text of texts) histogram[classify(parseDecimal(text)!).class]! += 1;
        const fitting = numberTypes.map(
          (type) => texts.filter((text) => canHold(type, scaledText(text))).length,
        );
        const most = Math.max(...fitting);
        const chosen = chooseNumberType(histogram);
        expect(chosen).toEqual({ type: numberTypes[fitting.indexOf(most)]!, fits: most });
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    [['1', '2'], 'long'],
    [['1', '2.5'], 'decimal(18, 2)'],
    [['1', '2.505'], 'decimal(18, 4)'],
    [['1E125', '1', '2'], 'long'],
    [['0.00000000000000000000000000000000000001'], 'decimal(38, 38)'],
    [['9223372036854775808'], 'decimal(38, 0)'],
    [['99999999999999999.5'], 'decimal(38, 2)'],
    [['9999999999999999.5'], 'decimal(18, 2)'],
    [[], 'long'],
  ])('%j is %s', (texts, expected) => {
    const histogram = new Float64Array(numberClasses);
    for (const text of texts) histogram[classify(parseDecimal(text)!).class]! += 1;
    expect(numberTypeText(chooseNumberType(histogram).type)).toBe(expected);
  });
});

function scaledText(text: string): bigint {
  // From plain decimal text, without the parser.
  const plain = canonicalNumber(text);
  const negative = plain.startsWith('-');
  const [whole = '', fraction = ''] = plain.replace('-', '').split('.');
  const magnitude = BigInt(whole + fraction.padEnd(200, '0'));
  return negative ? -magnitude : magnitude;
}
