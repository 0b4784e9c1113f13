// Places a person names on the command line, as absolute URIs, and back.
// Promises that domain code only ever sees absolute URIs. As everywhere in a lake, nothing is percent-decoded.
// Spec: pipeline/local/file-uri.ts.

import { relative, resolve } from 'node:path';
import { toFileUri, toPath } from '../local/file-uri.js';
import { usageError } from './error-text.js';

/**
 * A folder or file named as a path (relative to `folder`, which is absolute), a file URI or an s3 URI, as an absolute
 * URI without a trailing slash. Throws USAGE for other schemes.
 */
export function placeUri(place: string, folder: string, command: string): string {
  if (place === '') throw usageError('a folder was expected, but the argument is empty', command);
  if (place.includes('\0')) throw usageError('a folder cannot have a NUL in its name', command);
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]+):\//.exec(place)?.[1];
  if (scheme !== undefined && /^s3[an]?$/i.test(scheme)) return s3Uri(place, command);
  if (scheme === undefined) return toFileUri(resolve(folder, place));
  try {
    return toFileUri(toPath(place));
  } catch {
    throw usageError(
      `${place} is not a place that can be reached: name a folder, a file:/// URI or an s3:// URI`,
      command,
    );
  }
}

/** A bucket or a prefix in it, in the one spelling. Keys are text: nothing is resolved, and dots would only mislead. */
function s3Uri(place: string, command: string): string {
  const uri = place.replace(/^s3[an]?:\/+/i, 's3://').replace(/\/+$/, '');
  const [bucket, ...parts] = uri.slice('s3://'.length).split('/');
  const isBucket = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket!);
  if (isBucket && parts.every((part) => !/^(\.{1,2})?$/.test(part))) return uri;
  throw usageError(`${place} is no place in S3: name it as s3://bucket/prefix`, command);
}

/** A URI as a person would write it: relative to the working directory when it lies below, else the absolute path. */
export function shownPlace(uri: string, folder: string): string {
  if (!uri.startsWith('file:')) return uri;
  const path = toPath(uri);
  const below = relative(folder, path);
  if (below === '') return '.';
  return below.startsWith('..') ? path : below;
}
