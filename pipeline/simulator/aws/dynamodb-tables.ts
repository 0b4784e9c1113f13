// Tables: CreateTable, DescribeTable, UpdateTable, DeleteTable, ListTables, continuous backups, tags, time to live.
// Promises: changes of one table come one after the other. A table is active as soon as it was made, and gone as soon as
// it was deleted; items do not expire by themselves.
// Source: Amazon DynamoDB API Reference, the pages of these actions.

import type { KeyAttribute, KeyTag } from '../../../schemas/attribute.js';
import type { Ids } from '../../ports.js';
import {
  boundedIn,
  constraint,
  DynamoDbFault,
  flagIn,
  invalid,
  isObject,
  type Json,
  listIn,
  neededText,
  notSimulated,
  objectIn,
  textIn,
  wordIn,
} from './dynamodb-call.js';
import { describePitr, updatedPitr } from './dynamodb-pitr.js';
import { type DynamoDbState, nameOf, type SimTable, tableArn } from './dynamodb-state.js';

/** Most tables of one answer of ListTables. */
const listedMax = 100;
const tagsMax = 50;
const billingModes = ['PROVISIONED', 'PAY_PER_REQUEST'] as const;

export class DynamoDbTables {
  readonly #state: DynamoDbState;
  readonly #ids: Ids;
  /** Whether an export still needs the past of a table, by id. */
  readonly #isPastNeeded: (tableId: string) => boolean;

  constructor(state: DynamoDbState, ids: Ids, isPastNeeded: (tableId: string) => boolean) {
    this.#state = state;
    this.#ids = ids;
    this.#isPastNeeded = isPastNeeded;
  }

  create(input: Json): Promise<Json> {
    const name = tableNameOf(input);
    const key = keyOf(input);
    const description = definitionOf(input);
    const tags = tagsOf(input);
    return this.#state.alone(name, async () => {
      if (this.#state.find(name) !== null) {
        throw new DynamoDbFault('ResourceInUseException', `Table already exists: ${name}`);
      }
      const table = await this.#state.create({
        tableId: this.#ids.uuid(),
        name,
        key,
        createdMs: this.#state.clock.nowMs(),
        description,
        tags,
        ttl: null,
        pitr: null,
        isDeleted: false,
      });
      return { TableDescription: { ...describe(table), TableStatus: 'CREATING' } };
    });
  }

  async describe(input: Json): Promise<Json> {
    const name = nameOf(neededText(input, 'TableName'));
    return { Table: describe(this.#existing(name)) };
  }

  /** The table of a name. Throws ResourceNotFoundException with the name, as the actions on tables have it. */
  #existing(name: string): SimTable {
    const table = this.#state.find(name);
    if (table !== null) return table;
    throw new DynamoDbFault(
      'ResourceNotFoundException',
      `Requested resource not found: Table: ${name} not found`,
    );
  }

  update(input: Json): Promise<Json> {
    const name = nameOf(neededText(input, 'TableName'));
    for (const member of ['GlobalSecondaryIndexUpdates', 'ReplicaUpdates']) {
      if (listIn(input, member) !== null) throw notSimulated(member);
    }
    return this.#state.alone(name, async () => {
      const table = this.#existing(name);
      const changes = settingsOf(input, table.stored.description);
      if (Object.keys(changes).length === 0) {
        throw invalid('At least one of the settings of the table must be given');
      }
      const description = { ...table.stored.description, ...changes };
      await this.#state.change(table, { description });
      return { TableDescription: { ...describe(table), TableStatus: 'UPDATING' } };
    });
  }

  delete(input: Json): Promise<Json> {
    const name = nameOf(neededText(input, 'TableName'));
    return this.#state.alone(name, async () => {
      const table = this.#existing(name);
      if (table.stored.description.DeletionProtectionEnabled === true) {
        throw invalid(
          'Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.',
        );
      }
      const answer = { TableDescription: { ...describe(table), TableStatus: 'DELETING' } };
      await this.#state.remove(table, this.#isPastNeeded(table.stored.tableId));
      return answer;
    });
  }

  async list(input: Json): Promise<Json> {
    const limit = boundedIn(input, 'Limit', 1, listedMax) ?? listedMax;
    const after = textIn(input, 'ExclusiveStartTableName');
    const rest = this.#state.names().filter((name) => after === null || name > after);
    const page = rest.slice(0, limit);
    const last = rest.length > page.length ? { LastEvaluatedTableName: page.at(-1) } : {};
    return { TableNames: page, ...last };
  }

  async describeBackups(input: Json): Promise<Json> {
    return this.#backups(this.#backedUp(input));
  }

  updateBackups(input: Json): Promise<Json> {
    return this.#state.alone(nameOf(neededText(input, 'TableName')), async () => {
      const table = this.#backedUp(input);
      const pitr = updatedPitr(table.stored.pitr, input, this.#state.clock.nowMs());
      await this.#state.change(table, { pitr });
      return this.#backups(table);
    });
  }

  #backups(table: SimTable): Json {
    const { clock, settings } = this.#state;
    const description = describePitr(table.stored.pitr, clock.nowMs(), settings.pitrLagMs);
    return { ContinuousBackupsDescription: description };
  }

  #backedUp(input: Json): SimTable {
    const name = nameOf(neededText(input, 'TableName'));
    const table = this.#state.find(name);
    if (table !== null) return table;
    throw new DynamoDbFault('TableNotFoundException', `Table not found: ${name}`);
  }

  tag(input: Json): Promise<Json> {
    const more = tagsOf(input);
    return this.#onResource(input, async (table) => {
      const tags = { ...table.stored.tags, ...more };
      if (Object.keys(tags).length > tagsMax) throw invalid('The number of tags exceeds 50');
      await this.#state.change(table, { tags });
      return {};
    });
  }

  untag(input: Json): Promise<Json> {
    const gone = new Set(listIn(input, 'TagKeys') ?? []);
    return this.#onResource(input, async (table) => {
      const left = Object.entries(table.stored.tags).filter(([key]) => !gone.has(key));
      await this.#state.change(table, { tags: Object.fromEntries(left) });
      return {};
    });
  }

  listTags(input: Json): Promise<Json> {
    return this.#onResource(input, async (table) => ({
      Tags: Object.entries(table.stored.tags).map(([Key, Value]) => ({ Key, Value })),
    }));
  }

  #onResource(input: Json, work: (table: SimTable) => Promise<Json>): Promise<Json> {
    const arn = neededText(input, 'ResourceArn');
    if (!arn.startsWith('arn:')) throw invalid('Invalid ResourceArn');
    return this.#state.alone(nameOf(arn), () => work(this.#state.named(input, 'ResourceArn')));
  }

  updateTtl(input: Json): Promise<Json> {
    const asked = objectIn(input, 'TimeToLiveSpecification') ?? {};
    const attribute = neededText(asked, 'AttributeName');
    const isEnabled = flagIn(asked, 'Enabled') ?? false;
    return this.#state.alone(nameOf(neededText(input, 'TableName')), async () => {
      const table = this.#state.named(input);
      const before = table.stored.ttl;
      if (isEnabled === (before?.isEnabled ?? false)) {
        throw invalid(`TimeToLive is already ${isEnabled ? 'enabled' : 'disabled'}`);
      }
      if (!isEnabled && before?.attribute !== attribute) {
        throw invalid('TimeToLive is active on a different AttributeName');
      }
      await this.#state.change(table, { ttl: { attribute, isEnabled } });
      return { TimeToLiveSpecification: { AttributeName: attribute, Enabled: isEnabled } };
    });
  }

  async describeTtl(input: Json): Promise<Json> {
    const { ttl } = this.#state.named(input).stored;
    const description =
      ttl?.isEnabled === true
        ? { TimeToLiveStatus: 'ENABLED', AttributeName: ttl.attribute }
        : { TimeToLiveStatus: 'DISABLED' };
    return { TimeToLiveDescription: description };
  }
}

function describe(table: SimTable): Json {
  const { stored, itemCount, sizeBytes } = table;
  return {
    TableName: stored.name,
    TableArn: tableArn(stored.name),
    TableId: stored.tableId,
    TableStatus: 'ACTIVE',
    CreationDateTime: stored.createdMs / 1000,
    KeySchema: stored.key.map(({ name }, i) => ({
      AttributeName: name,
      KeyType: i === 0 ? 'HASH' : 'RANGE',
    })),
    ItemCount: itemCount,
    TableSizeBytes: sizeBytes,
    ...stored.description,
  };
}

function tableNameOf(input: Json): string {
  const name = nameOf(neededText(input, 'TableName'));
  if (/^[a-zA-Z0-9_.-]{3,255}$/.test(name)) return name;
  throw constraint('tableName', 'Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+');
}

/** The key: what KeySchema names, with the types of AttributeDefinitions. Throws ValidationException. */
function keyOf(input: Json): readonly KeyAttribute[] {
  const schema = objectsIn(input, 'KeySchema');
  const definitions = new Map(
    objectsIn(input, 'AttributeDefinitions').map((each) => [
      neededText(each, 'AttributeName'),
      wordIn<KeyTag>(each, 'AttributeType', ['S', 'N', 'B']),
    ]),
  );
  const kinds = schema.map((each) => wordIn(each, 'KeyType', ['HASH', 'RANGE']));
  if (kinds[0] !== 'HASH' || kinds.length > 2 || (kinds.length === 2 && kinds[1] !== 'RANGE')) {
    throw invalid('Invalid KeySchema: The first KeySchemaElement is not a HASH key type');
  }
  const key = schema.map((each): KeyAttribute => {
    const name = neededText(each, 'AttributeName');
    const tag: KeyTag | null | undefined = definitions.get(name);
    if (tag === undefined || tag === null) {
      throw invalid(
        'One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions',
      );
    }
    return { name, tag };
  });
  const indexed = indexesOf(input).flatMap((index) =>
    objectsIn(index, 'KeySchema').map((each) => neededText(each, 'AttributeName')),
  );
  const used = new Set([...key.map(({ name }) => name), ...indexed]);
  const isExact =
    used.size === definitions.size && [...used].every((name) => definitions.has(name));
  if (!isExact) {
    throw invalid(
      'One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions',
    );
  }
  return key;
}

function indexesOf(input: Json): readonly Json[] {
  return [
    ...objectsIn(input, 'GlobalSecondaryIndexes'),
    ...objectsIn(input, 'LocalSecondaryIndexes'),
  ];
}

function objectsIn(input: Json, member: string): readonly Json[] {
  return (listIn(input, member) ?? []).filter(isObject);
}

/** What CreateTable decides besides the key, as DescribeTable shows it. */
function definitionOf(input: Json): Json {
  const mode = wordIn(input, 'BillingMode', billingModes) ?? 'PROVISIONED';
  if (mode === 'PROVISIONED' && objectIn(input, 'ProvisionedThroughput') === null) {
    throw invalid(
      'One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED',
    );
  }
  const indexes: Record<string, unknown> = {};
  for (const member of ['GlobalSecondaryIndexes', 'LocalSecondaryIndexes']) {
    const given = objectsIn(input, member);
    if (given.length === 0) continue;
    indexes[member] = given.map((index) =>
      member === 'GlobalSecondaryIndexes' ? { ...index, IndexStatus: 'ACTIVE' } : index,
    );
  }
  return {
    AttributeDefinitions: objectsIn(input, 'AttributeDefinitions'),
    ...indexes,
    DeletionProtectionEnabled: false,
    ...settingsOf({ ...input, BillingMode: mode }, {}),
  };
}

/** The settings that CreateTable and UpdateTable share, as far as the request has them. */
function settingsOf(input: Json, before: Json): Json {
  const settings: Record<string, unknown> = {};
  const mode = wordIn(input, 'BillingMode', billingModes);
  const throughput = objectIn(input, 'ProvisionedThroughput');
  if (mode === 'PAY_PER_REQUEST') {
    if (throughput !== null) {
      throw invalid(
        'One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST',
      );
    }
    settings.BillingModeSummary = { BillingMode: mode };
    settings.ProvisionedThroughput = throughputOf({ ReadCapacityUnits: 0, WriteCapacityUnits: 0 });
  } else if (throughput !== null) {
    if (mode !== null) settings.BillingModeSummary = { BillingMode: mode };
    settings.ProvisionedThroughput = throughputOf(throughput);
  } else if (mode === 'PROVISIONED' && before.BillingModeSummary !== undefined) {
    throw invalid('ProvisionedThroughput must be given when BillingMode is PROVISIONED');
  }
  const isProtected = flagIn(input, 'DeletionProtectionEnabled');
  if (isProtected !== null) settings.DeletionProtectionEnabled = isProtected;
  const stream = objectIn(input, 'StreamSpecification');
  if (stream !== null) settings.StreamSpecification = stream;
  const tableClass = textIn(input, 'TableClass');
  if (tableClass !== null) settings.TableClassSummary = { TableClass: tableClass };
  return settings;
}

function throughputOf(asked: Json): Json {
  return {
    NumberOfDecreasesToday: 0,
    ReadCapacityUnits: boundedIn(asked, 'ReadCapacityUnits', 0, 2 ** 53),
    WriteCapacityUnits: boundedIn(asked, 'WriteCapacityUnits', 0, 2 ** 53),
  };
}

function tagsOf(input: Json): Readonly<Record<string, string>> {
  return Object.fromEntries(
    objectsIn(input, 'Tags').map((tag) => [neededText(tag, 'Key'), textIn(tag, 'Value') ?? '']),
  );
}
