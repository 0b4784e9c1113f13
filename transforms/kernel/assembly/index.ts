// What the kernel offers. Compiled by scripts/build-kernel.mjs; the other side is ../kernel.ts.

export { alloc, mark, release } from './memory';
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
