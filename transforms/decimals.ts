// DynamoDB numbers without a JavaScript number: parsing, canonical text, and which column types hold them.
// Source: DynamoDB Developer Guide, "Data types: Number": 38 significant digits, magnitude 1E-130 to 9.99…E+125.

import type { NumberType } from '../schemas/columns.js';

/** An exact decimal: value = (negative ? -1 : 1) * digits * 10^exponent; digits without leading or trailing zeros, '' for zero. */
export interface Decimal {
  readonly negative: boolean;
  readonly digits: string;
  readonly exponent: number;
}

const grammar = /^-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?$/;

/** Parses the text of an N; null when it is not a number DynamoDB can hold. */
export function parseDecimal(text: string): Decimal | null {
  if (text.length > 400 || !grammar.test(text)) return null;
  const negative = text.charCodeAt(0) === 45;
  const e = text.search(/[eE]/);
  const mantissa = text.slice(negative ? 1 : 0, e < 0 ? text.length : e);
  let exponent = e < 0 ? 0 : Number(text.slice(e + 1));
  const dot = mantissa.indexOf('.');
  let digits = mantissa;
  if (dot >= 0) {
    digits = mantissa.slice(0, dot) + mantissa.slice(dot + 1);
    exponent -= mantissa.length - dot - 1;
  }
  let start = 0;
  while (start < digits.length && digits.charCodeAt(start) === 48) start++;
  let end = digits.length;
  while (end > start && digits.charCodeAt(end - 1) === 48) {
    end--;
    exponent++;
  }
  digits = digits.slice(start, end);
  if (digits === '') return { negative: false, digits: '', exponent: 0 };
  if (digits.length > 38) return null;
  const magnitude = exponent + digits.length - 1;
  if (magnitude > 125 || magnitude < -130) return null;
  return { negative, digits, exponent };
}

/** The one text of a number: plain where that is at most 40 digits long, else with an exponent. */
export function decimalText(value: Decimal): string {
  const { digits, exponent } = value;
  if (digits === '') return '0';
  const sign = value.negative ? '-' : '';
  const before = digits.length + exponent;
  if (exponent >= 0 && before <= 40) return sign + digits + '0'.repeat(exponent);
  if (exponent < 0 && before > 0)
    return `${sign}${digits.slice(0, before)}.${digits.slice(before)}`;
  if (before <= 0 && digits.length - before <= 40)
    return `${sign}0.${'0'.repeat(-before)}${digits}`;
  const magnitude = before - 1;
  const rest = digits.length > 1 ? `.${digits.slice(1)}` : '';
  return `${sign}${digits[0]}${rest}E${magnitude < 0 ? '' : '+'}${magnitude}`;
}

/** The one text of an integer scaled by 10^-scale (what a decimal column holds). */
export function unscaledText(unscaled: bigint, scale: number): string {
  const negative = unscaled < 0n;
  let digits = (negative ? -unscaled : unscaled).toString();
  if (digits === '0') return '0';
  if (scale > 0) {
    if (digits.length <= scale) digits = '0'.repeat(scale - digits.length + 1) + digits;
    let end = digits.length;
    const dot = digits.length - scale;
    while (end > dot && digits.charCodeAt(end - 1) === 48) end--;
    digits =
      end === dot ? digits.slice(0, dot) : `${digits.slice(0, dot)}.${digits.slice(dot, end)}`;
  }
  return negative ? `-${digits}` : digits;
}

/** Scales a decimal column can have. Source: the design's table of types. */
export const scales: readonly number[] = [0, 2, 4, 6, 9, 12, 18, 24, 30, 38];

/** Number columns in the order of preference on a tie: long, short decimals, long decimals, least scale first. */
export const numberTypes: readonly NumberType[] = [
  { type: 'long' },
  ...scales
    .filter((scale) => scale <= 18)
    .map((scale) => ({ type: 'decimal' as const, precision: 18 as const, scale })),
  ...scales.map((scale) => ({ type: 'decimal' as const, precision: 38 as const, scale })),
];

// A number's class is all that matters for which columns hold it: the least listed scale that holds its
// fraction, and its digits before the point (39 stands for more than 38).
const integerClasses = 40;
const longTooWide = 11 * integerClasses;

/** How many number classes there are. */
export const numberClasses: number = longTooWide + 1;

/** Class of the least listed scale that holds `fraction` digits after the point; 10: none does. */
export const scaleClass: Uint8Array = (() => {
  const table = new Uint8Array(256).fill(10);
  for (let digits = 0; digits <= 38; digits++) {
    table[digits] = scales.findIndex((scale) => scale >= digits);
  }
  return table;
})();

/** The class of a number with `integer` digits before the point (leading zeros not counted) and `fraction` after it. */
export function classOf(integer: number, fraction: number): number {
  return scaleClass[Math.min(fraction, 255)]! * integerClasses + Math.min(integer, 39);
}

const int64Max = 2n ** 63n - 1n;
const int64Min = -(2n ** 63n);

/** Digits before and after the point, and the class, of a parsed number. */
export function classify(value: Decimal): { integer: number; fraction: number; class: number } {
  const integer = Math.max(0, value.digits.length + value.exponent);
  const fraction = Math.max(0, -value.exponent);
  if (integer === 19 && fraction === 0) {
    const unscaled = toUnscaled(value, 0);
    if (unscaled > int64Max || unscaled < int64Min)
      return { integer, fraction, class: longTooWide };
  }
  return { integer, fraction, class: classOf(integer, fraction) };
}

/** Digits [before the point, after the point] that numbers of a class have at most. */
export function extentOfClass(numberClass: number): readonly [number, number] {
  if (numberClass === longTooWide) return [19, 0];
  const scale = Math.floor(numberClass / integerClasses);
  return [numberClass % integerClasses, scale === 10 ? 39 : scales[scale]!];
}

function holds(type: NumberType, numberClass: number): boolean {
  if (type.type === 'text') return true;
  const [integer, fraction] = extentOfClass(numberClass);
  if (type.type === 'long') return fraction === 0 && integer <= 19 && numberClass !== longTooWide;
  return fraction <= type.scale && integer <= type.precision - type.scale;
}

const tables = new Map<string, Uint8Array>();

/** For each number class whether a type holds its numbers (1) or not (0). */
export function fitTable(type: NumberType): Uint8Array {
  const key = numberTypeText(type);
  let table = tables.get(key);
  if (table === undefined) {
    table = new Uint8Array(numberClasses);
    for (let c = 0; c < numberClasses; c++) table[c] = holds(type, c) ? 1 : 0;
    tables.set(key, table);
  }
  return table;
}

/** The Iceberg name of a number type. */
export function numberTypeText(type: NumberType): string {
  if (type.type === 'long') return 'long';
  if (type.type === 'text') return 'string';
  return `decimal(${type.precision}, ${type.scale})`;
}

/** The type that holds the most of the counted numbers; on a tie the first in the order of preference. */
export function chooseNumberType(histogram: ArrayLike<number>): { type: NumberType; fits: number } {
  let best: { type: NumberType; fits: number } = { type: numberTypes[0]!, fits: -1 };
  for (const type of numberTypes) {
    const table = fitTable(type);
    let fits = 0;
    for (let c = 0; c < numberClasses; c++) if (table[c] === 1) fits += histogram[c]!;
    if (fits > best.fits) best = { type, fits };
  }
  return best;
}

/** Whether a type holds every number with up to these digits before and after the point. */
export function holdsExtent(type: NumberType, extent: readonly [number, number]): boolean {
  if (type.type === 'text') return true;
  const [integer, fraction] = extent;
  if (type.type === 'long') return fraction === 0 && integer <= 18;
  return fraction <= type.scale && integer <= type.precision - type.scale;
}

const powers: bigint[] = [1n];

/** 10^n. */
export function power10(n: number): bigint {
  for (let i = powers.length; i <= n; i++) powers.push(powers[i - 1]! * 10n);
  return powers[n]!;
}

/** The number times 10^scale as an integer. The caller knows that this is whole. */
export function toUnscaled(value: Decimal, scale: number): bigint {
  if (value.digits === '') return 0n;
  const shift = value.exponent + scale;
  if (shift < 0) throw new RangeError('the scale does not hold the number');
  const magnitude = BigInt(value.digits) * power10(shift);
  return value.negative ? -magnitude : magnitude;
}
