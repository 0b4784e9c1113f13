// AWS's list prices that an estimate is made of, as data: one Region, one date, no discounts and no free tier.
// Sources: the pricing pages of Amazon DynamoDB (on-demand capacity: "Data export to Amazon S3", "Continuous backups") and
// Amazon S3 (Standard, first 50 TB; requests). Other Regions differ: pass their prices instead.

export interface PriceList {
  readonly source: string;
  /** Day on which the prices were written down. */
  readonly asOf: string;
  readonly region: string;
  readonly currency: 'USD';
  /** Per GB of the table at that instant, local secondary indexes included. */
  readonly fullExportPerGb: number;
  /** Per GB of changes processed, which is what was written and not what is left of it. */
  readonly incrementalExportPerGb: number;
  /** Bytes billed for an incremental export at least. */
  readonly incrementalBytesMin: number;
  /** Per GB of the table and month, for any recovery period. */
  readonly pitrPerGbMonth: number;
  readonly storagePerGbMonth: number;
  /** Per 1,000 requests that write or list. */
  readonly writesPerThousand: number;
  /** Per 1,000 requests that read. */
  readonly readsPerThousand: number;
}

export const usEast1: PriceList = {
  source: 'aws.amazon.com/dynamodb/pricing and aws.amazon.com/s3/pricing, US East (N. Virginia)',
  asOf: '2026-11-21',
  region: 'us-east-1',
  currency: 'USD',
  fullExportPerGb: 0.1,
  incrementalExportPerGb: 0.1,
  incrementalBytesMin: 10_000_000,
  pitrPerGbMonth: 0.2,
  storagePerGbMonth: 0.023,
  writesPerThousand: 0.005,
  readsPerThousand: 0.0004,
};
