// Seeded pseudo-randomness for the simulator.
// Promises: the same seed gives the same numbers on every machine; streams with different labels do not repeat each other.
// Source: a counter whose values are mixed by the 32-bit finaliser of MurmurHash3 (Austin Appleby, public domain), twice.

/** A seed as a person gives it. */
export type Seed = string | number;

/** Mixes 32 bits so that every input bit changes about half of the output bits. Unsigned result. */
export function mix32(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A 32-bit hash of a text's UTF-16 code units. Unsigned result. */
export function hashText(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return mix32(h ^ text.length);
}

/** A stream of pseudo-random numbers. */
export class Random {
  #counter = 0;
  #key = 0;

  /** @param seed names the stream; @param label tells streams of one seed apart. */
  constructor(seed: Seed, label: string = '') {
    this.reset(hashText(`${seed}\u0000${label}`), hashText(`${label}\u0001${seed}`));
  }

  /** Starts over as the stream of two 32-bit words: lets a hot loop use one object for millions of streams. */
  reset(high: number, low: number): void {
    this.#counter = mix32(high);
    this.#key = mix32(low ^ 0x5bd1e995);
  }

  /** A whole number in [0, 2^32). */
  next(): number {
    this.#counter = (this.#counter + 0x9e3779b9) | 0;
    return mix32(mix32(this.#counter) ^ this.#key);
  }

  /** A fraction in [0, 1) of 32 bits. */
  unit(): number {
    return this.next() / 4294967296;
  }

  /** A whole number in [0, bound); bound up to 2^53, with 53 bits of randomness. */
  below(bound: number): number {
    if (bound <= 4294967296) return Math.floor(this.unit() * bound);
    return Math.floor(((this.next() >>> 5) * 67108864 + (this.next() >>> 6)) * 2 ** -53 * bound);
  }

  /** Whether an event of this probability happens. */
  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** One of the values, each as likely. */
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  /** The values in a random order, as a new array. */
  shuffled<T>(values: readonly T[]): T[] {
    const result = [...values];
    for (let i = result.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const moved = result[i]!;
      result[i] = result[j]!;
      result[j] = moved;
    }
    return result;
  }

  /** A text of `length` characters of the alphabet. */
  text(alphabet: string, length: number): string {
    let result = '';
    for (let i = 0; i < length; i++) result += alphabet.charAt(this.below(alphabet.length));
    return result;
  }

  /** `length` lower-case hexadecimal digits. */
  hex(length: number): string {
    return this.text('0123456789abcdef', length);
  }

  /** `length` random bytes. */
  bytes(length: number): Uint8Array {
    const result = new Uint8Array(length);
    for (let i = 0; i < length; i++) result[i] = this.next() & 0xff;
    return result;
  }

  /** A UUID v4 in lower case. */
  uuid(): string {
    const h = this.hex(30);
    const variant = this.text('89ab', 1);
    return `${h.slice(0, 8)}-${h.slice(8, 12)}-4${h.slice(12, 15)}-${variant}${h.slice(15, 18)}-${h.slice(18, 30)}`;
  }
}
