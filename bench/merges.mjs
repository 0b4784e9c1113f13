// The third part: a merge of 1,000 changed keys, beside DuckDB's bare rewrite of the same buckets.
// Promises a fresh copy of the same lake, at the same place, for every merge; the two take turns.
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bucketCount } from './data.mjs';
import { lastReport, measure, settleDisk } from './measure.mjs';
import { summarize } from './statistics.mjs';
import { markdownTable, range, runsText, seconds, threadsText, times, whole } from './table.mjs';
import { checkMerge, load, merge, status } from './tidelake.mjs';

const rewriteScript = path.join(import.meta.dirname, 'ways', 'duckdb-rewrite.mjs');
const againScript = path.join(import.meta.dirname, 'ways', 'tidelake-again.mjs');
const loadedScript = path.join(import.meta.dirname, 'ways', 'tidelake-loaded.mjs');
const ratioMax = 1.3;

/** @returns {Promise<{text: string, goals: object[]}>} */
export async function compareMerges({ exported, work, repeat, threadCounts, tell }) {
  // An Iceberg table knows its files by absolute paths: a copy is put back where the table was made.
  const lake = path.join(work, 'lake');
  const pristine = path.join(work, 'lake-as-loaded');
  tell(`loading the lake to merge into, ${bucketCount} buckets`);
  const threadsMost = Math.max(...threadCounts);
  await load({ exported, lake, threads: threadsMost, buckets: bucketCount });
  cpSync(lake, pristine, { recursive: true });
  const rows = [];
  const goals = [];
  for (const threads of threadCounts) {
    for (const window of exported.windows) {
      const figures = await compare({
        exported,
        window,
        lake,
        pristine,
        work,
        threads,
        repeat,
        tell,
      });
      rows.push(...rowsOf({ window, threads, ...figures }));
      // The start of a process is left out for both, and so is the loading of their code. What is left of a start in the first
      // merge is code that runs for the first time, which native code does not know.
      const touched = window.buckets.length;
      for (const [which, way] of [
        ['the first of a process', figures.loaded],
        ['a later one', figures.again],
      ]) {
        const ratio = way.own / figures.bare.own;
        goals.push({
          goal: `merge against DuckDB's bare rewrite, ${touched} of ${bucketCount} buckets, ${threadsText(threads)}, ${which}`,
          wanted: `at most ${times(ratioMax)}`,
          measured: times(ratio),
          isReached: ratio <= ratioMax,
        });
      }
    }
  }
  const head = [
    'way',
    'buckets',
    'threads',
    's',
    'range',
    'with start s',
    'CPU s',
    'peak MiB',
    'of DuckDB',
  ];
  const notes = `${whole(exported.items)} rows in ${bucketCount} buckets. ${runsText(repeat)}. "s" leaves the start of the process out; DuckDB's leaves out reading the window as well.`;
  return { text: `${markdownTable(head, rows)}\n\n${notes}`, goals };
}

/** One window: merges and rewrites in turn. */
async function compare({ exported, window, lake, pristine, work, threads, repeat, tell }) {
  const putBack = () => {
    rmSync(lake, { recursive: true, force: true });
    cpSync(pristine, lake, { recursive: true });
    settleDisk();
  };
  const ours = [];
  const loaded = [];
  const again = [];
  const anew = [];
  const bare = [];
  let how = '';
  for (let round = 1; round <= repeat; round++) {
    tell(`round ${round} of ${repeat}: merge, ${window.name}, ${threadsText(threads)}`);
    putBack();
    ours.push(await merge({ window, lake, threads }));
    if (round === 1) how = await howMerged({ exported, window, lake, threads });
    putBack();
    loaded.push(await mergeBy(loadedScript, { window, lake, work, threads }));
    putBack();
    const first = exported.windows.find((one) => one !== window).export;
    again.push(await mergeBy(againScript, { window, lake, pristine, work, threads, first }));
    putBack();
    anew.push(await merge({ window, lake, threads, more: ['--rewrite'] }));
    settleDisk();
    bare.push(await rewrite({ window, pristine, work, threads }));
  }
  return {
    ours: summarize(ours),
    loaded: summarize(loaded),
    again: summarize(again),
    anew: summarize(anew),
    bare: summarize(bare),
    how,
  };
}

/** Whether the merge left delete files or rewrote; and that the table has the rows it must have. */
async function howMerged({ exported, window, lake, threads }) {
  const { rows, deleteFiles } = await status({ lake, threads });
  const wanted = exported.items + window.inserted - window.deleted;
  if (rows !== wanted) throw new Error(`the lake has ${rows} rows after the merge, not ${wanted}`);
  return deleteFiles > 0 ? `${deleteFiles} delete file(s)` : 'rewritten';
}

/** The merge by a script of its own, which says what it took without what went before it. */
async function mergeBy(script, { window, work, ...options }) {
  const { threads } = options;
  const optionsFile = path.join(work, 'merge-options.json');
  writeFileSync(optionsFile, JSON.stringify({ ...options, second: window.export }));
  const run = await measure({ threads, args: [script, optionsFile] });
  const report = lastReport(run.stdout);
  checkMerge(report, window);
  return { ...run, own: report.seconds, cpu: report.cpu };
}

async function rewrite({ window, pristine, work, threads }) {
  const out = path.join(work, 'rewritten');
  const optionsFile = path.join(work, 'rewrite.json');
  mkdirSync(out);
  try {
    const { changesFile, buckets } = window;
    const options = { tableFolder: pristine, changesFile, buckets, bucketCount, threads, out };
    writeFileSync(optionsFile, JSON.stringify(options));
    const run = await measure({ threads, args: [rewriteScript, optionsFile] });
    const report = lastReport(run.stdout);
    const gained = window.inserted - window.deleted;
    if (report.rowsAfter - report.rowsBefore !== gained) {
      throw new Error(`the rewrite made ${report.rowsAfter} rows of ${report.rowsBefore}`);
    }
    return { ...run, own: report.seconds };
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function rowsOf({ window, threads, ours, loaded, again, anew, bare, how }) {
  const row = (name, figures, wall = seconds(figures.wall)) => [
    name,
    `${window.buckets.length}`,
    `${threads}`,
    seconds(figures.own),
    range(figures.ownMin, figures.ownMax),
    wall,
    seconds(figures.cpu),
    whole(figures.peak),
    times(figures.own / bare.own),
  ];
  return [
    row(`tidelake merge (${how})`, ours),
    row('the same in a process whose code is loaded', loaded, ''),
    row('the same in a process that has merged before', again, ''),
    row('tidelake merge --rewrite', anew),
    row('DuckDB bare anti-join rewrite', bare),
  ];
}
