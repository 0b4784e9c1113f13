// Where this package lies on disk, for its version and its saved queries.
// Promises the same answer from the sources and from the build.
// Spec: none.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toFileUri } from '../local/file-uri.js';

/** Folder that holds Tidelake's package.json. */
export function packageFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('the package has no package.json');
    folder = parent;
  }
  return folder;
}

/** Version of this package. */
export function packageVersion(): string {
  const parsed: unknown = JSON.parse(readFileSync(join(packageFolder(), 'package.json'), 'utf8'));
  return String((parsed as { version?: unknown }).version);
}

/** URI of the folder of the saved queries that come with the package. */
export function savedQueriesUri(): string {
  return queriesUri('saved');
}

/** URI of the folder of one kind of queries that come with the package. */
export function queriesUri(kind: 'saved' | 'views' | 'checks'): string {
  return toFileUri(join(packageFolder(), 'queries', kind));
}
