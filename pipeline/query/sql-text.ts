// Pieces of SQL text, made so that a name or a value can never become SQL, and SQL cut into code and what only looks like it.
// Promises: what is quoted here reads back as the same text in DuckDB and in Trino.
// Spec: DuckDB documentation, "Keywords and Identifiers", "Literal Types"; SQL:2016, "Literals".

/** A name as a quoted identifier. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Text as a string literal. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A list literal of strings. */
export function quoteTexts(texts: readonly string[]): string {
  return `[${texts.map(quoteText).join(', ')}]`;
}

/** A piece of SQL: code, or a comment, string or quoted name, in which nothing is to be replaced. */
export interface SqlPiece {
  readonly isCode: boolean;
  readonly text: string;
}

/** Comments, string literals (plain, E'' and dollar-quoted) and quoted names. Unclosed ones reach to the end. */
const notCode =
  /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|(?<![A-Za-z0-9_])[eE]'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)|'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|\$([A-Za-z_]*)\$[\s\S]*?(?:\$\1\$|$)/g;

/** Cuts SQL into code and the rest, in order; the pieces joined are the SQL. */
export function sqlPieces(sql: string): readonly SqlPiece[] {
  const pieces: SqlPiece[] = [];
  let at = 0;
  for (const found of sql.matchAll(notCode)) {
    if (found.index > at) pieces.push({ isCode: true, text: sql.slice(at, found.index) });
    pieces.push({ isCode: false, text: found[0] });
    at = found.index + found[0].length;
  }
  if (at < sql.length) pieces.push({ isCode: true, text: sql.slice(at) });
  return pieces;
}
