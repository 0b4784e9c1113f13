// Saved queries: names resolve by folder, headers are read, twins belong to their queries.

import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { DiskStore } from '../../pipeline/local/disk-store.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import {
  isQueryName,
  listSavedQueries,
  parseSavedQuery,
  queryBody,
  readSavedQueries,
  readSavedQuery,
} from '../../pipeline/query/saved-queries.js';

const folder = path.resolve(import.meta.dirname, '../../queries');

describe('the shipped queries', () => {
  const store = new DiskStore();
  const saved = [`file://${folder}/saved`];

  it('are found by name in the folder, with their topic and their twin', async () => {
    const revenue = await readSavedQuery(store, saved, 'revenue-by-day');
    expect([revenue.title, revenue.topic, revenue.duckdbSql]).toEqual([
      'Revenue by day',
      'mystore',
      null,
    ]);
    const windows = await readSavedQuery(store, saved, 'lake/windows');
    expect(windows.tables).toEqual([':table']);
    expect(windows.duckdbSql).not.toContain('element_at');
  });

  it('are listed without their twins', async () => {
    const names = (await listSavedQueries(store, saved)).map((query) => query.name);
    expect(names).toContain('windows');
    expect(names.filter((name) => name.includes('duckdb'))).toEqual([]);
    const read = await readSavedQueries(store, saved[0]!);
    expect(read.map((query) => query.name).sort()).toEqual(names);
  });
});

const header = '-- title: T\n-- question: Q?\n-- tables: a, b\n-- cost: none\n';

async function storeWith(files: Record<string, string>): Promise<MemoryStore> {
  const store = new MemoryStore();
  for (const [uri, text] of Object.entries(files))
    await store.put(uri, new TextEncoder().encode(text));
  return store;
}

describe('reading', () => {
  it('takes the first folder that has the name', async () => {
    const store = await storeWith({
      'file:///own/x.sql': `${header}SELECT 'own'`,
      'file:///shipped/t/x.sql': `${header}SELECT 'shipped'`,
      'file:///shipped/t/y.sql': `${header}SELECT 'y'`,
    });
    const folders = ['file:///missing', 'file:///own', 'file:///shipped'];
    expect((await readSavedQuery(store, folders, 'x')).sql).toContain('own');
    expect((await readSavedQuery(store, folders, 'y')).sql).toContain("'y'");
    expect(await listSavedQueries(store, folders)).toEqual([
      { name: 'x', uri: 'file:///own/x.sql' },
      { name: 'y', uri: 'file:///shipped/t/y.sql' },
    ]);
    await expect(readSavedQuery(store, folders, 'z')).rejects.toMatchObject({
      code: 'USAGE',
      meaning: 'there are: x, y',
    });
  });

  it('reads parameters with and without a default', () => {
    const text = `${header}-- params: a date = 2026-01-01\n-- params: b string =\n-- params: c long\nSELECT 1`;
    expect(parseSavedQuery('file:///q.sql', text).params).toEqual([
      { name: 'a', type: 'date', defaultText: '2026-01-01' },
      { name: 'b', type: 'string', defaultText: '' },
      { name: 'c', type: 'long', defaultText: null },
    ]);
  });

  it.each([
    ['no title', header.replace('-- title: T\n', '')],
    ['two costs', `${header}-- cost: more\n`],
    ['an unknown type', `${header}-- params: a text\n`],
    ['a parameter that is no name', `${header}-- params: A-b string\n`],
  ])('refuses a header with %s', (_, text) => {
    expect(() => parseSavedQuery('file:///q.sql', `${text}SELECT 1`)).toThrow(/sound header/);
  });

  it('tells a name from SQL', () => {
    expect(['revenue-by-day', 'mystore/misfits', 'a.b'].map(isQueryName)).toEqual([
      true,
      true,
      true,
    ]);
    expect(['SELECT 1', 'FROM x', '', '../x', 'a/', '-x'].map(isQueryName)).toEqual(
      Array(6).fill(false),
    );
  });

  it('leaves comments out of what is sent', () => {
    const text = `${header}-- params: a long\n\nSELECT '--', a /* ? */\nFROM t -- why?\n`;
    expect(queryBody(text)).toBe("SELECT '--', a\nFROM t");
  });
});
