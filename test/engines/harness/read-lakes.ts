// The tables that every engine reads: one for each thing that can go wrong between a writer and a reader.
// Promises: made once for all suites of a run; nobody writes to them afterwards.

import type { LoadOptions } from '../../../pipeline/index.js';
import { mergeBy } from '../../scenarios/story-world.js';
import { hour, Tale, type TaleKey } from '../../scenarios/tale.js';
import type { AwsEndpoint } from './endpoint.js';
import { EngineLake, storyLake } from './lakes.js';

/** What a table is for, and how it is made. */
export interface ReadLake {
  readonly name: string;
  readonly fact: string;
  /** Places that filters are tried on; 25 unless told. */
  readonly places?: number;
  readonly make: (endpoint: AwsEndpoint, name: string) => Promise<EngineLake>;
}

const recipes: readonly ReadLake[] = [
  {
    name: 'every_type',
    fact: 'every type, nested, sparse and odd; bucket of a text',
    places: 30,
    make: (endpoint, name) =>
      storyLake(
        endpoint,
        name,
        { dataset: 'wild', items: 200, windows: 3, keyShape: 'ss' },
        { buckets: 4 },
      ),
  },
  {
    name: 'number_keys',
    fact: 'every type; bucket of a number',
    places: 12,
    make: (endpoint, name) =>
      storyLake(
        endpoint,
        name,
        { dataset: 'wild', items: 60, windows: 1, keyShape: 'nn' },
        { buckets: 3 },
      ),
  },
  {
    name: 'binary_keys',
    fact: 'every type; bucket of a binary',
    places: 12,
    make: (endpoint, name) =>
      storyLake(
        endpoint,
        name,
        { dataset: 'wild', items: 60, windows: 1, keyShape: 'bb' },
        { buckets: 3 },
      ),
  },
  {
    name: 'text_of_numbers',
    fact: 'every type; a number key that only text holds; unpartitioned',
    places: 12,
    make: (endpoint, name) =>
      storyLake(endpoint, name, { dataset: 'wild', items: 60, windows: 1, keyShape: 'n' }),
  },
  {
    name: 'many_merges',
    fact: 'orders after 24 hourly windows; truncate of a text',
    make: (endpoint, name) =>
      storyLake(
        endpoint,
        name,
        { dataset: 'mystore', items: 300, windows: 24 },
        { partition: 'truncate(created, 7)' },
      ),
  },
  {
    name: 'row_groups',
    fact: 'a file of several row groups, of which windows rewrote one and copied the others',
    make: async (endpoint, name) => {
      const tale = begin(endpoint, name, ['S']);
      const item = (n: number, more: object = {}): object => ({
        pk: { S: `k${String(n).padStart(6, '0')}` },
        n: { N: `${n}.25` },
        tags: { SS: ['t', `t${n % 7}`] },
        place: { M: { zip: { N: `${n % 100}` } } },
        ...more,
      });
      for (let n = 0; n < 36_000; n++) tale.put(-1, item(n));
      for (let n = 20_000; n < 20_010; n++) tale.put(0, item(n, { note: { S: `note ${n}` } }));
      tale.delete(1, { pk: { S: 'k035999' } });
      tale.put(1, item(36_001));
      return tell(tale, {}, 2);
    },
  },
  {
    name: 'cut_numbers',
    fact: 'bucket and truncate of numbers, below zero too',
    make: async (endpoint, name) => {
      const tale = begin(endpoint, name, ['N', 'N']);
      const key = (n: number): object => ({ pk: { N: `${n % 5}` }, sk: { N: `${n - 20}.25` } });
      for (let n = 0; n < 40; n += 2) tale.put(-1, { ...key(n), v: { N: `${n}` } });
      for (let n = 0; n < 40; n += 3) tale.put(0, { ...key(n), v: { N: `${n}00` } });
      for (let n = 0; n < 40; n += 5) tale.delete(1, key(n));
      return tell(tale, { partition: 'bucket(pk, 2), truncate(sk, 10)' }, 2);
    },
  },
  {
    name: 'as_it_is',
    fact: 'identity of a binary',
    make: async (endpoint, name) => {
      const tale = begin(endpoint, name, ['B', 'N']);
      const key = (n: number): object => ({
        pk: { B: Buffer.from([0xff, n % 3, 0x00, 0x7f]).toString('base64') },
        sk: { N: `${n}` },
      });
      for (let n = 0; n < 24; n += 2) tale.put(-1, { ...key(n), v: { S: `v${n}` } });
      for (let n = 0; n < 24; n += 3) tale.put(0, { ...key(n), v: { S: `w${n}` } });
      for (let n = 0; n < 24; n += 4) tale.delete(1, key(n));
      return tell(tale, { partition: 'identity(pk)' }, 2);
    },
  },
  {
    name: 'evolved',
    fact: 'columns and fields added and numbers retyped, window by window',
    make: async (endpoint, name) => {
      const tale = begin(endpoint, name, ['S']);
      const put = (h: number, n: number, more: object): void =>
        tale.put(h, { pk: { S: `k${n}` }, ...more });
      const struct = (...fields: readonly (readonly [string, object])[]): object => ({
        M: Object.fromEntries(fields),
      });
      for (let n = 10; n < 40; n++) {
        const place = struct(['city', { S: `c${n}` }], ['zip', { N: `${n}` }]);
        put(-1, n, { n: { N: `${n}` }, place, list: { L: [{ N: `${n}` }] }, old: { S: 'o' } });
      }
      // A new column, a new field, a new field of structs in a list.
      const lines = { L: [struct(['sku', { S: 's' }]), struct(['qty', { N: '2' }])] };
      put(0, 11, { n: { N: '11' }, added: { BOOL: true }, lines });
      put(0, 12, {
        place: struct(
          ['zip', { N: '7' }],
          ['land', { S: 'pt' }],
          ['geo', struct(['x', { N: '1' }])],
        ),
      });
      // long → decimal(18, 2), in a column, a field and a list.
      put(1, 13, { n: { N: '0.25' }, place: struct(['zip', { N: '-0.5' }]) });
      put(1, 14, { list: { L: [{ N: '1.5' }, { N: '2' }] } });
      // → decimal(38, s); and a set of numbers that is new.
      put(2, 15, { n: { N: '12345678901234567890.125' }, set: { NS: ['3', '-1', '20'] } });
      put(2, 16, { place: struct(['geo', struct(['x', { N: '9007199254740993' }])]) });
      // Misfits and NULLs in old and new columns; an attribute leaves all items of a range.
      put(3, 17, {
        n: { S: 'text' },
        added: { NULL: true },
        place: struct(['city', { NULL: true }]),
      });
      put(3, 18, { n: { N: '1E-100' }, '': { S: 'no name' } });
      for (let n = 20; n < 40; n++) put(3, n, { n: { N: `${n}.5` } });
      tale.delete(4, { pk: { S: 'k10' } });
      put(4, 99, { n: { N: '-99999999999999999999.999' }, added: { BOOL: false } });
      return tell(tale, {}, 5);
    },
  },
  {
    name: 'evolved_key',
    fact: 'a number key retyped: all rows cut anew under a new partition spec',
    make: async (endpoint, name) => {
      const tale = begin(endpoint, name, ['N']);
      for (let n = 0; n < 30; n++) tale.put(-1, { pk: { N: `${n}` }, v: { N: `${n}` } });
      tale.put(0, { pk: { N: '3' }, v: { N: '33' } });
      tale.put(1, { pk: { N: '0.5' }, v: { N: '1' } });
      tale.put(2, { pk: { N: '3' }, v: { N: '333' } });
      tale.delete(2, { pk: { N: '4' } });
      return tell(tale, { buckets: 3 }, 3);
    },
  },
  {
    name: 'evolved_order',
    fact: 'a number key retyped in an unpartitioned table, which is sorted by it',
    make: async (endpoint, name) => {
      const tale = begin(endpoint, name, ['N']);
      for (let n = 0; n < 12; n++) tale.put(-1, { pk: { N: `${n}` }, v: { N: `${n}` } });
      tale.put(0, { pk: { N: '18446744073709551616' }, v: { N: '1' } });
      tale.delete(1, { pk: { N: '4' } });
      return tell(tale, {}, 2);
    },
  },
  {
    name: 'moved_layout',
    fact: 'loaded anew with a key of another type and under another partition spec',
    make: async (endpoint, name) => {
      const tale = begin(endpoint, name, ['N', 'S']);
      const key = (n: number, pk = `${n % 3}`): object => ({ pk: { N: pk }, sk: { S: `s${n}` } });
      for (let n = 10; n < 30; n++) tale.put(-1, { ...key(n), v: { N: `${n}` } });
      tale.delete(0, key(11));
      tale.put(1, { ...key(50, '0.5'), v: { S: 'text' } });
      tale.put(2, { ...key(12), v: { N: '-1' } });
      const lake = await tell(tale, { buckets: 2 }, 1);
      await lake.load(await tale.full(2), { partition: 'truncate(sk, 2)' });
      await lake.note(hour(2));
      await merge(tale, 2);
      return lake;
    },
  },
  {
    name: 'empty',
    fact: 'no item at all, ever',
    make: async (endpoint, name) => tell(begin(endpoint, name, ['S']), {}, 1),
  },
  {
    name: 'emptied',
    fact: 'all items deleted, and one that came later',
    make: async (endpoint, name) => {
      const tale = begin(endpoint, name, ['S']);
      for (let n = 0; n < 6; n++) tale.put(-1, { pk: { S: `k${n}` }, v: { N: `${n}` } });
      for (let n = 0; n < 6; n++) tale.delete(0, { pk: { S: `k${n}` } });
      tale.put(1, { pk: { S: 'late' }, v: { N: '1' } });
      return tell(tale, { buckets: 2 }, 2);
    },
  },
  {
    name: 'epochs',
    fact: 'loaded anew after two windows, with other types and fewer columns',
    make: async (endpoint, name) => {
      const tale = begin(endpoint, name, ['S']);
      for (let n = 0; n < 20; n++)
        tale.put(-1, { pk: { S: `k${n}` }, v: { N: `${n}` }, gone: { S: 'g' } });
      tale.put(0, { pk: { S: 'k1' }, v: { N: '100' } });
      tale.put(1, { pk: { S: 'k2' }, v: { N: '200' } });
      for (let n = 0; n < 20; n++) tale.put(3, { pk: { S: `k${n}` }, v: { S: `text ${n}` } });
      tale.put(5, { pk: { S: 'k1' }, v: { S: 'again' }, fresh: { BOOL: true } });
      const lake = await tell(tale, {}, 2);
      await lake.load(await tale.full(5));
      await lake.note(hour(5));
      await merge(tale, 5);
      return lake;
    },
  },
];

/** Tables that are made a second time by marking changed rows as deleted: every one that has windows which do not retype. */
const marked = [
  'every_type',
  'number_keys',
  'binary_keys',
  'many_merges',
  'row_groups',
  'cut_numbers',
  'as_it_is',
  'evolved',
  'evolved_key',
];

export const readLakes: readonly ReadLake[] = [
  ...recipes,
  ...recipes
    .filter(({ name }) => marked.includes(name))
    .map(
      (recipe): ReadLake => ({
        ...recipe,
        name: `${recipe.name}_marked`,
        places: 8,
        fact: `${recipe.fact}; changed rows are marked as deleted`,
        make: async (endpoint, name) => {
          mergeBy('mark');
          try {
            return await recipe.make(endpoint, name);
          } finally {
            mergeBy(undefined);
          }
        },
      }),
    ),
];

function begin(endpoint: AwsEndpoint, name: string, key: TaleKey): Tale {
  const lake = new EngineLake(endpoint, name);
  const tale = new Tale(lake, { key, name });
  lake.past = tale.table;
  return tale;
}

/** Loads hour 0 and merges so many hours after it. */
async function tell(
  tale: Tale,
  layout: Pick<LoadOptions, 'buckets' | 'partition'>,
  hours: number,
): Promise<EngineLake> {
  const lake = tale.lake as EngineLake;
  await lake.load(await tale.full(0), { key: tale.keyNames, ...layout });
  await lake.note(hour(0));
  for (let h = 0; h < hours; h++) await merge(tale, h);
  return lake;
}

async function merge(tale: Tale, h: number): Promise<void> {
  const report = await tale.merge(h);
  if (report.action !== 'applied') throw new Error(`${tale.table.name}: ${JSON.stringify(report)}`);
  await (tale.lake as EngineLake).note(hour(h + 1));
}
