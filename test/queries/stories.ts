// The two simulated tables that every saved query, view and check is asked about: orders of a shop, and a small
// single-table design with misfits and NULLs. Promises: what is expected comes from the simulator's states alone; times
// lie in the past, so that engines with a clock of their own take them. Source: pipeline/simulator.

import type { ObjectStore } from '../../pipeline/ports.js';
import {
  canonicalKey,
  fullExport,
  type Item,
  incrementalExport,
  itemFromParsed,
  Random,
  SimulatedTable,
  simulate,
  storyStartMs,
  type TablePast,
} from '../../pipeline/simulator/index.js';

export const windowMs = 12 * 3_600_000;

/** A table with a past, exported. */
export interface QueryStory {
  readonly table: TablePast;
  /** Names of the key attributes, partition key first. */
  readonly key: readonly string[];
  readonly full: string;
  readonly windows: readonly {
    readonly folderUri: string;
    readonly fromMs: number;
    readonly toMs: number;
  }[];
  /** The instant of the full export, and the end of the last window. */
  readonly startMs: number;
  readonly endMs: number;
}

export interface QueryStories {
  readonly mystore: QueryStory;
  readonly entities: QueryStory;
}

/** Writes the exports of both tables below `outUri`. */
export async function writeStories(store: ObjectStore, outUri: string): Promise<QueryStories> {
  const mystore = await simulate({
    store,
    outUri: `${outUri}/mystore`,
    dataset: 'mystore',
    items: 300,
    windows: 4,
    windowSeconds: windowMs / 1000,
    changesPerWindow: 60,
    seed: 7,
    view: 'NEW_AND_OLD_IMAGES',
    files: 2,
  });
  return {
    mystore: {
      table: mystore.table,
      key: ['clientid', 'created'],
      full: mystore.full,
      windows: mystore.windows,
      startMs: storyStartMs,
      endMs: storyStartMs + 4 * windowMs,
    },
    entities: await writeEntities(store, `${outUri}/entities`),
  };
}

/** Users and their orders in one table. `age` is a number but for some; `note` is NULL for some, or is not there. */
function entitiesTable(): SimulatedTable {
  const table = new SimulatedTable({
    name: 'entities',
    key: [
      { name: 'pk', tag: 'S' },
      { name: 'sk', tag: 'S' },
    ],
  });
  const longAgo = (storyStartMs - 86_400_000) * 1000;
  for (let i = 0; i < 40; i++) {
    const pk = { S: `USER#${String(i).padStart(3, '0')}` };
    const age = i % 20 === 3 ? { S: 'secret' } : i === 25 ? { BOOL: true } : { N: String(20 + i) };
    const note = i % 4 === 0 ? { NULL: true } : i % 4 === 1 ? { S: `note ${i % 8}` } : null;
    table.put(
      longAgo + i,
      itemFromParsed({
        pk,
        sk: { S: 'PROFILE' },
        email: { S: `user${i % 37}@example.com` },
        age,
        ...(note === null ? {} : { note }),
      }),
    );
    for (let n = 0; n < i % 3; n++) {
      const sk = { S: `ORDER#2026-10-${10 + n}` };
      table.put(longAgo + 100 + i, itemFromParsed({ pk, sk, total: { N: `${i}.5` } }));
    }
  }
  const at = (window: number, minute: number): number =>
    (storyStartMs + window * windowMs + minute * 60_000) * 1000;
  table.put(
    at(0, 5),
    itemFromParsed({ pk: { S: 'SHOP#1' }, sk: { S: 'SHOP' }, name: { S: 'One' } }),
  );
  table.delete(at(0, 90), itemFromParsed({ pk: { S: 'USER#000' }, sk: { S: 'PROFILE' } }));
  table.put(
    at(1, 30),
    itemFromParsed({
      pk: { S: 'USER#001' },
      sk: { S: 'PROFILE' },
      email: { S: 'new@example.com' },
      age: { L: [] },
    }),
  );
  table.delete(at(1, 31), itemFromParsed({ pk: { S: 'USER#002' }, sk: { S: 'ORDER#2026-10-10' } }));
  return table;
}

async function writeEntities(store: ObjectStore, folderUri: string): Promise<QueryStory> {
  const table = entitiesTable();
  const shared = { table, store, folderUri, files: 2, seed: 1 };
  const full = await fullExport({ ...shared, atMicros: storyStartMs * 1000 });
  const windows: QueryStory['windows'][number][] = [];
  for (let i = 0; i < 2; i++) {
    const fromMs = storyStartMs + i * windowMs;
    const toMs = fromMs + windowMs;
    const view = 'NEW_AND_OLD_IMAGES';
    const { folderUri: written } = await incrementalExport({ ...shared, fromMs, toMs, view });
    windows.push({ folderUri: written, fromMs, toMs });
  }
  const endMs = storyStartMs + 2 * windowMs;
  return { table, key: ['pk', 'sk'], full: full.folderUri, windows, startMs: storyStartMs, endMs };
}

// ---------------------------------------------------------------- what the simulated table says

export const iso = (ms: number): string => new Date(ms).toISOString();

/** Microseconds since the epoch as ISO 8601. */
export function isoMicros(micros: number): string {
  const ms = Math.floor(micros / 1000);
  const rest = String(micros - ms * 1000).padStart(3, '0');
  return `${iso(ms).slice(0, -1)}${rest}Z`;
}

/** The items of a story at an instant, the end unless told. */
export function itemsOf(story: QueryStory, ms: number = story.endMs): readonly Item[] {
  return [...story.table.itemsAt(ms * 1000)];
}

/** When each live row was last written to in a window that ends by `ms`, by its canonical key, in microseconds. */
export function writtenAt(
  story: QueryStory,
  ms: number = story.endMs,
): ReadonlyMap<string, number> {
  const written = new Map<string, number>();
  for (const window of story.windows) {
    if (window.toMs > ms) break;
    for (const change of changesOf(story, window)) {
      const key = canonicalKey(itemFromParsed(JSON.parse(change.keys)), story.table.key);
      if (change.newImage === null) written.delete(key);
      else written.set(key, change.micros);
    }
  }
  return written;
}

/** Decides only the order of attributes in texts, which nobody here looks at. */
const dice = new Random(1);

export function changesOf(
  story: QueryStory,
  window: { readonly fromMs: number; readonly toMs: number },
): ReturnType<TablePast['changesIn']> {
  return story.table.changesIn(window.fromMs * 1000, window.toMs * 1000, dice);
}

/** What a window did, by the simulator's own changes. */
export function countsOf(
  story: QueryStory,
  window: { readonly fromMs: number; readonly toMs: number },
): { readonly inserted: number; readonly updated: number; readonly deleted: number } {
  let [inserted, updated, deleted] = [0, 0, 0];
  for (const { oldImage, newImage } of changesOf(story, window)) {
    if (oldImage === null) inserted++;
    else if (newImage === null) deleted++;
    else updated++;
  }
  return { inserted, updated, deleted };
}
