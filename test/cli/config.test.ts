// tidelake.config.json as it is read: what is taken, and how what is not is told.
// Promises: every message names the path and what may stand there; nothing that is not known is passed over.
// Source: schemas/config.ts; docs/reference/configuration.md.

import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../pipeline/cli/config.js';
import type { TidelakeConfig } from '../../schemas/config.js';
import { TidelakeError } from '../../schemas/errors.js';
import { nearestName } from '../../schemas/nearest-name.js';

const parsed = (text: string): TidelakeConfig => parseConfig(Buffer.from(text));

function refusal(config: unknown): string {
  const text = typeof config === 'string' ? config : JSON.stringify(config);
  try {
    parsed(text);
  } catch (error) {
    if (!(error instanceof TidelakeError)) throw error;
    expect(error.code).toBe('USAGE');
    return error.what;
  }
  throw new Error('it was taken');
}

describe('a configuration', () => {
  it('is given back as it stands, with $schema', () => {
    const config = {
      $schema: './node_modules/tidelake/schemas/tidelake.config.schema.json',
      lake: 's3://my-lake/lake',
      database: 'shop',
      catalog: 'glue',
      aws: { region: 'eu-west-1' },
      exports: { bucket: 'my-exports', prefix: 'raw/dynamodb', sse: 'KMS', kmsKey: 'alias/lake' },
      run: { tablesAtOnceMax: 8, maxSeconds: 840 },
      defaults: { grainMinutes: 60, naming: 'snake_case', retype: 'auto', retypeBytesMax: 0 },
      tables: [
        { name: 'orders', lakeTable: 'o', partition: 'truncate(created, 10)', reseed: true },
        { name: 'arn:aws:dynamodb:us-east-1:123456789012:table/orders' },
        { prefix: 'shop-', except: ['shop-tmp-*'], grainMinutes: 1440 },
        { prefix: '' },
        { tag: { lake: 'yes', '': '' } },
      ],
    };
    // A tag has a name.
    expect(refusal(config)).toContain('tables[4].tag');
    config.tables[4] = { tag: { lake: 'yes' } } as never;
    expect(parsed(JSON.stringify(config))).toEqual(config);
  });

  it('may be empty', () => {
    expect(parsed('{}')).toEqual({});
  });
});

describe('a name that is not known', () => {
  it.each([
    [{ lakes: 'x' }, 'lakes: there is no such setting; did you mean lake?'],
    [{ defaults: { grain: 60 } }, 'defaults.grain: there is no such setting; known are grainMin'],
    [{ defaults: { grainMinute: 60 } }, 'did you mean grainMinutes?'],
    [{ tables: [{ name: 'orders', Naming: 'x' }] }, 'tables[0].Naming (of orders): there is no'],
    [{ exports: { buckt: 'x' } }, 'exports.buckt: there is no such setting; did you mean bucket?'],
    [{ tables: [{ prefix: 'a', exports: { kmskey: 'x' } }] }, 'did you mean kmsKey?'],
    // Kept for declared columns, and not a setting yet.
    [{ defaults: { columns: {} } }, 'defaults.columns: there is no such setting'],
    ['{"__proto__": 1}', '__proto__: there is no such setting'],
  ])('is refused with its path: %j', (config, message) => {
    expect(refusal(config)).toContain(message);
  });
});

describe('a value that cannot be', () => {
  it.each([
    ['{', 'it is not JSON'],
    ['[]', 'it is not a JSON object'],
    ['{"lake":"a","lake":"b"}', 'one name twice'],
    [{ defaults: { grainMinutes: 50 } }, 'defaults.grainMinutes: minutes that a day is a whole'],
    [{ defaults: { grainMinutes: 5 } }, 'defaults.grainMinutes'],
    [{ tables: [{ grainMinutes: 60 }] }, 'tables[0]: one of name, prefix and tag is expected'],
    [{ tables: [{ name: 'orders', prefix: 'o' }] }, 'one of name, prefix and tag'],
    [{ tables: [{ name: 'or ders' }] }, "tables[0].name (of or ders): a DynamoDB table's name"],
    [{ tables: [{ name: 'orders', except: ['x'] }] }, 'except (of orders): it goes with prefix'],
    [{ tables: [{ prefix: 'o', lakeTable: 'x' }] }, 'lakeTable: it goes with name'],
    [{ tables: [{ tag: {} }] }, 'at least one tag'],
    [{ tables: [{ name: 'orders', buckets: 4, partition: 'identity(a)' }] }, 'laid out by buckets'],
    [{ defaults: { buckets: 4, partition: 'identity(a)' } }, 'laid out by buckets'],
    [{ defaults: { key: ['a', 'a'] } }, 'named twice'],
    [{ exports: { bucket: 'x', sse: 'AES256', kmsKey: 'alias/a' } }, 'exports.kmsKey: a KMS key'],
    [{ exports: { bucket: 'b', prefix: '../up' } }, 'exports.bucket'],
    [{ exports: { prefix: '../up' } }, 'exports.prefix'],
    [{ exports: { prefix: 'a//b' } }, 'exports.prefix'],
    [
      { tables: [{ name: 'arn:aws:dynamodb:us-east-1:123456789012:table/o12', region: 'x-y-1' }] },
      "it stands in the table's ARN",
    ],
    [{ run: { maxSeconds: 5 } }, 'run.maxSeconds'],
  ])('is refused: %j', (config, message) => {
    expect(refusal(config)).toContain(message);
  });

  it('is told with all others of the file, five at most', () => {
    const what = refusal({ lake: 7, database: 7, catalog: 7, a: 1, b: 2, c: 3, run: 4 });
    expect(what.split('; ').length).toBeGreaterThan(5);
    expect(what).toMatch(/and 2 more$/);
  });
});

describe('the name that was meant', () => {
  it.each([
    ['grain_minutes', 'grainMinutes'],
    ['BUCKET', 'bucket'],
    ['bukcet', 'bucket'],
    ['x', null],
  ])('of %s is %s', (given, name) => {
    expect(nearestName(given, ['bucket', 'grainMinutes', 'sse'])).toBe(name);
  });
});
