// Finds an attribute by the bytes of its name: first the ones beside the last, then by hash. No strings are made.

/** Names with their positions. */
export class NameTable {
  private readonly names: readonly Uint8Array[];
  private readonly texts: readonly string[];
  private readonly slots: Int32Array;
  private readonly mask: number;
  private readonly byText: ReadonlyMap<string, number>;

  constructor(names: readonly string[]) {
    this.texts = names;
    this.names = names.map((name) => Buffer.from(name, 'utf8'));
    let size = 16;
    while (size < names.length * 3) size *= 2;
    this.mask = size - 1;
    this.slots = new Int32Array(size).fill(-1);
    this.names.forEach((name, i) => {
      let at = hash(name, 0, name.length) & this.mask;
      while (this.slots[at]! >= 0) at = (at + 1) & this.mask;
      this.slots[at] = i;
    });
    this.byText = new Map(names.map((name, i) => [name, i]));
  }

  /** Whether the JSON string at `at` (its opening quote) is the name at `guess`, or the one two before it, as attributes
   *  come in the order of the last item or in reverse. Returns its position, or -1: look it up. */
  guess(bytes: Uint8Array, at: number, guess: number): number {
    if (guess < this.names.length && quoted(this.names[guess]!, bytes, at)) return guess;
    const before = guess - 2;
    if (before >= 0 && quoted(this.names[before]!, bytes, at)) return before;
    return -1;
  }

  /** Length of a name in bytes. */
  lengthOf(index: number): number {
    return this.names[index]!.length;
  }

  /** Position of the name bytes[start, end), or -1. */
  find(bytes: Uint8Array, start: number, end: number): number {
    let at = hash(bytes, start, end) & this.mask;
    for (;;) {
      const i = this.slots[at]!;
      if (i < 0) return -1;
      if (equal(this.names[i]!, bytes, start, end)) return i;
      at = (at + 1) & this.mask;
    }
  }

  findText(name: string): number {
    return this.byText.get(name) ?? -1;
  }

  text(index: number): string {
    return this.texts[index]!;
  }
}

/** Whether bytes[at…] is a name in quotes. A name with characters that JSON escapes never is. */
function quoted(name: Uint8Array, bytes: Uint8Array, at: number): boolean {
  const length = name.length;
  if (bytes[at] !== 34 || bytes[at + length + 1] !== 34) return false;
  for (let i = 0; i < length; i++) {
    const c = name[i]!;
    if (c !== bytes[at + 1 + i] || c < 32 || c === 34 || c === 92) return false;
  }
  return true;
}

function equal(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  const length = name.length;
  if (end - start !== length) return false;
  for (let i = 0; i < length; i++) if (name[i] !== bytes[start + i]) return false;
  return true;
}

/** FNV-1a, 32 bits. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  let h = 0x811c9dc5;
  for (let i = start; i < end; i++) h = Math.imul(h ^ bytes[i]!, 0x01000193);
  return h ^ (h >>> 15);
}
