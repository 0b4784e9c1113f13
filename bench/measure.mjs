// Runs one way as a process of its own and measures it from outside: wall time, CPU time, peak memory.
// Promises the same treatment for every way: same processors, same clock, process start included.
// Source: GNU time(1), taskset(1); getrusage(2) where GNU time is missing.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const here = import.meta.dirname;
const stderrKept = 4000;

/** Whether /usr/bin/time is GNU's: only that one tells the peak memory in a form we know. */
const hasGnuTime =
  spawnSync('/usr/bin/time', ['-f', 'peak %M', 'true'], { encoding: 'utf8' }).stderr?.startsWith(
    'peak ',
  ) ?? false;
const hasTaskset = spawnSync('taskset', ['--version']).status === 0;

/** What stood behind the figures, for the results. */
export const measuredBy = [
  hasGnuTime ? 'CPU and peak memory by GNU time' : 'CPU and peak memory by getrusage at exit',
  hasTaskset ? 'processors pinned with taskset' : 'processors NOT pinned: no taskset here',
].join(', ');

/** Numbers of the processors this process may use; a container's first one need not be 0. */
function allowedProcessors() {
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)[1];
    return list.split(',').flatMap((range) => {
      const [first, last = first] = range.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
  } catch {
    return [0, 1];
  }
}
const processors = allowedProcessors();

/** How many processors there are to measure with. */
export const processorCount = processors.length;

/**
 * Runs `node ...args` on as many processors as `threads` says.
 * @param {{args: readonly string[], threads: number}} options
 * @returns {Promise<{wall: number, cpu: number, peak: number, stdout: string}>} seconds, seconds, MiB
 * Throws when the process fails, with the end of its stderr.
 */
export async function measure({ args, threads }) {
  const folder = mkdtempSync(path.join(tmpdir(), 'tidelake-measure-'));
  const usageFile = path.join(folder, 'usage');
  const command = [];
  if (hasGnuTime) command.push('/usr/bin/time', '-f', '%U %S %M', '-o', usageFile);
  if (hasTaskset) command.push('taskset', '-c', processors.slice(0, threads).join(','));
  command.push(process.execPath);
  if (!hasGnuTime) command.push('--import', path.join(here, 'child-usage.mjs'));
  command.push(...args);
  try {
    const began = performance.now();
    const stdout = await run(command, { ...process.env, TIDELAKE_BENCH_USAGE: usageFile });
    const wall = (performance.now() - began) / 1000;
    const [user, system, peakKb] = readFileSync(usageFile, 'utf8').trim().split(' ').map(Number);
    return { wall, cpu: user + system, peak: peakKb / 1024, stdout };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Several processes side by side as one way: wall time until the last has ended, CPU and peaks added up. */
export async function measureTogether(all) {
  const began = performance.now();
  const parts = await Promise.all(all.map(measure));
  const wall = (performance.now() - began) / 1000;
  const sum = (pick) => parts.reduce((total, part) => total + pick(part), 0);
  return {
    wall,
    cpu: sum(({ cpu }) => cpu),
    peak: sum(({ peak }) => peak),
    stdouts: parts.map(({ stdout }) => stdout),
  };
}

/** The last line a child printed, as JSON: its own account of what it did. */
export function lastReport(stdout) {
  const line = stdout.trim().split('\n').at(-1) ?? '';
  try {
    return JSON.parse(line);
  } catch {
    throw new Error(`expected a JSON report, got ${JSON.stringify(line.slice(0, 200))}`);
  }
}

/** Writes out what earlier runs left in the page cache, so that no way pays for another's output. */
export function settleDisk() {
  spawnSync('sync');
}

function run([program, ...args], env) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr = (stderr + text).slice(-stderrKept);
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve(stdout);
      else reject(new Error(`${path.basename(program)} ended with ${code ?? signal}\n${stderr}`));
    });
  });
}
