// Metrics as lines: against the specification of the format, member by member, written out by hand.
// Promises: what CloudWatch would take is what is expected; nothing is computed by the code under test.
// Source: Amazon CloudWatch User Guide, "Specification: Embedded metric format".

import { describe, expect, it } from 'vitest';
import { emfWriter } from '../../pipeline/cli/emf.js';
import {
  runMetrics,
  type TableOutcome,
  tableMetrics,
} from '../../pipeline/reporting/run-metrics.js';

const nowMs = Date.UTC(2026, 10, 20, 12);
const calm: TableOutcome = {
  table: 'orders',
  isLate: false,
  isRefused: false,
  isFailed: false,
  lagMs: 5_400_500,
  windowsMerged: 2,
  exportsLoaded: 0,
  rowsChanged: 77,
  exportsRequested: 1,
  exportsRunning: 1,
};

async function written(...of: Parameters<Awaited<ReturnType<typeof emfWriter>>>): Promise<string> {
  let text = '';
  const write = await emfWriter({ lake: 'shop', write: (line) => (text += line) });
  write(...of);
  return text;
}

describe('metrics of a table', () => {
  it('are one line, with lake and table as dimensions', async () => {
    const text = await written(tableMetrics(calm), 'orders', nowMs);
    expect(text.split('\n')).toHaveLength(2);
    const count = (Name: string) => ({ Name, Unit: 'Count' });
    expect(JSON.parse(text)).toEqual({
      _aws: {
        Timestamp: 1_795_176_000_000,
        CloudWatchMetrics: [
          {
            Namespace: 'Tidelake',
            Dimensions: [['service', 'table']],
            Metrics: [
              { Name: 'LagSeconds', Unit: 'Seconds' },
              count('WindowsMerged'),
              count('ExportsLoaded'),
              count('RowsChanged'),
              count('ExportsRequested'),
              count('ExportsRunning'),
              count('Late'),
              count('Refused'),
              count('Failed'),
            ],
          },
        ],
      },
      service: 'shop',
      table: 'orders',
      LagSeconds: 5400.5,
      WindowsMerged: 2,
      ExportsLoaded: 0,
      RowsChanged: 77,
      ExportsRequested: 1,
      ExportsRunning: 1,
      Late: 0,
      Refused: 0,
      Failed: 0,
    });
  });

  it('have no lag where nobody knows one', async () => {
    const text = await written(tableMetrics({ ...calm, lagMs: null }), 'orders', nowMs);
    expect(text).not.toContain('LagSeconds');
  });
});

describe('metrics of a run', () => {
  it('count tables by how they are, with the lag of the stalest', async () => {
    const outcomes: readonly TableOutcome[] = [
      calm,
      { ...calm, table: 'clients', lagMs: 20_000_000, isLate: true },
      { ...calm, table: 'carts', lagMs: 30_000_000, isLate: true, isRefused: true },
      { ...calm, table: 'visits', isFailed: true },
    ];
    const line = JSON.parse(await written(runMetrics(outcomes, 4200), null, nowMs)) as object;
    expect(line).toMatchObject({
      _aws: { CloudWatchMetrics: [{ Namespace: 'Tidelake', Dimensions: [['service']] }] },
      service: 'shop',
      Tables: 4,
      TablesFresh: 1,
      TablesLate: 2,
      TablesRefused: 1,
      TablesFailed: 1,
      LagSeconds: 30_000,
      RunSeconds: 4.2,
    });
    expect(line).not.toHaveProperty('table');
  });

  it('have no lag while one table has none, so that silence stays an alarm', () => {
    const names = (outcomes: readonly TableOutcome[]) =>
      runMetrics(outcomes, 0).map(({ name }) => name);
    expect(names([calm, { ...calm, lagMs: null }])).not.toContain('LagSeconds');
    expect(names([])).not.toContain('LagSeconds');
    expect(names([calm])).toContain('LagSeconds');
  });
});
