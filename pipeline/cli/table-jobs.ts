// Which tables `plan`, `run` and `export` are about, and by which rules: from the flags of one table.
// Promises: every rule has one default, here; what is given is checked before anything is asked of AWS.
// Spec: pipeline/schedule/table-job.ts.

import { z } from 'zod';
import type { AwsOptions } from '../aws/clients.js';
import { tableNameOf } from '../lake/table-name.js';
import type { TableExports } from '../ports.js';
import type { Target } from '../reports.js';
import type { ExportsOf } from '../schedule/run-tables.js';
import type { ScheduleConfig } from '../schedule/situation.js';
import type { TableJob } from '../schedule/table-job.js';
import { checkGrain } from '../schedule/windows.js';
import { checkInput, wholeNumber } from './check-input.js';
import { usageError } from './error-text.js';

/** The flags of one table. */
export interface TableJobFlags {
  readonly source?: string | undefined;
  readonly bucket?: string | undefined;
  readonly prefix?: string | undefined;
  readonly bucketOwner?: string | undefined;
  readonly sse?: 'AES256' | 'KMS' | undefined;
  readonly kmsKey?: string | undefined;
  readonly grain?: number | undefined;
  readonly view?: 'NEW_AND_OLD_IMAGES' | 'NEW_IMAGE' | undefined;
}

/** What holds when nobody says otherwise. */
export const scheduleDefaults: Omit<ScheduleConfig, 'table' | 'destination'> = {
  grainMinutes: 60,
  view: 'NEW_AND_OLD_IMAGES',
  lagMinutesMax: 180,
  mayReseed: false,
  exportsAtOnceMax: 8,
  attemptsMax: 3,
  stuckMinutesMax: 24 * 60,
  deadlineMs: null,
};
/** Tables worked on at once: more would share the same threads. */
export const tablesAtOnceDefault = 4;

/** Rules for the flags. A prefix is a folder: no slashes at its ends, no empty parts. */
export const tableJobShape = {
  source: z
    .string()
    .regex(
      /^([\w.-]{3,255}|arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\d{12}:table\/[\w.-]{3,255})$/,
      'the name or the ARN of a DynamoDB table is expected',
    )
    .optional(),
  bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'the name of a bucket is expected')
    .optional(),
  prefix: z
    .string()
    .transform((text) => text.replace(/^\/+|\/+$/g, ''))
    .pipe(
      z
        .string()
        .regex(/^$|^[\w!.*'()-]+(\/[\w!.*'()-]+)*$/, 'a folder such as exports/orders is expected')
        .max(512, 'a prefix of 512 characters at most is expected'),
    )
    .optional(),
  bucketOwner: z
    .string()
    .regex(/^\d{12}$/, 'an account id of 12 digits is expected')
    .optional(),
  sse: z.enum(['AES256', 'KMS']).optional(),
  kmsKey: z.string().min(1).max(2048).optional(),
  grain: wholeNumber(15, 1440).optional(),
  view: z.enum(['NEW_AND_OLD_IMAGES', 'NEW_IMAGE']).optional(),
} as const;

const flagsSchema = z.object(tableJobShape);

/** The jobs of a run. Throws USAGE when the flags do not say enough. */
export function tableJobs(
  target: Target,
  flags: TableJobFlags,
  command: string,
): readonly TableJob[] {
  const given = checkInput(flagsSchema, flags, command);
  const source = given.source ?? target.table;
  if (source === undefined) throw usageError('--table or --source is needed', command);
  if (given.bucket === undefined) {
    throw usageError('--bucket is needed: where exports are put', command);
  }
  if (given.kmsKey !== undefined && given.sse !== 'KMS') {
    throw usageError('--kms-key goes with --sse KMS', command);
  }
  const grainMinutes = given.grain ?? scheduleDefaults.grainMinutes;
  checkGrain(grainMinutes);
  const table = target.table ?? tableNameOf(source.slice(source.lastIndexOf('/') + 1));
  const { lake, database, catalog } = target;
  return [
    {
      source,
      target: { lake, database, table, ...(catalog === undefined ? {} : { catalog }) },
      schedule: {
        ...scheduleDefaults,
        table,
        grainMinutes,
        view: given.view ?? scheduleDefaults.view,
        destination: {
          s3Bucket: given.bucket,
          s3Prefix: given.prefix ?? '',
          s3BucketOwner: given.bucketOwner ?? null,
          s3SseAlgorithm: given.sse ?? null,
          s3SseKmsKeyId: given.kmsKey ?? null,
        },
      },
      buckets: null,
      partition: null,
      region: null,
      roleArn: null,
    },
  ];
}

/** DynamoDB for each job: opened once for each Region and role. */
export function exportsByPlace(
  open: (options: AwsOptions) => Promise<TableExports>,
  aws: AwsOptions,
): ExportsOf {
  const opened = new Map<string, Promise<TableExports>>();
  return ({ region, roleArn }) => {
    const place = JSON.stringify([region, roleArn]);
    const known = opened.get(place);
    if (known !== undefined) return known;
    const made = open({
      ...aws,
      ...(region === null ? {} : { region }),
      ...(roleArn === null ? {} : { roleArn }),
    });
    opened.set(place, made);
    return made;
  };
}
