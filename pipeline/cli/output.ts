// The two streams of the command: results on one, everything else on the other.
// Promises that a reader who goes away (`tidelake … | head`) is no error, and that a slow reader is waited for.
// Spec: POSIX EPIPE; node:stream "Writable".

import type { TextSink } from '../reporting/sink.js';

/** A place for text that may be slow, or gone. */
export interface Output extends TextSink {
  /** Writes text without waiting. */
  write(text: string): void;
  /** Resolves when more may be written. */
  ready(): Promise<void>;
  /** Whether nobody reads any more; what is written then is dropped. */
  readonly isClosed: boolean;
  readonly isTerminal: boolean;
}

/** What an Output needs of a stream. */
export interface WritableLike {
  write(text: string): boolean;
  on(event: 'error' | 'drain' | 'close', listener: (error?: unknown) => void): unknown;
  readonly writableNeedDrain: boolean;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** An Output over a stream of the process. */
export class StreamOutput implements Output {
  readonly #stream: WritableLike;
  #isClosed = false;
  #waiting: (() => void)[] = [];

  constructor(stream: WritableLike) {
    this.#stream = stream;
    const wake = (): void => {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const go of waiting) go();
    };
    // Whatever is wrong with our own output cannot be told on it: the only thing left is to stop writing.
    stream.on('error', () => {
      this.#isClosed = true;
      wake();
    });
    stream.on('close', () => {
      this.#isClosed = true;
      wake();
    });
    stream.on('drain', wake);
  }

  get columns(): number | null {
    // Terminals that do not know their width say 0.
    return this.#stream.columns || null;
  }
  get isTerminal(): boolean {
    return this.#stream.isTTY === true;
  }
  get isClosed(): boolean {
    return this.#isClosed;
  }

  write(text: string): void {
    if (!this.#isClosed) this.#stream.write(text);
  }

  async ready(): Promise<void> {
    if (this.#isClosed || !this.#stream.writableNeedDrain) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
