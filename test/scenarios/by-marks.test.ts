// The scenarios of merges once more, with rows marked as deleted wherever that is possible: tables of tests are so small that
// by themselves they are written anew. More of them in test/faults/by-marks.test.ts.
// Promises: what holds for a table does not depend on the way in which its partitions are changed.
// Source: DESIGN.md, "The table" (two ways to change a bucket); pipeline/merge/choose-way.ts.

import { mergeBy } from './story-world.js';

mergeBy('mark');
await import('./random-tales.test.js');
await import('./columns-follow.test.js');
await import('./every-failure.test.js');
await import('./lost-races.test.js');
await import('./two-writers.test.js');
