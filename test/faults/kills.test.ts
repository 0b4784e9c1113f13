// A hundred processes of the command killed at random instants of loads and merges, half of them with each catalog.

import { expect, it } from 'vitest';
import { catalogKinds } from './harness/fault-lake.js';
import { KillLane } from './harness/kills.js';
import { rounds } from './harness/rounds.js';

const each = rounds(50);

it(`${2 * each} killed processes leave whole lakes, and the next run completes`, async () => {
  const lanes = await Promise.all(catalogKinds.map((kind) => KillLane.open(kind, `${kind} 1`)));
  try {
    await Promise.all(lanes.map((lane) => lane.kill(each)));
    for (const { figures } of lanes) {
      expect(figures.kills).toBe(each);
      console.log('kills', JSON.stringify(figures));
    }
  } finally {
    for (const lane of lanes) await lane.close();
  }
});
