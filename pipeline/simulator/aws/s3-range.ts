// Which bytes a Range header asks for.
// Promises: a range that cannot be satisfied is 416; one that cannot be read, or of another unit, is passed over.
// Source: RFC 9110 section 14; Amazon S3 API Reference, GetObject ("Range": one range only).
import { S3Error } from './s3-errors.js';

/** Bytes [start, end), or null for all of them. Throws InvalidRange. */
export function byteRange(
  header: string | undefined,
  size: number,
): { readonly start: number; readonly end: number } | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec((header ?? '').trim());
  if (match === null || (match[1] === '' && match[2] === '')) return null;
  const first = match[1] === '' ? null : Number(match[1]);
  const last = match[2] === '' ? null : Number(match[2]);
  if (first !== null && last !== null && last < first) return null;
  const start = first ?? Math.max(0, size - last!);
  const end = first === null || last === null ? size : Math.min(last + 1, size);
  if (start >= end) {
    throw new S3Error('InvalidRange', {
      RangeRequested: header!,
      ActualObjectSize: String(size),
    });
  }
  return { start, end };
}
