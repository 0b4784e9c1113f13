// Items on their way in and out: what DynamoDB takes for one, how it keeps it, and how many bytes it counts for.
// Promises: a stored item is one an export could hold: numbers in one form, no empty or doubled set, every key attribute.
// Source: Amazon DynamoDB Developer Guide, "Supported data types and naming rules", "Constraints", "DynamoDB item sizes
// and formats".

import type { AttributeValue, KeyAttribute } from '../../../schemas/attribute.js';
import { canonicalValue } from '../canonical.js';
import type { Item } from '../item.js';
import { DynamoDbFault, invalid, isObject, type Json } from './dynamodb-call.js';
import { numberBytes, storedNumber } from './dynamodb-numbers.js';

/** Largest item, names and values, in bytes. */
const itemBytesMax = 400 * 1024;
/** Largest partition key and sort key, in bytes. */
const keyBytesMax = [2048, 1024] as const;
const depthMax = 32;

function wrongParameter(what: string): DynamoDbFault {
  return invalid(`One or more parameter values were invalid: ${what}`);
}

/** An attribute value of a request. Throws ValidationException, or SerializationException for a wrong JSON type. */
export function readValue(parsed: unknown, depth = 1): AttributeValue {
  if (depth > depthMax) {
    throw invalid(
      'Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit',
    );
  }
  if (!isObject(parsed)) throw wrongType();
  const entries = Object.entries(parsed).filter(([, value]) => value !== null);
  const [entry, second] = entries;
  if (entry === undefined || second !== undefined) {
    const what = entry === undefined ? 'is empty' : 'has more than one datatypes set';
    throw invalid(
      `Supplied AttributeValue ${what}, must contain exactly one of the supported datatypes`,
    );
  }
  return readTagged(entry[0], entry[1], depth);
}

function readTagged(tag: string, value: unknown, depth: number): AttributeValue {
  switch (tag) {
    case 'S':
      return { S: textOf(value) };
    case 'N':
      return { N: storedNumber(textOf(value)) };
    case 'B':
      return { B: binaryOf(value) };
    case 'BOOL':
      if (typeof value !== 'boolean') throw wrongType();
      return { BOOL: value };
    case 'NULL':
      if (typeof value !== 'boolean') throw wrongType();
      if (!value) throw wrongParameter('Null attribute value types must have the value of true');
      return { NULL: true };
    case 'SS':
      return { SS: setOf(value, textOf, 'string') };
    case 'NS':
      return { NS: setOf(value, (each) => storedNumber(textOf(each)), 'number') };
    case 'BS':
      return { BS: setOf(value, binaryOf, 'binary') };
    case 'L':
      if (!Array.isArray(value)) throw wrongType();
      return { L: value.map((each) => readValue(each, depth + 1)) };
    case 'M':
      return { M: readMap(value, depth + 1) };
    default:
      throw invalid(
        'Supplied AttributeValue is empty, must contain exactly one of the supported datatypes',
      );
  }
}

/** A map of attribute values. Throws as `readValue` does. */
export function readMap(parsed: unknown, depth = 1): Item {
  if (!isObject(parsed)) throw wrongType();
  const item = new Map<string, AttributeValue>();
  for (const [name, value] of Object.entries(parsed)) {
    if (name === '') throw wrongParameter('Attribute name must not be empty');
    item.set(name, readValue(value, depth));
  }
  return item;
}

function wrongType(): DynamoDbFault {
  return new DynamoDbFault('SerializationException', 'an attribute value has the wrong type');
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw wrongType();
  return value;
}

function binaryOf(value: unknown): string {
  const text = textOf(value);
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw wrongType();
  return text;
}

function setOf(value: unknown, read: (each: unknown) => string, kind: string): string[] {
  if (!Array.isArray(value)) throw wrongType();
  if (value.length === 0) throw wrongParameter(`An ${kind} set  may not be empty`);
  const members = value.map(read);
  if (new Set(members).size < members.length) {
    throw wrongParameter('Input collection contains duplicates.');
  }
  return members;
}

/** An item to be put. Throws ValidationException when DynamoDB would not take it. */
export function readItem(parsed: unknown, key: readonly KeyAttribute[]): Item {
  const item = readMap(parsed);
  checkItem(item, key);
  return item;
}

/** Throws ValidationException when a table with this key does not take the item. */
export function checkItem(item: Item, key: readonly KeyAttribute[]): void {
  for (const { name, tag } of key) {
    const value = item.get(name);
    if (value === undefined) throw wrongParameter(`Missing the key ${name} in the item`);
    const actual = Object.keys(value)[0]!;
    if (actual !== tag) {
      throw wrongParameter(`Type mismatch for key ${name} expected: ${tag} actual: ${actual}`);
    }
  }
  checkKeySizes(item, key);
  if (itemBytes(item) > itemBytesMax) {
    throw invalid('Item size has exceeded the maximum allowed size');
  }
}

/** The key attributes of a request, all of them and nothing else. Throws ValidationException. */
export function readKey(parsed: unknown, key: readonly KeyAttribute[]): Item {
  const keys = readMap(parsed ?? {});
  const isWhole =
    keys.size === key.length &&
    key.every(({ name, tag }) => {
      const value = keys.get(name);
      return value !== undefined && tag in value;
    });
  if (!isWhole) throw invalid('The provided key element does not match the schema');
  checkKeySizes(keys, key);
  return keys;
}

function checkKeySizes(item: Item, key: readonly KeyAttribute[]): void {
  for (const [i, { name, tag }] of key.entries()) {
    const bytes = valueBytes(item.get(name)!);
    if (bytes === 0) {
      const what = tag === 'B' ? 'binary' : 'string';
      throw invalid(
        `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty ${what} value. Key: ${name}`,
      );
    }
    const most = keyBytesMax[i]!;
    if (bytes > most) {
      const which = i === 0 ? 'hashkey' : 'rangekey';
      throw wrongParameter(`Size of ${which} has exceeded the maximum size limit of${most} bytes`);
    }
  }
}

function valueBytes(value: AttributeValue): number {
  const sum = (parts: readonly number[]): number => parts.reduce((total, part) => total + part, 0);
  if ('S' in value) return Buffer.byteLength(value.S);
  if ('N' in value) return numberBytes(value.N);
  if ('B' in value) return Buffer.byteLength(value.B, 'base64');
  if ('BOOL' in value || 'NULL' in value) return 1;
  if ('SS' in value) return sum(value.SS.map((each) => Buffer.byteLength(each)));
  if ('NS' in value) return sum(value.NS.map(numberBytes));
  if ('BS' in value) return sum(value.BS.map((each) => Buffer.byteLength(each, 'base64')));
  // A list or map counts three bytes, and one for each of its members.
  if ('L' in value) return 3 + sum(value.L.map((each) => valueBytes(each) + 1));
  return 3 + itemBytes(value.M) + value.M.size;
}

/** Bytes that an item counts for: the UTF-8 of its names, and its values. */
export function itemBytes(item: Item): number {
  let total = 0;
  for (const [name, value] of item) total += Buffer.byteLength(name) + valueBytes(value);
  return total;
}

/** An item as JSON values: objects without prototype, so that `__proto__` is a name like any other. */
export function wireItem(item: Item): Json {
  const members = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of item) members[name] = wireValue(value);
  return members;
}

function wireValue(value: AttributeValue): Json {
  if ('L' in value) return { L: value.L.map(wireValue) };
  if ('M' in value) return { M: wireItem(value.M) };
  return value;
}

/** Whether DynamoDB calls two values equal: type and value, sets and maps without order. */
export function isEqualValue(left: AttributeValue, right: AttributeValue): boolean {
  return canonicalValue(left) === canonicalValue(right);
}
