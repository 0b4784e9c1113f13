// Athena's named queries and prepared statements in the simulator.
// Promises: Athena's rules of names, lengths and numbers; a named query's name need not be its own, a statement's must.
// Source: Amazon Athena API Reference, NamedQuery, PreparedStatement; User Guide, "Service Quotas" (1,000 statements).

import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Clock, Ids } from '../../ports.js';
import { checked, form, invalid, notFound, pageForm, pageOf } from './athena-call.js';
import type { AthenaWorkGroups } from './athena-workgroups.js';
import type { SimDocuments } from './service.js';

const statementsMax = 1000;

const namedForm = z.object({
  NamedQueryId: form.id,
  Name: form.queryName,
  Description: form.description.optional(),
  Database: form.database,
  QueryString: form.queryString,
  WorkGroup: form.workGroup,
});
type NamedQuery = z.infer<typeof namedForm>;

/** A prepared statement, in Athena's own words. */
export interface PreparedStatement {
  readonly StatementName: string;
  readonly QueryStatement: string;
  readonly WorkGroupName: string;
  readonly Description?: string | undefined;
  /** Seconds since the epoch. */
  readonly LastModifiedTime: number;
}

const statementForm: z.ZodType<PreparedStatement> = z.object({
  StatementName: form.statementName,
  QueryStatement: form.queryString,
  WorkGroupName: form.workGroup,
  Description: form.description.optional(),
  LastModifiedTime: z.number(),
});

const namedPrefix = 'athena/named/';
const statementPrefix = (workGroup: string): string => `athena/statements/${workGroup}/`;
/** Names may hold `:` and differ by case only, which names of files may not. */
const statementDocument = (workGroup: string, name: string): string =>
  statementPrefix(workGroup) + createHash('sha256').update(name).digest('hex');

export interface AthenaSavedOptions {
  readonly documents: SimDocuments;
  readonly workGroups: AthenaWorkGroups;
  readonly clock: Clock;
  readonly ids: Ids;
}

export class AthenaSaved {
  readonly #documents: SimDocuments;
  readonly #workGroups: AthenaWorkGroups;
  readonly #clock: Clock;
  readonly #ids: Ids;

  constructor(options: AthenaSavedOptions) {
    this.#documents = options.documents;
    this.#workGroups = options.workGroups;
    this.#clock = options.clock;
    this.#ids = options.ids;
  }

  /** Names of the documents a workgroup holds. */
  async heldBy(workGroup: string): Promise<readonly string[]> {
    const named = (await this.#allNamed()).filter((query) => query.WorkGroup === workGroup);
    const statements = await this.#documents.names(statementPrefix(workGroup));
    return [...named.map((query) => namedPrefix + query.NamedQueryId), ...statements];
  }

  // -------------------------------------------------------------- named queries

  async createNamed(input: unknown): Promise<object> {
    const { WorkGroup, ClientRequestToken, ...given } = checked(
      z.object({
        Name: form.queryName,
        Description: form.description.optional(),
        Database: form.database,
        QueryString: form.queryString,
        ClientRequestToken: form.token.optional(),
        WorkGroup: form.workGroup.optional(),
      }),
      input,
    );
    const workGroup = await this.#workGroups.named(WorkGroup);
    const query = { ...given, WorkGroup: workGroup.Name };
    const token =
      ClientRequestToken === undefined ? null : `athena/named-tokens/${ClientRequestToken}`;
    const earlier = token === null ? null : await this.#documents.get(token);
    if (earlier !== null) {
      const { id, text } = earlier as { readonly id: string; readonly text: string };
      if (text === JSON.stringify(query)) return { NamedQueryId: id };
      throw invalid('Idempotent parameters do not match', 'IDEMPOTENT_PARAMETER_MISMATCH');
    }
    const NamedQueryId = this.#ids.uuid();
    await this.#documents.put(namedPrefix + NamedQueryId, { ...query, NamedQueryId });
    if (token !== null) {
      await this.#documents.put(token, { id: NamedQueryId, text: JSON.stringify(query) });
    }
    return { NamedQueryId };
  }

  async getNamed(input: unknown): Promise<object> {
    const { NamedQueryId } = checked(z.object({ NamedQueryId: form.id }), input);
    return { NamedQuery: await this.#named(NamedQueryId) };
  }

  async batchGetNamed(input: unknown): Promise<object> {
    const { NamedQueryIds } = checked(
      z.object({ NamedQueryIds: z.array(form.id).min(1).max(50) }),
      input,
    );
    const NamedQueries: NamedQuery[] = [];
    const UnprocessedNamedQueryIds: object[] = [];
    for (const id of NamedQueryIds) {
      const found = await this.#documents.get(namedPrefix + id);
      if (found !== null) NamedQueries.push(namedForm.parse(found));
      else
        UnprocessedNamedQueryIds.push({
          NamedQueryId: id,
          ErrorCode: 'NAMED_QUERY_NOT_FOUND',
          ErrorMessage: 'NamedQuery was not found',
        });
    }
    return { NamedQueries, UnprocessedNamedQueryIds };
  }

  async listNamed(input: unknown): Promise<object> {
    const { WorkGroup, ...page } = checked(
      z.object({
        WorkGroup: form.workGroup.optional(),
        NextToken: form.nextToken.optional(),
        MaxResults: pageForm(50).optional(),
      }),
      input,
    );
    const { Name } = await this.#workGroups.named(WorkGroup);
    const all = (await this.#allNamed()).filter((query) => query.WorkGroup === Name);
    const { items, next } = pageOf(all, page, 50);
    return { NamedQueryIds: items.map((query) => query.NamedQueryId), ...next };
  }

  async updateNamed(input: unknown): Promise<object> {
    const { NamedQueryId, Name, QueryString, Description } = checked(
      z.object({
        NamedQueryId: form.id,
        Name: form.queryName,
        Description: z.string().max(1024).optional(),
        QueryString: form.queryString,
      }),
      input,
    );
    const before = await this.#named(NamedQueryId);
    const after = { ...before, Name, QueryString };
    if (Description === '') delete after.Description;
    else if (Description !== undefined) after.Description = Description;
    await this.#documents.put(namedPrefix + NamedQueryId, after);
    return {};
  }

  async deleteNamed(input: unknown): Promise<object> {
    const { NamedQueryId } = checked(z.object({ NamedQueryId: form.id }), input);
    await this.#named(NamedQueryId);
    await this.#documents.remove(namedPrefix + NamedQueryId);
    return {};
  }

  async #named(id: string): Promise<NamedQuery> {
    const found = await this.#documents.get(namedPrefix + id);
    if (found === null) throw invalid(`NamedQuery ${id} was not found`, 'NAMED_QUERY_NOT_FOUND');
    return namedForm.parse(found);
  }

  async #allNamed(): Promise<readonly NamedQuery[]> {
    const names = await this.#documents.names(namedPrefix);
    const found = await Promise.all(names.map((name) => this.#documents.get(name)));
    return found.filter((one) => one !== null).map((one) => namedForm.parse(one));
  }

  // -------------------------------------------------------------- prepared statements

  /** A statement by name, or null. */
  async statement(workGroup: string, name: string): Promise<PreparedStatement | null> {
    const found = await this.#documents.get(statementDocument(workGroup, name));
    return found === null ? null : statementForm.parse(found);
  }

  async createStatement(input: unknown): Promise<object> {
    const given = checked(statementInput, input);
    const { Name } = await this.#workGroups.named(given.WorkGroup);
    if ((await this.statement(Name, given.StatementName)) !== null) {
      throw invalid(
        `Prepared Statement ${given.StatementName} already exists in WorkGroup ${Name}`,
        'PREPARED_STATEMENT_ALREADY_EXISTS',
      );
    }
    if ((await this.#documents.names(statementPrefix(Name))).length >= statementsMax) {
      throw invalid(
        `WorkGroup ${Name} has reached the limit of ${statementsMax} prepared statements`,
        'TOO_MANY_PREPARED_STATEMENTS',
      );
    }
    await this.#putStatement(Name, given);
    return {};
  }

  async updateStatement(input: unknown): Promise<object> {
    const given = checked(statementInput, input);
    await this.#statementOrFault(given.WorkGroup, given.StatementName);
    await this.#putStatement(given.WorkGroup, given);
    return {};
  }

  async getStatement(input: unknown): Promise<object> {
    const { StatementName, WorkGroup } = checked(statementKey, input);
    return { PreparedStatement: await this.#statementOrFault(WorkGroup, StatementName) };
  }

  async batchGetStatements(input: unknown): Promise<object> {
    const { PreparedStatementNames, WorkGroup } = checked(
      z.object({
        PreparedStatementNames: z.array(form.statementName).min(1).max(50),
        WorkGroup: form.workGroup,
      }),
      input,
    );
    const PreparedStatements: PreparedStatement[] = [];
    const UnprocessedPreparedStatementNames: object[] = [];
    for (const StatementName of PreparedStatementNames) {
      const found = await this.statement(WorkGroup, StatementName);
      if (found !== null) PreparedStatements.push(found);
      else
        UnprocessedPreparedStatementNames.push({
          StatementName,
          ErrorCode: 'STATEMENT_NOT_FOUND',
          ErrorMessage: 'Prepared Statement was not found',
        });
    }
    return { PreparedStatements, UnprocessedPreparedStatementNames };
  }

  async listStatements(input: unknown): Promise<object> {
    const { WorkGroup, ...page } = checked(
      z.object({
        WorkGroup: form.workGroup,
        NextToken: form.nextToken.optional(),
        MaxResults: pageForm(50).optional(),
      }),
      input,
    );
    const { Name } = await this.#workGroups.named(WorkGroup);
    const names = await this.#documents.names(statementPrefix(Name));
    const found = await Promise.all(names.map((name) => this.#documents.get(name)));
    const all = found.filter((one) => one !== null).map((one) => statementForm.parse(one));
    const { items, next } = pageOf(all, page, 50);
    const PreparedStatements = items.map(({ StatementName, LastModifiedTime }) => ({
      StatementName,
      LastModifiedTime,
    }));
    return { PreparedStatements, ...next };
  }

  async deleteStatement(input: unknown): Promise<object> {
    const { StatementName, WorkGroup } = checked(statementKey, input);
    await this.#statementOrFault(WorkGroup, StatementName);
    await this.#documents.remove(statementDocument(WorkGroup, StatementName));
    return {};
  }

  async #statementOrFault(workGroup: string, name: string): Promise<PreparedStatement> {
    const { Name } = await this.#workGroups.named(workGroup);
    const found = await this.statement(Name, name);
    if (found !== null) return found;
    throw notFound(`Prepared Statement ${name} was not found in WorkGroup ${Name}`, name);
  }

  async #putStatement(workGroup: string, given: z.infer<typeof statementInput>): Promise<void> {
    const { WorkGroup: _, ...statement } = given;
    await this.#documents.put(statementDocument(workGroup, given.StatementName), {
      ...statement,
      WorkGroupName: workGroup,
      LastModifiedTime: this.#clock.nowMs() / 1000,
    });
  }
}

const statementKey = z.object({ StatementName: form.statementName, WorkGroup: form.workGroup });
const statementInput = z.object({
  StatementName: form.statementName,
  WorkGroup: form.workGroup,
  QueryStatement: form.queryString,
  Description: form.description.optional(),
});
