// Which exports lie below some places, of whichever tables: their summaries, read and proved, each export once.
// Promises: an export that cannot be used is told and stops nothing; `data/` folders are never listed; memory is that of the
// summaries. What is read: a page of names per thousand folders, and three small reads per export.
// Source: Amazon DynamoDB Developer Guide, "DynamoDB table exports, output format" (folder layout).

import { type ErrorFacts, isRefusal } from '../../schemas/errors.js';
import type { ExportSummary } from '../../schemas/export-manifest.js';
import { manifestBytesMax } from '../../schemas/limits.js';
import { findManyExports } from '../export/find-exports.js';
import { readSummary } from '../export/read-summary.js';
import { parseObject } from '../export/strict-json.js';
import { folderOf, nameOf } from '../export/uri-parts.js';
import type { ObjectStore } from '../ports.js';

/** Summaries read at once. */
const readsAtOnceMax = 16;

/** An export that cannot be used. */
export interface UnusableExport {
  readonly summaryUri: string;
  /** ARN of its table as its summary has it; null where that cannot be read either. */
  readonly tableArn: string | null;
  readonly error: ErrorFacts;
}

export interface Discovery {
  /** In no promised order. */
  readonly summaries: readonly ExportSummary[];
  readonly unusable: readonly UnusableExport[];
  /** Folders of exports that have not finished, or failed. */
  readonly unfinished: readonly string[];
  /** Copies of exports that are in `summaries`. */
  readonly copies: number;
}

type Found =
  | { readonly is: 'summary'; readonly summary: ExportSummary }
  | { readonly is: 'unusable'; readonly one: UnusableExport }
  | { readonly is: 'unfinished'; readonly folder: string };

/** Reads what lies at and below `uris`. Throws REFUSED_MANIFEST for a place without exports, and what the store throws. */
export async function discoverExports(
  store: ObjectStore,
  uris: readonly string[],
): Promise<Discovery> {
  const places = new Set<string>();
  for (const uri of uris) for (const found of await findManyExports(store, uri)) places.add(found);
  const all = [...places].sort();
  const found: Found[] = [];
  for (let start = 0; start < all.length; start += readsAtOnceMax) {
    const batch = all.slice(start, start + readsAtOnceMax);
    found.push(...(await Promise.all(batch.map((uri) => readOne(store, uri)))));
  }
  const summaries = new Map<string, ExportSummary>();
  let copies = 0;
  for (const one of found) {
    if (one.is !== 'summary') continue;
    if (summaries.has(one.summary.exportArn)) copies += 1;
    else summaries.set(one.summary.exportArn, one.summary);
  }
  return {
    summaries: [...summaries.values()],
    unusable: found.flatMap((one) => (one.is === 'unusable' ? [one.one] : [])),
    unfinished: found.flatMap((one) => (one.is === 'unfinished' ? [one.folder] : [])),
    copies,
  };
}

async function readOne(store: ObjectStore, summaryUri: string): Promise<Found> {
  try {
    return { is: 'summary', summary: await readSummary(store, summaryUri) };
  } catch (error) {
    // Anything else is the place's trouble and not the export's.
    if (!isRefusal(error)) throw error;
    if (error.code === 'REFUSED_MANIFEST' && (await store.size(summaryUri)) === null) {
      return { is: 'unfinished', folder: folderOf(summaryUri) };
    }
    const tableArn = await tableArnIn(store, summaryUri);
    return { is: 'unusable', one: { summaryUri, tableArn, error: error.facts() } };
  }
}

/** The table that a summary names, although the summary is not to be used: for saying whose trouble it is. */
async function tableArnIn(store: ObjectStore, summaryUri: string): Promise<string | null> {
  const size = await store.size(summaryUri);
  if (size === null || size > manifestBytesMax) return null;
  const text = Buffer.from(await store.read(summaryUri)).toString('utf8');
  try {
    const { tableArn } = parseObject(text);
    return typeof tableArn === 'string' && /^arn:[\w:.-]+table\/[\w.-]{1,255}$/.test(tableArn)
      ? tableArn
      : null;
  } catch {
    // It is not JSON: then it names no table.
    return null;
  }
}

/** The last folder of an export's place, which is its id. */
export function exportIdOf(summaryUri: string): string {
  return nameOf(folderOf(summaryUri));
}
