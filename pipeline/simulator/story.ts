// A table with a past, told as exports: one full export and the contiguous incremental exports after it.
// Promises: the same options give the same bytes; the returned table answers for the state at every instant.
// Source: Amazon DynamoDB Developer Guide, "Requesting a table export": a full export at T, then windows from T on.

import type { ExportView } from '../../schemas/export-manifest.js';
import type { ObjectStore } from '../ports.js';
import { MystoreTable } from './mystore.js';
import type { TablePast } from './past.js';
import type { Seed } from './random.js';
import { type KeyShape, WildTable } from './wild.js';
import {
  fullExport,
  incrementalExport,
  type KeyLayout,
  type WrittenExport,
} from './write-export.js';

/** The instant of every story's full export: 2026-11-01T00:00:00Z, in milliseconds since the epoch. */
export const storyStartMs: number = Date.UTC(2026, 10, 1);

/** Share of the items that get a write in a window, and the most writes of one window. */
const changeShare = { mystore: 0.02, wild: 0.05 } as const;
const changesMin = 20;
const changesMax = 100_000;

/** What a story is made of. */
export interface StoryOptions {
  readonly store: ObjectStore;
  /** Where the exports land: a bucket, or a folder in it. */
  readonly outUri: string;
  readonly dataset: 'mystore' | 'wild';
  /** Items in the full export. */
  readonly items: number;
  /** Number of incremental exports. */
  readonly windows: number;
  readonly seed: Seed;
  readonly view: ExportView;
  /** Key of the wild data set; 'ss' unless told. */
  readonly keyShape?: KeyShape;
  /** Length of a window; 3600 unless told. */
  readonly windowSeconds?: number;
  /** Data files with items per export; one per 50,000 items, between 4 and 64, unless told. */
  readonly files?: number;
  /** Writes per window; a share of the items unless told. */
  readonly changesPerWindow?: number;
  readonly s3Prefix?: string;
  readonly layout?: KeyLayout;
  readonly bucket?: string;
  readonly tableName?: string;
  /** Called now and then with the number of items or records written since the last call. */
  readonly onProgress?: (count: number) => void;
}

/** An incremental export of a story. */
export interface StoryWindow extends WrittenExport {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A story that was written. */
export interface Story {
  /** The oracle: `table.stateAt(toMs * 1000)` is what a lake must hold after that window. */
  readonly table: TablePast;
  /** URI of the full export's folder. */
  readonly full: string;
  readonly fullExport: WrittenExport;
  readonly windows: readonly StoryWindow[];
}

/** Writes one full export at `storyStartMs` and `windows` contiguous incremental exports after it. */
export async function simulate(options: StoryOptions): Promise<Story> {
  const windowMs = (options.windowSeconds ?? 3600) * 1000;
  const changes =
    options.changesPerWindow ??
    Math.min(
      changesMax,
      Math.max(changesMin, Math.floor(options.items * changeShare[options.dataset])),
    );
  const table = tableOf(options);
  const shared = { table, store: options.store, folderUri: options.outUri, ...given(options) };
  const onItems = (): ((itemCount: number) => void) => {
    let told = 0;
    return (itemCount) => {
      options.onProgress?.(itemCount - told);
      told = itemCount;
    };
  };

  const full = await fullExport({
    ...shared,
    files: options.files ?? Math.min(64, Math.max(4, Math.ceil(options.items / 50_000))),
    atMicros: storyStartMs * 1000,
    onItems: onItems(),
  });
  const windows: StoryWindow[] = [];
  for (let i = 0; i < options.windows; i++) {
    const fromMs = storyStartMs + i * windowMs;
    const toMs = fromMs + windowMs;
    table.play(fromMs, toMs, changes);
    const window = await incrementalExport({
      ...shared,
      files: options.files ?? Math.min(16, Math.max(4, Math.ceil(changes / 50_000))),
      fromMs,
      toMs,
      view: options.view,
      onItems: onItems(),
    });
    windows.push({ ...window, fromMs, toMs });
  }
  return { table, full: full.folderUri, fullExport: full, windows };
}

function tableOf(options: StoryOptions): MystoreTable | WildTable {
  const common = {
    seed: options.seed,
    items: options.items,
    startMs: storyStartMs,
    ...(options.tableName === undefined ? {} : { name: options.tableName }),
  };
  if (options.dataset === 'mystore') return new MystoreTable(common);
  return new WildTable({ ...common, keyShape: options.keyShape ?? 'ss' });
}

function given(
  options: StoryOptions,
): Pick<StoryOptions, 'seed' | 's3Prefix' | 'layout' | 'bucket'> {
  return {
    seed: options.seed,
    ...(options.s3Prefix === undefined ? {} : { s3Prefix: options.s3Prefix }),
    ...(options.layout === undefined ? {} : { layout: options.layout }),
    ...(options.bucket === undefined ? {} : { bucket: options.bucket }),
  };
}
