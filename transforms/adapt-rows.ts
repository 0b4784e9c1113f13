// Rows from one set of column types to another. What agrees is taken as it is; a column whose type was refuted, or is
// retyped, is rendered to DynamoDB JSON and scanned again. So there is one way in which a value comes into a column,
// and wrong guesses, late attributes and retyped numbers all go through it, losing nothing.

import type { KeyAttribute } from '../schemas/attribute.js';
import type { ColumnType } from '../schemas/columns.js';
import {
  BytesColumn,
  type Column,
  type FlagColumn,
  ListColumn,
  type LongColumn,
  StructColumn,
  type WideColumn,
} from './columns.js';
import { classify, fitTable, numberTypeText, parseDecimal, toUnscaled } from './decimals.js';
import { absentColumn, makeColumn, Rows, type TypedAttribute } from './make-columns.js';
import { columnValue, misfitsOf, nullPaths, withNulls } from './render-json.js';
import { ItemScanner } from './scan-items.js';
import { pathStep, valueJson } from './values.js';

/** Whether two types store the same values the same way (ids, names and placeholders aside). */
export function sameType(a: ColumnType, b: ColumnType): boolean {
  if (a.kind !== b.kind) return false;
  switch (a.kind) {
    case 'N':
    case 'NS':
      return numberTypeText(a.number) === numberTypeText((b as typeof a).number);
    case 'L':
      return sameType(a.element, (b as typeof a).element);
    case 'MAP':
      return sameType(a.value, (b as typeof a).value);
    case 'M': {
      const other = (b as typeof a).fields;
      return (
        a.fields.length === other.length &&
        a.fields.every(
          (field, i) =>
            field.attribute === other[i]!.attribute && sameType(field.type, other[i]!.type),
        )
      );
    }
    default:
      return true;
  }
}

/** Whether every value of `from` has a place in `to` without looking at it: `to` only has more fields, or other order. */
export function widens(from: ColumnType, to: ColumnType): boolean {
  if (from.kind !== to.kind) return false;
  switch (from.kind) {
    case 'L':
      return widens(from.element, (to as typeof from).element);
    case 'MAP':
      return widens(from.value, (to as typeof from).value);
    case 'M': {
      const fields = new Map(
        (to as typeof from).fields.map((field) => [field.attribute, field.type]),
      );
      return from.fields.every((field) => {
        const type = fields.get(field.attribute);
        return type !== undefined && widens(field.type, type);
      });
    }
    default:
      return sameType(from, to);
  }
}

function widened(column: Column, from: ColumnType, to: ColumnType): Column {
  if (sameType(from, to)) return column;
  if (from.kind === 'M' && to.kind === 'M') {
    const source = column as StructColumn;
    const at = new Map(from.fields.map((field, i) => [field.attribute, i]));
    const children = to.fields.map((field) => {
      const i = at.get(field.attribute);
      if (i === undefined) return absentColumn(field.type, column.n);
      return widened(source.children[i]!, from.fields[i]!.type, field.type);
    });
    return copyHead(source, new StructColumn(children));
  }
  const source = column as ListColumn;
  if (from.kind === 'L' && to.kind === 'L') {
    return listOf(source, widened(source.child, from.element, to.element));
  }
  if (from.kind === 'MAP' && to.kind === 'MAP') {
    const entries = source.child as StructColumn;
    const values = widened(entries.children[1]!, from.value, to.value);
    return listOf(source, copyHead(entries, new StructColumn([entries.children[0]!, values])));
  }
  return column;
}

function copyHead<C extends Column>(source: Column, target: C): C {
  target.n = source.n;
  target.nulls = source.nulls;
  target.ok = source.ok;
  return target;
}

function listOf(source: ListColumn, child: Column): ListColumn {
  const list = copyHead(source, new ListColumn(child));
  list.offsets = source.offsets;
  return list;
}

/** A number key's column in another number type. Every item's key must fit (keys are never misfits); that of a row that
 *  only deletes need not: then no item of the table has it. */
function keyNumbers(source: Column, from: ColumnType, to: ColumnType, lives: FlagColumn): Column {
  if (to.kind !== 'N' || from.kind !== 'N')
    throw new RangeError('a key column changes only its number type');
  const out = makeColumn(to) as BytesColumn | LongColumn | WideColumn;
  const scale = to.number.type === 'decimal' ? to.number.scale : 0;
  const fits = fitTable(to.number);
  for (let row = 0; row < source.n; row++) {
    if (source.ok[row] === 0) {
      out.appendNulls(1);
      continue;
    }
    const value = columnValue(from, source, row) as { text: string };
    if (out instanceof BytesColumn) {
      const text = Buffer.from(value.text, 'latin1');
      out.pushBytes(text, 0, text.length);
      continue;
    }
    const number = parseDecimal(value.text)!;
    if (fits[classify(number).class] === 1) out.pushBigInt(toUnscaled(number, scale));
    else if (lives.flags[row] === 0) out.appendNulls(1);
    else throw new RangeError('a key column does not hold a key');
  }
  return out;
}

/** Rows with the columns `types`, which start with the key's. All values are kept: in a column, or beside them. */
export function adaptRows(
  source: Rows,
  types: readonly TypedAttribute[],
  key: readonly KeyAttribute[],
): Rows {
  const from = new Map(source.types.map((column, i) => [column.attribute, i]));
  const strays = misfitNames(source);
  const columns: (Column | null)[] = types.map(({ attribute, type }, i) => {
    const at = from.get(attribute);
    if (at === undefined) {
      if (strays.has(attribute)) return null;
      return absentColumn(type, source.n);
    }
    const column = source.columns[at]!;
    const old = source.types[at]!.type;
    if (sameType(old, type)) return column;
    if (i < key.length) return keyNumbers(column, old, type, source.lives);
    return !strays.has(attribute) && widens(old, type) ? widened(column, old, type) : null;
  });
  const kept = new Set(types.map((column) => column.attribute));
  const gone = source.types.filter((column) => !kept.has(column.attribute));
  const again = types.filter((_, i) => columns[i] === null);
  if (again.length === 0 && gone.length === 0) return new Rows(types, columns as Column[], source);
  const scanned = scanAgain(source, from, again, gone);
  let next = 0;
  const all = columns.map((column) => column ?? scanned.columns[next++]!);
  return new Rows(types, all, {
    writtenAt: source.writtenAt,
    nulls: scanned.nulls,
    misfits: scanned.misfits,
    keys: source.keys,
    lives: source.lives,
  });
}

function misfitNames(rows: Rows): Set<string> {
  const names = new Set<string>();
  const column = rows.misfits.child.children[0] as BytesColumn;
  if (rows.misfits.nulls === rows.misfits.n) return names;
  const data = Buffer.from(column.data.buffer, column.data.byteOffset, column.length);
  for (let i = 0; i < column.n; i++) {
    names.add(data.toString('utf8', column.offsets[i]!, column.offsets[i + 1]!));
  }
  return names;
}

function scanAgain(
  source: Rows,
  from: ReadonlyMap<string, number>,
  again: readonly TypedAttribute[],
  gone: readonly TypedAttribute[],
): Rows {
  const scanner = new ItemScanner({ types: again, key: [] });
  const index = new Map(again.map((column, i) => [column.attribute, i]));
  const goneNames = new Set(gone.map((column) => column.attribute));
  for (let row = 0; row < source.n; row++) {
    const nulls = nullPaths(source, row);
    for (const [attribute, json] of misfitsOf(source, row)) {
      const at = index.get(attribute);
      if (at === undefined) scanner.keepMisfit(attribute, json);
      else scanner.scanAttribute(at, json, row);
    }
    for (const { attribute } of [...again, ...gone]) {
      const at = from.get(attribute);
      if (at === undefined || source.columns[at]!.ok[row] === 0) continue;
      const value = columnValue(source.types[at]!.type, source.columns[at]!, row);
      const json = Buffer.from(valueJson(withNulls(value, nulls?.get(attribute) ?? [])));
      if (goneNames.has(attribute)) scanner.keepMisfit(attribute, json);
      else scanner.scanAttribute(index.get(attribute)!, json, row);
    }
    for (const [attribute, paths] of nulls ?? []) {
      const whole = pathStep(attribute);
      const moved = index.has(attribute) || goneNames.has(attribute);
      for (const path of paths) {
        if (!moved || path === whole) scanner.keepNull(Buffer.from(path, 'utf8'));
      }
    }
    scanner.closeRow(row);
  }
  return scanner.finish().rows;
}
