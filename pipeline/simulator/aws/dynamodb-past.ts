// The past of one table on disk: its writes, in segments that are only ever appended to.
// Promises: a write is durable when `append` has returned; the cost of one does not grow with the past, since at most one
// segment's bytes are written; writes that come together go to disk together.
// Source: none.

import type { Json } from './dynamodb-call.js';
import type { SimDocuments } from './service.js';

/** One write: the item as DynamoDB JSON, or its keys alone when it was deleted. */
export type LoggedWrite =
  | { readonly micros: number; readonly item: Json }
  | { readonly micros: number; readonly keys: Json };

/** A segment is closed when its text is longer than this: what one small write may cost at most. */
const segmentLengthMax = 64 * 1024;

interface Segment {
  readonly writes: readonly LoggedWrite[];
}

const folderOf = (tableId: string): string => `dynamodb/past/${tableId}/`;

/** The writes of a past that was kept, in their order. */
export async function* loggedWrites(
  documents: SimDocuments,
  tableId: string,
): AsyncGenerator<LoggedWrite> {
  for (const name of await documents.names(folderOf(tableId))) {
    yield* ((await documents.get(name)) as Segment).writes;
  }
}

/** Forgets a past. */
export async function removePast(documents: SimDocuments, tableId: string): Promise<void> {
  for (const name of await documents.names(folderOf(tableId))) await documents.remove(name);
}

/** Appends to the past of one table. Each start begins a segment of its own. */
export class PastLog {
  readonly #documents: SimDocuments;
  readonly #folder: string;
  #number: number;
  /** Writes of the open segment, and the length of their text. */
  #open: LoggedWrite[] = [];
  #openLength = 0;
  /** Not on disk yet, in order. What failed stays first. */
  #waiting: LoggedWrite[] = [];
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  private constructor(documents: SimDocuments, folder: string, number: number) {
    this.#documents = documents;
    this.#folder = folder;
    this.#number = number;
  }

  static async open(documents: SimDocuments, tableId: string): Promise<PastLog> {
    const folder = folderOf(tableId);
    const last = (await documents.names(folder)).at(-1);
    const number = last === undefined ? 0 : Number(last.slice(folder.length));
    return new PastLog(documents, folder, number + 1);
  }

  /** Appends writes in the order of the calls; returns when they are durable. */
  append(writes: readonly LoggedWrite[]): Promise<void> {
    this.#waiting.push(...writes);
    this.#next ??= this.#running.then(
      () => this.#flush(),
      () => this.#flush(),
    );
    return this.#next;
  }

  /** Returns when all that was appended so far is durable. */
  settled(): Promise<void> {
    return this.#next ?? this.#running;
  }

  async #flush(): Promise<void> {
    this.#running = this.#next!;
    this.#next = null;
    while (this.#waiting.length > 0) {
      const taken = this.#segmentful();
      const length = taken.reduce((sum, write) => sum + JSON.stringify(write).length, 0);
      const writes = [...this.#open, ...taken];
      await this.#documents.put(this.#name(), { writes } satisfies Segment);
      this.#waiting = this.#waiting.slice(taken.length);
      this.#open = writes;
      this.#openLength += length;
      if (this.#openLength <= segmentLengthMax) continue;
      this.#number += 1;
      this.#open = [];
      this.#openLength = 0;
    }
  }

  /** As many of the waiting writes as fill the open segment. */
  #segmentful(): readonly LoggedWrite[] {
    let length = this.#openLength;
    let count = 0;
    while (count < this.#waiting.length && length <= segmentLengthMax) {
      length += JSON.stringify(this.#waiting[count]).length;
      count += 1;
    }
    return this.#waiting.slice(0, count);
  }

  #name(): string {
    return `${this.#folder}${`${this.#number}`.padStart(10, '0')}`;
  }
}
