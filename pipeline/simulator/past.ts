// What an export needs to know of a table: its states and its changes, at any instant of its past.
// Promises: instants are microseconds since the epoch; the state "at" an instant holds every write before it and none at it.
// Source: Amazon DynamoDB Developer Guide, "Requesting a table export": windows start inclusive and end exclusive.

import type { KeyAttribute } from '../../schemas/attribute.js';
import type { Item } from './item.js';
import type { Random } from './random.js';

/** One item as a full export writes it. */
export interface Image {
  /** Hash of the partition key: items of one partition go to one data file. */
  readonly hash: number;
  /** DynamoDB JSON of the item, without `{"Item":…}` around it. */
  readonly json: string;
}

/** What happened to one key between two instants, as net effect. Present at neither end never shows. */
export interface Change {
  readonly hash: number;
  /** Microseconds since the epoch of the last write inside the window. */
  readonly micros: number;
  /** DynamoDB JSON of the key attributes. */
  readonly keys: string;
  /** State at the start of the window; null when the item was not there. */
  readonly oldImage: string | null;
  /** State at the end of the window; null when the item is not there. */
  readonly newImage: string | null;
}

/** A DynamoDB table with a past. */
export interface TablePast {
  readonly name: string;
  readonly arn: string;
  readonly tableId: string;
  readonly key: readonly KeyAttribute[];
  /** Number of live items before an instant. */
  countAt(micros: number): number;
  /** The live items before an instant, one by one. */
  itemsAt(micros: number): Iterable<Item>;
  /** The live items before an instant by canonical key. Holds all of them: for tables that fit in memory. */
  stateAt(micros: number): Map<string, Item>;
  /** The live items before an instant as texts; `dice` decides the order of attributes. */
  imagesAt(micros: number, dice: Random): Iterable<Image>;
  /** Net changes of `[fromMicros, toMicros)`, at most one per key; `dice` decides the order of attributes. */
  changesIn(fromMicros: number, toMicros: number, dice: Random): Iterable<Change>;
}
