// The data set `wild`: items that hold everything DynamoDB allows and careless tools break on.
// Promises: the first items show every feature once, whatever the seed; later ones mix them; items stay below 400 KB.
// Source: Amazon DynamoDB Developer Guide, "Supported data types and naming rules" and "Quotas".

import type { AttributeValue, KeyAttribute, KeyTag } from '../../schemas/attribute.js';
import type { Item } from './item.js';
import { Random, type Seed } from './random.js';
import { SimulatedTable } from './table.js';
import {
  anyWildValue,
  nestedValue,
  wildNames,
  wildNumber,
  wildNumbers,
  wildTexts,
  wildValue,
} from './wild-values.js';

/** Types of partition key and sort key, one letter each. */
export type KeyShape = 's' | 'n' | 'b' | 'ss' | 'sn' | 'sb' | 'nn' | 'bb';

/** All key shapes. */
export const keyShapes: readonly KeyShape[] = ['s', 'n', 'b', 'ss', 'sn', 'sb', 'nn', 'bb'];

const tagOf: Readonly<Record<string, KeyTag>> = { s: 'S', n: 'N', b: 'B' };

/** The key attributes of a shape: `pk`, and `sk` when it has two letters. */
export function wildKey(shape: KeyShape): KeyAttribute[] {
  return [...shape].map((letter, i) => ({ name: i === 0 ? 'pk' : 'sk', tag: tagOf[letter]! }));
}

/** How key values look. Numbers: `wild` fit no one decimal together, `long` are integers, `short` have two decimals. */
type KeyStyle = 'wild' | 'long' | 'short';

/** A key value that no other number gives: wild in form, distinct by value. */
function keyValue(tag: KeyTag, number: number, keyStyle: KeyStyle): AttributeValue {
  const style = number % 7;
  if (tag === 'S') {
    const looks = ['k', 'é-', 'e\u0301-', '😀/', 'K ', '0', 'quote"\\'];
    return { S: `${looks[style]!}${number}` };
  }
  if (tag === 'N') {
    const whole = `${number}`;
    const negative = `-${number + 1}`;
    const beyondDoubles = `9007199254${whole.padStart(8, '0')}`;
    const looks = {
      wild: [
        whole,
        negative,
        `${number}.5`,
        beyondDoubles,
        `-0.${whole.padStart(9, '0')}1`,
        `${number}.25`,
        `12345678901234567890123456${whole.padStart(9, '0')}`,
      ],
      long: [whole, negative, beyondDoubles, `-${beyondDoubles}`],
      short: [whole, negative, `${number}.5`, `${number}.25`, `-${number}.75`],
    }[keyStyle];
    return { N: looks[number % looks.length]! };
  }
  const bytes = Buffer.alloc(4 + style);
  bytes.writeUInt32BE(number, style);
  return { B: bytes.fill(0xff, 0, style).toString('base64') };
}

/** The key attributes of the item with this number. With a sort key, about three items share a partition. */
export function wildKeys(shape: KeyShape, number: number): Item {
  const keys = new Map<string, AttributeValue>();
  const [partition, sort] = wildKey(shape);
  if (sort === undefined)
    return keys.set(partition!.name, keyValue(partition!.tag, number, 'wild'));
  keys.set(partition!.name, keyValue(partition!.tag, Math.floor(number / 3), 'long'));
  return keys.set(sort.name, keyValue(sort.tag, number, 'short'));
}

type Attributes = Map<string, AttributeValue>;
/** Adds attributes to an item; `turn` lets neighbours differ. */
type Feature = (a: Attributes, random: Random, turn: number) => unknown;

const mixedTags = ['S', 'N', 'B', 'BOOL', 'NULL', 'SS', 'NS', 'BS', 'L', 'M'];

/** Features that many items have. */
const commonFeatures: readonly Feature[] = [
  (a, random) => a.set('number', { N: wildNumber(random) }),
  (a, random) => a.set('integer', { N: String(random.below(1_000_000)) }),
  (a, random) => a.set('text', wildValue(random, 'S', 0)),
  (a, random) => a.set('binary', wildValue(random, 'B', 0)),
  (a, random) => a.set('flag', wildValue(random, 'BOOL', 0)),
  (a) => a.set('nothing', { NULL: true }),
  (a, random) => a.set('texts', wildValue(random, 'SS', 0)),
  (a, random) => a.set('numbers', wildValue(random, 'NS', 0)),
  (a, random) => a.set('binaries', wildValue(random, 'BS', 0)),
  (a, random) => a.set('list', wildValue(random, 'L', 3)),
  (a, random) => a.set('map', wildValue(random, 'M', 3)),
  (a) => a.set('emptyList', { L: [] }),
  (a) => a.set('emptyMap', { M: new Map() }),
  (a) => a.set('emptyText', { S: '' }),
  (a) => a.set('emptyBinary', { B: '' }),
  // One attribute, every type in turn; and one that is a number but for a few.
  (a, random, turn) => a.set('mixed', wildValue(random, mixedTags[turn % mixedTags.length]!, 2)),
  (a, random) =>
    a.set('mostlyNumber', random.chance(0.97) ? { N: String(random.below(1000)) } : { S: 'n/a' }),
  (a, random) => a.set('sometimesNull', random.chance(0.5) ? { NULL: true } : { S: 'here' }),
  (a, random) => {
    for (let i = 0; i < 3; i++) a.set(random.pick(wildNames), anyWildValue(random, 1));
  },
  (a, random) => {
    a.set(`sparse_${String(random.below(5000)).padStart(4, '0')}`, anyWildValue(random, 1));
  },
  (a, random) => {
    const nested: Attributes = new Map([
      ['__proto__', { M: new Map([['polluted', { BOOL: true }]]) }],
    ]);
    a.set('nestedNames', { M: nested.set(random.pick(wildNames), { S: 'x' }) });
  },
  (a, random) => {
    const counters: Attributes = new Map();
    for (let i = 0; i < 5; i++)
      counters.set(`user-${random.below(4000)}`, { N: String(random.below(100)) });
    a.set('counters', { M: counters });
  },
];

/** Features a few items have. */
const rareFeatures: readonly Feature[] = [
  (a) => {
    for (const [i, text] of wildNumbers.entries()) a.set(`edge_${i}`, { N: text });
  },
  (a) => {
    for (const [i, text] of wildTexts.entries()) a.set(`text_${i}`, { S: text });
  },
  (a) => {
    for (const name of wildNames) a.set(name, { S: name });
  },
  (a) => a.set('deep', nestedValue(32)),
  (a, random) => {
    const counters: Attributes = new Map();
    for (let i = 0; i < 3000; i++) counters.set(`user-${i}`, { N: String(random.below(100)) });
    a.set('counters', { M: counters });
  },
  (a, random) => {
    for (let i = 0; i < 500; i++)
      a.set(`sparse_${String(i * 10 + random.below(10)).padStart(4, '0')}`, { N: `${i}` });
  },
  (a, random) =>
    a.set('long', { S: `${random.text('abcé\n"', 1000)}${'long text '.repeat(38_000)}` }),
  (a, random) => a.set('longBinary', { B: Buffer.from(random.bytes(200_000)).toString('base64') }),
  (a) => a.set(`long name ${'n'.repeat(60_000)}`, { S: 'a name of 60 KB' }),
  (a) => a.set('onlyOnce', { SS: ['', 'a member may be empty'] }),
];

/** Share of items, after the first ones, that have one of the rare features. */
const rareShare = 0.002;

/**
 * An item of the wild data set.
 * @param number tells the key; @param turn counts what was drawn before, and shows every feature while it is small.
 */
export function wildItem(shape: KeyShape, number: number, turn: number, random: Random): Item {
  const attributes: Attributes = new Map();
  const features = [...commonFeatures, ...rareFeatures];
  if (turn < features.length) features[turn]!(attributes, random, turn);
  else if (random.chance(rareShare)) random.pick(rareFeatures)(attributes, random, turn);
  for (const feature of commonFeatures) if (random.chance(0.35)) feature(attributes, random, turn);
  // The key comes last and wins: a feature must not change it.
  for (const [name, value] of wildKeys(shape, number)) attributes.set(name, value);
  return attributes;
}

/** Options of a wild table. */
export interface WildOptions {
  readonly seed: Seed;
  readonly items: number;
  /** The first items are written before this instant, milliseconds since the epoch. */
  readonly startMs: number;
  readonly keyShape: KeyShape;
  readonly name?: string;
}

/** The table `wild`, with the means to go on writing to it. */
export class WildTable extends SimulatedTable {
  readonly #seed: Seed;
  readonly #shape: KeyShape;
  #turn = 0;
  #nextNumber = 0;
  readonly #live: number[] = [];
  readonly #gone: number[] = [];

  constructor(options: WildOptions) {
    super({ name: options.name ?? 'wild', key: wildKey(options.keyShape), seed: options.seed });
    this.#seed = options.seed;
    this.#shape = options.keyShape;
    const random = new Random(options.seed, 'wild items');
    for (let i = 0; i < options.items; i++)
      this.#insert((options.startMs - 86_400_000) * 1000 + i, random);
  }

  #item(number: number, random: Random): Item {
    return wildItem(this.#shape, number, this.#turn++, random);
  }

  #insert(micros: number, random: Random): void {
    const number = this.#nextNumber++;
    this.put(micros, this.#item(number, random));
    this.#live.push(number);
  }

  /** Adds about `changes` writes in `[fromMs, toMs)`, every kind of change among them. Windows come in time order. */
  play(fromMs: number, toMs: number, changes: number): void {
    const random = new Random(this.#seed, `wild writes of ${fromMs}`);
    const times: number[] = [];
    for (let i = 0; i < changes; i++)
      times.push(fromMs * 1000 + random.below((toMs - fromMs) * 1000));
    if (changes > 1) times.splice(0, 2, fromMs * 1000, toMs * 1000 - 1);
    times.sort((a, b) => a - b);
    for (const [i, micros] of times.entries()) {
      const nextMicros = times[i + 1] ?? toMs * 1000;
      const laterMicros = micros + Math.floor((nextMicros - micros) / 2);
      // The kinds come in turn, so that even a small window has them all.
      this.#act(i % 10, { micros, laterMicros, random });
    }
  }

  #act(
    kind: number,
    at: { readonly micros: number; readonly laterMicros: number; readonly random: Random },
  ): void {
    const { micros, laterMicros, random } = at;
    if (kind < 2 || this.#live.length === 0) {
      this.#insert(micros, random);
      return;
    }
    if (kind === 2) {
      // Comes and goes inside the window, unless the window's end cuts between the two.
      const number = this.#nextNumber++;
      this.put(micros, this.#item(number, random));
      this.delete(laterMicros, wildKeys(this.#shape, number));
      this.#gone.push(number);
      return;
    }
    if (kind === 3 && this.#gone.length > 0) {
      const number = this.#gone.pop()!;
      this.put(micros, this.#item(number, random));
      this.#live.push(number);
      return;
    }
    const position = random.below(this.#live.length);
    const number = this.#live[position]!;
    if (kind < 6) {
      this.delete(micros, wildKeys(this.#shape, number));
      this.#live[position] = this.#live.at(-1)!;
      this.#live.pop();
      this.#gone.push(number);
      return;
    }
    if (kind === 6) this.delete(micros, wildKeys(this.#shape, number));
    this.put(kind === 6 ? laterMicros : micros, this.#item(number, random));
  }
}
