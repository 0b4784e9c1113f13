// What another program may do to a table, and what Tidelake makes of it afterwards.
// Promises: after work that keeps rows the next window is merged as if nothing had been; after a change of rows it is
// refused until a person adopts the snapshot; rows that the other program deleted or wrote are read as it meant them.
// The rows expected are worked out from the simulated table and from what the statement says.

import { describe, expect, it } from 'vitest';
import { mergeExports, query, verify } from '../../../pipeline/index.js';
import { canonicalItem, type Item, itemFromParsed } from '../../../pipeline/simulator/index.js';
import { differences, expectedItems } from '../../scenarios/story-world.js';
import { hour, Tale } from '../../scenarios/tale.js';
import type { AwsEndpoint } from './endpoint.js';
import type { Engine } from './engine.js';
import { EngineLake, storyLake } from './lakes.js';

const same = { missing: [], extra: [] };

/** A change of rows: the statement, and the same done to items by their keys. */
interface Change {
  readonly what: string;
  readonly sql: (table: string) => string;
  readonly apply: (items: Map<string, Item>) => void;
}

/** The engine under test, and how it says what not all say alike. */
export interface WritingEngine extends Engine {
  /** Runs a statement in the schema of the tables. */
  run(sql: string): Promise<unknown>;
  /** Writes the files of a table anew, keeping its rows. */
  compact(lake: EngineLake): Promise<unknown>;
  /** Expires as many snapshots as the engine will. */
  expire(lake: EngineLake): Promise<unknown>;
  /** Whether it keeps as many snapshots as `history.expire.min-snapshots-to-keep` says, whatever it is asked. */
  readonly keepsExpired: boolean;
  /** Makes it delete by position files, where that is a choice. */
  deletesByPosition?(lake: EngineLake): Promise<unknown>;
  /** Its name for text. */
  readonly textType: string;
}

const number = (n: number): { readonly N: string } => ({ N: String(n) });

const changes: readonly Change[] = [
  {
    what: 'DELETE',
    sql: (table) => `DELETE FROM ${table} WHERE pk IN ('k11', 'k12', 'k25')`,
    apply: (items) => {
      for (const key of ['k11', 'k12', 'k25']) items.delete(key);
    },
  },
  {
    what: 'UPDATE',
    sql: (table) => `UPDATE ${table} SET n = n + 1000 WHERE n BETWEEN 20 AND 24`,
    apply: (items) => {
      for (let n = 20; n <= 24; n++) {
        items.set(`k${n}`, new Map([...items.get(`k${n}`)!, ['n', number(n + 1000)]]));
      }
    },
  },
  {
    what: 'MERGE',
    sql: (table) => `MERGE INTO ${table} t
      USING (SELECT * FROM (VALUES ('k13', 1), ('k14', 2), ('new', 3)) AS v(pk, n)) s ON t.pk = s.pk
      WHEN MATCHED AND s.n = 1 THEN DELETE
      WHEN MATCHED THEN UPDATE SET n = s.n
      WHEN NOT MATCHED THEN INSERT (pk, n) VALUES (s.pk, s.n)`,
    apply: (items) => {
      items.delete('k13');
      items.set('k14', new Map([...items.get('k14')!, ['n', number(2)]]));
      items.set('new', itemFromParsed({ pk: { S: 'new' }, n: number(3) }));
    },
  },
];

export function writeSuite(
  name: string,
  engine: () => WritingEngine,
  endpoint: () => AwsEndpoint,
): void {
  describe.each(['rewrite', 'mark'] as const)('where windows %s', (way) => {
    writesUpon(`${name.replace('-', '_')}_${way}`, way, engine, endpoint);
  });
}

function writesUpon(
  name: string,
  way: 'rewrite' | 'mark',
  engine: () => WritingEngine,
  endpoint: () => AwsEndpoint,
): void {
  let made = 0;

  /** A table of thirty items in two buckets with three hourly windows to come. */
  async function begin(): Promise<Tale> {
    const table = `${name}_${++made}`;
    const lake = new EngineLake(endpoint(), table);
    const tale = new Tale(lake, { name: table });
    lake.past = tale.table;
    for (let n = 10; n < 40; n++) {
      const tags = { SS: ['a', `t${n}`] };
      tale.put(-1, { pk: { S: `k${n}` }, n: number(n), tags, place: { M: { zip: number(n) } } });
    }
    tale.put(-1, { pk: { S: 'k40' }, n: { S: 'odd' }, nil: { NULL: true } });
    for (let h = 0; h < 3; h++) {
      tale.put(h, { pk: { S: `k${15 + h}` }, n: number(100 + h) });
      tale.put(h, { pk: { S: `fresh${h}` }, n: number(h) });
      tale.delete(h, { pk: { S: `k${30 + h}` } });
    }
    await lake.load(await tale.full(0), { key: ['pk'], buckets: 2 });
    await lake.note(hour(0));
    return tale;
  }

  const lakeOf = (tale: Tale): EngineLake => tale.lake as EngineLake;

  async function mergeHour(tale: Tale, h: number, adoptSnapshot?: bigint) {
    const options = {
      ...lakeOf(tale).target,
      exportUris: [await tale.window(h)],
      acceptGap: false,
      acceptSeam: false,
      way,
      ...(adoptSnapshot === undefined ? {} : { adoptSnapshot }),
    };
    const outcomes: (string | undefined)[] = [];
    try {
      for await (const report of mergeExports(lakeOf(tale).world, options)) {
        outcomes.push(report.error?.code ?? report.action);
      }
    } catch (error) {
      outcomes.push((error as { readonly code?: string }).code ?? String(error));
    }
    return outcomes;
  }

  /** The table is what `expected` says, to unload, to our SQL and to the engine. */
  async function expectRows(tale: Tale, expected: readonly string[]): Promise<void> {
    const lake = lakeOf(tale);
    expect(differences(await lake.items(), expected)).toEqual(same);
    const sql = `SELECT count(*), count(n), sum(n) FROM ${lake.name}`;
    const result = await query(lake.world, { ...lake.target, sql });
    const ours: unknown[] = [];
    for await (const row of result.rows) ours.push(...row);
    const { rows } = await engine().rows(lake);
    const reader = await lake.reader();
    const theirs = rows.map((row) => canonicalItem(reader.item(row))).sort();
    expect(differences(theirs, expected)).toEqual(same);
    expect(theirs).toHaveLength(expected.length);
    const numbers = rows.map((row) => row.get('n')).filter((n) => n !== null);
    const sum = numbers.reduce((total, n) => total + Number(n), 0);
    expect(ours.map(Number)).toEqual([rows.length, numbers.length, sum]);
  }

  async function failedChecks(tale: Tale): Promise<readonly string[]> {
    const [report] = await verify(lakeOf(tale).world, lakeOf(tale).target);
    return report!.checks.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`);
  }

  /** The simulated items at an hour by the text of their key. */
  const itemsAt = (tale: Tale, h: number): Map<string, Item> =>
    new Map(
      [...tale.table.itemsAt(hour(h) * 1000)].map((item) => [
        (item.get('pk') as { readonly S: string }).S,
        item,
      ]),
    );
  const texts = (items: ReadonlyMap<string, Item>): readonly string[] =>
    [...items.values()].map(canonicalItem).sort();

  describe.each(changes)('after $what of another program', ({ sql, apply }) => {
    it('rows are read as it left them, windows are refused until its snapshot is adopted', async () => {
      const tale = await begin();
      const lake = lakeOf(tale);
      expect(await mergeHour(tale, 0)).toEqual(['applied']);
      await engine().deletesByPosition?.(lake);
      await engine().run(sql(lake.name));

      const md = await lake.metadata();
      const { summary } = md.snapshots.find(
        (one) => one['snapshot-id'] === md['current-snapshot-id'],
      )!;
      expect(Number(summary['total-position-deletes'])).toBeGreaterThan(0);

      const items = itemsAt(tale, 1);
      apply(items);
      await expectRows(tale, texts(items));
      // The state before is still there.
      expect(await lake.items(new Date(hour(1)).toISOString())).toEqual(texts(itemsAt(tale, 1)));
      expect(await mergeHour(tale, 1)).toEqual(['REFUSED_FOREIGN_WRITER']);
      await expectRows(tale, texts(items));

      const id = BigInt((await lake.metadata())['current-snapshot-id']);
      expect(await mergeHour(tale, 1, id)).toEqual(['applied']);
      // What the window brings wins; what it does not speak of stays as the other program left it.
      const [before, after] = [itemsAt(tale, 1), itemsAt(tale, 2)];
      for (const [key, item] of after) if (before.get(key) !== item) items.set(key, item);
      for (const key of before.keys()) if (!after.has(key)) items.delete(key);
      await expectRows(tale, texts(items));
      expect(await failedChecks(tale)).toEqual([]);
    });
  });

  it('goes on after a compaction', async () => {
    const tale = await begin();
    const lake = lakeOf(tale);
    // Two small files in a partition are what a compaction looks for; they come of a change that is adopted.
    await engine().run(changes[0]!.sql(lake.name));
    const items = itemsAt(tale, 0);
    changes[0]!.apply(items);
    const id = BigInt((await lake.metadata())['current-snapshot-id']);
    expect(await mergeHour(tale, 0, id)).toEqual(['applied']);
    await engine().run(changes[1]!.sql(lake.name));
    const second = BigInt((await lake.metadata())['current-snapshot-id']);
    expect(await mergeHour(tale, 1, second)).toEqual(['applied']);
    const merged = await lake.items();

    const before = (await lake.metadata())['current-snapshot-id'];
    await engine().compact(lake);
    const md = await lake.metadata();
    const now = md.snapshots.find((one) => one['snapshot-id'] === md['current-snapshot-id'])!;
    expect({ isNew: now['snapshot-id'] !== before, operation: now.summary.operation }).toEqual({
      isNew: true,
      operation: 'replace',
    });
    await expectRows(tale, merged);
    expect(await mergeHour(tale, 2)).toEqual(['applied']);
    const [was, is] = [itemsAt(tale, 2), itemsAt(tale, 3)];
    const expected = new Map(
      merged.map((text) => [(JSON.parse(text) as { pk: { S: string } }).pk.S, text]),
    );
    for (const [key, item] of is) if (was.get(key) !== item) expected.set(key, canonicalItem(item));
    for (const key of was.keys()) if (!is.has(key)) expected.delete(key);
    await expectRows(tale, [...expected.values()].sort());
    expect(await failedChecks(tale)).toEqual([]);
  });

  it('goes on after a column was added, and leaves it alone', async () => {
    const tale = await begin();
    const lake = lakeOf(tale);
    expect(await mergeHour(tale, 0)).toEqual(['applied']);
    await engine().run(`ALTER TABLE ${lake.name} ADD COLUMN remark ${engine().textType}`);
    expect(await mergeHour(tale, 1)).toEqual(['applied']);
    await expectRows(tale, expectedItems(tale.table, hour(2)));
    const { rows } = await engine().rows(lake);
    expect(new Set(rows.map((row) => row.get('remark')))).toEqual(new Set([null]));
    expect(await failedChecks(tale)).toEqual([]);
  });

  it('goes on after snapshots were expired', async () => {
    const tale = await begin();
    const lake = lakeOf(tale);
    expect(await mergeHour(tale, 0)).toEqual(['applied']);
    expect(await mergeHour(tale, 1)).toEqual(['applied']);
    const count = (await lake.metadata()).snapshots.length;
    await engine().expire(lake);
    expect([count, (await lake.metadata()).snapshots.length]).toEqual([
      3,
      engine().keepsExpired ? 3 : 1,
    ]);
    await expectRows(tale, expectedItems(tale.table, hour(2)));
    expect(await mergeHour(tale, 2)).toEqual(['applied']);
    await expectRows(tale, expectedItems(tale.table, hour(3)));
    expect(await failedChecks(tale)).toEqual([]);
  });

  it('goes on where a number key was retyped, under the new partition spec and sort order', async () => {
    const table = `${name}_key`;
    const lake = new EngineLake(endpoint(), table);
    const tale = new Tale(lake, { name: table, key: ['N'] });
    lake.past = tale.table;
    for (let n = 0; n < 20; n++) tale.put(-1, { pk: number(n), v: number(n) });
    tale.put(0, { pk: { N: '0.5' }, v: number(1) });
    tale.put(1, { pk: number(7), v: number(700) });
    await lake.load(await tale.full(0), { key: ['pk'], buckets: 2 });
    expect(await mergeHour(tale, 0)).toEqual(['applied']);
    await engine().run(`DELETE FROM ${table} WHERE pk = 3`);
    const id = BigInt((await lake.metadata())['current-snapshot-id']);
    expect(await mergeHour(tale, 1, id)).toEqual(['applied']);
    const expected = [...tale.table.itemsAt(hour(2) * 1000)]
      .filter((item) => (item.get('pk') as { readonly N: string }).N !== '3')
      .map(canonicalItem)
      .sort();
    expect(differences(await lake.items(), expected)).toEqual(same);
    const { rows } = await engine().rows(lake);
    const reader = await lake.reader();
    expect(rows.map((row) => canonicalItem(reader.item(row))).sort()).toEqual(expected);
    expect(await failedChecks(tale)).toEqual([]);
  });

  it('reads files of another program with values of every type, and merges into them', async () => {
    const lake = await storyLake(
      endpoint(),
      `${name}_wild`,
      { dataset: 'wild', items: 120, windows: 1, keyShape: 'ss' },
      { buckets: 2 },
      1,
    );
    const expected = expectedItems(lake.past, lake.states.at(-1)!.ms);
    // Every row is written anew, and no value is changed.
    await engine().run(`UPDATE ${lake.name} SET pk = pk`);
    expect(differences(await lake.items(), expected)).toEqual(same);
    const checks = (await verify(lake.world, lake.target))[0]!.checks;
    const wrong = checks.filter(({ ok }) => !ok).map(({ name }) => name);
    expect(wrong).toEqual(['the metadata is consistent', 'the windows form one chain']);
    await engine().compact(lake);
    expect(differences(await lake.items(), expected)).toEqual(same);
    const [window] = lake.pending;
    const adoptSnapshot = BigInt((await lake.metadata())['current-snapshot-id']);
    const options = { ...lake.target, acceptGap: false, acceptSeam: false, adoptSnapshot, way };
    for await (const report of mergeExports(lake.world, {
      ...options,
      exportUris: [window!.folderUri],
    })) {
      expect({ action: report.action, error: report.error }).toEqual({
        action: 'applied',
        error: null,
      });
    }
    const after = expectedItems(lake.past, window!.toMs);
    expect(differences(await lake.items(), after)).toEqual(same);
    const { rows } = await engine().rows(lake);
    const reader = await lake.reader();
    const theirs = rows.map((row) => canonicalItem(reader.item(row))).sort();
    expect(differences(theirs, after)).toEqual(same);
  });
}
