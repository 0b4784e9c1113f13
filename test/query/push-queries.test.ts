// Saved queries pushed to a workgroup: what becomes of them, twice, after changes, and beside what others keep there.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { QueryShelf, ShelvedQuery, World } from '../../pipeline/ports.js';
import { planPush, pushQueries, statementName } from '../../pipeline/query/push-queries.js';
import type { PushRow } from '../../pipeline/reports.js';
import { lakeWithTables } from './catalog-only.js';

class MemoryShelf implements QueryShelf {
  readonly kept = new Map<string, ShelvedQuery>();
  writes = 0;
  #ids = 0;
  async list(): Promise<readonly ShelvedQuery[]> {
    return [...this.kept.values()];
  }
  async create(query: ShelvedQuery): Promise<void> {
    this.writes++;
    const id = query.kind === 'query' ? `id-${this.#ids++}` : query.name;
    if (this.kept.has(id)) throw new Error(`${id} is there`);
    this.kept.set(id, { ...query, id });
  }
  async update(query: ShelvedQuery): Promise<void> {
    this.writes++;
    if (!this.kept.has(query.id!)) throw new Error(`${query.id} is not there`);
    this.kept.set(query.id!, query);
  }
  async remove(query: ShelvedQuery): Promise<void> {
    this.writes++;
    if (!this.kept.delete(query.id!)) throw new Error(`${query.id} is not there`);
  }
}

const header = (tables: string, params = ''): string =>
  `-- title: T\n-- question: How many?\n${params}-- tables: ${tables}\n-- cost: none\n\n`;
const files: Readonly<Record<string, string>> = {
  'saved/shop/by-day.sql': `${header('shop', '-- params: day date = 2026-01-01\n')}SELECT 1 FROM shop WHERE day = :day`,
  'saved/any/count-rows.sql': `${header(':table', '-- params: table identifier\n')}SELECT count(*) FROM :table`,
  'saved/any/key-of.sql': `${header(':table', '-- params: table identifier\n-- params: partition_key identifier\n')}SELECT :partition_key FROM :table`,
  'saved/any/profile.sql': `${header(':table', '-- params: table identifier\n-- params: column identifier\n')}SELECT :column FROM :table`,
  'views/shop/shop-now.sql': `${header('shop')}SELECT a FROM shop`,
};

let world: World;
let shelf: MemoryShelf;
let close: () => Promise<void>;
const lake = 'file:///lake';

beforeEach(async () => {
  shelf = new MemoryShelf();
  ({ world, close } = await lakeWithTables(lake, ['shop', 'orders']));
  for (const [name, text] of Object.entries(files)) {
    await world.store.put(`file:///queries/${name}`, new TextEncoder().encode(text));
  }
});
afterEach(() => close());

interface Push {
  readonly dryRun?: boolean;
  readonly prune?: boolean;
  readonly table?: string;
  readonly database?: string;
  readonly params?: Readonly<Record<string, string>>;
}
const push = (more: Push = {}): Promise<readonly PushRow[]> =>
  pushQueries(world, shelf, {
    lake,
    database: 'lake',
    folders: [
      { uri: 'file:///queries/saved', kind: 'saved' },
      { uri: 'file:///queries/views', kind: 'view' },
    ],
    dryRun: false,
    prune: false,
    ...more,
  });
const told = (rows: readonly PushRow[]): readonly string[] =>
  rows.map((row) => `${row.action} ${row.kind} ${row.name}`);
const kept = (name: string): ShelvedQuery =>
  [...shelf.kept.values()].find((query) => query.name === name)!;

const everything = [
  'create query orders/count-rows',
  'create query orders/key-of',
  'skip query orders/profile',
  'create query shop/by-day',
  'create query shop/count-rows',
  'create query shop/key-of',
  'skip query shop/profile',
  'create query shop/shop-now',
  'create statement orders_count_rows',
  'create statement orders_key_of',
  'create statement shop_by_day',
  'create statement shop_count_rows',
  'create statement shop_key_of',
];

describe('a push', () => {
  it('makes queries and statements for each table they are about', async () => {
    expect(told(await push())).toEqual(everything);
    expect(kept('shop_by_day').sql).toBe('SELECT 1 FROM shop WHERE day = ?\n');
    expect(kept('shop/by-day')).toMatchObject({
      database: 'lake',
      sql: 'SELECT 1 FROM shop WHERE day = ?\n',
    });
    expect(kept('shop_by_day').description).toBe(
      "T. How many? Cost: none. Parameters, in order: day date, e.g. DATE '2026-01-01'. [tidelake lake.shop]",
    );
    expect(kept('orders/key-of').sql).toBe('SELECT "pk" FROM "orders"\n');
    expect(kept('shop/shop-now').sql).toBe(
      'CREATE OR REPLACE VIEW "lake"."shop_now" AS\nSELECT a FROM shop\n',
    );
  });

  it('says what a query lacks, and takes it', async () => {
    const skipped = (await push()).filter((row) => row.action === 'skip');
    expect(skipped.map((row) => row.reason)).toEqual(Array(2).fill('needs --param column=name'));
    expect(told(await push({ table: 'shop', params: { column: 'amount' } }))).toContain(
      'create query shop/profile',
    );
    expect(kept('shop_profile').sql).toBe('SELECT "amount" FROM "shop"\n');
  });

  it('twice changes nothing', async () => {
    await push();
    shelf.writes = 0;
    const rows = await push();
    expect(rows.filter((row) => row.action !== 'keep').map((row) => row.action)).toEqual([
      'skip',
      'skip',
    ]);
    expect(shelf.writes).toBe(0);
  });

  it('that is dry writes nothing and says the same', async () => {
    expect(told(await push({ dryRun: true }))).toEqual(everything);
    expect(shelf.writes).toBe(0);
  });

  it('updates what has another text, under the same id', async () => {
    await push();
    const before = kept('shop/by-day').id;
    await world.store.put(
      'file:///queries/saved/shop/by-day.sql',
      new TextEncoder().encode(files['saved/shop/by-day.sql']!.replace('SELECT 1', 'SELECT 2')),
    );
    const changed = (await push()).filter((row) => row.action === 'update');
    expect(told(changed)).toEqual(['update query shop/by-day', 'update statement shop_by_day']);
    expect(kept('shop/by-day')).toMatchObject({
      id: before,
      sql: 'SELECT 2 FROM shop WHERE day = ?\n',
    });
  });

  it('removes its own that are gone only when told to, and never of another table', async () => {
    await push();
    await world.store.remove('file:///queries/saved/any/count-rows.sql');
    const stale = (await push()).filter((row) => row.action === 'stale');
    expect(stale.length).toBe(4);
    expect(shelf.kept.size).toBe(11);
    expect(
      told((await push({ table: 'shop', prune: true })).filter((row) => row.action === 'remove')),
    ).toEqual(['remove query shop/count-rows', 'remove statement shop_count_rows']);
    expect((await push({ prune: true })).filter((row) => row.action === 'remove').length).toBe(2);
    expect(shelf.kept.size).toBe(7);
  });

  it('leaves alone what others keep, whatever it is called', async () => {
    const foreign: ShelvedQuery = {
      kind: 'query',
      id: 'theirs',
      name: 'shop/by-day',
      description: 'mine',
      database: 'lake',
      sql: 'SELECT 3',
    };
    const elsewhere: ShelvedQuery = {
      ...foreign,
      id: 'other',
      description: 'T [tidelake other.shop]',
      database: 'other',
    };
    shelf.kept.set('theirs', foreign);
    shelf.kept.set('other', elsewhere);
    await push();
    await push({ prune: true });
    expect(shelf.kept.get('theirs')).toEqual(foreign);
    expect(shelf.kept.get('other')).toEqual(elsewhere);
  });

  it('is refused whole when a statement of theirs has a name of ours', async () => {
    shelf.kept.set('shop_by_day', {
      kind: 'statement',
      id: 'shop_by_day',
      name: 'shop_by_day',
      description: 'mine',
      database: null,
      sql: 'SELECT 3',
    });
    await expect(push()).rejects.toMatchObject({ code: 'REFUSED_NAME_TAKEN' });
    expect(shelf.writes).toBe(0);
  });

  it('is refused without tables, and with a query that is not sound', async () => {
    await expect(push({ table: 'nowhere' })).rejects.toMatchObject({ code: 'REFUSED_NO_TABLE' });
    await world.store.put(
      'file:///queries/saved/any/bad.sql',
      new TextEncoder().encode(
        `${header(':table', '-- params: table identifier\n')}DROP TABLE :table`,
      ),
    );
    await expect(push()).rejects.toMatchObject({ code: 'REFUSED_FORMAT' });
    expect(shelf.writes).toBe(0);
  });
});

it('of two of our own with one name, one is kept and the other is stale', () => {
  const query: ShelvedQuery = {
    kind: 'query',
    id: null,
    name: 'a/b',
    description: 'd [tidelake lake.a]',
    database: 'lake',
    sql: 'SELECT 1',
  };
  const steps = planPush(
    [query],
    [
      { ...query, id: '1' },
      { ...query, id: '2' },
    ],
    { database: 'lake', prune: true },
  );
  expect(steps.map((step) => [step.action, step.query.id])).toEqual([
    ['keep', '1'],
    ['remove', '2'],
  ]);
});

it('statements have names that Athena takes', () => {
  const form = /^[a-zA-Z_][a-zA-Z0-9_@:]{1,255}$/;
  for (const [table, query] of [
    ['orders', 'by-day'],
    ['2026_orders', 'x'],
    ['a'.repeat(200), 'b'.repeat(200)],
  ] as const) {
    expect(statementName(table, query)).toMatch(form);
  }
});
