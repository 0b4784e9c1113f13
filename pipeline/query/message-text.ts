// Messages of query engines without values of rows, which conversion errors quote.
// Promises: what is left names kinds and places, never content of items.
// Source: schemas/errors.ts, "never content of items".

/** Length of a message that is kept, in characters. */
const messageMax = 1000;

/** A message that speaks of the statement: the asker's own text, kept whole but for its length. */
export function wholeMessage(message: string): string {
  return message.replace(/\s*\n\s*\n/g, '\n').slice(0, messageMax);
}

/** A message that may quote rows: without what is quoted, without numbers, the first line only. */
export function messageWithoutValues(message: string): string {
  // From the first quote to the last: what is quoted may itself hold quotes.
  const unquoted = message.replace(/["'][\s\S]*["']/, '…');
  const line = unquoted.split('\n')[0]!.slice(0, messageMax);
  return line.replace(/(?<![A-Za-z0-9_])[-+]?\d[\d.]*([eE][-+]?\d+)?/g, '…');
}
