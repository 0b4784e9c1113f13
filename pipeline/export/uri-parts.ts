// Parts of the URIs that exports lie at.
// Promises: plain string work; nothing is decoded or resolved.
// Source: ports.ts, ObjectStore ("URIs are absolute").

/** The last part of a URI: the only part that messages show. */
export function nameOf(uri: string): string {
  return uri.slice(uri.lastIndexOf('/') + 1);
}

/** The URI of the folder that holds `uri`, without trailing slash. */
export function folderOf(uri: string): string {
  return uri.slice(0, Math.max(0, uri.lastIndexOf('/')));
}
