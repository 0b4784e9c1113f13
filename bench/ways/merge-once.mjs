// One merge of one window through the public API, in a world of its own, as each run of a job has: threads are started anew.
import { pathToFileURL } from 'node:url';
import { mergeExports } from '../../dist/pipeline/index.js';
import { createLocalWorld } from '../../dist/pipeline/local/world.js';
import { NullReporter } from '../../dist/pipeline/reporting/null-reporter.js';

/** @returns the merge's report */
export async function mergeOnce({ lake, exported, threads }) {
  const world = await createLocalWorld({ threads, reporter: new NullReporter() });
  try {
    const options = {
      lake: pathToFileURL(lake).href,
      database: 'lake',
      exportUris: [pathToFileURL(exported).href],
      acceptGap: false,
      acceptSeam: false,
    };
    const reports = [];
    for await (const one of mergeExports(world, options)) reports.push(one);
    return reports[0];
  } finally {
    await world.units.close();
    await world.scratch.close();
  }
}
