// `tidelake export` on the command line: what a person reads who stops waiting for an export.

import { describe, expect, it } from 'vitest';
import type { CliContext } from '../../pipeline/cli/context.js';
import type { ExportReport } from '../../pipeline/reports.js';
import { type Ran, runStubbed } from './stub-context.js';

const report: ExportReport = {
  action: 'requested',
  table: 'orders',
  source: 'orders',
  tableId: 'id-1',
  type: 'full',
  at: '2026-11-20T11:54:00.000Z',
  from: null,
  to: null,
  exportArn: 'arn:aws:dynamodb:eu-west-1:123456789012:table/orders/export/01-a',
  place: 's3://shop-exports/orders/id-1/full/20261120T115400Z',
  attempt: 1,
  view: null,
  state: 'IN_PROGRESS',
  failureCode: null,
  summary: null,
  billedBytes: null,
  error: null,
  seconds: 1,
};

/** Runs the command, which is told to stop while it waits. */
function stopped(args: readonly string[], after: Partial<ExportReport> = {}): Promise<Ran> {
  const stops = new Set<Parameters<CliContext['onStop']>[0]>();
  return runStubbed(['export', '--table', 'orders', '--bucket', 'shop-exports', ...args], {
    stops,
    api: {
      askExport: async () => {
        for (const stop of stops) stop('SIGTERM');
        return { ...report, ...after };
      },
    },
    tableExports: {} as never,
  });
}

describe('told to stop while it waits', () => {
  it('shows the export and says how to go on waiting for it', async () => {
    const ran = await stopped(['--at', '2026-11-20T11:54:00Z', '--wait']);
    expect(ran.out).toContain('in progress, to s3://shop-exports/orders/');
    expect(ran.err).toBe(
      '\nstopped waiting: the export goes on at DynamoDB\n  next: run the same command again; it finds this export and pays for no other\n',
    );
  });

  it('names the instant of --full, which would be another one the next time', async () => {
    const { err } = await stopped(['--full', '--wait']);
    expect(err).toContain('again, with --at 2026-11-20T11:54:00Z in place of --full;');
  });

  it('says nothing when the export is over', async () => {
    const ran = await stopped(['--full', '--wait'], {
      state: 'COMPLETED',
      summary: `${report.place}/AWSDynamoDB/01-a/manifest-summary.json`,
    });
    expect(ran).toMatchObject({ exitCode: 0, err: '' });
  });
});
