// Lakes for the engines to read: exports of simulated tables, loaded and merged by Tidelake onto S3, registered in Glue.
// Promises: what a table must hold at each of its instants is the simulated table's own state, by canonical items.

import { join } from 'node:path';
import { CreateDatabaseCommand } from '@aws-sdk/client-glue';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { type AwsClients, createAwsClients } from '../../../pipeline/aws/clients.js';
import { GlueCatalog } from '../../../pipeline/aws/glue-catalog.js';
import { S3Store } from '../../../pipeline/aws/s3-store.js';
import type { LoadOptions, Target, World } from '../../../pipeline/index.js';
import {
  type StoryOptions,
  type StoryWindow,
  simulate,
  storyStartMs,
  type TablePast,
} from '../../../pipeline/simulator/index.js';
import { database, StoryLake, worldOver } from '../../scenarios/story-world.js';
import type { AwsEndpoint } from './endpoint.js';
import { RowReader } from './rows.js';

const bucket = 'tidelake';

/** The metadata file as JSON; ids of snapshots as texts, since those of other programs go beyond 2^53. */
export interface MetadataJson {
  readonly location: string;
  readonly 'current-schema-id': number;
  readonly 'current-snapshot-id': string;
  readonly schemas: readonly {
    readonly 'schema-id': number;
    readonly fields: RowReader['fields'];
  }[];
  readonly snapshots: readonly {
    readonly 'snapshot-id': string;
    readonly 'schema-id': number;
    readonly 'timestamp-ms': number;
    readonly summary: Readonly<Record<string, string>>;
  }[];
  readonly properties: Readonly<Record<string, string>>;
}

/** An instant of a table with the snapshot that stands for it. */
export interface LakeState {
  readonly ms: number;
  /** `load` or `merge`. */
  readonly kind: string;
  readonly snapshotId: string;
}

export class EngineLake extends StoryLake {
  readonly endpoint: AwsEndpoint;
  /** Name of the table in Glue. */
  readonly name: string;
  /** The oracle. */
  past!: TablePast;
  /** Windows that were exported and not merged. */
  pending: readonly StoryWindow[] = [];
  readonly #states: LakeState[] = [];

  constructor(endpoint: AwsEndpoint, name: string) {
    super(worldAt(endpoint, name), `s3://${bucket}/${name}`, name);
    this.endpoint = endpoint;
    this.name = name;
  }

  override get target(): Target {
    return { lake: this.lake, database, table: this.name, catalog: 'glue' };
  }

  /** The instants the table can be asked for, oldest first. */
  get states(): readonly LakeState[] {
    return this.#states;
  }

  /** Notes that the table's current snapshot stands for an instant. */
  async note(ms: number): Promise<void> {
    const md = await this.metadata();
    const snapshotId = md['current-snapshot-id'];
    const now = md.snapshots.find((one) => one['snapshot-id'] === snapshotId)!;
    this.#states.push({ ms, kind: now.summary['tidelake.kind']!, snapshotId });
  }

  async metadata(): Promise<MetadataJson> {
    const catalog = await this.world.glueCatalog!(this.lake);
    const entry = await catalog.current(database, this.name);
    const bytes = await this.world.store.read(entry!.metadataUri);
    const text = Buffer.from(bytes).toString();
    return JSON.parse(text.replace(/("(?:current-)?snapshot-id"\s*:\s*)(\d+)/g, '$1"$2"'));
  }

  /** How rows of a snapshot become items. */
  async reader(snapshotId?: string): Promise<RowReader> {
    const md = await this.metadata();
    const wanted = snapshotId ?? md['current-snapshot-id'];
    const snapshot = md.snapshots.find((one) => one['snapshot-id'] === wanted)!;
    const schema = md.schemas.find((one) => one['schema-id'] === snapshot['schema-id'])!;
    return new RowReader(schema.fields, md.properties['tidelake.columns']!);
  }
}

/** A world whose files are on the endpoint's S3 and whose tables are in its Glue. */
function worldAt(endpoint: AwsEndpoint, seed: string): World {
  const clients = clientsOf(endpoint);
  const store = new S3Store({ client: () => clients.s3() });
  const world = worldOver(store, {
    seed,
    spillFolder: join(endpoint.scratch, seed),
    // Engines commit at the time it is, and Iceberg wants them to come after us.
    nowMs: Date.now(),
  });
  return {
    ...world,
    glueCatalog: async (lakeUri) =>
      new GlueCatalog({ clients, store, lakeUri, clock: world.clock, ids: world.ids }),
  };
}

/** Keys come from the environment of the run (vitest.config.ts), as the SDK finds them. */
function clientsOf({ url, region }: AwsEndpoint): AwsClients {
  return createAwsClients({ endpoint: url, region });
}

/** Makes the bucket and the database. */
export async function prepareEndpoint(endpoint: AwsEndpoint): Promise<void> {
  const clients = clientsOf(endpoint);
  const [s3, glue] = [await clients.s3(), await clients.glue()];
  await s3.send(
    new CreateBucketCommand({
      Bucket: bucket,
      CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' },
    }),
  );
  await glue.send(
    new CreateDatabaseCommand({
      DatabaseInput: { Name: database, LocationUri: `s3://${bucket}/databases/${database}` },
    }),
  );
}

/** A story of the simulator, loaded and merged window by window; the last `pending` windows are left for the test. */
export async function storyLake(
  endpoint: AwsEndpoint,
  name: string,
  story: Pick<StoryOptions, 'dataset' | 'items' | 'windows'> & Partial<StoryOptions>,
  layout: Pick<LoadOptions, 'buckets' | 'partition'> = {},
  pending = 0,
): Promise<EngineLake> {
  const lake = new EngineLake(endpoint, name);
  const { table, full, windows } = await simulate({
    store: lake.world.store,
    outUri: lake.exportsUri,
    seed: name,
    view: 'NEW_AND_OLD_IMAGES',
    files: 2,
    ...story,
  });
  lake.past = table;
  await lake.load(full, { key: table.key.map((one) => one.name), ...layout });
  await lake.note(storyStartMs);
  lake.pending = windows.slice(windows.length - pending);
  for (const window of windows.slice(0, windows.length - pending)) {
    const reports = await lake.merge(window.folderUri);
    if (reports[0]?.action !== 'applied') throw new Error(`${name}: ${JSON.stringify(reports)}`);
    await lake.note(window.toMs);
  }
  return lake;
}
