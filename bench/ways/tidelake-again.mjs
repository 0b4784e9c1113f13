// A merge in a process that has merged before, as `merge` of a folder of windows and a job over many tables do: the code is
// warm, and all that is left is the work.
// Promises the public API and nothing else; the first merge, of another window, is undone before the second, which is measured.
// Use: node tidelake-again.mjs OPTIONS.json, with {lake, pristine, first, second, threads}
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { mergeExports } from '../../dist/pipeline/index.js';
import { createLocalWorld } from '../../dist/pipeline/local/world.js';
import { NullReporter } from '../../dist/pipeline/reporting/null-reporter.js';

const { lake, pristine, first, second, threads } = JSON.parse(
  readFileSync(process.argv[2], 'utf8'),
);

await mergeOnce(first);
rmSync(lake, { recursive: true });
cpSync(pristine, lake, { recursive: true });
const cpuBefore = process.cpuUsage();
const report = await mergeOnce(second);
const { user, system } = process.cpuUsage(cpuBefore);
console.log(JSON.stringify({ ...report, cpu: (user + system) / 1e6 }));

/** A world of its own for each, as each run of a job has: threads are started anew. */
async function mergeOnce(exported) {
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
