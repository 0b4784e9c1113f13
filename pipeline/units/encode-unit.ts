// Encode unit: the segments of one key range become sorted row groups of the table's columns.

import { refuse } from '../../schemas/errors.js';
import type { TableColumns } from '../../schemas/columns.js';
import { adaptRows } from '../../transforms/adapt-rows.js';
import { Rows } from '../../transforms/make-columns.js';
import { compareKeys, sortedOrder } from '../../transforms/sort-keys.js';
import type { Scratch } from '../ports.js';
import { encodeRows, groupBuffers, type RowGroup } from './row-groups.js';
import { readSegment, type Segment } from './segments.js';
import type { UnitContext, UnitResult } from './unit.js';

export interface EncodeInput {
  readonly segments: readonly Segment[];
  readonly table: TableColumns;
  readonly groupRowsMax: number;
}

export interface EncodeOutput {
  readonly groups: readonly RowGroup[];
  readonly rows: number;
}

/** The rows of segments in the table's columns, sorted by key. Refuses a key that stands twice. */
export async function sortedSegments(
  segments: readonly Segment[],
  table: TableColumns,
  scratch: Scratch,
): Promise<Rows> {
  const parts: Rows[] = [];
  for (const segment of segments) {
    parts.push(adaptRows(await readSegment(segment, scratch), table.columns, table.key));
  }
  let all = parts[0] ?? new Rows(table.columns);
  if (parts.length > 1) {
    all = new Rows(table.columns);
    for (const part of parts) all.appendRange(part, 0, part.n);
  }
  const order = sortedOrder(all.keys);
  const sorted = new Rows(table.columns);
  sorted.take(all, order);
  for (let row = 1; row < sorted.n; row++) {
    if (compareKeys(sorted.keys, row - 1, sorted.keys, row) === 0) {
      throw refuse(
        'REFUSED_KEY',
        'the same key stands twice in one export',
        'an export has one record per key, or --key names the wrong attributes; nothing was written',
        'check --key, or ask for the export again',
      );
    }
  }
  return sorted;
}

/** Segments of one range -> row groups. */
export async function encodeUnit(
  input: EncodeInput,
  context: UnitContext,
): Promise<UnitResult<EncodeOutput>> {
  const sorted = await sortedSegments(input.segments, input.table, context.scratch);
  const groups = encodeRows(sorted, input.table, input.groupRowsMax);
  return { output: { groups, rows: sorted.n }, transfer: groupBuffers(groups) };
}
