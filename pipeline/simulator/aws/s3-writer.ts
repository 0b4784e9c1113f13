// Writes into the simulated S3 from inside the simulator, as another AWS service does, without a network.
// Promises: S3's own rules hold; an object is there whole after `close`, or not at all; memory holds one part of an object
// that is being written. No request of it is in the log.
// Source: pipeline/ports.ts, ObjectStore; Amazon S3 API Reference, PutObject, CreateMultipartUpload.

import type { ObjectStore, ObjectWriter } from '../../ports.js';
import type { SimService } from './service.js';

/** Size from which a part is sent, in bytes; S3 takes no smaller ones than 5 MiB but the last. */
const partBytesMin = 8 * 1024 * 1024;

/** S3 did not take an object. */
export class S3Refusal extends Error {
  /** S3's error code, e.g. NoSuchBucket. */
  readonly code: string;
  constructor(code: string) {
    super(`S3 answered ${code}`);
    this.name = 'S3Refusal';
    this.code = code;
  }
}

type Headers = Readonly<Record<string, string>>;

/** The part of a store that writers need, over the S3 service. `headers` go with each object. Throws S3Refusal. */
export function s3Writer(s3: SimService, headers: Headers): Pick<ObjectStore, 'create' | 'put'> {
  return {
    put: async (uri, bytes) => {
      await send(s3, { method: 'PUT', uri, headers, body: [bytes] });
    },
    create: async (uri) => new S3ObjectWriter(s3, uri, headers),
  };
}

interface Sent {
  readonly method: 'PUT' | 'POST' | 'DELETE';
  readonly uri: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Headers;
  readonly body?: readonly Uint8Array[];
}

/** Sends a request and returns the answer's body and ETag. Throws S3Refusal. */
async function send(
  s3: SimService,
  sent: Sent,
): Promise<{ readonly text: string; readonly etag: string }> {
  const body = sent.body ?? [];
  const length = body.reduce((sum, piece) => sum + piece.length, 0);
  const answer = await s3.handle({
    method: sent.method,
    path: sent.uri.slice('s3:/'.length).split('/').map(encodeURIComponent).join('/'),
    query: new URLSearchParams(sent.query),
    headers: { ...sent.headers, 'content-length': `${length}` },
    body: all(body),
  });
  let text = '';
  for await (const part of answer.body instanceof Uint8Array ? all([answer.body]) : answer.body) {
    text += Buffer.from(part).toString('utf8');
  }
  if (answer.status >= 300) {
    throw new S3Refusal(/<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? `${answer.status}`);
  }
  return { text, etag: answer.headers.etag ?? '' };
}

async function* all(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) if (piece.length > 0) yield piece;
}

/** A small object is one PutObject, a large one a multipart upload. */
class S3ObjectWriter implements ObjectWriter {
  readonly #s3: SimService;
  readonly #uri: string;
  readonly #headers: Headers;
  #pieces: Uint8Array[] = [];
  #length = 0;
  #uploadId: string | null = null;
  readonly #etags: string[] = [];

  constructor(s3: SimService, uri: string, headers: Headers) {
    this.#s3 = s3;
    this.#uri = uri;
    this.#headers = headers;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#pieces.push(bytes);
    this.#length += bytes.length;
    if (this.#length >= partBytesMin) await this.#sendPart();
  }

  async #sendPart(): Promise<void> {
    const uri = this.#uri;
    if (this.#uploadId === null) {
      const sent = { method: 'POST', uri, query: { uploads: '' }, headers: this.#headers } as const;
      this.#uploadId = /<UploadId>([^<]+)</.exec((await send(this.#s3, sent)).text)![1]!;
    }
    const query = { partNumber: `${this.#etags.length + 1}`, uploadId: this.#uploadId };
    const body = this.#pieces;
    this.#pieces = [];
    this.#length = 0;
    this.#etags.push((await send(this.#s3, { method: 'PUT', uri, query, body })).etag);
  }

  async close(): Promise<void> {
    if (this.#uploadId === null) {
      const body = this.#pieces;
      await send(this.#s3, { method: 'PUT', uri: this.#uri, headers: this.#headers, body });
      return;
    }
    if (this.#length > 0) await this.#sendPart();
    const parts = this.#etags.map(
      (etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag}</ETag></Part>`,
    );
    const text = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`;
    const query = { uploadId: this.#uploadId };
    const body = [Buffer.from(text)];
    await send(this.#s3, { method: 'POST', uri: this.#uri, query, body });
    this.#uploadId = null;
  }

  async abort(): Promise<void> {
    this.#pieces = [];
    if (this.#uploadId === null) return;
    const query = { uploadId: this.#uploadId };
    this.#uploadId = null;
    await send(this.#s3, { method: 'DELETE', uri: this.#uri, query });
  }
}
