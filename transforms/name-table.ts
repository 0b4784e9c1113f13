// Finds an attribute by the bytes of its name: first the one that came after the last, then by hash. No strings are made.

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

  /** Position of the name bytes[start, end), or -1. `guess` is tried first. */
  find(bytes: Uint8Array, start: number, end: number, guess: number): number {
    if (guess < this.names.length && equal(this.names[guess]!, bytes, start, end)) return guess;
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
