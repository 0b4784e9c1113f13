// Values that the configuration and the command's flags share: names, accounts, roles, Regions, buckets.
// Promises one rule and one message for each, whoever asks.
// Sources: AWS documentation, "IAM identifiers", "Regions", Amazon S3 User Guide, "Bucket naming rules"; Amazon DynamoDB
// Developer Guide, "Naming rules".

import { z } from 'zod';

/** A name of a lake table or a database: it becomes a folder, so no separators and no leading dot. */
export const nameSchema: z.ZodString = z
  .string()
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$/,
    'letters, digits, _ . - are allowed, at most 255 of them',
  );

export const regionSchema: z.ZodString = z
  .string()
  .regex(/^[a-z]{2,}(-[a-z]+)+-\d{1,2}$/, 'a region such as eu-west-1 is expected');

export const roleArnSchema: z.ZodString = z
  .string()
  .regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,576}$/, 'the ARN of a role is expected');

export const accountSchema: z.ZodString = z
  .string()
  .regex(/^\d{12}$/, 'an account id of 12 digits is expected');

export const bucketSchema: z.ZodString = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'the name of a bucket is expected');

/** Prefix of keys, with or without slashes at its ends. */
export const keyPrefixSchema: z.ZodString = z
  .string()
  .regex(
    /^\/*(?!\.{1,2}(\/|$))[\w!.*'()=+@:-]+(\/(?!\.{1,2}(\/|$))[\w!.*'()=+@:-]+)*\/*$|^\/*$/,
    'a prefix such as raw/dynamodb is expected: letters, digits and !-_.*()=+@: between slashes',
  )
  .max(512, 'at most 512 characters are expected');

/** Name of a table in DynamoDB. */
export const dynamoDbNameSchema: z.ZodString = z
  .string()
  .regex(
    /^[A-Za-z0-9_.-]{3,255}$/,
    "a DynamoDB table's name is expected: 3 to 255 letters, digits, _ . -",
  );
