// A process that merges into lakes of others, round after round: started once, since starting costs more than a merge.
// Promises: it is the built code with the real SDK; before each attempt to commit it asks whether it may go on, so that
// somebody else can be first; pauses after lost races are a fiftieth of what they are, so that rivals meet more often.
// Source: test/faults/harness/long-races.ts, which talks to it.

import { setTimeout as sleep } from 'node:timers/promises';

const built = new URL('../../../dist/', import.meta.url);
const load = (path) => import(new URL(path, built).href);
const [{ mergeExports }, { createLocalWorld }, { DiskStore }, { RoutedStore }, { NullReporter }] =
  await Promise.all([
    load('pipeline/index.js'),
    load('pipeline/local/world.js'),
    load('pipeline/local/disk-store.js'),
    load('pipeline/local/routed-store.js'),
    load('pipeline/reporting/null-reporter.js'),
  ]);
const [{ createAwsClients }, { S3Store }, { GlueCatalog }, { RandomIds }] = await Promise.all([
  load('pipeline/aws/clients.js'),
  load('pipeline/aws/s3-store.js'),
  load('pipeline/aws/glue-catalog.js'),
  load('pipeline/local/ids.js'),
]);

const clients = createAwsClients({});
const clock = { nowMs: () => Date.now(), sleep: (ms) => sleep(ms / 50) };
let goOn = null;

/** Tells that a commit is about to be tried, and waits for the word. */
function asked() {
  return new Promise((resolve) => {
    goOn = resolve;
    process.send({ type: 'committing' });
  });
}

/** The object with one of its methods done around. */
function around(object, name, instead) {
  return new Proxy(object, {
    get(target, property) {
      const value = Reflect.get(target, property);
      if (typeof value !== 'function') return value;
      const bound = value.bind(target);
      return property === name ? (...args) => instead(bound, ...args) : bound;
    },
  });
}

function storeOf(endpointStore) {
  return around(endpointStore, 'putIfAbsent', async (put, uri, bytes) => {
    if (/\/v\d+\.metadata\.json$/.test(uri)) await asked();
    return put(uri, bytes);
  });
}

async function openWorld() {
  const s3 = new S3Store({ client: () => clients.s3() });
  const store = storeOf(new RoutedStore({ file: async () => new DiskStore(), s3: async () => s3 }));
  const glueOnce = async () =>
    around(await clients.glueOnce(), 'send', async (send, command) => {
      await asked();
      return send(command);
    });
  const world = await createLocalWorld({
    threads: 1,
    reporter: new NullReporter(),
    store: { here: store, inThreads: { url: '', options: {} } },
    glueCatalog: async (lakeUri) =>
      new GlueCatalog({
        clients: { glue: () => clients.glue(), glueOnce },
        store,
        lakeUri,
        clock,
        ids: new RandomIds(),
      }),
  });
  return { ...world, clock };
}

process.on('message', async (message) => {
  if (message.type === 'go') return goOn?.();
  const world = await openWorld();
  const reports = [];
  let error = null;
  try {
    const options = { ...message.options, acceptGap: false, acceptSeam: false };
    for await (const report of mergeExports(world, options)) reports.push(report);
  } catch (thrown) {
    error = String(thrown?.stack ?? thrown);
  } finally {
    await world.units.close();
    await world.scratch.close();
  }
  process.send({ type: 'merged', reports, error });
});
process.send({ type: 'ready' });
