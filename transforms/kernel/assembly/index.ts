// What the kernel offers. Compiled by scripts/build-kernel.mjs; the other side is ../kernel.ts.

export {
  fillFlags,
  gatherBytes,
  gatherElements,
  gatherFlags,
  gatherLongs,
  gatherOffsets,
  gatherWides,
  shiftOffsets,
} from './gather';
export { alloc, mark, release } from './memory';
export { findTwin, sortKeys } from './sort';
