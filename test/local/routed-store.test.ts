// One store over several: each URI goes where its scheme says, and nothing is opened before it is needed.

import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import { RoutedStore } from '../../pipeline/local/routed-store.js';
import { objectStoreContract } from '../contracts/object-store.js';

objectStoreContract('routed', async () => ({
  store: new RoutedStore({ memory: async () => new MemoryStore() }),
  root: 'memory://lake',
}));

describe('routes', () => {
  it('are taken by scheme, and opened once, when first taken', async () => {
    const opened: string[] = [];
    const stores = { file: new MemoryStore(), s3: new MemoryStore() };
    const route = (name: 'file' | 's3') => async () => {
      opened.push(name);
      return stores[name];
    };
    const store = new RoutedStore({ file: route('file'), s3: route('s3') });
    expect(opened).toEqual([]);
    await store.put('file:///a', new Uint8Array(1));
    await store.put('/b', new Uint8Array(2));
    expect(opened).toEqual(['file']);
    await Promise.all([store.put('s3://b/c', new Uint8Array(3)), store.size('s3://b/c')]);
    expect(opened).toEqual(['file', 's3']);
    expect(await stores.file.size('/b')).toBe(2);
    expect(await stores.s3.size('s3://b/c')).toBe(3);
  });

  it('that are none are refused by name', async () => {
    const store = new RoutedStore({ file: async () => new MemoryStore() });
    for (const uri of ['gs://b/k', 'constructor:x']) {
      await expect(store.size(uri)).rejects.toMatchObject({ code: 'USAGE' });
    }
  });
});
