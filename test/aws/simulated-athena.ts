// A simulated Athena over HTTP for tests: the real SDK's client on one side, lake tables read by DuckDB on the other.
// Promises: state in a folder of its own, gone at the end.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AthenaClient, CreateWorkGroupCommand } from '@aws-sdk/client-athena';
import { ConfiguredRetryStrategy } from '@smithy/core/retry';
import { AthenaEngine, type AthenaEngineOptions } from '../../pipeline/aws/athena-engine.js';
import { AthenaShelf } from '../../pipeline/aws/athena-shelf.js';
import { ManualClock } from '../../pipeline/local/clock.js';
import { SeededIds } from '../../pipeline/local/ids.js';
import { type Simulator, startSimulator } from '../../pipeline/local/simulator-server.js';
import type { RunSql } from '../../pipeline/simulator/aws/athena-executions.js';

export class SimulatedAthena {
  readonly folder: string;
  readonly simulator: Simulator;
  readonly client: AthenaClient;
  readonly workgroup = 'analysts';
  readonly #ids = new SeededIds('tokens');

  private constructor(folder: string, simulator: Simulator) {
    this.folder = folder;
    this.simulator = simulator;
    this.client = new AthenaClient({
      endpoint: simulator.url,
      region: 'eu-west-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      // Retries do not wait, so that no test waits for real time.
      retryStrategy: new ConfiguredRetryStrategy(3, () => 0),
    });
  }

  static async start(runSql: RunSql): Promise<SimulatedAthena> {
    const folder = mkdtempSync(path.join(tmpdir(), 'tidelake-athena-'));
    const clock = new ManualClock(Date.UTC(2026, 10, 20, 12));
    const simulator = await startSimulator({ dir: folder, port: 0, clock, runSql });
    const athena = new SimulatedAthena(folder, simulator);
    await athena.client.send(
      new CreateWorkGroupCommand({
        Name: athena.workgroup,
        Configuration: { ResultConfiguration: { OutputLocation: 's3://results/athena/' } },
      }),
    );
    return athena;
  }

  engine(more: Partial<AthenaEngineOptions> = {}): AthenaEngine {
    return new AthenaEngine({
      client: this.client,
      workgroup: this.workgroup,
      token: () => this.#ids.uuid(),
      sleep: () => new Promise((resolve) => setImmediate(resolve)),
      random: () => 0.5,
      ...more,
    });
  }

  shelf(): AthenaShelf {
    return new AthenaShelf(this.client, this.workgroup);
  }

  async close(): Promise<void> {
    this.client.destroy();
    await this.simulator.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
