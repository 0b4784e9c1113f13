// Every saved query, view and check, verbatim as it is shipped, on DuckDB: the answer is the simulated table's.
// Source: test/queries/cases.ts.

import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadExport, mergeExports } from '../../pipeline/index.js';
import { query } from '../../pipeline/query/query.js';
import { DiskStory, database } from '../scenarios/story-world.js';
import { comparable, type QueryCase, queryCases } from './cases.js';
import { type QueryStories, type QueryStory, writeStories } from './stories.js';

const folder = path.resolve(import.meta.dirname, '../../queries');
const uriOf = (name: string): string => `file://${folder}/${name}`;

let disk: DiskStory;
let stories: QueryStories;

beforeAll(async () => {
  disk = DiskStory.open('queries');
  const { world, lake } = disk;
  stories = await writeStories(world.store, disk.exportsUri);
  for (const [table, story] of Object.entries(stories) as [string, QueryStory][]) {
    const target = { lake, database, table };
    await loadExport(world, { ...target, exportUri: story.full, key: story.key });
    const exportUris = story.windows.map(({ folderUri }) => folderUri);
    for await (const report of mergeExports(world, {
      ...target,
      exportUris,
      acceptGap: false,
      acceptSeam: false,
    })) {
      expect(report.error).toBeNull();
    }
  }
});
afterAll(() => disk.close());

async function answer(testCase: QueryCase): Promise<readonly (readonly unknown[])[]> {
  const isView = testCase.folder === 'views';
  const result = await query(disk.world, {
    lake: disk.lake,
    database,
    ...(isView ? {} : { table: testCase.story }),
    sql: isView
      ? `SELECT * FROM ${path.basename(testCase.name).replaceAll('-', '_')}`
      : testCase.name,
    params: testCase.params,
    queryFolders: [uriOf('saved'), uriOf('checks')],
    viewFolders: [uriOf('views')],
  });
  const rows: (readonly unknown[])[] = [];
  for await (const row of result.rows) rows.push(row);
  return rows;
}

describe('on DuckDB', () => {
  it.each(
    queryCases.map(
      (one) => [`${one.name} of ${one.story} ${JSON.stringify(one.params)}`, one] as const,
    ),
  )('%s', async (_, testCase) => {
    const expected = comparable(testCase, testCase.rows(stories));
    expect(comparable(testCase, await answer(testCase))).toEqual(expected);
  });

  it('every file that is shipped has a case, and most cases an answer with rows', () => {
    const files = ['saved', 'views', 'checks'].flatMap((top) =>
      readdirSync(path.join(folder, top), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.sql') && !name.endsWith('.duckdb.sql'))
        .map((name) => `${top}/${name.slice(0, -'.sql'.length)}`),
    );
    const cases = new Set(queryCases.map((one) => `${one.folder}/${one.name}`));
    expect([...cases].sort()).toEqual(files.sort());
    const empty = queryCases.filter(
      (one) => one.folder !== 'checks' && one.rows(stories).length === 0,
    );
    expect(empty.map((one) => one.name).sort()).toEqual([
      'lake/duplicates',
      'lake/misfits',
      'lake/rows-of-prefix',
      'mystore/order-lines-of-client',
    ]);
  });
});
