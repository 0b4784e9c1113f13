// Which tables `plan`, `run` and `export` are about, and by which rules: those of the configuration, or the one of the flags.
// Promises: a flag goes before the configuration, and that before the defaults of schemas/table-settings.ts; what is given is
// checked before anything is asked of AWS.
// Spec: pipeline/schedule/table-job.ts; docs/reference/configuration.md.

import { z } from 'zod';
import type { TidelakeConfig } from '../../schemas/config.js';
import type { AwsOptions } from '../aws/clients.js';
import { tableNameOf } from '../lake/table-name.js';
import type { TableExports } from '../ports.js';
import type { Target } from '../reports.js';
import {
  type ConfiguredTables,
  configuredTables,
  type DynamoDbPlace,
  jobOf,
} from '../schedule/configured-tables.js';
import type { ScheduleConfig } from '../schedule/situation.js';
import { settingsOfEntry } from '../schedule/table-entries.js';
import type { TableJob } from '../schedule/table-job.js';
import { checkGrain } from '../schedule/windows.js';
import { checkInput, wholeNumber } from './check-input.js';
import type { CliContext } from './context.js';
import { usageError } from './error-text.js';
import type { Session } from './session.js';

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

/** Rules for the flags. A prefix is a folder: no slashes at its ends, no empty parts. */
const flagsSchema = z.object({
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
});

type Given = z.infer<typeof flagsSchema>;

/**
 * The jobs of a run: all tables of the configuration, the one of them that --table names, or the one that flags describe,
 * which is so when there are no tables in the configuration or --source names another. Throws USAGE when neither says enough.
 */
export async function jobsOf(
  context: Pick<CliContext, 'openTableExports' | 'process'>,
  session: Pick<Session, 'target' | 'config' | 'aws'>,
  flags: TableJobFlags,
  command: string,
): Promise<ConfiguredTables> {
  const { target, config, aws } = session;
  const given = checkInput(flagsSchema, flags, command);
  if (given.source !== undefined || config.tables === undefined) {
    return { jobs: tableJobs(target, flags, command, config), refused: [] };
  }
  const isAboutOne = Object.values(given).some((value) => value !== undefined);
  if (isAboutOne && target.table === undefined) {
    throw usageError('flags about one table go with --table', command);
  }
  const open = exportsByPlace(context.openTableExports, aws);
  const { AWS_REGION, AWS_DEFAULT_REGION } = context.process.env;
  const region = aws.region ?? AWS_REGION ?? AWS_DEFAULT_REGION ?? null;
  const { jobs, refused } = await configuredTables(config, open, { ...target, region });
  return {
    jobs: jobs.map((job) => ({ ...job, schedule: scheduleOf(job.schedule, given, command) })),
    refused,
  };
}

/** The job of the table that flags name, with what the configuration says of all. Throws USAGE when that is not enough. */
export function tableJobs(
  target: Target,
  flags: TableJobFlags,
  command: string,
  config: TidelakeConfig = {},
): readonly TableJob[] {
  const given = checkInput(flagsSchema, flags, command);
  const source = given.source ?? target.table;
  if (source === undefined) throw usageError('--table or --source is needed', command);
  const entry = settingsOfEntry(config, { exports: { bucket: given.bucket } });
  if (entry.exports?.bucket === undefined) {
    throw usageError('--bucket is needed: where exports are put', command);
  }
  const table = target.table ?? tableNameOf(source.slice(source.lastIndexOf('/') + 1));
  const job = jobOf({ entry, source, table }, target);
  return [{ ...job, schedule: scheduleOf(job.schedule, given, command) }];
}

/** What flags say of a table goes before what is configured for it. */
function scheduleOf(schedule: ScheduleConfig, given: Given, command: string): ScheduleConfig {
  if (given.kmsKey !== undefined && given.sse === 'AES256') {
    throw usageError('--kms-key goes with --sse KMS', command);
  }
  const grainMinutes = given.grain ?? schedule.grainMinutes;
  checkGrain(grainMinutes);
  const { destination } = schedule;
  const sse = given.sse ?? (given.kmsKey === undefined ? destination.s3SseAlgorithm : 'KMS');
  return {
    ...schedule,
    grainMinutes,
    lagMinutesMax: Math.max(schedule.lagMinutesMax, 3 * (given.grain ?? 0)),
    view: given.view ?? schedule.view,
    destination: {
      s3Bucket: given.bucket ?? destination.s3Bucket,
      s3Prefix: given.prefix ?? destination.s3Prefix,
      s3BucketOwner: given.bucketOwner ?? destination.s3BucketOwner,
      s3SseAlgorithm: sse,
      // A key that is configured is of no use to another algorithm.
      s3SseKmsKeyId: given.kmsKey ?? (sse === 'KMS' ? destination.s3SseKmsKeyId : null),
    },
  };
}

/** DynamoDB for each place, and so for each job: opened once for each Region and role. */
export function exportsByPlace(
  open: (options: AwsOptions) => Promise<TableExports>,
  aws: AwsOptions,
): (place: DynamoDbPlace) => Promise<TableExports> {
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
