import { chmod, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { DiskStore } from '../../pipeline/local/disk-store.js';
import { FaultyStore, InjectedFault } from '../../pipeline/local/faulty-store.js';
import { writeError } from '../../pipeline/local/file-errors.js';
import { toFileUri, toPath } from '../../pipeline/local/file-uri.js';
import { RandomIds, SeededIds } from '../../pipeline/local/ids.js';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import { TidelakeError } from '../../schemas/errors.js';

const folders: string[] = [];
const temporary = async (): Promise<string> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'tidelake-test-'));
  folders.push(folder);
  return folder;
};
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('file URIs', () => {
  it('are taken in all three spellings, undecoded', () => {
    expect(toPath('file:///a b/%2F')).toBe('/a b/%2F');
    expect(toPath('file:/a')).toBe('/a');
    expect(toPath('/a')).toBe('/a');
    expect(toFileUri('/a b/c/')).toBe('file:///a b/c');
  });

  it('are refused for other schemes, hosts and relative paths', () => {
    for (const uri of ['s3://bucket/key', 'file://host/a', 'a/b', 'http:///a']) {
      expect(() => toPath(uri)).toThrow(RangeError);
    }
  });
});

describe('the disk store', () => {
  it('keeps what it has not published out of sight', async () => {
    const folder = await temporary();
    const store = new DiskStore();
    const writer = await store.create(toFileUri(`${folder}/x`));
    await writer.write(bytes('half'));
    expect((await readdir(folder)).map((name) => name.slice(0, 5))).toEqual(['.tmp-']);
    expect(await store.children(toFileUri(folder))).toEqual([]);
    await writer.close();
    expect(await readdir(folder)).toEqual(['x']);
    expect(await readFile(`${folder}/x`, 'utf8')).toBe('half');
  });

  it('reads files behind symbolic links and does not follow links to folders', async () => {
    const folder = await temporary();
    await writeFile(`${folder}/real`, '12345');
    await symlink(`${folder}/real`, `${folder}/link`);
    await symlink(folder, `${folder}/loop`);
    const found: string[] = [];
    for await (const { uri, size } of new DiskStore().list(toFileUri(folder))) {
      found.push(`${path.basename(uri)} ${size}`);
    }
    expect(found.sort()).toEqual(['link 5', 'real 5']);
  });

  it('does not remove a folder', async () => {
    const folder = await temporary();
    await new DiskStore().remove(toFileUri(folder));
    expect(await readdir(folder)).toEqual([]);
  });

  it.skipIf(process.getuid?.() === 0)('says DENIED where it may not write', async () => {
    const folder = await temporary();
    await chmod(folder, 0o500);
    const put = new DiskStore().put(toFileUri(`${folder}/x`), bytes('x'));
    await expect(put).rejects.toMatchObject({ code: 'DENIED' });
  });

  it.skipIf(process.platform !== 'linux')('says NO_SPACE on a full device', async () => {
    const full = await import('node:fs/promises').then(({ open }) => open('/dev/full', 'w'));
    const error = await full.write('x').catch((reason: unknown) => reason);
    await full.close();
    const said = writeError(error, '/lake/table/data/x');
    expect(said).toBeInstanceOf(TidelakeError);
    expect(said).toMatchObject({ code: 'NO_SPACE', exitCode: 1 });
    expect((said as TidelakeError).what).toContain('/lake/table/data');
  });
});

describe('the faulty store', () => {
  const story = async (store: FaultyStore): Promise<void> => {
    const writer = await store.create('m://f/data');
    try {
      await writer.write(bytes('12345678'));
      await writer.close();
    } catch (error) {
      await writer.abort();
      throw error;
    }
    await store.putIfAbsent('m://f/meta', bytes('v1'));
    await store.put('m://f/hint', bytes('1'));
    await store.remove('m://f/data');
  };

  it('counts and names mutating operations only', async () => {
    const store = new FaultyStore(new MemoryStore());
    await story(store);
    await store.read('m://f/meta');
    expect(store.operations).toBe(6);
    expect(store.journal.map((line) => line.split(' ')[0])).toEqual([
      'create',
      'write',
      'close',
      'putIfAbsent',
      'put',
      'remove',
    ]);
  });

  // What stands in the store after operation N failed, by mode; from the definition of the modes.
  it.each([
    [1, 'before', []],
    [1, 'after', []],
    [2, 'torn', []],
    [3, 'before', []],
    [3, 'torn', []],
    [3, 'after', ['data']],
    [4, 'before', ['data']],
    [4, 'torn', ['data']],
    [4, 'after', ['data', 'meta']],
    [5, 'after', ['data', 'hint', 'meta']],
    [6, 'before', ['data', 'hint', 'meta']],
    [6, 'after', ['hint', 'meta']],
  ] as const)('fails operation %i %s', async (failAt, mode, left) => {
    const inner = new MemoryStore();
    await expect(story(new FaultyStore(inner, { failAt, mode }))).rejects.toBeInstanceOf(
      InjectedFault,
    );
    expect(await inner.children('m://f')).toEqual(left);
  });

  it('writes half of the bytes in a torn write', async () => {
    const inner = new MemoryStore();
    const writer = await new FaultyStore(inner, { failAt: 2, mode: 'torn' }).create('m://x');
    await expect(writer.write(bytes('12345678'))).rejects.toBeInstanceOf(InjectedFault);
    await writer.close();
    expect(await inner.size('m://x')).toBe(4);
  });

  it('does nothing more after a crash, aborts and removals included', async () => {
    const folder = await temporary();
    const store = new FaultyStore(new DiskStore(), { failAt: 2, mode: 'torn', crash: true });
    const writer = await store.create(toFileUri(`${folder}/x`));
    await expect(writer.write(bytes('12345678'))).rejects.toBeInstanceOf(InjectedFault);
    await writer.abort();
    await expect(store.remove(toFileUri(`${folder}/x`))).rejects.toBeInstanceOf(InjectedFault);
    const [left] = await readdir(folder);
    expect(left).toMatch(/^\.tmp-/);
    expect(await readFile(`${folder}/${left}`, 'utf8')).toBe('1234');
  });
});

describe('ids', () => {
  const uuid4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

  it.each([
    ['random', () => new RandomIds()],
    ['seeded', () => new SeededIds(7)],
  ])('that are %s are v4 UUIDs and positive integers below 2^53, all different', (_, make) => {
    const ids = make();
    const uuids = Array.from({ length: 500 }, () => ids.uuid());
    const numbers = Array.from({ length: 500 }, () => ids.snapshotId());
    for (const id of uuids) expect(id).toMatch(uuid4);
    for (const id of numbers) expect(id > 0n && id < 2n ** 53n).toBe(true);
    expect(new Set([...uuids, ...numbers]).size).toBe(1000);
  });

  it('repeat for one seed and differ between seeds', () => {
    const first = (seed: number): string => new SeededIds(seed).uuid();
    expect(first(1)).toBe(first(1));
    expect(first(1)).not.toBe(first(2));
  });
});
