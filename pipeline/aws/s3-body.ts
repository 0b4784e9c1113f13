// The body of an object in S3, read to its end whatever the network does.
// Promises: bytes come in order and once; after a break or a silence the rest is asked for by Range and If-Match on the
// ETag of the first answer, so that two versions of an object are never mixed.
// Source: Amazon S3 API Reference, GetObject (Range, If-Match); aws-sdk-js-v3 retries end where a body begins.

import type { Readable } from 'node:stream';
import { refuse, TidelakeError } from '../../schemas/errors.js';
import { resumesMax } from '../../schemas/limits.js';
import { ObjectNotFoundError } from '../ports.js';
import { awsError, faultOf, shown } from './aws-errors.js';
import { isMissing, type S3Requests, waitMs } from './s3-requests.js';
import type { S3Place } from './s3-uri.js';

/** Bytes [start, end) of an object. */
export interface BodyRange {
  readonly start: number;
  readonly end: number;
}

/** What is to be read. */
export interface BodyRequest {
  readonly uri: string;
  readonly place: S3Place;
  /** The whole object when absent. */
  readonly range?: BodyRange | undefined;
}

/** A body that was begun. */
export interface Body {
  /** Bytes in all; of a range, those that the object has. */
  readonly length: number;
  /** To be read to the end, or left by `return`. */
  readonly pieces: AsyncGenerator<Uint8Array>;
}

interface Answer {
  readonly stream: Readable;
  readonly length: number;
  readonly etag: string | undefined;
}

/**
 * Asks for an object or a range of it. Throws ObjectNotFoundError, and what `awsError` makes of AWS's answers; while the
 * body is read, REFUSED_INPUT_GONE when the object was replaced or removed, SERVICE_FAILED when nothing comes any more.
 */
export async function openBody(requests: S3Requests, request: BodyRequest): Promise<Body> {
  let first: Answer | null;
  try {
    first = await ask(requests, request, request.range?.start ?? 0);
  } catch (error) {
    if (isMissing(error)) throw new ObjectNotFoundError(request.uri);
    throw readError(error, request);
  }
  if (first === null) return { length: 0, pieces: nothing() };
  return { length: first.length, pieces: pieces(requests, request, first) };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function* pieces(
  requests: S3Requests,
  request: BodyRequest,
  first: Answer,
): AsyncGenerator<Uint8Array> {
  let answer = first;
  let done = 0;
  let fruitless = 0;
  for (;;) {
    try {
      for await (const piece of timed(answer.stream, requests.bodyIdleMs)) {
        done += piece.length;
        if (done > first.length) throw unsound(request, 'gave more bytes than it announced');
        fruitless = 0;
        yield piece;
      }
    } catch (error) {
      if (error instanceof TidelakeError) throw error;
      // The connection broke, or was given up: what is lacking is asked for below.
    }
    if (done === first.length) return;
    fruitless += 1;
    if (fruitless > resumesMax) throw unsound(request, `stopped at byte ${done}, again and again`);
    if (fruitless > 1) await requests.wait(waitMs(fruitless, 100));
    answer = await askAgain(requests, request, done, first);
  }
}

async function askAgain(
  requests: S3Requests,
  request: BodyRequest,
  done: number,
  first: Answer,
): Promise<Answer> {
  const start = (request.range?.start ?? 0) + done;
  let answer: Answer | null;
  try {
    answer = await ask(requests, request, start, first.etag);
  } catch (error) {
    const status = faultOf(error)?.status;
    if (status === 412 || isMissing(error)) throw changed(request);
    throw readError(error, request);
  }
  if (answer === null || answer.length !== first.length - done) throw changed(request);
  return answer;
}

/** One GetObject from `start` on; null when the object ends before. */
async function ask(
  requests: S3Requests,
  { place, range, uri }: BodyRequest,
  start: number,
  etag?: string,
): Promise<Answer | null> {
  const hasRange = start > 0 || range !== undefined;
  const input = {
    Bucket: place.bucket,
    Key: place.key,
    ...(hasRange ? { Range: `bytes=${start}-${range === undefined ? '' : range.end - 1}` } : {}),
    ...(etag === undefined ? {} : { IfMatch: etag }),
    ...requests.owner,
  };
  try {
    const answer = await requests.send((client, { GetObjectCommand }) =>
      client.send(new GetObjectCommand(input)),
    );
    const stream = answer.Body as Readable | undefined;
    const from = /^bytes (\d+)-/.exec(answer.ContentRange ?? '')?.[1] ?? '0';
    if (stream === undefined || answer.ContentLength === undefined || Number(from) !== start) {
      stream?.destroy();
      throw unsound({ uri }, 'is not what was asked for');
    }
    return { stream, length: answer.ContentLength, etag: answer.ETag };
  } catch (error) {
    if (faultOf(error)?.status === 416) return null;
    throw error;
  }
}

/** The stream's pieces; it is destroyed after a silence, when the reader leaves, and at the end. */
async function* timed(stream: Readable, idleMs: number): AsyncGenerator<Uint8Array> {
  const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  try {
    for (;;) {
      // Only while bytes are waited for: a slow reader is no silence.
      const timer = setTimeout(() => stream.destroy(new Error('silence')), idleMs);
      let next: IteratorResult<Uint8Array>;
      try {
        next = await iterator.next();
      } finally {
        clearTimeout(timer);
      }
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    stream.destroy();
  }
}

function readError(error: unknown, { uri }: { readonly uri: string }): unknown {
  return awsError(error, { action: 's3:GetObject', resource: uri });
}

function changed({ uri }: { readonly uri: string }): TidelakeError {
  return refuse(
    'REFUSED_INPUT_GONE',
    `${shown(uri)} was replaced or removed while it was read`,
    'parts of two versions would not be the one or the other; nothing was written',
    'run the same command again; if it stays, see who else writes there',
  );
}

function unsound({ uri }: { readonly uri: string }, how: string): TidelakeError {
  return new TidelakeError({
    code: 'SERVICE_FAILED',
    what: `the body of ${shown(uri)} ${how}`,
    meaning: 'nothing was committed; the lake is as it was',
    next: 'see whether the endpoint can be reached and AWS is well, then run the same command again',
  });
}
