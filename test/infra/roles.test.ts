// What each role may do and may not, asked of an evaluator of policies, call by call.
// Promises: the table is written from the duties, by hand; a right that is new or lost shows here.
// Source: docs/reference/permissions.md.

import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type IamRequest, verdictOf } from './iam.js';
import { account, region, type Synthesized, synthesize } from './stack.js';

let stack: Synthesized;
let tidying: Synthesized;

beforeAll(() => {
  // The checks of the template are another test's.
  vi.stubEnv('CDK_VALIDATION', 'false');
  stack = synthesize();
  tidying = synthesize({ mayTidy: true });
});

const owned = { 'aws:ResourceAccount': account };
const file = (kind: string, key: string): string =>
  `arn:aws:s3:::shop-${kind}-${account}-${region}/${key}`;
const bucket = (kind: string): string => `arn:aws:s3:::shop-${kind}-${account}-${region}`;
const glue = (name: string): string => `arn:aws:glue:${region}:${account}:${name}`;
const athena = (name: string): string => `arn:aws:athena:${region}:${account}:${name}`;
const table = (name: string): string => `arn:aws:dynamodb:${region}:${account}:table/${name}`;
const at = (action: string, resource: string, context = {}): IamRequest => ({
  action,
  resource,
  context: { ...owned, ...context },
});
const whole = { 's3:ObjectCreationOperation': 'true' };
const once = { ...whole, 's3:if-none-match': '*' };
const part = { 's3:ObjectCreationOperation': 'false' };
const metadata = file('lake', 'lake/orders_lake/mystore/metadata/v2.metadata.json');
const manifest = file('lake', 'lake/orders_lake/mystore/metadata/1-m0.avro');
const hint = file('lake', 'lake/orders_lake/mystore/metadata/version-hint.text');
const data = file('lake', 'lake/orders_lake/mystore/data/a.parquet');
const exported = file('exports', 'exports/AWSDynamoDB/data/a.json.gz');

describe('the exporter', () => {
  it.each<[string, IamRequest]>([
    ['asks for an export', at('dynamodb:ExportTableToPointInTime', table('mystore'))],
    ['describes the table', at('dynamodb:DescribeTable', table('mystore'))],
    ['asks how far back it can go', at('dynamodb:DescribeContinuousBackups', table('mystore'))],
    ['follows an export', at('dynamodb:DescribeExport', table('mystore/export/01-a'))],
    [
      'finds an export that is there',
      at('s3:ListBucket', bucket('exports'), { 's3:prefix': 'exports/mystore/' }),
    ],
    ['writes an export', at('s3:PutObject', exported)],
    ['gives up an upload', at('s3:AbortMultipartUpload', exported)],
  ])('%s', (_, request) => {
    expect(verdictOf(stack.role('Exporter'), request)).toBe('allowed');
  });

  it.each<[string, IamRequest]>([
    ['exports another table', at('dynamodb:ExportTableToPointInTime', table('other'))],
    ['scans the table', at('dynamodb:Scan', table('mystore'))],
    ['queries the table', at('dynamodb:Query', table('mystore'))],
    ['gets an item', at('dynamodb:GetItem', table('mystore'))],
    ['writes an item', at('dynamodb:PutItem', table('mystore'))],
    ['changes the backups', at('dynamodb:UpdateContinuousBackups', table('mystore'))],
    ['deletes the table', at('dynamodb:DeleteTable', table('mystore'))],
    ['reads an export', at('s3:GetObject', exported)],
    ['deletes an export', at('s3:DeleteObject', exported)],
    ['writes beside the exports', at('s3:PutObject', file('exports', 'other/a'))],
    ['writes the lake', at('s3:PutObject', data)],
    ['changes a table of the lake', at('glue:UpdateTable', glue('table/orders_lake/mystore'))],
    [
      'writes a bucket of that name in another account',
      { ...at('s3:PutObject', exported), context: { 'aws:ResourceAccount': '999999999999' } },
    ],
  ])('never %s', (_, request) => {
    expect(verdictOf(stack.role('Exporter'), request)).not.toBe('allowed');
  });
});

describe('the merger', () => {
  it.each<[string, IamRequest]>([
    ['reads an export', at('s3:GetObject', exported)],
    [
      'lists exports',
      at('s3:ListBucket', bucket('exports'), { 's3:prefix': 'exports/AWSDynamoDB/' }),
    ],
    [
      'is told that a key is missing',
      at('s3:ListBucket', bucket('exports'), { 's3:prefix': 'exports/x/manifest-summary.md5' }),
    ],
    ['reads the lake', at('s3:GetObject', data)],
    ['lists the lake', at('s3:ListBucket', bucket('lake'), { 's3:prefix': 'lake/orders_lake/' })],
    ['writes a data file', at('s3:PutObject', data, whole)],
    ['sends a part', at('s3:PutObject', data, part)],
    ['gives up an upload', at('s3:AbortMultipartUpload', data)],
    ['writes metadata once', at('s3:PutObject', metadata, once)],
    ['writes a manifest once', at('s3:PutObject', manifest, once)],
    ['sends a part of a large manifest', at('s3:PutObject', manifest, part)],
    ['replaces the hint', at('s3:PutObject', hint, whole)],
    ['reads a table', at('glue:GetTable', glue('table/orders_lake/mystore'))],
    ['reads a table: its database', at('glue:GetTable', glue('database/orders_lake'))],
    ['reads a table: the catalog', at('glue:GetTable', glue('catalog'))],
    ['makes a table', at('glue:CreateTable', glue('table/orders_lake/new'))],
    ['commits', at('glue:UpdateTable', glue('table/orders_lake/mystore'))],
  ])('%s', (_, request) => {
    expect(verdictOf(stack.role('Merger'), request)).toBe('allowed');
  });

  it.each<[string, IamRequest]>([
    ['overwrites metadata', at('s3:PutObject', metadata, whole)],
    ['overwrites a manifest', at('s3:PutObject', manifest, whole)],
    ['deletes a data file', at('s3:DeleteObject', data)],
    ['deletes metadata', at('s3:DeleteObject', metadata)],
    ['deletes a version', at('s3:DeleteObjectVersion', data)],
    ['writes an export', at('s3:PutObject', exported, once)],
    ['deletes an export', at('s3:DeleteObject', exported)],
    ['writes beside the lake', at('s3:PutObject', file('lake', 'other/a'), once)],
    ['lists beside the lake', at('s3:ListBucket', bucket('lake'), { 's3:prefix': 'other/' })],
    ['lists the whole bucket', at('s3:ListBucket', bucket('lake'))],
    ['reads results of queries', at('s3:GetObject', file('results', 'athena/a.csv'))],
    ['deletes a table', at('glue:DeleteTable', glue('table/orders_lake/mystore'))],
    ['makes a database', at('glue:CreateDatabase', glue('database/other'))],
    ['commits to another database', at('glue:UpdateTable', glue('table/other/mystore'))],
    ['scans the DynamoDB table', at('dynamodb:Scan', table('mystore'))],
    ['asks for an export', at('dynamodb:ExportTableToPointInTime', table('mystore'))],
    ['runs a query', at('athena:StartQueryExecution', athena('workgroup/shop'))],
    ['gives rights', at('iam:PutRolePolicy', `arn:aws:iam::${account}:role/x`)],
    ['changes rules of a bucket', at('s3:PutLifecycleConfiguration', bucket('lake'))],
    [
      'reads a bucket of that name in another account',
      { ...at('s3:GetObject', exported), context: { 'aws:ResourceAccount': '999999999999' } },
    ],
  ])('never %s', (_, request) => {
    expect(verdictOf(stack.role('Merger'), request)).not.toBe('allowed');
  });

  it.each<[string, IamRequest, string]>([
    ['data files', at('s3:DeleteObject', data), 'allowed'],
    ['metadata files', at('s3:DeleteObject', metadata), 'allowed'],
    [
      'nothing else of the lake',
      at('s3:DeleteObject', file('lake', 'lake/notes.txt')),
      'not allowed',
    ],
    ['no version', at('s3:DeleteObjectVersion', data), 'not allowed'],
    ['no export', at('s3:DeleteObject', exported), 'not allowed'],
  ])('when it may tidy, deletes %s', (_, request, verdict) => {
    expect(verdictOf(tidying.role('Merger'), request)).toBe(verdict);
  });
});

describe('the keeper', () => {
  it.each<[string, IamRequest]>([
    ['reads the lake', at('s3:GetObject', data)],
    ['writes a data file', at('s3:PutObject', data, whole)],
    ['writes metadata once', at('s3:PutObject', metadata, once)],
    ['removes a data file', at('s3:DeleteObject', data)],
    ['removes metadata', at('s3:DeleteObject', metadata)],
    ['commits', at('glue:UpdateTable', glue('table/orders_lake/mystore'))],
  ])('%s', (_, request) => {
    expect(verdictOf(stack.role('Keeper'), request)).toBe('allowed');
  });

  it.each<[string, IamRequest]>([
    ['removes anything else', at('s3:DeleteObject', file('lake', 'lake/notes.txt'))],
    ['removes a version', at('s3:DeleteObjectVersion', data)],
    ['overwrites metadata', at('s3:PutObject', metadata, whole)],
    ['reads an export', at('s3:GetObject', exported)],
    ['removes an export', at('s3:DeleteObject', exported)],
    ['makes a table', at('glue:CreateTable', glue('table/orders_lake/new'))],
    ['deletes a table', at('glue:DeleteTable', glue('table/orders_lake/mystore'))],
    ['asks for an export', at('dynamodb:ExportTableToPointInTime', table('mystore'))],
    ['reads results of queries', at('s3:GetObject', file('results', 'athena/a.csv'))],
  ])('never %s', (_, request) => {
    expect(verdictOf(stack.role('Keeper'), request)).not.toBe('allowed');
  });
});

describe('the analyst', () => {
  it.each<[string, IamRequest]>([
    ['runs a query', at('athena:StartQueryExecution', athena('workgroup/shop'))],
    ['stops it', at('athena:StopQueryExecution', athena('workgroup/shop'))],
    ['reads the answer', at('athena:GetQueryResults', athena('workgroup/shop'))],
    ['lists saved queries', at('athena:ListNamedQueries', athena('workgroup/shop'))],
    ['uses a prepared statement', at('athena:GetPreparedStatement', athena('workgroup/shop'))],
    ['sees the workgroups', at('athena:ListWorkGroups', '*')],
    ['sees columns', at('athena:GetTableMetadata', athena('datacatalog/AwsDataCatalog'))],
    ['reads a table', at('glue:GetTable', glue('table/orders_lake/mystore'))],
    ['finds the database default', at('glue:GetDatabase', glue('database/default'))],
    ['reads the lake', at('s3:GetObject', data)],
    ['finds the Region of the lake', at('s3:GetBucketLocation', bucket('lake'))],
    ['finds the Region of results', at('s3:GetBucketLocation', bucket('results'))],
    ['writes results', at('s3:PutObject', file('results', 'athena/a.csv'))],
    ['reads results', at('s3:GetObject', file('results', 'athena/a.csv'))],
  ])('%s', (_, request) => {
    expect(verdictOf(stack.role('Analyst'), request)).toBe('allowed');
  });

  it.each<[string, IamRequest]>([
    ['runs a query elsewhere', at('athena:StartQueryExecution', athena('workgroup/primary'))],
    ['changes the workgroup', at('athena:UpdateWorkGroup', athena('workgroup/shop'))],
    ['deletes a saved query', at('athena:DeleteNamedQuery', athena('workgroup/shop'))],
    ['writes the lake', at('s3:PutObject', data, once)],
    ['deletes from the lake', at('s3:DeleteObject', data)],
    ['reads exports', at('s3:GetObject', exported)],
    ['lists exports', at('s3:ListBucket', bucket('exports'), { 's3:prefix': 'exports/' })],
    ['reads access logs', at('s3:GetObject', file('access-logs', 'lake/x'))],
    ['writes results elsewhere', at('s3:PutObject', file('results', 'other/a.csv'))],
    ['changes a table', at('glue:UpdateTable', glue('table/orders_lake/mystore'))],
    ['drops a table', at('glue:DeleteTable', glue('table/orders_lake/mystore'))],
    ['reads another database', at('glue:GetTable', glue('table/payroll/salaries'))],
    ['reads the DynamoDB table', at('dynamodb:GetItem', table('mystore'))],
  ])('never %s', (_, request) => {
    expect(verdictOf(stack.role('Analyst'), request)).not.toBe('allowed');
  });
});

describe('no role', () => {
  it('has an action with a wildcard', () => {
    const actions = (['Exporter', 'Merger', 'Keeper', 'Analyst'] as const).flatMap((name) =>
      stack.role(name).flatMap(({ Action }) => Action),
    );
    expect(actions.filter((action) => action.includes('*'))).toEqual([]);
  });

  it('has `*` for a resource but where AWS knows no other', () => {
    const wide = (['Exporter', 'Merger', 'Keeper', 'Analyst'] as const).flatMap((name) =>
      stack
        .role(name)
        .filter(({ Resource }) => [Resource].flat().includes('*'))
        .flatMap(({ Action }) => Action),
    );
    expect(wide.sort()).toEqual([
      'athena:ListDataCatalogs',
      'athena:ListEngineVersions',
      'athena:ListWorkGroups',
    ]);
  });
});
