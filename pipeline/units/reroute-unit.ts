// Reroute unit: rows of a data file become segments under other columns and another partitioning.

import type { TableColumns } from '../../schemas/columns.js';
import { adaptRows } from '../../transforms/adapt-rows.js';
import { type GroupSource, misfitRowsIn, readGroups } from './merge-unit.js';
import { packParts } from './pack-parts.js';
import { type Routing, routeRows } from './routing.js';
import type { Segment } from './segments.js';
import type { UnitContext, UnitResult } from './unit.js';

export interface RerouteInput {
  readonly source: GroupSource;
  readonly before: TableColumns;
  readonly table: TableColumns;
  readonly routing: Routing;
}

export interface RerouteOutput {
  readonly segments: readonly Segment[];
  /** Rows with a misfit, before they came into other columns. */
  readonly misfitRows: number;
}

/** Row groups -> segments in scratch space. */
export async function rerouteUnit(
  input: RerouteInput,
  context: UnitContext,
): Promise<UnitResult<RerouteOutput>> {
  const { before, table } = input;
  const found = await readGroups(input.source, before, context);
  const misfitRows = misfitRowsIn(found);
  const rows = adaptRows(found, table.columns, table.key);
  const routed = routeRows(rows, table.key, input.routing);
  const packed = packParts(rows, routed);
  const segments: Segment[] = [];
  for (const [i, part] of routed.parts.entries()) {
    const ref = await context.scratch.write([packed[i]!]);
    segments.push({
      partition: part.partition,
      range: part.range,
      rowCount: part.end - part.start,
      types: table.columns,
      bytes: null,
      ref,
    });
  }
  return { output: { segments, misfitRows } };
}
