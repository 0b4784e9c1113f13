// SQL that runs in Amazon Athena: started, waited for, its pages read, and stopped when nobody waits any more.
// Promises: a query is started once however often the request is sent; waiting is bounded; a failure is told by Athena's
// own reason, without values of rows. Source: Amazon Athena API Reference, StartQueryExecution, GetQueryExecution,
// GetQueryResults, StopQueryExecution, AthenaError.

import type {
  AthenaClient,
  ColumnInfo,
  GetQueryResultsOutput,
  QueryExecution,
  Row,
} from '@aws-sdk/client-athena';
import { TidelakeError } from '../../schemas/errors.js';
import { athenaPollMsMax, athenaPollMsMin, athenaWaitMsMax } from '../../schemas/limits.js';
import type { QueryResult, RemoteSql } from '../ports.js';
import { messageWithoutValues, wholeMessage } from '../query/message-text.js';
import { athenaReader, athenaType } from './athena-values.js';
import { awsError } from './aws-errors.js';

export interface AthenaEngineOptions {
  readonly client: AthenaClient;
  readonly workgroup: string;
  /** Where Athena puts results, `s3://…`; the workgroup's own place unless told. */
  readonly output?: string;
  /** A token of 32 to 128 characters, never the same twice. */
  readonly token: () => string;
  /** Waits; replaced in tests. */
  readonly sleep: (ms: number) => Promise<void>;
  /** A fraction in [0, 1), for waits that do not keep step with others. */
  readonly random: () => number;
}

/** Rows of a page: Athena's most. */
const pageRows = 1000;

/** One statement at a time in one workgroup. Throws QUERY_FAILED, DENIED, THROTTLED, CREDENTIALS, TIME_BUDGET. */
export class AthenaEngine implements RemoteSql {
  readonly #options: AthenaEngineOptions;
  /** The execution that is not known to be at its end. */
  #running: string | null = null;
  #isStopped = false;

  constructor(options: AthenaEngineOptions) {
    this.#options = options;
  }

  async run(statement: Parameters<RemoteSql['run']>[0]): Promise<QueryResult> {
    const id = await this.#start(statement);
    const execution = await this.#wait(id);
    const first = await this.#page(id, undefined);
    const columns = first.ResultSet?.ResultSetMetadata?.ColumnInfo ?? [];
    return {
      columns: columns.map((column) => ({ name: column.Name ?? '', type: athenaType(column) })),
      rows: this.#rows(id, first, columns, hasHeader(execution)),
    };
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    const id = this.#running;
    if (id === null) return;
    this.#running = null;
    const { StopQueryExecutionCommand } = await import('@aws-sdk/client-athena');
    try {
      await this.#options.client.send(new StopQueryExecutionCommand({ QueryExecutionId: id }));
    } catch (error) {
      throw this.#failed(error, 'athena:StopQueryExecution');
    }
  }

  async #start(statement: Parameters<RemoteSql['run']>[0]): Promise<string> {
    const { client, workgroup, output, token } = this.#options;
    const { StartQueryExecutionCommand } = await import('@aws-sdk/client-athena');
    const command = new StartQueryExecutionCommand({
      QueryString: statement.sql,
      ClientRequestToken: token(),
      QueryExecutionContext: { Database: statement.database },
      WorkGroup: workgroup,
      ...(statement.parameters.length === 0
        ? {}
        : { ExecutionParameters: [...statement.parameters] }),
      ...(output === undefined ? {} : { ResultConfiguration: { OutputLocation: output } }),
    });
    try {
      const { QueryExecutionId } = await client.send(command);
      this.#running = QueryExecutionId!;
      return QueryExecutionId!;
    } catch (error) {
      throw this.#failed(error, 'athena:StartQueryExecution');
    }
  }

  async #wait(id: string): Promise<QueryExecution> {
    const { client, sleep, random } = this.#options;
    const { GetQueryExecutionCommand } = await import('@aws-sdk/client-athena');
    let pauseMs = athenaPollMsMin;
    for (let waitedMs = 0; waitedMs < athenaWaitMsMax; ) {
      let execution: QueryExecution | undefined;
      try {
        const command = new GetQueryExecutionCommand({ QueryExecutionId: id });
        execution = (await client.send(command)).QueryExecution;
      } catch (error) {
        // Nobody would read the answer any more. The first error is the one worth telling.
        await this.stop().catch(() => undefined);
        throw this.#failed(error, 'athena:GetQueryExecution');
      }
      const state = execution?.Status?.State;
      if (execution !== undefined && state === 'SUCCEEDED') {
        this.#running = null;
        return execution;
      }
      if (state === 'FAILED' || state === 'CANCELLED') {
        this.#running = null;
        throw queryFailed(id, state, execution);
      }
      if (this.#isStopped) throw stopped(id);
      const ms = pauseMs * (0.5 + random() / 2);
      await sleep(ms);
      waitedMs += ms;
      pauseMs = Math.min(athenaPollMsMax, pauseMs * 1.5);
    }
    await this.stop();
    throw new TidelakeError({
      code: 'TIME_BUDGET',
      what: `query ${id} was still running in Athena after ${Math.round(athenaWaitMsMax / 60_000)} minutes`,
      meaning: 'it was stopped; nothing was changed',
      next: 'ask for less: fewer columns, or a WHERE on the key',
    });
  }

  async *#rows(
    id: string,
    first: GetQueryResultsOutput,
    columns: readonly ColumnInfo[],
    withHeader: boolean,
  ): AsyncGenerator<readonly unknown[]> {
    const readers = columns.map(athenaReader);
    let page = first;
    let skip = withHeader && isHeader(first.ResultSet?.Rows?.[0], columns) ? 1 : 0;
    for (;;) {
      for (const row of page.ResultSet?.Rows?.slice(skip) ?? []) {
        yield readers.map((reader, i) => {
          const text = row.Data?.[i]?.VarCharValue;
          return text === undefined ? null : reader(text);
        });
      }
      if (page.NextToken === undefined) return;
      page = await this.#page(id, page.NextToken);
      skip = 0;
    }
  }

  async #page(id: string, token: string | undefined): Promise<GetQueryResultsOutput> {
    const { GetQueryResultsCommand } = await import('@aws-sdk/client-athena');
    const command = new GetQueryResultsCommand({
      QueryExecutionId: id,
      MaxResults: pageRows,
      ...(token === undefined ? {} : { NextToken: token }),
    });
    try {
      return await this.#options.client.send(command);
    } catch (error) {
      throw this.#failed(error, 'athena:GetQueryResults');
    }
  }

  #failed(error: unknown, action: string): unknown {
    return athenaFailed(error, action, `workgroup ${this.#options.workgroup}`);
  }
}

/** What Athena said to a request that it did not do. An invalid request is told in Athena's words. */
export function athenaFailed(error: unknown, action: string, resource: string): unknown {
  const isInvalid =
    error instanceof Error &&
    (error.name === 'InvalidRequestException' || error.name === 'ResourceNotFoundException');
  if (!isInvalid) return awsError(error, { action, resource });
  return new TidelakeError(
    {
      code: 'QUERY_FAILED',
      what: `Athena refused ${action.split(':')[1]}: ${wholeMessage(error.message)}`,
      meaning: 'nothing was changed',
      next: 'check --workgroup, --output and --database',
    },
    { cause: error },
  );
}

/** Only results of SELECTs begin with the names of the columns. */
function hasHeader(execution: QueryExecution): boolean {
  return execution.StatementType === 'DML';
}

function isHeader(row: Row | undefined, columns: readonly ColumnInfo[]): boolean {
  const texts = row?.Data?.map((datum) => datum.VarCharValue) ?? [];
  return texts.length === columns.length && texts.every((text, i) => text === columns[i]!.Name);
}

/** Trino's error codes, with which Athena's reasons begin, that speak of the statement and quote nothing else. */
const speaksOfStatement =
  /^(SYNTAX_ERROR|\w+_NOT_FOUND|MISSING_\w+|AMBIGUOUS_NAME|TYPE_MISMATCH|DUPLICATE_\w+|NOT_SUPPORTED|INVALID_PARAMETER_USAGE|INVALID_ARGUMENTS|EXPRESSION_NOT_\w+|TABLE_HAS_NO_COLUMNS|INVALID_COLUMN_REFERENCE|\w*(PERMISSION|ACCESS)_DENIED)\b/;

/** `INVALID_CAST_ARGUMENT: Value cannot be cast to date`: what follows a second colon is mostly a value. */
function codeAndKind(reason: string): string {
  return messageWithoutValues(reason.split(':').slice(0, 2).join(':'));
}

function queryFailed(
  id: string,
  state: 'FAILED' | 'CANCELLED',
  execution: QueryExecution | undefined,
): TidelakeError {
  const reason = execution?.Status?.StateChangeReason ?? '';
  const text = speaksOfStatement.test(reason) ? wholeMessage(reason) : codeAndKind(reason);
  const isDenied = /^\w*(PERMISSION|ACCESS)_DENIED\b/.test(reason);
  const isRetryable = execution?.Status?.AthenaError?.Retryable === true;
  const what = state === 'CANCELLED' ? 'was cancelled in Athena' : 'failed in Athena';
  return new TidelakeError({
    code: isDenied ? 'DENIED' : 'QUERY_FAILED',
    what: `query ${id} ${what}${text === '' ? '' : `: ${text}`}`,
    meaning: 'nothing was changed',
    next: isDenied
      ? 'allow this role to read the table in Glue and its files in S3'
      : isRetryable
        ? 'run the same command again'
        : '',
  });
}

function stopped(id: string): TidelakeError {
  return new TidelakeError({
    code: 'QUERY_FAILED',
    what: `query ${id} was stopped`,
    meaning: 'nothing was changed',
    next: '',
  });
}
