// Prices that an estimate is made of, and how a configuration says its own.
// Promises: each has its unit in its description; a price is never negative.
// Source: pipeline/schedule/list-prices.ts, for the list that holds where nothing is said.

import { z } from 'zod';

/** Prices in USD. */
export interface Prices {
  /** Per GB of the table at that instant, local secondary indexes included. */
  readonly fullExportPerGb: number;
  /** Per GB of changes processed, which is what was written and not what is left of it. */
  readonly incrementalExportPerGb: number;
  /** Per GB of the table and month, for any recovery period. */
  readonly pitrPerGbMonth: number;
  readonly storagePerGbMonth: number;
  /** Per 1,000 requests that write or list. */
  readonly writesPerThousand: number;
  /** Per 1,000 requests that read. */
  readonly readsPerThousand: number;
  readonly lambdaPerGbSecond: number;
  readonly lambdaPerMillionCalls: number;
  readonly fargatePerVcpuHour: number;
  readonly fargatePerGbHour: number;
}

/** Prices that somebody gave. */
export type GivenPrices = { readonly [K in keyof Prices]?: number | undefined };

const usd = (what: string): z.ZodOptional<z.ZodNumber> =>
  z.number().min(0).optional().describe(`USD ${what}.`);

export const pricesShape: { readonly [K in keyof Prices]: z.ZodOptional<z.ZodNumber> } = {
  fullExportPerGb: usd('per GB of the table, for a full export'),
  incrementalExportPerGb: usd('per GB written in a window, for an incremental export'),
  pitrPerGbMonth: usd('per GB of the table and month of point-in-time recovery'),
  storagePerGbMonth: usd('per GB and month in S3'),
  writesPerThousand: usd('per 1,000 requests to S3 that write or list'),
  readsPerThousand: usd('per 1,000 requests to S3 that read'),
  lambdaPerGbSecond: usd('per GB-second of Lambda'),
  lambdaPerMillionCalls: usd('per 1,000,000 calls of Lambda'),
  fargatePerVcpuHour: usd('per hour of a vCPU on Fargate'),
  fargatePerGbHour: usd('per GB-hour of memory on Fargate'),
};
