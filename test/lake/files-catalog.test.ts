// The files catalog: races, stale hints, lost answers.
import { describe, expect, it } from 'vitest';
import { FilesCatalog } from '../../pipeline/lake/files-catalog.js';
import { liveFiles } from '../../pipeline/lake/iceberg/live-files.js';
import { currentSnapshot, serializeTableMetadata } from '../../pipeline/lake/iceberg/metadata.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import { ObjectNotFoundError } from '../../pipeline/ports.js';
import { dataFile, emptyTable, location, root, TestLake } from './fixtures.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const uri = (version: number): string => `${location}/metadata/v${version}.metadata.json`;
const hint = `${location}/metadata/version-hint.text`;

async function withVersions(count: number): Promise<{ store: MemoryStore; catalog: FilesCatalog }> {
  const store = new MemoryStore();
  for (let i = 1; i <= count; i++) await store.put(uri(i), text(`{"v":${i}}`));
  return { store, catalog: new FilesCatalog(store, `${root}/`) };
}

describe('the files catalog', () => {
  it('has no table before the first commit, and v1 with its hint after it', async () => {
    const { store, catalog } = await withVersions(0);
    expect(await catalog.current('db', 'orders')).toBeNull();
    expect(await catalog.commit('db', 'orders', null, text('{}'))).toBe('committed');
    expect(await catalog.current('db', 'orders')).toEqual({ metadataUri: uri(1), version: '1' });
    expect(new TextDecoder().decode(await store.read(hint))).toBe('1');
    expect(await catalog.databases()).toEqual(['db']);
    expect(await catalog.tables('db')).toEqual(['orders']);
    expect(catalog.tableLocation('db', 'orders')).toBe(location);
  });

  it('lets exactly one of two commits on the same base win', async () => {
    const { catalog } = await withVersions(1);
    const base = await catalog.current('db', 'orders');
    const outcomes = await Promise.all(
      ['a', 'b'].map((name) => catalog.commit('db', 'orders', base, text(name))),
    );
    expect(outcomes.sort()).toEqual(['committed', 'conflict']);
    expect((await catalog.current('db', 'orders'))!.version).toBe('2');
    expect(await catalog.commit('db', 'orders', null, text('c'))).toBe('conflict');
  });

  it('keeps the loser of a race out of the table', async () => {
    const lake = new TestLake();
    await lake.commit(await lake.build(emptyTable(), { added: [dataFile('a')] }));
    const base = await lake.catalog.current('db', 'orders');
    const md = await lake.current();
    const [b, c] = await Promise.all([
      lake.build(md, { added: [dataFile('b')] }),
      lake.build(md, { added: [dataFile('c')] }),
    ]);
    expect(await lake.catalog.commit('db', 'orders', base, serializeTableMetadata(b))).toBe(
      'committed',
    );
    expect(await lake.catalog.commit('db', 'orders', base, serializeTableMetadata(c))).toBe(
      'conflict',
    );
    const now = await lake.current();
    const { data } = await liveFiles(lake.store, now, currentSnapshot(now));
    expect(data.map((entry) => entry.file.path.split('/').at(-1)).sort()).toEqual([
      'a.parquet',
      'b.parquet',
    ]);
  });

  it.each([
    ['missing', null],
    ['stale by one', '29'],
    ['stale by many', '3'],
    ['beyond the end', '99'],
    ['no number', 'v30'],
    ['empty', ''],
    ['of a version that was tidied away', '1'],
  ])('finds the newest version when the hint is %s', async (_name, value) => {
    const { store, catalog } = await withVersions(30);
    await store.remove(uri(1));
    if (value !== null) await store.put(hint, text(value));
    expect(await catalog.current('db', 'orders')).toEqual({ metadataUri: uri(30), version: '30' });
  });

  it('does not let a writer that slept for ages take a version that was tidied away', async () => {
    const { store, catalog } = await withVersions(30);
    await store.remove(uri(6));
    const base = { metadataUri: uri(5), version: '5' };
    expect(await catalog.commit('db', 'orders', base, text('late'))).toBe('conflict');
    expect(await store.size(uri(6))).toBeNull();
  });

  it('commits although the hint cannot be written', async () => {
    class NoHint extends MemoryStore {
      override async put(): Promise<void> {
        throw new Error('no');
      }
    }
    const catalog = new FilesCatalog(new NoHint(), root);
    expect(await catalog.commit('db', 'orders', null, text('{}'))).toBe('committed');
    expect((await catalog.current('db', 'orders'))!.version).toBe('1');
  });

  it.each(['Orders', 'a/b', '..', '', 'a.b'])('refuses the name %j', async (name) => {
    const { catalog } = await withVersions(0);
    await expect(catalog.current('db', name)).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('a commit whose answer is lost', () => {
  /** Does what `effect` says on the one exclusive put, then throws as a broken connection does. */
  class Lossy extends MemoryStore {
    effect: 'written' | 'other' | 'nothing' | 'unreadable' | 'repeated' = 'nothing';
    override async putIfAbsent(at: string, bytes: Uint8Array): Promise<'created' | 'exists'> {
      if (this.effect === 'written' || this.effect === 'repeated')
        await super.putIfAbsent(at, bytes);
      if (this.effect === 'other') await super.putIfAbsent(at, text('somebody else'));
      if (this.effect === 'repeated') return 'exists';
      throw new Error('connection reset');
    }
    override async read(at: string): Promise<Uint8Array> {
      if (this.effect === 'unreadable' && !at.endsWith('.text')) throw new Error('still broken');
      return super.read(at);
    }
  }

  it.each([
    ['written', 'committed'],
    ['repeated', 'committed'],
    ['other', 'conflict'],
    ['unreadable', 'unknown'],
  ] as const)('and was %s counts as %s', async (effect, outcome) => {
    const store = new Lossy();
    store.effect = effect;
    expect(await new FilesCatalog(store, root).commit('db', 'orders', null, text('ours'))).toBe(
      outcome,
    );
  });

  it('and was not done fails with the error of the store', async () => {
    const store = new Lossy();
    await expect(store.read('s3://x')).rejects.toBeInstanceOf(ObjectNotFoundError);
    await expect(
      new FilesCatalog(store, root).commit('db', 'orders', null, text('ours')),
    ).rejects.toThrow('connection reset');
  });
});
