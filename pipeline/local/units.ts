// Units of work in this process, one after the other.
// Promises: the same outputs and the same errors as in worker threads; inputs are handed over as they are, without a copy.
// Source: ports.ts, Units.

import { TidelakeError } from '../../schemas/errors.js';
import type { ObjectStore, Scratch, Units } from '../ports.js';
import { fromUnitFailure, internal, toUnitFailure } from './unit-failure.js';

/** What a unit may use besides its input. */
export interface LocalUnitContext {
  readonly store: ObjectStore;
  readonly scratch: Scratch;
}

/** Units by name, as `pipeline/units/registry.ts` has them. */
export type UnitRegistry = Readonly<
  Record<
    string,
    (
      input: never,
      context: LocalUnitContext,
    ) => Promise<{ readonly output: unknown; readonly transfer?: ArrayBuffer[] }>
  >
>;

/** Runs units in this process. */
export class InlineUnits implements Units {
  readonly width = 1;
  readonly #registry: () => Promise<UnitRegistry>;
  readonly #context: LocalUnitContext;

  /** @param registry the units, or how to load them when the first one runs */
  constructor(registry: UnitRegistry | (() => Promise<UnitRegistry>), context: LocalUnitContext) {
    this.#registry = typeof registry === 'function' ? registry : async () => registry;
    this.#context = context;
  }

  async run<I, O>(name: string, input: I, _transfer?: readonly ArrayBuffer[]): Promise<O> {
    try {
      const unit = unitOf(await this.#registry(), name);
      return (await unit(input as never, this.#context)).output as O;
    } catch (error) {
      throw fromUnitFailure(toUnitFailure(error, name));
    }
  }

  async close(): Promise<void> {}
}

/** The unit of that name. Throws INTERNAL when there is none. */
export function unitOf(registry: UnitRegistry, name: string): UnitRegistry[string] {
  const unit = Object.hasOwn(registry, name) ? registry[name] : undefined;
  if (unit === undefined) throw new TidelakeError(internal(`there is no unit named ${name}`));
  return unit;
}
