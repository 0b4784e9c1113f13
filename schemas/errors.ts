// What can go wrong, as a closed set of codes. Every error says four things: a stable code, what happened
// with values, what it means for the data, and the next command. No message ever carries an item's content.

/** Codes of refusals (exit 3): the input or the situation cannot be proved right, so nothing was written. */
export type RefusalCode =
  | 'REFUSED_GAP'
  | 'REFUSED_GAP_CLOSED'
  | 'REFUSED_OVERLAP'
  | 'REFUSED_SEAM'
  | 'REFUSED_AS_OF'
  | 'REFUSED_FILTERED'
  | 'REFUSED_FORMAT'
  | 'REFUSED_EXPORT_TYPE'
  | 'REFUSED_RECORD'
  | 'REFUSED_OUTSIDE_PITR'
  | 'REFUSED_TOO_FRESH'
  | 'REFUSED_PITR_OFF'
  | 'REFUSED_PITR_PERIOD'
  | 'REFUSED_TABLE_ID'
  | 'REFUSED_EXPORT_FAILED'
  | 'REFUSED_MANIFEST'
  | 'REFUSED_CHECKSUM'
  | 'REFUSED_COUNT'
  | 'REFUSED_INPUT_GONE'
  | 'REFUSED_FOREIGN_PATH'
  | 'REFUSED_LIMIT'
  | 'REFUSED_TYPE_CONFLICT'
  | 'REFUSED_KEY'
  | 'REFUSED_OLDER'
  | 'REFUSED_FOREIGN_WRITER'
  | 'REFUSED_OTHER_CATALOG'
  | 'REFUSED_NEWER_FORMAT'
  | 'REFUSED_KEPT_FILES'
  | 'REFUSED_NO_TABLE'
  | 'REFUSED_CONFIG'
  | 'REFUSED_NOT_EMPTY'
  | 'REFUSED_NAME_TAKEN';

/** All codes: refusals, failures of the surroundings (exit 1), failed checks (4), commits that lost or are unknown (5). */
export type ErrorCode =
  | RefusalCode
  | 'USAGE'
  | 'CHECK_FAILED'
  | 'COMMIT_CONFLICT'
  | 'COMMIT_UNKNOWN'
  | 'THROTTLED'
  | 'CREDENTIALS'
  | 'SERVICE_FAILED'
  | 'DENIED'
  | 'NO_SPACE'
  | 'TIME_BUDGET'
  | 'QUERY_FAILED'
  | 'INTERNAL';

/** The four facts of an error. `meaning` and `next` may be empty strings where there is nothing to say. */
export interface ErrorFacts {
  readonly code: ErrorCode;
  /** What happened, with values (instants, counts, names of tables and files; never content of items). */
  readonly what: string;
  /** What it means for the data. */
  readonly meaning: string;
  /** The next command, or what to do. */
  readonly next: string;
}

/** The one error class of Tidelake. Decide by `code`, never by message. */
export class TidelakeError extends Error {
  readonly code: ErrorCode;
  readonly what: string;
  readonly meaning: string;
  readonly next: string;

  constructor(facts: ErrorFacts, options?: ErrorOptions) {
    super(`${facts.code}  ${facts.what}`, options);
    this.name = 'TidelakeError';
    this.code = facts.code;
    this.what = facts.what;
    this.meaning = facts.meaning;
    this.next = facts.next;
  }

  /** The facts as a plain value, e.g. to carry the error from a worker thread. */
  facts(): ErrorFacts {
    return { code: this.code, what: this.what, meaning: this.meaning, next: this.next };
  }

  /** Exit code of the command: 0 done, 1 failed, 2 usage, 3 refused, 4 a check failed, 5 commit conflict or unknown. */
  get exitCode(): number {
    return exitCodeOf(this.code);
  }
}

/** Whether an error is a refusal: something about the data or the request, not about the place or the moment. */
export function isRefusal(error: unknown): error is TidelakeError {
  return error instanceof TidelakeError && outcomeOf(error) === 'refused';
}

/** What an error makes of work on a table. */
export function outcomeOf({ code }: ErrorFacts): 'refused' | 'failed' {
  return code.startsWith('REFUSED_') ? 'refused' : 'failed';
}

/** Exit code that belongs to an error code. */
export function exitCodeOf(code: ErrorCode): number {
  if (code.startsWith('REFUSED_')) return 3;
  if (code === 'USAGE') return 2;
  if (code === 'CHECK_FAILED') return 4;
  if (code === 'COMMIT_CONFLICT' || code === 'COMMIT_UNKNOWN') return 5;
  return 1;
}

/** A refusal: the lake is as it was. */
export function refuse(
  code: RefusalCode,
  what: string,
  meaning: string,
  next: string,
): TidelakeError {
  return new TidelakeError({ code, what, meaning, next });
}
