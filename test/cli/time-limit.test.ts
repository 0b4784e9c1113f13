// From when the time of a command counts: from its start, with all that comes before the work.
// Source: docs/reference/configuration.md, `maxSeconds`. The clock of the stub stands at 12:00:00 when the command starts.

import { expect, it } from 'vitest';
import type { RunLimit } from '../../pipeline/schedule/run-limit.js';
import { runStubbed } from './stub-context.js';

const job = ['--table', 'orders', '--bucket', 'b-exports', '--max-seconds', '90'];

it.each([
  ['run', ['run', ...job]],
  ['backfill', ['backfill', ...job, '--from', '2026-11-01T00:00Z']],
])(
  '%s is over 90 seconds after its start, though opening its world took 50 of them',
  async (_, args) => {
    const deadlines: (number | null)[] = [];
    const note = (limit: RunLimit | undefined): void => {
      deadlines.push(limit?.deadlineMs ?? null);
    };
    await runStubbed(args, {
      openingMs: 50_000,
      api: {
        runTables: (_world, _jobs, _exportsOf, { limit }) => {
          note(limit);
          throw new Error('not for this test');
        },
        backfillRecovery: async (_world, _exports, _job, { limit }) => {
          note(limit);
          throw new Error('not for this test');
        },
      },
      tableExports: {} as never,
    });
    expect(deadlines).toEqual([Date.UTC(2026, 10, 20, 12, 1, 30)]);
  },
);
