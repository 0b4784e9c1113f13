// What can be said of a table in tidelake.config.json, under "defaults" and in each entry of "tables".
// Promises: every setting has a description, its bounds and its default, which the published JSON Schema repeats.
// Spec: DESIGN "The hourly job", "Scan and type", "The table".

import { z } from 'zod';
import type { Naming } from './columns.js';
import {
  accountSchema,
  bucketSchema,
  keyPrefixSchema,
  regionSchema,
  roleArnSchema,
} from './config-values.js';
import type { ExportView } from './export-manifest.js';
import { dayMinutes, retypeBytesMax } from './limits.js';

/** Where DynamoDB puts exports. */
export interface ExportsPlace {
  readonly bucket?: string | undefined;
  readonly prefix?: string | undefined;
  readonly bucketOwner?: string | undefined;
  readonly sse?: 'AES256' | 'KMS' | undefined;
  readonly kmsKey?: string | undefined;
}

/** What the job does to keep the lake bounded. */
export interface UpkeepSettings {
  readonly keepDays?: number | undefined;
  readonly keepSnapshots?: number | undefined;
  readonly compact?: boolean | undefined;
}

/** `ask`: a column is retyped only by a person, with `schema set`. */
export type RetypeRule = 'auto' | 'ask';

export interface TableSettings {
  readonly grainMinutes?: number | undefined;
  readonly view?: ExportView | undefined;
  readonly lagMinutesMax?: number | undefined;
  readonly reseed?: boolean | undefined;
  readonly key?: readonly string[] | undefined;
  readonly buckets?: number | undefined;
  readonly partition?: string | undefined;
  readonly naming?: Naming | undefined;
  readonly retype?: RetypeRule | undefined;
  readonly retypeBytesMax?: number | undefined;
  readonly exportsAtOnceMax?: number | undefined;
  readonly attemptsMax?: number | undefined;
  readonly stuckMinutesMax?: number | undefined;
  readonly region?: string | undefined;
  readonly account?: string | undefined;
  readonly roleArn?: string | undefined;
  readonly exports?: ExportsPlace | undefined;
  readonly upkeep?: UpkeepSettings | undefined;
}

/** Upkeep of a table, with the defaults in it. */
export interface UpkeepRules {
  /** Days of data before the watermark that stay reachable; null: no snapshot leaves. */
  readonly keepDays: number | null;
  /** Newest snapshots that stay in any case. */
  readonly keepSnapshots: number;
  /** Whether partitions with many small files or delete files are written anew. */
  readonly compact: boolean;
}

/** Upkeep where the configuration says nothing of it: none. */
export const upkeepDefaults: UpkeepRules = { keepDays: null, keepSnapshots: 100, compact: false };

/** How a table's columns are made and changed. */
export interface ColumnRules {
  /** Of a table that is new; others keep the rule they began with. Null: nobody said. */
  readonly naming: Naming | null;
  readonly retype: RetypeRule;
  /** Bytes of data files up to which columns are retyped by themselves. */
  readonly retypeBytesMax: number;
}

/** What holds where the configuration says nothing. */
export const settingDefaults: {
  readonly grainMinutes: number;
  readonly view: ExportView;
  readonly lagMinutesMax: number;
  readonly reseed: boolean;
  readonly naming: Naming;
  readonly retype: RetypeRule;
  readonly retypeBytesMax: number;
  readonly exportsAtOnceMax: number;
  readonly attemptsMax: number;
  readonly stuckMinutesMax: number;
} = {
  grainMinutes: 60,
  view: 'NEW_AND_OLD_IMAGES',
  lagMinutesMax: 180,
  reseed: false,
  naming: 'snake_case',
  retype: 'auto',
  retypeBytesMax,
  exportsAtOnceMax: 8,
  attemptsMax: 3,
  stuckMinutesMax: dayMinutes,
};

/** Buckets that a table may be laid out in. */
export const bucketsMax = 100_000;

/** Lengths of windows, in minutes: what a day is a whole number of, from 15 minutes on. */
const grains: number[] = Array.from({ length: dayMinutes }, (_, i) => i + 1).filter(
  (minutes) => minutes >= 15 && dayMinutes % minutes === 0,
);

function whole(least: number, most: number): z.ZodNumber {
  const message = `a whole number from ${least} to ${most} is expected`;
  return z.number({ message }).int({ message }).min(least, { message }).max(most, { message });
}

const kmsKeySchema = z
  .string()
  .regex(
    /^(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)\/[\w/-]{1,256}|alias\/[\w/-]{1,250}|[0-9a-f-]{32,40}|mrk-[0-9a-f]{32})$/,
    'the id, alias or ARN of a KMS key is expected',
  );

const exportsShape: Readonly<Record<keyof ExportsPlace, z.ZodType>> = {
  bucket: bucketSchema
    .optional()
    .describe('Bucket that DynamoDB puts exports into. Needed by `plan`, `run` and `export`.'),
  prefix: keyPrefixSchema
    .optional()
    .describe(
      'Prefix below which exports lie in the bucket; each has a folder of its own there, `TABLE/TABLE-ID/FROM_TO`.',
    ),
  bucketOwner: accountSchema
    .optional()
    .describe("Account that owns the bucket, when it is another one than the table's."),
  sse: z
    .enum(['AES256', 'KMS'])
    .optional()
    .describe('How S3 encrypts the files of exports. Without it, as the bucket does.'),
  kmsKey: kmsKeySchema
    .optional()
    .describe('KMS key of the files; `sse` is `KMS` then. A key of another account is an ARN.'),
};

/** "exports" of the file, and of a table. */
export const exportsSchema: z.ZodType<ExportsPlace> = z
  .strictObject(exportsShape)
  .refine(({ sse, kmsKey }) => kmsKey === undefined || sse !== 'AES256', {
    path: ['kmsKey'],
    message: 'a KMS key goes with "sse": "KMS"',
  }) as z.ZodType<ExportsPlace>;

const upkeepShape: Readonly<Record<keyof UpkeepSettings, z.ZodType>> = {
  keepDays: whole(1, 36_500)
    .optional()
    .describe(
      'Days of data before the watermark that stay reachable: older snapshots leave, a day of hourly windows at a time, and then the files that only they had. Needs the right to delete files of the lake. Without it, no snapshot leaves.',
    ),
  keepSnapshots: whole(1, 1_000_000)
    .optional()
    .describe('Newest snapshots that stay in any case.')
    .meta({ default: upkeepDefaults.keepSnapshots }),
  compact: z
    .boolean()
    .optional()
    .describe(
      'Whether partitions with 16 small files or 16 delete files are written anew. Merges keep to fewer, so it is for tables that other programs write to.',
    )
    .meta({ default: upkeepDefaults.compact }),
};

/** "upkeep" of a table. */
export const upkeepSchema: z.ZodType<UpkeepSettings> = z.strictObject(
  upkeepShape,
) as z.ZodType<UpkeepSettings>;

/** The settings, for "defaults" and for entries of "tables". `columns` is not among them yet: the name is kept for declared
 *  columns, and refused as any unknown one. */
export const tableSettingsShape: Readonly<Record<keyof TableSettings, z.ZodType>> = {
  grainMinutes: z
    .literal(grains, {
      message: `minutes that a day is a whole number of, 15 at least, are expected: ${grains.join(', ')}`,
    })
    .optional()
    .describe(
      'Length of a window in minutes. Windows end on multiples of it, counted from 00:00 UTC.',
    )
    .meta({ default: settingDefaults.grainMinutes }),
  view: z
    .enum(['NEW_AND_OLD_IMAGES', 'NEW_IMAGE'])
    .optional()
    .describe('Images that the job asks for in incremental exports.')
    .meta({ default: settingDefaults.view }),
  lagMinutesMax: whole(15, 60 * dayMinutes)
    .optional()
    .describe(
      'Age of the watermark above which a table counts as late. Where it is not given, it is three windows at least.',
    )
    .meta({ default: settingDefaults.lagMinutesMax }),
  reseed: z
    .boolean()
    .optional()
    .describe(
      'Whether a chain that cannot go on (recovery was off, the table was made again) is followed by a new full export without asking. It costs a full export.',
    )
    .meta({ default: settingDefaults.reseed }),
  key: z
    .array(z.string().min(1, 'the name of an attribute is expected').max(255))
    .min(1)
    .max(2)
    .refine((names) => names[0] !== names[1], 'the same attribute is named twice')
    .optional()
    .describe(
      'Key attributes, partition key first, for `load` by hand; the job asks DynamoDB for them.',
    ),
  buckets: whole(1, bucketsMax)
    .optional()
    .describe(
      'Buckets over the partition key, at the first load. Without it, as the size asks for.',
    ),
  partition: z
    .string()
    .min(1)
    .max(1000)
    .optional()
    .describe(
      'Iceberg transforms over key attributes instead of buckets, at the first load: `truncate(created, 10)`.',
    ),
  naming: z
    .enum(['snake_case', 'lower_case'])
    .optional()
    .describe(
      'How columns are named: `orderId` is `order_id` or `orderid`. It holds from the first load on: a table keeps the rule it began with, and names never change.',
    )
    .meta({ default: settingDefaults.naming }),
  retype: z
    .enum(['auto', 'ask'])
    .optional()
    .describe(
      '`auto`: a number column becomes wider by itself when a number needs it. `ask`: the number stays in `_misfits`, exact, and `status` names the command.',
    )
    .meta({ default: settingDefaults.retype }),
  retypeBytesMax: z
    .number()
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .optional()
    .describe(
      'Bytes of data files up to which a table is rewritten for a wider type by itself; above, as with `ask`.',
    )
    .meta({ default: settingDefaults.retypeBytesMax }),
  exportsAtOnceMax: whole(1, 300)
    .optional()
    .describe('Windows of the table that are exported at once, while it catches up.')
    .meta({ default: settingDefaults.exportsAtOnceMax }),
  attemptsMax: whole(1, 10)
    .optional()
    .describe('Exports asked for one window, while each fails.')
    .meta({ default: settingDefaults.attemptsMax }),
  stuckMinutesMax: whole(30, 30 * dayMinutes)
    .optional()
    .describe('Time in progress after which an export counts as stuck.')
    .meta({ default: settingDefaults.stuckMinutesMax }),
  region: regionSchema
    .optional()
    .describe('Region of the table, where it is not the Region of the run.'),
  account: accountSchema
    .optional()
    .describe(
      'Account of the table, where it is not the account of the run. Tables by prefix or tag need a `roleArn` there.',
    ),
  roleArn: roleArnSchema
    .optional()
    .describe(
      'Role to assume for calls to DynamoDB; the lake and the exports are reached without it.',
    ),
  exports: exportsSchema
    .optional()
    .describe("Where exports of the table go, where that differs from the file's `exports`."),
  upkeep: upkeepSchema
    .optional()
    .describe(
      "What `run` does after rounds that brought something in, to keep the table's files and snapshots bounded. Without it nothing, since it needs the right to delete. That of an entry replaces that of `defaults` whole; `{}` is none.",
    ),
};

/** A table is laid out by one of two settings. */
export function isLaidOutOnce({ buckets, partition }: TableSettings): boolean {
  return buckets === undefined || partition === undefined;
}
