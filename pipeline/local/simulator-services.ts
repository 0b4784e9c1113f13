// The services of the simulator, in one place: adding one is a line.
// Promises: each finds its state again in the folder.
// Source: simulator/aws/service.ts.
import path from 'node:path';
import type { Clock, Ids } from '../ports.js';
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
}

/** All services, on the state below a folder. */
export async function openSimulatorServices(
  options: SimulatorServicesOptions,
): Promise<readonly SimService[]> {
  const { dir, clock, ids } = options;
  const documents = await openDiskDocuments(path.join(dir, 'documents'));
  const bodies = new DiskBodies(path.join(dir, 'bodies'));
  return [
    await createS3Service({ documents, bodies, clock, ids }),
    createGlueService({ documents, clock, ids }),
  ];
}
