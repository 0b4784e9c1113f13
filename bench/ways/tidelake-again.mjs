// A merge in a process that has merged before, as `merge` of a folder of windows and a job over many tables do: the code is
// warm, and all that is left is the work.
// Promises the public API and nothing else; the first merge, of another window, is undone before the second, which is measured.
// Use: node tidelake-again.mjs OPTIONS.json, with {lake, pristine, first, second, threads}
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { mergeOnce } from './merge-once.mjs';

const { lake, pristine, first, second, threads } = JSON.parse(
  readFileSync(process.argv[2], 'utf8'),
);

await mergeOnce({ lake, exported: first, threads });
rmSync(lake, { recursive: true });
cpSync(pristine, lake, { recursive: true });
const cpuBefore = process.cpuUsage();
const report = await mergeOnce({ lake, exported: second, threads });
const { user, system } = process.cpuUsage(cpuBefore);
console.log(JSON.stringify({ ...report, cpu: (user + system) / 1e6 }));
