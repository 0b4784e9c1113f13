// What kinds of values stand at each place of the items. Counts only: adding two statistics gives the statistic of
// both inputs, in any order, so that the schema never depends on the order of files, of lines, or on a sample.

import type { Tag } from '../schemas/attribute.js';
import { mixedNamesMax } from '../schemas/limits.js';
import { classify, parseDecimal } from './decimals.js';
import type { Value } from './values.js';

/** Statistics of one place. Plain data: it travels between threads. */
export interface TypeStats {
  /** Values by kind. */
  counts: Partial<Record<Tag, number>>;
  /** Numbers by class (see decimals), of N values. */
  numbers: Map<number, number>;
  /** Numbers by class, of members of NS values. */
  members: Map<number, number>;
  /** Places below an M, by name; null once there were more than `mixedNamesMax` names. */
  fields: Map<string, TypeStats> | null;
  /** The one place below an M whose names are too many to tell apart. */
  values: TypeStats | null;
  /** The place of a list's elements. */
  element: TypeStats | null;
}

/** Statistics of a place where nothing was seen. */
export function emptyStats(): TypeStats {
  return {
    counts: {},
    numbers: new Map(),
    members: new Map(),
    fields: null,
    values: null,
    element: null,
  };
}

function add(map: Map<number, number>, key: number, count: number): void {
  map.set(key, (map.get(key) ?? 0) + count);
}

/** Counts values of a kind. */
export function countKind(stats: TypeStats, tag: Tag, count: number): void {
  stats.counts[tag] = (stats.counts[tag] ?? 0) + count;
}

/** The place of a list's elements. */
export function elementOf(stats: TypeStats): TypeStats {
  stats.element ??= emptyStats();
  return stats.element;
}

/** The place below an M under a name. */
export function fieldOf(stats: TypeStats, name: string): TypeStats {
  if (stats.values !== null) return stats.values;
  stats.fields ??= new Map();
  let field = stats.fields.get(name);
  if (field === undefined) {
    field = emptyStats();
    stats.fields.set(name, field);
    if (stats.fields.size > mixedNamesMax) {
      stats.values = mergedFields(stats.fields);
      stats.fields = null;
      return stats.values;
    }
  }
  return field;
}

/** The statistic of all fields of a map taken as one place. */
export function mergedFields(fields: ReadonlyMap<string, TypeStats>): TypeStats {
  const all = emptyStats();
  for (const field of fields.values()) addStats(all, field);
  return all;
}

/** The one place below all names of an M. */
export function valuesOf(stats: TypeStats): TypeStats {
  if (stats.values === null) {
    stats.values = mergedFields(stats.fields ?? new Map());
    stats.fields = null;
  }
  return stats.values;
}

/** Adds `more` to `stats`. Copies, never shares. */
export function addStats(stats: TypeStats, more: TypeStats): void {
  for (const [tag, count] of Object.entries(more.counts)) countKind(stats, tag as Tag, count);
  for (const [c, count] of more.numbers) add(stats.numbers, c, count);
  for (const [c, count] of more.members) add(stats.members, c, count);
  if (more.values !== null) addStats(valuesOf(stats), more.values);
  else if (more.fields !== null) {
    for (const [name, field] of more.fields) addStats(fieldOf(stats, name), field);
  }
  if (more.element !== null) addStats(elementOf(stats), more.element);
}

/** Counts one value and all below it. A NULL counts nowhere, and neither does a name that only NULLs have: columns do
 *  not tell them from what is missing, and what is counted must not depend on the columns. */
export function observe(stats: TypeStats, value: Value): void {
  if (value.tag === 'NULL') return;
  countKind(stats, value.tag, 1);
  switch (value.tag) {
    case 'N':
      add(stats.numbers, classify(parseDecimal(value.text)!).class, 1);
      return;
    case 'NS':
      for (const member of value.members) {
        add(stats.members, classify(parseDecimal(member)!).class, 1);
      }
      return;
    case 'L':
      for (const element of value.elements) {
        if (element.tag !== 'NULL') observe(elementOf(stats), element);
      }
      return;
    case 'M':
      for (const [name, entry] of value.entries) {
        if (entry.tag !== 'NULL') observe(fieldOf(stats, name), entry);
      }
      return;
    default:
  }
}

/** Values other than NULL. */
export function presentCount(stats: TypeStats): number {
  let total = 0;
  for (const [tag, count] of Object.entries(stats.counts)) if (tag !== 'NULL') total += count;
  return total;
}
