// Where a command's configuration is: tidelake.config.json in the working directory, or what TIDELAKE_CONFIG says.
// Promises: what the environment names has to be there, since a job without its tables would do nothing and look well; AWS's code
// is loaded only for a configuration in S3.
// Source: docs/reference/configuration.md; docs/how-to/hourly-job.md, "Configuration of the function".

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { TidelakeConfig } from '../../schemas/config.js';
import { TidelakeError } from '../../schemas/errors.js';
import { ObjectNotFoundError } from '../ports.js';
import { configName, parseConfig, readConfig } from './config.js';
import type { CliContext } from './context.js';
import { openStore } from './open-store.js';
import { packageVersion } from './package-root.js';

/**
 * The configuration. TIDELAKE_CONFIG is an object (`s3://bucket/key`), a file, or the JSON itself.
 * @throws TidelakeError USAGE when it is malformed or not there, and what S3 answers
 */
export async function findConfig({
  process: own,
  folder,
}: Pick<CliContext, 'process' | 'folder'>): Promise<TidelakeConfig> {
  const place = own.env.TIDELAKE_CONFIG?.trim() ?? '';
  if (place === '') return readConfig(folder);
  if (place.startsWith('{')) return parseConfig(Buffer.from(place));
  try {
    if (!place.startsWith('s3://')) return parseConfig(await readFile(resolve(folder, place)));
    return parseConfig(await openStore({ aws: { version: packageVersion() } }).read(place));
  } catch (thrown) {
    const { code } = thrown as { readonly code?: unknown };
    const isMissing = thrown instanceof ObjectNotFoundError || code === 'ENOENT';
    if (thrown instanceof TidelakeError && !isMissing) throw thrown;
    throw new TidelakeError({
      code: 'USAGE',
      what: `TIDELAKE_CONFIG: the configuration ${isMissing ? 'is not at' : 'cannot be read from'} ${place}`,
      meaning: 'nothing was done, since what is meant is not known',
      next: `set it to s3://bucket/key, to a path, or to the JSON itself; or unset it and write ${configName}`,
    });
  }
}
