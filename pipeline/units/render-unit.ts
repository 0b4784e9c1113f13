// Render unit: rows of a data file become one gzip file of DynamoDB JSON lines.

import { gzipSync } from 'node:zlib';
import type { TableColumns } from '../../schemas/columns.js';
import { ItemWriter } from '../../transforms/render-json.js';
import { type GroupSource, readGroups } from './merge-unit.js';
import type { UnitContext, UnitResult } from './unit.js';

export interface RenderInput {
  readonly source: GroupSource;
  readonly table: TableColumns;
}

export interface RenderOutput {
  readonly gz: Uint8Array;
  readonly items: number;
}

/** Row groups -> gzip of `{"Item":{…}}` lines. */
export async function renderUnit(
  input: RenderInput,
  context: UnitContext,
): Promise<UnitResult<RenderOutput>> {
  const rows = await readGroups(input.source, input.table, context);
  const writer = new ItemWriter(rows);
  for (let row = 0; row < rows.n; row++) writer.write(row);
  const gz = new Uint8Array(gzipSync(writer.take(), { level: 5 }));
  return { output: { gz, items: rows.n }, transfer: [gz.buffer as ArrayBuffer] };
}
