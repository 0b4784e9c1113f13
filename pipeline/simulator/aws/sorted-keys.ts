// The keys of a bucket in S3's order.
// Promises: the order of the keys' UTF-8 bytes, which differs from JavaScript's own above U+D7FF.
// Source: Amazon S3 API Reference, ListObjectsV2 ("UTF-8 binary order").

/** Negative, zero or positive: a before b in the order of UTF-8 bytes. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    // A surrogate stands for a code point above all others, though its unit is below U+E000.
    if (x !== y) return (isSurrogate(x) ? x + 0x10000 : x) - (isSurrogate(y) ? y + 0x10000 : y);
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xe000;
}

/** A sorted set of keys. */
export class SortedKeys {
  #keys: string[];

  constructor(keys: Iterable<string> = []) {
    this.#keys = [...keys].sort(compareUtf8);
  }

  get size(): number {
    return this.#keys.length;
  }

  add(key: string): void {
    const at = this.#firstFrom(key);
    if (this.#keys[at] !== key) this.#keys.splice(at, 0, key);
  }

  remove(key: string): void {
    const at = this.#firstFrom(key);
    if (this.#keys[at] === key) this.#keys.splice(at, 1);
  }

  /** The first key that is not before `from`, or null. */
  first(from: string): string | null {
    return this.#keys[this.#firstFrom(from)] ?? null;
  }

  /** The first key behind all that begin with `prefix` (which is not empty), or null. */
  firstBehind(prefix: string): string | null {
    return (
      this.#keys[this.#search((key) => compareUtf8(key, prefix) < 0 || key.startsWith(prefix))] ??
      null
    );
  }

  /** The first key after `key`, or null. */
  after(key: string): string | null {
    const at = this.#firstFrom(key);
    return this.#keys[this.#keys[at] === key ? at + 1 : at] ?? null;
  }

  #firstFrom(from: string): number {
    return this.#search((key) => compareUtf8(key, from) < 0);
  }

  /** Index of the first key for which `isBefore` is false. */
  #search(isBefore: (key: string) => boolean): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(this.#keys[middle]!)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
