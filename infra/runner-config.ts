// The configuration of the scheduled job as text in an environment variable: the tables of the stack, all else by default.
// Promises: valid JSON, also where names are known at deployment only; an error when it is too long for a variable.
// Source: docs/reference/configuration.md; AWS Lambda Developer Guide, "Lambda quotas" (4 KB of environment variables).

import { type CfnCondition, Fn, Token, Tokenization } from 'aws-cdk-lib';
import type { BucketPlace, PolicyPlaces } from '../pipeline/aws/policy.js';

export interface JobPlaces extends PolicyPlaces {
  readonly exports: BucketPlace;
  readonly lake: BucketPlace;
  readonly database: string;
}

/** Leaves room for what stands around and between the tables. */
const tablesBytesMax = 2500;

/** The configuration's S3 URI where one is given, else the configuration itself. Throws when it would be too long. */
export function configurationText(props: {
  readonly config?: string | undefined;
  readonly places: JobPlaces;
  readonly tableArns: readonly string[];
  /** Days that upkeep keeps; null: no upkeep. */
  readonly keepDays?: number | null;
  readonly when?: { readonly upkeep: CfnCondition } | undefined;
}): string {
  const { places, tableArns, config } = props;
  if (config !== undefined) return config;
  const { lake, exports, database, account } = places;
  const key = exports.keyArn === undefined ? '' : `,"sse":"KMS","kmsKey":"${exports.keyArn}"`;
  const head = [
    `{"lake":"s3://${lake.bucket}${lake.prefix === '' ? '' : `/${lake.prefix}`}"`,
    `"database":"${database}"`,
    '"catalog":"glue"',
    `"aws":{"expectedBucketOwner":"${account}"}`,
    `"exports":{"bucket":"${exports.bucket}","prefix":"${exports.prefix}"${key}}`,
    `${upkeepText(props)}"tables":[{"name":"`,
  ].join(',');
  const [between, tail] = ['"},{"name":"', '"}]}'];
  // A parameter of a template is joined when that is deployed.
  if (Token.isUnresolved(tableArns)) {
    return Fn.join('', [head, Fn.join(between, [...tableArns]), tail]);
  }
  if (tableArns.join('').length > tablesBytesMax) {
    throw new Error(
      `${tableArns.length} tables are too many for a variable: put a configuration into S3 and name it as lake.runner.config`,
    );
  }
  return `${head}${tableArns.join(between)}${tail}`;
}

/** The upkeep of all tables, with a comma after it, or nothing; which of them, may be known at deployment only. */
function upkeepText({
  keepDays = null,
  when,
}: {
  readonly keepDays?: number | null;
  readonly when?: { readonly upkeep: CfnCondition } | undefined;
}): string {
  if (keepDays === null) return '';
  const days = Tokenization.stringifyNumber(keepDays);
  const text = `"defaults":{"upkeep":{"keepDays":${days},"compact":true}},`;
  if (when === undefined) return text;
  return Token.asString(Fn.conditionIf(when.upkeep.logicalId, text, ''));
}
