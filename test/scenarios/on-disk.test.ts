// A lake on disk, read as people read it: query, time travel, schema, status and verify after every act.
// Promises: what SQL answers equals the simulator's states, values and all; names and ids of columns stay.
// Source: DESIGN.md, "The command" (query, schema, status, verify).

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { query, schema, status, verify } from '../../pipeline/index.js';
import {
  canonicalNumber,
  type Item,
  type KeyShape,
  simulate,
} from '../../pipeline/simulator/index.js';
import { DiskStory, differences, expectedItems, isMarking } from './story-world.js';
import { hour, Tale } from './tale.js';

let lake: DiskStory;
const same = { missing: [], extra: [] };

beforeEach(() => {
  lake = DiskStory.open('disk');
});
afterEach(() => lake.close());

async function sql(text: string, asOf?: string): Promise<readonly (readonly unknown[])[]> {
  const result = await query(lake.world, {
    ...lake.target,
    sql: text,
    ...(asOf === undefined ? {} : { asOf }),
  });
  const rows: (readonly unknown[])[] = [];
  for await (const row of result.rows) rows.push(row);
  return rows;
}

async function failedChecks(): Promise<readonly string[]> {
  const [report] = await verify(lake.world, lake.target);
  return report!.checks.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`);
}

const text = (item: Item, name: string): string | null => {
  const value = item.get(name);
  return value !== undefined && 'S' in value ? value.S : null;
};
const number = (item: Item, name: string): string | null => {
  const value = item.get(name);
  return value !== undefined && 'N' in value ? canonicalNumber(value.N) : null;
};

describe('mystore in four buckets', () => {
  it('answers SQL with the simulated values, now and then, and passes every check', async () => {
    const story = await simulate({
      store: lake.world.store,
      outUri: lake.exportsUri,
      dataset: 'mystore',
      items: 300,
      windows: 2,
      seed: 'disk',
      view: 'NEW_AND_OLD_IMAGES',
      files: 2,
      changesPerWindow: 60,
    });
    await lake.load(story.full, { key: ['clientid', 'created'], buckets: 4 });
    const columns = await schema(lake.world, lake.target);
    expect(await failedChecks()).toEqual([]);
    for (const window of story.windows) await lake.merge(window.folderUri);
    expect(await failedChecks()).toEqual([]);

    const names = (await sql('SELECT * FROM mystore LIMIT 0')).length;
    expect(names).toBe(0);
    const plain = columns.filter(
      ({ type }) => type === 'string' || /^(long|bigint|decimal)/.test(type),
    );
    const attributes = plain.flatMap(({ column, attribute, type }) =>
      attribute === null ? [] : [{ column, attribute, isText: type === 'string' }],
    );
    expect(attributes.length).toBeGreaterThan(4);
    const list = attributes.map(({ column }) => `CAST("${column}" AS VARCHAR)`).join(', ');
    const instants = [story.windows[0]!.fromMs, ...story.windows.map(({ toMs }) => toMs)];
    for (const ms of instants) {
      const asOf = new Date(ms).toISOString();
      const rows = await sql(`SELECT ${list} FROM mystore ORDER BY clientid, created`, asOf);
      const found = rows.map((row) =>
        JSON.stringify(
          row.map((value, i) =>
            value === null || attributes[i]!.isText ? value : canonicalNumber(String(value)),
          ),
        ),
      );
      const expected = [...story.table.itemsAt(ms * 1000)].map((item) =>
        JSON.stringify(
          attributes.map(({ attribute, isText }) =>
            isText ? text(item, attribute) : number(item, attribute),
          ),
        ),
      );
      expect(found.sort()).toEqual(expected.sort());
    }

    const later = await schema(lake.world, lake.target);
    const ids = (rows: typeof columns): object[] =>
      rows.map(({ column, fieldId, attribute, type }) => ({ column, fieldId, attribute, type }));
    expect(ids(later)).toEqual(expect.arrayContaining(ids(columns)));
    const [row] = await status(lake.world, lake.target);
    expect(row).toMatchObject({
      health: 'ok',
      problem: null,
      rows: story.table.countAt(instants.at(-1)! * 1000),
      watermark: new Date(instants.at(-1)!).toISOString(),
      snapshots: 3,
      ...(isMarking() ? {} : { dataFiles: 4, deleteFiles: 0 }),
      gaps: [],
    });
  });
});

describe.each(['nn', 'sb'] as readonly KeyShape[])(
  'the wild table with key shape %s',
  (keyShape) => {
    it('passes every check after the load and after windows', { timeout: 60_000 }, async () => {
      const story = await simulate({
        store: lake.world.store,
        outUri: lake.exportsUri,
        dataset: 'wild',
        items: 45,
        windows: 2,
        seed: `disk ${keyShape}`,
        view: 'NEW_IMAGE',
        keyShape,
        files: 2,
        changesPerWindow: 20,
      });
      await lake.load(story.full, { key: ['pk', 'sk'], buckets: 2 });
      await lake.merge(lake.exportsUri);
      expect(await failedChecks()).toEqual([]);
      expect(
        differences(await lake.items(), expectedItems(story.table, story.windows[1]!.toMs)),
      ).toEqual(same);
      const [[count]] = (await sql('SELECT count(*) FROM wild')) as [[unknown]];
      expect(Number(count)).toBe(story.table.countAt(story.windows[1]!.toMs * 1000));
    });
  },
);

it('travels through retypes, new columns and new epochs by SQL', async () => {
  const tale = new Tale(lake);
  // Enough that one odd value is less than a tenth, and the new epoch keeps the column a number.
  for (let n = 0; n < 14; n++) {
    tale.put(-1, { pk: { S: `k${String(n).padStart(2, '0')}` }, n: { N: `${n}` } });
  }
  tale.put(0, { pk: { S: 'k01' }, n: { N: '0.25' }, late: { S: 'x' } });
  tale.put(1, { pk: { S: 'k02' }, n: { S: 'odd' } });
  tale.put(2, { pk: { S: 'k03' }, n: { N: '12345678901234567890' } });
  await tale.load();
  await tale.merge(0);
  await tale.merge(1);
  await tale.load(3);
  const at = (h: number): Promise<readonly (readonly unknown[])[]> =>
    sql('SELECT pk, n::VARCHAR FROM tale ORDER BY pk LIMIT 4', new Date(hour(h)).toISOString());
  expect(await at(0)).toEqual([
    ['k00', '0'],
    ['k01', '1'],
    ['k02', '2'],
    ['k03', '3'],
  ]);
  expect(await at(1)).toEqual([
    ['k00', '0.00'],
    ['k01', '0.25'],
    ['k02', '2.00'],
    ['k03', '3.00'],
  ]);
  expect((await at(2))[2]).toEqual(['k02', null]);
  const now = await at(3);
  expect(now.map(([, n]) => (n === null ? null : canonicalNumber(String(n))))).toEqual([
    '0',
    '0.25',
    null,
    '12345678901234567890',
  ]);
  expect(await sql("SELECT late FROM tale WHERE pk = 'k01'")).toEqual([['x']]);
  expect(await sql("SELECT _misfits['n'] FROM tale WHERE pk = 'k02'")).toEqual([['{"S":"odd"}']]);
  expect(await failedChecks()).toEqual([]);
  const rows = await schema(lake.world, lake.target);
  expect(rows.find(({ attribute }) => attribute === 'n')).toMatchObject({
    column: 'n',
    misfits: 1,
  });
});

it('stays whole over many windows', async () => {
  const tale = new Tale(lake, { key: ['S', 'S'] });
  const keys = (n: number): object => ({
    pk: { S: `c${n % 5}` },
    sk: { S: `2026-11-${10 + (n % 9)}T${n}` },
  });
  for (let n = 0; n < 30; n++) tale.put(-1, { ...keys(n), v: { N: `${n}` } });
  const windows = 24;
  for (let h = 0; h < windows; h++) {
    tale.put(h, { ...keys(h), v: { N: `${h}` }, [`a${h % 7}`]: { S: 'x' } });
    if (h % 3 === 0) tale.delete(h, keys(h + 1));
  }
  await lake.load(await tale.full(0), { key: tale.keyNames, partition: 'truncate(sk, 10)' });
  for (let h = 0; h < windows; h++) await tale.window(h, h + 1, { files: 1 });
  const reports = await lake.merge(lake.exportsUri);
  expect(reports.filter(({ action }) => action === 'applied')).toHaveLength(windows);
  expect(await failedChecks()).toEqual([]);
  for (const h of [0, 11, windows]) {
    const asOf = new Date(hour(h)).toISOString();
    expect(await lake.items(asOf)).toEqual(expectedItems(tale.table, hour(h)));
  }
  const [row] = await status(lake.world, lake.target);
  expect(row).toMatchObject({ snapshots: windows + 1, health: 'ok' });
  if (!isMarking()) expect(row!.dataFiles).toBe(9);
});

it('keeps bounds right for keys that are long, or of the last characters there are', async () => {
  const tale = new Tale(lake, { key: ['S', 'B'] });
  const texts = ['\u{10ffff}', '\uffff', 'z', '\u0001', 'é'].flatMap((one) => [
    one,
    one.repeat(300),
  ]);
  texts.forEach((text, n) => {
    const bytes = Buffer.alloc(1 + n * 40, n % 2 === 0 ? 0xff : 0);
    tale.put(-1, { pk: { S: text }, sk: { B: bytes.toString('base64') }, v: { S: text } });
    tale.put(0, { pk: { S: `${text}!` }, sk: { B: bytes.toString('base64') }, v: { B: '////' } });
  });
  await tale.load();
  expect(await failedChecks()).toEqual([]);
  await tale.merge(0);
  expect(await failedChecks()).toEqual([]);
  expect(await lake.items()).toEqual(expectedItems(tale.table, hour(1)));
});
