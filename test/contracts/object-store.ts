// What every ObjectStore must do, whatever it is made of: run on disk, in memory, and wherever else one is written.
// Promises: touches nothing outside the folder URI it is given.
// Source: ports.ts, ObjectStore.
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ObjectNotFoundError, type ObjectStore } from '../../pipeline/ports.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array): string => new TextDecoder().decode(value);

async function listed(store: ObjectStore, folder: string): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for await (const { uri, size } of store.list(folder)) found[uri] = size;
  return found;
}

/** Runs the contract on stores made by `make`, which says where the store may write (no trailing slash). */
export function objectStoreContract(
  name: string,
  make: () => Promise<{ readonly store: ObjectStore; readonly root: string }>,
): void {
  const fresh = async (): Promise<{ store: ObjectStore; at: string }> => {
    const { store, root } = await make();
    return { store, at: `${root}/${randomUUID()}` };
  };

  describe(`object store contract: ${name}`, () => {
    it('knows nothing of an object that was never written', async () => {
      const { store, at } = await fresh();
      expect(await store.size(`${at}/none`)).toBeNull();
      await expect(store.read(`${at}/none`)).rejects.toBeInstanceOf(ObjectNotFoundError);
      await expect(store.read(`${at}/none`, { start: 0, end: 1 })).rejects.toBeInstanceOf(
        ObjectNotFoundError,
      );
      const streaming = store.stream(`${at}/none`)[Symbol.asyncIterator]();
      await expect(streaming.next()).rejects.toBeInstanceOf(ObjectNotFoundError);
      expect(await listed(store, at)).toEqual({});
      expect(await store.children(at)).toEqual([]);
      await store.remove(`${at}/none`);
    });

    it('gives back what was put, whole and by range', async () => {
      const { store, at } = await fresh();
      await store.put(`${at}/a/b.txt`, bytes('hello world'));
      expect(text(await store.read(`${at}/a/b.txt`))).toBe('hello world');
      expect(await store.size(`${at}/a/b.txt`)).toBe(11);
      expect(text(await store.read(`${at}/a/b.txt`, { start: 6, end: 9 }))).toBe('wor');
      expect(text(await store.read(`${at}/a/b.txt`, { start: 6, end: 99 }))).toBe('world');
      expect((await store.read(`${at}/a/b.txt`, { start: 11, end: 12 })).length).toBe(0);
      expect((await store.read(`${at}/a/b.txt`, { start: 99, end: 100 })).length).toBe(0);
      expect((await store.read(`${at}/a/b.txt`, { start: 4, end: 4 })).length).toBe(0);
    });

    it('replaces an object on put', async () => {
      const { store, at } = await fresh();
      await store.put(`${at}/x`, bytes('a longer first value'));
      await store.put(`${at}/x`, bytes('second'));
      expect(text(await store.read(`${at}/x`))).toBe('second');
    });

    it('keeps its own copy of bytes', async () => {
      const { store, at } = await fresh();
      const mine = bytes('abc');
      await store.put(`${at}/x`, mine);
      mine[0] = 0;
      const read = await store.read(`${at}/x`);
      expect(text(read)).toBe('abc');
      read[0] = 0;
      expect(text(await store.read(`${at}/x`))).toBe('abc');
    });

    it('publishes only once with putIfAbsent', async () => {
      const { store, at } = await fresh();
      expect(await store.putIfAbsent(`${at}/x`, bytes('first'))).toBe('created');
      expect(await store.putIfAbsent(`${at}/x`, bytes('second'))).toBe('exists');
      expect(text(await store.read(`${at}/x`))).toBe('first');
    });

    it('lets exactly one of many simultaneous putIfAbsent win, and shows its bytes', async () => {
      const { store, at } = await fresh();
      const tries = Array.from({ length: 20 }, (_, i) => `writer ${i} `.repeat(1000));
      const outcomes = await Promise.all(
        tries.map((body) => store.putIfAbsent(`${at}/x`, bytes(body))),
      );
      expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
      expect(text(await store.read(`${at}/x`))).toBe(tries[outcomes.indexOf('created')]);
      expect(await store.children(at)).toEqual(['x']);
    });

    it('shows a streamed object only after close, and leaves nothing else', async () => {
      const { store, at } = await fresh();
      const writer = await store.create(`${at}/deep/er/x`);
      await writer.write(bytes('one '));
      await writer.write(bytes('two'));
      expect(await store.size(`${at}/deep/er/x`)).toBeNull();
      expect(await listed(store, at)).toEqual({});
      await writer.close();
      expect(text(await store.read(`${at}/deep/er/x`))).toBe('one two');
      expect(await listed(store, at)).toEqual({ [`${at}/deep/er/x`]: 7 });
      await writer.abort();
      expect(text(await store.read(`${at}/deep/er/x`))).toBe('one two');
    });

    it('writes an empty object', async () => {
      const { store, at } = await fresh();
      await (await store.create(`${at}/x`)).close();
      expect(await store.size(`${at}/x`)).toBe(0);
      expect((await store.read(`${at}/x`)).length).toBe(0);
      for await (const piece of store.stream(`${at}/x`)) expect(piece.length).toBe(0);
      expect((await store.read(`${at}/x`, { start: 0, end: 9 })).length).toBe(0);
    });

    it('drops an aborted object, twice without error', async () => {
      const { store, at } = await fresh();
      const writer = await store.create(`${at}/x`);
      await writer.write(bytes('gone'));
      await writer.abort();
      await writer.abort();
      expect(await store.size(`${at}/x`)).toBeNull();
      expect(await listed(store, at)).toEqual({});
      await expect(writer.write(bytes('more'))).rejects.toThrow();
    });

    it('streams a large object in order, in pieces of bounded size', async () => {
      const { store, at } = await fresh();
      const large = Uint8Array.from({ length: 3_000_001 }, (_, i) => (i * 7919) >> 8);
      const writer = await store.create(`${at}/x`);
      await writer.write(large.subarray(0, 1_000_000));
      await writer.write(large.subarray(1_000_000));
      await writer.close();
      const pieces: Uint8Array[] = [];
      for await (const piece of store.stream(`${at}/x`)) pieces.push(piece);
      expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(8 * 1024 * 1024);
      expect(Buffer.concat(pieces).equals(large)).toBe(true);
    });

    it('writes an object of any number of pieces of any size, whose buffers may be used again', async () => {
      const { store, at } = await fresh();
      const whole = Uint8Array.from({ length: 9_000_000 }, (_, i) => (i * 31) >> 7);
      const writer = await store.create(`${at}/x`);
      for (
        let start = 0, size = 1;
        start < whole.length;
        start += size, size = (size * 7) % 5_000_011
      ) {
        const piece = whole.slice(start, start + size);
        await writer.write(piece);
        piece.fill(0);
      }
      await writer.close();
      expect(await store.size(`${at}/x`)).toBe(whole.length);
      expect(Buffer.compare(await store.read(`${at}/x`), whole)).toBe(0);
      const across = await store.read(`${at}/x`, { start: 8_388_600, end: 8_388_620 });
      expect([...across]).toEqual([...whole.subarray(8_388_600, 8_388_620)]);
    });

    it('lets a reader leave a stream early', async () => {
      const { store, at } = await fresh();
      await store.put(`${at}/x`, new Uint8Array(2_000_000));
      for await (const piece of store.stream(`${at}/x`)) {
        expect(piece.length).toBeGreaterThan(0);
        break;
      }
      await store.remove(`${at}/x`);
      expect(await store.size(`${at}/x`)).toBeNull();
    });

    it('says of each object when it was last written, and later of one written later', async () => {
      const { store, at } = await fresh();
      const writtenMs = async (): Promise<number> => {
        const found: number[] = [];
        for await (const { modifiedMs } of store.list(at)) found.push(modifiedMs);
        expect(found).toHaveLength(1);
        return found[0]!;
      };
      await store.put(`${at}/a`, bytes('1'));
      const first = await writtenMs();
      // After 2001 and before 2100, so in milliseconds.
      expect(first).toBeGreaterThan(978_307_200_000);
      expect(first).toBeLessThan(4_102_444_800_000);
      await store.put(`${at}/a`, bytes('2'));
      expect(await writtenMs()).toBeGreaterThanOrEqual(first);
    });

    it('lists all below a folder but not its neighbours, with or without a trailing slash', async () => {
      const { store, at } = await fresh();
      await store.put(`${at}/f/a`, bytes('1'));
      await store.put(`${at}/f/g/b`, bytes('22'));
      await store.put(`${at}/f2/c`, bytes('333'));
      const expected = { [`${at}/f/a`]: 1, [`${at}/f/g/b`]: 2 };
      expect(await listed(store, `${at}/f`)).toEqual(expected);
      expect(await listed(store, `${at}/f/`)).toEqual(expected);
      expect(await store.children(`${at}/f`)).toEqual(['a', 'g']);
      expect(await store.children(`${at}/f/`)).toEqual(['a', 'g']);
      expect(await store.children(at)).toEqual(['f', 'f2']);
      expect(await store.children(`${at}/f/a`)).toEqual([]);
      expect(await store.size(`${at}/f`)).toBeNull();
      await expect(store.read(`${at}/f`)).rejects.toBeInstanceOf(ObjectNotFoundError);
    });

    it('takes names with spaces, percent signs, equals signs and letters of any script as they are', async () => {
      const { store, at } = await fresh();
      const names = ['a b', 'day=2026%2F01', '日本', 'é%20', '#x?y'];
      for (const name of names) await store.put(`${at}/${name}/f`, bytes(name));
      expect(await store.children(at)).toEqual([...names].sort());
      for (const name of names) expect(text(await store.read(`${at}/${name}/f`))).toBe(name);
    });

    it('removes an object and takes its name again', async () => {
      const { store, at } = await fresh();
      await store.put(`${at}/x`, bytes('1'));
      await store.remove(`${at}/x`);
      await store.remove(`${at}/x`);
      expect(await store.size(`${at}/x`)).toBeNull();
      expect(await store.putIfAbsent(`${at}/x`, bytes('2'))).toBe('created');
    });
  });
}
