// Items one by one and in batches: PutItem, GetItem, DeleteItem, UpdateItem, BatchWriteItem, BatchGetItem.
// Promises: a write is durable before it is answered, and read by every read after; conditions are proved with the write.
// Source: Amazon DynamoDB API Reference, the pages of these actions.

import { canonicalKey } from '../canonical.js';
import { type Item, keysOf } from '../item.js';
import {
  DynamoDbFault,
  flagIn,
  invalid,
  isObject,
  type Json,
  listIn,
  objectIn,
  textIn,
  wordIn,
} from './dynamodb-call.js';
import {
  type CapacityMeter,
  consumedCapacity,
  readUnits,
  writeUnits,
} from './dynamodb-capacity.js';
import { holds, updatedItem } from './dynamodb-evaluate.js';
import { Expressions, refuseLegacy, type Update } from './dynamodb-expressions.js';
import type { DynamoDbState, SimTable } from './dynamodb-state.js';
import { checkItem, itemBytes, readItem, readKey, wireItem } from './dynamodb-values.js';

const batchWritesMax = 25;
const batchReadsMax = 100;
/** Largest answer of a batch of reads, in bytes; the rest comes back unprocessed. */
const batchReadBytesMax = 16 * 1024 * 1024;

type Single = 'PutItem' | 'DeleteItem' | 'UpdateItem';

/** A write of one item on its way: what it would leave of the item there is, and under what condition. */
interface Change {
  readonly operation: Single;
  readonly table: SimTable;
  readonly keys: Item;
  readonly after: (before: Item | null) => Item | null;
  readonly input: Json;
  readonly expressions: Expressions;
}

export class DynamoDbItems {
  readonly #state: DynamoDbState;
  readonly #meter: CapacityMeter;

  constructor(state: DynamoDbState, meter: CapacityMeter) {
    this.#state = state;
    this.#meter = meter;
  }

  async put(input: Json): Promise<Json> {
    refuseLegacy(input);
    const table = this.#state.named(input);
    const item = readItem(objectIn(input, 'Item') ?? {}, table.stored.key);
    const returned = wordIn(input, 'ReturnValues', ['NONE', 'ALL_OLD']) ?? 'NONE';
    const { before, answer } = await this.#change({
      operation: 'PutItem',
      table,
      keys: keysOf(item, table.stored.key),
      after: () => item,
      input,
      expressions: new Expressions(input),
    });
    return { ...attributes(returned === 'ALL_OLD' ? before : null), ...answer };
  }

  async delete(input: Json): Promise<Json> {
    refuseLegacy(input);
    const table = this.#state.named(input);
    const returned = wordIn(input, 'ReturnValues', ['NONE', 'ALL_OLD']) ?? 'NONE';
    const { before, answer } = await this.#change({
      operation: 'DeleteItem',
      table,
      keys: readKey(objectIn(input, 'Key'), table.stored.key),
      after: () => null,
      input,
      expressions: new Expressions(input),
    });
    return { ...attributes(returned === 'ALL_OLD' ? before : null), ...answer };
  }

  async update(input: Json): Promise<Json> {
    refuseLegacy(input);
    const table = this.#state.named(input);
    const { key } = table.stored;
    const keys = readKey(objectIn(input, 'Key'), key);
    const all = ['NONE', 'ALL_OLD', 'UPDATED_OLD', 'ALL_NEW', 'UPDATED_NEW'] as const;
    const returned = wordIn(input, 'ReturnValues', all) ?? 'NONE';
    const expressions = new Expressions(input);
    const text = textIn(input, 'UpdateExpression');
    const update = text === null ? null : expressions.update(text);
    const touched = update === null ? [] : touchedNames(update);
    const keyNames = new Set(key.map(({ name }) => name));
    if (touched.some((name) => keyNames.has(name))) {
      throw invalid(
        'One or more parameter values were invalid: Cannot update attribute that is part of the key',
      );
    }
    const after = (before: Item | null): Item => {
      const item = update === null ? (before ?? keys) : updatedItem(before ?? keys, update);
      checkItem(item, key);
      return item;
    };
    const changed = await this.#change({
      operation: 'UpdateItem',
      table,
      keys,
      after,
      input,
      expressions,
    });
    const item = returned.endsWith('OLD') ? changed.before : changed.after;
    const isWhole = returned.startsWith('ALL');
    const shown =
      returned === 'NONE' || item === null ? null : isWhole ? item : only(item, touched);
    return { ...attributes(shown), ...changed.answer };
  }

  /** Proves the condition and writes, with nothing in between. */
  async #change(
    change: Change,
  ): Promise<{ before: Item | null; after: Item | null; answer: Json }> {
    const { operation, table, keys, input, expressions } = change;
    const text = textIn(input, 'ConditionExpression');
    const condition = text === null ? null : expressions.condition('ConditionExpression', text);
    expressions.close();
    const before = table.past.latest(keys);
    const isMet = condition === null || holds(condition, before ?? new Map());
    const after = isMet ? change.after(before) : null;
    const units = writeUnits(bytesOf(before), bytesOf(after));
    this.#meter.add(table.name, operation, { write: units });
    if (!isMet) throw conditionFailed(input, before);
    // Deleting what is not there is no write.
    if (before !== null || after !== null) {
      await table.write(keys, after, this.#state.clock.nowMs());
    }
    const capacity = consumedCapacity(input, table.name, units);
    return { before, after, answer: capacity === null ? {} : { ConsumedCapacity: capacity } };
  }

  async get(input: Json): Promise<Json> {
    refuseLegacy(input);
    const table = this.#state.named(input);
    const keys = readKey(objectIn(input, 'Key'), table.stored.key);
    const names = projectionOf(input);
    await table.log.settled();
    const item = table.past.latest(keys);
    const isConsistent = flagIn(input, 'ConsistentRead') ?? false;
    const units = readUnits(bytesOf(item), isConsistent);
    this.#meter.add(table.name, 'GetItem', { read: units });
    const capacity = consumedCapacity(input, table.name, units);
    return {
      ...(item === null ? {} : { Item: wireItem(projected(item, names)) }),
      ...(capacity === null ? {} : { ConsumedCapacity: capacity }),
    };
  }

  async batchWrite(input: Json): Promise<Json> {
    const requests = Object.entries(objectIn(input, 'RequestItems') ?? {}).flatMap(([name, list]) =>
      this.#writesTo(name, list),
    );
    if (requests.length === 0) throw invalid('The batch write request list cannot be empty');
    if (requests.length > batchWritesMax) {
      throw invalid('Too many items requested for the BatchWriteItem call');
    }
    assertDistinct(requests);
    const done = requests.slice(0, this.#state.settings.batchItemsMax);
    const unitsByTable = new Map<SimTable, number>();
    await Promise.all(
      done.map(async ({ table, keys, item }) => {
        const before = table.past.latest(keys);
        const units = writeUnits(bytesOf(before), bytesOf(item));
        unitsByTable.set(table, (unitsByTable.get(table) ?? 0) + units);
        if (before === null && item === null) return;
        await table.write(keys, item, this.#state.clock.nowMs());
      }),
    );
    for (const [table, write] of unitsByTable) {
      this.#meter.add(table.name, 'BatchWriteItem', { write });
    }
    const left: Record<string, Json[]> = {};
    for (const { as, request } of requests.slice(done.length)) {
      left[as] ??= [];
      left[as].push(request);
    }
    return { UnprocessedItems: left, ...batchCapacity(input, unitsByTable) };
  }

  #writesTo(as: string, list: unknown): BatchWrite[] {
    const table = this.#state.named({ TableName: as });
    if (!Array.isArray(list)) throw invalid('The batch write request list cannot be empty');
    return list.filter(isObject).map((request): BatchWrite => {
      const put = objectIn(request, 'PutRequest');
      const deletion = objectIn(request, 'DeleteRequest');
      if ((put === null) === (deletion === null)) {
        throw invalid(
          'Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes',
        );
      }
      const { key } = table.stored;
      if (put === null) {
        return { as, table, request, keys: readKey(objectIn(deletion!, 'Key'), key), item: null };
      }
      const item = readItem(objectIn(put, 'Item') ?? {}, key);
      return { as, table, request, keys: keysOf(item, key), item };
    });
  }

  async batchGet(input: Json): Promise<Json> {
    const asked = Object.entries(objectIn(input, 'RequestItems') ?? {}).map(([as, wanted]) => {
      if (!isObject(wanted)) throw invalid('The batch get request list cannot be empty');
      refuseLegacy(wanted);
      const table = this.#state.named({ TableName: as });
      const keys = (listIn(wanted, 'Keys') ?? []).map((each) => readKey(each, table.stored.key));
      const names = projectionOf(wanted);
      const isConsistent = flagIn(wanted, 'ConsistentRead') ?? false;
      return { as, table, keys, names, isConsistent, wanted };
    });
    const count = asked.reduce((sum, { keys }) => sum + keys.length, 0);
    if (count === 0) throw invalid('The batch get request list cannot be empty');
    if (count > batchReadsMax) {
      throw invalid('Too many items requested for the BatchGetItem call');
    }
    assertDistinct(asked.flatMap(({ table, keys }) => keys.map((each) => ({ table, keys: each }))));
    const responses: Record<string, Json[]> = {};
    const unprocessed: Record<string, Json> = {};
    const unitsByTable = new Map<SimTable, number>();
    let bytes = 0;
    let items = 0;
    for (const { as, table, keys, names, isConsistent, wanted } of asked) {
      await table.log.settled();
      const found: Json[] = [];
      const left: Json[] = [];
      let units = 0;
      for (const each of keys) {
        const item = table.past.latest(each);
        if (items >= this.#state.settings.batchItemsMax || bytes > batchReadBytesMax) {
          left.push(wireItem(each));
          continue;
        }
        items += 1;
        bytes += bytesOf(item);
        units += readUnits(bytesOf(item), isConsistent);
        if (item !== null) found.push(wireItem(projected(item, names)));
      }
      responses[as] = found;
      if (left.length > 0) unprocessed[as] = { ...wanted, Keys: left };
      unitsByTable.set(table, units);
      this.#meter.add(table.name, 'BatchGetItem', { read: units });
    }
    return {
      Responses: responses,
      UnprocessedKeys: unprocessed,
      ...batchCapacity(input, unitsByTable),
    };
  }
}

interface BatchWrite {
  /** The table as the request named it. */
  readonly as: string;
  readonly table: SimTable;
  readonly request: Json;
  readonly keys: Item;
  readonly item: Item | null;
}

function assertDistinct(all: readonly { readonly table: SimTable; readonly keys: Item }[]): void {
  const names = all.map(({ table, keys }) =>
    [table.name, canonicalKey(keys, table.stored.key)].join('/'),
  );
  if (new Set(names).size < names.length) {
    throw invalid('Provided list of item keys contains duplicates');
  }
}

function batchCapacity(input: Json, units: ReadonlyMap<SimTable, number>): Json {
  const all = [...units].map(([table, each]) => consumedCapacity(input, table.name, each));
  return all.length === 0 || all[0] === null ? {} : { ConsumedCapacity: all };
}

function conditionFailed(input: Json, before: Item | null): DynamoDbFault {
  const returned = wordIn(input, 'ReturnValuesOnConditionCheckFailure', ['NONE', 'ALL_OLD']);
  const members = returned === 'ALL_OLD' && before !== null ? { Item: wireItem(before) } : {};
  const message = 'The conditional request failed';
  return new DynamoDbFault('ConditionalCheckFailedException', message, members);
}

function attributes(item: Item | null): Json {
  return item === null || item.size === 0 ? {} : { Attributes: wireItem(item) };
}

function touchedNames(update: Update): readonly string[] {
  const named = [...update.set, ...update.add, ...update.delete].map(({ name }) => name);
  return [...named, ...update.remove];
}

function only(item: Item, names: readonly string[]): Item {
  return new Map([...item].filter(([name]) => names.includes(name)));
}

function bytesOf(item: Item | null): number {
  return item === null ? 0 : itemBytes(item);
}

/** Names asked for; null for all of them. */
export function projectionOf(input: Json, expressions?: Expressions): readonly string[] | null {
  const text = textIn(input, 'ProjectionExpression');
  const reading = expressions ?? new Expressions(input);
  const names = text === null ? null : reading.projection(text);
  if (expressions === undefined) reading.close();
  return names;
}

/** The attributes asked for. */
export function projected(item: Item, names: readonly string[] | null): Item {
  return names === null ? item : only(item, names);
}
