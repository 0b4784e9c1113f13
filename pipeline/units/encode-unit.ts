// Encode unit: the segments of one key range become sorted row groups of the table's columns.

import type { TableColumns } from '../../schemas/columns.js';
import { refuse } from '../../schemas/errors.js';
import { adaptRows } from '../../transforms/adapt-rows.js';
import { BytesColumn } from '../../transforms/columns.js';
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
  const sorted = sortedRows(parts, table);
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

/** All rows of several parts, in the order of their keys. */
function sortedRows(parts: readonly Rows[], table: TableColumns): Rows {
  const keys = new BytesColumn();
  let total = 0;
  for (const part of parts) total += part.n;
  const partOf = new Uint32Array(total);
  const rowOf = new Int32Array(total);
  let at = 0;
  parts.forEach((part, i) => {
    keys.appendRange(part.keys, 0, part.n);
    for (let row = 0; row < part.n; row++) {
      partOf[at] = i;
      rowOf[at++] = row;
    }
  });
  const order = sortedOrder(keys);
  const orderedParts = new Uint32Array(total);
  const orderedRows = new Int32Array(total);
  for (let i = 0; i < total; i++) {
    orderedParts[i] = partOf[order[i]!]!;
    orderedRows[i] = rowOf[order[i]!]!;
  }
  const sorted = new Rows(table.columns);
  sorted.takeFrom(parts, orderedParts, orderedRows);
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
