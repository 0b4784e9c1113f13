// The services of the simulator, in one place: adding one is a line.
// Promises: each finds its state again in the folder.
// Source: simulator/aws/service.ts.
import path from 'node:path';
import type { Clock, Ids } from '../ports.js';
import { pricesOf } from '../schedule/list-prices.js';
import { createAthenaService } from '../simulator/aws/athena.js';
import type { RunSql } from '../simulator/aws/athena-executions.js';
import { BillCounter } from '../simulator/aws/bill.js';
import { createDynamoDbService, type DynamoDbControl } from '../simulator/aws/dynamodb.js';
import { simulatedRegion } from '../simulator/aws/dynamodb-state.js';
import { createGlueService } from '../simulator/aws/glue.js';
import { createS3Service } from '../simulator/aws/s3-service.js';
import type { SimRequest, SimService } from '../simulator/aws/service.js';
import { VirtualClock } from '../simulator/aws/virtual-clock.js';
import { DiskBodies } from './disk-bodies.js';
import { openDiskDocuments } from './disk-documents.js';

export interface SimulatorServicesOptions {
  /** Folder of the simulator's state. */
  readonly dir: string;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Runs the SQL that Athena is asked; without it, every query fails. */
  readonly runSql?: RunSql;
}

export interface SimulatorServices {
  readonly services: readonly SimService[];
  /** The time of all services. */
  readonly clock: VirtualClock;
  readonly dynamodb: DynamoDbControl;
  /** What AWS would charge. */
  readonly bill: BillCounter;
}

/** All services, on the state below a folder. */
export async function openSimulatorServices(
  options: SimulatorServicesOptions,
): Promise<SimulatorServices> {
  const { dir, ids } = options;
  const documents = await openDiskDocuments(path.join(dir, 'documents'));
  const bodies = new DiskBodies(path.join(dir, 'bodies'));
  const clock = await VirtualClock.open(options.clock, documents);
  const runSql = options.runSql ?? noSql;
  const s3 = await createS3Service({ documents, bodies, clock, ids });
  const dynamodb = await createDynamoDbService({ documents, s3, clock, ids });
  const services = [
    // Who looks into a bucket sees the exports that have ended by then.
    {
      ...s3,
      handle: async (request: SimRequest) => {
        await dynamodb.control.settle();
        return s3.handle(request);
      },
    },
    createGlueService({ documents, clock, ids }),
    createAthenaService({ documents, clock, ids, runSql }),
    dynamodb,
  ];
  const bill = new BillCounter(
    clock,
    (sinceMs) => dynamodb.control.billedExports(sinceMs),
    s3.meter,
    pricesOf(simulatedRegion),
  );
  return { services, clock, dynamodb: dynamodb.control, bill };
}

async function noSql(): Promise<never> {
  throw new Error('NOT_SUPPORTED: this simulator was started without an engine for SQL');
}
