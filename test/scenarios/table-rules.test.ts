// Rules that the configuration gives a table: how columns are named, and whether number columns become wider by themselves.
// Promises: whatever the rules, every item comes back exactly, now and as of every earlier instant; names never change.
// Source: DESIGN.md, "Scan and type (lossless)" (names, change over time).

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { schema, setColumnType, status } from '../../pipeline/index.js';
import type { MergeOptions } from '../../pipeline/merge/merge-exports.js';
import { mergeExports } from '../../pipeline/merge/merge-exports.js';
import type { MergeReport } from '../../pipeline/reports.js';
import type { SettingsOf } from '../../schemas/source-settings.js';
import { runHere } from './command-here.js';
import { DiskStory, differences, expectedItems } from './story-world.js';
import { hour, Tale } from './tale.js';

let lake: DiskStory;
let tale: Tale;

beforeEach(() => {
  lake = DiskStory.open('rules', 'tale');
  tale = new Tale(lake);
});
afterEach(() => lake.close());

async function merge(h: number, more: Partial<MergeOptions> = {}): Promise<MergeReport> {
  const options = {
    ...lake.target,
    exportUris: [await tale.window(h)],
    acceptGap: false,
    acceptSeam: false,
    ...more,
  };
  for await (const report of mergeExports(lake.world, options)) return report;
  throw new Error('no report');
}

/** The lake equals the simulated table as of every whole hour from the load on. */
async function holds(h: number): Promise<void> {
  for (let at = 0; at <= h; at++) {
    const found = await lake.items(new Date(hour(at)).toISOString());
    const expected = expectedItems(tale.table, hour(at));
    expect({ at, ...differences(found, expected) }).toEqual({ at, missing: [], extra: [] });
    expect(found.length).toBe(expected.length);
  }
}

async function columns(): Promise<Record<string, string>> {
  const rows = await schema(lake.world, lake.target);
  return Object.fromEntries(
    rows
      .filter((row) => row.column !== '' && row.attribute !== null)
      .map((r) => [r.column, r.type]),
  );
}

const k = (n: number): { readonly S: string } => ({ S: `k${n}` });

describe('the rule of naming', () => {
  const wide = {
    pk: k(1),
    orderId: { S: 'a' },
    OrderID: { S: 'b' },
    'ship-To': { M: { zipCode: { S: '1' } } },
  };

  it('lower_case keeps words together, at every level, and tells names apart that differ in case', async () => {
    tale.put(-1, wide);
    await lake.load(await tale.full(), { key: ['pk'], naming: 'lower_case' });
    const found = await columns();
    // Two attributes want `orderid`: the first in order has it, the other a mark of its own.
    expect(Object.keys(found).map((name) => name.replace(/_[0-9a-f]{6}$/, '_*'))).toEqual([
      'pk',
      'orderid',
      'orderid_*',
      'ship_to',
    ]);
    expect(found.ship_to).toContain('zipcode');
    await holds(0);
  });

  it("is the table's from its first load on: windows and new epochs follow it, whatever is configured then", async () => {
    tale.put(-1, { pk: k(1), orderId: { S: 'a' } });
    tale.put(0, { pk: k(1), orderId: { S: 'a' }, shipTo: { S: 'x' } });
    tale.put(1, { pk: k(2), paidAt: { S: 'y' }, at: { M: { zipCode: { S: '1' } } } });
    await lake.load(await tale.full(), { key: ['pk'], naming: 'lower_case' });
    await merge(0);
    expect(Object.keys(await columns())).toEqual(['pk', 'orderid', 'shipto']);
    await lake.load(await tale.full(2), { naming: 'snake_case' });
    const found = await columns();
    expect(Object.keys(found).sort()).toEqual(['at', 'orderid', 'paidat', 'pk', 'shipto']);
    expect(found.at).toContain('zipcode');
    await holds(2);
  });

  it('never renames a column of a table that began with the other rule', async () => {
    tale.put(-1, { pk: k(1), orderId: { S: 'a' } });
    tale.put(0, { pk: k(1), orderId: { S: 'a' }, shipTo: { S: 'x' } });
    await tale.load();
    await merge(0);
    await lake.load(await tale.full(1), { naming: 'lower_case' });
    expect(Object.keys(await columns()).sort()).toEqual(['order_id', 'pk', 'ship_to']);
    await holds(1);
  });
});

describe('the rule of retyping', () => {
  beforeEach(async () => {
    for (let n = 0; n < 5; n++) tale.put(-1, { pk: k(n), n: { N: `${n}` }, t: { S: 'x' } });
    tale.put(0, { pk: k(7), n: { N: '0.25' } });
    tale.put(0, { pk: k(8), n: { N: '12.5' } });
    tale.put(0, { pk: k(9), n: { N: '1E125' }, t: { N: '7' } });
    tale.put(1, { pk: k(8), n: { N: '3' } });
    tale.delete(1, { pk: k(9) });
    await tale.load();
  });

  it.each([
    ['ask', { retype: 'ask' }],
    ['a table above retypeBytesMax', { retypeBytesMax: 0 }],
  ] as const)(
    '%s: the column stays, the numbers are misfits, exact, and status names the command',
    async (_, rule) => {
      const report = await merge(0, rule);
      expect(report).toMatchObject({ action: 'applied', retypedColumns: [], misfits: 3 });
      expect(await columns()).toMatchObject({ n: 'long' });
      const [row] = await status(lake.world, lake.target);
      // 0.25 and 12.5; no decimal holds 1E125, and `t` is text.
      expect(row).toMatchObject({
        misfits: 4,
        retypes: [{ column: 'n', type: 'decimal(18, 2)', values: 2 }],
      });
      await holds(1);
    },
  );

  it('schema set as status names it brings them in, and nothing waits any more', async () => {
    await merge(0, { retype: 'ask' });
    const [before] = await status(lake.world, lake.target);
    const { column, type } = before!.retypes[0]!;
    const report = await setColumnType(lake.world, { ...lake.target, column, type });
    expect(report).toMatchObject({ action: 'retyped', misfits: 1 });
    expect(await columns()).toMatchObject({ n: 'decimal(18,2)' });
    const [after] = await status(lake.world, lake.target);
    expect(after).toMatchObject({ misfits: 2, retypes: [] });
    await holds(1);
  });

  it('says nothing of numbers that are gone again', async () => {
    await merge(0, { retype: 'ask' });
    tale.delete(1, { pk: k(7) });
    await merge(1, { retype: 'ask' });
    const [row] = await status(lake.world, lake.target);
    expect(row).toMatchObject({ misfits: 0, retypes: [] });
    await holds(2);
  });

  it('auto takes up what ask left, with the next number that does not fit', async () => {
    await merge(0, { retype: 'ask' });
    tale.put(1, { pk: k(6), n: { N: '1.5' } });
    expect(await merge(1)).toMatchObject({ retypedColumns: ['n'], misfits: 0 });
    await holds(2);
  });
});

describe('asking first', () => {
  it('holds for lists and maps too, and for places that were always empty', async () => {
    tale.put(-1, { pk: k(1), l: { L: [{ N: '1' }] }, m: { M: { x: { N: '1' } } }, e: { L: [] } });
    tale.put(0, {
      pk: k(2),
      l: { L: [{ N: '0.5' }] },
      m: { M: { x: { N: '0.5' } } },
      e: { L: [{ N: '1' }] },
    });
    await tale.load();
    expect(await merge(0, { retype: 'ask' })).toMatchObject({ retypedColumns: [] });
    await holds(1);
  });
});

describe('a key', () => {
  it('follows its values under ask too, since a key is never a misfit; above the size it is refused', async () => {
    tale = new Tale(lake, { key: ['S', 'N'] });
    tale.put(-1, { pk: k(1), sk: { N: '1' } });
    tale.put(0, { pk: k(1), sk: { N: '1.5' } });
    await tale.load();
    const refused = await merge(0, { retypeBytesMax: 0 });
    expect(refused).toMatchObject({ action: 'refused', error: { code: 'REFUSED_TYPE_CONFLICT' } });
    expect(refused.error!.next).toContain('--retype-bytes-max');
    const report = await merge(0, { retype: 'ask' });
    expect(report).toMatchObject({ action: 'applied', retypedColumns: ['sk'], misfits: 0 });
    await holds(1);
  });
});

describe("what is configured for an export's table", () => {
  const settingsOf: SettingsOf = ({ tableName, tableArn }) => {
    expect(tableArn).toContain(`:table/${tableName}`);
    return { table: 'orders', key: ['pk'], naming: 'lower_case', retype: 'ask' };
  };

  it('names the lake table, its key and its rules', async () => {
    tale.put(-1, { pk: k(1), orderId: { N: '1' } });
    tale.put(0, { pk: k(1), orderId: { N: '1.5' } });
    const { table: _, ...target } = lake.target;
    const { loadExport } = await import('../../pipeline/index.js');
    const exportUri = await tale.full();
    expect(await loadExport(lake.world, { ...target, exportUri, settingsOf })).toMatchObject({
      table: 'orders',
    });
    const options = { ...target, exportUris: [await tale.window(0)], settingsOf };
    const reports: MergeReport[] = [];
    for await (const one of mergeExports(lake.world, {
      ...options,
      acceptGap: false,
      acceptSeam: false,
    }))
      reports.push(one);
    expect(reports).toMatchObject([{ table: 'orders', action: 'applied', retypedColumns: [] }]);
    const [row] = await status(lake.world, { ...target, table: 'orders' });
    expect(row!.retypes).toEqual([{ column: 'orderid', type: 'decimal(18, 2)', values: 1 }]);
  });

  it('is what the command takes from tidelake.config.json', async () => {
    tale.put(-1, { pk: k(1), orderId: { N: '1' } });
    tale.put(0, { pk: k(1), orderId: { N: '1.5' } });
    const config = {
      defaults: { retype: 'ask' },
      tables: [{ name: 'tale', lakeTable: 'orders', key: ['pk'], naming: 'lower_case' }],
    };
    writeFileSync(join(lake.folder, 'tidelake.config.json'), JSON.stringify(config));
    for (const args of [
      ['load', await tale.full()],
      ['merge', await tale.window(0)],
    ]) {
      expect(await runHere(lake.folder, args)).toMatchObject({ exitCode: 0 });
    }
    const said = await runHere(lake.folder, ['status']);
    const wanted = '1 misfit would fit orderid as decimal(18, 2)';
    const command = /tidelake (schema set orderid "decimal\(18, 2\)" --table orders)$/m;
    expect(said.out).toContain(wanted);
    const [, line] = command.exec(said.out)!;
    const words = [...line!.matchAll(/"([^"]*)"|(\S+)/g)].map((one) => one[1] ?? one[2]!);
    expect(await runHere(lake.folder, words)).toMatchObject({ exitCode: 0 });
    expect((await runHere(lake.folder, ['status'])).out).not.toContain('would fit');
    // By hand, a flag goes before the file.
    tale.put(1, { pk: k(2), orderId: { N: '0.0001' } });
    const more = await runHere(lake.folder, ['merge', await tale.window(1), '--retype', 'auto']);
    expect(more.out).toContain('retyped: orderId');
  });

  it('gives way to what is said by hand', async () => {
    tale.put(-1, { pk: k(1), orderId: { N: '1' } });
    const report = await lake.load(await tale.full(), { naming: 'snake_case', settingsOf });
    expect(report.table).toBe('tale');
    expect(Object.keys(await columns())).toEqual(['pk', 'order_id']);
  });
});
