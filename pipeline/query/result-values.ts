// Values of query results in the form that JSON can carry without losing anything.
// Promises: an integer beyond 2^53 and every decimal is text, times are ISO 8601 in UTC, no NaN ever reaches JSON.
// Spec: DESIGN.md, "The command" (--json).

const dayMs = 86_400_000;
/** JavaScript's Date ends here, in ms from the epoch (ECMA-262, "Time Values and Time Range"). */
const dateMsMax = 8_640_000_000_000_000n;

/** An integer as a number when a double holds it exactly, else as its digits. */
export function integerValue(value: bigint): number | string {
  const asNumber = Number(value);
  return Number.isSafeInteger(asNumber) ? asNumber : value.toString();
}

/** A double; NaN and the infinities, which JSON does not know, as their names. */
export function doubleValue(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

/**
 * An instant as `YYYY-MM-DDTHH:MM:SS.mmmZ`, with the further digits of its own unit when they are not all zero.
 * `units` counts from the epoch, `perSecondDigits` is 0 (seconds), 3, 6 or 9 (nanoseconds).
 * Null when it lies outside what ISO 8601 and JavaScript can write (some 270,000 years away).
 */
export function instantValue(units: bigint, perSecondDigits: 0 | 3 | 6 | 9): string | null {
  const scaled = perSecondDigits === 0 ? units * 1000n : units;
  const perMs = perSecondDigits > 3 ? 10n ** BigInt(perSecondDigits - 3) : 1n;
  let rest = scaled % perMs;
  if (rest < 0n) rest += perMs;
  const ms = (scaled - rest) / perMs;
  if (ms > dateMsMax || ms < -dateMsMax) return null;
  const iso = new Date(Number(ms)).toISOString();
  if (rest === 0n) return iso;
  const digits = rest.toString().padStart(perSecondDigits - 3, '0');
  return `${iso.slice(0, -1)}${digits}Z`;
}

/** A date, in days from the epoch, as `YYYY-MM-DD`; null when JavaScript's Date does not reach it. */
export function dateValue(days: number): string | null {
  const ms = days * dayMs;
  if (Math.abs(ms) > Number(dateMsMax)) return null;
  return new Date(ms).toISOString().split('T')[0]!;
}
