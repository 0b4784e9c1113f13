// The flags that every command has.
// Promises the same names, meanings and defaults everywhere.
// Spec: DESIGN "The command".

import type { FlagParametersForType } from '@stricli/core';
import type { CliContext } from './context.js';

export interface GlobalFlags {
  readonly lake?: string | undefined;
  readonly database?: string | undefined;
  readonly table?: string | undefined;
  readonly catalog?: 'files' | 'glue' | undefined;
  readonly region?: string | undefined;
  readonly profile?: string | undefined;
  readonly roleArn?: string | undefined;
  readonly expectedBucketOwner?: string | undefined;
  readonly json?: boolean | undefined;
  readonly threads?: number | undefined;
  readonly logFormat: 'text' | 'json';
}

/** Parses a number as people write them: digits, no exponent, no hex. */
export function parseNumber(input: string): number {
  if (!/^-?\d{1,15}$/.test(input))
    throw new SyntaxError(`${JSON.stringify(input)} is not a whole number`);
  return Number(input);
}

/** Parses a snapshot id, which does not fit a JavaScript number. */
export function parseSnapshotId(input: string): bigint {
  if (!/^\d{1,19}$/.test(input))
    throw new SyntaxError(`${JSON.stringify(input)} is not a snapshot id`);
  return BigInt(input);
}

export const parseText = (input: string): string => input;

/** Definitions of the global flags. */
export const globalFlags: FlagParametersForType<GlobalFlags, CliContext> = {
  lake: {
    kind: 'parsed',
    parse: parseText,
    optional: true,
    brief: 'The lake: a folder or s3://bucket/prefix (else from tidelake.config.json, else ./lake)',
    placeholder: 'uri',
  },
  database: {
    kind: 'parsed',
    parse: parseText,
    optional: true,
    brief: 'Database in the lake (else from tidelake.config.json, else lake)',
    placeholder: 'name',
  },
  table: {
    kind: 'parsed',
    parse: parseText,
    optional: true,
    brief: 'Lake table',
    placeholder: 'name',
  },
  catalog: {
    kind: 'enum',
    values: ['files', 'glue'],
    optional: true,
    brief: 'Where tables are registered (else glue for a lake on S3 with a named database)',
  },
  region: {
    kind: 'parsed',
    parse: parseText,
    optional: true,
    brief: 'AWS region (else as AWS tools find it)',
    placeholder: 'name',
  },
  profile: {
    kind: 'parsed',
    parse: parseText,
    optional: true,
    brief: 'Profile of the AWS configuration',
    placeholder: 'name',
  },
  roleArn: {
    kind: 'parsed',
    parse: parseText,
    optional: true,
    brief: 'Role to assume for all calls to AWS',
    placeholder: 'arn',
  },
  expectedBucketOwner: {
    kind: 'parsed',
    parse: parseText,
    optional: true,
    brief: 'Account that must own every bucket',
    placeholder: 'account',
  },
  json: {
    kind: 'boolean',
    optional: true,
    withNegated: false,
    brief: 'Results as JSON, one object per line',
  },
  threads: {
    kind: 'parsed',
    parse: parseNumber,
    optional: true,
    brief: 'Units of work at the same time (else one per processor, at most 8)',
    placeholder: 'n',
  },
  logFormat: {
    kind: 'enum',
    values: ['text', 'json'],
    default: 'text',
    brief: 'Progress and notes on stderr as text or as JSON lines',
  },
};
