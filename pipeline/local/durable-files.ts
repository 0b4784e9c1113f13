// Files that are there whole or not at all: written under a temporary name, forced to disk, renamed.
// Promises: what is published survives a power cut; a crash leaves at most files whose names begin with `.tmp-`.
// Source: rename(2), fsync(2).
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rename, unlink } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf, writeError } from './file-errors.js';

/** How names of unpublished files start. */
export const temporaryPrefix = '.tmp-';

/** A file that has no name of its own yet. */
export interface Temporary {
  readonly file: FileHandle;
  readonly path: string;
}

/** Opens a new file in the target's folder, so that publishing it is a rename inside one file system. */
export async function openTemporary(target: string): Promise<Temporary> {
  const folder = path.dirname(target);
  const temporary = path.join(folder, `${temporaryPrefix}${randomBytes(12).toString('hex')}`);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  try {
    await makeFolder(folder);
    return { file: await open(temporary, flags), path: temporary };
  } catch (error) {
    throw writeError(error, target);
  }
}

export async function writeTemporary(target: string, bytes: Uint8Array): Promise<string> {
  const temporary = await openTemporary(target);
  try {
    await writeAll(temporary.file, bytes);
    await temporary.file.sync();
    await temporary.file.close();
    return temporary.path;
  } catch (error) {
    await temporary.file.close().catch(() => {});
    await unlinkIfThere(temporary.path);
    throw writeError(error, target);
  }
}

export async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, null);
    written += bytesWritten;
  }
}

export async function publish(temporary: string, target: string): Promise<void> {
  try {
    await rename(temporary, target);
    await syncFolder(path.dirname(target));
  } catch (error) {
    await unlinkIfThere(temporary);
    throw writeError(error, target);
  }
}

/** Makes a folder and its parents, and their names durable. */
export async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = path.dirname(made)) {
    await syncFolder(path.dirname(made));
  }
}

/** A new name survives a power cut only once its folder was written too. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some file systems have no fsync for folders; they keep names by other means.
    if (errnoOf(error) !== 'EINVAL' && errnoOf(error) !== 'ENOTSUP') throw error;
  } finally {
    await handle.close();
  }
}

export async function unlinkIfThere(filePath: string): Promise<void> {
  try {
    await unlink(filePath);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw error;
  }
}
