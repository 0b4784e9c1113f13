// The types of a new epoch, from all that was seen. Attributes that may have too many misfits are counted row by row.

import type { KeyAttribute } from '../../schemas/attribute.js';
import {
  chooseJsonPlaces,
  chooseType,
  type DeviationCounts,
  isTroubled,
  type JsonPlaces,
} from '../../transforms/choose-types.js';
import { countRowDeviations } from '../../transforms/count-deviations.js';
import type { TypedAttribute } from '../../transforms/make-columns.js';
import { planTypes } from '../../transforms/plan-types.js';
import { presentCount, type TypeStats } from '../../transforms/type-stats.js';
import type { Scratch } from '../ports.js';
import { readSegment, type Segment } from '../units/segments.js';

/** Types of all attributes, the key's first. Depends on the records alone, not on how they were scanned. */
export async function settleTypes(
  key: readonly KeyAttribute[],
  stats: ReadonlyMap<string, TypeStats>,
  segments: readonly Segment[],
  scratch: Scratch,
): Promise<TypedAttribute[]> {
  const names = new Set(key.map((attribute) => attribute.name));
  const json = await jsonPlaces(
    [...stats].filter(([attribute]) => !names.has(attribute)),
    segments,
    scratch,
  );
  return planTypes(key, stats, json);
}

/** Places that become DynamoDB JSON text, by attribute. */
export async function jsonPlaces(
  attributes: readonly (readonly [string, TypeStats])[],
  segments: readonly Segment[],
  scratch: Scratch,
): Promise<Map<string, JsonPlaces>> {
  const troubled = attributes.flatMap(([attribute, seen]) => {
    const type = chooseType(seen);
    if (type === null || !isTroubled(seen, type)) return [];
    const counts: DeviationCounts = new Map();
    return [{ attribute, type, counts, rows: presentCount(seen) }];
  });
  if (troubled.length > 0) {
    for (const segment of segments) {
      const rows = await readSegment(segment, scratch);
      for (const { attribute, type, counts } of troubled) {
        countRowDeviations(rows, attribute, type, counts);
      }
    }
  }
  return new Map(
    troubled.map(({ attribute, counts, rows }) => [attribute, chooseJsonPlaces(counts, rows)]),
  );
}
