// The configuration in the working directory, tidelake.config.json, as far as the command line needs it.
// Promises to refuse a file it cannot read as JSON, and to leave alone the keys that are not the command line's.
// Spec: DESIGN "The command".

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { TidelakeError } from '../../schemas/errors.js';
import { type AwsFlags, awsShape } from './aws-options.js';
import { nameSchema } from './check-input.js';

export const configName = 'tidelake.config.json';

const configSchema = z.looseObject({
  lake: z.string().min(1).optional(),
  database: nameSchema.optional(),
  catalog: z.enum(['files', 'glue']).optional(),
  aws: z.strictObject(awsShape).optional(),
});

export interface CliConfig {
  /** Lake as written: a path relative to the configuration, or a URI. */
  readonly lake?: string | undefined;
  readonly database?: string | undefined;
  readonly catalog?: 'files' | 'glue' | undefined;
  readonly aws?: AwsFlags | undefined;
}

/** Reads the configuration of a folder; empty when there is none. Throws USAGE when it is malformed. */
export async function readConfig(folder: string): Promise<CliConfig> {
  const path = join(folder, configName);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return {};
    throw malformed(`${configName} cannot be read`);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw malformed(`${configName} is not JSON`);
  }
  const checked = configSchema.safeParse(parsed);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0]!;
  throw malformed(`${configName}: ${issue.path.join('.') || 'the file'}: ${issue.message}`);
}

function malformed(what: string): TidelakeError {
  return new TidelakeError({
    code: 'USAGE',
    what,
    meaning: 'without it the lake is not known',
    next: `correct ${configName}, or name the lake with --lake`,
  });
}
