// Values that try to become SQL: pieces of attacks and odd characters, put together at random, the same each time.

import fc from 'fast-check';
import { type ParamType, paramTypes } from '../../pipeline/query/params.js';

/** Pieces of which attacks are made, and characters that some reader takes for a quote. */
const hostile = [
  "'",
  "''",
  '"',
  '`',
  '\\',
  "\\'",
  '--',
  '/*',
  '*/',
  ';',
  '$$',
  '$a$',
  ')',
  '(',
  '?',
  ':v',
  '::',
  '\n',
  '\r',
  '\t',
  ' OR 1=1 ',
  "' OR ''='",
  ' UNION ALL SELECT 1 ',
  '\u02bc',
  '\u2019',
  '\uff07',
  '%27',
  '&#39;',
  "E'",
  "U&'\\0027'",
  "X'27'",
  '\u2028',
  '\u0000',
  '\ud83d\ude00',
  'NULL',
  'true',
  '0',
  '1e9',
  '-1',
  '2026-01-01',
  'orders',
  'aGk=',
];
const hostileText = fc
  .array(fc.oneof(fc.constantFrom(...hostile), fc.string({ unit: 'binary', maxLength: 6 })), {
    maxLength: 6,
  })
  .map((parts) => parts.join(''));

/** Types and texts to be given as parameters of them. */
export function hostileValues(count: number): readonly (readonly [ParamType, string])[] {
  const types = paramTypes.filter((type) => type !== 'identifier');
  return fc.sample(fc.tuple(fc.constantFrom(...types), hostileText), {
    seed: 20261120,
    numRuns: count,
  });
}
