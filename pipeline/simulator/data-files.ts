// The data files of an export: gzip JSON Lines, one file per partition of the table, some of them empty.
// Promises: bounded memory (one text buffer and one gzip state per file); what is registered is what was stored, byte by byte.
// Source: Amazon DynamoDB Developer Guide, "DynamoDB table exports, output format", data objects and files manifest.

import { createHash, type Hash } from 'node:crypto';
import { createGzip, type Gzip } from 'node:zlib';
import type { ObjectStore, ObjectWriter } from '../ports.js';
import type { Random } from './random.js';

/** Text gathered per file before it goes to gzip, in UTF-16 code units. */
const bufferLengthMax = 128 * 1024;

/** A data file as the files manifest registers it. */
export interface WrittenDataFile {
  /** File name without folder. */
  readonly name: string;
  readonly itemCount: number;
  /** Base64 MD5 of the gz bytes. */
  readonly md5: string;
  /** Hex MD5 of the gz bytes and `-1`, as S3 has it for an upload in one part. */
  readonly etag: string;
  /** Bytes of JSON before compression. */
  readonly textBytes: number;
}

/** One line on its way into the file of its partition. */
export interface Line {
  readonly hash: number;
  readonly json: string;
}

class DataFile {
  readonly #name: string;
  readonly #writer: ObjectWriter;
  readonly #gzip: Gzip = createGzip({ level: 6, chunkSize: 64 * 1024 });
  readonly #md5: Hash = createHash('md5');
  #compressed: Uint8Array[] = [];
  #text = '';
  #itemCount = 0;
  #textBytes = 0;
  #flushing: Promise<void> = Promise.resolve();

  constructor(name: string, writer: ObjectWriter) {
    this.#name = name;
    this.#writer = writer;
    this.#gzip.on('data', (piece: Uint8Array) => this.#compressed.push(piece));
  }

  /** Adds a line; true when the buffer is full and `flush` must be awaited before the next line. */
  add(json: string): boolean {
    this.#text += json;
    this.#text += '\n';
    this.#itemCount++;
    return this.#text.length >= bufferLengthMax;
  }

  /** Starts compressing what is buffered, once the flush before has ended: one piece at a time is on its way. */
  async flush(): Promise<void> {
    await this.#flushing;
    const text = Buffer.from(this.#text, 'utf8');
    this.#text = '';
    this.#textBytes += text.length;
    this.#flushing = this.#compress(text);
    // Its failure is seen by the next flush or by close; until then it must not count as unhandled.
    this.#flushing.catch(() => {});
  }

  async #compress(text: Uint8Array): Promise<void> {
    if (text.length > 0) {
      await new Promise<void>((resolve, reject) => {
        this.#gzip.write(text, (error) => (error ? reject(error) : resolve()));
      });
    }
    await this.#drain();
  }

  async #drain(): Promise<void> {
    const pieces = this.#compressed;
    this.#compressed = [];
    for (const piece of pieces) {
      this.#md5.update(piece);
      await this.#writer.write(piece);
    }
  }

  async close(): Promise<WrittenDataFile> {
    await this.flush();
    await this.#flushing;
    await new Promise<void>((resolve, reject) => {
      this.#gzip.once('end', resolve);
      this.#gzip.once('error', reject);
      this.#gzip.end();
    });
    await this.#drain();
    await this.#writer.close();
    const digest = this.#md5.digest();
    return {
      name: this.#name,
      itemCount: this.#itemCount,
      md5: digest.toString('base64'),
      etag: `${digest.toString('hex')}-1`,
      textBytes: this.#textBytes,
    };
  }

  async abort(): Promise<void> {
    this.#gzip.destroy();
    await this.#writer.abort();
  }
}

/** Where data files go, and how many of them. */
export interface DataFilesOptions {
  readonly store: Pick<ObjectStore, 'create'>;
  /** URI of the folder, without trailing slash. */
  readonly folderUri: string;
  readonly lines: Iterable<Line>;
  /** Files that the lines are spread over by hash. */
  readonly files: number;
  /** Files of empty partitions, written besides: 20 bytes of gzip each. */
  readonly emptyFiles: number;
  readonly dice: Random;
  /** Called now and then with the number of lines written so far. */
  readonly onLines?: (lineCount: number) => void;
}

/** Writes all lines into data files and returns the files, in a random order. */
export async function writeDataFiles(options: DataFilesOptions): Promise<WrittenDataFile[]> {
  const { store, folderUri, dice } = options;
  const open: DataFile[] = [];
  try {
    for (let i = 0; i < options.files + options.emptyFiles; i++) {
      const name = `${dice.text('abcdefghijklmnopqrstuvwxyz234567', 26)}.json.gz`;
      open.push(new DataFile(name, await store.create(`${folderUri}/${name}`)));
    }
    let lineCount = 0;
    for (const { hash, json } of options.lines) {
      const file = open[hash % options.files]!;
      if (file.add(json)) {
        await file.flush();
        options.onLines?.(lineCount);
      }
      lineCount++;
    }
    const written: WrittenDataFile[] = [];
    for (const file of open) written.push(await file.close());
    options.onLines?.(lineCount);
    return dice.shuffled(written);
  } catch (error) {
    for (const file of open) await file.abort();
    throw error;
  }
}
