// Every saved query, view and check with parameters and the answer it must give, for any engine to be asked.
// Promises: answers are computed from the simulated tables, in TypeScript, never by SQL. A number stands for a number of
// any SQL type, a Cents for a decimal; rows are in the query's own order unless the case says otherwise.
// Source: test/queries/stories.ts.

import { canonicalKey, canonicalNumber, type Item } from '../../pipeline/simulator/index.js';
import type { AttributeValue } from '../../schemas/attribute.js';
import {
  countsOf,
  iso,
  isoMicros,
  itemsOf,
  type QueryStories,
  type QueryStory,
  windowMs,
  writtenAt,
} from './stories.js';

/** A decimal of two digits, in hundredths. */
export class Cents {
  readonly cents: bigint;
  constructor(cents: bigint) {
    this.cents = cents;
  }
}

export type Expected = string | number | boolean | null | Cents;

export interface QueryCase {
  readonly folder: 'saved' | 'views' | 'checks';
  /** Name of the file, with its topic: `mystore/revenue-by-day`. */
  readonly name: string;
  /** The table it is asked about: parameters that are names are to be filled from it. */
  readonly story: keyof QueryStories;
  readonly params: Readonly<Record<string, string>>;
  readonly rows: (stories: QueryStories) => readonly (readonly Expected[])[];
  /** False: rows come in any order. */
  readonly isOrdered: boolean;
  /** Columns whose value depends on the clock, by position: whole numbers, no more can be said. */
  readonly clocked?: readonly number[];
}

// ---------------------------------------------------------------- reading items

function text(item: Item, name: string): string | null {
  const value = item.get(name);
  return value !== undefined && 'S' in value ? value.S : null;
}
function flag(item: Item, name: string): boolean | null {
  const value = item.get(name);
  return value !== undefined && 'BOOL' in value ? value.BOOL : null;
}
function whole(item: Item, name: string): number | null {
  const value = item.get(name);
  return value !== undefined && 'N' in value ? Number(value.N) : null;
}
function cents(value: AttributeValue | undefined): bigint {
  if (value === undefined || !('N' in value)) throw new Error('a number is missing');
  const [, sign, units, rest = ''] = /^(-?)(\d+)(?:\.(\d{1,2}))?$/.exec(value.N)!;
  return BigInt(`${sign}${units}${rest.padEnd(2, '0')}`);
}
function field(item: Item, map: string, name: string): string | null {
  const value = item.get(map);
  return value !== undefined && 'M' in value ? text(value.M, name) : null;
}
interface Line {
  readonly sku: string;
  readonly qty: number;
  readonly price: bigint;
}
function linesOf(item: Item): readonly Line[] {
  const value = item.get('lines');
  if (value === undefined || !('L' in value)) return [];
  return value.L.map((one) => {
    if (!('M' in one)) throw new Error('a line is no map');
    return {
      sku: text(one.M, 'sku')!,
      qty: whole(one.M, 'qty')!,
      price: cents(one.M.get('price')),
    };
  });
}
function isNullAttribute(item: Item, name: string): boolean {
  const value = item.get(name);
  return value !== undefined && 'NULL' in value;
}

// ---------------------------------------------------------------- grouping and ordering

function groups<T>(values: Iterable<T>, keyOf: (value: T) => string): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = found.get(key);
    if (group === undefined) found.set(key, [value]);
    else group.push(value);
  }
  return found;
}

type Sortable = string | number | bigint | null;

/** Compares as SQL does here: text by bytes, NULL last. */
function compare(a: Sortable, b: Sortable): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  if (typeof a === 'string' && typeof b === 'string') {
    return Buffer.compare(Buffer.from(a), Buffer.from(b));
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Rows in the order of the keys; a key that is given as [key] goes downwards. */
function sorted<T>(
  rows: Iterable<T>,
  keysOf: (row: T) => readonly (Sortable | readonly [Sortable])[],
): T[] {
  return [...rows].sort((a, b) => {
    const [left, right] = [keysOf(a), keysOf(b)];
    for (const [i, one] of left.entries()) {
      const other = right[i]!;
      const isDown = Array.isArray(one);
      const order = isDown
        ? -compare((one as readonly [Sortable])[0], (other as readonly [Sortable])[0])
        : compare(one as Sortable, other as Sortable);
      if (order !== 0) return order;
    }
    return 0;
  });
}

const sum = (values: readonly bigint[]): Cents => new Cents(values.reduce((a, b) => a + b, 0n));
const orders = ({ mystore }: QueryStories, ms?: number): readonly Item[] => itemsOf(mystore, ms);
const amounts = (items: readonly Item[]): Cents =>
  sum(items.map((item) => cents(item.get('amount'))));
const keyTexts = (story: QueryStory, item: Item): readonly [string, string] => [
  text(item, story.key[0]!)!,
  text(item, story.key[1]!)!,
];
const day = (item: Item): string => text(item, 'created')!.slice(0, 10);
const month = (item: Item): string => `${text(item, 'created')!.slice(0, 7)}-01`;

/** Counts of a text of each item, most frequent first. */
function counted(texts: Iterable<string>): readonly (readonly [string, number])[] {
  const found = [...groups(texts, (one) => one)].map(([key, all]) => [key, all.length] as const);
  return sorted(found, ([key, count]) => [[count], key]);
}

// ---------------------------------------------------------------- answers about any table

/** What is known of the table `entities`: most values of `age` are numbers. */
function misfitsOf(item: Item): readonly (readonly [string, string])[] {
  const age = item.get('age');
  return age === undefined || 'N' in age ? [] : [['age', Object.keys(age)[0]!]];
}
const nullsOf = (item: Item): readonly string[] =>
  [...item].filter(([, value]) => 'NULL' in value).map(([name]) => `/${name}`);

function stateRow(story: QueryStory, ms: number): readonly Expected[] {
  const items = itemsOf(story, ms);
  const newest = Math.max(...writtenAt(story, ms).values());
  const isEntities = story.table.name === 'entities';
  return [
    items.length,
    newest === Number.NEGATIVE_INFINITY ? null : isoMicros(newest),
    isEntities ? items.filter((item) => misfitsOf(item).length > 0).length : 0,
    items.filter((item) => nullsOf(item).length > 0).length,
  ];
}

function writtenRows(
  story: QueryStory,
  isWanted: (item: Item, micros: number | null) => boolean,
): readonly (readonly Expected[])[] {
  const written = writtenAt(story);
  const rows = itemsOf(story).flatMap((item) => {
    const micros = written.get(canonicalKey(item, story.table.key)) ?? null;
    if (!isWanted(item, micros)) return [];
    return [[...keyTexts(story, item), micros === null ? null : isoMicros(micros)]];
  });
  return sorted(rows, ([a, b]) => [a!, b!]);
}

function keysOnlyIn(
  story: QueryStory,
  inMs: number,
  notInMs: number,
): readonly (readonly Expected[])[] {
  const other = story.table.stateAt(notInMs * 1000);
  const rows = itemsOf(story, inMs)
    .filter((item) => !other.has(canonicalKey(item, story.table.key)))
    .map((item) => keyTexts(story, item));
  return sorted(rows, (row) => row);
}

function windowRows(story: QueryStory): readonly (readonly Expected[])[] {
  const isEntities = story.table.name === 'entities';
  const misfitRows = (ms: number): number =>
    isEntities ? itemsOf(story, ms).filter((item) => misfitsOf(item).length > 0).length : 0;
  const first = itemsOf(story, story.startMs).length;
  return [
    ['load', 1, null, iso(story.startMs), first, 0, 0, misfitRows(story.startMs), first],
    ...story.windows.map((window) => {
      const { inserted, updated, deleted } = countsOf(story, window);
      const misfits = misfitRows(window.toMs);
      const rows = itemsOf(story, window.toMs).length;
      const span = [iso(window.fromMs), iso(window.toMs)];
      return ['merge', 1, ...span, inserted, updated, deleted, misfits, rows];
    }),
  ];
}

function growthRows(story: QueryStory): readonly (readonly Expected[])[] {
  const days = groups(story.windows, (window) => iso(window.fromMs).slice(0, 10));
  return [...days].map(([date, windows]) => {
    const counts = windows.map((window) => countsOf(story, window));
    const total = (name: 'inserted' | 'updated' | 'deleted'): number =>
      counts.reduce((all, one) => all + one[name], 0);
    const rows = itemsOf(story, windows.at(-1)!.toMs).length;
    return [date, rows, total('inserted'), total('updated'), total('deleted')];
  });
}

function profile(story: QueryStory, column: string, type: string): readonly Expected[] {
  const items = itemsOf(story);
  const values = items.flatMap((item) => text(item, column) ?? []);
  const ordered = sorted(new Set(values), (value) => [value]);
  return [
    type,
    items.length,
    values.length,
    items.length - values.length,
    ordered.length,
    ordered[0] ?? null,
    ordered.at(-1) ?? null,
  ];
}

function hourRows(story: QueryStory, first: number): readonly (readonly Expected[])[] {
  const hours = groups(writtenAt(story).values(), (micros) =>
    iso(Math.floor(micros / 3.6e9) * 3.6e6),
  );
  const rows = [...hours].map(([hour, all]) => [hour, all.length, isoMicros(Math.max(...all))]);
  return sorted(rows, ([hour]) => [[hour as string]]).slice(0, first);
}

function prefixOf(key: string): string | null {
  return /^([^#:|/_-]+)[#:|/_-]/.exec(key)?.[1] ?? null;
}

function prefixRows(story: QueryStory): readonly (readonly Expected[])[] {
  const keys = itemsOf(story).map((item) => keyTexts(story, item));
  const kinds = groups(keys, ([pk, sk]) => JSON.stringify([prefixOf(pk), prefixOf(sk)]));
  const rows = [...kinds].map(([kind, all]): readonly (string | number | null)[] => {
    const [first, last] = [
      sorted(all, ([pk]) => [pk])[0]![0],
      sorted(all, ([pk]) => [[pk]])[0]![0],
    ];
    return [...(JSON.parse(kind) as (string | null)[]), all.length, first, last];
  });
  return sorted(rows, ([pk, sk, count]) => [[count!], pk!, sk!]);
}

// ---------------------------------------------------------------- answers about mystore

const sparse: readonly (readonly [column: string, attribute: string])[] = [
  ['active', 'active'],
  ['address', 'address'],
  ['amount', 'amount'],
  ['coupon', 'coupon'],
  ['expires_at', 'expiresAt'],
  ['gift_message', 'giftMessage'],
  ['lines', 'lines'],
  ['locker_ids', 'lockerIds'],
  ['loyalty_points', 'loyaltyPoints'],
  ['note', 'note'],
  ['qty', 'qty'],
  ['referrer', 'referrer'],
  ['revision', 'revision'],
  ['signature', 'signature'],
  ['status', 'status'],
  ['tags', 'tags'],
  ['vip', 'vip'],
  ['weight_kg', 'weightKg'],
];

function cohortRows(stories: QueryStories): readonly (readonly Expected[])[] {
  const rows: (readonly [string, number, Item])[] = [];
  for (const all of groups(orders(stories), (item) => text(item, 'clientid')!).values()) {
    const cohort = all.map(month).sort()[0]!;
    for (const item of all) {
      const [from, to] = [cohort, month(item)].map((one) => {
        const [year, number] = one.split('-').map(Number);
        return year! * 12 + number!;
      });
      rows.push([cohort, to! - from!, item]);
    }
  }
  const cells = groups(rows, ([cohort, later]) => `${cohort} ${later}`);
  const cohorts = [...cells.values()].map((cell) => {
    const [cohort, later] = cell[0]!;
    const items = cell.map(([, , item]) => item);
    const clients = new Set(items.map((item) => text(item, 'clientid'))).size;
    return [cohort, later, clients, items.length, amounts(items)] as const;
  });
  return sorted(cohorts, ([cohort, later]) => [cohort, later]);
}

function articleRows(stories: QueryStories, status: string): readonly (readonly Expected[])[] {
  const lines = orders(stories)
    .filter((item) => text(item, 'status') === status)
    .flatMap((item) => linesOf(item).map((line) => ({ ...line, order: text(item, 'orderId')! })));
  const articles = [...groups(lines, (line) => line.sku)].map(([sku, all]) => {
    const revenue = sum(all.map((line) => line.price * BigInt(line.qty)));
    const pieces = all.reduce((count, line) => count + line.qty, 0);
    return [sku, pieces, revenue, new Set(all.map((line) => line.order)).size] as const;
  });
  return sorted(articles, ([sku, , revenue]) => [[revenue.cents], sku]).slice(0, 50);
}

function lineRows(items: readonly Item[]): readonly (readonly Expected[])[] {
  const lines = items.flatMap((item) =>
    linesOf(item).map((line) => [text(item, 'created')!, text(item, 'orderId')!, line] as const),
  );
  return sorted(lines, ([created, , line]) => [created, line.sku, line.qty, line.price]).map(
    ([created, order, line]) => [created, order, line.sku, line.qty, new Cents(line.price)],
  );
}

function statusChanges(stories: QueryStories, sinceMs: number): readonly (readonly Expected[])[] {
  const { table } = stories.mystore;
  const now = table.stateAt(stories.mystore.endMs * 1000);
  const pairs: string[] = [];
  for (const [key, item] of table.stateAt(sinceMs * 1000)) {
    const later = now.get(key);
    if (later === undefined || text(later, 'status') === text(item, 'status')) continue;
    pairs.push(JSON.stringify([text(item, 'status'), text(later, 'status')]));
  }
  const rows = counted(pairs).map(([pair, count]) => {
    const [then, later] = JSON.parse(pair) as [string, string];
    return [then, later, count] as const;
  });
  return sorted(rows, ([then, later, count]) => [[count], then, later]);
}

function sizeRows(stories: QueryStories, least: number): readonly (readonly Expected[])[] {
  const size = (value: string | null): number => Buffer.byteLength(value ?? '');
  const names = ['clientid', 'created', 'orderId', 'status', 'note', 'giftMessage'];
  const rows = orders(stories).map((item) => {
    const texts = names.reduce((all, name) => all + size(text(item, name)), 0);
    const address = size(field(item, 'address', 'street')) + size(field(item, 'address', 'city'));
    const [clientid, created] = keyTexts(stories.mystore, item);
    return [clientid, created, texts + address, linesOf(item).length] as const;
  });
  return sorted(
    rows.filter(([, , bytes]) => bytes >= least),
    ([clientid, created, bytes, lines]) => [[bytes], [lines], clientid, created],
  );
}

// ---------------------------------------------------------------- the cases

const asked = (
  name: string,
  rows: QueryCase['rows'],
  more: Partial<QueryCase> = {},
): QueryCase => ({
  folder: 'saved',
  name,
  story: name.startsWith('mystore/') ? 'mystore' : 'entities',
  params: {},
  rows,
  isOrdered: true,
  ...more,
});
const storyStart = '2026-11-01T00:00:00Z';
const startMs = Date.parse(storyStart);
/** A time between two snapshots, in the middle of the second window. */
const within = new Date(startMs + 1.5 * windowMs).toISOString().slice(0, 19);
const afterFirst = startMs + windowMs;

const anyTable: readonly QueryCase[] = (['mystore', 'entities'] as const).flatMap((story) => {
  const of = (stories: QueryStories): QueryStory => stories[story];
  const about = (name: string, rows: QueryCase['rows'], more: Partial<QueryCase> = {}): QueryCase =>
    asked(`lake/${name}`, rows, { story, ...more });
  const check = (name: string): QueryCase =>
    about(name, () => [], { folder: 'checks', isOrdered: false });
  return [
    about('current-state', (s) => [stateRow(of(s), of(s).endMs)]),
    about('state-as-of', (s) => [stateRow(of(s), startMs)], { params: { as_of: storyStart } }),
    about('state-as-of', (s) => [stateRow(of(s), afterFirst)], { params: { as_of: within } }),
    about('windows', (s) => windowRows(of(s))),
    about('last-window', (s) => {
      const [, , ...rest] = windowRows(of(s)).at(-1)!;
      return [[...rest.slice(0, 5), rest.at(-1)!]];
    }),
    about('last-window-rows', (s) => {
      const fromMicros = of(s).windows.at(-1)!.fromMs * 1000;
      return writtenRows(of(s), (_, micros) => micros !== null && micros >= fromMicros);
    }),
    about('deleted-since', (s) => keysOnlyIn(of(s), startMs, of(s).endMs), {
      params: { since: storyStart },
    }),
    about('inserted-since', (s) => keysOnlyIn(of(s), of(s).endMs, startMs), {
      params: { since: storyStart },
    }),
    about('growth-by-day', (s) => growthRows(of(s))),
    about(
      'freshness',
      (s) => [[iso(of(s).endMs), isoMicros(Math.max(...writtenAt(of(s)).values())), 0]],
      { clocked: [2] },
    ),
    about('null-attributes', (s) => counted(itemsOf(of(s)).flatMap(nullsOf))),
    about('newest-writes', (s) => hourRows(of(s), 24)),
    about('newest-writes', (s) => hourRows(of(s), 3), { params: { first: '3' } }),
    about('keys-by-prefix', (s) => prefixRows(of(s))),
    about('rows-per-key', (s) =>
      counted(itemsOf(of(s)).map((item) => keyTexts(of(s), item)[0])).slice(0, 20),
    ),
    check('keys-present'),
    check('keys-unique'),
    check('windows-contiguous'),
    check('totals-agree'),
    check('writes-inside'),
    check('own-columns-filled'),
  ];
});

/** Every case. A query has at least one; a file without one fails a test. */
export const queryCases: readonly QueryCase[] = [
  ...anyTable,
  asked('lake/misfits', ({ entities }) =>
    counted(itemsOf(entities).flatMap((item) => misfitsOf(item).map(([name]) => name))),
  ),
  asked('lake/misfits', () => [], { story: 'mystore' }),
  asked('lake/misfit-types', ({ entities }) => {
    const types = itemsOf(entities).flatMap((item) => misfitsOf(item).map((one) => one.join(' ')));
    const rows = counted(types).map(([type, count]) => [...type.split(' '), count] as const);
    return sorted(rows, ([name, type, count]) => [[count as number], name!, type!]);
  }),
  asked('lake/column-profile', ({ entities }) => [profile(entities, 'email', 'varchar')], {
    params: { column: 'email' },
  }),
  asked('lake/column-profile', ({ mystore }) => [profile(mystore, 'coupon', 'varchar')], {
    story: 'mystore',
    params: { column: 'coupon' },
  }),
  asked(
    'lake/duplicates',
    ({ entities }) =>
      counted(itemsOf(entities).flatMap((item) => text(item, 'email') ?? [])).filter(
        ([, count]) => count >= 2,
      ),
    { params: { column: 'email' } },
  ),
  asked(
    'lake/duplicates',
    ({ mystore }) =>
      counted(itemsOf(mystore).flatMap((item) => text(item, 'referrer') ?? [])).filter(
        ([, count]) => count >= 4,
      ),
    { story: 'mystore', params: { column: 'referrer', at_least: '4' } },
  ),
  asked('lake/duplicates', () => [], { story: 'mystore', params: { column: 'order_id' } }),
  asked(
    'lake/rows-of-prefix',
    ({ entities }) =>
      writtenRows(entities, (item) => {
        const [pk, sk] = keyTexts(entities, item);
        return pk.startsWith('USER#') && sk.startsWith('ORDER#');
      }),
    { params: { prefix: 'USER#', sort_prefix: 'ORDER#' } },
  ),
  asked(
    'lake/rows-of-prefix',
    ({ entities }) => writtenRows(entities, (item) => text(item, 'pk')!.startsWith('SHOP')),
    { params: { prefix: 'SHOP' } },
  ),
  asked('lake/rows-of-prefix', () => [], { params: { prefix: "' OR 1 = 1 --" } }),

  asked('mystore/revenue-by-day', (s) => {
    const days = [...groups(orders(s), day)].map(
      ([date, all]) => [date, all.length, amounts(all)] as const,
    );
    return sorted(days, ([date]) => [date]);
  }),
  asked(
    'mystore/revenue-by-day',
    (s) => {
      const wanted = orders(s).filter(
        (item) => day(item) >= '2026-10-01' && day(item) < '2026-11-02',
      );
      const days = [...groups(wanted, day)].map(
        ([date, all]) => [date, all.length, amounts(all)] as const,
      );
      return sorted(days, ([date]) => [date]);
    },
    { params: { from_day: '2026-10-01', to_day: '2026-11-02' } },
  ),
  asked('mystore/clients-by-revenue', (s) => {
    const clients = [...groups(orders(s), (item) => text(item, 'clientid')!)].map(
      ([client, all]) =>
        [
          client,
          all.length,
          amounts(all),
          all
            .map((item) => text(item, 'created')!)
            .sort()
            .at(-1)!,
        ] as const,
    );
    return sorted(clients, ([client, , revenue]) => [[revenue.cents], client]).slice(0, 20);
  }),
  asked('mystore/client-cohorts', cohortRows),
  asked('mystore/orders-per-client', (s) => {
    const sizes = counted(orders(s).map((item) => text(item, 'clientid')!)).map(
      ([, count]) => count,
    );
    const rows = [...groups(sizes, String)].map(
      ([count, all]) => [Number(count), all.length] as const,
    );
    return sorted(rows, ([count]) => [count]);
  }),
  asked('mystore/order-lines', (s) => articleRows(s, 'DELIVERED')),
  asked('mystore/order-lines', (s) => articleRows(s, 'CANCELLED'), {
    params: { status: 'CANCELLED' },
  }),
  asked(
    'mystore/order-lines-of-client',
    (s) => lineRows(orders(s).filter((item) => text(item, 'clientid') === 'client-000001')),
    { params: { client: 'client-000001' } },
  ),
  asked('mystore/order-lines-of-client', () => [], {
    params: { client: "client-000001' OR ''='" },
  }),
  asked('mystore/orders-by-tag', (s) => {
    const tagged = orders(s).flatMap((item) => {
      const tags = item.get('tags');
      return tags !== undefined && 'SS' in tags ? tags.SS.map((tag) => [tag, item] as const) : [];
    });
    const rows = [...groups(tagged, ([tag]) => tag)].map(
      ([tag, all]) => [tag, all.length, amounts(all.map(([, item]) => item))] as const,
    );
    return sorted(rows, ([tag, count]) => [[count], tag]);
  }),
  asked('mystore/orders-by-locker', (s) => {
    const lockers = orders(s).flatMap((item) => {
      const ids = item.get('lockerIds');
      return ids !== undefined && 'NS' in ids ? ids.NS : [];
    });
    const rows = counted(lockers).map(([locker, count]) => [Number(locker), count] as const);
    return sorted(rows, ([locker, count]) => [[count], locker]).slice(0, 20);
  }),
  asked('mystore/orders-by-status', (s) => {
    const rows = [...groups(orders(s), (item) => text(item, 'status')!)].map(([status, all]) => {
      const active = all.filter((item) => flag(item, 'active') === true).length;
      return [status, all.length, active, amounts(all)] as const;
    });
    return sorted(rows, ([status, count]) => [[count], status]);
  }),
  asked('mystore/status-changes-since', (s) => statusChanges(s, startMs), {
    params: { since: storyStart },
  }),
  asked('mystore/status-changes-since', (s) => statusChanges(s, afterFirst), {
    params: { since: within },
  }),
  asked('mystore/orders-by-city', (s) => {
    const rows = [...groups(orders(s), (item) => field(item, 'address', 'city')!)].map(
      ([city, all]) => {
        const zips = all.filter((item) => field(item, 'address', 'zip') !== null).length;
        return [city, all.length, zips, amounts(all)] as const;
      },
    );
    return sorted(rows, ([city, count]) => [[count], city]);
  }),
  ...['0', '99.5'].map((least) =>
    asked(
      'mystore/coupons',
      (s) => {
        const used = orders(s).filter(
          (item) =>
            text(item, 'coupon') !== null &&
            Number(cents(item.get('amount'))) >= Number(least) * 100,
        );
        const rows = [...groups(used, (item) => text(item, 'coupon')!)].map(
          ([coupon, all]) => [coupon, all.length, amounts(all)] as const,
        );
        return sorted(rows, ([coupon, count]) => [[count], coupon]);
      },
      { params: least === '0' ? {} : { at_least: least } },
    ),
  ),
  asked('mystore/expiring-orders', (s) => {
    const dates = orders(s).flatMap((item) => {
      const seconds = whole(item, 'expiresAt');
      return seconds === null ? [] : [iso(seconds * 1000).slice(0, 10)];
    });
    return sorted(counted(dates), ([date]) => [date]);
  }),
  asked('mystore/sparse-attributes', (s) => {
    const all = orders(s);
    const rows = sparse.map(([column, name]) => {
      const filled = all.filter((item) => item.has(name) && !isNullAttribute(item, name)).length;
      return [column, filled, all.length - filled] as const;
    });
    return sorted(rows, ([column, filled]) => [[filled], column]);
  }),
  asked('mystore/notes', (s) => {
    const given = orders(s).filter((item) => text(item, 'note') !== null).length;
    const isNull = orders(s).filter((item) => isNullAttribute(item, 'note')).length;
    return [[given, isNull, orders(s).length - given - isNull]];
  }),
  asked('mystore/orders-by-size', (s) => sizeRows(s, 100)),
  asked('mystore/orders-by-size', (s) => sizeRows(s, 125), { params: { bytes_min: '125' } }),

  asked(
    'mystore/mystore-current',
    (s) => {
      const written = writtenAt(s.mystore);
      return orders(s).map((item) => {
        const [clientid, created] = keyTexts(s.mystore, item);
        const micros = written.get(canonicalKey(item, s.mystore.table.key));
        return [
          clientid,
          created,
          created,
          text(item, 'orderId'),
          text(item, 'status'),
          flag(item, 'active'),
          whole(item, 'qty'),
          amounts([item]),
          text(item, 'coupon'),
          text(item, 'note'),
          field(item, 'address', 'street'),
          field(item, 'address', 'city'),
          field(item, 'address', 'zip'),
          whole(item, 'revision'),
          micros === undefined ? null : isoMicros(micros),
        ];
      });
    },
    { folder: 'views', isOrdered: false },
  ),
  asked(
    'mystore/mystore-order-lines',
    (s) =>
      orders(s).flatMap((item) =>
        linesOf(item).map((line) => [
          ...keyTexts(s.mystore, item),
          text(item, 'orderId'),
          line.sku,
          line.qty,
          new Cents(line.price),
          new Cents(line.price * BigInt(line.qty)),
        ]),
      ),
    { folder: 'views', isOrdered: false },
  ),
  asked(
    'mystore/mystore-clients',
    (s) =>
      [...groups(orders(s), (item) => text(item, 'clientid')!)].map(([client, all]) => {
        const times = all.map((item) => text(item, 'created')!).sort();
        return [client, all.length, amounts(all), times[0]!, times.at(-1)!];
      }),
    { folder: 'views', isOrdered: false },
  ),
  asked('mystore/lines-add-up', () => [], { folder: 'checks', isOrdered: false }),
];

// ---------------------------------------------------------------- comparing

/** A row of an answer or of what is expected, as one text: equal rows give equal texts, whatever the engine's types. */
export function rowText(row: readonly unknown[], testCase: Pick<QueryCase, 'clocked'>): string {
  const isClocked = (column: number): boolean => testCase.clocked?.includes(column) ?? false;
  return row
    .map((value, column) => {
      if (isClocked(column)) return /^\d+$/.test(String(value)) ? 'a number' : String(value);
      return valueText(value);
    })
    .join(' | ');
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  if (value instanceof Cents) {
    const digits = String(value.cents < 0n ? -value.cents : value.cents).padStart(3, '0');
    const text = `${digits.slice(0, -2)}.${digits.slice(-2)}`;
    return canonicalNumber(value.cents < 0n ? `-${text}` : text);
  }
  const text = String(value);
  const time = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})(?:\.(\d+?)0*)?(?: ?UTC|Z)?$/.exec(text);
  if (time !== null) {
    const fraction = (time[3] ?? '').replace(/^0$/, '');
    return `${time[1]} ${time[2]}${fraction === '' ? '' : `.${fraction}`}`;
  }
  return /^-?\d+(\.\d+)?$/.test(text) ? canonicalNumber(text) : text;
}

/** The rows of an answer and those expected as texts, in an order in which they can be compared. */
export function comparable(
  testCase: QueryCase,
  rows: readonly (readonly unknown[])[],
): readonly string[] {
  const texts = rows.map((row) => rowText(row, testCase));
  return testCase.isOrdered ? texts : texts.sort();
}
