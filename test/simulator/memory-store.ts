// The smallest ObjectStore there can be, for the simulator's own tests.
// Promises: objects are visible after close only, and keep the bytes they got.
// Source: pipeline/ports.ts.

import { type ListedObject, ObjectNotFoundError, type ObjectStore } from '../../pipeline/ports.js';

export class TestStore implements ObjectStore {
  readonly objects = new Map<string, Uint8Array>();
  /** URIs in the order in which they became visible. */
  readonly published: string[] = [];

  #publish(uri: string, bytes: Uint8Array): void {
    this.objects.set(uri, bytes);
    this.published.push(uri);
  }

  async size(uri: string): Promise<number | null> {
    return this.objects.get(uri)?.length ?? null;
  }

  async read(uri: string): Promise<Uint8Array> {
    const bytes = this.objects.get(uri);
    if (bytes === undefined) throw new ObjectNotFoundError(uri);
    return bytes;
  }

  async *stream(uri: string): AsyncIterable<Uint8Array> {
    yield await this.read(uri);
  }

  async *list(folderUri: string): AsyncIterable<ListedObject> {
    for (const [uri, bytes] of this.objects) {
      if (uri.startsWith(`${folderUri}/`)) yield { uri, size: bytes.length, modifiedMs: 0 };
    }
  }

  async children(folderUri: string): Promise<readonly string[]> {
    const names = new Set<string>();
    for await (const { uri } of this.list(folderUri))
      names.add(uri.slice(folderUri.length + 1).split('/')[0]!);
    return [...names].sort();
  }

  async create(uri: string) {
    const pieces: Uint8Array[] = [];
    return {
      write: async (bytes: Uint8Array): Promise<void> => {
        pieces.push(Uint8Array.from(bytes));
      },
      close: async (): Promise<void> => this.#publish(uri, Buffer.concat(pieces)),
      abort: async (): Promise<void> => {},
    };
  }

  async putIfAbsent(uri: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    if (this.objects.has(uri)) return 'exists';
    this.#publish(uri, bytes);
    return 'created';
  }

  async put(uri: string, bytes: Uint8Array): Promise<void> {
    this.#publish(uri, bytes);
  }

  async remove(uri: string): Promise<void> {
    this.objects.delete(uri);
  }

  text(uri: string): string {
    const bytes = this.objects.get(uri);
    if (bytes === undefined) throw new ObjectNotFoundError(uri);
    return Buffer.from(bytes).toString('utf8');
  }
}
