// Rules over several flags, and over the values of one, checked before any work begins.
// Promises a USAGE error that names the flag; parsing of single flags is the command line library's.
// Spec: DESIGN "The command".

import { z } from 'zod';
import { usageError } from './error-text.js';

/** Checks a command's input against its rules and returns it as parsed. Throws USAGE with the first rule broken. */
export function checkInput<T>(schema: z.ZodType<T>, input: unknown, command: string): T {
  const checked = schema.safeParse(input);
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0]!;
  const where = issue.path.length === 0 ? '' : `--${kebab(String(issue.path[0]))}: `;
  throw usageError(`${where}${issue.message}`, command);
}

/** A whole number in a range. */
export function wholeNumber(least: number, most: number): z.ZodType<number> {
  const message = `a whole number from ${least} to ${most} is expected`;
  return z.number({ message }).int({ message }).min(least, { message }).max(most, { message });
}

/**
 * A time of the data, normalised to ISO with Z, or `snapshot:ID`. A time without a zone is UTC, as all our times are:
 * the machine's own zone must never decide what is read.
 */
export const asOfSchema: z.ZodType<string> = z.string().transform((text, issues) => {
  if (/^snapshot:\d+$/.test(text)) return text;
  const form = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$/.exec(
    text,
  );
  const iso = text.replace(' ', 'T');
  const ms =
    form === null
      ? Number.NaN
      : Date.parse(form[1] === undefined || form[4] !== undefined ? iso : `${iso}Z`);
  if (!Number.isNaN(ms)) return new Date(ms).toISOString();
  issues.addIssue({
    code: 'custom',
    message: 'a time such as 2026-11-20T09:00Z, or snapshot:ID, is expected',
  });
  return z.NEVER;
});

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
