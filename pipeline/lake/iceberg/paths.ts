// Where a file named in metadata really lies: a lake folder that was moved or copied can still be read.
// Promises: no path leads out of the table's own folder. Source: apache/iceberg format/spec.md, "Table Metadata Fields"
// (location; all paths are absolute).
import { refuse } from '../../../schemas/errors.js';

/** A URI in the one form compared here: s3a and s3n are s3, `file:/x` is `file:///x`, no slash at the end. */
export function normalUri(uri: string): string {
  return uri
    .replace(/^s3[an]:\/\//, 's3://')
    .replace(/^file:\/(?!\/)/, 'file:///')
    .replace(/\/+$/, '');
}

/** Whether the table's folder is where its metadata says. */
export function isMoved(metadataLocation: string, actualLocation: string): boolean {
  return normalUri(metadataLocation) !== normalUri(actualLocation);
}

/** The URI under which a file is found: `uri` as metadata names it, below `metadataLocation`, moved below
 *  `actualLocation`. Throws REFUSED_FOREIGN_PATH for a file outside the table's folder. */
export function locate(metadataLocation: string, actualLocation: string, uri: string): string {
  const from = normalUri(metadataLocation);
  const path = normalUri(uri);
  const rest = path.slice(from.length);
  // Dots and slashes count in their percent-encoded form too: some stores decode them.
  const isBelow =
    path.startsWith(`${from}/`) &&
    !/(^|\/)(\.|%2e){1,2}(\/|$)/i.test(rest.replace(/%2f|%5c|\\/gi, '/'));
  if (!isBelow) {
    throw refuse(
      'REFUSED_FOREIGN_PATH',
      `the table at ${actualLocation} refers to a file outside its folder ${metadataLocation}`,
      'such a file may belong to somebody else; it was not read',
      'tidelake verify, to see which files are meant; move the table as one folder',
    );
  }
  return normalUri(actualLocation) + rest;
}
