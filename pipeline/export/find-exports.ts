// Finds the exports at a place that a person named: one export, or a folder holding several.
// Promises: an export is a folder with a manifest-summary.json; `data/` folders are never looked into, since only a manifest says whose files they hold.
// Source: Amazon DynamoDB Developer Guide, "DynamoDB table exports, output format" (folder layout).
import { refuse } from '../../schemas/errors.js';
import type { ObjectStore } from '../ports.js';
import { nothingWritten } from './manifest-bytes.js';
import { nameOf } from './uri-parts.js';

const summaryName = 'manifest-summary.json';
/** `01693685827463-2d8752fd`: 0, milliseconds since the epoch, eight hex digits. */
const exportId = /^\d{14}-[0-9a-f]{8}$/;
/** Folders below the named one that are looked into: a full export of the scheduled job lies six below its prefix, and a
 *  prefix has some folders of its own. */
const depthMax = 12;
/** Folders looked into in all: enough for years of hourly exports under one prefix. */
const foldersMax = 100_000;
/** Folders asked for at once. */
const width = 16;

/**
 * URIs of the manifest-summary.json files at `uri`, sorted. `uri` is such a file, the folder of one export, or a folder
 * above several. Throws REFUSED_MANIFEST when there is none, REFUSED_LIMIT when the folder holds too many folders.
 */
export async function findExports(store: ObjectStore, uri: string): Promise<readonly string[]> {
  const place = uri.replace(/(?<=[^/])\/+$/, '');
  if (nameOf(place) === summaryName) {
    if ((await store.size(place)) !== null) return [place];
    throw noExport(uri, 'there is no such file');
  }
  const search = await searchBelow(store, place, false);
  if (search.summaries.length > 0) return search.summaries.sort();
  throw search.unfinished > 0
    ? noExport(uri, `${search.unfinished} export(s) there have not finished, or failed`)
    : noExport(uri, `no ${summaryName} within ${depthMax} folders below it`);
}

/**
 * URIs of manifest-summary.json files at or below a folder, sorted, for places with thousands of exports. A folder of an
 * export's name in AWSDynamoDB/ is taken at its word and not listed, so its file need not be there: an export in progress, or
 * one that failed, has none. Throws REFUSED_MANIFEST when there is nothing, REFUSED_LIMIT when there are too many folders.
 */
export async function findManyExports(store: ObjectStore, uri: string): Promise<readonly string[]> {
  const place = uri.replace(/(?<=[^/])\/+$/, '');
  if (nameOf(place) === summaryName) return [place];
  const search = await searchBelow(store, place, true);
  if (search.summaries.length > 0) return search.summaries.sort();
  throw noExport(uri, `no ${summaryName} within ${depthMax} folders below it`);
}

async function searchBelow(
  store: ObjectStore,
  place: string,
  areNamesTrusted: boolean,
): Promise<Search> {
  const search: Search = { store, areNamesTrusted, summaries: [], visited: 0, unfinished: 0 };
  let level: readonly string[] = [place];
  for (let depth = 0; depth <= depthMax && level.length > 0; depth++) {
    level = await lookInto(search, level);
  }
  return search;
}

interface Search {
  readonly store: ObjectStore;
  /** Whether a folder of an export's name is an export without a look. */
  readonly areNamesTrusted: boolean;
  readonly summaries: string[];
  visited: number;
  /** Folders with the `_started` of an export but no summary. */
  unfinished: number;
}

/** Notes the exports among `folders`, and returns the folders below the others. */
async function lookInto(search: Search, folders: readonly string[]): Promise<readonly string[]> {
  const below: string[] = [];
  for (let start = 0; start < folders.length; start += width) {
    const batch = folders.slice(start, start + width);
    search.visited += batch.length;
    if (search.visited > foldersMax) throw tooManyFolders();
    const contents = await Promise.all(batch.map((folder) => search.store.children(folder)));
    for (const [i, names] of contents.entries()) {
      if (names.includes(summaryName)) {
        search.summaries.push(`${batch[i]}/${summaryName}`);
        continue;
      }
      // Real exports keep this mark in the export's folder; some copies have it in AWSDynamoDB/ itself.
      if (names.includes('_started') && nameOf(batch[i]!) !== 'AWSDynamoDB') search.unfinished += 1;
      const candidates = names.filter(mayHoldExports);
      const isNamed = (name: string): boolean =>
        search.areNamesTrusted && nameOf(batch[i]!) === 'AWSDynamoDB' && exportId.test(name);
      for (const name of candidates.filter(isNamed)) {
        search.summaries.push(`${batch[i]}/${name}/${summaryName}`);
      }
      below.push(
        ...candidates.filter((name) => !isNamed(name)).map((name) => `${batch[i]}/${name}`),
      );
    }
  }
  return below;
}

function mayHoldExports(name: string): boolean {
  return (
    name !== 'data' && !name.startsWith('.') && !/\.(gz|json|md5|checksum|parquet)$/.test(name)
  );
}

function noExport(uri: string, why: string): Error {
  return refuse(
    'REFUSED_MANIFEST',
    `no export at ${uri}: ${why}`,
    nothingWritten,
    'name the folder of a finished export, its manifest-summary.json, or a folder above several',
  );
}

function tooManyFolders(): Error {
  return refuse(
    'REFUSED_LIMIT',
    `more than ${foldersMax} folders to look into for exports`,
    nothingWritten,
    'name a folder nearer to the exports',
  );
}
