// What the operating system says about files, in Tidelake's words.
// Promises: a full disk is NO_SPACE, a forbidden path is DENIED; everything else passes unchanged.
// Source: errno(3); DESIGN, "The command" (exit codes).
import path from 'node:path';
import { TidelakeError } from '../../schemas/errors.js';

/** The errno code of an error of node:fs, or undefined. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

/** Whether an error says that there is no such file. A folder is no object, nor is what lies below a file. */
export function isMissing(error: unknown): boolean {
  const code = errnoOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR' || code === 'ENAMETOOLONG';
}

/** Translates an error of a write at `filePath`. Returns what is to be thrown. */
export function writeError(error: unknown, filePath: string): unknown {
  const folder = path.dirname(filePath);
  switch (errnoOf(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return new TidelakeError(
        {
          code: 'NO_SPACE',
          what: `no space left while writing in ${folder}`,
          meaning: 'nothing was committed; the lake is as it was',
          next: 'free some space there and run the same command again',
        },
        { cause: error },
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return denied(error, `may not write in ${folder}`);
    default:
      return error;
  }
}

/** Translates an error of a read at `filePath`. Returns what is to be thrown. */
export function readError(error: unknown, filePath: string): unknown {
  const code = errnoOf(error);
  return code === 'EACCES' || code === 'EPERM' ? denied(error, `may not read ${filePath}`) : error;
}

function denied(cause: unknown, what: string): TidelakeError {
  return new TidelakeError(
    {
      code: 'DENIED',
      what,
      meaning: 'nothing was committed; the lake is as it was',
      next: 'give this user the right to that folder and run the same command again',
    },
    { cause },
  );
}
