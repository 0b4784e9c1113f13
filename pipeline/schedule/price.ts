// What a plan costs, estimated: exports, requests, storage and compute, from list prices, with every assumption named.
// Promises: a pure sum; each line says quantity, unit and price, so that it can be checked by hand.

import { isListed, type PriceList } from './list-prices.js';

/** What is to be paid for. All sizes are in bytes, compressed as stored unless said otherwise. */
export interface Spending {
  /** Size of the table, with local secondary indexes, for each full export. */
  readonly fulls: readonly number[];
  /** Bytes written to the table in each window. */
  readonly windows: readonly number[];
  /** Objects that the exports put. */
  readonly exportObjects: number;
  /** Requests of Tidelake's own that write or list, and that read. */
  readonly writes: number;
  readonly reads: number;
  /** Bytes of exports that stay in S3 for a month. */
  readonly exportBytesKept: number;
  /** Bytes of the lake that stay in S3 for a month. */
  readonly lakeBytesKept: number;
  /** Table size whose point-in-time recovery is counted in, for a month; 0 when it is on anyway. */
  readonly pitrBytes: number;
  /** Where the job runs; null: on a computer that costs nothing more. */
  readonly compute: ComputeUse | null;
}

/** Time of the job itself. */
export type ComputeUse =
  | {
      readonly kind: 'lambda';
      readonly memoryGb: number;
      readonly calls: number;
      /** Of all calls together. */
      readonly seconds: number;
    }
  | {
      readonly kind: 'fargate';
      readonly memoryGb: number;
      readonly vcpus: number;
      readonly seconds: number;
    };

export interface PriceLine {
  readonly what:
    | 'full exports'
    | 'incremental exports'
    | 'requests that write'
    | 'requests that read'
    | 'storage of exports'
    | 'storage of the lake'
    | 'point-in-time recovery'
    | 'Lambda'
    | 'Lambda calls'
    | 'Fargate processors'
    | 'Fargate memory';
  readonly quantity: number;
  readonly unit:
    | 'GB'
    | '1,000 requests'
    | 'GB-month'
    | 'GB-second'
    | '1,000,000 calls'
    | 'vCPU-hour'
    | 'GB-hour';
  readonly price: number;
  readonly usd: number;
}

export interface PriceEstimate {
  readonly lines: readonly PriceLine[];
  readonly usd: number;
  readonly assumptions: readonly string[];
}

/** A GB as billed: 10^9 bytes, as for the 10 MB that an incremental export is billed at least. Were it 2^30, the estimate
 *  would be 7 % too high, never too low. */
const gb = 1e9;

/** Lines of nothing are left out. */
export function estimatePrice(spending: Spending, prices: PriceList): PriceEstimate {
  const billedWindows = spending.windows.map((bytes) =>
    Math.max(bytes, prices.incrementalBytesMin),
  );
  const lines: readonly PriceLine[] = [
    line('full exports', sum(spending.fulls) / gb, 'GB', prices.fullExportPerGb),
    line('incremental exports', sum(billedWindows) / gb, 'GB', prices.incrementalExportPerGb),
    line(
      'requests that write',
      (spending.exportObjects + spending.writes) / 1000,
      '1,000 requests',
      prices.writesPerThousand,
    ),
    line('requests that read', spending.reads / 1000, '1,000 requests', prices.readsPerThousand),
    line('storage of exports', spending.exportBytesKept / gb, 'GB-month', prices.storagePerGbMonth),
    line('storage of the lake', spending.lakeBytesKept / gb, 'GB-month', prices.storagePerGbMonth),
    line('point-in-time recovery', spending.pitrBytes / gb, 'GB-month', prices.pitrPerGbMonth),
    ...(spending.compute === null ? [] : computeLines(spending.compute, prices)),
  ].filter(({ quantity }) => quantity > 0);
  return {
    lines,
    usd: sum(lines.map(({ usd }) => usd)),
    assumptions: [
      ...listText(prices),
      'a GB is 10^9 bytes',
      `a window is billed for at least ${prices.incrementalBytesMin / 1e6} MB, and for everything written in it, not only for the net changes`,
      'bucket and table are in one Region: no transfer between Regions, no KMS requests',
      spending.compute === null
        ? 'compute and queries are not in it'
        : 'queries, logs and alarms are not in it',
    ],
  };
}

function listText(prices: PriceList): readonly string[] {
  const { region, asOf, factor, given } = prices;
  const from = isListed(region)
    ? `DynamoDB stores a GB there at ${factor} times the price`
    : 'nothing is known of that Region';
  return [
    `list prices of us-east-1 as of ${asOf}, no discounts, no free tier, no taxes`,
    ...(factor === 1 ? [] : [`for ${region} all are taken ${factor} times: ${from}`]),
    ...(given.length === 0 ? [] : [`prices from the configuration: ${given.join(', ')}`]),
  ];
}

function computeLines(compute: ComputeUse, prices: PriceList): readonly PriceLine[] {
  const { memoryGb, seconds } = compute;
  if (compute.kind === 'lambda') {
    return [
      line('Lambda', memoryGb * seconds, 'GB-second', prices.lambdaPerGbSecond),
      line('Lambda calls', compute.calls / 1e6, '1,000,000 calls', prices.lambdaPerMillionCalls),
    ];
  }
  const hours = seconds / 3600;
  return [
    line('Fargate processors', compute.vcpus * hours, 'vCPU-hour', prices.fargatePerVcpuHour),
    line('Fargate memory', memoryGb * hours, 'GB-hour', prices.fargatePerGbHour),
  ];
}

function line(
  what: PriceLine['what'],
  quantity: number,
  unit: PriceLine['unit'],
  price: number,
): PriceLine {
  return { what, quantity, unit, price, usd: quantity * price };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
