import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { DiskScratch, MemoryScratch } from '../../pipeline/local/scratch.js';

const folders: string[] = [];
const temporary = async (): Promise<string> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'tidelake-test-'));
  folders.push(folder);
  return folder;
};
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

describe.each([
  ['disk', async () => DiskScratch.open(await temporary())],
  ['memory', async () => new MemoryScratch()],
])('scratch space in %s', (_, make) => {
  it('gives back what was written, whatever the order and number of parts', async () => {
    const scratch = await make();
    const written = Array.from({ length: 40 }, (_unused, i) =>
      Array.from({ length: i * 30 }, (_none, j) => Uint8Array.of(i, j & 255)),
    );
    const refs = await Promise.all(written.map((parts) => scratch.write(parts)));
    const read = await Promise.all([...refs].reverse().map((ref) => scratch.read(ref)));
    for (const [i, bytes] of read.reverse().entries()) {
      expect(Buffer.from(bytes).equals(Buffer.concat(written[i]!))).toBe(true);
    }
    await scratch.close();
  });
});

describe('scratch space on disk', () => {
  it('is a folder for its owner only, gone after close', async () => {
    const parent = await temporary();
    const scratch = await DiskScratch.open(parent);
    const ref = await scratch.write([Uint8Array.of(1)]);
    expect((await stat(scratch.folder)).mode & 0o777).toBe(0o700);
    expect((await stat(path.join(scratch.folder, ref.name))).mode & 0o777).toBe(0o600);
    await scratch.close();
    await scratch.close();
    expect(await readdir(parent)).toEqual([]);
  });

  it('stays when one that is only attached closes', async () => {
    const scratch = await DiskScratch.open(await temporary());
    const attached = DiskScratch.attach(scratch.folder);
    const ref = await attached.write([Uint8Array.of(7)]);
    await attached.close();
    expect([...(await scratch.read(ref))]).toEqual([7]);
    await scratch.close();
  });

  it('removes what dead processes left, and nothing else', async () => {
    const parent = await temporary();
    const alive = await DiskScratch.open(parent);
    const deadPid = spawnSync(process.execPath, ['-e', '']).pid;
    const stale = alive.folder.replace(`-${process.pid}-`, `-${deadPid}-`);
    expect(stale).not.toBe(alive.folder);
    await mkdir(stale);
    await writeFile(path.join(stale, 'left'), 'rows');
    const foreign = path.join(parent, `tidelake-scratch-000000000000-${deadPid}-0123456789abcdef`);
    await mkdir(foreign);
    const next = await DiskScratch.open(parent);
    expect((await readdir(parent)).sort()).toEqual(
      [alive.folder, foreign, next.folder].map((folder) => path.basename(folder)).sort(),
    );
    await alive.close();
    await next.close();
  });

  it('removes what a dead process of the same id left, as in a container that is started again', async () => {
    const parent = await temporary();
    const open = await DiskScratch.open(parent);
    const stale = open.folder.replace(/[0-9a-f]{16}$/, '0123456789abcdef');
    const twin = open.folder.replace(/[0-9a-f]{16}$/, 'fedcba9876543210');
    for (const folder of [stale, twin]) await mkdir(folder);
    await writeFile(path.join(stale, 'left'), 'rows');
    const longAgo = new Date('2020-01-01T00:00:00Z');
    // What this process has open stays, whatever its time; and so does what was made since the process began.
    for (const folder of [stale, open.folder]) await utimes(folder, longAgo, longAgo);
    const next = await DiskScratch.open(parent);
    expect((await readdir(parent)).sort()).toEqual(
      [open.folder, twin, next.folder].map((folder) => path.basename(folder)).sort(),
    );
    await open.close();
    await next.close();
  });

  it('does not read outside its folder', async () => {
    const scratch = await DiskScratch.open(await temporary());
    const ref = { name: '../../etc/passwd', offset: 0, length: 1 };
    await expect(scratch.read(ref)).rejects.toThrow(RangeError);
    await scratch.close();
  });
});
