// Rows as a table on a terminal.
// Promises columns that line up, numbers to the right, no line wider than the terminal, nothing but plain text, and
// bounded memory: widths come from the first rows, the rest is streamed.
// Spec: none.

import { cutText, plainText, textWidth } from './plain-text.js';

/** Rows that are looked at before the widths are fixed. */
export const sampledRowsMax = 500;
/** Narrowest a column is squeezed to, so that at least some of it can be read. */
const squeezedWidthMin = 6;
const gap = '  ';

export interface TableColumn {
  readonly name: string;
  readonly align: 'left' | 'right';
}

/**
 * Lines of a table, without line ends: header, rule, rows.
 * @param widthMax terminal width in characters; null for no limit
 */
export async function* tableLines(
  columns: readonly TableColumn[],
  rows: AsyncIterable<readonly string[]> | Iterable<readonly string[]>,
  widthMax: number | null,
): AsyncGenerator<string, void, undefined> {
  const header = columns.map((column) => plainText(column.name));
  let widths: number[] | null = null;
  const sample: string[][] = [];
  for await (const row of rows) {
    const plain = columns.map((_, at) => plainText(row[at] ?? ''));
    if (widths !== null) {
      yield tableLine(columns, plain, widths);
      continue;
    }
    sample.push(plain);
    if (sample.length < sampledRowsMax) continue;
    widths = fittedWidths(header, sample, widthMax);
    yield* headAndRows(columns, header, sample, widths);
  }
  if (widths === null) {
    yield* headAndRows(columns, header, sample, fittedWidths(header, sample, widthMax));
  }
}

function* headAndRows(
  columns: readonly TableColumn[],
  header: readonly string[],
  rows: readonly (readonly string[])[],
  widths: readonly number[],
): Generator<string, void, undefined> {
  yield tableLine(columns, header, widths);
  yield widths.map((width) => '─'.repeat(width)).join(gap);
  for (const row of rows) yield tableLine(columns, row, widths);
}

function tableLine(
  columns: readonly TableColumn[],
  row: readonly string[],
  widths: readonly number[],
): string {
  const cells = columns.map((column, at) => {
    const cell = cutText(row[at]!, widths[at]!);
    const padding = ' '.repeat(widths[at]! - textWidth(cell));
    return column.align === 'right' ? padding + cell : cell + padding;
  });
  return cells.join(gap).trimEnd();
}

/** Width of each column; the widest ones give way until the line fits. */
function fittedWidths(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  widthMax: number | null,
): number[] {
  const widths = header.map((name, at) =>
    rows.reduce((widest, row) => Math.max(widest, textWidth(row[at]!)), textWidth(name)),
  );
  if (widthMax === null) return widths;
  const room = Math.max(widthMax - gap.length * (widths.length - 1), 0);
  let total = widths.reduce((sum, width) => sum + width, 0);
  while (total > room) {
    const widest = widths.indexOf(Math.max(...widths));
    const second = widths.reduce(
      (most, width, at) => (at === widest ? most : Math.max(most, width)),
      0,
    );
    const wanted = Math.max(
      widths[widest]! - (total - room),
      Math.min(second, widths[widest]! - 1),
      squeezedWidthMin,
    );
    if (wanted >= widths[widest]!) break;
    total -= widths[widest]! - wanted;
    widths[widest] = wanted;
  }
  return widths;
}
