// From statistics to column types: a pure function of all records, so that no sample can decide anything.
// Rules: the design's table of types ("Scan and type").

import { tags } from '../schemas/attribute.js';
import type { ColumnType, NumberType } from '../schemas/columns.js';
import { misfitShareMax, structNamesMax } from '../schemas/limits.js';
import { chooseNumberType, classify, fitTable, numberClasses, parseDecimal } from './decimals.js';
import { mergedFields, presentCount, type TypeStats } from './type-stats.js';
import type { Value } from './values.js';

/** Places (paths of steps, see below) that hold DynamoDB JSON text because kinds mix too much there. */
export type JsonPlaces = ReadonlySet<string>;

/** Most leaves one attribute's struct may have; above, the attribute becomes DynamoDB JSON text. */
const leavesMax = 1000;
/** Share of a big map's values that must be of one kind for the map to be a dictionary. */
const dictionaryShareMin = 0.9;

const elementStep = '\u0000[]';
const valueStep = '\u0000{}';

function child(path: string, step: string): string {
  return `${path}\u0001${step}`;
}

/** A name as a step: names may hold any character, those that join steps and places too. */
function nameStep(name: string): string {
  return name.replace(/\p{Cc}/gu, (c) => `\u0003${c.charCodeAt(0)};`);
}

function histogram(counts: ReadonlyMap<number, number>): Float64Array {
  const out = new Float64Array(numberClasses);
  for (const [c, count] of counts) out[c] = count;
  return out;
}

/** The number type for counted numbers. */
export function numberTypeOf(counts: ReadonlyMap<number, number>): NumberType {
  return chooseNumberType(histogram(counts)).type;
}

/** The kind that most values have; null when nothing but NULL was seen. Ties: the order of `tags`. */
function mainKind(stats: TypeStats): Exclude<(typeof tags)[number], 'NULL'> | null {
  let best: Exclude<(typeof tags)[number], 'NULL'> | null = null;
  let most = 0;
  for (const tag of tags) {
    const count = stats.counts[tag] ?? 0;
    if (tag !== 'NULL' && count > most) {
      best = tag;
      most = count;
    }
  }
  return best;
}

/** The type of a nested place; null when nothing is known of it. Field ids are 0: they are given later. */
function chooseNested(stats: TypeStats, path: string, json: JsonPlaces): ColumnType | null {
  const kind = mainKind(stats);
  if (kind === null) return null;
  if (json.has(path)) return { kind: 'JSON' };
  switch (kind) {
    case 'S':
    case 'B':
    case 'BOOL':
      return { kind };
    case 'N':
      return { kind, number: numberTypeOf(stats.numbers) };
    case 'SS':
    case 'BS':
      return { kind, elementId: 0 };
    case 'NS':
      return { kind, elementId: 0, number: numberTypeOf(stats.members) };
    case 'L': {
      const element =
        stats.element === null ? null : chooseNested(stats.element, child(path, elementStep), json);
      return element === null
        ? { kind, elementId: 0, element: { kind: 'S' }, empty: true }
        : { kind, elementId: 0, element };
    }
    case 'M':
      return chooseMap(stats, path, json);
  }
}

function chooseMap(stats: TypeStats, path: string, json: JsonPlaces): ColumnType {
  const names = stats.fields?.size ?? 0;
  if (stats.values !== null || names > structNamesMax) {
    const values = stats.values ?? mergedFields(stats.fields!);
    const kind = mainKind(values);
    const present = presentCount(values);
    if (kind !== null && (values.counts[kind] ?? 0) >= dictionaryShareMin * present) {
      const value = chooseNested(values, child(path, valueStep), json)!;
      return { kind: 'MAP', keyId: 0, valueId: 0, value };
    }
    if (stats.values !== null) return { kind: 'JSON' };
  }
  const fields = [...(stats.fields ?? [])]
    .map(([attribute, field]) => ({
      attribute,
      present: presentCount(field),
      type: chooseNested(field, child(path, nameStep(attribute)), json),
    }))
    .filter((field) => field.type !== null)
    .sort((a, b) => b.present - a.present || (a.attribute < b.attribute ? -1 : 1));
  if (fields.length === 0) {
    return { kind: 'MAP', keyId: 0, valueId: 0, value: { kind: 'S' }, empty: true };
  }
  return {
    kind: 'M',
    fields: fields.map(({ attribute, type }) => ({ id: 0, name: '', attribute, type: type! })),
  };
}

/** Leaves of a type. */
export function leafCount(type: ColumnType): number {
  switch (type.kind) {
    case 'L':
      return leafCount(type.element);
    case 'MAP':
      return 1 + leafCount(type.value);
    case 'M':
      return type.fields.reduce((sum, field) => sum + leafCount(field.type), 0);
    default:
      return 1;
  }
}

/** Whether a type says nothing yet: a list or map that was always empty. */
export function isUnknown(type: ColumnType): boolean {
  return (type.kind === 'L' || type.kind === 'MAP') && type.empty === true;
}

/** The type of a top-level attribute; null when it gets no column (only NULL, or only empty lists or maps, were seen). */
export function chooseType(stats: TypeStats, json: JsonPlaces = new Set()): ColumnType | null {
  const type = chooseNested(stats, '', json);
  if (type === null || isUnknown(type)) return null;
  return leafCount(type) > leavesMax ? { kind: 'JSON' } : type;
}

/** At most how many values of an attribute do not fit its type: no fewer than the rows that are misfits. */
export function misfitBound(stats: TypeStats, type: ColumnType): number {
  if (type.kind === 'JSON') return 0;
  const kind = type.kind === 'MAP' ? 'M' : type.kind;
  let bound = presentCount(stats) - (stats.counts[kind] ?? 0);
  if (type.kind === 'N') bound += unfit(stats.numbers, type.number);
  if (type.kind === 'NS') bound += unfit(stats.members, type.number);
  if (type.kind === 'L' && stats.element !== null)
    bound += misfitBound(stats.element, type.element);
  if (type.kind === 'MAP') {
    const values = stats.values ?? (stats.fields === null ? null : mergedFields(stats.fields));
    if (values !== null) bound += misfitBound(values, type.value);
  }
  if (type.kind === 'M') {
    for (const field of type.fields) {
      const below = stats.fields?.get(field.attribute);
      if (below !== undefined) bound += misfitBound(below, field.type);
    }
  }
  return bound;
}

function unfit(counts: ReadonlyMap<number, number>, type: NumberType): number {
  const table = fitTable(type);
  let total = 0;
  for (const [c, count] of counts) if (table[c] === 0) total += count;
  return total;
}

/** Whether an attribute may have more misfits than the share allowed, so that its rows must be counted exactly. */
export function isTroubled(stats: TypeStats, type: ColumnType): boolean {
  return misfitBound(stats, type) > misfitShareMax * presentCount(stats);
}

/** The places at which a value does not fit a type: empty when the value fits. */
export function deviations(value: Value, type: ColumnType): ReadonlySet<string> {
  const places = new Set<string>();
  collect(value, type, '', places);
  return places;
}

function numberFits(text: string, type: NumberType): boolean {
  return fitTable(type)[classify(parseDecimal(text)!).class] === 1;
}

function collect(value: Value, type: ColumnType, path: string, places: Set<string>): void {
  if (value.tag === 'NULL' || type.kind === 'JSON') return;
  if (value.tag !== (type.kind === 'MAP' ? 'M' : type.kind)) {
    places.add(path);
  } else if (value.tag === 'N' && type.kind === 'N') {
    if (!numberFits(value.text, type.number)) places.add(path);
  } else if (value.tag === 'NS' && type.kind === 'NS') {
    if (!value.members.every((member) => numberFits(member, type.number))) places.add(path);
  } else if (value.tag === 'L' && type.kind === 'L') {
    for (const element of value.elements) {
      collect(element, type.element, child(path, elementStep), places);
    }
  } else if (value.tag === 'M' && type.kind === 'MAP') {
    for (const [, entry] of value.entries) {
      collect(entry, type.value, child(path, valueStep), places);
    }
  } else if (value.tag === 'M' && type.kind === 'M') {
    const byName = new Map(type.fields.map((field) => [field.attribute, field.type]));
    for (const [name, entry] of value.entries) {
      const field = byName.get(name);
      if (field !== undefined) collect(entry, field, child(path, nameStep(name)), places);
    }
  }
}

/** Rows by the set of places that do not fit: a key is the places, sorted and joined by U+0002. */
export type DeviationCounts = Map<string, number>;

/** Adds one row's deviations. */
export function countDeviations(counts: DeviationCounts, places: ReadonlySet<string>): void {
  if (places.size === 0) return;
  const key = [...places].sort().join('\u0002');
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** Whether a path is a place or lies below it. */
function covers(place: string, path: string): boolean {
  return path === place || path.startsWith(`${place}\u0001`);
}

/** The places to turn into DynamoDB JSON text so that no more rows are misfits than allowed: while there are, the
 *  place that causes most of them (the first in order on a tie), the attribute itself at last. */
export function chooseJsonPlaces(counts: DeviationCounts, rows: number): JsonPlaces {
  const json = new Set<string>();
  for (;;) {
    let misfits = 0;
    const causes = new Map<string, number>();
    for (const [key, count] of counts) {
      const left = key.split('\u0002').filter((path) => {
        for (const place of json) if (covers(place, path)) return false;
        return true;
      });
      if (left.length === 0) continue;
      misfits += count;
      for (const path of left) causes.set(path, (causes.get(path) ?? 0) + count);
    }
    if (misfits <= misfitShareMax * rows) return json;
    let worst = '';
    let most = -1;
    for (const [path, count] of causes) {
      if (count > most || (count === most && path < worst)) {
        worst = path;
        most = count;
      }
    }
    json.add(worst);
  }
}
