// The world of a command: this machine, and AWS where a place or a catalog is there.
// Promises: nothing of AWS is loaded for work on this machine alone; threads and this one share one set of options.
// Spec: pipeline/ports.ts, World.

import { SystemClock } from '../local/clock.js';
import { collectFor } from '../local/garbage-collection.js';
import { RandomIds } from '../local/ids.js';
import { builtModule } from '../local/worker-units.js';
import { createLocalWorld } from '../local/world.js';
import type { World } from '../ports.js';
import type { WorldOptions } from './api.js';
import { lazyClients, openStore, type StoreOptions } from './open-store.js';

/** Makes the world. Whoever makes it closes its `units`, then its `scratch`. */
export async function createWorld({ threads, reporter, aws }: WorldOptions): Promise<World> {
  collectFor(threads);
  const options: StoreOptions = { aws };
  const clients = lazyClients(aws);
  const store = openStore(options, clients);
  return createLocalWorld({
    threads,
    reporter,
    store: {
      here: store,
      inThreads: { url: builtModule('./open-store.js', import.meta.url), options },
    },
    glueCatalog: async (lakeUri) => {
      const { GlueCatalog } = await import('../aws/glue-catalog.js');
      return new GlueCatalog({
        clients: await clients(),
        store,
        lakeUri,
        clock: new SystemClock(),
        ids: new RandomIds(),
        ...(aws.version === undefined ? {} : { version: aws.version }),
      });
    },
  });
}
