// The first part: the same export, by every way there is, with one thread and with two.
// Promises that ways take turns, so that a slow minute of the machine hits all of them.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { lastReport, measure, measureTogether, settleDisk } from './measure.mjs';
import { summarize } from './statistics.mjs';
import { markdownTable, range, runsText, seconds, threadsText, times, whole } from './table.mjs';
import { load } from './tidelake.mjs';

const ways = path.join(import.meta.dirname, 'ways');
/** Items the parquetjs-lite way is run on; its time grows with the items, so the rest is arithmetic. */
const sliceItems = 125_000;

/**
 * @returns {Promise<{text: string, goals: object[], loads: Map<number, object>}>} the table, the goals with what was
 *   reached, and the figures of `load` by number of threads
 */
export async function compareConversions({ exported, work, repeat, threadCounts, tell }) {
  const slice = sliceOf(exported.files);
  const runs = new Map();
  let bytes = 0;
  for (let round = 1; round <= repeat; round++) {
    for (const threads of threadCounts) {
      for (const [name, run] of waysOf({ exported, slice, work, threads })) {
        tell(`round ${round} of ${repeat}: ${name}, ${threadsText(threads)}`);
        settleDisk();
        const figures = await run();
        if (figures.bytes !== undefined) bytes = figures.bytes;
        const key = `${name}/${threads}`;
        runs.set(key, [...(runs.get(key) ?? []), figures]);
      }
    }
  }
  const figures = new Map([...runs].map(([key, all]) => [key, summarize(all)]));
  return {
    text: describe({ figures, exported, slice, bytes, threadCounts, repeat }),
    goals: threadCounts.flatMap((threads) => goalsOf(figures, threads)),
    loads: new Map(
      threadCounts.map((threads) => [threads, figures.get(`${names.load}/${threads}`)]),
    ),
  };
}

const names = {
  gunzip: 'gunzip alone (the floor)',
  load: 'tidelake load',
  duckdb: 'DuckDB read_json to Parquet',
  parquetjs: 'readline + unmarshall + parquetjs-lite',
};

/** The ways with a name each, every one a function that runs it once. */
function waysOf({ exported, slice, work, threads }) {
  const list = writeList(work, 'all', exported.files);
  return [
    [
      names.gunzip,
      async () => {
        const run = await measure({ threads, args: [script('gunzip'), list, `${threads}`] });
        const report = checked(run.stdout, exported.items);
        return { ...run, own: report.seconds, bytes: report.bytes };
      },
    ],
    [names.load, () => inFolder(work, (folder) => load({ exported, lake: folder, threads }))],
    [
      names.duckdb,
      () =>
        inFolder(work, async (folder) => {
          const out = path.join(folder, 'out.parquet');
          const args = [script('duckdb-convert'), list, `${threads}`, out];
          const run = await measure({ threads, args });
          return { ...run, own: checked(run.stdout, exported.items).seconds };
        }),
    ],
    [names.parquetjs, () => parquetjs({ exported, slice, work, threads })],
  ];
}

/** Scales what a slice took to the whole: the work by the items, the start of the process not at all. */
function parquetjs({ exported, slice, work, threads }) {
  return inFolder(work, async (folder) => {
    const shares = split(slice.files, threads);
    const all = shares.map((files, i) => ({
      threads,
      args: [
        script('parquetjs'),
        writeList(work, `share-${i}`, files),
        path.join(folder, `out-${i}.parquet`),
      ],
    }));
    const run = await measureTogether(all);
    const reports = run.stdouts.map((stdout, i) => checked(stdout, itemsOf(shares[i])));
    const own = Math.max(...reports.map((report) => report.seconds));
    const factor = exported.items / slice.items;
    const start = run.wall - own;
    return {
      wall: start + own * factor,
      cpu: run.cpu * factor,
      peak: run.peak,
      own: own * factor,
    };
  });
}

function describe({ figures, exported, slice, bytes, threadCounts, repeat }) {
  const rows = threadCounts.flatMap((threads) => {
    const base = figures.get(`${names.load}/${threads}`).wall;
    return Object.values(names).map((name) => {
      const { wall, wallMin, wallMax, cpu, peak } = figures.get(`${name}/${threads}`);
      return [
        name + (name === names.parquetjs && slice.items < exported.items ? ' (scaled)' : ''),
        `${threads}`,
        seconds(wall),
        range(wallMin, wallMax),
        seconds(cpu),
        whole(exported.items / wall),
        whole(bytes / 1e6 / wall),
        whole(peak),
        times(wall / base),
      ];
    });
  });
  const head = ['way', 'threads', 's', 'range', 'CPU s', 'items/s', 'MB/s', 'peak MiB', 'of load'];
  const notes = [
    `${whole(exported.items)} items, ${whole(bytes / 1e6)} MB of DynamoDB JSON in ${exported.files.length} gzip files.`,
    `${runsText(repeat)}, start of the process included.`,
  ];
  if (slice.items < exported.items) {
    notes.push(
      `The parquetjs-lite way was run on ${whole(slice.items)} of the items and scaled to all of them (its peak is that of the slice); with two threads it is two processes with half the files each.`,
    );
  }
  return `${markdownTable(head, rows)}\n\n${notes.join(' ')}`;
}

/** "At least as fast as DuckDB", "5 and 8 times as fast as parquetjs-lite". */
function goalsOf(figures, threads) {
  const wall = (name) => figures.get(`${name}/${threads}`).wall;
  const againstDuckdb = wall(names.duckdb) / wall(names.load);
  const againstParquetjs = wall(names.parquetjs) / wall(names.load);
  const wanted = threads === 1 ? 5 : 8;
  return [
    {
      goal: `load as fast as DuckDB's bare conversion, ${threadsText(threads)}`,
      wanted: `at least ${times(1)}`,
      measured: times(againstDuckdb),
      isReached: againstDuckdb >= 1,
    },
    {
      goal: `load faster than the parquetjs-lite way, ${threadsText(threads)}`,
      wanted: `at least ${times(wanted)}`,
      measured: times(againstParquetjs),
      isReached: againstParquetjs >= wanted,
    },
  ];
}

function script(name) {
  return path.join(ways, `${name}.mjs`);
}

function checked(stdout, items) {
  const report = lastReport(stdout);
  if (report.items !== items) throw new Error(`${report.items} items were read, not ${items}`);
  return report;
}

function itemsOf(files) {
  return files.reduce((sum, { itemCount }) => sum + itemCount, 0);
}

/** As many whole data files as make up the slice. */
function sliceOf(files) {
  const chosen = [];
  for (const file of files) {
    if (itemsOf(chosen) >= sliceItems) break;
    chosen.push(file);
  }
  return { files: chosen, items: itemsOf(chosen) };
}

/** Shares of about the same number of items: the largest file first, always to the one that has least. */
function split(files, count) {
  const shares = Array.from({ length: count }, () => []);
  for (const file of [...files].sort((a, b) => b.itemCount - a.itemCount)) {
    shares.sort((a, b) => itemsOf(a) - itemsOf(b))[0].push(file);
  }
  return shares;
}

function writeList(work, name, files) {
  const list = path.join(work, `${name}.json`);
  writeFileSync(list, JSON.stringify(files));
  return list;
}

async function inFolder(work, run) {
  const folder = path.join(work, 'output');
  mkdirSync(folder);
  try {
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
