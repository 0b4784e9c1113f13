// Many tables in one run: trouble of one is its own, only so many at once, and what waiting ends with.
// Promises: tables and exports are fakes that say what they were asked; no AWS, no lake but an empty one.
// Source: the design, "The hourly job is a pure decision".

import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../pipeline/local/clock.js';
import type { TableExports } from '../../pipeline/ports.js';
import type { RoundReport } from '../../pipeline/reports.js';
import { guardCommits, RunLimit } from '../../pipeline/schedule/run-limit.js';
import { planTables, runTables } from '../../pipeline/schedule/run-tables.js';
import type { TableJob } from '../../pipeline/schedule/table-job.js';
import { TidelakeError } from '../../schemas/errors.js';
import { memoryWorld } from '../scenarios/story-world.js';
import { config, hour, minute } from './model-world.js';

const startMs = Date.UTC(2026, 10, 20, 12);

function job(n: number): TableJob {
  const table = `table_${n}`;
  return {
    source: table,
    target: { lake: 'file:///lake', database: 'shop', table },
    schedule: { ...config, table },
    buckets: null,
    partition: null,
    region: null,
    roleArn: null,
  };
}

const never = (): never => {
  throw new Error('not asked for here');
};

/** DynamoDB with tables that have recovery, whose exports never end. */
function dynamoDb(more: Partial<TableExports> = {}): TableExports & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    describeTable: async (tableName) => ({
      tableArn: `arn:aws:dynamodb:eu-west-1:123456789012:table/${tableName}`,
      tableName,
      tableId: `id-${tableName}`,
      createdMs: startMs - 24 * hour,
      key: ['pk'],
      status: 'ACTIVE',
      sizeBytes: 0,
      itemCount: 0,
    }),
    describePitr: async () => ({
      isEnabled: true,
      earliestMs: startMs - 24 * hour,
      latestMs: startMs - 5 * minute,
      periodDays: 35,
    }),
    listExports: async function* none() {},
    describeExport: async () => null,
    requestExport: async ({ tableArn, s3Prefix }) => {
      asked.push(s3Prefix);
      return `${tableArn}/export/0${startMs}-${asked.length}`;
    },
    listTables: never,
    tagsOf: never,
    ...more,
  };
}

async function all<T>(reports: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const one of reports) found.push(one);
  return found;
}

function world() {
  const clock = new ManualClock(startMs);
  return { ...memoryWorld('tables'), clock };
}

const denied = new TidelakeError({ code: 'DENIED', what: 'w', meaning: 'm', next: 'n' });

describe('tables in one run', () => {
  const jobs = Array.from({ length: 12 }, (_, n) => job(n));
  const broken: Readonly<Record<string, () => Promise<TableExports>>> = {
    table_2: () => Promise.reject(denied),
    table_3: async () => dynamoDb({ describeTable: async () => null }),
    table_5: async () =>
      dynamoDb({ describePitr: () => Promise.reject(new TypeError('a defect')) }),
    table_7: async () =>
      dynamoDb({
        describePitr: async () => ({
          isEnabled: false,
          earliestMs: null,
          latestMs: null,
          periodDays: null,
        }),
      }),
    table_11: async () => dynamoDb({ requestExport: () => Promise.reject(denied) }),
  };

  it('each have a report, and trouble is that of its own table', async () => {
    const exportsOf = ({ source }: TableJob) => broken[source]?.() ?? Promise.resolve(dynamoDb());
    const reports = await all(runTables(world(), jobs, exportsOf, { tablesAtOnceMax: 3 }));
    const codes = new Map(reports.map(({ table, error }) => [table, error?.code ?? 'none']));
    expect(codes.size).toBe(12);
    expect(Object.fromEntries([...codes].filter(([, code]) => code !== 'none'))).toEqual({
      table_2: 'DENIED',
      table_3: 'REFUSED_NO_TABLE',
      table_5: 'INTERNAL',
      table_7: 'REFUSED_PITR_OFF',
      table_11: 'DENIED',
    });
    const states = (state: RoundReport['state']): number =>
      reports.filter((one) => one.state === state).length;
    expect([states('waiting'), states('refused'), states('failed')]).toEqual([7, 2, 3]);
  });

  it('have plans, in which trouble is that of its own table', async () => {
    const exportsOf = ({ source }: TableJob) =>
      broken[source]?.() ?? Promise.resolve(dynamoDb({ requestExport: never }));
    const plans = await all(planTables(world(), jobs, exportsOf, { tablesAtOnceMax: 3 }));
    expect(plans).toHaveLength(12);
    expect(plans.filter(({ actions }) => actions[0]?.do === 'request-full')).toHaveLength(8);
  });

  it('are worked on so many at a time', async () => {
    let atOnce = 0;
    let most = 0;
    const exportsOf = async (): Promise<TableExports> =>
      dynamoDb({
        describePitr: async () => {
          atOnce += 1;
          most = Math.max(most, atOnce);
          await new Promise((resolve) => setImmediate(resolve));
          atOnce -= 1;
          return { isEnabled: false, earliestMs: null, latestMs: null, periodDays: null };
        },
      });
    await all(runTables(world(), jobs, exportsOf, { tablesAtOnceMax: 4 }));
    expect(most).toBe(4);
  });
});

describe('tables whose work never fits the time', () => {
  it.each([5, 60])(
    'do not keep the others from their turn: ticks every %d minutes',
    async (every) => {
      // Four of them take the places for themselves: who comes after all four has no turn in that tick.
      const jobs = Array.from({ length: 12 }, (_, n) => job(n));
      const endless = new Set(['table_0', 'table_1', 'table_2', 'table_3']);
      const served = new Map<string, number>();
      for (let tick = 0; tick < 30; tick++) {
        const here = world();
        here.clock.advanceMs(tick * every * minute);
        const order: string[] = [];
        const exportsOf = async ({ source }: TableJob): Promise<TableExports> => {
          order.push(source);
          return dynamoDb({ describeTable: async () => null });
        };
        await all(runTables(here, jobs, exportsOf, { tablesAtOnceMax: 1 }));
        expect([...order].sort()).toEqual(jobs.map(({ source }) => source).sort());
        let taken = 0;
        for (const table of order) {
          if (taken < 4) served.set(table, (served.get(table) ?? 0) + 1);
          if (endless.has(table)) taken += 1;
        }
      }
      // Before the last of four in a drawn order is a table four times out of five: 24 of 30 ticks.
      for (const { source } of jobs) expect(served.get(source)).toBeGreaterThan(12);
    },
  );
});

describe('a run that waits', () => {
  it('lets another table have the turn of one that sleeps', async () => {
    const here = world();
    const limit = new RunLimit(here.clock, startMs + 60 * minute);
    const jobs = Array.from({ length: 5 }, (_, n) => job(n));
    const rounds: string[] = [];
    await all(
      runTables(here, jobs, async () => dynamoDb(), {
        tablesAtOnceMax: 1,
        isWaiting: true,
        limit,
        onRound: ({ table }) => rounds.push(table),
      }),
    );
    expect(rounds.slice(0, 5).sort()).toEqual(jobs.map(({ source }) => source));
  });

  it('ends when its time is over, and says so', async () => {
    const here = world();
    const limit = new RunLimit(here.clock, startMs + 10 * minute);
    const exports = dynamoDb();
    const rounds: RoundReport[] = [];
    const [report] = await all(
      runTables(here, [job(1)], async () => exports, {
        tablesAtOnceMax: 1,
        isWaiting: true,
        limit,
        onRound: (round) => rounds.push(round),
      }),
    );
    expect(report).toMatchObject({ state: 'waiting', waitingFor: 'time-budget' });
    expect(here.clock.nowMs()).toBeLessThanOrEqual(startMs + 10 * minute);
    expect(rounds.length).toBeGreaterThan(5);
  });

  it('tries again after errors that pass, three times in a row at most', async () => {
    const throttled = new TidelakeError({ code: 'THROTTLED', what: 'w', meaning: '', next: '' });
    let asked = 0;
    const exports = dynamoDb({
      describeTable: () => {
        asked += 1;
        return Promise.reject(throttled);
      },
    });
    const options = { tablesAtOnceMax: 1, isWaiting: true };
    const [report] = await all(runTables(world(), [job(1)], async () => exports, options));
    expect(report).toMatchObject({ state: 'failed', error: { code: 'THROTTLED' } });
    expect(asked).toBe(3);
  });

  it('does not try again what stays as it is', async () => {
    let asked = 0;
    const exports = dynamoDb({
      describeTable: () => {
        asked += 1;
        return Promise.reject(denied);
      },
    });
    const options = { tablesAtOnceMax: 1, isWaiting: true };
    await all(runTables(world(), [job(1)], async () => exports, options));
    expect(asked).toBe(1);
  });

  // What is described says that it can be had; once, or three times where time may heal it, the request is refused.
  it.each([
    ['REFUSED_OUTSIDE_PITR', 1],
    ['REFUSED_PITR_OFF', 1],
    ['REFUSED_NO_TABLE', 1],
    ['REFUSED_TOO_FRESH', 3],
  ] as const)(
    'ends with %s when DynamoDB refuses what it describes as there',
    async (code, rounds) => {
      const here = world();
      // Time ends a run that would go on for ever.
      const limit = new RunLimit(here.clock, startMs + 60 * minute);
      let asked = 0;
      const exports = dynamoDb({
        requestExport: () => {
          asked += 1;
          return Promise.reject(new TidelakeError({ code, what: 'w', meaning: 'm', next: 'n' }));
        },
      });
      const options = { tablesAtOnceMax: 1, isWaiting: true, limit };
      const [report] = await all(runTables(here, [job(1)], async () => exports, options));
      expect(report).toMatchObject({ state: 'refused', error: { code }, requested: [] });
      expect(asked).toBe(rounds);
    },
  );
});

it('a table that is still being made is waited for, though DynamoDB knows no recovery of it yet', async () => {
  const here = world();
  const limit = new RunLimit(here.clock, startMs + 60 * minute);
  let looks = 0;
  const usual = dynamoDb();
  const exports = dynamoDb({
    describeTable: async (tableName) => {
      looks += 1;
      const table = await usual.describeTable(tableName);
      return table === null ? null : { ...table, status: looks < 3 ? 'CREATING' : 'ACTIVE' };
    },
    describePitr: async (tableArn) => {
      if (looks >= 3) return usual.describePitr(tableArn);
      throw new TidelakeError({ code: 'REFUSED_NO_TABLE', what: 'w', meaning: 'm', next: 'n' });
    },
  });
  const rounds: RoundReport[] = [];
  const options = { tablesAtOnceMax: 1, isWaiting: true, limit } as const;
  const onRound = (round: RoundReport): number => rounds.push(round);
  await all(runTables(here, [job(1)], async () => exports, { ...options, onRound }));
  expect(
    rounds
      .slice(0, 3)
      .map(({ waitingFor, requested }) => `${waitingFor}, asked for ${requested.length}`),
  ).toEqual([
    'no-instant-yet, asked for 0',
    'no-instant-yet, asked for 0',
    'exports-running, asked for 1',
  ]);
  expect(rounds.every(({ state, error }) => state === 'waiting' && error === null)).toBe(true);
});

describe('a refused request', () => {
  it('that was right by then is asked with anew, once table and recovery are read again', async () => {
    let latestMs = startMs;
    const asked: string[] = [];
    const exports = dynamoDb({
      describePitr: async () => ({
        isEnabled: true,
        earliestMs: startMs - 24 * hour,
        latestMs,
        periodDays: 35,
      }),
      requestExport: async ({ tableArn, s3Prefix }) => {
        asked.push(s3Prefix.slice(s3Prefix.lastIndexOf('/') + 1));
        if (asked.length > 1) return `${tableArn}/export/0${startMs}-1`;
        // The latest instant may go backwards.
        latestMs = startMs - 5 * minute;
        throw new TidelakeError({ code: 'REFUSED_TOO_FRESH', what: 'w', meaning: 'm', next: 'n' });
      },
    });
    const [report] = await all(
      runTables(world(), [job(1)], async () => exports, { tablesAtOnceMax: 1 }),
    );
    expect(report).toMatchObject({ state: 'waiting', waitingFor: 'exports-running', error: null });
    expect(asked).toEqual(['20261120T120000Z', '20261120T110000Z']);
  });
});

describe('a limit', () => {
  it('lets commits start until 20 seconds before its end', async () => {
    const clock = new ManualClock(startMs);
    const limit = new RunLimit(clock, startMs + 60_000);
    const { store } = guardCommits({ ...world(), clock }, limit);
    clock.advanceMs(39_999);
    expect(await store.putIfAbsent('file:///a', new Uint8Array(1))).toBe('created');
    clock.advanceMs(1);
    await expect(store.putIfAbsent('file:///b', new Uint8Array(1))).rejects.toMatchObject({
      code: 'TIME_BUDGET',
    });
    expect(await store.size('file:///b')).toBeNull();
    await store.put('file:///c', new Uint8Array(1));
  });

  it('that is told to stop wakes who sleeps, and keeps the nearer of two ends', async () => {
    const clock = { nowMs: () => startMs, sleep: () => new Promise<void>(() => {}) };
    const limit = new RunLimit(clock, startMs + 3_600_000);
    const slept = limit.sleep(1000);
    limit.stop(30_000);
    await slept;
    expect(limit.deadlineMs).toBe(startMs + 30_000);
    expect([limit.isStopping, limit.mayBegin, limit.mayCommit]).toEqual([true, false, true]);
  });

  it('is over when no commit may start and none is on its way', async () => {
    const clock = new ManualClock(startMs);
    const limit = new RunLimit(clock);
    let end = (): void => {};
    const commit = limit.commit(
      () =>
        new Promise<void>((resolve) => {
          end = resolve;
        }),
    );
    limit.stop(10_000);
    let isOver = false;
    const over = limit.over().then(() => {
      isOver = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isOver).toBe(false);
    end();
    await commit;
    await over;
    expect(isOver).toBe(true);
  });
});
