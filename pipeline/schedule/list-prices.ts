// AWS's list prices that an estimate is made of, as data: one day, no discounts, no free tier, no taxes.
// Written down for one Region. Others are that Region's times a factor, the ratio of DynamoDB's own storage prices, which its
// prices of backups and exports follow; an estimate says so, and a configuration may have the prices of a bill instead.
// Sources: the pricing pages of Amazon DynamoDB (on-demand capacity: "Data export to Amazon S3", "Continuous backups", "Data
// storage"), Amazon S3 (Standard, first 50 TB; requests), AWS Lambda (x86) and AWS Fargate (Linux, x86).

import type { GivenPrices, Prices } from '../../schemas/prices.js';

export interface PriceList extends Prices {
  readonly source: string;
  /** Day on which the prices were written down. */
  readonly asOf: string;
  readonly region: string;
  /** What us-east-1's prices were multiplied with. */
  readonly factor: number;
  /** Prices that somebody gave in place of the list's. */
  readonly given: readonly (keyof Prices)[];
  readonly currency: 'USD';
  /** Bytes billed for an incremental export at least. */
  readonly incrementalBytesMin: number;
}

const first = 'us-east-1';

const usEast1Prices: Prices = {
  fullExportPerGb: 0.1,
  incrementalExportPerGb: 0.1,
  pitrPerGbMonth: 0.2,
  storagePerGbMonth: 0.023,
  writesPerThousand: 0.005,
  readsPerThousand: 0.0004,
  lambdaPerGbSecond: 0.0000166667,
  lambdaPerMillionCalls: 0.2,
  fargatePerVcpuHour: 0.04048,
  fargatePerGbHour: 0.004445,
};

/** DynamoDB's price of a GB stored (Standard), over that of us-east-1, USD 0.25. */
const factors: Readonly<Record<string, number>> = {
  'us-east-1': 1,
  'us-east-2': 1,
  'us-west-1': 1.12,
  'us-west-2': 1,
  'ca-central-1': 1.1,
  'eu-central-1': 1.224,
  'eu-north-1': 1.076,
  'eu-west-1': 1.132,
  'eu-west-2': 1.188,
  'eu-west-3': 1.188,
  'ap-northeast-1': 1.14,
  'ap-northeast-2': 1.083,
  'ap-south-1': 1.14,
  'ap-southeast-1': 1.14,
  'ap-southeast-2': 1.14,
  'sa-east-1': 1.5,
};

/** Of a Region that is not listed: dearer than most, so that an estimate is rather too high. */
const otherFactor = 1.25;

/** Whether the factor of a Region is known. */
export function isListed(region: string): boolean {
  return region in factors;
}

/** The list of a Region; `given` takes the place of its prices, e.g. from a contract or a bill. */
export function pricesOf(region: string, given: GivenPrices = {}): PriceList {
  const factor = factors[region] ?? otherFactor;
  const listed = Object.fromEntries(
    // A factor has three digits, and so many more than a list price are noise.
    Object.entries(usEast1Prices).map(([name, usd]) => [
      name,
      Number((usd * factor).toPrecision(6)),
    ]),
  ) as unknown as Prices;
  const own = Object.entries(given).filter(([, usd]) => usd !== undefined);
  return {
    ...listed,
    ...(Object.fromEntries(own) as Partial<Prices>),
    source:
      'aws.amazon.com/dynamodb/pricing, /s3/pricing, /lambda/pricing, /fargate/pricing, US East (N. Virginia)',
    asOf: '2026-11-21',
    region,
    factor: region === first ? 1 : factor,
    given: own.map(([name]) => name as keyof Prices),
    currency: 'USD',
    incrementalBytesMin: 10_000_000,
  };
}

export const usEast1: PriceList = pricesOf(first);
