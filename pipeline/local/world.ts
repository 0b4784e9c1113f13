// The world of a run on one machine: files on disk, worker threads, DuckDB in this process.
// Promises: nothing heavy is loaded before it is used; closing `units` and then `scratch` leaves no thread and no file.
// Source: ports.ts, World.
import type { ObjectStore, Reporter, Units, World } from '../ports.js';
import { SystemClock } from './clock.js';
import { DiskStore } from './disk-store.js';
import { RandomIds } from './ids.js';
import { CopiedFiles } from './local-files.js';
import { DiskScratch } from './scratch.js';
import { InlineUnits } from './units.js';
import type { StoreModule } from './worker.js';
import { WorkerUnits } from './worker-units.js';

/** How a local world is set up. */
export interface LocalWorldOptions {
  /** Units that may run at once; 1 runs them in this thread. */
  readonly threads: number;
  /** Folder in which the private scratch folder is made. Default: the system's for temporary files. */
  readonly scratchDir?: string;
  readonly reporter: Reporter;
  /** The store, and how worker threads make the same one. Default: files on disk. */
  readonly store?: { readonly here: ObjectStore; readonly inThreads: StoreModule };
  /** Default: none. */
  readonly glueCatalog?: World['glueCatalog'];
}

/** Makes a world over this machine. Whoever makes it closes its `units`, then its `scratch`. */
export async function createLocalWorld(options: LocalWorldOptions): Promise<World> {
  const store = options.store?.here ?? new DiskStore();
  const scratch = await DiskScratch.open(options.scratchDir);
  const near = new InlineUnits(async () => (await import('../units/registry.js')).units, {
    store,
    scratch,
  });
  const units: Units =
    options.threads > 1
      ? new WorkerUnits({
          width: options.threads,
          scratchFolder: scratch.folder,
          near,
          ...(options.store === undefined ? {} : { store: options.store.inThreads }),
        })
      : near;
  return {
    store,
    clock: new SystemClock(),
    ids: new RandomIds(),
    reporter: options.reporter,
    scratch,
    units,
    engine: async (engineOptions) => {
      const { DuckdbEngine } = await import('./duckdb-engine.js');
      return DuckdbEngine.open({ ...engineOptions, spillFolder: scratch.folder });
    },
    localFiles: new CopiedFiles(store, scratch.folder),
    glueCatalog: options.glueCatalog ?? null,
  };
}
