// Scratch space: spilled rows in private files of this machine, or in memory.
// Promises: the folder is readable by its owner only, has a random name, and is gone after close, at exit, or at the latest when the next run starts.
// Source: ports.ts, Scratch; facts on failures: nothing leaks into files left behind.
import { createHash, randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import type { Scratch, ScratchRef } from '../ports.js';
import { errnoOf, writeError } from './file-errors.js';

/** Buffers given to one writev call at most; the system's own limit is 1,024. */
const buffersPerWriteMax = 512;

/** Folders made here and not closed. A name with this process's id says little: in a container each run is process 1 again. */
const openFolders: Set<string> = new Set();

/**
 * Scratch files in one private folder. Each instance appends to a file of its own and reads all files of the folder,
 * so what one thread wrote another can read. The bytes given to `write` must not change before it has returned.
 */
export class DiskScratch implements Scratch {
  /** The folder, for `attach` in a worker thread. */
  readonly folder: string;
  readonly #isOwner: boolean;
  readonly #name: string = randomBytes(16).toString('hex');
  readonly #readers: Map<string, Promise<FileHandle>> = new Map();
  readonly #removeAtExit = (): void => rmSync(this.folder, { recursive: true, force: true });
  #writer: Promise<FileHandle> | null = null;
  #end = 0;

  private constructor(folder: string, isOwner: boolean) {
    this.folder = folder;
    this.#isOwner = isOwner;
    if (isOwner) process.once('exit', this.#removeAtExit);
  }

  /**
   * Makes a new private folder below `parent` (default: the system's folder for temporary files), and removes those
   * that dead processes of this machine and user left there.
   */
  static async open(parent: string = tmpdir()): Promise<DiskScratch> {
    await mkdir(parent, { recursive: true });
    await sweep(parent);
    const random = randomBytes(8).toString('hex');
    const folder = path.resolve(parent, `${folderPrefix()}${process.pid}-${random}`);
    openFolders.add(folder);
    try {
      await mkdir(folder, { mode: 0o700 });
    } catch (error) {
      openFolders.delete(folder);
      throw writeError(error, folder);
    }
    return new DiskScratch(folder, true);
  }

  /** Uses the folder of another instance, e.g. from a worker thread. Closing it leaves the folder alone. */
  static attach(folder: string): DiskScratch {
    return new DiskScratch(folder, false);
  }

  async write(parts: readonly Uint8Array[]): Promise<ScratchRef> {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const offset = this.#end;
    this.#end += length;
    const filePath = path.join(this.folder, this.#name);
    this.#writer ??= open(filePath, 'wx', 0o600);
    try {
      await writeParts(await this.#writer, parts, offset);
    } catch (error) {
      throw writeError(error, filePath);
    }
    return { name: this.#name, offset, length };
  }

  async read(ref: ScratchRef): Promise<Uint8Array> {
    if (!/^[0-9a-f]{32}$/.test(ref.name)) throw new RangeError('not a scratch file');
    let reader = this.#readers.get(ref.name);
    if (reader === undefined) {
      reader = open(path.join(this.folder, ref.name), 'r');
      this.#readers.set(ref.name, reader);
    }
    const file = await reader;
    const bytes = Buffer.allocUnsafeSlow(ref.length);
    let filled = 0;
    while (filled < ref.length) {
      const { bytesRead } = await file.read(
        bytes,
        filled,
        ref.length - filled,
        ref.offset + filled,
      );
      if (bytesRead === 0) throw new RangeError('a scratch file is shorter than what was written');
      filled += bytesRead;
    }
    return bytes;
  }

  async close(): Promise<void> {
    const handles = [...this.#readers.values()];
    if (this.#writer !== null) handles.push(this.#writer);
    this.#readers.clear();
    this.#writer = null;
    await Promise.allSettled(handles.map(async (handle) => (await handle).close()));
    if (!this.#isOwner) return;
    process.off('exit', this.#removeAtExit);
    await rm(this.folder, { recursive: true, force: true });
    openFolders.delete(this.folder);
  }
}

/** Scratch space in memory, for tests and small work. */
export class MemoryScratch implements Scratch {
  readonly #written: Map<string, Uint8Array> = new Map();
  #count = 0;

  async write(parts: readonly Uint8Array[]): Promise<ScratchRef> {
    const bytes = new Uint8Array(Buffer.concat(parts));
    this.#count += 1;
    const name = this.#count.toString(16).padStart(32, '0');
    this.#written.set(name, bytes);
    return { name, offset: 0, length: bytes.length };
  }

  async read(ref: ScratchRef): Promise<Uint8Array> {
    const bytes = this.#written.get(ref.name);
    if (bytes === undefined) throw new RangeError('not a scratch file');
    return bytes.slice(ref.offset, ref.offset + ref.length);
  }

  async close(): Promise<void> {
    this.#written.clear();
  }
}

async function writeParts(
  file: FileHandle,
  parts: readonly Uint8Array[],
  offset: number,
): Promise<void> {
  let position = offset;
  for (let i = 0; i < parts.length; i += buffersPerWriteMax) {
    const batch = parts.slice(i, i + buffersPerWriteMax);
    const length = batch.reduce((sum, part) => sum + part.length, 0);
    const { bytesWritten } = await file.writev(batch, position);
    if (bytesWritten < length) {
      await writeRest(file, Buffer.concat(batch), bytesWritten, position);
    }
    position += length;
  }
}

/** After a short write: the rest, as often as it takes. A full disk then says so with ENOSPC. */
async function writeRest(
  file: FileHandle,
  bytes: Uint8Array,
  from: number,
  position: number,
): Promise<void> {
  let done = from;
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** Folder names carry the host, since process ids mean nothing to a container that shares the disk. */
function folderPrefix(): string {
  const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 12);
  return `tidelake-scratch-${host}-`;
}

async function sweep(parent: string): Promise<void> {
  const prefix = folderPrefix();
  for (const name of await readdir(parent)) {
    const pid = /^(\d+)-[0-9a-f]{16}$/.exec(
      name.startsWith(prefix) ? name.slice(prefix.length) : '',
    );
    if (pid === null) continue;
    const folder = path.resolve(parent, name);
    const found = await lstat(folder).catch(() => null);
    if (found?.isDirectory() !== true || found.uid !== process.getuid?.()) continue;
    const isOurs = Number(pid[1]) === process.pid;
    if (isOurs ? isOpenHere(folder, found.mtimeMs) : isAlive(Number(pid[1]))) continue;
    // Two runs may sweep at once; what one of them cannot remove is no reason to stop.
    await rm(folder, { recursive: true, force: true }).catch(() => {});
  }
}

/** Whether a folder with this process's id is this process's: made by this module, or since the process began, by another
 *  copy or thread of it. The rest is of a dead process that had the same id. */
function isOpenHere(folder: string, changedMs: number): boolean {
  if (openFolders.has(folder)) return true;
  return changedMs >= Date.now() - process.uptime() * 1000;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) !== 'ESRCH';
  }
}
