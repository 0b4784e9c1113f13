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
export { alloc, mark, release, releaseAll } from './memory';
export {
  blockPlace,
  clearRows,
  newNames,
  newSlot,
  openBlock,
  rowBytes,
  rowCount,
  scaleClasses,
  scanLines,
  scanReset,
  setChanges,
  setMarks,
  setName,
  setPlan,
  settleRows,
  slotChild,
  slotFields,
  slotNumber,
  slotPath,
  slowLineEnd,
  slowLineStart,
} from './scan';
export { findTwin, sortKeys } from './sort';
