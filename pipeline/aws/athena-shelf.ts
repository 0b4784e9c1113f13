// The saved queries of one Athena workgroup: NamedQueries and PreparedStatements, listed whole, made, changed, removed.
// Promises: lists are read to their end; what vanishes while it is read is left out.
// Source: Amazon Athena API Reference, NamedQuery, PreparedStatement (BatchGet takes 50 at a time).

import type { AthenaClient } from '@aws-sdk/client-athena';
import type { QueryShelf, ShelvedQuery } from '../ports.js';
import { athenaFailed } from './athena-engine.js';

const batchMax = 50;

export class AthenaShelf implements QueryShelf {
  readonly #client: AthenaClient;
  readonly #workgroup: string;

  constructor(client: AthenaClient, workgroup: string) {
    this.#client = client;
    this.#workgroup = workgroup;
  }

  async list(): Promise<readonly ShelvedQuery[]> {
    return [...(await this.#named()), ...(await this.#statements())];
  }

  async #named(): Promise<readonly ShelvedQuery[]> {
    const { paginateListNamedQueries, BatchGetNamedQueryCommand } = await import(
      '@aws-sdk/client-athena'
    );
    const ids: string[] = [];
    await this.#asking('athena:ListNamedQueries', async () => {
      const pages = paginateListNamedQueries(
        { client: this.#client },
        { WorkGroup: this.#workgroup },
      );
      for await (const page of pages) ids.push(...(page.NamedQueryIds ?? []));
    });
    const found: ShelvedQuery[] = [];
    for (let at = 0; at < ids.length; at += batchMax) {
      const command = new BatchGetNamedQueryCommand({
        NamedQueryIds: ids.slice(at, at + batchMax),
      });
      const { NamedQueries = [] } = await this.#asking('athena:BatchGetNamedQuery', () =>
        this.#client.send(command),
      );
      for (const query of NamedQueries) {
        found.push({
          kind: 'query',
          id: query.NamedQueryId!,
          name: query.Name!,
          description: query.Description ?? '',
          database: query.Database!,
          sql: query.QueryString!,
        });
      }
    }
    return found;
  }

  async #statements(): Promise<readonly ShelvedQuery[]> {
    const { paginateListPreparedStatements, BatchGetPreparedStatementCommand } = await import(
      '@aws-sdk/client-athena'
    );
    const names: string[] = [];
    const WorkGroup = this.#workgroup;
    await this.#asking('athena:ListPreparedStatements', async () => {
      const pages = paginateListPreparedStatements({ client: this.#client }, { WorkGroup });
      for await (const { PreparedStatements = [] } of pages) {
        names.push(...PreparedStatements.map((statement) => statement.StatementName!));
      }
    });
    const found: ShelvedQuery[] = [];
    for (let at = 0; at < names.length; at += batchMax) {
      const command = new BatchGetPreparedStatementCommand({
        PreparedStatementNames: names.slice(at, at + batchMax),
        WorkGroup,
      });
      const { PreparedStatements = [] } = await this.#asking(
        'athena:BatchGetPreparedStatement',
        () => this.#client.send(command),
      );
      for (const statement of PreparedStatements) {
        found.push({
          kind: 'statement',
          id: statement.StatementName!,
          name: statement.StatementName!,
          description: statement.Description ?? '',
          database: null,
          sql: statement.QueryStatement!,
        });
      }
    }
    return found;
  }

  async create(query: ShelvedQuery): Promise<void> {
    const athena = await import('@aws-sdk/client-athena');
    if (query.kind === 'query') {
      const command = new athena.CreateNamedQueryCommand({
        Name: query.name,
        Description: query.description,
        Database: query.database!,
        QueryString: query.sql,
        WorkGroup: this.#workgroup,
      });
      await this.#asking('athena:CreateNamedQuery', () => this.#client.send(command));
      return;
    }
    const command = new athena.CreatePreparedStatementCommand(this.#statementInput(query));
    await this.#asking('athena:CreatePreparedStatement', () => this.#client.send(command));
  }

  async update(query: ShelvedQuery): Promise<void> {
    const athena = await import('@aws-sdk/client-athena');
    if (query.kind === 'query') {
      const command = new athena.UpdateNamedQueryCommand({
        NamedQueryId: query.id!,
        Name: query.name,
        Description: query.description,
        QueryString: query.sql,
      });
      await this.#asking('athena:UpdateNamedQuery', () => this.#client.send(command));
      return;
    }
    const command = new athena.UpdatePreparedStatementCommand(this.#statementInput(query));
    await this.#asking('athena:UpdatePreparedStatement', () => this.#client.send(command));
  }

  async remove(query: ShelvedQuery): Promise<void> {
    const athena = await import('@aws-sdk/client-athena');
    if (query.kind === 'query') {
      const command = new athena.DeleteNamedQueryCommand({ NamedQueryId: query.id! });
      await this.#asking('athena:DeleteNamedQuery', () => this.#client.send(command));
      return;
    }
    const command = new athena.DeletePreparedStatementCommand({
      StatementName: query.id!,
      WorkGroup: this.#workgroup,
    });
    await this.#asking('athena:DeletePreparedStatement', () => this.#client.send(command));
  }

  #statementInput(query: ShelvedQuery) {
    return {
      StatementName: query.name,
      WorkGroup: this.#workgroup,
      QueryStatement: query.sql,
      Description: query.description,
    };
  }

  async #asking<T>(action: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw athenaFailed(error, action, `workgroup ${this.#workgroup}`);
    }
  }
}
