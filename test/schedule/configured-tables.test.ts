// The tables of a configuration as jobs: found by name, prefix and tag, and refused by name where two entries disagree.
// Promises: what an account has is a stub of the port that counts requests; what is expected is written by hand.
// Source: pipeline/schedule/configured-tables.ts; docs/reference/configuration.md.

import { describe, expect, it } from 'vitest';
import type { TableExports } from '../../pipeline/ports.js';
import {
  type ConfiguredTables,
  configuredTables,
  type DynamoDbPlace,
} from '../../pipeline/schedule/configured-tables.js';
import { configuredSettings } from '../../pipeline/schedule/table-entries.js';
import type { TidelakeConfig } from '../../schemas/config.js';
import { TidelakeError } from '../../schemas/errors.js';

const exports = { bucket: 'lake-exports', prefix: 'raw/' };
const target = { lake: 'file:///lake', database: 'shop', region: 'eu-west-1' };

type Tags = Readonly<Record<string, string>>;

/** An account and Region with these tables and their tags; counts what is asked. */
function account(tables: Readonly<Record<string, Tags>>): {
  readonly open: (place: DynamoDbPlace) => Promise<TableExports>;
  readonly asked: string[];
} {
  const asked: string[] = [];
  const never = (): never => {
    throw new Error('not for finding tables');
  };
  const port = (place: DynamoDbPlace): TableExports => ({
    describeTable: async (name) => {
      asked.push(`describe ${name}`);
      if (tables[name] === undefined) return null;
      return {
        tableArn: `arn:aws:dynamodb:${place.region ?? 'eu-west-1'}:123456789012:table/${name}`,
        tableName: name,
        tableId: name,
        createdMs: 0,
        key: ['id'],
        status: 'ACTIVE',
        sizeBytes: 0,
        itemCount: 0,
      };
    },
    describePitr: never,
    listExports: never,
    describeExport: never,
    requestExport: never,
    async *listTables() {
      asked.push(`list ${place.region ?? '-'} ${place.roleArn ?? '-'}`);
      yield* Object.keys(tables);
    },
    tagsOf: async (arn) => {
      asked.push(`tags ${arn}`);
      return new Map(Object.entries(tables[arn.slice(arn.lastIndexOf('/') + 1)] ?? {}));
    },
  });
  return { open: async (place) => port(place), asked };
}

const none = account({});

async function found(
  config: TidelakeConfig,
  from = none,
  table?: string,
): Promise<ConfiguredTables> {
  return configuredTables({ exports, ...config }, from.open, {
    ...target,
    ...(table === undefined ? {} : { table }),
  });
}

const namesOf = ({ jobs }: ConfiguredTables): string[] => jobs.map((job) => job.target.table);
const usage = async (made: Promise<unknown>): Promise<string> => {
  const error = await made.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof TidelakeError)) throw new Error('no TidelakeError');
  expect(error.code).toBe('USAGE');
  return `${error.what}; ${error.next}`;
};

describe('an entry by name', () => {
  it('is a job with every usual rule, and asks DynamoDB nothing', async () => {
    const { jobs, refused } = await found({ tables: [{ name: 'Shop.Orders-2' }] });
    expect(refused).toEqual([]);
    expect(jobs).toEqual([
      {
        source: 'Shop.Orders-2',
        target: { lake: 'file:///lake', database: 'shop', table: 'shop_orders_2' },
        schedule: {
          table: 'shop_orders_2',
          grainMinutes: 60,
          view: 'NEW_AND_OLD_IMAGES',
          lagMinutesMax: 180,
          destination: {
            s3Bucket: 'lake-exports',
            s3Prefix: 'raw',
            s3BucketOwner: null,
            s3SseAlgorithm: null,
            s3SseKmsKeyId: null,
          },
          mayReseed: false,
          exportsAtOnceMax: 8,
          attemptsMax: 3,
          stuckMinutesMax: 1440,
          deadlineMs: null,
        },
        buckets: null,
        partition: null,
        rules: { naming: null, retype: 'auto', retypeBytesMax: 10_737_418_240 },
        upkeep: null,
        region: null,
        roleArn: null,
      },
    ]);
    expect(none.asked).toEqual([]);
  });

  it('has the upkeep of its entry, else that of the defaults, whole', async () => {
    const { jobs } = await found({
      defaults: { upkeep: { keepDays: 30, compact: true } },
      tables: [
        { name: 'aaa' },
        { name: 'bbb', upkeep: { keepDays: 7, keepSnapshots: 5 } },
        { name: 'ccc', upkeep: {} },
      ],
    });
    expect(jobs.map(({ upkeep }) => upkeep)).toEqual([
      { keepDays: 30, keepSnapshots: 100, compact: true },
      { keepDays: 7, keepSnapshots: 5, compact: false },
      { keepDays: null, keepSnapshots: 100, compact: false },
    ]);
  });

  it('is late after three windows, not after three hours, where windows are longer', async () => {
    const lagOf = async (settings: object): Promise<number> => {
      const { jobs } = await found({ tables: [{ name: 'orders', ...settings }] });
      return jobs[0]!.schedule.lagMinutesMax;
    };
    expect(await lagOf({ grainMinutes: 15 })).toBe(180);
    expect(await lagOf({ grainMinutes: 1440 })).toBe(4320);
    expect(await lagOf({ grainMinutes: 1440, lagMinutesMax: 2000 })).toBe(2000);
  });

  it('has its own settings, else the defaults, and one layout', async () => {
    const roleArn = 'arn:aws:iam::210987654321:role/exporter';
    const { jobs } = await found({
      defaults: {
        grainMinutes: 240,
        buckets: 16,
        naming: 'lower_case',
        exports: { kmsKey: 'alias/exports', prefix: 'dynamodb' },
      },
      tables: [
        { name: 'orders', lakeTable: 'o', partition: 'truncate(created, 10)', grainMinutes: 30 },
        { name: 'items', reseed: true, retype: 'ask', region: 'us-east-1', roleArn },
        { name: 'stock', exports: { bucket: 'stock-exports', bucketOwner: '210987654321' } },
      ],
    });
    const [items, orders, stock] = jobs;
    expect(orders).toMatchObject({
      target: { table: 'o' },
      schedule: { table: 'o', grainMinutes: 30 },
      buckets: null,
      partition: 'truncate(created, 10)',
    });
    expect(items).toMatchObject({
      schedule: { grainMinutes: 240, mayReseed: true },
      buckets: 16,
      partition: null,
      rules: { naming: 'lower_case', retype: 'ask' },
      region: 'us-east-1',
      roleArn,
    });
    expect(items!.schedule.destination).toEqual({
      s3Bucket: 'lake-exports',
      s3Prefix: 'dynamodb',
      s3BucketOwner: null,
      s3SseAlgorithm: 'KMS',
      s3SseKmsKeyId: 'alias/exports',
    });
    expect(stock!.schedule.destination).toMatchObject({
      s3Bucket: 'stock-exports',
      s3BucketOwner: '210987654321',
    });
  });

  it('is called by its ARN in another account, and in the Region of its ARN', async () => {
    const { jobs } = await found({
      tables: [
        { name: 'orders', account: '210987654321', lakeTable: 'a' },
        { name: 'orders', account: '210987654321', region: 'us-gov-west-1', lakeTable: 'b' },
        { name: 'arn:aws:dynamodb:us-east-2:210987654321:table/orders', lakeTable: 'c' },
      ],
    });
    expect(jobs.map(({ source, region }) => [source, region])).toEqual([
      ['arn:aws:dynamodb:eu-west-1:210987654321:table/orders', null],
      ['arn:aws-us-gov:dynamodb:us-gov-west-1:210987654321:table/orders', 'us-gov-west-1'],
      ['arn:aws:dynamodb:us-east-2:210987654321:table/orders', 'us-east-2'],
    ]);
  });
});

describe('entries by prefix and tag', () => {
  const shop = account({
    'shop-a': { lake: 'yes' },
    'shop-b': { lake: 'yes', team: 'x' },
    'shop-tmp-1': { lake: 'yes' },
    other: {},
  });

  it('mean every table that begins so, less the exceptions', async () => {
    const tables = [{ prefix: 'shop-', except: ['shop-b', 'shop-tmp-*'] }];
    expect(namesOf(await found({ tables }, shop))).toEqual(['shop_a']);
    expect(namesOf(await found({ tables: [{ prefix: '' }] }, shop))).toHaveLength(4);
  });

  it('mean every table that has all the tags; the ARN is asked for once', async () => {
    shop.asked.length = 0;
    const tables = [{ tag: { lake: 'yes', team: 'x' }, except: ['shop-tmp-*'] }];
    expect(namesOf(await found({ tables }, shop))).toEqual(['shop_b']);
    expect(shop.asked).toEqual([
      'list - -',
      'describe shop-a',
      'tags arn:aws:dynamodb:eu-west-1:123456789012:table/shop-a',
      'tags arn:aws:dynamodb:eu-west-1:123456789012:table/shop-b',
      'tags arn:aws:dynamodb:eu-west-1:123456789012:table/other',
    ]);
  });

  it('are listed once for each Region and role', async () => {
    shop.asked.length = 0;
    const roleArn = 'arn:aws:iam::210987654321:role/exporter';
    await found(
      { tables: [{ prefix: 'shop-a' }, { prefix: 'shop-b' }, { prefix: 'o', roleArn }] },
      shop,
    );
    expect(shop.asked).toEqual(['list - -', `list - ${roleArn}`]);
  });

  it('may find nothing', async () => {
    expect(await found({ tables: [{ prefix: 'none-' }] }, shop)).toEqual({ jobs: [], refused: [] });
  });

  it('refuse an account of others without a role in it, and go on', async () => {
    const { jobs, refused } = await found({
      tables: [{ name: 'orders' }, { prefix: 'x', account: '210987654321' }],
    });
    expect(jobs).toHaveLength(1);
    expect(refused).toMatchObject([{ table: 'prefix "x"', error: { code: 'USAGE' } }]);
  });
});

describe('what one entry cannot find out', () => {
  it('stops no other entry', async () => {
    const denied = new TidelakeError({ code: 'DENIED', what: 'no', meaning: '', next: '' });
    const { jobs, refused } = await configuredTables(
      { exports, tables: [{ prefix: 'shop-' }, { name: 'orders' }] },
      () => Promise.reject(denied),
      target,
    );
    expect(jobs.map((job) => job.source)).toEqual(['orders']);
    expect(refused).toEqual([
      { table: 'prefix "shop-"', source: 'prefix "shop-"', error: denied.facts() },
    ]);
  });
});

describe('two entries that disagree', () => {
  const shop = account({ 'shop-a': {}, 'shop-b': {}, shop_a: {} });

  it('about one table: it is refused by name, and the others go on', async () => {
    const { jobs, refused } = await found(
      { tables: [{ prefix: 'shop-' }, { name: 'shop-a', grainMinutes: 15 }] },
      shop,
    );
    expect(jobs.map((job) => job.source)).toEqual(['shop-b']);
    expect(refused).toMatchObject([{ table: 'shop_a', source: 'shop-a' }]);
    expect(refused[0]!.error).toMatchObject({
      code: 'REFUSED_CONFIG',
      next: expect.stringContaining('"except": ["shop-a"]'),
    });
  });

  it('with one lake table for two: both are refused by name', async () => {
    const { jobs, refused } = await found({ tables: [{ prefix: 'shop' }] }, shop);
    expect(jobs.map((job) => job.source)).toEqual(['shop-b']);
    expect(refused.map(({ source }) => source)).toEqual(['shop-a', 'shop_a']);
    for (const { error } of refused) {
      expect(error).toMatchObject({ code: 'REFUSED_CONFIG' });
      expect(error.what).toContain('shop-a and shop_a');
      expect(error.next).toContain('lakeTable');
    }
  });

  it('is no quarrel where one has an exception, or another name', async () => {
    const { jobs, refused } = await found(
      {
        tables: [
          { prefix: 'shop', except: ['shop-a', 'shop_a'] },
          { name: 'shop-a', grainMinutes: 15 },
          { name: 'shop_a', lakeTable: 'shop_a_2' },
        ],
      },
      shop,
    );
    expect(refused).toEqual([]);
    expect(jobs.map((job) => job.target.table)).toEqual(['shop_a', 'shop_a_2', 'shop_b']);
  });
});

describe('--table', () => {
  const shop = account({ 'shop-a': {}, 'shop-b': {} });
  const tables = [{ prefix: 'shop-' }, { name: 'shop-b' }, { name: 'orders', lakeTable: 'o' }];

  it.each(['shop_a', 'shop-a'])('%s picks one table', async (table) => {
    const one = await found({ tables }, shop, table);
    expect(one.jobs.map((job) => job.source)).toEqual(['shop-a']);
    expect(one.refused).toEqual([]);
  });

  it('picks one that is refused, too', async () => {
    const one = await found({ tables }, shop, 'shop_b');
    expect(one.jobs).toEqual([]);
    expect(one.refused).toMatchObject([{ table: 'shop_b' }]);
  });

  it('that is no table of the configuration is wrong use, naming those that are', async () => {
    expect(await usage(found({ tables }, shop, 'stock'))).toMatch(/stock is no table.*o, shop_a/);
  });
});

describe('a configuration for a job', () => {
  it('names tables, and a bucket for exports', async () => {
    expect(await usage(found({}))).toContain('names no tables');
    expect(
      await usage(configuredTables({ tables: [{ name: 'orders' }] }, none.open, target)),
    ).toContain('orders: no bucket for exports');
  });
});

describe('what is configured for the table of an export', () => {
  const config: TidelakeConfig = {
    defaults: { retype: 'ask' },
    tables: [
      { name: 'orders', lakeTable: 'o', key: ['id'], naming: 'lower_case' },
      { name: 'orders', region: 'us-east-1', lakeTable: 'o_us' },
      { prefix: 'shop-', except: ['shop-x'], buckets: 4 },
      { tag: { lake: 'yes' }, retype: 'auto' },
    ],
  };
  const of = (tableName: string, region = 'eu-west-1') =>
    configuredSettings(config)({
      tableName,
      tableArn: `arn:aws:dynamodb:${region}:123456789012:table/${tableName}`,
    });

  it('is that of its entry by name, else by prefix, else the defaults', () => {
    expect(of('orders')).toEqual({ table: 'o', key: ['id'], naming: 'lower_case', retype: 'ask' });
    expect(of('shop-a')).toEqual({ buckets: 4, retype: 'ask' });
    expect(of('shop-x')).toEqual({ retype: 'ask' });
  });

  it('is that of the entry of its Region', () => {
    const { tables } = config;
    const turned = { ...config, tables: [tables![1]!, tables![0]!] };
    const source = { tableName: 'orders', tableArn: 'arn:aws:dynamodb:eu-west-1:1:table/orders' };
    expect(configuredSettings(turned)(source).table).toBe('o');
  });
});
