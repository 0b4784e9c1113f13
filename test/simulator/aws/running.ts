// A simulator for a test file: started on a free port over a folder that goes away, with the real SDK's client.
// Promises: the SDK's own defaults (checksums, chunks), path style, and no retries unless a test asks for them.
// Source: pipeline/local/simulator-server.ts.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateBucketCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { afterAll, beforeAll } from 'vitest';
import { ManualClock } from '../../../pipeline/local/clock.js';
import {
  type RequestRecord,
  type Simulator,
  startSimulator,
} from '../../../pipeline/local/simulator-server.js';
import type { FaultPlanInput } from '../../../pipeline/simulator/aws/fault-plan.js';

/** What the simulator's clock shows, for ever. */
export const simulatedNowMs: number = Date.parse('2026-11-20T12:00:00.750Z');

export interface RunningS3 {
  readonly simulator: Simulator;
  readonly client: S3Client;
  readonly dir: string;
  /** A client with other settings. */
  makeClient(config: S3ClientConfig): S3Client;
  /** A bucket nobody else uses. */
  makeBucket(): Promise<string>;
  /** Sets a plan and forgets the log. */
  plan(rules: FaultPlanInput): void;
  /** The log since the plan was set. */
  log(): readonly RequestRecord[];
}

/** Starts a simulator before the tests of a file and ends it behind them. */
export function runningS3(): RunningS3 {
  let simulator: Simulator;
  let client: S3Client;
  let dir: string;
  let buckets = 0;
  const clients: S3Client[] = [];
  const makeClient = (config: S3ClientConfig): S3Client => {
    const made = new S3Client({
      endpoint: simulator.url,
      region: 'eu-west-1',
      forcePathStyle: true,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
      ...config,
    });
    clients.push(made);
    return made;
  };
  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'tidelake-simulator-'));
    simulator = await startSimulator({ dir, port: 0, clock: new ManualClock(simulatedNowMs) });
    client = makeClient({});
  });
  afterAll(async () => {
    for (const each of clients) each.destroy();
    await simulator.close();
    await rm(dir, { recursive: true, force: true });
  });
  return {
    get simulator() {
      return simulator;
    },
    get client() {
      return client;
    },
    get dir() {
      return dir;
    },
    makeClient,
    makeBucket: async () => {
      buckets += 1;
      const Bucket = `bucket-${buckets}`;
      await client.send(new CreateBucketCommand({ Bucket }));
      return Bucket;
    },
    plan: (rules) => {
      simulator.setFaults(rules);
      simulator.clearRequests();
    },
    log: () => simulator.requests(),
  };
}

/** Bytes that are not all alike, the same each time. */
export function someBytes(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 7919) >> 7);
}

/** What a promise was rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<{
  readonly name: string;
  readonly message: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was rejected');
}
