// Multipart uploads: create, upload and copy parts, complete, abort, list.
// Promises: an object appears only when its upload is completed, whole; sizes, order and ETags of parts are checked.
// Source: Amazon S3 User Guide, "Uploading and copying objects using multipart upload", "Amazon S3 multipart upload limits".
import { createHash } from 'node:crypto';
import { type ChecksumAlgorithm, checksumAlgorithms, createChecksum } from './checksums.js';
import {
  emptyAnswer,
  isoTime,
  numberParameter,
  partNumberMax,
  partNumberOf,
  quoted,
  readXml,
  type S3Call,
  simulatedAccount,
  xmlAnswer,
} from './s3-call.js';
import { writeCheck } from './s3-conditions.js';
import { S3Error } from './s3-errors.js';
import { encryptionOf, objectHeaders } from './s3-headers.js';
import { assertKey, checksumElements, copySource } from './s3-objects.js';
import { byteRange } from './s3-range.js';
import type { StoredChecksum, StoredObject, StoredPart, Upload } from './s3-state.js';
import { checksumHeader, storeBody, uploadBody } from './s3-upload-body.js';
import type { SimResponse } from './service.js';
import { childText, s3Document, textElement, wrapElement } from './xml.js';

/** Smallest part but the last: 5 MiB. */
const partBytesMin = 5 * 1024 * 1024;
const listMax = 1000;

export async function createMultipartUpload(call: S3Call): Promise<SimResponse> {
  const { state, request, bucket, key } = call;
  state.bucket(bucket);
  assertKey(key);
  const checksum = uploadChecksum(request.headers);
  const id = call.ids.uuid().replaceAll('-', '');
  await state.createUpload({
    id,
    bucket,
    key,
    startedMs: call.clock.nowMs(),
    headers: objectHeaders(request.headers),
    checksum,
  });
  const content = [
    textElement('Bucket', bucket),
    textElement('Key', key),
    textElement('UploadId', id),
  ];
  return xmlAnswer(s3Document('InitiateMultipartUploadResult', content.join('')), {
    ...encryptionOf(request.headers),
    ...(checksum === null
      ? {}
      : {
          'x-amz-checksum-algorithm': checksum.algorithm,
          'x-amz-checksum-type': checksum.type,
        }),
  });
}

export async function uploadPart(call: S3Call): Promise<SimResponse> {
  const { state, request } = call;
  const upload = uploadOf(call);
  const number = partNumberOf(call);
  const { body, md5, checksum } = await uploadBody(request, state.bodies);
  const expected = upload.checksum?.algorithm ?? null;
  const sent = checksum?.algorithm ?? null;
  if (expected !== null && sent !== expected) {
    await state.free([body]);
    throw new S3Error(
      'InvalidRequest',
      {},
      `Checksum Type mismatch occurred, expected checksum Type: ${expected.toLowerCase()}, actual checksum Type: ${sent?.toLowerCase() ?? 'null'}`,
    );
  }
  const part: StoredPart = {
    number,
    size: body.size,
    etag: md5.toString('hex'),
    modifiedMs: call.clock.nowMs(),
    checksum: expected === null ? null : checksum!.value,
    body,
  };
  await keepPart(call, upload, part);
  return emptyAnswer(200, {
    etag: quoted(part.etag),
    'x-amz-server-side-encryption': upload.headers['x-amz-server-side-encryption']!,
    ...(checksum === null ? {} : { [checksumHeader(checksum.algorithm)]: checksum.value }),
  });
}

export async function uploadPartCopy(call: S3Call): Promise<SimResponse> {
  const { state } = call;
  const upload = uploadOf(call);
  const number = partNumberOf(call);
  const { object } = copySource(call);
  const range = byteRange(call.request.headers['x-amz-copy-source-range'], object.size);
  const { start, end } = range ?? { start: 0, end: object.size };
  const md5 = createChecksum('MD5');
  const checksum = upload.checksum === null ? null : createChecksum(upload.checksum.algorithm);
  const digests = checksum === null ? [md5] : [md5, checksum];
  const bytes = state.open(object.bodies, start, end);
  const body = await storeBody(bytes, state.bodies, digests, end - start);
  const part: StoredPart = {
    number,
    size: body.size,
    etag: md5.digest().toString('hex'),
    modifiedMs: call.clock.nowMs(),
    checksum: checksum === null ? null : checksum.digest().toString('base64'),
    body,
  };
  await keepPart(call, upload, part);
  const content = [
    textElement('LastModified', isoTime(part.modifiedMs)),
    textElement('ETag', quoted(part.etag)),
    partChecksum(upload, part),
  ];
  return xmlAnswer(s3Document('CopyPartResult', content.join('')));
}

export async function completeMultipartUpload(call: S3Call): Promise<SimResponse> {
  const { state, request, bucket, key } = call;
  state.bucket(bucket);
  const check = writeCheck(request.headers, key);
  const listed = await readListedParts(call);
  const object = await state.onUpload(uploadIdOf(call), async () => {
    const upload = uploadOf(call);
    const parts = chosenParts(upload, listed);
    const completed = await completedObject(call, upload, parts);
    // The parts stay when the write is refused: the upload goes on, as in S3.
    await state.publish(bucket, completed, check);
    await state.removeUpload(upload, completed);
    return completed;
  });
  const content = [
    textElement('Location', `http://${request.headers.host ?? 's3'}${request.path}`),
    textElement('Bucket', bucket),
    textElement('Key', key),
    textElement('ETag', quoted(object.etag)),
    checksumElements(object.checksum),
  ];
  return xmlAnswer(
    s3Document('CompleteMultipartUploadResult', content.join('')),
    encryptionOf(object.headers),
  );
}

export async function abortMultipartUpload(call: S3Call): Promise<SimResponse> {
  call.state.bucket(call.bucket);
  await call.state.onUpload(uploadIdOf(call), async () => {
    await call.state.removeUpload(uploadOf(call));
  });
  return emptyAnswer(204);
}

export async function listParts(call: S3Call): Promise<SimResponse> {
  const upload = uploadOf(call);
  const marker = numberParameter(call, 'part-number-marker', { fallback: 0, most: partNumberMax });
  const most = numberParameter(call, 'max-parts', { fallback: listMax, most: listMax });
  const behind = [...upload.parts.values()]
    .filter((part) => part.number > marker)
    .sort((a, b) => a.number - b.number);
  const page = behind.slice(0, most);
  const isTruncated = behind.length > page.length;
  const content = [
    textElement('Bucket', call.bucket),
    textElement('Key', call.key),
    textElement('UploadId', upload.id),
    wrapElement('Initiator', textElement('ID', simulatedAccount)),
    wrapElement('Owner', textElement('ID', simulatedAccount)),
    textElement('StorageClass', 'STANDARD'),
    textElement('PartNumberMarker', marker),
    textElement('NextPartNumberMarker', page.at(-1)?.number ?? 0),
    textElement('MaxParts', most),
    textElement('IsTruncated', isTruncated),
    textElement('ChecksumAlgorithm', upload.checksum?.algorithm),
    textElement('ChecksumType', upload.checksum?.type),
    ...page.map((part) =>
      wrapElement(
        'Part',
        [
          textElement('PartNumber', part.number),
          textElement('LastModified', isoTime(part.modifiedMs)),
          textElement('ETag', quoted(part.etag)),
          textElement('Size', part.size),
          partChecksum(upload, part),
        ].join(''),
      ),
    ),
  ];
  return xmlAnswer(s3Document('ListPartsResult', content.join('')));
}

function uploadIdOf(call: S3Call): string {
  return call.request.query.get('uploadId') ?? '';
}

function uploadOf(call: S3Call): Upload {
  call.state.bucket(call.bucket);
  return call.state.upload(call.bucket, call.key, uploadIdOf(call));
}

async function keepPart(call: S3Call, upload: Upload, part: StoredPart): Promise<void> {
  try {
    await call.state.putPart(upload, part);
  } catch (error) {
    await call.state.free([part.body]);
    throw error;
  }
}

function partChecksum(upload: Upload, part: StoredPart): string {
  const { checksum } = upload;
  return checksum === null ? '' : textElement(`Checksum${checksum.algorithm}`, part.checksum);
}

/** The checksum an upload is created with; by default one of checksums, but CRC64NVME is only of the whole object. */
function uploadChecksum(
  headers: Readonly<Record<string, string>>,
): Pick<StoredChecksum, 'algorithm' | 'type'> | null {
  const name = headers['x-amz-checksum-algorithm']?.toUpperCase();
  if (name === undefined) return null;
  const algorithm = checksumAlgorithms.find((each) => each === name);
  if (algorithm === undefined) {
    throw new S3Error(
      'InvalidRequest',
      {},
      'Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]',
    );
  }
  const isWhole = algorithm === 'CRC64NVME';
  const type = headers['x-amz-checksum-type']?.toUpperCase();
  const impossible = isWhole ? 'COMPOSITE' : algorithm.startsWith('SHA') ? 'FULL_OBJECT' : '';
  if (type === impossible) {
    throw new S3Error(
      'InvalidRequest',
      {},
      `The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    );
  }
  const isFull = isWhole || type === 'FULL_OBJECT';
  return { algorithm, type: isFull ? 'FULL_OBJECT' : 'COMPOSITE' };
}

interface ListedPart {
  readonly number: number;
  readonly etag: string;
  readonly checksums: ReadonlyMap<ChecksumAlgorithm, string>;
}

async function readListedParts(call: S3Call): Promise<readonly ListedPart[]> {
  const root = await readXml(call, 'CompleteMultipartUpload');
  const parts = root.children.filter((child) => child.name === 'Part');
  if (parts.length === 0 || parts.length > partNumberMax) throw new S3Error('MalformedXML');
  return parts.map((part) => {
    const number = childText(part, 'PartNumber');
    const etag = childText(part, 'ETag');
    if (number === null || etag === null || !/^\d{1,5}$/.test(number)) {
      throw new S3Error('MalformedXML');
    }
    const checksums = new Map<ChecksumAlgorithm, string>();
    for (const algorithm of checksumAlgorithms) {
      const value = childText(part, `Checksum${algorithm}`);
      if (value !== null) checksums.set(algorithm, value);
    }
    return { number: Number(number), etag: etag.replace(/^"|"$/g, ''), checksums };
  });
}

/** The parts a client names, checked. Throws InvalidPartOrder, InvalidPart, EntityTooSmall. */
function chosenParts(upload: Upload, listed: readonly ListedPart[]): readonly StoredPart[] {
  const isAscending = listed.every((part, i) => i === 0 || part.number > listed[i - 1]!.number);
  if (!isAscending) throw new S3Error('InvalidPartOrder', { UploadId: upload.id });
  const parts = listed.map(({ number, etag, checksums }) => {
    const part = upload.parts.get(number);
    const claimed = upload.checksum === null ? null : checksums.get(upload.checksum.algorithm);
    const isSame =
      part?.etag === etag &&
      (claimed === null || claimed === undefined || claimed === part.checksum);
    if (part === undefined || !isSame) {
      throw new S3Error('InvalidPart', {
        UploadId: upload.id,
        PartNumber: String(number),
        ETag: etag,
      });
    }
    return part;
  });
  const small = parts.slice(0, -1).find((part) => part.size < partBytesMin);
  if (small !== undefined) {
    throw new S3Error('EntityTooSmall', {
      ProposedSize: String(small.size),
      MinSizeAllowed: String(partBytesMin),
      PartNumber: String(small.number),
      ETag: small.etag,
    });
  }
  return parts;
}

async function completedObject(
  call: S3Call,
  upload: Upload,
  parts: readonly StoredPart[],
): Promise<StoredObject> {
  const { headers } = call.request;
  const md5s = Buffer.concat(parts.map((part) => Buffer.from(part.etag, 'hex')));
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  const claimedSize = headers['x-amz-mp-object-size'];
  if (claimedSize !== undefined && claimedSize !== String(size)) {
    throw new S3Error(
      'InvalidRequest',
      {},
      `The provided 'x-amz-mp-object-size' header value ${claimedSize} does not match what was computed: ${size}`,
    );
  }
  const checksum = await uploadedChecksum(call, upload, parts, size);
  const claimed = checksum === null ? undefined : headers[checksumHeader(checksum.algorithm)];
  if (claimed !== undefined && claimed !== checksum?.value) {
    throw new S3Error(
      'BadDigest',
      {},
      `The ${checksum!.algorithm.toLowerCase()} you specified did not match the calculated checksum.`,
    );
  }
  return {
    key: upload.key,
    size,
    etag: `${createHash('md5').update(md5s).digest('hex')}-${parts.length}`,
    modifiedMs: call.clock.nowMs(),
    headers: upload.headers,
    checksum,
    bodies: parts.map((part) => part.body),
    uploadId: upload.id,
  };
}

async function uploadedChecksum(
  call: S3Call,
  upload: Upload,
  parts: readonly StoredPart[],
  size: number,
): Promise<StoredChecksum | null> {
  if (upload.checksum === null) return null;
  const { algorithm, type } = upload.checksum;
  const digest = createChecksum(algorithm);
  if (type === 'COMPOSITE') {
    for (const part of parts) digest.update(Buffer.from(part.checksum!, 'base64'));
    return { algorithm, type, value: `${digest.digest().toString('base64')}-${parts.length}` };
  }
  const bodies = parts.map((part) => part.body);
  for await (const piece of call.state.open(bodies, 0, size)) digest.update(piece);
  return { algorithm, type, value: digest.digest().toString('base64') };
}
