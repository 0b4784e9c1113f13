// What all suites of one run share: the endpoint with S3 and Glue, and the tables that are only read.
// Promises: made when first asked for, once; gone with the process.

import { type RunningEndpoint, startSimulatedAws } from './endpoint.js';
import { type EngineLake, prepareEndpoint } from './lakes.js';
import { readLakes } from './read-lakes.js';

let endpoint: Promise<RunningEndpoint> | undefined;
const lakes = new Map<string, Promise<EngineLake>>();

export function sharedEndpoint(): Promise<RunningEndpoint> {
  endpoint ??= startSimulatedAws().then(async (running) => {
    await prepareEndpoint(running);
    return running;
  });
  return endpoint;
}

/** One of the tables of read-lakes.ts. */
export async function sharedLake(name: string): Promise<EngineLake> {
  const running = await sharedEndpoint();
  const recipe = readLakes.find((one) => one.name === name)!;
  const made = lakes.get(name) ?? recipe.make(running, name);
  lakes.set(name, made);
  return made;
}
