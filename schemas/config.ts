// tidelake.config.json, whole: the lake, where exports go, and the tables that the scheduled job keeps fresh.
// Promises: a file that parses is one that can be meant; names that are not known are refused by `parseConfig`'s callers.
// Spec: DESIGN "The hourly job" (many tables), "The command"; docs/reference/configuration.md is checked against it.

import { z } from 'zod';
import {
  accountSchema,
  dynamoDbNameSchema,
  nameSchema,
  regionSchema,
  roleArnSchema,
} from './config-values.js';
import { type GivenPrices, pricesShape } from './prices.js';
import {
  type ExportsPlace,
  exportsSchema,
  isLaidOutOnce,
  type TableSettings,
  tableSettingsShape,
} from './table-settings.js';

/** How AWS is reached. Keys are never written here: they come from where AWS's tools find them. */
export interface AwsPlace {
  readonly region?: string | undefined;
  readonly profile?: string | undefined;
  readonly roleArn?: string | undefined;
  readonly expectedBucketOwner?: string | undefined;
}

/** Tables by one of `name`, `prefix` and `tag`, and what holds for them. */
export interface TableEntry extends TableSettings {
  /** Name in DynamoDB, or ARN. */
  readonly name?: string | undefined;
  readonly prefix?: string | undefined;
  /** A table must have all of these. */
  readonly tag?: Readonly<Record<string, string>> | undefined;
  readonly except?: readonly string[] | undefined;
  readonly lakeTable?: string | undefined;
}

export interface RunBudget {
  readonly tablesAtOnceMax?: number | undefined;
  readonly maxSeconds?: number | undefined;
}

export interface TidelakeConfig {
  readonly $schema?: string | undefined;
  /** As written: a path relative to the file, or a URI. */
  readonly lake?: string | undefined;
  readonly database?: string | undefined;
  readonly catalog?: 'files' | 'glue' | undefined;
  readonly aws?: AwsPlace | undefined;
  readonly exports?: ExportsPlace | undefined;
  readonly run?: RunBudget | undefined;
  readonly defaults?: TableSettings | undefined;
  readonly tables?: readonly TableEntry[] | undefined;
  /** Prices that take the place of AWS's list in estimates. */
  readonly prices?: GivenPrices | undefined;
}

/** Tables that one run works on at once, when nobody says how many: each may hold a unit of work per thread. */
export const tablesAtOnceDefault = 4;

/** The rules for "aws", for flags too. */
export const awsShape: Readonly<Record<keyof AwsPlace, z.ZodOptional<z.ZodString>>> = {
  region: regionSchema.optional().describe("Region. Without it, as AWS's tools find it."),
  profile: z.string().min(1).max(250).optional().describe('Profile of the AWS configuration.'),
  roleArn: roleArnSchema.optional().describe('Role to assume for all calls to AWS.'),
  expectedBucketOwner: accountSchema
    .optional()
    .describe("Account that must own every bucket: a request to another's fails."),
};

const runSchema = z.strictObject({
  tablesAtOnceMax: z
    .number()
    .int()
    .min(1)
    .max(64)
    .optional()
    .describe('Tables that one run works on at once.')
    .meta({ default: tablesAtOnceDefault }),
  maxSeconds: z
    .number()
    .int()
    .min(30)
    .max(86_400)
    .optional()
    .describe(
      'Time that one run may take: in its last 20 seconds it begins no load and no merge. Without it, no limit.',
    ),
});

const tableArnSchema = z
  .string()
  .regex(
    /^arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\d{12}:table\/[A-Za-z0-9_.-]{3,255}$/,
    "a DynamoDB table's name (3 to 255 letters, digits, _ . -) or its ARN is expected",
  );

const entrySchema = z
  .strictObject({
    name: z
      .union([dynamoDbNameSchema, tableArnSchema], {
        message: "a DynamoDB table's name (3 to 255 letters, digits, _ . -) or its ARN is expected",
      })
      .optional()
      .describe('The table of this name in DynamoDB, or of this ARN.'),
    prefix: z
      .string()
      .regex(/^[A-Za-z0-9_.-]{0,255}$/, 'the beginning of table names is expected')
      .optional()
      .describe('All tables whose names begin so; `""` is every table of the account and Region.'),
    tag: z
      .record(z.string().min(1).max(128), z.string().max(256))
      .refine((tag) => Object.keys(tag).length > 0, 'at least one tag is expected')
      .optional()
      .describe('All tables that have this tag, or all of these: `{"lake": "yes"}`.'),
    except: z
      .array(
        z
          .string()
          .regex(/^[A-Za-z0-9_.-]{1,255}\*?$/, 'a table name, or its beginning and *, is expected'),
      )
      .optional()
      .describe(
        'Tables to leave out, with `prefix` or `tag`: names, or beginnings with `*` at the end.',
      ),
    lakeTable: nameSchema
      .optional()
      .describe(
        'Name of the lake table, with `name`. Without it, the name in DynamoDB in lower case, with `_` for what is no letter or digit.',
      ),
    ...tableSettingsShape,
  })
  .superRefine((entry, context) => checkEntry(entry as TableEntry, context));

function checkEntry(entry: TableEntry, context: z.RefinementCtx): void {
  const wrong = (key: string, message: string): void =>
    context.addIssue({ code: 'custom', path: [key], message });
  const selectors = [entry.name, entry.prefix, entry.tag].filter((one) => one !== undefined);
  if (selectors.length !== 1) {
    context.addIssue({ code: 'custom', message: 'one of name, prefix and tag is expected' });
  }
  const isNamed = entry.name !== undefined;
  if (entry.except !== undefined && isNamed) wrong('except', 'it goes with prefix or tag');
  if (entry.lakeTable !== undefined && !isNamed) wrong('lakeTable', 'it goes with name');
  if (entry.name?.startsWith('arn:') === true) {
    if (entry.region !== undefined) wrong('region', "it stands in the table's ARN");
    if (entry.account !== undefined) wrong('account', "it stands in the table's ARN");
  }
  if (!isLaidOutOnce(entry)) wrong('partition', 'a table is laid out by buckets or by partition');
}

const fileSchema = z
  .strictObject({
    $schema: z.string().optional().describe('Where editors find the schema of this file.'),
    lake: z
      .string()
      .min(1)
      .optional()
      .describe('The lake: a folder, relative to this file, or `s3://bucket/prefix`.')
      .meta({ default: './lake' }),
    database: nameSchema
      .optional()
      .describe('Database of the tables in the lake; in AWS, in Glue.')
      .meta({ default: 'lake' }),
    catalog: z
      .enum(['files', 'glue'])
      .optional()
      .describe(
        'Where tables are registered. Without it, `glue` for a lake on S3 with a named database.',
      ),
    aws: z.strictObject(awsShape).optional().describe('How AWS is reached.'),
    exports: exportsSchema.optional().describe('Where DynamoDB puts exports.'),
    run: runSchema.optional().describe('Budgets of one run over all tables.'),
    defaults: z
      .strictObject(tableSettingsShape)
      .refine((given) => isLaidOutOnce(given as TableSettings), {
        path: ['partition'],
        message: 'a table is laid out by buckets or by partition',
      })
      .optional()
      .describe('What holds for every table that does not say otherwise.'),
    prices: z
      .strictObject(pricesShape)
      .optional()
      .describe(
        "Prices that `plan` reckons with, for those that differ from AWS's list: of a contract, or of a Region.",
      ),
    tables: z
      .array(entrySchema)
      .max(10_000)
      .optional()
      .describe('The tables that the job keeps fresh, one by one, by prefix or by tag.'),
  })
  .describe('Configuration of Tidelake, tidelake.config.json.');

/** The file. Each entry is checked by itself here; that no two mean one table is found when they are resolved. */
export const configSchema: z.ZodType<TidelakeConfig> =
  fileSchema as unknown as z.ZodType<TidelakeConfig>;
