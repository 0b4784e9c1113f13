// What every engine must read: each table now and at each of its instants, and every filter without hiding a row.
// Promises: rows are compared by value with the simulated table, all columns and `_misfits` and `_nulls` included.

import { beforeAll, describe, expect, it } from 'vitest';
import {
  canonicalItem,
  canonicalKey,
  type Item,
  itemFromParsed,
  Random,
} from '../../../pipeline/simulator/index.js';
import type { AttributeValue } from '../../../schemas/attribute.js';
import { differences } from '../../scenarios/story-world.js';
import type { At, Engine } from './engine.js';
import type { EngineLake, LakeState } from './lakes.js';
import { countOf, nameOf, predicatesOf } from './predicates.js';
import { readLakes } from './read-lakes.js';
import { sharedLake } from './run.js';
import type { EngineRow } from './values.js';

const same = { missing: [], extra: [] };
/** Instants asked for by time and by version, the first and last ones included. */
const statesMax = 6;

export interface ReadOptions {
  /** The engine is known to read a NULL list of structs as an empty list; see docs/reference/engines.md. */
  readonly losesNullLists?: boolean;
  /** One in so many filters is tried; 1 unless told. Filters come in turns of four, so 5 still takes every kind. */
  readonly filtersEach?: number;
}

export function readSuite(engine: () => Engine, options: ReadOptions = {}): void {
  const seen = (item: Item): string =>
    canonicalItem(options.losesNullLists === true ? withoutEmptyLists(item) : item);

  describe.each(readLakes)('$name: $fact', ({ name, places = 25 }) => {
    let lake: EngineLake;
    let now: readonly EngineRow[];

    beforeAll(async () => {
      lake = await sharedLake(name);
    });

    const compare = async (rows: readonly EngineRow[], state: LakeState): Promise<void> => {
      const reader = await lake.reader(state.snapshotId);
      const found = rows.map((row) => seen(reader.item(row))).sort();
      const expected = [...lake.past.itemsAt(state.ms * 1000)].map(seen).sort();
      expect(differences(found, expected)).toEqual(same);
      expect(found).toHaveLength(expected.length);
    };

    it('equals the simulated table', async () => {
      now = (await engine().rows(lake)).rows;
      await compare(now, lake.states.at(-1)!);
    });

    it('says when DynamoDB took the last write', async () => {
      const reader = await lake.reader();
      const found = new Map(
        now.map((row) => [canonicalKey(reader.item(row), lake.past.key), row.get('_written_at')]),
      );
      expect(found).toEqual(expectedTimes(lake));
    });

    it('equals the simulated table at the instants of its past, by version and by time', async () => {
      const states = spread(lake.states, statesMax);
      for (const [i, state] of states.entries()) {
        // By time just before the next state begins, which still is this one.
        const next = lake.states[lake.states.indexOf(state) + 1];
        const at: readonly At[] = [
          { snapshotId: state.snapshotId },
          { ms: (next?.ms ?? state.ms + 1) - 1 },
        ];
        await compare((await engine().rows(lake, at[i % 2])).rows, state);
      }
    });

    it('hides no row behind a filter', async () => {
      const all = predicatesOf(await lake.reader(), now, places);
      const predicates = all.filter((_, i) => i % (options.filtersEach ?? 1) === 0);
      expect(predicates.length).toBeGreaterThan(0);
      const counts = await engine().counts(lake, predicates);
      const wrong = predicates.flatMap((predicate, i) => {
        const expected = countOf(predicate, now);
        return counts[i] === expected
          ? []
          : [`${nameOf(predicate)}: ${counts[i]}, not ${expected}`];
      });
      expect(wrong).toEqual([]);
      expect(counts).toHaveLength(predicates.length);
    });
  });
}

/** `_written_at` by key: the last write of the window that brought the row, NULL for rows of a full export. */
function expectedTimes(lake: EngineLake): Map<string, string | null> {
  const { past, states } = lake;
  const times = new Map<string, string | null>();
  for (const key of past.stateAt(states.at(-1)!.ms * 1000).keys()) times.set(key, null);
  for (const [i, { ms, kind }] of states.entries()) {
    if (kind === 'load') for (const key of times.keys()) times.set(key, null);
    if (kind === 'load') continue;
    const fromMs = states[i - 1]!.ms;
    for (const { keys, micros } of past.changesIn(fromMs * 1000, ms * 1000, new Random('any'))) {
      const key = canonicalKey(itemFromParsed(JSON.parse(keys)), past.key);
      if (!times.has(key)) continue;
      const text = new Date(Math.floor(micros / 1000)).toISOString().slice(0, -1);
      times.set(key, `${text}${String(micros % 1000).padStart(3, '0')}`);
    }
  }
  return times;
}

function withoutEmptyLists(item: Item): Item {
  const kept = new Map<string, AttributeValue>();
  for (const [name, value] of item) {
    if ('M' in value) kept.set(name, { M: withoutEmptyLists(value.M) });
    else if (!('L' in value) || value.L.length > 0) kept.set(name, value);
  }
  return kept;
}

function spread<T>(all: readonly T[], max: number): readonly T[] {
  if (all.length <= max) return all;
  return Array.from(
    { length: max },
    (_, i) => all[Math.round((i * (all.length - 1)) / (max - 1))]!,
  );
}
