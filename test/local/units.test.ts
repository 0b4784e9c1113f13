import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { MemoryStore } from '../../pipeline/local/memory-store.js';
import { DiskScratch, MemoryScratch } from '../../pipeline/local/scratch.js';
import { InlineUnits } from '../../pipeline/local/units.js';
import { WorkerUnits } from '../../pipeline/local/worker-units.js';
import { ObjectNotFoundError } from '../../pipeline/ports.js';
import { refuse, TidelakeError } from '../../schemas/errors.js';

const registryUrl = new URL('./fixture-units.mjs', import.meta.url).href;
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function pool(width: number, heapMbMax?: number) {
  const folder = await mkdtemp(path.join(tmpdir(), 'tidelake-test-'));
  const scratch = await DiskScratch.open(folder);
  const units = new WorkerUnits({
    width,
    scratchFolder: scratch.folder,
    registryUrl,
    ...(heapMbMax === undefined ? {} : { heapMbMax }),
  });
  closing.push(
    () => rm(folder, { recursive: true, force: true }),
    () => scratch.close(),
    () => units.close(),
  );
  return { units, scratch };
}

async function failure(promise: Promise<unknown>): Promise<TidelakeError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TidelakeError);
  return error as TidelakeError;
}

describe('units in worker threads', () => {
  it('gives each of many units its own answer', async () => {
    const { units } = await pool(2);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => units.run<{ n: number }, number>('double', { n })),
    );
    expect(answers).toEqual(Array.from({ length: 50 }, (_, n) => n * 2));
  });

  it('works in a program that was given to node as text', () => {
    const built = new URL('../../dist/pipeline/local/worker-units.js', import.meta.url).href;
    const setup = JSON.stringify({ width: 2, scratchFolder: tmpdir(), registryUrl });
    const program = `
      const { WorkerUnits } = await import('${built}');
      const units = new WorkerUnits(${setup});
      console.log(await units.run('double', { n: 21 }));
      await units.close();`;
    const flags = ['--input-type=module', '--eval', program];
    const { stdout, stderr } = spawnSync(process.execPath, flags, { encoding: 'utf8' });
    expect(stdout + stderr).toBe('42\n');
  });

  it('runs as many at once as it is wide, and no more', async () => {
    const { units } = await pool(2);
    const ids = await Promise.all(
      Array.from({ length: 6 }, () => units.run<object, number>('thread', { waitMs: 30 })),
    );
    expect(new Set(ids).size).toBe(2);
  });

  it('runs units in threads that were started before, and starts no more than it is wide', async () => {
    const { units } = await pool(2);
    units.prepare(5);
    units.prepare(5);
    const ids = await Promise.all(
      Array.from({ length: 6 }, () => units.run<object, number>('thread', { waitMs: 30 })),
    );
    expect(new Set(ids).size).toBe(2);
  });

  it('ends a process whose threads were started and never used', () => {
    const built = new URL('../../dist/pipeline/local/worker-units.js', import.meta.url).href;
    const setup = JSON.stringify({ width: 2, scratchFolder: tmpdir(), registryUrl });
    const program = `
      const { WorkerUnits } = await import('${built}');
      new WorkerUnits(${setup}).prepare(2);
      console.log('done');`;
    const flags = ['--input-type=module', '--eval', program];
    const { status, stdout, stderr } = spawnSync(process.execPath, flags, {
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(stdout + stderr).toBe('done\n');
    expect(status).toBe(0);
  });

  it('moves buffers in and out', async () => {
    const { units } = await pool(1);
    const buffer = Uint8Array.of(1, 2, 3).buffer;
    const back = await units.run<object, Uint8Array>('reverse', { buffer }, [buffer]);
    expect([...back]).toEqual([3, 2, 1]);
    expect(buffer.byteLength).toBe(0);
  });

  it('brings a refusal over with its class and its four facts', async () => {
    const { units } = await pool(1);
    const error = await failure(units.run('refuse', {}));
    expect(error.facts()).toEqual({ code: 'REFUSED_COUNT', what: 'w', meaning: 'm', next: 'n' });
    expect(error.exitCode).toBe(3);
  });

  it('brings a missing object over as such', async () => {
    const { units } = await pool(1);
    const uri = 'file:///nowhere/at/all';
    await expect(units.run('missing', { uri })).rejects.toMatchObject({
      constructor: ObjectNotFoundError,
      uri,
    });
  });

  it('tells the place but never the message of any other error', async () => {
    const { units } = await pool(1);
    const error = await failure(units.run('leak', { secret: 'Jane.js:1:1' }));
    expect(error.code).toBe('INTERNAL');
    expect(error.what).toMatch(/^SyntaxError in unit leak at fixture-units\.mjs:\d+:\d+/);
    expect(`${error.message} ${error.stack} ${error.cause}`).not.toContain('Jane');
  });

  it('lets the main thread read what a worker spilled', async () => {
    const { units, scratch } = await pool(2);
    const refs = await Promise.all(
      ['one', 'two', 'three'].map((text) =>
        units.run<object, { name: string; offset: number; length: number }>('spill', { text }),
      ),
    );
    const read = await Promise.all(refs.map((ref) => scratch.read(ref)));
    expect(read.map((bytes) => new TextDecoder().decode(bytes))).toEqual(['one', 'two', 'three']);
  });

  it.each(['exit', 'crash'])('survives a thread that dies by %s', async (name) => {
    const { units } = await pool(1);
    const dead = failure(units.run(name, {}));
    const next = units.run<object, number>('double', { n: 21 });
    expect((await dead).code).toBe('INTERNAL');
    expect((await dead).message).not.toContain('secret');
    expect(await next).toBe(42);
  });

  it('turns a full heap into an error of that unit', async () => {
    const { units } = await pool(1, 32);
    expect((await failure(units.run('memory', {}))).what).toContain('ran out of memory');
    expect(await units.run('double', { n: 1 })).toBe(2);
  });

  it('refuses an unknown unit and an input that cannot be sent', async () => {
    const { units } = await pool(1);
    expect((await failure(units.run('constructor', {}))).what).toContain('constructor');
    expect((await failure(units.run('double', { n: () => 1 }))).what).toContain('double');
    expect(await units.run('double', { n: 1 })).toBe(2);
  });

  it('stops running and waiting units on close', async () => {
    const { units } = await pool(1);
    const running = failure(units.run('forever', {}));
    const waiting = failure(units.run('double', { n: 1 }));
    await units.close();
    expect((await running).code).toBe('INTERNAL');
    expect((await waiting).code).toBe('INTERNAL');
    expect((await failure(units.run('double', { n: 1 }))).code).toBe('INTERNAL');
  });
});

describe('units in this process', () => {
  const units = new InlineUnits(
    {
      double: async ({ n }: { n: number }) => ({ output: n * 2 }),
      refuse: async () => {
        throw refuse('REFUSED_COUNT', 'w', 'm', 'n');
      },
      leak: async () => {
        throw new SyntaxError('Jane');
      },
    },
    { store: new MemoryStore(), scratch: new MemoryScratch() },
  );

  it('answers and fails as the pool does', async () => {
    expect(await units.run('double', { n: 4 })).toBe(8);
    expect((await failure(units.run('refuse', {}))).code).toBe('REFUSED_COUNT');
    const leak = await failure(units.run('leak', {}));
    expect(leak.what).toMatch(/^SyntaxError in unit leak at units\.test\.ts:\d+:\d+/);
    expect(`${leak.message} ${leak.stack} ${leak.cause}`).not.toContain('Jane');
  });
});
