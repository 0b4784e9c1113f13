// The object stores that need nothing but this machine, under the one contract.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { DiskStore } from '../../pipeline/local/disk-store.js';
import { FaultyStore } from '../../pipeline/local/faulty-store.js';
import { toFileUri } from '../../pipeline/local/file-uri.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import { objectStoreContract } from './object-store.js';

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

objectStoreContract('memory', async () => ({ store: new MemoryStore(), root: 'memory://lake' }));
objectStoreContract('disk', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'tidelake-test-'));
  folders.push(folder);
  return { store: new DiskStore(), root: toFileUri(folder) };
});
objectStoreContract('faulty, without a plan', async () => ({
  store: new FaultyStore(new MemoryStore()),
  root: 'memory://lake',
}));
