// An ObjectStore that fails one chosen mutating operation, for tests that try every crash point in turn.
// Promises: operations are numbered from 1 in the order they are asked for: create, write, close, putIfAbsent, put, remove.
// Source: ports.ts, ObjectStore ("counted").
import type { ListedObject, ObjectStore, ObjectWriter } from '../ports.js';

/**
 * How an operation fails: `before`: nothing happens; `after`: it is applied but its answer is lost;
 * `torn`: half of a streamed write is done (publishing is atomic, so for all other operations torn is `before`).
 */
export type FaultMode = 'before' | 'after' | 'torn';

/** Which operation fails, and what the store does from then on. */
export interface FaultPlan {
  /** Number of the operation that fails, from 1. */
  readonly failAt: number;
  readonly mode: FaultMode;
  /** The process is as good as dead: all later operations fail too, without effect, aborts included. Default false. */
  readonly crash?: boolean;
}

/** Thrown in place of the answer of an operation that was chosen to fail. */
export class InjectedFault extends Error {
  readonly operation: number;
  constructor(operation: number, what: string) {
    super(`injected fault at operation ${operation} (${what})`);
    this.name = 'InjectedFault';
    this.operation = operation;
  }
}

/** Wraps any store. Without a plan it only counts. */
export class FaultyStore implements ObjectStore {
  readonly #inner: ObjectStore;
  readonly #plan: FaultPlan | null;
  readonly #journal: string[] = [];
  #crashed = false;

  constructor(inner: ObjectStore, plan: FaultPlan | null = null) {
    this.#inner = inner;
    this.#plan = plan;
  }

  /** Mutating operations asked for so far. */
  get operations(): number {
    return this.#journal.length;
  }

  /** What each operation was, in order: `putIfAbsent file:///…`. */
  get journal(): readonly string[] {
    return this.#journal;
  }

  size(uri: string): Promise<number | null> {
    return this.#inner.size(uri);
  }

  read(uri: string, range?: { readonly start: number; readonly end: number }): Promise<Uint8Array> {
    return this.#inner.read(uri, range);
  }

  stream(uri: string): AsyncIterable<Uint8Array> {
    return this.#inner.stream(uri);
  }

  list(folderUri: string): AsyncIterable<ListedObject> {
    return this.#inner.list(folderUri);
  }

  children(folderUri: string): Promise<readonly string[]> {
    return this.#inner.children(folderUri);
  }

  async create(uri: string): Promise<ObjectWriter> {
    const writer = await this.#operation(`create ${uri}`, () => this.#inner.create(uri));
    return {
      write: (bytes) =>
        this.#operation(
          `write ${uri}`,
          () => writer.write(bytes),
          () => writer.write(bytes.subarray(0, bytes.length >> 1)),
        ),
      close: () => this.#operation(`close ${uri}`, () => writer.close()),
      abort: async () => {
        if (!this.#crashed) await writer.abort();
      },
    };
  }

  putIfAbsent(uri: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    return this.#operation(`putIfAbsent ${uri}`, () => this.#inner.putIfAbsent(uri, bytes));
  }

  put(uri: string, bytes: Uint8Array): Promise<void> {
    return this.#operation(`put ${uri}`, () => this.#inner.put(uri, bytes));
  }

  remove(uri: string): Promise<void> {
    return this.#operation(`remove ${uri}`, () => this.#inner.remove(uri));
  }

  async #operation<T>(
    what: string,
    apply: () => Promise<T>,
    applyHalf?: () => Promise<void>,
  ): Promise<T> {
    const number = this.#journal.push(what);
    if (this.#crashed) throw new InjectedFault(number, `${what}, after the crash`);
    if (this.#plan?.failAt !== number) return apply();
    if (this.#plan.mode === 'after') await apply();
    if (this.#plan.mode === 'torn') await applyHalf?.();
    this.#crashed = this.#plan.crash ?? false;
    throw new InjectedFault(number, `${what}, ${this.#plan.mode}`);
  }
}
