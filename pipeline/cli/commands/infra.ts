// `tidelake infra template` and `tidelake infra policy`: the stack as plain CloudFormation, and the least IAM policy of
// a command or a role, as JSON on stdout.
// Promises to call nothing in AWS; a policy names only what was named on the command line.
// Spec: docs/how-to/infrastructure.md, docs/reference/permissions.md.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { nameSchema } from '../../../schemas/config-values.js';
import {
  type CommandName,
  callsOf,
  commandNames,
  type RoleName,
  roleNames,
} from '../../aws/permissions.js';
import { type BucketPlace, needOf, type PolicyPlaces, policyOf } from '../../aws/policy.js';
import { checkInput } from '../check-input.js';
import type { CliContext } from '../context.js';
import { usageError } from '../error-text.js';
import { packageFolder } from '../package-root.js';

/** CloudFormation takes a template of so many bytes in a request; a larger one has to lie in a bucket. */
const templateBytesMax = 51_200;

/** Prints the template that ships with the package; without spaces where it would be too large with them. */
export async function infraTemplate(this: CliContext): Promise<void> {
  const text = readFileSync(join(packageFolder(), 'infra', 'template.json'), 'utf8');
  const fits = Buffer.byteLength(text) <= templateBytesMax;
  this.out.write(fits ? text : `${JSON.stringify(JSON.parse(text))}\n`);
  await this.out.ready();
}

export interface InfraPolicyFlags {
  readonly account: string;
  readonly region: string;
  readonly partition: 'aws' | 'aws-cn' | 'aws-us-gov';
  readonly source?: string | undefined;
  readonly roles?: string | undefined;
  readonly exports?: string | undefined;
  readonly lake?: string | undefined;
  readonly out?: string | undefined;
  readonly results?: string | undefined;
  readonly database?: string | undefined;
  readonly table?: string | undefined;
  readonly workgroup?: string | undefined;
  readonly kmsKey?: string | undefined;
  readonly tidy?: boolean | undefined;
}

const command = 'infra policy';
const names: readonly string[] = [...commandNames, ...roleNames];

const place = z
  .string()
  .regex(/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[^*?]*)?$/, 's3://bucket/prefix is expected')
  .transform((uri): BucketPlace => {
    const [bucket, ...folders] = uri.slice('s3://'.length).split('/');
    return { bucket: bucket!, prefix: folders.filter((one) => one !== '').join('/') };
  });

const policySchema = z.object({
  account: z.string().regex(/^\d{12}$/, 'twelve digits are expected'),
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'a Region such as eu-west-1 is expected'),
  partition: z.enum(['aws', 'aws-cn', 'aws-us-gov']),
  source: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.string().regex(/^[\w.-]{3,255}$/, 'names of DynamoDB tables are expected')))
    .optional(),
  roles: z
    .string()
    .transform((text) => text.split(','))
    .pipe(
      z.array(
        z
          .string()
          .regex(/^arn:[\w-]+:iam::\d{12}:role\/[\w+=,.@/-]+$/, 'ARNs of roles are expected'),
      ),
    )
    .optional(),
  exports: place.optional(),
  lake: place.optional(),
  out: place.optional(),
  results: place.optional(),
  database: nameSchema.optional(),
  table: nameSchema.optional(),
  workgroup: nameSchema.optional(),
  kmsKey: z
    .string()
    .regex(/^arn:[\w-]+:kms:[\w-]+:\d{12}:key\/[\w-]+$/, 'the ARN of a KMS key is expected')
    .optional(),
  tidy: z.boolean().optional(),
});

/** Flag that gives each place. */
const flagOf: Readonly<Partial<Record<keyof PolicyPlaces, string>>> = {
  tableArns: '--source',
  roleArns: '--roles',
  exports: '--exports',
  lake: '--lake',
  out: '--out',
  results: '--results',
  workgroup: '--workgroup',
};

/** Prints the least policy for a command or a role. Throws USAGE when a place it needs is not named. */
export async function infraPolicy(
  this: CliContext,
  flags: InfraPolicyFlags,
  name: string,
): Promise<void> {
  if (!names.includes(name)) {
    throw usageError(`${JSON.stringify(name)} is none of ${names.join(', ')}`, command);
  }
  const known = name as CommandName | RoleName;
  const { source, roles, kmsKey, tidy, ...given } = checkInput(policySchema, flags, command);
  const keyed = (one: BucketPlace | undefined): BucketPlace | undefined =>
    one === undefined || kmsKey === undefined ? one : { ...one, keyArn: kmsKey };
  const { partition, region, account } = given;
  const all: Readonly<Record<string, unknown>> = {
    ...given,
    exports: keyed(given.exports),
    lake: keyed(given.lake),
    out: keyed(given.out),
    results: keyed(given.results),
    roleArns: roles,
    tableArns: source?.map(
      (table) => `arn:${partition}:dynamodb:${region}:${account}:table/${table}`,
    ),
  };
  const at = Object.fromEntries(
    Object.entries(all).filter(([, value]) => value !== undefined),
  ) as unknown as PolicyPlaces;
  for (const call of Object.keys(callsOf(known)) as (keyof typeof needOf)[]) {
    const need = needOf[call];
    const flag = need === null ? undefined : flagOf[need];
    if (need !== null && flag !== undefined && at[need] === undefined) {
      throw usageError(`${name} needs ${flag}`, command);
    }
  }
  const policy = policyOf(known, at, { mayTidy: tidy === true });
  this.out.write(`${JSON.stringify(policy, null, 2)}\n`);
  await this.out.ready();
}
