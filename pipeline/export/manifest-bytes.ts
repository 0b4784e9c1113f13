// Reads a manifest file together with the checksum file beside it.
// Promises: bytes come back only when their MD5 is the one DynamoDB wrote down.
// Source: Amazon DynamoDB Developer Guide, "DynamoDB table exports, output format" (manifest files); the page names the checksum files both `.md5` and `.checksum`.
import { createHash } from 'node:crypto';
import { refuse, type TidelakeError } from '../../schemas/errors.js';
import { manifestBytesMax } from '../../schemas/limits.js';
import { ObjectNotFoundError, type ObjectStore } from '../ports.js';
import { folderOf, nameOf } from './uri-parts.js';

/** A checksum file holds 24 characters; more than this is something else. */
const checksumBytesMax = 1024;

/** What refusals of an export as a whole mean, and what to do. */
export const nothingWritten = 'nothing was written; the lake is as it was';
export const copyAgain = 'copy the export again, or ask DynamoDB for it again (tidelake export)';

/** A manifest that is damaged, or contradicts itself. */
export function badManifest(uri: string, why: string): TidelakeError {
  return refuse('REFUSED_MANIFEST', `${nameOf(uri)}: ${why}`, nothingWritten, copyAgain);
}

/**
 * The bytes of `uri`, or null when it is not there. Throws REFUSED_CHECKSUM when its checksum file is missing or names
 * other bytes, REFUSED_LIMIT when it is larger than any manifest can be.
 */
export async function readManifest(store: ObjectStore, uri: string): Promise<Uint8Array | null> {
  const size = await store.size(uri);
  if (size === null) return null;
  if (size > manifestBytesMax) {
    throw refuse(
      'REFUSED_LIMIT',
      `${nameOf(uri)} has ${size} bytes; at most ${manifestBytesMax} are read`,
      nothingWritten,
      'check that this is the manifest of a DynamoDB export',
    );
  }
  const bytes = await store.read(uri);
  await checkMd5(store, uri, bytes);
  return bytes;
}

async function checkMd5(store: ObjectStore, uri: string, bytes: Uint8Array): Promise<void> {
  const stem = nameOf(uri).replace(/\.json$/, '');
  for (const name of [`${stem}.md5`, `${stem}.checksum`]) {
    const written = await readChecksum(store, `${folderOf(uri)}/${name}`);
    if (written === null) continue;
    if (written === createHash('md5').update(bytes).digest('base64')) return;
    throw refuse(
      'REFUSED_CHECKSUM',
      `${nameOf(uri)} is not the file that ${name} was written for`,
      nothingWritten,
      copyAgain,
    );
  }
  throw refuse(
    'REFUSED_CHECKSUM',
    `${nameOf(uri)} has no checksum file ${stem}.md5 or ${stem}.checksum beside it`,
    nothingWritten,
    copyAgain,
  );
}

/** The checksum without white space; null when there is no such file. */
async function readChecksum(store: ObjectStore, uri: string): Promise<string | null> {
  try {
    const bytes = await store.read(uri, { start: 0, end: checksumBytesMax });
    return Buffer.from(bytes).toString('latin1').replace(/\s+/g, '');
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return null;
    throw error;
  }
}
