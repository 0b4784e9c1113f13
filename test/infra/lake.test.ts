// The synthesized stack: what must be true of it, whatever else changes.
// Promises: rules of buckets, workgroup and database stand on the template; roles are asked through an evaluator.
// Source: docs/how-to/infrastructure.md; AWS Well-Architected rules by cdk-nag.

import { Stack } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { beforeAll, describe, expect, it } from 'vitest';
import { Lake } from '../../infra/lake.js';
import { checkedApp, giveReasons } from '../../infra/security-checks.js';
import { verdictOf } from './iam.js';
import { account, lakeProps, region, type Synthesized, synthesize } from './stack.js';

interface Rule {
  readonly Id: string;
  readonly Status: string;
  readonly [action: string]: unknown;
}

let plain: Synthesized;
let withKeys: Synthesized;

beforeAll(() => {
  plain = synthesize({}, true);
  withKeys = synthesize({ encryption: 'kms' }, true);
});

const bucketsOf = (stack: Synthesized) =>
  Object.values(stack.resources).filter((one) => one.Type === 'AWS::S3::Bucket');

describe('security rules', () => {
  it('find nothing in the stack, with S3 keys or KMS keys', () => {
    // Synthesis throws on findings; that it does is the next fact.
    expect(bucketsOf(plain)).toHaveLength(4);
    expect(bucketsOf(withKeys)).toHaveLength(4);
  });

  it('stop the synthesis of a stack with an open bucket', () => {
    const app = checkedApp();
    const stack = new Stack(app, 'Lake');
    giveReasons(new Lake(stack, 'Lake', lakeProps));
    new Bucket(stack, 'Open');
    expect(() => app.synth()).toThrow(/AwsSolutions-S10/);
  });
});

describe('every bucket', () => {
  it('is encrypted, closed to the public, without ACLs, and outlives the stack', () => {
    for (const bucket of bucketsOf(plain)) {
      expect(bucket).toMatchObject({
        DeletionPolicy: 'RetainExceptOnCreate',
        UpdateReplacePolicy: 'Retain',
        Properties: {
          BucketEncryption: {
            ServerSideEncryptionConfiguration: [
              { ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } },
            ],
          },
          OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
          PublicAccessBlockConfiguration: {
            BlockPublicAcls: true,
            BlockPublicPolicy: true,
            IgnorePublicAcls: true,
            RestrictPublicBuckets: true,
          },
        },
      });
    }
  });

  it.each(['exports', 'lake', 'results', 'access-logs'])('%s denies all but TLS 1.2', (kind) => {
    const request = {
      action: 's3:GetObject',
      resource: `arn:aws:s3:::${plain.bucket(kind)}/x`,
    };
    const policy = plain.bucketPolicy(kind);
    const verdict = (isSecure: string, version: string) =>
      verdictOf(policy, {
        ...request,
        context: { 'aws:SecureTransport': isSecure, 's3:TlsVersion': version },
      });
    expect(verdict('false', '1.2')).toBe('denied');
    expect(verdict('true', '1.1')).toBe('denied');
    expect(verdict('true', '1.2')).toBe('not allowed');
  });

  it('aborts uploads that nobody finished', () => {
    for (const { Properties } of bucketsOf(plain)) {
      const { Rules: rules } = Properties.LifecycleConfiguration as { Rules: Rule[] };
      expect(rules).toContainEqual({
        Id: 'abandoned-uploads',
        Status: 'Enabled',
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
      });
    }
  });

  it('logs who reads it, but for the bucket of the logs', () => {
    const logged = bucketsOf(plain).filter(
      ({ Properties }) => Properties.LoggingConfiguration !== undefined,
    );
    expect(logged.map(({ Properties }) => Properties.BucketName)).toEqual([
      plain.bucket('exports'),
      plain.bucket('lake'),
      plain.bucket('results'),
    ]);
  });
});

describe('exports and lake', () => {
  it.each(['exports', 'lake'])('%s: no rule touches a current object', (kind) => {
    const { Properties } = bucketsOf(plain).find(
      (one) => one.Properties.BucketName === plain.bucket(kind),
    )!;
    expect(Properties.VersioningConfiguration).toEqual({ Status: 'Enabled' });
    const { Rules: rules } = Properties.LifecycleConfiguration as { Rules: Rule[] };
    const harmless = [
      'Id',
      'Status',
      'AbortIncompleteMultipartUpload',
      // Of deleted objects only: versions that are not current, and marks of nothing.
      'NoncurrentVersionExpiration',
      'ExpiredObjectDeleteMarker',
    ];
    const harmful = rules.flatMap((rule) =>
      Object.keys(rule).filter((name) => !harmless.includes(name)),
    );
    expect(harmful).toEqual([]);
    expect(rules).toContainEqual(
      expect.objectContaining({ NoncurrentVersionExpiration: { NoncurrentDays: 30 } }),
    );
  });

  it('results go after some days', () => {
    const { Properties } = bucketsOf(plain).find(
      (one) => one.Properties.BucketName === plain.bucket('results'),
    )!;
    const { Rules: rules } = Properties.LifecycleConfiguration as { Rules: Rule[] };
    expect(rules).toContainEqual({ Id: 'old-results', Status: 'Enabled', ExpirationInDays: 7 });
  });
});

describe('with KMS keys', () => {
  it('has one key for each bucket, rotated, and kept', () => {
    const keys = Object.values(withKeys.resources).filter((one) => one.Type === 'AWS::KMS::Key');
    expect(keys).toHaveLength(3);
    for (const key of keys) {
      expect(key.Properties).toMatchObject({ EnableKeyRotation: true });
      expect(key.DeletionPolicy).toBe('RetainExceptOnCreate');
    }
  });

  it('denies objects under another key, and leaves those alone that name none', () => {
    const policy = withKeys.bucketPolicy('lake');
    const verdict = (context: Record<string, string>) =>
      verdictOf(policy, {
        action: 's3:PutObject',
        resource: `arn:aws:s3:::${withKeys.bucket('lake')}/lake/x`,
        context: { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3', ...context },
      });
    expect(verdict({})).toBe('not allowed');
    expect(verdict({ 's3:x-amz-server-side-encryption': 'AES256' })).toBe('denied');
    expect(
      verdict({
        's3:x-amz-server-side-encryption': 'aws:kms',
        's3:x-amz-server-side-encryption-aws-kms-key-id': 'arn:aws:kms:x:1:key/other',
      }),
    ).toBe('denied');
  });

  it('lets each role use the keys of what it reads and writes, through S3 only', () => {
    const keyOf = (kind: string) =>
      `arn:aws:${Object.keys(withKeys.resources).find((id) => id.startsWith(`Lake${kind}Key`))}`;
    const via = { 'kms:ViaService': `s3.${region}.amazonaws.com` };
    const may = (
      role: 'Exporter' | 'Merger' | 'Keeper' | 'Analyst',
      action: string,
      kind: string,
      context: Record<string, string> = via,
    ) => verdictOf(withKeys.role(role), { action, resource: keyOf(kind), context });
    expect(may('Exporter', 'kms:GenerateDataKey', 'Exports')).toBe('allowed');
    expect(may('Exporter', 'kms:Decrypt', 'Lake')).toBe('not allowed');
    expect(may('Merger', 'kms:Decrypt', 'Exports')).toBe('allowed');
    expect(may('Merger', 'kms:GenerateDataKey', 'Exports')).toBe('not allowed');
    expect(may('Merger', 'kms:GenerateDataKey', 'Lake')).toBe('allowed');
    expect(may('Analyst', 'kms:Decrypt', 'Lake')).toBe('allowed');
    expect(may('Analyst', 'kms:GenerateDataKey', 'Lake')).toBe('not allowed');
    expect(may('Analyst', 'kms:GenerateDataKey', 'Results')).toBe('allowed');
    expect(may('Merger', 'kms:Decrypt', 'Exports', {})).toBe('not allowed');
  });

  it('encrypts the results of the workgroup with their key', () => {
    expect(withKeys.only('AWS::Athena::WorkGroup')).toMatchObject({
      WorkGroupConfiguration: {
        ResultConfiguration: { EncryptionConfiguration: { EncryptionOption: 'SSE_KMS' } },
      },
    });
  });
});

describe('Athena and Glue', () => {
  it('has a workgroup whose settings no client can change, with a scan limit', () => {
    expect(plain.only('AWS::Athena::WorkGroup')).toMatchObject({
      Name: 'shop',
      WorkGroupConfiguration: {
        EnforceWorkGroupConfiguration: true,
        BytesScannedCutoffPerQuery: 50_000_000_000,
        EngineVersion: { SelectedEngineVersion: 'Athena engine version 3' },
        ResultConfiguration: {
          OutputLocation: `s3://${plain.bucket('results')}/athena/`,
          ExpectedBucketOwner: account,
          EncryptionConfiguration: { EncryptionOption: 'SSE_S3' },
        },
      },
    });
  });

  it('has a database that outlives the stack, since deleting it would delete its tables', () => {
    const [database] = Object.values(plain.resources).filter(
      (one) => one.Type === 'AWS::Glue::Database',
    );
    expect(database).toMatchObject({
      DeletionPolicy: 'RetainExceptOnCreate',
      Properties: {
        CatalogId: account,
        DatabaseInput: { Name: 'orders_lake' },
      },
    });
  });

  it('makes no Glue table: the stack would put back an old pointer', () => {
    plain.template.resourceCountIs('AWS::Glue::Table', 0);
  });

  it('saves the queries in the workgroup', () => {
    expect(plain.only('AWS::Athena::NamedQuery')).toEqual({
      Name: 'one',
      Description: 'One. What is one?',
      Database: 'orders_lake',
      QueryString: 'SELECT 1',
      WorkGroup: 'shop',
    });
  });
});

describe('buckets and a database that exist already', () => {
  it('are used, and not made', () => {
    const stack = synthesize({
      existing: { exports: 'company-exports', lake: 'company-lake', database: true },
    });
    stack.template.resourceCountIs('AWS::Glue::Database', 0);
    expect(bucketsOf(stack).map(({ Properties }) => Properties.BucketName)).toEqual([
      stack.bucket('access-logs'),
      stack.bucket('results'),
    ]);
    const owned = { 'aws:ResourceAccount': account };
    expect(
      verdictOf(stack.role('Merger'), {
        action: 's3:GetObject',
        resource: 'arn:aws:s3:::company-exports/exports/AWSDynamoDB/data/x.json.gz',
        context: owned,
      }),
    ).toBe('allowed');
  });
});

describe('exporters of other accounts', () => {
  it('may write below the prefix of exports, and nothing else', () => {
    const stack = synthesize({
      foreignExporters: ['arn:aws:iam::999999999999:role/exporter'],
    });
    const policy = stack.bucketPolicy('exports');
    const secure = { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3' };
    const verdict = (action: string, key: string) =>
      verdictOf(policy, {
        action,
        resource: `arn:aws:s3:::${stack.bucket('exports')}/${key}`,
        context: secure,
      });
    expect(verdict('s3:PutObject', 'exports/AWSDynamoDB/x')).toBe('allowed');
    expect(verdict('s3:PutObject', 'other/x')).toBe('not allowed');
    expect(verdict('s3:GetObject', 'exports/AWSDynamoDB/x')).toBe('not allowed');
    expect(policy.filter(({ Effect }) => Effect === 'Allow')).toMatchObject([
      { Principal: { AWS: 'arn:aws:iam::999999999999:role/exporter' } },
    ]);
  });
});

describe('trust', () => {
  it('is the account, and services that run for it', () => {
    const stack = synthesize({ runners: ['ecs-tasks.amazonaws.com'] });
    const trustOf = (name: string): unknown => {
      const id = Object.keys(stack.resources).find((key) => key.startsWith(`Lake${name}Role`))!;
      const document = stack.resources[id]!.Properties.AssumeRolePolicyDocument;
      return (document as { Statement: unknown }).Statement;
    };
    const people = {
      Action: 'sts:AssumeRole',
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${account}:root` },
    };
    const service = {
      Action: 'sts:AssumeRole',
      Effect: 'Allow',
      Principal: { Service: 'ecs-tasks.amazonaws.com' },
      Condition: { StringEquals: { 'aws:SourceAccount': account } },
    };
    expect(trustOf('Merger')).toEqual([people, service]);
    expect(trustOf('Exporter')).toEqual([people, service]);
    expect(trustOf('Analyst')).toEqual([people]);
  });
});
