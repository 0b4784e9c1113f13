// Numbers, sizes and times as people read them.
// Promises the same text for the same value everywhere: no locale, no time zone but UTC.
// Spec: none; sizes are decimal (1 MB = 1,000,000 bytes), as storage is billed.

/** `1234567` as `1,234,567`. */
export function formatCount(count: number): string {
  const [whole, fraction] = String(count).split('.');
  const grouped = whole!.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** A count with its noun: `1 file`, `1,200 files`. */
export function formatNumberOf(
  count: number,
  singular: string,
  plural: string = `${singular}s`,
): string {
  return `${formatCount(count)} ${count === 1 ? singular : plural}`;
}

const byteUnits = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** A size in bytes as `812 bytes`, `1.2 MB`. */
export function formatBytes(bytes: number): string {
  let unit = 0;
  let amount = bytes;
  while (amount >= 999.5 && unit < byteUnits.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  const digits = unit === 0 ? String(Math.round(amount)) : amount.toFixed(amount < 9.95 ? 1 : 0);
  return `${digits} ${byteUnits[unit]!}`;
}

/** A length of time in seconds, in at most two units: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 5 min`, `4 d 3 h`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 0) return `-${formatSeconds(-seconds)}`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return twoUnits(Math.floor(whole / 60), 'min', whole % 60, 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return twoUnits(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(seconds / 3600);
  return twoUnits(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** An ISO instant with its zeros of milliseconds left away: `2026-11-20T09:00:00Z`. */
export function formatInstant(iso: string): string {
  return iso.replace(/\.000Z$/, 'Z');
}

/** An amount of some unit: sizes for `bytes`, else a count and the unit as given. */
export function formatAmount(count: number, unit: string): string {
  return unit === 'bytes' ? formatBytes(count) : `${formatCount(Math.round(count))} ${unit}`;
}

function twoUnits(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}
