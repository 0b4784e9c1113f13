// From an engine's rows back to items, to compare what the engine reads with what the simulated table holds.
// Promises: shares no code with unload: it goes by the table's schema and the property tidelake.columns alone, as
// docs/reference/table-properties.md and types.md tell them, so a wrong value anywhere makes another item.

import { attributeFromParsed, type Item } from '../../../pipeline/simulator/index.js';
import type { AttributeValue } from '../../../schemas/attribute.js';
import type { EngineRow, EngineValue } from './values.js';

/** A column, a nested field, an element or a value, as the metadata file has it. */
interface FieldJson {
  readonly id: number;
  readonly name: string;
  readonly type: TypeJson;
}
type TypeJson =
  | string
  | { readonly type: 'struct'; readonly fields: readonly FieldJson[] }
  | { readonly type: 'list'; readonly 'element-id': number; readonly element: TypeJson }
  | { readonly type: 'map'; readonly 'value-id': number; readonly value: TypeJson };

interface MapEntry {
  readonly attribute?: string;
  readonly kind: string;
}

/** One schema of a table with the attributes its columns came from. */
export class RowReader {
  readonly fields: readonly FieldJson[];
  readonly #entries: Readonly<Record<string, MapEntry>>;

  constructor(fields: readonly FieldJson[], columnMap: string) {
    this.fields = fields;
    this.#entries = (JSON.parse(columnMap) as { fields: Record<string, MapEntry> }).fields;
  }

  /** The item a row stands for. */
  item(row: EngineRow): Item {
    const item = new Map<string, AttributeValue>();
    for (const field of this.fields) {
      const entry = this.#entries[String(field.id)];
      const value = row.get(field.name);
      if (value === undefined) throw new Error(`the engine shows no column ${field.name}`);
      if (entry?.attribute === undefined || value === null) continue;
      item.set(entry.attribute, this.#attribute(value, field.id, field.type));
    }
    const misfits = row.get('_misfits');
    if (misfits instanceof Map) {
      for (const [name, json] of misfits) {
        if (item.has(name)) throw new Error('a column and _misfits hold the same attribute');
        item.set(name, attributeFromParsed(JSON.parse(json as string)));
      }
    }
    const nulls = row.get('_nulls');
    if (Array.isArray(nulls)) for (const path of nulls) setNull(item, path as string);
    return item;
  }

  #attribute(value: EngineValue, id: number, type: TypeJson): AttributeValue {
    const { kind } = this.#entries[String(id)]!;
    switch (kind) {
      case 'S':
        return { S: value as string };
      case 'N':
        return { N: value as string };
      case 'B':
        return { B: value as string };
      case 'BOOL':
        return { BOOL: value as boolean };
      case 'SS':
        return { SS: value as string[] };
      case 'NS':
        return { NS: value as string[] };
      case 'BS':
        return { BS: value as string[] };
      case 'JSON':
        return attributeFromParsed(JSON.parse(value as string));
      case 'L':
        return { L: this.#elements(value as EngineValue[], type) };
      case 'MAP':
        return { M: this.#entriesOf(value as ReadonlyMap<string, EngineValue>, type) };
      case 'M':
        return { M: this.#fieldsOf(value as ReadonlyMap<string, EngineValue>, type) };
      default:
        throw new Error(`no such kind: ${kind}`);
    }
  }

  #elements(value: readonly EngineValue[], type: TypeJson): AttributeValue[] {
    if (typeof type === 'string' || type.type !== 'list') throw new Error('not a list');
    return value.map((one) =>
      one === null ? { NULL: true } : this.#attribute(one, type['element-id'], type.element),
    );
  }

  #entriesOf(value: ReadonlyMap<string, EngineValue>, type: TypeJson): Item {
    if (typeof type === 'string' || type.type !== 'map') throw new Error('not a map');
    const entries = new Map<string, AttributeValue>();
    for (const [name, one] of value) {
      const isNull = one === null;
      entries.set(
        name,
        isNull ? { NULL: true } : this.#attribute(one, type['value-id'], type.value),
      );
    }
    return entries;
  }

  #fieldsOf(value: ReadonlyMap<string, EngineValue>, type: TypeJson): Item {
    if (typeof type === 'string' || type.type !== 'struct') throw new Error('not a struct');
    const entries = new Map<string, AttributeValue>();
    for (const field of type.fields) {
      const one = value.get(field.name);
      if (one === undefined) throw new Error(`the engine shows no field ${field.name}`);
      const attribute = this.#entries[String(field.id)]?.attribute;
      if (one !== null && attribute !== undefined) {
        entries.set(attribute, this.#attribute(one, field.id, field.type));
      }
    }
    return entries;
  }
}

/** Puts NULL at the place an RFC 6901 path names. */
function setNull(item: Item, path: string): void {
  const steps = path
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  let place: AttributeValue = { M: item };
  for (const [i, step] of steps.entries()) {
    const isLast = i === steps.length - 1;
    if ('M' in place) {
      const map = place.M as Map<string, AttributeValue>;
      if (isLast) map.set(step, { NULL: true });
      else place = need(map.get(step), path);
    } else if ('L' in place) {
      const list = place.L as AttributeValue[];
      if (isLast) list[Number(step)] = { NULL: true };
      else place = need(list[Number(step)], path);
    } else throw new Error(`_nulls names a place that is not there: ${steps.length} steps`);
  }
}

function need(value: AttributeValue | undefined, path: string): AttributeValue {
  if (value !== undefined) return value;
  throw new Error(`_nulls names a place that is not there: ${path.length} characters`);
}
