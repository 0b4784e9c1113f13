// Settings of the CDK app: the member `lake` of its context, and `-c lake.<setting>=<value>` on top.
// Promises: every setting is checked, unknown ones are refused, and each has a default but none is guessed.
// Source: docs/how-to/infrastructure.md, "Settings".

import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { z } from 'zod';
import type { LakeProps } from './lake.js';
import { type RunnerSettings, runnerDefaults } from './runner-settings.js';

const gib = 1024 ** 3;

const prefix = z
  .string()
  .regex(/^([\w.-]+(\/[\w.-]+)*)?$/, 'letters, digits, "_", "-", ".", with "/" between folders');
const bucketName = z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'a name of a bucket');
const roleArn = z.string().regex(/^arn:[\w-]+:iam::\d{12}:role\/[\w+=,.@/-]+$/, 'an ARN of a role');
const keyArn = z.string().regex(/^arn:[\w-]+:kms:[\w-]+:\d{12}:key\/[\w-]+$/, 'an ARN of a key');
const service = z
  .string()
  .regex(/^[a-z.-]+\.amazonaws\.com$/, 'a service, e.g. ecs-tasks.amazonaws.com');
const table = z
  .string()
  .regex(
    /^([\w.-]{3,255}|arn:[\w-]+:dynamodb:[\w-]+:\d{12}:table\/[\w.-]{3,255})$/,
    'a name or an ARN of a DynamoDB table',
  );
const days = z.coerce.number().int().min(1).max(3650);
/** A list, on the command line with commas. */
const list = <T extends z.ZodType>(item: T) =>
  z.preprocess((value) => (typeof value === 'string' ? value.split(',') : value), z.array(item));

const flag = z.preprocess(
  (value) => (value === 'true' ? true : value === 'false' ? false : value),
  z.boolean(),
);
const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

/** The scheduled job: its settings, or the image alone. */
const runner = z.preprocess(
  (value) => (typeof value === 'string' ? { image: value } : value),
  z.strictObject({
    image: z
      .string()
      .regex(/^\S+\.dkr\.ecr\.\S+\/\S+[:@]\S+$/, 'the URI of an image in ECR, with tag or digest'),
    architecture: z.enum(['arm64', 'x86_64']).default(runnerDefaults.architecture),
    tickMinutes: whole(2, 15).default(runnerDefaults.tickMinutes),
    memoryMb: whole(1024, 10_240).default(runnerDefaults.memoryMb),
    scratchMb: whole(512, 10_240).default(runnerDefaults.scratchMb),
    timeoutSeconds: whole(60, 900).default(runnerDefaults.timeoutSeconds),
    concurrency: whole(1, 1000).nullable().default(runnerDefaults.concurrency),
    logDays: z.coerce
      .number()
      .refine(
        (value) => value in RetentionDays,
        'days as CloudWatch has them: 1, 3, 5, 7, 14, 30, …',
      )
      .default(runnerDefaults.logDays),
    staleSeconds: whole(1800, 3_000_000).default(runnerDefaults.staleSeconds),
    email: z.email().optional(),
    config: z
      .string()
      .regex(/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/[^*?]+$/, 'an object in S3')
      .optional(),
    keepDays: whole(1, 36_500).nullable().default(runnerDefaults.keepDays),
    assumeRoles: list(roleArn).default([]),
    findTables: flag.default(runnerDefaults.findTables),
    fargate: flag.default(runnerDefaults.fargate),
  }),
);

/** Settings as they are after reading. */
export interface LakeSettings
  extends Omit<LakeProps, 'lakeName' | 'tableArns' | 'savedQueries' | 'runner'> {
  readonly name: string;
  readonly runner?: RunnerSettings | undefined;
  /** Names of tables of this account and Region, or ARNs. */
  readonly tables: readonly string[];
}

const settingsSchema: z.ZodType<LakeSettings> = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,18}[a-z0-9]$/, 'small letters, digits and "-", 2 to 20')
    .default('tidelake'),
  database: z
    .string()
    .regex(/^[a-z0-9_]{1,255}$/, 'small letters, digits and "_"')
    .default('lake'),
  tables: list(table).refine((tables) => tables.length > 0, 'at least one table'),
  exportsPrefix: prefix.default('exports'),
  lakePrefix: prefix.default('lake'),
  existing: z
    .strictObject({
      exports: bucketName.optional(),
      lake: bucketName.optional(),
      results: bucketName.optional(),
      database: z.boolean().optional(),
    })
    .optional(),
  encryption: z
    .union([
      z.enum(['s3', 'kms']),
      z.strictObject({ exports: keyArn, lake: keyArn, results: keyArn }),
    ])
    .default('s3'),
  resultsDays: days.default(7),
  undeleteDays: days.default(30),
  accessLogDays: days.default(90),
  scanBytesMax: z.coerce
    .number()
    .int()
    .min(10_000_000)
    .default(100 * gib),
  mayTidy: flag.default(false),
  runners: list(service).default([]),
  foreignExporters: list(roleArn).default([]),
  runner: runner.optional(),
});

/** Reads the settings from the context of an app. Throws an Error that names each setting that is wrong. */
export function readSettings(context: Readonly<Record<string, unknown>>): LakeSettings {
  const settings: Record<string, unknown> = { ...(context.lake as object | undefined) };
  for (const [key, value] of Object.entries(context)) {
    if (key.startsWith('lake.')) settings[key.slice('lake.'.length)] = value;
  }
  const checked = settingsSchema.safeParse(settings);
  if (checked.success) return checked.data;
  const wrong = checked.error.issues.map(
    (issue) => `  lake.${issue.path.join('.')}: ${issue.message}`,
  );
  throw new Error(`the settings of the lake are not right:\n${wrong.join('\n')}`);
}

/** The ARN of a table named by its name or its ARN. */
export function tableArn(
  table: string,
  partition: string,
  region: string,
  account: string,
): string {
  return table.startsWith('arn:')
    ? table
    : `arn:${partition}:dynamodb:${region}:${account}:table/${table}`;
}
