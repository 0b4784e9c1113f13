// The buckets: exports, lake, results of queries, and the log of who read what.
// Promises: TLS 1.2 only, encrypted, never public, no ACLs. Current objects of exports and lake are never expired: a
// lifecycle rule cannot know whether an export was merged or a file is live. Only deleted ones go, after some days.
// Source: Amazon S3 User Guide, "Security best practices"; AWS Prescriptive Guidance on Iceberg (no expiry on a table).

import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AnyPrincipal, ArnPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type IBucket,
  type LifecycleRule,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { BucketPlace } from '../pipeline/aws/policy.js';
import type { LakeProps } from './lake.js';

export interface LakeBuckets {
  readonly exports: BucketPlace;
  readonly lake: BucketPlace;
  readonly results: BucketPlace;
}

type Kind = keyof LakeBuckets;

/** Uploads that nobody finished. An export of a large table may take long, so this is no matter of hours. */
const abandonedUploads: LifecycleRule = {
  id: 'abandoned-uploads',
  abortIncompleteMultipartUploadAfter: Duration.days(7),
};

/** Makes the buckets that do not exist yet. */
export function makeBuckets(scope: Construct, props: LakeProps): LakeBuckets {
  let logs: Bucket | null = null;
  const logBucket = (): Bucket => {
    logs ??= makeLogBucket(scope, props);
    return logs;
  };
  const place = (kind: Kind, prefix: string): BucketPlace => {
    const key = keyOf(scope, props, kind);
    const found = props.existing?.[kind];
    const bucket = found ?? makeBucket(scope, props, kind, key, logBucket()).bucketName;
    return { bucket, prefix, ...(key === null ? {} : { keyArn: key.keyArn }) };
  };
  return {
    exports: place('exports', props.exportsPrefix),
    lake: place('lake', props.lakePrefix),
    results: place('results', 'athena'),
  };
}

function keyOf(scope: Construct, props: LakeProps, kind: Kind): IKey | null {
  const id = `${idOf(kind)}Key`;
  if (props.encryption === 's3') return null;
  // A bucket that exists has its key already, or none; its ARN can be given.
  if (props.encryption === 'kms' && props.existing?.[kind] !== undefined) return null;
  if (props.encryption !== 'kms') return Key.fromKeyArn(scope, id, props.encryption[kind]);
  return new Key(scope, id, {
    description: `Tidelake ${props.lakeName}: ${kind}`,
    enableKeyRotation: true,
    removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
  });
}

function makeBucket(
  scope: Construct,
  props: LakeProps,
  kind: Kind,
  key: IKey | null,
  logs: Bucket,
): Bucket {
  const isKept = kind !== 'results';
  const bucket = new Bucket(scope, `${idOf(kind)}Bucket`, {
    ...guarded(scope, props, kind),
    ...(key === null
      ? { encryption: BucketEncryption.S3_MANAGED }
      : { encryption: BucketEncryption.KMS, encryptionKey: key, bucketKeyEnabled: true }),
    // What was deleted or replaced by mistake can be brought back; results can be had by asking again.
    versioned: isKept,
    lifecycleRules: [
      abandonedUploads,
      isKept
        ? {
            id: 'deleted-objects',
            noncurrentVersionExpiration: Duration.days(props.undeleteDays),
            expiredObjectDeleteMarker: true,
          }
        : { id: 'old-results', expiration: Duration.days(props.resultsDays) },
    ],
    serverAccessLogsBucket: logs as IBucket,
    serverAccessLogsPrefix: `${kind}/`,
  });
  if (key !== null) denyOtherKeys(bucket, key);
  // A bucket that outlives the stack keeps its policy.
  bucket.policy?.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
  if (kind === 'exports') admitForeignExporters(bucket, key, props);
  return bucket;
}

function makeLogBucket(scope: Construct, props: LakeProps): Bucket {
  return new Bucket(scope, 'AccessLogBucket', {
    ...guarded(scope, props, 'access-logs'),
    // Delivery of access logs knows no KMS keys.
    encryption: BucketEncryption.S3_MANAGED,
    lifecycleRules: [
      abandonedUploads,
      { id: 'old-logs', expiration: Duration.days(props.accessLogDays) },
    ],
  });
}

/** What all buckets have in common. */
function guarded(scope: Construct, props: LakeProps, kind: string) {
  const { account, region } = Stack.of(scope);
  return {
    bucketName: `${props.lakeName}-${kind}-${account}-${region}`,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
  };
}

/** An object written without saying how is encrypted with the bucket's key; one that asks for another way is denied.
 *  DynamoDB writes an export as its request says: with `S3SseAlgorithm` KMS and this key, or with neither. */
function denyOtherKeys(bucket: Bucket, key: IKey): void {
  const deny = (sid: string, header: string, value: string): void => {
    bucket.addToResourcePolicy(
      new PolicyStatement({
        sid,
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['s3:PutObject'],
        resources: [bucket.arnForObjects('*')],
        conditions: { Null: { [header]: 'false' }, StringNotEquals: { [header]: value } },
      }),
    );
  };
  deny('OnlyKms', 's3:x-amz-server-side-encryption', 'aws:kms');
  deny('OnlyThisKey', 's3:x-amz-server-side-encryption-aws-kms-key-id', key.keyArn);
}

/** Exports of tables in other accounts: DynamoDB writes with the rights of the role over there. */
function admitForeignExporters(bucket: Bucket, key: IKey | null, props: LakeProps): void {
  const principals = (props.foreignExporters ?? []).map((arn) => new ArnPrincipal(arn));
  if (principals.length === 0) return;
  const below = props.exportsPrefix === '' ? '*' : `${props.exportsPrefix}/*`;
  bucket.addToResourcePolicy(
    new PolicyStatement({
      sid: 'ForeignExporters',
      principals,
      actions: ['s3:AbortMultipartUpload', 's3:PutObject', 's3:PutObjectAcl'],
      resources: [bucket.arnForObjects(below)],
    }),
  );
  for (const principal of principals) {
    key?.grant(principal, 'kms:Decrypt', 'kms:GenerateDataKey');
  }
}

function idOf(kind: Kind): string {
  return { exports: 'Exports', lake: 'Lake', results: 'Results' }[kind];
}
