// Longer scenarios of merges once more, with rows marked as deleted wherever that is possible.
// Promises: what holds for a table does not depend on the way in which its partitions are changed.
// Source: DESIGN.md, "The table" (two ways to change a bucket); test/scenarios/by-marks.test.ts.

import { mergeBy } from '../scenarios/story-world.js';

mergeBy('mark');
await import('../scenarios/order.test.js');
await import('../scenarios/partitions.test.js');
await import('../scenarios/foreign-files.test.js');
await import('../scenarios/foreign-layouts.test.js');
await import('../scenarios/on-disk.test.js');
