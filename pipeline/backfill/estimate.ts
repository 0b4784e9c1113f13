// What a backfill will take, estimated: bytes, files, requests, time and money, with every assumption named.
// A pure sum: each figure can be worked out by hand from the plan.

import type { FullExport, IncrementalExport } from '../../schemas/export-manifest.js';
import { type PriceList, usEast1 } from '../schedule/list-prices.js';
import { estimatePrice } from '../schedule/price.js';

export interface BackfillEstimate {
  /** Items and changes to be read. */
  readonly items: number;
  /** Of exports to be read, before compression. */
  readonly bytes: number;
  /** Files of the lake to be written, metadata included. */
  readonly files: number;
  readonly seconds: number;
  /** Exports, requests, and a month of storage. */
  readonly usd: number;
  readonly assumptions: readonly string[];
}

/** Assumed until a run is under way, which then tells by its own rate. */
const assumed = {
  itemsPerSecond: 100_000,
  secondsPerWindow: 1,
  bytesPerItem: 500,
  /** Stored bytes to bytes of DynamoDB JSON. */
  compression: 5,
  filesPerLoad: 5,
  filesPerWindow: 4,
  dataFilesPerExport: 4,
} as const;

/** Exports that are there already: nothing is asked of DynamoDB. */
export function estimateExports(
  fulls: readonly FullExport[],
  windows: readonly IncrementalExport[],
  isOnS3: boolean,
  prices: PriceList = usEast1,
): BackfillEstimate {
  const fullItems = fulls.reduce((sum, { itemCount }) => sum + itemCount, 0);
  const fullBytes = fulls.reduce(
    (sum, { billedSizeBytes, itemCount }) =>
      sum + Math.max(billedSizeBytes, itemCount * assumed.bytesPerItem),
    0,
  );
  const perItem = fullItems === 0 ? assumed.bytesPerItem : fullBytes / fullItems;
  const changes = windows.reduce((sum, { itemCount }) => sum + itemCount, 0);
  // A change has the image before and the image after.
  const bytes = Math.round(fullBytes + changes * 2 * perItem);
  const files = fulls.length * assumed.filesPerLoad + windows.length * assumed.filesPerWindow;
  const exports = fulls.length + windows.length;
  const reads = exports * (4 + assumed.dataFilesPerExport) + windows.length * 10;
  const price = estimatePrice(
    {
      fulls: [],
      windows: [],
      exportObjects: 0,
      writes: isOnS3 ? files : 0,
      reads: isOnS3 ? reads : 0,
      exportBytesKept: 0,
      lakeBytesKept: isOnS3 ? bytes / assumed.compression : 0,
      pitrBytes: 0,
    },
    prices,
  );
  return {
    items: fullItems + changes,
    bytes,
    files,
    seconds: secondsFor(fullItems + changes, windows.length),
    usd: price.usd,
    assumptions: [...(isOnS3 ? price.assumptions : []), ...assumptions],
  };
}

/** Time for reading and committing, of which both kinds of backfill are made. */
export function secondsFor(items: number, windows: number): number {
  return items / assumed.itemsPerSecond + windows * assumed.secondsPerWindow;
}

const assumptions: readonly string[] = [
  `${assumed.itemsPerSecond} items a second, and ${assumed.secondsPerWindow} s for the commit of a window; once under way the run tells by its own rate`,
  `${assumed.bytesPerItem} bytes an item where DynamoDB billed less; a change has two images; ${assumed.compression} times smaller in the lake`,
  `${assumed.filesPerWindow} files a window, one of them with rows: more where changes touch many partitions`,
];
