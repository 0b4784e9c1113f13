// Which S3 operation a request is, path style: `/bucket/key?subresource`.
// Promises: a request with a subresource that is not simulated is named as such, never taken for its plain sibling.
// Source: Amazon S3 API Reference, "Actions".
import { S3Error } from './s3-errors.js';
import type { SimRequest } from './service.js';

/** What a request asks for and of whom. */
export interface S3Target {
  /** The API's name of the operation, or `NotImplemented`. */
  readonly operation: S3Operation;
  readonly bucket: string | null;
  readonly key: string | null;
}

export type S3Operation =
  | 'AbortMultipartUpload'
  | 'CompleteMultipartUpload'
  | 'CopyObject'
  | 'CreateBucket'
  | 'CreateMultipartUpload'
  | 'DeleteBucket'
  | 'DeleteObject'
  | 'DeleteObjects'
  | 'GetBucketAcl'
  | 'GetBucketLocation'
  | 'GetBucketVersioning'
  | 'GetObject'
  | 'HeadBucket'
  | 'HeadObject'
  | 'ListBuckets'
  | 'ListMultipartUploads'
  | 'ListObjects'
  | 'ListObjectsV2'
  | 'ListParts'
  | 'NotImplemented'
  | 'PutObject'
  | 'UploadPart'
  | 'UploadPartCopy';

/** Query parameters that make a request another operation. */
const subresources = [
  'accelerate',
  'acl',
  'analytics',
  'attributes',
  'cors',
  'delete',
  'encryption',
  'intelligent-tiering',
  'inventory',
  'legal-hold',
  'lifecycle',
  'location',
  'logging',
  'metrics',
  'notification',
  'object-lock',
  'ownershipControls',
  'partNumber',
  'policy',
  'policyStatus',
  'publicAccessBlock',
  'replication',
  'requestPayment',
  'restore',
  'retention',
  'select',
  'tagging',
  'torrent',
  'uploadId',
  'uploads',
  'versioning',
  'versions',
  'website',
] as const;

const bucketOperations: Readonly<Record<string, S3Operation>> = {
  'GET acl': 'GetBucketAcl',
  'GET location': 'GetBucketLocation',
  'GET uploads': 'ListMultipartUploads',
  'GET versioning': 'GetBucketVersioning',
  'PUT ': 'CreateBucket',
  'HEAD ': 'HeadBucket',
  'DELETE ': 'DeleteBucket',
  'POST delete': 'DeleteObjects',
};

const objectOperations: Readonly<Record<string, S3Operation>> = {
  'GET ': 'GetObject',
  'GET partNumber': 'GetObject',
  'GET uploadId': 'ListParts',
  'HEAD ': 'HeadObject',
  'HEAD partNumber': 'HeadObject',
  'PUT ': 'PutObject',
  'PUT copy': 'CopyObject',
  'PUT partNumber uploadId': 'UploadPart',
  'PUT partNumber uploadId copy': 'UploadPartCopy',
  'DELETE ': 'DeleteObject',
  'DELETE uploadId': 'AbortMultipartUpload',
  'POST uploadId': 'CompleteMultipartUpload',
  'POST uploads': 'CreateMultipartUpload',
};

/** Names the operation. Throws S3Error InvalidURI when the path is not valid percent-encoded UTF-8. */
export function s3Target(
  request: Pick<SimRequest, 'method' | 'path' | 'query' | 'headers'>,
): S3Target {
  const { method, query, headers } = request;
  const path = request.path.replace(/^\//, '');
  const slash = path.indexOf('/');
  const bucket = decode(slash < 0 ? path : path.slice(0, slash));
  const key = slash < 0 ? '' : decode(path.slice(slash + 1));
  const present = subresources.filter((name) => query.has(name)).join(' ');
  if (bucket === '') {
    return {
      operation: method === 'GET' ? 'ListBuckets' : 'NotImplemented',
      bucket: null,
      key: null,
    };
  }
  if (key === '') {
    const isList = method === 'GET' && present === '';
    const list = query.get('list-type') === '2' ? 'ListObjectsV2' : 'ListObjects';
    const operation = isList ? list : bucketOperations[`${method} ${present}`];
    return { operation: operation ?? 'NotImplemented', bucket, key: null };
  }
  const copy = headers['x-amz-copy-source'] === undefined || method !== 'PUT' ? '' : 'copy';
  const form = [present, copy].filter((part) => part !== '').join(' ');
  return { operation: objectOperations[`${method} ${form}`] ?? 'NotImplemented', bucket, key };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error('InvalidURI', { URI: text });
  }
}
