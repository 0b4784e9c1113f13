// A simulated S3 on this machine for tests, and stores over it through the real SDK.
// Promises: a folder and a port of its own; retries of the SDK do not wait, so that no test waits for real time.
// Source: pipeline/local/simulator-server.ts.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { ConfiguredRetryStrategy } from '@smithy/core/retry';
import { type AwsClients, createAwsClients } from '../../pipeline/aws/clients.js';
import { S3Store } from '../../pipeline/aws/s3-store.js';
import { type Simulator, startSimulator } from '../../pipeline/local/simulator-server.js';
import { awsTriesMax } from '../../schemas/limits.js';

/** The account that owns the simulator's buckets. */
export const account = '123456789012';

/** What the SDK takes from the environment: no profile, no files, keys that nobody verifies. */
export const awsEnvironment: Readonly<Record<string, string>> = {
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_REGION: 'eu-west-1',
  AWS_CONFIG_FILE: '/nonexistent/config',
  AWS_SHARED_CREDENTIALS_FILE: '/nonexistent/credentials',
  AWS_EC2_METADATA_DISABLED: 'true',
};

export class SimulatedS3 {
  readonly simulator: Simulator;
  readonly clients: AwsClients;
  readonly folder: string;

  private constructor(simulator: Simulator, clients: AwsClients, folder: string) {
    this.simulator = simulator;
    this.clients = clients;
    this.folder = folder;
  }

  /** Starts one with a bucket `lake`. */
  static async start(): Promise<SimulatedS3> {
    Object.assign(process.env, awsEnvironment);
    const folder = await mkdtemp(path.join(tmpdir(), 'tidelake-s3-'));
    const simulator = await startSimulator({ dir: folder, port: 0 });
    const clients = createAwsClients({ endpoint: simulator.url });
    const client = await clients.s3();
    client.config.retryStrategy = async () => new ConfiguredRetryStrategy(awsTriesMax, () => 0);
    await client.send(new CreateBucketCommand({ Bucket: 'lake' }));
    return new SimulatedS3(simulator, clients, folder);
  }

  client(): Promise<S3Client> {
    return this.clients.s3();
  }

  /** A store that waits for nothing. */
  store(
    more: { readonly expectedBucketOwner?: string; readonly bodyIdleMs?: number } = {},
  ): S3Store {
    return new S3Store({ client: () => this.client(), wait: async () => {}, ...more });
  }

  /** Operations that were asked for since the log was cleared, in order. */
  operations(): readonly string[] {
    return this.simulator.requests().map(({ operation }) => operation);
  }

  async close(): Promise<void> {
    this.clients.close();
    await this.simulator.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
