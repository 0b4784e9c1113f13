// The simulator's documents on disk: one JSON file each, below one folder per service.
// Promises: a document is replaced whole or not at all and durable before `put` returns; any name makes a legal file name,
// also where file names ignore case. One process at a time: names are kept in memory.
// Source: simulator/aws/service.ts, SimDocuments.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { SimDocuments } from '../simulator/aws/service.js';
import {
  publish,
  syncFolder,
  temporaryPrefix,
  unlinkIfThere,
  writeTemporary,
} from './durable-files.js';
import { isMissing } from './file-errors.js';

/** Longest file name used; file systems allow 255 bytes. */
const fileNameMax = 200;
const suffix = '.json';

interface StoredDocument {
  readonly name: string;
  readonly value: unknown;
}

/** Opens the documents below a folder, which is made when the first one is put. */
export async function openDiskDocuments(folder: string): Promise<SimDocuments> {
  const names = new Map<string, Set<string>>();
  for (const service of await entriesOf(folder)) {
    names.set(decodeURIComponent(service), await namesOf(path.join(folder, service)));
  }
  return new DiskDocuments(folder, names);
}

class DiskDocuments implements SimDocuments {
  readonly #folder: string;
  /** Names of documents by the service they begin with. */
  readonly #names: Map<string, Set<string>>;

  constructor(folder: string, names: Map<string, Set<string>>) {
    this.#folder = folder;
    this.#names = names;
  }

  async get(name: string): Promise<unknown | null> {
    try {
      return (JSON.parse(await readFile(this.#path(name), 'utf8')) as StoredDocument).value;
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  async put(name: string, value: unknown): Promise<void> {
    const document: StoredDocument = { name, value };
    const target = this.#path(name);
    await publish(await writeTemporary(target, Buffer.from(JSON.stringify(document))), target);
    const service = serviceOf(name);
    const names = this.#names.get(service) ?? new Set();
    this.#names.set(service, names.add(name));
  }

  async remove(name: string): Promise<void> {
    const target = this.#path(name);
    if (this.#names.get(serviceOf(name))?.delete(name) !== true) return;
    await unlinkIfThere(target);
    await syncFolder(path.dirname(target));
  }

  async names(prefix: string): Promise<readonly string[]> {
    const found: string[] = [];
    for (const [service, names] of this.#names) {
      if (!service.startsWith(prefix) && !prefix.startsWith(service)) continue;
      for (const name of names) if (name.startsWith(prefix)) found.push(name);
    }
    return found.sort();
  }

  #path(name: string): string {
    return path.join(this.#folder, fileNameOf(serviceOf(name)), `${fileNameOf(name)}${suffix}`);
  }
}

/** A document's name up to the first slash. */
function serviceOf(name: string): string {
  return name.split('/', 1)[0]!;
}

/** A file name for any name: readable and reversible when it is short, else a hash. */
function fileNameOf(name: string): string {
  let readable: string;
  try {
    readable = encodeURIComponent(name)
      .replace(/%[0-9A-F]{2}/g, (escaped) => escaped.toLowerCase())
      .replaceAll('~', '%7e')
      .replaceAll('.', '%2e')
      .replace(/[A-Z]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
  } catch {
    readable = ''; // half of a surrogate pair, which has no UTF-8
  }
  const isUsable = readable !== '' && readable.length <= fileNameMax;
  return isUsable ? readable : `~${createHash('sha256').update(name, 'utf16le').digest('hex')}`;
}

/** Names of the documents in a service's folder; temporary files of a crash are removed. */
async function namesOf(folder: string): Promise<Set<string>> {
  const names = new Set<string>();
  for (const file of await entriesOf(folder)) {
    if (file.startsWith(temporaryPrefix)) await unlinkIfThere(path.join(folder, file));
    if (!file.endsWith(suffix)) continue;
    const base = file.slice(0, -suffix.length);
    if (!base.startsWith('~')) {
      names.add(decodeURIComponent(base));
      continue;
    }
    const text = await readFile(path.join(folder, file), 'utf8');
    names.add((JSON.parse(text) as StoredDocument).name);
  }
  return names;
}

async function entriesOf(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
