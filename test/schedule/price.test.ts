// Estimates against sums worked out by hand from the price list.
import { describe, expect, it } from 'vitest';
import { pricesOf, usEast1 } from '../../pipeline/schedule/list-prices.js';
import { estimatePrice, type Spending } from '../../pipeline/schedule/price.js';

const none: Spending = {
  fulls: [],
  windows: [],
  exportObjects: 0,
  writes: 0,
  reads: 0,
  exportBytesKept: 0,
  lakeBytesKept: 0,
  pitrBytes: 0,
  compute: null,
};

describe('the estimate of a price', () => {
  it('is 72 cents a month for hourly windows of an idle table, which are billed 10 MB each', () => {
    const { usd } = estimatePrice({ ...none, windows: Array(720).fill(0) }, usEast1);
    expect(usd).toBeCloseTo(0.72, 10);
  });

  it('is 2.88 dollars a month for windows of 15 minutes', () => {
    const { usd } = estimatePrice({ ...none, windows: Array(2880).fill(0) }, usEast1);
    expect(usd).toBeCloseTo(2.88, 10);
  });

  it('bills a window above 10 MB for what was written in it', () => {
    const { lines } = estimatePrice({ ...none, windows: [10_000_000, 10_000_001, 3e9] }, usEast1);
    expect(lines).toHaveLength(1);
    expect(lines[0]!.quantity).toBeCloseTo(3.020000001, 9);
    expect(lines[0]!.usd).toBeCloseTo(0.3020000001, 9);
  });

  it('adds up 50 GB in full, a million objects put and read, and what is kept for a month', () => {
    const spending: Spending = {
      fulls: [50e9],
      windows: [],
      exportObjects: 900_000,
      writes: 100_000,
      reads: 1_000_000,
      exportBytesKept: 10e9,
      lakeBytesKept: 20e9,
      pitrBytes: 50e9,
      compute: null,
    };
    // 5 + 5 + 0.4 + 0.23 + 0.46 + 10
    expect(estimatePrice(spending, usEast1).usd).toBeCloseTo(21.09, 10);
  });

  it('bills Lambda by memory and time, and by the call', () => {
    // A month of hourly calls of 6 s with 3 GB: 12,960 GB-seconds.
    const compute = { kind: 'lambda', memoryGb: 3, calls: 720, seconds: 4320 } as const;
    const { usd, lines, assumptions } = estimatePrice({ ...none, compute }, usEast1);
    expect(lines.map(({ unit }) => unit)).toEqual(['GB-second', '1,000,000 calls']);
    expect(usd).toBeCloseTo(0.216 + 0.000144, 6);
    expect(assumptions.join()).not.toContain('compute');
  });

  it('bills Fargate by processors and memory', () => {
    const compute = { kind: 'fargate', memoryGb: 4, vcpus: 2, seconds: 7200 } as const;
    // Two hours of 2 vCPU and 4 GB: 4 * 0.04048 + 8 * 0.004445
    const { usd } = estimatePrice({ ...none, compute }, usEast1);
    expect(usd).toBeCloseTo(0.16192 + 0.03556, 10);
  });

  it('takes other Regions a stated factor dearer, and prices of the configuration as they are', () => {
    // Seoul's price list has an incremental export at USD 0.1083 per GB.
    expect(pricesOf('ap-northeast-2').incrementalExportPerGb).toBe(0.1083);
    const windows = { ...none, windows: [1e9] };
    const listed = estimatePrice(windows, pricesOf('eu-west-1'));
    expect(listed.usd).toBeCloseTo(0.1132, 10);
    expect(listed.assumptions.join('\n')).toContain('eu-west-1 all are taken 1.132 times');
    const given = estimatePrice(windows, pricesOf('eu-west-1', { incrementalExportPerGb: 0.09 }));
    expect(given.usd).toBeCloseTo(0.09, 10);
    expect(given.assumptions.join('\n')).toContain('configuration: incrementalExportPerGb');
    const unknown = estimatePrice(windows, pricesOf('mars-north-1'));
    expect(unknown.usd).toBeCloseTo(0.125, 10);
    expect(unknown.assumptions.join('\n')).toContain('nothing is known of that Region');
  });

  it('has no line for what is not used, and names its assumptions', () => {
    const { lines, usd, assumptions } = estimatePrice(none, usEast1);
    expect(lines).toEqual([]);
    expect(usd).toBe(0);
    expect(assumptions.join('\n')).toContain('us-east-1');
    expect(assumptions.join('\n')).toContain('at least 10 MB');
  });
});
