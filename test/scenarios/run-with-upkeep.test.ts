// Days of hourly windows under a configuration that asks for upkeep: `tidelake run` keeps its lake bounded by itself.
// Promises: the command and the real SDK against the simulated AWS, on a virtual clock; the rows that must be there are those of
// the simulated table.
// Source: docs/how-to/upkeep.md; schemas/table-settings.ts, `upkeep`.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { RoundReport } from '../../pipeline/reports.js';
import { ScheduledWorld } from '../schedule/scheduled-table.js';
import { reportsIn, runHere } from './command-here.js';

let here: ScheduledWorld;
let folder: string;
beforeAll(async () => {
  here = await ScheduledWorld.start();
  folder = mkdtempSync(path.join(tmpdir(), 'tidelake-upkeep-'));
  vi.stubEnv('AWS_ENDPOINT_URL', here.aws.simulator.url);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
  await here.close();
});

const hours = 96;

it('four days of hourly windows stay within what a day takes', { timeout: 240_000 }, async () => {
  const table = await here.table();
  const { lake, database, table: lakeTable } = table.job.target;
  const config = {
    lake,
    database,
    catalog: 'files',
    exports: { bucket: 'exports', prefix: 'raw' },
    defaults: { upkeep: { keepDays: 1, keepSnapshots: 3 } },
    tables: [{ name: table.name, lakeTable }],
  };
  writeFileSync(path.join(folder, 'tidelake.config.json'), JSON.stringify(config));
  const { clock } = here.aws;
  const run = async (): Promise<RoundReport> => {
    const own = { nowMs: () => clock.nowMs(), sleep: async () => {} };
    const ran = await runHere(folder, ['run', '--json'], own);
    expect(ran).toMatchObject({ exitCode: 0 });
    return (reportsIn(ran.out) as unknown as readonly RoundReport[])[0]!;
  };
  const most = { snapshots: 0, metadataBytes: 0, files: 0 };
  const expired: number[] = [];
  let windows = 0;
  let last: RoundReport | null = null;
  for (let h = 0; h < hours; h++) {
    last = await run();
    expect(last.upkeep?.error ?? null).toBeNull();
    windows += last.merges.filter(({ action }) => action === 'applied').length;
    if (last.upkeep?.expired != null) expired.push(last.upkeep.expired.expiredSnapshots);
    if (last.merges.length > 0) {
      const { md, entry } = await table.lake.open();
      const bytes = (await here.store.size(entry.metadataUri))!;
      let files = 0;
      for await (const _ of here.store.list(md.location)) files++;
      most.snapshots = Math.max(most.snapshots, md.snapshots.length);
      most.metadataBytes = Math.max(most.metadataBytes, bytes);
      most.files = Math.max(most.files, files);
    }
    await table.hour(h);
  }
  expect(windows).toBeGreaterThan(hours - 4);
  // A day is kept, and another is let go at once.
  expect(most.snapshots).toBeLessThanOrEqual(24 + 24 + 2);
  expect(expired.every((snapshots) => snapshots >= 24)).toBe(true);
  expect(expired.length).toBeGreaterThanOrEqual(2);
  expect(most.metadataBytes).toBeLessThan(150_000);
  // For each snapshot a manifest list, two or three manifests and a data file or three; and the metadata files of the log.
  expect(most.files).toBeLessThan(50 * 7 + 110);
  expect(await table.faults(last!.watermark!)).toEqual([]);
});
