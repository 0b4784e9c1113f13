// Expiry: which snapshots stay, what is removed, and what is not.
// Source: apache/iceberg format/spec.md, "Snapshot Retention Policy"; docs/how-to/upkeep.md.

import { describe, expect, it } from 'vitest';
import { type ObjectStore, query, type Reporter, type World } from '../../pipeline/index.js';
import { verify } from '../../pipeline/inspect/verify.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import { NullReporter } from '../../pipeline/reporting/null-reporter.js';
import type { ExpireReport } from '../../pipeline/reports.js';
import { compactTable } from '../../pipeline/upkeep/compact.js';
import { type ExpireOptions, expireTable } from '../../pipeline/upkeep/expire.js';
import { TidelakeError } from '../../schemas/errors.js';
import { ForeignWriter } from '../scenarios/foreign-writer.js';
import {
  DiskStory,
  expectedItems,
  hourMs,
  StoryLake,
  worldOver,
} from '../scenarios/story-world.js';
import { hour, Tale } from '../scenarios/tale.js';
import { scatter } from './scatter.js';

const dayMs = 24 * hourMs;
const iso = (ms: number): string => new Date(ms).toISOString();
const none = { keepDays: 0, keepSnapshots: 1, graceHours: 0 };

function expire(lake: StoryLake, more: Partial<ExpireOptions> = none): Promise<ExpireReport> {
  return expireTable(lake.world, { ...lake.target, ...more });
}

/** A table with a full load at hour 0 and windows of a day, and the instants each snapshot stands for. */
async function days(lake: StoryLake, count: number): Promise<Tale> {
  const tale = new Tale(lake);
  for (let n = 0; n < 8; n++) tale.put(-1, { pk: { S: `k${n}` }, n: { N: `${n}` } });
  for (let d = 0; d < count; d++)
    tale.put(d * 24, { pk: { S: `k${d % 8}` }, n: { N: `${100 + d}` } });
  await lake.load(await tale.full(0), { key: ['pk'] });
  for (let d = 0; d < count; d++) await lake.merge(await tale.window(d * 24, d * 24 + 24));
  return tale;
}

function inMemory(
  options: { readonly nowMs?: number; readonly store?: MemoryStore } = {},
): StoryLake {
  const { store = new MemoryStore(), nowMs } = options;
  return new StoryLake(
    worldOver(store, { seed: 'expire', ...(nowMs === undefined ? {} : { nowMs }) }),
  );
}

async function names(lake: StoryLake, folder: string): Promise<readonly string[]> {
  const { location } = await lake.open();
  const found: string[] = [];
  for await (const { uri } of lake.world.store.list(`${location}/${folder}`)) found.push(uri);
  return found.sort();
}

describe('what stays', () => {
  it('is every instant of the days asked for, and verify finds nothing wrong', {
    timeout: 60_000,
  }, async () => {
    const lake = DiskStory.open('expire');
    try {
      const tale = await days(lake, 6);
      // The load and six windows: the last three days are asked for, and the snapshot at their beginning stays.
      expect(await expire(lake, { ...none, keepDays: 3 })).toMatchObject({
        action: 'expired',
        expiredSnapshots: 3,
        keptSnapshots: 4,
        oldest: iso(hour(72)),
        unremoved: 0,
      });
      for (const h of [72, 96, 120, 144]) {
        expect(await lake.items(iso(hour(h)))).toEqual(expectedItems(tale.table, hour(h)));
      }
      await expect(lake.items(iso(hour(71)))).rejects.toMatchObject({ code: 'REFUSED_AS_OF' });
      const [report] = await verify(lake.world, lake.target);
      expect(report!.checks.filter(({ ok }) => !ok)).toEqual([]);
      const history = report!.checks.find(({ name }) => name === 'older snapshots are whole')!;
      expect(history.detail).toContain('; 0 files of 0 bytes');
    } finally {
      lake.close();
    }
  });

  it('is as many snapshots as asked for, however old their data', async () => {
    const lake = inMemory();
    await days(lake, 5);
    expect(await expire(lake, { ...none, keepSnapshots: 4 })).toMatchObject({ keptSnapshots: 4 });
    expect(await expire(lake, { ...none, keepSnapshots: 4 })).toMatchObject({ action: 'nothing' });
  });

  it('goes by the age of data before the watermark: a lake that is years late loses nothing', async () => {
    const lake = inMemory({ nowMs: hour(0) + 2_000 * dayMs });
    await days(lake, 3);
    expect(await expire(lake, { ...none, keepDays: 3 })).toMatchObject({ action: 'nothing' });
  });

  it('is everything for five years, or a hundred snapshots, if nothing is said', async () => {
    const lake = inMemory({ nowMs: hour(0) + 1_000 * dayMs });
    await days(lake, 3);
    expect(await expire(lake, { graceHours: 0 })).toMatchObject({ action: 'nothing' });
    const foreign = new ForeignWriter(lake);
    await foreign.setProperty('history.expire.max-snapshot-age-ms', String(dayMs));
    await foreign.setProperty('history.expire.min-snapshots-to-keep', '2');
    expect(await expire(lake, { graceHours: 0 })).toMatchObject({ keptSnapshots: 2 });
  });

  it('is what was current until a moment ago, for its readers', async () => {
    const store = new MemoryStore();
    const lake = inMemory({ store, nowMs: hour(100) });
    await days(lake, 3);
    const at = (ms: number): StoryLake => lake.in(worldOver(store, { seed: ms, nowMs: ms }));
    const less = { keepDays: 0, keepSnapshots: 1 };
    expect(await expire(at(hour(105)), less)).toMatchObject({ action: 'nothing' });
    expect(await expire(at(hour(107)), less)).toMatchObject({ expiredSnapshots: 3 });
  });

  it('is what a tag or a branch names', async () => {
    const lake = inMemory();
    const tale = await days(lake, 4);
    const { md } = await lake.open();
    const tagged = md.snapshots[1]!['snapshot-id'];
    const foreign = new ForeignWriter(lake);
    await foreign.change((one) => ({
      ...one,
      refs: { ...one.refs, audit: { 'snapshot-id': tagged, type: 'tag' } },
    }));
    expect(await expire(lake)).toMatchObject({ expiredSnapshots: 3, keptSnapshots: 2 });
    expect(await lake.items(`snapshot:${tagged}`)).toEqual(expectedItems(tale.table, hour(24)));
  });

  it('is all by which the watermark is believed, and by which a snapshot is found by time', async () => {
    const lake = inMemory();
    const tale = await days(lake, 2);
    await scatter(lake, 2);
    for await (const _ of compactTable(lake.world, lake.target));
    // The window's snapshot, another program's replace, and ours: none may go.
    expect(await expire(lake)).toMatchObject({ expiredSnapshots: 2, keptSnapshots: 3 });
    expect(await lake.items(iso(hour(48)))).toEqual(expectedItems(tale.table, hour(48)));
    tale.put(48, { pk: { S: 'k1' }, n: { N: '-1' } });
    await lake.merge(await tale.window(48));
    await lake.merge(await tale.window(49));
    expect(await expire(lake, { ...none, keepSnapshots: 3 })).toMatchObject({
      // The replace that is kept stands for hour 48, which only the two before it tell.
      keptSnapshots: 5,
    });
    expect(await lake.items(iso(hour(48)))).toEqual(expectedItems(tale.table, hour(48)));
  });
});

describe('what is removed', () => {
  it('is nothing in a dry run, and all that it said without', async () => {
    const lake = inMemory();
    await days(lake, 4);
    const before = [...(await names(lake, 'data')), ...(await names(lake, 'metadata'))];
    const planned = await expire(lake, { ...none, dryRun: true });
    expect(planned).toMatchObject({ action: 'planned', expiredSnapshots: 4, keptSnapshots: 1 });
    expect([...(await names(lake, 'data')), ...(await names(lake, 'metadata'))]).toEqual(before);
    const done = await expire(lake);
    const { dataFiles, manifests, bytes } = planned;
    expect(done).toMatchObject({ action: 'expired', dataFiles, manifests, bytes });
    expect(await names(lake, 'data')).toHaveLength(1);
  });

  it('is every metadata file that has left the log, and none that is in it', {
    timeout: 60_000,
  }, async () => {
    const lake = inMemory();
    await days(lake, 1);
    const foreign = new ForeignWriter(lake);
    for (let n = 0; n < 130; n++) await foreign.setProperty('note', String(n));
    // The foreign writer keeps all it has; Tidelake's own commits keep a hundred.
    await expire(lake);
    await expire(lake);
    const { md, entry } = await lake.open();
    const kept = [...md['metadata-log'].map((one) => one['metadata-file']), entry.metadataUri];
    expect(md['metadata-log'].length).toBeLessThanOrEqual(100);
    const there = (await names(lake, 'metadata')).filter((uri) => uri.endsWith('.metadata.json'));
    expect(there.sort()).toEqual(kept.sort());
    await foreign.setProperty('write.metadata.previous-versions-max', '25');
    for (let h = 24; h < 26; h++) {
      const tale = new Tale(lake);
      await lake.merge(await tale.window(h));
    }
    await expire(lake);
    expect((await lake.open()).md['metadata-log']).toHaveLength(25);
  });

  it('is an orphan after three days and not before, and only when asked for', async () => {
    let nowMs = hour(100);
    const store = new MemoryStore(() => nowMs);
    const lake = inMemory({ store });
    await days(lake, 1);
    const { location } = await lake.open();
    await store.put(`${location}/data/lost.parquet`, new Uint8Array(10));
    await store.put(`${location}/metadata/lost-m0.avro`, new Uint8Array(10));
    await store.put(`${location}/notes.txt`, new Uint8Array(10));
    const at = (ms: number): StoryLake => lake.in(worldOver(store, { seed: ms, nowMs: ms }));
    nowMs += 71 * hourMs;
    const removeOrphans = true;
    expect((await expire(at(nowMs), { removeOrphans })).orphans).toBe(0);
    nowMs += 2 * hourMs;
    expect((await expire(at(nowMs), {})).orphans).toBe(0);
    expect((await expire(at(nowMs), { removeOrphans, dryRun: true })).orphans).toBe(2);
    expect(await expire(at(nowMs), { removeOrphans })).toMatchObject({ orphans: 2, bytes: 20 });
    expect(await store.size(`${location}/notes.txt`)).toBe(10);
    const items = await at(nowMs).items();
    expect(items).toHaveLength(8);
  });

  it('never is anything of a table that says that its files are shared', async () => {
    const lake = inMemory();
    await days(lake, 2);
    await new ForeignWriter(lake).setProperty('gc.enabled', 'false');
    await expect(expire(lake)).rejects.toMatchObject({ code: 'REFUSED_KEPT_FILES' });
  });

  it('never is anything of a table whose rows another program has changed', async () => {
    const lake = inMemory();
    await days(lake, 2);
    const foreign = new ForeignWriter(lake);
    const [file] = await foreign.files();
    await foreign.commit('delete', { removed: [file!.file.path] });
    const before = await names(lake, 'data');
    await expect(expire(lake)).rejects.toMatchObject({ code: 'REFUSED_FOREIGN_WRITER' });
    expect(await names(lake, 'data')).toEqual(before);
  });

  it('drops schemas that only expired snapshots were read with, and never gives an id twice', async () => {
    const lake = inMemory();
    const tale = new Tale(lake);
    tale.put(-1, { pk: { S: 'a' } });
    for (let h = 0; h < 4; h++) tale.put(h, { pk: { S: 'a' }, [`late${h}`]: { S: 'x' } });
    await lake.load(await tale.full(0), { key: ['pk'] });
    for (let h = 0; h < 4; h++) await lake.merge(await tale.window(h));
    const before = (await lake.open()).md.schemas.map((one) => one['schema-id']);
    expect(before).toHaveLength(5);
    await expire(lake);
    const after = (await lake.open()).md;
    expect(after.schemas.map((one) => one['schema-id'])).toEqual([after['current-schema-id']]);
    tale.put(4, { pk: { S: 'b' }, more: { N: '1' } });
    await lake.merge(await tale.window(4));
    expect(Math.max(...before)).toBeLessThan((await lake.open()).md['current-schema-id']);
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(5)));
  });
});

describe('nested fields that another program renamed', () => {
  it('are read from files whose snapshot has expired', async () => {
    const lake = DiskStory.open('renamed');
    try {
      const tale = new Tale(lake);
      const item = (n: number, city: string): object => ({
        pk: { S: `k${n}` },
        address: { M: { city: { S: city } } },
      });
      for (let n = 0; n < 24; n++) tale.put(-1, item(n, 'Ulm'));
      // Of one bucket only, so that the other keeps the file that the load wrote.
      for (let h = 0; h < 3; h++) tale.put(h, item(0, `Bonn ${h}`));
      await lake.load(await tale.full(0), { key: ['pk'], buckets: 2 });
      const foreign = new ForeignWriter(lake);
      await foreign.alter((fields) =>
        fields.map((field) => {
          if (typeof field.type === 'string' || field.type.type !== 'struct') return field;
          const inside = field.type.fields.map((one) => ({ ...one, name: 'town' }));
          return { ...field, type: { ...field.type, fields: inside } };
        }),
      );
      for (let h = 0; h < 3; h++) await lake.merge(await tale.window(h));
      const sql = 'SELECT address.town, count(*) FROM tale GROUP BY 1 ORDER BY 1';
      const towns = async (): Promise<unknown[]> => {
        const found: unknown[] = [];
        for await (const row of (await query(lake.world, { ...lake.target, sql })).rows) {
          found.push(row.map(String));
        }
        return found;
      };
      const expected = [
        ['Bonn 2', '1'],
        ['Ulm', '23'],
      ];
      expect(await towns()).toEqual(expected);
      await expire(lake);
      expect(await lake.snapshots()).toBe(1);
      expect(await towns()).toEqual(expected);
    } finally {
      lake.close();
    }
  });
});

describe('when things go wrong', () => {
  /** The store with some of its functions replaced. */
  function but(store: ObjectStore, changes: Partial<ObjectStore>): ObjectStore {
    return new Proxy(store, {
      get: (target, name) => {
        const changed: unknown = Reflect.get(changes, name);
        const value: unknown = changed ?? Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  it('nothing is removed when nobody can tell what became of the commit', async () => {
    const base = new MemoryStore();
    const lake = inMemory({ store: base });
    await days(lake, 3);
    const before = await names(lake, 'data');
    const isMetadata = (uri: string): boolean => /\/v\d+\.metadata\.json$/.test(uri);
    const lost = new TidelakeError({ code: 'SERVICE_FAILED', what: 'w', meaning: 'm', next: 'n' });
    let hasAsked = false;
    const store = but(base, {
      putIfAbsent: async (uri, bytes) => {
        if (!isMetadata(uri)) return base.putIfAbsent(uri, bytes);
        hasAsked = true;
        throw lost;
      },
    });
    await expect(expire(lake.in(worldOver(store)))).rejects.toMatchObject({
      code: 'COMMIT_UNKNOWN',
    });
    expect(hasAsked).toBe(true);
    expect(await names(lake, 'data')).toEqual(before);
    expect(await expire(lake)).toMatchObject({ expiredSnapshots: 3 });
  });

  it('what cannot be removed is counted, and removed by the next run', async () => {
    const base = new MemoryStore();
    const lake = inMemory({ store: base });
    await days(lake, 3);
    const denied = new TidelakeError({
      code: 'DENIED',
      what: 's3:DeleteObject',
      meaning: '',
      next: '',
    });
    const store = but(base, { remove: () => Promise.reject(denied) });
    const warned: string[] = [];
    class Warnings extends NullReporter {
      override warn(text: string): void {
        warned.push(text);
      }
    }
    const reporter: Reporter = new Warnings();
    const world: World = worldOver(store, { reporter });
    const report = await expire(lake.in(world));
    expect(report).toMatchObject({ action: 'expired', expiredSnapshots: 3, dataFiles: 0 });
    expect(report.unremoved).toBeGreaterThan(5);
    expect(warned).toEqual([expect.stringContaining('DENIED')]);
    const again = await expire(lake);
    expect(again).toMatchObject({ expiredSnapshots: 0, dataFiles: 3, unremoved: 0 });
    expect(await names(lake, 'data')).toHaveLength(1);
  });

  it('a window that comes in at the same moment is kept, and the expiry looks again', async () => {
    const base = new MemoryStore();
    const lake = inMemory({ store: base });
    const tale = await days(lake, 3);
    tale.put(72, { pk: { S: 'k0' }, n: { N: '5' } });
    const window = await tale.window(72);
    let isDue = true;
    const store = but(base, {
      putIfAbsent: async (uri, bytes) => {
        if (isDue && /\/v\d+\.metadata\.json$/.test(uri)) {
          isDue = false;
          await lake.merge(window);
        }
        return base.putIfAbsent(uri, bytes);
      },
    });
    const report = await expire(lake.in(worldOver(store, { seed: 'mine' })));
    expect(report).toMatchObject({ expiredSnapshots: 4, keptSnapshots: 1 });
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(73)));
  });
});
