// The data set `mystore`: orders of a shop, key clientid + created, with a skewed flow of changes.
// Promises: millions of items without holding them (an item is drawn again from seed, index and version); only writes are remembered.
// Source: the key and the names are those of a table many shops have; the mix of changes is this file's choice.

import type { KeyAttribute } from '../../schemas/attribute.js';
import { canonicalKey, itemFromParsed } from './canonical.js';
import type { Item } from './item.js';
import { clientOf, joinParts, keyParts, type OrderSource, orderParts } from './mystore-order.js';
import type { Change, Image, TablePast } from './past.js';
import { hashText, mix32, Random, type Seed } from './random.js';
import { type PastWrite, simulatedTableArn } from './table.js';

/** Key of the table `mystore`: partition key `clientid`, sort key `created`. */
export const mystoreKey: readonly KeyAttribute[] = [
  { name: 'clientid', tag: 'S' },
  { name: 'created', tag: 'S' },
];

/** Days before its first instant that the table's orders go back. */
const pastDays = 400;
/** A write of an order; version -1 is a deletion. */
interface Write {
  readonly micros: number;
  readonly version: number;
}
const deleted = -1;

/** Options of a mystore table. */
export interface MystoreOptions {
  readonly seed: Seed;
  /** Orders the table holds at `startMs`. */
  readonly items: number;
  /** First instant with a known past, milliseconds since the epoch. */
  readonly startMs: number;
  readonly name?: string;
}

/** The table `mystore`. Its orders at `startMs` count as written long before; `play` adds writes, window by window. */
export class MystoreTable implements TablePast {
  readonly name: string;
  readonly arn: string;
  readonly tableId: string;
  readonly key: readonly KeyAttribute[] = mystoreKey;
  readonly #seed: Seed;
  readonly #items: number;
  readonly #startMs: number;
  readonly #source: OrderSource;
  /** Creation instants of orders inserted since the start: order `items + i` was created at `#insertedMs[i]`. */
  readonly #insertedMs: number[] = [];
  /** Writes since the start, in time order, by index of the order. */
  readonly #writes = new Map<number, Write[]>();
  /** All writes in time order: instants, and the orders they went to. */
  readonly #logMicros: number[] = [];
  readonly #logIndex: number[] = [];
  readonly #deletedIndexes: number[] = [];

  constructor(options: MystoreOptions) {
    this.name = options.name ?? 'mystore';
    this.arn = simulatedTableArn(this.name);
    this.tableId = new Random(options.seed, `table id of ${this.name}`).uuid();
    this.#seed = options.seed;
    this.#items = options.items;
    this.#startMs = options.startMs;
    this.#source = {
      seedHash: hashText(`${options.seed} orders`),
      clients: Math.max(1, Math.floor(options.items / 8)),
    };
  }

  /**
   * Adds the writes of `[fromMs, toMs)`: about `changes` keys, most of them updates of recent orders and of a few
   * hot clients, then inserts, some deletions, and keys that come and go or go and come back inside the window.
   * Windows must be played in time order.
   */
  play(fromMs: number, toMs: number, changes: number): void {
    const random = new Random(this.#seed, `mystore writes of ${fromMs}`);
    const times: number[] = [];
    for (let i = 0; i < changes; i++)
      times.push(fromMs * 1000 + random.below((toMs - fromMs) * 1000));
    // A write at the very start belongs to the window, and so does one a microsecond before its end.
    if (changes > 1) times.splice(0, 2, fromMs * 1000, toMs * 1000 - 1);
    times.sort((a, b) => a - b);
    for (const [i, micros] of times.entries()) {
      const nextMicros = times[i + 1] ?? toMs * 1000;
      this.#act(random, micros, micros + Math.floor((nextMicros - micros) / 2));
    }
  }

  /** One change of one key at `micros`; a second write of the same key, where there is one, at `laterMicros`. */
  #act(random: Random, micros: number, laterMicros: number): void {
    const draw = random.unit();
    if (draw < 0.25) {
      this.#insert(micros);
      return;
    }
    if (draw < 0.26) {
      const index = this.#insert(micros);
      this.#write(index, laterMicros, deleted);
      return;
    }
    if (draw < 0.27 && this.#deletedIndexes.length > 0) {
      const index = random.pick(this.#deletedIndexes);
      if (!this.#isLive(index)) this.#write(index, micros, this.#lastVersion(index) + 1);
      return;
    }
    const index = this.#choose(random);
    if (index === null) return;
    if (draw < 0.34) {
      this.#write(index, micros, deleted);
      this.#deletedIndexes.push(index);
    } else if (draw < 0.35) {
      const version = this.#lastVersion(index) + 1;
      this.#write(index, micros, deleted);
      this.#write(index, laterMicros, version);
    } else {
      this.#write(index, micros, this.#lastVersion(index) + 1);
    }
  }

  #insert(micros: number): number {
    const previousMs = this.#insertedMs.at(-1) ?? this.#startMs - 1;
    // Distinct instants keep the keys distinct.
    this.#insertedMs.push(Math.max(previousMs + 1, Math.floor(micros / 1000)));
    const index = this.#items + this.#insertedMs.length - 1;
    this.#write(index, micros, 0);
    return index;
  }

  #write(index: number, micros: number, version: number): void {
    const writes = this.#writes.get(index);
    if (writes === undefined) this.#writes.set(index, [{ micros, version }]);
    else writes.push({ micros, version });
    this.#logMicros.push(micros);
    this.#logIndex.push(index);
  }

  /** An order to change: a recent one, one of a hot client, or any; null when none is found in a few draws. */
  #choose(random: Random): number | null {
    const count = this.#items + this.#insertedMs.length;
    if (count === 0) return null;
    const draw = random.unit();
    for (let attempt = 0; attempt < 20; attempt++) {
      let index = random.below(count);
      if (draw < 0.5) index = count - 1 - Math.floor(count * random.unit() ** 6);
      else if (
        draw < 0.8 &&
        clientOf(this.#source, index) >= Math.max(5, this.#source.clients / 500)
      )
        continue;
      if (this.#isLive(index)) return index;
    }
    return null;
  }

  #isLive(index: number): boolean {
    return (this.#writes.get(index)?.at(-1)?.version ?? 0) !== deleted;
  }

  #lastVersion(index: number): number {
    let last = 0;
    for (const { version } of this.#writes.get(index) ?? []) last = Math.max(last, version);
    return last;
  }

  #createdMs(index: number): number {
    if (index >= this.#items) return this.#insertedMs[index - this.#items]!;
    const stepMs = (pastDays * 86_400_000) / this.#items;
    return this.#startMs - Math.ceil((this.#items - index) * stepMs);
  }

  /** Version of an order before an instant; `deleted` when it is not there. */
  #versionAt(index: number, micros: number): number {
    const writes = this.#writes.get(index);
    if (writes !== undefined) {
      for (let i = writes.length - 1; i >= 0; i--)
        if (writes[i]!.micros < micros) return writes[i]!.version;
    }
    return index < this.#items ? 0 : deleted;
  }

  #image(index: number, version: number, turn: number, random: Random): string {
    const order = {
      source: this.#source,
      index,
      version,
      createdMs: this.#createdMs(index),
      isOld: index < this.#items,
    };
    return joinParts(orderParts(order, random), turn);
  }

  #hash(index: number): number {
    return mix32(clientOf(this.#source, index) + 0x3c6ef372);
  }

  countAt(micros: number): number {
    let count = this.#items;
    for (const index of this.#writes.keys()) {
      const isLive = this.#versionAt(index, micros) !== deleted;
      if (index < this.#items && !isLive) count--;
      if (index >= this.#items && isLive) count++;
    }
    return count;
  }

  *itemsAt(micros: number): Iterable<Item> {
    const random = new Random(0);
    for (let index = 0; index < this.#items + this.#insertedMs.length; index++) {
      const version = this.#versionAt(index, micros);
      if (version !== deleted)
        yield itemFromParsed(JSON.parse(this.#image(index, version, 0, random)));
    }
  }

  stateAt(micros: number): Map<string, Item> {
    const state = new Map<string, Item>();
    for (const item of this.itemsAt(micros)) state.set(canonicalKey(item, this.key), item);
    return state;
  }

  /** Every write up to now, order by order; the items of the start as written a microsecond before `startMs`. */
  *writes(): Iterable<PastWrite> {
    const random = new Random(0);
    for (let index = 0; index < this.#items + this.#insertedMs.length; index++) {
      const start = {
        micros: this.#startMs * 1000 - 1,
        version: index < this.#items ? 0 : deleted,
      };
      const past = start.version === deleted ? [] : [start];
      const keyText = joinParts(keyParts(clientOf(this.#source, index), this.#createdMs(index)), 0);
      const keys = itemFromParsed(JSON.parse(keyText));
      for (const { micros, version } of [...past, ...(this.#writes.get(index) ?? [])]) {
        const image = version === deleted ? null : this.#image(index, version, 0, random);
        yield { micros, keys, item: image === null ? null : itemFromParsed(JSON.parse(image)) };
      }
    }
  }

  /** Every write of `[fromMicros, toMicros)`, in time order. */
  *writesIn(fromMicros: number, toMicros: number): Iterable<PastWrite> {
    const random = new Random(0);
    for (let at = this.#logStart(fromMicros); at < this.#logMicros.length; at++) {
      const micros = this.#logMicros[at]!;
      if (micros >= toMicros) break;
      const index = this.#logIndex[at]!;
      const keyText = joinParts(keyParts(clientOf(this.#source, index), this.#createdMs(index)), 0);
      const version = this.#versionAt(index, micros + 1);
      const image = version === deleted ? null : this.#image(index, version, 0, random);
      const item = image === null ? null : itemFromParsed(JSON.parse(image));
      yield { micros, keys: itemFromParsed(JSON.parse(keyText)), item };
    }
  }

  *imagesAt(micros: number, dice: Random): Iterable<Image> {
    const random = new Random(0);
    const count = this.#items + this.#insertedMs.length;
    // Visits every index once, out of order: a step that shares no factor with the count.
    const step = coprimeStep(count, dice);
    let index = count === 0 ? 0 : dice.below(count);
    for (let i = 0; i < count; i++) {
      index = (index + step) % count;
      const version = this.#versionAt(index, micros);
      if (version === deleted) continue;
      yield { hash: this.#hash(index), json: this.#image(index, version, dice.next(), random) };
    }
  }

  *changesIn(fromMicros: number, toMicros: number, dice: Random): Iterable<Change> {
    const random = new Random(0);
    const lastWrites = new Map<number, number>();
    for (let at = this.#logStart(fromMicros); at < this.#logMicros.length; at++) {
      const micros = this.#logMicros[at]!;
      if (micros >= toMicros) break;
      lastWrites.set(this.#logIndex[at]!, micros);
    }
    for (const [index, micros] of dice.shuffled([...lastWrites])) {
      const before = this.#versionAt(index, fromMicros);
      const after = this.#versionAt(index, toMicros);
      if (before === deleted && after === deleted) continue;
      const keys = keyParts(clientOf(this.#source, index), this.#createdMs(index));
      yield {
        hash: this.#hash(index),
        micros,
        keys: joinParts(keys, dice.next()),
        oldImage: before === deleted ? null : this.#image(index, before, dice.next(), random),
        newImage: after === deleted ? null : this.#image(index, after, dice.next(), random),
      };
    }
  }

  /** Position in the log of the first write at or after an instant. */
  #logStart(micros: number): number {
    let low = 0;
    let high = this.#logMicros.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#logMicros[middle]! < micros) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

function coprimeStep(count: number, dice: Random): number {
  if (count < 3) return 1;
  let step = Math.floor(count * 0.38) + dice.below(Math.ceil(count / 8)) + 1;
  while (commonDivisor(step, count) !== 1) step++;
  return step;
}
