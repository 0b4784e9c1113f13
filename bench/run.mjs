// `npm run bench`: every comparison side by side in one run, printed and written to bench/results.md.
// Promises that no figure is kept from an earlier run, and an exit code of 1 when a part could not be measured.
// Spec: bench/README.md says what is measured and how.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, loadavg, release, tmpdir, totalmem, type } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { compareConversions } from './conversion.mjs';
import { exportsOf } from './data.mjs';
import { measuredBy, processorCount } from './measure.mjs';
import { compareMemory } from './memory.mjs';
import { compareMerges } from './merges.mjs';
import { markdownTable, whole } from './table.mjs';
import { checkBuilt } from './tidelake.mjs';

const usage = `npm run bench -- [options]
  --items N          items of the export                               (1,000,000)
  --big N            items of the large export, for the memory part    (5,000,000)
  --quick            without the large export, every run once
  --repeat N         runs of every conversion                          (3)
  --merge-repeat N   runs of every merge                               (5)
  --parts A,B        of conversion, memory, merge                      (all)
  --data DIR         where exports are kept between runs               (<tmp>/tidelake-bench)
  --out FILE         where the results are written                     (bench/results.md)`;

const partNames = ['conversion', 'memory', 'merge'];
/** Load average from which on the figures are said to be disturbed; making the exports itself leaves some. */
const idleLoadMax = 1.5;
const root = path.resolve(import.meta.dirname, '..');
const tell = (text) => process.stderr.write(`bench: ${text}\n`);

let options;
try {
  options = readOptions();
} catch (error) {
  console.error(`${error.message}\n${usage}`);
  process.exit(2);
}
if (options.help) console.log(usage);
else await bench(options);

function readOptions() {
  const { values } = parseArgs({
    options: {
      items: { type: 'string', default: '1000000' },
      big: { type: 'string', default: '5000000' },
      quick: { type: 'boolean', default: false },
      repeat: { type: 'string' },
      'merge-repeat': { type: 'string' },
      parts: { type: 'string', default: partNames.join(',') },
      data: { type: 'string', default: path.join(tmpdir(), 'tidelake-bench') },
      out: { type: 'string', default: path.join(import.meta.dirname, 'results.md') },
      help: { type: 'boolean', default: false },
    },
  });
  const parts = values.parts.split(',');
  const unknown = parts.find((part) => !partNames.includes(part));
  if (unknown !== undefined) throw new Error(`there is no part ${unknown}`);
  return {
    items: wholeNumber('items', values.items),
    big: values.quick ? null : wholeNumber('big', values.big),
    repeat: wholeNumber('repeat', values.repeat ?? (values.quick ? '1' : '3')),
    mergeRepeat: wholeNumber('merge-repeat', values['merge-repeat'] ?? (values.quick ? '1' : '5')),
    parts,
    cache: path.resolve(values.data),
    out: path.resolve(values.out),
    help: values.help,
  };
}

function wholeNumber(name, text) {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`--${name} takes a whole number above 0`);
  return Number(text);
}

async function bench({ items, big, repeat, mergeRepeat, parts, cache, out }) {
  checkBuilt();
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(path.join(cache, 'work-'));
  process.once('exit', () => rmSync(work, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

  const began = new Date();
  const threadCounts = processorCount > 1 ? [1, 2] : [1];
  if (processorCount === 1) tell('one processor only: nothing is measured with two threads');
  const exported = await exportsOf({ cache, items, withWindows: true, tell });
  const bigExport =
    big !== null && parts.includes('memory') ? await exportsOf({ cache, items: big, tell }) : null;
  warmUp(exported);
  const loadBefore = loadavg()[0];
  if (loadBefore > idleLoadMax)
    tell(`this machine is busy, load ${loadBefore.toFixed(1)}: expect noise`);

  const common = { exported, work, threadCounts, tell };
  let loads = new Map();
  const sections = [
    [
      'conversion',
      'From an export to Parquet',
      async () => {
        const result = await compareConversions({ ...common, repeat });
        loads = result.loads;
        return result;
      },
    ],
    [
      'memory',
      'Memory of load',
      () => compareMemory({ ...common, small: exported, big: bigExport, loads }),
    ],
    [
      'merge',
      'A merge of 1,000 changed keys',
      () => compareMerges({ ...common, repeat: mergeRepeat }),
    ],
  ];
  const texts = [];
  const goals = [];
  for (const [name, title, run] of sections) {
    if (!parts.includes(name)) continue;
    const section = await attempt(name, run);
    goals.push(...section.goals);
    texts.push(`## ${title}\n\n${section.text}`);
    console.log(`\n${title}\n\n${section.text}\n`);
  }
  const goalTable = describeGoals(goals);
  console.log(goalTable);
  writeFileSync(out, resultsText({ began, loadBefore, texts, goalTable }));
  tell(`written to ${out}`);
}

/** A part that cannot be measured says so in its place, and the other parts are measured all the same. */
async function attempt(name, run) {
  try {
    return await run();
  } catch (error) {
    process.exitCode = 1;
    tell(`${name} could not be measured: ${error.stack}`);
    const goal = {
      goal: `${name}: could not be measured`,
      wanted: '',
      measured: '',
      isReached: false,
    };
    return { text: `Could not be measured: ${error.message.split('\n')[0]}`, goals: [goal] };
  }
}

/** Reads the export once, so that the first way does not pay for the disk. */
function warmUp(exported) {
  for (const file of exported.files) readFileSync(file.path);
}

function describeGoals(goals) {
  const rows = goals.map(({ goal, wanted, measured, isReached }) => [
    goal,
    wanted,
    measured,
    isReached ? 'yes' : 'NO',
  ]);
  return markdownTable(['goal', 'wanted', 'measured', 'reached'], rows);
}

function resultsText({ began, loadBefore, texts, goalTable }) {
  const options = process.argv.slice(2).join(' ');
  const command = `npm run bench${options === '' ? '' : ` -- ${options}`}`;
  return `# Benchmark results

Written by \`${command}\` on ${began.toISOString().slice(0, 10)}; do not edit. What is measured, and how: [README.md](README.md).

${describeMachine(loadBefore)}

${texts.join('\n\n')}

## Goals

${goalTable}
`;
}

function describeMachine(loadBefore) {
  const require = createRequire(import.meta.url);
  const version = (name) => {
    const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
    return (
      lock.packages[`node_modules/${name}`]?.version ?? require(`${name}/package.json`).version
    );
  };
  const git = spawnSync('git', ['describe', '--always', '--dirty'], {
    cwd: root,
    encoding: 'utf8',
  });
  const busy =
    loadBefore > idleLoadMax
      ? ` The machine was busy with other things (load ${loadBefore.toFixed(1)} before the first run): compare CPU times rather than times.`
      : '';
  const commit = git.status === 0 ? `, commit ${git.stdout.trim()}` : '';
  return `${cpus()[0]?.model ?? 'unknown processor'}, ${processorCount} processors, ${whole(totalmem() / 2 ** 30)} GiB; ${type()} ${release()}; Node ${process.versions.node}, DuckDB ${version('@duckdb/node-api')}, parquetjs-lite ${version('parquetjs-lite')}${commit}. ${measuredBy}.${busy}`;
}
