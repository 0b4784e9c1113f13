// The first look at an export.
// Promises: the more row groups there will be, the more keys are looked at; damage and odd items are passed over.

import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { sampleExport } from '../../pipeline/load/sample-export.js';
import type { World } from '../../pipeline/ports.js';
import type { ExportDataFile } from '../../schemas/export-manifest.js';
import { memoryWorld } from '../scenarios/story-world.js';

/** So many data files of 100 items each, which say that they hold `said` items. */
async function filesOf(world: World, count: number, said: number): Promise<ExportDataFile[]> {
  const files: ExportDataFile[] = [];
  for (let i = 0; i < count; i++) {
    const lines = Array.from(
      { length: 100 },
      (_, j) => `{"Item":{"id":{"S":"item-${String(j * count + i).padStart(6, '0')}"}}}\n`,
    );
    const bytes = gzipSync(i === count - 1 ? 'damaged' : lines.join(''));
    const uri = `m://b/AWSDynamoDB/data/${i}.json.gz`;
    const writer = await world.store.create(uri);
    await writer.write(bytes);
    await writer.close();
    files.push({ uri, itemCount: said, md5: createHash('md5').update(bytes).digest('base64') });
  }
  return files;
}

async function keysOf(count: number, said: number): Promise<string[]> {
  const world = memoryWorld();
  const { keys, key } = await sampleExport(world, await filesOf(world, count, said), ['id']);
  expect(key).toEqual([{ name: 'id', tag: 'S' }]);
  return keys.map((bytes) => Buffer.from(bytes).toString());
}

describe('a sample of an export', () => {
  it('has the keys of eight files, spread over all, where few row groups come of them', async () => {
    const keys = await keysOf(20, 100);
    expect(keys).toHaveLength(800);
    expect(keys).toEqual([...keys].sort());
  });

  it('has more keys, each once and in order, where many row groups come of them', async () => {
    const keys = await keysOf(20, 5_000_000);
    expect(keys).toHaveLength(1900);
    expect(new Set(keys).size).toBe(1900);
    expect(keys).toEqual([...keys].sort());
  });

  it('has as many keys as there are to be, and no more files are opened', async () => {
    // A million items are sixteen row groups, for which 2,441 keys are wanted.
    expect(await keysOf(60, 1_000_000 / 60)).toHaveLength(2500);
  });
});
