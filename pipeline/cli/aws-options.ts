// How AWS is reached: the flags and the configuration's "aws", checked and joined.
// Promises: a flag goes before the configuration; neither takes keys, which come from where the SDK finds them.
// Spec: pipeline/aws/clients.ts, AwsOptions.

import { z } from 'zod';
import type { AwsOptions } from '../aws/clients.js';
import { packageVersion } from './package-root.js';

/** What flags and configuration may say. */
export interface AwsFlags {
  readonly region?: string | undefined;
  readonly profile?: string | undefined;
  readonly roleArn?: string | undefined;
  readonly expectedBucketOwner?: string | undefined;
}

/** The rules for each, for `checkInput` and the configuration. */
export const awsShape: Readonly<Record<keyof AwsFlags, z.ZodOptional<z.ZodString>>> = {
  region: z
    .string()
    .regex(/^[a-z]{2,}(-[a-z]+)+-\d{1,2}$/, 'a region such as eu-west-1 is expected')
    .optional(),
  profile: z.string().min(1).max(250).optional(),
  roleArn: z
    .string()
    .regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,576}$/, 'the ARN of a role is expected')
    .optional(),
  expectedBucketOwner: z
    .string()
    .regex(/^\d{12}$/, 'an account id of 12 digits is expected')
    .optional(),
};

/** The options of a run. */
export function awsOptions(flags: AwsFlags, config: AwsFlags | undefined): AwsOptions {
  const names = ['region', 'profile', 'roleArn', 'expectedBucketOwner'] as const;
  const given = names.flatMap((name) => {
    const value = flags[name] ?? config?.[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(given), version: packageVersion() };
}
