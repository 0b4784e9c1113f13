// Objects: GetObject, HeadObject, PutObject, CopyObject, DeleteObject, DeleteObjects.
// Promises: conditions, ranges and checksums as S3 treats them; a write is seen whole or not at all.
// Source: Amazon S3 API Reference, the pages of these actions.
import { createChecksum } from './checksums.js';
import {
  emptyAnswer,
  httpTime,
  isoTime,
  noBody,
  partNumberOf,
  quoted,
  readBytes,
  type S3Call,
  xmlAnswer,
} from './s3-call.js';
import { checkCopySource, checkRead, writeCheck } from './s3-conditions.js';
import { S3Error } from './s3-errors.js';
import { checksumHeaders, objectHeaders } from './s3-headers.js';
import { byteRange } from './s3-range.js';
import type { StoredChecksum, StoredObject } from './s3-state.js';
import { announcedChecksum, storeBody, uploadBody } from './s3-upload-body.js';
import type { SimResponse } from './service.js';
import { childText, parseXml, s3Document, textElement, wrapElement } from './xml.js';

/** Longest key, in bytes of UTF-8. */
const keyBytesMax = 1024;
/** Most objects of one DeleteObjects. */
const deletedMax = 1000;
/** Query parameters that override headers of an answer. */
const overrides = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
];

export async function getObject(call: S3Call): Promise<SimResponse> {
  const object = existingObject(call);
  if (checkRead(call.request.headers, object) === 'unmodified') return notModified(object);
  const range = askedRange(call, object);
  const { start, end } = range ?? { start: 0, end: object.size };
  return {
    ...describe(call, object, range),
    body: call.state.open(object.bodies, start, end),
  };
}

export async function headObject(call: S3Call): Promise<SimResponse> {
  const object = existingObject(call);
  if (checkRead(call.request.headers, object) === 'unmodified') return notModified(object);
  const range = askedRange(call, object);
  return { ...describe(call, object, range), body: noBody };
}

export async function putObject(call: S3Call): Promise<SimResponse> {
  const { state, request, bucket, key } = call;
  state.bucket(bucket);
  assertKey(key);
  const headers = objectHeaders(request.headers);
  const check = writeCheck(request.headers, key);
  const { body, md5, checksum } = await uploadBody(request, state.bodies);
  const object: StoredObject = {
    key,
    size: body.size,
    etag: md5.toString('hex'),
    modifiedMs: call.clock.nowMs(),
    headers,
    checksum: checksum === null ? null : { ...checksum, type: 'FULL_OBJECT' },
    bodies: [body],
    uploadId: null,
  };
  await publishOrFree(call, object, check);
  return emptyAnswer(200, {
    etag: quoted(object.etag),
    'x-amz-server-side-encryption': headers['x-amz-server-side-encryption']!,
    ...checksumHeaders(object.checksum),
  });
}

export async function copyObject(call: S3Call): Promise<SimResponse> {
  const { state, request, bucket, key } = call;
  state.bucket(bucket);
  assertKey(key);
  const source = copySource(call);
  const isReplacing = request.headers['x-amz-metadata-directive'] === 'REPLACE';
  if (source.bucket === bucket && source.object.key === key && !isReplacing) {
    throw new S3Error(
      'InvalidRequest',
      {},
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const check = writeCheck(request.headers, key);
  const headers = isReplacing ? objectHeaders(request.headers) : source.object.headers;
  const md5 = createChecksum('MD5');
  const bytes = state.open(source.object.bodies, 0, source.object.size);
  const body = await storeBody(bytes, state.bodies, [md5], source.object.size);
  const object: StoredObject = {
    key,
    size: body.size,
    etag: md5.digest().toString('hex'),
    modifiedMs: call.clock.nowMs(),
    headers,
    checksum: source.object.checksum?.type === 'FULL_OBJECT' ? source.object.checksum : null,
    bodies: [body],
    uploadId: null,
  };
  await publishOrFree(call, object, check);
  return xmlAnswer(
    s3Document(
      'CopyObjectResult',
      [
        textElement('LastModified', isoTime(object.modifiedMs)),
        textElement('ETag', quoted(object.etag)),
        checksumElements(object.checksum),
      ].join(''),
    ),
  );
}

export async function deleteObject(call: S3Call): Promise<SimResponse> {
  await call.state.remove(call.bucket, call.key, writeCheck(call.request.headers, call.key));
  return emptyAnswer(204);
}

export async function deleteObjects(call: S3Call): Promise<SimResponse> {
  call.state.bucket(call.bucket);
  const { isQuiet, entries } = await readDeletions(call);
  const results: string[] = [];
  for (const { key, etag } of entries) {
    try {
      const check = writeCheck(etag === null ? {} : { 'if-match': etag }, key);
      await call.state.remove(call.bucket, key, check);
      if (!isQuiet) results.push(wrapElement('Deleted', textElement('Key', key)));
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      const facts = [
        textElement('Key', key),
        textElement('Code', error.code),
        textElement('Message', error.message),
      ];
      results.push(wrapElement('Error', facts.join('')));
    }
  }
  return xmlAnswer(s3Document('DeleteResult', results.join('')));
}

/** Publishes an object of new bodies; frees them when it is not to be. */
export async function publishOrFree(
  call: S3Call,
  object: StoredObject,
  check: (current: StoredObject | null) => void,
): Promise<void> {
  try {
    await call.state.publish(call.bucket, object, check);
  } catch (error) {
    await call.state.free(object.bodies);
    throw error;
  }
}

/** Throws KeyTooLongError. */
export function assertKey(key: string): void {
  const size = Buffer.byteLength(key);
  if (size > keyBytesMax) {
    throw new S3Error('KeyTooLongError', {
      Size: String(size),
      MaxSizeAllowed: String(keyBytesMax),
    });
  }
}

/** The object that `x-amz-copy-source` names, its conditions checked. */
export function copySource(call: S3Call): {
  readonly bucket: string;
  readonly object: StoredObject;
} {
  const { headers } = call.request;
  const [path, version] = headers['x-amz-copy-source']!.split('?versionId=', 2);
  assertVersion(version ?? null);
  const match = /^\/?([^/]+)\/(.+)$/s.exec(decodeSource(path!));
  if (match === null) {
    throw new S3Error(
      'InvalidArgument',
      { ArgumentName: 'x-amz-copy-source', ArgumentValue: headers['x-amz-copy-source']! },
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
    );
  }
  const [, bucket, key] = match as unknown as [string, string, string];
  const object = call.state.object(bucket, key);
  if (object === null) throw new S3Error('NoSuchKey', { Key: key });
  checkCopySource(headers, object);
  return { bucket, object };
}

/** A checksum as elements of an answer. */
export function checksumElements(checksum: StoredChecksum | null): string {
  if (checksum === null) return '';
  return `${textElement(`Checksum${checksum.algorithm}`, checksum.value)}${textElement('ChecksumType', checksum.type)}`;
}

function decodeSource(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new S3Error('InvalidURI', { URI: path });
  }
}

function assertVersion(version: string | null): void {
  if (version === null || version === '' || version === 'null') return;
  throw new S3Error(
    'InvalidArgument',
    { ArgumentName: 'versionId', ArgumentValue: version },
    'Invalid version id specified',
  );
}

function existingObject(call: S3Call): StoredObject {
  assertVersion(call.request.query.get('versionId'));
  const object = call.state.object(call.bucket, call.key);
  if (object === null) throw new S3Error('NoSuchKey', { Key: call.key });
  return object;
}

/** The bytes a read is about, by its range or by the number of a part; null for all. */
function askedRange(
  call: S3Call,
  object: StoredObject,
): { readonly start: number; readonly end: number } | null {
  const { headers, query } = call.request;
  if (!query.has('partNumber')) return byteRange(headers.range, object.size);
  if (headers.range !== undefined) {
    throw new S3Error(
      'InvalidRequest',
      {},
      'Cannot specify both Range header and partNumber query parameter',
    );
  }
  const number = partNumberOf(call);
  // What was not uploaded in parts is one part.
  if (number > object.bodies.length) {
    throw new S3Error('InvalidPartNumber', {
      PartNumberRequested: String(number),
      ActualPartCount: String(object.bodies.length),
    });
  }
  if (object.size === 0) return null;
  const start = object.bodies.slice(0, number - 1).reduce((sum, { size }) => sum + size, 0);
  return { start, end: start + object.bodies[number - 1]!.size };
}

function describe(
  call: S3Call,
  object: StoredObject,
  range: { readonly start: number; readonly end: number } | null,
): Omit<SimResponse, 'body'> {
  const { headers, query } = call.request;
  const wantsChecksum = headers['x-amz-checksum-mode']?.toUpperCase() === 'ENABLED';
  const answer: Record<string, string> = {
    'accept-ranges': 'bytes',
    'content-length': String(range === null ? object.size : range.end - range.start),
    etag: quoted(object.etag),
    'last-modified': httpTime(object.modifiedMs),
    ...object.headers,
    // The checksum is of the whole object, so a range comes without.
    ...(wantsChecksum && range === null ? checksumHeaders(object.checksum) : {}),
  };
  if (range !== null) {
    answer['content-range'] = `bytes ${range.start}-${range.end - 1}/${object.size}`;
  }
  if (query.has('partNumber') && object.uploadId !== null) {
    answer['x-amz-mp-parts-count'] = String(object.bodies.length);
  }
  for (const name of overrides) {
    const value = query.get(`response-${name}`);
    if (value !== null) answer[name] = value;
  }
  return { status: range === null ? 200 : 206, headers: answer };
}

function notModified(object: StoredObject): SimResponse {
  return emptyAnswer(304, {
    etag: quoted(object.etag),
    'last-modified': httpTime(object.modifiedMs),
  });
}

interface Deletion {
  readonly key: string;
  readonly etag: string | null;
}

async function readDeletions(
  call: S3Call,
): Promise<{ readonly isQuiet: boolean; readonly entries: readonly Deletion[] }> {
  const { headers } = call.request;
  const bytes = await readBytes(call);
  const md5 = headers['content-md5'];
  const announced = announcedChecksum(headers);
  if (md5 === undefined && announced === null) {
    throw new S3Error(
      'InvalidRequest',
      {},
      'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
    );
  }
  const digest = createChecksum(announced?.algorithm ?? 'MD5');
  digest.update(bytes);
  if (digest.digest().toString('base64') !== (announced?.value ?? md5)) {
    throw new S3Error('BadDigest');
  }
  const root = parseXml(bytes.toString('utf8'));
  const objects = root?.children.filter((child) => child.name === 'Object') ?? [];
  if (root?.name !== 'Delete' || objects.length === 0 || objects.length > deletedMax) {
    throw new S3Error('MalformedXML');
  }
  const entries = objects.map((object) => {
    const key = childText(object, 'Key');
    if (key === null || key === '') throw new S3Error('MalformedXML');
    return { key, etag: childText(object, 'ETag') };
  });
  return { isQuiet: childText(root, 'Quiet') === 'true', entries };
}
