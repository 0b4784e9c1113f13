// The past of a table out of point-in-time recovery, over the simulated AWS with the real SDK: asked for, merged, killed, gone on with.
// Promises: every window's end is the simulated table's state then; nothing is paid twice; nothing of the table is read. No wait
// takes real time: whoever sleeps moves the clock.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { log } from '../../pipeline/index.js';
import { ScheduledWorld } from '../schedule/scheduled-table.js';
import { dayMs, hourMs, minuteMs } from '../simulator/aws/running-dynamodb.js';
import { aged, backfill, expectPast, iso, killedOften } from './aged-table.js';

let here: ScheduledWorld;
beforeAll(async () => {
  here = await ScheduledWorld.start();
});
afterAll(() => here.close());

describe('a past out of recovery', { timeout: 180_000 }, () => {
  it('is a full export and a chain of windows, several under way at once, and running it again does nothing', async () => {
    const { table, fromMs } = await aged(here, 4, { exportsAtOnceMax: 3 });
    const report = await backfill(here, table, { fromMs });
    expect(report).toMatchObject({
      action: 'done',
      source: 'recovery',
      from: iso(fromMs),
      to: iso(fromMs + 4 * hourMs),
      watermark: iso(fromMs + 4 * hourMs),
      loads: 1,
      loaded: 1,
      windows: 4,
      merged: 4,
      requested: 5,
      error: null,
    });
    const ends = await expectPast(here, table, fromMs);
    expect(ends).toEqual([1, 2, 3, 4].map((h) => iso(fromMs + h * hourMs)));
    const again = await backfill(here, table, { fromMs });
    expect(again).toMatchObject({ action: 'nothing', requested: 0, merged: 0, loaded: 0 });
    // The scheduled job goes on from there.
    await table.hour(5);
    expect(await table.untilFresh()).toMatchObject({ state: 'fresh', loads: [] });
  });

  it('begins within an hour, has the grain asked for, and ends where it is told to', async () => {
    const { table, fromMs } = await aged(here, 8, { grainMinutes: 120 });
    const startMs = fromMs + 50 * minuteMs;
    const report = await backfill(here, table, { fromMs: startMs, toMs: fromMs + 5 * hourMs });
    expect(report).toMatchObject({ action: 'done', from: iso(startMs) });
    const ends = await expectPast(here, table, startMs);
    // Edges are the even hours, and a window is 15 minutes at least.
    const edges = [1, 2, 3, 4, 5]
      .map((h) => fromMs + h * hourMs)
      .filter((ms) => (ms / hourMs) % 2 === 0 && ms - startMs >= 15 * minuteMs);
    expect(ends).toEqual(edges.map(iso));
    expect(report).toMatchObject({ windows: edges.length, watermark: iso(edges.at(-1)!) });
  });

  it('is planned with time and cost by a dry run, which asks for nothing', async () => {
    const { table, fromMs } = await aged(here, 4, { exportsAtOnceMax: 2 });
    const report = await backfill(here, table, { fromMs, isDryRun: true });
    expect(report).toMatchObject({
      action: 'planned',
      loads: 1,
      windows: 4,
      requested: 0,
      watermark: null,
    });
    expect(await table.exports()).toEqual([]);
    // Five exports, two at once, a quarter of an hour each.
    expect(report.estimate.seconds).toBe(3 * 900);
    // Four windows of 10 MB at 0.10 a GB, nine objects for each of five exports, 21 writes of the lake, at 0.005 a thousand.
    expect(report.estimate.usd).toBeGreaterThan(0.004 + (5 * 9 + 21) * 0.000005);
    expect(report.estimate.usd).toBeLessThan(0.0045);
  });

  it('is refused with the earliest instant there can be, when recovery does not reach back', async () => {
    const table = await here.table();
    const earlyMs = here.aws.clock.nowMs() - 3 * dayMs;
    const fromMs = earlyMs - (earlyMs % 1000);
    for (const isDryRun of [true, false]) {
      const report = await backfill(here, table, { fromMs, isDryRun });
      expect(report).toMatchObject({ action: 'refused', error: { code: 'REFUSED_OUTSIDE_PITR' } });
      const next = /--from (\S+Z);/.exec(report.error!.next)![1]!;
      expect(
        await backfill(here, table, { fromMs: Date.parse(next), isDryRun: true }),
      ).toMatchObject({
        action: 'planned',
      });
    }
    const later = here.aws.clock.nowMs() + hourMs;
    expect(await backfill(here, table, { fromMs: later - (later % 1000) })).toMatchObject({
      action: 'refused',
      error: { code: 'REFUSED_TOO_FRESH' },
    });
    await here.aws.recovery(table.name, false);
    expect(await backfill(here, table, { fromMs })).toMatchObject({
      action: 'refused',
      error: { code: 'REFUSED_PITR_OFF' },
    });
    expect(await table.exports()).toEqual([]);
  });

  it('does not take back a lake that began later, unless told to', async () => {
    const { table, fromMs } = await aged(here, 5);
    await table.untilFresh();
    const before = (await log(table.lake.world, table.lake.target)).length;
    expect(await backfill(here, table, { fromMs })).toMatchObject({
      action: 'refused',
      error: { code: 'REFUSED_OLDER', next: expect.stringContaining('--rewind') },
    });
    expect(await log(table.lake.world, table.lake.target)).toHaveLength(before);
    const report = await backfill(here, table, { fromMs, rewind: true });
    expect(report).toMatchObject({ action: 'done', loaded: 1, error: null });
    expect(report.merged).toBe(report.windows);
    expect(await table.faults(report.watermark!)).toEqual([]);
    expect(await backfill(here, table, { fromMs, rewind: true })).toMatchObject({
      action: 'nothing',
    });
  });

  it('waits where too many exports are in progress, and asks again for one that fails', async () => {
    const { table, fromMs } = await aged(here, 3);
    const settings = (changes: object): Promise<unknown> =>
      here.aws.simulator.dynamodb.changeSettings(changes);
    await settings({
      exportsMax: 1,
      exportTroubles: [{ code: 'S3AccessDenied', isPartial: true }],
    });
    try {
      const report = await backfill(here, table, { fromMs });
      expect(report).toMatchObject({ action: 'done', merged: 3, requested: 5 });
    } finally {
      await settings({ exportsMax: 300 });
    }
    const statuses = (await table.exports()).map(({ status }) => status);
    expect(statuses.filter((status) => status === 'FAILED')).toHaveLength(1);
    await expectPast(here, table, fromMs);
  });
});

describe('a backfill that is killed', () => {
  it(
    'at random operations pays for nothing twice and ends with the same past',
    {
      timeout: 180_000,
    },
    () => killedOften(here, 3, 'short'),
  );
});
