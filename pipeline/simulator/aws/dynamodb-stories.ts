// Tables with a past, made from the simulator's stories: as if they had been written to, hour by hour, for hours, and, if they
// live, as if that went on.
// Promises: the same data set, seed, items, hours and clock give the same past; PITR is on since its beginning.
// Source: simulator/story.ts, for what a story is.

import { z } from 'zod';
import type { Ids } from '../../ports.js';
import { keysOf } from '../item.js';
import { MystoreTable } from '../mystore.js';
import type { TablePast } from '../past.js';
import type { Seed } from '../random.js';
import type { PastWrite } from '../table.js';
import { type KeyShape, keyShapes, type WildTable } from '../wild.js';
import { DynamoDbFault, type Json } from './dynamodb-call.js';
import { storyHourMs, storyTable, type TableLives } from './dynamodb-life.js';
import { recoveryDaysMax } from './dynamodb-pitr.js';
import { type DynamoDbState, tableArn } from './dynamodb-state.js';

/** Items are held in memory, with all their versions. */
const itemsMax = 200_000;

/** A table to be made with a past. */
export interface TableStory {
  readonly dataset: 'mystore' | 'wild';
  /** Items it begins with. */
  readonly items: number;
  /** Hours it was written to, up to the last whole one. */
  readonly hours: number;
  readonly seed: Seed;
  /** Its name; that of the data set unless told. */
  readonly table?: string | undefined;
  /** Writes in each hour; a fiftieth of the items, and at least 20, unless told. */
  readonly changesPerHour?: number | undefined;
  /** Key of the wild data set; 'ss' unless told. */
  readonly keyShape?: KeyShape | undefined;
  /** Whether it is written to further, as the clock goes on. */
  readonly lives?: boolean | undefined;
}

const storySchema: z.ZodType<TableStory> = z.strictObject({
  dataset: z.enum(['mystore', 'wild']),
  items: z.number().int().min(0).max(itemsMax),
  hours: z
    .number()
    .int()
    .min(1)
    .max(recoveryDaysMax * 24),
  seed: z.union([z.string(), z.number()]),
  table: z
    .string()
    .regex(/^[a-zA-Z0-9_.-]{3,255}$/)
    .optional(),
  changesPerHour: z.number().int().min(0).max(100_000).optional(),
  keyShape: z.enum(keyShapes as readonly [KeyShape, ...KeyShape[]]).optional(),
  lives: z.boolean().optional(),
});

/** A table that was made, and where its past lies. */
export interface ToldTable {
  readonly table: string;
  readonly tableArn: string;
  readonly tableId: string;
  /** The table's items were there at this instant; its hours begin. ms since the epoch */
  readonly startMs: number;
  /** Its hours end; a whole hour, at most an hour ago. */
  readonly endMs: number;
}

/**
 * Makes a table that has a past. Its hours end with the last whole hour of the clock.
 * @throws RangeError when the story is none; DynamoDbFault ResourceInUseException when the table is there
 */
export async function tellTable(
  state: DynamoDbState,
  lives: TableLives,
  ids: Ids,
  input: unknown,
): Promise<ToldTable> {
  const parsed = storySchema.safeParse(input);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new RangeError(`${issue.path.join('.') || 'table'}: ${issue.message}`);
  }
  const story = parsed.data;
  const name = story.table ?? story.dataset;
  return state.alone(name, async () => {
    if (state.find(name) !== null) {
      throw new DynamoDbFault('ResourceInUseException', `Table already exists: ${name}`);
    }
    const endMs = Math.floor(state.clock.nowMs() / storyHourMs) * storyHourMs;
    const startMs = endMs - story.hours * storyHourMs;
    const told = storyTable(story, name, startMs);
    const changesPerHour = story.changesPerHour ?? Math.max(20, Math.floor(story.items / 50));
    for (let ms = startMs; ms < endMs; ms += storyHourMs) {
      told.play(ms, ms + storyHourMs, changesPerHour);
    }

    const { stored } = await state.create(
      {
        tableId: ids.uuid(),
        name,
        key: told.key,
        createdMs: startMs,
        description: descriptionOf(told),
        tags: {},
        ttl: null,
        pitr: { floorMs: startMs, recoveryDays: recoveryDaysMax },
        isDeleted: false,
      },
      inTimeOrder(told, startMs * 1000),
    );
    if (story.lives === true) {
      const { tableId } = stored;
      await lives.add({ tableId, story, name, startMs, changesPerHour, lived: endMs * 1000 });
    }
    return { table: name, tableArn: tableArn(name), tableId: stored.tableId, startMs, endMs };
  });
}

/** A story's items of the beginning count as written a microsecond before it, so that they are there at its instant. */
function inTimeOrder(told: MystoreTable | WildTable, startMicros: number): PastWrite[] {
  const writes =
    told instanceof MystoreTable
      ? told.writes()
      : told.writesIn(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  return [...writes]
    .map(({ micros, keys, item }) => ({
      micros: Math.max(micros, startMicros - 1),
      keys: keysOf(keys, told.key),
      item,
    }))
    .sort((a, b) => a.micros - b.micros);
}

function descriptionOf({ key }: TablePast): Json {
  return {
    AttributeDefinitions: key.map(({ name, tag }) => ({ AttributeName: name, AttributeType: tag })),
    BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
    ProvisionedThroughput: {
      NumberOfDecreasesToday: 0,
      ReadCapacityUnits: 0,
      WriteCapacityUnits: 0,
    },
    DeletionProtectionEnabled: false,
  };
}
