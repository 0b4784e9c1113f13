// Tables that live: a story goes on as the clock does, and its writes happen as if somebody made them meanwhile.
// Promises: a write happens when the clock passes its instant, and before anything that is asked later, so whatever was
// exported stays true; a new start goes on where it was (a crash may let the last writes happen twice, as a client's retry).
// Source: simulator/story.ts, for what a story is.

import { keysOf } from '../item.js';
import { MystoreTable } from '../mystore.js';
import type { PastWrite } from '../table.js';
import { WildTable } from '../wild.js';
import type { DynamoDbState } from './dynamodb-state.js';
import type { TableStory } from './dynamodb-stories.js';

const lifePrefix = 'dynamodb/life/';
export const storyHourMs = 3_600_000;

/** A story as it was told, with all that was left open decided. */
export interface StoredLife {
  readonly tableId: string;
  readonly story: TableStory;
  readonly name: string;
  readonly startMs: number;
  readonly changesPerHour: number;
  /** Writes before this instant have happened, microseconds since the epoch. */
  readonly lived: number;
}

type StoryTable = MystoreTable | WildTable;

/** The table of a story at its beginning. */
export function storyTable(story: TableStory, name: string, startMs: number): StoryTable {
  const { seed, items, keyShape = 'ss' } = story;
  const options = { seed, items, startMs, name };
  return story.dataset === 'mystore'
    ? new MystoreTable(options)
    : new WildTable({ ...options, keyShape });
}

interface Life {
  stored: StoredLife;
  readonly told: StoryTable;
  /** Hours up to here are told. */
  toldMs: number;
  /** Told, and still to happen, in time order. */
  coming: PastWrite[];
}

export class TableLives {
  readonly #state: DynamoDbState;
  readonly #lives = new Map<string, Life>();

  private constructor(state: DynamoDbState) {
    this.#state = state;
  }

  static async open(state: DynamoDbState): Promise<TableLives> {
    const lives = new TableLives(state);
    for (const name of await state.documents.names(lifePrefix)) {
      lives.#begin((await state.documents.get(name)) as StoredLife);
    }
    return lives;
  }

  /** Lets a table's story go on from `lived`. */
  async add(stored: StoredLife): Promise<void> {
    await this.#state.documents.put(`${lifePrefix}${stored.tableId}`, stored);
    this.#begin(stored);
  }

  #begin(stored: StoredLife): void {
    const { story, name, startMs, lived, tableId } = stored;
    const life = { stored, told: storyTable(story, name, startMs), toldMs: startMs, coming: [] };
    this.#tell(life, lived / 1000);
    this.#lives.set(tableId, life);
  }

  /** Tells whole hours until an instant is told. */
  #tell(life: Life, untilMs: number): void {
    const { told, stored } = life;
    while (life.toldMs < untilMs) {
      const fromMs = life.toldMs;
      life.toldMs += storyHourMs;
      told.play(fromMs, life.toldMs, stored.changesPerHour);
      const writes = [...told.writesIn(fromMs * 1000, life.toldMs * 1000)]
        .filter(({ micros }) => micros >= stored.lived)
        .sort((a, b) => a.micros - b.micros);
      life.coming.push(...writes);
    }
  }

  /** Lets everything happen that has its instant before the clock's. */
  async goOn(): Promise<void> {
    const nowMicros = this.#state.clock.nowMs() * 1000;
    for (const [tableId, life] of this.#lives) {
      this.#tell(life, nowMicros / 1000);
      if ((life.coming[0]?.micros ?? nowMicros) >= nowMicros) continue;
      await this.#state.alone(`life of ${tableId}`, () => this.#live(tableId, life, nowMicros));
    }
  }

  async #live(tableId: string, life: Life, nowMicros: number): Promise<void> {
    const table = this.#state.byId(tableId);
    if (table === null || table.stored.isDeleted) {
      this.#lives.delete(tableId);
      await this.#state.documents.remove(`${lifePrefix}${tableId}`);
      return;
    }
    const count = life.coming.findIndex(({ micros }) => micros >= nowMicros);
    const due = life.coming.splice(0, count < 0 ? life.coming.length : count);
    if (due.length === 0) return;
    await Promise.all(
      due.map(({ micros, keys, item }) =>
        table.writeAt(keysOf(keys, table.stored.key), item, micros),
      ),
    );
    life.stored = { ...life.stored, lived: nowMicros };
    await this.#state.documents.put(`${lifePrefix}${tableId}`, life.stored);
  }
}
