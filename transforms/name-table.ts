// Finds an attribute by the bytes of its name: first the ones that followed the last name before, then by hash. No
// strings are made.

/** Names with their positions. */
export class NameTable {
  private readonly names: readonly Uint8Array[];
  /** Names as they stand in JSON, in quotes; empty for names with characters that JSON escapes. */
  private readonly quoted: readonly Uint8Array[];
  /** Two names for every place (0: the start, i + 1: behind name i): those that came next there the last times. */
  private readonly after: Int32Array;
  private readonly texts: readonly string[];
  private readonly slots: Int32Array;
  private readonly mask: number;
  private readonly byText: ReadonlyMap<string, number>;

  constructor(names: readonly string[]) {
    this.texts = names;
    this.names = names.map((name) => Buffer.from(name, 'utf8'));
    this.quoted = names.map((name) => Buffer.from(isPlain(name) ? `"${name}"` : '', 'utf8'));
    this.after = Int32Array.from({ length: (names.length + 1) * 2 }, (_, i) =>
      i % 2 === 0 && i / 2 < names.length ? i / 2 : -1,
    );
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

  /** Whether the JSON string at `at` (its opening quote) is a name that came after name `last` (-1: first) before:
   *  attributes mostly come in one order. Returns its position, or -1: look it up. */
  guess(bytes: Uint8Array, at: number, last: number): number {
    const place = (last + 1) * 2;
    const first = this.after[place]!;
    if (first < 0) return -1;
    if (startsWith(bytes, at, this.quoted[first]!)) return first;
    const second = this.after[place + 1]!;
    if (second < 0 || !startsWith(bytes, at, this.quoted[second]!)) return -1;
    this.after[place] = second;
    this.after[place + 1] = first;
    return second;
  }

  /** Length of a name in bytes. */
  lengthOf(index: number): number {
    return this.names[index]!.length;
  }

  /** Position of the name bytes[start, end), or -1; remembered for the next guess behind name `last` (-1: first). */
  find(bytes: Uint8Array, start: number, end: number, last: number): number {
    let at = hash(bytes, start, end) & this.mask;
    for (;;) {
      const i = this.slots[at]!;
      if (i < 0) return -1;
      if (equal(this.names[i]!, bytes, start, end)) {
        const place = (last + 1) * 2;
        this.after[place + 1] = this.after[place]!;
        this.after[place] = i;
        return i;
      }
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

function isPlain(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const c = name.charCodeAt(i);
    if (c < 32 || c === 34 || c === 92) return false;
  }
  return true;
}

/** Whether bytes[at…] is a name in quotes; never for an empty one. */
function startsWith(bytes: Uint8Array, at: number, quoted: Uint8Array): boolean {
  const length = quoted.length;
  for (let i = 0; i < length; i++) if (bytes[at + i] !== quoted[i]) return false;
  return length > 0;
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
