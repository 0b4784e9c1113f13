// What a unit of work is: an async pure function of its input, which may read the object store and scratch space.

import type { ObjectStore, Scratch } from '../ports.js';

/** What a unit may use besides its input. */
export interface UnitContext {
  readonly store: ObjectStore;
  readonly scratch: Scratch;
}

/** A unit's answer, and the buffers in it that may move to the caller's thread. */
export interface UnitResult<O> {
  readonly output: O;
  readonly transfer?: ArrayBuffer[];
}
