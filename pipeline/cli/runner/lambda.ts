// The handler of the Lambda function: what the image begins with.
// Promises: nothing but this file knows that it runs in Lambda's process; heavy parts are loaded when an invocation needs them.
// Source: AWS Lambda Developer Guide, "Define Lambda function handler in Node.js".

import { availableParallelism } from 'node:os';
import { SystemClock } from '../../local/clock.js';
import { errorFacts } from '../error-text.js';
import type { Invocation } from './job-log.js';
import { type JobResult, type JobWorld, runJob } from './run-job.js';

const world: JobWorld = {
  env: process.env,
  clock: new SystemClock(),
  processors: availableParallelism(),
  write: (text) => process.stdout.write(text),
  loadApi: () => import('../../index.js'),
  createWorld: async (options) => (await import('../create-world.js')).createWorld(options),
  openTableExports: async (options) =>
    (await import('../open-table-exports.js')).openTableExports(options),
};

/** One round for every table. The event has nothing in it that matters: the tick alone does. */
export function handler(_event: unknown, invocation: Invocation): Promise<JobResult> {
  return runJob(invocation, world);
}

if (process.env.AWS_LAMBDA_RUNTIME_API !== undefined) {
  // Lambda's own report of such an error prints its message, which could hold content of items.
  const end = (thrown: unknown): void => {
    process.stdout.write(`${JSON.stringify({ level: 'CRITICAL', ...errorFacts(thrown) })}\n`);
    process.exit(1);
  };
  process.prependListener('uncaughtException', end);
  process.prependListener('unhandledRejection', end);
}
