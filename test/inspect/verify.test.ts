// verify: a sound table passes every check, and each kind of damage fails the check that is about it.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { verify } from '../../pipeline/inspect/verify.js';
import type { VerifyCheck, VerifyReport } from '../../pipeline/reports.js';
import { type CommitOptions, order, SmallLake } from './small-lake.js';

let lake: SmallLake;
const at = (hour: number): number => Date.UTC(2026, 10, 20, hour);

beforeEach(async () => {
  lake = await SmallLake.open();
});
afterEach(() => lake.close());

const orders = (...clients: string[]): string =>
  clients
    .map((client, i) =>
      order(client, '2026-11-19', {
        amount: `${i}.5`,
        _written_at: "TIMESTAMP '2026-11-20 09:00:00'",
      }),
    )
    .join(' UNION ALL ');

/** A load and a merge with a delete; returns the load's file. */
async function loadAndMerge(
  load: Partial<CommitOptions> = {},
  merge: Partial<CommitOptions> = {},
): Promise<string> {
  await lake.create();
  const [first] = await lake.commit({
    toMs: at(9),
    data: [{ sql: orders('a', 'b', 'c') }],
    ...load,
  });
  await lake.commit({
    fromMs: at(9),
    toMs: at(10),
    deletes: [{ path: first!, positions: [1] }],
    data: [{ sql: orders('d', 'e') }],
    ...merge,
  });
  return first!.slice('file://'.length);
}
async function report(): Promise<VerifyReport> {
  const reports = await verify(lake.world, { lake: lake.uri, database: 'lake', table: 'mystore' });
  expect(reports).toHaveLength(1);
  return reports[0]!;
}
async function failed(): Promise<readonly VerifyCheck[]> {
  const { ok, checks } = await report();
  const bad = checks.filter((check) => !check.ok);
  expect(ok).toBe(bad.length === 0);
  return bad;
}

describe('a sound table', () => {
  it('passes every check, which says what was compared', async () => {
    await loadAndMerge();
    const { ok, checks } = await report();
    expect(checks.filter((check) => !check.ok)).toEqual([]);
    expect(ok).toBe(true);
    const details = Object.fromEntries(checks.map((check) => [check.name, check.detail]));
    expect(details).toMatchObject({
      'the windows form one chain': '1 windows in epoch 1',
      'the manifests can be read': '3 manifests with 2 data files and 1 delete files',
      'footers agree with the manifests': '3 footers, 3 row groups',
      'every row group decodes': '6 rows decoded',
      'keys are present and unique': '4 keys of clientid, created',
      'rows lie in their partitions': 'the table is not partitioned',
      'older snapshots are whole': '2 snapshots; 0 files of 0 bytes that nothing refers to',
    });
    expect(details['totals agree']).toMatch(/^4 rows, 2 data files/);
  });

  it('passes without rows, and after a replacement of files', async () => {
    await lake.create();
    const none = await lake.commit({ toMs: at(9) });
    expect(none).toEqual([]);
    expect(await failed()).toEqual([]);
    const [first] = await lake.commit({
      fromMs: at(9),
      toMs: at(10),
      data: [{ sql: orders('a') }],
    });
    await lake.commit({
      toMs: at(10),
      operation: 'replace',
      removed: [first!],
      data: [{ sql: orders('a') }],
    });
    expect(await failed()).toEqual([]);
  });

  it('counts what nothing refers to, as no fault', async () => {
    await loadAndMerge();
    writeFileSync(`${lake.root}/lake/mystore/data/left-behind.parquet`, 'x'.repeat(123));
    const { ok, checks } = await report();
    expect(ok).toBe(true);
    expect(checks.at(-1)!.detail).toBe('2 snapshots; 1 files of 123 bytes that nothing refers to');
  });

  it('compares partition values of rows', async () => {
    const spec = {
      'spec-id': 0,
      fields: [{ name: 'day', transform: 'truncate[4]', 'source-id': 2, 'field-id': 1000 }],
    };
    await lake.create({ spec });
    await lake.commit({ toMs: at(9), data: [{ sql: orders('a', 'b'), partition: ['2026'] }] });
    expect(await failed()).toEqual([]);
    await lake.commit({
      fromMs: at(9),
      toMs: at(10),
      data: [{ sql: orders('c'), partition: ['2025'] }],
    });
    expect(await failed()).toEqual([
      {
        name: 'rows lie in their partitions',
        ok: false,
        detail: 'part-2.parquet: 1 of 1 rows belong to another day',
      },
    ]);
  });
});

describe('damage', () => {
  const names = (checks: readonly VerifyCheck[]): string[] => checks.map((check) => check.name);

  it('finds a missing file', async () => {
    rmSync(await loadAndMerge());
    const bad = await failed();
    expect(names(bad)).toContain('every file is there, whole');
    expect(names(bad)).toContain('older snapshots are whole');
    expect(bad[0]!.detail).toBe('part-1.parquet is missing');
  });

  it('finds a file that was cut, and one that grew', async () => {
    const path = await loadAndMerge();
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, bytes.length - 7));
    expect((await failed())[0]!.detail).toMatch(/^part-1\.parquet has \d+ bytes, not \d+$/);
    writeFileSync(path, Buffer.concat([bytes, Buffer.from('x')]));
    expect(names(await failed())).toContain('footers agree with the manifests');
  });

  it('finds pages that do not decode, though length and footer are right', async () => {
    const path = await loadAndMerge();
    const bytes = readFileSync(path);
    bytes.fill(0xff, 4, 60);
    writeFileSync(path, bytes);
    const bad = await failed();
    expect(bad[0]!.name).toBe('every row group decodes');
    expect(bad[0]!.detail).toMatch(/^part-1\.parquet cannot be decoded/);
    expect(bad[1]!.detail).toBe('not checked, since files are missing or damaged');
  });

  it('finds a footer that counts other rows than the manifest', async () => {
    await loadAndMerge({ distort: (file) => ({ ...file, recordCount: file.recordCount + 1n }) });
    expect((await failed())[0]).toMatchObject({
      name: 'footers agree with the manifests',
      detail: 'part-1.parquet has 3 rows, not 4',
    });
  });

  it('finds a key that occurs twice, and one that is missing, without saying which', async () => {
    await loadAndMerge({}, { data: [{ sql: orders('a', 'x') }] });
    expect(await failed()).toEqual([
      { name: 'keys are present and unique', ok: false, detail: '1 keys occur more than once' },
    ]);
    await lake.commit({
      fromMs: at(10),
      toMs: at(11),
      data: [{ sql: order('z', '1', { created: 'NULL' }) }],
    });
    expect((await failed())[0]!.detail).toBe('1 rows have no key; 1 keys occur more than once');
  });

  it('takes a key back that was deleted before', async () => {
    await loadAndMerge({}, { data: [{ sql: orders('b') }] });
    expect(await failed()).toEqual([]);
  });

  it('finds bounds and null counts that are wrong', async () => {
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    await loadAndMerge({
      distort: (file) => ({
        ...file,
        lowerBounds: new Map([...file.lowerBounds, [1, bytes('b')]]),
        upperBounds: new Map([...file.upperBounds, [4, Uint8Array.of(1)]]),
        nullValueCounts: new Map([...file.nullValueCounts, [19, 0n]]),
      }),
    });
    const [bad, ...rest] = await failed();
    expect(rest).toEqual([]);
    expect(bad!.name).toBe('values lie inside the recorded bounds');
    expect(bad!.detail).toBe(
      'part-1.parquet: a value below the lower bound of clientid; part-1.parquet: a value above the upper bound of amount; part-1.parquet: another number of nulls of note',
    );
  });

  it('finds a summary that lies', async () => {
    await loadAndMerge();
    const md = await lake.metadata();
    const snapshots = md.snapshots.map((one) => ({
      ...one,
      summary: { ...one.summary, 'total-records': '77' },
    }));
    await lake.publish({ ...md, snapshots });
    expect(names(await failed())).toEqual(['totals agree']);
  });

  it('finds a hole in the chain of windows, unless it was accepted', async () => {
    await loadAndMerge({}, { fromMs: at(9) + 60_000 });
    expect(await failed()).toEqual([
      {
        name: 'the windows form one chain',
        ok: false,
        detail: 'after 2026-11-20T09:00:00.000Z comes a window from 2026-11-20T09:01:00.000Z',
      },
    ]);
  });

  it('lets an accepted gap and an accepted seam pass', async () => {
    await loadAndMerge(
      { toMs: at(9) + 622 },
      { fromMs: at(9), gaps: [{ fromMs: at(9), toMs: at(9) + 622, kind: 'seam' }] },
    );
    expect(await failed()).toEqual([]);
    await lake.commit({
      fromMs: at(11),
      toMs: at(12),
      gaps: [
        { fromMs: at(9), toMs: at(9) + 622, kind: 'seam' },
        { fromMs: at(10), toMs: at(11), kind: 'gap' },
      ],
    });
    expect(await failed()).toEqual([]);
  });

  it('does not compare windows of different epochs', async () => {
    await loadAndMerge();
    await lake.commit({ toMs: at(15), epoch: 2, data: [{ sql: orders('n') }] });
    await lake.commit({ fromMs: at(15), toMs: at(16), epoch: 2 });
    expect(await failed()).toEqual([]);
  });

  it('finds rows that another program wrote', async () => {
    await loadAndMerge();
    const { properties } = await lake.metadata();
    await lake.commit({ toMs: at(11), data: [{ sql: orders('f') }], properties, summary: {} });
    expect(names(await failed())).toContain('the metadata is consistent');
  });

  it('finds manifests and metadata that cannot be read', async () => {
    await loadAndMerge();
    const md = await lake.metadata();
    rmSync(md.snapshots[1]!['manifest-list'].slice('file://'.length));
    expect(names(await failed())).toEqual(['the manifests can be read']);
    writeFileSync(`${lake.root}/lake/mystore/metadata/v4.metadata.json`, '{"format-version": 2');
    expect(await failed()).toMatchObject([
      { name: 'the table opens', detail: expect.stringContaining('REFUSED_FORMAT') },
    ]);
  });

  it('finds a current snapshot that is not there', async () => {
    await loadAndMerge();
    const md = await lake.metadata();
    await lake.publish({ ...md, snapshots: md.snapshots.slice(0, 1) }).catch(() => undefined);
    expect((await failed()).length).toBeGreaterThan(0);
  });

  it('never says what stands in an item', async () => {
    await loadAndMerge({}, { data: [{ sql: orders('a', 'secret-client') }] });
    expect(JSON.stringify(await report())).not.toContain('secret');
  });
});

it('refuses a table that is not there', async () => {
  const target = { lake: lake.uri, database: 'lake', table: 'none' };
  await expect(verify(lake.world, target)).rejects.toMatchObject({ code: 'REFUSED_NO_TABLE' });
});
