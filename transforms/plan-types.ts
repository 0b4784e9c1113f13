// From what was seen to the types of a table's attributes: for a new epoch from nothing, for a window from what the
// table has. Pure; the counts decide, never the order in which records came.

import type { KeyAttribute } from '../schemas/attribute.js';
import type { ColumnType, Field, NumberType, TableColumns } from '../schemas/columns.js';
import { columnsMax } from '../schemas/limits.js';
import { chooseType, type JsonPlaces, numberTypeOf } from './choose-types.js';
import { extentOfClass, fitTable, holdsExtent, numberClasses, numberTypes } from './decimals.js';
import type { TypedAttribute } from './make-columns.js';
import { mergedFields, presentCount, type TypeStats } from './type-stats.js';

/** What was seen, by attribute. */
export type AttributeStats = ReadonlyMap<string, TypeStats>;

/** The type of a key attribute: a number key is one decimal that holds every key, else canonical text. */
export function keyType(tag: KeyAttribute['tag'], stats: TypeStats | undefined): ColumnType {
  if (tag !== 'N') return { kind: tag };
  const numbers = stats?.numbers ?? new Map<number, number>();
  const number = numberTypeOf(numbers);
  const table = fitTable(number);
  const all = [...numbers.keys()].every((c) => table[c] === 1);
  return { kind: 'N', number: all ? number : { type: 'text' } };
}

/** Types of all attributes for a new epoch: the key's first, then by how many items have them, then by name. */
export function planTypes(
  key: readonly KeyAttribute[],
  stats: AttributeStats,
  json: ReadonlyMap<string, JsonPlaces> = new Map(),
): TypedAttribute[] {
  const names = new Set(key.map((attribute) => attribute.name));
  const types: TypedAttribute[] = key.map(({ name, tag }) => ({
    attribute: name,
    type: keyType(tag, stats.get(name)),
  }));
  const others = [...stats]
    .filter(([attribute]) => !names.has(attribute))
    .map(([attribute, seen]) => ({
      attribute,
      present: presentCount(seen),
      type: chooseType(seen, json.get(attribute)),
    }))
    .filter((column) => column.type !== null)
    .sort(mostPresentFirst)
    .slice(0, columnsMax - types.length - 3);
  for (const { attribute, type } of others) types.push({ attribute, type: type! });
  return types;
}

function mostPresentFirst(
  a: { attribute: string; present: number },
  b: { attribute: string; present: number },
): number {
  return b.present - a.present || (a.attribute < b.attribute ? -1 : 1);
}

/** How a table's types change with a window. */
export interface Evolution {
  readonly types: readonly TypedAttribute[];
  /** Attributes that get a column, or a field in one. */
  readonly added: readonly string[];
  /** Attributes whose column is retyped: every file must be rewritten. */
  readonly retyped: readonly string[];
}

/** The types of a table after a window: new attributes and fields are added, numbers that only a wider type holds
 *  retype their column (when `mayRetype`), all else stays. */
export function evolveTypes(
  table: TableColumns,
  stats: AttributeStats,
  mayRetype: boolean,
): Evolution {
  const added: string[] = [];
  const retyped: string[] = [];
  const types: TypedAttribute[] = table.columns.map((field, i) => {
    const seen = stats.get(field.attribute);
    if (seen === undefined) return field;
    if (i < table.key.length) return evolveKey(field, seen, table, retyped);
    const marks = { added: false, retyped: false };
    const type = evolve(field.type, field.id, seen, table, mayRetype, marks);
    if (marks.retyped) retyped.push(field.attribute);
    else if (marks.added) added.push(field.attribute);
    return { attribute: field.attribute, type };
  });
  const known = new Set(table.columns.map((field) => field.attribute));
  const room = columnsMax - 3 - types.length;
  const fresh = [...stats]
    .filter(([attribute]) => !known.has(attribute))
    .map(([attribute, seen]) => ({
      attribute,
      present: presentCount(seen),
      type: chooseType(seen),
    }))
    .filter((column) => column.type !== null)
    .sort(mostPresentFirst)
    .slice(0, Math.max(0, room));
  for (const { attribute, type } of fresh) {
    types.push({ attribute, type: type! });
    added.push(attribute);
  }
  return { types, added, retyped };
}

function evolveKey(
  field: Field,
  seen: TypeStats,
  table: TableColumns,
  retyped: string[],
): TypedAttribute {
  if (field.type.kind !== 'N' || field.type.number.type === 'text') return field;
  const number = widerNumber(field.type.number, table.extents.get(field.id), seen.numbers, true);
  if (number === null) return field;
  retyped.push(field.attribute);
  return { attribute: field.attribute, type: { kind: 'N', number } };
}

/** A number type that holds all a column has and more of what a window has than the column's own; null: none.
 *  With `all`, it must hold everything, and is text where no decimal does. */
export function widerNumber(
  number: NumberType,
  extent: readonly [number, number] | undefined,
  numbers: ReadonlyMap<number, number>,
  all = false,
): NumberType | null {
  const fits = (type: NumberType): number => {
    const table = fitTable(type);
    let total = 0;
    for (const [c, count] of numbers) if (table[c] === 1) total += count;
    return total;
  };
  let total = 0;
  for (const count of numbers.values()) total += count;
  const now = fits(number);
  if (now === total) return null;
  let best: NumberType | null = null;
  let most = now;
  for (const type of numberTypes) {
    if (!holdsExtent(type, extent ?? [0, 0])) continue;
    const count = fits(type);
    if (count > most) {
      best = type;
      most = count;
    }
  }
  if (all && most < total) return { type: 'text' };
  return best;
}

function evolve(
  type: ColumnType,
  id: number,
  seen: TypeStats,
  table: TableColumns,
  mayRetype: boolean,
  marks: { added: boolean; retyped: boolean },
): ColumnType {
  const below = (inner: ColumnType, innerId: number, stats: TypeStats): ColumnType =>
    evolve(inner, innerId, stats, table, mayRetype, marks);
  switch (type.kind) {
    case 'N': {
      const number = widerNumber(type.number, table.extents.get(id), seen.numbers);
      if (number === null || !mayRetype) return type;
      marks.retyped = true;
      return { kind: 'N', number };
    }
    case 'NS': {
      const number = widerNumber(type.number, table.extents.get(type.elementId), seen.members);
      if (number === null || !mayRetype) return type;
      marks.retyped = true;
      return { ...type, number };
    }
    case 'L': {
      if (seen.element === null) return type;
      if (type.empty !== true) {
        return { ...type, element: below(type.element, type.elementId, seen.element) };
      }
      return firstSeen(type, seen, mayRetype, marks);
    }
    case 'MAP': {
      const values = seen.values ?? (seen.fields === null ? null : mergedFields(seen.fields));
      if (values === null || presentCount(values) === 0) return type;
      if (type.empty !== true) return { ...type, value: below(type.value, type.valueId, values) };
      return firstSeen(type, seen, mayRetype, marks);
    }
    case 'M': {
      if (seen.fields === null) return type;
      const fields = type.fields.map((field) => {
        const stats = seen.fields!.get(field.attribute);
        return stats === undefined ? field : { ...field, type: below(field.type, field.id, stats) };
      });
      const known = new Set(type.fields.map((field) => field.attribute));
      const fresh = [...seen.fields]
        .filter(([name]) => !known.has(name))
        .map(([name, stats]) => ({
          attribute: name,
          present: presentCount(stats),
          type: nestedType(stats),
        }))
        .filter((field) => field.type !== null)
        .sort(mostPresentFirst);
      if (fresh.length > 0) marks.added = true;
      const more = fresh.map((field) => ({
        id: 0,
        name: '',
        attribute: field.attribute,
        type: field.type!,
      }));
      return { kind: 'M', fields: [...fields, ...more] };
    }
    default:
      return type;
  }
}

/** A nested place's type: as a field of a struct of its own. */
function nestedType(stats: TypeStats): ColumnType | null {
  const wrapped: TypeStats = {
    counts: { M: 1 },
    numbers: new Map(),
    members: new Map(),
    fields: new Map([['x', stats]]),
    values: null,
    element: null,
  };
  const type = chooseType(wrapped);
  return type?.kind === 'M' ? type.fields[0]!.type : null;
}

/** The first element or entry of a place that was always empty: its type is known now. */
function firstSeen(
  type: ColumnType,
  seen: TypeStats,
  mayRetype: boolean,
  marks: { added: boolean; retyped: boolean },
): ColumnType {
  if (!mayRetype) return type;
  const chosen = nestedType(seen);
  if (chosen === null || (chosen.kind !== 'L' && chosen.kind !== 'MAP' && chosen.kind !== 'M')) {
    return type;
  }
  if ((chosen.kind === 'L' || chosen.kind === 'MAP') && chosen.empty === true) return type;
  if ((chosen.kind === 'L') !== (type.kind === 'L')) return type;
  marks.retyped = true;
  return chosen;
}

/** Digits that the numbers at a place of an attribute have: before the point, after it. With the column's type, of the
 *  numbers that it holds; without, of all that any decimal holds. Undefined: there are none. */
export type Extents = (
  attribute: string,
  path: readonly string[],
  type?: Extract<ColumnType, { kind: 'N' | 'NS' }>,
) => readonly [number, number] | undefined;

/** The digits that were seen at the places of attributes. */
export function numberExtents(stats: AttributeStats): Extents {
  return (attribute, path, type) => {
    let at: TypeStats | null | undefined = stats.get(attribute);
    for (const step of path) {
      if (at === null || at === undefined) return undefined;
      if (step === '[]') at = at.element;
      else if (step === '{}') {
        at = at.values ?? (at.fields === null ? null : mergedFields(at.fields));
      } else at = at.fields?.get(step.slice(1));
    }
    if (at === null || at === undefined) return undefined;
    const ofSet = type === undefined ? at.numbers.size === 0 : type.kind === 'NS';
    const counts = ofSet ? at.members : at.numbers;
    // One odd number among the misfits must not bind the column for ever: only what it holds counts.
    const held = type === undefined ? null : fitTable(type.number);
    let any = false;
    let integer = 0;
    let fraction = 0;
    for (let c = 0; c < numberClasses; c++) {
      if ((counts.get(c) ?? 0) === 0 || held?.[c] === 0) continue;
      any = true;
      const [i, f] = extentOfClass(c);
      // Numbers that no decimal holds are misfits: no column has held them.
      if (i > 38 || f > 38) continue;
      integer = Math.max(integer, i);
      fraction = Math.max(fraction, f);
    }
    return any ? [integer, fraction] : undefined;
  };
}
