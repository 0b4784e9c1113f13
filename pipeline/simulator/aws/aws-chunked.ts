// Bodies in AWS's own chunks: `length;chunk-signature=…`, bytes, and headers behind the last chunk.
// Promises: gives the bytes inside, in pieces as they come; a body that ends early or is malformed is IncompleteBody.
// Source: Amazon S3 API Reference, "Signature calculations for the Authorization header: transferring a payload in multiple chunks", "… with trailing headers".
import { S3Error } from './s3-errors.js';

/** Longest line of chunk header or trailer, in bytes. */
const lineBytesMax = 16 * 1024;

/** Whether a body comes in AWS's chunks. */
export function isAwsChunked(headers: Readonly<Record<string, string>>): boolean {
  return (
    (headers['x-amz-content-sha256'] ?? '').startsWith('STREAMING-') ||
    contentEncodings(headers).includes('aws-chunked')
  );
}

/** The encodings of the object itself: `aws-chunked` is only for the way. */
export function storedContentEncoding(headers: Readonly<Record<string, string>>): string | null {
  const stored = contentEncodings(headers).filter((encoding) => encoding !== 'aws-chunked');
  return stored.length === 0 ? null : stored.join(',');
}

function contentEncodings(headers: Readonly<Record<string, string>>): string[] {
  return (headers['content-encoding'] ?? '')
    .split(',')
    .map((encoding) => encoding.trim())
    .filter((encoding) => encoding !== '');
}

/**
 * Takes the chunks apart. Headers behind the last chunk are put into `trailers`, names in lower case.
 * Throws S3Error IncompleteBody.
 */
export async function* decodeAwsChunked(
  body: AsyncIterable<Uint8Array>,
  trailers: Map<string, string>,
): AsyncGenerator<Uint8Array> {
  const input = new LineInput(body[Symbol.asyncIterator]());
  for (;;) {
    const header = /^([0-9a-fA-F]{1,12})(;.*)?$/.exec(await input.line());
    if (header === null) throw new S3Error('IncompleteBody');
    let left = Number.parseInt(header[1]!, 16);
    if (left === 0) break;
    while (left > 0) {
      const piece = await input.bytes(left);
      left -= piece.length;
      yield piece;
    }
    if ((await input.line()) !== '') throw new S3Error('IncompleteBody');
  }
  for (;;) {
    // Some clients end the body with the last trailer's line break, some with the last chunk's.
    const line = await input.lineOrEnd();
    if (line === null) return;
    const colon = line.indexOf(':');
    if (colon > 0)
      trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
}

/** Reads lines and counted bytes from pieces of any size. */
class LineInput {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #buffer: Buffer = Buffer.alloc(0);

  constructor(pieces: AsyncIterator<Uint8Array>) {
    this.#pieces = pieces;
  }

  /** Between 1 and `most` bytes. */
  async bytes(most: number): Promise<Uint8Array> {
    if (this.#buffer.length === 0 && !(await this.#more())) throw new S3Error('IncompleteBody');
    const piece = this.#buffer.subarray(0, most);
    this.#buffer = this.#buffer.subarray(piece.length);
    return piece;
  }

  /** A line without its CRLF. */
  async line(): Promise<string> {
    const line = await this.lineOrEnd();
    if (line === null) throw new S3Error('IncompleteBody');
    return line;
  }

  async lineOrEnd(): Promise<string | null> {
    for (;;) {
      const at = this.#buffer.indexOf('\r\n');
      if (at >= 0) {
        const line = this.#buffer.toString('latin1', 0, at);
        this.#buffer = this.#buffer.subarray(at + 2);
        return line;
      }
      if (this.#buffer.length > lineBytesMax) throw new S3Error('IncompleteBody');
      if (await this.#more()) continue;
      if (this.#buffer.length > 0) throw new S3Error('IncompleteBody');
      return null;
    }
  }

  async #more(): Promise<boolean> {
    for (;;) {
      const next = await this.#pieces.next();
      if (next.done === true) return false;
      if (next.value.length === 0) continue;
      const piece = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
      this.#buffer = this.#buffer.length === 0 ? piece : Buffer.concat([this.#buffer, piece]);
      return true;
    }
  }
}
