// What a prefix in the bucket says of the export that was asked for with it: the inverse of export-request's prefixes.
// Promises: only a prefix that export-request would make is read; anything else is null.

import type { Window } from '../../schemas/export-manifest.js';
import type { Destination, TableFacts } from '../../schemas/table-exports.js';

/** The S3 URI of a prefix of the destination's bucket. */
export function prefixUri({ s3Bucket }: Destination, s3Prefix: string): string {
  return s3Prefix === '' ? `s3://${s3Bucket}` : `s3://${s3Bucket}/${s3Prefix}`;
}

/** Whether an export lies where this destination's reader may look. */
export function isBelow(
  { s3Bucket, s3Prefix }: Destination,
  place: { readonly s3Bucket: string | null; readonly s3Prefix: string | null },
): boolean {
  if (place.s3Bucket !== s3Bucket) return false;
  const prefix = place.s3Prefix ?? '';
  return s3Prefix === '' || prefix === s3Prefix || prefix.startsWith(`${s3Prefix}/`);
}

/** The instant or the window that a prefix of a table's exports names; null: it is no such prefix. */
export function subjectOf(s3Prefix: string, table: TableFacts): Window | number | null {
  const mark = `${table.tableName}/${table.tableId}/`;
  const at = `/${s3Prefix}`.lastIndexOf(`/${mark}`);
  if (at < 0) return null;
  const rest = s3Prefix.slice(at + mark.length);
  const full = /^full\/(\d{8}T\d{6}Z)$/.exec(rest);
  if (full !== null) return instantOf(full[1]!);
  const found = /^(\d{8}T\d{6}Z)_(\d{8}T\d{6}Z)$/.exec(rest);
  if (found === null) return null;
  const [fromMs, toMs] = [instantOf(found[1]!), instantOf(found[2]!)];
  return fromMs === null || toMs === null || fromMs >= toMs ? null : { fromMs, toMs };
}

/** `20261120T090000Z` in ms; null for an impossible date. */
function instantOf(text: string): number | null {
  const iso = text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6.000Z');
  const ms = Date.parse(iso);
  return Number.isNaN(ms) || new Date(ms).toISOString() !== iso ? null : ms;
}
