// Runs the command `tidelake` as the benchmark measures it.
// Promises that a report that does not say what it must say is an error, not a figure.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { lastReport, measure } from './measure.mjs';

const main = path.resolve(import.meta.dirname, '..', 'dist', 'pipeline', 'cli', 'main.js');

/** Throws when the project is not built. */
export function checkBuilt() {
  if (!existsSync(main)) throw new Error(`${main} is missing: npm run build`);
}

async function tidelake({ threads, args }) {
  const run = await measure({
    threads,
    args: [main, ...args, '--threads', `${threads}`, '--json'],
  });
  return { ...run, report: lastReport(run.stdout) };
}

/** `tidelake load` of a whole export into a new lake. */
export async function load({ exported, lake, threads, buckets }) {
  const args = ['load', exported.full, '--key', 'clientid,created', '--lake', lake];
  if (buckets !== undefined) args.push('--buckets', `${buckets}`);
  const run = await tidelake({ threads, args });
  const { action, rows, seconds, misfits } = run.report;
  if (action !== 'loaded' || rows !== exported.items || misfits !== 0) {
    throw new Error(`load said ${action}, ${rows} rows, ${misfits} misfits`);
  }
  return { ...run, own: seconds };
}

/** `tidelake merge` of one window. */
export async function merge({ window, lake, threads, more = [] }) {
  const args = ['merge', window.export, '--lake', lake, ...more];
  const run = await tidelake({ threads, args });
  checkMerge(run.report, window);
  return { ...run, own: run.report.seconds };
}

/** Throws when a merge did not do what the window says. */
export function checkMerge({ action, inserted, updated, deleted }, window) {
  const said = [action, inserted, updated, deleted].join(' ');
  const wanted = ['applied', window.inserted, window.updated, window.deleted].join(' ');
  if (said !== wanted) throw new Error(`merge said ${said}, not ${wanted}`);
}

/** `tidelake status` of the one table: how many files of each kind, how many rows. */
export async function status({ lake, threads }) {
  const { report } = await tidelake({ threads, args: ['status', '--lake', lake] });
  return report;
}
