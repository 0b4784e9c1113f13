// How a failure inside a unit of work travels to the one who asked for it.
// Promises: a TidelakeError arrives with its facts; of any other error only the name and the place in the code, never its message, which may hold data.
// Source: DESIGN, "Beyond one machine"; schemas/errors.ts.
import { type ErrorFacts, TidelakeError } from '../../schemas/errors.js';
import { ObjectNotFoundError } from '../ports.js';

/** A failure as a plain value, fit for postMessage. */
export type UnitFailure =
  | { readonly kind: 'tidelake'; readonly facts: ErrorFacts }
  | { readonly kind: 'not-found'; readonly uri: string };

/** Frames of the stack that are told. */
const framesMax = 3;

/** The failure that stands for `error`, thrown while running the unit `name`. */
export function toUnitFailure(error: unknown, name: string): UnitFailure {
  if (error instanceof TidelakeError) return { kind: 'tidelake', facts: error.facts() };
  if (error instanceof ObjectNotFoundError) return { kind: 'not-found', uri: error.uri };
  return { kind: 'tidelake', facts: internal(`${errorName(error)} in unit ${name}${at(error)}`) };
}

/** The error that a failure stands for. */
export function fromUnitFailure(failure: UnitFailure): Error {
  return failure.kind === 'not-found'
    ? new ObjectNotFoundError(failure.uri)
    : new TidelakeError(failure.facts);
}

/** Facts of an error that is our own fault, or the machine's. */
export function internal(what: string): ErrorFacts {
  return {
    code: 'INTERNAL',
    what,
    meaning: 'nothing was committed; the lake is as it was',
    next: 'run the same command again; if it fails again, report this line as a bug',
  };
}

function errorName(error: unknown): string {
  if (!(error instanceof Error)) return 'a thrown value';
  const code = (error as NodeJS.ErrnoException).code;
  return typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code)
    ? `${error.constructor.name} ${code}`
    : error.constructor.name;
}

/** Where an error came from: file names, lines and columns of the innermost frames. */
function at(error: unknown): string {
  if (!(error instanceof Error) || typeof error.stack !== 'string') return '';
  // The message stands before the frames and may have lines that look like them.
  const messageEnd = error.stack.indexOf(error.message) + error.message.length;
  const frames = error.stack
    .slice(Math.max(0, messageEnd))
    .split('\n')
    .flatMap((line) => /^\s+at .*?([\w.-]+\.[cm]?[jt]s:\d+:\d+)\)?$/.exec(line)?.[1] ?? []);
  return frames.length === 0 ? '' : ` at ${frames.slice(0, framesMax).join(' < ')}`;
}
