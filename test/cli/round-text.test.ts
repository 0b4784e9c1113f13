// A round in one line.
// Promises: what is expected is written by hand.
// Source: pipeline/cli/round-text.ts.

import { expect, it } from 'vitest';
import { roundLine } from '../../pipeline/cli/round-text.js';
import type { RoundReport } from '../../pipeline/reports.js';
import { roundOfNone } from '../../pipeline/schedule/no-round.js';

const error = { code: 'DENIED' as const, what: 'w', meaning: 'm', next: 'n' };
const round: RoundReport = {
  ...roundOfNone('lake', { table: 'orders', source: 'orders', error }),
  state: 'fresh',
  error: null,
};
const expired = {
  action: 'expired' as const,
  database: 'lake',
  table: 'orders',
  expiredSnapshots: 24,
  keptSnapshots: 30,
  oldest: null,
  dataFiles: 20,
  manifests: 40,
  metadataFiles: 0,
  orphans: 0,
  bytes: 1,
  unremoved: 0,
  seconds: 1,
};

it('says what upkeep did, and that it was not finished', () => {
  const start = 'orders  not in the lake yet; ';
  const line = (upkeep: RoundReport['upkeep']): string => roundLine({ ...round, upkeep });
  const end = 'nothing newer to be had';
  expect(line(null)).toBe(`${start}${end}`);
  expect(line({ compacted: [], expired: null, error: null })).toBe(`${start}${end}`);
  expect(line({ compacted: [], expired, error: null })).toBe(
    `${start}expired 24 snapshots; ${end}`,
  );
  expect(line({ compacted: [], expired: null, error })).toBe(
    `${start}upkeep was not finished (DENIED); ${end}`,
  );
});
