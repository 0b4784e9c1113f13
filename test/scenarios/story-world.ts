// Worlds in memory or in a temporary folder, and the oracle's and the lake's view of a table, for scenario tests.
// Promises: what is expected comes from the simulator's states alone; every run is replayed by its seed.
// Source: pipeline/ports.ts (World); pipeline/simulator (stateAt, canonicalItem).

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  type LoadOptions,
  type LoadReport,
  loadExport,
  type MergeOptions,
  type MergeReport,
  mergeExports,
  type ObjectStore,
  type Reporter,
  unload,
  type World,
} from '../../pipeline/index.js';
import { FilesCatalog } from '../../pipeline/lake/files-catalog.js';
import { type OpenTable, openTable } from '../../pipeline/lake/open-table.js';
import { ManualClock } from '../../pipeline/local/clock.js';
import { DiskStore } from '../../pipeline/local/disk-store.js';
import { DuckdbEngine } from '../../pipeline/local/duckdb-engine.js';
import { SeededIds } from '../../pipeline/local/ids.js';
import { CopiedFiles } from '../../pipeline/local/local-files.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import { MemoryScratch } from '../../pipeline/local/scratch.js';
import { InlineUnits } from '../../pipeline/local/units.js';
import { NullReporter } from '../../pipeline/reporting/null-reporter.js';
import {
  canonicalItem,
  itemFromLine,
  storyStartMs,
  type TablePast,
} from '../../pipeline/simulator/index.js';
import { units } from '../../pipeline/units/registry.js';

export const hourMs = 3_600_000;
export const database = 'lake';

/** A world over a store: units in this thread, a clock that stands, ids by seed. */
export function worldOver(
  store: ObjectStore,
  options: {
    readonly seed?: number | string;
    readonly reporter?: Reporter;
    readonly nowMs?: number;
    readonly spillFolder?: string;
  } = {},
): World {
  const scratch = new MemoryScratch();
  const spillFolder = options.spillFolder ?? join(tmpdir(), 'tidelake-scenario-spill');
  return {
    store,
    clock: new ManualClock(options.nowMs ?? storyStartMs + 1000 * hourMs),
    ids: new SeededIds(options.seed ?? 1),
    reporter: options.reporter ?? new NullReporter(),
    scratch,
    units: new InlineUnits(units, { store, scratch }),
    engine: (given) =>
      DuckdbEngine.open({
        ...given,
        spillFolder,
      }),
    localFiles: new CopiedFiles(store, spillFolder),
    glueCatalog: null,
  };
}

/** A world with everything in memory. */
export function memoryWorld(seed: number | string = 1): World {
  return worldOver(new MemoryStore(), { seed });
}

/** How merges of stories change partitions: as the table's size wants it, or one way in all of them. */
let wayOfMerges: MergeOptions['way'];

/** Has all merges of this test file mark changed rows, or write partitions anew, whatever that costs. */
export function mergeBy(way: MergeOptions['way']): void {
  wayOfMerges = way;
}

/** Whether merges mark changed rows as deleted, so that files are not those of a table written anew. */
export function isMarking(): boolean {
  return wayOfMerges === 'mark';
}

/** A lake and its exports in one world. */
export class StoryLake {
  readonly world: World;
  readonly lake: string;
  /** Where exports go. */
  readonly exportsUri: string;
  readonly table: string | undefined;
  /** How its merges change partitions. */
  way: MergeOptions['way'] = wayOfMerges;
  #unloads = 0;

  constructor(world: World, root = 'file:///story', table?: string) {
    this.world = world;
    this.lake = `${root}/lake`;
    this.exportsUri = `${root}/exports`;
    this.table = table;
  }

  /** The same lake seen by another world. */
  in(world: World): StoryLake {
    return new StoryLake(world, this.lake.slice(0, -'/lake'.length), this.table);
  }

  get target(): { readonly lake: string; readonly database: string; readonly table?: string } {
    const { lake, table } = this;
    return { lake, database, ...(table === undefined ? {} : { table }) };
  }

  load(exportUri: string, more: Partial<LoadOptions> = {}): Promise<LoadReport> {
    return loadExport(this.world, { ...this.target, exportUri, ...more });
  }

  async merge(
    exportUris: string | readonly string[],
    accept: { readonly gap?: boolean; readonly seam?: boolean } = {},
  ): Promise<readonly MergeReport[]> {
    const reports: MergeReport[] = [];
    for await (const report of mergeExports(this.world, {
      ...this.target,
      exportUris: typeof exportUris === 'string' ? [exportUris] : exportUris,
      acceptGap: accept.gap ?? false,
      acceptSeam: accept.seam ?? false,
      ...(this.way === undefined ? {} : { way: this.way }),
    })) {
      reports.push(report);
    }
    return reports;
  }

  /** Where `items` unloads to. */
  get outRoot(): string {
    return this.lake.slice(0, -'/lake'.length);
  }

  /** The table's items as canonical texts, sorted, as unload gives them back. */
  async items(asOf?: string): Promise<readonly string[]> {
    const { store } = this.world;
    const outUri = `${this.outRoot}/out-${this.#unloads++}`;
    const report = await unload(this.world, {
      ...this.target,
      outUri,
      ...(asOf === undefined ? {} : { asOf }),
    });
    const lines: string[] = [];
    const written: string[] = [];
    for await (const { uri } of store.list(outUri)) {
      written.push(uri);
      const text = gunzipSync(await store.read(uri)).toString('utf8');
      for (const line of text.split('\n')) {
        if (line !== '') lines.push(canonicalItem(itemFromLine(line)));
      }
    }
    for (const uri of written) await store.remove(uri);
    if (report.items !== lines.length) throw new Error(`unload says ${report.items} items`);
    return lines.sort();
  }

  async open(): Promise<OpenTable> {
    const catalog = new FilesCatalog(this.world.store, this.lake);
    const table = this.table ?? (await catalog.tables(database))[0]!;
    const { store } = this.world;
    return (await openTable({ store, catalog, database, table }))!;
  }

  /** Number of snapshots in the table's metadata; 0 without a table. */
  async snapshots(): Promise<number> {
    const catalog = new FilesCatalog(this.world.store, this.lake);
    if ((await catalog.tables(database)).length === 0) return 0;
    return (await this.open()).md.snapshots.length;
  }
}

/** What a lake must hold at an instant: the simulator's items as canonical texts, sorted. */
export function expectedItems(table: TablePast, ms: number): readonly string[] {
  return [...table.itemsAt(ms * 1000)].map(canonicalItem).sort();
}

/** Inserts, updates and deletes between two instants, from the two states alone; a rewrite with equal content counts. */
export function expectedKeys(
  table: TablePast,
  fromMs: number,
  toMs: number,
): { readonly inserted: number; readonly deleted: number } {
  const before = table.stateAt(fromMs * 1000);
  const after = table.stateAt(toMs * 1000);
  let inserted = 0;
  let deleted = 0;
  for (const key of after.keys()) if (!before.has(key)) inserted++;
  for (const key of before.keys()) if (!after.has(key)) deleted++;
  return { inserted, deleted };
}

/** Every object of a store below a folder with its bytes, to compare before and after. */
export async function contents(
  store: ObjectStore,
  folderUri: string,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for await (const { uri } of store.list(folderUri)) {
    found.set(uri, Buffer.from(await store.read(uri)).toString('latin1'));
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The first differences between two lists of items, as lengths and positions, so that a failure is readable. */
export function differences(
  found: readonly string[],
  expected: readonly string[],
): { readonly missing: readonly string[]; readonly extra: readonly string[] } {
  const has = new Set(found);
  const wants = new Set(expected);
  const short = (text: string): string => text.slice(0, 400);
  return {
    missing: expected
      .filter((line) => !has.has(line))
      .slice(0, 3)
      .map(short),
    extra: found
      .filter((line) => !wants.has(line))
      .slice(0, 3)
      .map(short),
  };
}

/** A story on disk, in a temporary folder that `close` removes: for what reads through DuckDB. */
export class DiskStory extends StoryLake {
  readonly folder: string;

  private constructor(folder: string, world: World, table?: string) {
    super(world, `file://${folder}`, table);
    this.folder = folder;
  }

  static open(seed: number | string = 1, table?: string): DiskStory {
    const folder = mkdtempSync(join(tmpdir(), 'tidelake-story-'));
    const world = worldOver(new DiskStore(), { seed, spillFolder: join(folder, 'spill') });
    return new DiskStory(folder, world, table);
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
