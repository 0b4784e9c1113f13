// Between `file://` URIs and paths on this machine.
// Promises: nothing is percent-decoded, as in Hadoop's Path: a `%2F` in a partition folder's name is three characters.
// Source: apache/iceberg, format/spec.md ("Table Metadata"): locations are opaque strings; engines open them as they stand.
import path from 'node:path';

/**
 * The path a `file://` URI names. Takes `file:///a/b`, `file:/a/b` (as Hadoop writes it) and plain absolute paths.
 * Throws a RangeError for other schemes and for URIs with a host.
 */
export function toPath(uri: string): string {
  if (uri.startsWith('file:///')) return uri.slice('file://'.length);
  if (uri.startsWith('file:/') && !uri.startsWith('file://')) return uri.slice('file:'.length);
  if (uri.startsWith('/')) return uri;
  throw new RangeError(`not a file:// URI: ${uri}`);
}

/** The `file://` URI of a path; a relative path is taken from the current folder. No trailing slash. */
export function toFileUri(filePath: string): string {
  return `file://${path.resolve(filePath)}`;
}
