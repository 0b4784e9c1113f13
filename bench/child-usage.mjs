// Loaded into a measured process where GNU time is missing: writes down at exit what the process used.
// Promises user and system seconds and peak memory in KiB, in the form measure.mjs gives GNU time.
// Source: Node.js, process.resourceUsage(); proc(5), VmHWM.
import { readFileSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    const usage = [userCPUTime / 1e6, systemCPUTime / 1e6, peakKb() ?? maxRSS];
    writeFileSync(process.env.TIDELAKE_BENCH_USAGE, usage.join(' '));
  });
}

/** On Linux maxRSS begins with what the parent had at the start; the high-water mark of our own memory does not. */
function peakKb() {
  try {
    return Number(/^VmHWM:\s*(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  } catch {
    return null;
  }
}
