// `tidelake run` as processes: killed at once, told to stop, and two at a time.
// Promises: a few of each here; many, at random instants, are in test/faults.
// Source: pipeline/cli/main.ts; the design, "The command" (exit codes).

import { afterAll, beforeAll, expect, it } from 'vitest';
import { ScheduledProcesses } from './scheduled-processes.js';

let processes: ScheduledProcesses;
beforeAll(async () => {
  processes = await ScheduledProcesses.open('scheduled processes');
});
afterAll(() => processes.close());

it('killed while it merges, it is gone on with by the next', async () => {
  await processes.hours(2);
  await processes.start().ended;
  processes.pass(11);
  processes.world.aws.simulator.clearRequests();
  const { child, ended } = processes.start();
  await processes.asked('PutObject');
  child.kill('SIGKILL');
  expect(await ended).toMatchObject({ signal: 'SIGKILL' });
  await processes.settle();
});

it.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)('told to stop by %s, it ends with %i and says how to go on', async (signal, code) => {
  await processes.hours(1);
  processes.world.aws.simulator.clearRequests();
  // It waits for the export that it asks for, which does not end by itself here.
  const { child, ended } = processes.start('--wait');
  await processes.asked('ExportTableToPointInTime');
  child.kill(signal);
  const { exitCode, errors, reports } = await ended;
  expect({ exitCode, errors }).toMatchObject({
    exitCode: code,
    errors: expect.stringContaining('next: run the same command again'),
  });
  expect(reports).toMatchObject([{ state: 'waiting', waitingFor: 'stopped' }]);
  processes.pass(11);
  await processes.settle();
});

it('told to stop with no time left, it starts no commit', async () => {
  await processes.hours(1);
  await processes.start().ended;
  processes.pass(11);
  const before = (await processes.table.lake.open()).state.watermarkMs;
  processes.world.aws.simulator.clearRequests();
  const { child, ended } = processes.start('--grace-seconds', '20');
  await processes.asked('DescribeTable');
  child.kill('SIGTERM');
  expect(await ended).toMatchObject({ exitCode: 143 });
  expect((await processes.table.lake.open()).state.watermarkMs).toBe(before);
  await processes.settle();
});

it('two at once pay once, and each window is one snapshot', async () => {
  await processes.hours(2);
  for (let i = 0; i < 2; i++) {
    const both = await Promise.all([processes.start().ended, processes.start().ended]);
    for (const { exitCode, errors } of both) {
      expect({ exitCode, errors }).toMatchObject({ exitCode: 0 });
    }
    processes.pass(11);
  }
  await processes.settle();
});
