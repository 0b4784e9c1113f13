// The life of one real lake table over thousands of windows, with faults at random operations and upkeep in between.
// Promises: one seed is one life, down to the names of files; what is expected comes from the simulated table alone; after
// every window the counts are compared, after each `compareEach`th the whole table.
// Source: pipeline/simulator (SimulatedTable); pipeline/local/faulty-store.ts.

import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import {
  compactTable,
  expireTable,
  mergeExports,
  type Retention,
  type UpkeepWhen,
  upkeepDue,
} from '../../pipeline/index.js';
import { liveFiles } from '../../pipeline/lake/iceberg/live-files.js';
import { currentSnapshot } from '../../pipeline/lake/iceberg/metadata.js';
import { mainLine } from '../../pipeline/lake/open-table.js';
import { checkWriter } from '../../pipeline/lake/watermark.js';
import { type FaultMode, FaultyStore, InjectedFault } from '../../pipeline/local/faulty-store.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import { Random } from '../../pipeline/simulator/random.js';
import { compactAll } from '../../pipeline/upkeep/compact.js';
import { TidelakeError } from '../../schemas/errors.js';
import { expectedItems, hourMs, StoryLake, worldOver } from '../scenarios/story-world.js';
import { hour, Tale } from '../scenarios/tale.js';

export interface LifeOptions {
  readonly seed: string;
  readonly windows: number;
  /** Hours of a window. */
  readonly grain: number;
  /** Keys that there may be. */
  readonly keys: number;
  readonly buckets: number;
  /** Share of runs in which one operation fails. */
  readonly faults: number;
  readonly compareEach: number;
  /** Days of data that stay. */
  readonly keepDays: number;
  readonly keepSnapshots: number;
}

/** The most that was there after any tenth window, and how it went. */
export interface Life {
  windows: number;
  faultsMet: number;
  compactions: number;
  expiries: number;
  compared: number;
  metadataBytesMax: number;
  manifestsMax: number;
  snapshotsMax: number;
  /** All files below the table's folder. */
  filesMax: number;
  dataFilesMax: number;
  deleteFilesMax: number;
  /** A hash of every report and of the last listing. */
  trace: string;
}

/** Lives one life. Throws what no fault that was put in explains. */
export async function live(options: LifeOptions): Promise<Life> {
  const { seed, grain } = options;
  const random = new Random(seed, 'life');
  let nowMs = hour(0);
  const store = new MemoryStore(() => nowMs);
  const home = new StoryLake(worldOver(store, { seed: `${seed} home`, nowMs }));
  const tale = new Tale(home, { seed });
  for (let n = 0; n < options.keys / 2; n++) tale.put(-1, { pk: { S: `k${n}` }, n: { N: `${n}` } });
  await home.load(await tale.full(0), { key: ['pk'], buckets: options.buckets });
  const trace = createHash('sha256');
  const life: Life = {
    windows: 0,
    faultsMet: 0,
    compactions: 0,
    expiries: 0,
    compared: 0,
    metadataBytesMax: 0,
    manifestsMax: 0,
    snapshotsMax: 0,
    filesMax: 0,
    dataFilesMax: 0,
    deleteFilesMax: 0,
    trace: '',
  };
  let runs = 0;
  /** Runs `work` until it gets through; a fault ends a run at a random operation, as often as chance wants. */
  const through = async <T>(work: (lake: StoryLake) => Promise<T>): Promise<T> => {
    for (let tries = 0; tries < 20; tries++) {
      const isFaulty = tries < 3 && random.chance(options.faults);
      const mode: FaultMode = random.pick(['before', 'after', 'torn']);
      const plan = { failAt: 1 + random.below(14), mode, crash: random.chance(0.5) };
      const used = isFaulty ? new FaultyStore(store, plan) : store;
      const world = worldOver(used, { seed: `${seed} ${runs++}`, nowMs });
      try {
        return await work(home.in(world));
      } catch (error) {
        const isOurs = error instanceof InjectedFault || error instanceof TidelakeError;
        if (!isFaulty || !isOurs) throw error;
        life.faultsMet++;
      }
    }
    throw new Error('twenty runs did not get through');
  };

  for (let w = 0; w < options.windows; w++) {
    const from = w * grain;
    change(tale, from, grain, options.keys, random);
    nowMs = hour(from + grain) + 20 * 60_000;
    const uri = await tale.window(from, from + grain, { files: 1 });
    const way = random.pick(['mark', 'rewrite', undefined] as const);
    await through(async (lake) => {
      for await (const report of mergeExports(lake.world, {
        ...lake.target,
        exportUris: [uri],
        acceptGap: false,
        acceptSeam: false,
        ...(way === undefined ? {} : { way }),
      })) {
        const { action, error, inserted, updated, deleted } = report;
        if (action === 'refused') throw new TidelakeError(error!);
        trace.update(JSON.stringify([w, action, inserted, updated, deleted]));
      }
    });
    life.windows++;
    for await (const { uri: one } of store.list(home.exportsUri)) await store.remove(one);
    const isEager = random.chance(0.1);
    await upkeep(options, isEager, store, home, nowMs, life, through);
    const instant = hour(from + grain);
    const open = await home.in(worldOver(store, { nowMs })).open();
    expect(open.state.watermarkMs).toBe(instant);
    let rows = 0;
    for (const _ of tale.table.itemsAt(instant * 1000)) rows++;
    expect(open.state.facts!.rows, `rows after window ${w}`).toBe(rows);
    if (w % options.compareEach === 0 || w === options.windows - 1) {
      await checkWriter(store, open);
      const lake = home.in(worldOver(store, { seed: `${seed} reads ${w}`, nowMs }));
      expect(await lake.items()).toEqual(expectedItems(tale.table, instant));
      // And the oldest instant that is left, as it was then.
      const oldest = mainLine(open.md).find((one) => one.watermarkMs !== null)!.watermarkMs!;
      expect(await lake.items(new Date(oldest).toISOString())).toEqual(
        expectedItems(tale.table, oldest),
      );
      life.compared += 2;
    }
    if (w % 10 === 9) await measure(store, home, life);
  }
  const last: string[] = [];
  for await (const { uri, size } of store.list(home.lake)) last.push(`${uri} ${size}`);
  life.trace = trace.update(last.sort().join('\n')).digest('hex');
  return life;
}

/** A handful of changes in one window: new items, changed ones, deleted ones, now and then a new attribute. */
function change(tale: Tale, from: number, grain: number, keys: number, random: Random): void {
  const changes = random.below(5);
  for (let i = 0; i < changes; i++) {
    const pk = { S: `k${random.below(keys)}` };
    const minute = (grain * 60 * (i + 1)) / (changes + 2);
    if (random.chance(0.3)) tale.delete(from, { pk }, minute);
    else {
      const more = random.chance(0.2) ? { [`a${random.below(6)}`]: { S: `v${from}` } } : {};
      const n = random.chance(0.02) ? '0.25' : String(random.below(1000));
      tale.put(from, { pk, n: { N: n }, ...more }, minute);
    }
  }
}

/** What is due, as the scheduled job would do it; when eager, compaction of whatever can be better. */
async function upkeep(
  options: LifeOptions,
  isEager: boolean,
  store: MemoryStore,
  home: StoryLake,
  nowMs: number,
  life: Life,
  through: <T>(work: (lake: StoryLake) => Promise<T>) => Promise<T>,
): Promise<void> {
  const open = await home.in(worldOver(store, { nowMs })).open();
  const current = await liveFiles(store, open.md, currentSnapshot(open.md), open.location);
  const retention: Retention = {
    keepMs: options.keepDays * 24 * hourMs,
    keepSnapshots: options.keepSnapshots,
    graceMs: hourMs,
  };
  const when: UpkeepWhen = {
    retention,
    expiredMin: 24,
    versionsMin: 100,
    ...(isEager ? compactAll : { smallFilesMin: 6, deleteFilesMin: 4 }),
  };
  const names = await store.children(`${open.location}/metadata`);
  const metadataFiles = names.filter((name) => name.endsWith('.metadata.json')).length;
  for (const action of upkeepDue({ open, live: current, metadataFiles, nowMs }, when)) {
    if (action.kind === 'compact') {
      life.compactions++;
      await through(async (lake) => {
        for await (const _ of compactTable(lake.world, { ...lake.target, when }));
      });
      continue;
    }
    life.expiries++;
    const { keepDays, keepSnapshots } = options;
    await through(async (lake) => {
      const report = await expireTable(lake.world, {
        ...lake.target,
        keepDays,
        keepSnapshots,
        graceHours: 1,
        removeOrphans: true,
      });
      if (report.unremoved > 0) throw new InjectedFault(0, 'a removal');
    });
  }
}

async function measure(store: MemoryStore, home: StoryLake, life: Life): Promise<void> {
  const { md, entry, location } = await home.in(worldOver(store)).open();
  const now = await liveFiles(store, md, currentSnapshot(md), location);
  let files = 0;
  for await (const _ of store.list(location)) files++;
  life.metadataBytesMax = Math.max(life.metadataBytesMax, (await store.size(entry.metadataUri))!);
  life.manifestsMax = Math.max(life.manifestsMax, now.manifests.length);
  life.snapshotsMax = Math.max(life.snapshotsMax, md.snapshots.length);
  life.filesMax = Math.max(life.filesMax, files);
  life.dataFilesMax = Math.max(life.dataFilesMax, now.data.length);
  life.deleteFilesMax = Math.max(life.deleteFilesMax, now.positionDeletes.length);
}
