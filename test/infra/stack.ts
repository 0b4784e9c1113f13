// A synthesized stack for tests, with everything CloudFormation would fill in filled in.
// Promises: made once per test file; account 123456789012, Region eu-west-1.
// Source: infra/lake.ts.

import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Lake, type LakeProps } from '../../infra/lake.js';
import { checkedApp, giveReasons } from '../../infra/security-checks.js';
import type { Statement } from './iam.js';

export const account = '123456789012';
export const region = 'eu-west-1';

export const lakeProps: LakeProps = {
  lakeName: 'shop',
  database: 'orders_lake',
  tableArns: [`arn:aws:dynamodb:${region}:${account}:table/mystore`],
  exportsPrefix: 'exports',
  lakePrefix: 'lake',
  encryption: 's3',
  resultsDays: 7,
  undeleteDays: 30,
  accessLogDays: 90,
  scanBytesMax: 50_000_000_000,
  mayTidy: false,
  savedQueries: [{ id: 'one', name: 'one', description: 'One. What is one?', sql: 'SELECT 1' }],
};

export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

interface Document {
  readonly Statement: Statement[];
}

export interface Synthesized {
  readonly template: Template;
  readonly resources: Readonly<Record<string, Resource>>;
  /** Names of the buckets by kind. */
  readonly bucket: (kind: string) => string;
  /** Policy statements of a role. */
  readonly role: (
    name: 'Exporter' | 'Merger' | 'Keeper' | 'Analyst' | 'Job' | 'JobTick' | 'JobStart',
  ) => readonly Statement[];
  /** Statements of a bucket's policy. */
  readonly bucketPolicy: (kind: string) => readonly Statement[];
  /** Properties of the only resource of a type. */
  readonly only: (type: string) => Record<string, unknown>;
}

/** Synthesizes. With `isChecked` all checks are on, which takes a while; throws when one fails. */
export function synthesize(changes: Partial<LakeProps> = {}, isChecked = false): Synthesized {
  const app = isChecked ? checkedApp() : new App({ analyticsReporting: false });
  const stack = new Stack(app, 'Lake', { env: { account, region } });
  const lake = new Lake(stack, 'Lake', { ...lakeProps, ...changes });
  giveReasons(lake);
  const template = Template.fromStack(stack);
  const raw = template.toJSON().Resources as Record<string, Resource>;
  const resources = filledIn(raw, raw) as Record<string, Resource>;
  const ofType = (type: string) => Object.values(resources).filter((one) => one.Type === type);
  const bucket = (kind: string): string => `${lakeProps.lakeName}-${kind}-${account}-${region}`;
  return {
    template,
    resources,
    bucket,
    role: (name) => {
      const id = Object.keys(resources).find((key) => key.startsWith(`Lake${name}Role`))!;
      const policies = resources[id]!.Properties.Policies as { PolicyDocument: Document }[];
      const attached = ofType('AWS::IAM::Policy')
        .map(({ Properties }) => Properties as { Roles: unknown[]; PolicyDocument: Document })
        .filter(({ Roles }) => Roles.includes(id));
      return [...policies, ...attached].flatMap((one) => one.PolicyDocument.Statement);
    },
    bucketPolicy: (kind) =>
      ofType('AWS::S3::BucketPolicy')
        .filter(({ Properties }) => Properties.Bucket === bucket(kind))
        .flatMap(
          ({ Properties }) => (Properties.PolicyDocument as { Statement: Statement[] }).Statement,
        ),
    only: (type) => {
      const found = ofType(type);
      if (found.length !== 1) throw new Error(`${found.length} resources of ${type}`);
      return found[0]!.Properties;
    },
  };
}

/** The template with references and joins worked out as CloudFormation would. */
function filledIn(value: unknown, resources: Readonly<Record<string, Resource>>): unknown {
  if (Array.isArray(value)) return value.map((one) => filledIn(one, resources));
  if (typeof value !== 'object' || value === null) return value;
  const { Ref: ref, 'Fn::Join': join, 'Fn::GetAtt': attribute } = value as Record<string, unknown>;
  if (typeof ref === 'string') {
    if (ref === 'AWS::Partition') return 'aws';
    const found = resources[ref]!;
    const name = found.Properties?.BucketName ?? found.Properties?.Name ?? ref;
    return filledIn(name, resources);
  }
  if (Array.isArray(join)) {
    const [separator, parts] = join as [string, unknown[]];
    return parts.map((one) => String(filledIn(one, resources))).join(separator);
  }
  if (Array.isArray(attribute)) {
    const [id] = attribute as [string, string];
    if (resources[id]!.Type === 'AWS::S3::Bucket') {
      return `arn:aws:s3:::${filledIn({ Ref: id }, resources)}`;
    }
    return `arn:aws:${id}`;
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, filledIn(one, resources)]),
  );
}
