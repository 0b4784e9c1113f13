// Statistics: counts of all records, whatever the columns were and however the records were cut.
// Promises: the schema depends neither on the order of lines, nor on batches, nor on a first guess.
// Source: the design, "Scan and type": "the result never depends on the sample".

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Item } from '../../pipeline/simulator/item.js';
import { addAttributeStats } from '../../pipeline/units/scan-unit.js';
import type { AttributeValue } from '../../schemas/attribute.js';
import { planTypes } from '../../transforms/plan-types.js';
import { addStats, emptyStats, type TypeStats } from '../../transforms/type-stats.js';
import {
  anyItems,
  emptyPlan,
  key,
  linesOf,
  scanned,
  scannerOf,
  statsOf,
  typesOf,
} from './any-items.js';

/** A statistic as plain data; a place where nothing was counted is as good as none. */
function plain(stats: TypeStats | null): unknown {
  if (stats === null) return null;
  const fields = [...(stats.fields ?? [])]
    .map(([name, field]) => [name, plain(field)] as const)
    .filter(([, field]) => field !== null)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const counts = Object.entries(stats.counts).sort(([a], [b]) => (a < b ? -1 : 1));
  if (counts.length === 0) return null;
  const sorted = (map: ReadonlyMap<number, number>): unknown => [...map].sort(([a], [b]) => a - b);
  return {
    counts,
    numbers: sorted(stats.numbers),
    members: sorted(stats.members),
    fields,
    values: plain(stats.values),
    element: plain(stats.element),
  };
}

function plainAll(stats: ReadonlyMap<string, TypeStats>): unknown {
  return [...stats]
    .map(([name, one]) => [name, plain(one)] as const)
    .filter(([, one]) => one !== null)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function itemOf(entries: readonly (readonly [string, AttributeValue])[]): Item {
  return new Map<string, AttributeValue>([['pk', { S: 'p' }], ['sk', { N: '1' }], ...entries]);
}

/** A map with `count` names from `from` on. */
function names(count: number, from: number, value: AttributeValue): AttributeValue {
  return {
    M: new Map(Array.from({ length: count }, (_, i) => [`name-${from + i}`, value] as const)),
  };
}

describe('statistics of what was scanned', () => {
  it('are those of the values, whatever the columns were', () => {
    fc.assert(
      fc.property(anyItems, anyItems, (items, others) => {
        const expected = plainAll(statsOf(items));
        for (const types of [emptyPlan, typesOf(items), typesOf(others)]) {
          expect(plainAll(scanned(items, types).stats)).toEqual(expected);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('add up, however the lines are cut into batches and whatever each batch was scanned into', () => {
    fc.assert(
      fc.property(
        fc.array(anyItems, { minLength: 1, maxLength: 4 }),
        anyItems,
        (batches, others) => {
          const plans = [emptyPlan, typesOf(others), typesOf(batches[0]!)];
          const sums = [new Map<string, TypeStats>(), new Map<string, TypeStats>()];
          const parts = batches.map((items, i) => scanned(items, plans[i % 3]!).stats);
          for (const part of parts) addAttributeStats(sums[0]!, part);
          for (const part of parts.toReversed()) addAttributeStats(sums[1]!, part);
          const expected = statsOf(batches.flat());
          expect(plainAll(sums[0]!)).toEqual(plainAll(expected));
          expect(plainAll(sums[1]!)).toEqual(plainAll(expected));
          expect(planTypes(key, sums[0]!)).toEqual(planTypes(key, expected));
          expect(planTypes(key, sums[1]!)).toEqual(planTypes(key, expected));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('do not change when a statistic that was added in grows later', () => {
    const part = statsOf([itemOf([['m', names(2, 0, { N: '1' })]])]).get('m')!;
    const sum = emptyStats();
    addStats(sum, part);
    const before = JSON.stringify(plain(sum));
    addStats(part, part);
    expect(JSON.stringify(plain(sum))).toBe(before);
  });

  it('do not count names that only NULLs have, so that such names decide nothing', () => {
    const item = itemOf([
      [
        'm',
        {
          M: new Map([
            ...(names(60, 0, { N: '1' }) as { M: Map<string, AttributeValue> }).M,
            ...(names(60, 60, { NULL: true }) as { M: Map<string, AttributeValue> }).M,
          ]),
        },
      ],
    ]);
    const plan = typesOf([item]);
    expect(plan[2]!.type.kind).toBe('M');
    expect(planTypes(key, scanned([item], plan).stats)).toEqual(plan);
    expect(planTypes(key, scanned([item], emptyPlan).stats)).toEqual(plan);
  });

  it.each([
    [30, 30],
    [40, 40],
    [200, 50],
    [200, 60],
    [257, 1],
    [300, 300],
  ])('tell %i and %i names apart the same in one batch and in two', (a, b) => {
    const items = [
      itemOf([['m', names(a, 0, { N: '1.5' })]]),
      itemOf([['m', names(b, a, { N: '2' })]]),
    ];
    const whole = statsOf(items);
    const dictionary = typesOf([itemOf([['m', names(100, 0, { N: '1.5' })]])]);
    expect(dictionary[2]!.type.kind).toBe('MAP');
    const struct = typesOf([itemOf([['m', names(9, 0, { N: '1.5' })]])]);
    const text = typesOf([
      itemOf([['m', names(150, 0, { N: '1.5' })]]),
      itemOf([['m', names(150, 150, { S: 'x' })]]),
    ]);
    expect(text[2]!.type.kind).toBe('JSON');
    for (const plan of [emptyPlan, dictionary, struct, text]) {
      const sum = new Map<string, TypeStats>();
      for (const item of items) addAttributeStats(sum, scanned([item], plan).stats);
      expect(plainAll(sum)).toEqual(plainAll(whole));
    }
  });

  it('count the key of a changed item like any other', () => {
    const scanner = scannerOf(emptyPlan);
    scanner.scanItems(linesOf([itemOf([]), itemOf([])]));
    expect(scanner.finish().stats.get('sk')!.counts).toEqual({ N: 2 });
  });
});
