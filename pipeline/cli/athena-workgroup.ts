// One Athena workgroup, as commands use it: its SQL and its saved queries, over one client.
// Promises: nothing of AWS is loaded before a command asks for it. Spec: pipeline/cli/context.ts.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { AthenaEngine } from '../aws/athena-engine.js';
import { AthenaShelf } from '../aws/athena-shelf.js';
import { createAwsClients } from '../aws/clients.js';
import type { AthenaOptions, AthenaWorkgroup } from './context.js';

/** Opens a workgroup, in the account and Region that the options or the environment name. */
export async function openAthenaWorkgroup(options: AthenaOptions): Promise<AthenaWorkgroup> {
  const { workgroup, output, aws } = options;
  const client = await createAwsClients(aws).athena();
  const sql = new AthenaEngine({
    client,
    workgroup,
    ...(output === undefined ? {} : { output }),
    token: randomUUID,
    sleep: (ms) => sleep(ms),
    random: Math.random,
  });
  return { sql, shelf: new AthenaShelf(client, workgroup) };
}
