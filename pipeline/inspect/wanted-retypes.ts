// Number columns that a wider type would serve better: numbers beside them, in `_misfits`, that another type holds together
// with all the column has. Such numbers wait there where a column is retyped only when a person says so.
// Promises: worked out from the live rows alone, so it is right whatever left the numbers there. Spec: DESIGN "Change over time".

import type { NumberType, TableColumns } from '../../schemas/columns.js';
import { classify, fitTable, numberTypeText, parseDecimal } from '../../transforms/decimals.js';
import { widerNumber } from '../../transforms/plan-types.js';
import type { QueryEngine } from '../ports.js';
import type { WantedRetype } from '../reports.js';

/** Misfits that are numbers, counted by attribute and class of number (`classify`). */
type NumberCounts = Map<string, Map<number, number>>;

/** The columns of `columns`, keys aside, that misfits of `view` (with a column `_misfits`) call a wider type for. */
export async function wantedRetypes(
  engine: QueryEngine,
  view: string,
  columns: TableColumns,
): Promise<readonly WantedRetype[]> {
  const counts = await countNumbers(engine, view);
  return columns.columns.slice(columns.key.length).flatMap((field): WantedRetype[] => {
    const numbers = counts.get(field.attribute);
    if (numbers === undefined || field.type.kind !== 'N') return [];
    const wider = widerNumber(field.type.number, columns.extents.get(field.id), numbers);
    if (wider === null) return [];
    return [{ column: field.name, type: numberTypeText(wider), values: heldBy(wider, numbers) }];
  });
}

/** The number of a DynamoDB JSON text, as SQL; empty for values of other kinds. */
function numberIn(text: string): string {
  return `regexp_extract(${text}, '^\\s*\\{\\s*"N"\\s*:\\s*"([^"]*)"\\s*\\}\\s*$', 1)`;
}

async function countNumbers(engine: QueryEngine, view: string): Promise<NumberCounts> {
  const { rows } = await engine.query(
    `SELECT attribute, number, count(*)::BIGINT FROM (
       SELECT entry.key AS attribute, ${numberIn('entry.value')} AS number
       FROM (SELECT unnest(map_entries(_misfits)) AS entry FROM (${view}) WHERE _misfits IS NOT NULL)
     ) WHERE number <> '' GROUP BY ALL`,
  );
  const counts: NumberCounts = new Map();
  for await (const [attribute, number, count] of rows) {
    const value = parseDecimal(number as string);
    if (value === null) continue;
    const of = counts.get(attribute as string) ?? new Map<number, number>();
    const { class: numberClass } = classify(value);
    of.set(numberClass, (of.get(numberClass) ?? 0) + Number(count));
    counts.set(attribute as string, of);
  }
  return counts;
}

function heldBy(type: NumberType, numbers: ReadonlyMap<number, number>): number {
  const table = fitTable(type);
  let held = 0;
  for (const [numberClass, count] of numbers) if (table[numberClass] === 1) held += count;
  return held;
}
