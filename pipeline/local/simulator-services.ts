// The services of the simulator, in one place: adding one is a line.
// Promises: each finds its state again in the folder.
// Source: simulator/aws/service.ts.
import path from 'node:path';
import type { Clock, Ids } from '../ports.js';
import { createAthenaService } from '../simulator/aws/athena.js';
import type { RunSql } from '../simulator/aws/athena-executions.js';
import { createGlueService } from '../simulator/aws/glue.js';
import { createS3Service } from '../simulator/aws/s3-service.js';
import type { SimService } from '../simulator/aws/service.js';
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

/** All services, on the state below a folder. */
export async function openSimulatorServices(
  options: SimulatorServicesOptions,
): Promise<readonly SimService[]> {
  const { dir, clock, ids } = options;
  const documents = await openDiskDocuments(path.join(dir, 'documents'));
  const bodies = new DiskBodies(path.join(dir, 'bodies'));
  const runSql = options.runSql ?? noSql;
  return [
    await createS3Service({ documents, bodies, clock, ids }),
    createGlueService({ documents, clock, ids }),
    createAthenaService({ documents, clock, ids, runSql }),
  ];
}

async function noSql(): Promise<never> {
  throw new Error('NOT_SUPPORTED: this simulator was started without an engine for SQL');
}
