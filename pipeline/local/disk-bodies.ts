// The bodies of the simulated S3 on disk: one file each, under a random name.
// Promises: a body is durable, with its name, before `close` returns; nothing but files it named itself is ever removed.
// Source: simulator/aws/bodies.ts, SimBodies.
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import path from 'node:path';
import type { SimBodies, SimBodyWriter } from '../simulator/aws/bodies.js';
import { makeFolder, syncFolder, unlinkIfThere, writeAll } from './durable-files.js';
import { isMissing, writeError } from './file-errors.js';

/** Size of the pieces a body is read in, in bytes. */
const pieceBytes = 256 * 1024;

/** Bodies below a folder, spread over sub-folders by the first two letters of their names. */
export class DiskBodies implements SimBodies {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async create(): Promise<SimBodyWriter> {
    const id = randomBytes(16).toString('hex');
    const target = this.#path(id);
    try {
      await makeFolder(path.dirname(target));
      return new DiskBodyWriter(id, target, await open(target, 'wx'));
    } catch (error) {
      throw writeError(error, target);
    }
  }

  async *read(id: string, start: number, end: number): AsyncGenerator<Uint8Array> {
    const file = await open(this.#path(id), 'r');
    try {
      let at = start;
      while (at < end) {
        const piece = Buffer.allocUnsafeSlow(Math.min(pieceBytes, end - at));
        const { bytesRead } = await file.read(piece, 0, piece.length, at);
        if (bytesRead === 0) throw new Error(`body ${id} ends at byte ${at}, before ${end}`);
        at += bytesRead;
        yield piece.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  }

  async remove(id: string): Promise<void> {
    await unlinkIfThere(this.#path(id));
  }

  async ids(): Promise<readonly string[]> {
    const found: string[] = [];
    for (const folder of await entriesOf(this.#folder)) {
      if (!/^[0-9a-f]{2}$/.test(folder)) continue;
      const names = await entriesOf(path.join(this.#folder, folder));
      found.push(...names.filter((name) => /^[0-9a-f]{32}$/.test(name) && name.startsWith(folder)));
    }
    return found;
  }

  #path(id: string): string {
    return path.join(this.#folder, id.slice(0, 2), id);
  }
}

class DiskBodyWriter implements SimBodyWriter {
  readonly id: string;
  readonly #target: string;
  readonly #file: FileHandle;

  constructor(id: string, target: string, file: FileHandle) {
    this.id = id;
    this.#target = target;
    this.#file = file;
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      await writeAll(this.#file, bytes);
    } catch (error) {
      throw writeError(error, this.#target);
    }
  }

  async close(): Promise<void> {
    try {
      await this.#file.sync();
      await this.#file.close();
      await syncFolder(path.dirname(this.#target));
    } catch (error) {
      throw writeError(error, this.#target);
    }
  }

  async abort(): Promise<void> {
    await this.#file.close().catch(() => {}); // may be closed already
    await unlinkIfThere(this.#target);
  }
}

async function entriesOf(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
