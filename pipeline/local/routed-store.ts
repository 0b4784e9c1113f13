// One ObjectStore over several, told apart by the scheme of a URI.
// Promises: a store is opened when its scheme is first met; a scheme without a store is refused by name.
// Source: ports.ts, ObjectStore.
import { TidelakeError } from '../../schemas/errors.js';
import type { ListedObject, ObjectStore, ObjectWriter } from '../ports.js';

/** How the store of a scheme is opened. */
export type StoreRoutes = Readonly<Record<string, () => Promise<ObjectStore>>>;

/** Sends each call to the store of its URI's scheme; a plain path is a `file:`. */
export class RoutedStore implements ObjectStore {
  readonly #routes: StoreRoutes;
  readonly #opened: Map<string, Promise<ObjectStore>> = new Map();

  constructor(routes: StoreRoutes) {
    this.#routes = routes;
  }

  async size(uri: string): Promise<number | null> {
    return (await this.#storeOf(uri)).size(uri);
  }

  async read(
    uri: string,
    range?: { readonly start: number; readonly end: number },
  ): Promise<Uint8Array> {
    return (await this.#storeOf(uri)).read(uri, range);
  }

  async *stream(uri: string): AsyncGenerator<Uint8Array> {
    yield* (await this.#storeOf(uri)).stream(uri);
  }

  async *list(folderUri: string): AsyncGenerator<ListedObject> {
    yield* (await this.#storeOf(folderUri)).list(folderUri);
  }

  async children(folderUri: string): Promise<readonly string[]> {
    return (await this.#storeOf(folderUri)).children(folderUri);
  }

  async create(uri: string): Promise<ObjectWriter> {
    return (await this.#storeOf(uri)).create(uri);
  }

  async putIfAbsent(uri: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    return (await this.#storeOf(uri)).putIfAbsent(uri, bytes);
  }

  async put(uri: string, bytes: Uint8Array): Promise<void> {
    return (await this.#storeOf(uri)).put(uri, bytes);
  }

  async remove(uri: string): Promise<void> {
    return (await this.#storeOf(uri)).remove(uri);
  }

  #storeOf(uri: string): Promise<ObjectStore> {
    const scheme = /^([a-z][a-z0-9+.-]*):/.exec(uri)?.[1] ?? 'file';
    let store = this.#opened.get(scheme);
    if (store === undefined) {
      const open = Object.hasOwn(this.#routes, scheme) ? this.#routes[scheme] : undefined;
      if (open === undefined) throw noStore(scheme, Object.keys(this.#routes));
      store = open();
      this.#opened.set(scheme, store);
    }
    return store;
  }
}

function noStore(scheme: string, known: readonly string[]): TidelakeError {
  return new TidelakeError({
    code: 'USAGE',
    what: `there is no way to places of the kind ${scheme}:`,
    meaning: 'nothing was read or written',
    next: `name a place as ${known.map((one) => `${one}:`).join(', ')}`,
  });
}
