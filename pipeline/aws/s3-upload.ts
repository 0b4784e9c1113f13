// A new object in S3, written piece by piece: one request when it is small, a multipart upload when it is not.
// Promises: memory is a few parts, however large the object; nothing is visible before `close` has returned; after a
// failure the parts are dropped; a completion whose answer was lost is looked up, not guessed.
// Source: Amazon S3 User Guide, "Uploading and copying objects using multipart upload"; S3 API Reference,
// CompleteMultipartUpload (an error may stand in an answer of status 200).

import { randomUUID } from 'node:crypto';
import type { CompletedPart, UploadPartCommandOutput } from '@aws-sdk/client-s3';
import { TidelakeError } from '../../schemas/errors.js';
import { partBytesMin, partsAtOnceMax, partsPerSizeMax } from '../../schemas/limits.js';
import type { ObjectWriter } from '../ports.js';
import { awsError, faultOf, isTransient, shown } from './aws-errors.js';
import { type S3Requests, waitMs } from './s3-requests.js';
import type { S3Place } from './s3-uri.js';

/** Name of the metadata by which an upload knows its object again. */
const marker = 'tidelake-upload';
/** Times a completion is asked for, and looked up after each. */
const completionsMax = 4;

/** Writes one object. */
export class S3Upload implements ObjectWriter {
  readonly #requests: S3Requests;
  readonly #uri: string;
  readonly #place: S3Place;
  readonly #putWhole: (bytes: Uint8Array) => Promise<void>;
  readonly #mark: string = randomUUID();
  readonly #parts: CompletedPart[] = [];
  readonly #sending: Set<Promise<void>> = new Set();
  #state: 'open' | 'closed' | 'aborted' = 'open';
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;
  #partCount = 0;
  #uploadId: string | null = null;
  #failure: { readonly error: unknown } | null = null;

  /** @param putWhole how an object is put that needs no parts */
  constructor(
    requests: S3Requests,
    target: { readonly uri: string; readonly place: S3Place },
    putWhole: (bytes: Uint8Array) => Promise<void>,
  ) {
    this.#requests = requests;
    this.#uri = target.uri;
    this.#place = target.place;
    this.#putWhole = putWhole;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#checkOpen('write');
    let taken = 0;
    while (taken < bytes.length) {
      const room = this.#partBytes() - this.#pieceBytes;
      const piece = bytes.slice(taken, taken + room);
      this.#pieces.push(piece);
      this.#pieceBytes += piece.length;
      taken += piece.length;
      if (piece.length === room) await this.#sendPart();
    }
  }

  async close(): Promise<void> {
    this.#checkOpen('close');
    try {
      if (this.#uploadId === null) {
        await this.#putWhole(this.#takePart());
      } else {
        if (this.#pieceBytes > 0) await this.#sendPart();
        await Promise.all(this.#sending);
        this.#throwFailure();
        await this.#complete();
      }
    } catch (error) {
      await this.abort();
      throw error;
    }
    this.#state = 'closed';
  }

  async abort(): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'aborted';
    this.#pieces = [];
    const uploadId = this.#uploadId;
    if (uploadId === null) return;
    // A part that arrives after the abort would stay.
    await Promise.all(this.#sending);
    try {
      await this.#requests.send((client, { AbortMultipartUploadCommand }) =>
        client.send(new AbortMultipartUploadCommand({ ...this.#target(), UploadId: uploadId })),
      );
    } catch (error) {
      // An abort follows an error that is the one worth telling. Parts that stay are invisible, and the bucket's rule
      // for unfinished uploads removes them.
      if (faultOf(error) === null) throw error;
    }
  }

  /** Bytes of the part that is filled now. */
  #partBytes(): number {
    return partBytesMin * 2 ** Math.floor(this.#partCount / partsPerSizeMax);
  }

  #takePart(): Uint8Array {
    const part = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#pieceBytes = 0;
    return part;
  }

  async #sendPart(): Promise<void> {
    this.#uploadId ??= await this.#begin();
    while (this.#sending.size >= partsAtOnceMax) await Promise.race(this.#sending);
    this.#throwFailure();
    this.#partCount += 1;
    const number = this.#partCount;
    const sent = this.#upload(this.#uploadId, number, this.#takePart()).then(
      (answer) => {
        this.#parts[number - 1] = completed(number, answer);
        this.#sending.delete(sent);
      },
      (error: unknown) => {
        this.#failure ??= { error };
        this.#sending.delete(sent);
      },
    );
    this.#sending.add(sent);
  }

  async #begin(): Promise<string> {
    try {
      const { UploadId } = await this.#requests.send((client, { CreateMultipartUploadCommand }) =>
        client.send(
          new CreateMultipartUploadCommand({
            ...this.#target(),
            Metadata: { [marker]: this.#mark },
          }),
        ),
      );
      if (UploadId === undefined) throw this.#unsound('began no upload');
      return UploadId;
    } catch (error) {
      throw this.#writeError(error);
    }
  }

  #upload(uploadId: string, number: number, body: Uint8Array): Promise<UploadPartCommandOutput> {
    return this.#requests.send((client, { UploadPartCommand }) =>
      client.send(
        new UploadPartCommand({
          ...this.#target(),
          UploadId: uploadId,
          PartNumber: number,
          Body: body,
          ContentLength: body.length,
        }),
      ),
    );
  }

  /** Completes; what is doubtful after that is decided by the object itself. */
  async #complete(): Promise<void> {
    for (let round = 1; ; round++) {
      let failure: unknown = this.#unsound('gave no sound answer to the completion of an upload');
      try {
        const answer = await this.#requests.send((client, { CompleteMultipartUploadCommand }) =>
          client.send(
            new CompleteMultipartUploadCommand({
              ...this.#target(),
              UploadId: this.#uploadId!,
              MultipartUpload: { Parts: this.#parts },
            }),
          ),
        );
        if (answer.ETag !== undefined) return;
      } catch (error) {
        failure = this.#writeError(error);
        const fault = faultOf(error);
        // A completion that was repeated after it had succeeded finds no upload any more.
        const isDoubtful = fault !== null && (isTransient(fault) || fault.code === 'NoSuchUpload');
        if (!isDoubtful) throw failure;
      }
      if (await this.#isThere()) return;
      if (round === completionsMax) throw failure;
      await this.#requests.wait(waitMs(round, 500));
    }
  }

  /** Whether the object is the one of this upload. */
  async #isThere(): Promise<boolean> {
    try {
      const { Metadata } = await this.#requests.send((client, { HeadObjectCommand }) =>
        client.send(new HeadObjectCommand(this.#target())),
      );
      return Metadata?.[marker] === this.#mark;
    } catch (error) {
      if (faultOf(error)?.status === 404) return false;
      throw awsError(error, { action: 's3:GetObject', resource: this.#uri });
    }
  }

  #target(): { Bucket: string; Key: string; ExpectedBucketOwner?: string } {
    return { Bucket: this.#place.bucket, Key: this.#place.key, ...this.#requests.owner };
  }

  #checkOpen(what: string): void {
    if (this.#state !== 'open') throw new Error(`${what} after the writer was ${this.#state}`);
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#writeError(this.#failure.error);
  }

  #writeError(error: unknown): unknown {
    return awsError(error, { action: 's3:PutObject', resource: this.#uri });
  }

  #unsound(how: string): TidelakeError {
    return new TidelakeError({
      code: 'SERVICE_FAILED',
      what: `the endpoint ${how}: ${shown(this.#uri)}`,
      meaning: 'nothing was committed; the lake is as it was',
      next: 'see whether the endpoint can be reached and AWS is well, then run the same command again',
    });
  }
}

/** A part as the completion names it: with the checksums that S3 has, which it then demands. */
function completed(number: number, answer: UploadPartCommandOutput): CompletedPart {
  const { ETag, ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 } =
    answer;
  return {
    PartNumber: number,
    ETag,
    ChecksumCRC32,
    ChecksumCRC32C,
    ChecksumCRC64NVME,
    ChecksumSHA1,
    ChecksumSHA256,
  };
}
