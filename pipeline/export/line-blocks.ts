// Cuts a stream of bytes into blocks that end at line ends.
// Promises: the blocks joined are the stream; nothing is copied but lines that reach over pieces; lines end at 0x0A only, never at U+2028 or a carriage return.
// Source: https://jsonlines.org ; Amazon DynamoDB Developer Guide, "DynamoDB table exports, output format" (data files).

const lineEnd = 0x0a;

/** Takes pieces, gives blocks of whole lines. */
export class LineBlocks {
  /** Length of the longest line that reached over from one piece into another, its unfinished part included, in bytes. */
  longestBytes = 0;
  /** The unfinished line, in the pieces it came in. */
  #open: Buffer[] = [];
  #openBytes = 0;

  /** The lines that `piece` completes: the one left open before, joined, and the others as a view of `piece`. */
  add(piece: Buffer): Buffer[] {
    const end = piece.lastIndexOf(lineEnd) + 1;
    const firstBytes = end === 0 ? piece.length : piece.indexOf(lineEnd) + 1;
    this.longestBytes = Math.max(this.longestBytes, this.#openBytes + firstBytes);
    const blocks: Buffer[] = [];
    let start = 0;
    if (end > 0 && this.#openBytes > 0) {
      blocks.push(this.#take(piece.subarray(0, firstBytes)));
      start = firstBytes;
    }
    if (end > start) blocks.push(piece.subarray(start, end));
    if (end < piece.length) {
      this.#open.push(piece.subarray(end));
      this.#openBytes += piece.length - end;
    }
    return blocks;
  }

  /** The last line, when the stream ended without a line end; else null. */
  end(): Buffer | null {
    return this.#openBytes === 0 ? null : this.#take(Buffer.alloc(0));
  }

  /** The unfinished line and `rest` in memory of their own. */
  #take(rest: Buffer): Buffer {
    const block = Buffer.allocUnsafeSlow(this.#openBytes + rest.length);
    let filled = 0;
    for (const part of [...this.#open, rest]) {
      block.set(part, filled);
      filled += part.length;
    }
    this.#open = [];
    this.#openBytes = 0;
    return block;
  }
}
