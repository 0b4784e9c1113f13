// Names of columns: snake_case of the attribute's name, [a-z0-9_], never two alike in one scope, never one of ours.
// A name once given is kept in the table's column map and never worked out again.

import { createHash } from 'node:crypto';
import { columnNameMax } from '../schemas/limits.js';

/** The plain column name of an attribute, before collisions are looked at. Never empty, never starts with a digit or `_`. */
export function plainName(attribute: string): string {
  const name = attribute
    .normalize('NFKD')
    .replace(/\p{Mn}/gu, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
  if (name === '') return 'attribute';
  const led = /^\d/.test(name) ? `n${name}` : name;
  return led.length > columnNameMax - 16 ? led.slice(0, columnNameMax - 16) : led;
}

/** Six hex digits that stand for one attribute name for ever. */
function mark(attribute: string, salt: number): string {
  return createHash('sha256').update(`${salt}:${attribute}`).digest('hex').slice(0, 6);
}

/** Gives names in one scope (a table's columns, or a struct's fields). */
export class Namer {
  private readonly taken: Set<string>;

  constructor(taken: Iterable<string>) {
    this.taken = new Set(taken);
  }

  /** The column name for an attribute: the plain one when free and exact enough, else with a stable suffix. */
  name(attribute: string): string {
    const plain = plainName(attribute);
    const cut = attribute.length > columnNameMax - 16;
    let name = plain === 'attribute' || cut ? `${plain}_${mark(attribute, 0)}` : plain;
    for (let salt = 0; this.taken.has(name); salt++) name = `${plain}_${mark(attribute, salt)}`;
    this.taken.add(name);
    return name;
  }
}
