// The four facts of anything that was thrown.
// Promises of an unknown exception only its class and place, never its message, which could hold content of items.
// Source: schemas/errors.ts.

import { type ErrorFacts, TidelakeError } from '../../schemas/errors.js';
import { ObjectNotFoundError } from '../ports.js';

/** The facts of anything that was thrown. */
export function errorFacts(thrown: unknown): ErrorFacts {
  if (thrown instanceof TidelakeError) return thrown.facts();
  if (thrown instanceof ObjectNotFoundError) {
    return {
      code: 'REFUSED_INPUT_GONE',
      what: `no object at ${thrown.uri}`,
      meaning: 'nothing was written',
      next: '',
    };
  }
  return {
    code: 'INTERNAL',
    what: `${className(thrown)} at ${placeOf(thrown)}`,
    meaning: 'this is a defect of Tidelake; commits are all or nothing, so the lake is whole',
    next: 'run the same command again with TIDELAKE_DEBUG=1 and report what it prints',
  };
}

function className(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `a thrown ${typeof thrown}`;
  const name = thrown.constructor.name || 'Error';
  // System errors are told apart by their code, e.g. EACCES.
  const code: unknown = (thrown as { code?: unknown }).code;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]*$/.test(code) ? `${name} ${code}` : name;
}

/** First place in our own code, or else the first place at all, of an error's stack. */
function placeOf(thrown: unknown): string {
  if (!(thrown instanceof Error) || typeof thrown.stack !== 'string') return 'an unknown place';
  // The stack begins with the message, which is cut away first: a message can look like a frame.
  const at = thrown.stack.indexOf(thrown.message);
  const frames = (at < 0 ? thrown.stack : thrown.stack.slice(at + thrown.message.length))
    .split('\n')
    .map((line) => /^\s+at (?:(\S+) .*?)?\(?((?:file:|node:|\/)[^\n]*?):(\d+):\d+\)?$/.exec(line))
    .filter((match) => match !== null);
  const frame =
    frames.find((match) => /\/(schemas|transforms|pipeline)\//.test(match[2]!)) ?? frames[0];
  if (frame === undefined) return 'an unknown place';
  const file = frame[2]!.replace(/^.*\/(?=(?:schemas|transforms|pipeline|node_modules)\/)/, '');
  return frame[1] === undefined ? `${file}:${frame[3]!}` : `${frame[1]} (${file}:${frame[3]!})`;
}
