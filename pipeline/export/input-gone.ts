// The refusal of a data file that a manifest lists and that is not there. By itself, so that worker threads, which stream
// data files, need not load what reads manifests.

import { refuse } from '../../schemas/errors.js';
import { nothingWritten } from './manifest-bytes.js';
import { nameOf } from './uri-parts.js';

export function inputGone(uri: string): Error {
  return refuse(
    'REFUSED_INPUT_GONE',
    `the data file ${nameOf(uri)} is missing`,
    nothingWritten,
    'bring the file back, or export the same time again while point-in-time recovery covers it: tidelake export',
  );
}
