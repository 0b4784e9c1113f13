// Takes the body of an upload in: out of AWS's chunks, through every check the client asked for, into a stored body.
// Promises: a body that is not what the request says leaves nothing behind.
// Source: Amazon S3 API Reference, PutObject and UploadPart; Amazon S3 User Guide, "Checking object integrity".
import { decodeAwsChunked, isAwsChunked } from './aws-chunked.js';
import type { SimBodies } from './bodies.js';
import {
  type Checksum,
  type ChecksumAlgorithm,
  checksumAlgorithms,
  createChecksum,
  digestBytes,
} from './checksums.js';
import { S3Error } from './s3-errors.js';
import type { BodyRef } from './s3-state.js';
import type { SimRequest } from './service.js';

/** Largest object of one PUT and largest part: 5 GiB. */
const uploadBytesMax = 5 * 1024 ** 3;

export interface UploadedBody {
  readonly body: BodyRef;
  readonly md5: Buffer;
  /** The checksum the client sent, proved, in base64. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string } | null;
}

/** Stores a request's body. Throws S3Error, and whatever reading the request throws. */
export async function uploadBody(request: SimRequest, bodies: SimBodies): Promise<UploadedBody> {
  const { headers } = request;
  const size = declaredSize(headers);
  const contentMd5 = declaredMd5(headers);
  const announced = announcedChecksum(headers);
  const sha256 = /^[0-9a-f]{64}$/.exec(headers['x-amz-content-sha256'] ?? '')?.[0] ?? null;

  const md5 = createChecksum('MD5');
  const checksum = announced === null ? null : createChecksum(announced.algorithm);
  const payload = sha256 === null ? null : createChecksum('SHA256');
  const trailers = new Map<string, string>();
  const pieces = isAwsChunked(headers) ? decodeAwsChunked(request.body, trailers) : request.body;
  const digests = [md5, checksum, payload].filter((digest) => digest !== null);
  const body = await storeBody(pieces, bodies, digests, size);
  try {
    const md5Digest = md5.digest();
    if (contentMd5 !== null && !contentMd5.equals(md5Digest)) throw new S3Error('BadDigest');
    if (payload !== null && payload.digest().toString('hex') !== sha256) {
      throw new S3Error('XAmzContentSHA256Mismatch');
    }
    return { body, md5: md5Digest, checksum: provedChecksum(announced, checksum, trailers) };
  } catch (error) {
    await bodies.remove(body.id);
    throw error;
  }
}

/**
 * Stores pieces as one body and feeds each to the digests.
 * @param size the size the body must have, in bytes, or null when any will do
 */
export async function storeBody(
  pieces: AsyncIterable<Uint8Array>,
  bodies: SimBodies,
  digests: readonly Checksum[],
  size: number | null,
): Promise<BodyRef> {
  const writer = await bodies.create();
  let written = 0;
  try {
    for await (const piece of pieces) {
      written += piece.length;
      if (size !== null && written > size) throw new S3Error('IncompleteBody');
      for (const digest of digests) digest.update(piece);
      await writer.write(piece);
    }
    if (size !== null && written !== size) throw new S3Error('IncompleteBody');
    await writer.close();
    return { id: writer.id, size: written };
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

interface AnnouncedChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64, or null when it stands behind the body. */
  readonly value: string | null;
}

/** The checksum a request brings along, in a header or, announced by `x-amz-trailer`, behind the body. */
export function announcedChecksum(
  headers: Readonly<Record<string, string>>,
): AnnouncedChecksum | null {
  const trailer = (headers['x-amz-trailer'] ?? '').toLowerCase();
  const found = checksumAlgorithms.flatMap((algorithm): AnnouncedChecksum[] => {
    const name = checksumHeader(algorithm);
    const value = headers[name];
    if (value !== undefined) return [{ algorithm, value }];
    return trailer.split(',').some((each) => each.trim() === name)
      ? [{ algorithm, value: null }]
      : [];
  });
  if (found.length > 1) {
    throw new S3Error(
      'InvalidRequest',
      {},
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    );
  }
  const only = found[0] ?? null;
  if (only !== null && only.value !== null) assertDigest(only.algorithm, only.value);
  return only;
}

/** Header that carries a checksum of that kind. */
export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

function provedChecksum(
  announced: AnnouncedChecksum | null,
  computed: Checksum | null,
  trailers: ReadonlyMap<string, string>,
): UploadedBody['checksum'] {
  if (announced === null || computed === null) return null;
  const { algorithm } = announced;
  const value = announced.value ?? trailers.get(checksumHeader(algorithm));
  if (value === undefined) throw new S3Error('IncompleteBody');
  assertDigest(algorithm, value);
  if (computed.digest().toString('base64') !== value) {
    throw new S3Error(
      'BadDigest',
      {},
      `The ${algorithm} you specified did not match the calculated checksum.`,
    );
  }
  return { algorithm, value };
}

function assertDigest(algorithm: ChecksumAlgorithm, value: string): void {
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length !== digestBytes[algorithm] || bytes.toString('base64') !== value) {
    throw new S3Error(
      'InvalidRequest',
      {},
      `Value for ${checksumHeader(algorithm)} header is invalid.`,
    );
  }
}

function declaredSize(headers: Readonly<Record<string, string>>): number {
  const text = isAwsChunked(headers)
    ? (headers['x-amz-decoded-content-length'] ?? '')
    : (headers['content-length'] ?? '');
  if (!/^\d{1,15}$/.test(text)) throw new S3Error('MissingContentLength');
  const size = Number(text);
  if (size > uploadBytesMax) {
    throw new S3Error('EntityTooLarge', {
      ProposedSize: String(size),
      MaxSizeAllowed: String(uploadBytesMax),
    });
  }
  return size;
}

function declaredMd5(headers: Readonly<Record<string, string>>): Buffer | null {
  const text = headers['content-md5'];
  if (text === undefined) return null;
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== 16) throw new S3Error('InvalidDigest');
  return bytes;
}
