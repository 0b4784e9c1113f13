// A DynamoDB table of the simulator, its lake on S3, and rounds of the job over them with the real SDK, on a virtual clock.
// Promises: no wait takes real time; `check` compares the lake with the simulated table at the watermark, and sees that
// nothing was read from the table and no window was paid for twice.
// Source: pipeline/schedule/run-round.ts; pipeline/simulator/aws.

import {
  DeleteItemCommand,
  DescribeExportCommand,
  ListExportsCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { ConfiguredRetryStrategy } from '@smithy/core/retry';
import { type AwsClients, createAwsClients } from '../../pipeline/aws/clients.js';
import { DynamoDbTableExports } from '../../pipeline/aws/dynamodb-table-exports.js';
import { S3Store } from '../../pipeline/aws/s3-store.js';
import type { TableExports, World } from '../../pipeline/ports.js';
import type { RoundReport } from '../../pipeline/reports.js';
import { type RoundOptions, runRound } from '../../pipeline/schedule/run-round.js';
import type { ScheduleConfig } from '../../pipeline/schedule/situation.js';
import type { TableJob } from '../../pipeline/schedule/table-job.js';
import { awsTriesMax, retypeBytesMax } from '../../schemas/limits.js';
import { awsEnvironment } from '../aws/simulated-s3.js';
import {
  database,
  differences,
  expectedItems,
  StoryLake,
  worldOver,
} from '../scenarios/story-world.js';
import { arnOf, minuteMs, RunningDynamoDb } from '../simulator/aws/running-dynamodb.js';

/** A simulator with buckets `exports` and `lake`, and clients of it that do not wait. */
export class ScheduledWorld {
  readonly aws: RunningDynamoDb;
  readonly clients: AwsClients;
  readonly store: S3Store;

  private constructor(aws: RunningDynamoDb, clients: AwsClients) {
    this.aws = aws;
    this.clients = clients;
    this.store = new S3Store({ client: () => clients.s3(), wait: async () => {} });
  }

  static async start(): Promise<ScheduledWorld> {
    Object.assign(process.env, awsEnvironment);
    const aws = await RunningDynamoDb.start();
    await aws.s3.send(new CreateBucketCommand({ Bucket: 'lake' }));
    const clients = createAwsClients({ endpoint: aws.simulator.url });
    const atOnce = async () => new ConfiguredRetryStrategy(awsTriesMax, () => 0);
    (await clients.s3()).config.retryStrategy = atOnce;
    (await clients.dynamodb()).config.retryStrategy = atOnce;
    return new ScheduledWorld(aws, clients);
  }

  async close(): Promise<void> {
    this.clients.close();
    await this.aws.close();
  }

  /** A table with recovery, a few items, and an hour behind it. */
  async table(set: Partial<ScheduleConfig> = {}): Promise<ScheduledTable> {
    const name = await this.aws.table();
    await this.aws.recovery(name, true);
    const table = new ScheduledTable(this, name, set);
    for (let n = 0; n < 12; n++) await table.put(n, 'first');
    this.aws.clock.advanceMs(70 * minuteMs);
    this.aws.simulator.dynamodb.clearConsumed();
    return table;
  }
}

/** What one scheduler sees. */
export interface Runner {
  readonly world: World;
  readonly exports: TableExports;
}

export class ScheduledTable {
  readonly #of: ScheduledWorld;
  readonly name: string;
  readonly job: TableJob;
  #runners = 0;

  constructor(of: ScheduledWorld, name: string, set: Partial<ScheduleConfig>) {
    this.#of = of;
    this.name = name;
    const table = name.replaceAll('-', '_');
    this.job = {
      source: name,
      target: { lake: 's3://lake/lake', database, table },
      schedule: {
        table,
        grainMinutes: 60,
        view: 'NEW_AND_OLD_IMAGES',
        lagMinutesMax: 180,
        destination: {
          s3Bucket: 'exports',
          s3Prefix: 'raw',
          s3BucketOwner: null,
          s3SseAlgorithm: null,
          s3SseKmsKeyId: null,
        },
        mayReseed: false,
        exportsAtOnceMax: 8,
        attemptsMax: 3,
        stuckMinutesMax: 24 * 60,
        deadlineMs: null,
        ...set,
      },
      buckets: null,
      partition: null,
      rules: { naming: null, retype: 'auto', retypeBytesMax },
      region: null,
      roleArn: null,
    };
  }

  keyOf(n: number): { pk: { S: string }; sk: { N: string } } {
    return { pk: { S: `client ${n % 5}` }, sk: { N: `${n}` } };
  }

  async put(n: number, note: string): Promise<void> {
    const Item = { ...this.keyOf(n), note: { S: note }, price: { N: `${n}.50` } };
    await this.#of.aws.db.send(new PutItemCommand({ TableName: this.name, Item }));
  }

  async remove(n: number): Promise<void> {
    await this.#of.aws.db.send(new DeleteItemCommand({ TableName: this.name, Key: this.keyOf(n) }));
  }

  /** Writes, and lets an hour pass. */
  async hour(h: number): Promise<void> {
    const { clock } = this.#of.aws;
    await this.put(h % 12, `hour ${h}`);
    await this.remove((h + 5) % 12);
    await this.put(100 + h, 'new');
    await this.put(50, 'comes and goes');
    clock.advanceMs(30 * minuteMs);
    await this.remove(50);
    clock.advanceMs(30 * minuteMs);
  }

  /** A scheduler of its own: another process, as far as the job can tell. */
  runner(): Runner {
    this.#runners += 1;
    const { aws, store, clients } = this.#of;
    const { clock } = aws;
    const base = worldOver(store, { seed: `${this.name} ${this.#runners}` });
    // Waits of this process are not the world's: time is moved by the test.
    return {
      world: { ...base, clock: { nowMs: () => clock.nowMs(), sleep: async () => {} } },
      exports: new DynamoDbTableExports(clients),
    };
  }

  async round(
    options: RoundOptions = {},
    set: Partial<ScheduleConfig> = {},
    { world, exports }: Runner = this.runner(),
  ): Promise<RoundReport> {
    const job = { ...this.job, schedule: { ...this.job.schedule, ...set } };
    return runRound(world, exports, job, options);
  }

  /** Rounds with time between them until the table is fresh. */
  async untilFresh(roundsMax = 20, set: Partial<ScheduleConfig> = {}): Promise<RoundReport> {
    for (let i = 0; i < roundsMax; i++) {
      const report = await this.round({}, set);
      if (report.state !== 'waiting') return report;
      this.#of.aws.clock.advanceMs(5 * minuteMs);
    }
    throw new Error(`not fresh after ${roundsMax} rounds`);
  }

  /** What DynamoDB says of all exports of the table. */
  async exports(): Promise<
    readonly { readonly status: string; readonly subject: string; readonly id: string }[]
  > {
    const { db } = this.#of.aws;
    const found = [];
    let NextToken: string | undefined;
    do {
      const page = await db.send(new ListExportsCommand({ TableArn: arnOf(this.name), NextToken }));
      for (const { ExportArn } of page.ExportSummaries ?? []) {
        const { ExportDescription: one } = await db.send(new DescribeExportCommand({ ExportArn }));
        const window = one!.IncrementalExportSpecification;
        const subject =
          window === undefined
            ? `full ${one!.ExportTime!.toISOString()}`
            : `${window.ExportFromTime!.toISOString()} ${window.ExportToTime!.toISOString()}`;
        found.push({
          status: one!.ExportStatus!,
          subject: `${one!.TableId} ${subject}`,
          id: ExportArn!,
        });
      }
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    return found;
  }

  get lake(): StoryLake {
    const { target } = this.job;
    const { world } = this.runner();
    return new (class extends StoryLake {
      override get target(): {
        readonly lake: string;
        readonly database: string;
        readonly table: string;
      } {
        return target;
      }
    })(world, 's3://lake', target.table);
  }

  /** What is wrong: rows that differ from the table at the watermark, subjects paid twice, reads of the table. */
  async faults(watermark: string): Promise<readonly string[]> {
    const { simulator } = this.#of.aws;
    const past = simulator.dynamodb.past(this.name);
    if (past === null) return ['no table'];
    const { missing, extra } = differences(
      await this.lake.items(),
      expectedItems(past, Date.parse(watermark)),
    );
    const paid = new Map<string, number>();
    for (const { status, subject } of await this.exports()) {
      if (status !== 'FAILED') paid.set(subject, (paid.get(subject) ?? 0) + 1);
    }
    const twice = [...paid].filter(([, count]) => count > 1).map(([subject]) => subject);
    const { readUnits, requests } = simulator.dynamodb.consumed().total;
    const reads = ['Scan', 'Query', 'GetItem', 'BatchGetItem'].filter((one) => one in requests);
    return [
      ...missing.map((one) => `missing ${one}`),
      ...extra.map((one) => `extra ${one}`),
      ...twice.map((one) => `paid twice ${one}`),
      ...reads,
      ...(readUnits === 0 ? [] : [`${readUnits} read units`]),
    ];
  }
}
