// A DynamoDB table that remembers every state of every item.
// Promises: any past state and the net change between any two instants; whole histories in memory, so for small tables.
// Source: Amazon DynamoDB Developer Guide, "DynamoDB table exports, output format", the table of incremental outputs.

import type { KeyAttribute } from '../../schemas/attribute.js';
import { canonicalItem, canonicalKey } from './canonical.js';
import { type Item, itemJson, keysOf } from './item.js';
import type { Change, Image, TablePast } from './past.js';
import { hashText, Random, type Seed } from './random.js';

/** One write: the item as it is from `micros` on, or null when it was deleted. */
interface Version {
  readonly micros: number;
  readonly item: Item | null;
}

interface History {
  readonly keys: Item;
  readonly hash: number;
  /** In time order. */
  readonly versions: Version[];
}

/** A live item, and the hash of its partition key. */
export interface StoredItem {
  readonly hash: number;
  readonly item: Item;
}

/** One write of a past: the item whole, or null for a deletion. */
export interface PastWrite {
  readonly micros: number;
  readonly keys: Item;
  readonly item: Item | null;
}

/** What identifies a simulated table. */
export interface SimulatedTableOptions {
  readonly name: string;
  /** Partition key first, then the sort key if there is one. */
  readonly key: readonly KeyAttribute[];
  /** Decides the tableId when none is given. */
  readonly seed?: Seed;
  readonly arn?: string;
  readonly tableId?: string;
}

/** The ARN a simulated table has when none is given. */
export function simulatedTableArn(name: string): string {
  return `arn:aws:dynamodb:us-east-1:123456789012:table/${name}`;
}

function itemAt(history: History, micros: number): Item | null {
  for (let i = history.versions.length - 1; i >= 0; i--) {
    const version = history.versions[i]!;
    if (version.micros < micros) return version.item;
  }
  return null;
}

/** The last write of a window that did something: deleting what is not there is no write. */
function lastWrite(history: History, fromMicros: number, toMicros: number): Version | null {
  for (let i = history.versions.length - 1; i >= 0; i--) {
    const version = history.versions[i]!;
    if (version.micros >= toMicros) continue;
    if (version.micros < fromMicros) return null;
    const before = history.versions[i - 1]?.item ?? null;
    if (version.item !== null || before !== null) return version;
  }
  return null;
}

/** A table whose writes are told one by one. */
export class SimulatedTable implements TablePast {
  readonly name: string;
  readonly arn: string;
  readonly tableId: string;
  readonly key: readonly KeyAttribute[];
  readonly #histories = new Map<string, History>();

  constructor(options: SimulatedTableOptions) {
    this.name = options.name;
    this.key = options.key;
    this.arn = options.arn ?? simulatedTableArn(options.name);
    this.tableId =
      options.tableId ?? new Random(options.seed ?? 0, `table id of ${options.name}`).uuid();
  }

  /** Writes an item whole at an instant (microseconds since the epoch). Throws REFUSED_KEY when the item lacks its key. */
  put(micros: number, item: Item): void {
    this.#write(micros, item, new Map(item));
  }

  /** Deletes the item with these key attributes at an instant; without effect when there is none. */
  delete(micros: number, keys: Item): void {
    this.#write(micros, keys, null);
  }

  #write(micros: number, keyed: Item, item: Item | null): void {
    const keyText = canonicalKey(keyed, this.key);
    let history = this.#histories.get(keyText);
    if (history === undefined) {
      const keys = keysOf(keyed, this.key);
      const partition = canonicalItem(keysOf(keyed, this.key.slice(0, 1)));
      history = { keys, hash: hashText(partition), versions: [] };
      this.#histories.set(keyText, history);
    }
    // Writes may come in any order; of two at one instant the later call wins.
    const { versions } = history;
    let at = versions.length;
    while (at > 0 && versions[at - 1]!.micros > micros) at--;
    versions.splice(at, 0, { micros, item });
  }

  /** The item with these key attributes as its last write left it, or null. */
  latest(keyed: Item): Item | null {
    const history = this.#histories.get(canonicalKey(keyed, this.key));
    return history?.versions.at(-1)?.item ?? null;
  }

  /** The live items after all writes, in the order in which their keys were first written; behind a key, if one is told. */
  *latestItems(after: Item | null = null): Iterable<StoredItem> {
    let isBehind = after === null;
    const afterText = after === null ? '' : canonicalKey(after, this.key);
    for (const [keyText, { hash, versions }] of this.#histories) {
      const item = versions.at(-1)?.item ?? null;
      if (isBehind && item !== null) yield { hash, item };
      else if (keyText === afterText) isBehind = true;
    }
  }

  /** Every write of `[fromMicros, toMicros)`, key by key, each key's in time order. */
  *writesIn(fromMicros: number, toMicros: number): Iterable<PastWrite> {
    for (const { keys, versions } of this.#histories.values()) {
      for (const { micros, item } of versions) {
        if (micros >= fromMicros && micros < toMicros) yield { micros, keys, item };
      }
    }
  }

  countAt(micros: number): number {
    let count = 0;
    for (const history of this.#histories.values()) if (itemAt(history, micros) !== null) count++;
    return count;
  }

  *itemsAt(micros: number): Iterable<Item> {
    for (const history of this.#histories.values()) {
      const item = itemAt(history, micros);
      if (item !== null) yield item;
    }
  }

  stateAt(micros: number): Map<string, Item> {
    const state = new Map<string, Item>();
    for (const [keyText, history] of this.#histories) {
      const item = itemAt(history, micros);
      if (item !== null) state.set(keyText, item);
    }
    return state;
  }

  *imagesAt(micros: number, dice: Random): Iterable<Image> {
    // No order is promised in an export, so the order of insertion must not show either.
    for (const history of dice.shuffled([...this.#histories.values()])) {
      const item = itemAt(history, micros);
      if (item !== null) yield { hash: history.hash, json: itemJson(item, dice) };
    }
  }

  *changesIn(fromMicros: number, toMicros: number, dice: Random): Iterable<Change> {
    for (const history of dice.shuffled([...this.#histories.values()])) {
      const last = lastWrite(history, fromMicros, toMicros);
      if (last === null) continue;
      const before = itemAt(history, fromMicros);
      if (before === null && last.item === null) continue;
      yield {
        hash: history.hash,
        micros: last.micros,
        keys: itemJson(history.keys, dice),
        oldImage: before === null ? null : itemJson(before, dice),
        newImage: last.item === null ? null : itemJson(last.item, dice),
      };
    }
  }
}
