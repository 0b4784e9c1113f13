// An item as the simulator holds it, and its DynamoDB JSON.
// Promises: attribute names are data only (a Map, so `__proto__` is a name like any other); the text is JSON as JSON.stringify escapes it.
// Source: Amazon DynamoDB Developer Guide, "DynamoDB table exports, output format", data objects.

import type { AttributeValue, KeyAttribute } from '../../schemas/attribute.js';
import { TidelakeError } from '../../schemas/errors.js';
import type { Random } from './random.js';

/** An item: attribute name -> value. Maps inside are Maps too. */
export type Item = ReadonlyMap<string, AttributeValue>;

function setOrder(values: readonly string[], dice: Random | undefined): readonly string[] {
  return dice === undefined ? values : dice.shuffled(values);
}

/** DynamoDB JSON of one attribute value. With `dice`, names inside maps and members of sets come in a random order. */
export function attributeJson(value: AttributeValue, dice?: Random): string {
  if ('S' in value) return `{"S":${JSON.stringify(value.S)}}`;
  if ('N' in value) return `{"N":${JSON.stringify(value.N)}}`;
  if ('B' in value) return `{"B":${JSON.stringify(value.B)}}`;
  if ('BOOL' in value) return `{"BOOL":${value.BOOL}}`;
  if ('NULL' in value) return '{"NULL":true}';
  if ('SS' in value) return `{"SS":${JSON.stringify(setOrder(value.SS, dice))}}`;
  if ('NS' in value) return `{"NS":${JSON.stringify(setOrder(value.NS, dice))}}`;
  if ('BS' in value) return `{"BS":${JSON.stringify(setOrder(value.BS, dice))}}`;
  if ('L' in value)
    return `{"L":[${value.L.map((element) => attributeJson(element, dice)).join(',')}]}`;
  return `{"M":${itemJson(value.M, dice)}}`;
}

/** DynamoDB JSON of an item or map, without the tag around it. With `dice`, the names come in a random order. */
export function itemJson(item: Item, dice?: Random): string {
  const entries = dice === undefined ? [...item] : dice.shuffled([...item]);
  return `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${attributeJson(value, dice)}`).join(',')}}`;
}

/**
 * The key attributes of an item, partition key first.
 * @throws TidelakeError REFUSED_KEY when one is missing or has another type.
 */
export function keysOf(item: Item, key: readonly KeyAttribute[]): Item {
  const keys = new Map<string, AttributeValue>();
  for (const { name, tag } of key) {
    const value = item.get(name);
    if (value === undefined || !(tag in value)) {
      throw new TidelakeError({
        code: 'REFUSED_KEY',
        what: `a simulated item has no ${tag} value for the key attribute ${name}`,
        meaning: 'DynamoDB would not accept this item',
        next: 'give every item all key attributes with the declared type',
      });
    }
    keys.set(name, value);
  }
  return keys;
}
