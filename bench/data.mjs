// The inputs of the benchmark: simulated mystore exports, and the two windows for the merges, kept between runs.
// Promises the same bytes for the same parameters; what another version of the simulator made is made again.
// Source: pipeline/simulator; Apache Iceberg specification, "Partition Transforms" (which bucket a client is in).
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const root = path.resolve(import.meta.dirname, '..');
const seed = 7;
/** Buckets of the lake that is merged into. */
export const bucketCount = 16;
/** Keys a merge window changes. */
const changesPerWindow = 1000;
const windowMs = 3_600_000;

/**
 * The exports for a table of `items`, made or found in `cache`.
 * @returns {Promise<{items: number, full: string, files: {path: string, itemCount: number}[], windows: object[]}>}
 *   `full` is the export's folder; `files` are the data files that hold items; `windows` only with `withWindows`
 */
export async function exportsOf({ cache, items, withWindows = false, tell }) {
  const version = simulatorVersion();
  const name = `mystore-${items}${withWindows ? '-windows' : ''}`;
  const folder = path.join(cache, `${name}-${version}`);
  if (!existsSync(folder)) {
    dropOthers(cache, name);
    tell(`making a mystore export of ${items} items in ${folder}`);
    const partial = `${folder}.${process.pid}`;
    try {
      await makeExports(partial, items, withWindows);
      renameSync(partial, folder);
    } finally {
      rmSync(partial, { recursive: true, force: true });
    }
  }
  const made = JSON.parse(readFileSync(path.join(folder, 'made.json'), 'utf8'));
  const full = path.join(folder, made.full);
  const windows = made.windows.map((window) => ({
    ...window,
    export: path.join(folder, window.export),
    changesFile: path.join(folder, window.changesFile),
  }));
  return { items, full, files: dataFiles(full), windows };
}

/** Data files with items, as the manifest registers them: empty ones would only slow the other ways down. */
function dataFiles(full) {
  return readFileSync(path.join(full, 'manifest-files.json'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
    .filter(({ itemCount }) => itemCount > 0)
    .map(({ itemCount, dataFileS3Key }) => ({
      path: path.join(full, 'data', path.basename(dataFileS3Key)),
      itemCount,
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function simulatorVersion() {
  const hash = createHash('sha256');
  const compiled = path.join(root, 'dist', 'pipeline', 'simulator');
  const sources = [
    ...readdirSync(compiled).map((name) => path.join(compiled, name)),
    path.join(import.meta.dirname, 'data.mjs'),
  ];
  for (const file of sources.filter((name) => name.endsWith('js')).sort()) {
    hash.update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 12);
}

/** Exports of older simulators are not needed again, and are large. */
function dropOthers(cache, name) {
  mkdirSync(cache, { recursive: true });
  for (const entry of readdirSync(cache)) {
    if (entry.startsWith(`${name}-`) && /^[0-9a-f]{12}$/.test(entry.slice(name.length + 1))) {
      rmSync(path.join(cache, entry), { recursive: true, force: true });
    }
  }
}

async function makeExports(folder, items, withWindows) {
  const { simulate } = await import('../dist/pipeline/simulator/index.js');
  const { DiskStore } = await import('../dist/pipeline/local/disk-store.js');
  const store = new DiskStore();
  mkdirSync(folder, { recursive: true });
  const outUri = pathToFileURL(folder).href;
  const story = await simulate({
    store,
    outUri,
    dataset: 'mystore',
    items,
    windows: 0,
    seed,
    view: 'NEW_AND_OLD_IMAGES',
  });
  const relative = (uri) => decodeURIComponent(uri.slice(outUri.length + 1));
  const windows = [];
  if (withWindows) {
    for (const chosen of await chooseItems(story.table)) {
      const windowUri = `${outUri}/${chosen.name}`;
      const written = await writeWindow({
        store,
        folderUri: windowUri,
        table: story.table,
        chosen,
      });
      const changesFile = `${chosen.name}-changes.json`;
      await writeFile(path.join(folder, changesFile), JSON.stringify(written.changes));
      windows.push({
        name: chosen.name,
        export: relative(written.folderUri),
        changesFile,
        buckets: chosen.buckets,
        ...written.counts,
      });
    }
  }
  const made = { full: relative(story.full), windows };
  await writeFile(path.join(folder, 'made.json'), JSON.stringify(made));
}

/** The items that the two windows change: one bucket's, and any. */
async function chooseItems(table) {
  const { Random, storyStartMs } = await import('../dist/pipeline/simulator/index.js');
  const { transformValue } = await import('../dist/pipeline/lake/iceberg/transforms.js');
  const bucketOf = (client) => transformValue(`bucket[${bucketCount}]`, 'string', client);
  const images = table.imagesAt(storyStartMs * 1000, new Random(seed, 'merge windows'));
  const oneBucket = bucketOf('client-000100');
  const inOne = [];
  const anywhere = [];
  const stride = Math.max(1, Math.floor(table.countAt(storyStartMs * 1000) / changesPerWindow));
  let at = 0;
  for (const image of images) {
    if (bucketOf(clientOf(image.json)) === oneBucket) inOne.push(image);
    if (at % stride === 0 && anywhere.length < changesPerWindow) anywhere.push(image);
    at += 1;
  }
  const step = Math.max(1, Math.floor(inOne.length / changesPerWindow));
  const one = inOne.filter((_, i) => i % step === 0).slice(0, changesPerWindow);
  const touched = [...new Set(anywhere.map(({ json }) => bucketOf(clientOf(json))))];
  return [
    { name: 'one-bucket', images: one, buckets: [oneBucket] },
    { name: 'all-buckets', images: anywhere, buckets: touched.sort((a, b) => a - b) },
  ];
}

function clientOf(json) {
  return /"clientid":\{"S":"([^"]+)"\}/.exec(json)[1];
}

/** Writes a window that updates nine in ten of the chosen items, and of the rest deletes one, gives the other a sibling. */
async function writeWindow({ store, folderUri, table, chosen }) {
  const { incrementalExport, storyStartMs } = await import('../dist/pipeline/simulator/index.js');
  const counts = { inserted: 0, updated: 0, deleted: 0 };
  const changes = [];
  const records = chosen.images.map(({ hash, json }, i) => {
    const item = JSON.parse(json);
    const source = item.created.S;
    const op = i % 20 === 0 ? 'inserted' : i % 20 === 10 ? 'deleted' : 'updated';
    counts[op] += 1;
    if (op === 'inserted') {
      // Orders lie seconds apart, so a millisecond later is a key nobody has.
      item.created.S = new Date(Date.parse(source) + 1).toISOString();
    }
    item.status.S = 'RETURNED';
    const { clientid, created } = item;
    changes.push({ op, clientid: clientid.S, created: created.S, source });
    return {
      hash,
      micros: storyStartMs * 1000 + i * 1_000_000,
      keys: JSON.stringify({ clientid, created }),
      oldImage: op === 'inserted' ? null : json,
      newImage: op === 'deleted' ? null : JSON.stringify(item),
    };
  });
  const { name, arn, tableId, key } = table;
  const { folderUri: written } = await incrementalExport({
    table: { name, arn, tableId, key, changesIn: () => records },
    store,
    folderUri,
    files: 4,
    fromMs: storyStartMs,
    toMs: storyStartMs + windowMs,
    view: 'NEW_AND_OLD_IMAGES',
    seed,
  });
  return { folderUri: written, counts, changes };
}
