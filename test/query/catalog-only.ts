// A lake in memory whose tables have a key `pk` and one row each, for tests that need tables and no answers.

import { loadExport } from '../../pipeline/index.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import type { World } from '../../pipeline/ports.js';
import {
  fullExport,
  itemFromParsed,
  SimulatedTable,
  storyStartMs,
} from '../../pipeline/simulator/index.js';
import { worldOver } from '../scenarios/story-world.js';

export async function lakeWithTables(
  lake: string,
  names: readonly string[],
): Promise<{ readonly world: World; readonly close: () => Promise<void> }> {
  const store = new MemoryStore();
  const world = worldOver(store);
  for (const name of names) {
    const table = new SimulatedTable({ name, key: [{ name: 'pk', tag: 'S' }] });
    table.put((storyStartMs - 1000) * 1000, itemFromParsed({ pk: { S: 'a' } }));
    const { folderUri } = await fullExport({
      table,
      store,
      folderUri: `file:///exports/${name}`,
      files: 1,
      seed: 1,
      atMicros: storyStartMs * 1000,
    });
    await loadExport(world, {
      lake,
      database: 'lake',
      table: name,
      exportUri: folderUri,
      key: ['pk'],
    });
  }
  return { world, close: () => world.scratch.close() };
}
