// The simulator's state on disk: documents under any name, bodies, and one process at a time.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiskBodies } from '../../pipeline/local/disk-bodies.js';
import { openDiskDocuments } from '../../pipeline/local/disk-documents.js';
import { lockFolder } from '../../pipeline/local/simulator-lock.js';
import { startSimulator } from '../../pipeline/local/simulator-server.js';
import type { TidelakeError } from '../../schemas/errors.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'tidelake-disk-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe('documents', () => {
  const names = [
    'a',
    'a/b',
    'a/B',
    'a/b.json',
    'a/b.json/c',
    'a/.',
    'a/..',
    'a/../../x',
    'a/.tmp-1',
    'a/~',
    'a/%2F',
    'a/é日本\u{1F600}',
    'a/\ud800',
    'a/new\nline\u0000',
    `a/${'long'.repeat(300)}`,
    `a/${'long'.repeat(300)}!`,
    'A/b',
    '',
  ];

  it('keep their values under any name, also for the next process', async () => {
    const documents = await openDiskDocuments(dir);
    for (const [index, name] of names.entries()) await documents.put(name, { index });
    for (const opened of [documents, await openDiskDocuments(dir)]) {
      for (const [index, name] of names.entries()) {
        expect(await opened.get(name)).toEqual({ index });
      }
      expect(await opened.names('')).toEqual([...names].sort());
      expect(await opened.names('a/b')).toEqual(['a/b', 'a/b.json', 'a/b.json/c']);
      expect(await opened.names('none')).toEqual([]);
    }
    // No two of the files differ in case alone.
    const files = (await readdir(dir, { recursive: true })).map((name) => name.toLowerCase());
    expect(new Set(files).size).toBe(files.length);
  });

  it('are replaced, and gone when removed', async () => {
    const documents = await openDiskDocuments(dir);
    await documents.put('glue/x', { a: [1, 'two', null] });
    await documents.put('glue/x', 'three');
    expect(await documents.get('glue/x')).toBe('three');
    await documents.remove('glue/x');
    await documents.remove('glue/x');
    for (const opened of [documents, await openDiskDocuments(dir)]) {
      expect(await opened.get('glue/x')).toBeNull();
      expect(await opened.names('glue/')).toEqual([]);
    }
  });

  it('are not disturbed by what a crash left half written', async () => {
    await (await openDiskDocuments(dir)).put('s3/x', 1);
    await writeFile(path.join(dir, 's3', '.tmp-00'), '{"name":"s3/y","val');
    const documents = await openDiskDocuments(dir);
    expect(await documents.names('')).toEqual(['s3/x']);
    expect(await readdir(path.join(dir, 's3'))).toHaveLength(1);
  });
});

describe('bodies', () => {
  it('are read by range, listed, and removed; other files are left alone', async () => {
    const bodies = new DiskBodies(dir);
    const writer = await bodies.create();
    await writer.write(Buffer.from('hello '));
    await writer.write(Buffer.from('world'));
    await writer.close();
    const read = async (start: number, end: number): Promise<string> => {
      let text = '';
      for await (const piece of bodies.read(writer.id, start, end)) text += Buffer.from(piece);
      return text;
    };
    expect(await read(0, 11)).toBe('hello world');
    expect(await read(4, 7)).toBe('o w');
    await expect(read(0, 12)).rejects.toThrow(/ends at byte 11/);
    await writeFile(path.join(dir, writer.id.slice(0, 2), 'notes.txt'), 'mine');
    await mkdir(path.join(dir, 'folder'));
    expect(await bodies.ids()).toEqual([writer.id]);
    const dropped = await bodies.create();
    await dropped.write(Buffer.from('x'));
    await dropped.abort();
    expect(await bodies.ids()).toEqual([writer.id]);
    await bodies.remove(writer.id);
    await bodies.remove(writer.id);
    expect(await bodies.ids()).toEqual([]);
  });
});

describe('the folder of a simulator', () => {
  it('has one process at a time', async () => {
    const simulator = await startSimulator({ dir, port: 0 });
    const second = startSimulator({ dir, port: 0 });
    await expect(second).rejects.toMatchObject({ code: 'USAGE' });
    await simulator.close();
    const third = await startSimulator({ dir, port: 0 });
    await third.close();
    expect(await readdir(dir)).not.toContain('simulator.pid');
  });

  it('is free again when its process is gone', async () => {
    // Above the largest process number of any system.
    await writeFile(path.join(dir, 'simulator.pid'), '4194305\n');
    const unlock = await lockFolder(dir);
    expect(await readFile(path.join(dir, 'simulator.pid'), 'utf8')).toBe(`${process.pid}\n`);
    await unlock();
    // Process 1 is there, whoever asks.
    await writeFile(path.join(dir, 'simulator.pid'), '1\n');
    const error = await lockFolder(dir).catch((thrown: TidelakeError) => thrown);
    expect(error).toMatchObject({ code: 'USAGE', what: `process 1 runs a simulator on ${dir}` });
  });

  it('is given back when the port is taken or the plan is none', async () => {
    const simulator = await startSimulator({ dir, port: 0 });
    const port = Number(new URL(simulator.url).port);
    const other = path.join(dir, 'other');
    await expect(startSimulator({ dir: other, port })).rejects.toMatchObject({
      code: 'USAGE',
      what: `port ${port} of 127.0.0.1 is taken`,
    });
    const plan = [{ do: 'explode' as 'hang' }];
    await expect(startSimulator({ dir: other, port: 0, faults: plan })).rejects.toThrow(RangeError);
    await (await startSimulator({ dir: other, port: 0 })).close();
    await simulator.close();
  });
});
