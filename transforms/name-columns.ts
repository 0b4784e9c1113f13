// Names of columns: the attribute's name in snake_case or lower case, [a-z0-9_], never two alike in one scope, never one of
// ours. A name once given is kept in the table's column map and never worked out again, and so is the rule.

import { createHash } from 'node:crypto';
import type { Naming } from '../schemas/columns.js';
import { columnNameMax } from '../schemas/limits.js';

/** The plain column name of an attribute, before collisions are looked at. Never empty, never starts with a digit or `_`. */
export function plainName(attribute: string, naming: Naming = 'snake_case'): string {
  const base = attribute.normalize('NFKD').replace(/\p{Mn}/gu, '');
  const name = (naming === 'snake_case' ? inWords(base) : base)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
  if (name === '') return 'attribute';
  const led = /^\d/.test(name) ? `n${name}` : name;
  return led.length > columnNameMax - 16 ? led.slice(0, columnNameMax - 16) : led;
}

/** A name with `_` where capitals begin a word. */
function inWords(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2');
}

/** Six hex digits that stand for one attribute name for ever. */
function mark(attribute: string, salt: number): string {
  return createHash('sha256').update(`${salt}:${attribute}`).digest('hex').slice(0, 6);
}

/** Gives names in one scope (a table's columns, or a struct's fields). */
export class Namer {
  private readonly taken: Set<string>;
  private readonly naming: Naming;

  constructor(taken: Iterable<string>, naming: Naming = 'snake_case') {
    this.taken = new Set(taken);
    this.naming = naming;
  }

  /** The column name for an attribute: the plain one when free and exact enough, else with a stable suffix. */
  name(attribute: string): string {
    const plain = plainName(attribute, this.naming);
    const cut = attribute.length > columnNameMax - 16;
    let name = plain === 'attribute' || cut ? `${plain}_${mark(attribute, 0)}` : plain;
    for (let salt = 0; this.taken.has(name); salt++) name = `${plain}_${mark(attribute, salt)}`;
    this.taken.add(name);
    return name;
  }
}
