// What a person may write after --as-of.

import { describe, expect, it } from 'vitest';
import { parseAsOf } from '../../pipeline/query/as-of.js';

describe('parseAsOf', () => {
  it.each<[string, number]>([
    ['2026-11-20', Date.UTC(2026, 10, 20)],
    ['2026-11-20T09:00', Date.UTC(2026, 10, 20, 9)],
    ['2026-11-20T09:00Z', Date.UTC(2026, 10, 20, 9)],
    ['2026-11-20 09:00:01', Date.UTC(2026, 10, 20, 9, 0, 1)],
    ['2026-11-20T09:00:01.622Z', Date.UTC(2026, 10, 20, 9, 0, 1, 622)],
    ['2026-11-20T09:00:01.6229Z', Date.UTC(2026, 10, 20, 9, 0, 1, 622)],
    ['2026-11-20T09:00:00+02:00', Date.UTC(2026, 10, 20, 7)],
    ['2026-11-20T09:00:00-0530', Date.UTC(2026, 10, 20, 14, 30)],
  ])('reads %s, in UTC unless it says otherwise', (text, ms) => {
    expect(parseAsOf(text)).toEqual({ watermarkMs: ms });
  });

  it('reads a snapshot id beyond 2^53 exactly', () => {
    expect(parseAsOf('snapshot:6838723292707092922')).toEqual({ snapshotId: 6838723292707092922n });
  });

  it.each([
    '',
    'yesterday',
    '2026-02-30',
    '2026-13-01',
    '2026-11-20T25:00Z',
    'snapshot:',
    'snapshot:x',
    '1700000000',
  ])('refuses %j', (text) => {
    expect(() => parseAsOf(text)).toThrow(/neither a time nor a snapshot/);
  });
});
