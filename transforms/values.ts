// One attribute value as a small tree, in canonical form: numbers in their one text, sets in order. Off the hot path only.
// A map's entries are pairs, so that a name like `__proto__` is a name like any other.

import type { Tag } from '../schemas/attribute.js';

/** An attribute value. Text of B is standard base64; members of sets are canonical and in canonical order. */
export type Value =
  | { readonly tag: 'S' | 'N' | 'B'; readonly text: string }
  | { readonly tag: 'BOOL'; readonly flag: boolean }
  | { readonly tag: 'NULL' }
  | { readonly tag: 'SS' | 'NS' | 'BS'; readonly members: readonly string[] }
  | { readonly tag: 'L'; readonly elements: readonly Value[] }
  | { readonly tag: 'M'; readonly entries: readonly (readonly [string, Value])[] };

/** The value's DynamoDB JSON: no spaces, names of maps in code unit order. Equal values have equal text. */
export function valueJson(value: Value): string {
  switch (value.tag) {
    case 'S':
      return `{"S":${JSON.stringify(value.text)}}`;
    case 'N':
    case 'B':
      return `{"${value.tag}":"${value.text}"}`;
    case 'BOOL':
      return `{"BOOL":${value.flag}}`;
    case 'NULL':
      return '{"NULL":true}';
    case 'SS':
    case 'NS':
    case 'BS':
      return `{"${value.tag}":${JSON.stringify(value.members)}}`;
    case 'L':
      return `{"L":[${value.elements.map(valueJson).join(',')}]}`;
    case 'M': {
      const entries = [...value.entries].sort((a, b) => (a[0] < b[0] ? -1 : 1));
      return `{"M":{${entries.map(([k, v]) => `${JSON.stringify(k)}:${valueJson(v)}`).join(',')}}}`;
    }
  }
}

/** One step of an RFC 6901 path (section 3: `~` is `~0`, `/` is `~1`). */
export function pathStep(name: string): string {
  return `/${name.replace(/~/g, '~0').replace(/\//g, '~1')}`;
}

/** The first step of an RFC 6901 path, unescaped. */
export function firstStep(path: string): string {
  const end = path.indexOf('/', 1);
  const step = end < 0 ? path.slice(1) : path.slice(1, end);
  return step.replace(/~1/g, '/').replace(/~0/g, '~');
}

/** The tag of a value's kind. */
export function tagOf(value: Value): Tag {
  return value.tag;
}
