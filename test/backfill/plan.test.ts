// Plans of exports as properties: what is reached is found by searching all ways, written down here without a chain.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Discovery } from '../../pipeline/backfill/discover-exports.js';
import type { PlannedEpoch } from '../../pipeline/backfill/plan-epochs.js';
import {
  type LakeTableExports,
  type PlanOptions,
  planTable,
  sortExports,
  type TablePlan,
} from '../../pipeline/backfill/plan-exports.js';
import type {
  ExportSummary,
  FullExport,
  IncrementalExport,
} from '../../schemas/export-manifest.js';

const hour = 3_600_000;
const day0 = Date.UTC(2026, 10, 1);
const at = (hours: number): number => day0 + hours * hour;
const iso = (hours: number): string => new Date(at(hours)).toISOString();

let count = 0;
function base(tableName: string, tableId: string): Omit<FullExport, 'type' | 'exportTimeMs'> {
  count += 1;
  const tableArn = `arn:aws:dynamodb:eu-west-1:123456789012:table/${tableName}`;
  const id = `${String(1_700_000_000_000 + count).padStart(14, '0')}-0000abcd`;
  return {
    exportArn: `${tableArn}/export/${id}`,
    tableArn,
    tableName,
    tableId,
    itemCount: 10,
    billedSizeBytes: 0,
    s3Bucket: 'raw',
    s3Prefix: null,
    manifestFilesS3Key: `AWSDynamoDB/${id}/manifest-files.json`,
    manifestMd5: id,
    summaryUri: `s3://raw/AWSDynamoDB/${id}/manifest-summary.json`,
  };
}

interface Of {
  readonly table?: string;
  readonly id?: string;
}
const full = (hours: number, of: Of = {}): FullExport => ({
  ...base(of.table ?? 'orders', of.id ?? 'id-1'),
  type: 'FULL_EXPORT',
  exportTimeMs: at(hours),
});
const window = (from: number, to: number, of: Of = {}): IncrementalExport => ({
  ...base(of.table ?? 'orders', of.id ?? 'id-1'),
  type: 'INCREMENTAL_EXPORT',
  window: { fromMs: at(from), toMs: at(to) },
  view: 'NEW_AND_OLD_IMAGES',
});

const found = (summaries: readonly ExportSummary[]): Discovery => ({
  summaries,
  unusable: [],
  unfinished: [],
  copies: 0,
});
const everything = { table: null, tableId: null, fromMs: null, toMs: null };
const fresh: PlanOptions = { lake: null, acceptTableId: null, acceptSeam: false };

function sorted(summaries: readonly ExportSummary[]): LakeTableExports {
  return sortExports(found(summaries), everything)[0]!;
}
function plan(summaries: readonly ExportSummary[], options: Partial<PlanOptions> = {}): TablePlan {
  return planTable(sorted(summaries), { ...fresh, ...options });
}
const lakeAt = (hours: number, tableId = 'id-1'): Partial<PlanOptions> => ({
  lake: { tableId, watermarkMs: at(hours), hasSeam: false },
});

/** Epochs as hours: start, ends of windows. */
function shape(epochs: readonly PlannedEpoch[]): readonly (readonly number[])[] {
  const hours = (ms: number): number => (ms - day0) / hour;
  return epochs.map((one) => [
    hours(one.startMs),
    ...one.windows.map(({ window: { toMs } }) => hours(toMs)),
  ]);
}
const kinds = (one: TablePlan): readonly string[] => one.findings.map(({ kind }) => kind);
const hourly = (from: number, to: number): IncrementalExport[] =>
  Array.from({ length: to - from }, (_, i) => window(from + i, from + i + 1));

describe('a plan', () => {
  it('follows a full export by its windows, as one epoch', () => {
    const planned = plan([...hourly(0, 3), full(0)]);
    expect(shape(planned.epochs)).toEqual([[0, 1, 2, 3]]);
    expect(planned.findings).toEqual([]);
  });

  it('loads no full export whose state the windows give', () => {
    const planned = plan([full(0), full(2), full(3), ...hourly(0, 4)]);
    expect(shape(planned.epochs)).toEqual([[0, 1, 2, 3, 4]]);
    expect(planned.findings).toMatchObject([{ kind: 'covered', exports: 2, next: null }]);
  });

  it('goes over a gap by a later full export, and names the time without history', () => {
    const planned = plan([full(0), ...hourly(0, 3), full(5), ...hourly(5, 7)]);
    expect(shape(planned.epochs)).toEqual([
      [0, 1, 2, 3],
      [5, 6, 7],
    ]);
    expect(planned.findings).toMatchObject([
      { kind: 'gap', fromMs: at(3), toMs: at(5), isBlocking: false },
    ]);
  });

  it('ends an epoch early, where only another full export leads further', () => {
    // The windows from 2:30 on have other edges.
    const later = [window(2.5, 3.5), window(3.5, 4.5), window(4.5, 5.5)];
    const planned = plan([full(0), ...hourly(0, 4), full(2.5), ...later]);
    expect(shape(planned.epochs)).toEqual([
      [0, 1, 2],
      [2.5, 3.5, 4.5, 5.5],
    ]);
  });

  it('names each gap with the export that would close it, and reaches the end when they are there', () => {
    const there = [full(0), ...hourly(0, 2), ...hourly(3, 5), ...hourly(8, 9)];
    const planned = plan(there);
    expect(shape(planned.epochs)).toEqual([[0, 1, 2]]);
    expect(planned.findings).toMatchObject([
      {
        kind: 'gap',
        exports: 2,
        isBlocking: true,
        next: `tidelake export --table orders --from ${iso(2)} --to ${iso(3)}, and run this again`,
      },
      {
        kind: 'gap',
        exports: 1,
        isBlocking: true,
        next: `tidelake export --table orders --from ${iso(5)} --to ${iso(8)}, and run this again`,
      },
    ]);
    const healed = plan([...there, window(2, 3), window(5, 8)]);
    expect(shape(healed.epochs)).toEqual([[0, 1, 2, 3, 4, 5, 8, 9]]);
    expect(healed.findings).toEqual([]);
  });

  it('asks for a full export where a gap has no length that a window can have', () => {
    for (const gap of [0.1, 30]) {
      const [finding] = plan([full(0), window(gap, gap + 1)]).findings;
      expect(finding).toMatchObject({
        kind: 'gap',
        next: expect.stringContaining(`tidelake export --table orders --at ${iso(gap)}`),
      });
    }
  });

  it('does not apply a window that overlaps, and names the export that would continue', () => {
    const planned = plan([full(0), window(0, 2), window(1, 3)]);
    expect(shape(planned.epochs)).toEqual([[0, 2]]);
    expect(planned.findings).toMatchObject([
      {
        kind: 'overlap',
        fromMs: at(1),
        toMs: at(3),
        isBlocking: true,
        next: `tidelake export --table orders --from ${iso(2)} --to ${iso(3)}, and run this again`,
      },
    ]);
  });

  it('takes the way around an overlap that reaches furthest', () => {
    const planned = plan([full(0), window(0, 2), window(0, 1), window(1, 3), window(3, 4)]);
    expect(shape(planned.epochs)).toEqual([[0, 1, 3, 4]]);
    expect(kinds(planned)).toEqual(['covered']);
  });

  it('counts windows that are there twice', () => {
    const planned = plan([full(0), window(0, 1), window(0, 1), window(0, 1)]);
    expect(shape(planned.epochs)).toEqual([[0, 1]]);
    expect(planned.findings).toMatchObject([{ kind: 'double', exports: 2, isBlocking: false }]);
  });

  it('names windows before the first full export, and the full export that they would need', () => {
    const planned = plan([...hourly(0, 4), full(3)]);
    expect(shape(planned.epochs)).toEqual([[3, 4]]);
    expect(planned.findings).toMatchObject([
      { kind: 'early', exports: 3, isBlocking: false, next: expect.stringContaining(iso(0)) },
    ]);
  });

  it('has no epoch without a full export', () => {
    const planned = plan(hourly(0, 4));
    expect(planned.epochs).toEqual([]);
    expect(planned.findings).toMatchObject([{ kind: 'no-full', exports: 4, isBlocking: true }]);
  });

  it('stops at the seam of a full export within a second, unless it is accepted', () => {
    const half = 0.5 / 3600;
    const there = [full(1 + half), ...hourly(1, 4)];
    const refused = plan(there);
    expect(shape(refused.epochs)).toEqual([[1 + half]]);
    expect(refused.findings).toMatchObject([
      { kind: 'seam', exports: 3, isBlocking: true, fromMs: at(1), toMs: at(1 + half) },
    ]);
    expect(shape(plan(there, { acceptSeam: true }).epochs)).toEqual([[1 + half, 2, 3, 4]]);
    // A full export of a whole second heals it, and ends the doubt where it is.
    expect(shape(plan([...there, full(2)]).epochs)).toEqual([[1 + half], [2, 3, 4]]);
    const both = plan([...there, full(2)], { acceptSeam: true });
    expect(shape(both.epochs)).toEqual([
      [1 + half, 2],
      [2, 3, 4],
    ]);
  });

  it('names the 69 seconds between a full export made "now" and the first window', () => {
    const start = Date.UTC(2026, 0, 14, 10, 18, 50, 622);
    const first = Date.UTC(2026, 0, 14, 10, 20);
    const one: FullExport = { ...full(0), exportTimeMs: start };
    const next: IncrementalExport = {
      ...window(0, 1),
      window: { fromMs: first, toMs: first + hour },
    };
    const planned = plan([one, next], { acceptSeam: true });
    expect(planned.epochs).toMatchObject([{ startMs: start, windows: [], reachMs: start }]);
    expect(planned.findings).toMatchObject([
      {
        kind: 'gap',
        fromMs: start,
        toMs: first,
        exports: 1,
        isBlocking: true,
        next: expect.stringContaining('--at 2026-01-14T10:20:00.000Z'),
      },
    ]);
  });

  it('begins later when told to, and ends earlier', () => {
    const there = [full(0), full(2), ...hourly(0, 5)];
    const part = (fromMs: number | null, toMs: number | null): TablePlan =>
      planTable(sortExports(found(there), { ...everything, fromMs, toMs })[0]!, fresh);
    expect(shape(part(at(1), null).epochs)).toEqual([[2, 3, 4, 5]]);
    expect(shape(part(null, at(3)).epochs)).toEqual([[0, 1, 2, 3]]);
  });
});

describe('where a lake is already', () => {
  const there = [full(0), ...hourly(0, 3), full(5), ...hourly(5, 7)];

  it('the plan goes on from its watermark', () => {
    expect(shape(plan(there, lakeAt(1)).epochs)).toEqual([
      [1, 2, 3],
      [5, 6, 7],
    ]);
    expect(shape(plan(there, lakeAt(6)).epochs)).toEqual([[6, 7]]);
  });

  it('there is nothing to do at the end, or past it', () => {
    for (const hours of [7, 30]) {
      const { epochs, findings } = plan(there, lakeAt(hours));
      expect(shape(epochs)).toEqual([[hours]]);
      expect(findings.filter(({ isBlocking }) => isBlocking)).toEqual([]);
    }
  });

  it('another table does not take its place by itself', () => {
    const other = [full(8, { id: 'id-2' }), window(8, 9, { id: 'id-2' })];
    expect(plan(other, lakeAt(7)).refusal).toMatchObject({
      code: 'REFUSED_TABLE_ID',
      next: expect.stringContaining('--accept-table-id id-2'),
    });
    const both = plan([...there, ...other], lakeAt(1));
    expect(shape(both.epochs)).toEqual([
      [1, 2, 3],
      [5, 6, 7],
    ]);
    expect(both.findings.at(-1)).toMatchObject({
      kind: 'other-table',
      exports: 2,
      isBlocking: true,
      next: expect.stringContaining('--accept-table-id id-2'),
    });
    const accepted = plan([...there, ...other], { ...lakeAt(1), acceptTableId: 'id-2' });
    expect(shape(accepted.epochs)).toEqual([
      [1, 2, 3],
      [5, 6, 7],
      [8, 9],
    ]);
  });
});

describe('several tables', () => {
  it('are told apart by id, and of one name the newest is taken', () => {
    const one = sorted([full(0), ...hourly(0, 2), full(6, { id: 'id-2' })]);
    expect(one.groups).toHaveLength(2);
    const planned = planTable(one, fresh);
    expect(planned.group!.tableId).toBe('id-2');
    expect(shape(planned.epochs)).toEqual([[6]]);
    expect(planned.findings).toMatchObject([
      { kind: 'other-table', exports: 3, next: expect.stringContaining('--table-id id-1') },
    ]);
  });

  it('are picked by the name in DynamoDB or in the lake, or by id under any name', () => {
    const there = found([full(0), full(0, { table: 'Shop.Items' }), full(1, { id: 'id-2' })]);
    const names = (more: object): readonly string[] =>
      sortExports(there, { ...everything, ...more }).map(
        ({ table, groups }) => `${table}:${groups.map(({ tableId }) => tableId).join()}`,
      );
    expect(names({})).toEqual(['orders:id-1,id-2', 'shop_items:id-1']);
    expect(names({ table: 'Shop.Items' })).toEqual(['shop_items:id-1']);
    expect(names({ table: 'shop_items' })).toEqual(['shop_items:id-1']);
    expect(names({ tableId: 'id-2', table: 'again' })).toEqual(['again:id-2']);
    expect(names({ table: 'none' })).toEqual([]);
  });
});

describe('any exports', () => {
  const exportsOf = fc.record({
    fulls: fc.array(fc.integer({ min: 0, max: 24 }), { maxLength: 5 }),
    windows: fc.array(
      fc
        .tuple(fc.integer({ min: 0, max: 24 }), fc.integer({ min: 1, max: 4 }))
        .map(([from, length]) => [from, from + length] as const),
      { maxLength: 24 },
    ),
    seams: fc.array(fc.integer({ min: 0, max: 24 }), { maxLength: 2 }),
    acceptSeam: fc.boolean(),
  });
  type Made = typeof exportsOf extends fc.Arbitrary<infer T> ? T : never;
  const half = 0.5 / 3600;
  const make = ({ fulls, windows, seams }: Made): ExportSummary[] => [
    ...fulls.map((hours) => full(hours)),
    ...seams.map((hours) => full(hours + half)),
    ...windows.map(([from, to]) => window(from, to)),
  ];

  /** Every instant that some full export leads to, by trying all windows again and again. */
  function reachable(starts: readonly number[], made: Made): ReadonlySet<number> {
    const reached = new Set<number>();
    for (const start of starts) {
      reached.add(start);
      // From a seam the second's start is only a way to go on, and no state of its own.
      const ways = new Set([
        Number.isInteger(start) ? start : made.acceptSeam ? Math.floor(start) : -1,
      ]);
      for (let i = 0; i < made.windows.length; i++) {
        for (const [from, to] of made.windows) {
          if (!ways.has(from)) continue;
          ways.add(to);
          reached.add(to);
        }
      }
    }
    return reached;
  }

  it('are planned alike in any order', () => {
    fc.assert(
      fc.property(
        exportsOf.chain((made) => {
          const all = make(made);
          return fc.tuple(
            fc.constant(all),
            fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length }),
            fc.constant(made.acceptSeam),
          );
        }),
        ([all, shuffled, acceptSeam]) => {
          if (all.length === 0) return;
          expect(plan(shuffled, { acceptSeam })).toEqual(plan(all, { acceptSeam }));
        },
      ),
      { numRuns: 300, seed: 5 },
    );
  });

  it('lead to the newest instant there is a way to, without gap or overlap, and none is forgotten', () => {
    fc.assert(
      fc.property(exportsOf, (made) => {
        const all = make(made);
        if (all.length === 0) return;
        const { epochs, findings } = plan(all, { acceptSeam: made.acceptSeam });
        let endMs = Number.NEGATIVE_INFINITY;
        for (const { startMs, windows, reachMs } of epochs) {
          expect(startMs).toBeGreaterThanOrEqual(endMs);
          let cursorMs = startMs - (startMs % 1000);
          for (const one of windows) {
            expect(one.window.fromMs).toBe(cursorMs);
            cursorMs = one.window.toMs;
          }
          expect(reachMs).toBe(windows.length === 0 ? startMs : cursorMs);
          endMs = reachMs;
        }
        const starts = [...made.fulls, ...made.seams.map((hours) => hours + half)];
        const ends = [...reachable(starts, made)];
        expect(epochs.length === 0).toBe(starts.length === 0);
        if (starts.length > 0) {
          const newest = Math.max(...ends);
          expect(endMs).toBe(at(newest));
          // The history begins with the first full export there is.
          expect(epochs[0]!.startMs).toBeLessThanOrEqual(at(Math.min(...starts)));
        }
        const used = epochs.flatMap(({ full: one, windows }) => [one, ...windows]);
        const aside = findings.reduce((sum, one) => sum + one.exports, 0);
        expect(used.length + aside).toBe(all.length);
        const isBlocked = findings.some(({ isBlocking }) => isBlocking);
        const last = Math.max(...made.windows.map(([, to]) => to), -1);
        expect(isBlocked).toBe(epochs.length === 0 ? made.windows.length > 0 : at(last) > endMs);
      }),
      { numRuns: 2000, seed: 6 },
    );
  });

  it('are gone on with from any point of the plan by what is left of it', () => {
    fc.assert(
      fc.property(exportsOf, fc.nat(), (made, step) => {
        const all = make(made);
        if (all.length === 0) return;
        const { acceptSeam } = made;
        const whole = plan(all, { acceptSeam }).epochs;
        const steps = whole.flatMap(({ startMs, windows }, epoch) =>
          [startMs, ...windows.map(({ window: { toMs } }) => toMs)].map((ms, i) => ({
            ms,
            epoch,
            i,
          })),
        );
        if (steps.length === 0) return;
        const { ms, epoch, i } = steps[step % steps.length]!;
        const { hasSeam } = whole[epoch]!;
        const lake = { tableId: 'id-1', watermarkMs: ms, hasSeam };
        const rest = plan(all, { acceptSeam, lake }).epochs;
        const left = [
          { full: null, startMs: ms, windows: whole[epoch]!.windows.slice(i) },
          ...whole
            .slice(epoch + 1)
            .map(({ full: one, startMs, windows }) => ({ full: one, startMs, windows })),
        ];
        expect(
          rest.map(({ full: one, startMs, windows }) => ({ full: one, startMs, windows })),
        ).toEqual(left);
      }),
      { numRuns: 1000, seed: 7 },
    );
  });
});
