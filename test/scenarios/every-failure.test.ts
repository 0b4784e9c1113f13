// Every write of every kind of commit fails once, in three ways, with and without the process dying of it.
// Promises: in between, the lake reads as it was or as it will be; the same command again ends in one right state.
// Source: DESIGN.md, "The table: Apache Iceberg v2"; pipeline/local/faulty-store.ts.

import { describe, expect, it } from 'vitest';
import type { ObjectStore } from '../../pipeline/index.js';
import { liveFiles } from '../../pipeline/lake/iceberg/live-files.js';
import { currentSnapshot } from '../../pipeline/lake/iceberg/metadata.js';
import { type FaultMode, FaultyStore } from '../../pipeline/local/faulty-store.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import { expectedItems, isMarking, StoryLake, worldOver } from './story-world.js';
import { hour, Tale } from './tale.js';

interface Act {
  readonly name: string;
  /** What was loaded and merged before. */
  readonly before: (lake: StoryLake, uris: Uris) => Promise<unknown>;
  /** The command that fails, and is then given again. */
  readonly run: (lake: StoryLake, uris: Uris) => Promise<unknown>;
  /** Hours whose state the lake has before (null: there is no table) and after. */
  readonly from: number | null;
  readonly to: number;
  /** Tag of the key; 'S' unless told. */
  readonly tag?: 'N';
  /** Write operations at least, so that a change of the harness does not empty the loop. */
  readonly operationsMin: number;
}

interface Uris {
  readonly full: string;
  readonly window: string;
  readonly retyping: string;
  readonly later: string;
}

const key = ['pk'];
const acts: readonly Act[] = [
  {
    name: 'a first load',
    before: async () => undefined,
    run: (lake, { full }) => lake.load(full, { key, buckets: 2 }),
    from: null,
    to: 0,
    operationsMin: 10,
  },
  {
    name: 'a merge',
    before: (lake, { full }) => lake.load(full, { key, buckets: 2 }),
    run: (lake, { window }) => lake.merge(window),
    from: 0,
    to: 1,
    operationsMin: 10,
  },
  {
    name: 'a merge that retypes a column',
    before: async (lake, { full, window }) => {
      await lake.load(full, { key });
      await lake.merge(window);
    },
    run: (lake, { retyping }) => lake.merge(retyping),
    from: 1,
    to: 2,
    operationsMin: 7,
  },
  {
    name: 'a merge that cuts a partitioned table anew',
    before: async (lake, { full, window }) => {
      await lake.load(full, { key, buckets: 2 });
      await lake.merge(window);
    },
    run: (lake, { retyping }) => lake.merge(retyping),
    from: 1,
    to: 2,
    tag: 'N',
    operationsMin: 10,
  },
  {
    name: 'a new epoch',
    before: async (lake, { full, window }) => {
      await lake.load(full, { key });
      await lake.merge(window);
    },
    run: (lake, { later }) => lake.load(later),
    from: 1,
    to: 3,
    operationsMin: 7,
  },
];

async function copyOf(store: ObjectStore): Promise<MemoryStore> {
  const copy = new MemoryStore();
  for await (const { uri } of store.list('file:///')) await copy.put(uri, await store.read(uri));
  return copy;
}

/** Every file of the current snapshot is there with the size its manifest records; and data files of no snapshot. */
async function checkFiles(store: ObjectStore, lake: StoryLake): Promise<readonly string[]> {
  const { md, location } = await lake.open();
  const { data, positionDeletes } = await liveFiles(store, md, currentSnapshot(md), location);
  for (const { file } of [...data, ...positionDeletes]) {
    expect(await store.size(file.path)).toBe(Number(file.fileSizeBytes));
  }
  const known = new Set<string>();
  for (const snapshot of md.snapshots) {
    const live = await liveFiles(store, md, snapshot, location);
    for (const { file } of [...live.data, ...live.positionDeletes]) known.add(file.path);
  }
  const unknown: string[] = [];
  for await (const { uri } of store.list(`${location}/data`))
    if (!known.has(uri)) unknown.push(uri);
  return unknown;
}

/** A load has nothing to mark, and where all rows are cut anew nothing is marked either. */
const played = isMarking()
  ? acts.filter(({ name }) => /^a merge( that retypes.*)?$/.test(name))
  : acts;

describe.each(played)('$name', (act) => {
  it('survives the failure of any one write', { timeout: 60_000 }, async () => {
    const base = new MemoryStore();
    const home = new StoryLake(worldOver(base, { seed: 'base' }));
    const tale = new Tale(home, act.tag === undefined ? {} : { key: [act.tag] });
    const pk = (n: number): object => (act.tag === 'N' ? { N: `${n}` } : { S: `k${n}` });
    for (let n = 0; n < 12; n++) tale.put(-1, { pk: pk(n), n: { N: `${n}` } });
    for (let n = 0; n < 6; n++) tale.put(0, { pk: pk(n * 3), n: { N: `${n}` } });
    tale.delete(0, { pk: pk(1) });
    tale.put(1, { pk: pk(2), n: { N: '0.25' }, extra: { S: 'x' } });
    if (act.tag === 'N') tale.put(1, { pk: { N: '0.5' } });
    tale.put(2, { pk: pk(99), n: { N: '1E100' } });
    const uris: Uris = {
      full: await tale.full(0),
      window: await tale.window(0),
      retyping: await tale.window(1),
      later: await tale.full(3),
    };
    await act.before(home, uris);
    const snapshotsBefore = await home.snapshots();
    const stateBefore = act.from === null ? null : expectedItems(tale.table, hour(act.from));
    const stateAfter = expectedItems(tale.table, hour(act.to));

    const counting = new FaultyStore(await copyOf(base));
    await act.run(home.in(worldOver(counting, { seed: 'dry run' })), uris);
    const { operations } = counting;
    expect(operations).toBeGreaterThanOrEqual(act.operationsMin);

    for (let failAt = 1; failAt <= operations; failAt++) {
      for (const [mode, crash] of [
        ['before', false],
        ['after', true],
        ['torn', true],
        ['after', false],
      ] as readonly [FaultMode, boolean][]) {
        if (mode === 'torn' && !counting.journal[failAt - 1]!.startsWith('write')) continue;
        const at = `${mode}${crash ? ' and dead' : ''} at ${counting.journal[failAt - 1]}`;
        const store = await copyOf(base);
        const failing = new FaultyStore(store, { failAt, mode, crash });
        await act
          .run(home.in(worldOver(failing, { seed: `first ${failAt} ${mode}` })), uris)
          .catch(() => undefined);

        // Readers in between see one whole state.
        const lake = home.in(worldOver(store, { seed: `second ${failAt} ${mode}` }));
        const between = await lake.snapshots();
        expect([snapshotsBefore, snapshotsBefore + 1], at).toContain(between);
        if (between > 0) {
          const items = await lake.items();
          expect(items, at).toEqual(between === snapshotsBefore ? stateBefore : stateAfter);
        }

        await act.run(lake, uris);
        expect(await lake.items(), at).toEqual(stateAfter);
        expect(await lake.snapshots(), at).toBe(snapshotsBefore + 1);
        const unknown = await checkFiles(store, lake);
        // A living process tidies up what its failed attempt wrote; a dead one leaves files that no snapshot names.
        if (!crash) expect(unknown, at).toEqual([]);
      }
    }
  });
});
