// What a suite asks of an engine, whichever it is.

import type { EngineLake } from './lakes.js';
import type { Predicate } from './predicates.js';
import type { EngineAnswer } from './values.js';

/** Which state of a table: a snapshot by its id, or the one that stands for an instant of the data. */
export type At = { readonly snapshotId: string } | { readonly ms: number };

export interface Engine {
  /** All rows of a table, now or at a state of its past. */
  rows(lake: EngineLake, at?: At): Promise<EngineAnswer>;
  /** How many rows each predicate leaves, every one asked as a filter that the engine may prune files by. */
  counts(lake: EngineLake, predicates: readonly Predicate[]): Promise<readonly number[]>;
  close(): Promise<void>;
}
