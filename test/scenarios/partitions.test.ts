// Partitioned tables, files of several row groups, empty tables and empty partitions, and how little a window rewrites.
// Promises: rows lie where the key says, whatever the layout; what a window does not touch is not written again.
// Source: DESIGN.md, "The table: Apache Iceberg v2" (layout); apache/iceberg format/spec.md, "Partition Transforms".

import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { liveFiles } from '../../pipeline/lake/iceberg/live-files.js';
import { currentSnapshot } from '../../pipeline/lake/iceberg/metadata.js';
import { readRowGroup } from '../../pipeline/lake/parquet/assembler.js';
import { readFooter } from '../../pipeline/lake/parquet/footer.js';
import type { ManifestEntry } from '../../schemas/iceberg.js';
import { differences, expectedItems, isMarking, memoryWorld, StoryLake } from './story-world.js';
import { hour, Tale, type TaleKey } from './tale.js';

let lake: StoryLake;
const same = { missing: [], extra: [] };

beforeEach(() => {
  lake = new StoryLake(memoryWorld('partitions'));
});

async function live(): Promise<readonly ManifestEntry[]> {
  const { md, location } = await lake.open();
  return (await liveFiles(lake.world.store, md, currentSnapshot(md), location)).data;
}

const paths = async (): Promise<readonly string[]> =>
  (await live()).map(({ file }) => file.path).sort();

describe.each([
  { layout: { buckets: 4 }, key: ['S'] as TaleKey },
  { layout: { buckets: 16 }, key: ['S', 'S'] as TaleKey },
  { layout: { buckets: 4 }, key: ['N'] as TaleKey },
  { layout: { buckets: 4 }, key: ['B', 'B'] as TaleKey },
  { layout: { partition: 'truncate(sk, 10)' }, key: ['S', 'S'] as TaleKey },
  { layout: { partition: 'truncate(sk, 10)' }, key: ['S', 'N'] as TaleKey },
  { layout: { partition: 'bucket(pk, 2), truncate(sk, 9)' }, key: ['N', 'S'] as TaleKey },
  { layout: { partition: 'identity(pk)' }, key: ['B', 'N'] as TaleKey },
])('a table with key $key and layout $layout', ({ layout, key }) => {
  const part = (tag: string, n: number, partition: boolean): object => {
    if (tag === 'N') return { N: partition ? `${(n % 7) - 3}` : `${n - 40}` };
    const day = String((n % 28) + 1).padStart(2, '0');
    const text = partition
      ? `client-${n % 7}`
      : `2026-10-${day}T10:00:${String(n).padStart(3, '0')}`;
    return tag === 'S' ? { S: text } : { B: Buffer.from(text).toString('base64') };
  };
  const keys = (n: number): object =>
    key.length === 1
      ? { pk: key[0] === 'N' ? { N: `${n - 40}` } : { S: `k-${n}` } }
      : { pk: part(key[0], n, true), sk: part(key[1]!, n, false) };

  it('equals the simulated table after the load and every window', async () => {
    const tale = new Tale(lake, { key });
    for (let n = 0; n < 90; n += 2) tale.put(-1, { ...keys(n), v: { N: `${n}` } });
    for (let n = 0; n < 90; n += 3) tale.put(0, { ...keys(n), v: { N: `${n}00` }, w: { S: 'w' } });
    for (let n = 0; n < 90; n += 5) tale.delete(1, keys(n));
    for (let n = 0; n < 120; n += 4) tale.put(2, { ...keys(n), v: { N: '1' } }, n / 4 + 1);
    await lake.load(await tale.full(0), { key: tale.keyNames, ...layout });
    expect((await live()).length).toBeGreaterThan(1);
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(0)));
    for (const h of [0, 1, 2]) {
      const report = await tale.merge(h);
      expect({ h, action: report.action, error: report.error }).toEqual({
        h,
        action: 'applied',
        error: null,
      });
      const found = await lake.items();
      expect(differences(found, expectedItems(tale.table, hour(h + 1)))).toEqual(same);
      expect(found).toHaveLength(tale.table.countAt(hour(h + 1) * 1000));
    }
    if (isMarking()) return;
    // One file per partition is what a small table has, however often it is merged into.
    const partitions = (await live()).map(({ file }) => String(file.partition));
    expect(new Set(partitions).size).toBe(partitions.length);
  });
});

describe('a window that touches one partition', () => {
  it.skipIf(isMarking())('leaves the files of all others in place', async () => {
    const tale = new Tale(lake, { key: ['S', 'S'] });
    for (let day = 1; day <= 9; day++) {
      for (let n = 0; n < 4; n++)
        tale.put(-1, { pk: { S: `c${n}` }, sk: { S: `2026-10-0${day}T${n}` } });
    }
    tale.put(0, { pk: { S: 'c1' }, sk: { S: '2026-10-05T1' }, x: { S: 'changed' } });
    tale.put(1, { pk: { S: 'c1' }, sk: { S: '2026-10-20T1' } });
    for (let n = 0; n < 4; n++)
      tale.delete(2, { pk: { S: `c${n}` }, sk: { S: `2026-10-03T${n}` } });
    await lake.load(await tale.full(0), { key: ['pk', 'sk'], partition: 'truncate(sk, 10)' });
    const before = await paths();
    expect(before).toHaveLength(9);
    await tale.merge(0);
    const after = await paths();
    expect(before.filter((path) => !after.includes(path))).toHaveLength(1);
    expect(after).toHaveLength(9);
    await tale.merge(1);
    expect(await paths()).toHaveLength(10);
    expect((await paths()).filter((path) => after.includes(path))).toHaveLength(9);
    await tale.merge(2);
    expect(await paths()).toHaveLength(9);
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(3)));
  });
});

describe('a number key that needs another type, where the table is partitioned by it', () => {
  const begin = (seed: number): Tale => {
    const tale = new Tale(lake, { key: ['N'], seed, name: `tale_${seed}` });
    for (let n = 0; n < 40; n++) tale.put(-1, { pk: { N: `${n}` }, v: { N: '1' } });
    return tale;
  };

  it.each(['0.5', '1E100', '-9223372036854775809'])(
    'is merged whole, or refused whole, and never lost in a wrong partition (%s)',
    async (odd) => {
      const tale = begin(1);
      tale.put(0, { pk: { N: odd } });
      tale.put(1, { pk: { N: '3' }, v: { N: '2' } });
      tale.delete(1, { pk: { N: odd } });
      await lake.load(await tale.full(0), { key: ['pk'], buckets: 3 });
      const report = await tale.merge(0);
      if (report.action === 'refused') {
        expect(report.error?.code).toBe('REFUSED_TYPE_CONFLICT');
        expect(await lake.items()).toEqual(expectedItems(tale.table, hour(0)));
        // The remedy it names.
        await lake.load(await tale.full(1));
      }
      expect(await lake.items()).toEqual(expectedItems(tale.table, hour(1)));
      expect(await tale.merge(1)).toMatchObject({ action: 'applied', updated: 1, deleted: 1 });
      expect(await lake.items()).toEqual(expectedItems(tale.table, hour(2)));
    },
  );

  it('is loaded, even when no sample has shown it', async () => {
    for (const [i, odd] of ['0.5', '1E100', '0.25', '7.125', '-1E-100', '2E30'].entries()) {
      // More files than a sample looks into, so that some of these keys come as a surprise.
      const tale = begin(i);
      tale.put(-1, { pk: { N: odd } });
      const full = await tale.full(0, { files: 16 });
      const own = new StoryLake(lake.world, `file:///surprise-${i}`);
      await own.load(full, { key: ['pk'], buckets: 3 });
      expect(await own.items()).toEqual(expectedItems(tale.table, hour(0)));
    }
  });
});

describe('nothing', () => {
  it.each([
    { key: ['S'], layout: {} },
    { key: ['N'], layout: {} },
    { key: ['N'], layout: { buckets: 3 } },
    { key: ['B', 'N'], layout: {} },
    { key: ['B', 'N'], layout: { partition: 'bucket(pk, 2), truncate(sk, 4)' } },
  ] as const)(
    'was exported: windows fill the empty table, and tell its key types ($key, $layout)',
    async ({ key, layout }) => {
      const tale = new Tale(lake, { key });
      const text = (n: number): object => ({ N: `${n}.5`, S: `${n}`, B: 'AAE=' });
      const pick = (tag: string, n: number): object => {
        const all = text(n) as Record<string, string>;
        return tag === 'B' ? { B: Buffer.from(`${n}`).toString('base64') } : { [tag]: all[tag] };
      };
      const keys = (n: number): object =>
        Object.fromEntries(key.map((tag, i) => [i === 0 ? 'pk' : 'sk', pick(tag, n)]));
      for (let n = 0; n < 9; n++) tale.put(1, { ...keys(n), v: { N: `${n}` } });
      for (let n = 0; n < 9; n += 2) tale.delete(2, keys(n));
      const report = await lake.load(await tale.full(0), { key: tale.keyNames, ...layout });
      expect(report).toMatchObject({ rows: 0, dataFiles: 0, action: 'loaded' });
      expect(await lake.items()).toEqual([]);
      // An empty window moves the watermark and nothing else.
      expect(await tale.merge(0)).toMatchObject({ action: 'applied', inserted: 0 });
      expect(await tale.merge(1)).toMatchObject({ action: 'applied', inserted: 9 });
      expect(await lake.items()).toEqual(expectedItems(tale.table, hour(2)));
      expect(await tale.merge(2)).toMatchObject({ deleted: 5 });
      expect(await lake.items()).toEqual(expectedItems(tale.table, hour(3)));
      expect((await lake.open()).state.key.map(({ tag }) => tag)).toEqual([...key]);
      // Partition fields and sort fields are over columns of today.
      const { md } = await lake.open();
      const schema = md.schemas.find((one) => one['schema-id'] === md['current-schema-id'])!;
      const ids = schema.fields.map(({ id }) => id);
      const spec = md['partition-specs'].find((one) => one['spec-id'] === md['default-spec-id'])!;
      const order = md['sort-orders'].find(
        (one) => one['order-id'] === md['default-sort-order-id'],
      )!;
      for (const field of [...spec.fields, ...order.fields])
        expect(ids).toContain(field['source-id']);
      expect(order.fields).toHaveLength(key.length);
    },
  );

  it('is left after every row was deleted, and the table fills again', async () => {
    const tale = new Tale(lake);
    for (let n = 0; n < 20; n++) {
      tale.put(-1, { pk: { S: `k${n}` }, v: { N: `${n}` } });
      tale.delete(0, { pk: { S: `k${n}` } });
    }
    tale.put(2, { pk: { S: 'k3' }, v: { S: 'other' } });
    await lake.load(await tale.full(0), { key: ['pk'], buckets: 4 });
    expect(await tale.merge(0)).toMatchObject({ deleted: 20, inserted: 0 });
    expect(await lake.items()).toEqual([]);
    expect(await live()).toEqual([]);
    await tale.merge(1);
    expect(await tale.merge(2)).toMatchObject({ inserted: 1 });
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(3)));
  });
});

it.skipIf(isMarking())(
  'copies row groups that a window does not touch byte for byte',
  {
    timeout: 60_000,
  },
  async () => {
    const { store } = lake.world;
    const key = (n: number): object => ({ pk: { S: `k${String(n).padStart(6, '0')}` } });
    const tale = new Tale(lake);
    const count = 18_000;
    for (let n = 0; n < count; n++) tale.put(-1, { ...key(n), v: { N: `${n}.5` } });
    tale.put(0, { pk: { S: ' ' }, v: { N: '1' } });
    tale.put(1, { pk: { S: '\uffff\u{10ffff}' }, v: { N: '2' } });
    tale.put(2, { ...key(count - 1), v: { N: '3' } });
    tale.delete(3, key(0));
    // A window larger than the table: every second row goes, and as many again come, all over the key's range.
    for (let n = 0; n < count; n += 2) {
      tale.delete(4, key(n));
      tale.put(4, { pk: { S: `k${String(n).padStart(6, '0')}-new` }, v: { N: '4' } });
    }
    await tale.load();
    const groups = async (): Promise<readonly string[]> => {
      const hashes: string[] = [];
      const files = [...(await live())];
      expect(files).toHaveLength(1);
      for (const { file } of files) {
        const read = (start: number, end: number): Promise<Uint8Array> =>
          store.read(file.path, { start, end });
        const footer = await readFooter(read, Number(file.fileSizeBytes), file.path);
        for (let i = 0; i < footer.rowGroups.length; i++) {
          const { bytes } = await readRowGroup(read, footer, i);
          hashes.push(createHash('md5').update(bytes).digest('hex'));
        }
      }
      return hashes;
    };
    const counts = async (h: number): Promise<string> => {
      const { inserted, updated, deleted } = await tale.merge(h);
      return `${inserted} ${updated} ${deleted}`;
    };
    const start = await groups();
    expect(start.length).toBeGreaterThan(1);

    expect(await counts(0)).toBe('1 0 0');
    const first = await groups();
    expect(first[0]).not.toBe(start[0]);
    expect(first.slice(1)).toEqual(start.slice(1));

    expect(await counts(1)).toBe('1 0 0');
    const last = await groups();
    expect(last.slice(0, -1)).toEqual(first.slice(0, -1));
    expect(last.at(-1)).not.toBe(first.at(-1));

    expect(await counts(2)).toBe('0 1 0');
    const update = await groups();
    expect(update.slice(0, -1)).toEqual(last.slice(0, -1));

    expect(await counts(3)).toBe('0 0 1');
    expect((await groups()).slice(1)).toEqual(update.slice(1));

    // The key of hour 3 is gone already, so its deletion is no change any more.
    expect(await counts(4)).toBe(`${count / 2} 0 ${count / 2 - 1}`);
    const found = await lake.items();
    expect(differences(found, expectedItems(tale.table, hour(5)))).toEqual(same);
    expect(found).toHaveLength(count + 2);
  },
);
