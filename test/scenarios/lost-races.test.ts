// Other programs commit at the very moment a run wants to: the run looks again, and goes on, or says why it cannot.
// Promises: one window is one snapshot; what was written is used again where it is still true, and placed anew where not;
// after ten lost races the run ends with COMMIT_CONFLICT, and leaves nothing behind.
// Source: DESIGN.md, "The table" (after a lost race); pipeline/lake/carry-over.ts.

import { describe, expect, it } from 'vitest';
import { type ObjectStore, setColumnType } from '../../pipeline/index.js';
import { liveFiles } from '../../pipeline/lake/iceberg/live-files.js';
import { currentSchema, currentSnapshot } from '../../pipeline/lake/iceberg/metadata.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import { exitCodeOf } from '../../schemas/errors.js';
import { ForeignWriter } from './foreign-writer.js';
import { DiskStory, expectedItems, isMarking, StoryLake, worldOver } from './story-world.js';
import { hour, Tale } from './tale.js';

/** A store through which somebody else commits right before the metadata is published, as often as `rivals` gives. */
class RacingStore {
  readonly store: ObjectStore;
  /** Data files created through it. */
  created = 0;
  lost = 0;

  constructor(base: ObjectStore, rivals: (time: number) => Promise<unknown> | null) {
    this.store = new Proxy(base, {
      get: (target, name) => {
        if (name === 'create') {
          return (uri: string) => {
            this.created += uri.includes('/lake/') ? 1 : 0;
            return target.create(uri);
          };
        }
        if (name === 'putIfAbsent') {
          return async (uri: string, bytes: Uint8Array): Promise<'created' | 'exists'> => {
            const rival = /\/v\d+\.metadata\.json$/.test(uri) ? rivals(this.lost) : null;
            if (rival !== null) {
              this.lost++;
              await rival;
            }
            return target.putIfAbsent(uri, bytes);
          };
        }
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }
}

interface Scene {
  readonly base: MemoryStore;
  readonly lake: StoryLake;
  readonly tale: Tale;
  readonly foreign: ForeignWriter;
}

/** A table of twelve rows, loaded, with three hourly windows to come. */
async function start(options: { readonly buckets?: number } = {}): Promise<Scene> {
  const base = new MemoryStore();
  const lake = new StoryLake(worldOver(base, { seed: 'rival' }));
  const tale = new Tale(lake);
  for (let n = 0; n < 12; n++) tale.put(-1, { pk: { S: `k${n}` }, n: { N: `${n}` } });
  for (let h = 0; h < 3; h++) {
    tale.put(h, { pk: { S: `k${h}` }, n: { N: '100' }, late: { S: 'x' } });
    tale.delete(h, { pk: { S: `k${h + 5}` } });
    tale.put(h, { pk: { S: `new${h}` } });
  }
  await lake.load(await tale.full(0), { key: ['pk'], ...options });
  return { base, lake, tale, foreign: new ForeignWriter(lake) };
}

/** The lake as a run sees it that others keep outrunning. */
function racing(
  { base, lake }: Scene,
  rivals: (time: number) => Promise<unknown> | null,
): { readonly mine: StoryLake; readonly store: RacingStore } {
  const store = new RacingStore(base, rivals);
  return { mine: lake.in(worldOver(store.store, { seed: 'mine' })), store };
}

/** Files of one merge into one partition: the new rows, and the delete file of the old ones. */
const filesOfMerge = isMarking() ? 2 : 1;

/** Data files that no snapshot has. */
async function orphans({ base, lake }: Scene): Promise<readonly string[]> {
  const { location, md } = await lake.open();
  const known = new Set<string>();
  for (const snapshot of md.snapshots) {
    const { data, positionDeletes } = await liveFiles(base, md, snapshot, location);
    for (const { file } of [...data, ...positionDeletes]) known.add(file.path);
  }
  const found: string[] = [];
  for await (const { uri } of base.list(`${location}/data`)) if (!known.has(uri)) found.push(uri);
  return found;
}

async function isAt({ lake, tale }: Scene, h: number): Promise<void> {
  expect(await lake.items()).toEqual(expectedItems(tale.table, hour(h)));
  expect((await lake.open()).state.watermarkMs).toBe(hour(h));
}

describe('a merge that others outrun with other properties', () => {
  it.each([0, 1, 2, 5, 9])('%i times is committed with the files it has written', async (times) => {
    const scene = await start();
    const { mine, store } = racing(scene, (time) =>
      time < times ? scene.foreign.setProperty('owner', `team ${time}`) : null,
    );
    const [report] = await mine.merge(await scene.tale.window(0));
    expect(report).toMatchObject({ action: 'applied', inserted: 1, updated: 1, deleted: 1 });
    expect([store.lost, store.created]).toEqual([times, filesOfMerge]);
    const { md } = await scene.lake.open();
    expect(md.properties.owner).toBe(times === 0 ? undefined : `team ${times - 1}`);
    expect(md.snapshots).toHaveLength(2);
    await isAt(scene, 1);
    expect(await orphans(scene)).toEqual([]);
  });

  it.each([10, 12])(
    '%i times ends in COMMIT_CONFLICT, and goes through when repeated',
    async (times) => {
      const scene = await start();
      const { mine, store } = racing(scene, (time) =>
        time < times ? scene.foreign.setProperty('owner', `team ${time}`) : null,
      );
      const window = await scene.tale.window(0);
      const [report] = await mine.merge(window);
      expect(report).toMatchObject({ action: 'refused', error: { code: 'COMMIT_CONFLICT' } });
      expect(report!.error!.what).toContain('10 times in a row');
      expect(exitCodeOf(report!.error!.code)).toBe(5);
      expect(store.lost).toBe(10);
      await isAt(scene, 0);
      expect(await orphans(scene)).toEqual([]);
      expect((await mine.merge(window))[0]!.action).toBe('applied');
      await isAt(scene, 1);
    },
  );

  it('waits twice as long each time, up to a limit, less a part that chance decides', async () => {
    const scene = await start();
    const { mine } = racing(scene, () => scene.foreign.setProperty('owner', 'x'));
    const pauses: number[] = [];
    const clock = { nowMs: () => hour(950), sleep: async (ms: number) => void pauses.push(ms) };
    const watched = new StoryLake({ ...mine.world, clock }, 'file:///story');
    await watched.merge(await scene.tale.window(0));
    expect(pauses).toHaveLength(9);
    pauses.forEach((pause, i) => {
      const longest = Math.min(5000, 100 * 2 ** i);
      expect(pause).toBeGreaterThanOrEqual(longest / 2);
      expect(pause).toBeLessThanOrEqual(longest);
    });
  });
});

describe('a merge that another program outruns', () => {
  it.skipIf(isMarking())(
    'with a compaction of other files is committed as it was written',
    async () => {
      const scene = await start({ buckets: 4 });
      const { tale, foreign } = scene;
      // One key only, so that most buckets are not touched.
      tale.put(3, { pk: { S: 'k4' }, n: { N: '400' } });
      await scene.lake.merge(await tale.window(0, 3));
      const window = await tale.window(3);
      const before = await foreign.files();
      // Which file it will replace shows a rehearsal on a copy.
      const rehearsal = new StoryLake(worldOver(await copied(scene.base), { seed: 'rehearsal' }));
      await rehearsal.merge(window);
      const after = await new ForeignWriter(rehearsal).files();
      const left = new Set(after.map(({ file }) => file.path));
      const others = before.filter(({ file }) => left.has(file.path));
      expect([others.length, before.length]).toEqual([before.length - 1, before.length]);
      expect(others.length).toBeGreaterThan(0);
      const { mine, store } = racing(scene, (time) => (time < 1 ? compact(foreign, others) : null));
      expect((await mine.merge(window))[0]).toMatchObject({ action: 'applied', updated: 1 });
      expect([store.lost, store.created]).toEqual([1, 1]);
      await isAt(scene, 4);
      expect(await orphans(scene)).toEqual([]);
    },
  );

  it.each([1, 3])(
    'with %i compactions of the file it rewrites places its rows anew',
    async (times) => {
      const scene = await start();
      const { foreign } = scene;
      const { mine, store } = racing(scene, (time) =>
        time < times ? foreign.files().then((files) => compact(foreign, files)) : null,
      );
      expect((await mine.merge(await scene.tale.window(0)))[0]).toMatchObject({
        action: 'applied',
        inserted: 1,
        updated: 1,
        deleted: 1,
      });
      expect([store.lost, store.created]).toEqual([times, (times + 1) * filesOfMerge]);
      await isAt(scene, 1);
      expect(await orphans(scene)).toEqual([]);
      expect(await scene.lake.snapshots()).toBe(2 + times);
    },
  );

  it('with a compaction whose past is expired and removed places its rows anew', async () => {
    const scene = await start();
    const { foreign } = scene;
    const { mine } = racing(scene, (time) =>
      time < 1
        ? foreign
            .files()
            .then((files) => compact(foreign, files))
            .then(() => foreign.expire())
        : null,
    );
    expect((await mine.merge(await scene.tale.window(0)))[0]!.action).toBe('applied');
    await isAt(scene, 1);
  });

  it('with deletes in the file it rewrites places its rows anew', async () => {
    const lake = DiskStory.open('deletes');
    try {
      const tale = new Tale(lake);
      for (let n = 0; n < 9; n++) tale.put(-1, { pk: { S: `k${n}` }, n: { N: `${n}` } });
      tale.put(0, { pk: { S: 'k3' }, n: { N: '300' } });
      await tale.load();
      const foreign = new ForeignWriter(lake);
      // The row k3 moves to a file of its own; its old file stays, with a position deleted.
      const move = async (): Promise<void> => {
        const [file] = await foreign.files();
        const moved = await foreign.file(foreign.select(file!, "pk = 'k3'"), 1);
        const { path } = file!.file;
        const deletes = await foreign.deletes(new Map([[path, [3]]]), { referencedDataFile: path });
        await foreign.commit('replace', { added: [moved, deletes] });
      };
      const store = new RacingStore(lake.world.store, (time) => (time < 1 ? move() : null));
      const mine = lake.in(worldOver(store.store, { seed: 'mine' }));
      expect((await mine.merge(await tale.window(0)))[0]).toMatchObject({
        action: 'applied',
        inserted: 0,
        updated: 1,
      });
      // The second try empties the file that the row was moved to, so no delete file is written for it.
      expect(store.created).toBe(isMarking() ? 3 : 2);
      expect(await lake.items()).toEqual(expectedItems(tale.table, hour(1)));
    } finally {
      lake.close();
    }
  });

  it('with new columns keeps them, although ids were given twice', async () => {
    const scene = await start();
    // The window brings the attribute `late`, whose column wants the same id.
    const { mine } = racing(scene, (time) =>
      time < 2 ? scene.foreign.addColumn(['region', 'late'][time]!, 'date') : null,
    );
    const [report] = await mine.merge(await scene.tale.window(0));
    expect(report).toMatchObject({ action: 'applied', addedColumns: ['late'] });
    await isAt(scene, 1);
    const { fields } = currentSchema((await scene.lake.open()).md);
    const names = fields.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['pk', 'n', 'late', 'region']));
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(fields.map(({ id }) => id)).size).toBe(fields.length);
    const other = fields
      .filter(({ type }) => type === 'date')
      .map(({ name, id }) => `${name} ${id}`);
    const lateId = fields.find(({ name }) => name === 'late')!.id;
    expect(other).toEqual([`region ${lateId - 2}`, `late_${lateId - 1} ${lateId - 1}`]);
    await scene.lake.merge(await scene.tale.window(1));
    await isAt(scene, 2);
    const later = currentSchema((await scene.lake.open()).md);
    expect(later.fields.map(({ name, id }) => [name, id])).toEqual(
      fields.map(({ name, id }) => [name, id]),
    );
  });

  it.each(['append', 'overwrite'] as const)(
    'with rows changed by %s is refused, and leaves nothing behind',
    async (operation) => {
      const scene = await start();
      const { foreign } = scene;
      const change = async (): Promise<void> => {
        const [file] = await foreign.files();
        const removed = operation === 'append' ? [] : [file!.file.path];
        await foreign.commit(operation, { added: [await foreign.copyOf(file!)], removed });
      };
      const { mine } = racing(scene, (time) => (time < 1 ? change() : null));
      const [report] = await mine.merge(await scene.tale.window(0));
      const current = (await scene.lake.open()).md['current-snapshot-id'];
      expect(report).toMatchObject({
        action: 'refused',
        error: { code: 'REFUSED_FOREIGN_WRITER' },
      });
      expect(report!.error!.what).toContain(`${current} (${operation})`);
      expect(await orphans(scene)).toEqual([]);
    },
  );

  it('between two windows of one run stops before the second', async () => {
    const scene = await start();
    const { foreign } = scene;
    // Right after the first commit: its hint is written by put.
    let isDone = false;
    const store = new Proxy(scene.base, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (name !== 'put') return typeof value === 'function' ? value.bind(target) : value;
        return async (uri: string, bytes: Uint8Array) => {
          await target.put(uri, bytes);
          if (isDone || !uri.endsWith('version-hint.text')) return;
          isDone = true;
          const [file] = await foreign.files();
          await foreign.commit('append', { added: [await foreign.copyOf(file!)] });
        };
      },
    });
    const mine = scene.lake.in(worldOver(store, { seed: 'mine' }));
    const reports = await mine.merge([await scene.tale.window(0), await scene.tale.window(1)]);
    expect(reports.map(({ action }) => action)).toEqual(['applied', 'refused']);
    expect(reports[1]!.error!.code).toBe('REFUSED_FOREIGN_WRITER');
  });
});

async function copied(base: ObjectStore): Promise<MemoryStore> {
  const copy = new MemoryStore();
  for await (const { uri } of base.list('file:///')) await copy.put(uri, await base.read(uri));
  return copy;
}

async function compact(
  foreign: ForeignWriter,
  files: Awaited<ReturnType<ForeignWriter['files']>>,
): Promise<void> {
  const added = [];
  for (const file of files) added.push(await foreign.copyOf(file));
  await foreign.commit('replace', { added, removed: files.map(({ file }) => file.path) });
}

describe('a merge that other runs outrun', () => {
  it('with its own window finds it done', async () => {
    const scene = await start();
    const window = await scene.tale.window(0);
    const { mine } = racing(scene, (time) => (time < 1 ? scene.lake.merge(window) : null));
    expect((await mine.merge(window))[0]).toMatchObject({
      action: 'known',
      error: null,
      watermark: new Date(hour(1)).toISOString(),
    });
    await isAt(scene, 1);
    expect(await orphans(scene)).toEqual([]);
  });

  it('with a longer window over the same time finds it covered', async () => {
    const scene = await start();
    const long = await scene.tale.window(0, 2);
    const { mine } = racing(scene, (time) => (time < 1 ? scene.lake.merge(long) : null));
    expect((await mine.merge(await scene.tale.window(0)))[0]!.action).toBe('known');
    await isAt(scene, 2);
  });

  it('with a shorter window is refused with the overlap', async () => {
    const scene = await start();
    const short = await scene.tale.window(0);
    const { mine } = racing(scene, (time) => (time < 1 ? scene.lake.merge(short) : null));
    const [report] = await mine.merge(await scene.tale.window(0, 2));
    expect(report).toMatchObject({ action: 'refused', error: { code: 'REFUSED_OVERLAP' } });
    await isAt(scene, 1);
    expect(await orphans(scene)).toEqual([]);
  });

  // The compaction of this scene copies data files and forgets which rows of theirs are deleted.
  it.skipIf(isMarking())(
    'with a window and a compaction each applies the rest upon both',
    async () => {
      const scene = await start();
      const { foreign, tale, lake } = scene;
      const windows = [await tale.window(0), await tale.window(1), await tale.window(2)];
      const acts = [
        () => lake.merge(windows[0]!),
        async () => compact(foreign, await foreign.files()),
        () => lake.merge(windows[1]!),
        () => foreign.setProperty('owner', 'x'),
      ];
      const { mine } = racing(scene, (time) => acts[time]?.() ?? null);
      const actions = (await mine.merge(windows)).map(({ action }) => action);
      expect(actions).toEqual(['known', 'known', 'applied']);
      await isAt(scene, 3);
      const own = (await lake.open()).md.snapshots.filter(
        (one) => one.summary['tidelake.kind'] === 'merge',
      );
      expect(own).toHaveLength(3);
    },
  );

  it('with a new epoch that has the window finds it done', async () => {
    const scene = await start();
    const full = await scene.tale.full(1);
    const { mine } = racing(scene, (time) => (time < 1 ? scene.lake.load(full) : null));
    const [report] = await mine.merge(await scene.tale.window(0));
    // The epoch begins where the window ends, so the window is before it: neither known nor to be put upon it.
    expect(report).toMatchObject({ action: 'refused', error: { code: 'REFUSED_OVERLAP' } });
    expect((await mine.merge(await scene.tale.window(1)))[0]!.action).toBe('applied');
    await isAt(scene, 2);
  });
});

describe('a load that is outrun', () => {
  it.each([1, 9])('by other properties %i times is committed as it was written', async (times) => {
    const scene = await start();
    const { mine, store } = racing(scene, (time) =>
      time < times ? scene.foreign.setProperty('owner', `team ${time}`) : null,
    );
    expect(await mine.load(await scene.tale.full(2))).toMatchObject({ action: 'loaded', epoch: 2 });
    expect([store.lost, store.created]).toEqual([times, 1]);
    await isAt(scene, 2);
    expect(await orphans(scene)).toEqual([]);
  });

  it('by ten commits gives up with COMMIT_CONFLICT', async () => {
    const scene = await start();
    const { mine, store } = racing(scene, () => scene.foreign.setProperty('owner', 'x'));
    await expect(mine.load(await scene.tale.full(2))).rejects.toMatchObject({
      code: 'COMMIT_CONFLICT',
      exitCode: 5,
    });
    expect(store.lost).toBe(10);
    expect(await orphans(scene)).toEqual([]);
    await isAt(scene, 0);
  });

  it('by the load of a later export is refused as older', async () => {
    const scene = await start();
    const later = await scene.tale.full(3);
    const { mine } = racing(scene, (time) => (time < 1 ? scene.lake.load(later) : null));
    await expect(mine.load(await scene.tale.full(2))).rejects.toMatchObject({
      code: 'REFUSED_OLDER',
    });
    await isAt(scene, 3);
    expect(await orphans(scene)).toEqual([]);
  });

  it('by the first load of another export of its table is put over it', async () => {
    const scene = await start();
    const [first, second] = [await scene.tale.full(0), await scene.tale.full(2)];
    const base = await copied(scene.base);
    for await (const { uri } of base.list('file:///story/lake')) await base.remove(uri);
    const lake = new StoryLake(worldOver(base, { seed: 'rival' }));
    const { mine } = racing({ ...scene, base, lake }, (time) =>
      time < 1 ? lake.load(first, { key: ['pk'] }) : null,
    );
    expect(await mine.load(second, { key: ['pk'] })).toMatchObject({ action: 'loaded', epoch: 2 });
    expect(await lake.items()).toEqual(expectedItems(scene.tale.table, hour(2)));
  });
});

describe('a change of a column type that is outrun', () => {
  const retype = (lake: StoryLake): Promise<{ readonly action: string }> =>
    setColumnType(lake.world, { ...lake.target, column: 'n', type: 'decimal(38,2)' });

  it('by a window retypes the rows of that window too', async () => {
    const scene = await start();
    const window = await scene.tale.window(0);
    const { mine } = racing(scene, (time) => (time < 1 ? scene.lake.merge(window) : null));
    expect((await retype(mine)).action).toBe('retyped');
    await isAt(scene, 1);
    const field = currentSchema((await scene.lake.open()).md).fields.find(
      ({ name }) => name === 'n',
    );
    expect(field!.type).toBe('decimal(38, 2)');
    expect(await orphans(scene)).toEqual([]);
  });

  it('by the same change finds it done', async () => {
    const scene = await start();
    const { mine } = racing(scene, (time) => (time < 1 ? retype(scene.lake) : null));
    expect((await retype(mine)).action).toBe('nothing');
    expect(await scene.lake.snapshots()).toBe(2);
    await isAt(scene, 0);
    expect(await orphans(scene)).toEqual([]);
  });

  it('by a compaction retypes the rows where they are now', async () => {
    const scene = await start();
    const { foreign } = scene;
    const { mine } = racing(scene, (time) =>
      time < 1 ? foreign.files().then((files) => compact(foreign, files)) : null,
    );
    expect((await retype(mine)).action).toBe('retyped');
    await isAt(scene, 0);
    expect(currentSnapshot((await scene.lake.open()).md)!.summary['tidelake.kind']).toBe('retype');
  });
});
