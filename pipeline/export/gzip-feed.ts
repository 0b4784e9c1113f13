// Feeds the stored bytes of a data file into a gunzip and hashes them on the way.
// Promises: never rejects and never hangs: it ends when the file does, when the store fails, or soon after `stop`; it hashes to the end of the file even when the gunzip has given up.
// Source: https://nodejs.org/docs/latest-v20.x/api/zlib.html ; RFC 1952, section 2.2 (members).
import { createHash } from 'node:crypto';
import type { Gunzip } from 'node:zlib';

/** One pass over a data file's stored bytes. */
export class GzipFeed {
  /** Settles when the pass is over; look at `failure` then. */
  readonly done: Promise<void>;
  /** What the store threw, or null. */
  failure: unknown = null;
  /** Stored bytes read so far. */
  bytes = 0;
  readonly #gunzip: Gunzip;
  readonly #hash = createHash('md5');
  readonly #onProgress: ((bytes: number) => void) | undefined;
  #isStopped = false;

  constructor(
    pieces: AsyncIterable<Uint8Array>,
    gunzip: Gunzip,
    onProgress?: (bytes: number) => void,
  ) {
    this.#gunzip = gunzip;
    this.#onProgress = onProgress;
    this.done = this.#run(pieces);
  }

  /** Base64 MD5 of the bytes; only once, after `done`. */
  md5(): string {
    return this.#hash.digest('base64');
  }

  /** Reads no further. */
  stop(): void {
    this.#isStopped = true;
  }

  async #run(pieces: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const piece of pieces) {
        if (this.#isStopped) return;
        this.#hash.update(piece);
        this.bytes += piece.length;
        this.#onProgress?.(piece.length);
        if (this.#takesMore() && !this.#gunzip.write(piece)) await drained(this.#gunzip);
      }
      if (this.#takesMore()) this.#gunzip.end();
    } catch (error) {
      this.failure = error;
      this.#gunzip.destroy(error as Error);
    }
  }

  /** After the last member's end, or an error, a gunzip takes nothing more. */
  #takesMore(): boolean {
    return !this.#gunzip.destroyed && !this.#gunzip.readableEnded;
  }
}

/** Resolves when the stream takes more, or never will. */
function drained(gunzip: Gunzip): Promise<void> {
  const events = ['drain', 'end', 'error', 'close'];
  return new Promise((resolve) => {
    const settle = (): void => {
      for (const event of events) gunzip.off(event, settle);
      resolve();
    };
    for (const event of events) gunzip.on(event, settle);
  });
}
