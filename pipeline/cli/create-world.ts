// The world of a command: this machine, and AWS where a place or a catalog is there.
// Promises: nothing of AWS is loaded for work on this machine alone; threads and this one share one set of options.
// Spec: pipeline/ports.ts, World.

import { builtModule } from '../local/worker-units.js';
import { createLocalWorld } from '../local/world.js';
import type { World } from '../ports.js';
import type { WorldOptions } from './api.js';
import { lazyClients, openStore, type StoreOptions } from './open-store.js';

/** Makes the world. Whoever makes it closes its `units`, then its `scratch`. */
export async function createWorld({ threads, reporter, aws }: WorldOptions): Promise<World> {
  const options: StoreOptions = { aws };
  const clients = lazyClients(aws);
  return createLocalWorld({
    threads,
    reporter,
    store: {
      here: openStore(options, clients),
      inThreads: { url: builtModule('./open-store.js', import.meta.url), options },
    },
  });
}
