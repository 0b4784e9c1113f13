// Backfills over the simulated AWS for tests: a table with hours behind it, a runner whose waits move the clock, one that dies.
// Promises: no wait takes real time; the past is compared with the simulated table at every instant of the lake's log.
// Source: test/schedule/scheduled-table.ts.

import { expect } from 'vitest';
import {
  type BackfillRecoveryOptions,
  backfillRecovery,
} from '../../pipeline/backfill/backfill-recovery.js';
import { type BackfillReport, log, type ObjectStore, RunLimit } from '../../pipeline/index.js';
import type { Clock, TableExports } from '../../pipeline/ports.js';
import type { ScheduleConfig } from '../../pipeline/schedule/situation.js';
import { Random } from '../../pipeline/simulator/index.js';
import { expectedItems } from '../scenarios/story-world.js';
import type { Runner, ScheduledTable, ScheduledWorld } from '../schedule/scheduled-table.js';
import { hourMs, minuteMs } from '../simulator/aws/running-dynamodb.js';

export const iso = (ms: number): string => new Date(ms).toISOString();

/** A runner whose waits are the world's. */
function runner(here: ScheduledWorld, table: ScheduledTable): Runner {
  const { world, exports } = table.runner();
  const { clock } = here.aws;
  const sleepy: Clock = {
    nowMs: () => clock.nowMs(),
    sleep: async (ms) => clock.advanceMs(Math.max(ms, 1000)),
  };
  return { world: { ...world, clock: sleepy }, exports };
}

export async function backfill(
  here: ScheduledWorld,
  table: ScheduledTable,
  options: Partial<BackfillRecoveryOptions> & { readonly fromMs: number },
  { world, exports }: Runner = runner(here, table),
): Promise<BackfillReport> {
  return backfillRecovery(world, exports, table.job, {
    toMs: null,
    rewind: false,
    isDryRun: false,
    limit: new RunLimit(world.clock),
    ...options,
  });
}

/** A table with hours behind it; gives the whole hour in which it began to change. */
export async function aged(
  here: ScheduledWorld,
  hours: number,
  set: Partial<ScheduleConfig> = {},
): Promise<{ table: ScheduledTable; fromMs: number }> {
  const table = await here.table(set);
  const { clock } = here.aws;
  clock.advanceMs(hourMs - (clock.nowMs() % hourMs));
  const fromMs = clock.nowMs();
  clock.advanceMs(5 * minuteMs);
  for (let h = 0; h < hours; h++) await table.hour(h);
  clock.advanceMs(10 * minuteMs);
  return { table, fromMs };
}

/** The lake at every instant of its log, against the table; returns the ends of its windows. */
export async function expectPast(
  here: ScheduledWorld,
  table: ScheduledTable,
  fromMs: number,
): Promise<readonly string[]> {
  const past = here.aws.simulator.dynamodb.past(table.name)!;
  const { world, target } = table.lake;
  const ends = (await log(world, target)).flatMap(({ to }) => to ?? []);
  for (const at of [iso(fromMs), ...ends]) {
    expect(await table.lake.items(at), at).toEqual(expectedItems(past, Date.parse(at)));
  }
  expect(await table.faults(ends.at(-1) ?? iso(fromMs))).toEqual([]);
  return ends;
}

class Killed extends Error {}

/** A runner that dies at its n-th operation on DynamoDB or S3; `after`: the operation was done, its answer is lost. */
function mortal(
  here: ScheduledWorld,
  table: ScheduledTable,
  dieAt: number,
  after: boolean,
): Runner {
  const { world, exports } = runner(here, table);
  let count = 0;
  const wrap = <T extends object>(one: T): T =>
    new Proxy(one, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        if (name === 'listExports' || name === 'list' || name === 'stream')
          return value.bind(target);
        return async (...given: unknown[]) => {
          count += 1;
          if (count > dieAt || (count === dieAt && !after)) throw new Killed();
          const result: unknown = await value.apply(target, given);
          if (count === dieAt) throw new Killed();
          return result;
        };
      },
    });
  const store = wrap<ObjectStore>(world.store);
  return { world: { ...world, store }, exports: wrap<TableExports>(exports) };
}

/** Kills a backfill of some hours at random operations until it is done. Nothing is paid twice, and the past is the table's. */
export async function killedOften(
  here: ScheduledWorld,
  hours: number,
  seed: string,
): Promise<void> {
  const dice = new Random(seed, 'killed backfill');
  const { clock } = here.aws;
  const { table, fromMs } = await aged(here, hours, { exportsAtOnceMax: 2 });
  const toMs = fromMs + hours * hourMs;
  let report: BackfillReport | null = null;
  let deaths = 0;
  for (let life = 0; life < 80 && report?.error !== null; life++) {
    const dying = mortal(here, table, 5 + dice.below(120), dice.chance(0.5));
    report = await backfill(here, table, { fromMs, toMs }, dying).catch(() => null);
    if (report?.error !== null) deaths += 1;
    clock.advanceMs(dice.below(30) * minuteMs);
    // Now and then so late that tokens are forgotten.
    if (dice.chance(0.1)) clock.advanceMs(9 * hourMs);
  }
  expect(deaths).toBeGreaterThan(2);
  expect(report).toMatchObject({ error: null, watermark: iso(toMs) });
  const ends = Array.from({ length: hours }, (_, h) => iso(fromMs + (h + 1) * hourMs));
  expect(await expectPast(here, table, fromMs)).toEqual(ends);
}
