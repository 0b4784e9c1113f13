// What Tidelake asks of AWS Glue, with its answers and errors in Tidelake's words.
// Promises: reads are repeated by the SDK and paged to the end; the calls of a commit are sent once and their errors pass
// unchanged. Source: AWS Glue Web API Reference, "Actions".

import type { Table, TableInput } from '@aws-sdk/client-glue';
import { awsError, faultOf } from './aws-errors.js';
import type { AwsClients } from './clients.js';

export class GlueRequests {
  readonly #clients: Pick<AwsClients, 'glue' | 'glueOnce'>;

  constructor(clients: Pick<AwsClients, 'glue' | 'glueOnce'>) {
    this.#clients = clients;
  }

  /** Names of all databases. */
  async *databases(): AsyncGenerator<string> {
    const { GetDatabasesCommand } = await import('@aws-sdk/client-glue');
    const client = await this.#clients.glue();
    const pages = pagesOf((NextToken) =>
      asked('glue:GetDatabases', 'the catalog', () =>
        client.send(new GetDatabasesCommand({ ...NextToken })),
      ),
    );
    for await (const page of pages) {
      for (const { Name } of page.DatabaseList ?? []) if (Name !== undefined) yield Name;
    }
  }

  /** All tables and views of a database; none when it does not exist. */
  async *tables(database: string): AsyncGenerator<Table> {
    const { GetTablesCommand } = await import('@aws-sdk/client-glue');
    const client = await this.#clients.glue();
    const pages = pagesOf((NextToken) =>
      unlessMissing(() =>
        asked('glue:GetTables', `${database}.*`, () =>
          client.send(new GetTablesCommand({ DatabaseName: database, ...NextToken })),
        ),
      ),
    );
    for await (const page of pages) yield* page.TableList ?? [];
  }

  /** A table or view, or null when there is none of that name. */
  async table(database: string, table: string): Promise<Table | null> {
    const { GetTableCommand } = await import('@aws-sdk/client-glue');
    const client = await this.#clients.glue();
    const answer = await unlessMissing(() =>
      asked('glue:GetTable', `${database}.${table}`, () =>
        client.send(new GetTableCommand({ DatabaseName: database, Name: table })),
      ),
    );
    return answer?.Table ?? null;
  }

  /** Makes a database unless it is there. */
  async ensureDatabase(database: string, locationUri: string): Promise<void> {
    const { CreateDatabaseCommand } = await import('@aws-sdk/client-glue');
    const client = await this.#clients.glue();
    try {
      await client.send(
        new CreateDatabaseCommand({ DatabaseInput: { Name: database, LocationUri: locationUri } }),
      );
    } catch (error) {
      if (faultOf(error)?.code === 'AlreadyExistsException') return;
      throw awsError(error, { action: 'glue:CreateDatabase', resource: database });
    }
  }

  /** Sent once. Throws what the SDK throws. */
  async createTable(database: string, input: TableInput): Promise<void> {
    const { CreateTableCommand } = await import('@aws-sdk/client-glue');
    const client = await this.#clients.glueOnce();
    await client.send(new CreateTableCommand({ DatabaseName: database, TableInput: input }));
  }

  /** Sent once, and applied only while the table has this version. Throws what the SDK throws. */
  async updateTable(database: string, input: TableInput, versionId: string): Promise<void> {
    const { UpdateTableCommand } = await import('@aws-sdk/client-glue');
    const client = await this.#clients.glueOnce();
    await client.send(
      new UpdateTableCommand({
        DatabaseName: database,
        TableInput: input,
        VersionId: versionId,
        // Glue keeps 100,000 versions of a table at most; Iceberg has its own history.
        SkipArchive: true,
      }),
    );
  }
}

type Paged = { readonly NextToken?: string | undefined };

async function* pagesOf<P extends Paged>(
  ask: (token: { NextToken?: string }) => Promise<P | null>,
): AsyncGenerator<P> {
  let token: string | undefined;
  do {
    const page = await ask(token === undefined ? {} : { NextToken: token });
    if (page === null) return;
    yield page;
    const next = page.NextToken || undefined;
    // A service that gave the same token again would be asked for ever.
    if (next !== undefined && next === token) throw new RangeError('a list of Glue does not go on');
    token = next;
  } while (token !== undefined);
}

async function asked<T>(action: string, resource: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (faultOf(error)?.code === 'EntityNotFoundException') throw error;
    throw awsError(error, { action, resource });
  }
}

async function unlessMissing<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (faultOf(error)?.code === 'EntityNotFoundException') return null;
    throw error;
  }
}
