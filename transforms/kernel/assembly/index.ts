// What the kernel offers. Compiled by scripts/build-kernel.mjs; the other side is ../kernel.ts.

export { alloc, mark, release } from './memory';
