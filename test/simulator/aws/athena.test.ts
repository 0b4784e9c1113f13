// The simulated Athena through the real SDK, without sockets: what it keeps, and what it refuses as Athena does.
// Source: Amazon Athena API Reference; User Guide, "Service Quotas" and "Use prepared statements".

import {
  AthenaClient,
  BatchGetNamedQueryCommand,
  BatchGetPreparedStatementCommand,
  BatchGetQueryExecutionCommand,
  CreateNamedQueryCommand,
  CreatePreparedStatementCommand,
  CreateWorkGroupCommand,
  DeleteNamedQueryCommand,
  DeletePreparedStatementCommand,
  DeleteWorkGroupCommand,
  GetDataCatalogCommand,
  GetNamedQueryCommand,
  GetPreparedStatementCommand,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  GetWorkGroupCommand,
  ListNamedQueriesCommand,
  ListPreparedStatementsCommand,
  ListQueryExecutionsCommand,
  ListWorkGroupsCommand,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
  UpdateNamedQueryCommand,
  UpdatePreparedStatementCommand,
  UpdateWorkGroupCommand,
} from '@aws-sdk/client-athena';
import { HttpResponse } from '@smithy/core/protocols';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../pipeline/local/clock.js';
import { SeededIds } from '../../../pipeline/local/ids.js';
import { createAthenaService } from '../../../pipeline/simulator/aws/athena.js';
import type { RunSql } from '../../../pipeline/simulator/aws/athena-executions.js';
import type { SimDocuments } from '../../../pipeline/simulator/aws/service.js';

class MemoryDocuments implements SimDocuments {
  readonly #texts = new Map<string, string>();
  async get(name: string): Promise<unknown> {
    const text = this.#texts.get(name);
    return text === undefined ? null : (JSON.parse(text) as unknown);
  }
  async put(name: string, value: unknown): Promise<void> {
    this.#texts.set(name, JSON.stringify(value));
  }
  async remove(name: string): Promise<void> {
    this.#texts.delete(name);
  }
  async names(prefix: string): Promise<readonly string[]> {
    return [...this.#texts.keys()].filter((name) => name.startsWith(prefix)).sort();
  }
}

const answerOne: RunSql = async () => ({
  columns: [{ name: 'n', type: 'integer' }],
  rows: [['1']],
});

/** A client that speaks to a service in this process. */
function clientOf(runSql: RunSql = answerOne, documents = new MemoryDocuments()): AthenaClient {
  const clock = new ManualClock(Date.UTC(2026, 10, 20));
  const service = createAthenaService({ documents, clock, ids: new SeededIds(1), runSql });
  return new AthenaClient({
    region: 'eu-west-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
    requestHandler: {
      handle: async (request: {
        method: string;
        path: string;
        headers: Record<string, string>;
        body: string;
      }) => {
        const answer = await service.handle({
          method: request.method,
          path: request.path,
          query: new URLSearchParams(),
          headers: Object.fromEntries(
            Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]),
          ),
          body: (async function* () {
            yield Buffer.from(request.body);
          })(),
        });
        const { status, headers, body } = answer;
        return {
          response: new HttpResponse({ statusCode: status, headers: { ...headers }, body }),
        };
      },
    } as never,
  });
}

async function fault(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason as Error,
  );
  return `${error?.name}: ${error?.message}`;
}

const WorkGroup = 'primary';
const output = { ResultConfiguration: { OutputLocation: 's3://results/' } };
const named = { Name: 'q', Database: 'lake', QueryString: 'SELECT 1' };

describe('workgroups', () => {
  it('are made, changed, listed and removed; primary is there and stays', async () => {
    const client = clientOf();
    await client.send(
      new CreateWorkGroupCommand({
        Name: 'bi',
        Description: 'd',
        Configuration: { ...output, EnforceWorkGroupConfiguration: true },
      }),
    );
    expect(await fault(client.send(new CreateWorkGroupCommand({ Name: 'bi' })))).toMatch(
      /already created/,
    );
    await client.send(
      new UpdateWorkGroupCommand({
        WorkGroup: 'bi',
        ConfigurationUpdates: {
          BytesScannedCutoffPerQuery: 10_000_000,
          ResultConfigurationUpdates: { OutputLocation: 's3://other/' },
        },
      }),
    );
    const { WorkGroup: found } = await client.send(new GetWorkGroupCommand({ WorkGroup: 'bi' }));
    expect(found).toMatchObject({
      Name: 'bi',
      State: 'ENABLED',
      Configuration: {
        EnforceWorkGroupConfiguration: true,
        BytesScannedCutoffPerQuery: 10_000_000,
        ResultConfiguration: { OutputLocation: 's3://other/' },
      },
      CreationTime: new Date(Date.UTC(2026, 10, 20)),
    });
    const { WorkGroups } = await client.send(new ListWorkGroupsCommand({}));
    expect(WorkGroups!.map((one) => one.Name)).toEqual(['primary', 'bi']);
    await client.send(new CreateNamedQueryCommand({ ...named, WorkGroup: 'bi' }));
    expect(await fault(client.send(new DeleteWorkGroupCommand({ WorkGroup: 'bi' })))).toMatch(
      /not empty/,
    );
    await client.send(new DeleteWorkGroupCommand({ WorkGroup: 'bi', RecursiveDeleteOption: true }));
    expect(await fault(client.send(new GetWorkGroupCommand({ WorkGroup: 'bi' })))).toMatch(
      /InvalidRequestException: WorkGroup bi is not found/,
    );
    expect(await fault(client.send(new DeleteWorkGroupCommand({ WorkGroup })))).toMatch(
      /cannot be deleted/,
    );
  });
});

describe('named queries', () => {
  it('are made, changed, read in batches, listed in pages and removed; a name may stand twice', async () => {
    const client = clientOf();
    const ids: string[] = [];
    for (let i = 0; i < 55; i++) {
      const { NamedQueryId } = await client.send(
        new CreateNamedQueryCommand({ ...named, Name: `q${i % 50}` }),
      );
      ids.push(NamedQueryId!);
    }
    const first = await client.send(new ListNamedQueriesCommand({ WorkGroup }));
    const second = await client.send(
      new ListNamedQueriesCommand({ WorkGroup, NextToken: first.NextToken }),
    );
    expect([...first.NamedQueryIds!, ...second.NamedQueryIds!].sort()).toEqual([...ids].sort());
    expect([first.NamedQueryIds!.length, second.NextToken]).toEqual([50, undefined]);
    await client.send(
      new UpdateNamedQueryCommand({
        NamedQueryId: ids[0],
        Name: 'new',
        Description: 'd',
        QueryString: 'SELECT 2',
      }),
    );
    const { NamedQuery } = await client.send(new GetNamedQueryCommand({ NamedQueryId: ids[0] }));
    expect(NamedQuery).toEqual({
      NamedQueryId: ids[0],
      Name: 'new',
      Description: 'd',
      QueryString: 'SELECT 2',
      Database: 'lake',
      WorkGroup,
    });
    await client.send(new DeleteNamedQueryCommand({ NamedQueryId: ids[1] }));
    const batch = await client.send(
      new BatchGetNamedQueryCommand({ NamedQueryIds: ids.slice(0, 3) }),
    );
    expect(batch.NamedQueries!.map((one) => one.NamedQueryId)).toEqual([ids[0], ids[2]]);
    expect(batch.UnprocessedNamedQueryIds).toMatchObject([{ NamedQueryId: ids[1] }]);
    expect(await fault(client.send(new GetNamedQueryCommand({ NamedQueryId: ids[1] })))).toMatch(
      /InvalidRequestException/,
    );
    expect(await fault(client.send(new ListNamedQueriesCommand({ NextToken: 'made up' })))).toMatch(
      /pagination token/,
    );
  });

  it('are made once per request token', async () => {
    const client = clientOf();
    const ClientRequestToken = 't'.repeat(32);
    const make = (more: object) =>
      client.send(new CreateNamedQueryCommand({ ...named, ClientRequestToken, ...more }));
    expect((await make({})).NamedQueryId).toBe((await make({})).NamedQueryId);
    expect(await fault(make({ QueryString: 'SELECT 2' }))).toMatch(/Idempotent/);
  });
});

describe('prepared statements', () => {
  const statement = { StatementName: 'by_day', WorkGroup, QueryStatement: 'SELECT 1 WHERE a = ?' };

  it('are made, changed, read, listed and removed; a name stands once', async () => {
    const client = clientOf();
    await client.send(new CreatePreparedStatementCommand({ ...statement, Description: 'd' }));
    expect(await fault(client.send(new CreatePreparedStatementCommand(statement)))).toMatch(
      /already exists/,
    );
    await client.send(
      new UpdatePreparedStatementCommand({ ...statement, QueryStatement: 'SELECT 2' }),
    );
    const { PreparedStatement } = await client.send(new GetPreparedStatementCommand(statement));
    expect(PreparedStatement).toMatchObject({
      StatementName: 'by_day',
      QueryStatement: 'SELECT 2',
      WorkGroupName: WorkGroup,
    });
    expect(PreparedStatement!.LastModifiedTime).toEqual(new Date(Date.UTC(2026, 10, 20)));
    const batch = await client.send(
      new BatchGetPreparedStatementCommand({
        WorkGroup,
        PreparedStatementNames: ['by_day', 'none'],
      }),
    );
    expect([
      batch.PreparedStatements!.length,
      batch.UnprocessedPreparedStatementNames![0]!.StatementName,
    ]).toEqual([1, 'none']);
    await client.send(new DeletePreparedStatementCommand(statement));
    const { PreparedStatements } = await client.send(
      new ListPreparedStatementsCommand({ WorkGroup }),
    );
    expect(PreparedStatements).toEqual([]);
    expect(await fault(client.send(new GetPreparedStatementCommand(statement)))).toMatch(
      /ResourceNotFoundException/,
    );
    expect(await fault(client.send(new UpdatePreparedStatementCommand(statement)))).toMatch(
      /ResourceNotFoundException/,
    );
  });

  it.each(['1st', 'by-day', 'a b', 'x', ''])('cannot be called %j', async (StatementName) => {
    const made = clientOf().send(
      new CreatePreparedStatementCommand({ ...statement, StatementName }),
    );
    expect(await fault(made)).toMatch(/InvalidRequestException.*StatementName/);
  });

  it('are at most a thousand in a workgroup', async () => {
    const client = clientOf();
    for (let i = 0; i < 1000; i++) {
      await client.send(
        new CreatePreparedStatementCommand({ ...statement, StatementName: `s${i}x` }),
      );
    }
    expect(await fault(client.send(new CreatePreparedStatementCommand(statement)))).toMatch(
      /limit of 1000/,
    );
  });
});

describe('queries', () => {
  const start = (client: AthenaClient, QueryString: string, more: object = {}) =>
    client.send(new StartQueryExecutionCommand({ QueryString, ...output, ...more }));
  async function ended(client: AthenaClient, id: string | undefined) {
    for (let i = 0; i < 1000; i++) {
      const { QueryExecution } = await client.send(
        new GetQueryExecutionCommand({ QueryExecutionId: id }),
      );
      if (!/QUEUED|RUNNING/.test(QueryExecution!.Status!.State!)) return QueryExecution!;
    }
    throw new Error('it does not end');
  }

  it('go from QUEUED over RUNNING to their end, and give no results before', async () => {
    let go = (): void => {};
    const client = clientOf(async () => {
      await new Promise<void>((resolve) => {
        go = resolve;
      });
      return answerOne('', [], null);
    });
    const { QueryExecutionId } = await start(client, 'SELECT 1');
    const states = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const { QueryExecution } = await client.send(
        new GetQueryExecutionCommand({ QueryExecutionId }),
      );
      states.add(QueryExecution!.Status!.State!);
    }
    expect(states).toContain('RUNNING');
    expect(await fault(client.send(new GetQueryResultsCommand({ QueryExecutionId })))).toMatch(
      /not yet finished/,
    );
    go();
    const execution = await ended(client, QueryExecutionId);
    expect(execution).toMatchObject({
      StatementType: 'DML',
      Query: 'SELECT 1',
      WorkGroup: 'primary',
      Status: { State: 'SUCCEEDED' },
    });
    expect(execution.ResultConfiguration!.OutputLocation).toBe(
      `s3://results/${QueryExecutionId}.csv`,
    );
  });

  it('stay CANCELLED once stopped, whatever the engine answers', async () => {
    let go = (): void => {};
    const client = clientOf(async () => {
      await new Promise<void>((resolve) => {
        go = resolve;
      });
      return answerOne('', [], null);
    });
    const { QueryExecutionId } = await start(client, 'SELECT 1');
    await client.send(new StopQueryExecutionCommand({ QueryExecutionId }));
    go();
    expect((await ended(client, QueryExecutionId)).Status).toMatchObject({ State: 'CANCELLED' });
    expect(await fault(client.send(new GetQueryResultsCommand({ QueryExecutionId })))).toMatch(
      /CANCELLED/,
    );
  });

  it('have FAILED when the simulator was killed while they ran', async () => {
    const documents = new MemoryDocuments();
    const { QueryExecutionId } = await start(
      clientOf(() => new Promise(() => {}), documents),
      'SELECT 1',
    );
    const { Status } = await ended(clientOf(answerOne, documents), QueryExecutionId);
    expect(Status).toMatchObject({
      State: 'FAILED',
      StateChangeReason: expect.stringContaining('stopped'),
    });
  });

  it('need a place for results, and take the enforced one', async () => {
    const client = clientOf();
    const bare = { ResultConfiguration: undefined };
    expect(await fault(start(client, 'SELECT 1', bare))).toMatch(/No output location provided/);
    await client.send(
      new CreateWorkGroupCommand({
        Name: 'bi',
        Configuration: { ...output, EnforceWorkGroupConfiguration: true },
      }),
    );
    const { QueryExecutionId } = await start(client, 'SELECT 1', {
      WorkGroup: 'bi',
      ResultConfiguration: { OutputLocation: 's3://mine/' },
    });
    expect((await ended(client, QueryExecutionId)).ResultConfiguration!.OutputLocation).toMatch(
      /^s3:\/\/results\//,
    );
    await client.send(new UpdateWorkGroupCommand({ WorkGroup: 'bi', State: 'DISABLED' }));
    expect(await fault(start(client, 'SELECT 1', { WorkGroup: 'bi' }))).toMatch(/disabled/);
  });

  it('run once per request token', async () => {
    const client = clientOf();
    const ClientRequestToken = 'x'.repeat(36);
    const { QueryExecutionId } = await start(client, 'SELECT 1', { ClientRequestToken });
    expect((await start(client, 'SELECT 1', { ClientRequestToken })).QueryExecutionId).toBe(
      QueryExecutionId,
    );
    expect(await fault(start(client, 'SELECT 2', { ClientRequestToken }))).toMatch(/Idempotent/);
    const { QueryExecutionIds } = await client.send(new ListQueryExecutionsCommand({}));
    expect(QueryExecutionIds).toEqual([QueryExecutionId]);
    const batch = await client.send(
      new BatchGetQueryExecutionCommand({ QueryExecutionIds: [QueryExecutionId!, 'none'] }),
    );
    expect([batch.QueryExecutions!.length, batch.UnprocessedQueryExecutionIds!.length]).toEqual([
      1, 1,
    ]);
  });

  it('take their parameters beside the text, and by EXECUTE', async () => {
    const asked: unknown[] = [];
    const client = clientOf(async (...given) => {
      asked.push(given);
      return answerOne('', [], null);
    });
    const context = { QueryExecutionContext: { Database: 'lake' } };
    const sql = "SELECT '?' WHERE a = ? AND b = ? -- ?";
    const run = async (text: string, more: object = {}) => {
      const { QueryExecutionId } = await start(client, text, { ...context, ...more });
      return (await ended(client, QueryExecutionId)).Status!;
    };
    await run(sql, { ExecutionParameters: ["'x, y'", '2'] });
    await run(`PREPARE both FROM ${sql}`);
    await run("EXECUTE both USING 'x, (y', CAST(2 AS bigint)");
    await run('EXECUTE both', { ExecutionParameters: ["'?'", '3'] });
    expect(asked).toEqual([
      [sql, ["'x, y'", '2'], 'lake'],
      [sql, ["'x, (y'", 'CAST(2 AS bigint)'], 'lake'],
      [sql, ["'?'", '3'], 'lake'],
    ]);
    expect((await run(sql)).StateChangeReason).toMatch(/expected 2 but found 0/);
    expect((await run('EXECUTE nothing')).StateChangeReason).toMatch(
      /PREPARED_STATEMENT_NOT_FOUND/,
    );
    await run('DEALLOCATE PREPARE both');
    expect((await run('EXECUTE both')).State).toBe('FAILED');
    expect(await fault(start(client, sql, { ExecutionParameters: [] }))).toMatch(
      /ExecutionParameters/,
    );
    expect(await fault(start(client, sql, { ExecutionParameters: ['x'.repeat(1025)] }))).toMatch(
      /ExecutionParameters/,
    );
  });

  it('give results in pages, the names of the columns first, with types', async () => {
    const client = clientOf(async () => ({
      columns: [{ name: 'd', type: 'decimal(18,2)' }],
      rows: [['1.50'], [null], ['']],
    }));
    const { QueryExecutionId } = await start(client, 'SELECT d FROM t');
    await ended(client, QueryExecutionId);
    const page = (NextToken?: string) =>
      client.send(new GetQueryResultsCommand({ QueryExecutionId, MaxResults: 2, NextToken }));
    const first = await page();
    const second = await page(first.NextToken);
    const texts = [first, second].flatMap((one) =>
      one.ResultSet!.Rows!.map((row) => row.Data![0]!.VarCharValue),
    );
    expect(texts).toEqual(['d', '1.50', undefined, '']);
    expect(second.NextToken).toBeUndefined();
    expect(first.ResultSet!.ResultSetMetadata!.ColumnInfo).toMatchObject([
      { Name: 'd', Type: 'decimal', Precision: 18, Scale: 2 },
    ]);
  });
});

it('other actions and broken inputs are answered, not thrown', async () => {
  const client = clientOf();
  expect(await fault(client.send(new GetDataCatalogCommand({ Name: 'x' })))).toMatch(
    /UnknownOperation/,
  );
  expect(await fault(client.send(new StartQueryExecutionCommand({ QueryString: '' })))).toMatch(
    /InvalidRequestException.*QueryString/,
  );
});
