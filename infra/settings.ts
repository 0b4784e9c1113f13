// Settings of the CDK app: the member `lake` of its context, and `-c lake.<setting>=<value>` on top.
// Promises: every setting is checked, unknown ones are refused, and each has a default but none is guessed.
// Source: docs/how-to/infrastructure.md, "Settings".

import { z } from 'zod';
import type { LakeProps } from './lake.js';

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

/** Settings as they are after reading. */
export interface LakeSettings extends Omit<LakeProps, 'lakeName' | 'tableArns' | 'savedQueries'> {
  readonly name: string;
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
  mayTidy: z
    .preprocess(
      (value) => (value === 'true' ? true : value === 'false' ? false : value),
      z.boolean(),
    )
    .default(false),
  runners: list(service).default([]),
  foreignExporters: list(roleArn).default([]),
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
