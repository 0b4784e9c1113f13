// Rounds with upkeep: what it costs, and that its trouble is none of the round's.
// Promises: the simulated AWS through the real SDK, on a virtual clock; what is wrong is put in from outside.
// Source: pipeline/schedule/run-round.ts; docs/how-to/upkeep.md.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verify } from '../../pipeline/inspect/verify.js';
import type { ObjectStore } from '../../pipeline/ports.js';
import type { RoundReport } from '../../pipeline/reports.js';
import { RunLimit } from '../../pipeline/schedule/run-limit.js';
import type { RoundOptions } from '../../pipeline/schedule/run-round.js';
import { configuredUpkeep, usualUpkeep } from '../../pipeline/upkeep/upkeep-due.js';
import { refuse } from '../../schemas/errors.js';
import { hourMs, minuteMs } from '../simulator/aws/running-dynamodb.js';
import { type Runner, type ScheduledTable, ScheduledWorld } from './scheduled-table.js';

let here: ScheduledWorld;
beforeAll(async () => {
  here = await ScheduledWorld.start();
});
afterAll(() => here.close());

/** A snapshot that may leave is enough. */
const upkeep = { ...usualUpkeep({ keepMs: 0, keepSnapshots: 1, graceMs: 0 }), expiredMin: 1 };

/** A table with a window of changes that is exported and not merged yet. */
async function withWindow(): Promise<ScheduledTable> {
  const { clock } = here.aws;
  // Tables begin at the same minute of an hour, so that windows have the same changes.
  clock.advanceMs(hourMs - (clock.nowMs() % hourMs));
  const table = await here.table();
  await table.untilFresh();
  await table.hour(0);
  await table.round();
  here.aws.clock.advanceMs(30 * minuteMs);
  return table;
}

/** A scheduler whose looks into the metadata folder, which upkeep alone makes, go through `children`. */
function looking(table: ScheduledTable, children: ObjectStore['children']): Runner {
  const runner = table.runner();
  const store = new Proxy(runner.world.store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (uri: string, ...rest: unknown[]): unknown =>
        name === 'children' && uri.endsWith('/metadata')
          ? children(uri)
          : (value as (...args: unknown[]) => unknown).call(target, uri, ...rest);
    },
  });
  const { clock } = runner.world;
  // A pause gives way to what is going on meanwhile.
  const sleep = () => new Promise<void>((resolve) => setImmediate(resolve));
  return { ...runner, world: { ...runner.world, store, clock: { ...clock, sleep } } };
}

async function merged(
  table: ScheduledTable,
  options: RoundOptions,
  runner?: Runner,
): Promise<RoundReport> {
  const report = await table.round(options, {}, runner);
  expect(report).toMatchObject({ error: null, merges: [{ action: 'applied' }] });
  expect(await table.faults(report.watermark!)).toEqual([]);
  return report;
}

describe('a round with upkeep', () => {
  it('lets go of what may leave, after its windows', async () => {
    const table = await withWindow();
    const { upkeep: done } = await merged(table, { upkeep });
    expect(done).toMatchObject({ compacted: [], expired: { expiredSnapshots: 1 }, error: null });
  });

  it('that brings nothing in makes no request more than one without', async () => {
    const table = await here.table();
    await table.untilFresh();
    const asked = async (options: RoundOptions): Promise<readonly string[]> => {
      here.aws.simulator.clearRequests();
      expect(await table.round(options)).toMatchObject({ state: 'fresh', upkeep: null });
      return here.aws.simulator.requests().map(({ operation }) => operation);
    };
    const without = await asked({});
    expect(without).toHaveLength(9);
    expect(await asked({ upkeep })).toEqual(without);
  });

  it('is as good as one without when upkeep fails, and says why', async () => {
    const table = await withWindow();
    const denied = looking(table, async () => {
      throw refuse('REFUSED_KEPT_FILES', 'what', 'meaning', 'next');
    });
    const report = await merged(table, { upkeep }, denied);
    expect(report.upkeep).toMatchObject({ expired: null, error: { code: 'REFUSED_KEPT_FILES' } });
    // It is due again after the next window.
    await table.hour(1);
    await table.round({ upkeep });
    here.aws.clock.advanceMs(30 * minuteMs);
    expect((await merged(table, { upkeep })).upkeep).toMatchObject({ error: null });
  });

  it('that may not delete lets snapshots go all the same; their files go once it may', async () => {
    const table = await withWindow();
    const files = async (): Promise<number> => {
      let count = 0;
      const { location } = await table.lake.open();
      for await (const _ of here.store.list(location)) count++;
      return count;
    };
    const { simulator, clock } = here.aws;
    simulator.setFaults([
      {
        service: 's3',
        operation: 'DeleteObject',
        do: { fault: 'error', code: 'AccessDenied', message: 'not allowed' },
      },
    ]);
    const report = await table.round({ upkeep });
    simulator.setFaults([]);
    expect(report).toMatchObject({ error: null, merges: [{ action: 'applied' }] });
    expect(await table.faults(report.watermark!)).toEqual([]);
    const { expired } = report.upkeep!;
    expect(expired).toMatchObject({ expiredSnapshots: 1, dataFiles: 0 });
    expect(expired!.unremoved).toBeGreaterThan(1);
    const before = await files();
    await table.hour(1);
    await table.round();
    clock.advanceMs(30 * minuteMs);
    const again = (await merged(table, { upkeep })).upkeep!;
    expect(again).toMatchObject({ expired: { unremoved: 0 }, error: null });
    // Those of the snapshot that left before, and of the one that leaves now.
    expect(again.expired!.dataFiles).toBe(2);
    expect(await files()).toBeLessThan(before + expired!.unremoved);
    const [verified] = await verify(table.lake.world, table.lake.target);
    expect(verified!.checks.filter(({ ok }) => !ok)).toEqual([]);
  });

  it('begins none in the last minute in which a merge may begin', async () => {
    const table = await withWindow();
    const { clock } = here.aws;
    // Twenty seconds at the end are kept for commits.
    const limit = new RunLimit(clock, clock.nowMs() + 80_000);
    expect((await merged(table, { upkeep, limit })).upkeep).toBeNull();
    expect((await table.lake.open()).md.snapshots).toHaveLength(2);
  });

  it('leaves upkeep that does not end in time, and gives its report before the run is over', async () => {
    const table = await withWindow();
    const { clock } = here.aws;
    const endMs = clock.nowMs() + 300_000;
    const slow = looking(table, () => {
      clock.advanceMs(endMs - 25_000 - clock.nowMs());
      return new Promise(() => {});
    });
    const limit = new RunLimit(slow.world.clock, endMs);
    const { upkeep: cut } = await merged(table, { upkeep, limit }, slow);
    expect(cut).toMatchObject({ compacted: [], expired: null, error: { code: 'TIME_BUDGET' } });
    expect(limit.mayCommit).toBe(true);
  });

  it('leaves upkeep when the run is told to stop', async () => {
    const table = await withWindow();
    const limit = new RunLimit(here.aws.clock);
    const stopped = looking(table, () => {
      limit.stop(30_000);
      return new Promise(() => {});
    });
    const { upkeep: cut } = await merged(table, { upkeep, limit }, stopped);
    expect(cut).toMatchObject({ error: { code: 'TIME_BUDGET' } });
  });
});

describe('upkeep by configuration', () => {
  it('is what is asked for, and nothing else', () => {
    const days = { keepDays: 30, keepSnapshots: 100, compact: false };
    expect(configuredUpkeep({ ...days, keepDays: null })).toBeNull();
    const never = Number.POSITIVE_INFINITY;
    expect(configuredUpkeep(days)).toMatchObject({
      retention: { keepMs: 2_592_000_000, keepSnapshots: 100, graceMs: 21_600_000 },
      expiredMin: 24,
      smallFilesMin: never,
      deleteFilesMin: never,
    });
    expect(configuredUpkeep({ ...days, keepDays: null, compact: true })).toMatchObject({
      expiredMin: never,
      versionsMin: never,
      smallFilesMin: 16,
      deleteFilesMin: 16,
    });
  });
});
