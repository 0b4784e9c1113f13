// A small table told write by write, with exports of any of its instants: for scenarios about single values.
// Promises: writes are DynamoDB JSON as a test writes it down; the table answers for every state of its past.
// Source: pipeline/simulator (SimulatedTable).

import type { MergeReport } from '../../pipeline/index.js';
import {
  fullExport,
  incrementalExport,
  itemFromParsed,
  SimulatedTable,
  storyStartMs,
} from '../../pipeline/simulator/index.js';
import type { KeyTag } from '../../schemas/attribute.js';
import type { ExportView } from '../../schemas/export-manifest.js';
import { hourMs, type StoryLake } from './story-world.js';

/** Hour `n` of the tale, ms since the epoch; the full export stands at hour 0 unless told. */
export function hour(n: number): number {
  return storyStartMs + n * hourMs;
}

/** Which key a tale's table has: tags of `pk` and of `sk` if there is one. */
export type TaleKey = readonly [KeyTag] | readonly [KeyTag, KeyTag];

export interface TaleOptions {
  readonly key?: TaleKey;
  readonly name?: string;
  readonly tableId?: string;
  readonly seed?: number | string;
}

export class Tale {
  readonly lake: StoryLake;
  readonly table: SimulatedTable;
  readonly keyNames: readonly string[];
  readonly #seed: number | string;

  constructor(lake: StoryLake, options: TaleOptions = {}) {
    const tags: readonly KeyTag[] = options.key ?? ['S'];
    const key = tags.map((tag, i) => ({ name: i === 0 ? 'pk' : 'sk', tag }));
    this.lake = lake;
    this.keyNames = key.map(({ name }) => name);
    this.#seed = options.seed ?? 1;
    this.table = new SimulatedTable({
      name: options.name ?? 'tale',
      key,
      seed: this.#seed,
      ...(options.tableId === undefined ? {} : { tableId: options.tableId }),
    });
  }

  /** Writes an item `minute` minutes (a fraction too) after hour `h`. */
  put(h: number, item: object, minute = 1): void {
    this.table.put(Math.floor((hour(h) + minute * 60_000) * 1000), itemFromParsed(item));
  }

  delete(h: number, keys: object, minute = 1): void {
    this.table.delete(Math.floor((hour(h) + minute * 60_000) * 1000), itemFromParsed(keys));
  }

  /** A full export at hour `h`, or at that and some milliseconds. */
  async full(
    h = 0,
    more: { readonly plusMs?: number; readonly files?: number } = {},
  ): Promise<string> {
    const { folderUri } = await fullExport({
      table: this.table,
      store: this.lake.world.store,
      folderUri: this.lake.exportsUri,
      files: more.files ?? 2,
      atMicros: (hour(h) + (more.plusMs ?? 0)) * 1000,
      seed: this.#seed,
    });
    return folderUri;
  }

  /** An incremental export of `[hour from, hour to)`. */
  async window(
    from: number,
    to: number = from + 1,
    more: { readonly view?: ExportView; readonly files?: number } = {},
  ): Promise<string> {
    const { folderUri } = await incrementalExport({
      table: this.table,
      store: this.lake.world.store,
      folderUri: this.lake.exportsUri,
      files: more.files ?? 2,
      fromMs: hour(from),
      toMs: hour(to),
      view: more.view ?? 'NEW_AND_OLD_IMAGES',
      seed: this.#seed,
    });
    return folderUri;
  }

  /** Loads the table as it was at hour `h`. */
  async load(h = 0): Promise<void> {
    await this.lake.load(await this.full(h), { key: this.keyNames });
  }

  /** Merges the window `[hour from, hour to)` and returns what is reported of it. */
  async merge(from: number, to: number = from + 1): Promise<MergeReport> {
    const [report] = await this.lake.merge(await this.window(from, to));
    return report!;
  }
}
