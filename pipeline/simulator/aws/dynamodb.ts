// The simulated DynamoDB: tables, items, point-in-time recovery and exports, as far as Tidelake and its examples ask.
// Promises: the actions below answer as DynamoDB does, to any AWS SDK; others are answered as unknown. It goes by the
// simulator's clock only, and counts every read and write of items.
// Source: Amazon DynamoDB API Reference, "Amazon DynamoDB", Actions.

import type { Clock, Ids } from '../../ports.js';
import type { TablePast } from '../past.js';
import type { BilledExport } from './bill.js';
import { answerOf, DynamoDbFault, faultAnswer, type Json, readCall } from './dynamodb-call.js';
import { CapacityMeter, type ConsumedCapacity } from './dynamodb-capacity.js';
import { DynamoDbExports, type ExportTotals } from './dynamodb-exports.js';
import { DynamoDbItems } from './dynamodb-items.js';
import { TableLives } from './dynamodb-life.js';
import { DynamoDbQueries } from './dynamodb-query.js';
import { changedSettings, type DynamoDbSettings } from './dynamodb-settings.js';
import { DynamoDbState } from './dynamodb-state.js';
import { type TableStory, type ToldTable, tellTable } from './dynamodb-stories.js';
import { DynamoDbTables } from './dynamodb-tables.js';
import type { SimDocuments, SimService } from './service.js';

export interface DynamoDbOptions {
  readonly documents: SimDocuments;
  /** Where exports are written. */
  readonly s3: SimService;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** What a test or a person may know and decide besides the API. */
export interface DynamoDbControl {
  /** Reads and writes of items since the start or `clearConsumed`, by table and in all. */
  consumed(): {
    readonly total: ConsumedCapacity;
    readonly tables: Readonly<Record<string, ConsumedCapacity>>;
  };
  clearConsumed(): void;
  exports(): ExportTotals;
  /** What is charged for the exports that were asked for from an instant on and have completed. */
  billedExports(sinceMs: number): readonly BilledExport[];
  settings(): DynamoDbSettings;
  /** Changes some settings. Throws RangeError. */
  changeSettings(changes: unknown): Promise<DynamoDbSettings>;
  /** Makes a table with a past. Throws RangeError, and DynamoDbFault when the table is there. */
  tellTable(story: TableStory): Promise<ToldTable>;
  /** The truth about a table: its state at every instant. Null when there is none. */
  past(table: string): TablePast | null;
  /** Lets tables live until now, and ends the exports whose time has come. */
  settle(): Promise<void>;
}

export interface DynamoDbService extends SimService {
  readonly control: DynamoDbControl;
}

type Action = (input: Json) => Promise<Json>;

/** Opens the service `dynamodb` on what its documents hold. */
export async function createDynamoDbService(options: DynamoDbOptions): Promise<DynamoDbService> {
  const { documents, s3, clock, ids } = options;
  const state = await DynamoDbState.open(documents, clock);
  const exports = await DynamoDbExports.open(state, s3, ids);
  await exports.forgetUnneeded();
  const lives = await TableLives.open(state);
  // What happens meanwhile happens before what is asked now.
  const settle = async (): Promise<void> => {
    await lives.goOn();
    await exports.settle();
  };
  const meter = new CapacityMeter();
  const actions = actionsOf(state, exports, meter, ids);
  return {
    name: 'dynamodb',
    async handle(request) {
      const requestId = ids.uuid();
      await settle();
      try {
        const { action, input } = await readCall(request);
        const run = actions.get(action);
        if (run === undefined) {
          const message = `the simulator has no ${action}`;
          throw new DynamoDbFault('UnknownOperationException', message);
        }
        return answerOf(await run(input), requestId);
      } catch (error) {
        if (error instanceof DynamoDbFault) return faultAnswer(error, requestId);
        throw error;
      }
    },
    control: {
      consumed: () => ({ total: meter.total(), tables: meter.tables() }),
      clearConsumed: () => meter.clear(),
      exports: () => exports.totals(),
      billedExports: (sinceMs) => exports.billed(sinceMs),
      settings: () => state.settings,
      changeSettings: async (changes) => {
        await state.setSettings(changedSettings(state.settings, changes));
        return state.settings;
      },
      tellTable: (story) => tellTable(state, lives, ids, story),
      past: (table) => state.find(table)?.past ?? null,
      settle,
    },
  };
}

function actionsOf(
  state: DynamoDbState,
  exports: DynamoDbExports,
  meter: CapacityMeter,
  ids: Ids,
): ReadonlyMap<string, Action> {
  const tables = new DynamoDbTables(state, ids, (tableId) => exports.isPastNeeded(tableId));
  const items = new DynamoDbItems(state, meter);
  const queries = new DynamoDbQueries(state, meter);
  return new Map<string, Action>([
    ['CreateTable', (input) => tables.create(input)],
    ['DescribeTable', (input) => tables.describe(input)],
    ['UpdateTable', (input) => tables.update(input)],
    ['DeleteTable', (input) => tables.delete(input)],
    ['ListTables', (input) => tables.list(input)],
    ['DescribeContinuousBackups', (input) => tables.describeBackups(input)],
    ['UpdateContinuousBackups', (input) => tables.updateBackups(input)],
    ['TagResource', (input) => tables.tag(input)],
    ['UntagResource', (input) => tables.untag(input)],
    ['ListTagsOfResource', (input) => tables.listTags(input)],
    ['DescribeTimeToLive', (input) => tables.describeTtl(input)],
    ['UpdateTimeToLive', (input) => tables.updateTtl(input)],
    ['PutItem', (input) => items.put(input)],
    ['GetItem', (input) => items.get(input)],
    ['DeleteItem', (input) => items.delete(input)],
    ['UpdateItem', (input) => items.update(input)],
    ['BatchWriteItem', (input) => items.batchWrite(input)],
    ['BatchGetItem', (input) => items.batchGet(input)],
    ['Query', (input) => queries.query(input)],
    ['Scan', (input) => queries.scan(input)],
    ['ExportTableToPointInTime', (input) => exports.request(input)],
    ['DescribeExport', (input) => exports.describe(input)],
    ['ListExports', (input) => exports.list(input)],
  ]);
}
