// A simulator for a test file, with the real SDK's clients of DynamoDB and S3, and a clock that stands still until it is moved.
// Promises: no retries; one folder, which goes away; `restart` is a new process on the same state.
// Source: pipeline/local/simulator-server.ts.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DynamoDBClient,
  UpdateContinuousBackupsCommand,
} from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { ManualClock } from '../../../pipeline/local/clock.js';
import { type Simulator, startSimulator } from '../../../pipeline/local/simulator-server.js';
import { simulatedNowMs } from './running.js';

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;
/** A whole hour at which these simulators start. */
export const startMs: number = Math.floor(simulatedNowMs / hourMs) * hourMs;

export class RunningDynamoDb {
  simulator: Simulator;
  db: DynamoDBClient;
  s3: S3Client;
  readonly clock: ManualClock;
  readonly dir: string;
  #tables = 0;

  private constructor(simulator: Simulator, clock: ManualClock, dir: string) {
    this.simulator = simulator;
    this.clock = clock;
    this.dir = dir;
    this.db = dynamoDb(simulator.url);
    this.s3 = s3Of(simulator.url);
  }

  /** Starts one with a bucket `exports`. */
  static async start(): Promise<RunningDynamoDb> {
    const dir = await mkdtemp(path.join(tmpdir(), 'tidelake-dynamodb-'));
    const clock = new ManualClock(startMs);
    const running = new RunningDynamoDb(await startSimulator({ dir, port: 0, clock }), clock, dir);
    await running.s3.send(new CreateBucketCommand({ Bucket: 'exports' }));
    return running;
  }

  /** A table nobody else uses, with the key `pk` (S) and `sk` (N) unless told; returns its name. */
  async table(input: Partial<CreateTableCommandInput> = {}): Promise<string> {
    this.#tables += 1;
    const TableName = `table-${this.#tables}`;
    await this.db.send(
      new CreateTableCommand({
        TableName,
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'sk', AttributeType: 'N' },
        ],
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        BillingMode: 'PAY_PER_REQUEST',
        ...input,
      }),
    );
    return TableName;
  }

  async recovery(
    TableName: string,
    PointInTimeRecoveryEnabled: boolean,
    RecoveryPeriodInDays?: number,
  ): Promise<void> {
    await this.db.send(
      new UpdateContinuousBackupsCommand({
        TableName,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled, RecoveryPeriodInDays },
      }),
    );
  }

  async restart(): Promise<void> {
    this.#destroy();
    await this.simulator.close();
    this.simulator = await startSimulator({ dir: this.dir, port: 0, clock: this.clock });
    this.db = dynamoDb(this.simulator.url);
    this.s3 = s3Of(this.simulator.url);
  }

  #destroy(): void {
    this.db.destroy();
    this.s3.destroy();
  }

  async close(): Promise<void> {
    this.#destroy();
    await this.simulator.close();
    await rm(this.dir, { recursive: true, force: true });
  }
}

const common = {
  region: 'eu-west-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  maxAttempts: 1,
} as const;

function dynamoDb(endpoint: string): DynamoDBClient {
  return new DynamoDBClient({ ...common, endpoint });
}

function s3Of(endpoint: string): S3Client {
  return new S3Client({ ...common, endpoint, forcePathStyle: true });
}

export function arnOf(table: string): string {
  return `arn:aws:dynamodb:eu-west-1:123456789012:table/${table}`;
}
