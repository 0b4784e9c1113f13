// What a backfill will take, estimated: bytes, files, requests, time and money, with every assumption named.
// A pure sum: each figure can be worked out by hand from the plan.

import type { FullExport, IncrementalExport } from '../../schemas/export-manifest.js';
import { type PriceList, usEast1 } from '../schedule/list-prices.js';
import { estimatePrice } from '../schedule/price.js';
import { groupRowsMax } from '../units/row-groups.js';

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
  secondsPerWindow: 0.5,
  /** Of rows that a merge writes anew. */
  rowsPerSecond: 200_000,
  bytesPerItem: 500,
  /** Stored bytes to bytes of DynamoDB JSON. */
  compression: 5,
  filesPerLoad: 5,
  filesPerWindow: 4,
  dataFilesPerExport: 4,
  /** `_started`, two manifests, their checksums. */
  filesBesides: 5,
  /** A partition holds 10 GB at most, and gives at least a file. */
  partitionBytes: 10e9,
  /** What exports of small tables take (they wait for a place, not for their size). */
  secondsPerExport: 900,
} as const;

/** Exports that are there already: nothing is asked of DynamoDB. */
export function estimateExports(
  fulls: readonly FullExport[],
  windows: readonly IncrementalExport[],
  { rowsInLake, isOnS3 }: { readonly rowsInLake: number; readonly isOnS3: boolean },
  prices: PriceList = usEast1,
): BackfillEstimate {
  const fullItems = fulls.reduce((sum, { itemCount }) => sum + itemCount, 0);
  const fullBytes = fulls.reduce(
    (sum, { billedSizeBytes, itemCount }) =>
      sum + Math.max(billedSizeBytes, itemCount * assumed.bytesPerItem),
    0,
  );
  const perItem = fullItems === 0 ? assumed.bytesPerItem : fullBytes / fullItems;
  const rows = Math.max(rowsInLake, ...fulls.map(({ itemCount }) => itemCount));
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
      compute: null,
    },
    prices,
  );
  return {
    items: fullItems + changes,
    bytes,
    files,
    seconds: secondsFor(
      fullItems + changes,
      windows.map(({ itemCount }) => Math.min(rows, itemCount * groupRowsMax)),
    ),
    usd: price.usd,
    assumptions: [...(isOnS3 ? price.assumptions : []), ...assumptions],
  };
}

/**
 * Exports that are to be asked for: a full one of a table of so many bytes (null: none is), and windows, so many at once.
 * What was written in the windows nobody knows before: the least that is billed.
 */
export function estimateRecovery(
  tableBytes: number | null,
  tableItems: number,
  windows: number,
  atOnce: number,
  prices: PriceList = usEast1,
): BackfillEstimate {
  const loads = tableBytes === null ? 0 : 1;
  const exports = loads + windows;
  const dataFiles = Math.max(
    assumed.dataFilesPerExport,
    Math.ceil((tableBytes ?? 0) / assumed.partitionBytes),
  );
  const files = loads * assumed.filesPerLoad + windows * assumed.filesPerWindow;
  const items = loads * tableItems;
  const exportBytes = (tableBytes ?? 0) / assumed.compression;
  const price = estimatePrice(
    {
      fulls: tableBytes === null ? [] : [tableBytes],
      windows: Array.from({ length: windows }, () => 0),
      exportObjects: exports * (dataFiles + assumed.filesBesides),
      writes: files,
      reads: exports * (4 + dataFiles) + windows * 10,
      exportBytesKept: exportBytes,
      lakeBytesKept: exportBytes,
      pitrBytes: 0,
      compute: null,
    },
    prices,
  );
  const waits = Math.ceil(exports / Math.max(1, atOnce)) * assumed.secondsPerExport;
  return {
    items,
    bytes: tableBytes ?? 0,
    files,
    // Merging goes on while the next ones are exported.
    seconds: Math.max(
      waits,
      secondsFor(
        items,
        Array.from({ length: windows }, () => tableItems),
      ),
    ),
    usd: price.usd,
    assumptions: [
      ...price.assumptions,
      `${assumed.secondsPerExport / 60} minutes for an export, ${atOnce} at once; DynamoDB promises no time`,
      'what was written in the windows is not known: the least that is billed',
      ...assumptions,
    ],
  };
}

/** Time for reading and committing, with the rows that each window's merge writes anew. */
function secondsFor(items: number, rowsOfWindows: readonly number[]): number {
  const rows = rowsOfWindows.reduce((sum, one) => sum + one, 0);
  return (
    items / assumed.itemsPerSecond +
    rows / assumed.rowsPerSecond +
    rowsOfWindows.length * assumed.secondsPerWindow
  );
}

const assumptions: readonly string[] = [
  `${assumed.itemsPerSecond} items read a second, ${assumed.rowsPerSecond} rows rewritten, and ${assumed.secondsPerWindow} s for the commit of a window, on two idle processors; once under way the run tells by its own rate`,
  'the changes of a window are spread over all keys, so that a merge rewrites most of the table: less where they lie together',
  `${assumed.bytesPerItem} bytes an item where DynamoDB billed less; a change has two images; ${assumed.compression} times smaller in the lake`,
  `${assumed.filesPerWindow} files a window, one of them with rows: more where changes touch many partitions`,
];
