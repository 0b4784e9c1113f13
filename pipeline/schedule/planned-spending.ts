// What a decision would be billed for, as far as it can be told before: sizes of exports, and requests.
// Promises: a full export counts with the table's size as DynamoDB last counted it; a window with what the newest known window
// was billed, by its length, and at least nothing: what that comes to at least is the price list's matter.
// Source: Amazon DynamoDB Developer Guide, "DynamoDB data export to Amazon S3: how it works" (what is billed).

import type { Action } from './actions.js';
import type { Spending } from './price.js';
import type { Situation } from './situation.js';

export interface PlannedSpending extends Spending {
  /** Bytes by the token of the request. */
  readonly bytesOf: ReadonlyMap<string, number>;
  /** Windows whose size is an assumption. */
  readonly assumedWindows: number;
}

/** Files of an export besides its data: `_started`, two manifests, their checksums. */
const filesBesides = 5;
/** A partition holds 10 GB at most, and each gives at least a file. */
const partitionBytes = 10e9;
/** Small tables begin with four partitions: what real exports of a few items have. */
const dataFilesMin = 4;
/** Requests of a merge or a load besides those for data: manifests, metadata, pointer. About. */
const readsOfCommit = 12;
const writesOfCommit = 6;

export function plannedSpending(
  situation: Situation,
  tableBytes: number,
  actions: readonly Action[],
): PlannedSpending {
  const files = Math.max(dataFilesMin, Math.ceil(tableBytes / partitionBytes));
  const perMs = bytesPerMs(situation);
  const bytesOf = new Map<string, number>();
  const fulls: number[] = [];
  const windows: number[] = [];
  let commits = 0;
  for (const action of actions) {
    if (action.do === 'request-full') {
      fulls.push(tableBytes);
      bytesOf.set(action.request.clientToken, tableBytes);
    } else if (action.do === 'request-window') {
      const bytes = Math.round(perMs * (action.window.toMs - action.window.fromMs));
      windows.push(bytes);
      bytesOf.set(action.request.clientToken, bytes);
    } else if (action.do === 'merge') commits += action.exports.length;
    else if (action.do === 'load') commits += 1;
  }
  const asked = fulls.length + windows.length;
  // Each export that is asked for is read and committed later.
  const all = asked + commits;
  return {
    fulls,
    windows,
    exportObjects: asked * (files + filesBesides),
    writes: all * writesOfCommit,
    reads: all * (files + readsOfCommit),
    exportBytesKept: sum(fulls) + sum(windows),
    lakeBytesKept: 0,
    pitrBytes: 0,
    compute: null,
    bytesOf,
    assumedWindows: windows.length,
  };
}

/** What was written per millisecond in the newest window that is known with its bill; 0 when none is. */
function bytesPerMs({ exports }: Situation): number {
  let newest: { readonly toMs: number; readonly perMs: number } | null = null;
  for (const one of exports) {
    if (one.type !== 'INCREMENTAL_EXPORT' || one.billedBytes === null) continue;
    const { fromMs, toMs } = one.window;
    if (newest !== null && toMs <= newest.toMs) continue;
    newest = { toMs, perMs: one.billedBytes / (toMs - fromMs) };
  }
  return newest?.perMs ?? 0;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
