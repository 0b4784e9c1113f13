// The headers S3 keeps with an object and gives back: content type and its kin, user metadata, encryption.
// Promises: values come back as they came; user metadata has S3's limit.
// Source: Amazon S3 User Guide, "Working with object metadata".
import { storedContentEncoding } from './aws-chunked.js';
import { S3Error } from './s3-errors.js';
import type { StoredChecksum } from './s3-state.js';
import { checksumHeader } from './s3-upload-body.js';

type Headers = Readonly<Record<string, string>>;

/** Most bytes of user metadata, names and values. */
const metadataBytesMax = 2 * 1024;
const metadataPrefix = 'x-amz-meta-';
const keptHeaders = [
  'cache-control',
  'content-disposition',
  'content-language',
  'content-type',
  'expires',
  'x-amz-storage-class',
  'x-amz-website-redirect-location',
];
const encryptionHeaders = [
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-bucket-key-enabled',
];

/** What of a request's headers is kept with the object. Throws MetadataTooLarge. */
export function objectHeaders(headers: Headers): Record<string, string> {
  const kept: Record<string, string> = { 'content-type': 'binary/octet-stream' };
  for (const name of keptHeaders) {
    const value = headers[name];
    if (value !== undefined && value !== '') kept[name] = value;
  }
  if (kept['x-amz-storage-class'] === 'STANDARD') delete kept['x-amz-storage-class'];
  const encoding = storedContentEncoding(headers);
  if (encoding !== null) kept['content-encoding'] = encoding;
  let metadataBytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(metadataPrefix)) continue;
    metadataBytes += name.length - metadataPrefix.length + value.length;
    kept[name] = value;
  }
  if (metadataBytes > metadataBytesMax) {
    throw new S3Error('MetadataTooLarge', {
      Size: String(metadataBytes),
      MaxSizeAllowed: String(metadataBytesMax),
    });
  }
  return { ...kept, ...encryptionOf(headers) };
}

/** The encryption headers of a request, or S3's default since 2023. */
export function encryptionOf(headers: Headers): Record<string, string> {
  const found: Record<string, string> = { 'x-amz-server-side-encryption': 'AES256' };
  for (const name of encryptionHeaders) {
    const value = headers[name];
    if (value !== undefined) found[name] = value;
  }
  return found;
}

/** A checksum as headers of an answer. */
export function checksumHeaders(checksum: StoredChecksum | null): Record<string, string> {
  if (checksum === null) return {};
  return {
    [checksumHeader(checksum.algorithm)]: checksum.value,
    'x-amz-checksum-type': checksum.type,
  };
}
