// AWS Glue's Data Catalog in the simulator: databases, tables and their versions, as far as Iceberg's clients ask.
// Promises: the actions below answer as Glue does, to any AWS SDK; others are answered as unknown. Iceberg tables have no
// Hive partitions, functions or column statistics, so those lists are empty.
// Source: AWS Glue Web API Reference, "Actions".

import type { Clock, Ids } from '../../ports.js';
import { answerOf, faultAnswer, GlueFault, type Json, readCall } from './glue-call.js';
import { GlueDatabases } from './glue-databases.js';
import { checkInput } from './glue-limits.js';
import { catalogOf, lowered } from './glue-names.js';
import { GlueState } from './glue-state.js';
import { GlueTables } from './glue-tables.js';
import type { SimDocuments, SimService } from './service.js';

export interface GlueServiceOptions {
  readonly documents: SimDocuments;
  readonly clock: Clock;
  readonly ids: Ids;
}

type Action = (input: Json) => Promise<Json>;

/** The service `glue`. Changes within one database run one after the other. */
export function createGlueService(options: GlueServiceOptions): SimService {
  const { documents, clock, ids } = options;
  const actions = actionsOf(new GlueState(documents), clock);
  return {
    name: 'glue',
    async handle(request) {
      const requestId = ids.uuid();
      try {
        const { action, input } = await readCall(request);
        const run = actions.get(action);
        if (run === undefined) {
          throw new GlueFault('UnknownOperationException', `the simulator has no ${action}`);
        }
        return answerOf(await run(input), requestId);
      } catch (error) {
        if (error instanceof GlueFault) return faultAnswer(error, requestId);
        throw error;
      }
    },
  };
}

function actionsOf(state: GlueState, clock: Clock): ReadonlyMap<string, Action> {
  const databases = new GlueDatabases(state, clock);
  const tables = new GlueTables(state, clock);
  const ofTable =
    (answer: Json, more: readonly string[] = [], pageMax = 100): Action =>
    async (input) => {
      checkInput(input, ['DatabaseName', 'TableName', ...more], pageMax);
      const place = { catalogId: catalogOf(input), database: lowered(input.DatabaseName) };
      await state.existingTable(place, lowered(input.TableName));
      return answer;
    };
  const noStatistics = ofTable({ ColumnStatisticsList: [], Errors: [] }, ['ColumnNames']);
  return new Map<string, Action>([
    ['CreateDatabase', (input) => databases.create(input)],
    ['GetDatabase', (input) => databases.get(input)],
    ['GetDatabases', (input) => databases.list(input)],
    ['UpdateDatabase', (input) => databases.update(input)],
    ['DeleteDatabase', (input) => databases.delete(input)],
    ['CreateTable', (input) => tables.create(input)],
    ['GetTable', (input) => tables.get(input)],
    ['GetTables', (input) => tables.list(input)],
    ['UpdateTable', (input) => tables.update(input)],
    ['DeleteTable', (input) => tables.delete(input)],
    ['BatchDeleteTable', (input) => tables.batchDelete(input)],
    ['GetTableVersion', (input) => tables.getVersion(input)],
    ['GetTableVersions', (input) => tables.listVersions(input)],
    ['DeleteTableVersion', (input) => tables.deleteVersion(input)],
    ['BatchDeleteTableVersion', (input) => tables.batchDeleteVersion(input)],
    ['GetPartitions', ofTable({ Partitions: [] }, [], 1000)],
    ['BatchGetPartition', ofTable({ Partitions: [], UnprocessedKeys: [] })],
    ['GetPartitionIndexes', ofTable({ PartitionIndexDescriptorList: [] })],
    ['GetColumnStatisticsForTable', noStatistics],
    ['GetColumnStatisticsForPartition', noStatistics],
    [
      'GetUserDefinedFunctions',
      async (input) => {
        checkInput(input, ['Pattern']);
        return { UserDefinedFunctions: [] };
      },
    ],
  ]);
}
