// Query and Scan, over the table itself.
// Promises: every item that is looked at counts as read, filtered or not; pages end at 1 MB or at the limit.
// Source: Amazon DynamoDB API Reference, Query and Scan; Developer Guide, "Querying tables", "Scanning tables".

import type { KeyAttribute } from '../../../schemas/attribute.js';
import type { Item } from '../item.js';
import type { StoredItem } from '../table.js';
import {
  boundedIn,
  flagIn,
  invalid,
  type Json,
  neededText,
  notSimulated,
  objectIn,
  textIn,
  wordIn,
} from './dynamodb-call.js';
import { type CapacityMeter, consumedCapacity, readUnits } from './dynamodb-capacity.js';
import { compareValues, holds } from './dynamodb-evaluate.js';
import { type Condition, Expressions, refuseLegacy } from './dynamodb-expressions.js';
import { projected, projectionOf } from './dynamodb-items.js';
import type { DynamoDbState, SimTable } from './dynamodb-state.js';
import { itemBytes, readKey, wireItem } from './dynamodb-values.js';

/** Most bytes of items that one page looks at. */
const pageBytesMax = 1024 * 1024;

interface Looking {
  readonly operation: 'Query' | 'Scan';
  readonly table: SimTable;
  readonly input: Json;
  readonly expressions: Expressions;
  /** In the order of the answer, from behind the start key on. */
  readonly items: Iterable<Item>;
}

export class DynamoDbQueries {
  readonly #state: DynamoDbState;
  readonly #meter: CapacityMeter;

  constructor(state: DynamoDbState, meter: CapacityMeter) {
    this.#state = state;
    this.#meter = meter;
  }

  async query(input: Json): Promise<Json> {
    const table = await this.#table(input);
    const expressions = new Expressions(input);
    const text = neededText(input, 'KeyConditionExpression');
    const condition = expressions.condition('KeyConditionExpression', text);
    assertKeyCondition(condition, table.stored.key);
    const sortName = table.stored.key[1]?.name ?? null;
    const isForward = flagIn(input, 'ScanIndexForward') ?? true;
    const found = [...table.past.latestItems()].filter(({ item }) => holds(condition, item));
    if (sortName !== null) {
      found.sort((a, b) => compareValues(a.item.get(sortName)!, b.item.get(sortName)!)!);
      if (!isForward) found.reverse();
    }
    const start = startOf(input, table);
    const order = (item: Item): number => {
      if (sortName === null || start === null) return 0;
      const difference = compareValues(item.get(sortName)!, start.get(sortName)!) ?? 0;
      return isForward ? difference : -difference;
    };
    const items = found.map(({ item }) => item).filter((item) => start === null || order(item) > 0);
    return this.#look({ operation: 'Query', table, input, expressions, items });
  }

  async scan(input: Json): Promise<Json> {
    const table = await this.#table(input);
    const segments = boundedIn(input, 'TotalSegments', 1, 1_000_000);
    const segment = boundedIn(input, 'Segment', 0, 999_999);
    if ((segments === null) !== (segment === null) || (segment ?? 0) >= (segments ?? 1)) {
      throw invalid('The Segment parameter is required with TotalSegments, and must be less');
    }
    const items = segmentOf(
      table.past.latestItems(startOf(input, table)),
      segments ?? 1,
      segment ?? 0,
    );
    return this.#look({
      operation: 'Scan',
      table,
      input,
      expressions: new Expressions(input),
      items,
    });
  }

  async #table(input: Json): Promise<SimTable> {
    refuseLegacy(input);
    if (textIn(input, 'IndexName') !== null) throw notSimulated('IndexName');
    const table = this.#state.named(input);
    await table.log.settled();
    return table;
  }

  #look(looking: Looking): Json {
    const { operation, table, input, expressions } = looking;
    const limit = boundedIn(input, 'Limit', 1, 2 ** 31 - 1) ?? Number.POSITIVE_INFINITY;
    const filterText = textIn(input, 'FilterExpression');
    const filter =
      filterText === null ? null : expressions.condition('FilterExpression', filterText);
    const names = projectionOf(input, expressions);
    expressions.close();
    const selects = ['ALL_ATTRIBUTES', 'ALL_PROJECTED_ATTRIBUTES', 'SPECIFIC_ATTRIBUTES', 'COUNT'];
    const isCount = wordIn(input, 'Select', selects) === 'COUNT';

    const taken: Item[] = [];
    let looked = 0;
    let bytes = 0;
    let last: Item | null = null;
    for (const item of looking.items) {
      looked += 1;
      bytes += itemBytes(item);
      if (filter === null || holds(filter, item)) taken.push(item);
      if (looked < limit && bytes <= pageBytesMax) continue;
      last = item;
      break;
    }
    const units = readUnits(bytes, flagIn(input, 'ConsistentRead') ?? false);
    this.#meter.add(table.name, operation, { read: units });
    const capacity = consumedCapacity(input, table.name, units);
    return {
      Count: taken.length,
      ScannedCount: looked,
      ...(isCount ? {} : { Items: taken.map((item) => wireItem(projected(item, names))) }),
      ...(last === null ? {} : { LastEvaluatedKey: wireItem(keyOf(last, table.stored.key)) }),
      ...(capacity === null ? {} : { ConsumedCapacity: capacity }),
    };
  }
}

function* segmentOf(
  items: Iterable<StoredItem>,
  segments: number,
  segment: number,
): Iterable<Item> {
  for (const { hash, item } of items) if (hash % segments === segment) yield item;
}

function startOf(input: Json, table: SimTable): Item | null {
  const start = objectIn(input, 'ExclusiveStartKey');
  return start === null ? null : readKey(start, table.stored.key);
}

function keyOf(item: Item, key: readonly KeyAttribute[]): Item {
  return new Map(key.map(({ name }) => [name, item.get(name)!]));
}

/** A key condition is equality of the partition key, and at most one condition on the sort key. */
function assertKeyCondition(condition: Condition, key: readonly KeyAttribute[]): void {
  const parts = condition.kind === 'and' ? [condition.left, condition.right] : [condition];
  const [partition, sort] = key;
  const named = parts.map(nameIn);
  const isPartition = parts.map(
    (part, i) =>
      named[i] === partition!.name &&
      part.kind === 'compare' &&
      part.by === '=' &&
      part.right.kind === 'value',
  );
  const isSort = parts.map(
    (part, i) => sort !== undefined && named[i] === sort.name && isSimple(part),
  );
  const isRight =
    isPartition.filter(Boolean).length === 1 &&
    isPartition.every((isKey, i) => isKey || isSort[i] === true);
  if (!isRight) throw invalid('Query key condition not supported');
}

function nameIn(condition: Condition): string | null {
  if (condition.kind === 'begins') return condition.path.length === 1 ? condition.path[0] : null;
  const operand =
    condition.kind === 'compare'
      ? condition.left
      : condition.kind === 'between'
        ? condition.of
        : null;
  return operand?.kind === 'path' && operand.path.length === 1 ? operand.path[0] : null;
}

function isSimple(condition: Condition): boolean {
  if (condition.kind === 'compare')
    return condition.by !== '<>' && condition.right.kind === 'value';
  return condition.kind === 'between' || condition.kind === 'begins';
}
