// An ObjectStore in memory, for tests and previews.
// Promises: the same behaviour as the one on disk, proved by the same contract suite; bytes are copied in and out.
// Source: ports.ts, ObjectStore.
import {
  type ListedObject,
  ObjectNotFoundError,
  type ObjectStore,
  type ObjectWriter,
} from '../ports.js';

/** Size of the pieces an object is streamed in, in bytes. */
const pieceBytes = 256 * 1024;

/** Objects in a map, under URIs of any scheme. */
export class MemoryStore implements ObjectStore {
  readonly #objects: Map<string, Uint8Array> = new Map();
  readonly #writtenMs: Map<string, number> = new Map();
  readonly #nowMs: () => number;

  /** `nowMs` is the store's clock: when objects were written. */
  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
  }

  async size(uri: string): Promise<number | null> {
    return this.#objects.get(uri)?.length ?? null;
  }

  async read(
    uri: string,
    range?: { readonly start: number; readonly end: number },
  ): Promise<Uint8Array> {
    const bytes = this.#get(uri);
    return range === undefined ? bytes.slice() : bytes.slice(range.start, range.end);
  }

  async *stream(uri: string): AsyncGenerator<Uint8Array> {
    const bytes = this.#get(uri);
    for (let start = 0; start < bytes.length; start += pieceBytes) {
      yield bytes.slice(start, start + pieceBytes);
    }
  }

  async *list(folderUri: string): AsyncGenerator<ListedObject> {
    const prefix = folderPrefix(folderUri);
    for (const [uri, bytes] of [...this.#objects]) {
      if (!uri.startsWith(prefix)) continue;
      yield { uri, size: bytes.length, modifiedMs: this.#writtenMs.get(uri)! };
    }
  }

  async children(folderUri: string): Promise<readonly string[]> {
    const prefix = folderPrefix(folderUri);
    const names = new Set<string>();
    for (const uri of this.#objects.keys()) {
      if (uri.startsWith(prefix)) names.add(uri.slice(prefix.length).split('/', 1)[0]!);
    }
    return [...names].sort();
  }

  async create(uri: string): Promise<ObjectWriter> {
    return new MemoryWriter((bytes) => this.#set(uri, bytes));
  }

  async putIfAbsent(uri: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    if (this.#objects.has(uri)) return 'exists';
    this.#set(uri, bytes.slice());
    return 'created';
  }

  async put(uri: string, bytes: Uint8Array): Promise<void> {
    this.#set(uri, bytes.slice());
  }

  async remove(uri: string): Promise<void> {
    this.#objects.delete(uri);
    this.#writtenMs.delete(uri);
  }

  #set(uri: string, bytes: Uint8Array): void {
    this.#objects.set(uri, bytes);
    this.#writtenMs.set(uri, this.#nowMs());
  }

  #get(uri: string): Uint8Array {
    const bytes = this.#objects.get(uri);
    if (bytes === undefined) throw new ObjectNotFoundError(uri);
    return bytes;
  }
}

class MemoryWriter implements ObjectWriter {
  readonly #publish: (bytes: Uint8Array) => void;
  readonly #parts: Uint8Array[] = [];
  #state: 'open' | 'closed' | 'aborted' = 'open';

  constructor(publish: (bytes: Uint8Array) => void) {
    this.#publish = publish;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#state !== 'open') throw new Error(`write after the writer was ${this.#state}`);
    this.#parts.push(bytes.slice());
  }

  async close(): Promise<void> {
    if (this.#state !== 'open') throw new Error(`close after the writer was ${this.#state}`);
    this.#state = 'closed';
    this.#publish(new Uint8Array(Buffer.concat(this.#parts)));
  }

  async abort(): Promise<void> {
    if (this.#state === 'open') this.#state = 'aborted';
  }
}

function folderPrefix(folderUri: string): string {
  return `${folderUri.replace(/\/+$/, '')}/`;
}
