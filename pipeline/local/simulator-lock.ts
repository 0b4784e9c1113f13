// One simulator per folder: a file with the number of the process that has it.
// Promises: a folder whose process is gone is free again, so that a killed simulator can be started at once.
// Source: kill(2), signal 0.
import { mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { TidelakeError } from '../../schemas/errors.js';
import { errnoOf, isMissing, writeError } from './file-errors.js';

const held: Set<string> = new Set();

/** Takes a folder, which is made when missing; the returned function gives it back. Throws USAGE when it is taken. */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const file = path.join(folder, 'simulator.pid');
  try {
    await mkdir(folder, { recursive: true });
    const owner = await ownerOf(file);
    // Our own number in a file we do not hold is an earlier process's that had the same number.
    if (held.has(file) || (owner !== null && owner !== process.pid && isAlive(owner))) {
      throw taken(folder, file, owner ?? process.pid);
    }
    held.add(file);
    await writeFile(file, `${process.pid}\n`);
  } catch (error) {
    throw writeError(error, file);
  }
  return async () => {
    if (held.delete(file)) await unlink(file).catch(() => {}); // the folder may be gone
  };
}

async function ownerOf(file: string): Promise<number | null> {
  try {
    const text = (await readFile(file, 'utf8')).trim();
    return /^\d{1,10}$/.test(text) && Number(text) > 0 ? Number(text) : null;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
}

function taken(folder: string, file: string, pid: number): TidelakeError {
  return new TidelakeError({
    code: 'USAGE',
    what: `process ${pid} runs a simulator on ${folder}`,
    meaning: 'nothing was started; two simulators on one folder would overwrite each other',
    next: `end that process or name another folder; if it is no simulator, remove ${file}`,
  });
}
