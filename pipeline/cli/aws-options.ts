// How AWS is reached: the flags and the configuration's "aws", joined.
// Promises: a flag goes before the configuration; neither takes keys, which come from where the SDK finds them.
// Spec: pipeline/aws/clients.ts, AwsOptions.

import type { AwsPlace } from '../../schemas/config.js';
import type { AwsOptions } from '../aws/clients.js';
import { packageVersion } from './package-root.js';

/** The options of a run. */
export function awsOptions(flags: AwsPlace, config: AwsPlace | undefined): AwsOptions {
  const names = ['region', 'profile', 'roleArn', 'expectedBucketOwner'] as const;
  const given = names.flatMap((name) => {
    const value = flags[name] ?? config?.[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(given), version: packageVersion() };
}
