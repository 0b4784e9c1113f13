// AWS's bill for what was done here since the count began: exports, requests to S3, and storage in it.
// Promises: it adds up what the services counted, by the rules of the pricing pages; it knows nothing of plans and estimates,
// and shares only the list of prices with them, so that one can be held against the other.
// Sources: Amazon DynamoDB pricing, "Data export to Amazon S3"; Amazon S3 FAQs, "How will I be charged and billed for my use of
// Amazon S3?" (byte-hours, a month of 31 days, a GB of 2^30 bytes).

import type { Clock } from '../../ports.js';
import type { S3Usage, S3UsageMeter } from './s3-usage.js';

/** What an export is charged with. */
export interface BilledExport {
  readonly table: string;
  readonly isIncremental: boolean;
  /** BilledSizeBytes as DescribeExport tells it: the 10 MB minimum is in it. */
  readonly billedBytes: number;
}

/** Prices in USD, as AWS lists them. */
export interface BillPrices {
  readonly region: string;
  readonly fullExportPerGb: number;
  readonly incrementalExportPerGb: number;
  readonly writesPerThousand: number;
  readonly readsPerThousand: number;
  readonly storagePerGbMonth: number;
}

export interface Bill {
  readonly region: string;
  /** Instants between which it was counted, ms since the epoch. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly exports: {
    readonly full: { readonly count: number; readonly billedBytes: number; readonly usd: number };
    readonly incremental: {
      readonly count: number;
      readonly billedBytes: number;
      readonly usd: number;
    };
  };
  readonly requests: {
    readonly writes: { readonly count: number; readonly usd: number };
    readonly reads: { readonly count: number; readonly usd: number };
  };
  readonly storage: {
    readonly bytes: number;
    readonly byteHours: number;
    readonly usd: number;
  };
  readonly usd: number;
}

const exportGbBytes = 1_000_000_000;
const storageGbBytes = 2 ** 30;
const monthHours = 31 * 24;

export function billOf(
  span: { readonly fromMs: number; readonly toMs: number },
  exports: readonly BilledExport[],
  s3: S3Usage,
  prices: BillPrices,
): Bill {
  const full = { count: 0, billedBytes: 0, usd: 0 };
  const incremental = { count: 0, billedBytes: 0, usd: 0 };
  for (const { isIncremental, billedBytes } of exports) {
    const sum = isIncremental ? incremental : full;
    const perGb = isIncremental ? prices.incrementalExportPerGb : prices.fullExportPerGb;
    sum.count += 1;
    sum.billedBytes += billedBytes;
    sum.usd += (billedBytes / exportGbBytes) * perGb;
  }
  const writes = { count: s3.writes, usd: (s3.writes * prices.writesPerThousand) / 1000 };
  const reads = { count: s3.reads, usd: (s3.reads * prices.readsPerThousand) / 1000 };
  const storage = {
    bytes: s3.storedBytes,
    byteHours: s3.storedByteHours,
    usd: (s3.storedByteHours / storageGbBytes / monthHours) * prices.storagePerGbMonth,
  };
  return {
    region: prices.region,
    ...span,
    exports: { full, incremental },
    requests: { writes, reads },
    storage,
    usd: full.usd + incremental.usd + writes.usd + reads.usd + storage.usd,
  };
}

/** Counts from its start, or from the last time it was begun anew. */
export class BillCounter {
  readonly #clock: Clock;
  readonly #billedExports: (sinceMs: number) => readonly BilledExport[];
  readonly #s3: S3UsageMeter;
  readonly #prices: BillPrices;
  #fromMs: number;

  constructor(
    clock: Clock,
    billedExports: (sinceMs: number) => readonly BilledExport[],
    s3: S3UsageMeter,
    prices: BillPrices,
  ) {
    this.#clock = clock;
    this.#billedExports = billedExports;
    this.#s3 = s3;
    this.#prices = prices;
    this.#fromMs = clock.nowMs();
  }

  /** The bill until now. Exports are charged when they complete; one that fails costs nothing. */
  read(): Bill {
    const span = { fromMs: this.#fromMs, toMs: this.#clock.nowMs() };
    return billOf(span, this.#billedExports(span.fromMs), this.#s3.usage(), this.#prices);
  }

  clear(): void {
    this.#fromMs = this.#clock.nowMs();
    this.#s3.clear();
  }
}
