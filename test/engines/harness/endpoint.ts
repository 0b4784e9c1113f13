// Where the engines of a run find S3 and Glue: Tidelake's simulator, and moto's server for a second opinion.
// Source: https://docs.getmoto.org/en/latest/docs/server_mode.html

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSimulator } from '../../../pipeline/local/simulator-server.js';
import { Child, freePort } from './child.js';
import { enginePlace } from './engines.js';

/** S3 and Glue under one URL. */
export interface AwsEndpoint {
  readonly url: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** A folder of this machine for files of the run. */
  readonly scratch: string;
}

export interface RunningEndpoint extends AwsEndpoint {
  close(): Promise<void>;
}

const credentials = { region: 'eu-west-1', accessKeyId: 'test', secretAccessKey: 'test' } as const;

/** Starts the simulator, in this process, with its state in a temporary folder. */
export async function startSimulatedAws(): Promise<RunningEndpoint> {
  const scratch = mkdtempSync(join(tmpdir(), 'tidelake-engines-'));
  const simulator = await startSimulator({ dir: join(scratch, 'simulator'), port: 0 });
  return {
    ...credentials,
    url: simulator.url,
    scratch,
    close: async () => {
      await simulator.close();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

/** Starts moto's server. */
export async function startMoto(): Promise<RunningEndpoint> {
  const port = await freePort();
  const child = await Child.start({
    name: 'moto',
    program: enginePlace('moto').python!,
    args: [join(import.meta.dirname, '..', 'python', 'moto_server.py'), String(port)],
    isReady: async () => {
      try {
        return (await fetch(`http://127.0.0.1:${port}/moto-api/data.json`)).ok;
      } catch {
        return false;
      }
    },
  });
  const scratch = mkdtempSync(join(tmpdir(), 'tidelake-moto-'));
  return {
    ...credentials,
    url: `http://127.0.0.1:${port}`,
    scratch,
    close: async () => {
      await child.stop();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}
