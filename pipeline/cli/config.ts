// The configuration in the working directory, tidelake.config.json: read, checked whole, and refused in words.
// Promises: a name nobody knows is refused with its path and the nearest name that is known, and every fault of a file is
// told at once. Spec: schemas/config.ts; docs/reference/configuration.md.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { configSchema, type TidelakeConfig } from '../../schemas/config.js';
import { schemaAt } from '../../schemas/config-json-schema.js';
import { TidelakeError } from '../../schemas/errors.js';
import { nearestName } from '../../schemas/nearest-name.js';
import { decodeUtf8, ManifestTextError, parseObject } from '../export/strict-json.js';

export const configName = 'tidelake.config.json';

/** Faults told of one file; the others show when these are mended. */
const faultsMax = 5;

/** Reads the configuration of a folder; empty when there is none. Throws USAGE when it is malformed. */
export async function readConfig(folder: string): Promise<TidelakeConfig> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(join(folder, configName));
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return {};
    throw malformed(`${configName} cannot be read`);
  }
  return parseConfig(bytes);
}

/** The configuration that a file holds. Throws USAGE, with its faults, when it holds none. */
export function parseConfig(bytes: Uint8Array): TidelakeConfig {
  let parsed: unknown;
  try {
    parsed = parseObject(decodeUtf8(bytes));
  } catch (error) {
    if (!(error instanceof ManifestTextError)) throw error;
    throw malformed(`${configName}: ${error.message}`);
  }
  const checked = configSchema.safeParse(parsed);
  if (!checked.success) {
    const faults = checked.error.issues.flatMap((issue) => faultsOf(issue, parsed));
    const more = faults.length > faultsMax ? `; and ${faults.length - faultsMax} more` : '';
    throw malformed(`${configName}: ${faults.slice(0, faultsMax).join('; ')}${more}`);
  }
  return checked.data;
}

/** What one issue says, in words: one fault, or one for each unknown name. */
function faultsOf(issue: z.core.$ZodIssue, file: unknown): readonly string[] {
  if (issue.code !== 'unrecognized_keys') {
    return [`${pathText(issue.path, file) || 'the file'}: ${issue.message}`];
  }
  const known = Object.keys(schemaAt(issue.path)?.properties ?? {});
  return issue.keys.map((key) => {
    const path = pathText([...issue.path, key], file);
    const nearest = nearestName(key, known);
    const meant =
      nearest === null ? `; known are ${known.join(', ')}` : `; did you mean ${nearest}?`;
    return `${path}: there is no such setting${meant}`;
  });
}

/** `tables[2].grainMinutes (of orders)`. */
function pathText(path: readonly PropertyKey[], file: unknown): string {
  const text = path.reduce<string>((before, step) => {
    if (typeof step === 'number') return `${before}[${step}]`;
    return before === '' ? String(step) : `${before}.${String(step)}`;
  }, '');
  if (path[0] !== 'tables' || typeof path[1] !== 'number') return text;
  const entries = (file as { readonly tables?: unknown }).tables;
  const entry: unknown = Array.isArray(entries) ? entries[path[1]] : undefined;
  const name = (entry as { readonly name?: unknown } | null | undefined)?.name;
  return typeof name === 'string' ? `${text} (of ${name.slice(0, 255)})` : text;
}

function malformed(what: string): TidelakeError {
  return new TidelakeError({
    code: 'USAGE',
    what,
    meaning: 'nothing was done, since what is meant is not known',
    next: `correct ${configName}; docs/reference/configuration.md has every setting`,
  });
}
