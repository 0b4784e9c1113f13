// Both simulated tables loaded and merged into a lake on disk, and the folders of the shipped queries.
// Source: test/queries/stories.ts.

import path from 'node:path';
import { loadExport, mergeExports, type QueryResult } from '../../pipeline/index.js';
import { DiskStory, database } from '../scenarios/story-world.js';
import { type QueryStories, type QueryStory, writeStories } from './stories.js';

export { database };

const folder = path.resolve(import.meta.dirname, '../../queries');
export const folderUri = (name: 'saved' | 'views' | 'checks'): string => `file://${folder}/${name}`;

export interface LoadedStories {
  readonly disk: DiskStory;
  readonly stories: QueryStories;
}

/** Loads both tables. Throws when a window is refused. */
export async function loadStories(seed: string): Promise<LoadedStories> {
  const disk = DiskStory.open(seed);
  const { world, lake } = disk;
  const stories = await writeStories(world.store, disk.exportsUri);
  for (const [table, story] of Object.entries(stories) as [string, QueryStory][]) {
    const target = { lake, database, table };
    await loadExport(world, { ...target, exportUri: story.full, key: story.key });
    const exportUris = story.windows.map((window) => window.folderUri);
    const options = { ...target, exportUris, acceptGap: false, acceptSeam: false };
    for await (const report of mergeExports(world, options)) {
      if (report.error !== null) throw new Error(`${table}: ${report.error.code}`);
    }
  }
  return { disk, stories };
}

export async function rowsOf(result: QueryResult): Promise<readonly (readonly unknown[])[]> {
  const rows: (readonly unknown[])[] = [];
  for await (const row of result.rows) rows.push(row);
  return rows;
}
