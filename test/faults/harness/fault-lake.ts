// A lake on simulated AWS, or on disk, changed by the command over the real SDK, with a table that knows the truth of every hour.
// Promises: every run's output is searched for item content; `check` proves what must hold after any step, whatever went
// wrong: rows as in the simulated table, one snapshot per window in one chain, no live file missing, files that nothing
// refers to as `verify` counts them.
// Source: the design, "Faults and races"; pipeline/cli/run.ts.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateDatabaseCommand } from '@aws-sdk/client-glue';
import { expect } from 'vitest';
import { GlueCatalog } from '../../../pipeline/aws/glue-catalog.js';
import type { CliContext } from '../../../pipeline/cli/context.js';
import { runTidelake } from '../../../pipeline/cli/run.js';
import { FilesCatalog } from '../../../pipeline/lake/files-catalog.js';
import { liveFiles } from '../../../pipeline/lake/iceberg/live-files.js';
import { currentSnapshot } from '../../../pipeline/lake/iceberg/metadata.js';
import { formatInstant } from '../../../pipeline/lake/lake-state.js';
import { type OpenTable, openTable } from '../../../pipeline/lake/open-table.js';
import { ManualClock } from '../../../pipeline/local/clock.js';
import { DiskStore } from '../../../pipeline/local/disk-store.js';
import { RandomIds } from '../../../pipeline/local/ids.js';
import { MemoryStore } from '../../../pipeline/local/memory-store.js';
import { RoutedStore } from '../../../pipeline/local/routed-store.js';
import type { Catalog, ObjectStore, Reporter, World } from '../../../pipeline/ports.js';
import type { VerifyReport } from '../../../pipeline/reports.js';
import type { Snapshot } from '../../../schemas/iceberg.js';
import type { SimulatedGlue } from '../../aws/simulated-glue.js';
import { RememberingOutput } from '../../cli/stub-context.js';
import { expectedItems, StoryLake, worldOver } from '../../scenarios/story-world.js';
import { hour, Tale } from '../../scenarios/tale.js';

/** Where tables are kept: metadata files on S3, Glue, or metadata files on disk. */
export type CatalogKind = 'files' | 'glue' | 'disk';
export type AwsCatalogKind = Exclude<CatalogKind, 'disk'>;
export const catalogKinds: readonly AwsCatalogKind[] = ['files', 'glue'];

/** Stands in every item's key and values, and may stand in no output. */
export const canary = 'CANARY-7f3a';

/** One run of the command. */
export interface Ran {
  readonly exitCode: number;
  /** The JSON lines of stdout. */
  readonly rows: readonly Record<string, unknown>[];
  readonly err: string;
}

export interface FaultLakeOptions {
  /** Silence in a body after which the rest is asked for again, in ms. */
  readonly bodyIdleMs?: number;
}

/** Where a table stands. */
export interface Standing {
  /** Whole hours of the tale; null: there is no table. */
  readonly hour: number | null;
  /** Snapshots that Tidelake made. */
  readonly snapshots: number;
  /** Files below the table's folder that nothing refers to. */
  readonly orphans: readonly string[];
}

/** What a snapshot refers to: its list, its manifests, its live files with their sizes. Never changes once written. */
interface Referred {
  readonly metadata: readonly string[];
  readonly files: readonly { readonly uri: string; readonly size: number }[];
}

let made = 0;

export class FaultLake extends StoryLake {
  readonly sim: SimulatedGlue;
  readonly kind: CatalogKind;
  readonly database: string;
  readonly tale: Tale;
  readonly #options: FaultLakeOptions;
  readonly #folder: string | null;
  /** By snapshot: read once, since a check after every step would read all of them anew. */
  readonly #referred: Map<bigint, Referred> = new Map();

  private constructor(
    sim: SimulatedGlue,
    kind: CatalogKind,
    database: string,
    options: FaultLakeOptions,
  ) {
    const folder = kind === 'disk' ? mkdtempSync(path.join(tmpdir(), 'tidelake-faults-')) : null;
    super(
      worldAt(sim, kind, options),
      folder === null ? `s3://lake/${database}` : `file://${folder}`,
    );
    this.#folder = folder;
    this.sim = sim;
    this.kind = kind;
    this.database = database;
    this.#options = options;
    this.tale = new Tale(this, { seed: database });
  }

  /** A lake of its own in the simulator, without a table yet. */
  static async open(
    sim: SimulatedGlue,
    kind: CatalogKind,
    options: FaultLakeOptions = {},
  ): Promise<FaultLake> {
    const database = `faults_${process.pid}_${made++}`;
    if (kind === 'glue') {
      await sim.glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: database } }));
    }
    return new FaultLake(sim, kind, database, options);
  }

  override get target(): {
    readonly lake: string;
    readonly database: string;
    readonly catalog: AwsCatalogKind;
  } {
    const { lake, database, kind } = this;
    return { lake, database, catalog: kind === 'glue' ? 'glue' : 'files' };
  }

  /** In memory, unless the lake is on disk. */
  override get outRoot(): string {
    return this.kind === 'disk' ? super.outRoot : `file:///${this.database}`;
  }

  /** Removes what is on disk; lakes on S3 go with the simulator. */
  close(): void {
    if (this.#folder !== null) rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Writes a past of so many hours: keys come, go and come back, and every value holds the canary. */
  tell(hours: number, items = 12): void {
    const { tale } = this;
    for (let n = 0; n < items; n++) tale.put(-1, item(n, { n: { N: `${n}` } }));
    for (let h = 0; h < hours; h++) {
      tale.put(h, item((h * 5) % items, { n: { N: `${100 + h}` } }));
      tale.delete(h, { pk: pk((h * 7 + 3) % items) }, 2);
      tale.put(h, item(items + (h % 9), { late: { S: canary } }), 3);
    }
  }

  /** Runs the command in this process, its world being made here. Fails when its output shows content of an item. */
  async run(command: string, ...args: readonly string[]): Promise<Ran> {
    const out = new RememberingOutput();
    const err = new RememberingOutput();
    const { lake, database, catalog } = this.target;
    const folders: string[] = [];
    const context: CliContext = {
      process: { stdout: out, stderr: err, env: {} },
      out,
      err,
      folder: '/nonexistent',
      clock: new ManualClock(0),
      processors: 1,
      loadApi: () => import('../../../pipeline/index.js'),
      loadSimulator: () => Promise.reject(new Error('nothing is simulated here')),
      startSimulator: () => Promise.reject(new Error('no simulator is asked for')),
      openAthena: () => Promise.reject(new Error('no Athena is asked for')),
      openTableExports: () => Promise.reject(new Error('no DynamoDB is asked for')),
      onStop: () => () => {},
      createWorld: async ({ reporter }) =>
        worldAt(this.sim, this.kind, this.#options, reporter, folders),
      onInterrupt: () => () => {},
    };
    const where = ['--lake', lake, '--database', database, '--catalog', catalog, '--json'];
    const exitCode = await runTidelake([...command.split(' '), ...args, ...where], context);
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    const isContentAsked = command === 'query';
    expect(`${isContentAsked ? '' : out.text}${err.text}`).not.toContain(canary);
    const rows = out.text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    return { exitCode, rows, err: err.text };
  }

  /** The same, when all must go well; gives the actions reported. */
  async done(command: string, ...args: readonly string[]): Promise<readonly unknown[]> {
    const ran = await this.run(command, ...args);
    expect(ran.exitCode, ran.err).toBe(0);
    return ran.rows.map(({ action }) => action);
  }

  async loadAt(h: number): Promise<void> {
    expect(await this.done('load', await this.tale.full(h), '--key', 'pk')).toEqual(['loaded']);
  }

  catalog(): Promise<Catalog> {
    const { lake, world } = this;
    return this.kind === 'glue'
      ? world.glueCatalog!(lake)
      : Promise.resolve(new FilesCatalog(world.store, lake));
  }

  async found(): Promise<OpenTable | null> {
    const { database } = this;
    const { store } = this.world;
    return openTable({ store, catalog: await this.catalog(), database, table: 'tale' });
  }

  override async open(): Promise<OpenTable> {
    return (await this.found())!;
  }

  override async snapshots(): Promise<number> {
    return (await this.found())?.md.snapshots.length ?? 0;
  }

  /** Proves what must hold at any time, and tells where the table stands. `verify` opens an engine; not every step needs it. */
  async check(options: { readonly verify: boolean } = { verify: true }): Promise<Standing> {
    const { store } = this.world;
    const open = await this.found();
    if (open === null) return { hour: null, snapshots: 0, orphans: [] };
    const { md, location, state } = open;
    const own = md.snapshots.filter((one) => one.summary['tidelake.kind'] !== undefined);
    checkChain(own, state.watermarkMs);
    const present = new Map<string, number>();
    for await (const { uri, size } of store.list(location)) present.set(uri, size);
    const referred = new Set([open.entry.metadataUri, `${location}/metadata/version-hint.text`]);
    for (const { 'metadata-file': file } of md['metadata-log']) referred.add(file);
    for (const snapshot of md.snapshots) {
      const { metadata, files } = await this.#referredBy(open, snapshot);
      for (const uri of metadata) referred.add(uri);
      for (const { uri, size } of files) {
        referred.add(uri);
        expect(present.get(uri), `a live file of ${location}`).toBe(size);
      }
    }
    for (const uri of referred) {
      if (!uri.endsWith('version-hint.text')) expect(present.has(uri), uri).toBe(true);
    }
    const orphans = [...present.keys()].filter((uri) => !referred.has(uri)).sort();
    const items = await this.items(`snapshot:${md['current-snapshot-id']}`);
    expect(items).toEqual(expectedItems(this.tale.table, state.watermarkMs));
    if (options.verify) await this.#verify(currentSnapshot(md), orphans.length);
    const at = (state.watermarkMs - hour(0)) / (hour(1) - hour(0));
    return { hour: at, snapshots: own.length, orphans };
  }

  async #referredBy({ md, location }: OpenTable, snapshot: Snapshot): Promise<Referred> {
    const id = snapshot['snapshot-id'];
    let referred = this.#referred.get(id);
    if (referred === undefined) {
      const live = await liveFiles(this.world.store, md, snapshot, location);
      referred = {
        metadata: [snapshot['manifest-list'], ...live.manifests.map(({ path: uri }) => uri)],
        files: [...live.data, ...live.positionDeletes].map(({ file }) => ({
          uri: file.path,
          size: Number(file.fileSizeBytes),
        })),
      };
      this.#referred.set(id, referred);
    }
    return referred;
  }

  async #verify(current: Snapshot | null, orphans: number): Promise<void> {
    const { exitCode, rows, err } = await this.run('verify');
    expect(exitCode, err).toBe(0);
    const [report] = rows as unknown as readonly VerifyReport[];
    const details = report!.checks.map(({ detail }) => detail).join('\n');
    expect(details).toContain(`snapshot ${current?.['snapshot-id']}`);
    expect(/(\d+) files of \d+ bytes that nothing refers to/.exec(details)?.[1]).toBe(`${orphans}`);
  }
}

/** Of each epoch: one load, and windows that follow each other to the watermark, each in one snapshot. */
function checkChain(own: readonly Snapshot[], watermarkMs: number): void {
  const of = (kind: string) => own.filter(({ summary }) => summary['tidelake.kind'] === kind);
  const epochs = of('load').map(({ summary }) => summary['tidelake.epoch']);
  expect(epochs).toEqual(epochs.map((_, i) => `${i + 1}`));
  let end: string | undefined;
  for (const epoch of epochs) {
    end = of('load').find(({ summary }) => summary['tidelake.epoch'] === epoch)!.summary[
      'tidelake.to'
    ];
    for (const { summary } of of('merge')) {
      if (summary['tidelake.epoch'] !== epoch) continue;
      expect(summary['tidelake.from']).toBe(end);
      end = summary['tidelake.to'];
    }
  }
  expect(end).toBe(formatInstant(watermarkMs));
}

const pk = (n: number): object => ({ S: `${canary}-k${n}` });
const item = (n: number, more: object): object => ({ pk: pk(n), secret: { S: canary }, ...more });

/** A world on the simulated AWS whose waits take no time; `file:` places are memory, unless the lake is on disk. */
function worldAt(
  sim: SimulatedGlue,
  kind: CatalogKind,
  { bodyIdleMs }: FaultLakeOptions,
  reporter?: Reporter,
  folders: string[] = [],
): World {
  const s3: ObjectStore = sim.s3.store(bodyIdleMs === undefined ? {} : { bodyIdleMs });
  const here: ObjectStore = kind === 'disk' ? new DiskStore() : new MemoryStore();
  const store = new RoutedStore({ file: async () => here, s3: async () => s3 });
  const spillFolder = mkdtempSync(path.join(tmpdir(), 'tidelake-faults-'));
  folders.push(spillFolder);
  const ids = new RandomIds();
  const base = worldOver(store, { spillFolder, ...(reporter === undefined ? {} : { reporter }) });
  return {
    ...base,
    ids,
    glueCatalog: async (lakeUri) =>
      new GlueCatalog({
        clients: sim.s3.clients,
        store,
        lakeUri,
        clock: new ManualClock(0),
        ids,
      }),
  };
}
