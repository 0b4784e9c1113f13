// An ObjectStore in Amazon S3, and in what speaks its protocol.
// Promises: an object appears whole or not at all; of two putIfAbsent one wins; a body that breaks off or falls silent is
// read on where it stopped, of the same version of the object or not at all; fewer requests at once when S3 asks for that.
// Source: Amazon S3 API Reference (GetObject, PutObject, ListObjectsV2, multipart upload); Amazon S3 User Guide,
// "Conditional requests", "Optimizing performance"; ports.ts, ObjectStore.

import type { _Object, ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import { TidelakeError } from '../../schemas/errors.js';
import {
  type ListedObject,
  ObjectNotFoundError,
  type ObjectStore,
  type ObjectWriter,
} from '../ports.js';
import { awsError, faultOf, shown } from './aws-errors.js';
import { type Body, type BodyRange, openBody } from './s3-body.js';
import { isDoubtful, isMissing, S3Sender, type S3SenderOptions } from './s3-requests.js';
import { S3Upload } from './s3-upload.js';
import { folderPrefix, parseS3Uri } from './s3-uri.js';

/** Objects of any bucket that the client may reach, under `s3://bucket/key`. */
export class S3Store implements ObjectStore {
  readonly #requests: S3Sender;

  constructor(options: S3SenderOptions) {
    this.#requests = new S3Sender(options);
  }

  async size(uri: string): Promise<number | null> {
    const { bucket, key } = parseS3Uri(uri);
    if (key === '' || key.endsWith('/')) return null;
    try {
      const head = await this.#requests.send((client, { HeadObjectCommand }) =>
        client.send(new HeadObjectCommand({ Bucket: bucket, Key: key, ...this.#requests.owner })),
      );
      return head.ContentLength ?? 0;
    } catch (error) {
      if (isMissing(error)) return null;
      const reason = faultOf(error)?.status === 400 ? await this.#reason(error, uri) : error;
      throw awsError(reason, { action: 's3:GetObject', resource: uri });
    }
  }

  async read(uri: string, range?: BodyRange): Promise<Uint8Array> {
    // Nothing to read is still a question about the object.
    if (range !== undefined && range.end <= range.start) {
      if ((await this.size(uri)) === null) throw new ObjectNotFoundError(uri);
      return new Uint8Array(0);
    }
    const { length, pieces } = await this.#open(uri, range);
    const bytes = new Uint8Array(length);
    let filled = 0;
    for await (const piece of pieces) {
      bytes.set(piece, filled);
      filled += piece.length;
    }
    return bytes;
  }

  async *stream(uri: string): AsyncGenerator<Uint8Array> {
    yield* (await this.#open(uri)).pieces;
  }

  async *list(folderUri: string): AsyncGenerator<ListedObject> {
    const { bucket, key } = parseS3Uri(folderUri);
    for await (const page of this.#pages(bucket, folderPrefix(key), undefined)) {
      for (const object of page.Contents ?? []) {
        const found = keyOf(object, page);
        // Consoles make objects whose names end in a slash, to show an empty folder.
        if (found.endsWith('/')) continue;
        const modifiedMs = object.LastModified?.getTime() ?? Number.POSITIVE_INFINITY;
        yield { uri: `s3://${bucket}/${found}`, size: object.Size ?? 0, modifiedMs };
      }
    }
  }

  async children(folderUri: string): Promise<readonly string[]> {
    const { bucket, key } = parseS3Uri(folderUri);
    const prefix = folderPrefix(key);
    const names = new Set<string>();
    for await (const page of this.#pages(bucket, prefix, '/')) {
      for (const object of page.Contents ?? []) names.add(keyOf(object, page).slice(prefix.length));
      for (const one of page.CommonPrefixes ?? []) {
        names.add(decoded(one.Prefix ?? '', page).slice(prefix.length, -1));
      }
    }
    names.delete('');
    return [...names].sort();
  }

  async create(uri: string): Promise<ObjectWriter> {
    const place = parseS3Uri(uri);
    return new S3Upload(this.#requests, { uri, place }, (bytes) => this.put(uri, bytes));
  }

  async putIfAbsent(uri: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
    try {
      await this.#put(uri, bytes, { IfNoneMatch: '*' });
      return 'created';
    } catch (error) {
      const fault = faultOf(error);
      // After a lost answer the object may be our own; whoever has to know compares the bytes.
      if (fault?.code === 'PreconditionFailed' || fault?.status === 412) return 'exists';
      throw isDoubtful(error) ? doubtful(error, uri) : this.#writeError(error, uri);
    }
  }

  async put(uri: string, bytes: Uint8Array): Promise<void> {
    try {
      await this.#put(uri, bytes, {});
    } catch (error) {
      throw this.#writeError(error, uri);
    }
  }

  async remove(uri: string): Promise<void> {
    const { bucket, key } = parseS3Uri(uri);
    try {
      await this.#requests.send((client, { DeleteObjectCommand }) =>
        client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key, ...this.#requests.owner })),
      );
    } catch (error) {
      if (isMissing(error)) return;
      throw awsError(error, { action: 's3:DeleteObject', resource: uri });
    }
  }

  /** Why S3 answered 400 to a HEAD, e.g. to a token that has expired: such an answer has no body to say it, a GET's has. */
  async #reason(error: unknown, uri: string): Promise<unknown> {
    try {
      await this.read(uri, { start: 0, end: 1 });
      return error;
    } catch (told) {
      return told;
    }
  }

  #open(uri: string, range?: BodyRange): Promise<Body> {
    return openBody(this.#requests, { uri, place: parseS3Uri(uri), range });
  }

  async #put(uri: string, bytes: Uint8Array, condition: { IfNoneMatch?: string }): Promise<void> {
    const { bucket, key } = parseS3Uri(uri);
    // The SDK sends the bytes after this call has returned once already; the caller may use its buffer again.
    const body = bytes.slice();
    await this.#requests.send((client, { PutObjectCommand }) =>
      client.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: key,
          Body: body,
          ContentLength: body.length,
          ...condition,
          ...this.#requests.owner,
        }),
      ),
    );
  }

  #writeError(error: unknown, uri: string): unknown {
    return awsError(error, { action: 's3:PutObject', resource: uri });
  }

  async *#pages(
    bucket: string,
    prefix: string,
    delimiter: string | undefined,
  ): AsyncGenerator<ListObjectsV2CommandOutput> {
    let token: string | undefined;
    do {
      const input = {
        Bucket: bucket,
        Prefix: prefix,
        // XML has no way to write some characters that keys may have.
        EncodingType: 'url' as const,
        ...(delimiter === undefined ? {} : { Delimiter: delimiter }),
        ...(token === undefined ? {} : { ContinuationToken: token }),
        ...this.#requests.owner,
      };
      let page: ListObjectsV2CommandOutput;
      try {
        page = await this.#requests.send((client, { ListObjectsV2Command }) =>
          client.send(new ListObjectsV2Command(input)),
        );
      } catch (error) {
        throw awsError(error, { action: 's3:ListBucket', resource: `s3://${bucket}/${prefix}` });
      }
      yield page;
      const next = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      // A service that gave the same token again would be asked for ever.
      if (next !== undefined && next === token) throw new RangeError('a listing does not go on');
      token = next;
    } while (token !== undefined);
  }
}

/** A put that may have been done although its last answer says no: an earlier try had no answer. */
function doubtful(cause: unknown, uri: string): TidelakeError {
  return new TidelakeError(
    {
      code: 'SERVICE_FAILED',
      what: `no sound answer to s3:PutObject on ${shown(uri)} (${faultOf(cause)?.code})`,
      meaning: 'the object may be there or not; whatever refers to it decides what counts',
      next: 'see whether the endpoint can be reached and AWS is well, then run the same command again',
    },
    { cause },
  );
}

function keyOf(object: _Object, page: ListObjectsV2CommandOutput): string {
  return decoded(object.Key ?? '', page);
}

/** A key of a listing: percent-encoded with spaces as `+` where the answer says so. */
function decoded(text: string, page: ListObjectsV2CommandOutput): string {
  return page.EncodingType === 'url' ? decodeURIComponent(text.replaceAll('+', ' ')) : text;
}
