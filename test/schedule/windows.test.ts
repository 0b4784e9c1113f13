// Windows against the service's limits and times written down by hand.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkGrain, edgeBefore, windowAfter } from '../../pipeline/schedule/windows.js';

const at = (text: string): number => Date.parse(`2026-11-${text}Z`);
const minute = 60_000;
const grains = [15, 16, 20, 30, 45, 60, 120, 180, 240, 360, 480, 720, 1440];

describe('the window after an instant', () => {
  it.each([
    // grain, from, to
    [60, '20T09:00:00', '20T10:00:00'],
    [60, '20T09:20:10', '20T10:00:00'],
    // 45 minutes and a second before the edge, 15 minutes, a second less.
    [60, '20T09:45:00', '20T10:00:00'],
    [60, '20T09:45:01', '20T11:00:00'],
    [15, '20T09:00:00', '20T09:15:00'],
    [15, '20T09:00:01', '20T09:30:00'],
    [60, '20T23:50:00', '21T01:00:00'],
    [1440, '20T00:00:00', '21T00:00:00'],
    // 24 hours and 5 minutes: 23 hours 50 and 15 minutes.
    [1440, '20T23:55:00', '21T23:45:00'],
    [1440, '21T23:45:00', '22T00:00:00'],
  ])('of %i minutes at %s ends at %s', (grain, from, to) => {
    expect(windowAfter(at(from), grain)).toEqual({ fromMs: at(from), toMs: at(to) });
  });

  it('is always one that DynamoDB takes, and the second after it ends on the grain', () => {
    const second = fc.integer({ min: 1_700_000_000, max: 1_900_000_000 });
    fc.assert(
      fc.property(second, fc.constantFrom(...grains), (seconds, grain) => {
        let from = seconds * 1000;
        for (let i = 0; i < 4; i++) {
          const { fromMs, toMs } = windowAfter(from, grain);
          expect(fromMs).toBe(from);
          expect(toMs % 1000).toBe(0);
          expect(toMs - fromMs).toBeGreaterThanOrEqual(15 * minute);
          expect(toMs - fromMs).toBeLessThanOrEqual(24 * 60 * minute);
          if (i > 0) expect(toMs % (grain * minute)).toBe(0);
          from = toMs;
        }
      }),
    );
  });

  it('has midnight UTC among its edges, whatever the grain', () => {
    for (const grain of grains) {
      expect(edgeBefore(at('20T00:00:00'), grain)).toBe(at('20T00:00:00'));
      expect(edgeBefore(at('20T00:00:00') - 1, grain)).toBe(at('20T00:00:00') - grain * minute);
    }
  });

  it.each([0, 10, 14, 50, 61, 100, 2880, 22.5, Number.NaN])(
    'is refused a grain of %d minutes',
    (grain) => {
      expect(() => checkGrain(grain)).toThrow(expect.objectContaining({ code: 'USAGE' }));
    },
  );

  it.each(grains)('may have a grain of %d minutes', (grain) => {
    expect(() => checkGrain(grain)).not.toThrow();
  });
});
