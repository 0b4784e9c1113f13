// Makes a checkout ready to run: dependencies as the lock file says, then the build. Node built-ins only.
// Promises: does nothing when nothing changed; when unsure it builds again; stale files never stay in dist/.
// Source: https://docs.npmjs.com/cli/commands/npm-ci ; package.json, "scripts".
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const nodeMin = [20, 19];
/** What the build depends on. */
const sources = [
  'schemas',
  'transforms',
  'pipeline',
  'infra',
  'scripts/build-kernel.mjs',
  'tsconfig.json',
  'package.json',
  'package-lock.json',
];
const command = path.join(root, 'dist', 'pipeline', 'cli', 'main.js');
/** Written by the build, and not under version control. */
const kernel = path.join(root, 'transforms', 'kernel', 'kernel-bytes.ts');
/** Written by a build without errors; its time is the time the build began. */
const stamp = path.join(root, 'dist', '.built');
const installed = path.join(root, 'node_modules', '.package-lock.json');

try {
  checkNode();
  if (timeOf(installed) < timeOf(path.join(root, 'package-lock.json'))) install();
  if (!isBuilt()) build();
} catch (error) {
  console.error(`setup: ${error.message}`);
  process.exitCode = 1;
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > nodeMin[0] || (major === nodeMin[0] && minor >= nodeMin[1])) return;
  throw new Error(
    `Tidelake needs Node ${nodeMin.join('.')} or newer; this is ${process.versions.node}`,
  );
}

function install() {
  // npm ci empties the folder first; behind a link that folder belongs to someone else.
  const stat = lstatSync(path.join(root, 'node_modules'), { throwIfNoEntry: false });
  if (stat?.isSymbolicLink()) {
    throw new Error(
      'node_modules is a link and does not fit package-lock.json: remove the link, or install where it leads',
    );
  }
  console.error('setup: installing dependencies (npm ci)');
  run(process.platform === 'win32' ? 'npm.cmd' : 'npm', [
    'ci',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
  ]);
}

function isBuilt() {
  const builtMs = timeOf(stamp);
  return (
    timeOf(command) > 0 &&
    sources.every((name) => newest(path.join(root, name)) < builtMs) &&
    timeOf(kernel) > 0
  );
}

/** Builds beside dist/ and then swaps, so that a build that fails, or two at once, never leave half of one. */
function build() {
  console.error('setup: building');
  run(process.execPath, [path.join('scripts', 'build-kernel.mjs')]);
  const fresh = path.join(root, `dist-${process.pid}`);
  const old = path.join(root, `dist-${process.pid}-old`);
  const beganMs = Date.now();
  try {
    const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    run(process.execPath, [tsc, '-p', 'tsconfig.json', '--outDir', fresh]);
    chmodSync(path.join(fresh, 'pipeline', 'cli', 'main.js'), 0o755);
    // Sources that were saved while the compiler ran are newer than this time, and are built again.
    writeFileSync(path.join(fresh, '.built'), `${beganMs}\n`);
    utimesSync(path.join(fresh, '.built'), beganMs / 1000, beganMs / 1000);
    if (timeOf(path.join(root, 'dist')) > 0) renameSync(path.join(root, 'dist'), old);
    renameSync(fresh, path.join(root, 'dist'));
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    rmSync(old, { recursive: true, force: true });
  }
}

function run(program, args) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (error !== undefined) throw new Error(`could not start ${program}: ${error.message}`);
  if (status !== 0)
    throw new Error(`${path.basename(program)} ended with ${status}: ${args.join(' ')}`);
}

/** Time of the last change of a file or folder, in ms; 0 when there is none. */
function timeOf(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Time of the newest change in a file or folder. Folders count themselves, which shows files that were removed. */
function newest(file) {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return readdirSync(file).reduce(
    (time, name) => Math.max(time, newest(path.join(file, name))),
    stat.mtimeMs,
  );
}
