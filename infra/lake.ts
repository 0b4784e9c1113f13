// A lake in AWS: where exports land, where the lake lies, how it is asked, and who may do what.
// Promises: nothing here deletes what a person has not deleted first: no rule expires exports or files of the lake, and
// buckets, keys and the database outlive the stack. Every role has the least rights its commands need.
// Source: docs/how-to/infrastructure.md; Amazon S3 User Guide, "Managing the lifecycle of objects".

import { CfnOutput, Fn, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import { CfnWorkGroup } from 'aws-cdk-lib/aws-athena';
import { CfnDatabase } from 'aws-cdk-lib/aws-glue';
import type { Role } from 'aws-cdk-lib/aws-iam';
import { S3_SERVER_ACCESS_LOGS_USE_BUCKET_POLICY } from 'aws-cdk-lib/cx-api';
import { Construct } from 'constructs';
import type { RoleName } from '../pipeline/aws/permissions.js';
import type { BucketPlace, PolicyPlaces } from '../pipeline/aws/policy.js';
import { type LakeBuckets, makeBuckets } from './buckets.js';
import { makeRole } from './roles.js';
import { Runner, type RunnerProps } from './runner.js';
import type { RunnerSettings } from './runner-settings.js';
import { type NamedQuery, saveQueries } from './saved-queries.js';

export interface LakeProps {
  /** Begins the names of buckets (`<name>-lake-<account>-<region>`) and is the workgroup's. Small letters, digits and
   *  `-`, at most 20. */
  readonly lakeName: string;
  /** Glue database. Small letters, digits and `_`. */
  readonly database: string;
  /** ARNs of the DynamoDB tables whose exports the lake is made of. */
  readonly tableArns: readonly string[];
  /** Folder of exports in their bucket, without slashes at its ends. */
  readonly exportsPrefix: string;
  /** Folder of the lake in its bucket, without slashes at its ends. VACUUM in Athena fails on a lake without one. */
  readonly lakePrefix: string;
  /** Buckets, by name, and the database, that exist already, e.g. since an earlier stack was deleted. The roles get their
   *  rights on them; nothing of them is changed. */
  readonly existing?:
    | {
        readonly exports?: string | undefined;
        readonly lake?: string | undefined;
        readonly results?: string | undefined;
        /** The Glue database exists too. */
        readonly database?: boolean | undefined;
      }
    | undefined;
  /** `s3`: S3's own keys, at no cost. `kms`: one KMS key for each bucket, made here. Or ARNs of KMS keys that exist,
   *  whose policies let IAM of this account decide. */
  readonly encryption:
    | 's3'
    | 'kms'
    | { readonly exports: string; readonly lake: string; readonly results: string };
  /** Results of queries are deleted after this many days. */
  readonly resultsDays: number;
  /** Exports and files of the lake that somebody deleted can be brought back for this many days. */
  readonly undeleteDays: number;
  /** Access logs are deleted after this many days. */
  readonly accessLogDays: number;
  /** A query that scans more bytes than this is stopped; at least 10 MB. */
  readonly scanBytesMax: number;
  /** The merger may delete data and metadata files of the lake, and so removes what its own lost attempts left. Without
   *  it such files stay, in no snapshot, until VACUUM removes them. */
  readonly mayTidy: boolean;
  /** Services that may run as exporter, merger or keeper for this account, e.g. `ecs-tasks.amazonaws.com`. */
  readonly runners?: readonly string[];
  /** ARNs of roles in other accounts that may write exports of their tables here. */
  readonly foreignExporters?: readonly string[];
  /** Named queries of the workgroup. */
  readonly savedQueries: readonly NamedQuery[];
  /** The scheduled job; without it somebody else runs it. */
  readonly runner?: LakeRunner | undefined;
}

/** The scheduled job of a lake, and what only the lake's builder knows of it. */
export type LakeRunner = RunnerSettings & Pick<RunnerProps, 'lakeTables' | 'when'>;

/** Buckets, Glue database, Athena workgroup with its saved queries, and the roles exporter, merger, keeper and analyst. */
export class Lake extends Construct {
  readonly buckets: LakeBuckets;
  readonly roles: Readonly<Record<RoleName, Role>>;
  readonly runner: Runner | null;

  constructor(scope: Construct, id: string, props: LakeProps) {
    super(scope, id);
    const { partition, region, account } = Stack.of(this);
    // Delivery of access logs by bucket policy: buckets here know no ACLs.
    this.node.setContext(S3_SERVER_ACCESS_LOGS_USE_BUCKET_POLICY, true);
    this.buckets = makeBuckets(this, props);
    const { exports, lake, results } = this.buckets;

    if (props.existing?.database !== true) makeDatabase(this, props, lake);

    const workgroup = new CfnWorkGroup(this, 'Workgroup', {
      name: props.lakeName,
      description: 'Questions to the lake. Settings are enforced, large scans are stopped.',
      recursiveDeleteOption: true,
      workGroupConfiguration: {
        // Without this each client chooses where its results go, and how they are encrypted.
        enforceWorkGroupConfiguration: true,
        publishCloudWatchMetricsEnabled: true,
        requesterPaysEnabled: false,
        bytesScannedCutoffPerQuery: props.scanBytesMax,
        engineVersion: { selectedEngineVersion: 'Athena engine version 3' },
        resultConfiguration: {
          outputLocation: `s3://${results.bucket}/athena/`,
          expectedBucketOwner: account,
          encryptionConfiguration:
            results.keyArn === undefined
              ? { encryptionOption: 'SSE_S3' }
              : { encryptionOption: 'SSE_KMS', kmsKey: results.keyArn },
        },
      },
    });
    saveQueries(this, workgroup, props.database, props.savedQueries);

    const places: PolicyPlaces = {
      partition,
      region,
      account,
      tableArns: props.tableArns,
      exportArns: exportArns(props.tableArns),
      exports,
      lake,
      results,
      database: props.database,
      workgroup: props.lakeName,
    };
    const role = (name: RoleName): Role => makeRole(this, name, places, props);
    this.roles = {
      exporter: role('exporter'),
      merger: role('merger'),
      keeper: role('keeper'),
      analyst: role('analyst'),
    };
    this.runner =
      props.runner === undefined
        ? null
        : new Runner(this, 'Job', {
            ...props.runner,
            lakeName: props.lakeName,
            places: { ...places, exports, lake, database: props.database },
            tableArns: props.tableArns,
            mayTidy: props.mayTidy,
          });

    const output = (key: string, value: string, description: string): void => {
      new CfnOutput(this, `${key}Output`, { value, description }).overrideLogicalId(key);
    };
    output('ExportsUri', `s3://${exports.bucket}/${folder(props.exportsPrefix)}`, 'For exports');
    output('LakeUri', `s3://${lake.bucket}/${folder(props.lakePrefix)}`, 'For --lake');
    output('Database', props.database, 'For --database');
    output('Workgroup', props.lakeName, 'Athena workgroup');
    output('ExporterRoleArn', this.roles.exporter.roleArn, 'Asks DynamoDB for exports');
    output('MergerRoleArn', this.roles.merger.roleArn, 'Loads and merges');
    output('KeeperRoleArn', this.roles.keeper.roleArn, 'Compacts, and lets old snapshots go');
    output('AnalystRoleArn', this.roles.analyst.roleArn, 'Asks the lake');
  }
}

function makeDatabase(scope: Construct, props: LakeProps, lake: BucketPlace): void {
  const database = new CfnDatabase(scope, 'Database', {
    catalogId: Stack.of(scope).account,
    databaseInput: {
      name: props.database,
      description: 'Tables made of DynamoDB exports by Tidelake',
      locationUri: `s3://${lake.bucket}/${folder(props.lakePrefix)}${props.database}/`,
    },
  });
  // Deleting a database deletes the tables in it; and the pointer of a table is its last commit.
  database.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
}

function folder(prefix: string): string {
  return prefix === '' ? '' : `${prefix}/`;
}

/** What the stack of a lake says of itself. */
export const stackDescription =
  'Tidelake: DynamoDB exports as Apache Iceberg tables, asked with Athena';

/** A list that is known at deployment only is extended by joining and splitting it. */
function exportArns(tableArns: readonly string[]): readonly string[] {
  if (!Token.isUnresolved(tableArns)) return tableArns.map((arn) => `${arn}/export/*`);
  return Fn.split(',', Fn.join('', [Fn.join('/export/*,', [...tableArns]), '/export/*']));
}
