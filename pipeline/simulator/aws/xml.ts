// The little XML that S3 speaks: elements with text, no attributes that matter.
// Promises: what is written is well formed whatever keys hold; what is read is refused when it is not an element tree.
// Source: https://www.w3.org/TR/xml/ ; Amazon S3 API Reference (request and response elements).

/** An element: its name without prefix, its children, and its text with entities resolved. */
export interface XmlElement {
  readonly name: string;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

/** The namespace of S3's documents. */
const s3Namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';
const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';
/** Deepest nesting that is read; S3's requests have four levels. */
const depthMax = 16;

/** A document with the root element in S3's namespace. `content` is XML. */
export function s3Document(root: string, content: string): string {
  return `${declaration}<${root} xmlns="${s3Namespace}">${content}</${root}>`;
}

/** A document whose root has no namespace, as errors have. `content` is XML. */
export function plainDocument(root: string, content: string): string {
  return `${declaration}<${root}>${content}</${root}>`;
}

/** `<name>text</name>`, or nothing when there is no text to give. */
export function textElement(
  name: string,
  text: string | number | boolean | null | undefined,
): string {
  return text === null || text === undefined
    ? ''
    : `<${name}>${escapeText(String(text))}</${name}>`;
}

/** An element around XML. */
export function wrapElement(name: string, content: string): string {
  return `<${name}>${content}</${name}>`;
}

function escapeText(text: string): string {
  // Control characters are not XML at all, but keys may hold them, and S3 writes them as references.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those are meant
  return text.replace(/[&<>"\u0000-\u001f]/g, (character) => {
    switch (character) {
      case '&':
        return '&amp;';
      case '<':
        return '&lt;';
      case '>':
        return '&gt;';
      case '"':
        return '&quot;';
      default:
        return `&#x${character.charCodeAt(0).toString(16)};`;
    }
  });
}

interface OpenElement {
  readonly name: string;
  readonly children: XmlElement[];
  text: string;
}

/** Reads a document; null when it is not well formed. Comments, attributes and namespaces are passed over. */
export function parseXml(source: string): XmlElement | null {
  const stack: OpenElement[] = [{ name: '', children: [], text: '' }];
  const token = /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<(\/?)([^\s<>/]+)[^<>]*?(\/?)>|([^<]+)/gy;
  let at = 0;
  for (let match = token.exec(source); match !== null; match = token.exec(source)) {
    at = token.lastIndex;
    const [, slash, qualified, selfClosing, text] = match;
    const top = stack.at(-1)!;
    if (text !== undefined) {
      const resolved = resolveEntities(text);
      if (resolved === null) return null;
      top.text += resolved;
      continue;
    }
    if (qualified === undefined) continue;
    const name = qualified.slice(qualified.indexOf(':') + 1);
    if (slash === '/') {
      if (stack.length < 2 || top.name !== name) return null;
      stack.pop();
      stack.at(-1)!.children.push(top);
    } else if (selfClosing === '/') {
      top.children.push({ name, children: [], text: '' });
    } else {
      if (stack.length > depthMax) return null;
      stack.push({ name, children: [], text: '' });
    }
  }
  const root = stack[0]!;
  const isWhole = at === source.length && stack.length === 1;
  return isWhole && root.children.length === 1 && root.text.trim() === ''
    ? root.children[0]!
    : null;
}

/** The text of the first child of that name, or null. */
export function childText(element: XmlElement, name: string): string | null {
  return element.children.find((child) => child.name === name)?.text ?? null;
}

const namedEntities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

function resolveEntities(text: string): string | null {
  let isGood = true;
  const resolved = text.replace(/&([^;&]*);?/g, (_, name: string) => {
    const code = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(name);
    const point = code === null ? null : Number.parseInt(code[1] ?? code[2]!, code[1] ? 16 : 10);
    if (point !== null && point <= 0x10ffff) return String.fromCodePoint(point);
    const named = namedEntities[name];
    if (named === undefined) isGood = false;
    return named ?? '';
  });
  return isGood ? resolved : null;
}
