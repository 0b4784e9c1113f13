// What a round would be billed for, as far as it can be told before: sizes of exports, requests to S3, what is kept, and compute.
// Promises: each round counts what it does itself, so the plans of all rounds add up to the bill: an export where it is asked for,
// reading it and committing it where it is merged. A full export counts with the table's size as DynamoDB last counted it; a
// window with what the newest known windows were billed, by its length. What a window is billed at least is the price list's
// matter.
// Sources: Amazon DynamoDB Developer Guide, "DynamoDB data export to Amazon S3: how it works" (what is billed); bench/results.md
// (throughput); test/scenarios/virtual-week.test.ts (requests of a round, and the sums against a bill).

import type { Action } from './actions.js';
import type { ComputeUse, Spending } from './price.js';
import type { BilledWindow } from './table-watch.js';

export interface PlannedSpending extends Spending {
  /** Bytes by the token of the request. */
  readonly bytesOf: ReadonlyMap<string, number>;
  readonly assumptions: readonly string[];
}

/** A table as DescribeTable tells it, up to six hours late. */
export interface TableSize {
  readonly sizeBytes: number;
  readonly itemCount: number;
}

/** Files of an export besides its data: `_started`, two manifests, their checksums. */
const filesBesides = 5;
/** A partition holds 10 GB at most, and each gives at least a file. */
const partitionBytes = 10e9;
/** Small tables begin with four partitions: what real exports of a few items have. */
const dataFilesMin = 4;
/** Requests of a load or a merge: manifests, metadata, pointer; and for each data file of the export. */
const readsOfCommit = 19;
const writesOfCommit = 5;
const readsOfFile = 2;
/** Of a round besides: the lake's metadata, and the folder of an export that is looked for. */
const readsOfRound = 2;
/** DynamoDB JSON, compressed, and Parquet: about a fifth of what DynamoDB counts. */
const storedShare = 0.2;

/** Bytes of items that one thread reads, or merges with what is there, in a second: rather less than was measured. */
const scanBytesPerSecond = 35e6;
const mergeBytesPerSecond = 60e6;
/** What a changed item makes a merge rewrite at most: the row group it is in. */
const rowGroupBytes = 32e6;
/** Of a start and the looks of a round. */
const roundSeconds = 3;
/** The runner of the stack: a function, and a task for what takes longer than a function may. */
const lambdaMemoryGb = 3;
const lambdaSecondsMax = 600;
const fargate = { kind: 'fargate', vcpus: 2, memoryGb: 4 } as const;

export function plannedSpending(
  table: TableSize,
  billed: readonly BilledWindow[],
  actions: readonly Action[],
): PlannedSpending {
  const files = Math.max(dataFilesMin, Math.ceil(table.sizeBytes / partitionBytes));
  const known = knownRate(billed);
  const bytesOf = new Map<string, number>();
  const fulls: number[] = [];
  const windows: number[] = [];
  let commits = 0;
  let seconds = roundSeconds;
  for (const action of actions) {
    if (action.do === 'request-full') {
      fulls.push(table.sizeBytes);
      bytesOf.set(action.request.clientToken, table.sizeBytes);
    } else if (action.do === 'request-window') {
      const { fromMs, toMs } = action.window;
      const bytes = known === null ? 0 : Math.round(known.perMs * (toMs - fromMs));
      windows.push(bytes);
      bytesOf.set(action.request.clientToken, bytes);
    } else if (action.do === 'merge') {
      commits += action.exports.length;
      for (const { billedBytes } of action.exports) {
        seconds += mergeSeconds(billedBytes ?? 0, table);
      }
    } else if (action.do === 'load') {
      commits += 1;
      seconds += (2 * table.sizeBytes) / scanBytesPerSecond;
    }
  }
  const asked = fulls.length + windows.length;
  const kept = [...fulls, ...windows.filter((bytes) => bytes > (known?.leastBytes ?? 0))];
  const isLoading = actions.some((action) => action.do === 'load');
  return {
    fulls,
    windows,
    exportObjects: asked * (files + filesBesides),
    writes: commits * writesOfCommit,
    reads: readsOfRound + commits * (readsOfCommit + files * readsOfFile),
    exportBytesKept: sum(kept) * storedShare,
    lakeBytesKept: isLoading ? table.sizeBytes * storedShare : 0,
    pitrBytes: 0,
    compute: computeOf(seconds),
    bytesOf,
    assumptions: assumptionsOf(windows.length, known, asked > 0),
  };
}

/** Reading the window, and writing the row groups anew that it touches. */
function mergeSeconds(windowBytes: number, { sizeBytes, itemCount }: TableSize): number {
  const itemBytes = itemCount === 0 ? 0 : sizeBytes / itemCount;
  const items = itemBytes === 0 ? 0 : windowBytes / itemBytes;
  const rewritten = Math.min(sizeBytes, items * rowGroupBytes);
  return windowBytes / scanBytesPerSecond + rewritten / mergeBytesPerSecond;
}

function computeOf(seconds: number): ComputeUse {
  if (seconds > lambdaSecondsMax) return { ...fargate, seconds: seconds / fargate.vcpus };
  return { kind: 'lambda', memoryGb: lambdaMemoryGb, calls: 1, seconds };
}

/** What was written in windows whose bill is known. */
interface KnownRate {
  readonly perMs: number;
  readonly count: number;
  /** The smallest bill among them: a window of no more tells nothing of what is in it. */
  readonly leastBytes: number;
}

function knownRate(billed: readonly BilledWindow[]): KnownRate | null {
  if (billed.length === 0) return null;
  const ms = sum(billed.map(({ window }) => window.toMs - window.fromMs));
  return {
    perMs: sum(billed.map(({ billedBytes }) => billedBytes)) / ms,
    count: billed.length,
    leastBytes: Math.min(...billed.map(({ billedBytes }) => billedBytes)),
  };
}

function assumptionsOf(
  windows: number,
  known: KnownRate | null,
  isAsking: boolean,
): readonly string[] {
  const size =
    known === null
      ? 'no window before is known: each is taken for the least that is billed'
      : `as much is written as in the ${known.count} newest windows that are known, by the hour`;
  return [
    ...(windows > 0 ? [size] : []),
    ...(isAsking
      ? ['reading and merging what is asked for is in the plan of the round that does it']
      : []),
    `compute as on Lambda with ${lambdaMemoryGb} GB, on Fargate with ${fargate.vcpus} vCPU where it takes over ${lambdaSecondsMax / 60} minutes: ${scanBytesPerSecond / 1e6} MB a second are read and ${mergeBytesPerSecond / 1e6} merged`,
    'what is kept is a fifth of what DynamoDB counts, for a month',
  ];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
