// The order in which records come decides nothing: not the columns, not their types or ids, not the rows.
// Promises: one set of records gives one table, however it is shuffled, cut into files and shared out to units.
// Source: DESIGN.md, "Scan and type (lossless)": the schema comes from every record, never from a sample.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { World } from '../../pipeline/index.js';
import {
  fullExport,
  incrementalExport,
  storyStartMs,
  type TablePast,
  WildTable,
} from '../../pipeline/simulator/index.js';
import { differences, expectedItems, hourMs, memoryWorld, StoryLake } from './story-world.js';

interface Shape {
  readonly files: number;
  readonly seed: number;
  /** Units at once: export files are shared out in more or fewer groups. */
  readonly width: number;
  readonly buckets: number;
}

function withWidth(world: World, width: number): World {
  return {
    ...world,
    units: {
      width,
      run: (name, input, transfer) => world.units.run(name, input, transfer),
      close: () => world.units.close(),
    },
  };
}

/** Loads and merges one export of the table in this shape; says what the table then is, ids and all. */
async function tableOf(
  table: TablePast,
  shape: Shape,
): Promise<{ columns: string; rows: readonly string[] }> {
  const world = withWidth(memoryWorld(`order ${shape.seed}`), shape.width);
  const lake = new StoryLake(world);
  const common = { table, store: world.store, folderUri: lake.exportsUri, ...shape };
  const full = await fullExport({ ...common, atMicros: storyStartMs * 1000 });
  const window = await incrementalExport({
    ...common,
    fromMs: storyStartMs,
    toMs: storyStartMs + hourMs,
    view: shape.seed % 2 === 0 ? 'NEW_IMAGE' : 'NEW_AND_OLD_IMAGES',
  });
  const key = table.key.map(({ name }) => name);
  await lake.load(full.folderUri, { key, buckets: shape.buckets });
  await lake.merge(window.folderUri);
  const { md } = await lake.open();
  const columns = JSON.stringify([md.schemas, md.properties['tidelake.columns']], null, 1);
  return { columns, rows: await lake.items() };
}

it('is the same table from the same records in any order, files and units', {
  timeout: 60_000,
}, async () => {
  const table = new WildTable({ seed: 'order', items: 70, startMs: storyStartMs, keyShape: 'sn' });
  table.play(storyStartMs, storyStartMs + hourMs, 40);
  const first = await tableOf(table, { files: 1, seed: 0, width: 1, buckets: 1 });
  const expected = expectedItems(table, storyStartMs + hourMs);
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        files: fc.integer({ min: 1, max: 12 }),
        seed: fc.integer({ min: 1, max: 1_000_000 }),
        width: fc.integer({ min: 1, max: 5 }),
        buckets: fc.constant(1),
      }),
      async (shape) => {
        const other = await tableOf(table, shape);
        expect(differences(other.rows, expected)).toEqual({ missing: [], extra: [] });
        expect(other.rows).toHaveLength(expected.length);
        expect(other.columns).toBe(first.columns);
      },
    ),
    { numRuns: 4, seed: 20261101 },
  );
});

it('has the same columns and rows whatever its layout', { timeout: 60_000 }, async () => {
  const table = new WildTable({
    seed: 'layouts',
    items: 30,
    startMs: storyStartMs,
    keyShape: 'nn',
  });
  table.play(storyStartMs, storyStartMs + hourMs, 20);
  const plain = await tableOf(table, { files: 2, seed: 1, width: 1, buckets: 1 });
  const cut = await tableOf(table, { files: 3, seed: 2, width: 2, buckets: 3 });
  expect(differences(cut.rows, plain.rows)).toEqual({ missing: [], extra: [] });
  expect(cut.columns).toBe(plain.columns);
});
