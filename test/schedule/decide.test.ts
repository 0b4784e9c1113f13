// Each rule of the decision by an example, with times and outcomes worked out by hand.

import { describe, expect, it } from 'vitest';
import type { Action, RequestFull, RequestWindow } from '../../pipeline/schedule/actions.js';
import { decide } from '../../pipeline/schedule/decide.js';
import { freshness } from '../../pipeline/schedule/freshness.js';
import type { ScheduleConfig, Situation } from '../../pipeline/schedule/situation.js';
import type { KnownFull, KnownWindow } from '../../schemas/table-exports.js';
import { config, day, hour, minute } from './model-world.js';

/** `at('20T09:00')`: an instant of November 2026, UTC. */
const at = (text: string): number => Date.parse(`2026-11-${text}Z`);
const folder = 'raw/orders/id-1';

const table = {
  tableArn: 'arn:aws:dynamodb:eu-west-1:123456789012:table/orders',
  tableName: 'orders',
  tableId: 'id-1',
  createdMs: at('01T00:00'),
};

/** A lake at 09:00 on the 20th, three minutes after 11:00; recovery is on since the 1st. */
function situation(
  changes: Partial<Situation> & { readonly set?: Partial<ScheduleConfig> } = {},
): Situation {
  const { set, ...rest } = changes;
  return {
    lake: { epoch: 1, tableId: 'id-1', watermarkMs: at('20T09:00'), gaps: [], doubt: null },
    table,
    pitr: { isEnabled: true, earliestMs: at('01T00:00'), latestMs: at('20T11:03'), periodDays: 35 },
    exports: [],
    looked: [],
    nowMs: at('20T11:08'),
    config: { ...config, ...set },
    ...rest,
  };
}

const base = {
  tableId: 'id-1',
  failureCode: null,
  clientToken: null,
  s3Bucket: 'lake-exports',
  s3Prefix: null,
  requestedAtMs: at('20T11:00'),
  billedBytes: null,
  isReadable: true,
};

function window(from: string, to: string, changes: Partial<KnownWindow> = {}): KnownWindow {
  return {
    ...base,
    type: 'INCREMENTAL_EXPORT',
    exportArn: `arn:${from}-${to}`,
    window: { fromMs: at(from), toMs: at(to) },
    state: 'COMPLETED',
    summaryUri: `s3://lake-exports/${from}`,
    ...changes,
  };
}

function full(time: string, changes: Partial<KnownFull> = {}): KnownFull {
  return {
    ...base,
    type: 'FULL_EXPORT',
    exportArn: `arn:full-${time}`,
    exportTimeMs: at(time),
    state: 'COMPLETED',
    summaryUri: `s3://lake-exports/full-${time}`,
    ...changes,
  };
}

const running = { state: 'IN_PROGRESS', summaryUri: null } as const;
const kinds = (actions: readonly Action[]): string[] => actions.map((one) => one.do);
const asked = (actions: readonly Action[]): string[] =>
  actions
    .filter((one): one is RequestWindow => one.do === 'request-window')
    .map(({ request }) => request.s3Prefix);
const code = (actions: readonly Action[]): string | undefined => {
  const last = actions.at(-1);
  return last?.do === 'refuse' ? last.error.code : undefined;
};
const next = (actions: readonly Action[]): string | undefined => {
  const last = actions.at(-1);
  return last?.do === 'refuse' ? last.error.next : undefined;
};
/** The first request for a window that a decision holds. */
const requestOf = (given: Situation): RequestWindow['request'] =>
  decide(given).find((one): one is RequestWindow => one.do === 'request-window')!.request;

describe('windows', () => {
  it('are asked for from the watermark to the last edge that can be exported, under prefixes that name them', () => {
    const actions = decide(situation());
    expect(asked(actions)).toEqual([
      `${folder}/20261120T090000Z_20261120T100000Z`,
      `${folder}/20261120T100000Z_20261120T110000Z`,
    ]);
    expect(actions.at(-1)).toEqual({
      do: 'wait',
      why: 'exports-running',
      untilMs: at('20T11:09'),
    });
    expect(actions[0]).toMatchObject({
      window: { fromMs: at('20T09:00'), toMs: at('20T10:00') },
      request: { attempt: 1, subject: { view: 'NEW_AND_OLD_IMAGES' }, tableArn: table.tableArn },
    });
  });

  it('that are too fresh are not asked for: the lake is as fresh as it can be', () => {
    const pitr = { ...situation().pitr, latestMs: at('20T09:58') };
    expect(decide(situation({ pitr, nowMs: at('20T10:03') }))).toEqual([
      { do: 'nothing', freshToMs: at('20T09:00'), nextMs: at('20T10:05') },
    ]);
  });

  it('are not asked for when the latest instant has gone back behind the watermark', () => {
    const pitr = { ...situation().pitr, latestMs: at('20T08:50') };
    expect(kinds(decide(situation({ pitr })))).toEqual(['nothing']);
  });

  it('are under way at most as many as allowed, those of others counted', () => {
    const exports = [window('20T09:00', '20T09:30', running)];
    const set = { exportsAtOnceMax: 2, grainMinutes: 30 };
    expect(asked(decide(situation({ exports, set })))).toEqual([
      `${folder}/20261120T093000Z_20261120T100000Z`,
    ]);
  });

  it('that somebody asked for are followed, whatever their length, and the next starts at their end', () => {
    const exports = [window('20T09:00', '20T09:50', running)];
    expect(asked(decide(situation({ exports })))).toEqual([
      `${folder}/20261120T095000Z_20261120T110000Z`,
    ]);
  });

  it('in Ion, filtered, elsewhere, or of another table are as if they were not there', () => {
    for (const change of [{ isReadable: false }, { tableId: 'id-0' }]) {
      const exports = [window('20T09:00', '20T10:00', change)];
      expect(asked(decide(situation({ exports })))).toHaveLength(2);
    }
  });

  it('that are complete are merged in order, also when later ones were first', () => {
    const exports = [window('20T10:00', '20T11:00'), window('20T09:00', '20T10:00')];
    expect(decide(situation({ exports }))).toEqual([
      { do: 'merge', exports: [exports[1], exports[0]] },
    ]);
  });

  it('wait for the one before them', () => {
    const exports = [window('20T10:00', '20T11:00'), window('20T09:00', '20T10:00', running)];
    expect(kinds(decide(situation({ exports })))).toEqual(['wait']);
  });
});

describe('a request', () => {
  it('has the same token whenever it is made, and another if anything in it is another', () => {
    const { clientToken } = requestOf(situation());
    expect(clientToken).toMatch(/^[0-9a-f]{32}$/);
    expect(requestOf(situation({ nowMs: at('20T15:00') })).clientToken).toBe(clientToken);
    const { destination } = config;
    const others = [
      situation({ set: { view: 'NEW_IMAGE' } }),
      situation({ set: { grainMinutes: 30 } }),
      situation({ set: { destination: { ...destination, s3Bucket: 'other' } } }),
      situation({ set: { destination: { ...destination, s3Prefix: '' } } }),
      situation({ set: { destination: { ...destination, s3SseAlgorithm: 'KMS' } } }),
      situation({ set: { destination: { ...destination, s3BucketOwner: '210987654321' } } }),
    ].map((one) => requestOf(one).clientToken);
    expect(new Set([clientToken, ...others]).size).toBe(7);
  });

  it('within 8 hours of the window is made at once; after that its prefix is read first', () => {
    const early = situation({ nowMs: at('20T16:00') });
    expect(kinds(decide(early))).toEqual(['request-window', 'request-window', 'wait']);
    const late = situation({ nowMs: at('20T18:00') });
    const first = `${folder}/20261120T090000Z_20261120T100000Z`;
    const second = `${folder}/20261120T100000Z_20261120T110000Z`;
    expect(decide(late)).toEqual([
      { do: 'look', s3Prefix: first },
      { do: 'look', s3Prefix: second },
    ]);
    expect(asked(decide({ ...late, looked: [first, second] }))).toEqual([first, second]);
  });

  it('is not taken for fresh because the clock of the runner is behind', () => {
    const pitr = { ...situation().pitr, latestMs: at('20T20:00') };
    expect(decide(situation({ pitr, nowMs: at('20T09:00') }))[0]!.do).toBe('look');
  });
});

describe('an export that failed', () => {
  const tokenOf = (attempt: number, failed: readonly KnownWindow[]): string => {
    const request = requestOf(situation({ exports: failed }));
    expect(request.attempt).toBe(attempt);
    return request.clientToken;
  };
  const failure = (clientToken: string | null): KnownWindow =>
    window('20T09:00', '20T10:00', {
      exportArn: `arn:failed-${clientToken}`,
      state: 'FAILED',
      failureCode: 'S3AccessDenied',
      summaryUri: null,
      clientToken,
    });

  it('is asked for again under the next attempt, three in all; then a person is told', () => {
    const failed: KnownWindow[] = [];
    for (const attempt of [1, 2, 3]) failed.push(failure(tokenOf(attempt, failed)));
    expect(new Set(failed.map(({ clientToken }) => clientToken)).size).toBe(3);
    const actions = decide(situation({ exports: failed }));
    expect(kinds(actions)).toEqual(['refuse']);
    expect(code(actions)).toBe('REFUSED_EXPORT_FAILED');
    expect(next(actions)).toContain('--from 2026-11-20T09:00:00');
  });

  it('counts as stuck by the clock of the service, not by that of the runner', () => {
    const exports = [window('20T09:00', '20T10:00', { ...running, requestedAtMs: at('20T10:10') })];
    const skewed = decide(situation({ exports, nowMs: at('28T11:08') }));
    expect(code(skewed)).toBeUndefined();
    const set = { stuckMinutesMax: 30 };
    const pitr = { ...situation().pitr, latestMs: at('20T10:41') };
    const stuck = decide(situation({ exports, pitr, set, nowMs: at('20T10:30') }));
    expect(code(stuck)).toBe('REFUSED_EXPORT_FAILED');
    expect(next(stuck)).toContain('tidelake export --table orders --from 2026-11-20T09:00:00');
  });

  it('of somebody else uses up no attempt', () => {
    const exports = ['x', 'y', 'z'].map(failure);
    expect(requestOf(situation({ exports })).attempt).toBe(1);
  });

  it('lets the windows before it be merged and those after it alone', () => {
    const ready = window('20T08:00', '20T09:00');
    const lake = { ...situation().lake!, watermarkMs: at('20T08:00') };
    const exports = ['1', '2', '3']
      .map(() => failure(null))
      .map((one, i) => ({
        ...one,
        exportArn: `arn:${i}`,
        s3Prefix: `${folder}/20261120T090000Z_20261120T100000Z`,
      }));
    expect(kinds(decide(situation({ lake, exports: [ready, ...exports] })))).toEqual([
      'merge',
      'refuse',
    ]);
  });

  it('is named when it never ends, and gone on with when it does', () => {
    const exports = [window('20T09:00', '20T10:00', { ...running, requestedAtMs: at('19T11:00') })];
    expect(code(decide(situation({ exports })))).toBe('REFUSED_EXPORT_FAILED');
    const done = [{ ...exports[0]!, state: 'COMPLETED' as const, summaryUri: 's3://x' }];
    expect(decide(situation({ exports: done })).some((one) => one.do === 'merge')).toBe(true);
  });

  it('is not the same as one that was removed: that is not paid for again without a word', () => {
    const s3Prefix = `${folder}/20261120T090000Z_20261120T100000Z`;
    const exports = [window('20T09:00', '20T10:00', { summaryUri: null, s3Prefix })];
    expect(code(decide(situation({ exports })))).toBe('REFUSED_INPUT_GONE');
  });
});

describe('a chain that cannot go on', () => {
  const late = { ...situation().pitr, earliestMs: at('20T09:30') };
  const looked = [`${folder}/20261120T090000Z_20261120T100000Z`];

  it('is named too old, after looking whether the window was asked for in time', () => {
    expect(decide(situation({ pitr: late }))).toEqual([{ do: 'look', s3Prefix: looked[0] }]);
    const actions = decide(situation({ pitr: late, looked }));
    expect(code(actions)).toBe('REFUSED_OUTSIDE_PITR');
    expect(next(actions)).toBe('tidelake run --table orders --reseed');
  });

  it('is measured at the watermark: the first full export may be long gone', () => {
    const pitr = { ...situation().pitr, earliestMs: at('20T09:00') };
    expect(asked(decide(situation({ pitr })))).toHaveLength(2);
  });

  it('is looked for some windows at a time, as many as may be under way', () => {
    const lake = { ...situation().lake!, watermarkMs: at('19T23:00') };
    const looks = decide(situation({ lake, pitr: late, set: { exportsAtOnceMax: 3 } }));
    expect(looks).toEqual([
      { do: 'look', s3Prefix: `${folder}/20261119T230000Z_20261120T000000Z` },
      { do: 'look', s3Prefix: `${folder}/20261120T000000Z_20261120T010000Z` },
      { do: 'look', s3Prefix: `${folder}/20261120T010000Z_20261120T020000Z` },
    ]);
  });

  it('goes on while windows asked for in time lead past the edge', () => {
    const exports = [window('20T09:00', '20T10:00')];
    expect(kinds(decide(situation({ pitr: late, exports })))).toEqual([
      'request-window',
      'merge',
      'wait',
    ]);
  });

  it('says whether recovery was reset or keeps too little', () => {
    const facts = (pitr: Situation['pitr']): string => {
      const last = decide(situation({ pitr, looked })).at(-1)!;
      return last.do === 'refuse' ? last.error.what : '';
    };
    expect(facts(late)).toContain('switched off and on');
    const lake = { ...situation().lake!, watermarkMs: at('18T09:00') };
    const pitr = { ...late, earliestMs: at('19T11:08'), periodDays: 1 };
    const old = [`${folder}/20261118T090000Z_20261118T100000Z`];
    const last = decide(situation({ lake, pitr, looked: old })).at(-1)!;
    expect(last).toMatchObject({ do: 'refuse', error: { code: 'REFUSED_OUTSIDE_PITR' } });
    expect(JSON.stringify(last)).toContain('keeps 1 days');
  });

  it('since recovery keeps no longer than a window lasts names the longer period', () => {
    const pitr = { ...situation().pitr, earliestMs: at('19T11:08'), periodDays: 1 };
    const lake = { ...situation().lake!, watermarkMs: at('20T00:00') };
    const set = { grainMinutes: 1440, mayReseed: true };
    const ready = window('20T00:00', '20T09:00');
    expect(kinds(decide(situation({ lake, pitr, set, exports: [ready] })))).toEqual([
      'merge',
      'refuse',
    ]);
    const actions = decide(situation({ lake: null, pitr, set, looked: [`${folder}/full`] }));
    expect(code(actions)).toBe('REFUSED_PITR_PERIOD');
    expect(next(actions)).toContain('RecoveryPeriodInDays=35');
    // Half a day fits into a day, and a day into two.
    const half = { ...set, grainMinutes: 720 };
    expect(kinds(decide(situation({ lake, pitr, set: half })))).toEqual(['nothing']);
    const two = { ...pitr, periodDays: 2 };
    expect(kinds(decide(situation({ lake, pitr: two, set })))).toEqual(['nothing']);
  });

  it('since recovery is off names the command that switches it on', () => {
    const pitr = { isEnabled: false, earliestMs: null, latestMs: null, periodDays: null };
    const actions = decide(situation({ pitr, set: { mayReseed: true } }));
    expect(code(actions)).toBe('REFUSED_PITR_OFF');
    expect(next(actions)).toContain('update-continuous-backups --table-name orders');
  });

  it('since the table was made again still takes what is complete of the old one', () => {
    const other = { ...table, tableId: 'id-2', createdMs: at('20T10:30') };
    const actions = decide(situation({ table: other, exports: [window('20T09:00', '20T10:00')] }));
    expect(kinds(actions)).toEqual(['merge', 'refuse']);
    expect(code(actions)).toBe('REFUSED_TABLE_ID');
  });

  it('since the table is gone, or since the watermark cannot be believed, is refused', () => {
    expect(code(decide(situation({ table: null })))).toBe('REFUSED_NO_TABLE');
    expect(code(decide(situation({ table: null, lake: null })))).toBe('REFUSED_NO_TABLE');
    const doubt = { code: 'REFUSED_FOREIGN_WRITER', what: 'w', meaning: 'm', next: 'n' } as const;
    const lake = { ...situation().lake!, doubt };
    expect(decide(situation({ lake, set: { mayReseed: true } }))).toEqual([
      { do: 'refuse', error: doubt },
    ]);
  });

  it('since the full export was of a fraction of a second is refused as a seam', () => {
    const lake = { ...situation().lake!, watermarkMs: at('20T09:00:00.622') };
    expect(code(decide(situation({ lake })))).toBe('REFUSED_SEAM');
  });

  it('is followed by a new epoch when that is allowed', () => {
    const fulls = `${folder}/full`;
    const set = { mayReseed: true };
    const seen = [...looked, fulls];
    expect(decide(situation({ pitr: late, looked, set }))).toEqual([
      { do: 'look', s3Prefix: fulls },
    ]);
    const actions = decide(situation({ pitr: late, looked: seen, set }));
    expect(kinds(actions)).toEqual(['reseed', 'request-full', 'wait']);
    expect(actions[1]).toMatchObject({ exportTimeMs: at('20T11:00') });
    const exports = [full('20T11:00')];
    const then = decide(situation({ pitr: late, looked: seen, set, exports }));
    expect(then.slice(1)).toEqual([{ do: 'load', export: exports[0], acceptTableId: null }]);
  });

  it('is not followed by an epoch that begins before the watermark', () => {
    const lake = { ...situation().lake!, watermarkMs: at('20T09:00') };
    const pitr = { ...late, earliestMs: at('20T09:30') };
    // Known windows would lead from it past the edge.
    const exports = [full('20T08:00'), window('20T08:00', '20T09:30')];
    const seen = [...looked, `${folder}/full`];
    const actions = decide(
      situation({ lake, pitr, exports, looked: seen, set: { mayReseed: true } }),
    );
    expect(kinds(actions)).toEqual(['reseed', 'request-full', 'wait']);
  });

  it('since the table was made again is followed by an epoch of the new one', () => {
    const other = { ...table, tableId: 'id-2' };
    const exports = [full('20T11:00', { tableId: 'id-2' })];
    const actions = decide(
      situation({
        table: other,
        exports,
        looked: ['raw/orders/id-2/full'],
        set: { mayReseed: true },
      }),
    );
    expect(actions).toMatchObject([{ do: 'reseed' }, { do: 'load', acceptTableId: 'id-2' }]);
  });
});

describe('a table that is not in the lake yet', () => {
  const looked = [`${folder}/full`];
  const requested = (given: Situation): RequestFull =>
    decide(given).find((one): one is RequestFull => one.do === 'request-full')!;

  it('begins with a full export at the last edge of the grain', () => {
    const request = requested(situation({ lake: null, looked }));
    expect(request.exportTimeMs).toBe(at('20T11:00'));
    expect(request.request.s3Prefix).toBe(`${folder}/full/20261120T110000Z`);
  });

  it('begins at the first whole second when recovery is younger than that, and waits for it', () => {
    const pitr = { ...situation().pitr, earliestMs: at('20T11:01:02.250') };
    expect(requested(situation({ lake: null, looked, pitr })).exportTimeMs).toBe(at('20T11:01:03'));
    const younger = { ...pitr, earliestMs: at('20T11:07') };
    expect(decide(situation({ lake: null, looked, pitr: younger }))).toEqual([
      { do: 'wait', why: 'no-instant-yet', untilMs: at('20T11:12') },
    ]);
  });

  it('takes a full export that is there, the newest, and none of a fraction of a second', () => {
    const exports = [full('20T08:00'), full('20T10:00'), full('20T10:30:00.500')];
    expect(decide(situation({ lake: null, looked, exports }))).toMatchObject([
      { do: 'load', export: { exportArn: 'arn:full-20T10:00' } },
    ]);
  });

  it('waits for one under way instead of asking for another instant', () => {
    const exports = [full('20T10:00', running)];
    expect(kinds(decide(situation({ lake: null, looked, exports })))).toEqual(['wait']);
  });

  it('takes no full export whose changes can no longer be exported', () => {
    const pitr = { ...situation().pitr, earliestMs: at('20T10:30') };
    const exports = [full('20T10:00')];
    expect(requested(situation({ lake: null, looked, exports, pitr })).exportTimeMs).toBe(
      at('20T11:00'),
    );
  });

  it('asks for the instant that failed again, and stops after three', () => {
    const failed = [1, 2, 3].map((i) =>
      full('20T10:00', {
        exportArn: `arn:${i}`,
        state: 'FAILED',
        summaryUri: null,
        s3Prefix: `${folder}/full/20261120T100000Z`,
      }),
    );
    const once = requested(situation({ lake: null, looked, exports: failed.slice(0, 1) }));
    expect(once.exportTimeMs).toBe(at('20T10:00'));
    expect(once.request.attempt).toBe(2);
    const actions = decide(situation({ lake: null, looked, exports: failed }));
    expect(code(actions)).toBe('REFUSED_EXPORT_FAILED');
  });
});

describe('a run that is nearly over', () => {
  it('still asks for exports, and begins no merge in the last 20 seconds', () => {
    const exports = [window('20T09:00', '20T10:00')];
    const deadline = (ms: number): Situation =>
      situation({ exports, set: { deadlineMs: at('20T11:08') + ms } });
    expect(kinds(decide(deadline(20_001)))).toEqual(['request-window', 'merge', 'wait']);
    expect(decide(deadline(20_000)).slice(1)).toEqual([
      { do: 'wait', why: 'time-budget', untilMs: at('20T11:08:20') },
    ]);
  });
});

describe('freshness', () => {
  it('is told from the watermark, the newest window and the edge', () => {
    expect(freshness(situation())).toEqual({
      watermarkMs: at('20T09:00'),
      targetMs: at('20T11:00'),
      lagMs: 2 * hour + 8 * minute,
      isLate: false,
      spareMs: 19 * day + 9 * hour,
      isNearEdge: false,
      gaps: 0,
    });
    expect(freshness(situation({ nowMs: at('20T12:00:01') }))!.isLate).toBe(true);
    expect(freshness(situation({ lake: null }))).toBeNull();
  });

  it('warns while a quarter of the recovery period is left', () => {
    const pitr = { ...situation().pitr, periodDays: 4, earliestMs: at('19T11:08') };
    const lake = { ...situation().lake!, watermarkMs: at('17T11:08') };
    expect(freshness(situation({ pitr, lake }))!.isNearEdge).toBe(true);
    const nearer = { ...situation().pitr, periodDays: 4, earliestMs: at('16T11:08') };
    const exactly = freshness(situation({ pitr: nearer, lake }))!;
    expect([exactly.isNearEdge, exactly.spareMs]).toEqual([false, day]);
    const later = freshness(situation({ pitr: nearer, lake, nowMs: at('20T11:09') }))!;
    expect(later.isNearEdge).toBe(true);
  });
});

describe('a past from an instant on', () => {
  const from = at('18T09:00');
  const past = (changes: Parameters<typeof situation>[0] = {}, set: Partial<ScheduleConfig> = {}) =>
    situation({
      lake: null,
      looked: [`${folder}/full`],
      ...changes,
      set: { grainMinutes: 1440, baselineMs: from, exportsAtOnceMax: 3, ...set },
    });
  const windowsLooked = ['18T09:00_19T00:00', '19T00:00_20T00:00'].map(
    (text) => `${folder}/${text.replace(/(\d\d)T(\d\d):(\d\d)/g, '202611$1T$2$300Z')}`,
  );

  it('begins with a full export of that instant, and its windows are asked for along with it', () => {
    const looks = decide(past());
    expect(looks).toEqual(windowsLooked.map((s3Prefix) => ({ do: 'look', s3Prefix })));
    const actions = decide(past({ looked: [`${folder}/full`, ...windowsLooked] }));
    expect(kinds(actions)).toEqual(['request-full', 'request-window', 'request-window', 'wait']);
    expect(actions[0]).toMatchObject({ exportTimeMs: from });
    expect(asked(actions)).toEqual(windowsLooked);
  });

  it('takes no full export of another instant, and no more windows than may run at once', () => {
    const running18 = full('18T09:00', running);
    const windows = [window('18T09:00', '19T00:00', running)];
    const looked = [`${folder}/full`, ...windowsLooked];
    const exports = [full('19T00:00'), running18, ...windows];
    const waiting = decide(past({ exports, looked }, { exportsAtOnceMax: 1 }));
    expect(kinds(waiting)).toEqual(['wait']);
    const ready = decide(
      past({ exports: [full('18T09:00'), full('19T00:00'), ...windows], looked }),
    );
    expect(kinds(ready)).toEqual(['request-window', 'load']);
    expect(ready.at(-1)).toMatchObject({ export: { exportTimeMs: from } });
  });

  it('is refused with the earliest instant there can be, when recovery does not reach back so far', () => {
    const pitr = { ...situation().pitr, earliestMs: at('18T09:30') };
    const [action] = decide(past({ pitr }));
    expect(action).toMatchObject({
      do: 'refuse',
      error: {
        code: 'REFUSED_OUTSIDE_PITR',
        next: expect.stringContaining(
          'tidelake backfill --table orders --from 2026-11-18T09:45:00',
        ),
      },
    });
    // What was exported while that was possible is taken.
    const exports = [full('18T09:00'), window('18T09:00', '19T00:00')];
    expect(
      kinds(decide(past({ pitr, exports, looked: [`${folder}/full`, ...windowsLooked] }))),
    ).toEqual(['request-window', 'load']);
  });

  it('ends where it is told to', () => {
    const lake = { ...situation().lake!, watermarkMs: at('18T09:00') };
    const looked = [...windowsLooked];
    const until = (time: string) =>
      decide(
        past({ lake, looked, exports: [window('19T00:00', '20T00:00')] }, { untilMs: at(time) }),
      );
    expect(asked(until('19T00:00'))).toEqual(windowsLooked.slice(0, 1));
    expect(asked(until('19T23:59'))).toEqual(windowsLooked.slice(0, 1));
    expect(kinds(until('18T23:59'))).toEqual(['nothing']);
    const exports = [window('18T09:00', '19T00:00'), window('19T00:00', '20T00:00')];
    const merges = decide(past({ lake, looked, exports }, { untilMs: at('19T00:00') }));
    expect(merges).toMatchObject([{ do: 'merge', exports: [exports[0]] }]);
  });
});
