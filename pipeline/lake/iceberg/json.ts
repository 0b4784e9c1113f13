// JSON without loss: integers beyond 2^53 are bigint in memory and bare numbers on disk.
// Promises: parse(stringify(x)) gives x back; names such as __proto__ are names like any other.
// Source: RFC 8259; apache/iceberg format/spec.md, "Appendix C: JSON serialization" (64-bit ids are JSON numbers).
import { refuse } from '../../../schemas/errors.js';

/** A value of a JSON text. Integers that a double cannot hold exactly are bigint. */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonValue[]
  | JsonObject;

export interface JsonObject {
  readonly [name: string]: JsonValue;
}

/** Deepest nesting read: a schema of DynamoDB's 32 levels needs about 100. */
const jsonDepthMax = 512;

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openArray = 0x5b;
const backslash = 0x5c;
const closeArray = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;

const numberToken: RegExp = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;

class JsonReader {
  private at = 0;
  private readonly text: string;
  constructor(text: string) {
    this.text = text;
  }

  document(): JsonValue {
    const value = this.value(0);
    this.skipSpace();
    if (this.at < this.text.length) throw this.broken('text after the end of the value');
    return value;
  }

  private value(depth: number): JsonValue {
    if (depth > jsonDepthMax) throw this.broken(`nesting deeper than ${jsonDepthMax}`);
    this.skipSpace();
    const code = this.text.charCodeAt(this.at);
    switch (code) {
      case openObject:
        return this.object(depth);
      case openArray:
        return this.array(depth);
      case quote:
        return this.string();
      case 0x74:
        return this.word('true', true);
      case 0x66:
        return this.word('false', false);
      case 0x6e:
        return this.word('null', null);
      default:
        return this.number();
    }
  }

  private object(depth: number): JsonObject {
    const object: Record<string, JsonValue> = {};
    this.at++;
    if (this.takeIf(closeObject)) return object;
    for (;;) {
      this.skipSpace();
      if (this.text.charCodeAt(this.at) !== quote) throw this.broken('no name where one must be');
      const name = this.string();
      if (!this.takeIf(colon)) throw this.broken('no colon after a name');
      const value = this.value(depth + 1);
      // An assignment would set the prototype instead of a property.
      if (name === '__proto__') {
        Object.defineProperty(object, name, {
          value,
          enumerable: true,
          configurable: true,
          writable: true,
        });
      } else object[name] = value;
      if (this.takeIf(closeObject)) return object;
      if (!this.takeIf(comma)) throw this.broken('no comma between members');
    }
  }

  private array(depth: number): JsonValue[] {
    const array: JsonValue[] = [];
    this.at++;
    if (this.takeIf(closeArray)) return array;
    for (;;) {
      array.push(this.value(depth + 1));
      if (this.takeIf(closeArray)) return array;
      if (!this.takeIf(comma)) throw this.broken('no comma between elements');
    }
  }

  private string(): string {
    const start = this.at;
    let end = start + 1;
    for (;;) {
      end = this.text.indexOf('"', end);
      if (end < 0) throw this.broken('a string that does not end');
      let slashes = 0;
      while (this.text.charCodeAt(end - 1 - slashes) === backslash) slashes++;
      if (slashes % 2 === 0) break;
      end++;
    }
    this.at = end + 1;
    try {
      return JSON.parse(this.text.slice(start, end + 1)) as string;
    } catch {
      // The engine's own message quotes the text, which may be somebody's data.
      this.at = start;
      throw this.broken('a string with a bad escape or control character');
    }
  }

  private number(): number | bigint {
    numberToken.lastIndex = this.at;
    const found = numberToken.exec(this.text);
    if (found === null) throw this.broken('no value where one must be');
    this.at = numberToken.lastIndex;
    const number = Number(found[0]);
    const isInteger = found[1] === undefined && found[2] === undefined;
    return isInteger && !Number.isSafeInteger(number) ? BigInt(found[0]) : number;
  }

  private word<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) throw this.broken('no value where one must be');
    this.at += word.length;
    return value;
  }

  private takeIf(code: number): boolean {
    this.skipSpace();
    if (this.text.charCodeAt(this.at) !== code) return false;
    this.at++;
    return true;
  }

  private skipSpace(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.at++;
    }
  }

  private broken(why: string): Error {
    return refuse(
      'REFUSED_FORMAT',
      `JSON text of ${this.text.length} characters is broken at character ${this.at}: ${why}`,
      'the file was cut or changed; nothing was read from it',
      'restore the file from a backup or another copy',
    );
  }
}

/** Parses a JSON text without losing digits of integers. Throws REFUSED_FORMAT (RFC 8259). */
export function parseJson(text: string): JsonValue {
  return new JsonReader(text).document();
}

/** Writes a value as compact JSON; bigint becomes a bare number, undefined members are left out. Throws TypeError
 *  for what JSON cannot hold. */
export function stringifyJson(value: unknown): string {
  const parts: string[] = [];
  append(parts, value);
  return parts.join('');
}

function append(parts: string[], value: unknown): void {
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') {
    parts.push(String(value));
  } else if (typeof value === 'string') {
    parts.push(JSON.stringify(value));
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${value} has no JSON form`);
    parts.push(JSON.stringify(value));
  } else if (Array.isArray(value)) {
    parts.push('[');
    value.forEach((element: unknown, i) => {
      if (i > 0) parts.push(',');
      append(parts, element);
    });
    parts.push(']');
  } else if (typeof value === 'object') {
    let separator = '{';
    for (const [name, member] of Object.entries(value)) {
      if (member === undefined) continue;
      parts.push(separator, JSON.stringify(name), ':');
      append(parts, member);
      separator = ',';
    }
    parts.push(separator === '{' ? '{}' : '}');
  } else throw new TypeError(`a ${typeof value} has no JSON form`);
}
