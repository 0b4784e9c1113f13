// Files of an attempt that came to nothing.

import type { ObjectStore } from '../ports.js';

/** Removes files that no commit refers to. The first failure's error is not of interest beside the one that led here. */
export async function removeFiles(store: ObjectStore, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    try {
      await store.remove(path);
    } catch {
      // The file stays as an orphan, which `verify` reports: it is in no snapshot.
      return;
    }
  }
}
