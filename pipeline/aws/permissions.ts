// What each command asks of AWS: the one table behind the roles of infra/, `tidelake infra policy` and the documents.
// Promises: a command makes no call that is not in its row; tests run the commands against it.
// Source: Service Authorization Reference, "Actions, resources, and condition keys" of Amazon S3, AWS Glue, Amazon
// Athena, Amazon DynamoDB and AWS STS. HeadObject is authorized as s3:GetObject; parts of an upload as s3:PutObject.

/** Where a call goes. `…Files` are objects, `…Bucket` is their bucket as far as it is listed. */
export const callPlaces = [
  'tables',
  'tableExports',
  'anyExport',
  'anyTable',
  'tableList',
  'otherRoles',
  'exportFiles',
  'exportBucket',
  'lakeFiles',
  'lakeRemovals',
  'lakeBucket',
  'lakeLocation',
  'outFiles',
  'outBucket',
  'resultFiles',
  'resultBucket',
  'catalog',
  'defaultCatalog',
  'workgroup',
  'dataCatalog',
  'athena',
] as const;
export type CallPlace = (typeof callPlaces)[number];

/** Actions per place, e.g. `{ lakeFiles: ['s3:GetObject'] }`. */
export type Calls = Readonly<Partial<Record<CallPlace, readonly string[]>>>;

/** Finding and reading exports. Without the list permission S3 answers 403, not 404, for a key that is missing. */
const readsExports: Calls = { exportFiles: ['s3:GetObject'], exportBucket: ['s3:ListBucket'] };

const readsLake: Calls = {
  lakeFiles: ['s3:GetObject'],
  lakeBucket: ['s3:ListBucket'],
  catalog: ['glue:GetTable', 'glue:GetTables'],
};

/** No s3:DeleteObject: files of a lost attempt are removed when that is allowed, and else stay as orphans. */
const changesLake: Calls = {
  lakeFiles: ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject'],
  lakeBucket: ['s3:ListBucket'],
  catalog: ['glue:GetTable', 'glue:UpdateTable'],
};

/** Metadata is written; files are removed that no snapshot has any more. */
const shrinksLake: Calls = {
  lakeFiles: ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject'],
  lakeRemovals: ['s3:DeleteObject'],
  lakeBucket: ['s3:ListBucket'],
  catalog: ['glue:GetTable', 'glue:GetTables', 'glue:UpdateTable'],
};

/** Athena acts with the rights of whoever starts the query: on Glue, on the lake, and on the place of the results. */
const runsAthena: Calls = {
  workgroup: [
    'athena:GetQueryExecution',
    'athena:GetQueryResults',
    'athena:StartQueryExecution',
    'athena:StopQueryExecution',
  ],
  catalog: [
    'glue:GetDatabase',
    'glue:GetDatabases',
    'glue:GetPartition',
    'glue:GetPartitions',
    'glue:GetTable',
    'glue:GetTables',
  ],
  defaultCatalog: ['glue:GetDatabase'],
  lakeFiles: ['s3:GetObject'],
  lakeBucket: ['s3:ListBucket'],
  lakeLocation: ['s3:GetBucketLocation'],
  resultFiles: [
    's3:AbortMultipartUpload',
    's3:GetObject',
    's3:ListMultipartUploadParts',
    's3:PutObject',
  ],
  resultBucket: ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'],
};

/** What the Athena console and drivers use besides: saved queries, prepared statements, history, lists. */
const looksAround: Calls = {
  workgroup: [
    'athena:BatchGetNamedQuery',
    'athena:BatchGetQueryExecution',
    'athena:GetNamedQuery',
    'athena:GetPreparedStatement',
    'athena:GetQueryResultsStream',
    'athena:GetQueryRuntimeStatistics',
    'athena:GetWorkGroup',
    'athena:ListNamedQueries',
    'athena:ListPreparedStatements',
    'athena:ListQueryExecutions',
  ],
  dataCatalog: [
    'athena:GetDataCatalog',
    'athena:GetDatabase',
    'athena:GetTableMetadata',
    'athena:ListDatabases',
    'athena:ListTableMetadata',
  ],
  athena: ['athena:ListDataCatalogs', 'athena:ListEngineVersions', 'athena:ListWorkGroups'],
};

/** What a table, its recovery and its exports are. */
const looksAtExports: Calls = {
  tables: ['dynamodb:DescribeContinuousBackups', 'dynamodb:DescribeTable'],
  tableExports: ['dynamodb:DescribeExport'],
  anyExport: ['dynamodb:ListExports'],
};

/** DynamoDB writes an export with the rights of whoever asks for it. */
const asksForExports: Calls = {
  tables: ['dynamodb:ExportTableToPointInTime'],
  exportFiles: ['s3:AbortMultipartUpload', 's3:PutObject', 's3:PutObjectAcl'],
};

/** Commands that call AWS, as `tidelake infra policy` names them. */
export const commandNames = [
  'plan',
  'run',
  'backfill',
  'export',
  'find-tables',
  'assume-roles',
  'upkeep',
  'load',
  'merge',
  'schema-set',
  'schema',
  'status',
  'log',
  'verify',
  'compact',
  'expire',
  'query',
  'unload',
  'query-athena',
  'queries-push',
] as const;
export type CommandName = (typeof commandNames)[number];

/** Rounds of the scheduled job: asking, loading, merging. */
const runsRounds: Calls = together(looksAtExports, asksForExports, readsExports, changesLake, {
  catalog: ['glue:CreateTable'],
});

/** Calls by command. */
export const commandCalls: Readonly<Record<CommandName, Calls>> = {
  plan: together(looksAtExports, readsExports, {
    lakeFiles: ['s3:GetObject'],
    lakeBucket: ['s3:ListBucket'],
    catalog: ['glue:GetTable'],
  }),
  run: runsRounds,
  // Of exports that lie somewhere, DescribeTable is the only question to DynamoDB.
  backfill: runsRounds,
  export: together(
    {
      tables: ['dynamodb:DescribeContinuousBackups', 'dynamodb:DescribeTable'],
      tableExports: ['dynamodb:DescribeExport'],
      // What was asked for before is found by its folder; nothing of it is read.
      exportBucket: ['s3:ListBucket'],
    },
    asksForExports,
  ),
  // What plan, run and export call besides for entries of the configuration by prefix and tag.
  'find-tables': {
    anyTable: ['dynamodb:DescribeTable', 'dynamodb:ListTagsOfResource'],
    tableList: ['dynamodb:ListTables'],
  },
  // What they call besides for entries with `roleArn`.
  'assume-roles': { otherRoles: ['sts:AssumeRole'] },
  // What run calls besides for tables with `upkeep` in the configuration.
  upkeep: { lakeRemovals: ['s3:DeleteObject'], catalog: ['glue:GetTables'] },
  load: together(readsExports, changesLake, { catalog: ['glue:CreateTable'] }),
  merge: together(readsExports, changesLake),
  'schema-set': together(changesLake, { catalog: ['glue:GetTables'] }),
  schema: readsLake,
  status: readsLake,
  log: readsLake,
  verify: readsLake,
  compact: together(changesLake, { catalog: ['glue:GetTables'] }),
  expire: shrinksLake,
  query: readsLake,
  unload: together(readsLake, {
    outFiles: ['s3:AbortMultipartUpload', 's3:PutObject'],
    outBucket: ['s3:ListBucket'],
  }),
  'query-athena': together(runsAthena, readsLake),
  'queries-push': together(readsLake, {
    workgroup: [
      'athena:BatchGetNamedQuery',
      'athena:BatchGetPreparedStatement',
      'athena:CreateNamedQuery',
      'athena:CreatePreparedStatement',
      'athena:DeleteNamedQuery',
      'athena:DeletePreparedStatement',
      'athena:ListNamedQueries',
      'athena:ListPreparedStatements',
      'athena:UpdateNamedQuery',
      'athena:UpdatePreparedStatement',
    ],
  }),
};

export const roleNames = ['exporter', 'merger', 'keeper', 'analyst'] as const;
export type RoleName = (typeof roleNames)[number];

/** Duties, one role each: who may ask for exports, who may change the lake, who may let go of its past, who may ask it. */
export const roleCommands: Readonly<Record<RoleName, readonly CommandName[]>> = {
  exporter: ['export'],
  merger: ['load', 'merge', 'schema-set', 'schema', 'status', 'log', 'verify', 'compact'],
  keeper: ['compact', 'expire', 'status', 'log', 'verify'],
  analyst: ['query-athena', 'query', 'schema', 'status', 'log'],
};

/** All calls of a command or a role. */
export function callsOf(name: CommandName | RoleName): Calls {
  if (!isRole(name)) return commandCalls[name];
  const calls = roleCommands[name].map((command) => commandCalls[command]);
  return together(...calls, ...(name === 'analyst' ? [looksAround] : []));
}

export function isRole(name: string): name is RoleName {
  return (roleNames as readonly string[]).includes(name);
}

/** Calls of several rows as one, actions sorted. */
function together(...rows: readonly Calls[]): Calls {
  const all: Partial<Record<CallPlace, readonly string[]>> = {};
  for (const place of callPlaces) {
    const actions = new Set(rows.flatMap((row) => row[place] ?? []));
    if (actions.size > 0) all[place] = [...actions].sort();
  }
  return all;
}
