// A hundred tables under one configuration, six of them broken in six ways: what test/scenarios does with twenty.
// Promises: ninety-four end fresh and equal to their tables, six are named. Source: DESIGN "The hourly job" (many tables).

import { expect, it } from 'vitest';
import { broken, ManyTables, runThrough } from '../scenarios/many-tables.js';

it('of a hundred tables, the sound ones are fresh and equal, and the broken ones are named', async () => {
  const many = await ManyTables.start(100);
  try {
    const { reports, exitCode, err } = await runThrough(many);
    expect(reports).toHaveLength(100);
    const states = reports.map(({ source, state, error }) => [source, error?.code ?? state]);
    expect(Object.fromEntries(states)).toEqual(
      Object.fromEntries(many.names.map((name) => [name, broken[name] ?? 'fresh'])),
    );
    expect(exitCode).toBe(3);
    expect(err).toContain('100 tables: 94 fresh, 5 refused, 1 failed');
    for (const report of reports.filter(({ error }) => error === null)) {
      expect(report.watermark).toBe(report.target);
      expect([report.table, await many.faults(report)]).toEqual([
        report.table,
        { missing: [], extra: [] },
      ]);
    }
    expect(await many.paidTwice()).toEqual([]);
    expect(many.aws.simulator.dynamodb.consumed().total.readUnits).toBe(0);
  } finally {
    await many.close();
  }
});
