// Reads a JSON object out of a manifest's bytes.
// Promises: invalid UTF-8 and a name given twice in one object are errors, where JSON.parse would pick silently.
// Source: RFC 8259, section 4 ("names within an object SHOULD be unique"); WHATWG Encoding, "fatal".

/** Why bytes are no JSON object: a few words without any of their content. */
export class ManifestTextError extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'ManifestTextError';
  }
}

/** The text of UTF-8 bytes, byte order mark included. Throws ManifestTextError. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ManifestTextError('it is not UTF-8');
  }
}

/** The one JSON object that `text` holds. Throws ManifestTextError. */
export function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ManifestTextError('it is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ManifestTextError('it is not a JSON object');
  }
  if (hasNameTwice(text)) throw new ManifestTextError('an object in it has one name twice');
  return value as Record<string, unknown>;
}

/** Whether any object in `text`, which JSON.parse has taken, has two members of the same name. */
function hasNameTwice(text: string): boolean {
  /** Names seen in each open object; null for an open array. */
  const open: (Set<string> | null)[] = [];
  // A string, with the colon that makes it a member's name; or a bracket.
  const token = /("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[{}[\]]/g;
  for (const [found, string, colon] of text.matchAll(token)) {
    if (string === undefined) {
      if (found === '{') open.push(new Set());
      else if (found === '[') open.push(null);
      else open.pop();
    } else if (colon !== undefined) {
      const names = open.at(-1);
      const name = JSON.parse(string) as string;
      if (names?.has(name)) return true;
      names?.add(name);
    }
  }
  return false;
}
