// Athena's query executions in the simulator: QUEUED, RUNNING, then SUCCEEDED, FAILED or CANCELLED for good.
// Promises: one execution per request token; parameters and EXECUTE as in Athena; results in pages, the column names
// first; an execution that a killed simulator left behind has FAILED. Source: Amazon Athena API Reference,
// StartQueryExecution, GetQueryExecution, GetQueryResults, StopQueryExecution; User Guide, "Use prepared statements".

import { z } from 'zod';
import type { Clock, Ids } from '../../ports.js';
import { sqlPieces } from '../../query/sql-text.js';
import { checked, form, invalid, pageForm, pageOf, parametersForm } from './athena-call.js';
import type { AthenaSaved } from './athena-saved.js';
import type { AthenaWorkGroups } from './athena-workgroups.js';
import type { SimDocuments } from './service.js';

/** An answer as Athena keeps it: types in Trino's words, values as text. */
export interface SqlAnswer {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/**
 * Runs SQL with a literal for each `?`. Throws an Error whose message becomes the reason of the failure.
 * Rows beyond `resultRowsMax` need not be given.
 */
export type RunSql = (
  sql: string,
  parameters: readonly string[],
  database: string | null,
) => Promise<SqlAnswer>;

/** Rows the simulator keeps of one answer; a query with more fails, since a document is held in memory. */
export const resultRowsMax = 200_000;

const finalStates: readonly string[] = ['SUCCEEDED', 'FAILED', 'CANCELLED'];

interface Execution {
  readonly QueryExecutionId: string;
  readonly Query: string;
  readonly StatementType: 'DML' | 'DDL' | 'UTILITY';
  readonly ResultConfiguration: { readonly OutputLocation: string };
  readonly QueryExecutionContext: { readonly Database?: string; readonly Catalog?: string };
  readonly WorkGroup: string;
  readonly ExecutionParameters?: readonly string[];
  readonly EngineVersion: object;
  Status: {
    State: string;
    StateChangeReason?: string;
    /** Seconds since the epoch. */
    readonly SubmissionDateTime: number;
    CompletionDateTime?: number;
    AthenaError?: object;
  };
  readonly Statistics: object;
  /** Counts executions, so that of those of one instant the newest can be listed first. */
  readonly order: number;
}

const startForm = z.object({
  QueryString: form.queryString,
  ClientRequestToken: form.token.optional(),
  QueryExecutionContext: z
    .object({ Database: form.database.optional(), Catalog: z.string().optional() })
    .optional(),
  ResultConfiguration: z.looseObject({ OutputLocation: z.string().optional() }).optional(),
  WorkGroup: form.workGroup.optional(),
  ExecutionParameters: parametersForm.optional(),
});
type StartInput = z.infer<typeof startForm>;

export interface AthenaExecutionsOptions {
  readonly documents: SimDocuments;
  readonly workGroups: AthenaWorkGroups;
  readonly saved: AthenaSaved;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly runSql: RunSql;
}

const prefix = 'athena/executions/';

export class AthenaExecutions {
  readonly #options: AthenaExecutionsOptions;
  /** Executions of this process that are not at their end. */
  readonly #live = new Map<string, Execution>();
  #started = 0;
  /** The move before the next one. */
  #moves: Promise<unknown> = Promise.resolve();
  /** Why the state of an execution could not be kept; every call then says so. */
  #broken: unknown = null;

  constructor(options: AthenaExecutionsOptions) {
    this.#options = options;
  }

  async start(input: unknown): Promise<object> {
    if (this.#broken !== null) throw this.#broken;
    const given = checked(startForm, input);
    const { documents, ids } = this.#options;
    const { ClientRequestToken: token, ...request } = given;
    const text = JSON.stringify(request);
    const tokenDocument = token === undefined ? null : `athena/tokens/${token}`;
    const earlier = tokenDocument === null ? null : await documents.get(tokenDocument);
    if (earlier !== null) {
      const before = earlier as { readonly id: string; readonly text: string };
      if (before.text === text) return { QueryExecutionId: before.id };
      throw invalid('Idempotent parameters do not match', 'IDEMPOTENT_PARAMETER_MISMATCH');
    }
    const execution = await this.#queued(given, ids.uuid());
    const id = execution.QueryExecutionId;
    await documents.put(prefix + id, execution);
    this.#live.set(id, execution);
    if (tokenDocument !== null) await documents.put(tokenDocument, { id, text });
    this.#run(execution).catch((error: unknown) => {
      this.#broken = error;
    });
    return { QueryExecutionId: id };
  }

  async #queued(given: StartInput, id: string): Promise<Execution> {
    const workGroup = await this.#options.workGroups.named(given.WorkGroup);
    if (workGroup.State !== 'ENABLED') throw invalid(`WorkGroup ${workGroup.Name} is disabled.`);
    const { ResultConfiguration, EnforceWorkGroupConfiguration } = workGroup.Configuration;
    const own = ResultConfiguration?.OutputLocation;
    const asked = given.ResultConfiguration?.OutputLocation;
    const output = EnforceWorkGroupConfiguration === true ? own : (asked ?? own);
    if (output === undefined) {
      throw invalid(
        'No output location provided. An output location is required either through the Workgroup result configuration setting or as an API input.',
      );
    }
    const { Database, Catalog } = given.QueryExecutionContext ?? {};
    return {
      QueryExecutionId: id,
      Query: given.QueryString,
      StatementType: statementType(given.QueryString),
      ResultConfiguration: { OutputLocation: `${output.replace(/\/*$/, '')}/${id}.csv` },
      QueryExecutionContext: {
        ...(Database === undefined ? {} : { Database }),
        ...(Catalog === undefined ? {} : { Catalog }),
      },
      WorkGroup: workGroup.Name,
      ...(given.ExecutionParameters === undefined
        ? {}
        : { ExecutionParameters: given.ExecutionParameters }),
      EngineVersion: {
        SelectedEngineVersion: 'AUTO',
        EffectiveEngineVersion: 'Athena engine version 3',
      },
      Status: { State: 'QUEUED', SubmissionDateTime: this.#now() },
      Statistics: { DataScannedInBytes: 0, EngineExecutionTimeInMillis: 0 },
      order: this.#started++,
    };
  }

  async #run(execution: Execution): Promise<void> {
    const { documents, runSql } = this.#options;
    if (!(await this.#moveTo(execution, { State: 'RUNNING' }))) return;
    try {
      const { sql, parameters } = await this.#statementOf(execution);
      const database = execution.QueryExecutionContext.Database ?? null;
      const answer =
        sql === null ? { columns: [], rows: [] } : await runSql(sql, parameters, database);
      if (answer.rows.length > resultRowsMax) {
        throw new Error(`the simulator keeps answers of up to ${resultRowsMax} rows`);
      }
      await documents.put(`athena/results/${execution.QueryExecutionId}`, answer);
      await this.#moveTo(execution, { State: 'SUCCEEDED' });
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'the query failed';
      await this.#moveTo(execution, {
        State: 'FAILED',
        StateChangeReason: reason,
        AthenaError: { ErrorCategory: 2, ErrorType: 1006, ErrorMessage: reason, Retryable: false },
      });
    }
  }

  /** Moves an execution on, unless it is at its end. What is told is durable; one move follows the other. */
  #moveTo(execution: Execution, change: Partial<Execution['Status']>): Promise<boolean> {
    const move = this.#moves.then(async () => {
      if (finalStates.includes(execution.Status.State)) return false;
      const isFinal = finalStates.includes(change.State ?? '');
      const Status = {
        ...execution.Status,
        ...change,
        ...(isFinal ? { CompletionDateTime: this.#now() } : {}),
      };
      await this.#options.documents.put(prefix + execution.QueryExecutionId, {
        ...execution,
        Status,
      });
      execution.Status = Status;
      if (isFinal) this.#live.delete(execution.QueryExecutionId);
      return true;
    });
    this.#moves = move.catch(() => undefined);
    return move;
  }

  /** What an execution runs: its own text, or that of the statement it executes; null when it only keeps a statement. */
  async #statementOf(
    execution: Execution,
  ): Promise<{ readonly sql: string | null; readonly parameters: readonly string[] }> {
    const { saved } = this.#options;
    const { WorkGroup, ExecutionParameters: given = [] } = execution;
    const text = execution.Query.trim().replace(/;\s*$/, '');
    const prepare = /^PREPARE\s+(\w+)\s+FROM\s+([\s\S]+)$/i.exec(text);
    if (prepare !== null) {
      const [, StatementName, QueryStatement] = prepare;
      await saved.createStatement({ StatementName, QueryStatement, WorkGroup });
      return { sql: null, parameters: [] };
    }
    const drop = /^DEALLOCATE\s+PREPARE\s+(\w+)$/i.exec(text);
    if (drop !== null) {
      await saved.deleteStatement({ StatementName: drop[1], WorkGroup });
      return { sql: null, parameters: [] };
    }
    const execute = /^EXECUTE\s+([\w@:]+)(?:\s+USING\s+([\s\S]+))?$/i.exec(text);
    if (execute === null) return withPlaces(text, given);
    const statement = await saved.statement(WorkGroup, execute[1]!);
    if (statement === null) throw new Error(`PREPARED_STATEMENT_NOT_FOUND: ${execute[1]}`);
    const using = execute[2] === undefined ? given : splitList(execute[2]);
    return withPlaces(statement.QueryStatement, using);
  }

  async get(input: unknown): Promise<object> {
    const { QueryExecutionId } = checked(z.object({ QueryExecutionId: form.id }), input);
    return { QueryExecution: shown(await this.#execution(QueryExecutionId)) };
  }

  async batchGet(input: unknown): Promise<object> {
    const { QueryExecutionIds } = checked(
      z.object({ QueryExecutionIds: z.array(form.id).min(1).max(50) }),
      input,
    );
    const QueryExecutions: object[] = [];
    const UnprocessedQueryExecutionIds: object[] = [];
    for (const id of QueryExecutionIds) {
      const found = await this.#find(id);
      if (found !== null) QueryExecutions.push(shown(found));
      else
        UnprocessedQueryExecutionIds.push({
          QueryExecutionId: id,
          ErrorCode: 'NOT_FOUND',
          ErrorMessage: `QueryExecution ${id} was not found`,
        });
    }
    return { QueryExecutions, UnprocessedQueryExecutionIds };
  }

  async list(input: unknown): Promise<object> {
    const { WorkGroup, ...page } = checked(
      z.object({
        WorkGroup: form.workGroup.optional(),
        NextToken: form.nextToken.optional(),
        MaxResults: pageForm(50).optional(),
      }),
      input,
    );
    const { documents, workGroups } = this.#options;
    const { Name } = await workGroups.named(WorkGroup);
    const all: Execution[] = [];
    for (const name of await documents.names(prefix)) {
      const found = (await documents.get(name)) as Execution | null;
      if (found?.WorkGroup === Name) all.push(found);
    }
    all.sort(
      (a, b) => b.Status.SubmissionDateTime - a.Status.SubmissionDateTime || b.order - a.order,
    );
    const { items, next } = pageOf(all, page, 50);
    return { QueryExecutionIds: items.map((one) => one.QueryExecutionId), ...next };
  }

  async stop(input: unknown): Promise<object> {
    const { QueryExecutionId } = checked(z.object({ QueryExecutionId: form.id }), input);
    const execution = await this.#execution(QueryExecutionId);
    await this.#moveTo(execution, {
      State: 'CANCELLED',
      StateChangeReason: 'Query cancelled by user',
    });
    return {};
  }

  async results(input: unknown): Promise<object> {
    const { QueryExecutionId, ...page } = checked(
      z.object({
        QueryExecutionId: form.id,
        NextToken: form.nextToken.optional(),
        MaxResults: pageForm(1000).optional(),
      }),
      input,
    );
    const execution = await this.#execution(QueryExecutionId);
    const { State, StateChangeReason } = execution.Status;
    if (State === 'FAILED' || State === 'CANCELLED') {
      throw invalid(
        `Query did not finish successfully. Final query state: ${State} ${StateChangeReason ?? ''}`.trim(),
      );
    }
    if (State !== 'SUCCEEDED') {
      throw invalid(
        `Query has not yet finished. Current state: ${State}`,
        'INVALID_QUERY_EXECUTION_STATE',
      );
    }
    const answer = (await this.#options.documents.get(
      `athena/results/${QueryExecutionId}`,
    )) as SqlAnswer;
    // The first row of the first page holds the names.
    const header =
      execution.StatementType === 'DML' ? [answer.columns.map(({ name }) => name)] : [];
    const { items, next } = pageOf([...header, ...answer.rows], page, 1000);
    return {
      UpdateCount: 0,
      ResultSet: {
        Rows: items.map((row) => ({
          Data: row.map((value) => (value === null ? {} : { VarCharValue: value })),
        })),
        ResultSetMetadata: { ColumnInfo: answer.columns.map(columnInfo) },
      },
      ...next,
    };
  }

  async #execution(id: string): Promise<Execution> {
    const found = await this.#find(id);
    if (found === null)
      throw invalid(`QueryExecution ${id} was not found`, 'QUERY_EXECUTION_NOT_FOUND');
    return found;
  }

  async #find(id: string): Promise<Execution | null> {
    if (this.#broken !== null) throw this.#broken;
    const live = this.#live.get(id);
    if (live !== undefined) return live;
    const found = (await this.#options.documents.get(prefix + id)) as Execution | null;
    if (found === null || finalStates.includes(found.Status.State)) return found;
    await this.#moveTo(found, {
      State: 'FAILED',
      StateChangeReason: 'INTERNAL_ERROR: the simulator was stopped while the query ran',
    });
    return found;
  }

  #now(): number {
    return this.#options.clock.nowMs() / 1000;
  }
}

function shown(execution: Execution): object {
  const { order: _, ...rest } = execution;
  return rest;
}

function statementType(sql: string): Execution['StatementType'] {
  const first = /^[\s(]*(\w+)/
    .exec(
      sqlPieces(sql)
        .map((piece) => (/^(--|\/\*)/.test(piece.text) ? ' ' : piece.text))
        .join(''),
    )?.[1]
    ?.toUpperCase();
  if (/^(CREATE|DROP|ALTER|PREPARE|DEALLOCATE|MSCK)$/.test(first ?? '')) return 'DDL';
  return /^(SHOW|DESCRIBE|EXPLAIN)$/.test(first ?? '') ? 'UTILITY' : 'DML';
}

/** Checks that there is a parameter for each `?`, as Trino does before anything runs. */
function withPlaces(
  sql: string,
  parameters: readonly string[],
): { readonly sql: string; readonly parameters: readonly string[] } {
  const places = sqlPieces(sql).reduce(
    (count, piece) => count + (piece.isCode ? piece.text.split('?').length - 1 : 0),
    0,
  );
  if (places === parameters.length) return { sql, parameters };
  throw new Error(
    `INVALID_PARAMETER_USAGE: Incorrect number of parameters: expected ${places} but found ${parameters.length}`,
  );
}

/** The expressions of a list, cut at commas outside of brackets and texts. */
function splitList(text: string): readonly string[] {
  const parts: string[] = [''];
  let depth = 0;
  for (const piece of sqlPieces(text)) {
    for (const character of piece.isCode ? piece.text : [piece.text]) {
      if (character === '(') depth += 1;
      if (character === ')') depth -= 1;
      if (character === ',' && depth === 0) parts.push('');
      else parts[parts.length - 1] += character;
    }
  }
  return parts.map((part) => part.trim());
}

function columnInfo(column: SqlAnswer['columns'][number]): object {
  const decimal = /^decimal\((\d+),\s*(\d+)\)$/.exec(column.type);
  const Type = column.type.replace(/\(.*\)/s, '');
  return {
    CatalogName: 'hive',
    SchemaName: '',
    TableName: '',
    Name: column.name,
    Label: column.name,
    Type,
    Precision: decimal === null ? 0 : Number(decimal[1]),
    Scale: decimal === null ? 0 : Number(decimal[2]),
    Nullable: 'UNKNOWN',
    CaseSensitive: Type === 'varchar',
  };
}
