// DynamoDB over the AWS SDK, as far as exports need it: what a table is, what can be recovered, which exports there are, and
// asking for one.
// Promises: nothing here reads or writes an item; a table or an export that is not there is null; what DynamoDB refuses is
// Tidelake's refusal of that name; an answer that lacks what its reference promises is an error and never a guess.
// Source: Amazon DynamoDB API Reference, DescribeTable, DescribeContinuousBackups, ListExports, DescribeExport,
// ExportTableToPointInTime, ListTables, ListTagsOfResource.

import type {
  DynamoDBClient,
  ExportDescription,
  ExportTableToPointInTimeCommandInput,
} from '@aws-sdk/client-dynamodb';
import { refuse, TidelakeError } from '../../schemas/errors.js';
import type {
  ExportRequest,
  ExportSubject,
  KnownExport,
  PitrFacts,
} from '../../schemas/table-exports.js';
import { formatInstant } from '../lake/lake-state.js';
import type { ListedExport, TableDescription, TableExports } from '../ports.js';
import { recoveryCommand } from '../schedule/recovery-command.js';
import { awsError, faultOf, isThrottling, isTransient } from './aws-errors.js';
import type { AwsClients } from './clients.js';

type Sdk = typeof import('@aws-sdk/client-dynamodb');

/** ListExports gives 25 at most (API Reference, ListExports, MaxResults). */
const listedMax = 25;

const unchanged = 'nothing was asked for; the lake is as it was';

export class DynamoDbTableExports implements TableExports {
  readonly #clients: Pick<AwsClients, 'dynamodb' | 'dynamodbOnce'>;

  constructor(clients: Pick<AwsClients, 'dynamodb' | 'dynamodbOnce'>) {
    this.#clients = clients;
  }

  async describeTable(table: string): Promise<TableDescription | null> {
    const answer = await this.#ask('dynamodb:DescribeTable', table, (client, sdk) =>
      client.send(new sdk.DescribeTableCommand({ TableName: table })),
    );
    const found = answer?.Table;
    if (found === undefined) return null;
    const keyOf = (type: 'HASH' | 'RANGE'): string[] =>
      (found.KeySchema ?? []).flatMap((one) =>
        one.KeyType === type && one.AttributeName !== undefined ? [one.AttributeName] : [],
      );
    return {
      tableArn: needed(found.TableArn, 'TableArn', table),
      tableName: needed(found.TableName, 'TableName', table),
      tableId: needed(found.TableId, 'TableId', table),
      createdMs: needed(found.CreationDateTime, 'CreationDateTime', table).getTime(),
      key: [...keyOf('HASH'), ...keyOf('RANGE')],
      status: found.TableStatus ?? 'UNKNOWN',
      sizeBytes: found.TableSizeBytes ?? 0,
      itemCount: found.ItemCount ?? 0,
    };
  }

  /** A table that is being made or deleted has no recovery that could be used. Throws REFUSED_NO_TABLE. */
  async describePitr(table: string): Promise<PitrFacts> {
    const action = 'dynamodb:DescribeContinuousBackups';
    const answer = await this.#ask(action, table, (client, sdk) =>
      client.send(new sdk.DescribeContinuousBackupsCommand({ TableName: table })),
    );
    if (answer === null) throw noTable(table);
    const pitr = answer.ContinuousBackupsDescription?.PointInTimeRecoveryDescription;
    if (pitr?.PointInTimeRecoveryStatus !== 'ENABLED') {
      return { isEnabled: false, earliestMs: null, latestMs: null, periodDays: null };
    }
    return {
      isEnabled: true,
      earliestMs: pitr.EarliestRestorableDateTime?.getTime() ?? null,
      latestMs: pitr.LatestRestorableDateTime?.getTime() ?? null,
      periodDays: pitr.RecoveryPeriodInDays ?? null,
    };
  }

  async *listExports(tableArn: string): AsyncGenerator<ListedExport> {
    let NextToken: string | undefined;
    do {
      const page = await this.#ask('dynamodb:ListExports', tableArn, (client, sdk) =>
        client.send(
          new sdk.ListExportsCommand({ TableArn: tableArn, MaxResults: listedMax, NextToken }),
        ),
      );
      for (const one of page?.ExportSummaries ?? []) {
        const { ExportArn, ExportStatus, ExportType = 'FULL_EXPORT' } = one;
        // A state of a later version of the service is no reason to stop: DescribeExport is asked what it is.
        if (ExportArn === undefined) continue;
        yield { exportArn: ExportArn, state: ExportStatus ?? 'IN_PROGRESS', type: ExportType };
      }
      NextToken = page?.NextToken;
    } while (NextToken !== undefined);
  }

  async describeExport(exportArn: string): Promise<KnownExport | null> {
    const answer = await this.#ask('dynamodb:DescribeExport', exportArn, (client, sdk) =>
      client.send(new sdk.DescribeExportCommand({ ExportArn: exportArn })),
    );
    const described = answer?.ExportDescription;
    return described === undefined ? null : knownExport(described, exportArn);
  }

  /**
   * Throws THROTTLED when too many exports are in progress (in the account: no fault of the table), REFUSED_TOO_FRESH and
   * REFUSED_OUTSIDE_PITR for what cannot be exported yet or any more, REFUSED_PITR_OFF, REFUSED_NO_TABLE.
   */
  async requestExport(request: ExportRequest): Promise<string> {
    const { ExportTableToPointInTimeCommand } = await import('@aws-sdk/client-dynamodb');
    const input = inputOf(request);
    const ask = async (client: DynamoDBClient) =>
      client.send(new ExportTableToPointInTimeCommand(input));
    try {
      const answer = await ask(await this.#clients.dynamodbOnce()).catch(async (error) => {
        const fault = faultOf(error);
        const isWorthIt =
          fault !== null &&
          fault.code !== 'LimitExceededException' &&
          (isTransient(fault) || isThrottling(fault));
        // With the same token, asking again is the same export.
        if (isWorthIt) return ask(await this.#clients.dynamodb());
        throw error;
      });
      return needed(answer.ExportDescription?.ExportArn, 'ExportArn', request.tableArn);
    } catch (error) {
      throw await this.#refusedRequest(error, request);
    }
  }

  async *listTables(): AsyncGenerator<string> {
    let ExclusiveStartTableName: string | undefined;
    do {
      const page = await this.#ask('dynamodb:ListTables', '*', (client, sdk) =>
        client.send(new sdk.ListTablesCommand({ ExclusiveStartTableName })),
      );
      yield* page?.TableNames ?? [];
      ExclusiveStartTableName = page?.LastEvaluatedTableName;
    } while (ExclusiveStartTableName !== undefined);
  }

  async tagsOf(tableArn: string): Promise<ReadonlyMap<string, string>> {
    const tags = new Map<string, string>();
    let NextToken: string | undefined;
    do {
      const page = await this.#ask('dynamodb:ListTagsOfResource', tableArn, (client, sdk) =>
        client.send(new sdk.ListTagsOfResourceCommand({ ResourceArn: tableArn, NextToken })),
      );
      for (const { Key, Value } of page?.Tags ?? []) {
        if (Key !== undefined) tags.set(Key, Value ?? '');
      }
      NextToken = page?.NextToken;
    } while (NextToken !== undefined);
    return tags;
  }

  /** Null: what was asked about is not there. */
  async #ask<T>(
    action: string,
    resource: string,
    call: (client: DynamoDBClient, sdk: Sdk) => Promise<T>,
  ): Promise<T | null> {
    try {
      const sdk = await import('@aws-sdk/client-dynamodb');
      return await call(await this.#clients.dynamodb(), sdk);
    } catch (error) {
      if (missing.has(faultOf(error)?.code ?? '')) return null;
      throw awsError(error, { action, resource });
    }
  }

  async #refusedRequest(error: unknown, request: ExportRequest): Promise<unknown> {
    const { tableArn, subject } = request;
    const asked = `the export of ${textOf(subject)} of ${tableArn}`;
    switch (faultOf(error)?.code) {
      case 'LimitExceededException':
        return new TidelakeError(
          {
            code: 'THROTTLED',
            what: `${asked} was not begun: too many exports of the account are in progress`,
            meaning: unchanged,
            next: 'run the same command again when some have ended',
          },
          { cause: error },
        );
      case 'PointInTimeRecoveryUnavailableException':
        return refuse(
          'REFUSED_PITR_OFF',
          `${asked} cannot be made: point-in-time recovery is off`,
          unchanged,
          recoveryCommand(tableArn),
        );
      case 'TableNotFoundException':
      case 'ResourceNotFoundException':
        return noTable(tableArn);
      case 'InvalidExportTimeException':
        return this.#outside(request, asked);
      case 'ExportConflictException':
        return new TidelakeError(
          {
            code: 'SERVICE_FAILED',
            what: `${asked} was not begun: it conflicts with another one (ExportConflictException)`,
            meaning: unchanged,
            next: 'run the same command again; if it stays, see what else writes to that place in S3',
          },
          { cause: error },
        );
      default:
        return awsError(error, {
          action: 'dynamodb:ExportTableToPointInTime',
          resource: tableArn,
        });
    }
  }

  /** DynamoDB has one name for too fresh and too old; what can be recovered says which. */
  async #outside({ tableArn, subject }: ExportRequest, asked: string): Promise<TidelakeError> {
    const { earliestMs, latestMs } = await this.describePitr(tableArn);
    const isFull = subject.type === 'FULL_EXPORT';
    const firstMs = isFull ? subject.exportTimeMs : subject.window.fromMs;
    if (earliestMs !== null && firstMs < earliestMs) {
      return refuse(
        'REFUSED_OUTSIDE_PITR',
        `${asked} cannot be made: exports begin at ${formatInstant(earliestMs)}`,
        unchanged,
        'ask for a later one',
      );
    }
    const until = latestMs === null ? '' : `: exports reach ${formatInstant(latestMs)}`;
    return refuse(
      'REFUSED_TOO_FRESH',
      `${asked} cannot be made yet${until}`,
      unchanged,
      'run the same command again a few minutes later',
    );
  }
}

const missing: ReadonlySet<string> = new Set([
  'ResourceNotFoundException',
  'TableNotFoundException',
  'ExportNotFoundException',
]);

function noTable(table: string): TidelakeError {
  return refuse(
    'REFUSED_NO_TABLE',
    `there is no DynamoDB table ${table}`,
    unchanged,
    'check the name, the Region and the account: aws dynamodb list-tables',
  );
}

function needed<T>(value: T | undefined, member: string, resource: string): T {
  if (value !== undefined) return value;
  throw new TidelakeError({
    code: 'SERVICE_FAILED',
    what: `DynamoDB's answer about ${resource} has no ${member}`,
    meaning: 'nothing was committed; the lake is as it was',
    next: 'see whether the endpoint is the right one, then run the same command again',
  });
}

function textOf(subject: ExportSubject): string {
  if (subject.type === 'FULL_EXPORT') return `the state at ${formatInstant(subject.exportTimeMs)}`;
  const { fromMs, toMs } = subject.window;
  return `[${formatInstant(fromMs)}, ${formatInstant(toMs)})`;
}

function inputOf(request: ExportRequest): ExportTableToPointInTimeCommandInput {
  const { tableArn, subject, destination, s3Prefix, clientToken } = request;
  const { s3Bucket, s3BucketOwner, s3SseAlgorithm, s3SseKmsKeyId } = destination;
  return {
    TableArn: tableArn,
    ClientToken: clientToken,
    ExportFormat: 'DYNAMODB_JSON',
    ExportType: subject.type,
    ...(subject.type === 'FULL_EXPORT'
      ? { ExportTime: new Date(subject.exportTimeMs) }
      : {
          IncrementalExportSpecification: {
            ExportFromTime: new Date(subject.window.fromMs),
            ExportToTime: new Date(subject.window.toMs),
            ExportViewType: subject.view,
          },
        }),
    S3Bucket: s3Bucket,
    S3Prefix: s3Prefix,
    ...(s3BucketOwner === null ? {} : { S3BucketOwner: s3BucketOwner }),
    ...(s3SseAlgorithm === null ? {} : { S3SseAlgorithm: s3SseAlgorithm }),
    ...(s3SseKmsKeyId === null ? {} : { S3SseKmsKeyId: s3SseKmsKeyId }),
  };
}

function knownExport(one: ExportDescription, exportArn: string): KnownExport {
  const s3Bucket = one.S3Bucket ?? null;
  const s3Prefix = (one.S3Prefix ?? '').replace(/^\/+|\/+$/g, '');
  const state = stateOf(one);
  const base = {
    exportArn,
    tableId: needed(one.TableId, 'TableId', exportArn),
    state,
    failureCode: one.FailureCode ?? null,
    clientToken: one.ClientToken ?? null,
    s3Bucket,
    s3Prefix,
    summaryUri:
      state !== 'COMPLETED' || s3Bucket === null
        ? null
        : `s3://${s3Bucket}/${summaryKey(exportArn, s3Prefix)}`,
    requestedAtMs: needed(one.StartTime, 'StartTime', exportArn).getTime(),
    billedBytes: one.BilledSizeBytes ?? null,
    isReadable: one.ExportFormat === 'DYNAMODB_JSON' && one.FilterSpecification === undefined,
  };
  if (one.ExportType !== 'INCREMENTAL_EXPORT') {
    const exportTimeMs = needed(one.ExportTime, 'ExportTime', exportArn).getTime();
    return { ...base, type: 'FULL_EXPORT', exportTimeMs };
  }
  const window = one.IncrementalExportSpecification;
  return {
    ...base,
    type: 'INCREMENTAL_EXPORT',
    window: {
      fromMs: needed(window?.ExportFromTime, 'ExportFromTime', exportArn).getTime(),
      toMs: needed(window?.ExportToTime, 'ExportToTime', exportArn).getTime(),
    },
  };
}

/** A state that nobody knows yet is taken for one that goes on: it may neither be used nor be replaced by another export. */
function stateOf({ ExportStatus }: ExportDescription): KnownExport['state'] {
  return ExportStatus === 'COMPLETED' || ExportStatus === 'FAILED' ? ExportStatus : 'IN_PROGRESS';
}

/** Where an export's summary lies follows from its prefix and id. ExportManifest is not used: whether it has the prefix in it
 *  differs between AWS's own examples. */
function summaryKey(exportArn: string, s3Prefix: string): string {
  const folder = s3Prefix === '' ? '' : `${s3Prefix}/`;
  return `${folder}AWSDynamoDB/${exportArn.slice(exportArn.lastIndexOf('/') + 1)}/manifest-summary.json`;
}
