// `tidelake simulator serve`: AWS's endpoints on this machine, until it is interrupted.
// Promises that the endpoint and what to set for it are printed once it answers, and that faults only come from the plan given.
// Spec: DESIGN "The command"; pipeline/local/simulator-server.ts.

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { jsonLine } from '../../reporting/json-lines.js';
import { type FaultPlan, parseFaultPlan } from '../../simulator/aws/fault-plan.js';
import { checkInput, wholeNumber } from '../check-input.js';
import type { CliContext } from '../context.js';
import { errorFacts, errorText, usageError } from '../error-text.js';

export interface SimulatorServeFlags {
  readonly dir: string;
  readonly port: number;
  readonly host: string;
  readonly faults?: string | undefined;
  readonly athenaTrino?: string | undefined;
  readonly json?: boolean | undefined;
}

const command = 'simulator serve';
const flagsSchema = z.object({
  dir: z.string().min(1, 'a folder was expected, but the argument is empty'),
  port: wholeNumber(0, 65_535),
});

export async function simulatorServe(this: CliContext, flags: SimulatorServeFlags): Promise<void> {
  checkInput(flagsSchema, flags, command);
  const dir = resolve(this.folder, flags.dir);
  const faults = flags.faults === undefined ? { rules: [] } : await readPlan(this, flags.faults);
  const simulator = await this.startSimulator({
    dir,
    port: flags.port,
    host: flags.host,
    faults,
    ...(flags.athenaTrino === undefined ? {} : { athenaTrino: flags.athenaTrino }),
    onError: (error, { service, operation }) => {
      this.err.write(`${service} ${operation} was answered with an internal error\n`);
      this.err.write(errorText(errorFacts(error)));
    },
  });
  const environment = environmentFor(simulator.url);
  const lines = [
    `AWS is simulated at ${simulator.url}, on ${dir}`,
    '',
    ...Object.entries(environment).map(([name, value]) => `export ${name}=${value}`),
  ];
  const report = { url: simulator.url, dir, environment };
  this.out.write(flags.json === true ? `${jsonLine(report)}\n` : `${lines.join('\n')}\n`);
  await new Promise<void>((stop) => {
    this.onInterrupt(async () => {
      await simulator.close();
      stop();
    });
  });
}

/** What AWS's own tools and SDKs are to be given. */
export function environmentFor(url: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: 'eu-west-1',
    // The name that AWS's Python tools read: version 1 of its command line, boto3.
    AWS_DEFAULT_REGION: 'eu-west-1',
  };
}

/** A plan given as JSON or as the name of a file of it. Throws USAGE. */
async function readPlan(context: CliContext, given: string): Promise<FaultPlan> {
  const isJson = /^\s*[[{]/.test(given);
  let input: unknown;
  try {
    const text = isJson ? given : await readFile(resolve(context.folder, given), 'utf8');
    input = JSON.parse(text);
  } catch (error) {
    const why = error instanceof SyntaxError ? 'is not JSON' : 'cannot be read';
    throw usageError(`--faults: ${isJson ? 'the plan' : given} ${why}`, command);
  }
  const plan = parseFaultPlan(input);
  if (typeof plan === 'string') throw usageError(`--faults: ${plan}`, command);
  return plan;
}
