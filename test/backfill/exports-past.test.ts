// Exports that lie in a folder become the past of a lake: every window's end is the simulated table's state then, whatever the
// exports are and wherever the run was killed.

import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { BackfillExportsOptions } from '../../pipeline/backfill/backfill-exports.js';
import {
  type BackfillReport,
  backfillExports,
  log,
  type ObjectStore,
  RunLimit,
  verify,
} from '../../pipeline/index.js';
import { FaultyStore } from '../../pipeline/local/faulty-store.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import { buildExport } from '../export/export-folder.js';
import {
  DiskStory,
  expectedItems,
  memoryWorld,
  StoryLake,
  worldOver,
} from '../scenarios/story-world.js';
import { hour, Tale, type TaleOptions } from '../scenarios/tale.js';

const iso = (h: number): string => new Date(hour(h)).toISOString();

async function backfill(
  lake: StoryLake,
  more: Partial<BackfillExportsOptions> = {},
): Promise<readonly BackfillReport[]> {
  const reports: BackfillReport[] = [];
  const options: BackfillExportsOptions = {
    ...lake.target,
    exportUris: [lake.exportsUri],
    keys: new Map([['', ['pk']]]),
    keyOf: null,
    tableId: null,
    acceptTableId: null,
    acceptSeam: false,
    rewind: false,
    fromMs: null,
    toMs: null,
    isDryRun: false,
    limit: new RunLimit(lake.world.clock),
    ...more,
  };
  for await (const report of backfillExports(lake.world, options)) reports.push(report);
  return reports;
}

/** A table that changes in every hour: inserts, updates, deletes, and items that come and go within one. */
function lively(lake: StoryLake, hours: number, options: TaleOptions = {}): Tale {
  const tale = new Tale(lake, options);
  for (let n = 0; n < 12; n++) tale.put(-1, { pk: { S: `k${n}` }, n: { N: `${n}` } });
  for (let h = 0; h < hours; h++) {
    tale.put(h, { pk: { S: `k${h % 12}` }, n: { N: `${h}000` }, hour: { S: `${h}` } });
    tale.delete(h, { pk: { S: `k${(h + 5) % 12}` } }, 2);
    tale.put(h, { pk: { S: `new${h}` }, n: { N: '1' } }, 3);
    tale.put(h, { pk: { S: `brief` }, n: { N: '1' } }, 20);
    tale.delete(h, { pk: { S: 'brief' } }, 40);
  }
  return tale;
}

/** At the end of each epoch and window of a report, the lake is the table. */
async function expectPast(lake: StoryLake, tale: Tale, instants: readonly number[]): Promise<void> {
  for (const h of instants) {
    expect(await lake.items(iso(h)), `at hour ${h}`).toEqual(expectedItems(tale.table, hour(h)));
  }
}

const memory = (): StoryLake => new StoryLake(memoryWorld());

describe('exports of one table', () => {
  it('become a history of every window, across a gap', async () => {
    const lake = memory();
    const tale = lively(lake, 9);
    await tale.full(0);
    for (const h of [0, 1, 2]) await tale.window(h);
    await tale.full(5);
    for (const h of [5, 6, 7]) await tale.window(h);
    const [report] = await backfill(lake);
    expect(report).toMatchObject({
      action: 'done',
      table: 'tale',
      from: iso(0),
      to: iso(8),
      watermark: iso(8),
      loads: 2,
      loaded: 2,
      windows: 6,
      merged: 6,
      findings: [{ kind: 'gap', from: iso(3), to: iso(5), blocking: false }],
      error: null,
    });
    await expectPast(lake, tale, [0, 1, 2, 3, 5, 6, 7, 8]);
    const rows = await log(lake.world, lake.target);
    expect(rows.map(({ kind }) => kind)).toEqual([
      ...['load', 'merge', 'merge', 'merge'],
      ...['load', 'merge', 'merge', 'merge'],
    ]);
    const snapshots = await lake.snapshots();
    expect(await backfill(lake)).toMatchObject([{ action: 'nothing', loaded: 0, merged: 0 }]);
    expect(await lake.snapshots()).toBe(snapshots);
  });

  it('are only planned by a dry run', async () => {
    const lake = memory();
    const tale = lively(lake, 3);
    await tale.full(0);
    await tale.window(0);
    const [report] = await backfill(lake, { isDryRun: true });
    expect(report).toMatchObject({
      action: 'planned',
      watermark: null,
      loads: 1,
      windows: 1,
      merged: 0,
      epochs: [{ from: iso(0), to: iso(1), windows: 1 }],
    });
    // 12 items, and a window of three changes: 12 and 2 x 3 images of 500 bytes.
    expect(report!.estimate).toMatchObject({ items: 15, bytes: 9000, files: 9, usd: 0 });
    // 15 items at 100,000 a second, the window's rewritten 12 rows at 200,000, and half a second for its commit.
    expect(report!.estimate.seconds).toBeCloseTo(15 / 100_000 + 12 / 200_000 + 0.5, 9);
    expect(report!.estimate.assumptions.length).toBeGreaterThan(2);
    expect(await lake.snapshots()).toBe(0);
  });

  it('go on when more of them have come, and when the missing one has', async () => {
    const lake = memory();
    const tale = lively(lake, 6);
    await tale.full(0);
    await tale.window(0);
    await tale.window(2);
    expect(await backfill(lake)).toMatchObject([
      { action: 'done', watermark: iso(1), findings: [{ kind: 'gap', blocking: true }] },
    ]);
    await tale.window(1);
    await tale.window(3);
    expect(await backfill(lake)).toMatchObject([
      {
        action: 'done',
        watermark: iso(4),
        loaded: 0,
        merged: 3,
        findings: [{ kind: 'known', exports: 2, blocking: false }],
      },
    ]);
    await expectPast(lake, tale, [0, 1, 2, 3, 4]);
  });

  it('take a lake back only when told to, and once', async () => {
    const lake = memory();
    const tale = lively(lake, 6);
    await tale.load(3);
    await tale.merge(3);
    await tale.full(0);
    for (const h of [0, 1, 2]) await tale.window(h);
    expect(await backfill(lake)).toMatchObject([{ action: 'nothing', watermark: iso(4) }]);
    expect(await backfill(lake, { rewind: true })).toMatchObject([
      { action: 'done', from: iso(0), watermark: iso(4), loaded: 1, merged: 4 },
    ]);
    expect(await lake.items()).toEqual(expectedItems(tale.table, hour(4)));
    expect(await backfill(lake, { rewind: true })).toMatchObject([{ action: 'nothing' }]);
  });

  it('stop before the next commit when told to, and go on when run again', async () => {
    const lake = memory();
    const tale = lively(lake, 4);
    await tale.full(0);
    for (const h of [0, 1, 2]) await tale.window(h);
    const limit = new RunLimit(lake.world.clock);
    limit.stop(60_000);
    expect(await backfill(lake, { limit })).toMatchObject([{ action: 'stopped', loaded: 0 }]);
    expect(await backfill(lake)).toMatchObject([{ action: 'done', merged: 3 }]);
    await expectPast(lake, tale, [0, 1, 2, 3]);
  });

  it('of a table that was made again go into the lake when that is accepted', async () => {
    const lake = memory();
    const first = lively(lake, 3);
    const second = lively(lake, 9, { tableId: '00000000-0000-4000-8000-000000000002', seed: 2 });
    await first.full(0);
    await first.window(0);
    expect(await backfill(lake)).toMatchObject([{ action: 'done', watermark: iso(1) }]);
    await second.full(6);
    await second.window(6);
    const next = expect.stringContaining(`--accept-table-id ${second.table.tableId}`);
    expect(await backfill(lake)).toMatchObject([
      {
        action: 'nothing',
        findings: [{ kind: 'known' }, { kind: 'other-table', exports: 2, blocking: true, next }],
      },
    ]);
    const acceptTableId = second.table.tableId;
    expect(await backfill(lake, { acceptTableId })).toMatchObject([
      { action: 'done', watermark: iso(7), loaded: 1, merged: 1 },
    ]);
    expect(await lake.items()).toEqual(expectedItems(second.table, hour(7)));
    expect(await lake.items(iso(1))).toEqual(expectedItems(first.table, hour(1)));
    // Alone and under a name of its own.
    const { tableId } = first.table;
    expect(await backfill(lake, { tableId, table: 'tale_before' })).toMatchObject([
      { action: 'done', table: 'tale_before', tableId, watermark: iso(1) },
    ]);
  });
});

describe('exports of several tables in one folder', () => {
  it('go each to its own table, and the trouble of one is its own', async () => {
    const lake = memory();
    const good = lively(lake, 3, { name: 'Good.Table' });
    const keyless = lively(lake, 3, { name: 'keyless' });
    const broken = lively(lake, 3, { name: 'a-broken' });
    const gapped = lively(lake, 3, { name: 'gapped' });
    for (const tale of [good, keyless, broken, gapped]) {
      await tale.full(0);
      await tale.window(0);
    }
    await gapped.window(2);
    // A byte of one data file is another.
    const { store } = lake.world;
    for await (const { uri } of store.list(await broken.window(1))) {
      if (uri.endsWith('manifest-files.json')) {
        const lines = Buffer.from(await store.read(uri)).toString();
        await store.put(uri, Buffer.from(lines.replace(/"itemCount":\d/, '"itemCount":7')));
      }
    }
    await store.put(
      `${lake.exportsUri}/AWSDynamoDB/01793491200000-0badf00d/_started`,
      new Uint8Array(),
    );
    const keys = new Map([
      ['Good.Table', ['pk']],
      ['a-broken', ['pk']],
      ['gapped', ['pk']],
    ]);
    const reports = await backfill(lake, { keys });
    expect(
      reports.map(({ table, action, watermark, error }) => [table, action, watermark, error?.code]),
    ).toEqual([
      ['a_broken', 'refused', iso(1), 'REFUSED_CHECKSUM'],
      ['gapped', 'done', iso(1), undefined],
      ['good_table', 'done', iso(1), undefined],
      ['keyless', 'refused', null, 'REFUSED_KEY'],
    ]);
    expect(reports[1]!.findings).toMatchObject([{ kind: 'gap', blocking: true }]);
    expect(reports[3]!.error!.next).toBe(
      'tidelake backfill with --key keyless=PARTITION_KEY[,SORT_KEY]',
    );
    const asked: string[] = [];
    const keyOf: BackfillExportsOptions['keyOf'] = async ({ tableName }) => {
      asked.push(tableName);
      return ['pk'];
    };
    expect(await backfill(lake, { keys, keyOf, table: 'keyless' })).toMatchObject([
      { table: 'keyless', action: 'done', watermark: iso(1) },
    ]);
    expect(asked).toEqual(['keyless']);
  });

  it('name those that cannot be used with their table, and go on', async () => {
    const lake = memory();
    const tale = lively(lake, 2, { name: 'orders' });
    await tale.full(0);
    await tale.window(0);
    const folder = await tale.window(1);
    const { store } = lake.world;
    // A filtered export of the same table: it says so in its summary, under a checksum of its own.
    await buildExport({ at: lake.exportsUri, summary: { filterSpecification: {} } }, store);
    const summaryUri = `${folder}/manifest-summary.json`;
    await store.put(summaryUri, Buffer.from('{"tableArn":'));
    const productCatalog = {
      table: 'productcatalog',
      action: 'nothing',
      watermark: null,
      from: null,
      findings: [{ kind: 'unusable', what: expect.stringContaining('REFUSED_FILTERED') }],
    };
    expect(await backfill(lake)).toMatchObject([
      { action: 'done', watermark: iso(1), findings: [] },
      productCatalog,
    ]);
    await store.put(summaryUri, Buffer.from(JSON.stringify({ tableArn: tale.table.arn })));
    expect(await backfill(lake)).toMatchObject([
      {
        action: 'nothing',
        findings: [
          { kind: 'known', exports: 2 },
          { kind: 'unusable', blocking: false, what: expect.stringContaining('REFUSED_CHECKSUM') },
        ],
      },
      productCatalog,
    ]);
  });

  it('are refused as a whole when none is of the table wanted', async () => {
    const lake = memory();
    await lively(lake, 1).full(0);
    await expect(backfill(lake, { table: 'nobody' })).rejects.toMatchObject({
      code: 'REFUSED_NO_TABLE',
      next: 'there are exports of tale',
    });
  });
});

/** Counts what is asked of a store. */
class CountingStore extends MemoryStore {
  readonly listed: string[] = [];
  readonly got: string[] = [];
  override async children(folderUri: string): Promise<readonly string[]> {
    this.listed.push(folderUri);
    return super.children(folderUri);
  }
  override async size(uri: string): Promise<number | null> {
    this.got.push(uri);
    return super.size(uri);
  }
  override async read(
    uri: string,
    range?: { readonly start: number; readonly end: number },
  ): Promise<Uint8Array> {
    this.got.push(uri);
    return super.read(uri, range);
  }
}

describe('thousands of exports in one prefix', () => {
  it('take a listing of the prefix and three reads each, and no look into data/', async () => {
    const store = new CountingStore();
    const lake = new StoryLake(worldOver(store));
    const tale = new Tale(lake);
    tale.put(-1, { pk: { S: 'k' } });
    await tale.full(0, { files: 1 });
    const count = 2500;
    for (let n = 0; n < count; n++) await tale.window(n, n + 1, { files: 1 });
    store.listed.length = 0;
    store.got.length = 0;
    const [report] = await backfill(lake, { isDryRun: true });
    expect(report).toMatchObject({ action: 'planned', windows: count, findings: [] });
    // The lake's folder is looked into for the table.
    const below = store.listed.filter((uri) => uri.startsWith(lake.exportsUri));
    expect(below).toEqual([lake.exportsUri, `${lake.exportsUri}/AWSDynamoDB`]);
    const reads = store.got.filter((uri) => uri.startsWith(lake.exportsUri));
    expect(reads).toHaveLength(3 * (count + 1));
  });
});

describe('a run that is killed at any write', () => {
  const from = async (store: ObjectStore, seed = 1): Promise<StoryLake> =>
    new StoryLake(worldOver(store, { seed }));

  it('goes on where the lake stands, and ends with the same history', {
    timeout: 120_000,
  }, async () => {
    const base = new MemoryStore();
    const lake = await from(base);
    const tale = lively(lake, 6);
    await tale.full(0);
    await tale.window(0);
    await tale.window(1);
    await tale.full(3);
    await tale.window(3);
    const counting = new FaultyStore(await copyOf(base));
    await backfill(await from(counting));
    expect(counting.operations).toBeGreaterThan(30);
    for (let failAt = 1; failAt <= counting.operations; failAt++) {
      for (const mode of [failAt % 2 === 0 ? 'before' : 'after'] as const) {
        const store = await copyOf(base);
        const dying = await from(new FaultyStore(store, { failAt, mode, crash: true }));
        await backfill(dying).catch(() => []);
        const again = await from(store, 2);
        const [report] = await backfill(again);
        expect(report, `${failAt} ${mode}`).toMatchObject({ error: null, watermark: iso(4) });
        const rows = await log(again.world, again.target);
        expect(rows.map(({ kind, to }) => `${kind} ${to}`)).toEqual([
          'load null',
          `merge ${iso(1)}`,
          `merge ${iso(2)}`,
          'load null',
          `merge ${iso(4)}`,
        ]);
        expect(await again.items()).toEqual(expectedItems(tale.table, hour(4)));
      }
    }
  });
});

async function copyOf(store: ObjectStore): Promise<MemoryStore> {
  const copy = new MemoryStore();
  for await (const { uri } of store.list('file:///story'))
    await copy.put(uri, await store.read(uri));
  return copy;
}

describe('any exports of a table', () => {
  it('make a lake that is the table at every instant it stands for', {
    timeout: 120_000,
  }, async () => {
    const exportsOf = fc.record({
      fulls: fc.uniqueArray(fc.integer({ min: 0, max: 7 }), { minLength: 1, maxLength: 3 }),
      windows: fc.uniqueArray(
        fc
          .tuple(fc.integer({ min: 0, max: 7 }), fc.constantFrom(1, 1, 1, 2, 3))
          .map(([start, length]) => [start, start + length] as const),
        { minLength: 4, maxLength: 10, selector: ([a, b]) => `${a} ${b}` },
      ),
    });
    await fc.assert(
      fc.asyncProperty(exportsOf, async ({ fulls, windows }) => {
        const lake = memory();
        const tale = lively(lake, 11);
        for (const h of fulls) await tale.full(h);
        for (const [start, end] of windows) await tale.window(start, end);
        const [report] = await backfill(lake);
        expect(report!.error).toBeNull();
        expect(report!.watermark).toBe(report!.to);
        const rows = await log(lake.world, lake.target);
        expect(rows).toHaveLength(report!.loads + report!.windows);
        const instants = [
          ...report!.epochs.map(({ from }) => from),
          ...rows.flatMap(({ to }) => to ?? []),
        ];
        expect(new Set(instants).size).toBe(rows.length);
        for (const at of instants) {
          expect(await lake.items(at)).toEqual(expectedItems(tale.table, Date.parse(at)));
        }
        const { length } = rows;
        expect(await backfill(lake)).toMatchObject([{ action: 'nothing' }]);
        expect(await log(lake.world, lake.target)).toHaveLength(length);
      }),
      { numRuns: 25, seed: 11 },
    );
  });
});

describe('on disk', () => {
  let disk: DiskStory;
  afterEach(() => disk.close());

  it('keeps every promise', async () => {
    disk = DiskStory.open('backfill');
    const tale = lively(disk, 5, { key: ['S'] });
    await tale.full(0, { plusMs: 250 });
    for (const h of [0, 1, 2]) await tale.window(h);
    expect(await backfill(disk)).toMatchObject([
      { action: 'done', findings: [{ kind: 'seam', exports: 3, blocking: true }] },
    ]);
    expect(await backfill(disk, { acceptSeam: true })).toMatchObject([
      { action: 'done', merged: 3, watermark: iso(3), findings: [{ kind: 'known' }] },
    ]);
    await expectPast(disk, tale, [1, 2, 3]);
    const [verified] = await verify(disk.world, disk.target);
    expect(verified!.checks.filter(({ ok }) => !ok)).toEqual([]);
  });
});
