// Whole stories: a full export and its chain of windows, for every data set and key shape.
// Checked by replaying the exports' text against the table, window by window.
// Source: Amazon DynamoDB Developer Guide, "Requesting a table export".

import { describe, expect, it } from 'vitest';
import {
  canonicalItem,
  canonicalKey,
  type Item,
  itemFromLine,
  itemFromParsed,
  keyShapes,
  type Story,
  type StoryOptions,
  simulate,
  storyStartMs,
} from '../../pipeline/simulator/index.js';
import { TestStore } from './memory-store.js';
import { readExport } from './read-export.js';

const root = 's3://exports';

async function tell(options: Partial<StoryOptions>): Promise<{ store: TestStore; story: Story }> {
  const store = new TestStore();
  const story = await simulate({
    store,
    outUri: root,
    dataset: 'mystore',
    items: 400,
    windows: 3,
    seed: 1,
    view: 'NEW_AND_OLD_IMAGES',
    ...options,
  });
  return { store, story };
}

function canonicalState(state: ReadonlyMap<string, Item>): Map<string, string> {
  return new Map([...state].map(([key, item]) => [key, canonicalItem(item)]));
}

interface Counts {
  inserts: number;
  updates: number;
  deletes: number;
}

/** Replays the exports with nothing but their text, comparing with the table after each. */
function replay(store: TestStore, story: Story): Counts {
  const { table } = story;
  const state = new Map<string, string>();
  for (const line of readExport(store, story.full, root).lines) {
    const item = itemFromLine(line);
    const key = canonicalKey(item, table.key);
    expect(state.has(key)).toBe(false);
    state.set(key, canonicalItem(item));
  }
  expect(state).toEqual(canonicalState(table.stateAt(storyStartMs * 1000)));
  const counts = { inserts: 0, updates: 0, deletes: 0 };
  for (const { folderUri, fromMs, toMs } of story.windows) {
    const read = readExport(store, folderUri, root);
    const view = read.summary.outputView;
    const seen = new Set<string>();
    for (const line of read.lines) {
      const record = JSON.parse(line) as Record<string, unknown>;
      const keys = itemFromParsed(record.Keys);
      expect([...keys.keys()].sort()).toEqual(table.key.map(({ name }) => name).sort());
      const key = canonicalKey(keys, table.key);
      expect(seen.has(key)).toBe(false);
      seen.add(key);
      const micros = Number(
        (record.Metadata as { WriteTimestampMicros: { N: string } }).WriteTimestampMicros.N,
      );
      expect(micros >= fromMs * 1000 && micros < toMs * 1000).toBe(true);
      if (view === 'NEW_IMAGE') expect(record.OldImage).toBeUndefined();
      else {
        const old =
          record.OldImage === undefined
            ? undefined
            : canonicalItem(itemFromParsed(record.OldImage));
        expect(old).toBe(state.get(key));
      }
      const wasThere = state.has(key);
      if (record.NewImage === undefined) {
        expect(wasThere).toBe(true);
        state.delete(key);
        counts.deletes++;
      } else {
        const item = itemFromParsed(record.NewImage);
        expect(canonicalKey(item, table.key)).toBe(key);
        state.set(key, canonicalItem(item));
        if (wasThere) counts.updates++;
        else counts.inserts++;
      }
    }
    expect(state).toEqual(canonicalState(table.stateAt(toMs * 1000)));
    expect(state.size).toBe(table.countAt(toMs * 1000));
    expect([...table.itemsAt(toMs * 1000)]).toHaveLength(state.size);
  }
  return counts;
}

describe('a story', () => {
  it.each(['NEW_AND_OLD_IMAGES', 'NEW_IMAGE'] as const)(
    'of mystore replays to the state of the table, %s',
    async (view) => {
      const { store, story } = await tell({ view, items: 2000 });
      const counts = replay(store, story);
      expect(counts.inserts).toBeGreaterThan(0);
      expect(counts.updates).toBeGreaterThan(counts.inserts);
      expect(counts.deletes).toBeGreaterThan(0);
    },
  );

  it.each(keyShapes)(
    'of wild items with key %s replays to the state of the table',
    async (keyShape) => {
      const { store, story } = await tell({
        dataset: 'wild',
        keyShape,
        items: 150,
        changesPerWindow: 40,
      });
      expect(story.table.key.map(({ tag }) => tag.toLowerCase()).join('')).toBe(keyShape);
      const counts = replay(store, story);
      expect(Math.min(counts.inserts, counts.updates, counts.deletes)).toBeGreaterThan(0);
    },
  );

  it('of wild items replays under NEW_IMAGE too', async () => {
    const { store, story } = await tell({ dataset: 'wild', items: 100, view: 'NEW_IMAGE' });
    replay(store, story);
  });

  it('has contiguous windows from the full export on', async () => {
    const { store, story } = await tell({ windows: 4, windowSeconds: 900 });
    expect(readExport(store, story.full, root).summary.exportTime).toBe('2026-11-01T00:00:00.000Z');
    expect(
      story.windows.map(({ fromMs, toMs }) => [fromMs - storyStartMs, toMs - storyStartMs]),
    ).toEqual([
      [0, 900_000],
      [900_000, 1_800_000],
      [1_800_000, 2_700_000],
      [2_700_000, 3_600_000],
    ]);
    const folders = await store.children(`${root}/AWSDynamoDB`);
    expect(folders).toHaveLength(6);
    expect(folders).toContain('data');
  });

  it('is the same byte by byte for the same seed, and another for another', async () => {
    for (const dataset of ['mystore', 'wild'] as const) {
      const one = await tell({ dataset });
      const again = await tell({ dataset });
      const other = await tell({ dataset, seed: 2 });
      expect([...again.store.objects]).toEqual([...one.store.objects]);
      expect(other.story.table.tableId).not.toBe(one.story.table.tableId);
      expect(other.story.full).not.toBe(one.story.full);
    }
  });

  it('writes in each window at its first and at its last microsecond', async () => {
    const { store, story } = await tell({ items: 5000, windows: 1 });
    const times = readExport(store, story.windows[0]!.folderUri, root).lines.map(
      (line) => JSON.parse(line).Metadata.WriteTimestampMicros.N,
    );
    expect(times).toContain('1793491200000000');
    expect(times).toContain('1793494799999999');
  });

  it('reports every item and record once', async () => {
    let told = 0;
    const { story } = await tell({ onProgress: (count) => (told += count) });
    expect(told).toBe(
      story.fullExport.itemCount + story.windows.reduce((sum, { itemCount }) => sum + itemCount, 0),
    );
  });

  it('can be without items and without windows', async () => {
    for (const dataset of ['mystore', 'wild'] as const) {
      const { store, story } = await tell({ dataset, items: 0, windows: 2 });
      expect(story.fullExport.itemCount).toBe(0);
      replay(store, story);
      expect((await tell({ dataset, items: 1, windows: 0 })).story.windows).toEqual([]);
    }
  });
});

describe('mystore', () => {
  it('has orders of about 500 bytes whose sums add up', async () => {
    const { store, story } = await tell({ items: 3000, windows: 0 });
    const { lines } = readExport(store, story.full, root);
    const bytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0) / lines.length;
    expect(bytes).toBeGreaterThan(400);
    expect(bytes).toBeLessThan(600);
    const names = new Map<string, number>();
    for (const line of lines) {
      const { Item } = JSON.parse(line);
      for (const name of Object.keys(Item)) names.set(name, (names.get(name) ?? 0) + 1);
      let cents = 0;
      let pieces = 0;
      for (const { M } of Item.lines.L) {
        cents += Math.round(Number(M.price.N) * 100) * Number(M.qty.N);
        pieces += Number(M.qty.N);
      }
      const percent = Item.coupon === undefined ? 0 : Number(Item.coupon.S.slice(4));
      expect(Item.amount.N).toMatch(/^\d+(\.\d{0,1}[1-9])?$/);
      expect(Math.round(Number(Item.amount.N) * 100)).toBe(
        cents - Math.floor((cents * percent) / 100),
      );
      expect(Item.qty.N).toBe(String(pieces));
      expect(Item.clientid.S).toMatch(/^client-\d{6}$/);
      expect(Item.created.S).toMatch(/^202[56]-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    }
    for (const name of [
      'orderId',
      'amount',
      'qty',
      'status',
      'active',
      'address',
      'lines',
      'tags',
    ]) {
      expect(names.get(name)).toBe(3000);
    }
    for (const name of [
      'coupon',
      'giftMessage',
      'referrer',
      'vip',
      'weightKg',
      'signature',
      'lockerIds',
      'expiresAt',
    ]) {
      const share = names.get(name)! / 3000;
      expect(share).toBeGreaterThan(0.004);
      expect(share).toBeLessThan(0.13);
    }
    expect(lines.some((line) => line.includes('"note":{"NULL":true}'))).toBe(true);
  });

  it('does not come in key order, and its images do not agree in the order of attributes', async () => {
    const { store, story } = await tell({
      items: 500,
      windows: 1,
      changesPerWindow: 100,
      files: 1,
    });
    const { lines } = readExport(store, story.full, root);
    const created = lines.map((line) => JSON.parse(line).Item.created.S as string);
    expect(created).not.toEqual([...created].sort());
    const orders = readExport(store, story.windows[0]!.folderUri, root)
      .lines.map((line) => JSON.parse(line))
      .filter((record) => record.OldImage !== undefined && record.NewImage !== undefined)
      .map((record) => Object.keys(record.OldImage)[0] === Object.keys(record.NewImage)[0]);
    expect(orders).toContain(false);
  });

  it('changes about two percent of its items in a window, hot clients and recent orders above all', async () => {
    const { store, story } = await tell({ items: 20_000, windows: 1 });
    const { lines } = readExport(store, story.windows[0]!.folderUri, root);
    expect(lines.length).toBeGreaterThan(200);
    expect(lines.length).toBeLessThan(500);
    const updated = lines
      .map((line) => JSON.parse(line))
      .filter((r) => r.OldImage !== undefined && r.NewImage !== undefined);
    const recent = updated.filter((record) => record.Keys.created.S >= '2026-09-22').length;
    // A tenth of the orders is that young.
    expect(recent / updated.length).toBeGreaterThan(0.25);
  });
});

describe('wild items', () => {
  it('show every feature once among the first', async () => {
    const { store, story } = await tell({ dataset: 'wild', items: 60, windows: 0, keyShape: 's' });
    const { lines } = readExport(store, story.full, root);
    const items = lines.map(
      (line) => JSON.parse(line).Item as Record<string, Record<string, unknown>>,
    );
    const names = new Set(items.flatMap((item) => Object.keys(item)));
    for (const name of [
      '__proto__',
      'constructor',
      'Id',
      'ID',
      'id',
      'a.b',
      'a-b',
      '_misfits',
      '_nulls',
      '_written_at',
      '😀',
      'nul\u0000name',
    ]) {
      expect(names.has(name)).toBe(true);
    }
    const numbers = new Set(
      items.flatMap((item) =>
        Object.values(item).flatMap((value) => (typeof value.N === 'string' ? [value.N] : [])),
      ),
    );
    for (const text of ['1E125', '1E-130', '99999999999999999999999999999999999999'])
      expect(numbers.has(text)).toBe(true);
    expect([...numbers].some((text) => text.startsWith('-0') && Number(text) === 0)).toBe(false);
    const tags = new Set(
      items.flatMap((item) => Object.values(item).flatMap((value) => Object.keys(value))),
    );
    expect([...tags].sort()).toEqual(['B', 'BOOL', 'BS', 'L', 'M', 'N', 'NS', 'NULL', 'S', 'SS']);
    const mixed = new Set(
      items.flatMap((item) => (item.mixed === undefined ? [] : Object.keys(item.mixed))),
    );
    expect(mixed.size).toBeGreaterThan(4);
    expect(items.some((item) => item.emptyText?.S === '' && Object.hasOwn(item, 'emptyText'))).toBe(
      true,
    );
    expect(
      items.some(
        (item) => Object.keys((item.counters?.M as object | undefined) ?? {}).length >= 3000,
      ),
    ).toBe(true);
    expect(
      items.some(
        (item) => Object.keys(item).filter((name) => name.startsWith('sparse_')).length >= 500,
      ),
    ).toBe(true);
    expect(lines.some((line) => line.includes('\\u0000') && line.includes('\u2028'))).toBe(true);
    expect(items.some((item) => item.deep !== undefined && depthOf(item.deep) === 32)).toBe(true);
    const longest = Math.max(...items.map((item) => String(item.long?.S ?? '').length));
    expect(longest).toBeGreaterThan(380_000);
  });

  it('stay below the 400 KB of DynamoDB, names and values', async () => {
    const { story } = await tell({ dataset: 'wild', items: 300, windows: 0, keyShape: 'bb' });
    for (const item of story.table.itemsAt(storyStartMs * 1000)) {
      expect(Buffer.byteLength(plainText(item))).toBeLessThan(409_600);
    }
  });

  it('have no two keys that DynamoDB would call equal', async () => {
    for (const keyShape of keyShapes) {
      const { story } = await tell({ dataset: 'wild', items: 300, windows: 0, keyShape });
      expect(story.table.countAt(storyStartMs * 1000)).toBe(300);
    }
  });
});

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const { L, M } = value as { L?: unknown[]; M?: object };
  const children = L ?? (M === undefined ? null : Object.values(M));
  return children === null ? 0 : 1 + Math.max(0, ...children.map(depthOf));
}

/** Roughly what DynamoDB counts: names and values, binary as bytes. */
function plainText(item: Item): string {
  let text = '';
  for (const [name, value] of item) {
    if ('B' in value) text += name + '.'.repeat(Buffer.from(value.B, 'base64').length);
    else if ('M' in value) text += name + plainText(value.M);
    else text += name + JSON.stringify(Object.values(value)[0]);
  }
  return text;
}
