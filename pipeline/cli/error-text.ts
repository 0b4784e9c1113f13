// Errors as the command prints them, and the exit code that belongs to them.
// Promises the four facts of an error in a fixed form.
// Spec: DESIGN "The command" (exit codes); schemas/errors.ts.

import type { ErrorFacts } from '../../schemas/errors.js';
import { exitCodeOf, TidelakeError } from '../../schemas/errors.js';
import { errorFacts } from '../reporting/error-facts.js';
import { plainText } from '../reporting/plain-text.js';

export { errorFacts };

/** The text form of an error, lines ended: the code with what happened, what it means, the next command. */
export function errorText(facts: ErrorFacts): string {
  const lines = [`error ${facts.code}  ${plainText(facts.what)}`];
  if (facts.meaning !== '') lines.push(`  ${plainText(facts.meaning)}`);
  if (facts.next !== '') lines.push(`  next: ${plainText(facts.next)}`);
  return `${lines.join('\n')}\n`;
}

/** Exit code for anything that was thrown. */
export function exitCodeOfThrown(thrown: unknown): number {
  return exitCodeOf(errorFacts(thrown).code);
}

/** A wrong use of the command line; `command` is empty when it is not known which was meant. */
export function usageError(what: string, command: string): TidelakeError {
  const next = command === '' ? 'tidelake --help' : `tidelake ${command} --help`;
  return new TidelakeError({ code: 'USAGE', what, meaning: '', next });
}
