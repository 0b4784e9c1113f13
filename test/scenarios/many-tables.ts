// Many simulated DynamoDB tables under one configuration, six of them broken in six ways, and `tidelake run` over all of them.
// Promises: the command and the real SDK against the simulated AWS, on a virtual clock; what each lake table must hold comes
// from the simulated table.
// Source: pipeline/cli/commands/run.ts; DESIGN "The hourly job is a pure decision" (many tables).

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BatchWriteItemCommand,
  DeleteTableCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { type AwsClients, createAwsClients } from '../../pipeline/aws/clients.js';
import { S3Store } from '../../pipeline/aws/s3-store.js';
import type { RoundReport } from '../../pipeline/reports.js';
import { awsEnvironment } from '../aws/simulated-s3.js';
import { minuteMs, RunningDynamoDb } from '../simulator/aws/running-dynamodb.js';
import { type Ran, reportsIn, runHere } from './command-here.js';
import { differences, expectedItems, StoryLake, worldOver } from './story-world.js';

/** Code that each broken table must end with. */
export const broken: Readonly<Record<string, string>> = {
  'shop-no-recovery': 'REFUSED_PITR_OFF',
  'shop-gone': 'REFUSED_NO_TABLE',
  'shop-made-again': 'REFUSED_TABLE_ID',
  'shop-denied': 'DENIED',
  'shop-failing': 'REFUSED_EXPORT_FAILED',
  'shop-poisoned': 'REFUSED_CHECKSUM',
};

export interface RunOfMany extends Ran {
  readonly reports: readonly RoundReport[];
}

export class ManyTables {
  readonly aws: RunningDynamoDb;
  readonly names: readonly string[];
  readonly #folder: string;
  readonly #clients: AwsClients;

  private constructor(aws: RunningDynamoDb, count: number) {
    this.aws = aws;
    this.#folder = mkdtempSync(join(tmpdir(), 'tidelake-many-'));
    const sound = Array.from({ length: count - Object.keys(broken).length }, (_, i) =>
      i % 4 === 0 ? `tagged.${i}` : `shop-${i}`,
    );
    this.names = [...sound, ...Object.keys(broken)];
    Object.assign(process.env, awsEnvironment, { AWS_ENDPOINT_URL: aws.simulator.url });
    this.#clients = createAwsClients({});
  }

  /** Makes the tables, the configuration, and what breaks some of them from the beginning. */
  static async start(count: number): Promise<ManyTables> {
    const aws = await RunningDynamoDb.start();
    await aws.s3.send(new CreateBucketCommand({ Bucket: 'lake' }));
    const many = new ManyTables(aws, count);
    many.#configure();
    for (const name of many.names) await many.#make(name);
    // A table that nobody configured.
    await many.#make('other');
    aws.clock.advanceMs(70 * minuteMs);
    const { simulator } = aws;
    await simulator.dynamodb.changeSettings({
      exportTroubles: [{ table: 'shop-failing', code: 'Unknown', times: 3 }],
    });
    simulator.setFaults([
      {
        service: 'dynamodb',
        operation: 'DescribeContinuousBackups',
        key: 'shop-denied',
        do: { fault: 'error', code: 'AccessDeniedException', message: 'not allowed' },
      },
    ]);
    return many;
  }

  async close(): Promise<void> {
    delete process.env.AWS_ENDPOINT_URL;
    this.#clients.close();
    await this.aws.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #configure(): void {
    const config = {
      lake: 's3://lake/tables',
      database: 'shop',
      catalog: 'files',
      exports: { bucket: 'exports', prefix: 'raw' },
      run: { tablesAtOnceMax: 4 },
      tables: [
        { prefix: 'shop-', except: ['shop-gone'] },
        { name: 'shop-gone' },
        { tag: { lake: 'yes' }, naming: 'lower_case' },
      ],
    };
    writeFileSync(join(this.#folder, 'tidelake.config.json'), JSON.stringify(config));
  }

  async #make(name: string): Promise<void> {
    const Tags = name.startsWith('tagged') ? [{ Key: 'lake', Value: 'yes' }] : [];
    await this.aws.table({ TableName: name, Tags });
    if (name !== 'shop-no-recovery') await this.aws.recovery(name, true);
    const items = Array.from({ length: 5 }, (_, n) => ({
      PutRequest: { Item: { ...keyOf(n), paidAt: { S: name }, price: { N: `${n}.50` } } },
    }));
    await this.aws.db.send(new BatchWriteItemCommand({ RequestItems: { [name]: items } }));
  }

  /** Writes to every sound table. */
  async write(note: string): Promise<void> {
    for (const TableName of this.names.filter((name) => broken[name] === undefined)) {
      const Item = { ...keyOf(1), note: { S: note } };
      await this.aws.db.send(new PutItemCommand({ TableName, Item }));
    }
  }

  /** Breaks what is broken by something that happens: a table is deleted, one is made again. */
  async misfortune(): Promise<void> {
    await this.aws.db.send(new DeleteTableCommand({ TableName: 'shop-gone' }));
    await this.aws.db.send(new DeleteTableCommand({ TableName: 'shop-made-again' }));
    await this.#make('shop-made-again');
  }

  /** Damages the list of files of every export of a table. */
  async poison(name: string): Promise<void> {
    const { s3 } = this.aws;
    const Bucket = 'exports';
    const { Contents } = await s3.send(
      new ListObjectsV2Command({ Bucket, Prefix: `raw/${name}/` }),
    );
    for (const { Key } of Contents ?? []) {
      if (!Key!.endsWith('/manifest-files.json')) continue;
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      const text = await Body!.transformToString();
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: text.replace(/\d/, '7 ') }));
    }
  }

  /** `tidelake run`, as a schedule would start it. */
  async run(args: readonly string[] = []): Promise<RunOfMany> {
    const { clock } = this.aws;
    const own = { nowMs: () => clock.nowMs(), sleep: async () => {} };
    const ran = await runHere(this.#folder, ['run', '--json', ...args], own);
    return { ...ran, reports: reportsIn(ran.out) as unknown as readonly RoundReport[] };
  }

  async later(minutes: number): Promise<void> {
    this.aws.clock.advanceMs(minutes * minuteMs);
  }

  /** Folders of windows and instants that hold more than one complete export. */
  async paidTwice(): Promise<readonly string[]> {
    const counts = new Map<string, number>();
    let ContinuationToken: string | undefined;
    do {
      const page = await this.aws.s3.send(
        new ListObjectsV2Command({ Bucket: 'exports', ContinuationToken }),
      );
      for (const { Key } of page.Contents ?? []) {
        if (!Key!.endsWith('/manifest-summary.json')) continue;
        const folder = Key!.slice(0, Key!.indexOf('/AWSDynamoDB/'));
        counts.set(folder, (counts.get(folder) ?? 0) + 1);
      }
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    return [...counts].filter(([, count]) => count > 1).map(([folder]) => folder);
  }

  /** How a lake table differs from the simulated table at a watermark. */
  async faults(report: RoundReport): Promise<unknown> {
    const past = this.aws.simulator.dynamodb.past(report.source);
    if (past === null || report.watermark === null) return 'no table';
    const store = new S3Store({ client: () => this.#clients.s3(), wait: async () => {} });
    const target = { lake: 's3://lake/tables', database: 'shop', table: report.table };
    const lake = new (class extends StoryLake {
      override get target(): typeof target {
        return target;
      }
    })(worldOver(store, { seed: report.table }), 's3://lake/out', report.table);
    return differences(await lake.items(), expectedItems(past, Date.parse(report.watermark)));
  }
}

function keyOf(n: number): { pk: { S: string }; sk: { N: string } } {
  return { pk: { S: `client ${n}` }, sk: { N: `${n}` } };
}

/** From nothing to a lake of many tables, through an hour of writes and the misfortunes of six. Gives the last run. */
export async function runThrough(many: ManyTables): Promise<RunOfMany> {
  await many.run();
  await many.later(11);
  await many.poison('shop-poisoned');
  await many.run();
  await many.misfortune();
  await many.write('an hour later');
  await many.later(60);
  for (let round = 0; round < 3; round++) {
    await many.run();
    await many.later(11);
  }
  return many.run();
}
