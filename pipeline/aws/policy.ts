// The least IAM policy for a command or a role at given places, as a JSON document.
// Promises: names exactly the places given, and buckets and keys of the given account only; a place that is not given
// drops its statement. Values may be placeholders of an infrastructure tool: they are only put into text.
// Source: IAM User Guide, "IAM JSON policy elements"; Amazon S3 User Guide, "Enforce conditional writes".

import {
  type CallPlace,
  type CommandName,
  callPlaces,
  callsOf,
  type RoleName,
} from './permissions.js';

/** A folder in a bucket. */
export interface BucketPlace {
  readonly bucket: string;
  /** Without slashes at its ends; '' is the whole bucket. */
  readonly prefix: string;
  /** ARN of the KMS key its objects are encrypted with; without one S3's own encryption needs no permission. */
  readonly keyArn?: string | undefined;
  /** The account the bucket belongs to, where it is another one. */
  readonly account?: string | undefined;
}

/** Where a lake and what belongs to it lie. */
export interface PolicyPlaces {
  /** `aws`, `aws-cn`, `aws-us-gov`. */
  readonly partition: string;
  readonly region: string;
  readonly account: string;
  /** ARNs of the DynamoDB tables. */
  readonly tableArns?: readonly string[];
  /** ARNs (patterns) of their exports; without them `<table ARN>/export/*`. */
  readonly exportArns?: readonly string[];
  /** ARNs of roles that DynamoDB is called with. */
  readonly roleArns?: readonly string[];
  readonly exports?: BucketPlace;
  readonly lake?: BucketPlace;
  /** Where `unload` writes. */
  readonly out?: BucketPlace;
  readonly results?: BucketPlace;
  /** Glue database. */
  readonly database?: string;
  /** Lake table; without it all tables of the database. */
  readonly table?: string;
  readonly workgroup?: string;
}

export interface PolicyStatement {
  readonly Sid: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<
    Record<string, Readonly<Record<string, string | readonly string[]>>>
  >;
}

export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly PolicyStatement[];
}

type Target = Pick<PolicyStatement, 'Resource' | 'Condition'>;

/** Which of the places each kind of call needs, for asking a person. */
export const needOf: Readonly<Record<CallPlace, keyof PolicyPlaces | null>> = {
  tables: 'tableArns',
  tableExports: 'tableArns',
  anyExport: null,
  anyTable: null,
  tableList: null,
  otherRoles: 'roleArns',
  exportFiles: 'exports',
  exportBucket: 'exports',
  lakeFiles: 'lake',
  lakeRemovals: 'lake',
  lakeBucket: 'lake',
  lakeLocation: 'lake',
  outFiles: 'out',
  outBucket: 'out',
  resultFiles: 'results',
  resultBucket: 'results',
  catalog: 'database',
  defaultCatalog: null,
  workgroup: 'workgroup',
  dataCatalog: null,
  athena: null,
};

const bucketOf: Readonly<Partial<Record<CallPlace, 'exports' | 'lake' | 'out' | 'results'>>> = {
  exportFiles: 'exports',
  lakeFiles: 'lake',
  outFiles: 'out',
  resultFiles: 'results',
};

/** The policy of a command or a role. `mayTidy` adds the removal of files that a lost attempt left in the lake. */
export function policyOf(
  name: CommandName | RoleName,
  at: PolicyPlaces,
  options: { readonly mayTidy?: boolean } = {},
): PolicyDocument {
  const calls = callsOf(name);
  const statements: PolicyStatement[] = [];
  for (const place of callPlaces) {
    const actions = calls[place];
    const target = actions === undefined ? null : targetOf(place, at);
    if (actions === undefined || target === null) continue;
    statements.push({ Sid: sidOf(place), Effect: 'Allow', Action: actions, ...target });
    const bucket = bucketOf[place];
    const key = bucket === undefined ? undefined : at[bucket];
    if (bucket !== undefined && key?.keyArn !== undefined) {
      statements.push(keyStatement(sidOf(`${bucket}Key`), at, key.keyArn, actions));
    }
  }
  if (calls.lakeFiles?.includes('s3:PutObject') === true && at.lake !== undefined) {
    if (options.mayTidy === true && calls.lakeRemovals === undefined)
      statements.push(tidyStatement(at, at.lake));
    statements.push(neverOverwrite(at, at.lake));
  }
  return { Version: '2012-10-17', Statement: statements };
}

function targetOf(place: CallPlace, at: PolicyPlaces): Target | null {
  const { partition, region, account } = at;
  const athena = `arn:${partition}:athena:${region}:${account}`;
  const glue = `arn:${partition}:glue:${region}:${account}`;
  switch (place) {
    case 'tables':
      return at.tableArns === undefined ? null : { Resource: at.tableArns };
    case 'tableExports':
      if (at.exportArns !== undefined) return { Resource: at.exportArns };
      return at.tableArns === undefined
        ? null
        : { Resource: at.tableArns.map((arn) => `${arn}/export/*`) };
    case 'anyTable':
      return { Resource: [`arn:${partition}:dynamodb:${region}:${account}:table/*`] };
    // ListExports, ListTables and the lists of Athena know no resources: IAM accepts them on '*' only.
    case 'anyExport':
    case 'tableList':
    case 'athena':
      return { Resource: ['*'] };
    case 'otherRoles':
      return at.roleArns === undefined ? null : { Resource: at.roleArns };
    case 'exportFiles':
      return filesOf(at, at.exports);
    case 'exportBucket':
      return listOf(at, at.exports);
    case 'lakeFiles':
      return filesOf(at, at.lake);
    case 'lakeRemovals':
      return at.lake === undefined ? null : removals(at, at.lake);
    case 'lakeBucket':
      return listOf(at, at.lake);
    case 'lakeLocation':
      return wholeBucket(at, at.lake);
    case 'outFiles':
      return filesOf(at, at.out);
    case 'outBucket':
      return listOf(at, at.out);
    case 'resultFiles':
      return filesOf(at, at.results);
    case 'resultBucket':
      return wholeBucket(at, at.results);
    case 'catalog':
      if (at.database === undefined) return null;
      return {
        Resource: [
          `${glue}:catalog`,
          `${glue}:database/${at.database}`,
          `${glue}:table/${at.database}/${at.table ?? '*'}`,
        ],
      };
    // Athena looks for the database `default` whatever the query is about.
    case 'defaultCatalog':
      return { Resource: [`${glue}:catalog`, `${glue}:database/default`] };
    case 'workgroup':
      return at.workgroup === undefined
        ? null
        : { Resource: [`${athena}:workgroup/${at.workgroup}`] };
    case 'dataCatalog':
      return { Resource: [`${athena}:datacatalog/AwsDataCatalog`] };
  }
}

/** A bucket of that name in another account is not the one that is meant. */
function ownedBy(at: PolicyPlaces, place: BucketPlace): Record<string, Record<string, string>> {
  return { StringEquals: { 'aws:ResourceAccount': place.account ?? at.account } };
}

function filesOf(at: PolicyPlaces, place: BucketPlace | undefined): Target | null {
  if (place === undefined) return null;
  return {
    Resource: [`${bucketArn(at, place)}/${below(place, '*')}`],
    Condition: ownedBy(at, place),
  };
}

/** Listing below the prefix. S3 asks for it also when a key is missing, with the key as `s3:prefix`. */
function listOf(at: PolicyPlaces, place: BucketPlace | undefined): Target | null {
  if (place === undefined) return null;
  return {
    Resource: [bucketArn(at, place)],
    Condition: {
      ...ownedBy(at, place),
      ...(place.prefix === '' ? {} : { StringLike: { 's3:prefix': below(place, '*') } }),
    },
  };
}

function wholeBucket(at: PolicyPlaces, place: BucketPlace | undefined): Target | null {
  return place === undefined
    ? null
    : { Resource: [bucketArn(at, place)], Condition: ownedBy(at, place) };
}

/** Reading needs the key for decryption; writing a new data key, and decryption to put parts together. */
function keyStatement(
  sid: string,
  at: PolicyPlaces,
  keyArn: string,
  actions: readonly string[],
): PolicyStatement {
  return {
    Sid: sid,
    Effect: 'Allow',
    Action: ['kms:Decrypt', ...(actions.includes('s3:PutObject') ? ['kms:GenerateDataKey'] : [])],
    Resource: [keyArn],
    Condition: { StringEquals: { 'kms:ViaService': `s3.${at.region}.amazonaws.com` } },
  };
}

function tidyStatement(at: PolicyPlaces, lake: BucketPlace): PolicyStatement {
  return {
    Sid: 'Tidy',
    Effect: 'Allow',
    Action: ['s3:DeleteObject'],
    ...removals(at, lake),
  };
}

/** Data and metadata files of the lake's tables. */
function removals(at: PolicyPlaces, lake: BucketPlace): Target {
  const arn = bucketArn(at, lake);
  return {
    Resource: [`${arn}/${below(lake, '*/data/*')}`, `${arn}/${below(lake, '*/metadata/*')}`],
    Condition: ownedBy(at, lake),
  };
}

/** Tidelake writes metadata once and never again, so its role need not be able to: a request without `If-None-Match`
 *  is denied. Only the hint of the catalog of files, a cache, is replaced. Starting an upload and sending its parts
 *  carry no condition and create nothing. */
function neverOverwrite(at: PolicyPlaces, lake: BucketPlace): PolicyStatement {
  const arn = bucketArn(at, lake);
  return {
    Sid: 'NeverOverwrite',
    Effect: 'Deny',
    Action: ['s3:PutObject'],
    Resource: ['json', 'avro'].map((ending) => `${arn}/${below(lake, `*/metadata/*.${ending}`)}`),
    Condition: {
      Bool: { 's3:ObjectCreationOperation': 'true' },
      Null: { 's3:if-none-match': 'true' },
    },
  };
}

function bucketArn(at: PolicyPlaces, place: BucketPlace): string {
  return `arn:${at.partition}:s3:::${place.bucket}`;
}

function below(place: BucketPlace, name: string): string {
  return place.prefix === '' ? name : `${place.prefix}/${name}`;
}

/** `lakeFiles` as `LakeFiles`: ids of statements have letters and digits only. */
function sidOf(name: string): string {
  return `${name[0]!.toUpperCase()}${name.slice(1)}`;
}
