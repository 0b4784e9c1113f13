// A simulated Glue and S3 on this machine for tests, and catalogs over them through the real SDK.
// Promises: no wait takes real time; what others do to a table is done with the SDK, as they do it.
// Source: pipeline/local/simulator-server.ts.
import {
  GetTableCommand,
  type GlueClient,
  type Table,
  type TableInput,
  UpdateTableCommand,
} from '@aws-sdk/client-glue';
import { ConfiguredRetryStrategy } from '@smithy/core/retry';
import { GlueCatalog } from '../../pipeline/aws/glue-catalog.js';
import type { S3Store } from '../../pipeline/aws/s3-store.js';
import { ManualClock } from '../../pipeline/local/clock.js';
import { RandomIds } from '../../pipeline/local/ids.js';
import { SimulatedS3 } from './simulated-s3.js';

export const lakeUri = 's3://lake/some/prefix';

export class SimulatedGlue {
  readonly s3: SimulatedS3;
  readonly glue: GlueClient;
  readonly store: S3Store;

  private constructor(s3: SimulatedS3, glue: GlueClient) {
    this.s3 = s3;
    this.glue = glue;
    this.store = s3.store();
  }

  static async start(): Promise<SimulatedGlue> {
    const s3 = await SimulatedS3.start();
    const glue = await s3.clients.glue();
    glue.config.retryStrategy = async () => new ConfiguredRetryStrategy(3, () => 0);
    return new SimulatedGlue(s3, glue);
  }

  catalog(lake: string = lakeUri): GlueCatalog {
    return new GlueCatalog({
      clients: this.s3.clients,
      store: this.store,
      lakeUri: lake,
      clock: new ManualClock(0),
      ids: new RandomIds(),
      version: '1.2.3',
    });
  }

  async table(database: string, table: string): Promise<Table> {
    const answer = await this.glue.send(
      new GetTableCommand({ DatabaseName: database, Name: table }),
    );
    return answer.Table!;
  }

  /** Changes a table as another program does: everything that is not said stays. */
  async update(
    database: string,
    table: string,
    change: Partial<TableInput>,
    versionId?: string,
  ): Promise<void> {
    const { Name, Description, Owner, StorageDescriptor, PartitionKeys, TableType, Parameters } =
      await this.table(database, table);
    const kept = { Name, Description, Owner, StorageDescriptor, PartitionKeys, TableType };
    await this.glue.send(
      new UpdateTableCommand({
        DatabaseName: database,
        TableInput: { ...kept, Parameters, ...change } as TableInput,
        VersionId: versionId,
      }),
    );
  }

  close(): Promise<void> {
    return this.s3.close();
  }
}
