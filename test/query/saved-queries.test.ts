// Saved queries: every one that is shipped has a sound header, and names resolve by folder.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { DiskStore } from '../../pipeline/local/disk-store.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import { applyParams } from '../../pipeline/query/params.js';
import {
  isQueryName,
  listSavedQueries,
  parseSavedQuery,
  readSavedQuery,
} from '../../pipeline/query/saved-queries.js';

const folder = path.resolve(import.meta.dirname, '../../queries');
const shipped = readdirSync(path.join(folder, 'saved'), {
  recursive: true,
  encoding: 'utf8',
}).filter((name) => name.endsWith('.sql'));

describe('the shipped queries', () => {
  it('are several', () => expect(shipped.length).toBeGreaterThanOrEqual(5));

  it.each(shipped)(
    '%s has a sound header, uses its parameters, and runs without any given',
    (name) => {
      const sql = readFileSync(path.join(folder, 'saved', name), 'utf8');
      const saved = parseSavedQuery(`file:///${name}`, sql);
      expect(saved.tables).toEqual([path.dirname(name)]);
      expect(saved.question).toMatch(/\?$/);
      for (const param of saved.params) {
        expect(sql).toMatch(new RegExp(`(?<!:):${param.name}\\b`));
        expect(param.defaultText).not.toBeNull();
      }
      const body = applyParams({ sql, declared: saved.params, values: {} }).replace(/--.*/g, '');
      expect(body).not.toMatch(/(?<!:):[a-z]|\?|;/);
    },
  );

  it('have names of their own', () => {
    const names = shipped.map((name) => path.basename(name));
    expect(new Set(names).size).toBe(names.length);
  });

  it('are found by name in the folder', async () => {
    const store = new DiskStore();
    expect((await readSavedQuery(store, [`file://${folder}`], 'revenue-by-day')).title).toBe(
      'Revenue by day',
    );
    expect((await readSavedQuery(store, [`file://${folder}`], 'mystore/misfits')).params).toEqual(
      [],
    );
    expect((await listSavedQueries(store, [`file://${folder}`])).length).toBe(shipped.length);
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
    const text = `${header}-- params: a date = 2026-01-01\n-- params: b string =\n-- params: c integer\nSELECT 1`;
    expect(parseSavedQuery('file:///q.sql', text).params).toEqual([
      { name: 'a', type: 'date', defaultText: '2026-01-01' },
      { name: 'b', type: 'string', defaultText: '' },
      { name: 'c', type: 'integer', defaultText: null },
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
});
