// Which exports lie below a prefix, finished or not: for asking DynamoDB about those that nobody remembers asking for.
// Promises: looks only where an export asked for with that prefix, or with a folder directly below it, puts its own files; the
// shared `data/` is never looked into; nothing is read, only listed.
// Source: Amazon DynamoDB Developer Guide, "DynamoDB table exports, output format": `<prefix>/AWSDynamoDB/<export id>/`.

import type { ObjectStore } from '../ports.js';

const exportsName = 'AWSDynamoDB';
const summaryName = 'manifest-summary.json';

export interface ExportFolder {
  /** Last part of the export's ARN. */
  readonly exportId: string;
  /** Below the place that was looked into; '' for the place itself. */
  readonly folder: string;
  /** Where its manifest-summary.json is; null when it is not there. */
  readonly summaryUri: string | null;
}

/** The exports at a place and in the folders directly below it, sorted by folder and id. */
export async function findExportFolders(
  store: ObjectStore,
  placeUri: string,
): Promise<readonly ExportFolder[]> {
  const names = await store.children(placeUri);
  const found: ExportFolder[] = [];
  if (names.includes(exportsName)) found.push(...(await exportsIn(store, placeUri, '')));
  for (const name of names) {
    if (name !== exportsName) found.push(...(await exportsIn(store, placeUri, name)));
  }
  return found;
}

async function exportsIn(
  store: ObjectStore,
  placeUri: string,
  folder: string,
): Promise<readonly ExportFolder[]> {
  const uri = `${placeUri}/${folder === '' ? '' : `${folder}/`}${exportsName}`;
  const found: ExportFolder[] = [];
  for (const exportId of await store.children(uri)) {
    if (!/^\d{10,20}-[0-9a-z]{1,40}$/i.test(exportId)) continue;
    const files = await store.children(`${uri}/${exportId}`);
    const summaryUri = files.includes(summaryName) ? `${uri}/${exportId}/${summaryName}` : null;
    found.push({ exportId, folder, summaryUri });
  }
  return found;
}

/** When an export was asked for, as its id says; null for an id of another form. */
export function requestedAtOf(exportId: string): number | null {
  const found = /^0?(\d{13})-/.exec(exportId);
  return found === null ? null : Number(found[1]);
}
