// DynamoDB's numbers: what is one, and exact sums and comparisons of them.
// Promises: 38 digits stay exact; shares no code with the transforms, whose tests the simulator is the oracle of.
// Source: Amazon DynamoDB Developer Guide, "Supported data types and naming rules", Number.

import { canonicalNumber } from '../canonical.js';
import { invalid } from './dynamodb-call.js';

const digitsMax = 38;
/** Exponents of the first digit: 1E-130 is the smallest, 9.99…E+125 the largest magnitude. */
const exponentMin = -130;
const exponentMax = 125;

/**
 * A number as DynamoDB gives it back: plain decimal text without needless zeros.
 * @throws DynamoDbFault ValidationException when it is none, too long, too large or too small
 */
export function storedNumber(text: string): string {
  let plain: string;
  try {
    plain = canonicalNumber(text);
  } catch {
    throw invalid('The parameter cannot be converted to a numeric value');
  }
  if (plain === '0') return plain;
  const [whole = '', fraction = ''] = plain.replace('-', '').split('.');
  const digits = (whole + fraction).replace(/^0+/, '').replace(/0+$/, '');
  if (digits.length > digitsMax) {
    throw invalid('Attempting to store more than 38 significant digits in a Number');
  }
  const exponent = whole === '0' ? -(/^0*/.exec(fraction)![0].length + 1) : whole.length - 1;
  if (exponent > exponentMax) {
    throw invalid(
      'Number overflow. Attempting to store a number with magnitude larger than supported range',
    );
  }
  if (exponent < exponentMin) {
    throw invalid(
      'Number underflow. Attempting to store a number with magnitude smaller than supported range',
    );
  }
  return plain;
}

interface Scaled {
  readonly units: bigint;
  /** Digits behind the point. */
  readonly scale: number;
}

function scaledOf(plain: string): Scaled {
  const [whole = '', fraction = ''] = plain.split('.');
  return { units: BigInt(whole + fraction), scale: fraction.length };
}

function unitsAt(number: Scaled, scale: number): bigint {
  return number.units * 10n ** BigInt(scale - number.scale);
}

/** The sum of two stored numbers. Throws as `storedNumber` does. */
export function sumOf(left: string, right: string): string {
  const a = scaledOf(left);
  const b = scaledOf(right);
  const scale = Math.max(a.scale, b.scale);
  return storedNumber(`${unitsAt(a, scale) + unitsAt(b, scale)}E-${scale}`);
}

/** A stored number with the other sign. */
export function negated(plain: string): string {
  if (plain === '0') return plain;
  return plain.startsWith('-') ? plain.slice(1) : `-${plain}`;
}

/** Below zero, zero or above as one stored number is less than, equal to or greater than another. */
export function compareNumbers(left: string, right: string): number {
  const a = scaledOf(left);
  const b = scaledOf(right);
  const scale = Math.max(a.scale, b.scale);
  const difference = unitsAt(a, scale) - unitsAt(b, scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** Bytes a stored number counts for: about half a byte a digit, and one; one more when it is negative. */
export function numberBytes(plain: string): number {
  const digits = plain.replace(/[-.]/g, '').replace(/^0+/, '').replace(/0+$/, '').length;
  return Math.ceil(digits / 2) + 1 + (plain.startsWith('-') ? 1 : 0);
}
