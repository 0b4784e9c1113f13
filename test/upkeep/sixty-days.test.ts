// Sixty days of the scheduled job with upkeep, a window a day, on a real lake over the simulated AWS: the time that can be
// recovered moves past the full export the lake began with, which is no trouble, since the watermark is what counts.
// Promises: after each window the lake equals the table, nothing is paid twice, nothing of the table is read; files stay few.
// Source: Amazon DynamoDB Developer Guide, "Point-in-time backups for DynamoDB" (35 days); the design, "The hourly job is a
// pure decision".

import { afterAll, beforeAll, expect, it } from 'vitest';
import { verify } from '../../pipeline/inspect/verify.js';
import { usualUpkeep } from '../../pipeline/upkeep/upkeep-due.js';
import { type ScheduledTable, ScheduledWorld } from '../schedule/scheduled-table.js';
import { dayMs, hourMs, minuteMs } from '../simulator/aws/running-dynamodb.js';

let here: ScheduledWorld;
beforeAll(async () => {
  here = await ScheduledWorld.start();
});
afterAll(() => here.close());

const upkeep = {
  ...usualUpkeep({ keepMs: 7 * dayMs, keepSnapshots: 5, graceMs: 6 * hourMs }),
  expiredMin: 5,
};

async function day(table: ScheduledTable, d: number): Promise<void> {
  await table.put(d % 12, `day ${d}`);
  await table.put(100 + d, 'new');
  await table.remove(90 + d);
  here.aws.clock.advanceMs(dayMs);
}

// In the long runs recovery reaches back 35 days, as it does by itself; else three, and two weeks are enough.
const isLong = process.env.TIDELAKE_LONG_RUNS !== undefined;
const [daysOfLife, periodDays] = isLong ? [60, 35] : [14, 3];

it('days go by, and the first full export out of reach', { timeout: 300_000 }, async () => {
  const table = await here.table({ grainMinutes: 1440, lagMinutesMax: 2 * 1440 });
  await here.aws.recovery(table.name, true, periodDays);
  let fullAt: string | null = null;
  let windows = 0;
  let expired = 0;
  let snapshotsMax = 0;
  let filesMax = 0;
  for (let d = 0; d < daysOfLife; d++) {
    await day(table, d);
    const asked = await table.round({ upkeep });
    fullAt ??= asked.requested.find(({ at }) => at !== null)?.at ?? null;
    here.aws.clock.advanceMs(30 * minuteMs);
    const report = await table.round({ upkeep });
    expect(report.error).toBeNull();
    windows += [...asked.merges, ...report.merges].filter(
      ({ action }) => action === 'applied',
    ).length;
    expired += report.upkeep?.expired?.expiredSnapshots ?? 0;
    const { md } = await table.lake.open();
    snapshotsMax = Math.max(snapshotsMax, md.snapshots.length);
    let files = 0;
    for await (const _ of here.store.list(md.location)) files++;
    filesMax = Math.max(filesMax, files);
    if (d % 7 === 6) expect(await table.faults(report.watermark!)).toEqual([]);
  }
  expect(windows).toBeGreaterThan(daysOfLife - 3);
  const { earliestMs } = await table.runner().exports.describePitr(table.name);
  expect(earliestMs).toBeGreaterThan(Date.parse(fullAt!));
  expect(expired).toBeGreaterThan(isLong ? 40 : 0);
  expect(snapshotsMax).toBeLessThan(16);
  expect(filesMax).toBeLessThan(200);
  const [verified] = await verify(table.lake.world, table.lake.target);
  expect(verified!.checks.filter(({ ok }) => !ok)).toEqual([]);
});
