// An ObjectStore on disk: folders of files, under file:// URIs.
// Promises: an object appears whole or not at all, durable before anyone is told; of two putIfAbsent one wins, on any POSIX file system with hard links.
// Source: rename(2), link(2), fsync(2); ports.ts, ObjectStore.
import type { Dirent } from 'node:fs';
import { type FileHandle, link, open, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import {
  type ListedObject,
  ObjectNotFoundError,
  type ObjectStore,
  type ObjectWriter,
} from '../ports.js';
import {
  openTemporary,
  publish,
  syncFolder,
  type Temporary,
  temporaryPrefix,
  unlinkIfThere,
  writeAll,
  writeTemporary,
} from './durable-files.js';
import { errnoOf, isMissing, readError, writeError } from './file-errors.js';
import { toPath } from './file-uri.js';

/** Size of the pieces an object is streamed in, in bytes. */
const pieceBytes = 256 * 1024;

/** Files on disk as an ObjectStore. Holds no state: any number of instances and processes may share a folder. */
export class DiskStore implements ObjectStore {
  async size(uri: string): Promise<number | null> {
    return (await statOf(uri))?.size ?? null;
  }

  async read(
    uri: string,
    range?: { readonly start: number; readonly end: number },
  ): Promise<Uint8Array> {
    const filePath = toPath(uri);
    try {
      return range === undefined ? await readFile(filePath) : await readRange(filePath, range);
    } catch (error) {
      if (isMissing(error)) throw new ObjectNotFoundError(uri);
      throw readError(error, filePath);
    }
  }

  async *stream(uri: string): AsyncGenerator<Uint8Array> {
    const file = await openToRead(uri);
    try {
      for (;;) {
        const piece = Buffer.allocUnsafeSlow(pieceBytes);
        const { bytesRead } = await file.read(piece, 0, pieceBytes, null);
        if (bytesRead === 0) return;
        yield piece.subarray(0, bytesRead);
      }
    } catch (error) {
      if (isMissing(error)) throw new ObjectNotFoundError(uri);
      throw error;
    } finally {
      await file.close();
    }
  }

  async *list(folderUri: string): AsyncGenerator<ListedObject> {
    const base = withoutTrailingSlash(folderUri);
    for (const entry of await entriesOf(toPath(base))) {
      const uri = `${base}/${entry.name}`;
      if (entry.isDirectory()) {
        yield* this.list(uri);
        continue;
      }
      // Gone since the folder was read (null): another process removed it, which is no error of ours.
      const found = await statOf(uri);
      if (found !== null) yield { uri, size: found.size, modifiedMs: found.mtimeMs };
    }
  }

  async children(folderUri: string): Promise<readonly string[]> {
    const entries = await entriesOf(toPath(withoutTrailingSlash(folderUri)));
    return entries.map((entry) => entry.name).sort();
  }

  async create(uri: string): Promise<ObjectWriter> {
    return new DiskWriter(await openTemporary(toPath(uri)), toPath(uri));
  }

  async putIfAbsent(uri: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    const target = toPath(uri);
    // Only to spare the write: what decides is link(), which fails when the name is taken.
    if ((await this.size(uri)) !== null) return 'exists';
    const temporary = await writeTemporary(target, bytes);
    try {
      await link(temporary, target);
      await syncFolder(path.dirname(target));
      return 'created';
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return 'exists';
      throw writeError(error, target);
    } finally {
      await unlinkIfThere(temporary);
    }
  }

  async put(uri: string, bytes: Uint8Array): Promise<void> {
    const target = toPath(uri);
    await publish(await writeTemporary(target, bytes), target);
  }

  async remove(uri: string): Promise<void> {
    try {
      await unlinkIfThere(toPath(uri));
    } catch (error) {
      if ((await this.size(uri)) === null) return; // a folder: EPERM or EISDIR, by operating system
      throw writeError(error, toPath(uri));
    }
  }
}

/** For worker threads, which make their own store: see worker-units.ts. */
export function openStore(): ObjectStore {
  return new DiskStore();
}

class DiskWriter implements ObjectWriter {
  readonly #temporary: Temporary;
  readonly #target: string;
  #state: 'open' | 'closed' | 'aborted' = 'open';

  constructor(temporary: Temporary, target: string) {
    this.#temporary = temporary;
    this.#target = target;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#state !== 'open') throw new Error(`write after the writer was ${this.#state}`);
    try {
      await writeAll(this.#temporary.file, bytes);
    } catch (error) {
      throw writeError(error, this.#target);
    }
  }

  async close(): Promise<void> {
    if (this.#state !== 'open') throw new Error(`close after the writer was ${this.#state}`);
    try {
      await this.#temporary.file.sync();
      await this.#temporary.file.close();
    } catch (error) {
      throw writeError(error, this.#target);
    }
    await publish(this.#temporary.path, this.#target);
    this.#state = 'closed';
  }

  async abort(): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'aborted';
    await this.#temporary.file.close().catch(() => {}); // may be closed already
    await unlinkIfThere(this.#temporary.path);
  }
}

async function openToRead(uri: string): Promise<FileHandle> {
  try {
    return await open(toPath(uri), 'r');
  } catch (error) {
    if (isMissing(error)) throw new ObjectNotFoundError(uri);
    throw readError(error, toPath(uri));
  }
}

async function readRange(
  filePath: string,
  range: { readonly start: number; readonly end: number },
): Promise<Uint8Array> {
  const file = await open(filePath, 'r');
  try {
    const length = Math.min(range.end, (await file.stat()).size) - range.start;
    if (length <= 0) return new Uint8Array(0);
    const bytes = Buffer.allocUnsafeSlow(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await file.read(bytes, filled, length - filled, range.start + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  } finally {
    await file.close();
  }
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => !entry.name.startsWith(temporaryPrefix));
  } catch (error) {
    if (isMissing(error)) return [];
    throw readError(error, folder);
  }
}

function withoutTrailingSlash(uri: string): string {
  return uri.replace(/\/+$/, '');
}

/** What the file system says of a file; null when there is none. */
async function statOf(
  uri: string,
): Promise<{ readonly size: number; readonly mtimeMs: number } | null> {
  try {
    const found = await stat(toPath(uri));
    return found.isFile() ? found : null;
  } catch (error) {
    if (isMissing(error)) return null;
    throw readError(error, toPath(uri));
  }
}
