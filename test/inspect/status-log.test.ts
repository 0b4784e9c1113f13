// status and log of tables on disk, sound ones and others.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { log } from '../../pipeline/inspect/log.js';
import { status } from '../../pipeline/inspect/status.js';
import { order, SmallLake } from './small-lake.js';

let lake: SmallLake;
const at = (hour: number): number => Date.UTC(2026, 10, 20, hour);
const target = (): { lake: string; database: string } => ({ lake: lake.uri, database: 'lake' });

beforeEach(async () => {
  lake = await SmallLake.open();
  await lake.create();
});
afterEach(() => lake.close());

async function loadAndMerge(): Promise<string[]> {
  const [first] = await lake.commit({
    toMs: at(9),
    data: [{ sql: `${order('a', '1')} UNION ALL ${order('b', '1')} UNION ALL ${order('c', '1')}` }],
  });
  const [second, deletes] = await lake.commit({
    fromMs: at(9),
    toMs: at(10),
    deletes: [{ path: first!, positions: [0] }],
    data: [
      { sql: order('d', '1', { _misfits: `MAP {'qty': '{"S":"x"}', 'odd': '{"NULL":true}'}` }) },
    ],
    summary: { 'tidelake.inserted': '1', 'tidelake.updated': '0', 'tidelake.deleted': '1' },
    gaps: [{ fromMs: at(7), toMs: at(8), kind: 'gap' }],
  });
  return [first!, deletes!, second!];
}

describe('status', () => {
  it('says how fresh and how large a table is', async () => {
    await loadAndMerge();
    const md = await lake.metadata();
    const files: { size: number }[] = [];
    for await (const file of lake.world.store.list(`${lake.uri}/lake/mystore/data`))
      files.push(file);
    const metadata = `${lake.uri}/lake/mystore/metadata`;
    const current = await lake.world.store.size(`${metadata}/v3.metadata.json`);
    expect(await status(lake.world, target())).toEqual([
      {
        database: 'lake',
        table: 'mystore',
        tableId: 'table-1',
        tableArn: 'arn:aws:dynamodb:eu-west-1:123456789012:table/mystore',
        epoch: 1,
        watermark: '2026-11-20T10:00:00.000Z',
        ageSeconds: 7200,
        snapshotId: String(md['current-snapshot-id']),
        snapshotTime: '2026-11-20T10:00:00.000Z',
        rows: 3,
        dataFiles: 2,
        deleteFiles: 1,
        bytes: files.reduce((sum, file) => sum + file.size, 0),
        misfits: 2,
        retypes: [],
        snapshots: 2,
        // Of the load's file, of the window's, and of the window's delete file.
        manifests: 3,
        metadataBytes: current,
        oldest: '2026-11-20T09:00:00.000Z',
        gaps: [{ from: '2026-11-20T07:00:00.000Z', to: '2026-11-20T08:00:00.000Z', kind: 'gap' }],
        adopted: [],
        location: `${lake.uri}/lake/mystore`,
        health: 'ok',
        problem: null,
      },
    ]);
  });

  it('counts no misfits that were deleted', async () => {
    const [, , second] = await loadAndMerge();
    await lake.commit({
      fromMs: at(10),
      toMs: at(11),
      deletes: [{ path: second!, positions: [0] }],
    });
    expect((await status(lake.world, target()))[0]).toMatchObject({
      rows: 2,
      misfits: 0,
      watermark: '2026-11-20T11:00:00.000Z',
    });
  });

  it('counts none without reading when manifests say there are none', async () => {
    const [path] = await lake.commit({
      toMs: at(9),
      data: [{ sql: order('a', '1') }],
      distort: (file) => ({
        ...file,
        nullValueCounts: new Map([...file.nullValueCounts, [23, 1n]]),
      }),
    });
    rmSync(path!.slice('file://'.length));
    expect((await status(lake.world, target()))[0]).toMatchObject({ misfits: 0, health: 'ok' });
  });

  it('gives a row, not an error, for a table that another program has changed', async () => {
    await loadAndMerge();
    await lake.commit({
      toMs: at(11),
      data: [{ sql: order('e', '1') }],
      properties: Object.fromEntries(
        Object.entries((await lake.metadata()).properties).filter(([name]) =>
          name.startsWith('tidelake.'),
        ),
      ),
    });
    const [row] = await status(lake.world, target());
    expect(row).toMatchObject({
      health: 'refused',
      watermark: '2026-11-20T10:00:00.000Z',
      rows: 4,
      misfits: null,
    });
    expect(row!.problem).toMatch(/^REFUSED_FOREIGN_WRITER {2}/);
  });

  it('gives a row for a newer format, for broken metadata, and for a missing file', async () => {
    await loadAndMerge();
    const md = await lake.metadata();
    await lake.publish({ ...md, properties: { ...md.properties, 'tidelake.format': '99' } });
    expect((await status(lake.world, target()))[0]!.problem).toContain('REFUSED_NEWER_FORMAT');
    const v4 = `${lake.root}/lake/mystore/metadata/v4.metadata.json`;
    writeFileSync(v4, readFileSync(v4).subarray(0, 100));
    expect((await status(lake.world, target()))[0]!.problem).toContain('REFUSED_FORMAT');
    await lake.catalog.current('lake', 'mystore');
    writeFileSync(v4, readFileSync(v4.replace('v4', 'v3')));
    const manifestList = md.snapshots.at(-1)!['manifest-list'];
    rmSync(manifestList.slice('file://'.length));
    expect((await status(lake.world, target()))[0]).toMatchObject({
      health: 'refused',
      watermark: '2026-11-20T10:00:00.000Z',
      rows: null,
    });
  });

  it('refuses a named table that is not there, and lists none in an empty database', async () => {
    await expect(status(lake.world, { ...target(), table: 'other' })).rejects.toMatchObject({
      code: 'REFUSED_NO_TABLE',
    });
    expect(await status(lake.world, { lake: lake.uri, database: 'none' })).toEqual([]);
  });
});

describe('log', () => {
  it('lists snapshots oldest first, windows with both ends, loads with none', async () => {
    await loadAndMerge();
    await lake.commit({ operation: 'replace', toMs: at(10) });
    const rows = await log(lake.world, { ...target(), table: 'mystore' });
    const md = await lake.metadata();
    expect(rows).toEqual([
      {
        snapshotId: String(md.snapshots[0]!['snapshot-id']),
        committedAt: '2026-11-20T12:00:00.000Z',
        operation: 'append',
        kind: 'load',
        from: null,
        to: null,
        exportArn: `arn:export/${at(9)}`,
        inserted: null,
        updated: null,
        deleted: null,
        rows: 3,
        dataFiles: 1,
        epoch: 1,
        adopted: null,
      },
      {
        snapshotId: String(md.snapshots[1]!['snapshot-id']),
        committedAt: '2026-11-20T12:00:00.000Z',
        operation: 'append',
        kind: 'merge',
        from: '2026-11-20T09:00:00.000Z',
        to: '2026-11-20T10:00:00.000Z',
        exportArn: `arn:export/${at(10)}`,
        inserted: 1,
        updated: 0,
        deleted: 1,
        rows: 3,
        dataFiles: 2,
        epoch: 1,
        adopted: null,
      },
      expect.objectContaining({ operation: 'replace', kind: null, from: null, to: null, rows: 3 }),
    ]);
  });

  it('takes the only table of a database, and asks when there are several', async () => {
    await loadAndMerge();
    expect(await log(lake.world, target())).toHaveLength(2);
    await lake.create({ table: 'other' });
    await expect(log(lake.world, target())).rejects.toMatchObject({ code: 'USAGE' });
    await expect(log(lake.world, { ...target(), table: 'none' })).rejects.toMatchObject({
      code: 'REFUSED_NO_TABLE',
    });
  });
});
