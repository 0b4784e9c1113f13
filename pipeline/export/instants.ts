// Instants as export manifests write them.
// Promises: exact to the millisecond; anything that is no such instant is null, never a guess.
// Source: RFC 3339, section 5.6; Amazon DynamoDB Developer Guide, "DynamoDB table exports, output format".

const pattern = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z$/;

/** Milliseconds since the epoch of `2026-01-14T10:18:50.622Z`; null for another form, an impossible date, or finer digits. */
export function parseInstant(text: string): number | null {
  const found = pattern.exec(text);
  if (found === null) return null;
  const fraction = (found[7] ?? '').padEnd(3, '0');
  if (/[1-9]/.test(fraction.slice(3))) return null;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number);
  const ms = Date.UTC(year!, month! - 1, day!, hour!, minute!, second!);
  // Date.UTC carries 31 February over into March; then the text differs.
  const isReal = new Date(ms).toISOString().slice(0, 19) === text.slice(0, 19);
  return isReal ? ms + Number(fraction.slice(0, 3)) : null;
}
