// What an engine answers, in one form for all of them.
// Promises: nothing is rounded on the way: numbers are their decimal texts, binary values base64, times ISO texts with
// six digits after the point and without zone; structs and maps are Maps by name.

export type EngineValue =
  | null
  | boolean
  | string
  | readonly EngineValue[]
  | ReadonlyMap<string, EngineValue>;

/** One row by column name. */
export type EngineRow = ReadonlyMap<string, EngineValue>;

export interface EngineAnswer {
  readonly columns: readonly string[];
  readonly rows: readonly EngineRow[];
}

/** The one value of an answer of one row and one column. */
export function single(answer: EngineAnswer): EngineValue {
  const [row] = answer.rows;
  if (answer.rows.length !== 1 || answer.columns.length !== 1 || row === undefined) {
    throw new Error(`${answer.rows.length} rows and ${answer.columns.length} columns, not one`);
  }
  return row.get(answer.columns[0]!)!;
}
