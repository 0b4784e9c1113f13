// Where tests keep their temporary files: in memory where the system has a folder for that, since what is forced to disk
// thousands of times proves nothing more there and takes most of the time.
// Promises: one folder per run, removed at its end; folders of runs that were killed are removed by the next one. The
// environment's TMPDIR stays in force where there is no such folder, or too little room in it, or TIDELAKE_TEST_DISK=1.
// Source: https://vitest.dev/config/globalsetup ; tmpfs(5).

import { mkdirSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import path from 'node:path';

const memory = '/dev/shm';
const prefix = 'tidelake-tests-';
/** Free memory there, in bytes, that the tests are far from using up. */
const freeBytesMin = 4 * 1024 ** 3;

/** Makes the folder, and gives what removes it. */
export default function setup(): () => void {
  if (process.env.TIDELAKE_TEST_DISK === '1' || !hasRoom()) return () => {};
  for (const name of readdirSync(memory)) {
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length)) : null;
    if (pid !== null && !isRunning(pid)) rmSync(path.join(memory, name), { recursive: true });
  }
  const folder = path.join(memory, `${prefix}${process.pid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}

function hasRoom(): boolean {
  try {
    const { bavail, bsize } = statfsSync(memory);
    return bavail * bsize >= freeBytesMin;
  } catch {
    return false; // no such folder
  }
}

/** Whether there is a process with this id; one of somebody else counts. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
