// One store that is another one below a folder: a lake in memory or in S3, beside saved queries on disk.
// Promises: whoever names a place gets the store it lies in.

import type { ObjectStore } from '../../pipeline/ports.js';

/** `store`, but `other` for all that lies at or below `folderUri`. */
export function withFolder(store: ObjectStore, folderUri: string, other: ObjectStore): ObjectStore {
  return new Proxy(store, {
    get(target, name) {
      const method = Reflect.get(target, name) as unknown;
      if (typeof method !== 'function') return method;
      return (uri: string, ...rest: unknown[]): unknown => {
        const at = uri.startsWith(folderUri) ? other : target;
        return (Reflect.get(at, name) as (...args: unknown[]) => unknown).call(at, uri, ...rest);
      };
    },
  });
}
