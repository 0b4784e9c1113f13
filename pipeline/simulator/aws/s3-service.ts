// The simulated S3: requests in, answers out, over documents and bodies.
// Promises: path style; strong consistency within one process; what is not simulated is answered NotImplemented.
// Source: Amazon S3 API Reference. Signatures are not verified.
import type { Clock, Ids } from '../../ports.js';
import type { SimBodies } from './bodies.js';
import {
  createBucket,
  deleteBucket,
  getBucketAcl,
  getBucketLocation,
  getBucketVersioning,
  headBucket,
  listBuckets,
} from './s3-buckets.js';
import { emptyAnswer, type S3Call, simulatedAccount } from './s3-call.js';
import { hostId, S3Error, s3ErrorDefaults, s3ErrorDocument } from './s3-errors.js';
import { listMultipartUploads, listObjects, listObjectsV2 } from './s3-listing.js';
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  listParts,
  uploadPart,
  uploadPartCopy,
} from './s3-multipart.js';
import {
  copyObject,
  deleteObject,
  deleteObjects,
  getObject,
  headObject,
  putObject,
} from './s3-objects.js';
import { type S3Operation, s3Target } from './s3-request.js';
import { S3State } from './s3-state.js';
import { S3UsageMeter } from './s3-usage.js';
import type { SimDocuments, SimRequest, SimResponse, SimService } from './service.js';

export interface S3ServiceOptions {
  readonly documents: SimDocuments;
  readonly bodies: SimBodies;
  readonly clock: Clock;
  readonly ids: Ids;
}

const operations: Readonly<Record<S3Operation, (call: S3Call) => Promise<SimResponse>>> = {
  AbortMultipartUpload: abortMultipartUpload,
  CompleteMultipartUpload: completeMultipartUpload,
  CopyObject: copyObject,
  CreateBucket: createBucket,
  CreateMultipartUpload: createMultipartUpload,
  DeleteBucket: deleteBucket,
  DeleteObject: deleteObject,
  DeleteObjects: deleteObjects,
  GetBucketAcl: getBucketAcl,
  GetBucketLocation: getBucketLocation,
  GetBucketVersioning: getBucketVersioning,
  GetObject: getObject,
  HeadBucket: headBucket,
  HeadObject: headObject,
  ListBuckets: listBuckets,
  ListMultipartUploads: listMultipartUploads,
  ListObjects: listObjects,
  ListObjectsV2: listObjectsV2,
  ListParts: listParts,
  NotImplemented: async () => {
    throw new S3Error('NotImplemented');
  },
  PutObject: putObject,
  UploadPart: uploadPart,
  UploadPartCopy: uploadPartCopy,
};

export interface S3Service extends SimService {
  /** What AWS would bill, since the start or since it was cleared. */
  readonly meter: S3UsageMeter;
}

/** Opens the S3 service on what its documents and bodies hold. */
export async function createS3Service(options: S3ServiceOptions): Promise<S3Service> {
  const state = await S3State.open(options.documents, options.bodies);
  const meter = new S3UsageMeter(options.clock, () => state.storedBytes);
  return {
    name: 's3',
    meter,
    handle: async (request) => {
      const requestId = options.ids.uuid().replaceAll('-', '').slice(0, 16).toUpperCase();
      const answer = await answerOrError(request, { ...options, state, meter }, requestId);
      return {
        ...answer,
        headers: {
          server: 'AmazonS3',
          'x-amz-request-id': requestId,
          'x-amz-id-2': hostId(requestId),
          ...answer.headers,
        },
      };
    },
  };
}

async function answerOrError(
  request: SimRequest,
  world: Pick<S3Call, 'state' | 'clock' | 'ids'> & { readonly meter: S3UsageMeter },
  requestId: string,
): Promise<SimResponse> {
  let operation: S3Operation = 'NotImplemented';
  try {
    const target = s3Target(request);
    operation = target.operation;
    assertOwner(request, target.bucket);
    const { state, clock, ids } = world;
    const call = { request, bucket: target.bucket ?? '', key: target.key ?? '', state, clock, ids };
    const answer = await operations[operation](call);
    world.meter.add(operation, answer.status);
    return answer;
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
    world.meter.add(operation, s3ErrorDefaults(error.code).status);
    return errorAnswer(error, request, requestId);
  }
}

/** The caller may say whose bucket it means; all are of one account here. Throws AccessDenied. */
function assertOwner(request: SimRequest, bucket: string | null): void {
  for (const name of ['x-amz-expected-bucket-owner', 'x-amz-source-expected-bucket-owner']) {
    const owner = request.headers[name];
    if (bucket !== null && owner !== undefined && owner !== simulatedAccount) {
      throw new S3Error('AccessDenied');
    }
  }
}

function errorAnswer(error: S3Error, request: SimRequest, requestId: string): SimResponse {
  const { code, message, details } = error;
  const { status } = s3ErrorDefaults(code);
  // An answer to HEAD has no body, so the status is all a client gets.
  if (request.method === 'HEAD') return emptyAnswer(status);
  const document = s3ErrorDocument({ code, message, details, requestId });
  return {
    status,
    headers: { 'content-type': 'application/xml' },
    body: Buffer.from(document, 'utf8'),
  };
}
