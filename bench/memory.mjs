// The second part: the peak memory of `load`, for the ordinary export and for one several times as large.
// Promises peaks of the whole process, workers included.

import { rmSync } from 'node:fs';
import path from 'node:path';
import { settleDisk } from './measure.mjs';
import { markdownTable, seconds, threadsText, times, whole } from './table.mjs';
import { load } from './tidelake.mjs';

const peakMax = 1024;
/** How much more the large export may take and still be called flat: garbage collection alone moves a peak by some percent. */
const growthMax = 1.15;

/** `loads` are the figures for the ordinary export, by threads; those missing are measured here. */
export async function compareMemory({ small, big, loads, work, threadCounts, tell }) {
  const rows = [];
  const goals = [];
  for (const threads of threadCounts) {
    const peaks = [];
    for (const exported of [small, big]) {
      if (exported === null) continue;
      const known = exported === small ? loads.get(threads) : undefined;
      tell(`memory of load: ${exported.items} items, ${threadsText(threads)}`);
      const run = known ?? (await loadOnce({ exported, work, threads }));
      peaks.push(run.peak);
      rows.push([
        whole(exported.items),
        `${threads}`,
        seconds(run.wall),
        whole(run.peak),
        times(run.peak / peaks[0]),
      ]);
      goals.push({
        goal: `peak memory of load, ${whole(exported.items)} items, ${threadsText(threads)}`,
        wanted: `under ${whole(peakMax)} MiB`,
        measured: `${whole(run.peak)} MiB`,
        isReached: run.peak < peakMax,
      });
    }
    if (peaks.length < 2) continue;
    const growth = peaks[1] / peaks[0];
    goals.push({
      goal: `peak memory flat from ${whole(small.items)} to ${whole(big.items)} items, ${threadsText(threads)}`,
      wanted: `at most ${times(growthMax)}`,
      measured: times(growth),
      isReached: growth <= growthMax,
    });
  }
  const head = ['items', 'threads', 's', 'peak MiB', 'growth'];
  return { text: markdownTable(head, rows, 0), goals };
}

async function loadOnce({ exported, work, threads }) {
  const lake = path.join(work, 'memory-lake');
  settleDisk();
  try {
    return await load({ exported, lake, threads });
  } finally {
    rmSync(lake, { recursive: true, force: true });
  }
}
