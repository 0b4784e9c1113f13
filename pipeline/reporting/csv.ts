// Rows as CSV for spreadsheets and loaders.
// Promises RFC 4180 (CRLF, quotes doubled); NULL is an empty field and '' is "". In columns of text, a value that a
// spreadsheet would run as a formula (it starts with = + - @, a tab or a carriage return) gets a ' in front: use JSON for exact bytes.
// Spec: RFC 4180; OWASP "CSV Injection".

/** A header line, with its end. */
export function csvHeader(names: readonly string[]): string {
  return `${names.map((name) => quoted(guarded(name))).join(',')}\r\n`;
}

/**
 * One row, with its end.
 * @param isText per column, whether its values are text that a stranger wrote; numbers and times are left as they are
 */
export function csvRow(row: readonly unknown[], isText: readonly boolean[]): string {
  return `${row.map((value, at) => csvCell(value, isText[at] ?? true)).join(',')}\r\n`;
}

function csvCell(value: unknown, isText: boolean): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'object') return quoted(JSON.stringify(value));
  const text = String(value);
  if (text === '') return '""';
  return quoted(isText ? guarded(text) : text);
}

function guarded(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
