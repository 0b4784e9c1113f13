// One configuration, twenty tables, six of them broken in six ways; a hundred are in test/faults.
// Promises: the sound ones end fresh and equal to their tables, the others are named; nothing is read from a table, and one
// export is paid for once. Source: DESIGN "The hourly job is a pure decision" (many tables).

import { afterAll, beforeAll, expect, it } from 'vitest';
import { broken, ManyTables, type RunOfMany, runThrough } from './many-tables.js';

const count = 20;
let many: ManyTables;
let last: RunOfMany;

beforeAll(async () => {
  many = await ManyTables.start(count);
  last = await runThrough(many);
}, 180_000);
afterAll(() => many.close());

it('keeps every sound table fresh, and equal to the table in DynamoDB', async () => {
  const sound = last.reports.filter(({ source }) => broken[source] === undefined);
  expect(sound).toHaveLength(count - Object.keys(broken).length);
  for (const report of sound) {
    expect(report).toMatchObject({ state: 'fresh', late: false, error: null });
    expect(report.watermark).toBe(report.target);
    expect(await many.faults(report)).toEqual({ missing: [], extra: [] });
  }
});

it('names each broken table with what is wrong, and exits with 3', () => {
  const found = last.reports.filter(({ error }) => error !== null);
  expect(Object.fromEntries(found.map(({ source, error }) => [source, error!.code]))).toEqual(
    broken,
  );
  expect(last.exitCode).toBe(3);
  for (const { error } of found) expect(error!.next).not.toBe('');
});

it('ends with a summary that names those in trouble', () => {
  const summary = last.err.slice(last.err.lastIndexOf('20 tables'));
  expect(summary).toBe(
    [
      '20 tables: 14 fresh, 5 refused, 1 failed',
      '  refused: shop_failing (REFUSED_EXPORT_FAILED), shop_gone (REFUSED_NO_TABLE), shop_made_again (REFUSED_TABLE_ID), shop_no_recovery (REFUSED_PITR_OFF), shop_poisoned (REFUSED_CHECKSUM)',
      '  failed: shop_denied (DENIED)',
      '',
    ].join('\n'),
  );
});

it('reads no table, leaves alone what is not configured, and pays for an export once', async () => {
  const { total } = many.aws.simulator.dynamodb.consumed();
  expect(total.readUnits).toBe(0);
  expect(Object.keys(total.requests)).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/^(Scan|Query|GetItem|BatchGetItem)$/)]),
  );
  expect(last.reports.map(({ source }) => source)).not.toContain('other');
  expect(await many.paidTwice()).toEqual([]);
});

it('takes one table with --table, by either of its names', async () => {
  for (const name of ['tagged_0', 'tagged.0']) {
    const { reports, exitCode } = await many.run(['--table', name]);
    expect(reports).toMatchObject([{ source: 'tagged.0', table: 'tagged_0', state: 'fresh' }]);
    expect(exitCode).toBe(0);
  }
  const other = await many.run(['--table', 'other']);
  expect(other).toMatchObject({ exitCode: 2, out: '' });
});
