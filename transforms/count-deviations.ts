// Counts, row by row, where the values of one attribute do not fit a type. Only for attributes that may have too many
// misfits: their share is counted in rows, and rows cannot be told from counts of values alone.

import type { ColumnType } from '../schemas/columns.js';
import { countDeviations, type DeviationCounts, deviations } from './choose-types.js';
import type { Rows } from './make-columns.js';
import { columnValue, misfitsOf, nullPaths, parseValue, withNulls } from './render-json.js';

/** Adds the deviations of an attribute's values in some rows from a type. */
export function countRowDeviations(
  rows: Rows,
  attribute: string,
  type: ColumnType,
  counts: DeviationCounts,
): void {
  const at = rows.types.findIndex((column) => column.attribute === attribute);
  for (let row = 0; row < rows.n; row++) {
    if (at >= 0 && rows.columns[at]!.ok[row] === 1) {
      const value = columnValue(rows.types[at]!.type, rows.columns[at]!, row);
      const nulls = nullPaths(rows, row)?.get(attribute) ?? [];
      countDeviations(counts, deviations(withNulls(value, nulls), type));
      continue;
    }
    for (const [name, json] of misfitsOf(rows, row)) {
      if (name !== attribute) continue;
      const text = Buffer.from(json.buffer, json.byteOffset, json.length).toString('utf8');
      countDeviations(counts, deviations(parseValue(text), type));
    }
  }
}
