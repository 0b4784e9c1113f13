// A plan in words: what is read of exports that are there, as far as it is known.

import { expect, it } from 'vitest';
import { planLines, priceText } from '../../pipeline/cli/commands/plan.js';
import type { PlannedAction } from '../../pipeline/reports.js';
import { emptyRound, planOfNone } from '../../pipeline/schedule/no-round.js';

it('shows what exports to be loaded and merged were billed by, and says where that is not known', () => {
  const action = (what: 'load' | 'merge', bytes: number | null): PlannedAction => ({
    do: what,
    at: what === 'load' ? '2026-11-20T09:00:00.000Z' : null,
    from: what === 'merge' ? '2026-11-20T09:00:00.000Z' : null,
    to: what === 'merge' ? '2026-11-20T10:00:00.000Z' : null,
    exportArn: 'arn',
    place: null,
    attempt: null,
    bytes,
  });
  const none = planOfNone(
    emptyRound({
      database: 'lake',
      table: 'orders',
      source: 'orders',
      state: 'waiting',
      waitingFor: null,
      error: null,
    }),
  );
  const actions = [
    action('load', 12_000_000_000),
    action('merge', 15_000_000),
    action('merge', null),
  ];
  expect(planLines({ ...none, actions }).slice(1)).toEqual([
    '  load the full export at 2026-11-20T09:00:00Z, billed 12 GB',
    '  merge 2026-11-20T09:00:00Z to 2026-11-20T10:00:00Z, billed 15 MB',
    '  merge 2026-11-20T09:00:00Z to 2026-11-20T10:00:00Z, of a size not known before it is read',
  ]);
});

it('counts requests one by one, and names the price as the price list does', () => {
  const common = { what: 'requests that write', usd: 0 } as const;
  expect(priceText({ ...common, quantity: 0.009, unit: '1,000 requests', price: 0.005 })).toBe(
    '9 requests at $0.005 per 1,000',
  );
  expect(priceText({ ...common, quantity: 0.000001, unit: '1,000,000 calls', price: 0.2 })).toBe(
    '1 calls at $0.20 per 1,000,000',
  );
  expect(priceText({ ...common, quantity: 0.0123456, unit: 'GB', price: 0.1 })).toBe(
    '0.0123 GB at $0.10',
  );
});
