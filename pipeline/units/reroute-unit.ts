// Reroute unit: rows of a data file become segments under other columns and another partitioning.

import type { TableColumns } from '../../schemas/columns.js';
import { adaptRows } from '../../transforms/adapt-rows.js';
import { Rows } from '../../transforms/make-columns.js';
import { packRows } from '../../transforms/pack-rows.js';
import { type GroupSource, readGroups } from './merge-unit.js';
import { type Routing, routeRows } from './routing.js';
import type { Segment } from './segments.js';
import type { UnitContext, UnitResult } from './unit.js';

export interface RerouteInput {
  readonly source: GroupSource;
  readonly before: TableColumns;
  readonly table: TableColumns;
  readonly routing: Routing;
}

/** Row groups -> segments in scratch space. */
export async function rerouteUnit(
  input: RerouteInput,
  context: UnitContext,
): Promise<UnitResult<readonly Segment[]>> {
  const { before, table } = input;
  const rows = adaptRows(await readGroups(input.source, before, context), table.columns, table.key);
  const { order, parts } = routeRows(rows, table.key, input.routing);
  const grouped = new Rows(rows.types);
  grouped.take(rows, order);
  const segments: Segment[] = [];
  for (const part of parts) {
    const ref = await context.scratch.write([packRows(grouped, part.start, part.end)]);
    segments.push({
      partition: part.partition,
      range: part.range,
      rowCount: part.end - part.start,
      types: table.columns,
      bytes: null,
      ref,
    });
  }
  return { output: segments };
}
