// Figures as Markdown tables that read well in a terminal too.
// Promises aligned columns; numbers to the right, names to the left.

/** @param {readonly string[]} head @param {readonly (readonly string[])[]} rows; columns are names while `names` lasts */
export function markdownTable(head, rows, names = 1) {
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)),
  );
  const line = (cells) =>
    `| ${cells.map((cell, i) => (i < names ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`;
  const rule = widths.map((width, i) =>
    i < names ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

export const seconds = (value) => value.toFixed(value < 10 ? 2 : 1);
export const times = (value) => `${value.toFixed(value < 10 ? 2 : 1)}×`;
export const whole = (value) => Math.round(value).toLocaleString('en-US');
export const range = (min, max) => (min === max ? '' : `${seconds(min)}–${seconds(max)}`);
export const threadsText = (threads) => (threads === 1 ? 'one thread' : `${threads} threads`);
export const runsText = (repeat) =>
  repeat === 1 ? 'One run' : `Median of ${repeat} runs, and the worst peak of them`;
