// Memory of the kernel: one stack of blocks, 16 bytes aligned. What is taken is given back by going down to a mark.

const bottom: usize = (__heap_base + 15) & ~15;
let top: usize = bottom;

/** Takes a block. Its bytes are whatever stood there. Traps when there is no memory left. */
export function alloc(bytes: usize): usize {
  const at = top;
  top = (at + bytes + 15) & ~15;
  const pages = <i32>((top + 0xffff) >> 16);
  const more = pages - memory.size();
  if (more > 0 && memory.grow(more) < 0) unreachable();
  return at;
}

/** Where the next block will be. */
export function mark(): usize {
  return top;
}

/** Gives back all blocks taken since `mark` gave this place. */
export function release(place: usize): void {
  top = place;
}

/** Gives back all blocks. */
export function releaseAll(): void {
  top = bottom;
}
