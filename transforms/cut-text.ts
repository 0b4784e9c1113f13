// Texts of strangers (names of attributes) in places that take a line of limited length: comments of columns.
// Promises: no control characters, nothing that reorders or hides letters; what is cut ends in a hash of the whole text,
// so that two long names stay two.
// Source: Unicode Standard, general categories Cc and Cf; UTF-8 (RFC 3629).
import { createHash } from 'node:crypto';

/** `text` on one line and in at most `bytesMax` bytes of UTF-8, which must be 16 or more. */
export function cutText(text: string, bytesMax: number): string {
  const clean = text
    .replace(/\p{Cs}/gu, '\uFFFD')
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029\uFFFE\uFFFF]/gu, ' ');
  if (Buffer.byteLength(clean) <= bytesMax) return clean;
  const end = `…#${createHash('sha256').update(text, 'utf16le').digest('hex').slice(0, 8)}`;
  let left = bytesMax - Buffer.byteLength(end);
  let kept = '';
  for (const character of clean) {
    left -= Buffer.byteLength(character);
    if (left < 0) break;
    kept += character;
  }
  return kept + end;
}
